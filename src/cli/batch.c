#include "cli/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "cli/command.h"
#include "cli/confirm.h"
#include "cli/difference.h"
#include "cli/file.h"
#include "cli/message.h"
#include "cli/spelling.h"
#include "cli/talk.h"

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

struct requests {
	struct request *items;
	size_t count, room;
};

static struct request *add_request(struct requests *requests)
{
	if (requests->count == requests->room) {
		size_t room = requests->room ? 2 * requests->room : 64;
		struct request *grown = wipe_grow(requests->items, requests->room * sizeof(*grown),
						  room * sizeof(*grown));

		if (!grown)
			return NULL;
		requests->items = grown;
		requests->room = room;
	}
	return &requests->items[requests->count];
}

static void free_requests(struct requests *requests)
{
	wipe_free(requests->items, requests->room * sizeof(*requests->items));
	*requests = (struct requests){.count = 0};
}

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

/* The line as a request; @ret is valid with CLI_OK alone. */
static enum cli_status parse(const struct batch_line *line, const struct cli_options *options,
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

static void report(const char *path, unsigned int number, bool import, const struct error *err)
{
	fprintf(stderr, "%s:%u: %s%s%s%s\n", path, number, import ? "not taken: " : "", err->path,
		err->path[0] ? ": " : "", err->text);
}

/* ---- ip link, of scripts */

static struct request *find_by_name(struct requests *requests, const char *name)
{
	for (size_t i = requests->count; i-- > 0;)
		if (!strcmp(requests->items[i].session.interface_name, name))
			return &requests->items[i];
	return NULL;
}

static bool set_leaf(struct request *request, enum session_row number, const char *value)
{
	struct error err = ERROR_INIT;

	return !spelling_parse(&row_sets[OBJECT_SESSION].rows[number], &request->session, value,
			       &err);
}

/*
 * "ip link set [dev] NAME up|down|mtu N|master BRIDGE|address MAC ..." of a session that the file
 * made before. False: it is something else.
 */
static bool take_link(const struct batch_line *line, struct requests *requests)
{
	int at = 3;
	struct request *request;

	if (line->argc < 5 || strcmp(line->argv[1], "link") != 0 ||
	    strcmp(line->argv[2], "set") != 0)
		return false;
	at += !strcmp(line->argv[at], "dev");
	request = find_by_name(requests, line->argv[at++]);
	if (!request || at >= line->argc)
		return false;
	for (; at < line->argc; at++) {
		static const struct {
			const char *word;
			enum session_row row;
		} words[] = {{"mtu", SESSION_MTU},
			     {"master", SESSION_BRIDGE},
			     {"address", SESSION_MAC_ADDRESS}};
		const char *word = line->argv[at];
		bool taken =
			!strcmp(word, "up") ||
			(!strcmp(word, "down") && set_leaf(request, SESSION_LINK_ENABLED, "off"));

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !taken; i++)
			if (at + 1 < line->argc && !strcmp(words[i].word, word))
				taken = set_leaf(request, words[i].row, line->argv[++at]);
		if (!taken)
			return false;
	}
	return true;
}

/* ---- sending */

/* By tunnel, and else as they came. */
static int compare(const void *a, const void *b)
{
	const struct request *left = *(const struct request *const *)a;
	const struct request *right = *(const struct request *const *)b;

	if (left->tunnel.tunnel_id != right->tunnel.tunnel_id)
		return left->tunnel.tunnel_id < right->tunnel.tunnel_id ? -1 : 1;
	return left < right ? -1 : left > right;
}

static bool write_requests(FILE *file, const struct requests *requests,
			   const struct cli_options *options, bool staged)
{
	const struct request how = {.staged = staged, .check = options->check && !staged};
	const struct request **order = calloc(requests->count, sizeof(*order));
	size_t end;

	if (!order)
		return false;
	for (size_t i = 0; i < requests->count; i++)
		order[i] = &requests->items[i];
	qsort(order, requests->count, sizeof(*order), compare);
	message_edit_begin(file, &how);
	for (size_t i = 0; i < requests->count; i = end) {
		uint32_t id = order[i]->tunnel.tunnel_id;

		for (end = i; end < requests->count && order[end]->tunnel.tunnel_id == id; end++)
			;
		message_edit_tunnel(file, &order[i], end - i);
	}
	message_edit_end(file, staged ? NULL : options->comment);
	free(order);
	return true;
}

static int send_all(struct client *client, const struct requests *requests,
		    const struct cli_options *options, bool staged, struct error *err)
{
	char *operation = NULL;
	size_t length;
	FILE *file = wiped_stream(&operation, &length);
	bool written = file && write_requests(file, requests, options, staged);
	int rc;

	if (file)
		fclose(file);
	rc = written ? client_rpc(client, operation, NULL, err)
		     : error_set(err, ERROR_RESOURCE, "out of memory");
	wipe_free(operation, length);
	return rc;
}

static enum cli_status commit(const struct requests *requests, const struct cli_options *options,
			      struct error *err)
{
	struct difference difference = {.staged = false};
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);
	int rc;

	if (status)
		return status;
	rc = options->check ? difference_begin(&difference, client, 0, err)
			    : confirm_begin(options, client, err);
	rc = rc ? rc
		: send_all(client, requests, options, difference.staged || options->confirm, err);
	rc = rc ? rc : confirm_commit(options, client, err);
	rc = rc ? rc : difference_end(&difference, client, stdout, err);
	difference_free(&difference);
	return talk_end(options, client, rc, err);
}

/* Every line that is wrong is reported. Returns how many. */
static size_t parse_all(char *text, const char *path, bool import,
			const struct cli_options *options, struct requests *requests)
{
	unsigned int number = 0;
	struct batch_line line;
	size_t wrong = 0;

	while (batch_next(&text, &number, &line)) {
		struct error err = ERROR_INIT;
		struct request *request;

		if (import && line.argc > 0 && take_link(&line, requests))
			continue;
		request = add_request(requests);
		if (!request)
			error_set(&err, ERROR_RESOURCE, "out of memory");
		else if (parse(&line, options, request, &err) == CLI_OK) {
			request_print_notes(stderr, request);
			requests->count++;
			continue;
		}
		wrong++;
		report(path, line.number, import, &err);
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
		wrong = parse_all(text, options->batch, false, options, &requests);
		if (wrong)
			status = cli_refused(error_set(err, ERROR_MALFORMED,
						       "%zu line%s wrong: nothing was changed",
						       wrong, wrong == 1 ? " is" : "s are"));
		else if (requests.count)
			status = commit(&requests, options, err);
	}
	free_requests(&requests);
	wipe_free(text, length);
	return status;
}

enum cli_status import_run(const struct command *command, const struct cli_options *options,
			   int argc, char *argv[], struct error *err)
{
	struct requests requests = {.count = 0};
	char *text = NULL;
	size_t length = 0, wrong;
	enum cli_status status;

	if (argc != 1)
		return cli_usage_error(err, "%s needs one FILE, or - for standard input",
				       command->name);
	status = file_read(argv[0], &text, &length, err);
	if (status)
		return status;
	wrong = parse_all(text, argv[0], true, options, &requests);
	if (requests.count)
		status = commit(&requests, options, err);
	if (!status && !options->check)
		printf("%zu lines taken in one commit, %zu not taken\n", requests.count, wrong);
	free_requests(&requests);
	wipe_free(text, length);
	return status;
}
