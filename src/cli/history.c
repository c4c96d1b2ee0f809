/* history, history show N, rollback N. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/talk.h"

#define LATEST 50 /* commits that are listed, unless told otherwise */
#define PAGE   1000

/* A commit's number, or how many, as typed. */
static enum cli_status read_number(const char *text, const char *what, uint64_t *ret,
				   struct error *err)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (text[strspn(text, "0123456789")] || !text[0] || errno)
		return cli_usage_error(err, "\"%.64s\" is not %s", text, what);
	return CLI_OK;
}

/* Write "<name><number>N</number></name>" if @text is a number. */
static enum cli_status make_rpc(const char *name, const char *text, char *ret, size_t size,
				struct error *err)
{
	uint64_t number;
	enum cli_status status = read_number(text, "the number of a commit", &number, err);

	if (!status)
		snprintf(ret, size,
			 "<%s xmlns=\"" NAMESPACE_MODULE "\"><number>%" PRIu64 "</number></%s>",
			 name, number, name);
	return status;
}

static const char *leaf(const struct node *commit, const char *name)
{
	const char *text = node_text(commit, name, NAMESPACE_MODULE);
	return text ? text : "";
}

static void print_commit(const struct node *commit)
{
	const char *comment = leaf(commit, "comment");
	const char *user = leaf(commit, "user"); /* AgentX names none */

	printf("%6s  %s  %-8s %-10s %s tunnels, %s sessions%s%s\n", leaf(commit, "number"),
	       leaf(commit, "time"), leaf(commit, "door"), *user ? user : "-",
	       leaf(commit, "tunnels"), leaf(commit, "sessions"), *comment ? ": " : "", comment);
}

/* uint32 in the module; the commit's number is 64 bits wide and so a string in JSON. */
static bool is_count(const char *leaf_name)
{
	return !strcmp(leaf_name, "tunnels") || !strcmp(leaf_name, "sessions");
}

/* A commit is an object with a member for each leaf; a change is a string. */
static void put_json(struct json *json, const struct node *child)
{
	if (!child->first) {
		json_value(json, NULL, child->text, true);
		return;
	}
	json_open(json, NULL, '{');
	for (const struct node *node = child->first; node; node = node->next)
		json_value(json, node->name, node->text, !is_count(node->name));
	json_close(json, '}');
}

static void print_text(const struct node *child)
{
	if (node_is(child, "commit", NAMESPACE_MODULE))
		print_commit(child);
	else if (node_is(child, "change", NAMESPACE_MODULE))
		printf("%s\n", child->text ? child->text : "");
}

/* Print what a reply lists. Returns the number of its last commit; @ret_count: of how many. */
static uint64_t print_reply(const struct tree *reply, struct json *json, bool as_json,
			    uint64_t *ret_count)
{
	uint64_t number = 0;

	*ret_count = 0;
	if (as_json && !json->depth)
		json_open(json, NULL, '[');
	for (const struct node *at = reply->root ? reply->root->first : NULL; at; at = at->next) {
		if (node_is(at, "ok", NAMESPACE_BASE))
			continue; /* there is nothing to list */
		if (as_json)
			put_json(json, at);
		else
			print_text(at);
		number = strtoull(leaf(at, "number"), NULL, 10);
		++*ret_count;
	}
	return number;
}

/* A page after the other, for the history may be long. */
static int print_history(struct client *client, uint64_t left, uint64_t before,
			 const struct cli_options *options, struct json *json, struct error *err)
{
	char operation[256], older[64] = "";
	struct tree reply = {0};
	uint64_t page, count;
	int rc;

	do {
		page = left < PAGE ? left : PAGE;
		if (before)
			snprintf(older, sizeof(older), "<before>%" PRIu64 "</before>", before);
		snprintf(operation, sizeof(operation),
			 "<history xmlns=\"" NAMESPACE_MODULE "\"><last>%" PRIu64
			 "</last>%s</history>",
			 page, older);
		rc = client_rpc(client, operation, &reply, err);
		before = rc ? 0 : print_reply(&reply, json, options->json, &count);
		tree_free(&reply);
		left -= page;
	} while (!rc && left && before && count == page);
	return rc;
}

/* "[last N|all] [before N]" */
static enum cli_status read_range(int argc, char *argv[], uint64_t *ret_last, uint64_t *ret_before,
				  struct error *err)
{
	enum cli_status status = CLI_OK;

	*ret_last = LATEST;
	*ret_before = 0;
	for (int i = 0; i < argc && !status; i++) {
		bool before = !strcmp(argv[i], "before");
		uint64_t *number = before ? ret_before : ret_last;

		if (!strcmp(argv[i], "all"))
			*ret_last = UINT64_MAX;
		else if ((!before && strcmp(argv[i], "last") != 0) || i + 1 == argc)
			status = cli_usage_error(err, "unexpected \"%.64s\"", argv[i]);
		else
			status =
				read_number(argv[++i], "a number of commits or one's", number, err);
		if (!status && !*number)
			status = cli_usage_error(err, "commits are counted from 1");
	}
	return status;
}

static int show_commit(struct client *client, const char *operation,
		       const struct cli_options *options, struct json *json, struct error *err)
{
	struct tree reply = {0};
	uint64_t count;
	int rc = client_rpc(client, operation, &reply, err);

	if (!rc)
		print_reply(&reply, json, options->json, &count);
	tree_free(&reply);
	return rc;
}

enum cli_status history_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err)
{
	bool shows = argc == 2 && !strcmp(argv[0], "show");
	struct json json = {.file = stdout, .pretty = options->pretty};
	uint64_t last = 0, before = 0;
	struct client *client;
	char operation[160];
	enum cli_status status =
		shows ? make_rpc("commit-changes", argv[1], operation, sizeof(operation), err)
		      : read_range(argc, argv, &last, &before, err);
	int rc;

	(void)command;
	if (!status)
		status = talk_connect(options, &client, err);
	if (status)
		return status;
	rc = shows ? show_commit(client, operation, options, &json, err)
		   : print_history(client, last, before, options, &json, err);
	if (json.depth)
		json_close(&json, ']');
	client_close(client);
	return cli_refused(rc);
}

enum cli_status rollback_run(const struct command *command, const struct cli_options *options,
			     int argc, char *argv[], struct error *err)
{
	char operation[160];
	enum cli_status status;

	(void)command;
	if (argc != 1)
		return cli_usage_error(err, "give the number of the commit to return to");
	status = make_rpc("rollback", argv[0], operation, sizeof(operation), err);
	return status ? status : talk_rpc(options, operation, err);
}
