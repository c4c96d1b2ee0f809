/* l2tpv3ctl without a daemon: words to XML, replies to text, files to edit-config. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/show.h"

#define WORDS_MAX    40
#define CASE_MAX     16384
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One case of a data file; the texts are those of its lines by their first character. */
struct sample {
	char name[160];
	char buffer[1024]; /* words of the command line */
	int argc;
	char *argv[WORDS_MAX];
	char ignored[NOTES_MAX];
	char misplaced[NOTES_MAX];
	char refusal[512];
	char entries[8192];
	char expected[CASE_MAX];
};

typedef void check(struct sample *sample);

static void append(char *to, size_t size, const char *text)
{
	size_t used = strlen(to);

	assert_true(used + strlen(text) < size);
	memcpy(to + used, text, strlen(text) + 1);
}

/* Split as a shell does, with single quotes, in place. Returns how many. */
static int split(char *text, char *words[WORDS_MAX])
{
	int count = 0;

	while (*(text += strspn(text, " "))) {
		char *to = text;
		bool quoted = false;

		assert_true(count < WORDS_MAX);
		words[count++] = text;
		for (; *text && (quoted || *text != ' '); text++) {
			if (*text == '\'')
				quoted = !quoted;
			else
				*to++ = *text;
		}
		if (*text)
			text++;
		*to = '\0';
	}
	return count;
}

static void take_line(struct sample *sample, char *line)
{
	char *text = line[0] && line[1] ? line + 2 : line + strlen(line);

	if (line[0] == '#' && line[1] == ' ') {
		append(sample->name, sizeof(sample->name), text);
	} else if (line[0] == '$' && line[1] == ' ') {
		append(sample->buffer, sizeof(sample->buffer), text);
		sample->argc = split(sample->buffer, sample->argv);
	} else if (line[0] == '~') {
		append(sample->ignored, sizeof(sample->ignored), text);
	} else if (line[0] == '^') {
		append(sample->misplaced, sizeof(sample->misplaced), text);
	} else if (line[0] == '!') {
		append(sample->refusal, sizeof(sample->refusal), text);
	} else if (line[0] == '>') {
		append(sample->entries, sizeof(sample->entries), text);
		append(sample->entries, sizeof(sample->entries), "\n");
	} else if (line[0] == '<' && line[1] == ' ') {
		append(sample->expected, sizeof(sample->expected), text);
	} else {
		append(sample->expected, sizeof(sample->expected), line);
		append(sample->expected, sizeof(sample->expected), "\n");
	}
}

static void run_sample(struct sample *sample, check *verify)
{
	if (!sample->argc)
		return; /* the head of the file */
	verify(sample);
}

static void run_file(const char *path, check *verify)
{
	static struct sample sample;
	FILE *file = fopen(path, "r");
	char line[8192];

	assert_non_null(file);
	memset(&sample, 0, sizeof(sample));
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "%%") != 0) {
			take_line(&sample, line);
			continue;
		}
		run_sample(&sample, verify);
		memset(&sample, 0, sizeof(sample));
	}
	run_sample(&sample, verify);
	fclose(file);
}

static void fail_sample(const struct sample *sample, const char *got, const char *expected)
{
	if (strcmp(got, expected) != 0)
		fail_msg("%s\n--- got\n%s\n--- expected\n%s", sample->name, got, expected);
}

/* "status path text"; a trailing "*" stands for whatever the codec says. */
static void check_refusal(const struct sample *sample, enum cli_status status,
			  const struct error *err)
{
	size_t length = strlen(sample->refusal);
	char got[640];

	snprintf(got, sizeof(got), "%d %s %s", (int)status, err->path[0] ? err->path : "-",
		 err->text);
	if (length && sample->refusal[length - 1] == '*') {
		assert_true(strlen(got) > length);
		assert_memory_equal(got, sample->refusal, length - 1);
	} else {
		fail_sample(sample, got, sample->refusal);
	}
}

/* The message without what is around every edit. */
static const char *edit_of(const struct request *request, char ret[CASE_MAX])
{
	static const char head[] = "xmlns:nc=\"urn:ietf:params:xml:ns:netconf:base:1.0\">";
	static const char tail[] = "</l2tpv3></config></edit-config>";
	FILE *file = fmemopen(ret, CASE_MAX, "w");
	char *start;

	message_edit(file, request);
	assert_int_equal(fclose(file), 0);
	start = strstr(ret, head);
	assert_non_null(start);
	start += strlen(head);
	assert_string_equal(start + strlen(start) - strlen(tail), tail);
	start[strlen(start) - strlen(tail)] = '\0';
	return start;
}

