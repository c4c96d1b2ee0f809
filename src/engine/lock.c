#include "engine/lock.h"

#include <errno.h>

int engine_may_lock(const struct engine *engine, struct error *err)
{
	if (!engine->lock)
		return 0;
	error_set(err, ERROR_LOCK_DENIED, "session %u holds the lock", engine->lock);
	if (err)
		err->session = engine->lock;
	return -EBUSY;
}

int engine_unlock(struct engine *engine, unsigned int session, struct error *err)
{
	if (engine->lock != session || session == 0)
		return error_set(err, ERROR_NOT_LOCKED, "this session does not hold the lock");
	engine->lock = 0;
	return 0;
}

int engine_check_lock(const struct engine *engine, unsigned int session, struct error *err)
{
	if (engine->lock == 0 || engine->lock == session)
		return 0;
	return error_set(err, ERROR_LOCKED,
			 "the configuration is locked by NETCONF session %u; wait for it, or end "
			 "it with kill-session (l2tpv3ctl kill)",
			 engine->lock);
}

void lock_take(struct engine *engine, struct request *request)
{
	struct error err = ERROR_INIT;
	int rc = engine_may_lock(engine, &err);

	if (request->done) { /* not for one who is gone */
		if (rc == 0)
			engine->lock = request->session;
		request->done(rc, &err, request->arg);
	}
	request_free(request);
}
