/*
 * The agenda: which tunnels and sessions are to be looked at, or worked on, and
 * when. A leaf: every file of the engine puts entries on it, and only the turn
 * (turn.c) and those it calls take them off.
 *
 *   look      ask the kernel about it: an event, or a surprise
 *   later     look once more in half a second, for what was deleted may linger
 *   changed   not as configured, perhaps: others changed it; say so, then repair it
 *   repair    plan what it lacks, and do it
 *   wait      cannot be yet; tried ever more rarely, and when the surroundings change
 *   trying    of those the ones that are looked at in this try
 *   removing  deleted, and not gone yet
 *
 * One policy for lack of memory: a key that cannot be kept makes the engine read
 * everything again a little later, which puts everything back that belongs here.
 */
#ifndef ENGINE_AGENDA_H
#define ENGINE_AGENDA_H

#include <stddef.h>

#include "model/entry.h"

/* A growing list of keys. Sorted, and without doubles once keys_sort() or keys_take() was called.
 */
struct keys {
	struct key *at;
	size_t count, capacity;
	size_t taken; /* so many of the first, by keys_next() */
	bool unsorted;
};

bool keys_add(struct keys *keys, const struct key *key); /* false: no memory */
void keys_sort(struct keys *keys);
struct keys keys_take(struct keys *keys); /* sorted, @keys is left empty; the caller frees it */
/* Take the next in order; false: there is none any more, and @keys is empty. */
bool keys_next(struct keys *keys, struct key *ret);
void keys_free(struct keys *keys);

#define KEY_TEXT_MAX 40

/* "tunnel 1" or "session 1/2", for the log; returns @ret. */
const char *key_text(const struct key *key, char ret[KEY_TEXT_MAX]);

#define NEVER INT64_MAX

/* Times are of CLOCK_BOOTTIME, in nanoseconds. */
struct agenda {
	struct keys look, later[2], changed, repair, wait, trying, removing;
	int64_t later_at; /* when later[0] is due, and later[1] becomes later[0] */
	int64_t retry_at, retry_delay;
	int64_t stirred_at; /* when something last changed around us, or by us */
	bool forgot;        /* a key, for want of memory */
	bool read_all;
	int64_t read_all_at;   /* not before */
	bool recheck;          /* addresses or routes changed */
	uint32_t recheck_from; /* tunnels below are rechecked; 0: no recheck is under way */
};

void agenda_init(struct agenda *agenda);
void agenda_free(struct agenda *agenda);

void agenda_look(struct agenda *agenda, const struct key *key);
void agenda_look_later(struct agenda *agenda, const struct key *key);
void agenda_look_twice(struct agenda *agenda, const struct key *key); /* now and later */
void agenda_changed(struct agenda *agenda, const struct key *key);
void agenda_repair(struct agenda *agenda, const struct key *key);
bool agenda_wait(struct agenda *agenda, const struct key *key); /* false: not kept */
void agenda_removing(struct agenda *agenda, const struct key *key);

/* Something could not be kept for want of memory. */
void agenda_forgot(struct agenda *agenda);
/* Read everything again, not before @at (0: now); a later time that was set before holds. */
void agenda_read_all(struct agenda *agenda, int64_t at);

/* What waits may be possible now: one try, which leaves the back-off as it is. */
void agenda_try_now(struct agenda *agenda);
/* Something changed: what waits may be possible now, what went well may fail. */
void agenda_stir(struct agenda *agenda);

/* ---- for the turn: when is something due (NEVER), and what then moves on */

int64_t agenda_later_due(const struct agenda *agenda);
void agenda_later_to_look(struct agenda *agenda);
int64_t agenda_try_due(const struct agenda *agenda);
/* All that waits is to be tried; the next try is twice as far away as this one was. */
void agenda_begin_try(struct agenda *agenda);
/* The next of those: all that wait in one tunnel, as many as are returned; 0: that was all. */
size_t agenda_next_tried(struct agenda *agenda, const struct key **ret);

#endif
