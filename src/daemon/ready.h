/* Goes into the background, and reports that the daemon is ready. */
#ifndef DAEMON_READY_H
#define DAEMON_READY_H

#include <stdbool.h>

struct event;
struct event_base;

/*
 * Fork. The parent waits for the child: it exits 0 when the child is ready, 1 if the child ends
 * before. Standard error stays open until ready_tell(). @keep_directory: do not change to "/".
 * Returns 0 in the child, a negative errno on failure.
 */
int ready_background(bool keep_directory);

/* Set the text for systemctl status, and ask systemd for more time to start: half a minute. */
void ready_takes_time(const char *text);
/* Clear that text. */
void ready_clear_status(void);

/* Tell the waiting parent and systemd that the daemon is ready (sd_notify(3), $NOTIFY_SOCKET). */
void ready_tell(void);

/* Tell systemd that the daemon is stopping. */
void ready_stopping(void);

/*
 * If systemd has a watchdog for us (WatchdogSec=, sd_watchdog_enabled(3)), report twice per period
 * that the loop turns. Returns 0 or -ENOMEM; the caller frees *ret, which may be NULL.
 */
int ready_watch(struct event_base *base, struct event **ret);

#endif
