/* What waits costs nothing, what is up costs nothing, and a commit is planned once. */
#include "engine_bench.h"

#include "engine/counters.h"
#include "model/names.h"
#include "netconf/walk.h"

#include <malloc.h>

#define FAR  "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=100.64.0.1 encapsulation=ip"
#define AWAY "peer-tunnel-id=2 local-address=10.9.9.9 remote-address=192.0.2.2 encapsulation=ip"

static int setup(void **state)
{
	*state = new_bench("6.12", NULL);
	return 0;
}

static int teardown(void **state)
{
	free_bench(*state);
	return 0;
}

/* How often the loop wakes in so long. */
static unsigned int wakeups(struct bench *bench, unsigned int ms)
{
	struct timeval end = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	unsigned int count = 0;

	event_base_loopexit(bench->base, &end);
	do {
		event_base_loop(bench->base, EVLOOP_ONCE);
		count++;
	} while (!event_base_got_exit(bench->base));
	return count - 1;
}

static void settle(struct bench *bench)
{
	assert_true(turn_until(bench, is_idle, 5000));
	turn_until(bench, never, 1500);
}

/* Only an event can wake it. */
static bool sleeps(struct bench *bench)
{
	return agenda_try_due(&bench->engine->agenda) == NEVER &&
	       !evtimer_pending(bench->engine->turn, NULL) && wakeups(bench, 300) == 0;
}

/* Sessions 1001 and so on of tunnel 1. */
static struct edit *with_sessions(const char *leaves, unsigned int sessions, const char *each)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, leaves);
	for (uint32_t id = 1001; id <= 1000 + sessions; id++)
		session(edit, EDIT_MERGE, 1, id, each);
	return edit;
}

static void wait_for_address(struct bench *bench, unsigned int sessions)
{
	struct edit *edit = with_sessions(AWAY, sessions, "peer-session-id=7");

	assert_int_equal(commit(bench, edit), 0);
	assert_int_equal(status_of(bench, 1, 1001), OPER_WAITING);
}

/* ---- idle */

static void what_waits_for_an_address_sleeps_until_there_is_one(void **state)
{
	struct bench *bench = *state;
	uint64_t calls;

	wait_for_address(bench, 3 * MANY);
	settle(bench);
	calls = sim_calls(bench->kernel);
	assert_true(sleeps(bench));
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "10.9.9.8/32", false), 0);
	settle(bench);
	assert_true(sleeps(bench));
	assert_int_equal(sim_calls(bench->kernel), calls); /* a look is enough */
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "10.9.9.9/32", false), 0);
	UNTIL(bench, status_of(bench, 1, 1001) == OPER_UP);
	UNTIL(bench, status_of(bench, 1, 1000 + 3 * MANY) == OPER_UP);
}

static void what_waits_for_a_route_sleeps_until_there_is_one(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = with_sessions(FAR, MANY, "peer-session-id=7");

	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	assert_int_equal(commit(bench, edit), 0);
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.common.status_reason,
			 REASON_NO_ROUTE);
	settle(bench);
	assert_true(sleeps(bench));
	assert_int_equal(sim_add_route(bench->kernel, "100.64.0.0/10", 0), 0);
	UNTIL(bench, status_of(bench, 1, 1001) == OPER_UP);
}

static void what_waits_for_a_bridge_sleeps_until_there_is_one(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = with_sessions(TUNNEL1, 3, "peer-session-id=7 bridge=br7");

	assert_int_equal(commit(bench, edit), 0);
	settle(bench);
	assert_int_equal(entry_of(bench, 1, 1001)->state.common.status_reason, REASON_NO_BRIDGE);
	assert_int_equal(agenda_try_due(&bench->engine->agenda), NEVER);
	assert_int_equal(sim_add_link(bench->kernel, "other", true), 0);
	turn_until(bench, never, 100);
	assert_int_equal(status_of(bench, 1, 1001), OPER_WAITING);
	assert_int_equal(sim_rename_link(bench->kernel, "other", "br7"), 0);
	UNTIL(bench, status_of(bench, 1, 1001) == OPER_UP);
}

