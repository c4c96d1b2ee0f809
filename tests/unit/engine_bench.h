/*
 * What the tests of the engine have in common: an engine over the simulated
 * kernel, with a journal when there is a directory for it; edits in words; and
 * all that the kernel has, as one text to compare.
 */
#ifndef TESTS_UNIT_ENGINE_BENCH_H
#define TESTS_UNIT_ENGINE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <syslog.h>

#include "engine/transaction.h"
#include "kernel/sim/sim.h"
#include "model/codec.h"
#include "model/status.h"
#include "netconf/snapshot.h"

#define UNUSED __attribute__((unused))

struct bench {
	struct event_base *base;
	struct kernel *kernel;
	struct datastore *store;
	const char *directory; /* NULL: without a journal */
	struct journal *journal;
	struct engine *engine;
	bool done;
	int result;
	struct error error;
	char log[4096]; /* the engine's, lines */
};

/* ---- opening and closing */

static void bench_log(int priority, const char *text, void *arg)
{
	struct bench *bench = arg;
	size_t length = strlen(bench->log);

	snprintf(bench->log + length, sizeof(bench->log) - length, "%s\n", text);
	if (getenv("VERBOSE"))
		fprintf(stderr, "<%d> %s\n", priority, text);
}

/* What went wrong with an object since the engine opened, as a line of the log. */
static void bench_event(const struct engine_event *event, void *arg)
{
	char text[64], name[KEY_TEXT_MAX];
	unsigned int status;

	if (event->type != ENGINE_STATE && event->type != ENGINE_REASON)
		return;
	status = entry_state(event->entry)->oper_status;
	if (status == OPER_UP || status == OPER_REMOVING)
		return;
	snprintf(text, sizeof(text), "%s %s", key_text(&event->entry->key, name),
		 word_by_value(oper_status_words, status)->name);
	bench_log(LOG_INFO, text, arg);
}

