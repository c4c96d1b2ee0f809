/*
 * What the kernel says, into datastore and links: events, entries that are
 * looked at, and everything (read_all.c). What has to follow goes on the agenda;
 * nothing is changed in the kernel. May call status, compare and the context.
 */
#ifndef ENGINE_OBSERVE_H
#define ENGINE_OBSERVE_H

#include "engine/context.h"

/* Take in the events that are there. */
void observe_drain(struct engine *engine);
/* Ask the kernel about some of those that are to be looked at. */
void observe_some(struct engine *engine);
/* An object as the kernel reported it; @statistics may be NULL. The entry, or NULL. */
struct entry *observe_found(struct engine *engine, const struct key *key, const void *found,
			    const struct statistics *statistics);
void observe_link_gone(struct engine *engine, unsigned int index);
/* Addresses or routes changed: look at some more tunnels; agenda.recheck_from is the cursor. */
void observe_recheck(struct engine *engine);
/*
 * Of what waits, some: is what it waited for still missing? Then it goes on
 * waiting, which costs a look at its surroundings. Else it is to be repaired.
 */
void observe_waiting(struct engine *engine);

/* Hold the sessions that the last daemon deleted and whose interfaces are still there. */
void observe_lingering(struct engine *engine);

#endif
