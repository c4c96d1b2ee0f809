#include "base/wiped_stream.h"

#include <errno.h>

#include "base/wipe.h"

#define ROOM_FIRST 8192

struct wiped {
	char **ret;
	size_t *ret_size;
	size_t room;
	char buffer[4096]; /* the stream's */
};

static int make_room(struct wiped *wiped, size_t need)
{
	size_t room = wiped->room;
	char *moved;

	if (need <= room)
		return 0;
	while (room < need)
		room *= 2;
	moved = malloc(room);
	if (!moved)
		return -ENOMEM;
	memcpy(moved, *wiped->ret, *wiped->ret_size);
	wipe_free(*wiped->ret, *wiped->ret_size);
	*wiped->ret = moved;
	wiped->room = room;
	return 0;
}

static ssize_t on_write(void *arg, const char *bytes, size_t length)
{
	struct wiped *wiped = arg;
	size_t used = *wiped->ret_size;

	if (make_room(wiped, used + length + 1) < 0) {
		errno = ENOMEM;
		return 0; /* means an error */
	}
	memcpy(*wiped->ret + used, bytes, length);
	(*wiped->ret)[used + length] = '\0';
	*wiped->ret_size = used + length;
	return (ssize_t)length;
}

static int on_close(void *arg)
{
	wipe_free(arg, sizeof(struct wiped));
	return 0;
}

FILE *wiped_stream(char **ret, size_t *ret_size)
{
	static const cookie_io_functions_t functions = {.write = on_write, .close = on_close};
	struct wiped *wiped = malloc(sizeof(*wiped));
	char *text = malloc(ROOM_FIRST);
	FILE *file = wiped && text ? fopencookie(wiped, "w", functions) : NULL;

	if (!file) {
		free(wiped);
		free(text);
		return NULL;
	}
	wiped->ret = ret;
	wiped->ret_size = ret_size;
	wiped->room = ROOM_FIRST;
	text[0] = '\0';
	*ret = text;
	*ret_size = 0;
	setvbuf(file, wiped->buffer, _IOFBF, sizeof(wiped->buffer));
	return file;
}
