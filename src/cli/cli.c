#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

enum cli_status cli_usage_error(struct error *err, const char *format, ...)
{
	va_list args;

	*err = ERROR_INIT;
	err->code = ERROR_MALFORMED;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return CLI_USAGE;
}

enum cli_status cli_refused(int rc)
{
	return rc ? CLI_REFUSED : CLI_OK;
}
