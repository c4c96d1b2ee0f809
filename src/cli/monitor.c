/* monitor: what happens, as it happens, from the daemon's event stream (RFC 5277). */
#include <inttypes.h>
#include <string.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/record.h"
#include "cli/talk.h"
#include "model/names.h"

static const char subscription[] = "<create-subscription xmlns=\"" NAMESPACE_NOTIFICATION "\"/>";

static const char *text_of(const struct node *event, const char *leaf)
{
	const char *text = node_text(event, leaf, NULL);

	return text ? text : "";
}

/* ---- JSON */

/* RFC 7951: 64-bit numbers are strings, and so is all that is no number. */
static bool is_number(const char *leaf)
{
	for (enum object object = OBJECT_TUNNEL; object < OBJECTS; object++) {
		const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

		if (row)
			return row->type == TYPE_U16 || row->type == TYPE_U32;
	}
	return !strcmp(leaf, "timeout") || !strcmp(leaf, "killed-by");
}

static bool is_boolean(const struct node *node)
{
	return !strcmp(node->name, "restores");
}

static void put_members(struct json *json, const struct node *parent);

static void put_value(struct json *json, const struct node *node, const char *name)
{
	if (!node->first) {
		json_value(json, name, node->text, !is_number(node->name) && !is_boolean(node));
		return;
	}
	json_open(json, name, '{');
	put_members(json, node);
	json_close(json, '}');
}

static const struct node *same_name(const struct node *from, const struct node *end,
				    const char *name)
{
	while (from != end && strcmp(from->name, name) != 0)
		from = from->next;
	return from != end ? from : NULL;
}

/* What may be there more than once is a list, however often it is. */
static void put_members(struct json *json, const struct node *parent)
{
	for (const struct node *node = parent->first; node; node = node->next) {
		if (same_name(parent->first, node, node->name))
			continue;
		if (strcmp(node->name, "edit") != 0) {
			put_value(json, node, node->name);
			continue;
		}
		json_open(json, node->name, '[');
		for (const struct node *at = node; at; at = same_name(at->next, NULL, node->name))
			put_value(json, at, NULL);
		json_close(json, ']');
	}
}

static void put_json(const struct node *event, const char *time, bool pretty)
{
	struct json json = {.file = stdout, .pretty = pretty};

	json_open(&json, NULL, '{');
	json_value(&json, "time", time, true);
	json_value(&json, "event", event->name, true);
	put_members(&json, event);
	json_close(&json, '}');
}

/* ---- text */

/* "create /l2tpv3/tunnel[tunnel-id='1']": of an <edit>, without prefixes. */
static void put_edit(const struct node *edit)
{
	const char *target = text_of(edit, "target"), *prefix;
	size_t length = strlen(PREFIX_MODULE ":");

	printf("%s ", text_of(edit, "operation"));
	for (; (prefix = strstr(target, PREFIX_MODULE ":")); target = prefix + length)
		fwrite(target, 1, (size_t)(prefix - target), stdout);
	fputs(target, stdout);
}

/* Does it say nothing? */
static bool is_plain(const struct node *leaf)
{
	return !*leaf->text ||
	       (!strcmp(leaf->name, "status-reason") && !strcmp(leaf->text, "none"));
}

/* Each leaf and its value, but for those that stand before. */
static void put_leaves(const struct node *parent, const char **before)
{
	static const char *const said[] = {"tunnel-id", "session-id", "old-status", "oper-status"};

	for (const struct node *node = parent->first; node; node = node->next) {
		bool is_said = false;

		for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
			is_said |= !strcmp(said[i], node->name);
		if (is_said || (!node->first && is_plain(node)))
			continue;
		if (node->first && strcmp(node->name, "edit") != 0) {
			put_leaves(node, before);
			continue;
		}
		fputs(*before, stdout);
		if (node->first)
			put_edit(node);
		else
			printf("%s %s", node->name, node->text);
		*before = ", ";
	}
}

