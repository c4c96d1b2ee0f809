/*
 * Subtree filters and the walk that answers get and get-config: every file
 * case-*.xml of tests/data/filter, on the configuration in running.xml there,
 * where tunnel 1 and its session 2 are also in the kernel, and tunnel 50 with
 * session 51 are foreign. A file holds
 *
 *   <case><get/>, <get-config/> or <in-use/>, <secrets/> if they may be seen, <with-defaults>,
 *   <with-origin/>,
 *   <filter>, <data>what shall come out</data> or <refused>error-tag</refused></case>
 *
 * White space between elements does not count. To add a case, add a file.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <time.h>

#include "model/codec.h"
#include "netconf/snapshot.h"
#include "netconf/walk.h"
#include "store/publish.h"

#define FOLDER "tests/data/filter/"

static struct datastore *store;

/* A file in memory. */
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

static void configure(void)
{
	struct candidate candidate;
	struct edit *edit = NULL;
	struct error err = ERROR_INIT;

	store = datastore_new();
	candidate_open(&candidate, store);
	if (snapshot_read(FOLDER "running.xml", &edit, &err, NULL))
		fail_msg("%s", err.text);
	assert_int_equal(candidate_apply(&candidate, edit, &err), 0);
	assert_int_equal(candidate_publish(&candidate, store), 0);
	candidate_discard(&candidate);
	edit_free(edit);
}

static void set_state(struct state *state, enum origin origin, uint64_t packets)
{
	state->oper_status = OPER_UP;
	state->status_reason = REASON_NONE;
	state->origin = (uint8_t)origin;
	state->statistics = (struct statistics){.tx_packets = packets, .rx_packets = 2 * packets};
}

static void observe(void)
{
	struct tunnel tunnel = {.tunnel_id = 50, .peer_tunnel_id = 60};
	struct session session = {.session_id = 51, .peer_session_id = 61};

	tunnel.present = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID);
	session.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID);
	set_state(entry_state(datastore_observe(store, 50, 0, &tunnel)), ORIGIN_FOREIGN, 7);
	set_state(entry_state(datastore_observe(store, 50, 51, &session)), ORIGIN_FOREIGN, 7);
	tunnel.tunnel_id = 1;
	session.session_id = 2;
	set_state(entry_state(datastore_observe(store, 1, 0, &tunnel)), ORIGIN_CONFIGURED, 5);
	set_state(entry_state(datastore_observe(store, 1, 2, &session)), ORIGIN_CONFIGURED, 5);
}

static int open_store(void **state)
{
	(void)state;
	configure();
	observe();
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	datastore_free(store);
	return 0;
}

static int to_stream(const char *bytes, size_t length, void *arg)
{
	return fwrite(bytes, 1, length, arg) == length ? 0 : -EIO;
}

/* Without white space between tags and without the namespace declaration. */
static void normalise(char *text)
{
	static const char declaration[] = " xmlns=\"" NAMESPACE_MODULE "\"";
	char *to = text, *found = strstr(text, declaration);

	if (found)
		memmove(found, found + strlen(declaration),
			strlen(found + strlen(declaration)) + 1);
	for (const char *at = text; *at;) {
		size_t blank = strspn(at, " \t\n");

		if (blank && (!at[blank] || at[blank] == '<') && (to == text || to[-1] == '>'))
			at += blank;
		else
			*to++ = *at++;
	}
	*to = '\0';
}

static void parse(const char *document, struct tree *tree)
{
	struct tree_builder builder = {tree, NULL, 64 << 20};
	struct reader *reader = reader_open(&tree_builder_handler, &builder);
	struct error err = ERROR_INIT;

	if (reader_feed(reader, document, strlen(document), &err) || reader_finish(reader, &err))
		fail_msg("%s", err.text);
	reader_close(reader);
}

static bool open_walk(struct walk **ret, const struct walk_options *options, struct error *err)
{
	int rc = options->filter ? filter_check(options->filter, err) : 0;

	if (rc || walk_open(ret, options, err))
		return false;
	do
		rc = walk_prepare(*ret, err);
	while (rc > 0);
	if (rc)
		walk_close(*ret);
	return !rc;
}

