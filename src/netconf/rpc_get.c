/* get and get-config (RFC 6241 sections 7.1 and 7.7). */
#include <errno.h>

#include "netconf/provider.h"
#include "netconf/reply.h"
#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"
#include "netconf/walk.h"

/*
 * A reply under way: compile the filter, write the entries, then for a get what the providers
 * have.
 */
struct get {
	struct walk *walk;
	const struct node *filter; /* borrowed from the message */
	const struct acm *acm;     /* shared: as it was when it was asked for */
	enum defaults defaults;
	bool config;
	bool begun; /* the filter is good and the reply has begun */
};

static enum stream_step prepare(struct netconf_session *session, struct get *get)
{
	struct error err = ERROR_INIT;
	int rc = walk_prepare(get->walk, &err);

	if (rc >= 0 && message_hold(session->message, walk_memory(get->walk), &err))
		rc = -ENOMEM;
	if (error_in_operation(&err, rc) < 0) {
		reply_error(session, &err);
		return STREAM_ANSWERED;
	}
	if (!rc) {
		reply_begin(session);
		reply_open(session, "data");
		get->begun = true;
	}
	return STREAM_GOES_ON;
}

static enum stream_step step(struct netconf_session *session, void *state)
{
	struct get *get = state;

	if (!get->begun)
		return prepare(session, get);
	if (walk_broken(get->walk)) {
		session->dead = true; /* half a reply is no reply */
		return STREAM_GOES_ON;
	}
	if (walk_step(get->walk, &session->writer))
		return STREAM_GOES_ON;
	if (provider_write_acm(session, get->filter, get->acm, get->config, get->defaults) ||
	    (!get->config && provider_write(session, get->filter)))
		session->dead = true; /* half a reply is no reply */
	reply_close(session, "data");
	return STREAM_ENDS;
}

static void free_get(void *state)
{
	struct get *get = state;

	walk_close(get->walk);
	acm_drop(get->acm);
	free(get);
}

/* @which: ENGINE_DATASTORES: the state too, of running. */
static int show(struct netconf_session *session, const struct node *operation,
		enum engine_datastore which, struct error *err)
{
	struct engine *engine = session->server->options.engine;
	const struct node *filter = node_child(operation, "filter", NAMESPACE_BASE);
	struct walk_options options = {
		.engine = engine,
		.store = engine_store(engine),
		.filter = filter,
		.config = which != ENGINE_DATASTORES,
		.candidate = which == ENGINE_CANDIDATE,
		.lines = session->lines,
		.policy = access_policy(session),
	};
	struct get *get = calloc(1, sizeof(*get));
	struct stream stream = {step, free_get, get};
	int rc;

	if (!get)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	*get = (struct get){.filter = filter, .config = options.config};
	rc = defaults_read(operation, NAMESPACE_WITH_DEFAULTS, &options.defaults, err);
	rc = rc ? rc : provider_check(filter, err);
	rc = rc ? rc : walk_open(&get->walk, &options, err);
	if (rc) {
		free(get);
		return error_in_operation(err, rc);
	}
	get->defaults = options.defaults;
	get->acm = acm_share(options.candidate ? engine_candidate_acm(engine)
					       : engine_store(engine)->acm);
	session_stream(session, &stream);
	return RPC_LATER;
}

int rpc_get(struct netconf_session *session, const struct node *operation, struct error *err)
{
	return show(session, operation, ENGINE_DATASTORES, err);
}

/* The candidate is settled now. */
static void show_candidate(int rc, const struct error *told, void *arg)
{
	struct netconf_session *session = arg;
	const struct node *operation = message_operation(session->message);
	struct error err = *told;

	rpc_answered(session);
	rc = rc ? rc : show(session, operation, ENGINE_CANDIDATE, &err);
	if (rc != RPC_LATER) {
		reply_error(session, &err);
		session_done(session);
	}
}

int rpc_get_config(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct engine_who who = rpc_who(session);
	enum engine_datastore which;
	int rc = rpc_datastore(operation, "source", false, &which, err);

	if (rc)
		return rc;
	if (which == ENGINE_CANDIDATE && !engine_candidate_settled(engine))
		return rpc_await(session,
				 engine_settle_candidate(engine, &who, show_candidate, session),
				 err);
	return show(session, operation, which, err);
}
