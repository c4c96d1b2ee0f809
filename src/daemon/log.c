#include "daemon/log.h"

#include <ctype.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/burst.h"

/* Globals, for a process has one log, as in syslog(3). */
static bool to_syslog, to_journal;
static int stderr_priority =
	LOG_DEBUG; /* this priority and more important ones go there; -1: none */
static const char *debug_topics = "";
static struct burst burst;
static struct event *burst_end; /* fires when a burst is over; NULL: no lines are held back */

/* A process may inherit $JOURNAL_STREAM but another stderr: compare the file that it names. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;
	char *end;

	if (!stream || fstat(STDERR_FILENO, &status))
		return false;
	device = strtoull(stream, &end, 10);
	if (*end != ':')
		return false;
	inode = strtoull(end + 1, &end, 10);
	return !*end && device == status.st_dev && inode == status.st_ino;
}

void log_open(bool foreground, const char *topics)
{
	to_syslog = !foreground;
	to_journal = is_journal();
	debug_topics = topics;
	if (foreground)
		return;
	stderr_priority = LOG_WARNING;
	openlog("l2tpv3d", LOG_PID, LOG_DAEMON);
}

void log_started(void)
{
	if (to_syslog)
		stderr_priority = -1;
}

/* The text may hold names that others chose: they must not start a line or control a terminal. */
static void clean(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static void write_line(int priority, const char *given, void *arg)
{
	static const char *const words[] = {
		"emergency: ", "alert: ", "critical: ", "error: ", "warning: ", "", "", "debug: "};
	char text[BURST_TEXT + 64];

	(void)arg;
	snprintf(text, sizeof(text), "%s", given);
	clean(text);
	if (priority <= stderr_priority && to_journal)
		fprintf(stderr, "<%d>%s\n", priority & 7, text);
	else if (priority <= stderr_priority)
		fprintf(stderr, "l2tpv3d: %s%s\n", words[priority & 7], text);
	if (to_syslog)
		syslog(priority, "%s", text);
}

void log_text(int priority, const char *format, ...)
{
	char text[BURST_TEXT];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	write_line(priority, text, NULL);
}

bool log_has_topic(const char *topics, const char *topic, size_t length)
{
	for (size_t part; *topics; topics += part + (topics[part] == ',')) {
		part = strcspn(topics, ",");
		if (part == length && memcmp(topics, topic, length) == 0)
			return true;
	}
	return false;
}

bool log_wants(const char *topic)
{
	return log_has_topic(debug_topics, topic, strlen(topic)) ||
	       log_has_topic(debug_topics, "all", strlen("all"));
}

/* ---- bursts */

static void wait_for_end(void)
{
	int64_t due = burst_due(&burst), left = due - clock_now();
	struct timeval delay = {0};

	if (!due)
		return;
	if (left > 0)
		delay = (struct timeval){left / NS_PER_S, left % NS_PER_S / 1000 + 1};
	evtimer_add(burst_end, &delay);
}

static void on_burst_end(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	burst_flush(&burst, clock_now());
	wait_for_end();
}

void log_attach(struct event_base *base)
{
	burst_init(&burst, write_line, NULL);
	burst_end = evtimer_new(base, on_burst_end, NULL);
}

void log_detach(void)
{
	if (!burst_end)
		return;
	burst_flush(&burst, INT64_MAX);
	event_free(burst_end);
	burst_end = NULL;
}

void log_callback(int priority, const char *text, void *arg)
{
	if (priority >= LOG_DEBUG) {
		if (log_wants(arg))
			write_line(priority, text, NULL);
		return;
	}
	if (!burst_end) {
		write_line(priority, text, NULL);
		return;
	}
	burst_take(&burst, clock_now(), priority, text);
	if (!evtimer_pending(burst_end, NULL))
		wait_for_end();
}
