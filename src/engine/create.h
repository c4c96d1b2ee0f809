/* Create one batch, for job.c; see batch.h. */
#ifndef ENGINE_CREATE_H
#define ENGINE_CREATE_H

#include "engine/batch.h"

enum verdict create_tunnels(struct engine *engine, struct job *job);
enum verdict create_sessions(struct engine *engine, struct job *job);

#endif