static void what_sleeps_is_tried_when_events_were_lost(void **state)
{
	struct bench *bench = *state;

	wait_for_address(bench, 3);
	settle(bench);
	assert_true(sleeps(bench));
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "10.9.9.9/32", false), 0);
	sim_lose_events(bench->kernel);
	UNTIL(bench, status_of(bench, 1, 1003) == OPER_UP);
}

static enum kernel_address_state no_answer(struct kernel *kernel, const struct address *address,
					   unsigned int vrf)
{
	(void)kernel, (void)address, (void)vrf;
	return ADDRESS_UNKNOWN;
}

/* The address may be there: no event would tell. */
static void a_question_without_an_answer_is_asked_again(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;

	operations.address_state = no_answer;
	bench->engine->k = &operations;
	wait_for_address(bench, 3);
	settle(bench);
	assert_int_not_equal(agenda_try_due(&bench->engine->agenda), NEVER);
	bench->engine->k = bench->kernel->ops;
	bench->engine->agenda.retry_at = 0;
	engine_schedule(bench->engine);
	turn_until(bench, never, 50);
	assert_true(sleeps(bench));
}

static void what_waits_for_the_module_sleeps_until_it_comes(void **state)
{
	struct bench *bench = *state;

	sim_set_capabilities(bench->kernel, 0);
	bench->engine->connected = false;
	assert_int_equal(commit(bench, tunnel_with_sessions(1, MANY)), 0);
	assert_int_equal(entry_of(bench, 1, 1001)->state.common.status_reason,
			 REASON_MODULE_MISSING);
	settle(bench);
	turn_until(bench, never, 3000); /* the next tries are 4 s away, and more */
	assert_in_range(wakeups(bench, 3000), 0, 3);
	sim_set_capabilities(bench->kernel, CAPABILITY_UDP | CAPABILITY_IP | CAPABILITY_ETHERNET);
	turn_until(bench, never, 300);
	assert_int_equal(status_of(bench, 1, 1001), OPER_UP);
}

static struct state *state_of_tunnel(struct bench *bench)
{
	return &datastore_tunnel(bench->store, 1)->state.common;
}

/* As if so much time had passed since what kept the looks at counters going. */
static void pass(struct bench *bench, unsigned int seconds)
{
	struct reading *reading = bench->engine->reading;

	bench->engine->agenda.stirred_at -= seconds * NS_PER_S;
	reading->asked_at -= seconds * NS_PER_S;
	state_of_tunnel(bench)->statistics_time -= seconds * NS_PER_S;
	reading->look_at = reading->look_at_all_at = 0;
	engine_schedule(bench->engine);
	turn_until(bench, never, 50);
}

static int forget(const char *bytes, size_t length, void *arg)
{
	(void)bytes, (void)length, (void)arg;
	return 0;
}

static void read_filtered(struct bench *bench, const struct node *filter)
{
	const struct walk_options options = {.engine = bench->engine,
					     .store = bench->store,
					     .filter = filter,
					     .max_depth = filter ? 0 : 3};
	struct writer writer;
	struct walk *walk;

	writer_init(&writer, forget, NULL);
	assert_int_equal(walk_open(&walk, &options, NULL), 0);
	while (walk_prepare(walk, NULL) > 0)
		;
	while (walk_step(walk, &writer))
		;
	walk_close(walk);
}

/* All but the counters, as NETCONF shows it. */
static void read_status(struct bench *bench)
{
	read_filtered(bench, NULL);
}

/* The sessions that are in this state. */
static void select_status(struct bench *bench, const char *status)
{
	struct tree tree = {0};
	struct node *at = tree_add(&tree, NULL, "filter", "");

	at = tree_add(&tree, at, ELEMENT_CONTAINER, NAMESPACE_MODULE);
	at = tree_add(&tree, at, "tunnel", NAMESPACE_MODULE);
	at = tree_add(&tree, at, "session", NAMESPACE_MODULE);
	tree_add(&tree, at, "session-id", NAMESPACE_MODULE)->text = "";
	tree_add(&tree, at, "oper-status", NAMESPACE_MODULE)->text = status;
	read_filtered(bench, tree.root);
	tree_free(&tree);
}

static void due_in(struct bench *bench, unsigned int from, unsigned int to)
{
	assert_in_range(counters_due(bench->engine), clock_now() + from * NS_PER_S,
			clock_now() + to * NS_PER_S);
}

