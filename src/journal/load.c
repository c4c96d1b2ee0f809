/*
 * The state directory into the running configuration: config.xml, then the
 * journal's records that it lacks, as one candidate over nothing, validated and
 * published once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
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
	uint64_t stamp; /* config.xml holds the commits up to this one; 0: it does not say */
	bool based;     /* the journal's base mark is read */
	const char *image;
	size_t size, offset;
	uint64_t last;             /* number of the last commit seen */
	struct commit_record held; /* the last one, if not known to be confirmed: number, else 0 */
	uint64_t replayed;         /* number of the last commit applied over config.xml; 0 none */
	char *warning;
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

/* Its head is written and synced before the file gets its name: this is no torn write. */
static int refuse_headless(const struct loading *loading)
{
	const char *directory = loading->journal->directory;

	return error_set(loading->err, ERROR_STORAGE,
			 "%s/%s is damaged at offset %zu, in its head: what was committed after "
			 "%s was written is not to be found. Put a copy of the journal back, or go "
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
			 loading->stamp, CONFIG_FILE);
}

static int refuse_unknown(const struct loading *loading, const char *why)
{
	return error_set(loading->err, ERROR_STORAGE,
			 "%s/%s is of a format that this version does not know (%s). Run the "
			 "version that wrote it and stop it cleanly, or go on with %s alone (move "
			 "the journal away)",
			 loading->journal->directory, JOURNAL_FILE, why, CONFIG_FILE);
}

static int no_memory(struct error *err)
{
	return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "cannot load the configuration");
}

/* Warnings */

__attribute__((format(printf, 2, 3))) static void warn(struct loading *loading, const char *format,
						       ...)
{
	size_t length = strlen(loading->warning);
	va_list arguments;

	if (length > 0)
		length += (size_t)snprintf(loading->warning + length, JOURNAL_WARNING_MAX - length,
					   "; ");
	if (length >= JOURNAL_WARNING_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(loading->warning + length, JOURNAL_WARNING_MAX - length, format, arguments);
	va_end(arguments);
}

/* config.xml */

/* The snapshot's own errors tell the place; those of what it means do not yet. */
static int refuse_invalid(const struct loading *loading, int result)
{
	struct error *err = loading->err;
	char why[244];

	if (err == NULL)
		return result;
	snprintf(why, sizeof(why), "%.100s%s%.140s", err->path, err->path[0] ? ": " : "",
		 err->text);
	snprintf(err->text, sizeof(err->text), "%s. It is in %.90s/%s: correct it there", why,
		 loading->journal->directory, CONFIG_FILE);
	return result;
}

/* config.xml was edited, and the journal has commits that it does not hold. */
static int refuse_unfit(const struct loading *loading, uint64_t first, uint64_t last, int result)
{
	struct error *err = loading->err;
	char why[134], commits[64];

	if (err == NULL)
		return result;
	snprintf(why, sizeof(why), "%.60s%s%.70s", err->path, err->path[0] ? ": " : "", err->text);
	journal_print_commits(commits, first, last);
	snprintf(err->text, sizeof(err->text),
		 "%s. Edit %s to agree with %s from %.80s/%s, applied over it, or move the journal "
		 "away to go on without",
		 why, CONFIG_FILE, commits, loading->journal->directory, JOURNAL_FILE);
	return result;
}

static int read_snapshot(struct loading *loading, const char *path)
{
	const struct snapshot_codec *codec = &loading->journal->codec;
	struct edit *edit = NULL;
	int result = codec->read(path, &edit, loading->err, codec->arg);

	if (result != 0)
		return result;
	result = candidate_apply(&loading->candidate, edit, loading->err);
	edit_free(edit);
	return result != 0 ? refuse_invalid(loading, result) : 0;
}

/* What a fold has written at the end; whoever writes the file by hand need not. */
static uint64_t read_stamp(const struct loading *loading, uint64_t size)
{
	char end[128] = "", *stamp;
	size_t length = size < sizeof(end) ? (size_t)size : sizeof(end) - 1;
	int fd = openat(loading->journal->dirfd, CONFIG_FILE, O_RDONLY | O_CLOEXEC);
	uint64_t number = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, end, length, (off_t)(size - length)) != (ssize_t)length)
		end[0] = '\0';
	close(fd);
	stamp = strstr(end, "<!-- commit ");
	if (stamp == NULL || sscanf(stamp, CONFIG_STAMP, &number) != 1)
		return 0;
	return number;
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
	struct stat st;
	int result;

	if (fstatat(journal->dirfd, CONFIG_FILE, &st, 0) < 0) {
		if (errno == ENOENT)
			return 0;
		return journal_error(journal, loading->err, -errno, "look at", CONFIG_FILE,
				     "nothing was loaded");
	}
	if (!S_ISREG(st.st_mode))
		return refuse_special(loading, CONFIG_FILE, "Put the configuration back");
	if (asprintf(&path, "%s/%s", journal->directory, CONFIG_FILE) < 0)
		return no_memory(loading->err);
	journal->config = true;
	journal->config_size = (uint64_t)st.st_size;
	loading->stamp = read_stamp(loading, journal->config_size);
	result = read_snapshot(loading, path);
	free(path);
	return result;
}