static void put_text(const struct node *event, const char *time)
{
	const char *tunnel = text_of(event, "tunnel-id"), *session = text_of(event, "session-id");
	const char *old = text_of(event, "old-status"), *status = text_of(event, "oper-status");
	const char *before = ": ";

	printf("%s  ", time);
	if (*tunnel && *session)
		printf("session %s in ", session);
	if (*tunnel)
		printf("tunnel %s", tunnel);
	if (*status)
		printf(" %s%s%s", old, *old ? " -> " : "is ", status);
	else
		printf("%s%s", *tunnel ? " " : "", event->name);
	if (!*tunnel && *session)
		printf(" session %s", session);
	put_leaves(event, &before);
	putchar('\n');
}

/* ---- selection */

/* The leaves that events about tunnels and sessions have. */
static bool is_told(const struct row *row)
{
	return row->access == ACCESS_KEY || row->words == oper_status_words ||
	       row->words == status_reason_words ||
	       row == &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME];
}

static enum cli_status check_terms(const struct request *request, struct error *err)
{
	for (unsigned int i = 0; i < request->term_count; i++)
		if (!is_told(request->terms[i].row))
			return cli_usage_error(
				err,
				"events have no %s: choose by tunnel-id, session-id, "
				"interface-name, oper-status or status-reason",
				request->terms[i].row->leaf);
	return CLI_OK;
}

static bool is_problem(const struct node *event)
{
	return is_problem_status(text_of(event, "oper-status")) &&
	       strcmp(text_of(event, "status-reason"), "disabled") != 0;
}

/* As show selects, of what is about tunnels and sessions. */
static bool is_wanted(const struct node *event, const struct request *request)
{
	bool session = *text_of(event, "session-id");
	bool any = !request->wants[OBJECT_TUNNEL] && !request->wants[OBJECT_SESSION];

	if (!request->term_count && !request->problem && any)
		return true;
	if (!*text_of(event, "tunnel-id") ||
	    (!any && !request->wants[session ? OBJECT_SESSION : OBJECT_TUNNEL]) ||
	    (request->problem && !is_problem(event)))
		return false;
	for (unsigned int i = 0; i < request->term_count; i++)
		if (strcmp(text_of(event, request->terms[i].row->leaf), request->terms[i].text) !=
		    0)
			return false;
	return true;
}

/* ---- the stream */

static void put_event(const struct node *notification, const struct cli_options *options,
		      const struct request *request)
{
	const struct node *event = notification->first;
	const char *time = node_text(notification, "eventTime", NAMESPACE_NOTIFICATION);

	while (event && !strcmp(event->name, "eventTime"))
		event = event->next;
	if (!event || !is_wanted(event, request))
		return;
	if (options->json)
		put_json(event, time ? time : "", options->pretty);
	else
		put_text(event, time ? time : "");
	fflush(stdout);
}

/* Until the daemon ends, or nobody reads. */
static int follow(struct client *client, const struct cli_options *options,
		  const struct request *request, struct error *err)
{
	int rc = client_rpc(client, subscription, NULL, err);

	while (!rc && !ferror(stdout)) {
		struct tree notification = {0};

		rc = client_notification(client, &notification, err);
		if (!rc)
			put_event(notification.root, options, request);
		tree_free(&notification);
	}
	return rc;
}

enum cli_status monitor_run(const struct command *command, const struct cli_options *options,
			    int argc, char *argv[], struct error *err)
{
	struct request request = {.verb = VERB_SHOW};
	struct client *client;
	enum cli_status status = CLI_OK;

	if (argc)
		status = grammar_parse(command->verb, argc, argv, &request, err);
	status = status ? status : check_terms(&request, err);
	if (status)
		return status;
	status = talk_connect(options, &client, err);
	if (status)
		return status;
	status = cli_refused(follow(client, options, &request, err));
	client_close(client);
	return status;
}