static void what_is_up_is_looked_at_ever_more_rarely_for_a_minute(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, MANY)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	turn_until(bench, never, 600); /* what was made is looked at again after half a second */
	pass(bench, 10);
	due_in(bench, 9, 15);
	pass(bench, 10);
	due_in(bench, 19, 25);
	pass(bench, 30);
	due_in(bench, 29, 30);
	pass(bench, 11);
	assert_int_equal(counters_due(bench->engine), NEVER);
	assert_true(sleeps(bench));
	assert_int_equal(sim_add_route(bench->kernel, "100.64.0.0/10", 0), 0);
	turn_until(bench, never, 50);
	due_in(bench, 0, 1);
}

static void who_asks_has_counters_looked_at_for_a_minute(void **state)
{
	struct bench *bench = *state;
	struct engine_totals totals;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	turn_until(bench, never, 600);
	for (unsigned int who = 0; who < 5; who++) {
		pass(bench, 70);
		assert_int_equal(counters_due(bench->engine), NEVER);
		if (who == 0)
			engine_look(bench->engine, &datastore_tunnel(bench->store, 1)->entry);
		else if (who == 1)
			engine_refresh(bench->engine, &entry_of(bench, 1, 1001)->entry);
		else if (who == 2)
			engine_polled(bench->engine, clock_now());
		else if (who == 3)
			engine_totals(bench->engine, &totals);
		else
			read_status(bench);
		turn_until(bench, never, 50);
		assert_true(evtimer_pending(bench->engine->turn, NULL));
		for (unsigned int i = 0; i < 2; i++) {
			due_in(bench, 29, 30);
			pass(bench, 29);
		}
	}
}

/* Its sessions say so too: so a reader of the status looks at the tunnel's counters. */
static void who_asks_for_the_status_hears_of_errors_since(void **state)
{
	struct bench *bench = *state;
	const struct statistics bad = {.tx_errors = 5};
	uint64_t calls;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	turn_until(bench, never, 600);
	pass(bench, 70);
	assert_int_equal(sim_count(bench->kernel, 1, 0, &bad), 0);
	calls = sim_calls(bench->kernel);
	engine_look(bench->engine, &entry_of(bench, 1, 1002)->entry);
	assert_int_equal(sim_calls(bench->kernel), calls); /* they are not old */
	state_of_tunnel(bench)->statistics_time -= 31 * NS_PER_S;
	engine_look(bench->engine, &entry_of(bench, 1, 1002)->entry);
	assert_int_equal(sim_calls(bench->kernel), calls + 1);
	assert_int_equal(state_of_tunnel(bench)->status_reason, REASON_TRANSMIT_ERRORS);
	assert_int_equal(status_of(bench, 1, 1002), OPER_DOWN);
}

/* A question for the status costs what showing it does: no session's counters are read. */
static void who_selects_by_status_has_no_counters_read(void **state)
{
	struct bench *bench = *state;
	uint64_t calls;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 20)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	turn_until(bench, never, 600);
	pass(bench, 70);
	state_of_tunnel(bench)->statistics_time -= 31 * NS_PER_S;
	calls = sim_calls(bench->kernel);
	select_status(bench, "up");
	assert_int_equal(sim_calls(bench->kernel), calls + 1); /* the tunnel's */
}

/* ... without end: nobody else notices when it is over. */
static void what_fails_is_looked_at_every_second(void **state)
{
	struct bench *bench = *state;
	const struct statistics bad = {.tx_errors = 5}, good = {.tx_packets = 9, .tx_errors = 5};

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	turn_until(bench, never, 600);
	assert_int_equal(sim_count(bench->kernel, 1, 0, &bad), 0);
	pass(bench, 70);
	assert_true(state_of_tunnel(bench)->transmit_failing);
	pass(bench, 70);
	due_in(bench, 0, 1);
	assert_int_equal(sim_count(bench->kernel, 1, 0, &good), 0);
	UNTIL(bench, !state_of_tunnel(bench)->transmit_failing);
	pass(bench, 70);
	assert_true(sleeps(bench));
}

