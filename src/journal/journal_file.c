#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "journal/journal_file.h"

#define ROOM_CHUNK 4096
#define MARK_MAX   (FRAME_HEADER_LENGTH + sizeof("confirm 18446744073709551615"))

/* Frames in memory */

int frame_text_open(struct frame_text *text)
{
	static const char room[FRAME_HEADER_LENGTH];

	*text = (struct frame_text){0};
	text->file = open_memstream(&text->data, &text->size);
	if (text->file == NULL)
		return -ENOMEM;
	fwrite(room, 1, sizeof(room), text->file);
	return 0;
}

int frame_text_close(struct frame_text *text)
{
	bool failed = ferror(text->file) != 0;
	int result;

	if (fclose(text->file) != 0 || failed)
		result = -ENOMEM;
	else
		result = frame_seal(text->data, text->size - FRAME_HEADER_LENGTH);
	text->file = NULL;
	if (result != 0) {
		free(text->data);
		text->data = NULL;
	}
	return result;
}

int journal_head(uint64_t base, char **ret, size_t *ret_length)
{
	struct frame_text text;
	int result = frame_text_open(&text);
	char *head = NULL;

	if (result != 0)
		return result;
	commit_print_mark(text.file, RECORD_BASE, base);
	result = frame_text_close(&text);
	if (result != 0)
		return result;
	head = malloc(JOURNAL_HEADER_LENGTH + text.size);
	if (head != NULL) {
		memcpy(head, JOURNAL_HEADER, JOURNAL_HEADER_LENGTH);
		memcpy(head + JOURNAL_HEADER_LENGTH, text.data, text.size);
		*ret = head;
		*ret_length = JOURNAL_HEADER_LENGTH + text.size;
	}
	free(text.data);
	return head != NULL ? 0 : -ENOMEM;
}

/* Errors */

static const char *cure_for(int os_errno)
{
	switch (os_errno) {
	case ENOSPC:
	case EDQUOT:
		return "free some space there";
	case EROFS:
		return "make the file system writable again";
	case EACCES:
	case EPERM:
		return "check owner and mode";
	case EFBIG:
		return "raise the limit on file sizes";
	case ENOMEM:
		return "free some memory";
	case ESTALE:
		return "restart the daemon to go on from the file that is there now";
	case EAGAIN:
		return "stop the other daemon that uses it";
	default:
		return "check the disk";
	}
}

void journal_print_commits(char ret[64], uint64_t first, uint64_t last)
{
	if (first == last)
		snprintf(ret, 64, "commit %" PRIu64, first);
	else
		snprintf(ret, 64, "commits %" PRIu64 " to %" PRIu64, first, last);
}

int journal_error(const struct journal *journal, struct error *err, int result, const char *what,
		  const char *name, const char *consequence)
{
	return error_set_errno(err, ERROR_STORAGE, -result, "cannot %s %s/%s; %s; %s", what,
			       journal->directory, name, consequence, cure_for(-result));
}

/* Files */

int file_sync(int fd)
{
	fault_point("fsync");
	return fsync(fd) < 0 ? -errno : 0;
}

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
	int result = 0;

	for (uint64_t done = 0; done < length && result == 0; done += (uint64_t)got) {
		size_t part =
			length - done < sizeof(buffer) ? (size_t)(length - done) : sizeof(buffer);

		got = pread(from, buffer, part, (off_t)(from_offset + done));
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		result = file_write(to, buffer, (size_t)got, to_offset + done);
	}
	return result;
}