static void open_state(struct bench *bench)
{
	struct error err = ERROR_INIT;
	char warning[JOURNAL_WARNING_MAX];

	bench->store = datastore_new();
	if (bench->directory && journal_open(&bench->journal, bench->directory, bench->store,
					     &snapshot_codec, warning, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_engine(struct bench *bench)
{
	struct engine_options options = {.base = bench->base,
					 .kernel = bench->kernel,
					 .store = bench->store,
					 .journal = bench->journal,
					 .log = bench_log,
					 .arg = bench};
	struct error err = ERROR_INIT;

	bench->log[0] = '\0';
	if (engine_open(&bench->engine, &options, &err) < 0)
		fail_msg("%s: %s", err.path, err.text);
	assert_int_equal(engine_watch(bench->engine, bench_event, bench), 0);
}

/* As the daemon starts; the kernel is there already. */
static void start_bench(struct bench *bench)
{
	bench->base = event_base_new();
	open_state(bench);
	open_engine(bench);
}

/* As the daemon stops; what is in the kernel stays. */
static void stop_bench(struct bench *bench)
{
	engine_close(bench->engine);
	(void)journal_close(bench->journal, NULL);
	datastore_free(bench->store);
	if (bench->base)
		event_base_free(bench->base);
	bench->engine = NULL;
	bench->journal = NULL;
	bench->store = NULL;
	bench->base = NULL;
}

static struct bench *new_bench(const char *profile, const char *directory)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error err = ERROR_INIT;

	assert_non_null(bench);
	assert_int_equal(kernel_open_sim(&bench->kernel, profile, &err), 0);
	bench->directory = directory;
	start_bench(bench);
	return bench;
}

static void free_bench(struct bench *bench)
{
	stop_bench(bench);
	bench->kernel->ops->close(bench->kernel);
	free(bench);
}

/* ---- turning the loop */

typedef bool condition(struct bench *bench);

/* Turn the loop until @holds, at most @ms milliseconds; false when it never did. */
static bool turn_until(struct bench *bench, condition *holds, unsigned int ms)
{
	int64_t end = clock_now() + ms * 1000000LL;

	while (!holds(bench) && clock_now() < end) {
		struct timeval tick = {.tv_usec = 1000};

		event_base_loopexit(bench->base, &tick);
		event_base_dispatch(bench->base);
	}
	return holds(bench);
}

UNUSED static bool never(struct bench *bench)
{
	(void)bench;
	return false;
}

/* Turn the loop until it is so; fail when it never is. */
#define UNTIL(bench, expression)                                                                   \
	do {                                                                                       \
		int64_t until_end = clock_now() + 20 * NS_PER_S;                                   \
		while (!(expression) && clock_now() < until_end)                                   \
			turn_until(bench, never, 1);                                               \
		assert_true(expression);                                                           \
	} while (0)

static bool is_done(struct bench *bench)
{
	return bench->done;
}

static bool is_idle(struct bench *bench)
{
	const struct engine *engine = bench->engine;

	const struct agenda *agenda = &engine->agenda;

	return transaction_due(engine) == NEVER && TAILQ_EMPTY(&engine->requests) &&
	       engine->hear_at == NEVER && !agenda->look.count && !agenda->changed.count &&
	       !agenda->repair.count && !agenda->removing.count && !agenda->recheck &&
	       !agenda->recheck_from && !agenda->read_all;
}

static void on_done(int result, const struct error *err, void *arg)
{
	struct bench *bench = arg;

	assert_false(bench->done);
	bench->done = true;
	bench->result = result;
	bench->error = *err;
}

static const struct engine_who tester = {.door = "test", .user = "tester"};

/* Takes @edit over; what it came to is in bench->result and bench->error, too. */
UNUSED static int commit(struct bench *bench, struct edit *edit)
{
	bench->done = false;
	engine_edit(bench->engine, edit, &tester, on_done, bench);
	assert_false(bench->done);
	assert_true(turn_until(bench, is_done, 20000));
	if (getenv("VERBOSE"))
		fprintf(stderr, "commit: %d %s: %s\n", bench->result, bench->error.path,
			bench->error.text);
	return bench->result;
}

/* ---- edits in words: "peer-tunnel-id=2 encapsulation=ip", "-mtu" deletes */

static void set_leaves(struct edit_entry *entry, const char *leaves)
{
	char words[512], *save = NULL;
	struct error err = ERROR_INIT;

	snprintf(words, sizeof(words), "%s", leaves);
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		enum edit_operation operation = *word == '-' ? EDIT_REMOVE : EDIT_MERGE;
		char *name = *word == '-' ? word + 1 : word, *value = strchr(name, '=');
		const struct row *row;

		if (value)
			*value++ = '\0';
		row = row_by_leaf(entry->object, name, strlen(name));
		assert_non_null(row);
		if (edit_leaf(entry, row, operation, value ? value : "", value ? strlen(value) : 0,
			      &err) < 0)
			fail_msg("%s: %s", err.path, err.text);
	}
}

static void tunnel(struct edit *edit, enum edit_operation operation, uint32_t id,
		   const char *leaves)
{
	set_leaves(edit_tunnel(edit, operation, id), leaves);
}

static void session(struct edit *edit, enum edit_operation operation, uint32_t tunnel_id,
		    uint32_t id, const char *leaves)
{
	set_leaves(edit_session(edit, operation, tunnel_id, id), leaves);
}

#define TUNNEL1 "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=192.0.2.2 encapsulation=ip"

/* Sessions @id * 1000 + 1 and so on. */
static void add_tunnel(struct edit *edit, uint32_t id, unsigned int sessions)
{
	tunnel(edit, EDIT_MERGE, id, TUNNEL1);
	for (uint32_t i = 1; i <= sessions; i++)
		session(edit, EDIT_MERGE, id, id * 1000 + i, "peer-session-id=7");
}

UNUSED static struct edit *tunnel_with_sessions(uint32_t id, unsigned int sessions)
{
	struct edit *edit = edit_new();

	add_tunnel(edit, id, sessions);
	return edit;
}

UNUSED static int edit_one_session(struct bench *bench, uint32_t tunnel_id, uint32_t id,
				   const char *leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, tunnel_id, "");
	session(edit, EDIT_MERGE, tunnel_id, id, leaves);
	return commit(bench, edit);
}

UNUSED static int edit_one_tunnel(struct bench *bench, uint32_t id, const char *leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, id, leaves);
	return commit(bench, edit);
}

UNUSED static int delete_tunnel(struct bench *bench, uint32_t id)
{
	struct edit *edit = edit_new();

	edit_tunnel(edit, EDIT_DELETE, id);
	return commit(bench, edit);
}

/* ---- a commit of all kinds of work, and what it is applied to */

/* The whole configuration, exactly; "br0" must be there. */
UNUSED static struct edit *baseline(void)
{
	struct edit *edit = edit_new();

	edit->operation = EDIT_REPLACE;
	add_tunnel(edit, 1, 14);
	add_tunnel(edit, 2, 3);
	add_tunnel(edit, 3, 3);
	add_tunnel(edit, 6, 2);
	return edit;
}

