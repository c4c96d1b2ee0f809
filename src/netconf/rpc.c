#include "netconf/rpc.h"

#include <poll.h>

#include "netconf/reply.h"

/* clang-format off */
static const struct rpc rpcs[] = {
	{ "get", NAMESPACE_BASE, { "filter" }, NULL, rpc_get, NULL },
	{ "get-config", NAMESPACE_BASE, { "source", "filter" }, NULL, rpc_get_config, NULL },
	{ "edit-config", NAMESPACE_BASE,
	  { "target", "default-operation", "test-option", "error-option", "config" },
	  "config", rpc_edit_config, rpc_edit_config_begin },
	{ "lock", NAMESPACE_BASE, { "target" }, NULL, rpc_lock, NULL },
	{ "unlock", NAMESPACE_BASE, { "target" }, NULL, rpc_unlock, NULL },
	{ "close-session", NAMESPACE_BASE, { NULL }, NULL, rpc_close_session, NULL },
	{ "kill-session", NAMESPACE_BASE, { "session-id" }, NULL, rpc_kill_session, NULL },
	{ "adopt", NAMESPACE_MODULE, { "tunnel-id" }, NULL, rpc_adopt, NULL },
	{ "resync", NAMESPACE_MODULE, { NULL }, NULL, rpc_resync, NULL },
	{ "history", NAMESPACE_MODULE, { NULL }, NULL, rpc_history, NULL },
	{ "commit-changes", NAMESPACE_MODULE, { "number" }, NULL, rpc_commit_changes, NULL },
	{ "rollback", NAMESPACE_MODULE, { "number" }, NULL, rpc_rollback, NULL },
};
/* clang-format on */

#define RPCS (sizeof(rpcs) / sizeof(rpcs[0]))

const struct rpc *rpc_find(const char *name, const char *uri)
{
	for (unsigned int i = 0; i < RPCS; i++)
		if (!strcmp(rpcs[i].name, name) && !strcmp(rpcs[i].uri, uri))
			return &rpcs[i];
	return NULL;
}

static void set_info(struct error *err, const char *info, const char *info2)
{
	snprintf(err->info, sizeof(err->info), "%s", info);
	snprintf(err->info2, sizeof(err->info2), "%s", info2);
}

int rpc_unknown(const char *name, const char *uri, struct error *err)
{
	int result;

	for (unsigned int i = 0; i < RPCS; i++)
		if (!strcmp(rpcs[i].uri, uri))
			return error_set(err, ERROR_UNSUPPORTED,
					 "there is no operation %.60s here; the hello says what "
					 "there is",
					 name);
	result = error_set(err, ERROR_UNKNOWN_NAMESPACE,
			   "no operations are known of namespace %.100s", uri);
	set_info(err, name, uri);
	return result;
}

static bool is_parameter(const struct rpc *rpc, const char *name)
{
	for (unsigned int i = 0; i < RPC_PARAMETERS && rpc->parameters[i]; i++)
		if (!strcmp(rpc->parameters[i], name))
			return true;
	return false;
}

int rpc_check_parameter(const struct rpc *rpc, const struct node *operation, const char *name,
			const char *uri, struct error *err)
{
	int rc = 0;

	if (strcmp(uri, rpc->uri) != 0)
		rc = error_set(err, ERROR_UNKNOWN_NAMESPACE,
			       "parameters of %s are in the namespace %s", rpc->name, rpc->uri);
	else if (!is_parameter(rpc, name))
		rc = error_set(err, ERROR_UNKNOWN_ELEMENT, "%s has no such parameter", rpc->name);
	else if (node_child(operation, name, uri))
		rc = error_set(err, ERROR_BAD_ELEMENT, "given twice");
	if (rc)
		set_info(err, name, uri);
	return rc;
}

/* What is called for by name and is no configuration here. */
static int refuse_configuration(const struct node *which, struct error *err)
{
	static const char *const known[] = {"candidate", "startup", "url", "config"};
	int result = 0;

	if (strcmp(which->uri, NAMESPACE_BASE) != 0)
		result = error_set(err, ERROR_UNKNOWN_NAMESPACE,
				   "<%.60s> is in no namespace that is known here; running is in "
				   "%s",
				   which->name, NAMESPACE_BASE);
	for (unsigned int i = 0; !result && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(which->name, known[i]))
			result = error_set(err, ERROR_UNSUPPORTED,
					   "the only configuration here is running, not %s",
					   known[i]);
	if (!result)
		result = error_set(err, ERROR_UNKNOWN_ELEMENT,
				   "%.60s names no configuration; there is running", which->name);
	set_info(err, which->name, which->uri);
	return result;
}

static int check_running(const struct node *operation, const char *parameter, struct error *err)
{
	const struct node *holder = node_child(operation, parameter, NAMESPACE_BASE);
	const struct node *which = holder ? holder->first : NULL;
	int result;

	if (which && which->next) {
		result = error_set(err, ERROR_BAD_ELEMENT, "%s holds one configuration", parameter);
		set_info(err, which->next->name, "");
		return result;
	}
	if (which && node_is(which, "running", NAMESPACE_BASE) && (which->first || which->length)) {
		result = error_set(err, ERROR_BAD_ELEMENT, "running is empty, as in <running/>");
		set_info(err, which->name, "");
		return result;
	}
	if (which && node_is(which, "running", NAMESPACE_BASE))
		return 0;
	if (!which) {
		result = error_set(err, ERROR_MISSING_ELEMENT,
				   "%s is required, as in <%s><running/></%s>", parameter,
				   parameter, parameter);
		set_info(err, holder ? "running" : parameter, "");
		return result;
	}
	return refuse_configuration(which, err);
}

int rpc_check_running(const struct node *operation, const char *parameter, struct error *err)
{
	return error_in_operation(err, check_running(operation, parameter, err));
}

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
	};
}

void rpc_done(int result, const struct error *err, void *arg)
{
	struct netconf_session *session = arg;

	session->ticket = 0;
	if (session->presence)
		evtimer_del(session->presence);
	if (result)
		reply_error(session, err);
	else
		reply_ok(session);
	session_done(session);
}
