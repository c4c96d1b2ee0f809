/*
 * Changes of state in lines that an operator can read: a few of a kind get a line each, many share
 * one, "4,996 sessions of tunnel 7 down: no-route". Pure: the caller decides when a burst is over.
 */
#ifndef DAEMON_TALLY_H
#define DAEMON_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/count_text.h"

#define TALLY_NAMED   5   /* up to this many of a kind get a line each */
#define TALLY_TUNNELS 8   /* more of a kind, in up to this many tunnels, get a line per tunnel */
#define TALLY_GROUPS  32  /* kinds of change in a burst */
#define TALLY_TEXT    224 /* bytes of a sentence, NUL included */

struct tally_change {
	uint32_t tunnel_id, session_id; /* session_id 0: the tunnel */
	const char *became;             /* static: "down", "up", "foreign" */
	const char *reason;             /* static, one word; "": none */
	int priority;                   /* as in syslog(3); the same for the same two words */
};

struct tally;

/* Lines go to @line. NULL: no memory. */
struct tally *tally_new(void (*line)(int priority, const char *text, void *arg), void *arg);
void tally_free(struct tally *tally); /* Accepts NULL; writes nothing. */

/*
 * Add a change. Returns a buffer where the caller may put a whole sentence as the reason, in case
 * the change gets a line of its own; it begins as "". NULL: it gets none. Flushes earlier changes
 * when there are too many kinds.
 */
char *tally_add(struct tally *tally, const struct tally_change *change);

bool tally_empty(const struct tally *tally);
void tally_flush(struct tally *tally); /* write all lines */

#endif
