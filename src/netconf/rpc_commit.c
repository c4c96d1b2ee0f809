/* commit, cancel-commit, discard-changes and validate (RFC 6241 sections 8.3, 8.4 and 8.6). */
#include <errno.h>
#include <inttypes.h>

#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"

#define CONFIRM_TIMEOUT 600 /* seconds */

static int read_timeout(const struct node *operation, uint32_t *ret, struct error *err)
{
	const char *text = node_text(operation, "confirm-timeout", NAMESPACE_BASE);
	unsigned long long seconds;
	char *end;

	*ret = CONFIRM_TIMEOUT;
	if (!text)
		return 0;
	errno = 0;
	seconds = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || seconds < 1 || seconds > UINT32_MAX)
		return rpc_refuse(err, ERROR_INVALID_VALUE, "confirm-timeout",
				  "confirm-timeout is in seconds, 1 to 4294967295");
	*ret = (uint32_t)seconds;
	return 0;
}

/* Ignoring parameters that need <confirmed/> would make a commit final that was not meant to be. */
static int read_confirm(const struct node *operation, struct engine_confirm *ret, struct error *err)
{
	const struct node *confirmed = node_child(operation, "confirmed", NAMESPACE_BASE);

	*ret = (struct engine_confirm){
		.confirmed = confirmed,
		.persist = node_text(operation, "persist", NAMESPACE_BASE),
		.persist_id = node_text(operation, "persist-id", NAMESPACE_BASE),
	};
	if (confirmed && (confirmed->first || confirmed->length))
		return rpc_refuse(err, ERROR_BAD_ELEMENT, "confirmed",
				  "confirmed is empty, as in <confirmed/>");
	if (!confirmed &&
	    (ret->persist || node_child(operation, "confirm-timeout", NAMESPACE_BASE)))
		return rpc_refuse(
			err, ERROR_MISSING_ELEMENT, "confirmed",
			"confirm-timeout and persist belong to a commit that is <confirmed/>");
	return read_timeout(operation, &ret->timeout, err);
}

int rpc_commit(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine_who who = rpc_who(session);
	struct engine_confirm confirm;
	int rc = read_confirm(operation, &confirm, err);

	rc = rc ? rc : rpc_comment(operation, &who, err);
	if (rc)
		return rc;
	return rpc_await(session,
			 engine_commit_staged(session->server->options.engine, &confirm, &who,
					      rpc_done, session),
			 err);
}

int rpc_cancel_commit(struct netconf_session *session, const struct node *operation,
		      struct error *err)
{
	struct engine_who who = rpc_who(session);

	return rpc_await(session,
			 engine_cancel(session->server->options.engine,
				       node_text(operation, "persist-id", NAMESPACE_BASE), &who,
				       rpc_done, session),
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

/* Running is always valid: nothing invalid is let in. */
int rpc_validate(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct engine_who who = rpc_who(session);
	enum engine_datastore source;
	struct edit *edit = NULL;
	int rc = rpc_datastore(operation, "source", true, &source, err);

	if (!rc && source == ENGINE_DATASTORES)
		rc = message_take_edit(session->message, false, &edit, err);
	if (rc)
		return rc;
	if (source == ENGINE_RUNNING)
		return RPC_OK;
	return rpc_await(
		session,
		edit ? engine_validate(engine, edit, &who, rpc_done, session)
		     : engine_test(engine, ENGINE_CANDIDATE, NULL, &who, rpc_done, session),
		err);
}
