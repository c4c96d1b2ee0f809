/* Sessions' interfaces, for job.c and create.c; see batch.h. */
#ifndef ENGINE_INTERFACE_H
#define ENGINE_INTERFACE_H

#include "engine/batch.h"

/*
 * Set up the interfaces of the sessions in the batch that were just created, or
 * are to have theirs changed. Takes in the events of links, before and after.
 */
enum verdict interface_set(struct engine *engine, struct job *job);

#endif