static void prepare(struct walk *walk)
{
	struct error err = ERROR_INIT;
	int rc;

	do
		rc = walk_prepare(walk, &err);
	while (rc > 0);
	assert_int_equal(rc, 0);
}

static char *walk(const struct walk_options *options)
{
	struct error err = ERROR_INIT;
	struct writer writer;
	struct walk *at;
	char *ret = NULL;
	size_t size;
	FILE *file = open_memstream(&ret, &size);

	writer_init(&writer, to_stream, file);
	if (!open_walk(&at, options, &err)) {
		fprintf(file, "%s", error_kind(err.code)->tag);
	} else {
		while (walk_step(at, &writer))
			;
		walk_close(at);
	}
	writer_flush(&writer);
	fclose(file);
	return ret;
}

static char *expected_of(const char *document)
{
	const char *from = strstr(document, "<data>"), *to = strstr(document, "</data>");

	if (!from) {
		from = strstr(document, "<refused>") + 3;
		to = strstr(document, "</refused>");
	}
	return strndup(from + 6, (size_t)(to - from - 6));
}

static void test_case(void **state)
{
	char *document = read_file(*state), *expected = expected_of(document), *got;
	struct tree tree = {0};
	struct error err = ERROR_INIT;
	struct walk_options options = {.store = store};

	parse(document, &tree);
	options.filter = node_child(tree.root, "filter", NULL);
	options.config = node_child(tree.root, "get-config", NULL);
	options.in_use = node_child(tree.root, "in-use", NULL);
	options.with_origin = node_child(tree.root, "with-origin", NULL);
	if (!node_child(tree.root, "secrets", NULL))
		options.policy = policy_of_members();
	assert_int_equal(defaults_read(tree.root, "", &options.defaults, &err), 0);
	got = walk(&options);
	normalise(expected);
	normalise(got);
	assert_string_equal(got, expected);
	tree_free(&tree);
	free(expected);
	free(document);
	free(got);
}

static double cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Returns what its longest step took of all of it. */
static double compile(struct filter *filter, const struct node *element)
{
	struct filter_compiler *compiler = filter_compiler_open(filter, element);
	double began = cpu(), last = began, now, longest = 0;
	struct error err = ERROR_INIT;
	int rc;

	do {
		rc = filter_compiler_step(compiler, &err);
		now = cpu();
		longest = now - last > longest ? now - last : longest;
		last = now;
	} while (rc > 0);
	assert_int_equal(rc, 0);
	filter_compiler_close(compiler);
	return longest / (now - began);
}

/* Sixty thousand keys in no order: no step is long, and all are found in order. */
static void test_compiling_goes_in_steps(void **state)
{
	const uint32_t count = 60000;
	struct tree tree = {0};
	struct filter filter = {0};
	const struct filter_level *tunnels = &filter.tunnels, *level;
	struct node *at = tree_add(&tree, NULL, "filter", "");
	struct filter_hit hit;
	uint32_t next = 0;

	(void)state;
	at = tree_add(&tree, at, ELEMENT_CONTAINER, NAMESPACE_MODULE);
	at = tree_add(&tree, at, "tunnel", NAMESPACE_MODULE);
	tree_add(&tree, at, "tunnel-id", NAMESPACE_MODULE)->text = "1";
	for (uint32_t i = 0; i < count; i++) {
		struct node *session = tree_add(&tree, at, "session", NAMESPACE_MODULE);
		char id[16];
		int length = snprintf(id, sizeof(id), "%u", 1 + i * 7919 % count);

		tree_add(&tree, session, "session-id", NAMESPACE_MODULE)->text =
			arena_text(&tree.arena, id, (size_t)length);
	}
	assert_true(compile(&filter, tree.root) < 0.1);
	assert_int_equal(tunnels->count, 1);
	assert_true(filter_next(&tunnels, 1, 0, &next));
	assert_true(
		filter_match(&tunnels, 1, &(struct view){.object = OBJECT_TUNNEL, .id = 1}, &hit));
	assert_int_equal(hit.count, 1);
	level = hit.levels[0];
	for (next = 0; next < count;) {
		uint32_t wanted = next + 1;

		assert_true(filter_next(&level, 1, wanted, &next));
		assert_int_equal(next, wanted);
	}
	assert_false(filter_next(&level, 1, count + 1, &next));
	filter_free(&filter);
	tree_free(&tree);
}

