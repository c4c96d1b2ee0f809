#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/wipe.h"
#include "base/wiped_stream.h"
#include "journal/journal_file.h"

#define ROOM_SPARE 4096
#define CUT_PIECE  65536

/* ---- frames in memory */

int frame_text_open(struct frame_text *text)
{
	static const char room[FRAME_HEADER_LENGTH];

	*text = (struct frame_text){0};
	text->file = wiped_stream(&text->data, &text->size);
	if (!text->file)
		return -ENOMEM;
	fwrite(room, 1, sizeof(room), text->file);
	return 0;
}

int frame_text_close(struct frame_text *text)
{
	bool failed = ferror(text->file) != 0;
	int rc;

	if (fclose(text->file) != 0 || failed)
		rc = -ENOMEM;
	else
		rc = frame_seal(text->data, text->size - FRAME_HEADER_LENGTH);
	text->file = NULL;
	if (rc < 0) {
		wipe_free(text->data, text->size);
		text->data = NULL;
	}
	return rc;
}

static size_t put_mark(char *at, const char *word, uint64_t number)
{
	int length = snprintf(at + FRAME_HEADER_LENGTH, MARK_MAX - FRAME_HEADER_LENGTH,
			      "%s %" PRIu64 "\n", word, number);

	frame_seal(at, (size_t)length);
	return FRAME_HEADER_LENGTH + (size_t)length;
}

size_t mark_end(char *at, uint64_t number, bool doubt)
{
	return put_mark(at, doubt ? "doubt" : "end", number);
}

int journal_head(const struct journal *journal, uint64_t base, const uint32_t *checksum, char **ret,
		 size_t *ret_length)
{
	struct frame_text text;
	int rc = frame_text_open(&text);
	char *head = NULL;

	if (rc < 0)
		return rc;
	commit_print_base(text.file, base, checksum, journal->running);
	rc = frame_text_close(&text);
	if (rc < 0)
		return rc;
	head = malloc(JOURNAL_HEADER_LENGTH + text.size);
	if (head) {
		memcpy(head, JOURNAL_HEADER, JOURNAL_HEADER_LENGTH);
		memcpy(head + JOURNAL_HEADER_LENGTH, text.data, text.size);
		*ret = head;
		*ret_length = JOURNAL_HEADER_LENGTH + text.size;
	}
	wipe_free(text.data, text.size);
	return head ? 0 : -ENOMEM;
}

/* ---- any file */

