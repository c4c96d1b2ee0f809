/*
 * Folding the journal into config.xml, in steps of which any may be the last:
 *
 *   1. a child fsyncs the journal, for the sake of its confirmations; writes
 *      config.xml.new, as running is at the fork, and journal.new, which holds
 *      the base mark and the history; fsyncs both
 *   2. the daemon adds what was appended meanwhile to journal.new; fsync
 *   3. config.xml.new becomes config.xml; fsync of the directory
 *   4. journal.new becomes journal; fsync of the directory
 *
 * After 3 the old journal is replayed over the new config.xml, which changes
 * nothing. The daemon renames, and not the child: one that outlived its daemon
 * must not put an old state over what a new daemon wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "journal/journal_file.h"

#define HISTORY_MAX   (64U * 1024 * 1024) /* bytes of history kept */
#define RETRY_SECONDS 30

static const char *goes_on = "the journal goes on growing";

static void fold_clear(struct journal *journal)
{
	free(journal->fold.head);
	journal->fold = (struct fold){.retry_at = journal->fold.retry_at};
}

void fold_sweep(struct journal *journal)
{
	journal_file_unlink(journal, CONFIG_NEW);
	journal_file_unlink(journal, JOURNAL_NEW);
}

static void fold_failed(struct journal *journal)
{
	fold_clear(journal);
	journal->fold.retry_at = clock_now() + RETRY_SECONDS * NS_PER_S;
	fold_sweep(journal);
}

/*
 * Which history entries are kept, the newest first choice, and where they go.
 * They are copied as they are: those of an old format stay behind.
 */
static void place_history(struct journal *journal)
{
	bool current = journal->format->version == JOURNAL_VERSION;
	size_t first = journal->history_count;
	uint64_t total = 0;

	while (current && first > 0 && total + journal->history[first - 1].length <= HISTORY_MAX)
		total += journal->history[--first].length;
	journal->fold.end = journal->fold.head_length;
	for (size_t i = 0; i < journal->history_count; i++) {
		journal->history[i].moved = i < first ? 0 : journal->fold.end;
		if (i >= first)
			journal->fold.end += journal->history[i].length;
	}
}

static int fold_begin(struct journal *journal)
{
	struct fold *fold = &journal->fold;
	int result;

	fold_clear(journal);
	result = journal_lock(journal);
	if (result == 0 && journal_place(journal, journal->fd) == -ESTALE)
		result = -ESTALE;
	if (result == 0)
		result = journal_mark(journal);
	if (result != 0)
		return result;
	fold->base = journal->generation;
	fold->from = journal->length;
	result = journal_head(fold->base, &fold->head, &fold->head_length);
	if (result == 0)
		place_history(journal);
	return result;
}

/* Step 1 */

/* Owner, group and mode are the administrator's choice. A mode alone could let the wrong group in.
 */
static void keep_access(const struct journal *journal, int fd)
{
	struct stat old;

	if (fstatat(journal->dirfd, CONFIG_FILE, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(old.st_mode) && fchown(fd, old.st_uid, old.st_gid) == 0)
		fchmod(fd, old.st_mode & 0777);
}

static int write_config(struct journal *journal)
{
	FILE *file = NULL;
	int fd = -1, result = journal_file_create(journal, CONFIG_NEW, CONFIG_MODE, &fd);

	if (result != 0)
		return result;
	keep_access(journal, fd);
	file = fdopen(fd, "w");
	if (file == NULL) {
		close(fd);
		return -ENOMEM;
	}
	fault_point("write");
	result = journal->codec.write(file, journal->running, journal->codec.arg);
	if (result == 0)
		fprintf(file, CONFIG_STAMP "\n", journal->fold.base);
	if (result == 0 && (fflush(file) != 0 || ferror(file)))
		result = errno != 0 ? -errno : -EIO;
	if (result == 0)
		result = file_sync(fd);
	if (fclose(file) != 0 && result == 0)
		result = -errno;
	return result;
}

static int write_history(struct journal *journal)
{
	const struct fold *fold = &journal->fold;
	int fd = -1, result = journal_file_create(journal, JOURNAL_NEW, JOURNAL_MODE, &fd);

	if (result == 0)
		result = file_write(fd, fold->head, fold->head_length, 0);
	for (size_t i = 0; i < journal->history_count && result == 0; i++) {
		const struct history_entry *entry = &journal->history[i];

		if (entry->moved != 0)
			result = file_copy(fd, entry->moved, journal->fd, entry->offset,
					   entry->length);
	}
	if (result == 0)
		result = file_sync(fd);
	if (fd >= 0)
		close(fd);
	return result;
}

/*
 * The old journal's confirmations must be on the disk before the new config.xml:
 * a commit that seems pending is left out, though config.xml would have it.
 */
static int fold_write(struct journal *journal)
{
	int result = file_sync(journal->fd);

	if (result == 0)
		result = write_config(journal);
	return result != 0 ? result : write_history(journal);
}

/* Steps 2 to 4 */

static int add_tail(struct journal *journal, int fd)
{
	const struct fold *fold = &journal->fold;
	uint64_t length = journal->length - fold->from;
	struct stat st;
	int result;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size != fold->end)
		return -EIO;
	if (length == 0)
		return 0;
	result = file_copy(fd, fold->end, journal->fd, fold->from, length);
	if (result == 0)
		result = file_reserve_mark(fd, fold->end + length); /* of one still pending */
	return result != 0 ? result : file_sync(fd);
}

