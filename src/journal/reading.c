/*
 * Reads commits back, in pieces: the bytes of one into memory, its checksum, its changes, then the
 * next commit. It reads the file that was current when it began, for a fold may replace it
 * meanwhile. When changes are passed on one by one, all are read before the first is passed on, so
 * that an error comes before any.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wipe.h"
#include "journal/journal_file.h"

#define PIECE_ENTRIES 64
#define PIECE_BYTES   65536
#define FREED_BYTES   1048576

struct journal_reading {
	enum journal_read what;
	struct candidate candidate;
	const struct commit_format *format;
	char *directory;
	int fd;
	struct place_of_commit {
		uint64_t number, offset, length;
	} * commits; /* in reading order */
	size_t count, at;
	char *data; /* `got` bytes of the one at `at`; NULL: not begun */
	size_t got;
	uint32_t crc;
	/* its changes; NULL: its checksum is not verified yet */
	struct commit_record record;
	const char *first;       /* of those changes */
	bool taken;              /* all of them were taken, and their memory freed */
	bool sound;              /* all of them were read once */
	struct change_read read; /* the last one */
};

/* ---- begin */

static int refuse_unkept(const struct journal *journal, uint64_t number, struct error *err)
{
	if (journal->history_count == 0)
		return error_set(err, ERROR_MISSING, "there is no commit in the history yet");
	return error_set(err, ERROR_MISSING,
			 "commit %" PRIu64 " is not in the history, which holds %" PRIu64
			 " to %" PRIu64,
			 number, journal->history[0].number,
			 journal->history[journal->history_count - 1].number);
}

/* Undoing a commit means going back to the one before it. */
static int refuse_rollback(const struct journal *journal, uint64_t number, uint64_t oldest,
			   struct error *err)
{
	char why[64] = "";

	if (journal->generation == 0)
		return refuse_unkept(journal, number, err);
	if (number < oldest)
		snprintf(why, sizeof(why), "; the record of commit %" PRIu64 " is not kept",
			 oldest);
	return error_set(err, ERROR_MISSING,
			 "cannot return to commit %" PRIu64 ", only to those from %" PRIu64
			 " to %" PRIu64 "%s",
			 number, oldest, journal->generation, why);
}

static void choose(struct journal_reading *reading, const struct history_entry *entry)
{
	reading->commits[reading->count].number = entry->number;
	reading->commits[reading->count].offset = entry->offset;
	reading->commits[reading->count++].length = entry->length;
}

static int choose_one(struct journal_reading *reading, const struct journal *journal,
		      uint64_t number, struct error *err)
{
	const struct history_entry *entry = history_find(journal, number);

	if (!entry)
		return refuse_unkept(journal, number, err);
	choose(reading, entry);
	return 0;
}

/* Choose the commits after @number, the newest first. */
static int choose_way_back(struct journal_reading *reading, const struct journal *journal,
			   uint64_t number, struct error *err)
{
	uint64_t oldest = journal->generation - journal->history_count;

	if (number > journal->generation || number < oldest)
		return refuse_rollback(journal, number, oldest, err);
	for (size_t i = journal->history_count; i > 0; i--)
		if (journal->history[i - 1].number > number)
			choose(reading, &journal->history[i - 1]);
	return 0;
}

int journal_read_begin(struct journal_reading **ret, struct journal *journal,
		       enum journal_read what, uint64_t number, const struct datastore *running,
		       struct error *err)
{
	struct journal_reading *reading = calloc(1, sizeof(*reading));
	int rc;

	if (!reading)
		return error_set(err, ERROR_RESOURCE, "no memory to read commit %" PRIu64, number);
	candidate_open(&reading->candidate, running);
	reading->commits = calloc(journal->history_count + 1, sizeof(*reading->commits));
	if (!reading->commits) {
		free(reading);
		return error_set(err, ERROR_RESOURCE, "no memory to read commit %" PRIu64, number);
	}
	reading->what = what;
	reading->format = journal->format;
	reading->fd = -1;
	rc = what == JOURNAL_ROLLBACK ? choose_way_back(reading, journal, number, err)
				      : choose_one(reading, journal, number, err);
	if (rc == 0 && reading->count > 0) {
		reading->fd = fcntl(journal->fd, F_DUPFD_CLOEXEC, 0);
		reading->directory = strdup(journal->directory);
		if (reading->fd < 0 || !reading->directory)
			rc = error_set_errno(err, ERROR_RESOURCE, errno, "cannot read %s/%s",
					     journal->directory, JOURNAL_FILE);
	}
	if (rc < 0) {
		journal_read_end(reading, NULL);
		return rc;
	}
	*ret = reading;
	return JOURNAL_MORE;
}

void journal_read_end(struct journal_reading *reading, struct candidate *ret)
{
	if (!reading)
		return;
	if (ret)
		candidate_move(ret, &reading->candidate);
	else
		candidate_discard(&reading->candidate);
	if (reading->fd >= 0)
		close(reading->fd);
	wipe_free(reading->data, reading->got);
	change_read_end(&reading->read);
	free(reading->directory);
	free(reading->commits);
	wipe_free(reading, sizeof(*reading));
}

size_t journal_read_memory(const struct journal_reading *reading)
{
	return sizeof(*reading) + (reading->count ? (size_t)reading->commits[0].length : 0);
}

/* ---- steps */

