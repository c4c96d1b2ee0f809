/* The server's log: a leaf that every file of it may call. */
#include <stdarg.h>

#include "netconf/session.h"

void server_log(const struct netconf_server *server, int priority, const char *format, ...)
{
	char text[1536];
	va_list args;

	if (!server->options.log)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	server->options.log(priority, text, server->options.arg);
}
