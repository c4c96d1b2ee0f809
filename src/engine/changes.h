/*
 * From a request to the changes of the configuration it means, checked as far as
 * can be without the kernel. May call plan (would it refuse?), compare and what
 * they may; called by the transaction, and by doors as engine_check().
 */
#ifndef ENGINE_CHANGES_H
#define ENGINE_CHANGES_H

#include "engine/requests.h"

/* Fill @changes by what the request says; refuses as a commit would, but for what a plan refuses.
 */
int changes_make(struct engine *engine, struct request *request, struct candidate *changes,
		 struct error *err);
/* Names for the sessions that have none: those that their interfaces have, or new ones. */
int changes_choose_names(struct engine *engine, struct candidate *changes, struct error *err);

#endif
