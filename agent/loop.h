/*
 * net-snmp in a libevent loop: its pipes, timeouts and alarms. net-snmp cannot say that they
 * changed, so look at them after every call into it. The stream to the master is transport.c's.
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
 * Call this after every call into net-snmp that did not come from the loop: it finishes what
 * handlers delegated, and looks at descriptors and timeouts again.
 */
void loop_turn(struct loop *loop);

/* Have net-snmp read what transport.c has for it, and do what it can do now. */
void loop_feed(struct loop *loop);

/*
 * Let net-snmp's alarms, of which the only one without a session tries to connect every second, run
 * no earlier than so many seconds after the one that runs now. 0: when net-snmp wants to.
 */
void loop_rest(struct loop *loop, unsigned int seconds);

#endif
