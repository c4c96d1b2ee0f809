#include "journal/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/journal_file.h"

#define FOLD_MIN    (1024 * 1024) /* bytes of records that make a fold worth it */
#define HISTORY_MAX (UINT64_C(64) * 1024 * 1024)

/* ---- open */

static void journal_free(struct journal *journal)
{
	syncer_close(journal->syncer);
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->dirfd >= 0)
		close(journal->dirfd);
	if (journal->watchfd >= 0)
		close(journal->watchfd);
	free(journal->history_block);
	free(journal->directory);
	free(journal);
}

static struct journal *journal_new(const char *directory, struct datastore *running,
				   const struct snapshot_codec *codec, char *warning)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal)
		return NULL;
	journal->dirfd = journal->fd = journal->watchfd = -1;
	journal->fold.fd = journal->fold.config.dirfd = -1;
	journal->running = running;
	journal->warning = warning;
	journal->fold_min = FOLD_MIN;
	journal->history_max = HISTORY_MAX;
	journal->codec = *codec;
	journal->directory = strdup(directory);
	if (journal->directory)
		return journal;
	free(journal);
	return NULL;
}

/*
 * What was loaded counts from now on, so it must be on the disk. If it cannot be synced, as on a
 * read-only disk, nothing is appended until it is.
 */
static void make_certain(struct journal *journal)
{
	struct error err = ERROR_INIT;
	int rc = 0;

	if (journal->fd >= 0 && (!journal->writable || journal_is_shared(journal)))
		journal->doubt = true;
	if (journal->fd < 0 || !journal->writable)
		return;
	if (!journal->doubt)
		rc = journal_make_durable(journal, journal->unfinished);
	if (rc < 0)
		journal_distrust(journal);
	if (journal->doubt)
		journal->maybe_lost = journal->unfinished;
	if (journal->doubt && !journal->unfinished && fold_now(journal, &err) < 0)
		journal_warn(journal, "%s", err.text);
}

/* By the descriptor, for another directory may have that name by now. */
static void watch(struct journal *journal)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", journal->dirfd);
	journal->watchfd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (journal->watchfd < 0 ||
	    inotify_add_watch(journal->watchfd, path,
			      IN_DELETE | IN_MOVED_FROM | IN_MOVE_SELF | IN_DELETE_SELF) >= 0)
		return;
	close(journal->watchfd);
	journal->watchfd = -1;
}

int journal_open(struct journal **ret, const char *directory, struct datastore *running,
		 const struct snapshot_codec *codec, char warning[JOURNAL_WARNING_MAX],
		 struct error *err)
{
	struct journal *journal = journal_new(directory, running, codec, warning);
	int rc;

	warning[0] = '\0';
	if (!journal)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "cannot open %s", directory);
	rc = directory_open(journal, err);
	if (rc == 0)
		rc = journal_load(journal, err);
	if (rc == 0) {
		make_certain(journal);
		watch(journal);
	}
	if (rc < 0) {
		journal_free(journal);
		return rc;
	}
	journal->warning = NULL;
	journal->syncer = syncer_open(); /* without a syncer the loop itself waits for the disk */
	*ret = journal;
	return 0;
}

/* ---- close */

static int refuse_fold(const struct journal *journal, struct error *err, int rc)
{
	const char *why = journal->unfinished
				  ? "the last one is under way, and the next start completes it"
				  : strerror(-rc);
	char commits[64];

	if (journal->unknown)
		return error_set(err, ERROR_OUTCOME_UNKNOWN,
				 "%s/%s cannot be rewritten (%s): the next start finds out "
				 "whether commit %" PRIu64 " was made",
				 journal->directory, JOURNAL_FILE, why, journal->unknown);
	if (journal->generation == journal->base)
		return journal_error(journal, err, rc, "write", CONFIG_FILE,
				     "it was removed, and the configuration is lost with it");
	journal_print_commits(commits, journal->base + 1, journal->generation);
	return error_set(err, ERROR_STORAGE,
			 "%s/%s lacks %s, which the journal has and will apply over any edit of "
			 "it. It cannot be written: %s",
			 journal->directory, CONFIG_FILE, commits, why);
}

/* Give up a commit that is being written or revoked; what is certain by then counts. */
static void end_writing(struct journal *journal)
{
	struct error ignored = ERROR_INIT;

	(void)journal_abort(journal);
	journal->writing.waits = false;
	(void)journal_step(journal, INT64_MAX, &ignored);
}