/* 40 operations: whole tunnels and sessions come, go, are made anew and are changed in place. */
UNUSED static struct edit *mixed_edit(void)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, "description=mixed");
	edit_session(edit, EDIT_DELETE, 1, 1001);
	edit_session(edit, EDIT_DELETE, 1, 1011);
	edit_session(edit, EDIT_DELETE, 1, 1012);
	session(edit, EDIT_MERGE, 1, 1002, "peer-session-id=99");
	session(edit, EDIT_MERGE, 1, 1003, "sequencing=send");
	session(edit, EDIT_MERGE, 1, 1004, "mtu=1280");
	session(edit, EDIT_MERGE, 1, 1005, "enabled=false");
	session(edit, EDIT_MERGE, 1, 1006, "link-enabled=false");
	session(edit, EDIT_MERGE, 1, 1007, "bridge=br0");
	session(edit, EDIT_MERGE, 1, 1008, "description=only");
	session(edit, EDIT_MERGE, 1, 1009, "mac-address=02:00:00:00:00:09 mtu=1300");
	session(edit, EDIT_MERGE, 1, 1010, "reorder-timeout=40 dead-interval=30");
	session(edit, EDIT_MERGE, 1, 1013, "tx-cookie=01020304 rx-cookie=05060708");
	session(edit, EDIT_MERGE, 1, 1014, "pseudowire-type=ethernet-vlan vlan-id=14");
	for (uint32_t id = 1020; id < 1026; id++)
		session(edit, EDIT_MERGE, 1, id, "peer-session-id=5");
	tunnel(edit, EDIT_MERGE, 2, "remote-address=192.0.2.77");
	session(edit, EDIT_MERGE, 2, 2001, "sequencing=both");
	session(edit, EDIT_MERGE, 2, 2010, "peer-session-id=10");
	edit_tunnel(edit, EDIT_DELETE, 3);
	tunnel(edit, EDIT_MERGE, 4, TUNNEL1);
	session(edit, EDIT_MERGE, 4, 4001,
		"peer-session-id=5 pseudowire-type=ethernet-vlan vlan-id=7");
	session(edit, EDIT_MERGE, 4, 4002, "peer-session-id=6 pseudowire-type=ppp");
	session(edit, EDIT_MERGE, 4, 4003, "peer-session-id=7 l2-specific-sublayer=none");
	session(edit, EDIT_MERGE, 4, 1011, "peer-session-id=8"); /* the id of one that goes */
	session(edit, EDIT_MERGE, 4, 4004, "peer-session-id=9 interface-name=named0");
	session(edit, EDIT_MERGE, 4, 4005, "peer-session-id=9 enabled=false");
	session(edit, EDIT_MERGE, 4, 4006, "peer-session-id=9 mtu=1400 bridge=br0");
	tunnel(edit, EDIT_MERGE, 5,
	       "peer-tunnel-id=6 local-address=192.0.2.1 remote-address=192.0.2.9 local-port=5000");
	session(edit, EDIT_MERGE, 5, 5001, "peer-session-id=1 tx-cookie=0102030405060708");
	session(edit, EDIT_MERGE, 5, 5002, "peer-session-id=2 lns-mode=true sequencing=both");
	session(edit, EDIT_MERGE, 5, 5003, "peer-session-id=3");
	tunnel(edit, EDIT_MERGE, 6, "enabled=false");
	session(edit, EDIT_MERGE, 6, 6001, "mtu=1350");
	return edit;
}

/* ---- looking */

UNUSED static struct session_entry *entry_of(struct bench *bench, uint32_t tunnel_id, uint32_t id)
{
	struct session_entry *entry = datastore_session(bench->store, tunnel_id, id);

	assert_non_null(entry);
	return entry;
}

UNUSED static enum oper_status status_of(struct bench *bench, uint32_t tunnel_id, uint32_t id)
{
	return entry_of(bench, tunnel_id, id)->state.common.oper_status;
}

/* What the kernel itself says; -ENODEV when it has no such session. */
UNUSED static int ask_kernel(struct bench *bench, uint32_t tunnel_id, uint32_t id,
			     struct session *ret)
{
	struct kernel_request request = {.verb = KERNEL_SESSION_GET,
					 .tunnel_id = tunnel_id,
					 .session_id = id,
					 .ret_session = ret};

	bench->kernel->ops->submit(bench->kernel, &request, 1);
	return request.result;
}

