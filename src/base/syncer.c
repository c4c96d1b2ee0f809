#include "base/syncer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct order {
	int fd;
	enum { SYNC_DATA, SYNC_ALL, CLOSE } what;
};

struct syncer {
	pthread_t thread;
	int orders[2]; /* a pipe of struct order; closing it stops the thread */
	int done;      /* an eventfd: 1 + errno of a finished sync */
	bool busy;
};

static void *sync_orders(void *arg)
{
	const struct syncer *syncer = arg;
	struct order order;

	while (read(syncer->orders[0], &order, sizeof(order)) == sizeof(order)) {
		int rc = order.what == SYNC_ALL    ? fsync(order.fd)
			 : order.what == SYNC_DATA ? fdatasync(order.fd)
						   : 0;
		uint64_t value = rc < 0 ? 1 + (uint64_t)errno : 1;

		close(order.fd);
		if (order.what != CLOSE &&
		    write(syncer->done, &value, sizeof(value)) != sizeof(value))
			break;
	}
	return NULL;
}

/* The event loop handles all signals. */
static int start_thread(struct syncer *syncer)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&syncer->thread, NULL, sync_orders, syncer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

struct syncer *syncer_open(void)
{
	struct syncer *syncer = calloc(1, sizeof(*syncer));

	if (!syncer)
		return NULL;
	syncer->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (syncer->done >= 0 && pipe2(syncer->orders, O_CLOEXEC) == 0) {
		if (start_thread(syncer) == 0)
			return syncer;
		close(syncer->orders[0]);
		close(syncer->orders[1]);
	}
	if (syncer->done >= 0)
		close(syncer->done);
	free(syncer);
	return NULL;
}

void syncer_close(struct syncer *syncer)
{
	if (!syncer)
		return;
	close(syncer->orders[1]);
	pthread_join(syncer->thread, NULL);
	close(syncer->orders[0]);
	close(syncer->done);
	free(syncer);
}

int syncer_fd(const struct syncer *syncer)
{
	return syncer->done;
}

bool syncer_busy(const struct syncer *syncer)
{
	return syncer->busy;
}

/* The thread gets a descriptor of its own, so that the caller may close its at any time. */
int syncer_begin(struct syncer *syncer, int fd, bool all)
{
	struct order order = {fcntl(fd, F_DUPFD_CLOEXEC, 0), all ? SYNC_ALL : SYNC_DATA};
	int rc = 0;

	if (order.fd < 0)
		return -errno;
	if (write(syncer->orders[1], &order, sizeof(order)) != sizeof(order)) {
		rc = -errno;
		close(order.fd);
	}
	syncer->busy = rc == 0;
	return rc;
}

int syncer_end(struct syncer *syncer, bool wait)
{
	struct pollfd done = {syncer->done, POLLIN, 0};
	uint64_t value;

	while (read(syncer->done, &value, sizeof(value)) != sizeof(value)) {
		if (!wait)
			return -EINPROGRESS;
		poll(&done, 1, -1);
	}
	syncer->busy = false;
	return -(int)(value - 1);
}

void syncer_close_file(struct syncer *syncer, int fd)
{
	const struct order order = {fd, CLOSE};

	if (!syncer || write(syncer->orders[1], &order, sizeof(order)) != sizeof(order))
		close(fd);
}
