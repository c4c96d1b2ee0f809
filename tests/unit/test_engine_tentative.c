/*
 * A commit that is to be confirmed (RFC 6241 section 8.4), in kernel, datastore and journal: undone
 * in time, with its session, and by a restart or reboot; kept when it is confirmed.
 */
#include "engine_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static char directory[64];

static int setup(void **state)
{
	snprintf(directory, sizeof(directory), "%s/l2tpv3d-tentative-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(directory));
	*state = new_bench("6.12", directory);
	return 0;
}

static int teardown(void **state)
{
	struct dirent *entry;
	DIR *list;

	free_bench(*state);
	list = opendir(directory);
	assert_non_null(list);
	while ((entry = readdir(list)) != NULL)
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	return rmdir(directory);
}

static int outcome(struct bench *bench, unsigned int ticket)
{
	assert_true(ticket != 0);
	assert_true(turn_until(bench, is_done, 20000));
	return bench->result;
}

static struct engine_who who_is(unsigned int session)
{
	return (struct engine_who){.door = "netconf", .user = "root", .session = session};
}

/* Stage @edit, if there is one, and commit. */
static int commit_as(struct bench *bench, unsigned int session, struct edit *edit,
		     const struct engine_confirm *confirm)
{
	const struct engine_who who = who_is(session);

	bench->done = false;
	if (edit)
		assert_int_equal(outcome(bench, engine_stage(bench->engine, edit, false, &who,
							     on_done, bench)),
				 0);
	bench->done = false;
	return outcome(bench, engine_commit_staged(bench->engine, confirm, &who, on_done, bench));
}

static int cancel(struct bench *bench, unsigned int session, const char *persist_id)
{
	const struct engine_who who = who_is(session);

	bench->done = false;
	return outcome(bench, engine_cancel(bench->engine, persist_id, &who, on_done, bench));
}

static const struct engine_confirm plain = {.confirmed = false};
static const struct engine_confirm for_long = {.confirmed = true, .timeout = 600};
static const struct engine_confirm for_a_second = {.confirmed = true, .timeout = 1};
static const struct engine_confirm persisting = {
	.confirmed = true, .timeout = 600, .persist = "token"};
static const struct engine_confirm confirming = {.persist_id = "token"};

static bool is_over(struct bench *bench)
{
	return !bench->engine->tentative.pending && is_idle(bench);
}

/* Tunnels 1 to @last are configured and in the kernel, and no other. */
static void has_tunnels(struct bench *bench, uint32_t last)
{
	struct sim_population there;

	assert_true(turn_until(bench, is_idle, 10000));
	there = sim_population(bench->kernel);
	assert_int_equal(datastore_counts(bench->store)->configured_tunnels, last);
	assert_int_equal(there.tunnels, last);
	for (uint32_t id = 1; id <= last; id++)
		assert_non_null(datastore_tunnel(bench->store, id));
}

static void begin(struct bench *bench, unsigned int session, const struct engine_confirm *confirm)
{
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 3)), 0);
	assert_int_equal(commit_as(bench, session, tunnel_with_sessions(2, 3), confirm), 0);
	has_tunnels(bench, 2);
}

static void it_is_undone_in_time(void **state)
{
	struct bench *bench = *state;

	begin(bench, 4, &for_a_second);
	assert_true(turn_until(bench, is_over, 5000));
	has_tunnels(bench, 1);
	assert_int_equal(journal_generation(bench->journal), 3);
	assert_int_equal(commit(bench, tunnel_with_sessions(2, 1)), 0);
	has_tunnels(bench, 2);
}

static void confirmed_it_stays(void **state)
{
	struct bench *bench = *state;
	uint64_t baseline;

	begin(bench, 4, &for_a_second);
	assert_int_equal(commit_as(bench, 4, NULL, &plain), 0);
	assert_false(journal_tentative(bench->journal, &baseline));
	bench->done = false;
	turn_until(bench, is_done, 1500);
	has_tunnels(bench, 2);
	stop_bench(bench);
	start_bench(bench);
	has_tunnels(bench, 2);
}

/* And what the follow-up staged is confirmed with it, or undone with it. */
static void a_follow_up_keeps_the_first_baseline(void **state)
{
	struct bench *bench = *state;

	begin(bench, 4, &for_long);
	assert_int_equal(commit_as(bench, 4, tunnel_with_sessions(3, 2), &for_long), 0);
	has_tunnels(bench, 3);
	assert_int_equal(cancel(bench, 4, NULL), 0);
	has_tunnels(bench, 1);
	assert_true(cancel(bench, 4, NULL) < 0);
	assert_int_equal(bench->error.code, ERROR_NOT_PENDING);
	assert_int_equal(commit_as(bench, 4, tunnel_with_sessions(2, 1), &for_long), 0);
	assert_int_equal(commit_as(bench, 4, tunnel_with_sessions(3, 1), &for_a_second), 0);
	assert_int_equal(commit_as(bench, 4, tunnel_with_sessions(4, 1), &plain), 0);
	bench->done = false;
	turn_until(bench, is_done, 1500);
	has_tunnels(bench, 4);
}