int journal_file_create(struct journal *journal, const char *name, mode_t mode, int *ret_fd)
{
	int fd;

	journal_file_unlink(journal, name);
	fd = openat(journal->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int journal_file_rename(struct journal *journal, const char *from, const char *to)
{
	fault_point("rename");
	if (renameat(journal->dirfd, from, journal->dirfd, to) < 0)
		return -errno;
	return file_sync(journal->dirfd);
}

void journal_file_unlink(struct journal *journal, const char *name)
{
	unlinkat(journal->dirfd, name, 0);
}

/* The directory */

/* Make it, and the entry in its parent durable. */
static int directory_create(const struct journal *journal)
{
	int fd, parent;

	if (mkdir(journal->directory, 0750) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = open(journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	parent = fd >= 0 ? openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (parent >= 0) {
		fsync(parent);
		close(parent);
	}
	if (fd >= 0)
		close(fd);
	return 0;
}

/*
 * A second daemon would undo the first one's work. The lock is of fcntl()'s
 * kind, which a child does not inherit: it ends with the daemon at once.
 */
int journal_lock(struct journal *journal)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd, result;

	if (journal->lockfd >= 0)
		return 0;
	fd = openat(journal->dirfd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	result = fd < 0 ? -errno : 0;
	if (result == 0 && fcntl(fd, F_SETLK, &lock) < 0)
		result = errno == EACCES ? -EAGAIN : -errno;
	if (result == 0)
		journal->lockfd = fd;
	else if (fd >= 0)
		close(fd);
	return result;
}

static int refuse_locked(const struct journal *journal, struct error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(journal->dirfd, LOCK_FILE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		lock.l_pid = 0;
	if (fd >= 0)
		close(fd);
	return error_set(err, ERROR_BUSY,
			 "process %d uses the state directory %s; stop that daemon, or give this "
			 "one a directory of its own",
			 (int)lock.l_pid, journal->directory);
}

/* No file can be made there now, so there is nothing to protect until one can. */
static bool cannot_create(const struct journal *journal, int result)
{
	if (result == -EACCES)
		return faccessat(journal->dirfd, ".", W_OK, AT_EACCESS) < 0;
	return result == -EROFS || result == -ENOSPC || result == -EDQUOT;
}

static int directory_lock(struct journal *journal, struct error *err)
{
	int result = journal_lock(journal);

	if (result == 0 || cannot_create(journal, result))
		return 0; /* journal_prepare() tries again */
	if (result == -EAGAIN)
		return refuse_locked(journal, err);
	return journal_error(journal, err, result, "lock", LOCK_FILE,
			     "another daemon may be using the directory");
}

int directory_open(struct journal *journal, struct error *err)
{
	int result = directory_create(journal);

	if (result != 0)
		return error_set_errno(err, ERROR_STORAGE, -result,
				       "cannot make the state directory %s", journal->directory);
	journal->dirfd = open(journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (journal->dirfd < 0)
		return error_set_errno(err, ERROR_STORAGE, errno,
				       "cannot open the state directory %s", journal->directory);
	return directory_lock(journal, err);
}

/* The journal */

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

/* On failure the one open before, if any, stays: without it the next step would begin anew. */
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

/* Begin the journal, whole or not at all. */
static int journal_begin(struct journal *journal)
{
	char *head = NULL;
	size_t length = 0;
	int fd = -1, result = journal_head(journal->base, &head, &length);

	if (result == 0)
		result = journal_file_create(journal, JOURNAL_NEW, JOURNAL_MODE, &fd);
	if (result == 0)
		result = file_write(fd, head, length, 0);
	if (result == 0)
		result = file_sync(fd);
	if (result == 0)
		result = journal_file_rename(journal, JOURNAL_NEW, JOURNAL_FILE);
	free(head);
	if (result != 0 && (fd < 0 || journal_place(journal, fd) != 0)) {
		if (fd >= 0)
			close(fd);
		return result;
	}
	journal->unsynced = result != 0; /* the rename is done though the fsync after it failed */
	journal->fd = fd;
	journal->writable = true;
	journal->cut = false;
	journal->length = journal->tail = length;
	journal->room = 0;
	return result;
}

/* Be fit for writing: what was wrong before may have passed. */
static int journal_prepare(struct journal *journal)
{
	int result = journal_lock(journal);

	if (result != 0)
		return result;
	if (journal->fd < 0)
		return journal_begin(journal);
	if (!journal->writable)
		result = journal_file_open(journal);
	if (result == 0 && !journal->writable)
		result = -EROFS;
	if (result == 0 && journal->unsynced)
		result = file_sync(journal->dirfd);
	if (result != 0)
		return result;
	journal->unsynced = false;
	return journal->cut ? journal_cut(journal, journal->length) : 0;
}

int journal_cut(struct journal *journal, uint64_t length)
{
	journal->length = length;
	journal->room = 0; /* it is cut off too */
	journal->cut = true;
	if (!journal->writable)
		return -EROFS;
	fault_point("write");
	if (ftruncate(journal->fd, (off_t)length) < 0)
		return -errno;
	fault_point("fsync");
	if (fdatasync(journal->fd) < 0)
		return -errno;
	journal->cut = false;
	return 0;
}

static int reserve(int fd, uint64_t offset, uint64_t size)
{
	while (fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) < 0) {
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return 0; /* it is found out when it is written */
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int file_reserve_mark(int fd, uint64_t offset)
{
	return reserve(fd, offset, MARK_MAX);
}

/* Have blocks for so many bytes more, and some to spare when they are to be had. */
static int make_room(struct journal *journal, size_t size)
{
	uint64_t end = journal->length + size;
	int result;

	if (end <= journal->room)
		return 0;
	result = reserve(journal->fd, journal->length, size + ROOM_CHUNK);
	if (result == 0) {
		journal->room = end + ROOM_CHUNK;
		return 0;
	}
	result = reserve(journal->fd, journal->length, size);
	if (result == 0)
		journal->room = end;
	return result;
}

int journal_write(struct journal *journal, const struct frame_text *text, bool sync)
{
	int result = journal_prepare(journal);

	if (result == 0 && sync)
		result = make_room(journal, text->size + MARK_MAX);
	if (result != 0)
		return result;
	result = file_write(journal->fd, text->data, text->size, journal->length);
	if (result == 0 && sync) {
		fault_point("fsync");
		result = fdatasync(journal->fd) < 0 ? -errno : 0;
	}
	if (result != 0)
		journal_cut(journal, journal->length); /* or before the next write */
	else
		journal->length += text->size;
	return result;
}
