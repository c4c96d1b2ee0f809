/*
 * Loads the state directory into the running configuration: config.xml, then the journal's records
 * that it lacks, as one candidate over nothing, validated and published once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal_file.h"
#include "store/publish.h"

struct loading {
	struct journal *journal;
	struct candidate candidate;
	struct config_stamp config;
	bool changed;              /* config.xml was edited since it was written */
	bool based;                /* the journal's base was read: */
	struct commit_record base; /* valid as long as the image */
	bool ended;                /* the last frame was an end mark */
	const char *image;
	size_t size, offset;
	uint64_t last;             /* number of the last commit seen */
	struct commit_record held; /* the last one if not known to be confirmed; else number 0 */
	uint64_t replayed;         /* number of the last commit applied over config.xml; 0: none */
	struct error *err;
};

/* Refusals */

static int refuse_corrupt(const struct loading *loading, const char *what)
{
	const char *directory = loading->journal->directory;

	return error_set(
		loading->err, ERROR_STORAGE,
		"%s/%s is damaged at offset %zu (%s), and commits follow. Keep a copy; then "
		"go on with what is before the damage (truncate -s %zu %s/%s), or with "
		"%s alone (move the journal away)",
		directory, JOURNAL_FILE, loading->offset, what, loading->offset, directory,
		JOURNAL_FILE, CONFIG_FILE);
}

/* The head is synced before the file gets its name, so this is no torn write. */
static int refuse_headless(const struct loading *loading)
{
	const char *directory = loading->journal->directory;

	return error_set(loading->err, ERROR_STORAGE,
			 "%s/%s is damaged at offset %zu, in its head: what was committed after "
			 "%s was written cannot be found. Put a copy of the journal back, or go "
			 "on with %s alone (move the journal away)",
			 directory, JOURNAL_FILE, loading->offset, CONFIG_FILE, CONFIG_FILE);
}

static int refuse_older(const struct loading *loading)
{
	const struct journal *journal = loading->journal;

	return error_set(loading->err, ERROR_STORAGE,
			 "%s/%s ends with commit %" PRIu64 ", and %s holds commit %" PRIu64
			 " already: they do not belong together. Put the right one back, or go on "
			 "with %s alone (move the journal away)",
			 journal->directory, JOURNAL_FILE, journal->generation, CONFIG_FILE,
			 loading->config.number, CONFIG_FILE);
}

static int refuse_unknown(const struct loading *loading, const char *why)
{
	return error_set(loading->err, ERROR_STORAGE,
			 "%s/%s has a format that this version does not know (%s). Run the "
			 "version that wrote it and stop it cleanly, or go on with %s alone (move "
			 "the journal away)",
			 loading->journal->directory, JOURNAL_FILE, why, CONFIG_FILE);
}

static int no_memory(struct error *err)
{
	return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "cannot load the configuration");
}

/* config.xml */

/* Errors of the snapshot's syntax name the place; for others, name the file here. */
static int refuse_invalid(const struct loading *loading, int rc)
{
	struct error *err = loading->err;
	char why[244];

	if (!err)
		return rc;
	snprintf(why, sizeof(why), "%.100s%s%.140s", err->path, err->path[0] ? ": " : "",
		 err->text);
	snprintf(err->text, sizeof(err->text), "%s. It is in %.90s/%s: correct it there", why,
		 loading->journal->directory, CONFIG_FILE);
	return rc;
}

/* config.xml was edited, but the journal has commits that it lacks. */
static int refuse_unfit(const struct loading *loading, uint64_t first, uint64_t last, int rc)
{
	struct error *err = loading->err;
	char why[134], commits[64];

	if (!err)
		return rc;
	snprintf(why, sizeof(why), "%.60s%s%.70s", err->path, err->path[0] ? ": " : "", err->text);
	journal_print_commits(commits, first, last);
	snprintf(err->text, sizeof(err->text),
		 "%s. Edit %s to agree with %s from %.80s/%s, applied over it, or move the journal "
		 "away",
		 why, CONFIG_FILE, commits, loading->journal->directory, JOURNAL_FILE);
	return rc;
}

