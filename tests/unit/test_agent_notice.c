/* Notifications that wait: once for each object, in order, summed up, and not without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "notice.h"
#include "standard.h"

#define EACH 3

static const struct candidate something = {.count = 1}, nothing;

static void happen(struct notices *notices, enum engine_event_type type, uint32_t tunnel_id,
		   uint32_t session_id)
{
	struct session_entry session = {.entry = {.key = {tunnel_id, session_id}}};
	struct tunnel_entry tunnel = {.entry = {.key = {tunnel_id, 0}}};
	const struct entry *entry = session_id ? &session.entry : &tunnel.entry;

	notices_add(notices, NOTICES_OURS, &(struct engine_event){.type = type, .entry = entry});
}

/* The next one due at @now, or 0. */
static enum notice_kind next_at(struct notices *notices, int64_t now, uint32_t *ret_session_id)
{
	bool sum;
	struct notice *notice = notices_take(notices, now, &sum);
	enum notice_kind kind = notice ? notice->kind : 0;

	assert_false(sum);
	if (ret_session_id)
		*ret_session_id = notice ? notice->session_id : 0;
	free(notice);
	return kind;
}

static void expect(struct notices *notices, enum notice_kind kind, uint32_t tunnel_id,
		   uint32_t session_id)
{
	bool sum;
	struct notice *notice = notices_take(notices, 1, &sum);

	assert_non_null(notice);
	assert_int_equal(notice->kind, kind);
	assert_int_equal(notice->tunnel_id, tunnel_id);
	assert_int_equal(notice->session_id, session_id);
	free(notice);
}

static void test_once_for_each_object(void **state)
{
	struct notices notices;

	(void)state;
	notices_init(&notices, EACH);
	happen(&notices, ENGINE_STATE, 2, 7);
	happen(&notices, ENGINE_STATE, 1, 0);
	happen(&notices, ENGINE_STATE, 2, 7);
	happen(&notices, ENGINE_FOREIGN, 1, 9);
	happen(&notices, ENGINE_FOREIGN, 1, 0);
	happen(&notices, ENGINE_PROGRESS, 1, 0);
	assert_int_equal(notices.count, 3);
	expect(&notices, NOTICE_TUNNEL_STATE, 1, 0); /* tunnels come first */
	happen(&notices, ENGINE_STATE, 1, 0);
	expect(&notices, NOTICE_FOREIGN, 1, 0);
	expect(&notices, NOTICE_TUNNEL_STATE, 1, 0);
	expect(&notices, NOTICE_SESSION_STATE, 2, 7);
	assert_int_equal(next_at(&notices, 1, NULL), 0);
	assert_int_equal(notices.dropped, 0);
	notices_free(&notices);
}

/* What happens after all makes news of what was missed. */
static void test_what_was_missed_is_marked_until_something_happens(void **state)
{
	struct notices notices;
	bool sum;

	(void)state;
	notices_init(&notices, EACH);
	notices.catching_up = true;
	happen(&notices, ENGINE_STATE, 2, 7);
	happen(&notices, ENGINE_STATE, 2, 8);
	notices.catching_up = false;
	happen(&notices, ENGINE_STATE, 2, 8);
	for (uint32_t id = 7; id <= 8; id++) {
		struct notice *notice = notices_take(&notices, 1, &sum);

		assert_int_equal(notice->session_id, id);
		assert_int_equal(notice->missed, id == 7);
		free(notice);
	}
	notices_free(&notices);
}

/* What is newest of an object replaces what waits: its going, and its coming again. */
static void test_the_newest_state_is_told(void **state)
{
	struct notices notices;

	(void)state;
	notices_init(&notices, EACH);
	happen(&notices, ENGINE_STATE, 2, 7);
	happen(&notices, ENGINE_GONE, 2, 7);
	happen(&notices, ENGINE_GONE, 2, 8);
	happen(&notices, ENGINE_STATE, 2, 8);
	happen(&notices, ENGINE_STATE, 2, 0);
	happen(&notices, ENGINE_GONE, 2, 0);
	assert_int_equal(notices.count, 3);
	expect(&notices, NOTICE_TUNNEL_GONE, 2, 0);
	expect(&notices, NOTICE_SESSION_GONE, 2, 7);
	expect(&notices, NOTICE_SESSION_STATE, 2, 8);
	notices_free(&notices);
}

