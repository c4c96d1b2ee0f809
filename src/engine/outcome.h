/*
 * The outcome of a job, written into the datastore: what was created is there,
 * what could not be waits, or failed. May call plan, status and what they may.
 */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include "engine/plan.h"

/* The job is done and @job->to is published. */
void outcome_of_job(struct engine *engine, const struct job *job);
/* Those of @keys that the job has no item for, because nothing was to be done. */
void outcome_of_rest(struct engine *engine, const struct job *job, const struct keys *keys);
/* One for which nothing was done, or whose removal is over. */
void outcome_of_entry(struct engine *engine, struct entry *entry);

#endif
