/* Notifications as text: which edits a commit is told as, times, and which contents a filter takes.
 */
#include "store.h"

#include <errno.h>

#include "netconf/config_change.h"
#include "netconf/notification.h"
#include "netconf/reader.h"
#include "netconf/subtree.h"

static struct writer writer;

static int full(const char *bytes, size_t length, void *arg)
{
	(void)bytes, (void)length, (void)arg;
	return -ENOSPC;
}

/* What a commit of @edit, which is freed, says. */
static const char *told(struct datastore *running, struct edit *edit)
{
	struct error err = ERROR_INIT;
	struct candidate candidate;

	candidate_open(&candidate, running);
	if (apply(&candidate, edit, &err) != 0)
		fail_msg("%s: %s", err.path, err.text);
	writer_init(&writer, full, NULL);
	config_change_write(&writer, &candidate);
	assert_int_equal(writer.rc, 0);
	writer.buffer[writer.used] = '\0';
	candidate_discard(&candidate);
	return writer.buffer;
}

static size_t edits_in(const char *text)
{
	size_t count = 0;

	for (; (text = strstr(text, "<edit>")) != NULL; text++)
		count++;
	return count;
}

#define TUNNEL(id) "/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='" id "']"
#define EDIT(path, operation)                                                                      \
	"<edit><target>" path "</target><operation>" operation "</operation></edit>"

static void test_leaves_and_entries(void **state)
{
	struct datastore *running = populate(3, 2);
	struct edit *edit = edit_new();

	(void)state;
	add(edit, EDIT_MERGE, 1, 0, "description=x udp-checksum=true !local-port");
	add(edit, EDIT_MERGE, 1, 1, "mtu=1300");
	add(edit, EDIT_DELETE, 1, 2, "");
	add(edit, EDIT_DELETE, 2, 0, "");
	add_tunnel(edit, EDIT_CREATE, 9);
	add_session(edit, EDIT_CREATE, 9, 90);
	assert_string_equal(
		told(running, edit),
		EDIT(TUNNEL("1") "/l2tp:description",
		     "create") EDIT(TUNNEL("1") "/l2tp:local-port",
				    "delete") EDIT(TUNNEL("1") "/l2tp:udp-checksum", "create")
			EDIT(TUNNEL("1") "/l2tp:session[l2tp:session-id='1']/l2tp:mtu", "replace")
				EDIT(TUNNEL("1") "/l2tp:session[l2tp:session-id='2']", "delete")
					EDIT(TUNNEL("2"), "delete") EDIT(TUNNEL("9"), "create"));
	datastore_free(running);
}

static struct edit *mtu_of(uint32_t tunnel, uint32_t first, uint32_t count)
{
	struct edit *edit = edit_new();

	for (uint32_t i = 0; i < count; i++)
		add(edit, EDIT_MERGE, tunnel, first + i, "mtu=1300");
	return edit;
}

static void test_many_sessions_are_told_as_their_tunnel(void **state)
{
	struct datastore *running = populate(1, 100);

	(void)state;
	assert_int_equal(edits_in(told(running, mtu_of(1, 1, CONFIG_CHANGE_SESSIONS))),
			 CONFIG_CHANGE_SESSIONS);
	assert_string_equal(told(running, mtu_of(1, 1, CONFIG_CHANGE_SESSIONS + 1)),
			    EDIT(TUNNEL("1"), "merge"));
	datastore_free(running);
}

static struct edit *new_tunnels(uint32_t count, uint32_t sessions)
{
	struct edit *edit = edit_new();

	for (uint32_t i = 1; i <= count; i++) {
		add_tunnel(edit, EDIT_CREATE, i);
		for (uint32_t s = 1; s <= sessions; s++)
			add_session(edit, EDIT_CREATE, i, 100000 * i + s);
	}
	return edit;
}

static void test_many_edits_are_told_as_the_container(void **state)
{
	struct datastore *running = datastore_new();

	(void)state;
	assert_int_equal(edits_in(told(running, new_tunnels(CONFIG_CHANGE_EDITS, 3))),
			 CONFIG_CHANGE_EDITS);
	assert_string_equal(told(running, new_tunnels(CONFIG_CHANGE_EDITS + 1, 0)),
			    EDIT("/l2tp:l2tpv3", "merge"));
	assert_string_equal(told(running, new_tunnels(1, CONFIG_CHANGE_TOUCHED - 1)),
			    EDIT(TUNNEL("1"), "create"));
	assert_string_equal(told(running, new_tunnels(1, CONFIG_CHANGE_TOUCHED)),
			    EDIT("/l2tp:l2tpv3", "merge"));
	datastore_free(running);
}

