/*
 * Sums up lines that differ only in their numbers: passes on the first few of a kind, counts the
 * rest, and writes the count when the burst is over. So a fault that hits thousands, or a client in
 * a loop, cannot bury the rest of the log. Pure: the caller has the clock.
 */
#ifndef DAEMON_BURST_H
#define DAEMON_BURST_H

#include <stdint.h>

#define BURST_PASS  5                   /* lines of a kind that pass */
#define BURST_QUIET INT64_C(1000000000) /* ns without a line end a burst */
#define BURST_MOST                                                                                 \
	INT64_C(10000000000) /* ns of a burst that goes on, until its count is written             \
			      */
#define BURST_KINDS 32       /* followed at a time */
#define BURST_TEXT  1024

struct burst_kind {
	uint64_t shape; /* 0: free */
	int priority;
	int64_t began, last;
	unsigned int passed, held;
	char text[BURST_TEXT]; /* the last line held back */
};

struct burst {
	void (*line)(int priority, const char *text, void *arg);
	void *arg;
	struct burst_kind kinds[BURST_KINDS];
};

void burst_init(struct burst *burst, void (*line)(int priority, const char *text, void *arg),
		void *arg);

/* Take a line at @now: pass it on or count it. */
void burst_take(struct burst *burst, int64_t now, int priority, const char *text);

/* Write the counts of bursts that are over at @now; INT64_MAX: of all bursts. */
void burst_flush(struct burst *burst, int64_t now);
/* When burst_flush() will have something to write; 0: nothing was counted. */
int64_t burst_due(const struct burst *burst);

#endif