/* Ten thousand keys, in pieces of one tunnel: still look-ups, not a search each. */
static void test_many_keys(void **state)
{
	struct tree tree = {0};
	struct filter filter = {0};
	const struct filter_level *level = &filter.tunnels;
	struct filter_hit hit;
	struct view view = {.object = OBJECT_TUNNEL, .id = 1};
	uint32_t next = 0;
	char *document = NULL;
	size_t size;
	FILE *file = open_memstream(&document, &size);

	(void)state;
	fprintf(file, "<filter><l2tpv3 xmlns='" NAMESPACE_MODULE "'>");
	for (int i = 10000; i > 0; i--)
		fprintf(file,
			"<tunnel><tunnel-id>1</tunnel-id><session><session-id>%d</session-id>"
			"</session></tunnel>",
			2 * i);
	fprintf(file, "</l2tpv3></filter>");
	fclose(file);
	parse(document, &tree);
	compile(&filter, tree.root);
	assert_true(filter_match(&level, 1, &view, &hit));
	assert_int_equal(hit.count, 1);
	for (uint32_t i = 1; i <= 10000; i++) {
		assert_true(filter_next(hit.levels, hit.count, next, &next));
		assert_int_equal(next++, 2 * i);
	}
	assert_false(filter_next(hit.levels, hit.count, next, &next));
	assert_false(filter_next(&level, 1, 2, &next));
	filter_free(&filter);
	tree_free(&tree);
	free(document);
}

static bool matches(const char *filter_text, const char *description)
{
	struct tunnel tunnel = {.tunnel_id = 1, .present = BIT(TUNNEL_ID)};
	const struct view view = view_tunnel_config(&tunnel);
	struct tree tree = {0};
	struct filter filter = {0};
	const struct filter_level *level = &filter.tunnels;
	struct error err = ERROR_INIT;
	struct filter_hit hit;
	char document[256];
	bool result;

	assert_int_equal(codec_parse(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_DESCRIPTION], &tunnel,
				     description, strlen(description), &err),
			 0);
	snprintf(document, sizeof(document),
		 "<filter><l2tpv3 xmlns='" NAMESPACE_MODULE "'><tunnel><description>%s"
		 "</description></tunnel></l2tpv3></filter>",
		 filter_text);
	parse(document, &tree);
	compile(&filter, tree.root);
	result = filter_match(&level, 1, &view, &hit);
	filter_free(&filter);
	tree_free(&tree);
	return result;
}

static void test_outer_white_space(void **state)
{
	static const char *const filters[] = {"two words", " two words", "\n\ttwo words\n"};
	static const char *const values[] = {"two words", " two words", "two words  "};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++)
			assert_true(matches(filters[i], values[j]));
		assert_false(matches(filters[i], "two  words"));
		assert_false(matches(filters[i], "two word"));
		assert_false(matches(filters[i], ""));
	}
}

/* As the engine does: published at once, merged change by change, and read on between them. */
static void publish_under(struct candidate *changes, struct walk *at, struct writer *writer,
			  size_t steps_before, size_t steps_between)
{
	struct cursor *merge;

	assert_int_equal(cursor_run(candidate_attach_begin(changes, store, NULL)), 0);
	datastore_publish(store);
	for (size_t i = 0; i < steps_before; i++)
		walk_step(at, writer);
	merge = candidate_merge_begin(changes, store);
	while (cursor_step(merge, 1) > 0)
		for (size_t i = 0; i < steps_between; i++)
			walk_step(at, writer);
	cursor_free(merge);
}

