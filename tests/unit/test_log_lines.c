/* What an operator reads: bursts summed up, and each commit in one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <syslog.h>

#include "daemon/burst.h"
#include "daemon/chronicle.h"
#include "daemon/tally.h"
#include "model/codec.h"
#include "store/publish.h"

#define S INT64_C(1000000000)

struct lines {
	char text[16384];
	unsigned int count;
	int priority; /* of the last */
};

static void take(int priority, const char *text, void *arg)
{
	struct lines *lines = arg;
	size_t used = strlen(lines->text);

	snprintf(lines->text + used, sizeof(lines->text) - used, "%s\n", text);
	lines->count++;
	lines->priority = priority;
}

/* ---- tally */

static void add(struct tally *tally, uint32_t tunnel, uint32_t session, const char *became,
		const char *reason, const char *why)
{
	const struct tally_change change = {tunnel, session, became, reason, LOG_NOTICE};
	char *text = tally_add(tally, &change);

	if (text)
		snprintf(text, TALLY_TEXT, "%s", why);
}

static void a_few_are_told_one_by_one_and_many_in_one_line(void **state)
{
	struct lines lines = {.count = 0};
	struct tally *tally = tally_new(take, &lines);

	(void)state;
	assert_true(tally_empty(tally));
	add(tally, 7, 0, "down", "no-route", "no route to 192.0.2.1");
	for (uint32_t i = 1; i <= 4996; i++)
		add(tally, 7, i, "down", "no-route", "as text");
	add(tally, 8, 1, "up", "", "");
	add(tally, 8, 2, "up", "", "");
	add(tally, 8, 2, "down", "link-down", "the interface x is down");
	assert_int_equal(lines.count, 0);
	tally_flush(tally);
	assert_string_equal(lines.text, "tunnel 7 down: no route to 192.0.2.1\n"
					"4,996 sessions of tunnel 7 down: no-route\n"
					"session 8/1 up\nsession 8/2 up\n"
					"session 8/2 down: the interface x is down\n");
	assert_int_equal(lines.priority, LOG_NOTICE);
	assert_true(tally_empty(tally));
	tally_flush(tally);
	assert_int_equal(lines.count, 5);
	tally_free(tally);
}

static void the_border_is_where_it_is_said_to_be(void **state)
{
	(void)state;
	for (uint32_t count = TALLY_NAMED; count <= TALLY_NAMED + 1; count++) {
		struct lines lines = {.count = 0};
		struct tally *tally = tally_new(take, &lines);

		for (uint32_t i = 1; i <= count; i++)
			add(tally, i, 0, "waiting", "no-route", "");
		tally_flush(tally);
		assert_int_equal(lines.count, count > TALLY_NAMED ? 1 : TALLY_NAMED);
		if (count > TALLY_NAMED)
			assert_string_equal(lines.text, "6 tunnels waiting: no-route\n");
		tally_free(tally);
	}
}

static void sessions_of_several_tunnels_have_a_line_each_up_to_a_limit(void **state)
{
	(void)state;
	for (uint32_t tunnels = TALLY_TUNNELS; tunnels <= TALLY_TUNNELS + 1; tunnels++) {
		struct lines lines = {.count = 0};
		struct tally *tally = tally_new(take, &lines);

		for (uint32_t i = 0; i < 1500 * tunnels; i++)
			add(tally, 1 + i % tunnels, i + 1, "up", "", "");
		tally_flush(tally);
		if (tunnels == TALLY_TUNNELS) {
			assert_int_equal(lines.count, TALLY_TUNNELS);
			assert_non_null(strstr(lines.text, "1,500 sessions of tunnel 8 up\n"));
		} else {
			assert_string_equal(lines.text,
					    "13,500 sessions of more than 8 tunnels up\n");
		}
		tally_free(tally);
	}
}

static void more_kinds_than_there_is_room_for_are_told_at_once(void **state)
{
	static char reasons[TALLY_GROUPS + 1][8];
	struct lines lines = {.count = 0};
	struct tally *tally = tally_new(take, &lines);

	(void)state;
	for (unsigned int i = 0; i <= TALLY_GROUPS; i++) {
		snprintf(reasons[i], sizeof(reasons[i]), "r%u", i);
		add(tally, 1, 0, "down", reasons[i], "");
	}
	assert_int_equal(lines.count, TALLY_GROUPS);
	tally_flush(tally);
	assert_int_equal(lines.count, TALLY_GROUPS + 1);
	tally_free(tally);
}