static void test_one_of_a_session_gives_way(void **state)
{
	struct notices notices;

	(void)state;
	notices_init(&notices, NOTICES_MAX);
	happen(&notices, ENGINE_STATE, 1, 0);
	for (uint32_t id = 1; id <= NOTICES_MAX + 1; id++)
		happen(&notices, ENGINE_STATE, 1, id);
	assert_int_equal(notices.count, NOTICES_MAX + 1); /* with what tells of the loss */
	assert_int_equal(notices.dropped, 2);
	expect(&notices, NOTICE_LOSS, 0, 0);
	expect(&notices, NOTICE_TUNNEL_STATE, 1, 0);
	expect(&notices, NOTICE_SESSION_STATE, 1, 3);
	happen(&notices, ENGINE_STATE, 1, 1);
	happen(&notices, ENGINE_STATE, 1, 2);
	happen(&notices, ENGINE_STATE, 1, 3);
	assert_int_equal(notices.dropped, 3);
	expect(&notices, NOTICE_LOSS, 0, 0);
	notices_clear(&notices);
	assert_int_equal(notices.count, 0);
	assert_int_equal(next_at(&notices, 1, NULL), 0);
	notices_free(&notices);
}

/* RFC 5601: pwUp follows pwDown, and down and lowerLayerDown are one. */
static void test_a_pseudowire_is_told_of_in_turn(void **state)
{
	struct notices notices;
	struct session_entry session = {.entry = {.key = {2, 7}}};

	(void)state;
	notices_init(&notices, EACH);
	assert_int_equal(notices_due(&notices, 7, PW_UP), 0);
	assert_int_equal(notices_due(&notices, 7, PW_DORMANT), 0);
	assert_int_equal(notices_due(&notices, 7, PW_LOWER_LAYER_DOWN), NOTIFICATION_PW_DOWN);
	notices_set_down(&notices, 7, true);
	assert_int_equal(notices_due(&notices, 7, PW_DOWN), 0);
	assert_int_equal(notices_due(&notices, 8, PW_DOWN), NOTIFICATION_PW_DOWN);
	assert_int_equal(notices_due(&notices, 7, PW_NOT_PRESENT), 0);
	assert_int_equal(notices_due(&notices, 7, PW_UP), NOTIFICATION_PW_UP);
	notices_set_down(&notices, 7, false);
	assert_int_equal(notices_due(&notices, 7, PW_UP), 0);
	notices_set_down(&notices, 7, true);

	notices_add(&notices, NOTICES_OURS | NOTICES_PSEUDOWIRES,
		    &(struct engine_event){.type = ENGINE_STATE, .entry = &session.entry});
	assert_int_equal(notices.count, 2);
	assert_null(notices_take_pseudowire(&notices, 8));
	free(notices_take_pseudowire(&notices, 7));
	expect(&notices, NOTICE_SESSION_STATE, 2, 7);
	notices_free(&notices);
}

/* ---- many sessions of a tunnel */

static void test_a_tunnel_tells_few_sessions_in_a_second(void **state)
{
	const int64_t start = 5 * NS_PER_S, end = start + NOTICES_WINDOW_NS;
	struct notices notices;
	uint32_t id;

	(void)state;
	notices_init(&notices, EACH);
	happen(&notices, ENGINE_STATE, 3, 1);
	assert_int_equal(next_at(&notices, start, NULL), NOTICE_SESSION_STATE);
	happen(&notices, ENGINE_STATE, 3, 2); /* one more may be told in this window */
	assert_int_equal(notices_due_at(&notices), 0);
	assert_int_equal(next_at(&notices, start, NULL), NOTICE_SESSION_STATE);
	notices_clear(&notices);
	assert_int_equal(notices_due_at(&notices), -1);
	for (id = 1; id <= EACH; id++)
		happen(&notices, ENGINE_STATE, 1, id);
	assert_int_equal(notices_due_at(&notices), 0);
	for (uint32_t expected = 1; expected <= EACH; expected++) {
		assert_int_equal(next_at(&notices, start, &id), NOTICE_SESSION_STATE);
		assert_int_equal(id, expected);
	}
	happen(&notices, ENGINE_STATE, 1, 9);
	assert_int_equal(notices_due_at(&notices), end);
	assert_int_equal(next_at(&notices, end - 1, NULL), 0);
	happen(&notices, ENGINE_STATE, 2, 1); /* another tunnel does not wait for it */
	assert_int_equal(next_at(&notices, end - 1, NULL), NOTICE_SESSION_STATE);
	assert_int_equal(next_at(&notices, end, &id), NOTICE_SESSION_STATE);
	assert_int_equal(id, 9);
	notices_free(&notices);
}

