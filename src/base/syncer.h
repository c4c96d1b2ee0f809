/*
 * Waits for the disk in place of the event loop: a thread that knows a descriptor and nothing else,
 * and syncs one at a time.
 */
#ifndef BASE_SYNCER_H
#define BASE_SYNCER_H

#include <stdbool.h>

struct syncer;

struct syncer *syncer_open(void);              /* NULL: no memory, or no thread */
void syncer_close(struct syncer *syncer);      /* waits for a sync under way; accepts NULL */
int syncer_fd(const struct syncer *syncer);    /* readable when a sync has ended */
bool syncer_busy(const struct syncer *syncer); /* a sync has begun, and its end is not collected */

/* Begin fdatasync() of @fd, or fsync() if @all. Must not be busy. 0 or a negative errno. */
int syncer_begin(struct syncer *syncer, int fd, bool all);

/*
 * Collect the result of the sync: 0 or a negative errno. -EINPROGRESS: it has not ended, and @wait
 * is false.
 */
int syncer_end(struct syncer *syncer, bool wait);

/*
 * Close @fd in the thread, after earlier orders: the last close of a big file without a name frees
 * its blocks, which takes long. @syncer may be NULL.
 */
void syncer_close_file(struct syncer *syncer, int fd);

#endif
