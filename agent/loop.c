#include "loop.h"

#include <event2/event.h>
#include <poll.h>

#include "netsnmp.h"
#include "transport.h"

#define WATCH_MAX 16  /* two pipes, as far as we know */
#define PUMP_MAX  100 /* rounds before others get a turn: a few milliseconds */

struct watch {
	int fd;
	struct event *event;
};

struct loop {
	struct event_base *base;
	struct transport *transport;
	void (*after)(void *arg);
	void *arg;
	struct watch watches[WATCH_MAX];
	unsigned int count;
	struct event *timer;
	struct timeval due; /* of the timer; 0: not set */
	netsnmp_large_fd_set wanted, ready;
	unsigned int rest; /* seconds */
};

static void look_again(struct loop *loop);

static void read_ready(struct loop *loop)
{
	snmp_read2(&loop->ready);
	netsnmp_check_outstanding_agent_requests();
}

/* Which of the pipes inside net-snmp are readable; false: none. */
static bool look_inside(struct loop *loop)
{
	struct pollfd fds[WATCH_MAX];
	nfds_t count = loop->count;
	bool found = false;

	for (nfds_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = loop->watches[i].fd, .events = POLLIN};
	NETSNMP_LARGE_FD_ZERO(&loop->ready);
	if (poll(fds, count, 0) <= 0)
		return false;
	for (nfds_t i = 0; i < count; i++) {
		if (!fds[i].revents)
			continue;
		NETSNMP_LARGE_FD_SET(fds[i].fd, &loop->ready);
		found = true;
	}
	return found;
}

/*
 * A request passes two pipes before it is answered: push it through here, without the event loop,
 * before the next one is read. Poll a pipe before reading it: reading an empty one blocks, and
 * what the event loop saw may have been taken since.
 */
static void pump(struct loop *loop)
{
	for (unsigned int i = 0; i < PUMP_MAX; i++) {
		if (!look_inside(loop)) {
			transport_idle(loop->transport);
			break;
		}
		read_ready(loop);
		if (transport_backlog(loop->transport) == 0)
			break;
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd, (void)what;
	pump(loop);
	transport_go_on(loop->transport);
	loop_turn(loop);
}

void loop_feed(struct loop *loop)
{
	NETSNMP_LARGE_FD_ZERO(&loop->ready);
	NETSNMP_LARGE_FD_SET(transport_fd(loop->transport), &loop->ready);
	read_ready(loop);
	pump(loop);
	loop_turn(loop);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;

	(void)fd, (void)what;
	timerclear(&loop->due);
	snmp_timeout();
	run_alarms();
	loop_turn(loop);
}

void loop_turn(struct loop *loop)
{
	netsnmp_check_outstanding_agent_requests();
	loop->after(loop->arg);
	look_again(loop);
}

static void forget(struct loop *loop, unsigned int place)
{
	event_free(loop->watches[place].event);
	loop->watches[place] = loop->watches[--loop->count];
}

static void forget_unwanted(struct loop *loop)
{
	for (unsigned int i = loop->count; i-- > 0;) {
		if (!NETSNMP_LARGE_FD_ISSET(loop->watches[i].fd, &loop->wanted))
			forget(loop, i);
	}
}

static bool is_watched(const struct loop *loop, int fd)
{
	for (unsigned int i = 0; i < loop->count; i++) {
		if (loop->watches[i].fd == fd)
			return true;
	}
	return false;
}

static void watch(struct loop *loop, int fd)
{
	struct event *event;

	if (loop->count == WATCH_MAX || is_watched(loop, fd))
		return;
	event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_readable, loop);
	if (!event)
		return;
	event_add(event, NULL);
	loop->watches[loop->count++] = (struct watch){fd, event};
}

/* Only move it forward: if it fires too early, it is set again then. */
static void set_timer(struct loop *loop, const struct timeval *delay)
{
	struct timeval now, due;

	event_base_gettimeofday_cached(loop->base, &now);
	timeradd(&now, delay, &due);
	if (timerisset(&loop->due) && !timercmp(&due, &loop->due, <))
		return;
	loop->due = due;
	evtimer_add(loop->timer, delay);
}

static void look_again(struct loop *loop)
{
	struct timeval delay = {.tv_sec = 60};
	int end = 0, block = 1;

	NETSNMP_LARGE_FD_ZERO(&loop->wanted);
	snmp_select_info2(&end, &loop->wanted, &delay, &block);
	if (transport_fd(loop->transport) >= 0)
		NETSNMP_LARGE_FD_CLR(transport_fd(loop->transport), &loop->wanted);
	forget_unwanted(loop);
	for (int fd = 0; fd < end; fd++) {
		if (NETSNMP_LARGE_FD_ISSET(fd, &loop->wanted))
			watch(loop, fd);
	}
	if (delay.tv_sec < loop->rest)
		delay = (struct timeval){.tv_sec = loop->rest};
	if (!block)
		set_timer(loop, &delay);
}

struct loop *loop_new(struct event_base *base, struct transport *transport,
		      void (*after)(void *arg), void *arg)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->base = base;
	loop->transport = transport;
	loop->after = after;
	loop->arg = arg;
	netsnmp_large_fd_set_init(&loop->wanted, FD_SETSIZE);
	netsnmp_large_fd_set_init(&loop->ready, FD_SETSIZE);
	loop->timer = evtimer_new(base, on_timer, loop);
	if (loop->timer)
		return loop;
	loop_free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->count > 0)
		forget(loop, loop->count - 1);
	if (loop->timer)
		event_free(loop->timer);
	netsnmp_large_fd_set_cleanup(&loop->wanted);
	netsnmp_large_fd_set_cleanup(&loop->ready);
	free(loop);
}

void loop_rest(struct loop *loop, unsigned int seconds)
{
	loop->rest = seconds;
}
