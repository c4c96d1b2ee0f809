#include "cli/secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool secret_is_elsewhere(const char *word)
{
	return word[0] == '@' || !strcmp(word, "-");
}

/*
 * Read a line, without its end, byte by byte: this leaves the next line to the next secret, and no
 * copy in a buffer of stdio. Returns the length, -ENODATA at the end of the file, or a negative
 * errno.
 */
static ssize_t read_line(int fd, char ret[SECRET_MAX])
{
	size_t used = 0;
	ssize_t count;

	for (;;) {
		count = read(fd, &ret[used], 1);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (count == 0 && used == 0)
			return -ENODATA;
		if (count == 0 || ret[used] == '\n')
			break;
		if (++used == SECRET_MAX)
			return -EMSGSIZE;
	}
	ret[used] = '\0';
	return (ssize_t)used;
}

static void trim(char *text, size_t length)
{
	size_t blanks = 0;

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	while (blanks < length && isspace((unsigned char)text[blanks]))
		blanks++;
	memmove(text, text + blanks, length - blanks);
	text[length - blanks] = '\0';
}

static int refuse(const char *name, int os_errno, struct error *err)
{
	switch (os_errno) {
	case ENODATA:
		return error_set(err, ERROR_INVALID_VALUE, "%.200s holds nothing; allowed one line",
				 name);
	case EMSGSIZE:
		return error_set(err, ERROR_INVALID_VALUE,
				 "the line in %.200s is too long; allowed less than %d characters",
				 name, SECRET_MAX);
	case E2BIG:
		return error_set(err, ERROR_INVALID_VALUE,
				 "%.200s holds more than one line; allowed one", name);
	default:
		return error_set_errno(err, ERROR_RESOURCE, os_errno, "cannot read %.200s", name);
	}
}

int secret_read(const char *word, char ret[SECRET_MAX], struct error *err)
{
	bool in_file = word[0] == '@';
	const char *name = in_file ? word + 1 : "standard input";
	int fd = in_file ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	ssize_t length = fd < 0 ? -errno : read_line(fd, ret);
	char more;

	if (in_file && length >= 0 && read(fd, &more, 1) > 0)
		length = -E2BIG;
	if (in_file && fd >= 0)
		close(fd);
	if (length >= 0)
		trim(ret, (size_t)length);
	if (length >= 0 && !ret[0])
		length = -ENODATA;
	return length < 0 ? refuse(name, (int)-length, err) : 0;
}
