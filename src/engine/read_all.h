/* The whole kernel read by dumps, at the start and when events were lost. As observe.h. */
#ifndef ENGINE_READ_ALL_H
#define ENGINE_READ_ALL_H

#include "base/cursor.h"
#include "engine/context.h"

/*
 * What a dump does not show, and we knew, is to be looked at; what is configured
 * and not there, to be repaired. An error when the kernel could not be read;
 * whatever it showed before that is taken in. In slices. Until the links are read no events are
 * heard: what they tell may be newer than what the dump shows. NULL: no memory.
 */
struct cursor *read_all_begin(struct engine *engine, struct error *err);

#endif
