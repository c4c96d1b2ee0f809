/*
 * Entries out of the reply to a get or get-config, one by one as they arrive:
 * a reader handler for the client.
 */
#ifndef CLIENT_ENTRIES_H
#define CLIENT_ENTRIES_H

#include "client/client.h"
#include "netconf/reader.h"

struct entries;

struct entries *entries_open(client_entry_cb *cb, void *arg); /* NULL: no memory */
void entries_close(struct entries *entries);                  /* Accepts NULL. */

/* Its functions' @arg is the struct entries. */
extern const struct reader_handler entries_handler;

/* The reply without the entries: an rpc-error is in there. After all was read. */
const struct node *entries_reply(const struct entries *entries);

#endif
