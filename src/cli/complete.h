/*
 * What may come next on a command line: for the completion of shells, which call `l2tpv3ctl
 * complete
 * -- WORD ...`. All of it comes from the tables of commands, options and attributes, and ids and
 * names from the daemon.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stdio.h>

#include "cli/cli.h"

/*
 * Print what the last of @argv, which may be "", can become, one a line. @options: where the daemon
 * is, unless a -S among the words says it.
 */
void complete_words(FILE *file, const struct cli_options *options, int argc, char *argv[]);

#endif
