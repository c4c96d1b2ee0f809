/* show, get and get-config print a reply as it arrives. */
#include "cli/show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

static void put_text(const struct text *text, const struct record *record)
{
	if (record->entry->object == OBJECT_TUNNEL)
		text_tunnel(text, record);
	else
		text_session(text, record);
}

/* As `ip -o`: a backslash for each end of a line but the last. */
static void put_line(const struct show *show, const struct record *record)
{
	struct text text = show->text;
	char *lines = NULL;
	size_t length;

	text.file = open_memstream(&lines, &length);
	if (!text.file)
		return;
	put_text(&text, record);
	fclose(text.file);
	for (char *at = lines; (at = strchr(at, '\n')) && at[1]; at++)
		*at = '\\';
	fputs(lines, show->text.file);
	free(lines);
}

static void put_entry(struct show *show, const struct record *record)
{
	struct table *table = show->tables ? &show->tables[record->entry->object] : NULL;

	if (!wants(show, record->entry->object))
		return;
	show->empty = false;
	if (table)
		(show->sampling ? table_sample : table_entry)(table, record);
	else if (show->prometheus)
		prometheus_entry(show->prometheus, record);
	else if (show->options->form)
		script_entry(&show->script, record);
	else if (!show->as_text)
		document_entry(&show->document, record->entry);
	else if (show->options->oneline)
		put_line(show, record);
	else
		put_text(&show->text, record);
}

/* A session's plain text shows no defaults: skip the work, there may be many sessions. */
static bool needs_defaults(const struct show *show, enum object object)
{
	return object == OBJECT_TUNNEL || show->options->details || show->prometheus ||
	       show->tables || show->options->form || show->request->term_count;
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
			ret[object] = show->tables    ? table_rows(&show->tables[object])
				      : show->as_text ? text_rows(object, show->options)
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

enum cli_status show_read(struct show *show, bool config_only, struct error *err)
{
	uint64_t rows[OBJECTS];

	show_rows(show, config_only, rows);
	return message_read(show->options, show->request, rows, config_only, show_entry, show, err);
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
	script_begin(&show->script, options->form, options->directory, file);
}

void show_end(struct show *show)
{
	if (!show->as_text && !show->options->form)
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
			status = show_read(&show, false, err);
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

/* Rates are what the counters grew by in a second: those of one are kept as long by the daemon. */
static enum cli_status read_rates(struct show *show, struct error *err)
{
	const struct timespec pause = {.tv_sec = 1, .tv_nsec = 50000000};
	enum cli_status status;

	for (unsigned int object = 0; object < OBJECTS; object++)
		table_read_again(&show->tables[object]);
	if (!show->tables[OBJECT_TUNNEL].rates && !show->tables[OBJECT_SESSION].rates)
		return CLI_OK;
	show->sampling = true;
	status = show_read(show, false, err);
	show->sampling = false;
	if (!status)
		nanosleep(&pause, NULL);
	for (unsigned int object = 0; object < OBJECTS && !status; object++)
		table_read_again(&show->tables[object]);
	return status;
}

static enum cli_status run_tables(const struct request *request, const struct cli_options *options,
				  struct error *err)
{
	struct table tables[OBJECTS] = {0};
	enum cli_status status = CLI_OK;
	bool printed = false;
	struct show show;

	show_begin(&show, request, options, stdout);
	for (enum object object = 0; object < OBJECTS && !status; object++)
		if (wants(&show, object))
			status = table_begin(&tables[object], object, options, err);
	show.tables = tables;
	status = status ? status : read_rates(&show, err);
	status = status ? status : show_read(&show, false, err);
	for (enum object object = 0; object < OBJECTS && !status; object++) {
		if (!tables[object].grid.rows)
			continue;
		if (printed && !options->brief)
			putchar('\n');
		table_print(&tables[object], stdout, SIZE_MAX);
		printed = true;
	}
	for (enum object object = 0; object < OBJECTS; object++)
		table_free(&tables[object]);
	if (!status && show.empty)
		note_empty(request);
	return status;
}

/* Asked for, or the user's choice for terminals. */
static bool wants_table(const struct cli_options *options)
{
	const char *view = getenv("L2TPV3CTL_VIEW");
	bool other = options->json || options->oneline || options->details;

	return options->table || options->brief || options->columns ||
	       (!other && view && !strcmp(view, "table") && isatty(STDOUT_FILENO));
}

/* The whole configuration, into a file that takes the place of @path once it is on the disk. */
static enum cli_status save(const struct cli_options *options, const char *path, struct error *err)
{
	struct request request = {.verb = VERB_GET};
	char *aside = NULL;
	int fd = asprintf(&aside, "%s.new", path) < 0
			 ? -1
			 : open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	enum cli_status status = CLI_OK;
	struct show show;
	int rc = file ? 0 : -errno;

	if (file) {
		show_begin(&show, &request, options, file);
		status = show_read(&show, true, err);
		if (!status)
			show_end(&show);
		rc = !status && (fflush(file) || fsync(fd)) ? -errno : 0;
		rc = fclose(file) && !rc ? -errno : rc;
		rc = !rc && !status && rename(aside, path) ? -errno : rc;
		if (rc || status)
			unlink(aside);
	}
	if (rc)
		status = cli_refused(
			error_set_errno(err, ERROR_STORAGE, -rc, "cannot write %s", path));
	free(aside);
	return status;
}

enum cli_status save_run(const struct command *command, const struct cli_options *options, int argc,
			 char *argv[], struct error *err)
{
	if (argc != 1)
		return cli_usage_error(err, "%s needs one FILE", command->name);
	return save(options, argv[0], err);
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
	if (request.verb == VERB_SHOW && wants_table(options))
		return run_tables(&request, options, err);
	show_begin(&show, &request, options, stdout);
	status = show_read(&show, config_only, err);
	if (!status)
		show_end(&show);
	if (options->form && script_end(&show.script, err) && !status)
		status = CLI_REFUSED;
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
