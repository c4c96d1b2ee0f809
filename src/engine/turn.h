/* The turn of the loop: one slice of what is due first. Called by engine.c only. */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "engine/context.h"

/* The first duty that is due; false: none is. */
bool turn_once(struct engine *engine);
/* The kernel has events: read them, now or together with those that follow. */
void turn_hear(struct engine *engine);
/* See to the journal now: one of its files may have been removed. */
void turn_keep_journal(struct engine *engine);
/* Have the turn come when something is due, be it now. */
void turn_arm(struct engine *engine);

#endif