/* A get-config shows one moment, whatever is committed while it is read. */
static void test_consistent_over_commits(void **state)
{
	struct walk_options options = {.store = store, .config = true};
	char *before = walk(&options), *got = NULL;
	struct error err = ERROR_INIT;
	size_t steps = 0, size;

	(void)state;
	for (size_t round = 0; round < 39; round++) {
		size_t stop = round % 13, steps_between = round / 13;
		struct candidate changes, back;
		struct walk *at;
		struct writer writer;
		struct edit *edit = edit_new();
		FILE *file = open_memstream(&got, &size);
		struct edit_entry *entry;

		writer_init(&writer, to_stream, file);
		assert_int_equal(walk_open(&at, &options, &err), 0);
		if (stop > 0) /* else the filter is not yet compiled */
			prepare(at);
		for (steps = 1; steps < stop; steps++)
			walk_step(at, &writer);
		/* gone: tunnel 1 with sessions; changed: 3; new: 2, 4 and session 3/99 */
		edit_tunnel(edit, EDIT_DELETE, 1);
		entry = edit_tunnel(edit, EDIT_MERGE, 3);
		edit_leaf(entry, &row_sets[OBJECT_TUNNEL].rows[TUNNEL_DESCRIPTION], EDIT_MERGE,
			  "other", 5, &err);
		edit_session(edit, EDIT_CREATE, 3, 99);
		edit_tunnel(edit, EDIT_CREATE, 2);
		edit_tunnel(edit, EDIT_CREATE, 4);
		candidate_open(&changes, store);
		assert_int_equal(candidate_apply(&changes, edit, &err), 0);
		assert_int_equal(candidate_invert(&changes, &back, NULL), 0);
		publish_under(&changes, at, &writer, stop > 0, stop > 0 ? steps_between : 0);
		if (stop == 0)
			prepare(at);
		while (walk_step(at, &writer))
			;
		writer_flush(&writer);
		fclose(file);
		assert_string_equal(got, before);
		assert_int_equal(candidate_publish(&back, store), 0);
		candidate_discard(&changes);
		candidate_discard(&back);
		edit_free(edit);
		walk_close(at);
		free(got);
	}
	free(before);
}

/* Entries vanish and appear under a get; what comes out stays well formed and in order. */
static void test_get_over_changes(void **state)
{
	struct walk_options options = {.store = store};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t stop = 0; stop < 13; stop++) {
		struct tree tree = {0};
		struct writer writer;
		struct walk *at;
		char *got = NULL;
		size_t size;
		FILE *file = open_memstream(&got, &size);

		writer_init(&writer, to_stream, file);
		write_text(&writer, "<data>");
		assert_int_equal(walk_open(&at, &options, &err), 0);
		prepare(at);
		for (size_t steps = 0; steps < stop; steps++)
			walk_step(at, &writer);
		datastore_observe(store, 50, 51, NULL);
		datastore_observe(store, 50, 0, NULL);
		while (walk_step(at, &writer))
			;
		write_text(&writer, "</data>");
		writer_flush(&writer);
		fclose(file);
		parse(got, &tree);
		tree_free(&tree);
		walk_close(at);
		free(got);
		observe();
	}
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(test_compiling_goes_in_steps),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_outer_white_space),
		cmocka_unit_test(test_consistent_over_commits),
		cmocka_unit_test(test_get_over_changes),
	};
	const size_t other_count = sizeof(others) / sizeof(others[0]);
	struct CMUnitTest *tests;
	glob_t found;
	int result;

	if (glob(FOLDER "case-*.xml", 0, NULL, &found)) {
		fprintf(stderr, "no cases at " FOLDER ": run it from the top of the checkout\n");
		return 1;
	}
	tests = calloc(found.gl_pathc + other_count, sizeof(*tests));
	for (size_t i = 0; i < found.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){.name = strrchr(found.gl_pathv[i], '/') + 1,
					       .test_func = test_case,
					       .initial_state = found.gl_pathv[i]};
	memcpy(tests + found.gl_pathc, others, sizeof(others));
	result = _cmocka_run_group_tests("filter", tests, found.gl_pathc + other_count, open_store,
					 close_store);
	free(tests);
	globfree(&found);
	return result;
}
