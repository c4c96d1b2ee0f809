/* Sessions' interfaces, for job.c and create.c; see carry.h. */
#ifndef ENGINE_INTERFACE_H
#define ENGINE_INTERFACE_H

#include "engine/carry.h"

/*
 * Set up the interfaces of the sessions in the batch that were just created, or
 * are to have theirs changed. Takes in the events of links, before and after.
 */
enum outcome interface_set(struct engine *engine, struct job *job);

#endif
