/*
 * Writes a commit to the journal, and revokes it. A step does one stage of struct writing; a crash
 * may come after any.
 *
 * The record is printed and written in pieces. Its header, with length and checksum, comes last,
 * and makes it a record. Then comes one sync. Revoking puts the end mark of the commit before in
 * its place again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/boot_id.h"
#include "base/clock.h"
#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "journal/journal_file.h"

#define PIECE_ENTRIES 64
#define COUNT_ENTRIES 1024

static const char *unchanged = "nothing was changed";

/* ---- begin */

static int refuse_doubtful(const struct journal *journal, struct error *err)
{
	return error_set(
		err, ERROR_STORAGE,
		"%.100s/%s may hold commit %" PRIu64 ", whose outcome is unknown; no change "
		"is accepted until the journal can be rewritten: check the disk, or restart "
		"the daemon to find out; %s",
		journal->directory, JOURNAL_FILE, journal->unknown, unchanged);
}

int journal_begin(struct journal *journal, const struct candidate *changes,
		  struct commit_info *info, struct error *err)
{
	struct writing *writing = &journal->writing;
	uint64_t baseline;

	if (!candidate_dirty(changes) &&
	    (info->tentative || !journal_tentative(journal, &baseline)))
		return 0;
	if (journal->unfinished || writing->stage != WRITING_NOTHING)
		return error_set(err, ERROR_INTERNAL,
				 "commit %" PRIu64 " is neither confirmed nor revoked",
				 journal->unfinished ? journal->unfinished : writing->info.number);
	if (journal->unknown)
		return refuse_doubtful(journal, err);
	if (history_reserve(journal) < 0)
		return error_set(err, ERROR_RESOURCE, "no memory for a commit");
	*writing = (struct writing){.stage = WRITING_FIT,
				    .waits = true,
				    .changes = changes,
				    .at = candidate_first(changes),
				    .info = *info,
				    .ret_info = info};
	writing->info.number = journal->generation + 1;
	writing->info.tunnels = writing->info.sessions = 0;
	boot_id_read(writing->info.boot);
	clock_gettime(CLOCK_REALTIME, &writing->info.time);
	return JOURNAL_MORE;
}

int journal_revoke_begin(struct journal *journal, uint64_t number, struct error *err)
{
	struct writing *writing = &journal->writing;

	if (number == 0 || number != journal->unfinished || writing->stage != WRITING_NOTHING)
		return error_set(err, ERROR_INTERNAL,
				 "commit %" PRIu64 " is not the unfinished one", number);
	history_pop(journal);
	journal->length = journal->history[journal->history_count].offset;
	journal->generation--;
	journal->unfinished = 0;
	*writing = (struct writing){
		.stage = WRITING_CUT, .waits = true, .revoke = true, .info = {.number = number}};
	return JOURNAL_MORE;
}

int journal_abort(struct journal *journal)
{
	struct writing *writing = &journal->writing;

	if (writing->stage == WRITING_NOTHING || writing->revoke)
		return -EALREADY;
	writing->aborted = true;
	return 0;
}

/* ---- ends */

static int writing_end(struct journal *journal, int rc)
{
	journal->writing = (struct writing){.stage = WRITING_NOTHING};
	return rc;
}

/* Refuse: the file has nothing that could be taken for the record. */
static int refuse_writing(struct journal *journal, int rc, struct error *err)
{
	journal_error(journal, err, rc, "write", JOURNAL_FILE, unchanged);
	return writing_end(journal, rc);
}

static int end_aborted(struct journal *journal, struct error *err)
{
	error_set(err, ERROR_STORAGE, "commit %" PRIu64 " was aborted before it was decided; %s",
		  journal->writing.info.number, unchanged);
	return writing_end(journal, -ECANCELED);
}

/*
 * The disk failed with a complete record in the file, which may or may not be on the disk. It is
 * cut off in the page cache, if possible, which survives a kill. New inodes without it make that
 * certain, over a power cut too.
 */
static int make_certain(struct journal *journal, int rc, struct error *err)
{
	struct writing writing = journal->writing;
	int done = fold_now(journal, NULL);

	if (done == 0 && writing.aborted)
		return end_aborted(journal, err);
	if (done == 0 && !writing.revoke)
		return refuse_writing(journal, rc, err);
	writing_end(journal, 0);
	if (done == 0)
		return 0;
	journal->unknown = writing.info.number;
	return error_set_errno(err, ERROR_OUTCOME_UNKNOWN, -rc,
			       "cannot %s %.100s/%s, and commit %" PRIu64
			       " may or may not be in it: "
			       "the outcome is unknown. Check the disk, and before you retry read "
			       "what is there, after a restart too",
			       writing.revoke ? "cut" : "write", journal->directory, JOURNAL_FILE,
			       journal->unknown);
}

