#include "cli/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/requests.h"

/* ---- lines */

/* Make one line of those that end in a backslash; it ends in a NUL. */
static char *take_line(char **text, unsigned int *number)
{
	char *line = *text, *end = line;

	while ((end = strchr(end, '\n')) && end > line && end[-1] == '\\') {
		end[-1] = end[0] = ' ';
		++*number;
	}
	++*number;
	*text = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

/* One word at *@at, unquoted in place; false: quotes are open at its end. */
static bool take_word(char **at, char **ret)
{
	char *from = *at, *to = *at, quote = '\0';

	*ret = to;
	for (; *from && (quote || !strchr(" \t\r", *from)); from++) {
		if (quote ? *from == quote : *from == '\'' || *from == '"')
			quote = quote ? '\0' : *from;
		else
			*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = '\0';
	return !quote;
}

bool batch_next(char **text, unsigned int *number, struct batch_line *ret)
{
	while (**text) {
		unsigned int first = *number + 1;
		char *at = take_line(text, number);

		*ret = (struct batch_line){.number = first};
		while (*(at += strspn(at, " \t\r")) && *at != '#') {
			if (ret->argc == BATCH_WORDS || !take_word(&at, &ret->argv[ret->argc])) {
				ret->argc = -1;
				return true;
			}
			ret->argc++;
		}
		if (ret->argc)
			return true;
	}
	return false;
}

/* ---- requests */

/* How many words stand before those of l2tpv3ctl: "ip l2tp", "/sbin/ip l2tp", "l2tpv3ctl". */
static int program_words(const struct batch_line *line)
{
	const char *slash = strrchr(line->argv[0], '/');
	const char *name = slash ? slash + 1 : line->argv[0];

	if (!strcmp(name, "l2tpv3ctl"))
		return 1;
	if (!strcmp(name, "ip") && line->argc > 1 && !strcmp(line->argv[1], "l2tp"))
		return 2;
	return line->argc > 1 && !strcmp(name, "l2tp") ? 1 : 0;
}

enum cli_status batch_parse(const struct batch_line *line, const struct cli_options *options,
			    struct request *ret, struct error *err)
{
	int skip = line->argc > 0 ? program_words(line) : 0;
	int argc = line->argc - skip;
	char **argv = (char **)(uintptr_t)line->argv + skip;
	const struct command *command;
	enum cli_status status;

	if (line->argc < 0)
		return cli_usage_error(err, "more than %d words, or an open quote", BATCH_WORDS);
	if (!argc)
		return cli_usage_error(err, "a command is missing");
	command = options->take(argc, argv, err);
	if (!command)
		return CLI_USAGE;
	if (command->verb != VERB_ADD && command->verb != VERB_DELETE &&
	    !(command->verb == VERB_SET && command->object))
		return cli_usage_error(err,
				       "%s is no change: only add, delete and set are, in one "
				       "transaction",
				       command->name);
	status = grammar_parse(command->verb, argc - 1, argv + 1, ret, err);
	if (!status && request_lacks_tunnel(ret))
		status = cli_usage_error(err, "\"tunnel_id\" is required in a file");
	return status;
}

static void report(const char *path, unsigned int number, const struct error *err)
{
	fprintf(stderr, "%s:%u: %s%s%s\n", path, number, err->path, err->path[0] ? ": " : "",
		err->text);
}

/* Every line that is wrong is reported. Returns how many. */
static size_t parse_all(char *text, const char *path, const struct cli_options *options,
			struct requests *requests)
{
	unsigned int number = 0;
	struct batch_line line;
	size_t wrong = 0;

	while (batch_next(&text, &number, &line)) {
		struct error err = ERROR_INIT;
		struct request *request;

		request = requests_add(requests);
		if (!request)
			error_set(&err, ERROR_RESOURCE, "out of memory");
		else if (batch_parse(&line, options, request, &err) == CLI_OK) {
			request_print_notes(stderr, request);
			requests->count++;
			continue;
		}
		wrong++;
		report(path, line.number, &err);
	}
	return wrong;
}

static enum cli_status run_one_by_one(char *text, const struct cli_options *options,
				      batch_runner *run)
{
	unsigned int number = 0, failed = 0;
	struct batch_line line;

	while (batch_next(&text, &number, &line)) {
		int skip = line.argc > 0 ? program_words(&line) : 0;

		if (line.argc > skip && run(line.argc - skip, line.argv + skip, options) == CLI_OK)
			continue;
		fprintf(stderr, "Command failed %s:%u\n", options->batch, line.number);
		failed++;
	}
	return failed ? (enum cli_status)(CLI_VERDICT + CLI_REFUSED) : CLI_OK;
}

enum cli_status batch_run(const struct cli_options *options, batch_runner *run, struct error *err)
{
	struct requests requests = {.count = 0};
	char *text = NULL;
	size_t length = 0, wrong;
	enum cli_status status = file_read(options->batch, &text, &length, err);

	if (status)
		return status;
	if (options->force) {
		status = run_one_by_one(text, options, run);
	} else {
		wrong = parse_all(text, options->batch, options, &requests);
		if (wrong)
			status = cli_refused(error_set(err, ERROR_MALFORMED,
						       "%zu line%s wrong: nothing was changed",
						       wrong, wrong == 1 ? " is" : "s are"));
		else if (requests.count)
			status = requests_commit(&requests, options, err);
	}
	requests_free(&requests);
	wipe_free(text, length);
	return status;
}
