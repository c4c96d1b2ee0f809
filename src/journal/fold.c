/*
 * Folds the journal into config.xml, in steps; a crash may come after any of them:
 *
 *	 1. a child writes config.xml.new, with running as it is at the fork, and journal.new, with
 *the same in its base, and with the history; it fsyncs both
 *	 2. the daemon copies what was appended meanwhile to journal.new; fsync
 *	 3. config.xml.new becomes config.xml; fsync of the directory
 *	 4. journal.new becomes journal; fsync of the directory
 *
 * A crash after 3 replays the old journal over the new config.xml, which changes nothing: commits
 * that its stamp covers count as confirmed. The daemon renames, not the child: a child that
 * outlives its daemon must not overwrite what a new daemon wrote. From step 2 on the thread waits
 * for the disk.
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
#include "base/wipe.h"
#include "journal/journal_file.h"

#define RETRY_SECONDS 30
/*
 * A fold copies the history. It waits for as much new as this part of it, so that a commit costs
 * the same however long the history is.
 */
#define HISTORY_PART 4

static const char *goes_on = "the journal keeps growing";

/* ---- begin and end */

static void fold_clear(struct journal *journal)
{
	struct fold *fold = &journal->fold;

	place_close(&fold->config);
	if (fold->fd >= 0)
		close(fold->fd);
	*fold = (struct fold){.fd = -1, .config.dirfd = -1, .retry_at = fold->retry_at};
}

static void fold_failed(struct journal *journal)
{
	fold_clear(journal);
	journal->fold.retry_at = clock_now() + RETRY_SECONDS * NS_PER_S;
	directory_sweep(journal);
}

/*
 * Say where the history goes. It is copied verbatim, so that in an older format is dropped.
 */
static void place_history(struct journal *journal)
{
	bool current = journal->format->read_change == commit_format(JOURNAL_VERSION)->read_change;

	journal->fold.history = 0;
	for (size_t i = 0; i < journal->history_count; i++) {
		journal->history[i].moved = current ? 1 + journal->fold.history : 0;
		if (current)
			journal->fold.history += journal->history[i].length;
	}
}

static int fold_begin(struct journal *journal)
{
	int rc = directory_place(journal);

	fold_clear(journal);
	if (rc == 0 && journal_place(journal, journal->fd) == -ESTALE)
		rc = -ESTALE;
	/* sync the old journal first: it must have all that the new config.xml has */
	if (rc == 0 && journal->maybe_lost)
		rc = journal_make_durable(journal, journal->maybe_lost);
	if (rc == 0)
		journal->maybe_lost = 0;
	if (rc == 0 && !journal->doubt)
		rc = journal_mark(journal);
	if (rc < 0)
		return rc;
	journal->fold.base = journal->generation;
	journal->fold.from = journal->length;
	place_history(journal);
	return 0;
}

/* ---- step 1 */

static int write_journal(struct journal *journal, uint32_t checksum)
{
	const struct fold *fold = &journal->fold;
	const struct file_place here = {journal->dirfd, JOURNAL_FILE};
	char *head = NULL, end[MARK_MAX];
	size_t length = 0, end_length = mark_end(end, fold->base, false);
	int fd = -1, rc = journal_head(journal, fold->base, &checksum, &head, &length);

	if (rc == 0)
		rc = place_create(&here, JOURNAL_NEW, &fd);
	if (rc == 0)
		rc = file_write(fd, head, length, 0);
	for (size_t i = 0; i < journal->history_count && rc == 0; i++) {
		const struct history_entry *entry = &journal->history[i];

		if (entry->moved)
			rc = file_copy(fd, length + entry->moved - 1, journal->fd, entry->offset,
				       entry->length);
	}
	if (rc == 0)
		rc = file_write(fd, end, end_length, length + fold->history);
	if (rc == 0)
		rc = file_sync(fd, true);
	if (fd >= 0)
		close(fd);
	wipe_free(head, length);
	return rc;
}

static int fold_write(struct journal *journal)
{
	uint32_t checksum;
	int rc = config_write(journal, journal->fold.base, &checksum);

	return rc < 0 ? rc : write_journal(journal, checksum);
}

/* ---- steps 2 to 4 */

