/*
 * A session's subscription to notifications (RFC 5277). It is a place in the event log, with a
 * filter and times: it holds no notifications, so a client that reads slowly costs nothing but what
 * it misses. Then it is told how many it missed, and, once it has the rest, the state of all
 * objects that changed meanwhile.
 */
#ifndef NETCONF_SUBSCRIPTION_H
#define NETCONF_SUBSCRIPTION_H

#include "netconf/session.h"

#define SUBSCRIPTION_NEVER INT64_MAX

struct subscription {
	struct event_filter *filter; /* shared; NULL: all are wanted */
	uint64_t next;               /* the record to send next */
	uint64_t live;               /* the first one that is not replayed */
	bool replays;                /* until replayComplete */
	int64_t start, stop;         /* CLOCK_REALTIME */
	int64_t seen;                /* the time of the last record it had */
	int64_t since;       /* states that changed since then are to be told; NEVER: none */
	enum object object;  /* tunnels, then sessions ... */
	struct key key;      /* ... from here on */
	struct event *timer; /* for `stop` */
};

struct subscription_options {
	const struct node *filter; /* <filter>; not needed afterwards; NULL: none */
	bool replay;               /* what happened since `start` */
	int64_t start;
	int64_t stop; /* SUBSCRIPTION_NEVER: none */
};

/* ERROR_TOO_BIG, or what an XPath is refused with (xpath_expression.h). */
int subscription_open(struct netconf_session *session, const struct subscription_options *options,
		      struct error *err);
void subscription_close(struct netconf_session *session); /* if it has one */

/*
 * Work, or send a notification, in well under a millisecond, between two replies. False: there is
 * nothing to do now, or the subscription has come to its end.
 */
bool subscription_step(struct netconf_session *session);

#endif
