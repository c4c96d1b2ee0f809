/*
 * A commit written, and the history read, in pieces: bounded work a call, the wait
 * for the disk left to a thread, and given up at any moment until it is decided.
 */
#include "weak_disk.h"

#include <poll.h>

#define MANY 1000 /* sessions of a commit that takes many pieces */

static struct edit *big_edit(uint32_t tunnel)
{
	struct edit *edit = edit_new();

	add_tunnel(edit, EDIT_CREATE, tunnel);
	for (uint32_t id = 1; id <= MANY; id++)
		add_session(edit, EDIT_CREATE, tunnel, tunnel * 10000 + id);
	return edit;
}

static void big_changes(const struct state_dir *dir, uint32_t tunnel, struct candidate *ret)
{
	candidate_open(ret, dir->running);
	assert_int_equal(apply(ret, big_edit(tunnel), NULL), 0);
	assert_int_equal(candidate_choose_names(ret, NULL, NULL, NULL), 0);
}

static void wait_for_disk(struct journal *journal)
{
	struct pollfd done = {journal_fd(journal), POLLIN, 0};

	assert_int_equal(poll(&done, 1, 10000), 1);
}

/* To its end; *ret_steps of them. */
static int step_to_end(struct state_dir *dir, int rc, unsigned int *ret_steps)
{
	unsigned int steps = 0;

	for (; rc == JOURNAL_MORE || rc == JOURNAL_WAIT; steps++) {
		if (rc == JOURNAL_WAIT)
			wait_for_disk(dir->journal);
		rc = journal_step(dir->journal, 0, &dir->err);
	}
	if (ret_steps)
		*ret_steps = steps;
	return rc;
}

static void publish(struct state_dir *dir, struct candidate *changes, uint64_t number)
{
	assert_int_equal(candidate_publish(changes, dir->running), 0);
	candidate_discard(changes);
	journal_confirm(dir->journal, number);
}

/* ---- writing */

