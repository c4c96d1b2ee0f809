/* Counters from a dump that runs just ahead of a reader in order. For counters.c. */
#ifndef ENGINE_SWEEP_H
#define ENGINE_SWEEP_H

#include "engine/counters.h"

/* Refresh this one if such a dump is cheaper; false: use a GET. */
bool sweep_reaches(struct engine *engine, const struct session_entry *session, int64_t age,
		   int64_t now);
/* End a dump that nobody has followed for a while. */
void sweep_expire(struct engine *engine, int64_t now);

#endif
