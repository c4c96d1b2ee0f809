/*
 * Takes what the kernel reports into datastore and links: events, entries that are looked at, and
 * everything (read_all.c). Puts what must follow on the agenda; changes nothing in the kernel. May
 * call status, compare and the context; called by the turn, read_all, removal and interface.
 */
#ifndef ENGINE_OBSERVE_H
#define ENGINE_OBSERVE_H

#include "engine/context.h"

/* Process all events that have arrived. */
void observe_drain(struct engine *engine);
/* Ask the kernel about some of the entries to look at. */
void observe_some(struct engine *engine);
/*
 * Take in an object that the kernel reported; @statistics may be NULL. Returns the entry, or NULL.
 */
struct entry *observe_found(struct engine *engine, const struct key *key, const void *found,
			    const struct statistics *statistics);
void observe_link_gone(struct engine *engine, unsigned int index);
/* Addresses or routes changed: look at some more tunnels, from agenda.recheck_from on. */
void observe_recheck(struct engine *engine);
/*
 * Check some of what waits: what is still missing something keeps waiting, at the cost of a look at
 * its surroundings; the rest goes to repair.
 */
void observe_waiting(struct engine *engine);

/* Hold the sessions that the last daemon deleted and whose interfaces are still there. */
void observe_lingering(struct engine *engine);

#endif
