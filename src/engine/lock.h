/* The lock of running (engine.h has the rest). May call requests; lock_take() is the turn's. */
#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "engine/requests.h"

/* In its turn, so that nothing begun before is published under the lock. Frees @request. */
void lock_take(struct engine *engine, struct request *request);

#endif
