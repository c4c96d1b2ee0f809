#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* One log a process, as syslog(3) has it. */
static bool to_syslog;
static int stderr_priority = LOG_DEBUG; /* and more important; -1 nothing */
static const char *debug_topics = "";

void log_open(bool foreground, const char *topics)
{
	to_syslog = !foreground;
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

static void write_line(int priority, const char *text)
{
	/* under systemd the priority goes before the line, see sd-daemon(3) */
	static const char *const words[] = {
		"emergency: ", "alert: ", "critical: ", "error: ", "warning: ", "", "", "debug: "};

	if (priority <= stderr_priority)
		fprintf(stderr, "l2tpv3d: %s%s\n", words[priority & 7], text);
	if (to_syslog)
		syslog(priority, "%s", text);
}

void log_text(int priority, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	write_line(priority, text);
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

static bool wanted(const char *topic)
{
	return log_has_topic(debug_topics, topic, strlen(topic)) ||
	       log_has_topic(debug_topics, "all", strlen("all"));
}

void log_callback(int priority, const char *text, void *arg)
{
	if (priority < LOG_DEBUG || wanted(arg))
		write_line(priority, text);
}
