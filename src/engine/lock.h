/*
 * Locks of the configuration datastores (RFC 6241 section 7.5). engine.h has the calls; only
 * the turn takes one, when a request for it has its turn. May call the context and staging.
 */
#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "engine/requests.h"

/* Takes @request over: answers it. */
void lock_take(struct engine *engine, struct request *request);

#endif
