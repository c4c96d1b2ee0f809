/*
 * The journal when things go wrong: death at every point, every system call
 * refused once, a full disk, a directory that cannot be written.
 */
#include "weak_disk.h"

#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* Death at every point. The daemon is this program again, with an argument. */

#define STORY_LENGTH 7
#define ACK_FD       3

static int maintain(struct state_dir *dir)
{
	int result = journal_maintain(dir->journal, true, &dir->err);

	while (journal_snapshot_pid(dir->journal) != 0) {
		usleep(500);
		result = journal_maintain(dir->journal, true, &dir->err);
	}
	return result;
}

static int live_the_story(const char *path)
{
	struct state_dir dir = {0};

	snprintf(dir.path, sizeof(dir.path), "%s", path);
	if (try_open(&dir) != 0)
		return 2;
	dir.journal->fold_min = 1200;
	for (uint32_t n = 1; n <= STORY_LENGTH; n++) {
		if (journal_commit(&dir, story(n), NULL) != 0)
			return 3;
		if (write(ACK_FD, &n, sizeof(n)) != sizeof(n))
			return 4;
		maintain(&dir);
	}
	dir_close(&dir);
	return 0;
}

/* Returns whether it died; @ret_acknowledged: the last commit it had acknowledged. */
static bool run_daemon(const char *path, const char *die_at, uint32_t *ret_acknowledged)
{
	int fds[2], status;
	uint32_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		setenv("L2TPV3D_DIE_AT", die_at, 1);
		dup2(fds[1], ACK_FD);
		execl("/proc/self/exe", "daemon", path, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	*ret_acknowledged = 0;
	while (read(fds[0], &n, sizeof(n)) == sizeof(n))
		*ret_acknowledged = n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

/* As the engine does: carry out what is unfinished, or take it back. */
static void finish_unfinished(struct state_dir *dir, bool carry_out)
{
	uint64_t number = journal_unfinished(dir->journal);
	struct candidate changes;

	if (number == 0)
		return;
	if (!carry_out) {
		assert_int_equal(journal_revoke(dir->journal, number, &dir->err), 0);
		return;
	}
	assert_int_equal(journal_resume(dir->journal, dir->running, &changes, NULL), 0);
	assert_int_equal(candidate_publish(&changes, dir->running), 0);
	candidate_discard(&changes);
	journal_confirm(dir->journal, number);
}

static void check_after_death(struct state_dir *dir, uint32_t acknowledged, bool carry_out)
{
	uint64_t unfinished;
	uint32_t n;

	must_open(dir);
	assert_null(strstr(dir->warning, "damaged"));
	unfinished = journal_unfinished(dir->journal);
	n = (uint32_t)journal_generation(dir->journal) - (unfinished != 0);
	assert_true(n == acknowledged || n == acknowledged + 1);
	assert_true(unfinished == 0 || n == acknowledged);
	assert_true(story_is_at(dir->running, n));
	finish_unfinished(dir, carry_out);
	n += unfinished != 0 && carry_out;
	while (n < STORY_LENGTH)
		assert_int_equal(journal_commit(dir, story(++n), NULL), 0);
	dir_close(dir);
	must_open(dir);
	assert_string_equal(dir->warning, "");
	assert_true(story_is_at(dir->running, STORY_LENGTH));
	dir_close(dir);
}

static void it_may_die_at_every_point(void **state)
{
	struct state_dir *dir = *state;
	uint32_t acknowledged;
	char die_at[16];
	bool died = true;
	int n;

	for (n = 1; died; n++) {
		snprintf(die_at, sizeof(die_at), "%d", n);
		died = run_daemon(dir->path, die_at, &acknowledged);
		check_after_death(dir, acknowledged, n % 2 == 0);
		dir_empty(dir);
	}
	assert_true(n > 40);
}

static void it_may_die_at_every_fork_and_rename(void **state)
{
	static const char *const kinds[] = {"fork", "rename", "fsync"};
	struct state_dir *dir = *state;
	uint32_t acknowledged;

	for (size_t i = 0; i < 3; i++) {
		char die_at[16];
		bool died = true;
		int n;

		for (n = 1; died; n++) {
			snprintf(die_at, sizeof(die_at), "%s:%d", kinds[i], n);
			died = run_daemon(dir->path, die_at, &acknowledged);
			check_after_death(dir, acknowledged, n % 2 == 1);
			dir_empty(dir);
		}
		assert_true(n > 2);
	}
}

/* Every system call refused */

/* Nothing is left beyond the end mark, unless it is known to be. */
static void check_length(const struct state_dir *dir)
{
	const struct journal *journal = dir->journal;
	char end[MARK_MAX];
	struct stat st;

	if (journal->fd < 0 || journal->cut)
		return;
	assert_int_equal(fstat(journal->fd, &st), 0);
	assert_int_equal(st.st_size,
			 journal->length + mark_end(end, journal->generation, journal->doubt));
}

/* A kill now, and the next start finds the story at @n, and no more. */
static void a_kill_leaves(const struct state_dir *dir, uint32_t n)
{
	struct state_dir after;
	int at = failure.at;

	failure.at = 0;
	dir_make(&after);
	disk_after_kill(dir, &after);
	must_open(&after);
	assert_int_equal(journal_generation(after.journal), n);
	finish_unfinished(&after, true); /* whose confirmation was refused */
	assert_true(story_is_at(after.running, n));
	dir_abandon(&after);
	dir_remove(&after);
	failure.at = at;
}

/* Nobody knows: nothing more is taken until somebody does. */
static void wait_for_certainty(struct state_dir *dir, uint32_t n)
{
	struct journal *journal = dir->journal;

	assert_int_equal(dir->err.code, ERROR_OUTCOME_UNKNOWN);
	assert_int_equal(journal->unknown, n);
	assert_non_null(strstr(dir->err.text, "the outcome is unknown"));
	for (int tries = 0; journal->unknown; tries++) {
		assert_true(journal_commit(dir, story(n), NULL) != 0);
		assert_int_equal(dir->err.code, ERROR_STORAGE);
		assert_non_null(strstr(dir->err.text, "whose outcome is unknown"));
		assert_non_null(strstr(dir->err.text, "nothing was changed"));
		journal->fold.retry_at = 0;
		dir->err = ERROR_INIT;
		(void)journal_maintain(journal, true, &dir->err);
		assert_true(tries < 10);
	}
	assert_non_null(strstr(dir->err.text, "whose outcome was unknown, was not made"));
}

/* What was refused is not there, and does not come back. */
static void check_refusal(struct state_dir *dir, uint32_t n)
{
	if (dir->err.code == ERROR_OUTCOME_UNKNOWN)
		wait_for_certainty(dir, n);
	assert_int_equal(dir->err.code, ERROR_STORAGE);
	assert_non_null(strstr(dir->err.text, dir->path));
	assert_int_equal(journal_generation(dir->journal), n - 1);
	assert_int_equal(journal_unfinished(dir->journal), 0);
	a_kill_leaves(dir, n - 1);
	check_length(dir);
}

static void commit_with_patience(struct state_dir *dir, uint32_t n)
{
	for (int tries = 0; journal_commit(dir, story(n), NULL) != 0; tries++) {
		assert_true(tries < 10);
		assert_int_equal(dir->err.os_errno, failure.with);
		assert_true(dir->err.code == ERROR_OUTCOME_UNKNOWN ||
			    strstr(dir->err.text, "nothing was changed"));
		check_refusal(dir, n);
	}
	check_length(dir);
}

static void append_and_revoke(struct state_dir *dir, uint32_t n)
{
	struct candidate candidate;
	struct commit_info info = {.door = "test"};
	int rc;

	candidate_open(&candidate, dir->running);
	assert_int_equal(apply(&candidate, story(n), NULL), 0);
	dir->err = ERROR_INIT;
	rc = journal_append(dir->journal, &candidate, &info, &dir->err);
	if (rc == 0)
		rc = journal_revoke(dir->journal, info.number, &dir->err);
	candidate_discard(&candidate);
	assert_int_equal(journal_unfinished(dir->journal), 0);
	if (rc < 0)
		check_refusal(dir, n);
	else
		a_kill_leaves(dir, n - 1);
}

/* It may hang in an fsync when the daemon is killed, and the next one is to start. */
static void the_child_of_a_fold_has_no_lock(void **state)
{
	struct state_dir *dir = *state;
	struct journal *journal;

	must_open(dir);
	commit_story(dir, 1, 2);
	journal = dir->journal;
	journal->fold_min = journal->config_size = 1;
	pthread_mutex_lock(&sync_gate); /* which is locked in the child for ever */
	assert_int_equal(journal_maintain(journal, true, &dir->err), 0);
	pthread_mutex_unlock(&sync_gate);
	while (!file_there(dir, "config.xml.new") || file_length(dir, "config.xml.new") == 0)
		usleep(1000);
	close(journal->dirfd);
	journal->dirfd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(journal->dirfd, LOCK_EX | LOCK_NB), 0);
	dir_close(dir);
}

/* Made, and its name not safe in its parent: all that is in it would go with the power. */
static void a_directory_whose_name_is_not_safe_is_not_used(void **state)
{
	struct state_dir *dir = *state;

	assert_int_equal(rmdir(dir->path), 0);
	fail_call("fsync", 1, EIO);
	assert_int_equal(try_open(dir), -EIO);
	fail_call(NULL, 0, 0);
	assert_non_null(strstr(dir->err.text, "cannot open the state directory"));
	must_open(dir);
	commit_story(dir, 1, 1);
	dir_close(dir);
}

static bool story_with_failure(struct state_dir *dir, int at, int width, int with)
{
	uint32_t last = 5;
	bool reached;

	must_open(dir);
	failure.at = at;
	failure.width = width;
	failure.with = with;
	failure.calls = 0;
	for (uint32_t n = 1; n <= 4; n++) {
		commit_with_patience(dir, n);
		append_and_revoke(dir, n + 1);
		if (n % 2 == 0 && fold_now(dir->journal, &dir->err) != 0)
			assert_int_equal(dir->err.code, ERROR_STORAGE);
		a_kill_leaves(dir, n);
	}
	commit_with_patience(dir, 5);
	reached = failure.calls >= at;
	failure.at = 0;
	assert_true(story_is_at(dir->running, 5));
	if (at % 2 == 0) { /* all is well again: so is the file */
		commit_with_patience(dir, ++last);
		assert_false(dir->journal->cut);
	}
	dir_abandon(dir);
	must_open(dir);
	finish_unfinished(dir, true); /* whose confirmation was refused */
	assert_true(story_is_at(dir->running, last));
	assert_int_equal(journal_generation(dir->journal), last);
	dir_abandon(dir);
	dir_empty(dir);
	return reached;
}

static void every_call_may_fail(void **state)
{
	struct state_dir *dir = *state;

	for (int width = 1; width <= 8; width++) {
		int at = 1;

		while (story_with_failure(dir, at, width, width % 2 ? ENOSPC : EIO))
			at++;
		assert_true(at > 30);
	}
}

/* A confirmation that could not be written, and then a fold that fails at any of its steps. */
static void a_confirmation_is_made_up_for_before_a_fold(void **state)
{
	struct state_dir *dir = *state;
	int result = -1;

	for (int at = 1; result != 0; at++) {
		must_open(dir);
		assert_int_equal(journal_commit(dir, story(1), NULL), 0);
		fail_call(NULL, 3, EIO); /* after the record's write and sync */
		assert_int_equal(journal_commit(dir, story(2), NULL), 0);
		assert_int_equal(dir->journal->mark_due, 2);
		fail_call(NULL, at, EIO);
		result = fold_now(dir->journal, NULL);
		fail_call(NULL, 0, EIO);
		dir_abandon(dir);
		must_open(dir);
		assert_true(story_is_at(dir->running, journal_unfinished(dir->journal) ? 1 : 2));
		dir_abandon(dir);
		dir_empty(dir);
	}
}

static void a_confirmation_that_failed_is_tried_again(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	assert_int_equal(journal_commit(dir, story(1), NULL), 0);
	fail_call(NULL, 3, EIO);
	failure.width = 4; /* cutting it off fails too, and so does the next try */
	assert_int_equal(journal_commit(dir, story(2), NULL), 0);
	assert_true(journal_maintain(dir->journal, true, &dir->err) != 0);
	assert_non_null(strstr(dir->err.text, "cannot confirm the last commit"));
	assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
	fail_call(NULL, 0, EIO);
	dir_abandon(dir);
	must_open(dir);
	assert_int_equal(journal_unfinished(dir->journal), 0);
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
}

/* Room that ends and comes again */

static void a_full_disk_refuses_and_recovers(void **state)
{
	struct rlimit limit;
	struct state_dir *dir = *state;
	uint32_t n = 0;

	must_open(dir);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(journal_commit(dir, story(++n), NULL), 0);
	for (rlim_t size = 1000; size < 1400; size += 7) {
		uint64_t length = dir->journal->length;

		setrlimit(RLIMIT_FSIZE, &(struct rlimit){length + size - 1000, limit.rlim_max});
		if (journal_commit(dir, story(n + 1), NULL) == 0) {
			n++;
			continue;
		}
		assert_int_equal(dir->err.code, ERROR_STORAGE);
		assert_int_equal(dir->err.os_errno, EFBIG);
		assert_int_equal(dir->journal->length, length);
		assert_true(story_is_at(dir->running, n));
	}
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(journal_commit(dir, story(++n), NULL), 0);
	dir_abandon(dir);
	must_open(dir);
	finish_unfinished(dir, true);
	assert_true(story_is_at(dir->running, n));
	dir_close(dir);
}

/* A file system of its own; false: not allowed here. */
static bool mount_at(const struct state_dir *dir, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", dir->path, "tmpfs", 0, options) == 0;
}

static void fill(const struct state_dir *dir)
{
	static const char zeros[4096];
	char path[128];
	FILE *file;

	file_path(dir, "ballast", path);
	file = fopen(path, "w");
	assert_non_null(file);
	setbuf(file, NULL);
	while (fwrite(zeros, sizeof(zeros), 1, file) == 1)
		;
	fclose(file);
}

static void a_full_file_system_refuses_and_recovers(void **state)
{
	struct state_dir dir;
	char path[128];
	uint32_t n = 0;

	(void)state;
	dir_make(&dir);
	if (!mount_at(&dir, "size=64k,mode=0700")) {
		rmdir(dir.path);
		print_message("mounting a tmpfs is not allowed here\n");
		skip();
	}
	must_open(&dir);
	assert_int_equal(journal_commit(&dir, story(++n), NULL), 0);
	fill(&dir);
	while (journal_commit(&dir, story(n + 1), NULL) == 0)
		n++;
	assert_int_equal(dir.err.os_errno, ENOSPC);
	assert_non_null(strstr(dir.err.text, "free some space there"));
	assert_true(story_is_at(dir.running, n));
	dir.journal->fold_min = 1; /* the background does not do better */
	assert_true(maintain(&dir) != 0);
	assert_non_null(strstr(dir.err.text, "config.xml"));
	file_path(&dir, "ballast", path);
	unlink(path);
	assert_int_equal(journal_commit(&dir, story(++n), NULL), 0);
	assert_int_equal(maintain(&dir), 0);
	dir.journal->fold.retry_at = 0;
	assert_int_equal(maintain(&dir), 0);
	assert_int_equal(dir.journal->base, n);

	/* Read-only, and writable again. */
	assert_int_equal(mount(NULL, dir.path, NULL, MS_REMOUNT | MS_RDONLY, NULL), -1);
	dir_close(&dir);
	assert_int_equal(mount(NULL, dir.path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	must_open(&dir);
	assert_true(story_is_at(dir.running, n));
	assert_true(journal_commit(&dir, story(n + 1), NULL) != 0);
	assert_int_equal(dir.err.os_errno, EROFS);
	assert_non_null(strstr(dir.err.text, "make the file system writable again"));
	assert_int_equal(mount(NULL, dir.path, NULL, MS_REMOUNT, NULL), 0);
	assert_int_equal(journal_commit(&dir, story(++n), NULL), 0);
	dir_close(&dir);
	must_open(&dir);
	assert_true(story_is_at(dir.running, n));
	dir_close(&dir);
	umount(dir.path);
	rmdir(dir.path);
}

static void forget_all(struct state_dir *dir)
{
	disk_room = 0;
	dir_abandon(dir);
	dir_empty(dir);
}

/* Byte by byte: what there is room for, there is room to confirm. */
static void what_is_acknowledged_on_a_full_disk_is_confirmed(void **state)
{
	struct state_dir *dir = *state;
	int taken = 0, refused = 0;

	for (uint64_t room = 0; room < 1000; room += 7) {
		bool done;

		must_open(dir);
		assert_int_equal(journal_commit(dir, story(1), NULL), 0);
		disk_room = dir->journal->length + room;
		dir->journal->room = 0;
		done = journal_commit(dir, story(2), NULL) == 0;
		assert_int_equal(dir->journal->mark_due, 0);
		if (!done)
			assert_int_equal(dir->err.os_errno, ENOSPC);
		taken += done;
		refused += !done;
		disk_room = 0;
		dir_abandon(dir);
		must_open(dir);
		assert_int_equal(journal_unfinished(dir->journal), 0);
		assert_true(story_is_at(dir->running, done ? 2 : 1));
		forget_all(dir);
	}
	assert_true(taken > 10 && refused > 10);
}

/* The room in the old journal is of no use then: the new one has it too, or does not come. */
static void so_it_is_when_a_fold_ends_before(void **state)
{
	struct state_dir *dir = *state;
	struct candidate candidate;
	int folded = 0, failed = 0;

	for (uint64_t room = 0; room < 300; room += 7) {
		must_open(dir);
		commit_story(dir, 1, 2);
		dir->journal->fold_min = dir->journal->config_size = 1;
		assert_int_equal(journal_maintain(dir->journal, true, &dir->err), 0);
		assert_true(journal_snapshot_pid(dir->journal) != 0);
		append_only(dir, 3, &candidate);
		waitid(P_PID, (id_t)dir->journal->fold.pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
		disk_room =
			file_length(dir, "journal.new") + dir->journal->history[2].length + room;
		(void)maintain(dir);
		folded += dir->journal->base == 2;
		failed += dir->journal->base == 0;
		if (dir->journal->base == 0)
			disk_room = 0; /* the old one has it */
		assert_int_equal(candidate_publish(&candidate, dir->running), 0);
		candidate_discard(&candidate);
		journal_confirm(dir->journal, 3);
		assert_int_equal(dir->journal->mark_due, 0);
		disk_room = 0;
		dir_abandon(dir);
		must_open(dir);
		assert_int_equal(journal_unfinished(dir->journal), 0);
		assert_int_equal(journal_generation(dir->journal), 3);
		forget_all(dir);
	}
	assert_true(folded > 10 && failed > 10);
}

/* A directory of somebody else's: reading works, writing is refused until it is ours again. */
static void a_read_only_directory_can_be_read(void **state)
{
	const uid_t nobody = 65534;
	struct state_dir *dir = *state;
	char path[128];

	must_open(dir);
	assert_int_equal(journal_commit(dir, story(1), NULL), 0);
	dir_abandon(dir);
	if (geteuid() == 0) {
		assert_int_equal(chmod(dir->path, 0755), 0);
		file_path(dir, "journal", path);
		assert_int_equal(chmod(path, 0644), 0);
		assert_int_equal(seteuid(nobody), 0);
	} else {
		assert_int_equal(chmod(dir->path, 0555), 0);
		file_path(dir, "journal", path);
		assert_int_equal(chmod(path, 0444), 0);
	}
	must_open(dir);
	assert_true(story_is_at(dir->running, 1));
	assert_true(journal_commit(dir, story(2), NULL) != 0);
	assert_int_equal(dir->err.code, ERROR_STORAGE);
	assert_true(dir->err.os_errno == EROFS || dir->err.os_errno == EACCES);
	if (geteuid() == nobody)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(dir->path, 0755), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(journal_commit(dir, story(2), NULL), 0);
	dir_close(dir);
	must_open(dir);
	assert_true(story_is_at(dir->running, 2));
	dir_close(dir);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		dir_test(it_may_die_at_every_point),
		dir_test(it_may_die_at_every_fork_and_rename),
		dir_test(the_child_of_a_fold_has_no_lock),
		dir_test(a_directory_whose_name_is_not_safe_is_not_used),
		dir_test(every_call_may_fail),
		dir_test(a_confirmation_is_made_up_for_before_a_fold),
		dir_test(a_confirmation_that_failed_is_tried_again),
		dir_test(a_full_disk_refuses_and_recovers),
		dir_test(a_read_only_directory_can_be_read),
		cmocka_unit_test(a_full_file_system_refuses_and_recovers),
		dir_test(what_is_acknowledged_on_a_full_disk_is_confirmed),
		dir_test(so_it_is_when_a_fold_ends_before),
	};

	if (argc == 2)
		return live_the_story(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
