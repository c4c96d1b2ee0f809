/*
 * A commit that a killed daemon left between record and confirmation: what of it
 * is in the kernel. May call compare and desired; called by the transaction that
 * carries it out, or takes it back.
 */
#ifndef ENGINE_RESUME_H
#define ENGINE_RESUME_H

#include "engine/context.h"

/* ERROR_FOREIGN when others have taken an id that it creates, while no daemon was there. */
int resume_refuse_foreign(struct engine *engine, const struct candidate *changes,
			  struct error *err);
/* The keys of what it created, into @ret. -ENOMEM */
int resume_created(struct engine *engine, const struct candidate *changes, struct keys *ret);

#endif