/* Check the child's work by its end mark, and return its length. */
static int open_new_journal(struct journal *journal)
{
	struct fold *fold = &journal->fold;
	char end[MARK_MAX], found[MARK_MAX];
	size_t length = mark_end(end, fold->base, false);
	struct stat st;

	fold->fd = openat(journal->dirfd, JOURNAL_NEW, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fold->fd < 0 || fstat(fold->fd, &st) < 0)
		return -errno;
	fold->end = (uint64_t)st.st_size - length;
	if ((uint64_t)st.st_size < length + fold->history ||
	    pread(fold->fd, found, length, (off_t)fold->end) != (ssize_t)length ||
	    memcmp(found, end, length) != 0)
		return -EIO;
	return 0;
}

/* Copy what was appended meanwhile, with room for the confirmation of an unfinished commit. */
static int add_tail(struct journal *journal)
{
	const struct fold *fold = &journal->fold;
	uint64_t length = journal->length - fold->from;
	char end[MARK_MAX];
	size_t end_length = mark_end(end, journal->generation, false);
	int rc;

	if (length == 0)
		return 0;
	rc = file_copy(fold->fd, fold->end, journal->fd, fold->from, length);
	if (rc == 0)
		rc = file_write(fold->fd, end, end_length, fold->end + length);
	return rc < 0 ? rc : file_reserve(fold->fd, fold->end + length, 2 * MARK_MAX);
}

static void move_history(struct journal *journal)
{
	const struct fold *fold = &journal->fold;
	size_t count = journal->history_count;

	history_forget(journal);
	for (size_t i = 0; i < count; i++) {
		struct history_entry entry = journal->history[i];

		if (entry.number > fold->base)
			entry.offset = entry.offset - fold->from + fold->end;
		else if (entry.moved)
			entry.offset = fold->end - fold->history + entry.moved - 1;
		else
			continue;
		entry.moved = 0;
		journal->history[journal->history_count++] = entry;
		journal->history_bytes += entry.length;
	}
}

/* The new journal is in place: switch to it. Its name is not synced yet. */
static void take_over(struct journal *journal)
{
	struct fold *fold = &journal->fold;

	syncer_close_file(journal->syncer, journal->fd);
	journal->fd = fold->fd;
	fold->fd = -1;
	journal->writable = true;
	journal->cut = fold->torn;
	journal->doubt = false;
	journal->restamp = false;
	journal->format = commit_format(JOURNAL_VERSION);
	move_history(journal);
	journal->base = fold->base;
	if (journal->mark_due <= fold->base)
		journal->mark_due = 0;
	journal->tail = fold->end;
	journal->length = journal->length - fold->from + fold->end;
	journal->room = 0;
}

/* One step of putting the files in place. 0: the fold is over; JOURNAL_MORE, JOURNAL_WAIT. */
static int fold_step(struct journal *journal, bool waits)
{
	struct fold *fold = &journal->fold;
	int rc;

	switch (fold->stage) {
	case FOLD_NONE:
		return 0;
	case FOLD_CHILD:
		rc = open_new_journal(journal);
		if (rc == 0)
			rc = add_tail(journal);
		fold->stage = FOLD_SYNC;
		return rc < 0 ? rc : JOURNAL_MORE;
	case FOLD_SYNC:
		rc = journal_sync(journal, fold->fd, true, waits);
		if (rc == 0)
			rc = config_rename(journal, &fold->config);
		if (rc != 0)
			return rc;
		fold->stage = FOLD_CONFIG;
		return JOURNAL_MORE;
	case FOLD_CONFIG:
		rc = journal_sync(journal, fold->config.dirfd, true, waits);
		if (rc != 0)
			return rc;
		fault_point("rename");
		if (renameat(journal->dirfd, JOURNAL_NEW, journal->dirfd, JOURNAL_FILE) < 0)
			return -errno;
		take_over(journal);
		fold->stage = FOLD_JOURNAL;
		return JOURNAL_MORE;
	case FOLD_JOURNAL:
		rc = journal_sync(journal, journal->dirfd, true, waits);
		if (rc < 0)
			journal_distrust(journal);
		return rc;
	}
	return 0;
}

/* Go on after the writing, which returned @rc. JOURNAL_WAIT: not over yet. */
static int fold_finish(struct journal *journal, int rc, bool waits)
{
	if (rc == 0)
		do
			rc = fold_step(journal, waits);
		while (rc == JOURNAL_MORE);
	if (rc == 0)
		fold_clear(journal);
	else if (rc < 0)
		fold_failed(journal);
	return rc;
}

bool fold_is_ending(const struct journal *journal)
{
	return journal->fold.stage > FOLD_CHILD;
}

