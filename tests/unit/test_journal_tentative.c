/*
 * A tentative state on disk: said by the last commit, and the way back to its baseline kept
 * however long it gets, through folds, kills and restarts.
 */
#include "state_dir.h"

static void commit_tentative(struct state_dir *dir, uint32_t n, uint64_t baseline)
{
	struct commit_info info = {
		.door = "test", .user = "tester", .tentative = true, .baseline = baseline};

	assert_int_equal(journal_commit(dir, story(n), &info), 0);
}

/* A commit without changes, which is one where it ends a tentative state only. */
static void commit_nothing(struct state_dir *dir)
{
	struct commit_info info = {.door = "test"};

	assert_int_equal(journal_commit(dir, edit_new(), &info), 0);
}

static bool is_tentative(const struct state_dir *dir, uint64_t expected)
{
	uint64_t baseline = UINT64_MAX;

	return journal_tentative(dir->journal, &baseline) && baseline == expected;
}

static void goes_back_to(struct state_dir *dir, uint32_t n)
{
	struct candidate candidate;

	dir->err = ERROR_INIT;
	if (journal_rollback(dir->journal, n, dir->running, &candidate, &dir->err) != 0)
		fail_msg("%s", dir->err.text);
	assert_int_equal(candidate_publish(&candidate, dir->running), 0);
	candidate_discard(&candidate);
	assert_true(story_is_at(dir->running, n));
}

static void the_last_commit_says_so(void **state)
{
	struct state_dir *dir = *state;
	uint64_t baseline;

	must_open(dir);
	assert_false(journal_tentative(dir->journal, &baseline));
	commit_nothing(dir);
	assert_int_equal(journal_generation(dir->journal), 0);
	commit_tentative(dir, 1, 0);
	assert_true(is_tentative(dir, 0));
	commit_tentative(dir, 2, 0);
	dir_abandon(dir);
	must_open(dir);
	assert_true(is_tentative(dir, 0));
	commit_nothing(dir);
	assert_int_equal(journal_generation(dir->journal), 3);
	assert_false(journal_tentative(dir->journal, &baseline));
	dir_abandon(dir);
	must_open(dir);
	assert_false(journal_tentative(dir->journal, &baseline));
	assert_true(story_is_at(dir->running, 2));
	assert_int_equal(journal_unfinished(dir->journal), 0);
	commit_nothing(dir);
	assert_int_equal(journal_generation(dir->journal), 3);
	dir_close(dir);
}

static void what_is_revoked_leaves_what_was(void **state)
{
	struct state_dir *dir = *state;
	struct candidate candidate;
	uint64_t baseline;

	must_open(dir);
	commit_story(dir, 1, 2);
	commit_tentative(dir, 3, 2);
	append_only(dir, 4, &candidate); /* not tentative */
	assert_false(journal_tentative(dir->journal, &baseline));
	assert_int_equal(journal_revoke(dir->journal, 4, &dir->err), 0);
	assert_true(is_tentative(dir, 2));
	candidate_discard(&candidate);
	dir_abandon(dir);
	must_open(dir);
	assert_true(is_tentative(dir, 2));
	dir_close(dir);
}

/* config.xml has all of it by then. */
static void a_fold_does_not_hide_it(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 5);
	commit_tentative(dir, 6, 5);
	commit_tentative(dir, 7, 5);
	for (int i = 0; i < 3; i++) {
		dir_close(dir);
		must_open(dir);
		assert_string_equal(dir->warning, "");
		assert_int_equal(dir->journal->base, 7);
		assert_true(is_tentative(dir, 5));
	}
	goes_back_to(dir, 5);
	dir_abandon(dir);
}

/* The history's length is no limit for it, and one again when it is over. */
static void the_way_back_is_kept_however_long(void **state)
{
	struct state_dir *dir = *state;
	struct commit_info shown[LISTED];

	must_open(dir);
	commit_story(dir, 1, 60);
	dir->journal->fold_min = 1000;
	journal_keep_history(dir->journal, 1, 0);
	for (uint32_t n = 61; n <= 180; n++) {
		commit_tentative(dir, n, 60);
		assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
		while (n % 7 == 0 && journal_snapshot_pid(dir->journal) != 0)
			assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
		if (n % 50 == 0) {
			dir_abandon(dir);
			must_open(dir);
			dir->journal->fold_min = 1000;
			journal_keep_history(dir->journal, 1, 0);
		}
		assert_true(is_tentative(dir, 60));
	}
	assert_true(dir->journal->base > 100);
	assert_int_equal(dir->journal->history_count, 120);
	assert_int_equal(journal_history(dir->journal, 0, shown, LISTED), LISTED);
	assert_int_equal(shown[0].number, 180);
	dir_abandon(dir);
	must_open(dir);
	goes_back_to(dir, 60);
	dir_abandon(dir);
	must_open(dir);
	journal_keep_history(dir->journal, 1, 0);
	commit_nothing(dir);
	assert_int_equal(dir->journal->history_count, 1);
	dir_close(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(the_last_commit_says_so),
		dir_test(what_is_revoked_leaves_what_was),
		dir_test(a_fold_does_not_hide_it),
		dir_test(the_way_back_is_kept_however_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
