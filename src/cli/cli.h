/*
 * l2tpv3ctl, the shell door: turns the words of a command line into a typed request, sends it to
 * the daemon over NETCONF, and prints the reply as `ip l2tp` would, as JSON or as XML. Keywords,
 * types and defaults come from the mapping table.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "model/error.h"

/* The program's exit status, and the return value of most functions here. */
enum cli_status {
	CLI_OK = 0,
	CLI_REFUSED = 1, /* struct error says where and why */
	CLI_USAGE = 2,   /* the command line makes no sense; struct error says why */
	CLI_VERDICT = 64 /* and the program's exit status, of which the command has said all */
};

#define COMMENT_MAX 512 /* more than the daemon takes */

/* How get-config prints: XML or JSON, or in the words of another program. */
enum cli_form { FORM_DOCUMENT, FORM_IP, FORM_NETWORKD, FORM_VYOS };

struct command;

struct cli_options {
	/* command_take(), for who reads lines and is below it. */
	const struct command *(*take)(int argc, char *argv[], struct error *err);
	const char *socket;
	bool json;                    /* -j */
	bool pretty;                  /* -p */
	bool statistics;              /* -s */
	bool details;                 /* -d */
	bool table;                   /* -t */
	bool brief;                   /* -br */
	bool oneline;                 /* -o */
	bool color;                   /* -c, once it is decided */
	const char *columns;          /* --columns; NULL: the usual ones */
	bool prometheus;              /* --prometheus */
	bool replace;                 /* --replace */
	bool check;                   /* --check */
	bool plugin;                  /* --plugin */
	bool batch_mode;              /* -b: of top */
	const char *count, *interval; /* -n, -i: of top, as given; NULL: none */
	const char *comment;          /* -m; NULL: none */
	const char *batch;            /* -batch: a file; NULL: none */
	enum cli_form form;           /* --ip, --networkd, --vyos */
	const char *directory;        /* of --networkd; NULL: none */
	const char *from;             /* --from; NULL: to be found out */
	bool force;                   /* -force */
	const char *confirm;          /* --confirm: seconds, as given; NULL: none */
};

/* All of l2tpv3ctl: prints to stdout and stderr, and returns the exit status. */
int cli_main(int argc, char *argv[]);

/* Fill @err with a usage error; returns CLI_USAGE. */
enum cli_status cli_usage_error(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * An @rc of 0 or a negative errno as a status: CLI_OK, or CLI_REFUSED when whoever made it filled
 * its error.
 */
enum cli_status cli_refused(int rc);

#endif