/* Also what its session wrote to running itself. */
static void it_ends_with_its_session(void **state)
{
	struct bench *bench = *state;
	const struct engine_who who = who_is(4);

	begin(bench, 4, &for_long);
	bench->done = false;
	assert_int_equal(outcome(bench, engine_edit(bench->engine, tunnel_with_sessions(3, 1), &who,
						    on_done, bench)),
			 0);
	engine_end_session(bench->engine, 5);
	has_tunnels(bench, 3);
	engine_end_session(bench->engine, 4);
	assert_true(turn_until(bench, is_over, 5000));
	has_tunnels(bench, 1);
}

static void a_persisting_one_ends_with_its_token(void **state)
{
	struct bench *bench = *state;

	begin(bench, 4, &persisting);
	engine_end_session(bench->engine, 4);
	has_tunnels(bench, 2);
	assert_true(commit_as(bench, 5, NULL, &plain) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCKED);
	assert_true(cancel(bench, 5, "other") < 0);
	assert_int_equal(bench->error.code, ERROR_INVALID_VALUE);
	assert_int_equal(commit_as(bench, 5, tunnel_with_sessions(3, 1), &confirming), 0);
	assert_true(turn_until(bench, is_over, 5000));
	has_tunnels(bench, 3);
	assert_true(commit_as(bench, 5, NULL, &confirming) < 0);
	assert_int_equal(bench->error.code, ERROR_INVALID_VALUE);
}

/* What others wrote would be undone, though it was acknowledged. */
static void others_do_not_write_meanwhile(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = tunnel_with_sessions(9, 1);
	const struct engine_who other = who_is(5), own = who_is(4);
	struct error err = ERROR_INIT;

	begin(bench, 4, &for_long);
	assert_true(commit(bench, tunnel_with_sessions(3, 1)) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCKED);
	assert_true(engine_check(bench->engine, edit, 0, NULL, &err) < 0);
	edit_free(edit);
	assert_true(commit_as(bench, 5, tunnel_with_sessions(3, 1), &for_long) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCKED);
	bench->done = false;
	assert_true(outcome(bench, engine_lock(bench->engine, ENGINE_RUNNING, &other, on_done,
					       bench)) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCK_DENIED);
	assert_int_equal(bench->error.session, 4);
	bench->done = false;
	assert_int_equal(
		outcome(bench, engine_lock(bench->engine, ENGINE_RUNNING, &own, on_done, bench)),
		0);
}

static void a_restart_undoes_it_in_the_kernel_too(void **state)
{
	struct bench *bench = *state;

	begin(bench, 4, &persisting);
	stop_bench(bench);
	start_bench(bench);
	assert_true(bench->engine->tentative.undoing);
	assert_true(turn_until(bench, is_over, 5000));
	has_tunnels(bench, 1);
	stop_bench(bench);
	start_bench(bench);
	assert_false(bench->engine->tentative.pending);
	has_tunnels(bench, 1);
}

static void so_does_a_reboot(void **state)
{
	struct bench *bench = *state;
	struct error err = ERROR_INIT;

	begin(bench, 4, &for_long);
	stop_bench(bench);
	bench->kernel->ops->close(bench->kernel);
	assert_int_equal(kernel_open_sim(&bench->kernel, "6.12", &err), 0);
	start_bench(bench);
	assert_true(turn_until(bench, is_over, 5000));
	has_tunnels(bench, 1);
}

/* The session ends while its confirmed commit is carried out, before it or after it is decided. */
static void its_session_may_end_amid_it(void **state)
{
	struct bench *bench = *state;
	const struct engine_who who = who_is(4);

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 3)), 0);
	for (unsigned int turns = 0; turns < 60; turns += 3) {
		unsigned int ticket;

		bench->done = false;
		assert_int_equal(
			outcome(bench, engine_stage(bench->engine, tunnel_with_sessions(2, 3),
						    false, &who, on_done, bench)),
			0);
		bench->engine->o.slice_units = 1;
		ticket = engine_commit_staged(bench->engine, &for_long, &who, NULL, NULL);
		for (unsigned int i = 0; i < turns; i++)
			event_base_loop(bench->base, EVLOOP_ONCE);
		engine_forget(bench->engine, ticket);
		engine_end_session(bench->engine, 4);
		bench->engine->o.slice_units = 0;
		assert_true(turn_until(bench, is_over, 5000));
		has_tunnels(bench, 1);
		bench->done = false;
		assert_int_equal(
			outcome(bench, engine_discard(bench->engine, &who, on_done, bench)), 0);
	}
}

/* Nothing in it: it is pending all the same, and there is nothing to undo. */
static void an_empty_one_is_pending_too(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
	assert_int_equal(commit_as(bench, 4, NULL, &for_long), 0);
	assert_true(bench->engine->tentative.pending);
	assert_int_equal(cancel(bench, 4, NULL), 0);
	assert_int_equal(journal_generation(bench->journal), 1);
	assert_int_equal(commit_as(bench, 4, NULL, &for_long), 0);
	assert_int_equal(commit_as(bench, 4, tunnel_with_sessions(2, 1), &for_long), 0);
	assert_int_equal(cancel(bench, 4, NULL), 0);
	has_tunnels(bench, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_undone_in_time),
		TEST(confirmed_it_stays),
		TEST(a_follow_up_keeps_the_first_baseline),
		TEST(it_ends_with_its_session),
		TEST(a_persisting_one_ends_with_its_token),
		TEST(others_do_not_write_meanwhile),
		TEST(a_restart_undoes_it_in_the_kernel_too),
		TEST(so_does_a_reboot),
		TEST(its_session_may_end_amid_it),
		TEST(an_empty_one_is_pending_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
