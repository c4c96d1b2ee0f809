/* The turn of the loop: a slice of the first duty that is due. Called only by engine.c. */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "engine/context.h"

/* Run the first duty that is due; false: none is. */
bool turn_once(struct engine *engine);
/* The kernel has events: read them, now or together with those that follow. */
void turn_hear(struct engine *engine);
/* Maintain the journal now: one of its files may have been removed. */
void turn_keep_journal(struct engine *engine);
/* Schedule the next turn for when something is due. */
void turn_arm(struct engine *engine);

#endif
