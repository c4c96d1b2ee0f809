/*
 * From a request to the changes of the configuration it means, checked as far as
 * can be without the kernel. May call plan (would it refuse?), compare and what
 * they may; called by the transaction, and by doors as engine_check().
 */
#ifndef ENGINE_CHANGES_H
#define ENGINE_CHANGES_H

#include "engine/requests.h"

/*
 * Fill @changes by what the request says; refuses as a commit would, but for what a
 * plan refuses. NULL: no memory. Given up, @changes has some, to be discarded.
 */
struct cursor *changes_begin(struct engine *engine, struct request *request,
			     struct candidate *changes, struct error *err);
/* Names for the sessions that have none: those that their interfaces have, or new ones. */
int changes_choose_names(struct engine *engine, struct candidate *changes, struct error *err);

/* Visit the changes, one a unit; a negative errno of @visit ends it. NULL: no memory. */
typedef int change_visit(struct engine *engine, const struct candidate *changes,
			 const struct change *change, void *arg, struct error *err);
struct cursor *changes_walk_begin(struct engine *engine, const struct candidate *changes,
				  change_visit *visit, void *arg, struct error *err);

#endif