static void test_windows_end_one_after_the_other(void **state)
{
	const int64_t start = 5 * NS_PER_S, half = NOTICES_WINDOW_NS / 2;
	struct notices notices;

	(void)state;
	notices_init(&notices, EACH);
	happen(&notices, ENGINE_STATE, 1, 1);
	assert_int_equal(next_at(&notices, start, NULL), NOTICE_SESSION_STATE);
	happen(&notices, ENGINE_STATE, 2, 1);
	assert_int_equal(next_at(&notices, start + half, NULL), NOTICE_SESSION_STATE);
	happen(&notices, ENGINE_STATE, 1, 2);
	assert_int_equal(next_at(&notices, start + half, NULL), NOTICE_SESSION_STATE);
	assert_int_equal(notices_due_at(&notices), start + NOTICES_WINDOW_NS);
	notices_free(&notices);
}

struct bench {
	struct datastore *store;
	struct notices notices;
};

static void set_status(struct bench *bench, uint32_t session_id, enum oper_status status)
{
	datastore_set_status(bench->store, datastore_entry(bench->store, 1, session_id), status,
			     REASON_NONE, 0, clock_moment());
}

/* Sessions 10, 20 ... 100 of tunnel 1, which are up. */
static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct tunnel tunnel = {.tunnel_id = 1, .remote_address = {.family = AF_INET}};

	bench->store = datastore_new();
	notices_init(&bench->notices, EACH);
	datastore_configure(bench->store, 1, 0, &tunnel);
	for (uint32_t id = 10; id <= 100; id += 10) {
		struct session session = {.session_id = id, .enabled = true};

		datastore_configure(bench->store, 1, id, &session);
		set_status(bench, id, OPER_UP);
	}
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	notices_free(&bench->notices);
	datastore_free(bench->store);
	free(bench);
	return 0;
}

static void expect_range(struct bench *bench, uint32_t first, uint32_t last, uint32_t count,
			 bool gone)
{
	struct notice_range range;
	struct notice *notice;
	bool sum;

	notice = notices_take(&bench->notices, NS_PER_S, &sum);
	assert_non_null(notice);
	assert_true(sum);
	notices_take_range(&bench->notices, bench->store, notice, &range);
	assert_int_equal(range.tunnel_id, 1);
	assert_int_equal(range.first, first);
	assert_int_equal(range.last, last);
	assert_int_equal(range.count, count);
	assert_int_equal(range.gone, gone);
	free(notice);
}

static void expect_none_until_the_window_ends(struct bench *bench)
{
	happen(&bench->notices, ENGINE_STATE, 1, 10);
	assert_int_equal(notices_due_at(&bench->notices), NS_PER_S + NOTICES_WINDOW_NS);
	assert_int_equal(next_at(&bench->notices, NS_PER_S + NOTICES_WINDOW_NS - 1, NULL), 0);
	assert_int_equal(next_at(&bench->notices, NS_PER_S + NOTICES_WINDOW_NS, NULL),
			 NOTICE_SESSION_STATE);
}

/* 50 did not change, and is alike; 70 is not alike. */
static void test_more_are_summed_up_by_rows_that_are_alike(void **state)
{
	static const uint32_t changed[] = {80, 10, 60, 20, 30, 40, 70};
	struct bench *bench = *state;

	set_status(bench, 70, OPER_DOWN);
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		happen(&bench->notices, ENGINE_STATE, 1, changed[i]);
	expect_range(bench, 10, 60, 5, false);
	expect_range(bench, 70, 70, 1, false);
	expect_range(bench, 80, 80, 1, false);
	assert_int_equal(bench->notices.count, 0);
	expect_none_until_the_window_ends(bench);
}

/* 25 and 35 went long ago; 40 is still there. */
static void test_those_that_have_gone_are_a_range_if_no_row_is_left_in_it(void **state)
{
	struct bench *bench = *state;

	for (uint32_t id = 10; id <= 60; id += 10)
		if (id != 40) {
			datastore_configure(bench->store, 1, id, NULL);
			happen(&bench->notices, ENGINE_GONE, 1, id);
		}
	expect_range(bench, 10, 30, 3, true);
	expect_range(bench, 50, 60, 2, true);
	expect_none_until_the_window_ends(bench);
}

static void test_the_whole_tunnel_may_have_gone(void **state)
{
	struct bench *bench = *state;

	for (uint32_t id = 10; id <= 100; id += 10) {
		datastore_configure(bench->store, 1, id, NULL);
		happen(&bench->notices, ENGINE_GONE, 1, id);
	}
	datastore_configure(bench->store, 1, 0, NULL);
	expect_range(bench, 10, 100, 10, true);
}

/* ---- what objects carry */

static void drop(const struct entry *entry, bool seen, void *arg)
{
	assert_true(seen);
	notices_add(arg, NOTICES_OURS | NOTICES_PSEUDOWIRES,
		    &(struct engine_event){.type = ENGINE_GONE, .entry = entry});
}

