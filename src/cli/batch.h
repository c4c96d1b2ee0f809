/*
 * Command lines from a file: a batch as `ip -batch` has it, and scripts of `ip l2tp` to import. All
 * of it is one transaction.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "cli/cli.h"
#include "cli/request.h"

#define BATCH_WORDS 128

/* One line, or several that end in a backslash; the words point into its text. */
struct batch_line {
	unsigned int number; /* of the first of them, from 1 */
	int argc;
	char *argv[BATCH_WORDS];
};

/*
 * Take the next line with words off *@text, which is changed. Words are parted by blanks, quoted
 * with ' or ", and a '#' before one begins a comment. False: there is none. A line of more words
 * than there is room for, or that ends within quotes, has an argc of -1.
 */
bool batch_next(char **text, unsigned int *number, struct batch_line *ret);

/*
 * -batch FILE. With --force each line is a transaction of its own, and any command will do; one
 * that fails does not end it.
 */
enum cli_status batch_run(const struct cli_options *options, struct error *err);

/* Run one command line, and report its errors; options before the command are not taken. */
enum cli_status cli_run_line(int argc, char *argv[], const struct cli_options *options);

#endif
