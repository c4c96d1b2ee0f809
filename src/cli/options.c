/* The program: takes options, runs a command, reports errors. */
#include <getopt.h>
#include <unistd.h>

#include "cli/batch.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/long_options.h"
#include "model/names.h"

#define TIMEOUT_DIGITS 10 /* of a confirm-timeout, 32 bits */

/* -V and -h take precedence over everything else. */
struct wishes {
	bool version, help;
};

/* False: it is none of ip's words. */
static bool set_color(const char *when, struct cli_options *options)
{
	options->color = !when || !strcmp(when, "always") ||
			 (!strcmp(when, "auto") && isatty(STDOUT_FILENO));
	return options->color || !strcmp(when, "auto") || !strcmp(when, "never");
}

/* Words of ip with one dash, which getopt would take for letters. */
static const char *const ip_words[][2] = {
	{"-json", "--json"},
	{"-pretty", "--pretty"},
	{"-stats", "--statistics"},
	{"-statistics", "--statistics"},
	{"-details", "--details"},
	{"-br", "--brief"},
	{"-brief", "--brief"},
	{"-oneline", "--oneline"},
	{"-color", "--color"},
	{"-color=always", "--color=always"},
	{"-color=auto", "--color=auto"},
	{"-color=never", "--color=never"},
	{"-c=always", "--color=always"},
	{"-c=auto", "--color=auto"},
	{"-c=never", "--color=never"},
	{"-help", "--help"},
	{"-batch", "--batch"},
	{"-force", "--force"},
	{"-Version", "--version"},
};

/* Up to "--", for what follows that are values. */
static void take_ip_words(int argc, char *argv[])
{
	for (int at = 1; at < argc && strcmp(argv[at], "--") != 0; at++)
		for (size_t i = 0; i < sizeof(ip_words) / sizeof(ip_words[0]); i++)
			if (!strcmp(argv[at], ip_words[i][0]))
				argv[at] = (char *)(uintptr_t)ip_words[i][1];
}

static bool set_option(int option, struct cli_options *options, struct wishes *wishes)
{
	bool *const flags[] = {
		['j'] = &options->json,
		['p'] = &options->pretty,
		['s'] = &options->statistics,
		['d'] = &options->details,
		['t'] = &options->table,
		['b'] = &options->batch_mode,
		['o'] = &options->oneline,
		[OPTION_FORCE] = &options->force,
		[OPTION_BRIEF] = &options->brief,
		['V'] = &wishes->version,
		['h'] = &wishes->help,
		[OPTION_REPLACE] = &options->replace,
		[OPTION_CHECK] = &options->check,
		[OPTION_PLUGIN] = &options->plugin,
		[OPTION_PROMETHEUS] = &options->prometheus,
	};

	if (option == 'S')
		options->socket = optarg;
	else if (option == 'n')
		options->count = optarg;
	else if (option == 'i')
		options->interval = optarg;
	else if (option == OPTION_CONFIRM)
		options->confirm = optarg;
	else if (option == 'm')
		options->comment = optarg;
	else if (option == OPTION_BATCH)
		options->batch = optarg;
	else if (option == OPTION_COLUMNS)
		options->columns = optarg;
	else if (option == OPTION_FROM)
		options->from = optarg;
	else if (option == OPTION_IP)
		options->form = FORM_IP;
	else if (option == OPTION_VYOS)
		options->form = FORM_VYOS;
	else if (option == OPTION_NETWORKD)
		options->form = FORM_NETWORKD, options->directory = optarg;
	else if (option == 'c')
		return set_color(optarg, options);
	else if (option < 0 || option >= OPTION_CONFIRM || !flags[option])
		return false;
	else
		*flags[option] = true;
	return true;
}

/* The option that getopt_long() stumbled on, as given. */
static const char *option_word(char *argv[], char ret[3])
{
	if (!optopt || optopt >= OPTION_REPLACE)
		return argv[optind - 1];
	snprintf(ret, 3, "-%c", optopt);
	return ret;
}

static enum cli_status check_timeout(const char *text, struct error *err)
{
	size_t digits = text ? strspn(text, "0123456789") : 1;
	unsigned long long seconds = text ? strtoull(text, NULL, 10) : 1;

