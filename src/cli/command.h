/* The commands of l2tpv3ctl: one table for dispatch, abbreviations and usage. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/grammar.h"

/* The options that a command takes; -S, -V and -h go with every one. */
enum command_takes {
	TAKES_OUTPUT = 1, /* -j, -p */
	TAKES_MORE = 2,   /* -s, -d, and -t, -br, -o, -c, --columns */
	TAKES_REPLACE = 4,
	TAKES_CHECK = 8,
	TAKES_CONFIRM = 16,  /* and -m */
	TAKES_COMMENT = 512, /* -m alone */
	TAKES_PROMETHEUS = 32,
	TAKES_PLUGIN = 64,
	TAKES_SCRIPT = 256, /* --ip, --networkd, --vyos */
	TAKES_FROM = 1024,
	TAKES_TOP = 128 /* -b, -n, -i, --columns, -c */
};

struct command {
	const char *name;
	bool like_ip; /* a command of `ip l2tp`, which wins when an abbreviation also fits others */
	enum verb verb;
	/* @argc, @argv: the words after the command. */
	enum cli_status (*run)(const struct command *command, const struct cli_options *options,
			       int argc, char *argv[], struct error *err);
	unsigned int takes;    /* enum command_takes */
	const char *object;    /* object words for the usage; NULL: takes none */
	const char *arguments; /* the rest of the line for the usage; NULL: none */
	const char *help;      /* a sentence; NULL: another form of the command before it */
};

/*
 * By name or unambiguous abbreviation; "s" is show and "d" delete, as with
 * `ip l2tp`. NULL with @err when there is none or more than one.
 */
const struct command *command_find(const char *word, struct error *err);

/* The forms of commands by number, in order of the usage; NULL: no more. */
const struct command *command_at(unsigned int number);

/*
 * The command of a line. "tunnel add ..." is reordered in @argv to "add tunnel ...": object words
 * before the command move behind it. There an object may be abbreviated to anything that no command
 * begins with. @argc must not be 0. NULL with @err when there is no command.
 */
const struct command *command_take(int argc, char *argv[], struct error *err);

/* CLI_USAGE for an option that the command does not take. */
enum cli_status command_check_options(const struct command *command,
				      const struct cli_options *options, struct error *err);

/* The whole usage text, or the synopsis of one command. */
void command_print_usage(FILE *file);
void command_print_synopsis(FILE *file, const struct command *command);

/* The commands. */
enum cli_status change_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err); /* add, delete, set */
enum cli_status adopt_run(const struct command *command, const struct cli_options *options,
			  int argc, char *argv[], struct error *err);
enum cli_status resync_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err);
enum cli_status show_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err);
enum cli_status get_run(const struct command *command, const struct cli_options *options, int argc,
			char *argv[], struct error *err);
enum cli_status get_config_run(const struct command *command, const struct cli_options *options,
			       int argc, char *argv[], struct error *err);
enum cli_status push_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err);
enum cli_status validate_run(const struct command *command, const struct cli_options *options,
			     int argc, char *argv[], struct error *err);
enum cli_status diff_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err);
enum cli_status save_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err);
enum cli_status import_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err);
enum cli_status confirm_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err);
enum cli_status cancel_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err);
enum cli_status kill_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err);
enum cli_status history_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err);
enum cli_status rollback_run(const struct command *command, const struct cli_options *options,
			     int argc, char *argv[], struct error *err);
enum cli_status revert_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err);
enum cli_status status_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err);
enum cli_status explain_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err);
enum cli_status monitor_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err);
enum cli_status top_run(const struct command *command, const struct cli_options *options, int argc,
			char *argv[], struct error *err);
enum cli_status help_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err);

#endif
