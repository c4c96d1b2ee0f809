/*
 * The outcome of a job, written into the datastore: what was created is there,
 * what could not be waits, or failed. May call plan, status and what they may.
 */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/plan.h"

/*
 * The job is done; if it succeeded, @job->to is published. Then those of @rest that
 * the job has no item for, because nothing was to be done. @names: they were given
 * their names, which is no reason not to create them. NULL: no memory, all is done
 * already.
 */
struct cursor *outcome_begin(struct engine *engine, const struct job *job, struct targets rest,
			     bool names);
/* One for which nothing was done, or whose removal is over. */
void outcome_of_entry(struct engine *engine, struct entry *entry);

#endif
