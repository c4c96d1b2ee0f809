/*
 * The candidate datastore (RFC 6241 section 8.3): one overlay for all sessions, kept
 * here, changed by the transaction, and read by whoever wants to. May call the context and
 * the store.
 */
#ifndef ENGINE_STAGING_H
#define ENGINE_STAGING_H

#include "engine/requests.h"

/* Rebase it, if others have committed since, and apply @edit, whole or not at all. NULL: no memory.
 */
struct cursor *staging_edit_begin(struct engine *engine, const struct edit *edit,
				  struct error *err);
/* As running is. At once, or, while it is being edited, when that is done. */
void staging_clear(struct engine *engine);
/* What the transaction has done with it is done. */
void staging_finish(struct engine *engine);
bool staging_dirty(const struct engine *engine);

/* What was staged and is needed no more, freed in slices: when, and some of it. */
int64_t staging_due(const struct engine *engine);
void staging_free_some(struct engine *engine);
void staging_close(struct engine *engine);

#endif
