/*
 * Reaches the AgentX master: connects and sends the Open PDU (RFC 2741 section 6.2.1), and waits
 * for neither. A master that is stopped, has a full queue, or accepts and says nothing holds
 * nobody up.
 */
#ifndef AGENT_OPENING_H
#define AGENT_OPENING_H

#include "endpoint.h"
#include "pdu.h"

#define OPENING_PATIENCE_S 3 /* then give up */

struct event_base;
struct opening;

/* The master's answer to Open. */
struct opened {
	int fd; /* nonblocking, handed over */
	struct pdu_header header;
	struct pdu_response response;
	int64_t at; /* clock_now() then */
};

enum opening_state { OPENING_IDLE, OPENING_UNDER_WAY, OPENING_DONE };

/*
 * @failed learns why an attempt failed: an errno, of TCP ETIMEDOUT too, or 0 when the master
 * accepted and did not answer in time. NULL: no memory.
 */
struct opening *opening_new(struct event_base *base, const struct endpoint *endpoint,
			    void (*failed)(int os_errno, void *arg), void *arg);
void opening_free(struct opening *opening); /* accepts NULL */

/*
 * Begin an attempt, unless one is under way or done. A healthy master answers within this call. An
 * immediate failure is returned, and @failed is not called: 0 or a negative errno.
 */
int opening_begin(struct opening *opening);

enum opening_state opening_state(const struct opening *opening);

/* Take the session from an attempt that is done. */
struct opened opening_take(struct opening *opening);

#endif