/* The journal's records */

static int put_change(const struct change *change, void *arg)
{
	struct loading *loading = arg;

	return candidate_put(&loading->candidate, change->tunnel_id, change->session_id,
			     change->after);
}

/* Replay the commit held back, now that it is known to be confirmed. */
static int replay_held(struct loading *loading)
{
	struct error why = ERROR_INIT;
	int result;

	if (loading->held.info.number == 0)
		return 0;
	loading->replayed = loading->held.info.number;
	loading->held.info.number = 0;
	result = loading->journal->format->read_changes(&loading->held, put_change, loading, &why);
	if (result == -ENOMEM)
		return no_memory(loading->err);
	return result != 0 ? refuse_unknown(loading, why.text) : 0;
}

static bool in_sequence(const struct loading *loading, uint64_t number)
{
	uint64_t base = loading->journal->base;

	if (number <= base)
		return number > loading->last;
	return number - 1 == (loading->last > base ? loading->last : base);
}

/* The history kept is to end before commit @number: else it has a gap and is of no use. */
static void check_history(struct loading *loading, uint64_t number)
{
	struct journal *journal = loading->journal;
	char commits[64];

	if (history_reaches(journal, number - 1))
		return;
	journal_print_commits(commits, loading->last + 1, number - 1);
	warn(loading, "the history of %s is lost, and that of those before is of no use", commits);
	journal->history_count = 0;
}

static int take_commit(struct loading *loading, const struct commit_record *record, size_t length)
{
	struct journal *journal = loading->journal;
	struct history_entry entry = {record->info, loading->offset, length, 0};
	int result = replay_held(loading);

	if (result != 0)
		return result;
	if (!in_sequence(loading, record->info.number))
		return refuse_corrupt(loading, "a commit is missing");
	check_history(loading, record->info.number);
	loading->last = record->info.number;
	history_push(journal, &entry);
	if (record->info.number <= journal->base)
		return 0;
	if (record->info.number == journal->base + 1)
		journal->tail = loading->offset;
	loading->held = *record;
	return 0;
}

static int take_base(struct loading *loading, uint64_t number)
{
	if (loading->based)
		return refuse_corrupt(loading, "a base in the middle");
	loading->based = true;
	loading->journal->base = number;
	return 0;
}

static int take_frame(struct loading *loading, const struct frame *frame)
{
	struct commit_record record;

	if (loading->journal->format->read(frame->payload, frame->length, &record) != 0)
		return refuse_unknown(loading, "an unknown record");
	if (!loading->based && record.kind != RECORD_BASE)
		return refuse_headless(loading);
	switch (record.kind) {
	case RECORD_BASE:
		return take_base(loading, record.info.number);
	case RECORD_COMMIT:
		return take_commit(loading, &record, FRAME_HEADER_LENGTH + frame->length);
	default:
		return record.info.number == loading->held.info.number ? replay_held(loading) : 0;
	}
}

/*
 * Damage that took no commit with it: the next sound frame is the one due. It
 * takes a power cut that wrote the page of a commit and not the page before, with
 * the confirmation, which nobody waits for.
 */