static int read_snapshot(struct loading *loading, const char *path)
{
	const struct snapshot_codec *codec = &loading->journal->codec;
	struct edit *edit = NULL;
	int rc = codec->read(path, &edit, loading->err, codec->arg);

	if (rc != 0)
		return rc;
	rc = candidate_apply(&loading->candidate, edit, loading->err);
	edit_free(edit);
	return rc != 0 ? refuse_invalid(loading, rc) : 0;
}

static int refuse_special(const struct loading *loading, const char *name, const char *cure)
{
	return error_set(loading->err, ERROR_STORAGE, "%s/%s is not a regular file. %s",
			 loading->journal->directory, name, cure);
}

static int load_snapshot(struct loading *loading)
{
	struct journal *journal = loading->journal;
	char *path = NULL;
	int rc = config_look(journal, &loading->config);

	if (rc == -EISDIR)
		return refuse_special(loading, CONFIG_FILE, "Put the configuration back");
	if (rc < 0)
		return journal_error(journal, loading->err, rc, "read", CONFIG_FILE,
				     "nothing was loaded");
	if (!loading->config.there)
		return 0;
	if (asprintf(&path, "%s/%s", journal->directory, CONFIG_FILE) < 0)
		return no_memory(loading->err);
	journal->config = true;
	journal->config_size = loading->config.size;
	rc = read_snapshot(loading, path);
	free(path);
	return rc;
}

/* The journal's records */

/* Replay the commit held back: it is now known to be confirmed. */
static int replay_held(struct loading *loading)
{
	struct error why = ERROR_INIT;
	struct change_read read = {0};
	int rc;

	if (loading->held.info.number == 0)
		return 0;
	loading->replayed = loading->held.info.number;
	loading->held.info.number = 0;
	while ((rc = loading->journal->format->read_change(&loading->held, &read, &why)) > 0) {
		rc = change_read_put(&read, false, &loading->candidate);
		if (rc < 0)
			break;
	}
	change_read_end(&read);
	if (rc == -ENOMEM)
		return no_memory(loading->err);
	return rc < 0 ? refuse_unknown(loading, why.text) : 0;
}

static bool in_sequence(const struct loading *loading, uint64_t number)
{
	uint64_t base = loading->journal->base;

	if (number <= base)
		return number > loading->last;
	return number - 1 == (loading->last > base ? loading->last : base);
}

/* The history must end just before commit @number; drop a history with a gap. */
static void check_history(struct loading *loading, uint64_t number)
{
	struct journal *journal = loading->journal;
	char commits[64];

	if (history_reaches(journal, number - 1))
		return;
	journal_print_commits(commits, loading->last + 1, number - 1);
	journal_warn(loading->journal,
		     "the history of %s is lost, and so is that of earlier commits", commits);
	history_forget(journal);
}

static int take_commit(struct loading *loading, const struct commit_record *record, size_t length)
{
	struct journal *journal = loading->journal;
	int rc = replay_held(loading);

	if (rc != 0)
		return rc;
	if (!in_sequence(loading, record->info.number))
		return refuse_corrupt(loading, "a commit is missing");
	check_history(loading, record->info.number);
	if (history_reserve(journal) < 0)
		return no_memory(loading->err);
	loading->last = record->info.number;
	history_push(journal, &record->info, loading->offset, length);
	if (record->info.number <= journal->base)
		return 0;
	if (record->info.number == journal->base + 1)
		journal->tail = loading->offset;
	loading->held = *record;
	return 0;
}

static int take_base(struct loading *loading, const struct commit_record *record)
{
	if (loading->based)
		return refuse_corrupt(loading, "a base in the middle");
	loading->based = true;
	loading->base = *record;
	loading->journal->base = record->info.number;
	return 0;
}

static uint64_t last_commit(const struct loading *loading)
{
	uint64_t base = loading->journal->base;

	return loading->last > base ? loading->last : base;
}

/* What follows can be dropped, unless there are commits in it. */
static int take_end(struct loading *loading, const struct commit_record *record)
{
	if (record->info.number != last_commit(loading))
		return refuse_corrupt(loading, "a commit is missing");
	loading->ended = true;
	loading->journal->doubt = record->kind == RECORD_DOUBT;
	return 0;
}

