/*
 * The time that sessions have in one turn of the event loop: one budget for all of them, so that
 * many clients together hold up nobody longer than one alone. A session with something to do waits
 * in a queue and gets an equal share of what is left of the turn: a small request never waits
 * behind a large one.
 *
 * Those who only have notifications to send are in a queue of their own, of which a few are served
 * in each turn, for longer: many subscribers hold up no request, and each is sent more at once,
 * which costs less than a little to each in every turn.
 */
#ifndef NETCONF_SHARES_H
#define NETCONF_SHARES_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct netconf_session;

/*
 * Does its work until shares_has_time() says no; @notify: it waited for its notifications. The
 * session may be gone after that.
 */
typedef void shares_go_on(struct netconf_session *session, bool notify);

struct shares_queue {
	TAILQ_HEAD(, netconf_session) sessions;
	unsigned int count;
};

struct shares {
	shares_go_on *go_on;
	struct shares_queue requests, notifications;
	struct event *work; /* serves them in this turn of the loop, while there is time */
	struct event *next; /* tells that the next one has begun */
	bool began;         /* in this turn: `end` is valid */
	int64_t end;        /* of everybody's time, by clock_now() */
	int64_t share_end;  /* of the session being served */
};

/* 0 or -ENOMEM. Close it in either case, once all sessions are gone. */
int shares_open(struct shares *shares, struct event_base *base, shares_go_on *go_on);
void shares_close(struct shares *shares);

/* Queue it: for this turn if there is time left, else for the next. It waits in one queue only. */
void shares_add(struct shares *shares, struct netconf_session *session);
/* The same, if it does not wait yet, for its notifications. */
void shares_add_notifications(struct shares *shares, struct netconf_session *session);
void shares_remove(struct netconf_session *session);

/* May the session being served go on? */
bool shares_has_time(const struct shares *shares);

#endif
