/* Writing XML: escaping, paths, and configuration files that read back as they were. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "netconf/encode.h"
#include "netconf/snapshot.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct target {
	char text[4096];
	size_t length, calls;
};

static int to_target(const char *bytes, size_t length, void *arg)
{
	struct target *target = arg;

	assert_true(length > 0);
	assert_true(target->length + length < sizeof(target->text));
	memcpy(target->text + target->length, bytes, length);
	target->length += length;
	target->calls++;
	return 0;
}

static int to_nowhere(const char *bytes, size_t length, void *arg)
{
	unsigned int *calls = arg;

	(void)bytes, (void)length;
	++*calls;
	return -ENOSPC;
}

static const char *escaped(const char *text, struct target *target)
{
	struct writer writer;

	*target = (struct target){0};
	writer_init(&writer, to_target, target);
	write_escaped(&writer, text, strlen(text));
	assert_int_equal(writer_flush(&writer), 0);
	return target->text;
}

/* ']]>' never stands in it, and nothing that is no XML character. */
static void test_escaping(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"plain", "plain"},
		{"]]>]]>", "]]&gt;]]&gt;"},
		{"<a b=\"c\">&amp;", "&lt;a b=&quot;c&quot;&gt;&amp;amp;"},
		{"a\tb\nc\rd", "a&#9;b&#10;c&#13;d"},
		{"\x01\x1f\x7f", "??\x7f"},
		{"Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80",
		 "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xc3", "?"},
		{"\xff\xfe", "??"},
		{"a\xe2\x82", "a??"},
		{"\xed\xa0\x80", "???"},
		{"\xc0\x80", "??"},
	};
	struct target target;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(escaped(cases[i][0], &target), cases[i][1]);
}

static void test_paths(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"/l2tpv3", "/l:l2tpv3"},
		{"/l2tpv3/tunnel[tunnel-id='1']/session[session-id='2']/mtu",
		 "/l:l2tpv3/l:tunnel[l:tunnel-id='1']/l:session[l:session-id='2']/l:mtu"},
		{"/a[b='/c[d']", "/l:a[l:b='/c[d']"},
	};
	struct target target;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct writer writer;

		target = (struct target){0};
		writer_init(&writer, to_target, &target);
		write_path(&writer, cases[i][0], "l");
		writer_flush(&writer);
		assert_string_equal(target.text, cases[i][1]);
	}
}

/* A sink that fails is not called again, and the failure is told at the end. */
static void test_failure_sticks(void **state)
{
	struct writer writer;
	unsigned int calls = 0;

	(void)state;
	writer_init(&writer, to_nowhere, &calls);
	for (unsigned int i = 0; i < 10 * WRITER_BUFFER; i++)
		write_bytes(&writer, "x", 1);
	assert_int_equal(writer_flush(&writer), -ENOSPC);
	assert_int_equal(calls, 1);
}

/* A value of the row that is valid by itself: of the least of its type, or of the most. */
static const char *sample(const struct row *row, bool most, char room[VALUE_TEXT_MAX])
{
	const struct word *word = row->words;

	switch (row->type) {
	case TYPE_BOOL:
		return most ? "true" : "false";
	case TYPE_U16:
	case TYPE_U32:
		snprintf(room, VALUE_TEXT_MAX, "%" PRIu64, (uint64_t)(most ? row->max : row->min));
		return room;
	case TYPE_ENUM:
		while (most && word[1].name)
			word++;
		return word->name;
	case TYPE_STRING:
		return most ? "<Z\xc3\xbcrich> & \"]]>\"" : "";
	case TYPE_IFNAME:
		return most ? "eth0&<>" : "'x'";
	case TYPE_ADDRESS:
		return most ? "2001:db8::1" : "192.0.2.1";
	case TYPE_MAC:
		return most ? "fe:ff:ff:ff:ff:ff" : "02:00:00:00:00:01";
	case TYPE_COOKIE:
		return most ? "0123456789abcdef" : "";
	default:
		fail_msg("%s: its type has no sample", row->leaf);
		return NULL;
	}
}

/* Every row, present in one entry and absent in the next. */
static void fill(enum object object, void *config, unsigned int id, unsigned int which)
{
	const struct row_set *set = &row_sets[object];
	char room[VALUE_TEXT_MAX];
	const char *text;

	codec_set_number(set->key, config, id, NULL);
	for (unsigned int i = 1; i < set->config_count; i++) {
		if (which != i && which != 0)
			continue;
		text = sample(&set->rows[i], id % 2, room);
		assert_int_equal(codec_parse(&set->rows[i], config, text, strlen(text), NULL), 0);
	}
}

static struct datastore *make_running(void)
{
	struct datastore *running = datastore_new();

	for (unsigned int t = 0; t < TUNNEL_CONFIG_ROWS; t++) {
		struct tunnel tunnel = {0};

		fill(OBJECT_TUNNEL, &tunnel, t + 1, t);
		datastore_configure(running, t + 1, 0, &tunnel);
		for (unsigned int s = 0; s < SESSION_CONFIG_ROWS; s++) {
			struct session session = {0};

			fill(OBJECT_SESSION, &session, 100 * t + s + 1, s);
			session.interface_name[0] = '\0';
			session.present &= ~BIT(SESSION_INTERFACE_NAME);
			datastore_configure(running, t + 1, 100 * t + s + 1, &session);
		}
	}
	return running;
}

static void write_file(const char *path, const struct datastore *running)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(snapshot_write(file, running, NULL), 0);
	assert_int_equal(fclose(file), 0);
}

