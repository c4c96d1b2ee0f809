/* history, history show N, rollback N. */
#include <errno.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/message.h"
#include "cli/talk.h"

#define NUMBER_MAX 20 /* digits of a 64-bit number */

/* Write "<name><number>N</number></name>" if @text is a number. */
static enum cli_status make_rpc(const char *name, const char *text, char *ret, size_t size,
				struct error *err)
{
	if (strlen(text) > NUMBER_MAX || text[strspn(text, "0123456789")] || !text[0])
		return cli_usage_error(err, "\"%.64s\" is not the number of a commit", text);
	snprintf(ret, size, "<%s xmlns=\"" NAMESPACE_MODULE "\"><number>%s</number></%s>", name,
		 text, name);
	return CLI_OK;
}

static enum cli_status ask(const struct cli_options *options, const char *operation,
			   struct tree *ret, struct error *err)
{
	struct client *client;
	enum cli_status status = talk_connect(options, &client, err);

	if (status)
		return status;
	status = cli_refused(client_rpc(client, operation, ret, err));
	client_close(client);
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
static void print_json(const struct node *child, const struct cli_options *options)
{
	struct json json = {.file = stdout, .pretty = options->pretty};

	json_open(&json, NULL, '[');
	for (; child; child = child->next) {
		if (!child->first) {
			json_value(&json, NULL, child->text, true);
			continue;
		}
		json_open(&json, NULL, '{');
		for (const struct node *node = child->first; node; node = node->next)
			json_value(&json, node->name, node->text, !is_count(node->name));
		json_close(&json, '}');
	}
	json_close(&json, ']');
}

static void print_text(const struct node *child)
{
	for (; child; child = child->next) {
		if (node_is(child, "commit", NAMESPACE_MODULE))
			print_commit(child);
		else if (node_is(child, "change", NAMESPACE_MODULE))
			printf("%s\n", child->text ? child->text : "");
	}
}

static void print_reply(const struct tree *reply, const struct cli_options *options)
{
	const struct node *first = reply->root ? reply->root->first : NULL;

	if (options->json)
		print_json(first, options);
	else
		print_text(first);
}

enum cli_status history_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err)
{
	char operation[160] = "<history xmlns=\"" NAMESPACE_MODULE "\"/>";
	struct tree reply = {0};
	enum cli_status status = CLI_OK;

	(void)command;
	if (argc == 2 && !strcmp(argv[0], "show"))
		status = make_rpc("commit-changes", argv[1], operation, sizeof(operation), err);
	else if (argc)
		status = cli_usage_error(err, "unexpected \"%.64s\"", argv[0]);
	if (!status)
		status = ask(options, operation, &reply, err);
	if (!status)
		print_reply(&reply, options);
	tree_free(&reply);
	return status;
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
