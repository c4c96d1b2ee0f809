#include "netconf/rpc.h"

#include <poll.h>

#include "netconf/reply.h"

/* clang-format off */
static const struct rpc rpcs[] = {
	{ "get", NAMESPACE_BASE, { "filter" }, .run = rpc_get },
	{ "get-config", NAMESPACE_BASE, { "source", "filter" }, .run = rpc_get_config },
	{ "edit-config", NAMESPACE_BASE,
	  { "target", "default-operation", "test-option", "error-option", "config" },
	  .streamed = "config", .run = rpc_edit_config, .begin = rpc_edit_config_begin },
	{ "copy-config", NAMESPACE_BASE, { "target", "source" },
	  .streamed = "config", .streamed_in = "source",
	  .run = rpc_copy_config, .begin = rpc_replace_begin },
	{ "delete-config", NAMESPACE_BASE, { "target" }, .run = rpc_delete_config },
	{ "validate", NAMESPACE_BASE, { "source" },
	  .streamed = "config", .streamed_in = "source",
	  .run = rpc_validate, .begin = rpc_replace_begin },
	{ "commit", NAMESPACE_BASE, { "confirmed", "confirm-timeout", "persist", "persist-id" },
	  .run = rpc_commit },
	{ "cancel-commit", NAMESPACE_BASE, { "persist-id" }, .run = rpc_cancel_commit },
	{ "discard-changes", NAMESPACE_BASE, { NULL }, .run = rpc_discard_changes },
	{ "lock", NAMESPACE_BASE, { "target" }, .run = rpc_lock },
	{ "unlock", NAMESPACE_BASE, { "target" }, .run = rpc_unlock },
	{ "close-session", NAMESPACE_BASE, { NULL }, .run = rpc_close_session },
	{ "kill-session", NAMESPACE_BASE, { "session-id" }, .run = rpc_kill_session },
	{ "adopt", NAMESPACE_MODULE, { "tunnel-id" }, .run = rpc_adopt },
	{ "resync", NAMESPACE_MODULE, { NULL }, .run = rpc_resync },
	{ "history", NAMESPACE_MODULE, { NULL }, .run = rpc_history },
	{ "commit-changes", NAMESPACE_MODULE, { "number" }, .run = rpc_commit_changes },
	{ "rollback", NAMESPACE_MODULE, { "number" }, .run = rpc_rollback },
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
	static const char *const known[] = {"startup", "url", "config"};
	int result = 0;

	if (strcmp(which->uri, NAMESPACE_BASE) != 0)
		result = error_set(err, ERROR_UNKNOWN_NAMESPACE,
				   "<%.60s> is in no namespace that is known here; running is in "
				   "%s",
				   which->name, NAMESPACE_BASE);
	for (unsigned int i = 0; !result && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(which->name, known[i]))
			result = error_set(err, ERROR_UNSUPPORTED,
					   "the configurations here are running and candidate, "
					   "not %s",
					   known[i]);
	if (!result)
		result = error_set(err, ERROR_UNKNOWN_ELEMENT,
				   "%.60s names no configuration; there are running and candidate",
				   which->name);
	set_info(err, which->name, which->uri);
	return result;
}

static int refuse_content(const struct node *which, struct error *err)
{
	int result = error_set(err, ERROR_BAD_ELEMENT, "%s is empty, as in <%s/>", which->name,
			       which->name);

	set_info(err, which->name, "");
	return result;
}

static int read_datastore(const struct node *operation, const char *parameter, bool inline_too,
			  enum engine_datastore *ret, struct error *err)
{
	const struct node *holder = node_child(operation, parameter, NAMESPACE_BASE);
	const struct node *which = holder ? holder->first : NULL;
	int result;

	if (!which) {
		result = error_set(err, ERROR_MISSING_ELEMENT,
				   "%s is required, as in <%s><running/></%s>", parameter,
				   parameter, parameter);
		set_info(err, holder ? "running" : parameter, "");
		return result;
	}
	if (which->next) {
		result = error_set(err, ERROR_BAD_ELEMENT, "%s holds one configuration", parameter);
		set_info(err, which->next->name, "");
		return result;
	}
	for (*ret = 0; *ret < ENGINE_DATASTORES; ++*ret)
		if (node_is(which, engine_datastore_name(*ret), NAMESPACE_BASE))
			return which->first || which->length ? refuse_content(which, err) : 0;
	return inline_too && node_is(which, "config", NAMESPACE_BASE)
		       ? 0
		       : refuse_configuration(which, err);
}

int rpc_datastore(const struct node *operation, const char *parameter, bool inline_too,
		  enum engine_datastore *ret, struct error *err)
{
	return error_in_operation(err, read_datastore(operation, parameter, inline_too, ret, err));
}

static void watch_presence(struct netconf_session *session)
{
	const struct timeval soon = {.tv_usec = 50000};

	if (session->presence)
		evtimer_add(session->presence, &soon);
}

/*
 * Who closed its half waits for the answer; who closed both, or was killed, does not,
 * and what it asked for is aborted. Nothing is read meanwhile, so that one has to look.
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
		.no_secrets = !netconf_may_see_secrets(session),
	};
}

void rpc_answered(struct netconf_session *session)
{
	session->ticket = 0;
	if (session->presence)
		evtimer_del(session->presence);
}

void rpc_done(int result, const struct error *err, void *arg)
{
	struct netconf_session *session = arg;

	rpc_answered(session);
	if (result)
		reply_error(session, err);
	else
		reply_ok(session);
	session_done(session);
}
