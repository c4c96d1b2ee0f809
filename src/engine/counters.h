/*
 * Counters that are fresh when a door asks for them (engine_refresh()), reading
 * ahead when entries are read in order; and a look at those nobody asks for,
 * because the status follows from them. counters.c and sweep.c call each other:
 * the one ring there is, of one thing in two files. They may call status and the
 * context.
 */
#ifndef ENGINE_COUNTERS_H
#define ENGINE_COUNTERS_H

#include "engine/context.h"

/* A dump of all sessions' counters, under way (sweep.c). */
struct sweep {
	bool running;
	bool tried;                     /* in this reading in order */
	bool useless;                   /* this kernel's dumps are in no order */
	struct key last;                /* that the dump gave */
	const struct session_entry *at; /* the same, in a step; NULL: there is none */
	int64_t read_at;                /* when the kernel read what the step under way gives */
	int64_t next_read_at;
};

struct reading {
	struct key next; /* where a reader in order goes on */
	size_t ahead;    /* how many are read at once */
	struct sweep sweep;
	struct key look_from;   /* counters_look(): where it goes on */
	int64_t look_at;        /* ... and when */
	int64_t look_at_all_at; /* at those, too, that nothing is known against */
	int64_t looked_at;      /* began the last pass */
	bool all, close;        /* this pass: looks at all; met some to be looked at closely */
};

bool counters_open(struct engine *engine); /* false: no memory */
void counters_close(struct engine *engine);

/*
 * See what the counters tell of the status where nobody polls: once a second for
 * sessions with a dead-interval and what fails already. Errors begin to grow
 * after something changed, or for nothing that is to be seen: the rest is looked
 * at a second after the last change, and ever more rarely then, as long as it is
 * ago, to half a minute. A slice of it.
 */
void counters_look(struct engine *engine);
int64_t counters_due(const struct engine *engine);

/* ---- for sweep.c */

bool counters_fresh(const struct entry *entry, int64_t age, int64_t now);
/* Where a reader in order goes on, from @session (or NULL) on: at the next with counters. */
void counters_expect(struct engine *engine, struct session_entry *session);
/* The next session in the order of the tables, into the next tunnel too, or NULL. */
struct session_entry *counters_following(const struct session_entry *session);

#endif
