/*
 * The time that the sessions have in one turn of the event loop: one budget for
 * all of them, so that many clients together hold up nobody longer than one
 * alone. Who has something to do waits in a queue, and gets an equal share of
 * what is left of the turn: a small request is never behind a large one.
 */
#ifndef NETCONF_SHARES_H
#define NETCONF_SHARES_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct netconf_session;

/* Its work, until shares_has_time() says no. The session may be gone then. */
typedef void shares_go_on(struct netconf_session *session);

struct shares {
	shares_go_on *go_on;
	TAILQ_HEAD(, netconf_session) waiting;
	unsigned int count; /* of those */
	struct event *work; /* in this turn of the loop, as time is left */
	struct event *next; /* when the next one begins */
	bool began;         /* since then `end` holds */
	int64_t end;        /* of the time of all, clock_now() */
	int64_t share_end;  /* of who is at it */
};

/* 0, or -ENOMEM. Close it in either case, when all sessions are gone. */
int shares_open(struct shares *shares, struct event_base *base, shares_go_on *go_on);
void shares_close(struct shares *shares);

/* Queue it, in this turn if there is time left, else in the next. */
void shares_add(struct shares *shares, struct netconf_session *session);
void shares_remove(struct shares *shares, struct netconf_session *session);

/* May who is at it go on? */
bool shares_has_time(const struct shares *shares);

#endif