static void test_what_is_gone_still_has_its_name_and_peer(void **state)
{
	struct bench *bench = *state;
	struct tunnel tunnel = {.tunnel_id = 2,
				.present = BIT(TUNNEL_REMOTE_ADDRESS),
				.remote_address = {.family = AF_INET, .bytes = {192, 0, 2, 2}}};
	struct session session = {.session_id = 7,
				  .present = BIT(SESSION_INTERFACE_NAME) |
					     BIT(SESSION_PSEUDOWIRE_TYPE) |
					     BIT(SESSION_PSEUDOWIRE_ID) | BIT(SESSION_TX_COOKIE),
				  .interface_name = "bern",
				  .pseudowire_type = PSEUDOWIRE_PPP,
				  .pseudowire_id = 7001,
				  .tx_cookie = {.length = 4}};
	struct notice *gone, *deleted;
	struct entry *entry;
	bool sum;

	bench->store->dropped = drop;
	bench->store->dropped_arg = &bench->notices;
	datastore_configure(bench->store, 2, 0, &tunnel);
	entry = datastore_configure(bench->store, 2, 7, &session);
	datastore_observe(bench->store, 2, 7, &session);
	datastore_hold(bench->store, entry, true);
	datastore_observe(bench->store, 2, 7, NULL);
	datastore_configure(bench->store, 2, 7, NULL);
	assert_string_equal(session_last(entry_session(entry))->interface_name, "bern");
	datastore_hold(bench->store, entry, false);
	assert_null(datastore_entry(bench->store, 2, 7));

	deleted = notices_take(&bench->notices, NS_PER_S, &sum);
	gone = notices_take(&bench->notices, NS_PER_S, &sum);
	assert_int_equal(gone->kind, NOTICE_SESSION_GONE);
	assert_string_equal(gone->name, "bern");
	assert_int_equal(deleted->kind, NOTICE_PSEUDOWIRE_DELETED);
	assert_int_equal(deleted->session_id, 7);
	assert_int_equal(deleted->deleted.type, PSEUDOWIRE_PPP);
	assert_int_equal(deleted->deleted.pseudowire_id, 7001);
	assert_memory_equal(&deleted->deleted.peer, &tunnel.remote_address, sizeof(struct address));
	free(gone);
	free(deleted);

	/* one of two with the id: the pseudowire is still there */
	datastore_configure(bench->store, 2, 7, &session);
	datastore_observe(bench->store, 1, 7, &session);
	datastore_observe(bench->store, 1, 7, NULL);
	gone = notices_take(&bench->notices, 9 * NS_PER_S, &sum);
	assert_int_equal(gone->kind, NOTICE_SESSION_GONE);
	free(gone);
	assert_int_equal(bench->notices.count, 0);
	bench->store->dropped = NULL;
}

static void commit(struct notices *notices, const struct candidate *changes, uint64_t number,
		   const char *user)
{
	struct commit_info info = {.number = number, .door = "cli", .tunnels = 1, .sessions = 10};

	memcpy(info.user, user, strlen(user) + 1);
	notices_add(
		notices, NOTICES_OURS,
		&(struct engine_event){.type = ENGINE_COMMIT, .commit = &info, .changes = changes});
}

static void test_commits_that_wait_are_told_as_one(void **state)
{
	struct notices notices;

	(void)state;
	notices_init(&notices, EACH);
	commit(&notices, &nothing, 4, "nobody");
	assert_int_equal(notices.count, 0);
	commit(&notices, &something, 5, "anna");
	commit(&notices, &something, 6, "bert");
	expect(&notices, NOTICE_COMMIT, 0, 0);
	assert_int_equal(notices.count, 0);
	assert_string_equal(notices.commit.user, "bert");
	assert_int_equal(notices.commit.generation, 6);
	assert_int_equal(notices.commit.sessions, 20);
	commit(&notices, &something, 7, "anna");
	assert_int_equal(notices.commit.tunnels, 1);
	notices_free(&notices);
}

int main(void)
{
#define BENCH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once_for_each_object),
		cmocka_unit_test(test_the_newest_state_is_told),
		cmocka_unit_test(test_one_of_a_session_gives_way),
		cmocka_unit_test(test_what_was_missed_is_marked_until_something_happens),
		cmocka_unit_test(test_a_pseudowire_is_told_of_in_turn),
		cmocka_unit_test(test_a_tunnel_tells_few_sessions_in_a_second),
		cmocka_unit_test(test_windows_end_one_after_the_other),
		BENCH(test_more_are_summed_up_by_rows_that_are_alike),
		BENCH(test_those_that_have_gone_are_a_range_if_no_row_is_left_in_it),
		BENCH(test_the_whole_tunnel_may_have_gone),
		BENCH(test_what_is_gone_still_has_its_name_and_peer),
		cmocka_unit_test(test_commits_that_wait_are_told_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
