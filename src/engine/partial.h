/*
 * Partial locks (RFC 5717): parts of running that only one session may change. engine.h has the
 * calls. May call the context, and is called by lock and changes.
 */
#ifndef ENGINE_PARTIAL_H
#define ENGINE_PARTIAL_H

#include "engine/requests.h"

/*
 * May the request's session have the lock? If so, @request->partial, reduced to what exists, is
 * among the locks. ERROR_LOCK_DENIED, ERROR_LOCKED, ERROR_INVALID_VALUE.
 */
int partial_take(struct engine *engine, struct request *request, struct error *err);
/* Release all of that session. */
void partial_end_session(struct engine *engine, unsigned int session);
void partial_close(struct engine *engine); /* all */

/* The first that is not of that session; NULL: none. */
const struct engine_partial *partial_of_others(const struct engine *engine, unsigned int session);
/* Is the change in a part that another session than @session has locked? ERROR_LOCKED. */
int partial_check(const struct engine *engine, unsigned int session, const struct change *change,
		  struct error *err);

#endif
