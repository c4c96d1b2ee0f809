#include "arrival.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/un.h>
#include <unistd.h>

struct arrival {
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	int fd;
	struct event *event;
	bool watching;
	void (*arrived)(void *arg);
	void *arg;
};

/* What else happens in the directory is rare, and costs one attempt. */
static void on_event(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char events[4096];
	struct arrival *arrival = arg;
	ssize_t length;

	(void)what;
	while ((length = read(fd, events, sizeof(events))) > 0)
		for (const char *at = events; at < events + length;) {
			const struct inotify_event *event = (const struct inotify_event *)at;

			if (event->mask & IN_IGNORED)
				arrival->watching = false; /* the directory is gone */
			at += sizeof(*event) + event->len;
		}
	arrival->arrived(arrival->arg);
}

static bool find_directory(struct arrival *arrival, const struct endpoint *endpoint)
{
	const struct sockaddr_un *address = (const struct sockaddr_un *)&endpoint->address;
	char *slash;

	if (address->sun_family != AF_UNIX || address->sun_path[0] != '/')
		return false;
	snprintf(arrival->directory, sizeof(arrival->directory), "%.*s",
		 (int)sizeof(address->sun_path), address->sun_path);
	slash = strrchr(arrival->directory, '/');
	slash[slash == arrival->directory] = '\0';
	return true;
}

struct arrival *arrival_new(struct event_base *base, const struct endpoint *endpoint,
			    void (*arrived)(void *arg), void *arg)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));

	if (!arrival)
		return NULL;
	arrival->arrived = arrived;
	arrival->arg = arg;
	arrival->fd =
		find_directory(arrival, endpoint) ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
	if (arrival->fd >= 0)
		arrival->event =
			event_new(base, arrival->fd, EV_READ | EV_PERSIST, on_event, arrival);
	if (arrival->event && event_add(arrival->event, NULL) == 0)
		return arrival;
	arrival_free(arrival);
	return NULL;
}

void arrival_watch(struct arrival *arrival)
{
	if (arrival && !arrival->watching)
		arrival->watching =
			inotify_add_watch(arrival->fd, arrival->directory,
					  IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR) >= 0;
}

void arrival_free(struct arrival *arrival)
{
	if (!arrival)
		return;
	if (arrival->event)
		event_free(arrival->event);
	if (arrival->fd >= 0)
		close(arrival->fd);
	free(arrival);
}
