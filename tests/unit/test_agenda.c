/* The agenda without memory, and what was checked once and is committed later. */
#include "engine_bench.h"

static bool no_memory;

/* libc's, but for when a test says so: keys.c has its lists from it. */
void *reallocarray(void *at, size_t count, size_t size)
{
	size_t bytes;

	if (no_memory || __builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return realloc(at, bytes);
}

static int setup(void **state)
{
	struct bench *bench = new_bench("6.12", NULL);

	*state = bench;
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 3)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	return 0;
}

static int teardown(void **state)
{
	no_memory = false;
	free_bench(*state);
	return 0;
}

static bool has_1002(struct bench *bench)
{
	struct session found;

	return ask_kernel(bench, 1, 1002, &found) == 0;
}

static bool has_no_1002(struct bench *bench)
{
	return !datastore_entry(bench->store, 1, 1002);
}

/* Gone, and no event told of it. */
static void vanish(struct bench *bench)
{
	struct kernel_request request = {
		.verb = KERNEL_SESSION_DELETE, .tunnel_id = 1, .session_id = 1002};

	bench->kernel->ops->submit(bench->kernel, &request, 1);
	assert_int_equal(request.result, 0);
	sim_reap(bench->kernel);
	assert_false(has_1002(bench));
}

static void a_key_that_is_kept_is_looked_at(void **state)
{
	struct bench *bench = *state;

	vanish(bench);
	agenda_look(&bench->engine->agenda, &(struct key){1, 1002});
	assert_false(bench->engine->agenda.read_all);
	engine_schedule(bench->engine);
	assert_true(turn_until(bench, has_1002, 1000));
}

static void a_key_that_cannot_be_kept_has_everything_read(void **state)
{
	struct bench *bench = *state;
	struct agenda *agenda = &bench->engine->agenda;

	vanish(bench);
	no_memory = true;
	keys_free(&agenda->look);
	agenda_look(agenda, &(struct key){1, 1002});
	no_memory = false;
	assert_int_equal(agenda->look.count, 0);
	assert_true(agenda->read_all);
	engine_schedule(bench->engine);
	assert_true(turn_until(bench, has_1002, 8000));
}

static void a_removal_that_cannot_be_kept_is_not_lost_sight_of(void **state)
{
	struct bench *bench = *state;
	struct agenda *agenda = &bench->engine->agenda;
	struct edit *edit = edit_new();
	struct key key;

	sim_set_delays(bench->kernel, 300, 300);
	edit_session(edit, EDIT_DELETE, 1, 1002);
	assert_int_equal(commit(bench, edit), 0);
	assert_int_equal(agenda->removing.count, 1);
	key = agenda->removing.at[0];
	no_memory = true;
	keys_free(&agenda->removing);
	agenda_removing(agenda, &key);
	no_memory = false;
	assert_int_equal(agenda->removing.count, 0);
	assert_true(datastore_entry(bench->store, 1, 1002)->held);
	assert_true(turn_until(bench, has_no_1002, 8000));
}

/* Twice the same key is one; in order when taken. */
static void keys_are_taken_in_order_and_once(void **state)
{
	static const struct key in[] = {{2, 5}, {1, 7}, {2, 0}, {1, 7}, {1, 0}, {2, 5}};
	static const struct key out[] = {{1, 0}, {1, 7}, {2, 0}, {2, 5}};
	struct keys keys = {0}, taken;

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		assert_true(keys_add(&keys, &in[i]));
	taken = keys_take(&keys);
	assert_int_equal(keys.count, 0);
	assert_int_equal(taken.count, sizeof(out) / sizeof(out[0]));
	assert_memory_equal(taken.at, out, sizeof(out));
	keys_free(&taken);
}

