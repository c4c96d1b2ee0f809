#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"
#include "journal/journal_file.h"

#define FOLD_MIN (1024 * 1024) /* bytes of records before a fold is worth it */

static const char *unchanged = "nothing was changed";

static void journal_free(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->lockfd >= 0)
		close(journal->lockfd);
	if (journal->dirfd >= 0)
		close(journal->dirfd);
	free(journal->fold.head);
	free(journal->directory);
	free(journal);
}

static struct journal *journal_new(const char *directory, struct datastore *running,
				   const struct snapshot_codec *codec)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (journal == NULL)
		return NULL;
	journal->dirfd = journal->lockfd = journal->fd = -1;
	journal->running = running;
	journal->fold_min = FOLD_MIN;
	journal->codec = *codec;
	journal->directory = strdup(directory);
	if (journal->directory != NULL)
		return journal;
	free(journal);
	return NULL;
}

int journal_open(struct journal **ret, const char *directory, struct datastore *running,
		 const struct snapshot_codec *codec, char warning[JOURNAL_WARNING_MAX],
		 struct error *err)
{
	struct journal *journal = journal_new(directory, running, codec);
	int result;

	warning[0] = '\0';
	if (journal == NULL)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "cannot open %s", directory);
	result = directory_open(journal, err);
	if (result == 0) {
		fold_sweep(journal);
		result = journal_load(journal, warning, err);
	}
	if (result != 0) {
		journal_free(journal);
		return result;
	}
	*ret = journal;
	return 0;
}

static int refuse_fold(const struct journal *journal, struct error *err, int result)
{
	const char *why = journal->pending != 0
				  ? "the last one is under way, and the next start ends it"
				  : strerror(-result);
	char commits[64];

	if (journal->generation == journal->base)
		return journal_error(journal, err, result, "write", CONFIG_FILE,
				     "it was removed, and the configuration is lost with it");
	journal_print_commits(commits, journal->base + 1, journal->generation);
	return error_set(err, ERROR_STORAGE,
			 "%s/%s lacks %s, which the journal has: edited now, it is overridden "
			 "there by them. It cannot be written: %s",
			 journal->directory, CONFIG_FILE, commits, why);
}

int journal_close(struct journal *journal, struct error *err)
{
	int result = 0;

	if (journal == NULL)
		return 0;
	fold_abort(journal);
	if (journal->pending != 0)
		result = -EBUSY;
	else if (journal->generation > journal->base || config_is_gone(journal))
		result = fold_now(journal, NULL);
	if (result != 0)
		refuse_fold(journal, err, result);
	journal_free(journal);
	return result;
}

/* "" where there is none to be had. */
static void read_boot_id(char *ret, size_t size)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[length > 0 ? length : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

static struct commit_info commit_describe(const struct journal *journal,
					  const struct candidate *changes,
					  const struct commit_info *info)
{
	struct commit_info full = *info;

	full.number = journal->generation + 1;
	read_boot_id(full.boot, sizeof(full.boot));
	clock_gettime(CLOCK_REALTIME, &full.time);
	full.tunnels = full.sessions = 0;
	for (struct change *at = candidate_first(changes); at != NULL; at = change_next(at)) {
		full.tunnels += at->session_id == 0;
		full.sessions += at->session_id != 0;
	}
	return full;
}

/*
 * What is appended must be found again: in the file of that name, of one format,
 * and not behind a config.xml whose last line does not fit it.
 */
static int make_fit(struct journal *journal, struct error *err)
{
	int result = journal_restore(journal, err);

	if (result != 0)
		return result;
	if (journal_place(journal, journal->fd) == -ESTALE)
		return journal_error(journal, err, -ESTALE, "write", JOURNAL_FILE, unchanged);
	if (journal->format->version == JOURNAL_VERSION && !journal->restamp)
		return 0;
	return fold_now(journal, err);
}

static int append_record(struct journal *journal, const struct candidate *changes,
			 const struct commit_info *info)
{
	struct history_entry entry = {.info = *info};
	struct frame_text text;
	int result = frame_text_open(&text);

	if (result != 0)
		return result;
	commit_print(text.file, info, changes);
	result = frame_text_close(&text);
	if (result == 0)
		result = journal_write(journal, &text, true);
	wipe_free(text.data, text.size);
	if (result != 0)
		return result;
	entry.length = text.size;
	entry.offset = journal->length - entry.length;
	history_push(journal, &entry);
	return 0;
}

int journal_append(struct journal *journal, const struct candidate *changes,
		   struct commit_info *info, struct error *err)
{
	struct commit_info full = commit_describe(journal, changes, info);
	int result;

	if (!candidate_dirty(changes))
		return 0;
	if (journal->pending != 0)
		return error_set(err, ERROR_INTERNAL,
				 "commit %" PRIu64 " is neither confirmed "
				 "nor revoked",
				 journal->pending);
	result = make_fit(journal, err);
	if (result != 0)
		return result;
	result = append_record(journal, changes, &full);
	if (result != 0)
		return journal_error(journal, err, result, "write", JOURNAL_FILE, unchanged);
	journal->generation = journal->pending = full.number;
	journal->mark_due = 0; /* the one before is confirmed by this one */
	*info = full;
	return 0;
}

int journal_mark(struct journal *journal)
{
	struct frame_text text;
	int result;

	if (journal->mark_due == 0)
		return 0;
	result = frame_text_open(&text);
	if (result != 0)
		return result;
	commit_print_mark(text.file, RECORD_CONFIRM, journal->mark_due);
	result = frame_text_close(&text);
	if (result == 0)
		result = journal_write(journal, &text, false);
	if (result == 0)
		journal->mark_due = 0;
	free(text.data);
	return result;
}

/* The room is there; if it cannot be written yet, journal_maintain() tries again. */
void journal_confirm(struct journal *journal, uint64_t number)
{
	if (number == 0 || number != journal->pending)
		return;
	journal->pending = 0;
	journal->mark_due = number;
	(void)journal_mark(journal);
}

uint64_t journal_pending(const struct journal *journal)
{
	return journal->pending;
}

bool journal_pending_outlived_boot(const struct journal *journal)
{
	char boot[sizeof(journal->pending_boot)];

	read_boot_id(boot, sizeof(boot));
	return journal->pending != 0 && strcmp(boot, journal->pending_boot) != 0;
}

uint64_t journal_generation(const struct journal *journal)
{
	return journal->generation;
}

int journal_revoke(struct journal *journal, uint64_t number, struct error *err)
{
	int result;

	if (number == 0 || number != journal->pending)
		return error_set(err, ERROR_INTERNAL, "commit %" PRIu64 " is not the pending one",
				 number);
	journal->history_count--;
	journal->generation--;
	journal->pending = 0;
	if (!journal->writable)
		(void)journal_file_open(journal);
	result = journal_cut(journal, journal->history[journal->history_count].offset);
	if (result == 0)
		return 0;
	return journal_error(journal, err, result, "take back a record of", JOURNAL_FILE,
			     "it is tried again before the next change");
}
