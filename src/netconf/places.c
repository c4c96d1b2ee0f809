#include "netconf/places.h"

#include <errno.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "netconf/reply.h"
#include "netconf/session.h"

static unsigned int sessions_of(const struct netconf_server *server, uid_t uid)
{
	const struct netconf_session *session;
	unsigned int count = 0;

	TAILQ_FOREACH (session, &server->sessions, link)
		count += !session->refusal && session->peer.uid == uid;
	return count;
}

/*
 * The session at rest that a newcomer may end: one of the user with the most, and of those the one
 * that has rested longest. A user at the limit finds only sessions of their own.
 */
static struct netconf_session *find_spare(const struct netconf_server *server, uid_t uid)
{
	int64_t since = clock_now() - server->options.limits.spare_after * NS_PER_S;
	struct netconf_session *found = NULL, *session;
	unsigned int mine = sessions_of(server, uid), most = 0;

	TAILQ_FOREACH (session, &server->sessions, link) {
		bool own = session->peer.uid == uid;
		unsigned int count;

		if (!session_at_rest(session) || session->rested > since)
			continue;
		count = sessions_of(server, session->peer.uid);
		if (!own && !peer_privileged(uid) &&
		    (peer_privileged(session->peer.uid) || count < mine + 2))
			continue;
		if (count > most || (count == most && session->rested < found->rested)) {
			most = count;
			found = session;
		}
	}
	return found;
}

static bool make_room(struct netconf_server *server, uid_t uid)
{
	struct netconf_session *spare = find_spare(server, uid);

	if (!spare)
		return false;
	server_log(server, LOG_NOTICE,
		   "ending NETCONF session %u of %s, idle for %lld s, to make room for another",
		   spare->id, spare->peer.user,
		   (long long)((clock_now() - spare->rested) / NS_PER_S));
	spare->ending = "other";
	session_close(spare);
	return true;
}

enum refusal places_admit(struct netconf_server *server, uid_t uid)
{
	const struct netconf_limits *limits = &server->options.limits;
	bool privileged = peer_privileged(uid);
	unsigned int places = limits->sessions - (privileged ? 0 : limits->kept);

	if (!privileged && sessions_of(server, uid) >= limits->user_sessions &&
	    !make_room(server, uid))
		return REFUSAL_USER;
	if (server->count >= places && !make_room(server, uid))
		return REFUSAL_FULL;
	return REFUSAL_NONE;
}

static int to_socket(const char *bytes, size_t length, void *arg)
{
	const int *fd = arg;

	/* a new socket takes more than this without blocking */
	return send(*fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void places_turn_away(struct netconf_server *server, int fd, enum refusal refusal,
		      const struct peer *peer)
{
	struct netconf_session nobody = {.server = server, .id = UINT32_MAX};
	struct error err = ERROR_INIT;

	refusal_explain(&server->options.limits, refusal, peer->user, &err);
	writer_init(&nobody.writer, to_socket, &fd);
	reply_refusal(&nobody, &err);
	close(fd);
}
