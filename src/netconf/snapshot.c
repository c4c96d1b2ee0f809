#include "netconf/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/wipe.h"
#include "netconf/acm_tree.h"
#include "netconf/decode.h"
#include "netconf/encode.h"
#include "netconf/unwrap.h"

#define PIECE      65536
#define PATH_SHOWN 80 /* bytes of a path that an error has room for */

static int to_file(const char *bytes, size_t length, void *arg)
{
	errno = 0;
	if (fwrite(bytes, 1, length, arg) == length)
		return 0;
	return errno ? -errno : -EIO;
}

int snapshot_write(FILE *file, const struct datastore *running, void *arg)
{
	struct writer writer;
	int rc = 0;

	(void)arg;
	writer_init(&writer, to_file, file);
	writer.indent = true;
	write_text(&writer, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
	if (running->acm == acm_factory()) {
		encode_running(&writer, running, 0);
	} else {
		write_line(&writer, 0);
		write_text(&writer, "<config xmlns=\"" NAMESPACE_BASE "\">");
		encode_running(&writer, running, 1);
		rc = acm_tree_write(&writer, running->acm, 1);
		write_line(&writer, 0);
		write_text(&writer, "</config>");
	}
	write_bytes(&writer, "\n", 1);
	return rc ? rc : writer_flush(&writer);
}

/* The decoder, and where in the file it refused something. */
struct file_reader {
	struct reader *reader;
	struct decoder *decoder;
	unsigned int line; /* of the first refusal */
};

static int note_line(struct file_reader *file, int rc)
{
	if (!file->line && decoder_failed(file->decoder))
		file->line = reader_line(file->reader);
	return rc;
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct file_reader *file = arg;

	return note_line(file, decoder_handler.start(element, file->decoder, err));
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct file_reader *file = arg;

	return note_line(file, decoder_handler.text(bytes, length, file->decoder, err));
}

static int end(void *arg, struct error *err)
{
	struct file_reader *file = arg;

	return note_line(file, decoder_handler.end(file->decoder, err));
}

static const struct reader_handler file_handler = {start, text, end};

static int read_error(const char *path, int os_errno, struct error *err)
{
	return error_set_errno(err, ERROR_STORAGE, os_errno, "cannot read %s", path);
}

static int feed_file(struct reader *reader, int fd, const char *path, struct error *err)
{
	char *piece = malloc(PIECE);
	int rc = 0;

	if (!piece)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	while (!rc) {
		ssize_t count = read(fd, piece, PIECE);

		if (count > 0)
			rc = reader_feed(reader, piece, (size_t)count, err);
		else if (count < 0 && errno != EINTR)
			rc = read_error(path, errno, err);
		else if (!count)
			break;
	}
	wipe_free(piece, PIECE);
	return rc ? rc : reader_finish(reader, err);
}

/* Make the text "path:line: what; cure". The code, the path in the data and the info stay. */
static void name_place(struct error *err, const char *path, unsigned int line)
{
	char text[sizeof(err->text)], number[16] = "";
	const char *what = err->text;
	size_t length = strlen(path);
	bool cut = length > PATH_SHOWN; /* its end says which file it is */

	/* The reader's own refusals begin with "line N: ". */
	if (sscanf(what, "line %u: ", &line) == 1)
		what = strstr(what, ": ") + 2;
	if (line)
		snprintf(number, sizeof(number), ":%u", line);
	snprintf(text, sizeof(text), "%s%s%s: %.250s; correct the file there", cut ? "..." : "",
		 cut ? path + length - PATH_SHOWN : path, number, what);
	memcpy(err->text, text, sizeof(text));
}

static int read_fd(int fd, const char *path, struct edit **ret_edit, struct error *err)
{
	struct file_reader file = {.decoder = decoder_open(EDIT_REPLACE, 0)};
	struct unwrap unwrap = {.inner = &file_handler, .arg = &file};
	int rc = -ENOMEM;

	if (file.decoder)
		file.reader = reader_open(&unwrap_handler, &unwrap);
	if (!file.reader) {
		error_set(err, ERROR_RESOURCE, "out of memory");
	} else {
		rc = feed_file(file.reader, fd, path, err);
		if (!rc || rc == DECODER_REFUSED)
			rc = decoder_finish(file.decoder, false, ret_edit, err);
		if (rc && err->code != ERROR_STORAGE && err->code != ERROR_RESOURCE)
			name_place(err, path, file.line);
	}
	reader_close(file.reader);
	decoder_close(file.decoder);
	return rc;
}

int snapshot_read(const char *path, struct edit **ret_edit, struct error *err, void *arg)
{
	struct error own = ERROR_INIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	(void)arg;
	if (!err)
		err = &own;
	if (fd < 0)
		return read_error(path, errno, err);
	rc = read_fd(fd, path, ret_edit, err);
	close(fd);
	return rc;
}

const struct snapshot_codec snapshot_codec = {snapshot_write, snapshot_read, NULL};
