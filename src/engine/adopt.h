/* Takes over what others made. May call compare and the context; called by changes.c. */
#ifndef ENGINE_ADOPT_H
#define ENGINE_ADOPT_H

#include "engine/context.h"

/*
 * Add to @changes the configuration of a tunnel and its sessions as the kernel has them. A tunnel
 * that @policy hides is not there. @tunnel_id 0: of all that others made; what cannot be configured
 * is left out. NULL: no memory.
 */
struct policy;
struct cursor *adopt_begin(struct engine *engine, uint32_t tunnel_id, const struct policy *policy,
			   struct candidate *changes, struct error *err);

#endif