static int rename_both(struct journal *journal)
{
	struct stat st;
	int result;

	if (fstatat(journal->dirfd, CONFIG_NEW, &st, 0) < 0)
		return -errno;
	result = journal_file_rename(journal, CONFIG_NEW, CONFIG_FILE);
	if (result != 0)
		return result;
	journal->config = true;
	journal->config_size = (uint64_t)st.st_size;
	return journal_file_rename(journal, JOURNAL_NEW, JOURNAL_FILE);
}

static void move_history(struct journal *journal)
{
	const struct fold *fold = &journal->fold;
	size_t kept = 0;

	for (size_t i = 0; i < journal->history_count; i++) {
		struct history_entry entry = journal->history[i];

		if (entry.info.number > fold->base)
			entry.offset = entry.offset - fold->from + fold->end;
		else if (entry.moved != 0)
			entry.offset = entry.moved;
		else
			continue;
		entry.moved = 0;
		journal->history[kept++] = entry;
	}
	journal->history_count = kept;
}

/* The new journal is in place: go on in it. */
static void take_over(struct journal *journal, int fd)
{
	const struct fold *fold = &journal->fold;

	close(journal->fd);
	journal->fd = fd;
	journal->writable = true;
	journal->cut = false;
	journal->restamp = false;
	journal->format = commit_format(JOURNAL_VERSION);
	move_history(journal);
	journal->base = fold->base;
	journal->tail = fold->end;
	journal->length = journal->length - fold->from + fold->end;
	journal->room = 0;
}

