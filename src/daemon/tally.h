/*
 * Changes of state in lines that an operator can read: a few are told one by
 * one, many that are alike in one line, "4,996 sessions of tunnel 7 down:
 * no-route". Pure: the owner decides when a burst is over.
 */
#ifndef DAEMON_TALLY_H
#define DAEMON_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_NAMED   5   /* alike and up to so many: one by one */
#define TALLY_TUNNELS 8   /* alike and of up to so many tunnels: a line each */
#define TALLY_GROUPS  32  /* kinds of change in a burst */
#define TALLY_TEXT    224 /* bytes of a sentence, NUL included */

struct tally_change {
	uint32_t tunnel_id, session_id; /* session_id 0: the tunnel */
	const char *became;             /* static: "down", "up", "foreign" */
	const char *reason;             /* static, a word for many; "" none */
	int priority;                   /* as syslog(3); follows from the two before */
};

struct tally;

/* @line gets what is told. NULL: no memory. */
struct tally *tally_new(void (*line)(int priority, const char *text, void *arg), void *arg);
void tally_free(struct tally *tally); /* Accepts NULL; tells nothing. */

/*
 * Where the caller puts the whole sentence about it, should it be told by itself ("" as the word
 * of the reason); NULL: it will not be. May tell of what was there before, when it is of too many
 * kinds.
 */
char *tally_add(struct tally *tally, const struct tally_change *change);

bool tally_empty(const struct tally *tally);
void tally_flush(struct tally *tally); /* tell all */

#define COUNT_TEXT 28
/* 4996 as "4,996". */
const char *count_text(uint64_t count, char ret[COUNT_TEXT]);

#endif
