/*
 * Takes entries from the reply to a get or get-config as they arrive: a reader handler for the
 * client.
 */
#ifndef CLIENT_ENTRIES_H
#define CLIENT_ENTRIES_H

#include "client/client.h"
#include "netconf/reader.h"

struct entries;

struct entries *entries_open(client_entry_cb *cb, void *arg); /* NULL: no memory */
void entries_close(struct entries *entries);                  /* Accepts NULL. */

/* @arg of its functions is the struct entries. */
extern const struct reader_handler entries_handler;

/* The reply without its entries, such as an rpc-error. Call it after the end of the reply. */
const struct node *entries_reply(const struct entries *entries);

#endif
