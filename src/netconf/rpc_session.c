/* Locks and sessions (RFC 6241 sections 7.5 to 7.9). */
#include <errno.h>
#include <syslog.h>

#include "netconf/rpc_engine.h"
#include "netconf/rpc_table.h"

static struct netconf_session *find_session(const struct netconf_server *server, unsigned int id)
{
	struct netconf_session *session;

	TAILQ_FOREACH (session, &server->sessions, link)
		if (session->id == id)
			break;
	return session;
}

/* "session 5 of alice has the lock since 10:02:11Z" */
static void name_holder(const struct netconf_server *server, enum engine_datastore which,
			struct error *err)
{
	const struct netconf_session *holder = find_session(server, err->session);
	const struct engine_lock *lock = engine_lock_of(server->options.engine, which);
	char since[16] = "";
	struct tm tm;

	if (!holder || !lock || lock->session != holder->id)
		return;
	gmtime_r(&lock->since.tv_sec, &tm);
	strftime(since, sizeof(since), "%H:%M:%SZ", &tm);
	snprintf(err->text, sizeof(err->text),
		 "session %u of %s has held the lock since %s; wait, or end it with kill-session",
		 holder->id, holder->peer.user, since);
}

static int refuse_lock(const struct netconf_session *session, int rc, enum engine_datastore which,
		       struct error *err)
{
	if (err->code == ERROR_LOCK_DENIED)
		name_holder(session->server, which, err);
	return rc;
}

/* Of a request that was taken: it names one. */
static enum engine_datastore target_of(const struct netconf_session *session)
{
	enum engine_datastore which = ENGINE_RUNNING;

	(void)rpc_datastore(message_operation(session->message), "target", false, &which, NULL);
	return which;
}

static void lock_done(int rc, const struct error *err, void *arg)
{
	struct netconf_session *session = arg;
	struct error told = *err;

	rpc_done(refuse_lock(session, rc, target_of(session), &told), &told, session);
}

int rpc_lock(struct netconf_session *session, const struct node *operation, struct error *err)
{
	struct engine *engine = session->server->options.engine;
	struct engine_who who = rpc_who(session);
	enum engine_datastore which;
	int rc = rpc_datastore(operation, "target", false, &which, err);

	if (rc)
		return rc;
	rc = engine_may_lock(engine, which, session->id, err);
	if (rc)
		return refuse_lock(session, rc, which, err);
	return rpc_await(session, engine_lock(engine, which, &who, lock_done, session), err);
}

/* The session does not hold the lock (RFC 6241 section 7.6): nobody does, or another. */
static int refuse_unlock(struct netconf_session *session, enum engine_datastore which,
			 struct error *err)
{
	const struct engine_lock *lock = engine_lock_of(session->server->options.engine, which);

	if (lock)
		return error_set(err, ERROR_NOT_LOCKED,
				 "session %u holds the lock, and only it can unlock; end it with "
				 "kill-session if you must",
				 lock->session);
	return error_set(err, ERROR_NOT_LOCKED, "%s is not locked", engine_datastore_name(which));
}

int rpc_unlock(struct netconf_session *session, const struct node *operation, struct error *err)
{
	enum engine_datastore which;
	int rc = rpc_datastore(operation, "target", false, &which, err);

	if (rc)
		return rc;
	if (engine_unlock(session->server->options.engine, which, session->id, err))
		return refuse_unlock(session, which, err);
	return RPC_OK;
}

int rpc_close_session(struct netconf_session *session, const struct node *operation,
		      struct error *err)
{
	(void)operation, (void)err;
	session->finished = true;
	session->ending = "closed";
	return RPC_OK;
}

static int may_end(const struct netconf_session *session, const char *text,
		   struct netconf_session **ret_victim, struct error *err)
{
	struct netconf_session *victim = NULL;
	char *end;
	unsigned long id = strtoul(text, &end, 10);

	if (end != text && !*end && id <= UINT32_MAX)
		victim = find_session(session->server, (unsigned int)id);
	if (victim == session)
		return error_set(err, ERROR_INVALID_VALUE,
				 "this is your own session; end it with close-session");
	if (!victim)
		return error_set(err, ERROR_INVALID_VALUE, "there is no session %.20s", text);
	/* by default one's own, although the operation is denied by default (RFC 8341) */
	if (!access_rpc_is_ruled(session, session->message->rpc) &&
	    session->peer.uid != victim->peer.uid)
		return error_set(err, ERROR_DENIED,
				 "session %u belongs to %s; you may end only your own sessions",
				 victim->id, victim->peer.user);
	*ret_victim = victim;
	return 0;
}

int rpc_kill_session(struct netconf_session *session, const struct node *operation,
		     struct error *err)
{
	const char *text = node_text(operation, "session-id", NAMESPACE_BASE);
	struct engine *engine = session->server->options.engine;
	struct engine_who who = rpc_who(session);
	struct netconf_session *victim = NULL;
	bool undoes;
	int rc;

	if (!text)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "session-id",
				  "kill-session needs a session-id");
	rc = may_end(session, text, &victim, err);
	if (rc)
		return error_in_operation(err, rc);
	server_log(session->server, LOG_NOTICE,
		   "NETCONF session %u of %s killed by session %u of %s", victim->id,
		   victim->peer.user, session->id, session->peer.user);
	victim->finished = true; /* do not count it as dropped */
	victim->ending = "killed";
	victim->killer = session->id;
	undoes = engine_awaits_confirmation(engine, victim->id);
	session_close(victim);
	if (!undoes)
		return RPC_OK;
	/* whoever has killed it may rely on running as it was before (section 7.9) */
	return rpc_await(session, engine_settle_candidate(engine, &who, rpc_done, session), err);
}