static int take_frame(struct loading *loading, const struct frame *frame)
{
	size_t length = FRAME_HEADER_LENGTH + frame->length;
	struct commit_record record;
	int rc;

	if (loading->journal->format->read(frame->payload, frame->length, &record) != 0)
		return refuse_unknown(loading, "an unknown record");
	if (!loading->based && record.kind != RECORD_BASE)
		return refuse_headless(loading);
	loading->ended = false;
	if (record.kind == RECORD_BASE)
		rc = take_base(loading, &record);
	else if (record.kind == RECORD_COMMIT)
		rc = take_commit(loading, &record, length);
	else if (record.kind == RECORD_END || record.kind == RECORD_DOUBT)
		rc = take_end(loading, &record);
	else
		rc = record.info.number == loading->held.info.number ? replay_held(loading) : 0;
	loading->offset += length;
	if (!loading->ended)
		loading->journal->length = loading->offset;
	return rc;
}

/* Find the next sound frame at or after @*gap; false: none. */
static bool next_frame(const struct loading *loading, size_t *gap, struct commit_record *ret)
{
	const char *at = loading->image + loading->offset;
	size_t left = loading->size - loading->offset;
	struct frame frame;

	*gap += frame_search(at + *gap, left - *gap);
	if (*gap == left)
		return false;
	if (!frame_read(at + *gap, left - *gap, &frame) ||
	    loading->journal->format->read(frame.payload, frame.length, ret) != 0)
		ret->kind = RECORD_BASE; /* a kind that means nothing here */
	return true;
}

/*
 * Damage without the loss of a commit: the next sound frame is the expected one. A power cut causes
 * it when the page of a commit was written, but not the page before with a confirmation, for which
 * nobody waits.
 */
static bool nothing_lost(const struct loading *loading, const struct commit_record *next)
{
	if (next->kind == RECORD_CONFIRM)
		return loading->last != 0 && next->info.number == loading->last;
	return next->kind == RECORD_COMMIT && in_sequence(loading, next->info.number);
}

/*
 * Bytes behind the valid part: a record that was being written when the power failed, or a revoked
 * one.
 */
static int drop_tail(struct loading *loading)
{
	journal_warn(loading->journal,
		     "%s/%s ended in an incomplete record of %zu bytes at offset %zu; it was "
		     "dropped, and commit %" PRIu64 " is the last one",
		     loading->journal->directory, JOURNAL_FILE, loading->size - loading->offset,
		     loading->offset, last_commit(loading));
	loading->journal->cut = true;
	loading->ended = true;
	loading->size = loading->offset;
	return 0;
}

/*
 * If end marks follow the damage, it hit only the last record: a record is begun only when the one
 * before is safe.
 */
static int take_damage(struct loading *loading)
{
	struct commit_record next;
	size_t gap = 0;
	bool more;

	if (!loading->based)
		return refuse_headless(loading);
	while ((more = next_frame(loading, &gap, &next)) &&
	       (next.kind == RECORD_END || next.kind == RECORD_DOUBT) &&
	       next.info.number <= last_commit(loading) + 1)
		gap++;
	if (!more)
		return drop_tail(loading);
	if (!nothing_lost(loading, &next))
		return refuse_corrupt(loading, "the checksum is wrong");
	journal_warn(loading->journal,
		     "%s/%s was damaged at offset %zu for %zu bytes; nothing of the configuration "
		     "was lost",
		     loading->journal->directory, JOURNAL_FILE, loading->offset, gap);
	loading->offset += gap;
	return 0;
}

/* A journal cut between two records looks complete, except for the end mark. */
static void check_end(struct loading *loading)
{
	struct journal *journal = loading->journal;

	if (loading->ended || !journal->format->ends)
		return;
	journal_warn(journal,
		     "%s/%s has no end mark, it was cut at offset %zu: commits after %" PRIu64
		     ", if there were any, are lost",
		     journal->directory, JOURNAL_FILE, loading->size, last_commit(loading));
	journal->cut = true;
}

/* Somebody put an old file back, or copied both while the daemon rewrote them. */
static void warn_of_older_config(struct loading *loading)
{
	const struct journal *journal = loading->journal;
	char commits[64];

	journal_print_commits(commits, loading->config.number + 1, journal->base);
	journal_warn(loading->journal,
		     "%s/%s lacks %s, on which %s builds: unless an older one was put there on "
		     "purpose, stop the daemon and put the right one back",
		     journal->directory, CONFIG_FILE, commits, JOURNAL_FILE);
}

