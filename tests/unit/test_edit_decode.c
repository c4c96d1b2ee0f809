/*
 * The content of <config> to typed edits: every file of tests/data/edit. Its
 * first comment says what is given and expected:
 *
 *   default-operation: none     (else merge)
 *   edit merge                  operation of the container
 *   tunnel 1 merge leaf=value -cleared +must-exist !must-not-exist
 *   error TAG PATH [INFO] [INFO2]
 *
 * To add a case, add a file.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <glob.h>
#include <string.h>

#include "model/codec.h"
#include "netconf/decode.h"

#define CASES "tests/data/edit/*.xml"

static const char *const operations[] = {"none", "merge", "create", "replace", "delete", "remove"};

/* The decoder, behind the root element <config>. */
struct feeder {
	struct decoder *decoder;
	unsigned int depth;
};

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct feeder *feeder = arg;

	return feeder->depth++ ? decoder_handler.start(element, feeder->decoder, err) : 0;
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct feeder *feeder = arg;

	return decoder_handler.text(bytes, length, feeder->decoder, err);
}

static int end(void *arg, struct error *err)
{
	struct feeder *feeder = arg;

	return --feeder->depth ? decoder_handler.end(feeder->decoder, err) : 0;
}

static const struct reader_handler handler = {start, text, end};

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *ret = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(ret);
	assert_true(fread(ret, 1, 65535, file) > 0);
	fclose(file);
	return ret;
}

/* Lines of the first comment, trimmed, but for the options. */
static void read_comment(char *document, char *ret, size_t size, enum edit_operation *ret_operation)
{
	char *comment = strndup(strstr(document, "<!--") + 4,
				(size_t)(strstr(document, "-->") - strstr(document, "<!--") - 4));
	char *rest = comment, *line;
	size_t used = 0;

	ret[0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t");
		if (!strncmp(line, "default-operation: ", 19))
			assert_true(decode_operation(line + 19, strlen(line + 19), ret_operation));
		else if (*line)
			used += (size_t)snprintf(ret + used, size - used, "%s\n", line);
	}
	free(comment);
}

static void print_bits(FILE *file, enum object object, char sign, uint64_t bits)
{
	for (unsigned int i = 0; i < row_sets[object].config_count; i++)
		if (bits & BIT(i))
			fprintf(file, " %c%s", sign, row_sets[object].rows[i].leaf);
}

static void print_entry(FILE *file, struct edit_entry *entry)
{
	const struct row_set *set = &row_sets[entry->object];
	char value[VALUE_TEXT_MAX];

	if (entry->object == OBJECT_TUNNEL)
		fprintf(file, "tunnel %u", entry->tunnel_id);
	else
		fprintf(file, "session %u/%u", entry->tunnel_id, entry->session_id);
	fprintf(file, " %s", operations[entry->operation]);
	for (unsigned int i = 0; i < set->config_count; i++) {
		if (&set->rows[i] == set->key || !codec_present(&set->rows[i], edit_values(entry)))
			continue;
		codec_print(&set->rows[i], edit_values(entry), value);
		fprintf(file, " %s=%s", set->rows[i].leaf, value);
	}
	print_bits(file, entry->object, '-', entry->cleared);
	print_bits(file, entry->object, '+', entry->must_exist);
	print_bits(file, entry->object, '!', entry->must_not_exist);
	fprintf(file, "\n");
}

static void print_edit(FILE *file, struct edit *edit)
{
	fprintf(file, "edit %s\n", operations[edit->operation]);
	for (struct edit_entry *entry = edit->first; entry; entry = entry->next)
		print_entry(file, entry);
}

static void print_refusal(FILE *file, const struct error *err)
{
	fprintf(file, "error %s %s", error_kind(err->code)->tag, err->path[0] ? err->path : "-");
	if (err->info[0])
		fprintf(file, " %s", err->info);
	if (err->info2[0])
		fprintf(file, " %s", err->info2);
	fprintf(file, "\n");
	assert_true(strlen(err->text) > 5);
}

/* Fed in pieces of @piece bytes. */
static char *decode(const char *document, enum edit_operation operation, size_t piece)
{
	struct feeder feeder = {decoder_open(operation, 0), 0};
	struct reader *reader = reader_open(&handler, &feeder);
	struct error err = ERROR_INIT;
	struct edit *edit = NULL;
	size_t length = strlen(document), size;
	char *ret = NULL;
	int rc = 0;
	FILE *file = open_memstream(&ret, &size);

	assert_non_null(reader);
	for (size_t at = 0; at < length && !rc; at += piece)
		rc = reader_feed(reader, document + at, length - at < piece ? length - at : piece,
				 &err);
	rc = rc ? rc : reader_finish(reader, &err);
	/* What follows a refusal is not read. */
	assert_int_equal(rc, decoder_failed(feeder.decoder) ? DECODER_REFUSED : 0);
	if (decoder_finish(feeder.decoder, false, &edit, &err))
		print_refusal(file, &err);
	else
		print_edit(file, edit);
	fclose(file);
	edit_free(edit);
	decoder_close(feeder.decoder);
	reader_close(reader);
	return ret;
}

static void test_case(void **state)
{
	static const size_t pieces[] = {65536, 1, 7, 100};
	const char *path = *state;
	char *document = read_file(path), *got, expected[4096];
	enum edit_operation operation = EDIT_MERGE;

	read_comment(document, expected, sizeof(expected), &operation);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		got = decode(document, operation, pieces[i]);
		assert_string_equal(got, expected);
		free(got);
	}
	free(document);
}

int main(void)
{
	struct CMUnitTest *tests;
	glob_t found;
	int result;

	if (glob(CASES, 0, NULL, &found)) {
		fprintf(stderr, "no cases at " CASES ": run it from the top of the checkout\n");
		return 1;
	}
	tests = calloc(found.gl_pathc, sizeof(*tests));
	for (size_t i = 0; i < found.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){.name = strrchr(found.gl_pathv[i], '/') + 1,
					       .test_func = test_case,
					       .initial_state = found.gl_pathv[i]};
	result = _cmocka_run_group_tests("edit_decode", tests, found.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&found);
	return result;
}