static int decide(struct journal *journal)
{
	struct writing *writing = &journal->writing;

	history_push(journal, &writing->info, journal->length, writing->written);
	journal->length += writing->written;
	journal->generation = journal->unfinished = writing->info.number;
	journal->mark_due = 0; /* this commit confirms the one before */
	*writing->ret_info = writing->info;
	return writing_end(journal, 0);
}

/* ---- steps; 0: next stage; JOURNAL_WAIT: not yet; negative: failed, with nothing synced */

/*
 * Make sure that the next start will find what is appended: the directory and the file must have
 * their names, the format must be current, the file must not be shared with a copy, and config.xml
 * must fit it.
 */
static int make_fit(struct journal *journal, struct error *err)
{
	int rc = fold_complete(journal, journal->writing.waits);

	if (rc == JOURNAL_WAIT)
		return rc;
	rc = directory_place(journal);
	if (rc < 0)
		return error_set_errno(err, ERROR_STORAGE, -rc,
				       "%.100s was moved or replaced while the daemon used it; %s; "
				       "put it back, or restart the daemon",
				       journal->directory, unchanged);
	rc = journal_restore(journal, err);
	if (rc < 0)
		return rc;
	rc = journal_place(journal, journal->fd);
	if (rc == 0)
		rc = journal_reopen(journal);
	if (rc == 0 && journal_is_shared(journal))
		journal->doubt = true;
	if (rc == 0 &&
	    (journal->doubt || journal->restamp || journal->format->version != JOURNAL_VERSION)) {
		rc = fold_now(journal, err);
		if (rc < 0)
			return rc;
	}
	if (rc == 0)
		rc = journal_prepare(journal);
	return rc < 0 ? journal_error(journal, err, rc, "write", JOURNAL_FILE, unchanged) : 0;
}

static void count_entries(struct writing *writing)
{
	for (int i = 0; writing->at && i < COUNT_ENTRIES; i++) {
		writing->info.tunnels += writing->at->session_id == 0;
		writing->info.sessions += writing->at->session_id != 0;
		writing->at = change_next(writing->at);
	}
}

static int print_piece(struct writing *writing, char **ret, size_t *ret_size)
{
	static const char room[FRAME_HEADER_LENGTH];
	FILE *file = wiped_stream(ret, ret_size);
	bool failed;

	if (!file)
		return -ENOMEM;
	if (writing->written == 0) {
		fwrite(room, 1, sizeof(room), file);
		commit_print_info(file, &writing->info);
		commit_print_acm(file, writing->changes);
	}
	for (int i = 0; writing->at && i < PIECE_ENTRIES; i++) {
		commit_print_change(file, writing->at);
		writing->at = change_next(writing->at);
	}
	failed = ferror(file) != 0;
	if (fclose(file) == 0 && !failed)
		return 0;
	wipe_free(*ret, *ret_size);
	return -ENOMEM;
}

/* A record of one piece takes one write. */
static int write_whole(struct journal *journal, const char *piece, size_t size)
{
	char *whole = malloc(size + MARK_MAX);
	int rc = whole ? journal_make_room(journal, 0, size) : -ENOMEM;

	if (rc == 0) {
		memcpy(whole, piece, size);
		rc = frame_seal(whole, size - FRAME_HEADER_LENGTH);
	}
	if (rc == 0) {
		size_t end = mark_end(whole + size, journal->writing.info.number, false);

		rc = file_write(journal->fd, whole, size + end, journal->length);
	}
	wipe_free(whole, size + MARK_MAX);
	return rc;
}

static int write_end_and_header(struct journal *journal)
{
	const struct writing *writing = &journal->writing;
	char end[MARK_MAX], header[FRAME_HEADER_LENGTH];
	size_t length = mark_end(end, writing->info.number, false);
	int rc = frame_header(header, writing->written - sizeof(header), writing->crc);

	if (rc == 0)
		rc = file_write(journal->fd, end, length, journal->length + writing->written);
	return rc < 0 ? rc : file_write(journal->fd, header, sizeof(header), journal->length);
}

static int next_piece(struct journal *journal)
{
	struct writing *writing = &journal->writing;
	bool first = writing->written == 0;
	size_t size, skip = first ? FRAME_HEADER_LENGTH : 0;
	uint64_t offset = writing->written;
	char *piece = NULL;
	int rc = print_piece(writing, &piece, &size);

	if (rc < 0)
		return rc;
	writing->written += size;
	if (first && !writing->at) {
		rc = write_whole(journal, piece, size);
	} else {
		writing->crc = frame_checksum(writing->crc, piece + skip, size - skip);
		rc = journal_make_room(journal, offset, size);
		if (rc == 0)
			rc = file_write(journal->fd, piece + skip, size - skip,
					journal->length + offset + skip);
		if (rc == 0 && !writing->at)
			rc = write_end_and_header(journal);
	}
	wipe_free(piece, size);
	return rc;
}

