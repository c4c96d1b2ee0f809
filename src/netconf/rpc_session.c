/* Locks and sessions (RFC 6241 sections 7.5 to 7.9). */
#include <errno.h>
#include <syslog.h>

#include "netconf/rpc.h"

int rpc_lock(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct engine_who who = rpc_who(session);
	int result = rpc_check_running(operation, "target", err);

	result = result ? result : engine_may_lock(engine, err);
	if (result)
		return result;
	return rpc_await(session, engine_lock(engine, &who, rpc_done, session), err);
}

int rpc_unlock(struct netconf_session *session, const struct node *operation, struct error *err)
{
	int result = rpc_check_running(operation, "target", err);

	return result ? result : engine_unlock(session->server->options.engine, session->id, err);
}

int rpc_close_session(struct netconf_session *session, const struct node *operation,
		      struct error *err)
{
	(void)operation, (void)err;
	session->finished = true;
	return RPC_OK;
}

static struct netconf_session *find_session(const struct netconf_server *server, const char *text)
{
	struct netconf_session *session;
	char *end;
	unsigned long id = strtoul(text, &end, 10);

	if (end == text || *end)
		return NULL;
	TAILQ_FOREACH (session, &server->sessions, link)
		if (session->id == id)
			return session;
	return NULL;
}

/* RFC 8341 section 3.2.2 denies it to all but whom a rule names; until there are rules: oneself. */
static bool may_kill(const struct netconf_session *session, const struct netconf_session *victim)
{
	return netconf_may_see_secrets(session) || session->uid == victim->uid;
}

int rpc_kill_session(struct netconf_session *session, const struct node *operation,
		     struct error *err)
{
	const char *text = node_text(operation, "session-id", NAMESPACE_BASE);
	struct netconf_session *victim;

	if (!text) {
		error_set(err, ERROR_MISSING_ELEMENT, "kill-session needs a session-id");
		snprintf(err->info, sizeof(err->info), "session-id");
		return -EINVAL;
	}
	victim = find_session(session->server, text);
	if (victim == session)
		return error_set(err, ERROR_INVALID_VALUE,
				 "this is your own session; end it with close-session");
	if (!victim)
		return error_set(err, ERROR_INVALID_VALUE, "there is no such session");
	if (!may_kill(session, victim))
		return error_set(err, ERROR_DENIED, "session %u is not yours", victim->id);
	server_log(session->server, LOG_NOTICE,
		   "NETCONF session %u of %s killed by session %u of %s", victim->id, victim->user,
		   session->id, session->user);
	session_close(victim);
	return RPC_OK;
}
