/* show, get and get-config print a reply as it arrives. */
#include "cli/show.h"

#include "cli/clients.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/talk.h"

static bool wants(const struct show *show, enum object object)
{
	const bool *wanted = show->request->wants;

	if (show->request->problem && !wanted[OBJECT_TUNNEL] && !wanted[OBJECT_SESSION])
		return true;
	if (show->request->verb == VERB_SHOW) /* as ip does: given both words, show sessions */
		return object == (wanted[OBJECT_SESSION] ? OBJECT_SESSION : OBJECT_TUNNEL);
	return object == OBJECT_TUNNEL || wanted[OBJECT_SESSION] || !wanted[OBJECT_TUNNEL];
}

static void put_entry(struct show *show, const struct record *record)
{
	if (!wants(show, record->entry->object))
		return;
	show->empty = false;
	if (show->prometheus)
		prometheus_entry(show->prometheus, record);
	else if (!show->as_text)
		document_entry(&show->document, record->entry);
	else if (record->entry->object == OBJECT_TUNNEL)
		text_tunnel(&show->text, record);
	else
		text_session(&show->text, record);
}

/* A session's plain text shows no defaults: skip the work, there may be many sessions. */
static bool needs_defaults(const struct show *show, enum object object)
{
	return object == OBJECT_TUNNEL || show->options->details || show->prometheus ||
	       show->request->term_count;
}

static void hold_tunnel(struct held_tunnel *held, const struct client_entry *entry)
{
	held->held = true;
	held->entry = *entry;
	held->entry.text = held->text;
	for (unsigned int i = 0; i < row_sets[OBJECT_TUNNEL].count; i++) {
		held->text[i] = entry->text[i] ? held->bytes[i] : NULL;
		if (entry->text[i])
			snprintf(held->bytes[i], sizeof(held->bytes[i]), "%s", entry->text[i]);
	}
}

static void release_tunnel(struct show *show)
{
	struct record record;

	if (!show->tunnel.held)
		return;
	show->tunnel.held = false;
	record_read(&show->tunnel.entry, true, &record);
	put_entry(show, &record);
}

static void take_tunnel(struct show *show, const struct record *record)
{
	show->tunnel_matches = record_matches(record, show->request);
	show->tunnel.held = false;
	show->tunnel_disabled = record_is_disabled(record);
	text_enter(&show->text, record->entry->tunnel_id, record->config.tunnel.peer_tunnel_id);
	if (!show->tunnel_matches || (show->request->problem && !record_is_problem(record, false)))
		return;
	if (show->by_session)
		hold_tunnel(&show->tunnel, record->entry);
	else
		put_entry(show, record);
}

int show_entry(const struct client_entry *entry, void *arg)
{
	struct show *show = arg;
	struct record record;

	record_read(entry, needs_defaults(show, entry->object), &record);
	if (entry->object == OBJECT_TUNNEL)
		take_tunnel(show, &record);
	else if (show->tunnel_matches && record_matches(&record, show->request) &&
		 (!show->request->problem || record_is_problem(&record, show->tunnel_disabled))) {
		release_tunnel(show);
		put_entry(show, &record);
	}
	return 0;
}

/* The object's other leaves decide whether a default holds. */
static uint64_t rows_of_condition(const struct row *row)
{
	if (record_untold(row))
		return message_rows(row->object, PART_STATE);
	if (row->when == WHEN_ALWAYS || !row->fallback)
		return BIT(row_number(row));
	return message_rows(row->object, PART_CONFIG);
}

static uint64_t rows_of_problem(enum object object)
{
	static const char *const leaves[] = {"oper-status", "status-reason", "origin"};
	uint64_t rows = 0;

	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		rows |= BIT(row_number(row_by_leaf(object, leaves[i], strlen(leaves[i]))));
	return rows;
}

void show_rows(const struct show *show, bool config_only, uint64_t ret[OBJECTS])
{
	const struct request *request = show->request;
	enum part last = config_only ? PART_CONFIG : PART_STATE;

	if (!config_only && (request->verb == VERB_GET || show->options->statistics))
		last = PART_STATISTICS;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		ret[object] = 0;
		if (wants(show, object) && show->prometheus)
			ret[object] = prometheus_rows(object);
		else if (wants(show, object))
			ret[object] = show->as_text ? text_rows(object, show->options)
						    : message_rows(object, last);
	}
	for (unsigned int i = 0; i < request->term_count; i++)
		ret[request->terms[i].row->object] |= rows_of_condition(request->terms[i].row);
	for (unsigned int object = 0; request->problem && object < OBJECTS; object++)
		if (ret[object] || object == OBJECT_TUNNEL)
			ret[object] |= rows_of_problem(object);
	ret[OBJECT_TUNNEL] |= BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID);
	if (ret[OBJECT_SESSION])
		ret[OBJECT_SESSION] |= BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID);
}

