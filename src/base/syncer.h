/*
 * Waits for the disk where the event loop must not: a thread that knows a
 * descriptor and nothing else. It syncs one at a time.
 */
#ifndef BASE_SYNCER_H
#define BASE_SYNCER_H

#include <stdbool.h>

struct syncer;

struct syncer *syncer_open(void);              /* NULL: no memory, or no thread to be had */
void syncer_close(struct syncer *syncer);      /* waits for a sync under way; accepts NULL */
int syncer_fd(const struct syncer *syncer);    /* readable when a sync has ended */
bool syncer_busy(const struct syncer *syncer); /* begun, and its end not yet taken */

/* Begin fdatasync() of @fd, or fsync() if @all. Must not be busy. 0 or a negative errno. */
int syncer_begin(struct syncer *syncer, int fd, bool all);

/* What became of it: 0 or a negative errno. -EINPROGRESS: not ended yet, and not @wait. */
int syncer_end(struct syncer *syncer, bool wait);

/*
 * Close @fd, in its turn: the last close of a big file that has no name any more frees it, which
 * takes long. @syncer may be NULL.
 */
void syncer_close_file(struct syncer *syncer, int fd);

#endif