/* The longest list there is fits into the writer's buffer, which events.c never flushes. */
static void test_the_longest_list_fits(void **state)
{
	struct datastore *running = datastore_new();
	struct edit *edit = edit_new();

	(void)state;
	for (uint32_t i = 0; i < CONFIG_CHANGE_EDITS / CONFIG_CHANGE_SESSIONS; i++) {
		add_tunnel(edit, EDIT_CREATE, UINT32_MAX - i);
		for (uint32_t s = 0; s < CONFIG_CHANGE_SESSIONS; s++)
			add_session(edit, EDIT_CREATE, UINT32_MAX - i,
				    UINT32_MAX - i * CONFIG_CHANGE_SESSIONS - s);
	}
	commit(running, edit);
	edit = edit_new();
	for (uint32_t i = 0; i < CONFIG_CHANGE_EDITS / CONFIG_CHANGE_SESSIONS; i++)
		for (uint32_t s = 0; s < CONFIG_CHANGE_SESSIONS; s++)
			add(edit, EDIT_MERGE, UINT32_MAX - i,
			    UINT32_MAX - i * CONFIG_CHANGE_SESSIONS - s,
			    "l2-specific-sublayer=none");
	assert_int_equal(edits_in(told(running, edit)), CONFIG_CHANGE_EDITS);
	assert_true(writer.used < WRITER_BUFFER - 1024);
	datastore_free(running);
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int64_t rest;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0, 0},
		{"2026-11-30T18:00:00Z", 1796061600, 0},
		{"2026-11-30T18:00:00.5Z", 1796061600, 500000000},
		{"2026-11-30T18:00:00.1234567891Z", 1796061600, 123456789},
		{"2026-11-30T19:30:00+01:30", 1796061600, 0},
		{"2026-11-30T16:00:00-02:00", 1796061600, 0},
		{"2024-02-29T00:00:00Z", 1709164800, 0},
		{"1969-12-31T23:59:59Z", -1, 0},
	};
	static const char *const bad[] = {
		"",
		"2026-11-30",
		"2026-11-30T18:00Z",
		"2026-11-30T18:00:00",
		"2026-11-30t18:00:00Z",
		"2026-11-30T18:00:00z",
		"2026-13-01T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"2026-11-30T25:00:00Z",
		"2026-11-30T18:60:00Z",
		"2026-11-30T18:00:61Z",
		"2026-11-30T18:00:00.Z",
		"2026-11-30T18:00:00+1:00",
		"2026-11-30T18:00:00+24:00",
		"2026-11-30T18:00:00+00:60",
		"2026-11-30T18:00:00Z ",
		"+026-11-30T18:00:00Z",
		"9999-12-31T23:59:59Z", /* beyond 64 bits of nanoseconds */
	};
	char text[NOTIFICATION_TIME];
	int64_t time, back;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!notification_parse_time(good[i].text, &time))
			fail_msg("%s", good[i].text);
		assert_int_equal(time, good[i].seconds * NS_PER_S + good[i].rest);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (notification_parse_time(bad[i], &time))
			fail_msg("%s", bad[i]);
	notification_print_time(INT64_C(1796061600123456789), text);
	assert_string_equal(text, "2026-11-30T18:00:00.123456Z");
	assert_true(notification_parse_time(text, &back));
	assert_int_equal(back, INT64_C(1796061600123456000));
	notification_print_time(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
}

static void parse(const char *text, struct tree *ret)
{
	struct tree_builder builder = {ret, NULL, SIZE_MAX};
	struct reader *reader = reader_open(&tree_builder_handler, &builder);
	struct error err = ERROR_INIT;

	if (reader_feed(reader, text, strlen(text), &err) || reader_finish(reader, &err))
		fail_msg("%s", err.text);
	reader_close(reader);
}

static void test_filters(void **state)
{
	static const struct {
		const char *filter;
		bool selects;
	} cases[] = {
		{"", false},
		{"<a xmlns='u'/>", true},
		{"<a/>", true},
		{"<a xmlns='v'/>", false},
		{"<b/>", false},
		{"<b/><a/>", true},
		{"<a xmlns='u'><b>1</b></a>", true},
		{"<a xmlns='u'><b> 1 </b></a>", true},
		{"<a xmlns='u'><b>2</b></a>", false},
		{"<a xmlns='u'><b>2</b></a><a><c/></a>", true},
		{"<a xmlns='u'><c><d/></c></a>", true},
		{"<a xmlns='u'><c><e/></c></a>", false},
		{"<a xmlns='u'><b>1</b><c><d>3</d></c></a>", true},
		/* what has the value that it must have is itself selected */
		{"<a xmlns='u'><b>1</b><c><d>4</d></c></a>", true},
		{"<a xmlns='u' b='1'/>", false},
	};
	struct tree data = {0};

	(void)state;
	parse("<a xmlns='u'><b>1</b><c><d>3</d></c></a>", &data);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tree read = {0}, filter = {0};
		char text[256];

		snprintf(text, sizeof(text), "<filter>%s</filter>", cases[i].filter);
		parse(text, &read);
		assert_non_null(tree_copy(&filter, NULL, read.root));
		tree_free(&read);
		if (subtree_selects(filter.root, data.root) != cases[i].selects)
			fail_msg("%s", cases[i].filter);
		tree_free(&filter);
	}
	tree_free(&data);
}

static const char *drift_told(struct object_event event)
{
	struct datastore *store = populate(1, 1);

	event.what = HAPPENING_DRIFT;
	event.key = (struct key){1, 1};
	writer_init(&writer, full, NULL);
	notification_write_object(&writer, &event, store);
	assert_int_equal(writer.rc, 0);
	writer.buffer[writer.used] = '\0';
	datastore_free(store);
	return strstr(writer.buffer, "<drift>");
}

static void test_what_others_changed(void **state)
{
	const struct row *mtu = row_by_leaf(OBJECT_SESSION, "mtu", 3);

	(void)state;
	assert_non_null(
		strstr(drift_told((struct object_event){.drift = DRIFT_DIFFERS, .row = mtu}),
		       "<drift>differs</drift><leaf-name>mtu</leaf-name>"
		       "<restores>false</restores>"));
	assert_non_null(
		strstr(drift_told((struct object_event){.drift = DRIFT_GONE, .restores = true}),
		       "<drift>gone</drift><restores>true</restores>"));
	assert_null(strstr(drift_told((struct object_event){.drift = DRIFT_ENDED}), "restores"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves_and_entries),
		cmocka_unit_test(test_many_sessions_are_told_as_their_tunnel),
		cmocka_unit_test(test_many_edits_are_told_as_the_container),
		cmocka_unit_test(test_the_longest_list_fits),
		cmocka_unit_test(test_what_others_changed),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
