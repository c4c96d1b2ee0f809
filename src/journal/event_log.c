#include "journal/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal_file.h"
#include "model/codec.h"

#define FILE_MAX       (EVENT_LOG_SIZE / 2) /* bytes; then it becomes the old one */
#define IMAGE_MAX      (4 * EVENT_LOG_SIZE) /* no file of ours is longer */
#define UNWRITTEN_KEPT 65536                /* bytes of memory that stay for the next ones */
#define TIME_MAX       sizeof("-9223372036854775808 ")
#define OTHERS         077

#define HEADER "l2tpv3d-notifications 1 " /* and when the log began */

struct event_log {
	const struct journal *journal; /* NULL: in memory only */
	int64_t created;
	struct event_record *records[EVENT_LOG_RECORDS]; /* by number modulo their count */
	uint64_t first, next;
	size_t size;     /* of the texts */
	int fd;          /* -1: none */
	uint64_t end;    /* of what is good in the file */
	char *unwritten; /* frames */
	size_t unwritten_length, unwritten_room;
};

static struct event_record **place_of(struct event_log *log, uint64_t number)
{
	return &log->records[number % EVENT_LOG_RECORDS];
}

static void drop_first(struct event_log *log)
{
	struct event_record **place = place_of(log, log->first++);

	log->size -= (*place)->length;
	free(*place);
	*place = NULL;
}

static int keep(struct event_log *log, int64_t time, const char *text, size_t length)
{
	struct event_record *record = malloc(sizeof(*record) + length + 1);

	if (!record)
		return -ENOMEM;
	*record = (struct event_record){.number = log->next, .time = time, .length = length};
	memcpy(record->text, text, length);
	record->text[length] = '\0';
	while (log->first < log->next &&
	       (log->next - log->first == EVENT_LOG_RECORDS || log->size + length > EVENT_LOG_SIZE))
		drop_first(log);
	*place_of(log, log->next++) = record;
	log->size += length;
	return 0;
}

/* ---- loading */

/* Take the records of a file. Returns how many of its bytes are good. */
static size_t take_frames(struct event_log *log, const char *image, size_t length)
{
	size_t at = 0;
	struct frame frame;

	while (frame_read(image + at, length - at, &frame)) {
		char *end;
		int64_t time = strtoll(frame.payload, &end, 10);
		size_t skipped = (size_t)(end - frame.payload) + 1;

		if (at == 0) { /* the header */
			if (frame.length <= sizeof(HEADER) ||
			    memcmp(frame.payload, HEADER, sizeof(HEADER) - 1) != 0)
				return 0;
			log->created = strtoll(frame.payload + sizeof(HEADER) - 1, NULL, 10);
		} else if (frame.length > skipped && *end == ' ') {
			keep(log, time, frame.payload + skipped, frame.length - skipped - 1);
		}
		at += FRAME_HEADER_LENGTH + frame.length;
	}
	return at;
}

static char *read_image(int fd, size_t *ret_length, int *ret_rc)
{
	struct stat st;
	char *image;
	ssize_t got;

	*ret_rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (!*ret_rc && (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_size > IMAGE_MAX))
		*ret_rc = -EPROTO;
	if (!*ret_rc && (st.st_mode & OTHERS) && fchmod(fd, 0600) < 0)
		*ret_rc = -errno;
	image = *ret_rc ? NULL : malloc((size_t)st.st_size + 1);
	if (!image) {
		*ret_rc = *ret_rc ? *ret_rc : -ENOMEM;
		return NULL;
	}
	got = pread(fd, image, (size_t)st.st_size, 0);
	*ret_rc = got < 0 ? -errno : 0;
	*ret_length = got < 0 ? 0 : (size_t)got;
	image[*ret_length] = '\0'; /* for strtoll() */
	return image;
}

static void warn(const struct event_log *log, const char *name, const char *what, char *warning)
{
	size_t used = strlen(warning);

	snprintf(warning + used, JOURNAL_WARNING_MAX - used, "%s%s/%s: %s", used ? "\n" : "",
		 log->journal->directory, name, what);
}