static bool nothing_lost(const struct loading *loading, size_t gap)
{
	const char *at = loading->image + loading->offset + gap;
	struct commit_record record;
	struct frame frame;

	if (!frame_read(at, loading->size - loading->offset - gap, &frame) ||
	    loading->journal->format->read(frame.payload, frame.length, &record) != 0)
		return false;
	if (record.kind == RECORD_CONFIRM)
		return loading->last != 0 && record.info.number == loading->last;
	return record.kind == RECORD_COMMIT && in_sequence(loading, record.info.number);
}

static uint64_t last_commit(const struct loading *loading)
{
	uint64_t base = loading->journal->base;

	return loading->last > base ? loading->last : base;
}

static int take_damage(struct loading *loading)
{
	size_t left = loading->size - loading->offset;
	size_t gap = frame_search(loading->image + loading->offset, left);

	if (!loading->based)
		return refuse_headless(loading);
	if (gap < left && !nothing_lost(loading, gap))
		return refuse_corrupt(loading, "the checksum is wrong");
	if (gap == left) {
		loading->journal->cut = true;
		loading->size = loading->offset;
		warn(loading,
		     "%s/%s ended in an incomplete record of %zu bytes at offset %zu; dropped, "
		     "and commit %" PRIu64 " is the last one",
		     loading->journal->directory, JOURNAL_FILE, gap, loading->offset,
		     last_commit(loading));
		return 0;
	}
	warn(loading,
	     "%s/%s was damaged at offset %zu for %zu bytes; nothing of the configuration was lost",
	     loading->journal->directory, JOURNAL_FILE, loading->offset, gap);
	loading->offset += gap;
	return 0;
}

/* One put back; or both were copied while the daemon ran, and it wrote them anew between. */
static void warn_of_older_config(struct loading *loading)
{
	const struct journal *journal = loading->journal;
	char commits[64];

	journal_print_commits(commits, loading->stamp + 1, journal->base);
	warn(loading,
	     "%s/%s lacks %s, which %s goes on from: if an older one was not put there on purpose, "
	     "stop the daemon and put the right one back",
	     journal->directory, CONFIG_FILE, commits, JOURNAL_FILE);
}

/* Is the number in config.xml the one that the journal goes on from? */
static int check_stamp(struct loading *loading)
{
	struct journal *journal = loading->journal;

	if (loading->stamp == 0)
		return 0;
	journal->restamp = loading->stamp < journal->base || loading->stamp > journal->generation;
	if (loading->stamp > journal->generation && journal->generation > journal->base)
		return refuse_older(loading);
	if (loading->stamp < journal->base)
		warn_of_older_config(loading);
	return 0;
}

static int read_frames(struct loading *loading)
{
	struct journal *journal = loading->journal;
	struct frame frame;
	int result = 0;

	while (loading->offset < loading->size && result == 0) {
		if (!frame_read(loading->image + loading->offset, loading->size - loading->offset,
				&frame)) {
			result = take_damage(loading);
			continue;
		}
		result = take_frame(loading, &frame);
		loading->offset += FRAME_HEADER_LENGTH + frame.length;
	}
	journal->length = loading->offset;
	journal->generation = last_commit(loading);
	if (result == 0 && !loading->based)
		result = refuse_headless(loading);
	if (result == 0)
		result = check_stamp(loading);
	if (result == 0)
		check_history(loading, journal->generation + 1);
	journal->pending = loading->held.info.number;
	memcpy(journal->pending_boot, loading->held.info.boot, sizeof(journal->pending_boot));
	if (journal->generation == journal->base)
		journal->tail = journal->length;
	return result;
}

static int read_image(struct loading *loading)
{
	struct journal *journal = loading->journal;
	int version = journal_header_read(loading->image, loading->size, &loading->offset);

	if (version == 0)
		return refuse_headless(loading);
	if (version < 0)
		return refuse_unknown(loading, "not a journal");
	if (commit_format(version) == NULL)
		return refuse_unknown(loading, version > JOURNAL_VERSION ? "a later version"
									 : "too old a version");
	journal->format = commit_format(version);
	return read_frames(loading);
}

