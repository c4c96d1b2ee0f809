/*
 * Turns a request into changes of the configuration, checked as far as possible without the kernel.
 * May call plan (would it refuse?), compare and what they may; called by the transaction, and by
 * doors through engine_check().
 */
#ifndef ENGINE_CHANGES_H
#define ENGINE_CHANGES_H

#include "engine/requests.h"

/*
 * Fill @changes according to the request; refuses what a commit would, except what a plan refuses.
 * NULL: no memory. If abandoned, @changes may have some, which the caller discards.
 */
struct cursor *changes_begin(struct engine *engine, struct request *request,
			     struct candidate *changes, struct error *err);
/* Name the sessions that have no name: as their interfaces are named, or anew. */
int changes_choose_names(struct engine *engine, struct candidate *changes, struct error *err);

/* Visit the changes, one per unit; a negative errno of @visit ends it. NULL: no memory. */
typedef int change_visit(struct engine *engine, const struct candidate *changes,
			 const struct change *change, void *arg, struct error *err);
struct cursor *changes_walk_begin(struct engine *engine, const struct candidate *changes,
				  change_visit *visit, void *arg, struct error *err);

#endif
