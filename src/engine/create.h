/* One batch of creating, for job.c; see carry.h. */
#ifndef ENGINE_CREATE_H
#define ENGINE_CREATE_H

#include "engine/carry.h"

enum outcome create_tunnels(struct engine *engine, struct job *job);
enum outcome create_sessions(struct engine *engine, struct job *job);

#endif