int fold_complete(struct journal *journal, bool waits)
{
	return fold_is_ending(journal) ? fold_finish(journal, 0, waits) : 0;
}

/* Put in place what the child has written. */
void fold_abort(struct journal *journal)
{
	if (fold_complete(journal, false) == 0 && journal->fold.stage == FOLD_CHILD) {
		kill(journal->fold.pid, SIGKILL);
		waitpid(journal->fold.pid, NULL, 0);
		fold_failed(journal);
	}
}

int fold_now(struct journal *journal, struct error *err)
{
	int rc;

	fold_abort(journal);
	/* an earlier failure may be over */
	if (!journal->writable && journal_place(journal, journal->fd) == 0)
		(void)journal_file_open(journal);
	rc = journal->writable ? fold_begin(journal) : -EROFS;
	if (rc == 0)
		rc = fold_write(journal);
	journal->fold.stage = FOLD_CHILD; /* as if a child had written them */
	rc = fold_finish(journal, rc, false);
	return rc < 0 ? journal_error(journal, err, rc, "write", CONFIG_FILE, "nothing was changed")
		      : 0;
}

/* ---- in the background */

bool fold_is_wanted(const struct journal *journal)
{
	uint64_t limit =
		journal->config_size > journal->fold_min ? journal->config_size : journal->fold_min;

	if (limit < journal->history_bytes / HISTORY_PART)
		limit = journal->history_bytes / HISTORY_PART;
	return journal->fold.stage == FOLD_NONE && journal->unfinished == 0 && journal->writable &&
	       !journal->cut && !journal->doubt && !journal->restamp &&
	       journal->length - journal->tail > limit;
}

bool fold_due(const struct journal *journal)
{
	return fold_is_wanted(journal) && clock_now() >= journal->fold.retry_at;
}

/*
 * The child must not keep the daemon's sockets open, nor its lock: that belongs to the directory's
 * descriptor, so the child opens one of its own.
 */
static int keep_own(struct journal *journal)
{
	int keep[2] = {openat(journal->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		       journal->fd};
	unsigned int low, high;

	if (keep[0] < 0)
		return -errno;
	journal->dirfd = keep[0];
	low = (unsigned int)(keep[0] < keep[1] ? keep[0] : keep[1]);
	high = (unsigned int)(keep[0] < keep[1] ? keep[1] : keep[0]);
	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
	return 0;
}

_Noreturn static void child_run(struct journal *journal, pid_t parent)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2};
	sigset_t none;
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(ECHILD);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	rc = keep_own(journal);
	if (rc == 0)
		rc = fold_write(journal);
	_exit(-rc);
}

int fold_start(struct journal *journal, struct error *err)
{
	pid_t parent = getpid(), pid;
	int rc = fold_begin(journal);

	if (rc == 0) {
		fault_point("fork");
		pid = fork();
		if (pid == 0)
			child_run(journal, parent);
		journal->fold.pid = pid;
		journal->fold.stage = FOLD_CHILD;
		rc = pid < 0 ? -errno : 0;
	}
	if (rc == 0)
		return 0;
	fold_failed(journal);
	return error_set_errno(err, ERROR_RESOURCE, -rc,
			       "cannot start a process to write %s/%s; %s; retried in %d s",
			       journal->directory, CONFIG_FILE, goes_on, RETRY_SECONDS);
}

/* How the child ended: 0 or a negative errno. */
static int child_result(int status)
{
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int fold_go_on(struct journal *journal, struct error *err)
{
	struct fold *fold = &journal->fold;
	int status = 0, rc = 0;
	pid_t pid;

	if (fold->stage == FOLD_CHILD) {
		pid = waitpid(fold->pid, &status, WNOHANG);
		if (pid == 0)
			return 0;
		rc = pid < 0 ? -errno : child_result(status);
	}
	rc = fold_finish(journal, rc, true);
	return rc < 0 ? journal_error(journal, err, rc, "write", CONFIG_FILE, goes_on) : 0;
}

int journal_restore(struct journal *journal, struct error *err)
{
	const char *gone = journal_place(journal, journal->fd) == -ENOENT ? JOURNAL_FILE
			   : config_is_gone(journal)                      ? CONFIG_FILE
									  : NULL;
	int rc;

	if (!gone)
		return 0;
	rc = fold_now(journal, err);
	journal->restored = rc == 0 ? gone : NULL;
	return rc;
}