/* One by one, while more come. */
static void keys_are_taken_one_by_one(void **state)
{
	static const struct key in[] = {{1, 1}, {1, 2}, {1, 3}}, more[] = {{1, 1}, {1, 3}, {1, 2}};
	static const struct key out[] = {{1, 1}, {1, 2}, {1, 3}, {1, 1}, {1, 2}, {1, 3}};
	struct keys keys = {0};
	struct key key;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(keys_add(&keys, &in[i]));
	while (keys_next(&keys, &key)) {
		assert_memory_equal(&key, &out[at++], sizeof(key));
		for (size_t i = 0; at == 3 && i < 3; i++)
			assert_true(keys_add(&keys, &more[i]));
	}
	assert_int_equal(at, 6);
	assert_null(keys.at);
}

/* ---- reading everything */

static int fail_to_dump(struct kernel *kernel, enum kernel_dump what, bool begin,
			const struct kernel_visitor *visitor)
{
	(void)kernel, (void)what, (void)begin, (void)visitor;
	return -EIO;
}

static bool has_1099(struct bench *bench)
{
	return datastore_entry(bench->store, 1, 1099);
}

/* Made by another, and no event told of it: only a dump can find it. */
static void a_dump_that_fails_is_done_again(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;
	struct session other = {.session_id = 1099,
				.peer_session_id = 9,
				.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID)};
	struct kernel_request request = {.verb = KERNEL_SESSION_CREATE,
					 .tunnel_id = 1,
					 .session_id = 1099,
					 .session = &other};

	codec_complete(OBJECT_SESSION, &other);
	bench->kernel->ops->submit(bench->kernel, &request, 1);
	assert_int_equal(request.result, 0);
	operations.dump_piece = fail_to_dump;
	bench->engine->k = &operations;
	bench->done = false;
	engine_resync(bench->engine, on_done, bench);
	assert_true(turn_until(bench, is_done, 5000));
	assert_int_equal(bench->error.os_errno, EIO);
	assert_false(has_1099(bench));
	bench->engine->k = bench->kernel->ops;
	assert_true(turn_until(bench, has_1099, 8000));
}

/* ---- what waits */

/* All that waits is tried once; how many seconds until the next try. */
static int64_t try_all(struct agenda *agenda)
{
	const struct key *tried;

	assert_true(agenda_wait(agenda, &(struct key){1, 1}));
	agenda_begin_try(agenda);
	while (agenda_next_tried(agenda, &tried))
		;
	return (agenda->retry_at - clock_now() + NS_PER_S / 2) / NS_PER_S;
}

static void a_stir_begins_the_back_off_anew(void **state)
{
	struct agenda agenda;

	(void)state;
	agenda_init(&agenda);
	for (unsigned int round = 0; round < 2; round++) {
		for (int64_t delay = 1; delay <= 16; delay *= 2)
			assert_int_equal(try_all(&agenda), delay);
		agenda_stir(&agenda);
	}
	agenda_free(&agenda);
}

/* Only those that no event tells of are tried again by themselves. */
static void what_sleeps_is_not_tried_unless_woken(void **state)
{
	struct agenda agenda;
	const struct key *tried;

	(void)state;
	agenda_init(&agenda);
	assert_true(agenda_sleep(&agenda, &(struct key){1, 1}));
	assert_int_equal(agenda_try_due(&agenda), NEVER);
	assert_true(agenda_wait(&agenda, &(struct key){2, 2}));
	assert_int_not_equal(agenda_try_due(&agenda), NEVER);
	agenda_begin_try(&agenda);
	assert_int_equal(agenda_next_tried(&agenda, &tried), 1);
	assert_int_equal(tried->tunnel_id, 2);
	assert_int_equal(agenda_next_tried(&agenda, &tried), 0);
	assert_int_equal(agenda_try_due(&agenda), NEVER);
	agenda_try_soon(&agenda);
	assert_int_equal(agenda_try_due(&agenda), NEVER);
	agenda_try_now(&agenda);
	assert_true(agenda_try_due(&agenda) <= clock_now());
	agenda_begin_try(&agenda);
	assert_int_equal(agenda_next_tried(&agenda, &tried), 1);
	assert_int_equal(tried->tunnel_id, 1);
	assert_int_equal(agenda_next_tried(&agenda, &tried), 0);
	agenda_free(&agenda);
}

