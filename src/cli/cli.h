/*
 * l2tpv3ctl, the shell door: words become the same typed edit as everywhere
 * else and travel to the daemon over NETCONF; replies are printed as `ip l2tp`
 * prints them, as JSON or as XML. Keywords, types and defaults come from the
 * mapping table.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "model/error.h"

/* What the program exits with, and what most functions here return. */
enum cli_status {
	CLI_OK = 0,
	CLI_REFUSED = 1, /* struct error says where and why */
	CLI_USAGE = 2    /* the command line makes no sense; struct error says what of it */
};

struct cli_options {
	const char *socket;
	bool json;       /* -j */
	bool pretty;     /* -p */
	bool statistics; /* -s */
	bool details;    /* -d */
	bool replace;    /* --replace */
	bool check;      /* --check */
};

/* All of l2tpv3ctl: returns the exit status. Prints to stdout and stderr. */
int cli_main(int argc, char *argv[]);

/* Fill @err with a usage error; returns CLI_USAGE. */
enum cli_status cli_usage_error(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For a function that has filled @err and has nothing to add; returns CLI_REFUSED. */
enum cli_status cli_refused(int result);

#endif
