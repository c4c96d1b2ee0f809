/*
 * Keeps the candidate datastore (RFC 6241 section 8.3): one overlay for all sessions, which the
 * transaction changes and doors read. May call the context and the store; called by
 * changes, lock, the transaction and the turn.
 */
#ifndef ENGINE_STAGING_H
#define ENGINE_STAGING_H

#include "engine/requests.h"

/* Rebase it if others have committed since, then apply all of @edit or none. NULL: no memory. */
struct cursor *staging_edit_begin(struct engine *engine, struct edit *edit, struct error *err);
/* Make @changes, made of running as it is, the candidate's, which had none. 0 or -ENOMEM. */
int staging_take(struct engine *engine, struct candidate *changes, struct error *err);
/* Make it equal running: at once or, while an edit of it is under way, when that has ended. */
void staging_clear(struct engine *engine);
/* The transaction has ended. */
void staging_finish(struct engine *engine);
bool staging_dirty(const struct engine *engine);

/* Overlays that nobody needs any more are freed in slices. */
int64_t staging_due(const struct engine *engine);
void staging_free_some(struct engine *engine);
void staging_close(struct engine *engine);

#endif
