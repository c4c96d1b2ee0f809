/*
 * What the last daemon knew of entries, and the next should know: moments and flags that neither
 * configuration nor kernel have (journal/identities.h). An object counts as the one known before if
 * it can be shown to be the same:
 *
 *	  session    its interface, by index, still exists: an index is not used twice
 *	  tunnel     its UDP socket has the same cookie, or a session's interface still
 *	             exists, for sessions are deleted with their tunnel
 *	  else       (PPP, or over IP without such sessions) counters have not gone back, and
 *	             a session is not older than its tunnel
 *
 * What began, ended or was found is written before the next turn, and before the commit that did it
 * is confirmed. Other changes of status are written at once while they are few, but no more than
 * some 4,000 per second. So after a storm of changes a kill loses as many seconds as writing all of
 * them takes, and an object that changed and changed back within these shows its earlier
 * last-change.
 *
 * On the ground floor, beside context and links: anybody in engine/ may call it.
 */
#ifndef ENGINE_RECALL_H
#define ENGINE_RECALL_H

#include "engine/context.h"
#include "journal/identities.h"

int recall_open(struct engine *engine); /* 0 or -ENOMEM */
/* Writes everything. */
void recall_close(struct engine *engine);

/*
 * The kernel has an object that this daemon did not know. If the last daemon knew it, restore its
 * state and return what was known, valid until recall_end_start(); else return NULL.
 */
const struct identity *recall_found(struct engine *engine, struct entry *entry,
				    const struct statistics *statistics);
/* The same for an entry that is configured but not in the kernel: it waits as before. */
void recall_absent(struct engine *engine, struct entry *entry);
/*
 * The next session after @key that was being removed and not found, but whose interface exists.
 */
const struct identity *recall_lingering(const struct engine *engine, const struct key *key);
/* The whole kernel was read: forget what was not found. */
void recall_end_start(struct engine *engine);

/* The entry has changed; @at_once: not only its status. */
void recall_mark(struct engine *engine, struct entry *entry, bool at_once);
/* The entry is about to be freed: forget it. */
void recall_release(struct engine *engine, const struct entry *entry);
/* A commit was made: note engine->last_change. */
void recall_mark_commit(struct engine *engine);

int64_t recall_due(const struct engine *engine);
void recall_write(struct engine *engine); /* a slice */
void recall_write_all(struct engine *engine);

#endif
