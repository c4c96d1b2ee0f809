/*
 * The daemon's log: standard error in the foreground; in the background syslog, and standard error
 * too for warnings and errors while starting. If standard error is systemd's journal, each line
 * begins with its priority (sd-daemon(3)). Library code does not log.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;

/* @topics: comma-separated debug topics; "all" means all of them, "" none. */
void log_open(bool foreground, const char *topics);

/* Is @topic, of @length bytes, in the comma-separated @topics? */
bool log_has_topic(const char *topics, const char *topic, size_t length);

/* Sum up similar lines (burst.h) from now on. log_detach() writes what is held back. */
void log_attach(struct event_base *base);
void log_detach(void);

/* The daemon has started: in the background, stop writing to stderr. */
void log_started(void);

/* Is LOG_DEBUG of this topic wanted? */
bool log_wants(const char *topic);

/* Log a line, however many are alike. */
void log_text(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A log callback; @arg is the topic. Drops LOG_DEBUG texts of topics that are not wanted, and sums
 * up other lines that are alike.
 */
void log_callback(int priority, const char *text, void *arg);

#endif
