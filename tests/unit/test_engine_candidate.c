/*
 * The candidate datastore through the engine: in slices of one unit, so that everything
 * that can come in between does.
 */
#include "engine_bench.h"

#include "engine/staging.h"
#include "netconf/encode.h"
#include "store/overlay.h"

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

static struct engine_who who_is(unsigned int session)
{
	return (struct engine_who){.door = "netconf", .user = "root", .session = session};
}

static const struct engine_confirm plain = {.confirmed = false};

static int outcome(struct bench *bench, unsigned int ticket)
{
	assert_true(ticket != 0);
	assert_true(turn_until(bench, is_done, 20000));
	return bench->result;
}

static int stage(struct bench *bench, unsigned int session, struct edit *edit)
{
	const struct engine_who who = who_is(session);

	bench->done = false;
	return outcome(bench, engine_stage(bench->engine, edit, false, &who, on_done, bench));
}

static int commit_staged(struct bench *bench, unsigned int session)
{
	const struct engine_who who = who_is(session);

	bench->done = false;
	return outcome(bench, engine_commit_staged(bench->engine, &plain, &who, on_done, bench));
}

static int validate(struct bench *bench)
{
	const struct engine_who who = who_is(9);

	bench->done = false;
	return outcome(bench,
		       engine_test(bench->engine, ENGINE_CANDIDATE, NULL, &who, on_done, bench));
}

static int lock(struct bench *bench, unsigned int session)
{
	const struct engine_who who = who_is(session);

	bench->done = false;
	return outcome(bench, engine_lock(bench->engine, ENGINE_CANDIDATE, &who, on_done, bench));
}

static size_t staged_count(const struct bench *bench)
{
	const struct staged *staged = bench->engine->staging.staged;

	return staged ? staged->changes.count : 0;
}

static void what_is_staged_is_not_configured_until_committed(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(stage(bench, 1, tunnel_with_sessions(1, 3)), 0);
	assert_null(datastore_tunnel(bench->store, 1));
	assert_int_equal(staged_count(bench), 4);
	assert_int_equal(validate(bench), 0);
	assert_int_equal(staged_count(bench), 4);
	assert_int_equal(commit_staged(bench, 2), 0);
	assert_int_equal(datastore_counts(bench->store)->configured_sessions, 3);
	assert_null(bench->engine->staging.staged);
	assert_int_equal(commit_staged(bench, 2), 0);
}

/* Names are chosen for a commit, and its changes followed running: not so in what stays staged. */
static void a_commit_that_fails_leaves_it_as_it_was(void **state)
{
	struct bench *bench = *state;
	const struct change *change;

	assert_int_equal(stage(bench, 1, tunnel_with_sessions(1, 20)), 0);
	assert_int_equal(sim_fail(bench->kernel, KERNEL_SESSION_CREATE, 15, SIM_REFUSE, -ENOMEM),
			 0);
	assert_true(commit_staged(bench, 1) < 0);
	assert_int_equal(staged_count(bench), 21);
	change = overlay_find(&bench->engine->staging.staged->changes, 1, 1001);
	assert_false(change->after->session.present & BIT(SESSION_INTERFACE_NAME));
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(commit_staged(bench, 1), 0);
	assert_int_equal(datastore_counts(bench->store)->configured_sessions, 20);
}

static void an_edit_that_is_refused_changes_nothing(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = tunnel_with_sessions(1, 3);

	assert_int_equal(stage(bench, 1, tunnel_with_sessions(1, 2)), 0);
	edit_session(edit, EDIT_DELETE, 1, 1500);
	assert_true(stage(bench, 1, edit) < 0);
	assert_int_equal(staged_count(bench), 3);
	edit = edit_new();
	edit_tunnel(edit, EDIT_DELETE, 2);
	assert_true(stage(bench, 1, edit) < 0);
	edit = edit_new();
	edit_tunnel(edit, EDIT_DELETE, 1);
	assert_int_equal(stage(bench, 1, edit), 0);
	assert_null(bench->engine->staging.staged); /* as running again: not dirty */
}

/* RFC 7950 section 8.3.3. */
static void constraints_wait_for_the_commit(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, "peer-tunnel-id=2");
	assert_int_equal(stage(bench, 1, edit), 0);
	assert_true(validate(bench) < 0);
	assert_true(commit_staged(bench, 1) < 0);
	assert_int_equal(staged_count(bench), 1);
	assert_int_equal(stage(bench, 1, tunnel_with_sessions(1, 0)), 0);
	assert_int_equal(commit_staged(bench, 1), 0);
}

static void it_follows_what_others_commit(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	edit_tunnel(edit, EDIT_DELETE, 1);
	assert_int_equal(stage(bench, 1, edit), 0);
	assert_int_equal(edit_one_session(bench, 1, 1050, "peer-session-id=5"), 0);
	assert_int_equal(stage(bench, 1, tunnel_with_sessions(7, 1)), 0);
	assert_int_equal(staged_count(bench), 6); /* with the session that came meanwhile */
	assert_int_equal(commit_staged(bench, 1), 0);
	assert_int_equal(datastore_counts(bench->store)->configured_tunnels, 1);
}