/* Is the number in config.xml the one that the journal builds on? */
static int check_stamp(struct loading *loading)
{
	struct journal *journal = loading->journal;

	if (loading->config.number == 0)
		return 0;
	if (loading->config.number < journal->base || loading->config.number > journal->generation)
		journal->restamp = true;
	if (loading->config.number > journal->generation && journal->generation > journal->base)
		return refuse_older(loading);
	if (loading->config.number < journal->base)
		warn_of_older_config(loading);
	return 0;
}

static void look_for_changes(struct loading *loading)
{
	struct journal *journal = loading->journal;

	loading->changed = config_was_changed(&loading->config, &loading->base);
	if (loading->changed)
		config_tell_changes(journal, &loading->config, &loading->base);
	else if (config_stamp_is_damaged(&loading->config, &loading->base))
		journal_warn(journal,
			     "the last line of %s/%s was changed; all lines above it are as "
			     "written with commit %" PRIu64,
			     journal->directory, CONFIG_FILE, loading->base.info.number);
}

static int read_frames(struct loading *loading)
{
	struct journal *journal = loading->journal;
	struct frame frame;
	int rc = 0;

	while (loading->offset < loading->size && rc == 0) {
		if (frame_read(loading->image + loading->offset, loading->size - loading->offset,
			       &frame))
			rc = take_frame(loading, &frame);
		else
			rc = take_damage(loading);
	}
	journal->generation = last_commit(loading);
	if (rc == 0 && !loading->based)
		rc = refuse_headless(loading);
	/* config.xml has it, so it was confirmed, even if the mark is not on the disk */
	if (rc == 0 && loading->held.info.number == loading->config.number)
		rc = replay_held(loading);
	if (rc == 0)
		check_end(loading);
	if (rc == 0)
		rc = check_stamp(loading);
	if (rc == 0)
		check_history(loading, journal->generation + 1);
	if (rc == 0)
		look_for_changes(loading);
	journal->unfinished = loading->held.info.number;
	memcpy(journal->unfinished_boot, loading->held.info.boot, sizeof(journal->unfinished_boot));
	if (journal->generation == journal->base)
		journal->tail = journal->length;
	return rc;
}

static int read_image(struct loading *loading)
{
	struct journal *journal = loading->journal;
	int version = journal_header_read(loading->image, loading->size, &loading->offset);

	if (version == 0)
		return refuse_headless(loading);
	if (version < 0)
		return refuse_unknown(loading, "not a journal");
	if (!commit_format(version))
		return refuse_unknown(loading, version > JOURNAL_VERSION ? "a later version"
									 : "too old a version");
	journal->format = commit_format(version);
	return read_frames(loading);
}

/* A new journal begins; config.xml tells the number of the next commit. */
static int do_without_journal(struct loading *loading)
{
	struct journal *journal = loading->journal;

	look_for_changes(loading);
	if (loading->config.number == 0)
		return 0;
	journal->base = journal->generation = loading->config.number;
	journal_warn(loading->journal,
		     "%s/%s is missing, and with it the history and any commit made after %" PRIu64
		     ", the last one in %s",
		     journal->directory, JOURNAL_FILE, loading->config.number, CONFIG_FILE);
	return 0;
}

static int map_journal(struct loading *loading, size_t size)
{
	void *image = MAP_FAILED;
	int rc = journal_file_open(loading->journal);

	if (rc == 0 && size == 0)
		return refuse_headless(loading);
	if (rc == 0)
		image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, loading->journal->fd, 0);
	if (rc == 0 && image == MAP_FAILED)
		rc = -errno;
	if (rc != 0)
		return journal_error(loading->journal, loading->err, rc, "read", JOURNAL_FILE,
				     "nothing was loaded");
	loading->image = image;
	loading->size = size;
	rc = read_image(loading);
	munmap(image, size);
	return rc;
}

