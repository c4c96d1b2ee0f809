/* Interfaces of sessions, for job.c and create.c; see batch.h. */
#ifndef ENGINE_INTERFACE_H
#define ENGINE_INTERFACE_H

#include "engine/batch.h"

/*
 * Set up the interfaces of sessions in the batch that were just created, or whose interfaces must
 * change. Reads events of links before and after.
 */
enum verdict interface_set(struct engine *engine, struct job *job);

#endif