	if (digits && digits <= TIMEOUT_DIGITS && (!text || !text[digits]) && seconds &&
	    seconds <= UINT32_MAX)
		return CLI_OK;
	return cli_usage_error(err, "--confirm takes seconds, 1 to 4294967295, not \"%.32s\"",
			       text);
}

static enum cli_status take_options(int argc, char *argv[], struct cli_options *options,
				    struct wishes *wishes, struct error *err)
{
	char word[3];
	int option;

	take_ip_words(argc, argv);
	opterr = 0;
	optind = 0; /* glibc: start over, for tests call this many times */
	while ((option = getopt_long(argc, argv, ":S:jpsdtoc::bn:i:m:Vh", long_options, NULL)) !=
	       -1) {
		if (option == ':')
			return cli_usage_error(err, "option %.32s needs a value",
					       option_word(argv, word));
		if (option == '?' && optopt >= '0' && optopt <= '9')
			return cli_usage_error(err,
					       "-%c... is taken for an option: no number here is "
					       "negative, and a value that begins with \"-\" goes "
					       "after \"--\"",
					       optopt);
		if (!set_option(option, options, wishes))
			return cli_usage_error(err, "unknown option %.32s",
					       option_word(argv, word));
	}
	if (options->comment && strlen(options->comment) >= COMMENT_MAX)
		return cli_usage_error(err, "this comment is too long");
	return check_timeout(options->confirm, err);
}

/* The bad element or attribute, when neither path nor text names it. */
static const char *culprit(const struct error *err, char ret[80])
{
	ret[0] = '\0';
	if (err->info[0] && err->code != ERROR_LOCK_DENIED && !strstr(err->path, err->info) &&
	    !strstr(err->text, err->info))
		snprintf(ret, 80, " (%s)", err->info);
	return ret;
}

/* Print a line with where and why for each error; for a misused command, its synopsis too. */
static void report(enum cli_status status, const struct command *command, const struct error *err)
{
	char info[80];

	for (const struct error *at = err; at && at->text[0]; at = at->next)
		fprintf(stderr, "l2tpv3ctl: %s%s%s%s\n", at->path, at->path[0] ? ": " : "",
			at->text, culprit(at, info));
	if (status != CLI_USAGE)
		return;
	if (command)
		command_print_synopsis(stderr, command);
	fputs("Try \"l2tpv3ctl help\".\n", stderr);
}

static enum cli_status run_line(int argc, char *argv[], const struct cli_options *options)
{
	struct error err = {.collects = true};
	const struct command *command;
	enum cli_status status = CLI_USAGE;

	if (!argc) {
		command_print_usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[0], "complete")) { /* by the completion of a shell: no command of users */
		complete_words(stdout, options, argc - 1, argv + 1);
		return CLI_OK;
	}
	command = command_take(argc, argv, &err);
	if (command)
		status = command_check_options(command, options, &err);
	if (!status)
		status = command->run(command, options, argc - 1, argv + 1, &err);
	if (status && status < CLI_VERDICT)
		report(status, command, &err);
	error_list_free(&err);
	return status;
}

static enum cli_status run_batch(int argc, char *argv[], const struct cli_options *options)
{
	struct error err = {.collects = true};
	enum cli_status status = argc ? cli_usage_error(&err, "unexpected \"%.64s\"", argv[0])
				      : batch_run(options, run_line, &err);

	if (status && status < CLI_VERDICT)
		report(status, NULL, &err);
	error_list_free(&err);
	return status;
}

static enum cli_status run(int argc, char *argv[])
{
	struct cli_options options = {.take = command_take, .socket = CONTROL_SOCKET};
	struct wishes wishes = {0};
	struct error err = ERROR_INIT;

	if (take_options(argc, argv, &options, &wishes, &err)) {
		report(CLI_USAGE, NULL, &err);
		return CLI_USAGE;
	}
	if (wishes.help)
		command_print_usage(stdout);
	else if (wishes.version)
		puts("l2tpv3ctl " VERSION);
	else
		return options.batch ? run_batch(argc - optind, argv + optind, &options)
				     : run_line(argc - optind, argv + optind, &options);
	return CLI_OK;
}

int cli_main(int argc, char *argv[])
{
	enum cli_status status = run(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "l2tpv3ctl: cannot write the output\n");
		return CLI_REFUSED;
	}
	return (int)status % CLI_VERDICT;
}
