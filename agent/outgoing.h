/*
 * Octets to a master that may not read: they are sent or queued, and nobody waits. When the queue
 * is full the connection ends, which the reading side will notice.
 */
#ifndef AGENT_OUTGOING_H
#define AGENT_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct outgoing;

struct outgoing *outgoing_new(struct event_base *base); /* NULL: no memory */
void outgoing_free(struct outgoing *outgoing);          /* accepts NULL */

/* Send to this connection (borrowed) from now on, and drop what is queued; -1: to none. */
bool outgoing_attach(struct outgoing *outgoing, int fd);

/* Always takes everything; what cannot be sent any more is dropped. */
void outgoing_put(struct outgoing *outgoing, const void *bytes, size_t size);

/* End the connection and drop what is queued. */
void outgoing_end(struct outgoing *outgoing);

#endif