/* JOURNAL_MORE until the commit's frame is in memory. */
static int read_piece(struct journal_reading *reading)
{
	uint64_t length = reading->commits[reading->at].length;
	size_t part =
		length - reading->got < PIECE_BYTES ? (size_t)(length - reading->got) : PIECE_BYTES;
	size_t skip = reading->got == 0 ? FRAME_HEADER_LENGTH : 0;
	ssize_t got;

	if (!reading->data)
		reading->data = malloc(length);
	if (!reading->data)
		return -ENOMEM;
	got = pread(reading->fd, reading->data + reading->got, part,
		    (off_t)(reading->commits[reading->at].offset + reading->got));
	if (got < 0 || (size_t)got != part || part < skip)
		return got < 0 ? -errno : -EIO;
	reading->crc =
		frame_checksum(reading->crc, reading->data + reading->got + skip, part - skip);
	reading->got += part;
	return JOURNAL_MORE;
}

static int check_frame(struct journal_reading *reading)
{
	size_t length = reading->commits[reading->at].length - FRAME_HEADER_LENGTH;
	char header[FRAME_HEADER_LENGTH];

	if (frame_header(header, length, reading->crc) < 0 ||
	    memcmp(header, reading->data, sizeof(header)) != 0 ||
	    reading->format->read(reading->data + FRAME_HEADER_LENGTH, length, &reading->record) !=
		    0)
		return -EPROTO;
	reading->first = reading->record.changes;
	return JOURNAL_MORE;
}

static int take_change(struct journal_reading *reading, const struct change_read *read)
{
	if (reading->what == JOURNAL_CHANGES)
		return 0;
	return change_read_put(read, reading->what == JOURNAL_ROLLBACK, &reading->candidate);
}

/* A record of 64 MB takes 7 ms to wipe and to free: in pieces, from its end. */
static int give_back(struct journal_reading *reading)
{
	size_t part = reading->got < FREED_BYTES ? reading->got : FREED_BYTES;
	char *rest;

	reading->got -= part;
	explicit_bzero(reading->data + reading->got, part);
	if (reading->got) {
		rest = realloc(reading->data, reading->got);
		reading->data = rest ? rest : reading->data;
		return JOURNAL_MORE;
	}
	free(reading->data);
	reading->data = NULL;
	return 0;
}

static int next_commit(struct journal_reading *reading)
{
	if (give_back(reading) == 0) {
		reading->crc = 0;
		reading->record = (struct commit_record){0};
		reading->taken = false;
		reading->at++;
	}
	return JOURNAL_MORE;
}

static int take_changes(struct journal_reading *reading, struct error *err)
{
	struct change_read *read = &reading->read;
	int rc = 1;

	for (int i = 0; i < PIECE_ENTRIES && rc > 0; i++) {
		rc = reading->format->read_change(&reading->record, read, err);
		if (rc > 0 && take_change(reading, read) < 0)
			rc = -ENOMEM;
	}
	if (rc == 0 && reading->what == JOURNAL_CHANGES) {
		reading->sound = true;
		reading->record.changes = reading->first;
	} else if (rc == 0) {
		reading->taken = true;
	}
	return rc < 0 ? rc : JOURNAL_MORE;
}

static int read_some(struct journal_reading *reading, struct error *err)
{
	if (reading->taken)
		return next_commit(reading);
	if (reading->got < reading->commits[reading->at].length)
		return read_piece(reading);
	return reading->record.changes ? take_changes(reading, err) : check_frame(reading);
}

static int explain(const struct journal_reading *reading, int rc, const struct error *own,
		   struct error *err)
{
	if (own->code != ERROR_NONE)
		error_set(err, own->code, "%s", own->text);
	else
		error_set_errno(
			err, ERROR_STORAGE, -rc, "cannot read commit %" PRIu64 " from %s/%s",
			reading->commits[reading->at].number, reading->directory, JOURNAL_FILE);
	return rc;
}

int journal_read_step(struct journal_reading *reading, int64_t until, struct error *err)
{
	struct error own = ERROR_INIT;
	int rc = JOURNAL_MORE;

	do {
		if (reading->at == reading->count)
			return 0;
		rc = read_some(reading, &own);
	} while (rc == JOURNAL_MORE && clock_now() < until);
	return rc < 0 ? explain(reading, rc, &own, err) : rc;
}

int journal_read_change(struct journal_reading *reading, const struct change **ret,
			struct error *err)
{
	struct error own = ERROR_INIT;
	int rc;

	*ret = NULL;
	if (!reading->sound) {
		rc = read_some(reading, &own);
		return rc < 0 ? explain(reading, rc, &own, err) : rc;
	}
	if (!reading->taken &&
	    reading->format->read_change(&reading->record, &reading->read, &own) <= 0)
		reading->taken = true;
	if (reading->taken)
		return reading->data ? give_back(reading) : 0;
	*ret = &reading->read.change;
	return JOURNAL_MORE;
}

/* ---- all at once */

static int read_all(struct journal *journal, enum journal_read what, uint64_t number,
		    const struct datastore *running, struct candidate *ret, struct error *err)
{
	struct journal_reading *reading = NULL;
	int rc = journal_read_begin(&reading, journal, what, number, running, err);

	if (rc == JOURNAL_MORE)
		rc = journal_read_step(reading, INT64_MAX, err);
	journal_read_end(reading, rc == 0 ? ret : NULL);
	return rc;
}

int journal_resume(struct journal *journal, const struct datastore *running, struct candidate *ret,
		   struct error *err)
{
	return read_all(journal, JOURNAL_RESUME, journal->unfinished, running, ret, err);
}

int journal_rollback(struct journal *journal, uint64_t number, const struct datastore *running,
		     struct candidate *ret, struct error *err)
{
	return read_all(journal, JOURNAL_ROLLBACK, number, running, ret, err);
}
