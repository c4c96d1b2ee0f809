/* The options by their long names: for getopt, and for completion. */
#ifndef CLI_LONG_OPTIONS_H
#define CLI_LONG_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

enum {
	OPTION_REPLACE = 256,
	OPTION_CHECK,
	OPTION_PROMETHEUS,
	OPTION_PLUGIN,
	OPTION_BRIEF,
	OPTION_FORCE,
	OPTION_IP,
	OPTION_VYOS,
	OPTION_CONFIRM, /* this and below have a value */
	OPTION_COLUMNS,
	OPTION_BATCH,
	OPTION_FROM,
	OPTION_NETWORKD, /* may have one */
};

extern const struct option long_options[]; /* ends with a NULL name */

/* Does this option, with its dashes, take the next word as its value? */
bool option_takes_value(const char *word);

#endif