/* Errors that begin after the calm are seen all the same, and at once after a change. */
static void a_change_has_the_counters_looked_at(void **state)
{
	struct bench *bench = *state;
	const struct statistics bad = {.tx_errors = 5};
	const struct state *seen;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	seen = &datastore_tunnel(bench->store, 1)->state.common;
	turn_until(bench, never, 4500);
	assert_int_equal(sim_count(bench->kernel, 1, 0, &bad), 0);
	assert_int_equal(sim_add_route(bench->kernel, "100.64.0.0/10", 0), 0);
	for (unsigned int i = 0; i < 13; i++) { /* changes that go on do not put it off */
		agenda_stir(&bench->engine->agenda);
		turn_until(bench, never, 100);
	}
	assert_int_equal(seen->status_reason, REASON_TRANSMIT_ERRORS);
}

/* Without dead-interval nobody else reads their counters. */
static void the_sessions_of_a_failing_tunnel_are_looked_at(void **state)
{
	struct bench *bench = *state;
	const struct statistics bad = {.tx_errors = 5};
	const struct state *of_tunnel, *of_session;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	of_tunnel = &datastore_tunnel(bench->store, 1)->state.common;
	of_session = &entry_of(bench, 1, 1001)->state.common;
	UNTIL(bench, of_tunnel->statistics_time);
	assert_int_equal(sim_count(bench->kernel, 1, 0, &bad), 0);
	UNTIL(bench, of_tunnel->transmit_failing);
	UNTIL(bench, of_session->statistics_time);
	assert_int_equal(sim_count(bench->kernel, 1, 1001, &bad), 0);
	UNTIL(bench, of_session->transmit_failing);
}

/* One after the other, 100 us apart: a wake-up for each would cost more than what it tells. */
static void events_that_follow_each_other_are_heard_together(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2000)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	tunnel(edit, EDIT_DELETE, 1, "");
	assert_int_equal(commit(bench, edit), 0);
	assert_in_range(wakeups(bench, 200), 1, 200);
	UNTIL(bench, !datastore_tunnel(bench->store, 1)); /* all gone: let go of, too */
}

/* ---- memory */

static unsigned int trims;

/* In place of libc's: how often it is called. */
int malloc_trim(size_t pad)
{
	(void)pad;
	trims++;
	return 1;
}

static void what_a_big_change_needed_is_given_back(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	trims = 0;
	assert_int_equal(commit(bench, tunnel_with_sessions(1, MANY)), 0);
	UNTIL(bench, trims == 1);
	assert_int_equal(edit_one_session(bench, 1, 1001, "mtu=1300"), 0);
	settle(bench);
	assert_int_equal(trims, 1);
	tunnel(edit, EDIT_DELETE, 1, "");
	assert_int_equal(commit(bench, edit), 0);
	UNTIL(bench, trims == 2);
	assert_null(datastore_tunnel(bench->store, 1)); /* that was the most of it */
}

/* ---- paths */

static unsigned int asked;

static enum kernel_address_state count_address(struct kernel *kernel, const struct address *address,
					       unsigned int vrf)
{
	asked++;
	return kernel->ops->address_state(kernel, address, vrf);
}

static void tunnels_with_the_same_address_ask_about_it_once_a_slice(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;
	struct edit *edit = edit_new();

	for (uint32_t id = 1; id <= 200; id++) {
		char leaves[160];

		snprintf(leaves, sizeof(leaves),
			 "peer-tunnel-id=7 local-address=192.0.2.1 remote-address=192.0.2.2 "
			 "local-port=%u",
			 2000 + id);
		tunnel(edit, EDIT_MERGE, id, leaves);
	}
	operations.address_state = count_address;
	bench->engine->k = &operations;
	asked = 0;
	assert_int_equal(commit(bench, edit), 0);
	assert_in_range(asked, 1, 50);
	assert_int_equal(datastore_tunnel(bench->store, 200)->state.common.oper_status, OPER_UP);
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	UNTIL(bench, datastore_tunnel(bench->store, 1)->state.common.oper_status == OPER_DOWN);
	UNTIL(bench, datastore_tunnel(bench->store, 200)->state.common.oper_status == OPER_DOWN);
	bench->engine->k = bench->kernel->ops;
}

/* ---- hushing */

static unsigned int hushes;

static void count_hush(struct kernel *kernel, bool hush)
{
	(void)kernel;
	hushes += hush;
}

