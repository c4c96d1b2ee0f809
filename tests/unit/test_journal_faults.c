/*
 * The journal when things go wrong: death at every point, every system call
 * refused once, a full disk, a directory that cannot be written.
 */
#include "state_dir.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* System calls that fail when told to: in place of the C library's. */

static struct {
	int at, width; /* calls number at .. at + width - 1 fail; 0: none */
	int calls;
	int with; /* errno */
} failure;

static bool fails(void)
{
	if (failure.at == 0)
		return false;
	failure.calls++;
	errno = failure.with;
	return failure.calls >= failure.at && failure.calls < failure.at + failure.width;
}

int fsync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t length)
{
	return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails() ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	return fails() ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

/* What is refused was written in part, as on a full disk. */
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	int with = errno;
	bool failed = fails();
	ssize_t done;

	if (failed)
		with = errno;
	done = syscall(SYS_pwrite64, fd, data, failed ? size / 2 : size, offset);
	if (failed)
		errno = with;
	return failed ? -1 : done;
}

/* Death at every point. The daemon is this program again, with an argument. */

#define STORY_LENGTH 7
#define ACK_FD       3

static int maintain(struct state_dir *dir)
{
	int result = journal_maintain(dir->journal, dir->running, &dir->err);

	while (journal_snapshot_pid(dir->journal) != 0) {
		usleep(500);
		result = journal_maintain(dir->journal, dir->running, &dir->err);
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

/* As the engine does: carry out what is pending, or take it back. */
static void settle_pending(struct state_dir *dir, bool carry_out)
{
	uint64_t number = journal_pending(dir->journal);
	struct candidate changes;

	if (number == 0)
		return;
	if (!carry_out) {
		assert_int_equal(journal_revoke(dir->journal, number, &dir->err), 0);
		return;
	}
	assert_int_equal(journal_changes(dir->journal, number, dir->running, &changes, NULL), 0);
	assert_int_equal(candidate_publish(&changes, dir->running), 0);
	candidate_discard(&changes);
	journal_confirm(dir->journal, number);
}

static void check_after_death(struct state_dir *dir, uint32_t acknowledged, bool carry_out)
{
	uint64_t pending;
	uint32_t n;

	must_open(dir);
	assert_null(strstr(dir->warning, "damaged"));
	pending = journal_pending(dir->journal);
	n = (uint32_t)journal_generation(dir->journal) - (pending != 0);
	assert_true(n == acknowledged || n == acknowledged + 1);
	assert_true(pending == 0 || n == acknowledged);
	assert_true(story_is_at(dir->running, n));
	settle_pending(dir, carry_out);
	n += pending != 0 && carry_out;
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

/* Nothing is left beyond what counts, unless it is known to be. */
static void check_length(const struct state_dir *dir)
{
	struct stat st;

	if (dir->journal->fd < 0 || dir->journal->cut)
		return;
	assert_int_equal(fstat(dir->journal->fd, &st), 0);
	assert_int_equal(st.st_size, dir->journal->length);
}

/* Commit until it is taken: what is refused must have changed nothing. */
static void commit_with_patience(struct state_dir *dir, uint32_t n)
{
	for (int tries = 0; journal_commit(dir, story(n), NULL) != 0; tries++) {
		assert_int_equal(dir->err.code, ERROR_STORAGE);
		assert_int_equal(dir->err.os_errno, failure.with);
		assert_non_null(strstr(dir->err.text, dir->path));
		assert_non_null(strstr(dir->err.text, "nothing was changed"));
		assert_int_equal(journal_generation(dir->journal), n - 1);
		assert_int_equal(journal_pending(dir->journal), 0);
		assert_true(tries < 10);
		check_length(dir);
	}
	check_length(dir);
}

static void append_and_revoke(struct state_dir *dir, uint32_t n)
{
	struct candidate candidate;
	struct commit_info info = {.door = "test"};

	candidate_open(&candidate, dir->running);
	assert_int_equal(apply(&candidate, story(n), NULL), 0);
	if (journal_append(dir->journal, &candidate, &info, NULL) == 0)
		(void)journal_revoke(dir->journal, info.number, NULL);
	candidate_discard(&candidate);
	assert_int_equal(journal_pending(dir->journal), 0);
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
	settle_pending(dir, true); /* whose confirmation was refused */
	assert_true(story_is_at(dir->running, last));
	assert_int_equal(journal_generation(dir->journal), last);
	dir_abandon(dir);
	dir_empty(dir);
	return reached;
}

static void every_call_may_fail(void **state)
{
	struct state_dir *dir = *state;

	for (int width = 1; width <= 4; width++) {
		int at = 1;

		while (story_with_failure(dir, at, width, width % 2 ? ENOSPC : EIO))
			at++;
		assert_true(at > 30);
	}
}

static void fail_call(int at)
{
	failure.at = at;
	failure.width = 1;
	failure.with = EIO;
	failure.calls = 0;
}

/* A confirmation that could not be written, and then a fold that fails at any of its steps. */
static void a_confirmation_is_made_up_for_before_a_fold(void **state)
{
	struct state_dir *dir = *state;
	int result = -1;

	for (int at = 1; result != 0; at++) {
		must_open(dir);
		assert_int_equal(journal_commit(dir, story(1), NULL), 0);
		fail_call(3); /* after the record's write and sync */
		assert_int_equal(journal_commit(dir, story(2), NULL), 0);
		assert_int_equal(dir->journal->mark_due, 2);
		fail_call(at);
		result = fold_now(dir->journal, NULL);
		fail_call(0);
		dir_abandon(dir);
		must_open(dir);
		assert_true(story_is_at(dir->running, journal_pending(dir->journal) ? 1 : 2));
		dir_abandon(dir);
		dir_empty(dir);
	}
}

static void a_confirmation_that_failed_is_tried_again(void **state)
{
	struct state_dir *dir = *state;

	must_open(dir);
	assert_int_equal(journal_commit(dir, story(1), NULL), 0);
	fail_call(3);
	failure.width = 3; /* cutting it off fails too, and so does the next try */
	assert_int_equal(journal_commit(dir, story(2), NULL), 0);
	assert_true(journal_maintain(dir->journal, dir->running, &dir->err) != 0);
	assert_non_null(strstr(dir->err.text, "cannot confirm the last commit"));
	assert_int_equal(journal_maintain(dir->journal, dir->running, &dir->err), 0);
	fail_call(0);
	dir_abandon(dir);
	must_open(dir);
	assert_int_equal(journal_pending(dir->journal), 0);
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
	settle_pending(dir, true);
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

/* A process that holds the lock until it is killed. */
static pid_t lock_elsewhere(const struct state_dir *dir)
{
	struct state_dir other = *dir;
	int fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		must_open(&other);
		if (write(fds[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

static void a_full_file_system_refuses_and_recovers(void **state)
{
	pid_t other;
	struct state_dir dir;
	char path[128];
	uint32_t n = 0;

	(void)state;
	dir_make(&dir);
	if (!mount_at(&dir, "size=64k")) {
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
	other = lock_elsewhere(&dir);
	assert_true(journal_commit(&dir, story(n + 1), NULL) != 0);
	assert_non_null(strstr(dir.err.text, "stop the other daemon"));
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	assert_int_equal(journal_commit(&dir, story(++n), NULL), 0);
	dir_close(&dir);
	must_open(&dir);
	assert_true(story_is_at(dir.running, n));
	dir_close(&dir);
	umount(dir.path);
	rmdir(dir.path);
}

/* So many bytes more than the shortest record of that kind. */
static int commit_padded(struct state_dir *dir, uint32_t id, size_t padding)
{
	struct commit_info info = {.door = "test"};
	struct edit *edit = edit_new();

	memset(info.comment, 'x', padding);
	add(edit, EDIT_MERGE, 1, 0, "");
	add(edit, EDIT_CREATE, 1, id, "peer-session-id=1");
	return journal_commit(dir, edit, &info);
}

/* The next record of that kind without padding will leave some bytes of the page. */
static void fill_page(struct state_dir *dir, size_t leaving)
{
	uint64_t before = dir->journal->length, plain, with_mark, left;
	uint32_t id = 200;

	assert_int_equal(commit_padded(dir, id++, 0), 0);
	plain = dir->journal->history[dir->journal->history_count - 1].length;
	with_mark = dir->journal->length - before;
	left = 4096 - dir->journal->length % 4096 - plain - leaving;
	for (uint64_t n = left / with_mark, rest = left % with_mark; n > 0; n--) {
		assert_int_equal(commit_padded(dir, id++, rest / n), 0);
		rest -= rest / n;
	}
}

static void what_is_acknowledged_on_a_full_disk_is_confirmed(void **state)
{
	struct state_dir dir;
	bool done;

	(void)state;
	dir_make(&dir);
	if (!mount_at(&dir, "size=64k")) {
		rmdir(dir.path);
		print_message("mounting a tmpfs is not allowed here\n");
		skip();
	}
	must_open(&dir);
	assert_int_equal(journal_commit(&dir, story(1), NULL), 0);
	fill_page(&dir, 25); /* a confirmation has more */
	fill(&dir);
	done = commit_padded(&dir, 100, 0) == 0;
	if (done)
		assert_in_range(
			4096 - dir.journal->history[dir.journal->history_count - 1].offset % 4096 -
				dir.journal->history[dir.journal->history_count - 1].length,
			1, 28);
	dir_abandon(&dir);
	must_open(&dir);
	assert_int_equal(journal_pending(dir.journal), 0);
	assert_int_equal(datastore_session(dir.running, 1, 100) != NULL, done);
	dir_close(&dir);
	umount(dir.path);
	rmdir(dir.path);
}

/* A directory of somebody else's: reading works, writing is refused until it is ours again. */
/* A commit of so many bytes more that is left pending. */
static uint64_t append_padded(struct state_dir *dir, struct candidate *candidate, size_t padding)
{
	struct commit_info info = {.door = "test"};
	struct edit *edit = edit_new();

	memset(info.comment, 'x', padding);
	add(edit, EDIT_MERGE, 1, 0, "description=new");
	candidate_open(candidate, dir->running);
	assert_int_equal(apply(candidate, edit, NULL), 0);
	assert_int_equal(journal_append(dir->journal, candidate, &info, &dir->err), 0);
	return info.number;
}

/* Bytes left of the last page of the new journal. */
static uint64_t left_after_fold(const struct journal *journal)
{
	return 4096 - (journal->fold.end + journal->length - journal->fold.from) % 4096;
}

/* Leave a commit pending that a fold under way will put at the end of a page: its number. */
static uint64_t append_at_end_of_page(struct state_dir *dir, struct candidate *candidate)
{
	uint64_t number, left;

	for (uint32_t id = 300;; id++) {
		dir->journal->fold_min = dir->journal->config_size = 1;
		assert_int_equal(journal_maintain(dir->journal, dir->running, &dir->err), 0);
		assert_true(journal_snapshot_pid(dir->journal) != 0);
		number = append_padded(dir, candidate, 0);
		left = left_after_fold(dir->journal);
		assert_int_equal(journal_revoke(dir->journal, number, NULL), 0);
		candidate_discard(candidate);
		if (left >= 10 && left < 100)
			return append_padded(dir, candidate, left - 10);
		assert_int_equal(maintain(dir), 0);
		assert_int_equal(commit_padded(dir, id, id * 37 % 90), 0);
	}
}

/* The room in the old journal is of no use then: the new one has it too, or does not come. */
static void so_it_is_when_a_fold_ends_before(void **state)
{
	struct candidate candidate;
	struct state_dir dir;
	uint64_t number;

	(void)state;
	dir_make(&dir);
	if (!mount_at(&dir, "size=64k")) {
		rmdir(dir.path);
		print_message("mounting a tmpfs is not allowed here\n");
		skip();
	}
	must_open(&dir);
	assert_int_equal(journal_commit(&dir, story(1), NULL), 0);
	number = append_at_end_of_page(&dir, &candidate);
	assert_int_equal(maintain(&dir), 0);
	assert_int_equal(dir.journal->base, number - 1);
	fill(&dir);
	assert_int_equal(candidate_publish(&candidate, dir.running), 0);
	candidate_discard(&candidate);
	journal_confirm(dir.journal, number);
	dir_abandon(&dir);
	must_open(&dir);
	assert_int_equal(journal_pending(dir.journal), 0);
	assert_int_equal(journal_generation(dir.journal), number);
	dir_abandon(&dir);
	umount(dir.path);
	rmdir(dir.path);
}

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
		dir_test(every_call_may_fail),
		dir_test(a_confirmation_is_made_up_for_before_a_fold),
		dir_test(a_confirmation_that_failed_is_tried_again),
		dir_test(a_full_disk_refuses_and_recovers),
		dir_test(a_read_only_directory_can_be_read),
		cmocka_unit_test(a_full_file_system_refuses_and_recovers),
		cmocka_unit_test(what_is_acknowledged_on_a_full_disk_is_confirmed),
		cmocka_unit_test(so_it_is_when_a_fold_ends_before),
	};

	if (argc == 2)
		return live_the_story(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