UNUSED static struct kernel_link ask_link(struct bench *bench, const char *name)
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	bench->kernel->ops->submit(bench->kernel, &request, 1);
	assert_int_equal(request.result, 0);
	return request.link;
}

/* ---- all that the kernel has, as text: a line an object, in order */

#define LINES_MAX 256

struct lines {
	struct kernel *kernel;
	bool macs; /* with the MAC addresses of links */
	char *at[LINES_MAX];
	size_t count;
};

static FILE *lines_add(struct lines *lines, size_t *ret_size)
{
	assert_true(lines->count < LINES_MAX);
	return open_memstream(&lines->at[lines->count++], ret_size);
}

static void print_object(FILE *file, enum object object, const void *config)
{
	const struct row_set *set = &row_sets[object];
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++) {
		if (!codec_present(&set->rows[i], config))
			continue;
		codec_print(&set->rows[i], config, text);
		fprintf(file, " %s=%s", set->rows[i].leaf, text);
	}
}

static int line_of_tunnel(const struct tunnel *found, const struct statistics *statistics,
			  void *arg)
{
	size_t size;
	FILE *file = lines_add(arg, &size);

	(void)statistics;
	fprintf(file, "tunnel %10u:", found->tunnel_id);
	print_object(file, OBJECT_TUNNEL, found);
	return fclose(file);
}

static int line_of_session(uint32_t tunnel_id, const struct session *found,
			   const struct statistics *statistics, void *arg)
{
	size_t size;
	FILE *file = lines_add(arg, &size);

	(void)statistics;
	fprintf(file, "session %10u/%10u:", tunnel_id, found->session_id);
	print_object(file, OBJECT_SESSION, found);
	return fclose(file);
}

static void name_of_link(struct kernel *kernel, unsigned int index, char ret[IFNAME_LENGTH + 1])
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET, .link = {.index = index}};

	ret[0] = '\0';
	if (index == 0)
		return;
	kernel->ops->submit(kernel, &request, 1);
	assert_int_equal(request.result, 0);
	memcpy(ret, request.link.name, sizeof(request.link.name));
}

/* Without the index: making it anew changes that, and nothing else. */
static int line_of_link(const struct kernel_link *link, void *arg)
{
	struct lines *lines = arg;
	char master[IFNAME_LENGTH + 1], parent[IFNAME_LENGTH + 1];
	size_t size;
	FILE *file = lines_add(lines, &size);

	name_of_link(lines->kernel, link->master, master);
	name_of_link(lines->kernel, link->parent, parent);
	fprintf(file, "link %s: %s mtu=%u master=%s parent=%s vlan=%u", link->name,
		link->up ? "up" : "down", link->mtu, master, parent, link->vlan_id);
	fprintf(file, "%s alias=%s", link->dormant ? " dormant" : "",
		link->alias ? link->alias : "");
	if (lines->macs)
		for (size_t i = 0; i < sizeof(link->mac); i++)
			fprintf(file, ":%02x", ((const uint8_t *)&link->mac)[i]);
	return fclose(file);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The caller frees it. */
UNUSED static char *kernel_text(struct kernel *kernel, bool macs)
{
	struct lines lines = {.kernel = kernel, .macs = macs};
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	sim_reap(kernel);
	assert_int_equal(kernel->ops->dump_tunnels(kernel, line_of_tunnel, &lines), 0);
	assert_int_equal(kernel->ops->dump_sessions(kernel, line_of_session, &lines), 0);
	assert_int_equal(kernel->ops->dump_links(kernel, line_of_link, &lines), 0);
	qsort(lines.at, lines.count, sizeof(*lines.at), compare_lines);
	for (size_t i = 0; i < lines.count; i++) {
		fprintf(file, "%s\n", lines.at[i]);
		free(lines.at[i]);
	}
	fclose(file);
	return text;
}

/* Lines of @text that @other lacks, to stderr; false if there are any. */
static bool has_all_lines(const char *text, const char *other, const char *mark)
{
	size_t length;
	bool all = true;

	for (; *text; text += length + 1) {
		char line[1024];

		length = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s\n", (int)length, text);
		if (strstr(other, line))
			continue;
		fprintf(stderr, "%s %s", mark, line);
		all = false;
	}
	return all;
}

UNUSED static bool same_text(const char *is, const char *should)
{
	bool none_missing = has_all_lines(should, is, "-"),
	     none_more = has_all_lines(is, should, "+");

	return none_missing && none_more;
}

#endif
