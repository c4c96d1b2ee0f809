/* What the shell is told of an entry is the same in elements and in lines. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "netconf/encode.h"
#include "client/entries.h"
#include "netconf/lines.h"

#define ROWS 64

struct target {
	char text[16384];
	size_t length;
};

static int to_target(const char *bytes, size_t length, void *arg)
{
	struct target *target = arg;

	assert_true(target->length + length < sizeof(target->text));
	memcpy(target->text + target->length, bytes, length);
	target->length += length;
	return 0;
}

/* Entries as the client's callback got them. */
struct told {
	unsigned int count;
	struct {
		enum object object;
		uint32_t tunnel_id, session_id;
		bool has[ROWS];
		char text[ROWS][VALUE_TEXT_MAX];
	} entries[4];
};

static int on_entry(const struct client_entry *entry, void *arg)
{
	struct told *told = arg;
	unsigned int at = told->count++;

	assert_in_range(at, 0, 3);
	told->entries[at].object = entry->object;
	told->entries[at].tunnel_id = entry->tunnel_id;
	told->entries[at].session_id = entry->session_id;
	for (unsigned int i = 0; i < ROWS; i++) {
		told->entries[at].has[i] = entry->text[i] != NULL;
		if (entry->text[i])
			snprintf(told->entries[at].text[i], VALUE_TEXT_MAX, "%s", entry->text[i]);
	}
	return 0;
}

/* @piece: bytes that arrive at once. */
static int read_reply(const char *text, size_t length, size_t piece, struct told *told,
		      struct error *err)
{
	struct entries *entries = entries_open(on_entry, told);
	struct reader *reader = reader_open(&entries_handler, entries);
	int result = 0;

	memset(told, 0, sizeof(*told));
	for (size_t at = 0; at < length && !result; at += piece)
		result = reader_feed(reader, text + at, length - at < piece ? length - at : piece,
				     err);
	result = result ? result : reader_finish(reader, err);
	reader_close(reader);
	entries_close(entries);
	return result;
}

static void write_reply(struct target *target, bool lines, const struct view *tunnel,
			const struct view *session)
{
	void (*entry)(struct writer *, const struct view *, uint64_t, unsigned int) =
		lines ? lines_entry : encode_entry;
	struct writer writer;

	memset(target, 0, sizeof(*target));
	writer_init(&writer, to_target, target);
	write_text(&writer, "<rpc-reply xmlns=\"" NAMESPACE_BASE "\" message-id=\"1\"><data>");
	(lines ? lines_begin : encode_begin)(&writer, 0);
	entry(&writer, tunnel, ROWS_ALL, 0);
	entry(&writer, session, ROWS_ALL, 0);
	encode_entry_end(&writer, OBJECT_SESSION, 0);
	entry(&writer, session, view_key(OBJECT_SESSION), 0);
	encode_entry_end(&writer, OBJECT_SESSION, 0);
	encode_entry_end(&writer, OBJECT_TUNNEL, 0);
	encode_end(&writer, 0);
	write_text(&writer, "</data></rpc-reply>");
	assert_int_equal(writer_flush(&writer), 0);
}

static void set(enum object object, void *config, unsigned int row, const char *text)
{
	const struct row *at = &row_sets[object].rows[row];

	if (codec_parse(at, config, text, strlen(text), NULL))
		fail_msg("%s refuses %s", at->leaf, text);
}

static void both_forms_tell_the_same(void **state)
{
	static const struct statistics statistics = {.rx_packets = UINT64_MAX, .tx_bytes = 7};
	static const struct session_state session_state;
	static const struct tunnel_state tunnel_state;
	static struct told plain, lines;
	static struct target target;
	struct tunnel tunnel = {0};
	struct session session = {0};
	struct view views[OBJECTS];
	struct error err = ERROR_INIT;

	(void)state;
	set(OBJECT_TUNNEL, &tunnel, TUNNEL_ID, "4294967295");
	set(OBJECT_TUNNEL, &tunnel, TUNNEL_DESCRIPTION,
	    "\\| and |, \\\\ & <\"]]>\" Z\xc3\xbcrich\\");
	set(OBJECT_TUNNEL, &tunnel, TUNNEL_REMOTE_ADDRESS, "2001:db8::1");
	set(OBJECT_SESSION, &session, SESSION_ID, "3");
	set(OBJECT_SESSION, &session, SESSION_DESCRIPTION, "");
	set(OBJECT_SESSION, &session, SESSION_TX_COOKIE, "");
	views[OBJECT_TUNNEL] = view_tunnel_config(&tunnel);
	views[OBJECT_SESSION] = view_session_config(&session);
	views[OBJECT_TUNNEL].state = &tunnel_state;
	views[OBJECT_SESSION].state = &session_state;
	views[OBJECT_SESSION].statistics = &statistics;
	write_reply(&target, false, &views[OBJECT_TUNNEL], &views[OBJECT_SESSION]);
	assert_int_equal(read_reply(target.text, target.length, 1000, &plain, &err), 0);
	assert_int_equal(plain.count, 3);
	assert_int_equal(plain.entries[1].session_id, 3);
	write_reply(&target, true, &views[OBJECT_TUNNEL], &views[OBJECT_SESSION]);
	for (size_t piece = 1; piece <= target.length; piece += 13) {
		if (read_reply(target.text, target.length, piece, &lines, &err))
			fail_msg("%s", err.text);
		assert_memory_equal(&lines, &plain, sizeof(plain));
	}
}

static void what_is_no_line_is_refused(void **state)
{
	static const char *const texts[] = {
		"x", "1", "7|3", "1|1|", "a|b|1", "1|ffffffffffffffff", "1|-1", "1|1x", "", "a\\|1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *values[ROWS] = {NULL};
		char text[64];

		snprintf(text, sizeof(text), "%s", texts[i]);
		if (lines_split(OBJECT_SESSION, text, values))
			fail_msg("%s", texts[i]);
	}
}

static void a_bad_line_ends_the_reading(void **state)
{
	static const char reply[] = "<rpc-reply xmlns=\"" NAMESPACE_BASE "\"><data>"
				    "<l2tpv3 xmlns=\"" NAMESPACE_LINES "\">"
				    "<tunnel>junk</tunnel></l2tpv3></data></rpc-reply>";
	static struct told told;
	struct error err = ERROR_INIT;

	(void)state;
	assert_true(read_reply(reply, sizeof(reply) - 1, 1000, &told, &err) < 0);
	assert_int_equal(err.code, ERROR_MALFORMED);
	assert_int_equal(told.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_tell_the_same),
		cmocka_unit_test(what_is_no_line_is_refused),
		cmocka_unit_test(a_bad_line_ends_the_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