/* Events would be lost for nothing, and what makes up for it would try again for ever. */
static void what_can_do_nothing_hushes_no_events(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;

	operations.hush = count_hush;
	bench->engine->k = &operations;
	hushes = 0;
	wait_for_address(bench, 16 * MANY);
	turn_until(bench, never, 1500);
	assert_int_equal(hushes, 0);
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "10.9.9.9/32", false), 0);
	UNTIL(bench, status_of(bench, 1, 1000 + 16 * MANY) == OPER_UP);
	assert_int_equal(hushes, 1);
	bench->engine->k = bench->kernel->ops;
}

static kernel_event_cb *heard;

static void hear_no_route(const struct kernel_event *event, void *arg)
{
	if (event->type != KERNEL_EVENT_ROUTE)
		heard(event, arg);
}

static void read_no_routes(struct kernel *kernel, kernel_event_cb *cb, void *arg)
{
	heard = cb;
	kernel->ops->read_events(kernel, hear_no_route, arg);
}

static void lose_the_route(struct kernel *kernel, bool hush)
{
	if (hush)
		assert_int_equal(sim_remove_route(kernel, "0.0.0.0/0"), 0);
}

static void what_changed_while_events_were_hushed_is_found(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 2, FAR);
	assert_int_equal(commit(bench, edit), 0);
	settle(bench);
	operations.hush = lose_the_route;
	operations.read_events = read_no_routes;
	bench->engine->k = &operations;
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 16 * MANY)), 0);
	UNTIL(bench,
	      datastore_tunnel(bench->store, 2)->state.common.status_reason == REASON_NO_ROUTE);
	bench->engine->k = bench->kernel->ops;
}

/* ---- a commit is planned once */

/* Commit it, and count the turns after which work was under way though it was done. */
static unsigned int turns_of_work_after(struct bench *bench, struct edit *edit)
{
	const struct timeval end = {.tv_usec = 200000};
	unsigned int count = 0;

	bench->done = false;
	engine_edit(bench->engine, edit, &tester, on_done, bench);
	while (!bench->done)
		event_base_loop(bench->base, EVLOOP_ONCE); /* one turn */
	assert_int_equal(bench->result, 0);
	event_base_loopexit(bench->base, &end);
	do {
		event_base_loop(bench->base, EVLOOP_ONCE);
		count += transaction_due(bench->engine) != NEVER;
	} while (!event_base_got_exit(bench->base));
	return count;
}

static void a_commit_never_repairs_itself(void **state)
{
	static const char *const leaves[] = {
		"mtu=1300",
		"mtu=1280",
		"bridge=br0",
		"bridge=br1",
		"-bridge",
		"mac-address=02:00:00:00:00:09",
		"link-enabled=false",
		"mac-address=02:00:00:00:00:0a link-enabled=true",
	};
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	assert_int_equal(sim_add_link(bench->kernel, "br1", true), 0);
	assert_int_equal(turns_of_work_after(bench, tunnel_with_sessions(1, 3)), 0);
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		struct edit *edit = edit_new();

		tunnel(edit, EDIT_MERGE, 1, "");
		session(edit, EDIT_MERGE, 1, 1001, leaves[i]);
		assert_int_equal(turns_of_work_after(bench, edit), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_waits_for_an_address_sleeps_until_there_is_one,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_for_a_route_sleeps_until_there_is_one,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_for_a_bridge_sleeps_until_there_is_one,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_sleeps_is_tried_when_events_were_lost, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_question_without_an_answer_is_asked_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_waits_for_the_module_sleeps_until_it_comes,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_up_is_looked_at_ever_more_rarely_for_a_minute, setup, teardown),
		cmocka_unit_test_setup_teardown(who_asks_has_counters_looked_at_for_a_minute, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_selects_by_status_has_no_counters_read, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_asks_for_the_status_hears_of_errors_since,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_fails_is_looked_at_every_second, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_change_has_the_counters_looked_at, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_sessions_of_a_failing_tunnel_are_looked_at,
						setup, teardown),
		cmocka_unit_test_setup_teardown(events_that_follow_each_other_are_heard_together,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_big_change_needed_is_given_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			tunnels_with_the_same_address_ask_about_it_once_a_slice, setup, teardown),
		cmocka_unit_test_setup_teardown(what_can_do_nothing_hushes_no_events, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_changed_while_events_were_hushed_is_found,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_commit_never_repairs_itself, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
