/*
 * The daemon's log: standard error in the foreground, else syslog, and standard
 * error too for warnings and errors of the start. Where standard error is the
 * journal of systemd each line begins with its priority (sd-daemon(3)). Library
 * code does not log.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;

/* @topics: comma-separated debug topics, "all" among them for all, or "". */
void log_open(bool foreground, const char *topics);

/* Is @topic, of @length bytes, in the comma-separated @topics? */
bool log_has_topic(const char *topics, const char *topic, size_t length);

/* From now on lines that are alike are summed up (burst.h); log_detach() tells what was held. */
void log_attach(struct event_base *base);
void log_detach(void);

/* The start is over: in the background nothing goes to stderr any more. */
void log_started(void);

/* Is LOG_DEBUG of this topic asked for? */
bool log_wants(const char *topic);

/* Each line, however many are alike. */
void log_text(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Fits the log callbacks; @arg is the topic, whose LOG_DEBUG texts show only when asked for. Of
 * other lines that are alike the first few.
 */
void log_callback(int priority, const char *text, void *arg);

#endif
