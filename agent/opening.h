/*
 * Reaching the AgentX master: connecting and the Open PDU (RFC 2741 section
 * 6.2.1), without waiting for either. A master that is stopped, whose queue is
 * full, or that accepts and says nothing, costs nobody anything.
 */
#ifndef AGENT_OPENING_H
#define AGENT_OPENING_H

#include "endpoint.h"
#include "pdu.h"

#define OPENING_PATIENCE_S 3 /* then it is given up */

struct event_base;
struct opening;

/* What the master said to Open. */
struct opened {
	int fd; /* nonblocking, handed over */
	struct pdu_header header;
	struct pdu_response response;
	int64_t at; /* clock_now() then */
};

enum opening_state { OPENING_IDLE, OPENING_UNDER_WAY, OPENING_DONE };

/*
 * @failed is told why an attempt came to nothing: an errno, ETIMEDOUT of TCP, 0
 * when the master accepted and did not answer in time. NULL: no memory.
 */
struct opening *opening_new(struct event_base *base, const struct endpoint *endpoint,
			    void (*failed)(int os_errno, void *arg), void *arg);
void opening_free(struct opening *opening); /* accepts NULL */

/*
 * Begin an attempt, unless one is under way or done. A master that is well
 * answers within this call. Failing at once is told by the return value alone:
 * 0 or a negative errno.
 */
int opening_begin(struct opening *opening);

enum opening_state opening_state(const struct opening *opening);

/* Take the session of an attempt that is done. */
struct opened opening_take(struct opening *opening);

#endif
