/*
 * Locks of the configuration datastores (RFC 6241 section 7.5). engine.h has the calls; only
 * the turn takes one, when a request for it has its turn. May call the context, staging and
 * tentative.
 */
#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "engine/requests.h"

/* engine_check_lock() without a look at whether a confirmed commit is pending. */
int lock_check(const struct engine *engine, enum engine_datastore which, unsigned int session,
	       struct error *err);
/* Takes @request over: answers it. */
void lock_take(struct engine *engine, struct request *request);

#endif
