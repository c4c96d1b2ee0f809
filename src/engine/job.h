/* Carrying out a job (plan.h). Called by the transaction that has it. */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include "engine/plan.h"

/* One slice. Its end may be an error: job->error. */
enum progress job_slice(struct engine *engine, struct job *job);

#endif
