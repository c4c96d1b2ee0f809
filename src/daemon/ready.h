/* Going into the background, and saying that the daemon is ready. */
#ifndef DAEMON_READY_H
#define DAEMON_READY_H

#include <stdbool.h>

struct event;
struct event_base;

/*
 * Fork; the parent waits until the child says ready and exits 0, or exits 1
 * when the child ends before. Standard error stays open until ready_tell().
 * @keep_directory: do not go to "/". Returns 0 in the child, negative errno on failure.
 */
int ready_background(bool keep_directory);

/* What it does, for systemctl status; and that it is not ready yet, nor in the next half minute
 * perhaps. */
void ready_takes_time(const char *text);
/* It does no longer anything in particular. */
void ready_clear_status(void);

/* Tell the waiting parent and systemd (sd_notify(3) protocol, $NOTIFY_SOCKET). */
void ready_tell(void);

/* Tell systemd that the daemon is stopping. */
void ready_stopping(void);

/*
 * If systemd watches (WatchdogSec=, sd_watchdog_enabled(3)): tell it twice in that time that the
 * loop turns. Does nothing otherwise. Returns 0 or -ENOMEM; the caller frees *ret, which may be
 * NULL.
 */
int ready_watch(struct event_base *base, struct event **ret);

#endif
