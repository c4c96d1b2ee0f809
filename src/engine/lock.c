#include "engine/lock.h"

#include <errno.h>
#include <time.h>

#include "engine/partial.h"
#include "engine/staging.h"
#include "engine/tentative.h"

static const char *const names[ENGINE_DATASTORES] = {
	[ENGINE_RUNNING] = "running",
	[ENGINE_CANDIDATE] = "candidate",
};

const char *engine_datastore_name(enum engine_datastore which)
{
	return names[which];
}

const struct engine_lock *engine_lock_of(const struct engine *engine, enum engine_datastore which)
{
	const struct engine_lock *lock = &engine->locks[which];

	return lock->session ? lock : NULL;
}

bool engine_holds_lock(const struct engine *engine, unsigned int session)
{
	for (unsigned int which = 0; which < ENGINE_DATASTORES; which++)
		if (session && engine->locks[which].session == session)
			return true;
	for (const struct engine_partial *at = engine->partials; at && session; at = at->next)
		if (at->session == session)
			return true;
	return false;
}

int engine_may_lock(const struct engine *engine, enum engine_datastore which, unsigned int session,
		    struct error *err)
{
	const struct engine_lock *lock = engine_lock_of(engine, which);
	const struct engine_partial *partial = which == ENGINE_RUNNING ? engine->partials : NULL;
	unsigned int holder = lock ? lock->session : 0;
	int rc = 0;

	if (partial) { /* nor to the session that has it: RFC 5717 section 2.5 */
		holder = partial->session;
		rc = error_set(err, ERROR_LOCK_DENIED,
			       "session %u has locked parts of running; wait until it has unlocked "
			       "them, or end it with kill-session",
			       holder);
	} else if (lock) {
		rc = error_set(err, ERROR_LOCK_DENIED, "session %u holds the lock", holder);
	} else if (which == ENGINE_CANDIDATE && staging_dirty(engine)) {
		/* nor to the session that made them: RFC 6241 section 7.5 */
		rc = error_set(err, ERROR_LOCK_DENIED,
			       "the candidate has changes that are not committed; commit them, or "
			       "discard-changes, first");
	} else if (which == ENGINE_RUNNING && tentative_check_write(engine, session, NULL) < 0) {
		holder = engine->tentative.session;
		rc = error_set(err, ERROR_LOCK_DENIED,
			       "a confirmed commit is pending; wait until it is confirmed or "
			       "cancelled");
	}
	if (rc && err)
		err->session = holder;
	return rc;
}

int engine_unlock(struct engine *engine, enum engine_datastore which, unsigned int session,
		  struct error *err)
{
	struct engine_lock *lock = &engine->locks[which];

	if (lock->session != session || session == 0)
		return error_set(err, ERROR_NOT_LOCKED, "this session does not hold the lock");
	*lock = (struct engine_lock){0};
	if (which == ENGINE_CANDIDATE) /* RFC 6241 section 8.3.5.2 */
		staging_clear(engine);
	return 0;
}

int lock_check(const struct engine *engine, enum engine_datastore which, unsigned int session,
	       struct error *err)
{
	const struct engine_lock *lock = engine_lock_of(engine, which);

	if (!lock || lock->session == session)
		return 0;
	return error_set(err, ERROR_LOCKED,
			 "%s is locked by NETCONF session %u; wait for it, or end it with "
			 "kill-session (l2tpv3ctl kill)",
			 names[which], lock->session);
}

int engine_check_lock(const struct engine *engine, enum engine_datastore which,
		      unsigned int session, struct error *err)
{
	int rc = lock_check(engine, which, session, err);

	if (rc == 0 && which == ENGINE_RUNNING)
		rc = tentative_check_write(engine, session, err);
	return rc;
}

void engine_end_session(struct engine *engine, unsigned int session)
{
	tentative_end_session(engine, session);
	partial_end_session(engine, session);
	for (unsigned int which = 0; which < ENGINE_DATASTORES; which++)
		(void)engine_unlock(engine, which, session, NULL);
}

void lock_take(struct engine *engine, struct request *request)
{
	struct engine_lock *lock = &engine->locks[request->which];
	bool whole = !request->partial;
	struct error err = ERROR_INIT;
	int rc;

	if (request->done) { /* not for a client that is gone */
		rc = whole ? engine_may_lock(engine, request->which, request->session, &err)
			   : partial_take(engine, request, &err);
		if (rc == 0 && whole) {
			lock->session = request->session;
			clock_gettime(CLOCK_REALTIME, &lock->since);
		}
		request->done(rc, &err, request->arg);
	}
	request_free(request);
}
