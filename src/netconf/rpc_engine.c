#include "netconf/rpc_engine.h"

#include <poll.h>
#include <string.h>

#include "journal/journal.h"
#include "model/names.h"
#include "netconf/reply.h"

static void look_for_presence(evutil_socket_t fd, short what, void *arg);

/* EV_CLOSED: until the client closes something; EV_TIMEOUT: for a while. */
static void watch_presence(struct netconf_session *session, short what)
{
	const struct timeval soon = {.tv_usec = 50000};
	bool closed = what == EV_CLOSED;

	event_assign(session->presence, session->server->options.base,
		     closed ? bufferevent_getfd(session->transport) : -1, closed ? EV_CLOSED : 0,
		     look_for_presence, session);
	event_add(session->presence, closed ? NULL : &soon);
}

/*
 * A client that closed its half waits for the answer. One that closed both, or was killed,
 * does not, and what it asked for is aborted. The event cannot tell the second once the first
 * has happened: a timer looks from then on.
 */
static void look_for_presence(evutil_socket_t fd, short what, void *arg)
{
	struct netconf_session *session = arg;
	struct pollfd peer = {.fd = bufferevent_getfd(session->transport)};

	(void)fd;
	(void)what;
	if (poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR)))
		session_close(session);
	else
		watch_presence(session, EV_TIMEOUT);
}

int rpc_await(struct netconf_session *session, unsigned int ticket, struct error *err)
{
	session->ticket = ticket;
	if (!ticket)
		return error_set(err, ERROR_RESOURCE, "out of memory; try again later");
	if (!session->presence)
		session->presence =
			evtimer_new(session->server->options.base, look_for_presence, session);
	if (session->presence)
		watch_presence(session, EV_CLOSED);
	return RPC_LATER;
}

struct engine_who rpc_who(const struct netconf_session *session)
{
	return (struct engine_who){
		.door = session->door,
		.user = session->peer.user,
		.session = session->id,
		.policy = access_policy(session),
	};
}

static int refuse_comment(const char *comment, size_t most, struct error *err)
{
	return rpc_refuse(err, ERROR_INVALID_VALUE, "comment",
			  "comment has %zu octets; allowed: up to %zu", strlen(comment), most);
}

int rpc_comment(const struct node *operation, struct engine_who *who, struct error *err)
{
	who->comment = node_text(operation, "comment", NAMESPACE_CLIENTS);
	if (!who->comment || strlen(who->comment) < RPC_COMMENT)
		return 0;
	return refuse_comment(who->comment, RPC_COMMENT - 1, err);
}

int rpc_comment_on(const struct node *operation, const char *words, char buffer[RPC_COMMENT],
		   struct engine_who *who, struct error *err)
{
	const char *comment = node_text(operation, "comment", NAMESPACE_CLIENTS);
	size_t most = RPC_COMMENT - 1 - strlen(words) - strlen(": ");

	if (comment && strlen(comment) > most)
		return refuse_comment(comment, most, err);
	snprintf(buffer, RPC_COMMENT, "%s%s%s", words, comment ? ": " : "", comment ? comment : "");
	who->comment = buffer;
	return 0;
}

void rpc_answered(struct netconf_session *session)
{
	session->ticket = 0;
	if (session->presence)
		evtimer_del(session->presence);
}

void rpc_done(int rc, const struct error *err, void *arg)
{
	struct netconf_session *session = arg;

	rpc_answered(session);
	if (rc && err->code == ERROR_DENIED)
		access_count_write(session);
	if (rc)
		reply_error(session, err);
	else
		reply_ok(session);
	session_done(session);
}
