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
 * Of the sessions at rest that a newcomer may end: those of who has most, and of these the one
 * that rested longest. @own: of his own only.
 */
static struct netconf_session *find_spare(const struct netconf_server *server, uid_t uid, bool own)
{
	int64_t since = clock_now() - server->options.limits.spare_after * NS_PER_S;
	struct netconf_session *found = NULL, *session;
	unsigned int mine = sessions_of(server, uid), most = 0;

	TAILQ_FOREACH (session, &server->sessions, link) {
		bool his = session->peer.uid == uid;
		unsigned int count;

		if (!session_at_rest(session) || session->rested > since || (own && !his))
			continue;
		count = sessions_of(server, session->peer.uid);
		if (!his && !peer_privileged(uid) &&
		    (peer_privileged(session->peer.uid) || count < mine + 2))
			continue;
		if (count > most || (count == most && session->rested < found->rested)) {
			most = count;
			found = session;
		}
	}
	return found;
}

static bool make_room(struct netconf_server *server, uid_t uid, bool own)
{
	struct netconf_session *spare = find_spare(server, uid, own);

	if (!spare)
		return false;
	server_log(server, LOG_NOTICE,
		   "NETCONF session %u of %s ends: places are short, and it rested for %lld s",
		   spare->id, spare->peer.user,
		   (long long)((clock_now() - spare->rested) / NS_PER_S));
	session_close(spare);
	return true;
}

enum refusal places_admit(struct netconf_server *server, uid_t uid)
{
	const struct netconf_limits *limits = &server->options.limits;
	bool privileged = peer_privileged(uid);
	unsigned int places = limits->sessions - (privileged ? 0 : limits->kept);

	if (!privileged && sessions_of(server, uid) >= limits->user_sessions &&
	    !make_room(server, uid, true))
		return REFUSAL_USER;
	if (server->count >= places && !make_room(server, uid, false))
		return REFUSAL_FULL;
	return REFUSAL_NONE;
}

void places_explain(const struct netconf_server *server, enum refusal refusal,
		    const struct peer *peer, struct error *err)
{
	const struct netconf_limits *limits = &server->options.limits;

	if (refusal == REFUSAL_USER)
		error_set(err, ERROR_RESOURCE,
			  "%s has %u sessions with l2tpv3d already, as many as a user may have, "
			  "and none of them is at rest; end one, or have root end one with "
			  "\"l2tpv3ctl kill\"",
			  peer->user, limits->user_sessions);
	else if (refusal == REFUSAL_FULL)
		error_set(err, ERROR_RESOURCE,
			  "all %u places for sessions with l2tpv3d are taken, and none is at rest; "
			  "%u are kept for root, who sees by whom with \"l2tpv3ctl show clients\" "
			  "and can end one with \"l2tpv3ctl kill\"; try again later",
			  limits->sessions, limits->kept);
	else
		error_set_errno(err, ERROR_RESOURCE, EMFILE,
				"l2tpv3d can take no more clients; raise its LimitNOFILE, or try "
				"again later");
	err->protocol = true;
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

	places_explain(server, refusal, peer, &err);
	writer_init(&nobody.writer, to_socket, &fd);
	reply_refusal(&nobody, &err);
	close(fd);
}
