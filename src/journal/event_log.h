/*
 * The event log: the latest notifications, for those who subscribe later (RFC 5277 section 2.1.1)
 * or read slowly. All readers share it: each keeps the number of the record that it wants next, so
 * a slow one costs nothing, and learns what it has missed.
 *
 * It is kept in memory, bounded, and in two files of the state directory, so that it survives a
 * restart: `notifications`, and `notifications.1`, which is what that was before it became too
 * long. Both are frames (frame.h). Nothing syncs them: a kill loses nothing that was written, a
 * power cut perhaps the last half minute. An unreadable tail is cut off. A disk that fails costs
 * the files their contents, and readers nothing.
 */
#ifndef JOURNAL_EVENT_LOG_H
#define JOURNAL_EVENT_LOG_H

#include "journal/journal.h"

#define EVENT_LOG_FILE     "notifications"
#define EVENT_LOG_OLD_FILE EVENT_LOG_FILE ".1"
#define EVENT_LOG_RECORDS  16384      /* kept at most ... */
#define EVENT_LOG_SIZE     (4U << 20) /* ... and bytes of text */

struct event_log;

/* Good until the next record is appended. */
struct event_record {
	uint64_t number; /* 1, 2, 3 ... since the start, those that were loaded included */
	int64_t time;    /* nanoseconds of CLOCK_REALTIME: need not be in order */
	size_t length;   /* of the text, without the NUL behind it */
	char text[];
};

/*
 * Open the one in the directory of @journal, which must outlive it; NULL: in memory only. 0 or
 * -ENOMEM; @warning has lines to log, "": none.
 */
int event_log_open(struct event_log **ret, const struct journal *journal,
		   char warning[JOURNAL_WARNING_MAX]);
void event_log_close(struct event_log *log); /* does not write; accepts NULL */

/* When the log began: CLOCK_REALTIME. */
int64_t event_log_created(const struct event_log *log);

/* Keep it in memory; drops the oldest when there are too many. 0 or -ENOMEM. */
int event_log_append(struct event_log *log, int64_t time, const char *text, size_t length);
/* Write to disk what was appended since. 0, or a negative errno with @err: that is not kept. */
int event_log_write(struct event_log *log, struct error *err);

uint64_t event_log_first(const struct event_log *log); /* the oldest that is kept */
uint64_t event_log_next(const struct event_log *log);  /* what the next one will be */
/* Record @number; it must be one that is kept. */
const struct event_record *event_log_at(const struct event_log *log, uint64_t number);

#endif
