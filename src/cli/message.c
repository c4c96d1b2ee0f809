#include "cli/message.h"

#include <stdlib.h>

#include "cli/record.h"
#include "cli/talk.h"

static void put_leaf(FILE *file, const struct row *row, const void *config, const char *operation)
{
	char text[VALUE_TEXT_MAX];
	char escaped[6 * VALUE_TEXT_MAX];

	codec_print(row, config, text);
	client_escape(text, escaped, sizeof(escaped));
	fprintf(file, "<%s%s>%s</%s>", row->leaf, operation, escaped, row->leaf);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(escaped, sizeof(escaped));
}

/* The leaves given, the key first, then those to clear. */
static void put_leaves(FILE *file, const struct request *request, enum object object)
{
	const struct row_set *set = &row_sets[object];
	const void *config = request_config(request, object);
	const char *operation = request->verb == VERB_SET ? " nc:operation=\"merge\"" : "";

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (row == set->key)
			put_leaf(file, row, config, "");
		else if (request->verb == VERB_DELETE)
			continue;
		else if (codec_present(row, config))
			put_leaf(file, row, config, operation);
		else if (request->cleared[object] & BIT(i))
			fprintf(file, "<%s nc:operation=\"remove\"/>", row->leaf);
	}
}

static const char *entry_operation(enum verb verb)
{
	if (verb == VERB_ADD)
		return " nc:operation=\"create\"";
	return verb == VERB_DELETE ? " nc:operation=\"delete\"" : "";
}

/* It inherits the operation of a tunnel that is created with it. */
static void put_session(FILE *file, const struct request *request)
{
	fprintf(file, "<session%s>",
		request->wants[OBJECT_TUNNEL] ? "" : entry_operation(request->verb));
	put_leaves(file, request, OBJECT_SESSION);
	fputs("</session>", file);
}

void message_edit_tunnel(FILE *file, const struct request *const *requests, size_t count)
{
	const struct request *own = NULL;

	for (size_t i = 0; i < count && !own; i++)
		own = requests[i]->wants[OBJECT_TUNNEL] ? requests[i] : NULL;
	fprintf(file, "<tunnel%s>", own ? entry_operation(own->verb) : "");
	if (own)
		put_leaves(file, own, OBJECT_TUNNEL);
	else
		put_leaf(file, row_sets[OBJECT_TUNNEL].key, &requests[0]->tunnel, "");
	for (size_t i = 0; i < count; i++)
		if (requests[i]->wants[OBJECT_SESSION])
			put_session(file, requests[i]);
	fputs("</tunnel>", file);
	for (size_t i = 0; i < count; i++) /* the daemon says that it is there twice */
		if (requests[i] != own && requests[i]->wants[OBJECT_TUNNEL])
			message_edit_tunnel(file, &requests[i], 1);
}

void message_edit_begin(FILE *file, const struct request *request)
{
	fprintf(file,
		"<edit-config><target><%s/></target>"
		"<default-operation>none</default-operation>",
		request->staged ? "candidate" : "running");
	if (request->check)
		fputs("<test-option>test-only</test-option>", file);
	fputs("<config><" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE
	      "\" xmlns:nc=\"" NAMESPACE_BASE "\">",
	      file);
}

void message_comment(FILE *file, const char *comment)
{
	char escaped[6 * COMMENT_MAX];

	if (comment && client_escape(comment, escaped, sizeof(escaped)) >= 0)
		fprintf(file, "<comment xmlns=\"" NAMESPACE_CLIENTS "\">%s</comment>", escaped);
}

void message_edit_end(FILE *file, const char *comment)
{
	fputs("</" ELEMENT_CONTAINER "></config>", file);
	message_comment(file, comment);
	fputs("</edit-config>", file);
}

void message_edit(FILE *file, const struct request *request)
{
	message_edit_begin(file, request);
	message_edit_tunnel(file, &request, 1);
	message_edit_end(file, request->comment);
}