static void check_edit(struct sample *sample)
{
	struct error err = ERROR_INIT;
	const struct command *command = command_take(sample->argc, sample->argv, &err);
	enum cli_status status = CLI_USAGE;
	struct request request;
	char buffer[CASE_MAX];

	if (command)
		status = grammar_parse(command->verb, sample->argc - 1, sample->argv + 1, &request,
				       &err);
	if (status) {
		check_refusal(sample, status, &err);
		return;
	}
	fail_sample(sample, edit_of(&request, buffer), sample->expected);
	fail_sample(sample, request.ignored, sample->ignored);
	fail_sample(sample, request.misplaced, sample->misplaced);
	assert_string_equal(sample->refusal, "");
}

static void test_command_lines_become_edits(void **state)
{
	(void)state;
	run_file("tests/data/cli/edits", check_edit);
}

/* "tunnel leaf=value ...": feed it as the client would. */
static void feed(struct show *show, char *line, uint32_t *tunnel_id)
{
	char *words[WORDS_MAX];
	const char *text[64] = {NULL};
	int count = split(line, words);
	struct client_entry entry = {.text = text};

	entry.object = !strcmp(words[0], "session") ? OBJECT_SESSION : OBJECT_TUNNEL;
	for (int i = 1; i < count; i++) {
		char *equals = strchr(words[i], '=');
		const struct row *row =
			row_by_leaf(entry.object, words[i], (size_t)(equals - words[i]));

		assert_non_null(row);
		text[row_number(row)] = equals + 1;
	}
	if (entry.object == OBJECT_TUNNEL)
		*tunnel_id = (uint32_t)strtoul(text[TUNNEL_ID], NULL, 10);
	else
		entry.session_id = (uint32_t)strtoul(text[SESSION_ID], NULL, 10);
	entry.tunnel_id = *tunnel_id;
	assert_int_equal(show_entry(&entry, show), 0);
}

static int take_flags(const struct sample *sample, struct cli_options *options)
{
	int i;

	for (i = 0; i < sample->argc && sample->argv[i][0] == '-'; i++) {
		options->json |= sample->argv[i][1] == 'j';
		options->pretty |= sample->argv[i][1] == 'p';
		options->statistics |= sample->argv[i][1] == 's';
		options->details |= sample->argv[i][1] == 'd';
	}
	return i;
}

static void check_show(struct sample *sample)
{
	struct error err = ERROR_INIT;
	struct cli_options options = {0};
	int first = take_flags(sample, &options);
	const struct command *command =
		command_take(sample->argc - first, sample->argv + first, &err);
	struct request request;
	struct show show;
	uint32_t tunnel_id = 0;
	char output[CASE_MAX] = "";
	FILE *file = fmemopen(output, sizeof(output), "w");

	assert_int_equal(grammar_parse(command->verb, sample->argc - first - 1,
				       sample->argv + first + 1, &request, &err),
			 CLI_OK);
	show_begin(&show, &request, &options, file);
	for (char *line = sample->entries; *line;) {
		char *next = strchr(line, '\n');

		*next = '\0';
		feed(&show, line, &tunnel_id);
		line = next + 1;
	}
	show_end(&show);
	assert_int_equal(fclose(file), 0);
	fail_sample(sample, output, sample->expected);
}

static void test_replies_become_text(void **state)
{
	(void)state;
	run_file("tests/data/cli/shows", check_show);
}

static const char *get_of(const char *words, const struct cli_options *options, bool config_only,
			  char ret[CASE_MAX])
{
	struct error err = ERROR_INIT;
	char buffer[256], *argv[WORDS_MAX];
	struct request request;
	struct show show;
	uint64_t rows[OBJECTS];
	FILE *file = fmemopen(ret, CASE_MAX, "w");
	int argc;

	snprintf(buffer, sizeof(buffer), "%s", words);
	argc = split(buffer, argv);
	assert_int_equal(grammar_parse(command_find(argv[0], &err)->verb, argc - 1, argv + 1,
				       &request, &err),
			 CLI_OK);
	show_begin(&show, &request, options, stdout);
	show_rows(&show, config_only, rows);
	message_get(file, &request, rows, config_only);
	assert_int_equal(fclose(file), 0);
	return ret;
}

