/* Follows deleted objects until they are gone. May call outcome and observe; called by the turn. */
#ifndef ENGINE_REMOVAL_H
#define ENGINE_REMOVAL_H

#include "engine/context.h"

/* Ask about the first few on agenda.removing, and release those that are gone. True: all were. */
bool removal_poll(struct engine *engine);

#endif