static int load_journal(struct loading *loading)
{
	struct journal *journal = loading->journal;
	struct stat st;

	if (fstatat(journal->dirfd, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return do_without_journal(loading);
		return journal_error(journal, loading->err, -errno, "look at", JOURNAL_FILE,
				     "nothing was loaded");
	}
	return S_ISREG(st.st_mode)
		       ? map_journal(loading, (size_t)st.st_size)
		       : refuse_special(loading, JOURNAL_FILE,
					"Put the journal back, or go on with " CONFIG_FILE
					" alone (move it away)");
}

/* Loading all */

static int refuse_lost_snapshot(const struct loading *loading)
{
	const struct journal *journal = loading->journal;

	return error_set(loading->err, ERROR_STORAGE,
			 "%s/%s is missing, and the journal builds on its commit %" PRIu64
			 ". Put it back, or start with an empty configuration (move the journal "
			 "away)",
			 journal->directory, CONFIG_FILE, journal->base);
}

static bool config_alone_is_valid(const struct loading *loading)
{
	struct error ignored = ERROR_INIT;
	struct loading alone = {.journal = loading->journal, .err = &ignored};
	bool valid;

	candidate_open(&alone.candidate, loading->journal->running);
	valid = load_snapshot(&alone) == 0 && candidate_validate(&alone.candidate, NULL) == 0;
	candidate_discard(&alone.candidate);
	return valid;
}

static int publish(struct loading *loading)
{
	struct journal *journal = loading->journal;
	int rc = candidate_validate(&loading->candidate, loading->err);

	if (rc != 0 && loading->replayed != 0 && config_alone_is_valid(loading))
		return refuse_unfit(loading, journal->base + 1, loading->replayed, rc);
	if (rc != 0)
		return refuse_invalid(loading, rc);
	if (candidate_publish(&loading->candidate, journal->running) != 0)
		return no_memory(loading->err);
	return 0;
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/*
 * An edit of config.xml after a kill, or after a stop that could not write it. If its checksum is
 * unknown, compare the time of its inode, for a file put in its place may be older than the
 * journal; but not if the daemon died between the new config.xml and the new journal.
 */
static void warn_of_edit(struct loading *loading)
{
	struct journal *journal = loading->journal;
	bool changed = loading->changed;
	struct stat config, records;
	char commits[64];

	if (loading->replayed == 0)
		return;
	if (!loading->base.has_config && !loading->config.has_checksum &&
	    loading->config.number <= journal->base &&
	    fstatat(journal->dirfd, CONFIG_FILE, &config, 0) == 0 &&
	    fstat(journal->fd, &records) == 0)
		changed = is_newer(&config.st_ctim, &records.st_ctim);
	if (!changed)
		return;
	journal_print_commits(commits, journal->base + 1, loading->replayed);
	journal_warn(journal,
		     "%s/%s was changed, but it lacked %s, which the journal had already; they "
		     "were applied over it",
		     journal->directory, CONFIG_FILE, commits);
}

/* A commit that may have been acknowledged counts as confirmed: the engine cannot revoke it. */
static int check_unfinished(const struct loading *loading)
{
	struct journal *journal = loading->journal;
	struct candidate again;
	int rc;

	if (!journal_unfinished_outlived_boot(journal))
		return 0;
	rc = journal_resume(journal, journal->running, &again, loading->err);
	if (rc != 0)
		return rc;
	rc = candidate_validate(&again, loading->err);
	candidate_discard(&again);
	return rc == 0 ? 0 : refuse_unfit(loading, journal->unfinished, journal->unfinished, rc);
}

int journal_load(struct journal *journal, struct error *err)
{
	struct loading loading = {.journal = journal, .err = err};
	int rc;

	journal->format = commit_format(JOURNAL_VERSION);
	candidate_open(&loading.candidate, journal->running);
	rc = load_snapshot(&loading);
	if (rc == 0)
		rc = load_journal(&loading);
	if (rc == 0 && journal->base > 0 && !journal->config)
		rc = refuse_lost_snapshot(&loading);
	if (rc == 0)
		rc = publish(&loading);
	if (rc == 0)
		rc = check_unfinished(&loading);
	if (rc == 0)
		warn_of_edit(&loading);
	candidate_discard(&loading.candidate);
	malloc_trim(0); /* edit and candidate took more memory than what stays */
	return rc;
}