int journal_close(struct journal *journal, struct error *err)
{
	int rc = 0;

	if (!journal)
		return 0;
	end_writing(journal);
	fold_abort(journal);
	if (journal->unfinished)
		rc = -EBUSY;
	else if (journal->generation > journal->base || journal->unknown || config_is_gone(journal))
		rc = fold_now(journal, NULL);
	if (rc < 0)
		refuse_fold(journal, err, rc);
	journal_free(journal);
	return rc;
}

/* ---- maintain */

/* Report it once. */
static int look_for_directory(struct journal *journal, struct error *err)
{
	bool told = journal->moved;

	journal->moved = directory_place(journal) == -ESTALE;
	if (!journal->moved || told)
		return 0;
	return error_set(
		err, ERROR_STORAGE,
		"%s was moved or replaced while the daemon used it: no change is accepted until "
		"it is put back, or the daemon is restarted",
		journal->directory);
}

static int look_for_files(struct journal *journal, struct error *err)
{
	const char *gone;
	int rc = 0;

	if (journal->unfinished == 0 && !journal->moved && clock_now() >= journal->fold.retry_at) {
		rc = journal_restore(journal, err);
		journal->stirred = rc < 0;
	}
	gone = journal->restored;
	if (!gone)
		return rc;
	journal->restored = NULL;
	return error_set(err, ERROR_STORAGE,
			 "%s/%s was removed while the daemon used it; %s and %s were rewritten",
			 journal->directory, gone, CONFIG_FILE, JOURNAL_FILE);
}

/* Retry what could not be made certain: rewrite both files without that commit. */
static int look_for_certainty(struct journal *journal, struct error *err)
{
	uint64_t number = journal->unknown;

	if ((number == 0 && !journal->doubt) || journal->unfinished ||
	    clock_now() < journal->fold.retry_at || fold_now(journal, NULL) < 0 || number == 0)
		return 0;
	journal->unknown = 0;
	return error_set(err, ERROR_STORAGE,
			 "commit %" PRIu64
			 ", whose outcome was unknown, was not made: %s/%s is rewritten "
			 "without it, and changes are accepted again",
			 number, journal->directory, JOURNAL_FILE);
}

/* Report it once per commit. */
static int retry_mark(struct journal *journal, struct error *err)
{
	uint64_t number = journal->mark_due;
	int rc = journal_mark(journal);

	if (rc == 0 || journal->mark_told == number)
		return 0;
	journal->mark_told = number;
	return journal_error(
		journal, err, rc, "confirm the last commit in", JOURNAL_FILE,
		"it is retried; if the daemon is killed before that succeeds, the next "
		"start carries that commit out once more");
}

static void hear(struct journal *journal)
{
	char events[1024];

	while (journal->watchfd >= 0 && read(journal->watchfd, events, sizeof(events)) > 0)
		journal->stirred = true;
}

int64_t journal_due_at(const struct journal *journal, bool calm)
{
	const bool again = journal->stirred || journal->unknown || journal->doubt;

	if (journal->writing.stage != WRITING_NOTHING)
		return INT64_MAX;
	if (journal->fold.stage != FOLD_NONE || journal->mark_due || journal->restored ||
	    journal->moved || journal->watchfd < 0)
		return 0;
	if ((calm && fold_is_wanted(journal)) || (again && !journal->unfinished))
		return journal->fold.retry_at;
	return INT64_MAX;
}

int journal_watch_fd(const struct journal *journal)
{
	return journal->watchfd;
}

int journal_maintain(struct journal *journal, bool calm, struct error *err)
{
	int rc;

	hear(journal);
	if (journal->writing.stage != WRITING_NOTHING)
		return 0;
	rc = look_for_directory(journal, err);
	if (rc == 0 && !fold_is_ending(journal))
		rc = look_for_files(journal, err);
	if (rc == 0)
		rc = look_for_certainty(journal, err);
	if (rc == 0 && !journal->unknown)
		rc = retry_mark(journal, err);
	if (rc < 0)
		return rc;
	if (journal->fold.stage != FOLD_NONE)
		return fold_go_on(journal, err);
	return calm && fold_due(journal) ? fold_start(journal, err) : 0;
}

int journal_snapshot_pid(const struct journal *journal)
{
	return journal->fold.stage != FOLD_NONE ? journal->fold.pid : 0;
}