/* Leaves the file open if more can be written to it; closes the one before. */
static void load(struct event_log *log, const char *name, char *warning)
{
	int fd = openat(log->journal->dirfd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t length = 0, good = 0;
	char what[160], *image;
	int rc = fd < 0 ? -errno : 0;

	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	if (rc == -ENOENT)
		return;
	image = rc ? NULL : read_image(fd, &length, &rc);
	if (!rc)
		good = take_frames(log, image, length);
	free(image);
	if (!rc && good < length && ftruncate(fd, (off_t)good) < 0)
		rc = -errno;
	if (rc)
		snprintf(what, sizeof(what),
			 "cannot be read (%s): notifications in it are not replayed",
			 strerror(-rc));
	else
		snprintf(what, sizeof(what),
			 "cut off an unreadable tail of %zu bytes; notifications in it are not "
			 "replayed",
			 length - good);
	if (rc || good < length)
		warn(log, name, what, warning);
	if (fd >= 0 && (rc || good == 0))
		close(fd);
	else
		log->fd = fd;
	log->end = good;
}

int event_log_open(struct event_log **ret, const struct journal *journal,
		   char warning[JOURNAL_WARNING_MAX])
{
	struct event_log *log = calloc(1, sizeof(*log));

	warning[0] = '\0';
	if (!log)
		return -ENOMEM;
	log->journal = journal;
	log->created = clock_read(CLOCK_REALTIME);
	log->first = log->next = 1;
	log->fd = -1;
	if (journal) {
		load(log, EVENT_LOG_OLD_FILE, warning);
		load(log, EVENT_LOG_FILE, warning);
	}
	*ret = log;
	return 0;
}

void event_log_close(struct event_log *log)
{
	if (!log)
		return;
	while (log->first < log->next)
		drop_first(log);
	if (log->fd >= 0)
		close(log->fd);
	free(log->unwritten);
	free(log);
}

int64_t event_log_created(const struct event_log *log)
{
	return log->created;
}

/* ---- appending */

/* By hand, as codec_print_decimal(): there are thousands of them a second. */
static size_t print_time(int64_t time, char ret[TIME_MAX])
{
	size_t used = time < 0;

	ret[0] = '-';
	used += codec_print_decimal(time < 0 ? -(uint64_t)time : (uint64_t)time, 1, ret + used);
	ret[used++] = ' ';
	return used;
}

/* What cannot be put there for lack of memory is not written. */
static void put_frame(struct event_log *log, int64_t time, const char *text, size_t length)
{
	size_t need = log->unwritten_length + FRAME_HEADER_LENGTH + TIME_MAX + length + 1;
	size_t room = need > log->unwritten_room ? need + need / 2 : log->unwritten_room;
	char *frames = room > log->unwritten_room ? realloc(log->unwritten, room) : log->unwritten;
	char *frame, *payload;
	size_t used;

	if (!frames)
		return;
	log->unwritten = frames;
	log->unwritten_room = room;
	frame = frames + log->unwritten_length;
	payload = frame + FRAME_HEADER_LENGTH;
	used = print_time(time, payload);
	memcpy(payload + used, text, length);
	payload[used + length] = '\n';
	frame_seal(frame, used + length + 1);
	log->unwritten_length += FRAME_HEADER_LENGTH + used + length + 1;
}

int event_log_append(struct event_log *log, int64_t time, const char *text, size_t length)
{
	int rc = keep(log, time, text, length);

	if (!rc && log->journal && log->unwritten_length < EVENT_LOG_SIZE)
		put_frame(log, time, text, length);
	return rc;
}

/* ---- writing */

static int begin_file(struct event_log *log)
{
	const struct file_place place = {.dirfd = log->journal->dirfd};
	char header[FRAME_HEADER_LENGTH + sizeof(HEADER) + TIME_MAX];
	int length = snprintf(header + FRAME_HEADER_LENGTH, sizeof(header) - FRAME_HEADER_LENGTH,
			      HEADER "%" PRId64 "\n", log->created);
	int fd, rc = place_create(&place, EVENT_LOG_FILE, &fd);

	if (rc < 0)
		return rc;
	frame_seal(header, (size_t)length);
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	log->end = FRAME_HEADER_LENGTH + (size_t)length;
	rc = file_write(fd, header, log->end, 0);
	if (rc < 0)
		close(fd);
	else
		log->fd = fd;
	return rc;
}

static bool is_there(const struct event_log *log)
{
	struct stat st;

	return log->fd >= 0 && fstat(log->fd, &st) == 0 && st.st_nlink > 0;
}

static int write_all(struct event_log *log)
{
	bool full = log->end + log->unwritten_length > FILE_MAX;
	int rc = 0;

	if (is_there(log) && full)
		rc = renameat(log->journal->dirfd, EVENT_LOG_FILE, log->journal->dirfd,
			      EVENT_LOG_OLD_FILE) < 0
			     ? -errno
			     : 0;
	if (!rc && (full || !is_there(log)))
		rc = begin_file(log);
	return rc ? rc : file_write(log->fd, log->unwritten, log->unwritten_length, log->end);
}

int event_log_write(struct event_log *log, struct error *err)
{
	int rc = log->unwritten_length ? write_all(log) : 0;

	if (rc < 0)
		journal_error(log->journal, err, rc, "write", EVENT_LOG_FILE,
			      "notifications are not replayed after the next restart");
	else
		log->end += log->unwritten_length;
	log->unwritten_length = 0;
	if (log->unwritten_room > UNWRITTEN_KEPT) {
		free(log->unwritten);
		log->unwritten = NULL;
		log->unwritten_room = 0;
	}
	return rc;
}

/* ---- reading */

uint64_t event_log_first(const struct event_log *log)
{
	return log->first;
}

uint64_t event_log_next(const struct event_log *log)
{
	return log->next;
}

const struct event_record *event_log_at(const struct event_log *log, uint64_t number)
{
	return log->records[number % EVENT_LOG_RECORDS];
}