/* A condition that the daemon can judge as we do: every entry has the leaf, if it has it at all. */
static const char *condition_on(const struct request *request, const struct row *row,
				const struct word *status)
{
	if (status && row->words == oper_status_words)
		return status->name;
	return row->part == PART_STATE && row->type == TYPE_ENUM ? request_term(request, row)
								 : NULL;
}

/*
 * RFC 6241 section 6.2: an empty leaf selects, a leaf with text is a condition. @status: the
 * oper-status that is asked for; NULL: any.
 */
static void put_selection(FILE *file, const struct request *request, enum object object,
			  uint64_t rows, const struct word *status)
{
	const struct row_set *set = &row_sets[object];
	const char *key = request_term(request, set->key);
	const char *condition;
	bool in_statistics = false;

	fprintf(file, "<%s>", set->name);
	if (key)
		fprintf(file, "<%s>%s</%s>", set->key->leaf, key, set->key->leaf);
	for (unsigned int i = key ? 1 : 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (!(rows & BIT(i)))
			continue;
		if (row->part == PART_STATISTICS && !in_statistics)
			fputs("<" ELEMENT_STATISTICS ">", file);
		in_statistics = row->part == PART_STATISTICS;
		condition = condition_on(request, row, status);
		fprintf(file, condition ? "<%s>%s</%s>" : "<%s/>", row->leaf, condition, row->leaf);
	}
	if (in_statistics)
		fputs("</" ELEMENT_STATISTICS ">", file);
}

/* One selection, or one for each state that a problem may be in. @after follows each. */
static void put_selections(FILE *file, const struct request *request, enum object object,
			   uint64_t rows, const char *after)
{
	const enum oper_status *state = problem_states;

	do {
		put_selection(file, request, object, rows,
			      request->problem ? word_by_value(oper_status_words, *state) : NULL);
		fputs(after, file);
	} while (request->problem && *++state);
}

void message_get(FILE *file, const struct request *request, const uint64_t rows[OBJECTS],
		 bool config_only)
{
	fputs(config_only ? "<get-config><source><running/></source>" : "<get>", file);
	fputs("<filter type=\"subtree\"><" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE "\">",
	      file);
	if (rows[OBJECT_SESSION]) {
		put_selection(file, request, OBJECT_TUNNEL, rows[OBJECT_TUNNEL], NULL);
		put_selections(file, request, OBJECT_SESSION, rows[OBJECT_SESSION], "</session>");
		fputs("</tunnel>", file);
	} else {
		put_selections(file, request, OBJECT_TUNNEL, rows[OBJECT_TUNNEL], "</tunnel>");
	}
	fputs("</" ELEMENT_CONTAINER "></filter>", file);
	fputs(config_only ? "</get-config>" : "</get>", file);
}

enum cli_status message_read(const struct cli_options *options, const struct request *request,
			     const uint64_t rows[OBJECTS], bool config_only, client_entry_cb *cb,
			     void *arg, struct error *err)
{
	char *operation = NULL;
	size_t length;
	FILE *file = open_memstream(&operation, &length);
	enum cli_status status;

	if (!file)
		return cli_refused(error_set(err, ERROR_RESOURCE, "out of memory"));
	message_get(file, request, rows, config_only);
	fclose(file);
	status = talk_read(options, operation, cb, arg, err);
	free(operation);
	return status;
}

void message_adopt(FILE *file, const struct request *request)
{
	fputs("<adopt xmlns=\"" NAMESPACE_MODULE "\">", file);
	if (request->tunnel.tunnel_id)
		put_leaf(file, row_sets[OBJECT_TUNNEL].key, &request->tunnel, "");
	else
		fputs("<all/>", file);
	message_comment(file, request->comment);
	fputs("</adopt>", file);
}

uint64_t message_rows(enum object object, enum part last)
{
	const struct row_set *set = &row_sets[object];
	uint64_t rows = 0;

	for (unsigned int i = 0; i < set->count; i++) {
		if (set->rows[i].part <= last)
			rows |= BIT(i);
	}
	return rows;
}
