/*
 * A commit in slices of one unit each: what others see between them, what is left when
 * it is aborted there, and that no turn does more than its slice.
 */
#include "engine_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/observe.h"
#include "engine/turn.h"
#include "journal/journal_file.h"

static char directory[64];

static int setup(void **state)
{
	snprintf(directory, sizeof(directory), "%s/l2tpv3d-slices-XXXXXX",
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

static char *config_text(const struct datastore *store)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_int_equal(snapshot_write(file, store, NULL), 0);
	fclose(file);
	return text;
}

/* All that a walk by id finds is found by name and counted too, in the layer that is seen. */
static void look_ups_agree(const struct datastore *store)
{
	size_t sessions = 0, tunnels = 0;

	for (struct entry *entry = datastore_entry_from(store, 0, 0); entry;
	     entry = entry_next(entry)) {
		const struct session_entry *session = entry_session(entry);

		assert_ptr_equal(
			datastore_entry(store, entry->key.tunnel_id, entry->key.session_id), entry);
		if (!entry_config(entry))
			continue;
		sessions += session != NULL;
		tunnels += session == NULL;
		if (session && session_name(session)[0])
			assert_non_null(datastore_session_by_name(store, session_name(session)));
	}
	assert_int_equal(datastore_counts(store)->configured_sessions, sessions);
	assert_int_equal(datastore_counts(store)->configured_tunnels, tunnels);
}

/* One turn that does something. */
static void turn(struct bench *bench)
{
	while (!turn_once(bench->engine))
		usleep(1000); /* it waits for the disk, or for what is being removed */
}

static void begin(struct bench *bench, unsigned int slice_units)
{
	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	assert_int_equal(commit(bench, baseline()), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	bench->engine->o.slice_units = slice_units;
	bench->done = false;
}

static void readers_see_all_of_a_commit_or_none(void **state)
{
	struct bench *bench = *state;
	char *before, *now = NULL, *last;
	size_t turns = 0, changes = 0;

	begin(bench, 1);
	before = last = config_text(bench->store);
	assert_true(engine_edit(bench->engine, mixed_edit(), &tester, on_done, bench));
	while (!bench->done || bench->engine->transaction->step != STEP_NONE) {
		turn(bench);
		look_ups_agree(bench->store);
		now = config_text(bench->store);
		if (strcmp(now, last) != 0) {
			assert_int_equal(changes++, 0);
			assert_false(bench->done); /* who asked is told after it */
		}
		if (last != before)
			free(last);
		last = now;
		assert_true(++turns < 100000);
	}
	assert_int_equal(bench->result, 0);
	assert_int_equal(changes, 1);
	assert_int_equal(bench->store->attached, 0);
	assert_false(bench->store->published);
	free(last);
	free(before);
}

/* Returns whether it was aborted. */
static bool abort_after(struct bench *bench, size_t turns, size_t *ret_whole)
{
	unsigned int ticket;
	size_t n = 0;

	bench->done = false;
	ticket = engine_edit(bench->engine, mixed_edit(), &tester, on_done, bench);
	for (; n < turns && !bench->done; n++)
		turn(bench);
	*ret_whole = bench->done ? n : 0;
	if (!bench->done)
		engine_forget(bench->engine, ticket);
	bench->engine->o.slice_units = 0;
	assert_true(turn_until(bench, is_idle, 20000));
	return journal_generation(bench->journal) == 1;
}

static enum engine_stage stage_of(struct bench *bench)
{
	struct engine_progress progress;

	engine_progress(bench->engine, &progress);
	assert_true(progress.done <= progress.objects);
	return progress.stage;
}

/* Nothing is left of it; or all is done, when it had been decided. Its progress says which. */
static void what_is_aborted_leaves_nothing(void **state)
{
	struct bench *bench = *state;
	char *before, *kernel_before, *after = NULL, *kernel_after = NULL;
	size_t whole = 0, aborted = 0, carried_out = 0;

	for (size_t turns = 0; !whole; turns += 1 + turns / 64) {
		char *config, *kernel;

		begin(bench, 1);
		before = config_text(bench->store);
		kernel_before = kernel_text(bench->kernel, true);
		if (abort_after(bench, turns, &whole)) {
			aborted++;
			assert_int_equal(stage_of(bench), ENGINE_REFUSED);
			config = config_text(bench->store);
			kernel = kernel_text(bench->kernel, true);
			assert_true(same_text(config, before));
			assert_true(same_text(kernel, kernel_before));
		} else {
			carried_out++;
			assert_int_equal(stage_of(bench), ENGINE_DONE);
			config = config_text(bench->store);
			kernel = kernel_text(bench->kernel, false);
			if (!after) {
				after = strdup(config);
				kernel_after = strdup(kernel);
			}
			assert_true(same_text(config, after));
			assert_true(same_text(kernel, kernel_after));
			assert_string_not_equal(config, before);
		}
		assert_int_equal(bench->store->attached, 0);
		assert_false(bench->done && bench->result != 0);
		assert_int_equal(journal_unfinished(bench->journal), 0);
		free(config);
		free(kernel);
		free(before);
		free(kernel_before);
		teardown(state);
		setup(state);
		bench = *state;
	}
	printf("aborted after %zu of its turns, carried out after %zu\n", aborted, carried_out);
	assert_true(aborted > 10 && carried_out > 10);
	free(after);
	free(kernel_after);
}

/* The daemon stops at once after: its journal finishes what it has begun. */
static void what_is_aborted_as_it_stops_is_whole_or_not_there(void **state)
{
	struct bench *bench = *state;
	size_t there = 0, turns = 0;

	for (bool whole = false; !whole; turns += 1 + turns / 16) {
		unsigned int ticket;

		begin(bench, 1);
		ticket = engine_edit(bench->engine, mixed_edit(), &tester, on_done, bench);
		for (size_t n = 0; n < turns && !bench->done; n++)
			turn(bench);
		whole = bench->done;
		if (!whole)
			engine_forget(bench->engine, ticket);
		stop_bench(bench);
		start_bench(bench);
		assert_true(turn_until(bench, is_idle, 20000));
		assert_int_equal(journal_unfinished(bench->journal), 0);
		assert_int_equal(datastore_tunnel(bench->store, 3) == NULL,
				 datastore_tunnel(bench->store, 4) != NULL);
		there += datastore_tunnel(bench->store, 4) != NULL;
		teardown(state);
		setup(state);
		bench = *state;
	}
	assert_true(there >= 1);
}

static unsigned int dumps_left;

static void count_left_dumps(struct kernel *kernel)
{
	kernel->ops->leave_dump(kernel);
	dumps_left++;
}

static bool is_reading(struct bench *bench)
{
	const struct transaction *t = bench->engine->transaction;

	return t->step == STEP_READ && t->begun;
}

/* One that nobody asked for, of several pieces. */
static void a_stop_in_the_middle_of_a_reading_leaves_the_dump(void **state)
{
	struct bench *bench = *state;
	const struct kernel_operations *ops = bench->kernel->ops;
	struct kernel_operations counting = *ops;
	struct engine *engine = bench->engine;

	begin(bench, 0);
	assert_int_equal(commit(bench, tunnel_with_sessions(77, 300)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	engine->o.slice_units = 1;
	counting.leave_dump = count_left_dumps;
	engine->k = &counting;
	dumps_left = 0;
	agenda_read_all(&engine->agenda, clock_now());
	while (!is_reading(bench))
		turn(bench);
	turn(bench);
	assert_true(is_reading(bench));
	stop_bench(bench);
	assert_int_equal(dumps_left, 1);
	start_bench(bench);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_true(datastore_counts(bench->store)->configured_sessions > 300);
}

static void count_reports(const struct engine_event *event, void *arg)
{
	size_t *reports = arg;

	if (event->type == ENGINE_PROGRESS)
		assert_string_equal(event->commit->user, tester.user);
	*reports += event->type == ENGINE_PROGRESS;
}

/* Through all stages, with more and more objects done, and a report when it takes long. */
static void progress_is_told(void **state)
{
	struct bench *bench = *state;
	struct engine_progress progress, last = {.stage = ENGINE_CHECKING};
	size_t reports = 0, advances = 0;

	begin(bench, 1);
	assert_int_equal(engine_watch(bench->engine, count_reports, &reports), 0);
	assert_true(
		engine_edit(bench->engine, tunnel_with_sessions(77, 200), &tester, on_done, bench));
	while (!bench->done) {
		turn(bench);
		engine_progress(bench->engine, &progress);
		assert_true(progress.stage == last.stage || progress.stage == last.stage + 1 ||
			    (progress.stage == ENGINE_DONE && last.stage == ENGINE_APPLYING));
		if (progress.stage == ENGINE_APPLYING) {
			assert_int_equal(progress.objects, 201);
			assert_true(progress.done >= last.done);
			advances += progress.done > last.done;
		}
		if (advances == 3)
			bench->engine->transaction->told_at -= 11 * NS_PER_S;
		last = progress;
	}
	assert_int_equal(progress.stage, ENGINE_DONE);
	assert_true(advances > 3);
	assert_true(reports >= 1);
	engine_unwatch(bench->engine, &reports);
}

/* What asked for nothing yet is not begun either. */
static void what_is_forgotten_in_the_queue_is_not_begun(void **state)
{
	struct bench *bench = *state;
	unsigned int ticket;

	begin(bench, 1);
	engine_edit(bench->engine, mixed_edit(), &tester, on_done, bench);
	ticket = engine_edit(bench->engine, tunnel_with_sessions(77, 3), &tester, NULL, NULL);
	engine_forget(bench->engine, ticket);
	assert_true(turn_until(bench, is_done, 20000));
	assert_true(turn_until(bench, is_idle, 20000));
	assert_null(datastore_tunnel(bench->store, 77));
	assert_int_equal(journal_generation(bench->journal), 2);
}

static void a_test_changes_nothing(void **state)
{
	struct bench *bench = *state;
	char *before, *after;

	begin(bench, 1);
	before = config_text(bench->store);
	assert_true(
		engine_test(bench->engine, ENGINE_RUNNING, mixed_edit(), &tester, on_done, bench));
	assert_true(turn_until(bench, is_done, 20000));
	assert_int_equal(bench->result, 0);
	assert_true(turn_until(bench, is_idle, 20000));
	after = config_text(bench->store);
	assert_string_equal(before, after);
	assert_int_equal(journal_generation(bench->journal), 1);
	free(before);
	free(after);
}

/* How far everything is that a commit counts up or down. */
struct far {
	size_t touched, planned, attached, configured, in_kernel, reported;
};

static struct far how_far(const struct bench *bench)
{
	const struct transaction *t = bench->engine->transaction;
	const struct keys *changed = &bench->engine->agenda.changed;
	struct far far = {.touched = t->changes.count,
			  .planned = t->job.count,
			  .attached = bench->store->attached,
			  .configured = bench->store->counts[LAYER_BASE].configured_sessions,
			  .reported = changed->count - changed->taken};

	for (struct entry *entry = datastore_entry_from(bench->store, 0, 0); entry;
	     entry = entry_next(entry))
		far.in_kernel += entry->in_kernel;
	return far;
}

static size_t growth(size_t now, size_t last)
{
	return now > last ? now - last : 0;
}

static size_t between(size_t a, size_t b)
{
	return growth(a, b) + growth(b, a);
}

/* Returns how many were to be reported at once, for the kernel told of each. */
static size_t commit_in_slices(struct bench *bench, struct edit *edit, size_t slice)
{
	struct far last, now;
	size_t reported = 0;

	bench->done = false;
	engine_edit(bench->engine, edit, &tester, on_done, bench);
	while (!is_idle(bench)) {
		observe_drain(bench->engine);
		last = how_far(bench);
		reported = last.reported > reported ? last.reported : reported;
		turn(bench);
		now = how_far(bench);
		/* what shrinks has been handed to a cursor, which frees it */
		assert_true(growth(now.touched, last.touched) <= slice);
		assert_true(growth(now.planned, last.planned) <= slice);
		assert_true(between(now.attached, last.attached) <= slice);
		assert_true(between(now.configured, last.configured) <= slice);
		assert_true(between(now.in_kernel, last.in_kernel) <= slice);
		assert_true(growth(last.reported, now.reported) <= slice);
	}
	assert_true(bench->done);
	assert_int_equal(bench->result, 0);
	return reported;
}

static struct edit *mtu_of_all(uint32_t tunnel_id, size_t sessions, const char *mtu)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, tunnel_id, "");
	for (uint32_t i = 1; i <= sessions; i++)
		session(edit, EDIT_MERGE, tunnel_id, tunnel_id * 1000 + i, mtu);
	return edit;
}

/* The guard on the length of turns: it counts entries, not time. */
static void no_turn_touches_more_entries_than_its_slice(void **state)
{
	const size_t slice = 16, sessions = 500;
	struct bench *bench = *state;

	begin(bench, slice);
	commit_in_slices(bench, tunnel_with_sessions(7, sessions), slice);
	commit_in_slices(bench, mtu_of_all(7, sessions, "mtu=1400"), slice);
	assert_true(commit_in_slices(bench, mtu_of_all(7, sessions, "mtu=1300"), slice) >
		    sessions / 2);
}

/* ... and a small commit does not go round the loop for each step. */
static void a_small_commit_is_done_in_one_turn(void **state)
{
	struct bench *bench = new_bench("6.12", NULL);
	struct edit *edit = edit_new();

	(void)state;
	begin(bench, 1000);
	tunnel(edit, EDIT_MERGE, 1, "description=small");
	engine_edit(bench->engine, edit, &tester, on_done, bench);
	turn_once(bench->engine);
	assert_true(bench->done);
	assert_int_equal(bench->engine->transaction->step, STEP_NONE);
	free_bench(bench);
}

/* Unless it may be applied once more, without what is refused. */
static void an_edit_is_freed_before_the_plan(void **state)
{
	struct bench *bench = *state;
	const struct transaction *t = bench->engine->transaction;

	begin(bench, 1);
	for (unsigned int continues = 0; continues < 2; continues++) {
		struct edit *edit = edit_new();

		tunnel(edit, EDIT_MERGE, 1, continues ? "description=b" : "description=a");
		edit->continues = continues;
		bench->done = false;
		engine_edit(bench->engine, edit, &tester, on_done, bench);
		while (t->step != STEP_PLAN)
			turn(bench);
		assert_int_equal(t->request->edit != NULL, continues);
		while (!bench->done || t->step != STEP_NONE)
			turn(bench);
		assert_int_equal(bench->result, 0);
	}
}

/* Its child shares the memory: what is written or freed meanwhile would be copied first. */
static void a_snapshot_begins_when_all_of_the_commit_is_freed(void **state)
{
	static const struct engine_confirm plain = {.confirmed = false};
	struct bench *bench = *state;
	struct engine *engine = bench->engine;

	begin(bench, 1);
	engine_stage(engine, mixed_edit(), false, &tester, NULL, NULL);
	engine_commit_staged(engine, &plain, &tester, on_done, bench);
	while (!bench->done)
		turn(bench);
	assert_int_equal(bench->result, 0);
	assert_int_not_equal(engine->transaction->step, STEP_NONE);
	bench->journal->fold_min = bench->journal->config_size = 1;
	while (!journal_snapshot_pid(bench->journal)) {
		engine->maintain_at = 0;
		turn(bench);
	}
	assert_int_equal(engine->transaction->step, STEP_NONE);
	assert_null(engine->staging.spent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readers_see_all_of_a_commit_or_none, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_aborted_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_aborted_as_it_stops_is_whole_or_not_there,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_stop_in_the_middle_of_a_reading_leaves_the_dump,
						setup, teardown),
		cmocka_unit_test_setup_teardown(progress_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_forgotten_in_the_queue_is_not_begun, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_test_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(no_turn_touches_more_entries_than_its_slice, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_small_commit_is_done_in_one_turn, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_edit_is_freed_before_the_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(a_snapshot_begins_when_all_of_the_commit_is_freed,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
