/* Carries out a job (plan.h). Called by the transaction that owns it. */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include "engine/plan.h"

/* Do a slice. The job may end in an error: job->error. */
enum progress job_slice(struct engine *engine, struct job *job);

#endif
