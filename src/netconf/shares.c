#include "netconf/shares.h"

#include <errno.h>

#include "base/clock.h"
#include "netconf/session.h"

/* The engine's slices take up to 12 ms, and a turn of the loop may take 20. */
#define BUDGET_NS INT64_C(4000000)

static void serve(struct shares *shares)
{
	const struct timeval at_once = {0};
	struct netconf_session *session;
	int64_t now = clock_now();

	if (!shares->began) {
		shares->began = true;
		shares->end = now + BUDGET_NS;
		evtimer_add(shares->next, &at_once);
	}
	while ((session = TAILQ_FIRST(&shares->waiting)) && now < shares->end) {
		shares->share_end = now + (shares->end - now) / shares->count;
		shares_remove(shares, session);
		shares->go_on(session);
		now = clock_now();
	}
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
	if (shares->count)
		serve(shares);
}

int shares_open(struct shares *shares, struct event_base *base, shares_go_on *go_on)
{
	shares->go_on = go_on;
	TAILQ_INIT(&shares->waiting);
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

void shares_add(struct shares *shares, struct netconf_session *session)
{
	if (session->waits)
		return;
	TAILQ_INSERT_TAIL(&shares->waiting, session, waiting);
	session->waits = true;
	shares->count++;
	/* Runs after everything else that this turn of the loop found to do. */
	event_active(shares->work, EV_TIMEOUT, 0);
}

void shares_remove(struct shares *shares, struct netconf_session *session)
{
	if (!session->waits)
		return;
	TAILQ_REMOVE(&shares->waiting, session, waiting);
	session->waits = false;
	shares->count--;
}

bool shares_has_time(const struct shares *shares)
{
	return clock_now() < shares->share_end;
}