/* The sync of a record has ended: the commit is decided, unless it was aborted. */
static int after_sync(struct journal *journal, int rc, struct error *err)
{
	struct writing *writing = &journal->writing;

	if (rc == 0 && !writing->aborted)
		return decide(journal);
	if (rc == 0) {
		writing->stage = WRITING_CUT;
		return JOURNAL_MORE;
	}
	/* without room on the disk, the lost pages held nothing but this record */
	if ((rc == -ENOSPC || rc == -EDQUOT) && journal_cut(journal) == 0 &&
	    file_sync(journal->fd, false) == 0)
		return refuse_writing(journal, rc, err);
	journal_distrust(journal);
	return make_certain(journal, rc, err);
}

static int cut_record(struct journal *journal, struct error *err)
{
	struct writing *writing = &journal->writing;
	int rc = fold_complete(journal, writing->waits);

	if (rc == JOURNAL_WAIT)
		return rc;
	(void)journal_reopen(journal);
	if (journal_cut_piece(journal) == JOURNAL_MORE)
		return JOURNAL_MORE;
	rc = journal_cut(journal);
	/* in doubt, another inode may have the record too */
	if (rc < 0 || journal->doubt)
		return make_certain(journal, rc < 0 ? rc : -EIO, err);
	writing->stage = WRITING_CUT_SYNC;
	return JOURNAL_MORE;
}

static int writing_step(struct journal *journal, struct error *err)
{
	struct writing *writing = &journal->writing;
	int rc;

	switch (writing->stage) {
	case WRITING_NOTHING:
		return 0;
	case WRITING_FIT:
		if (writing->aborted)
			return end_aborted(journal, err);
		rc = make_fit(journal, err);
		if (rc != 0)
			return rc < 0 ? writing_end(journal, rc) : rc;
		writing->stage = WRITING_COUNT;
		return JOURNAL_MORE;
	case WRITING_COUNT:
		if (writing->aborted)
			return end_aborted(journal, err);
		count_entries(writing);
		if (writing->at)
			return JOURNAL_MORE;
		writing->at = candidate_first(writing->changes);
		writing->stage = WRITING_PIECES;
		return JOURNAL_MORE;
	case WRITING_PIECES:
		if (writing->aborted && journal_cut_piece(journal) == JOURNAL_MORE)
			return JOURNAL_MORE;
		rc = writing->aborted ? -ECANCELED : next_piece(journal);
		if (rc < 0)
			(void)journal_cut(journal); /* if it fails, it is cut before the next write;
						       it is no record */
		if (writing->aborted)
			return end_aborted(journal, err);
		if (rc < 0)
			return refuse_writing(journal, rc, err);
		if (!writing->at)
			writing->stage = WRITING_SYNC;
		return JOURNAL_MORE;
	case WRITING_SYNC:
		rc = journal_sync(journal, journal->fd, false, writing->waits);
		return rc == JOURNAL_WAIT ? rc : after_sync(journal, rc, err);
	case WRITING_CUT:
		return cut_record(journal, err);
	case WRITING_CUT_SYNC:
		rc = journal_sync(journal, journal->fd, false, writing->waits);
		if (rc == JOURNAL_WAIT)
			return rc;
		if (rc < 0) {
			journal_distrust(journal);
			return make_certain(journal, rc, err);
		}
		return writing->aborted ? end_aborted(journal, err) : writing_end(journal, 0);
	}
	return 0;
}

int journal_step(struct journal *journal, int64_t until, struct error *err)
{
	int rc;

	do
		rc = writing_step(journal, err);
	while (rc == JOURNAL_MORE && clock_now() < until);
	return rc;
}

int journal_fd(const struct journal *journal)
{
	return journal->syncer ? syncer_fd(journal->syncer) : -1;
}

/* ---- all at once */

static int in_place(struct journal *journal, int rc, struct error *err)
{
	if (rc != JOURNAL_MORE)
		return rc;
	journal->writing.waits = false;
	return journal_step(journal, INT64_MAX, err);
}

int journal_append(struct journal *journal, const struct candidate *changes,
		   struct commit_info *info, struct error *err)
{
	return in_place(journal, journal_begin(journal, changes, info, err), err);
}

int journal_revoke(struct journal *journal, uint64_t number, struct error *err)
{
	return in_place(journal, journal_revoke_begin(journal, number, err), err);
}

/* ---- confirmations */

/* Its room is reserved. If the write fails, journal_maintain() tries again. */
void journal_confirm(struct journal *journal, uint64_t number)
{
	if (number == 0 || number != journal->unfinished)
		return;
	journal->unfinished = 0;
	journal->mark_due = number;
	history_prune(journal); /* now, for one that is revoked makes nothing old */
	(void)journal_mark(journal);
}

uint64_t journal_unfinished(const struct journal *journal)
{
	return journal->unfinished;
}

bool journal_unfinished_outlived_boot(const struct journal *journal)
{
	char boot[BOOT_ID_SIZE];

	boot_id_read(boot);
	return journal->unfinished != 0 && strcmp(boot, journal->unfinished_boot) != 0;
}

uint64_t journal_generation(const struct journal *journal)
{
	return journal->generation;
}
