/* get and get-config (RFC 6241 sections 7.1 and 7.7). */
#include "netconf/reply.h"
#include "netconf/rpc.h"
#include "netconf/walk.h"

static bool step(struct netconf_session *session, void *state)
{
	if (walk_step(state, &session->writer))
		return true;
	reply_close(session, "data");
	return false;
}

static void free_walk(void *state)
{
	walk_close(state);
}

static int preserve(void *state, const struct change *change)
{
	return walk_preserve(state, change);
}

static int show(struct netconf_session *session, const struct node *operation, bool config,
		struct error *err)
{
	struct engine *engine = session->server->options.engine;
	const struct walk_options options = {
		.engine = engine,
		.store = engine_store(engine),
		.filter = node_child(operation, "filter", NAMESPACE_BASE),
		.config = config,
		.lines = session->lines,
		.secrets = netconf_may_see_secrets(session),
	};
	struct stream stream = {step, free_walk, preserve, NULL};
	struct walk *walk;
	int result = walk_open(&walk, &options, err);

	if (result)
		return result;
	stream.state = walk;
	reply_begin(session);
	reply_open(session, "data");
	session_stream(session, &stream);
	return RPC_LATER;
}

int rpc_get(struct netconf_session *session, const struct node *operation, struct error *err)
{
	return show(session, operation, false, err);
}

int rpc_get_config(struct netconf_session *session, const struct node *operation, struct error *err)
{
	int result = rpc_check_running(operation, "source", err);

	return result ? result : show(session, operation, true, err);
}
