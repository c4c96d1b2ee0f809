/*
 * Writes the outcome of a job into the datastore: what was created is there; what could not be
 * created waits or has failed. May call plan, status and what they may; called by
 * the transaction and removal.
 */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/plan.h"

/*
 * Write the outcome of a completed job; if it succeeded, @job->to must be published. Then do the
 * same for those of @rest without an item, for which there was nothing to do. @names: the commit
 * only gave them names, so they may still have to be created. NULL: no memory; then all is done
 * already.
 */
struct cursor *outcome_begin(struct engine *engine, const struct job *job, struct targets rest,
			     bool names);
/* The same for an entry for which nothing was done, or whose removal is complete. */
void outcome_of_entry(struct engine *engine, struct entry *entry);

#endif