static void numbers_have_commas(void **state)
{
	char text[COUNT_TEXT];

	(void)state;
	assert_string_equal(count_text(0, text), "0");
	assert_string_equal(count_text(999, text), "999");
	assert_string_equal(count_text(1000, text), "1,000");
	assert_string_equal(count_text(65000, text), "65,000");
	assert_string_equal(count_text(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

/* ---- burst */

static void lines_that_are_alike_are_held_after_the_first(void **state)
{
	struct lines lines = {.count = 0};
	struct burst burst;
	char text[64];

	(void)state;
	burst_init(&burst, take, &lines);
	for (unsigned int i = 1; i <= 4996; i++) {
		snprintf(text, sizeof(text), "session 7/%u vanished", i);
		burst_take(&burst, S + i, LOG_WARNING, text);
	}
	burst_take(&burst, S + 5000, LOG_NOTICE, "session seven vanished");
	assert_int_equal(lines.count, BURST_PASS + 1);
	assert_int_equal(burst_due(&burst), 2 * S + 4996);
	burst_flush(&burst, 2 * S);
	assert_int_equal(lines.count, BURST_PASS + 1);
	burst_flush(&burst, 2 * S + 5000);
	assert_non_null(
		strstr(lines.text, "\n4,991 more like it, the last: session 7/4996 vanished\n"));
	assert_int_equal(lines.priority, LOG_WARNING);
	assert_int_equal(burst_due(&burst), 0);
	burst_take(&burst, 2 * S + 6000, LOG_WARNING, "session 7/1 vanished"); /* a new one */
	assert_non_null(strstr(lines.text, "4996 vanished\nsession 7/1 vanished\n"));
}

static void a_burst_that_goes_on_is_told_of_all_the_same(void **state)
{
	struct lines lines = {.count = 0};
	struct burst burst;

	(void)state;
	burst_init(&burst, take, &lines);
	for (unsigned int i = 0; i < 100; i++)
		burst_take(&burst, S + i * S / 2, LOG_WARNING, "again");
	/* each 10 s anew: five pass, and the rest is one line */
	assert_in_range(lines.count, 25, 30);
	burst_flush(&burst, INT64_MAX);
	assert_int_equal(burst_due(&burst), 0);
}

static void lines_now_and_then_all_pass(void **state)
{
	struct lines lines = {.count = 0};
	struct burst burst;

	(void)state;
	burst_init(&burst, take, &lines);
	for (unsigned int i = 0; i < 100; i++)
		burst_take(&burst, S + i * S, LOG_WARNING, "now and then");
	assert_int_equal(lines.count, 100);
}

static void many_kinds_of_lines_lose_none(void **state)
{
	struct lines lines = {.count = 0};
	struct burst burst;
	char text[3 * BURST_KINDS + 1] = "";

	(void)state;
	burst_init(&burst, take, &lines);
	for (unsigned int kind = 0; kind < 3 * BURST_KINDS; kind++) {
		text[kind] = 'x';
		for (unsigned int i = 0; i < BURST_PASS + 1; i++)
			burst_take(&burst, S + kind, LOG_WARNING, text);
	}
	burst_flush(&burst, INT64_MAX);
	assert_int_equal(lines.count, 3 * BURST_KINDS * (BURST_PASS + 1));
}

/* ---- commits */

static const char *commit_line(const struct candidate *changes, const char *door, const char *user,
			       const char *comment, char ret[COMMIT_LINE])
{
	struct commit_info info = {.number = 12, .tunnels = 1, .sessions = 60000};

	snprintf(info.door, sizeof(info.door), "%s", door);
	snprintf(info.user, sizeof(info.user), "%s", user);
	snprintf(info.comment, sizeof(info.comment), "%s", comment);
	chronicle_commit(&info, changes, ret);
	return ret;
}

static struct tunnel a_tunnel(uint32_t id)
{
	return (struct tunnel){
		.present = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID),
		.tunnel_id = id,
		.peer_tunnel_id = 1,
	};
}

static struct session a_session(uint32_t id)
{
	return (struct session){
		.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID),
		.session_id = id,
		.peer_session_id = 1,
	};
}

static void put_sessions(struct candidate *candidate, uint32_t tunnel, uint32_t first,
			 uint32_t last)
{
	for (uint32_t i = first; i <= last; i++) {
		struct session session = a_session(i);

		assert_int_equal(candidate_put(candidate, tunnel, i, &session), 0);
	}
}

static void a_commit_is_told_with_what_it_touched(void **state)
{
	struct datastore *store = datastore_new();
	struct tunnel tunnel = a_tunnel(7);
	struct candidate changes;
	char line[COMMIT_LINE];

	(void)state;
	candidate_open(&changes, store);
	candidate_put(&changes, 7, 0, &tunnel);
	put_sessions(&changes, 7, 1, 2);
	assert_string_equal(commit_line(&changes, "netconf", "alice", "", line),
			    "commit 12 by alice (netconf): tunnel 7 created; "
			    "sessions 7/1, 7/2 created");
	put_sessions(&changes, 7, 3, 2000);
	assert_string_equal(commit_line(&changes, "snmp", "", "", line),
			    "commit 12 by a manager whom the AgentX master does not name (snmp): "
			    "tunnel 7 created; 2,000 sessions of tunnel 7 created");
	candidate_publish(&changes, store);
	candidate_discard(&changes);

	candidate_open(&changes, store);
	for (uint32_t i = 1; i <= 2; i++) {
		struct session session = a_session(i);

		session.present |= BIT(SESSION_MTU) | BIT(SESSION_TX_COOKIE);
		session.mtu = 1400;
		session.tx_cookie.length = 4;
		candidate_put(&changes, 7, i, &session);
	}
	candidate_put(&changes, 7, 3, NULL);
	assert_string_equal(commit_line(&changes, "cli", "root", "rollback to 3", line),
			    "commit 12 by root (cli): sessions 7/1, 7/2 changed (mtu, tx-cookie); "
			    "session 7/3 deleted [rollback to 3]");
	candidate_discard(&changes);
	datastore_free(store);
}

static void a_huge_commit_is_told_by_its_numbers(void **state)
{
	struct datastore *store = datastore_new();
	struct candidate changes;
	char line[COMMIT_LINE];

	(void)state;
	candidate_open(&changes, store);
	put_sessions(&changes, 7, 1, 2000);
	put_sessions(&changes, 8, 3001, 5000);
	assert_string_equal(commit_line(&changes, "daemon", "", "", line),
			    "commit 12 by the daemon: 4,000 sessions created");
	put_sessions(&changes, 8, 5001, 18000);
	assert_string_equal(commit_line(&changes, "daemon", "", "", line),
			    "commit 12 by the daemon: 1 tunnels and 60,000 sessions touched");
	candidate_discard(&changes);
	datastore_free(store);
}

static void leaves_are_named_of_a_commit_that_is_not_large(void **state)
{
	(void)state;
	for (uint32_t count = 1024; count <= 1025; count++) {
		struct datastore *store = datastore_new();
		struct candidate changes;
		char line[COMMIT_LINE];

		candidate_open(&changes, store);
		put_sessions(&changes, 7, 1, count);
		candidate_publish(&changes, store);
		candidate_discard(&changes);
		candidate_open(&changes, store);
		for (uint32_t i = 1; i <= count; i++) {
			struct session session = a_session(i);

			session.present |= BIT(SESSION_MTU);
			session.mtu = 1400;
			candidate_put(&changes, 7, i, &session);
		}
		assert_string_equal(commit_line(&changes, "cli", "root", "", line),
				    count == 1024 ? "commit 12 by root (cli): 1,024 sessions of "
						    "tunnel 7 changed (mtu)"
						  : "commit 12 by root (cli): 1,025 sessions of "
						    "tunnel 7 changed");
		candidate_discard(&changes);
		datastore_free(store);
	}
}

static void a_commit_of_every_leaf_is_one_line_that_fits(void **state)
{
	struct datastore *store = datastore_new();
	struct session before = a_session(1), after = a_session(1);
	struct candidate changes;
	char line[COMMIT_LINE];

	(void)state;
	candidate_open(&changes, store);
	candidate_put(&changes, 7, 1, &before);
	candidate_publish(&changes, store);
	candidate_discard(&changes);
	candidate_open(&changes, store);
	after.present = UINT64_MAX;
	candidate_put(&changes, 7, 1, &after);
	commit_line(&changes, "netconf", "alice", "", line);
	assert_non_null(strstr(line, "session 7/1 changed (description, enabled, "));
	assert_non_null(strstr(line, " more)"));
	candidate_discard(&changes);
	datastore_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_are_told_one_by_one_and_many_in_one_line),
		cmocka_unit_test(the_border_is_where_it_is_said_to_be),
		cmocka_unit_test(sessions_of_several_tunnels_have_a_line_each_up_to_a_limit),
		cmocka_unit_test(more_kinds_than_there_is_room_for_are_told_at_once),
		cmocka_unit_test(numbers_have_commas),
		cmocka_unit_test(lines_that_are_alike_are_held_after_the_first),
		cmocka_unit_test(a_burst_that_goes_on_is_told_of_all_the_same),
		cmocka_unit_test(lines_now_and_then_all_pass),
		cmocka_unit_test(many_kinds_of_lines_lose_none),
		cmocka_unit_test(a_commit_is_told_with_what_it_touched),
		cmocka_unit_test(a_huge_commit_is_told_by_its_numbers),
		cmocka_unit_test(leaves_are_named_of_a_commit_that_is_not_large),
		cmocka_unit_test(a_commit_of_every_leaf_is_one_line_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
