/* The SNMP door's log: a leaf that every file of the door may call. */
#include "internal.h"

#include <stdarg.h>

void agent_log(struct agent *agent, int priority, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!agent->options.log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	agent->options.log(priority, text, agent->options.arg);
}
