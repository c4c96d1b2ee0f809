#include "netconf/turn.h"

#include <errno.h>

#include "base/clock.h"
#include "netconf/session.h"

/* The engine has as much for its slices, and a turn of the loop 20 ms. */
#define BUDGET_NS INT64_C(8000000)

static void serve(struct turn *turn)
{
	const struct timeval at_once = {0};
	struct netconf_session *session;
	int64_t now = clock_now();

	if (!turn->began) {
		turn->began = true;
		turn->end = now + BUDGET_NS;
		evtimer_add(turn->next, &at_once);
	}
	while ((session = TAILQ_FIRST(&turn->waiting)) && now < turn->end) {
		turn->share_end = now + (turn->end - now) / turn->count;
		turn_remove(turn, session);
		session_go_on(session);
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
	struct turn *turn = arg;

	(void)fd, (void)what;
	turn->began = false;
	if (turn->count)
		serve(turn);
}

int turn_open(struct turn *turn, struct event_base *base)
{
	TAILQ_INIT(&turn->waiting);
	turn->work = evtimer_new(base, on_work, turn);
	turn->next = evtimer_new(base, on_next, turn);
	return turn->work && turn->next ? 0 : -ENOMEM;
}

void turn_close(struct turn *turn)
{
	if (turn->work)
		event_free(turn->work);
	if (turn->next)
		event_free(turn->next);
	*turn = (struct turn){0};
}

void turn_add(struct turn *turn, struct netconf_session *session)
{
	if (session->waits)
		return;
	TAILQ_INSERT_TAIL(&turn->waiting, session, waiting);
	session->waits = true;
	turn->count++;
	/* It comes after all that this turn of the loop found to do. */
	event_active(turn->work, EV_TIMEOUT, 0);
}

void turn_remove(struct turn *turn, struct netconf_session *session)
{
	if (!session->waits)
		return;
	TAILQ_REMOVE(&turn->waiting, session, waiting);
	session->waits = false;
	turn->count--;
}

bool turn_has_time(const struct turn *turn)
{
	return clock_now() < turn->share_end;
}
