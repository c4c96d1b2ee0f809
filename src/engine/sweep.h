/* Counters by a dump that runs just ahead of who reads sessions in order. For counters.c. */
#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include "engine/counters.h"

/* Make this one fresh if such a dump is the cheaper way; false: ask for it by GET. */
bool sweep_reaches(struct engine *engine, const struct session_entry *session, int64_t age,
		   int64_t now);
/* Leave a dump that nobody followed for a while. */
void sweep_expire(struct engine *engine, int64_t now);

#endif
