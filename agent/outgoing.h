/*
 * Octets to a master that may not read: sent now or queued, never waited for. A
 * master that reads nothing more is left, when the queue is full: the connection
 * ends, which the reading side finds out.
 */
#ifndef AGENT_OUTGOING_H
#define AGENT_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct outgoing;

struct outgoing *outgoing_new(struct event_base *base); /* NULL: no memory */
void outgoing_free(struct outgoing *outgoing);          /* accepts NULL */

/* From now on to this connection, which is borrowed; -1: to none, and what is queued goes. */
bool outgoing_attach(struct outgoing *outgoing, int fd);

/* Always takes everything: what comes too late to be sent, nobody waits for. */
void outgoing_put(struct outgoing *outgoing, const void *bytes, size_t size);

/* End the connection, whatever is queued. */
void outgoing_end(struct outgoing *outgoing);

#endif