static void test_an_object_may_stand_before_every_command_that_takes_one(void **state)
{
	static const char *const commands[] = {
		"add",   "delete", "show", "lst", "list", "set", "get", "a",  "get-config",
		"get-c", "d",      "del",  "s",   "sh",   "l",   "li",  "se", "adopt"};
	static const char *const objects[] = {"tunnel", "session", "t", "tun", "ses", "sessio"};

	(void)state;
	for (size_t i = 0; i < COUNT(commands) * COUNT(objects); i++) {
		const char *before = commands[i % COUNT(commands)];
		const char *object = objects[i / COUNT(commands)];
		struct error err = ERROR_INIT;
		const struct command *expected = command_find(before, &err);
		char words[3][16];
		char *argv[] = {words[0], words[1], words[2]};

		snprintf(words[0], sizeof(words[0]), "%s", object);
		snprintf(words[1], sizeof(words[1]), "%s", before);
		snprintf(words[2], sizeof(words[2]), "tid");
		assert_non_null(expected);
		assert_non_null(expected->object);
		assert_ptr_equal(command_take(3, argv, &err), expected);
		assert_string_equal(argv[0], expected->name);
		assert_string_equal(argv[1], object[0] == 't' ? "tunnel" : "session");
		assert_string_equal(argv[2], "tid");
	}
}

static void test_filters_ask_for_no_more_than_is_printed(void **state)
{
	struct cli_options plain = {0}, counters = {.statistics = true};
	struct cli_options all = {.statistics = true, .details = true};
	char message[CASE_MAX];

	(void)state;
	get_of("show session tid 0x10 sid 5", &plain, false, message);
	assert_non_null(strstr(message, "<tunnel><tunnel-id>16</tunnel-id><peer-tunnel-id/>"
					"<session><session-id>5</session-id><peer-session-id/>"));
	assert_null(strstr(message, "<statistics>"));
	assert_null(strstr(message, "<mtu/>"));
	get_of("show tunnel", &counters, false, message);
	assert_non_null(strstr(message, "<statistics><tx-packets/>"));
	assert_non_null(strstr(message, "<rx-invalid/></statistics>"));
	assert_null(strstr(message, "<discontinuity-time/>"));
	assert_null(strstr(message, "<session>"));
	get_of("show session mtu 1400", &plain, false, message);
	assert_non_null(strstr(message, "<mtu/>"));
	assert_null(strstr(message, "<pseudowire-type/>"));
	get_of("show session udp6_csum_tx on", &plain, false, message);
	assert_non_null(strstr(message, "<encapsulation/>"));
	assert_non_null(strstr(message, "<remote-address/>"));
	get_of("show tunnel l2spec_type default", &plain, false, message);
	assert_non_null(strstr(message, "<origin/>"));
	get_of("show session link_enabled on", &plain, false, message);
	assert_non_null(strstr(message, "<pseudowire-type/>"));
	get_of("show tunnel", &all, false, message);
	assert_non_null(strstr(message, "<discontinuity-time/>"));
	get_of("get", &plain, true, message);
	assert_non_null(strstr(message, "<get-config><source><running/></source>"));
	assert_non_null(strstr(message, "<dead-interval/>"));
	assert_null(strstr(message, "<oper-status/>"));
}

static void test_usage_names_every_keyword_of_the_table(void **state)
{
	char text[CASE_MAX] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	(void)state;
	command_print_usage(file);
	assert_int_equal(fclose(file), 0);
	for (unsigned int object = 0; object < OBJECTS; object++) {
		for (unsigned int i = 0; i < row_sets[object].config_count; i++)
			assert_non_null(strstr(text, row_sets[object].rows[i].cli));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_lines_become_edits),
		cmocka_unit_test(test_replies_become_text),
		cmocka_unit_test(test_an_object_may_stand_before_every_command_that_takes_one),
		cmocka_unit_test(test_filters_ask_for_no_more_than_is_printed),
		cmocka_unit_test(test_usage_names_every_keyword_of_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