/* Nothing the edit would do to what it was written from. */
static void test_file_reads_back(void **state)
{
	struct datastore *running = make_running();
	const struct datastore_counts *counts = datastore_counts(running);
	struct candidate candidate;
	struct edit *edit = NULL;
	struct error err = ERROR_INIT;
	char path[] = "/tmp/test_encode.XXXXXX";

	(void)state;
	close(mkstemp(path));
	write_file(path, running);
	if (snapshot_read(path, &edit, &err, NULL))
		fail_msg("%s", err.text);
	assert_int_equal(edit->operation, EDIT_REPLACE);
	assert_int_equal(edit->count, counts->configured_tunnels + counts->configured_sessions);
	candidate_open(&candidate, running);
	assert_int_equal(candidate_apply(&candidate, edit, &err), 0);
	assert_false(candidate_dirty(&candidate));
	edit_free(edit);
	datastore_free(running);
	unlink(path);
}

/* Foreign entries are not ours to keep. */
static void test_foreign_is_not_written(void **state)
{
	struct datastore *running = datastore_new();
	struct tunnel tunnel = {.tunnel_id = 1, .present = BIT(TUNNEL_ID)};
	struct target target = {0};
	struct writer writer;

	(void)state;
	datastore_observe(running, 1, 0, &tunnel);
	writer_init(&writer, to_target, &target);
	encode_running(&writer, running, 0);
	writer_flush(&writer);
	assert_string_equal(target.text, "<l2tpv3 xmlns=\"" NAMESPACE_MODULE "\"></l2tpv3>");
	datastore_free(running);
}

static void refuse(const char *document, enum error_code code, const char *part)
{
	char path[] = "/tmp/test_encode.XXXXXX", place[64];
	int fd = mkstemp(path);
	struct edit *edit = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(write(fd, document, strlen(document)), (ssize_t)strlen(document));
	close(fd);
	assert_true(snapshot_read(path, &edit, &err, NULL) < 0);
	assert_null(edit);
	unlink(path);
	assert_int_equal(err.code, code);
	snprintf(place, sizeof(place), "%s%s", path, part);
	if (!strstr(err.text, place))
		fail_msg("\"%s\" has no \"%s\"", err.text, place);
}

static void test_a_file_that_cannot_be_read(void **state)
{
	static const char *const paths[] = {"/nonexistent/config.xml", "/tmp"};
	struct edit *edit = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct error err = ERROR_INIT;

		assert_true(snapshot_read(paths[i], &edit, &err, NULL) < 0);
		assert_null(edit);
		assert_int_equal(err.code, ERROR_STORAGE);
		assert_non_null(strstr(err.text, paths[i]));
	}
}

/* The file, the line, what is wrong, and what to do. */
static void test_file_errors_name_the_line(void **state)
{
#define HEAD "<l2tpv3 xmlns='" NAMESPACE_MODULE "'>\n"
	(void)state;
	refuse("", ERROR_MALFORMED, ":1: there is no XML");
	refuse("junk", ERROR_MALFORMED, ":1: ");
	refuse(HEAD "<tunnel>\n</l2tpv3>", ERROR_MALFORMED, ":3: Opening and ending tag mismatch");
	refuse(HEAD "\n", ERROR_MALFORMED, ":");
	refuse(HEAD "<tunnel>\n<tunnel-id>1</tunnel-id>\n<mtu>3</mtu></tunnel></l2tpv3>",
	       ERROR_UNKNOWN_ELEMENT, ":4: ");
	refuse(HEAD "<tunnel>\n<tunnel-id>0</tunnel-id></tunnel></l2tpv3>", ERROR_INVALID_VALUE,
	       ":3: ");
	refuse("<!DOCTYPE l2tpv3>\n" HEAD "</l2tpv3>", ERROR_MALFORMED, ":1: a DOCTYPE");
	refuse("<config/>\n<config/>", ERROR_MALFORMED, ":2: ");
	refuse("<other/>", ERROR_UNKNOWN_NAMESPACE, ":1: ");
}

static void test_file_wrappers(void **state)
{
	static const char *const documents[] = {
		"<l2tpv3 xmlns='" NAMESPACE_MODULE "'/>",
		"<config><l2tpv3 xmlns='" NAMESPACE_MODULE "'/></config>",
		"\n<?xml version='1.0' encoding='utf-8'?>\n<data xmlns='" NAMESPACE_BASE
		"'><l2tpv3 xmlns='" NAMESPACE_MODULE "'/></data>",
		"<rpc-reply xmlns='" NAMESPACE_BASE "'><data><l2tpv3 xmlns='" NAMESPACE_MODULE
		"'/></data></rpc-reply>",
		"<data/>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		char path[] = "/tmp/test_encode.XXXXXX";
		int fd = mkstemp(path);
		struct edit *edit = NULL;
		struct error err = ERROR_INIT;

		assert_true(write(fd, documents[i], strlen(documents[i])) > 0);
		close(fd);
		if (snapshot_read(path, &edit, &err, NULL))
			fail_msg("%s", err.text);
		assert_int_equal(edit->count, 0);
		edit_free(edit);
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_failure_sticks),
		cmocka_unit_test(test_file_reads_back),
		cmocka_unit_test(test_foreign_is_not_written),
		cmocka_unit_test(test_a_file_that_cannot_be_read),
		cmocka_unit_test(test_file_errors_name_the_line),
		cmocka_unit_test(test_file_wrappers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
