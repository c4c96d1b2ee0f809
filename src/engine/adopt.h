/* Taking over what others made. May call compare and the context; called by changes.c. */
#ifndef ENGINE_ADOPT_H
#define ENGINE_ADOPT_H

#include "engine/context.h"

/*
 * Configure a tunnel of the kernel with its sessions, as they are there, into
 * @changes. NULL: no memory.
 */
struct cursor *adopt_begin(struct engine *engine, uint32_t tunnel_id, struct candidate *changes,
			   struct error *err);

#endif