int file_write(int fd, const char *data, size_t size, uint64_t offset)
{
	ssize_t done;

	fault_point("write");
	while (size > 0) {
		done = pwrite(fd, data, size, (off_t)offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		data += done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

int file_copy(int to, uint64_t to_offset, int from, uint64_t from_offset, uint64_t length)
{
	char buffer[65536];
	ssize_t got;
	int rc = 0;

	for (uint64_t done = 0; done < length && rc == 0; done += (uint64_t)got) {
		size_t part =
			length - done < sizeof(buffer) ? (size_t)(length - done) : sizeof(buffer);

		got = pread(from, buffer, part, (off_t)(from_offset + done));
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		rc = file_write(to, buffer, (size_t)got, to_offset + done);
	}
	return rc;
}

int file_reserve(int fd, uint64_t offset, uint64_t size)
{
	while (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) < 0) {
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return 0; /* then only writing shows whether there is room */
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int file_sync(int fd, bool all)
{
	fault_point("fsync");
	return (all ? fsync(fd) : fdatasync(fd)) < 0 ? -errno : 0;
}

int journal_sync(struct journal *journal, int fd, bool all, bool waits)
{
	struct syncer *syncer = journal->syncer;
	int rc;

	if (!syncer || (!waits && !syncer_busy(syncer)))
		return file_sync(fd, all);
	if (!syncer_busy(syncer)) {
		fault_point("fsync");
		rc = syncer_begin(syncer, fd, all);
		return rc < 0 ? rc : JOURNAL_WAIT;
	}
	rc = syncer_end(syncer, !waits);
	return rc == -EINPROGRESS ? JOURNAL_WAIT : rc;
}

/* ---- the journal */

int journal_place(const struct journal *journal, int fd)
{
	struct stat ours, named;

	if (fstatat(journal->dirfd, JOURNAL_FILE, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT && fd >= 0 ? -ENOENT : 0;
	if (fd >= 0 && fstat(fd, &ours) == 0 && ours.st_dev == named.st_dev &&
	    ours.st_ino == named.st_ino)
		return 0;
	return -ESTALE;
}

bool journal_is_shared(const struct journal *journal)
{
	struct stat st;

	return journal->fd >= 0 && fstat(journal->fd, &st) == 0 && st.st_nlink > 1;
}

/* On failure keep the open file, if any: without one, the next step would begin a new journal. */
int journal_file_open(struct journal *journal)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(journal->dirfd, JOURNAL_FILE, O_RDWR | flags);
	bool writable = fd >= 0;

	if (fd < 0 && (errno == EROFS || errno == EACCES))
		fd = openat(journal->dirfd, JOURNAL_FILE, O_RDONLY | flags);
	if (fd < 0)
		return errno == ENOENT && journal->fd < 0 ? 0 : -errno;
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = fd;
	journal->writable = writable;
	return 0;
}

static int write_end(const struct journal *journal, int fd, uint64_t offset)
{
	char end[MARK_MAX];
	size_t length = mark_end(end, journal->generation, false);

	return file_write(fd, end, length, offset);
}

/*
 * Begin the journal, completely or not at all. If the fsync after the rename fails, the file has
 * its name now, but may lose it in a power cut.
 */
static int journal_begin_file(struct journal *journal)
{
	const struct file_place here = {journal->dirfd, JOURNAL_FILE};
	char *head = NULL;
	size_t length = 0;
	int fd = -1, rc = journal_head(journal, journal->base, NULL, &head, &length);

	if (rc == 0)
		rc = place_create(&here, JOURNAL_NEW, &fd);
	if (rc == 0)
		rc = file_write(fd, head, length, 0);
	if (rc == 0)
		rc = write_end(journal, fd, length);
	if (rc == 0)
		rc = file_sync(fd, true);
	wipe_free(head, length);
	if (rc == 0) {
		fault_point("rename");
		if (renameat(journal->dirfd, JOURNAL_NEW, journal->dirfd, JOURNAL_FILE) < 0)
			rc = -errno;
	}
	if (rc < 0) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	journal->fd = fd;
	journal->writable = true;
	journal->cut = false;
	journal->length = journal->tail = length;
	journal->room = 0;
	rc = file_sync(journal->dirfd, true);
	if (rc < 0)
		journal_distrust(journal);
	return rc;
}

int journal_reopen(struct journal *journal)
{
	int rc = journal->fd >= 0 && !journal->writable ? journal_file_open(journal) : 0;

	return rc == 0 && journal->fd >= 0 && !journal->writable ? -EROFS : rc;
}

int journal_prepare(struct journal *journal)
{
	int rc;

	if (journal->fd < 0)
		return journal_begin_file(journal);
	rc = journal_reopen(journal);
	if (rc < 0 || !journal->cut)
		return rc;
	rc = journal_cut(journal);
	if (rc < 0)
		return rc;
	rc = file_sync(journal->fd, false);
	if (rc < 0)
		journal_distrust(journal);
	return rc;
}

int journal_make_room(struct journal *journal, uint64_t offset, uint64_t size)
{
	uint64_t begin = journal->length + offset, end = begin + size + 2 * MARK_MAX;
	int rc;

	if (end <= journal->room)
		return 0;
	rc = file_reserve(journal->fd, begin, end - begin + ROOM_SPARE);
	if (rc == 0) {
		journal->room = end + ROOM_SPARE;
		return 0;
	}
	rc = file_reserve(journal->fd, begin, end - begin);
	if (rc == 0)
		journal->room = end;
	return rc;
}

int journal_cut(struct journal *journal)
{
	char end[MARK_MAX];
	size_t length = mark_end(end, journal->generation, journal->doubt);
	int rc;

	journal->cut = true;
	if (!journal->writable)
		return -EROFS;
	journal->room = 0; /* the cut frees reserved blocks too */
	rc = file_write(journal->fd, end, length, journal->length);
	fault_point("write");
	if (ftruncate(journal->fd, (off_t)(journal->length + (rc < 0 ? 0 : length))) < 0)
		return -errno;
	journal->cut = rc < 0;
	return rc;
}

int journal_cut_piece(struct journal *journal)
{
	char end[MARK_MAX];
	size_t length = mark_end(end, journal->generation, journal->doubt);
	struct stat st;

	if (!journal->writable || fstat(journal->fd, &st) < 0 ||
	    (uint64_t)st.st_size <= journal->length + CUT_PIECE)
		return 0;
	journal->cut = true;
	/* first, so that what is left of the record is not taken for one */
	if (file_write(journal->fd, end, length, journal->length) < 0)
		return 0;
	fault_point("write");
	return ftruncate(journal->fd, st.st_size - CUT_PIECE) < 0 ? 0 : JOURNAL_MORE;
}

void journal_distrust(struct journal *journal)
{
	journal->doubt = true;
	(void)journal_cut(journal);
}

/*
 * A killed daemon may have renamed files without syncing the directory. It may also have left an
 * unfinished record, or one that it cut off, whose sync failed: writing the same bytes again makes
 * dirty pages of them, which the next sync writes.
 */
int journal_make_durable(struct journal *journal, uint64_t number)
{
	const struct history_entry *entry = number ? history_find(journal, number) : NULL;
	uint64_t offset = entry ? entry->offset : journal->length;
	int rc = file_sync(journal->dirfd, true);

	if (rc == 0)
		rc = file_copy(journal->fd, offset, journal->fd, offset, journal->length - offset);
	if (rc == 0)
		rc = journal_cut(journal);
	return rc < 0 ? rc : file_sync(journal->fd, true);
}

/*
 * While a fold puts the new journal in place, write the mark to both journals, for either may be
 * the one that stays. Leave a mark out while its commit may not be on the disk: a mark without its
 * commit would look like damage.
 */
int journal_mark(struct journal *journal)
{
	struct fold *fold = &journal->fold;
	char text[2 * MARK_MAX];
	size_t mark, size;
	int rc;

	if (journal->mark_due == 0 || journal->mark_due == journal->maybe_lost)
		return 0;
	rc = journal_prepare(journal);
	if (rc < 0)
		return rc;
	mark = put_mark(text, "confirm", journal->mark_due);
	size = mark + mark_end(text + mark, journal->generation, journal->doubt);
	rc = file_write(journal->fd, text, size, journal->length);
	if (rc == 0 && fold->fd >= 0) {
		rc = file_write(fold->fd, text, size, fold->end + journal->length - fold->from);
		fold->torn = rc < 0;
	}
	if (rc < 0) {
		(void)journal_cut(journal); /* if it fails, it is cut before the next write */
		return rc;
	}
	journal->length += mark;
	journal->mark_due = 0;
	return 0;
}
