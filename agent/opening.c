#include "opening.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define NAME       "l2tpv3d " VERSION
#define PACKET     1 /* h.packetID of our only request */
#define ANSWER_MAX 4096
#define AT_ONCE_MS 10 /* a healthy master takes 1; else net-snmp tries again in a second */

struct opening {
	struct event_base *base;
	struct endpoint endpoint;
	void (*failed)(int os_errno, void *arg);
	void *arg;
	enum opening_state state;
	int fd;
	struct event *ready; /* writable: connected; readable: answered */
	uint8_t answer[ANSWER_MAX];
	size_t have;
	struct opened opened;
};

static void unwatch(struct opening *opening)
{
	if (opening->ready)
		event_free(opening->ready);
	opening->ready = NULL;
}

static int stop(struct opening *opening, int rc)
{
	unwatch(opening);
	if (opening->fd >= 0)
		close(opening->fd);
	opening->fd = -1;
	opening->have = 0;
	opening->state = OPENING_IDLE;
	return rc;
}

static void on_ready(evutil_socket_t fd, short what, void *arg);

static int watch(struct opening *opening, short what, const struct timeval *patience)
{
	unwatch(opening);
	opening->ready = event_new(opening->base, opening->fd, what, on_ready, opening);
	if (!opening->ready || event_add(opening->ready, patience))
		return -ENOMEM;
	return 0;
}

/* Look for the Response that gives us a session. 0: done, or more has to come. */
static int understand(struct opening *opening)
{
	struct opened *opened = &opening->opened;

	if (opening->have < PDU_HEADER_LENGTH)
		return 0;
	opened->header = pdu_header(opening->answer);
	if (!pdu_header_is_sane(opening->answer) || opened->header.size > ANSWER_MAX ||
	    opening->have > opened->header.size)
		return -EPROTO;
	if (opening->have < opened->header.size)
		return 0;
	if (!pdu_check(opening->answer, opening->have) || opened->header.type != PDU_RESPONSE ||
	    opened->header.packet != PACKET)
		return -EPROTO;
	opened->response = pdu_response(opening->answer);
	if (opened->response.error)
		return -ECONNREFUSED;
	opened->fd = opening->fd;
	opened->at = clock_now();
	opening->state = OPENING_DONE;
	return 0;
}

static int hear(struct opening *opening)
{
	ssize_t count = recv(opening->fd, opening->answer + opening->have,
			     sizeof(opening->answer) - opening->have, MSG_DONTWAIT);

	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (count == 0 || opening->state == OPENING_DONE)
		return -ECONNRESET; /* the master sends nothing before we register */
	opening->have += (size_t)count;
	return understand(opening);
}

static int ask(struct opening *opening)
{
	uint8_t open[PDU_OPEN_MAX];
	size_t length = pdu_put_open(open, PACKET, PDU_TIMEOUT_S, NAME);
	ssize_t count = send(opening->fd, open, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (count < 0)
		return -errno;
	return (size_t)count == length ? 0
				       : -EPROTO; /* not even 128 octets fit into a new socket */
}

static int ask_and_listen(struct opening *opening)
{
	const struct timeval patience = {.tv_sec = OPENING_PATIENCE_S};
	struct pollfd answer = {.fd = opening->fd, .events = POLLIN};
	int rc = ask(opening);

	if (!rc && poll(&answer, 1, AT_ONCE_MS) > 0)
		rc = hear(opening);
	if (!rc)
		rc = watch(opening, EV_READ | EV_PERSIST,
			   opening->state == OPENING_DONE ? NULL : &patience);
	return rc;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct opening *opening = arg;
	bool connecting = event_get_events(opening->ready) & EV_WRITE;
	int os_errno = 0, rc;
	socklen_t length = sizeof(os_errno);

	(void)fd;
	if (what & EV_TIMEOUT) {
		stop(opening, 0);
		opening->failed(connecting ? ETIMEDOUT : 0, opening->arg);
		return;
	}
	if (connecting) {
		getsockopt(opening->fd, SOL_SOCKET, SO_ERROR, &os_errno, &length);
		rc = os_errno ? -os_errno : ask_and_listen(opening);
	} else {
		rc = hear(opening);
	}
	if (!rc && opening->state == OPENING_DONE)
		rc = watch(opening, EV_READ | EV_PERSIST, NULL); /* without the time limit */
	if (rc)
		opening->failed(-stop(opening, rc), opening->arg);
}

int opening_begin(struct opening *opening)
{
	const struct timeval patience = {.tv_sec = OPENING_PATIENCE_S};
	bool connected;
	int rc;

	if (opening->state != OPENING_IDLE)
		return 0;
	opening->fd = endpoint_connect(&opening->endpoint, &connected);
	if (opening->fd < 0)
		return opening->fd;
	opening->state = OPENING_UNDER_WAY;
	rc = connected ? ask_and_listen(opening) : watch(opening, EV_WRITE, &patience);
	return rc ? stop(opening, rc) : 0;
}

enum opening_state opening_state(const struct opening *opening)
{
	return opening->state;
}

struct opened opening_take(struct opening *opening)
{
	opening->fd = -1; /* handed over */
	stop(opening, 0);
	return opening->opened;
}

struct opening *opening_new(struct event_base *base, const struct endpoint *endpoint,
			    void (*failed)(int os_errno, void *arg), void *arg)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening)
		return NULL;
	opening->base = base;
	opening->endpoint = *endpoint;
	opening->failed = failed;
	opening->arg = arg;
	opening->fd = -1;
	return opening;
}

void opening_free(struct opening *opening)
{
	if (!opening)
		return;
	stop(opening, 0);
	free(opening);
}
