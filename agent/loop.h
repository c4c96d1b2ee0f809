/*
 * net-snmp in a libevent loop: its descriptors, its timeouts and its alarms.
 * net-snmp has no way to say that they changed, so they are looked at after
 * every call into it.
 */
#ifndef AGENT_LOOP_H
#define AGENT_LOOP_H

#include <stdbool.h>

struct event_base;
struct loop;
struct transport;

/* @transport is borrowed. @after is called after every turn of net-snmp. NULL: no memory. */
struct loop *loop_new(struct event_base *base, struct transport *transport,
		      void (*after)(void *arg), void *arg);
void loop_free(struct loop *loop); /* accepts NULL */

/*
 * Call after every call into net-snmp that was not made from the loop: finish
 * what handlers delegated, and look at descriptors and timeouts again.
 */
void loop_turn(struct loop *loop);

/*
 * A session was opened or closed: a descriptor may have been closed and its
 * number used again, which only shows in that the loop is never told of it.
 */
void loop_renew(struct loop *loop);

#endif
