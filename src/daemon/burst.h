/*
 * Lines that are alike but for their numbers: the first few of a kind pass, the
 * rest is counted and told in one line when the burst is over. So a fault that
 * concerns thousands, or a client in a loop, cannot bury the rest of the log.
 * Pure: the owner has the clock.
 */
#ifndef DAEMON_BURST_H
#define DAEMON_BURST_H

#include <stdint.h>

#define BURST_PASS  5                    /* lines of a kind that pass */
#define BURST_QUIET INT64_C(1000000000)  /* ns without one: the burst is over */
#define BURST_MOST  INT64_C(10000000000) /* ns of one that goes on: what was counted is told */
#define BURST_KINDS 32                   /* looked after at a time */
#define BURST_TEXT  1024

struct burst_kind {
	uint64_t shape; /* 0: free */
	int priority;
	int64_t began, last;
	unsigned int passed, held;
	char text[BURST_TEXT]; /* the last one held */
};

struct burst {
	void (*line)(int priority, const char *text, void *arg);
	void *arg;
	struct burst_kind kinds[BURST_KINDS];
};

void burst_init(struct burst *burst, void (*line)(int priority, const char *text, void *arg),
		void *arg);

/* Takes a line at @now: passes it on, or counts it. */
void burst_take(struct burst *burst, int64_t now, int priority, const char *text);

/* Tell what was counted of bursts that are over at @now; INT64_MAX: of all. */
void burst_settle(struct burst *burst, int64_t now);
/* When burst_settle() will have something to tell; 0: nothing was counted. */
int64_t burst_due(const struct burst *burst);

#endif
