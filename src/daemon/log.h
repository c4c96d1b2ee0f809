/*
 * The daemon's log: stderr in the foreground, else syslog, and stderr too for
 * warnings and errors of the start. Library code does not log.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* @topics: comma-separated debug topics, "all" among them for all, or "". */
void log_open(bool foreground, const char *topics);

/* Is @topic, of @length bytes, in the comma-separated @topics? */
bool log_has_topic(const char *topics, const char *topic, size_t length);

/* The start is over: in the background nothing goes to stderr any more. */
void log_started(void);

void log_text(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fits the log callbacks; @arg is the topic, whose LOG_DEBUG texts show only when asked for. */
void log_callback(int priority, const char *text, void *arg);

#endif