static enum cli_status read_entries(struct show *show, bool config_only, struct error *err)
{
	uint64_t rows[OBJECTS];
	char *operation = NULL;
	size_t length;
	FILE *file = open_memstream(&operation, &length);
	enum cli_status status;

	if (!file)
		return cli_refused(error_set(err, ERROR_RESOURCE, "out of memory"));
	show_rows(show, config_only, rows);
	message_get(file, show->request, rows, config_only);
	fclose(file);
	status = talk_read(show->options, operation, show_entry, show, err);
	free(operation);
	return status;
}

static enum document_form form(const struct show *show)
{
	if (show->request->verb == VERB_SHOW)
		return DOCUMENT_LIST;
	return show->options->json ? DOCUMENT_JSON : DOCUMENT_XML;
}

void show_begin(struct show *show, const struct request *request, const struct cli_options *options,
		FILE *file)
{
	*show = (struct show){.request = request, .options = options, .empty = true};
	text_begin(&show->text, file, options);
	for (unsigned int i = 0; i < request->term_count; i++)
		show->by_session |= request->terms[i].row->object == OBJECT_SESSION;
	show->as_text = request->verb == VERB_SHOW && !options->json;
	document_begin(&show->document, form(show), file, options->pretty);
}

void show_end(struct show *show)
{
	if (!show->as_text)
		document_end(&show->document);
}

/* On stderr: who reads the output finds it as empty as that of ip. */
static void note_empty(const struct request *request)
{
	const char *name =
		row_sets[request->wants[OBJECT_SESSION] ? OBJECT_SESSION : OBJECT_TUNNEL].name;

	if (request->problem)
		fputs("l2tpv3ctl: no problem: what should be up is up\n", stderr);
	else if (request->term_count)
		fprintf(stderr, "l2tpv3ctl: no %s matches\n", name);
	else
		fprintf(stderr, "l2tpv3ctl: there is no %s\n", name);
}

/* Tunnels, then sessions: a reply has both among each other, and this form must not. */
static enum cli_status run_prometheus(const struct request *request,
				      const struct cli_options *options, struct error *err)
{
	bool all = !request->wants[OBJECT_TUNNEL] && !request->wants[OBJECT_SESSION];
	enum cli_status status = CLI_OK;

	for (enum object object = 0; object < OBJECTS && !status; object++) {
		struct request one = *request;
		struct prometheus prometheus;
		struct show show;

		if (!all && !request->wants[object])
			continue;
		one.verb = VERB_SHOW;
		one.wants[OBJECT_TUNNEL] = object == OBJECT_TUNNEL;
		one.wants[OBJECT_SESSION] = object == OBJECT_SESSION;
		show_begin(&show, &one, options, stdout);
		show.prometheus = &prometheus;
		if (prometheus_begin(&prometheus, object, stdout))
			status = read_entries(&show, false, err);
		else
			status = cli_refused(error_set(err, ERROR_RESOURCE, "out of memory"));
		if (!status && !prometheus_end(&prometheus))
			status = cli_refused(error_set(err, ERROR_RESOURCE, "out of memory"));
		prometheus_free(&prometheus);
	}
	if (!status)
		fputs(PROMETHEUS_END, stdout);
	return status;
}

static enum cli_status run_show(const struct command *command, const struct cli_options *options,
				int argc, char *argv[], bool config_only, struct error *err)
{
	struct request request;
	struct show show;
	enum cli_status status = grammar_parse(options->prometheus ? VERB_GET : command->verb, argc,
					       argv, &request, err);

	if (status)
		return status;
	request_print_notes(stderr, &request);
	if (options->prometheus)
		return run_prometheus(&request, options, err);
	show_begin(&show, &request, options, stdout);
	status = read_entries(&show, config_only, err);
	if (!status)
		show_end(&show);
	if (!status && show.as_text && show.empty)
		note_empty(&request);
	return status;
}

enum cli_status show_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err)
{
	if (argc == 1 && !strcmp(argv[0], "clients"))
		return clients_show(options, err);
	return run_show(command, options, argc, argv, false, err);
}

enum cli_status get_run(const struct command *command, const struct cli_options *options, int argc,
			char *argv[], struct error *err)
{
	return run_show(command, options, argc, argv, false, err);
}

enum cli_status get_config_run(const struct command *command, const struct cli_options *options,
			       int argc, char *argv[], struct error *err)
{
	return run_show(command, options, argc, argv, true, err);
}
