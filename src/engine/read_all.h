/* The whole kernel read by dumps, at the start and when events were lost. As observe.h. */
#ifndef ENGINE_READ_ALL_H
#define ENGINE_READ_ALL_H

#include "engine/context.h"

/*
 * What a dump does not show, and we knew, is to be looked at; what is configured
 * and not there, to be repaired. -errno with @err when the kernel could not be
 * read; whatever it showed before that is taken in.
 */
int read_all(struct engine *engine, struct error *err);

#endif
