/*
 * Locks of the configuration datastores (RFC 6241 section 7.5). engine.h has the calls; only
 * the turn takes one, when the turn of its request comes. May call the context, partial,
 * staging and tentative.
 */
#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "engine/requests.h"

/* engine_check_lock() without regard to a tentative commit. */
int lock_check(const struct engine *engine, enum engine_datastore which, unsigned int session,
	       struct error *err);
/* Take the lock and reply. Takes ownership of @request. */
void lock_take(struct engine *engine, struct request *request);

#endif
