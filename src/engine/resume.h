/*
 * A commit that a killed daemon left between record and confirmation: what of it
 * is in the kernel. May call changes, compare and desired; called by the transaction that
 * carries it out, or takes it back.
 */
#ifndef ENGINE_RESUME_H
#define ENGINE_RESUME_H

#include "engine/context.h"

/*
 * Validate what the commit changes. ERROR_FOREIGN when others have taken an id that
 * it creates, while no daemon was there. NULL: no memory.
 */
struct cursor *resume_check_begin(struct engine *engine, struct candidate *changes,
				  struct error *err);
/* The keys of what it created, into @ret. NULL: no memory, as -ENOMEM at its end. */
struct cursor *resume_created_begin(struct engine *engine, const struct candidate *changes,
				    struct keys *ret, struct error *err);

#endif
