#include "engine/lock.h"

#include <errno.h>
#include <time.h>

#include "engine/staging.h"

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
	return false;
}

int engine_may_lock(const struct engine *engine, enum engine_datastore which, struct error *err)
{
	const struct engine_lock *lock = engine_lock_of(engine, which);

	if (!lock && (which != ENGINE_CANDIDATE || !staging_dirty(engine)))
		return 0;
	if (!lock) /* not even to who made them: RFC 6241 section 7.5 */
		return error_set(err, ERROR_LOCK_DENIED,
				 "the candidate has changes that are not committed; commit them, "
				 "or discard-changes, first");
	error_set(err, ERROR_LOCK_DENIED, "session %u holds the lock", lock->session);
	if (err)
		err->session = lock->session;
	return -EBUSY;
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

int engine_check_lock(const struct engine *engine, enum engine_datastore which,
		      unsigned int session, struct error *err)
{
	const struct engine_lock *lock = engine_lock_of(engine, which);

	if (!lock || lock->session == session)
		return 0;
	return error_set(err, ERROR_LOCKED,
			 "%s is locked by NETCONF session %u; wait for it, or end it with "
			 "kill-session (l2tpv3ctl kill)",
			 names[which], lock->session);
}

void engine_end_session(struct engine *engine, unsigned int session)
{
	for (unsigned int which = 0; which < ENGINE_DATASTORES; which++)
		(void)engine_unlock(engine, which, session, NULL);
}

void lock_take(struct engine *engine, struct request *request)
{
	struct error err = ERROR_INIT;
	int rc = engine_may_lock(engine, request->which, &err);

	if (request->done) { /* not for one who is gone */
		if (rc == 0) {
			engine->locks[request->which].session = request->session;
			clock_gettime(CLOCK_REALTIME, &engine->locks[request->which].since);
		}
		request->done(rc, &err, request->arg);
	}
	request_free(request);
}
