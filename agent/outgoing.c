#include "outgoing.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

#define QUEUE_MAX (4U << 20) /* bytes */

struct outgoing {
	struct event_base *base;
	int fd;
	struct evbuffer *queue;
	struct event *writable;
};

void outgoing_end(struct outgoing *outgoing)
{
	evbuffer_drain(outgoing->queue, evbuffer_get_length(outgoing->queue));
	event_del(outgoing->writable);
	if (outgoing->fd >= 0)
		shutdown(outgoing->fd, SHUT_RDWR);
}

static void flush(struct outgoing *outgoing)
{
	while (evbuffer_get_length(outgoing->queue) > 0) {
		if (evbuffer_write(outgoing->queue, outgoing->fd) > 0)
			continue;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			outgoing_end(outgoing);
		break;
	}
	if (evbuffer_get_length(outgoing->queue) > 0)
		event_add(outgoing->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	flush(arg);
}

void outgoing_put(struct outgoing *outgoing, const void *bytes, size_t size)
{
	ssize_t count = 0;

	if (evbuffer_get_length(outgoing->queue) == 0)
		count = send(outgoing->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (count < 0)
		count = errno == EAGAIN || errno == EINTR ? 0 : (ssize_t)size;
	if ((size_t)count == size)
		return;
	if (evbuffer_get_length(outgoing->queue) > QUEUE_MAX ||
	    evbuffer_add(outgoing->queue, (const char *)bytes + count, size - (size_t)count))
		outgoing_end(outgoing);
	else
		flush(outgoing);
}

bool outgoing_attach(struct outgoing *outgoing, int fd)
{
	event_del(outgoing->writable);
	evbuffer_drain(outgoing->queue, evbuffer_get_length(outgoing->queue));
	outgoing->fd = fd;
	return fd < 0 || event_assign(outgoing->writable, outgoing->base, fd, EV_WRITE, on_writable,
				      outgoing) == 0;
}

struct outgoing *outgoing_new(struct event_base *base)
{
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));

	if (!outgoing)
		return NULL;
	outgoing->base = base;
	outgoing->fd = -1;
	outgoing->queue = evbuffer_new();
	outgoing->writable = event_new(base, -1, EV_WRITE, on_writable, outgoing);
	if (outgoing->queue && outgoing->writable)
		return outgoing;
	outgoing_free(outgoing);
	return NULL;
}

void outgoing_free(struct outgoing *outgoing)
{
	if (!outgoing)
		return;
	if (outgoing->queue)
		evbuffer_free(outgoing->queue);
	if (outgoing->writable)
		event_free(outgoing->writable);
	free(outgoing);
}