static int fold_finish(struct journal *journal)
{
	int fd = openat(journal->dirfd, JOURNAL_NEW, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int result = fd < 0 ? -errno : add_tail(journal, fd);

	if (result == 0)
		result = rename_both(journal);
	/* The rename may be done though the fsync after it failed: the old one is for nothing. */
	if (fd >= 0 && (result == 0 || journal_place(journal, fd) == 0)) {
		journal->unsynced = result != 0;
		take_over(journal, fd);
	} else if (fd >= 0) {
		close(fd);
	}
	return result;
}

/* Both files are written, if @result is 0: put them in place. */
static int fold_end(struct journal *journal, int result, const char *consequence, struct error *err)
{
	if (result == 0)
		result = fold_finish(journal);
	if (result == 0) {
		fold_clear(journal);
		return 0;
	}
	fold_failed(journal);
	return journal_error(journal, err, result, "write", CONFIG_FILE, consequence);
}

int fold_now(struct journal *journal, struct error *err)
{
	int result;

	/* what was wrong before may have passed */
	if (!journal->writable && journal_place(journal, journal->fd) == 0)
		(void)journal_file_open(journal);
	result = journal->writable ? fold_begin(journal) : -EROFS;
	if (result == 0)
		result = fold_write(journal);
	return fold_end(journal, result, "nothing was changed", err);
}

/* In the background */

static bool fold_is_wanted(const struct journal *journal)
{
	uint64_t limit =
		journal->config_size > journal->fold_min ? journal->config_size : journal->fold_min;

	return journal->fold.pid == 0 && journal->pending == 0 && journal->writable &&
	       !journal->cut && journal->length - journal->tail > limit;
}

bool fold_due(const struct journal *journal)
{
	return fold_is_wanted(journal) && clock_now() >= journal->fold.retry_at;
}

/* Sockets of the daemon must not stay open in the child. */
static void close_others(int keep_a, int keep_b)
{
	unsigned int low = (unsigned int)(keep_a < keep_b ? keep_a : keep_b);
	unsigned int high = (unsigned int)(keep_a < keep_b ? keep_b : keep_a);

	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

_Noreturn static void child_run(struct journal *journal, pid_t parent)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(ECHILD);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_others(journal->dirfd, journal->fd);
	_exit(-fold_write(journal));
}

static int fold_start(struct journal *journal, struct error *err)
{
	pid_t parent = getpid(), pid;
	int result = fold_begin(journal);

	if (result == 0) {
		fault_point("fork");
		pid = fork();
		if (pid == 0)
			child_run(journal, parent);
		journal->fold.pid = pid;
		result = pid < 0 ? -errno : 0;
	}
	if (result == 0)
		return 0;
	fold_failed(journal);
	return error_set_errno(err, ERROR_RESOURCE, -result,
			       "cannot start a process to write %s/%s; %s; tried again in %d s",
			       journal->directory, CONFIG_FILE, goes_on, RETRY_SECONDS);
}

/* What became of the child: 0, or a negative errno. */
static int child_result(int status)
{
	if (WIFEXITED(status))
		return -WEXITSTATUS(status);
	return -EINTR;
}

static int fold_reap(struct journal *journal, struct error *err)
{
	int status = 0;
	pid_t pid = waitpid(journal->fold.pid, &status, WNOHANG);

	if (pid == 0)
		return 0;
	return fold_end(journal, pid < 0 ? -errno : child_result(status), goes_on, err);
}

/* Said once for each commit. */
static int retry_mark(struct journal *journal, struct error *err)
{
	uint64_t number = journal->mark_due;
	int result = journal_mark(journal);

	if (result == 0 || journal->mark_told == number)
		return 0;
	journal->mark_told = number;
	return journal_error(journal, err, result, "confirm the last commit in", JOURNAL_FILE,
			     "it is tried again, and the next start carries that commit out once "
			     "more if the daemon is killed before");
}

bool config_is_gone(const struct journal *journal)
{
	struct stat st;

	return journal->config && fstatat(journal->dirfd, CONFIG_FILE, &st, 0) < 0 &&
	       errno == ENOENT;
}

int journal_restore(struct journal *journal, struct error *err)
{
	const char *gone = journal_place(journal, journal->fd) == -ENOENT ? JOURNAL_FILE
			   : config_is_gone(journal)                      ? CONFIG_FILE
									  : NULL;
	int result;

	if (gone == NULL)
		return 0;
	fold_abort(journal);
	result = fold_now(journal, err);
	journal->restored = result == 0 ? gone : NULL;
	return result;
}

void fold_watch(struct journal *journal)
{
	char path[32];

	/* by its descriptor: the directory itself may have been renamed */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", journal->dirfd);
	journal->watchfd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (journal->watchfd < 0 ||
	    inotify_add_watch(journal->watchfd, path, IN_DELETE | IN_MOVED_FROM) >= 0)
		return;
	close(journal->watchfd);
	journal->watchfd = -1;
}

static void take_in_what_moved(struct journal *journal)
{
	char events[1024];

	while (journal->watchfd >= 0 && read(journal->watchfd, events, sizeof(events)) > 0)
		journal->stirred = true;
}

static int look_for_files(struct journal *journal, struct error *err)
{
	const char *gone;
	int result = 0;

	take_in_what_moved(journal);
	if (journal->pending == 0 && clock_now() >= journal->fold.retry_at) {
		result = journal_restore(journal, err);
		journal->stirred = result != 0;
	}
	gone = journal->restored;
	if (gone == NULL)
		return result;
	journal->restored = NULL;
	return error_set(err, ERROR_STORAGE,
			 "%s/%s was removed while the daemon used it; %s and %s were written anew",
			 journal->directory, gone, CONFIG_FILE, JOURNAL_FILE);
}

int journal_maintain(struct journal *journal, const struct datastore *running, struct error *err)
{
	int result = look_for_files(journal, err);

	if (result == 0)
		result = retry_mark(journal, err);
	(void)running;
	if (result != 0)
		return result;
	if (journal->fold.pid != 0)
		return fold_reap(journal, err);
	return fold_due(journal) ? fold_start(journal, err) : 0;
}

int64_t journal_due_at(const struct journal *journal)
{
	if (journal->fold.pid != 0 || journal->mark_due != 0 || journal->restored != NULL)
		return 0;
	if (fold_is_wanted(journal) || (journal->stirred && journal->pending == 0))
		return journal->fold.retry_at;
	return journal->watchfd < 0 ? 0 : INT64_MAX;
}

int journal_watch_fd(const struct journal *journal)
{
	return journal->watchfd;
}

int journal_snapshot_pid(const struct journal *journal)
{
	return journal->fold.pid;
}

void fold_abort(struct journal *journal)
{
	if (journal->fold.pid == 0)
		return;
	kill(journal->fold.pid, SIGKILL);
	waitpid(journal->fold.pid, NULL, 0);
	fold_failed(journal);
}