/* RFC 6241 section 7.5: dirty, by whomever; the lock's end discards (section 8.3.5.2). */
static void a_lock_begins_and_ends_clean(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(stage(bench, 1, tunnel_with_sessions(1, 1)), 0);
	assert_true(lock(bench, 1) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCK_DENIED);
	assert_int_equal(bench->error.session, 0);
	engine_end_session(bench->engine, 1); /* which held no lock */
	assert_int_equal(staged_count(bench), 2);
	assert_int_equal(commit_staged(bench, 1), 0);
	assert_int_equal(lock(bench, 1), 0);
	assert_true(stage(bench, 2, tunnel_with_sessions(2, 1)) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCKED);
	assert_true(commit_staged(bench, 2) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCKED);
	assert_int_equal(stage(bench, 1, tunnel_with_sessions(2, 1)), 0);
	assert_int_equal(commit(bench, tunnel_with_sessions(3, 1)), 0); /* running is not locked */
	engine_end_session(bench->engine, 1);
	assert_int_equal(staged_count(bench), 0);
	assert_int_equal(lock(bench, 2), 0);
}

/* The session ends amid its own edit: the edit is taken back, and all before it discarded. */
static void a_session_may_end_at_any_point_of_its_edit(void **state)
{
	struct bench *bench = *state;
	const struct engine_who who = who_is(1);

	for (unsigned int turns = 0; turns < 40; turns++) {
		unsigned int ticket;

		bench->engine->o.slice_units = 1;
		assert_int_equal(lock(bench, 1), 0);
		assert_int_equal(stage(bench, 1, tunnel_with_sessions(1, 5)), 0);
		ticket = engine_stage(bench->engine, tunnel_with_sessions(2, 20), false, &who, NULL,
				      NULL);
		for (unsigned int i = 0; i < turns; i++)
			event_base_loop(bench->base, EVLOOP_ONCE);
		engine_forget(bench->engine, ticket);
		engine_end_session(bench->engine, 1);
		assert_true(turn_until(bench, is_idle, 5000));
		assert_int_equal(staged_count(bench), 0);
		assert_false(bench->engine->staging.edited);
	}
	bench->engine->o.slice_units = 0;
	assert_true(turn_until(bench, is_idle, 5000));
	assert_null(bench->engine->staging.spent);
}

/* What a reader has stays; it is copied once, for the edit, and freed with the last reader. */
static void who_reads_it_sees_no_edit(void **state)
{
	struct bench *bench = *state;
	struct staged *first, *again;

	assert_int_equal(stage(bench, 1, tunnel_with_sessions(1, 5)), 0);
	first = engine_candidate(bench->engine);
	again = engine_candidate(bench->engine);
	assert_ptr_equal(first, again);
	assert_int_equal(stage(bench, 1, tunnel_with_sessions(2, 5)), 0);
	assert_int_equal(first->changes.count, 6);
	assert_int_equal(staged_count(bench), 12);
	assert_int_equal(commit_staged(bench, 1), 0);
	assert_int_equal(first->changes.count, 6);
	engine_candidate_drop(bench->engine, first);
	engine_candidate_drop(bench->engine, again);
	assert_ptr_equal(bench->engine->staging.spent, again);
	assert_true(turn_until(bench, is_idle, 5000));
}

/* Of many entries one is changed: the commit touches that alone. */
static void a_commit_costs_what_it_touches(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();
	uint64_t calls;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 300)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	add_tunnel(edit, 1, 300);
	edit->operation = EDIT_REPLACE;
	session(edit, EDIT_MERGE, 1, 1400, "peer-session-id=7");
	calls = sim_calls(bench->kernel);
	assert_int_equal(stage(bench, 1, edit), 0);
	assert_int_equal(staged_count(bench), 1);
	assert_int_equal(commit_staged(bench, 1), 0);
	assert_true(sim_calls(bench->kernel) - calls < 30);
}

/* What root has staged, another must not commit. */
static void secrets_are_committed_by_who_may_give_them(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = tunnel_with_sessions(1, 1);
	struct engine_who alice = who_is(2);

	alice.policy = policy_of_members();
	session(edit, EDIT_MERGE, 1, 1900, "peer-session-id=7 rx-cookie=01020304");
	assert_int_equal(stage(bench, 1, edit), 0);
	bench->done = false;
	assert_true(outcome(bench, engine_commit_staged(bench->engine, &plain, &alice, on_done,
							bench)) < 0);
	assert_int_equal(bench->error.code, ERROR_DENIED);
	assert_string_equal(bench->error.path,
			    "/l2tpv3/tunnel[tunnel-id='1']/session[session-id='1900']");
	assert_int_equal(commit_staged(bench, 1), 0);
	assert_int_equal(edit_one_session(bench, 1, 1900, "mtu=1300"), 0);
	assert_int_equal(stage(bench, 2, tunnel_with_sessions(1, 5)), 0);
	bench->done = false;
	assert_int_equal(
		outcome(bench, engine_commit_staged(bench->engine, &plain, &alice, on_done, bench)),
		0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_staged_is_not_configured_until_committed),
		TEST(a_commit_that_fails_leaves_it_as_it_was),
		TEST(an_edit_that_is_refused_changes_nothing),
		TEST(constraints_wait_for_the_commit),
		TEST(it_follows_what_others_commit),
		TEST(a_lock_begins_and_ends_clean),
		TEST(a_session_may_end_at_any_point_of_its_edit),
		TEST(who_reads_it_sees_no_edit),
		TEST(a_commit_costs_what_it_touches),
		TEST(secrets_are_committed_by_who_may_give_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
