/*
 * Keeps counters fresh when a door asks for them (engine_refresh()), and reads ahead when entries
 * are read in order; also looks at counters that nobody asks for, because the status depends on
 * them. May call status and the context; called by the turn, and for doors.
 */
#ifndef ENGINE_COUNTERS_H
#define ENGINE_COUNTERS_H

#include "engine/context.h"

/* A dump of all sessions' counters, under way. */
struct sweep {
	bool running;
	bool tried;                     /* since the last jump */
	bool useless;                   /* this kernel's dumps are unordered */
	struct key last;                /* the last key of the dump */
	const struct session_entry *at; /* its entry, valid within a step; NULL: none */
	int64_t read_at;                /* when the kernel read what the current step gives */
	int64_t next_read_at;
};

struct reading {
	struct key next; /* what a reader in order asks for next */
	size_t ahead;    /* how many to read at once */
	struct sweep sweep;
	struct key look_from;   /* counters_look(): where it continues */
	int64_t look_at;        /* ... and when */
	int64_t look_at_all_at; /* when to look at all tunnels, even those without problems; NEVER
				 */
	int64_t asked_at;       /* when a door last asked for status or counters */
	bool all, close;        /* this pass: looks at all; has met some to look at every second */
};

bool counters_open(struct engine *engine); /* false: no memory */
void counters_close(struct engine *engine);

/*
 * Update the status from the counters: every second for sessions with a dead-interval and for what
 * already fails. Errors mostly begin after something changed: so look at the rest a second after
 * the last change, then after ever longer intervals, as long as the time since the change, for a
 * minute. They may also begin without a visible cause: so look every half minute while doors ask
 * for status or counters, and for a minute after. While nobody asks this costs nothing. Does a
 * slice.
 */
void counters_look(struct engine *engine);
int64_t counters_due(const struct engine *engine);
/* A door asks for what depends on counters. */
void counters_wanted(struct engine *engine, int64_t now);

#endif
