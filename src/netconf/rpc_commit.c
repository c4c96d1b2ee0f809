/* commit, discard-changes and validate (RFC 6241 sections 8.3 and 8.6). */
#include "netconf/rpc.h"

int rpc_commit(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine_who who = rpc_who(session);

	(void)operation;
	return rpc_await(
		session,
		engine_commit_staged(session->server->options.engine, &who, rpc_done, session),
		err);
}

int rpc_discard_changes(struct netconf_session *session, const struct node *operation,
			struct error *err)
{
	struct engine_who who = rpc_who(session);

	(void)operation;
	return rpc_await(session,
			 engine_discard(session->server->options.engine, &who, rpc_done, session),
			 err);
}

/* Running is valid: nothing else is let in. */
int rpc_validate(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine_who who = rpc_who(session);
	enum engine_datastore source;
	struct edit *edit = NULL;
	int result = rpc_datastore(operation, "source", true, &source, err);

	if (!result && source == ENGINE_DATASTORES)
		result = message_take_edit(session->message, &edit, err);
	if (result)
		return result;
	if (source == ENGINE_RUNNING)
		return RPC_OK;
	return rpc_await(session,
			 engine_test(session->server->options.engine,
				     edit ? ENGINE_RUNNING : ENGINE_CANDIDATE, edit, &who, rpc_done,
				     session),
			 err);
}