/* Each commit that changes it has it tried, and put to sleep again. */
static void who_goes_to_sleep_again_and_again_fills_no_list(void **state)
{
	struct agenda agenda;

	(void)state;
	agenda_init(&agenda);
	for (unsigned int i = 0; i < 10000; i++)
		assert_true(agenda_sleep(&agenda, &(struct key){1, 1 + i % 3}));
	assert_true(agenda.asleep.count < 100);
	agenda_free(&agenda);
}

/* ---- checked, then committed */

static struct edit *mtu_edit(const char *leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 1002, leaves);
	return edit;
}

/* Checked as "mtu=1280", with a description put in afterwards that is in no edit. */
static int commit_checked(struct bench *bench, bool something_changes)
{
	struct edit *edit = mtu_edit("mtu=1280");
	struct engine_checked checked;
	struct session changed;

	assert_int_equal(engine_check(bench->engine, edit, 0, &checked, NULL), 0);
	changed = *candidate_session(&checked.changes, 1, 1002);
	changed.present |= BIT(SESSION_DESCRIPTION);
	snprintf(changed.description, sizeof(changed.description), "checked");
	assert_int_equal(candidate_put(&checked.changes, 1, 1002, &changed), 0);
	if (something_changes)
		assert_int_equal(edit_one_session(bench, 1, 1001, "mtu=1290"), 0);
	bench->done = false;
	assert_int_not_equal(
		engine_edit_checked(bench->engine, edit, &checked, &tester, on_done, bench), 0);
	assert_true(turn_until(bench, is_done, 5000));
	return bench->result;
}

static void what_was_checked_is_committed_without_another_check(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(commit_checked(bench, false), 0);
	assert_string_equal(session_config(entry_of(bench, 1, 1002))->description, "checked");
	assert_int_equal(session_config(entry_of(bench, 1, 1002))->mtu, 1280);
}

static void what_was_checked_is_checked_again_when_something_changed(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(commit_checked(bench, true), 0);
	assert_string_equal(session_config(entry_of(bench, 1, 1002))->description, "");
	assert_int_equal(session_config(entry_of(bench, 1, 1002))->mtu, 1280);
	assert_int_equal(session_config(entry_of(bench, 1, 1001))->mtu, 1290);
}

/* ---- events tell whose commit it is */

static void note_ticket(const struct engine_event *event, void *arg)
{
	if (event->type == ENGINE_COMMIT)
		*(unsigned int *)arg = event->ticket;
}

static void a_commit_tells_its_ticket(void **state)
{
	struct bench *bench = *state;
	unsigned int told = 0, mine, other;

	assert_int_equal(engine_watch(bench->engine, note_ticket, &told), 0);
	bench->done = false;
	other = engine_edit(bench->engine, mtu_edit("mtu=1281"), &tester, NULL, NULL);
	mine = engine_edit(bench->engine, mtu_edit("mtu=1282"), &tester, on_done, bench);
	assert_int_not_equal(other, mine);
	assert_true(turn_until(bench, is_done, 5000));
	assert_int_equal(told, mine);
	engine_unwatch(bench->engine, &told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_taken_in_order_and_once),
		cmocka_unit_test(keys_are_taken_one_by_one),
		cmocka_unit_test(a_stir_begins_the_back_off_anew),
		cmocka_unit_test(what_sleeps_is_not_tried_unless_woken),
		cmocka_unit_test(who_goes_to_sleep_again_and_again_fills_no_list),
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		WITH_BENCH(a_key_that_is_kept_is_looked_at),
		WITH_BENCH(a_key_that_cannot_be_kept_has_everything_read),
		WITH_BENCH(a_removal_that_cannot_be_kept_is_not_lost_sight_of),
		WITH_BENCH(a_dump_that_fails_is_done_again),
		WITH_BENCH(what_was_checked_is_committed_without_another_check),
		WITH_BENCH(what_was_checked_is_checked_again_when_something_changed),
		WITH_BENCH(a_commit_tells_its_ticket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
