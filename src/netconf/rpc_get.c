/* get and get-config (RFC 6241 sections 7.1 and 7.7). */
#include "netconf/provider.h"
#include "netconf/reply.h"
#include "netconf/rpc.h"
#include "netconf/walk.h"

/* A reply under way: entries, then for a get what the providers have. */
struct get {
	struct walk *walk;
	const struct node *filter; /* in the request */
	bool config;
};

static bool step(struct netconf_session *session, void *state)
{
	struct get *get = state;

	if (walk_broken(get->walk)) {
		session->dead = true; /* half of a reply is none */
		return false;
	}
	if (walk_step(get->walk, &session->writer))
		return true;
	if (!get->config && provider_write(session, get->filter))
		session->dead = true; /* half of a reply is none */
	reply_close(session, "data");
	return false;
}

static void free_get(void *state)
{
	struct get *get = state;

	walk_close(get->walk);
	free(get);
}

static int show(struct netconf_session *session, const struct node *operation, bool config,
		struct error *err)
{
	struct engine *engine = session->server->options.engine;
	const struct node *filter = node_child(operation, "filter", NAMESPACE_BASE);
	const struct walk_options options = {
		.engine = engine,
		.store = engine_store(engine),
		.filter = filter,
		.config = config,
		.lines = session->lines,
		.secrets = netconf_may_see_secrets(session),
	};
	struct stream stream = {step, free_get, NULL};
	struct get *get;
	struct walk *walk;
	int result = provider_check(filter, err);

	result = result ? result : walk_open(&walk, &options, err);
	if (result) /* of the filter */
		return error_in_operation(err, result);
	get = malloc(sizeof(*get));
	if (!get) {
		walk_close(walk);
		return error_set(err, ERROR_RESOURCE, "out of memory");
	}
	*get = (struct get){walk, filter, config};
	stream.state = get;
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
