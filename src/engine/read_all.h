/*
 * Reads the whole kernel with dumps, at the start and when events were lost; see observe.h. Called
 * by the transaction and engine.c.
 */
#ifndef ENGINE_READ_ALL_H
#define ENGINE_READ_ALL_H

#include "base/cursor.h"
#include "engine/context.h"

/*
 * Queues known entries that a dump does not show for a look, and configured ones that are missing
 * for repair. Returns an error if the kernel could not be read; what was read before that counts.
 * Works in slices. Leaves events unread until all links are read, for they may be newer than the
 * dump. NULL: no memory.
 */
struct cursor *read_all_begin(struct engine *engine, struct error *err);

#endif