static void in_pieces_it_is_the_same_as_at_once(void **state)
{
	struct commit_info info = {.door = "test", .user = "who"}, list[LISTED];
	struct datastore *expected = datastore_new();
	struct state_dir *dir = *state;
	struct candidate changes;
	unsigned int steps;
	uint64_t length[2];

	must_open(dir);
	for (uint32_t n = 1; n <= 2; n++) {
		big_changes(dir, n, &changes);
		if (n == 1) {
			assert_int_equal(journal_begin(dir->journal, &changes, &info, &dir->err),
					 JOURNAL_MORE);
			assert_int_equal(step_to_end(dir, JOURNAL_MORE, &steps), 0);
			assert_true(steps > MANY / 64);
		} else {
			assert_int_equal(journal_append(dir->journal, &changes, &info, NULL), 0);
		}
		assert_int_equal(info.number, n);
		assert_int_equal(info.tunnels, 1);
		assert_int_equal(info.sessions, MANY);
		assert_int_equal(journal_unfinished(dir->journal), n);
		length[n - 1] = dir->journal->history[n - 1].length;
		publish(dir, &changes, n);
		commit(expected, big_edit(n));
	}
	assert_in_range(length[1], length[0], length[0] + 2 * MANY); /* but for the numbers */
	dir_abandon(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(same_config(dir->running, expected));
	assert_int_equal(journal_history(dir->journal, 0, list, LISTED), 2);
	assert_string_equal(list[1].user, "who");
	datastore_free(expected);
	dir_close(dir);
}

/* A kill now: how many commits there are, the unfinished one too. */
static uint64_t commits_after_kill(const struct state_dir *dir)
{
	struct state_dir after;
	uint64_t generation;

	dir_make(&after);
	disk_after_kill(dir, &after);
	must_open(&after);
	generation = journal_generation(after.journal);
	dir_abandon(&after);
	dir_remove(&after);
	return generation;
}

static void before_its_last_piece_it_is_no_record(void **state)
{
	struct commit_info info = {.door = "test"};
	struct state_dir *dir = *state;
	struct candidate changes;
	int rc;

	must_open(dir);
	commit_story(dir, 1, 1);
	big_changes(dir, 7, &changes);
	rc = journal_begin(dir->journal, &changes, &info, &dir->err);
	while (rc == JOURNAL_MORE) {
		assert_int_equal(commits_after_kill(dir),
				 dir->journal->writing.stage == WRITING_SYNC ? 2 : 1);
		rc = journal_step(dir->journal, 0, &dir->err);
	}
	assert_int_equal(rc, JOURNAL_WAIT);
	assert_int_equal(journal_unfinished(dir->journal), 0);
	assert_int_equal(info.number, 0);
	assert_int_equal(step_to_end(dir, rc, NULL), 0);
	assert_int_equal(info.number, 2);
	publish(dir, &changes, 2);
	dir_close(dir);
}

/* Whatever room is left near its end: there is also some for its confirmation, or it is refused. */
static void one_acknowledged_on_a_full_disk_is_confirmed(void **state)
{
	struct state_dir *dir = *state;
	unsigned int taken = 0, refused = 0;
	uint64_t room = 0, length = 0;

	for (; room <= length + 400; room += length ? 20 : 0) {
		struct commit_info info = {.door = "test"};
		struct candidate changes;
		int rc;

		must_open(dir);
		big_changes(dir, 1, &changes);
		disk_room = length ? dir->journal->length + room : 0;
		dir->journal->room = 0;
		rc = journal_begin(dir->journal, &changes, &info, &dir->err);
		rc = step_to_end(dir, rc, NULL);
		if (rc == 0)
			publish(dir, &changes, 1);
		else
			candidate_discard(&changes);
		assert_int_equal(dir->journal->mark_due, 0);
		if (length && rc == 0)
			taken++;
		else if (length)
			refused++;
		else {
			length = dir->journal->history[0].length;
			room = length - 100;
		}
		disk_room = 0;
		dir_abandon(dir);
		must_open(dir);
		assert_int_equal(journal_unfinished(dir->journal), 0);
		assert_int_equal(journal_generation(dir->journal), rc == 0);
		dir_abandon(dir);
		dir_empty(dir);
	}
	assert_true(taken > 3 && refused > 3);
}

static void one_given_up_is_not_there(void **state)
{
	struct state_dir *dir = *state;
	struct candidate changes;
	uint64_t length;
	int rc, at;

	must_open(dir);
	commit_story(dir, 1, 1);
	length = file_length(dir, "journal");
	assert_int_equal(journal_abort(dir->journal), -EALREADY);
	for (at = 0, rc = -ECANCELED; rc == -ECANCELED; at++) {
		struct commit_info info = {.door = "test"};

		big_changes(dir, 7, &changes);
		rc = journal_begin(dir->journal, &changes, &info, &dir->err);
		for (int step = 0; rc == JOURNAL_MORE || rc == JOURNAL_WAIT; step++) {
			if (step == at)
				assert_int_equal(journal_abort(dir->journal), 0);
			if (rc == JOURNAL_WAIT)
				wait_for_disk(dir->journal);
			rc = journal_step(dir->journal, 0, &dir->err);
		}
		if (rc == -ECANCELED) {
			assert_int_equal(dir->err.code, ERROR_STORAGE);
			assert_non_null(strstr(dir->err.text, "was aborted before it was decided"));
			assert_int_equal(info.number, 0);
			assert_int_equal(journal_generation(dir->journal), 1);
			assert_int_equal(commits_after_kill(dir), 1);
			assert_int_equal(file_length(dir, "journal"), length);
			candidate_discard(&changes);
		}
	}
	assert_int_equal(rc, 0); /* it was decided before */
	assert_true(at > MANY / 64);
	assert_int_equal(journal_abort(dir->journal), -EALREADY);
	publish(dir, &changes, 2);
	dir_close(dir);
}

static void one_is_written_at_a_time(void **state)
{
	struct commit_info info = {.door = "test"}, other = {.door = "test"};
	struct state_dir *dir = *state;
	struct candidate changes;

	must_open(dir);
	commit_story(dir, 1, 1);
	big_changes(dir, 7, &changes);
	assert_int_equal(journal_begin(dir->journal, &changes, &info, NULL), JOURNAL_MORE);
	assert_int_equal(journal_step(dir->journal, 0, NULL), JOURNAL_MORE);
	dir->err = ERROR_INIT;
	assert_true(journal_append(dir->journal, &changes, &other, &dir->err) < 0);
	assert_int_equal(dir->err.code, ERROR_INTERNAL);
	dir->journal->fold_min = dir->journal->config_size = 1;
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	assert_int_equal(journal_snapshot_pid(dir->journal), 0); /* it would not have it all */
	assert_int_equal(step_to_end(dir, JOURNAL_MORE, NULL), 0);
	publish(dir, &changes, 2);
	dir_close(dir);
}

static void nobody_waits_for_the_disk(void **state)
{
	struct commit_info info = {.door = "test"}, list[LISTED];
	struct state_dir *dir = *state;
	struct candidate changes;
	struct pollfd done;
	int rc;

	must_open(dir);
	commit_story(dir, 1, 1);
	big_changes(dir, 7, &changes);
	done = (struct pollfd){journal_fd(dir->journal), POLLIN, 0};
	rc = journal_begin(dir->journal, &changes, &info, &dir->err);
	pthread_mutex_lock(&sync_gate);
	while (rc == JOURNAL_MORE)
		rc = journal_step(dir->journal, INT64_MAX, &dir->err);
	for (int turn = 0; turn < 100; turn++) {
		assert_int_equal(rc, JOURNAL_WAIT);
		assert_int_equal(poll(&done, 1, 0), 0);
		assert_int_equal(journal_history(dir->journal, 0, list, LISTED),
				 1); /* all else goes on */
		assert_int_equal(journal_generation(dir->journal), 1);
		rc = journal_step(dir->journal, INT64_MAX, &dir->err);
	}
	pthread_mutex_unlock(&sync_gate);
	assert_int_equal(step_to_end(dir, rc, NULL), 0);
	assert_false(pthread_equal(sync_thread, pthread_self()));
	publish(dir, &changes, 2);
	dir_close(dir);
}

static void without_a_thread_it_waits_itself(void **state)
{
	struct commit_info info = {.door = "test"};
	struct state_dir *dir = *state;
	struct candidate changes;

	must_open(dir);
	syncer_close(dir->journal->syncer);
	dir->journal->syncer = NULL;
	assert_int_equal(journal_fd(dir->journal), -1);
	big_changes(dir, 7, &changes);
	assert_int_equal(journal_begin(dir->journal, &changes, &info, NULL), JOURNAL_MORE);
	assert_int_equal(journal_step(dir->journal, INT64_MAX, &dir->err), 0);
	publish(dir, &changes, 1);
	dir_close(dir);
}

/* EIO in the thread is told as it is to journal_append(). */
static void what_the_thread_is_refused_is_refused(void **state)
{
	struct commit_info info = {.door = "test"};
	struct state_dir *dir = *state;
	struct candidate changes;
	int rc;

	must_open(dir);
	commit_story(dir, 1, 1);
	big_changes(dir, 7, &changes);
	rc = journal_begin(dir->journal, &changes, &info, &dir->err);
	fail_call("fdatasync", 1, EIO);
	rc = step_to_end(dir, rc, NULL);
	fail_call(NULL, 0, 0);
	candidate_discard(&changes);
	assert_int_equal(rc, -EIO);
	assert_int_equal(dir->err.code, ERROR_STORAGE);
	assert_non_null(strstr(dir->err.text, "nothing was changed"));
	assert_int_equal(commits_after_kill(dir), 1);
	commit_story(dir, 2, 2);
	dir_close(dir);
}

static void one_is_revoked_in_pieces_too(void **state)
{
	struct candidate candidate;
	struct state_dir *dir = *state;

	must_open(dir);
	commit_story(dir, 1, 1);
	append_only(dir, 2, &candidate);
	candidate_discard(&candidate);
	assert_true(journal_revoke_begin(dir->journal, 1, NULL) < 0);
	assert_int_equal(journal_revoke_begin(dir->journal, 2, NULL), JOURNAL_MORE);
	assert_int_equal(journal_generation(dir->journal), 1);
	assert_int_equal(journal_unfinished(dir->journal), 0);
	assert_int_equal(journal_abort(dir->journal), -EALREADY); /* there is no way back */
	assert_int_equal(journal_step(dir->journal, INT64_MAX, NULL), JOURNAL_WAIT);
	assert_int_equal(step_to_end(dir, JOURNAL_WAIT, NULL), 0);
	assert_int_equal(commits_after_kill(dir), 1);
	commit_story(dir, 2, 2);
	dir_close(dir);
}

static void begin_to_fold(struct state_dir *dir)
{
	dir->journal->fold_min = dir->journal->config_size = 1;
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	assert_int_equal(dir->journal->fold.stage, FOLD_CHILD);
}

/* The child has written both files: the new journal is being synced. */
static void begin_to_end_it(struct state_dir *dir)
{
	assert_int_equal(
		waitid(P_PID, (id_t)dir->journal->fold.pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	assert_true(fold_is_ending(dir->journal));
}

static void a_commit_waits_for_the_end_of_a_fold(void **state)
{
	struct commit_info info = {.door = "test"};
	struct state_dir *dir = *state;
	struct candidate changes;

	must_open(dir);
	commit_story(dir, 1, 2);
	begin_to_fold(dir);
	pthread_mutex_lock(&sync_gate);
	begin_to_end_it(dir);
	big_changes(dir, 7, &changes);
	assert_int_equal(journal_begin(dir->journal, &changes, &info, NULL), JOURNAL_MORE);
	assert_int_equal(journal_step(dir->journal, INT64_MAX, NULL), JOURNAL_WAIT);
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	pthread_mutex_unlock(&sync_gate);
	assert_int_equal(step_to_end(dir, JOURNAL_WAIT, NULL), 0);
	assert_int_equal(dir->journal->base, 2);
	publish(dir, &changes, 3);
	assert_int_equal(commits_after_kill(dir), 3);
	dir_close(dir);
}

/* A confirmation meanwhile is in both, for either may be the one that stays. */
static void a_confirmation_at_the_end_of_a_fold_is_not_lost(void **state)
{
	struct state_dir *dir = *state;
	struct candidate candidate;

	for (int n = 0; n < 4; n++) { /* 1: the fold fails; 2: the mark in the new one; 3: both */
		must_open(dir);
		commit_story(dir, 1, 2);
		begin_to_fold(dir);
		append_only(dir, 3, &candidate);
		pthread_mutex_lock(&sync_gate);
		begin_to_end_it(dir);
		fail_call("pwrite", n & 2 ? 2 : 0, EIO);
		publish(dir, &candidate, 3);
		pthread_mutex_unlock(&sync_gate);
		fail_call("renameat", n & 1 ? 1 : 0, EIO);
		(void)fold_complete(dir->journal, false);
		fail_call(NULL, 0, 0);
		assert_int_equal(dir->journal->base, n & 1 ? 0 : 2);
		(void)journal_maintain(dir->journal, true, &dir->err);
		assert_int_equal(dir->journal->mark_due, 0);
		for (uint32_t last = 3; last <= 4; last++) {
			dir_abandon(dir);
			must_open(dir);
			assert_string_equal(dir->warning, "");
			assert_int_equal(journal_unfinished(dir->journal), 0);
			assert_int_equal(journal_generation(dir->journal), last);
			if (last == 3)
				commit_story(dir, 4, 4);
		}
		dir_abandon(dir);
		dir_empty(dir);
	}
}

static void one_revoked_at_the_end_of_a_fold_is_in_neither(void **state)
{
	struct state_dir *dir = *state;
	struct candidate candidate;

	must_open(dir);
	commit_story(dir, 1, 2);
	begin_to_fold(dir);
	append_only(dir, 3, &candidate);
	candidate_discard(&candidate);
	begin_to_end_it(dir);
	assert_int_equal(journal_revoke(dir->journal, 3, &dir->err), 0);
	assert_int_equal(dir->journal->base, 2);
	assert_int_equal(commits_after_kill(dir), 2);
	commit_story(dir, 3, 3);
	dir_close(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, 3));
	dir_close(dir);
}

static void closing_gives_up_what_is_not_decided(void **state)
{
	struct commit_info info = {.door = "test"};
	struct state_dir *dir = *state;
	struct candidate changes;

	for (int steps = 0; steps < 20; steps += 3) {
		must_open(dir);
		big_changes(dir, 7, &changes);
		assert_int_equal(journal_begin(dir->journal, &changes, &info, NULL), JOURNAL_MORE);
		for (int step = 0; step < steps; step++)
			(void)journal_step(dir->journal, 0, NULL);
		dir_close(dir);
		candidate_discard(&changes);
		must_open(dir);
		assert_string_equal(dir->warning, "");
		assert_int_equal(journal_generation(dir->journal), 0);
		dir_close(dir);
	}
}

/* ---- reading */

static void the_history_is_read_in_pieces(void **state)
{
	struct journal_reading *reading = NULL;
	struct state_dir *dir = *state;
	struct candidate piecemeal, whole;
	unsigned int steps = 0;
	int rc;

	must_open(dir);
	for (uint32_t n = 1; n <= 3; n++)
		assert_int_equal(journal_commit(dir, big_edit(n), NULL), 0);
	assert_int_equal(journal_rollback(dir->journal, 1, dir->running, &whole, &dir->err), 0);
	rc = journal_read_begin(&reading, dir->journal, JOURNAL_ROLLBACK, 1, dir->running,
				&dir->err);
	for (; rc == JOURNAL_MORE; steps++) {
		if (steps == 3) /* another file takes its place */
			assert_int_equal(fold_now(dir->journal, NULL), 0);
		rc = journal_read_step(reading, 0, &dir->err);
	}
	assert_int_equal(rc, 0);
	assert_true(steps > 2 * MANY / 64);
	journal_read_end(reading, &piecemeal);
	assert_int_equal(piecemeal.count, whole.count);
	for (struct change *a = candidate_first(&piecemeal), *b = candidate_first(&whole); a;
	     a = change_next(a), b = change_next(b)) {
		assert_int_equal(a->session_id, b->session_id);
		assert_int_equal(a->after != NULL, b->after != NULL);
	}
	candidate_discard(&piecemeal);
	candidate_discard(&whole);
	dir_close(dir);
}

/* What is told one by one is what was committed; none of it before all was found good. */
static void changes_are_told_one_by_one(void **state)
{
	struct journal_reading *reading = NULL;
	struct state_dir *dir = *state;
	const struct change *change;
	unsigned int pieces = 0;
	uint32_t id = 0;

	must_open(dir);
	assert_int_equal(journal_commit(dir, big_edit(1), NULL), 0);
	assert_int_equal(journal_read_begin(&reading, dir->journal, JOURNAL_CHANGES, 1,
					    dir->running, &dir->err),
			 JOURNAL_MORE);
	assert_true(journal_read_memory(reading) > 20 * MANY);
	for (; journal_read_change(reading, &change, &dir->err) == JOURNAL_MORE;
	     id += change != NULL) {
		if (!change) {
			assert_int_equal(id, 0);
			pieces++;
			continue;
		}
		assert_int_equal(change->session_id, id ? 10000 + id : 0);
		assert_null(change->before);
		assert_int_equal(change->after->present & BIT(SESSION_ID), BIT(SESSION_ID));
	}
	assert_int_equal(id, 1 + MANY);
	assert_true(pieces > MANY / 64);
	journal_read_end(reading, NULL);
	dir_close(dir);
}

static void reading_may_end_at_any_time(void **state)
{
	struct journal_reading *reading = NULL;
	const struct change *change;
	struct state_dir *dir = *state;

	must_open(dir);
	assert_int_equal(journal_commit(dir, big_edit(1), NULL), 0);
	for (int steps = 0; steps < 20; steps++) {
		assert_int_equal(journal_read_begin(&reading, dir->journal, JOURNAL_CHANGES, 1,
						    dir->running, NULL),
				 JOURNAL_MORE);
		for (int step = 0; step < steps; step++)
			(void)journal_read_change(reading, &change, NULL);
		journal_read_end(reading, NULL);
	}
	journal_read_end(NULL, NULL);
	assert_int_equal(journal_read_begin(&reading, dir->journal, JOURNAL_CHANGES, 9,
					    dir->running, &dir->err),
			 -ENOENT);
	assert_int_equal(dir->err.code, ERROR_MISSING);
	dir_close(dir);
}

/* Since the journal was loaded. */
static void what_is_damaged_is_not_read(void **state)
{
	struct state_dir *dir = *state;
	size_t length;
	char *data;

	must_open(dir);
	commit_story(dir, 1, 3);
	data = file_get(dir, "journal", &length);
	data[dir->journal->history[1].offset + 50] ^= 1;
	file_put(dir, "journal", data, length); /* in place: it is the same inode */
	free(data);
	dir->err = ERROR_INIT;
	assert_int_equal(count_changes(dir, 2), -EPROTO);
	assert_int_equal(dir->err.code, ERROR_STORAGE);
	assert_non_null(strstr(dir->err.text, "cannot read commit 2 from "));
	assert_true(count_changes(dir, 3) > 0);
	dir_abandon(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		dir_test(in_pieces_it_is_the_same_as_at_once),
		dir_test(before_its_last_piece_it_is_no_record),
		dir_test(one_acknowledged_on_a_full_disk_is_confirmed),
		dir_test(one_given_up_is_not_there),
		dir_test(one_is_written_at_a_time),
		dir_test(nobody_waits_for_the_disk),
		dir_test(without_a_thread_it_waits_itself),
		dir_test(what_the_thread_is_refused_is_refused),
		dir_test(one_is_revoked_in_pieces_too),
		dir_test(a_commit_waits_for_the_end_of_a_fold),
		dir_test(a_confirmation_at_the_end_of_a_fold_is_not_lost),
		dir_test(one_revoked_at_the_end_of_a_fold_is_in_neither),
		dir_test(closing_gives_up_what_is_not_decided),
		dir_test(the_history_is_read_in_pieces),
		dir_test(changes_are_told_one_by_one),
		dir_test(reading_may_end_at_any_time),
		dir_test(what_is_damaged_is_not_read),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
