/*
 * What was deleted, until it is seen to be gone. May call outcome and observe;
 * called by the turn.
 */
#ifndef ENGINE_REMOVAL_H
#define ENGINE_REMOVAL_H

#include "engine/context.h"

/* Ask about the first few on agenda.removing, and let go of those that are gone. True: all were. */
bool removal_poll(struct engine *engine);

#endif
