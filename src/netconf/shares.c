#include "netconf/shares.h"

#include <errno.h>

#include "base/clock.h"
#include "netconf/session.h"

/* The engine's slices take up to 12 ms, and a turn of the loop may take 20. */
#define BUDGET_NS INT64_C(4000000)
/* Of that, for one session's notifications, and kept for those whatever is requested. */
#define NOTIFICATIONS_NS INT64_C(500000)

/* While it is before @end; each has an equal part of that, or @share. */
static void serve_queue(struct shares *shares, struct shares_queue *queue, int64_t end,
			int64_t share)
{
	struct netconf_session *session;
	int64_t now = clock_now();

	while ((session = TAILQ_FIRST(&queue->sessions)) && now < end) {
		shares->share_end = now + (share ? share : (end - now) / queue->count);
		shares_remove(session);
		shares->go_on(session, queue == &shares->notifications);
		now = clock_now();
	}
}

static void serve(struct shares *shares)
{
	const struct timeval at_once = {0};
	int64_t kept = shares->notifications.count ? NOTIFICATIONS_NS : 0, now;
	bool begins = !shares->began;

	if (begins) {
		shares->began = true;
		shares->end = clock_now() + BUDGET_NS;
		evtimer_add(shares->next, &at_once);
	}
	serve_queue(shares, &shares->requests, shares->end - kept, 0);
	now = clock_now(); /* others may have had the processor: still, one is served */
	serve_queue(shares, &shares->notifications,
		    begins && now >= shares->end ? now + NOTIFICATIONS_NS : shares->end,
		    NOTIFICATIONS_NS);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	serve(arg);
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
	struct shares *shares = arg;

	(void)fd, (void)what;
	shares->began = false;
	if (shares->requests.count || shares->notifications.count)
		serve(shares);
}

int shares_open(struct shares *shares, struct event_base *base, shares_go_on *go_on)
{
	shares->go_on = go_on;
	TAILQ_INIT(&shares->requests.sessions);
	TAILQ_INIT(&shares->notifications.sessions);
	shares->work = evtimer_new(base, on_work, shares);
	shares->next = evtimer_new(base, on_next, shares);
	return shares->work && shares->next ? 0 : -ENOMEM;
}

void shares_close(struct shares *shares)
{
	if (shares->work)
		event_free(shares->work);
	if (shares->next)
		event_free(shares->next);
	*shares = (struct shares){0};
}

static void add(struct shares *shares, struct shares_queue *queue, struct netconf_session *session)
{
	TAILQ_INSERT_TAIL(&queue->sessions, session, waiting);
	session->queue = queue;
	queue->count++;
	/* Runs after everything else that this turn of the loop found to do. */
	event_active(shares->work, EV_TIMEOUT, 0);
}

void shares_add(struct shares *shares, struct netconf_session *session)
{
	if (session->queue == &shares->requests)
		return;
	shares_remove(session);
	add(shares, &shares->requests, session);
}

void shares_add_notifications(struct shares *shares, struct netconf_session *session)
{
	if (!session->queue)
		add(shares, &shares->notifications, session);
}

void shares_remove(struct netconf_session *session)
{
	struct shares_queue *queue = session->queue;

	if (!queue)
		return;
	TAILQ_REMOVE(&queue->sessions, session, waiting);
	session->queue = NULL;
	queue->count--;
}

bool shares_has_time(const struct shares *shares)
{
	return clock_now() < shares->share_end;
}
