/*
 * Keepalives: frames that prove to the peer that we are there, sent on the interfaces of sessions
 * that have the leaf. Each session has its own moment within its interval, spread evenly and by the
 * clock, so that thousands are no burst, after a start neither. On the ground floor, beside
 * context, links and lldpdu.
 */
#ifndef ENGINE_KEEPALIVE_H
#define ENGINE_KEEPALIVE_H

#include "engine/context.h"

int keepalive_open(struct engine *engine); /* 0 or -ENOMEM */
void keepalive_close(struct engine *engine);

/*
 * Something of the session has changed: its configuration, status or interface. Sends from now on
 * what these say, or no longer.
 */
void keepalive_follow(struct engine *engine, const struct session_entry *session);

int64_t keepalive_due(const struct engine *engine);
void keepalive_send(struct engine *engine); /* a slice of those that are due */

#endif
