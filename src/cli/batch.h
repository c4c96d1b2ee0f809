/*
 * Command lines from a file: a batch as `ip -batch` has it, which is one transaction. Scripts of
 * `ip l2tp` are read alike (import.h).
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "cli/command.h"

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
 * A line of add, delete or set as a request, after "ip l2tp" or without; @ret is valid with CLI_OK
 * alone.
 */
enum cli_status batch_parse(const struct batch_line *line, const struct cli_options *options,
			    struct request *ret, struct error *err);

/*
 * --batch FILE. With --force each line is a transaction of its own, and any command will do; one
 * that fails does not end it. @run: runs one line, and
 * reports its errors.
 */
typedef enum cli_status batch_runner(int argc, char *argv[], const struct cli_options *options);
enum cli_status batch_run(const struct cli_options *options, batch_runner *run, struct error *err);

#endif
