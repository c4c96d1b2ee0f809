/*
 * The agenda: which tunnels and sessions to look at or work on, and when. A leaf: every file of the
 * engine puts keys on it, and only the turn (turn.c) and those it calls take them off.
 *
 *	  look      ask the kernel about it: after an event or a surprise
 *	  later     look again in half a second, for what was deleted may linger
 *	  changed   may differ, because others changed it: report it, then repair it
 *	  repair    plan what it lacks, and do it
 *	  wait      not possible yet: retry ever more rarely, and when the surroundings change
 *	  asleep    the same, but only when they change: an event tells of what it lacks
 *	  trying    those that wait or sleep and are looked at in the current try
 *	  removing  deleted, and not gone yet
 *
 * One policy for lack of memory: when a key cannot be kept the engine reads everything again a
 * little later, which restores all keys.
 */
#ifndef ENGINE_AGENDA_H
#define ENGINE_AGENDA_H

#include <stddef.h>

#include "model/entry.h"

/* A growing list of keys. keys_sort() and keys_take() sort it and remove duplicates. */
struct keys {
	struct key *at;
	size_t count, capacity;
	size_t taken; /* how many keys_next() has taken from the front */
	bool unsorted;
};

bool keys_add(struct keys *keys, const struct key *key); /* false: no memory */
void keys_sort(struct keys *keys);
struct keys keys_take(struct keys *keys); /* sorted; leaves @keys empty; the caller frees it */
/* Take the next in order; false: there are no more, and @keys is empty. */
bool keys_next(struct keys *keys, struct key *ret);
void keys_free(struct keys *keys);

#define KEY_TEXT_MAX 40

/* "tunnel 1" or "session 1/2", for the log; returns @ret. */
const char *key_text(const struct key *key, char ret[KEY_TEXT_MAX]);

#define NEVER INT64_MAX

/* Times are nanoseconds of CLOCK_BOOTTIME. */
struct agenda {
	struct keys look, later[2], changed, repair, wait, asleep, trying, removing;
	int64_t later_at; /* when later[0] is due, and later[1] replaces it */
	int64_t retry_at, retry_delay;
	bool woken;            /* the next try is of those asleep, too */
	size_t asleep_once;    /* of them, how many there were when each was last there once */
	int64_t stirred_at;    /* when we, or something around us, last changed something */
	int64_t stirred_first; /* ... first since all counters were looked at, or NEVER */
	bool forgot;           /* lost a key for lack of memory */
	bool read_all;
	int64_t read_all_at;            /* not earlier */
	bool recheck, recheck_later[2]; /* addresses or routes changed; later as the keys are */
	int64_t rechecked_at;           /* when the last recheck began */
	uint32_t recheck_from;          /* tunnels below it are done; 0: no recheck is under way */
};

void agenda_init(struct agenda *agenda);
void agenda_free(struct agenda *agenda);

void agenda_look(struct agenda *agenda, const struct key *key);
void agenda_look_later(struct agenda *agenda, const struct key *key);
void agenda_look_twice(struct agenda *agenda, const struct key *key); /* now and later */
void agenda_changed(struct agenda *agenda, const struct key *key);
void agenda_repair(struct agenda *agenda, const struct key *key);
bool agenda_wait(struct agenda *agenda, const struct key *key);  /* false: no memory */
bool agenda_sleep(struct agenda *agenda, const struct key *key); /* false: no memory */
void agenda_removing(struct agenda *agenda, const struct key *key);

/*
 * Addresses or routes changed: look at all tunnels now, unless that was done less than half a
 * second ago (a routing daemon changes thousands in a row), and later. IPv6 tells of a new route a
 * moment before look-ups find it (net/ipv6/ip6_fib.c, fib6_add_rt2node()).
 */
void agenda_recheck_twice(struct agenda *agenda);

/* Something could not be kept for want of memory. */
void agenda_forgot(struct agenda *agenda);
/* Read everything again, not before @at (0: now); does not override a later time. */
void agenda_read_all(struct agenda *agenda, int64_t at);

/* What waits or sleeps may be possible now: try once, without resetting the back-off. */
void agenda_try_now(struct agenda *agenda);
/* Something new waits: try it soon, and begin the back-off anew. */
void agenda_try_soon(struct agenda *agenda);
/* Something changed: what works may fail. */
void agenda_stirred(struct agenda *agenda, int64_t at);
/* The same, and what waits or sleeps may be possible now. */
void agenda_stir(struct agenda *agenda);

/* ---- for the turn: when something is due (or NEVER), and moving on */

int64_t agenda_later_due(const struct agenda *agenda);
int64_t agenda_try_due(const struct agenda *agenda);
void agenda_later_to_look(struct agenda *agenda);
void agenda_begin_recheck(struct agenda *agenda); /* changes from now on need another */
/* Try all that waits, and what sleeps if it was woken; the next try takes twice as long to come. */
void agenda_begin_try(struct agenda *agenda);
/* The next to try: all that wait in one tunnel. Returns how many; 0: no more. */
size_t agenda_next_tried(struct agenda *agenda, const struct key **ret);

#endif
