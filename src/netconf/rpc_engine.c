#include "netconf/rpc_engine.h"

#include <poll.h>

#include "netconf/reply.h"

static void watch_presence(struct netconf_session *session)
{
	const struct timeval soon = {.tv_usec = 50000};

	if (session->presence)
		evtimer_add(session->presence, &soon);
}

/*
 * A client that closed its half waits for the answer; one that closed both, or was killed, does
 * not, and its request is aborted. We read nothing meanwhile, so look for that.
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
		watch_presence(session);
}

int rpc_await(struct netconf_session *session, unsigned int ticket, struct error *err)
{
	session->ticket = ticket;
	if (!ticket)
		return error_set(err, ERROR_RESOURCE, "out of memory; try again later");
	if (!session->presence)
		session->presence =
			evtimer_new(session->server->options.base, look_for_presence, session);
	watch_presence(session);
	return RPC_LATER;
}

struct engine_who rpc_who(const struct netconf_session *session)
{
	return (struct engine_who){
		.door = session->door,
		.user = session->peer.user,
		.session = session->id,
	};
}

void rpc_done(int rc, const struct error *err, void *arg)
{
	struct netconf_session *session = arg;

	session->ticket = 0;
	if (session->presence)
		evtimer_del(session->presence);
	if (rc)
		reply_error(session, err);
	else
		reply_ok(session);
	session_done(session);
}
