/*
 * What entries were to the last daemon, and to be to the next: moments and flags that
 * neither configuration nor kernel have (journal/identities.h). An object goes on as the one
 * known before where it can be shown to be the same:
 *
 *   session    its interface, by index, is still there: an index is not used twice
 *   tunnel     its UDP socket has the cookie that it had, or a session's interface is
 *              still there, for sessions go with their tunnel
 *   else       (PPP, or over IP without such sessions) counters have not gone back, and
 *              a session is not older than its tunnel
 *
 * What began, ended or was found is written down before the next turn, and before the commit that
 * did it is confirmed. Other changes of status are written at once too while they are few, but no
 * more than some 4,000 a second: of a storm of them a kill loses as many seconds as it
 * takes to write all, and an object that changed and changed back in these shows the
 * last-change before.
 *
 * A ground floor beside context and links.
 */
#ifndef ENGINE_RECALL_H
#define ENGINE_RECALL_H

#include "engine/context.h"
#include "journal/identities.h"

int recall_open(struct engine *engine); /* 0 or -ENOMEM */
/* Writes all. */
void recall_close(struct engine *engine);

/*
 * An object was found in the kernel that this daemon did not know. If it is one
 * that the last daemon knew, its state goes on, and what was known of it is returned, valid
 * until recall_settle(); else NULL, and nothing is done.
 */
const struct identity *recall_found(struct engine *engine, struct entry *entry,
				    const struct statistics *statistics);
/* The same of an entry that is configured and not in the kernel: it waits as it did. */
void recall_absent(struct engine *engine, struct entry *entry);
/* The next session being removed at or after @key that was not found; its interface is there. */
const struct identity *recall_lingering(const struct engine *engine, const struct key *key);
/* The kernel was read, all of it: what was not found is gone. */
void recall_settle(struct engine *engine);

/* What is known of the entry has changed; @at_once: not only its status. */
void recall_mark(struct engine *engine, struct entry *entry, bool at_once);
/* A commit was made: engine->last_change. */
void recall_mark_commit(struct engine *engine);

int64_t recall_due(const struct engine *engine);
void recall_write(struct engine *engine); /* a slice */
void recall_write_all(struct engine *engine);

#endif