/* It begins anew; config.xml says by itself what number the next commit has. */
static int do_without_journal(struct loading *loading)
{
	struct journal *journal = loading->journal;

	if (loading->stamp == 0)
		return 0;
	journal->base = journal->generation = loading->stamp;
	warn(loading,
	     "%s/%s is missing, and with it the history and any commit made after %" PRIu64
	     ", the last one in %s",
	     journal->directory, JOURNAL_FILE, loading->stamp, CONFIG_FILE);
	return 0;
}

static int map_journal(struct loading *loading, size_t size)
{
	void *image = MAP_FAILED;
	int result = journal_file_open(loading->journal);

	if (result == 0 && size == 0)
		return refuse_headless(loading);
	if (result == 0)
		image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, loading->journal->fd, 0);
	if (result == 0 && image == MAP_FAILED)
		result = -errno;
	if (result != 0)
		return journal_error(loading->journal, loading->err, result, "read", JOURNAL_FILE,
				     "nothing was loaded");
	loading->image = image;
	loading->size = size;
	result = read_image(loading);
	munmap(image, size);
	return result;
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

/* All of it */

static int refuse_lost_snapshot(const struct loading *loading)
{
	const struct journal *journal = loading->journal;

	return error_set(loading->err, ERROR_STORAGE,
			 "%s/%s is missing, and the journal goes on from its commit %" PRIu64
			 ". Put it back, or begin with an empty configuration (move the journal "
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
	int result = candidate_validate(&loading->candidate, loading->err);

	if (result != 0 && loading->replayed != 0 && config_alone_is_valid(loading))
		return refuse_unfit(loading, journal->base + 1, loading->replayed, result);
	if (result != 0)
		return refuse_invalid(loading, result);
	if (candidate_publish(&loading->candidate, journal->running) != 0)
		return no_memory(loading->err);
	return 0;
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/*
 * An edit of config.xml after a kill, or a stop that could not write it: by the
 * time of its inode, for one put in its place may be older than the journal. Not so
 * when the daemon died between the new config.xml and the new journal.
 */
static void warn_of_edit(struct loading *loading)
{
	const struct journal *journal = loading->journal;
	struct stat config, records;
	char commits[64];

	if (loading->replayed == 0 || loading->stamp > journal->base ||
	    fstatat(journal->dirfd, CONFIG_FILE, &config, 0) < 0 ||
	    fstat(journal->fd, &records) < 0 || !is_newer(&config.st_ctim, &records.st_ctim))
		return;
	journal_print_commits(commits, journal->base + 1, loading->replayed);
	warn(loading,
	     "%s/%s was changed when the journal had %s already, made before that; they were "
	     "applied over it",
	     journal->directory, CONFIG_FILE, commits);
}

/* One that may have been acknowledged is as good as confirmed: the engine cannot revoke it. */
static int check_pending(const struct loading *loading)
{
	struct journal *journal = loading->journal;
	struct candidate again;
	int result;

	if (!journal_pending_outlived_boot(journal))
		return 0;
	result = journal_resume(journal, journal->running, &again, loading->err);
	if (result != 0)
		return result;
	result = candidate_validate(&again, loading->err);
	candidate_discard(&again);
	return result == 0 ? 0 : refuse_unfit(loading, journal->pending, journal->pending, result);
}

int journal_load(struct journal *journal, char warning[JOURNAL_WARNING_MAX], struct error *err)
{
	struct loading loading = {.journal = journal, .warning = warning, .err = err};
	int result;

	journal->format = commit_format(JOURNAL_VERSION);
	candidate_open(&loading.candidate, journal->running);
	result = load_snapshot(&loading);
	if (result == 0)
		result = load_journal(&loading);
	if (result == 0 && journal->base > 0 && !journal->config)
		result = refuse_lost_snapshot(&loading);
	if (result == 0)
		result = publish(&loading);
	if (result == 0)
		result = check_pending(&loading);
	if (result == 0)
		warn_of_edit(&loading);
	candidate_discard(&loading.candidate);
	malloc_trim(0); /* the edit and the candidate were larger than what stays */
	return result;
}
