/*
 * For a commit that a killed daemon left unfinished: which of its objects are in the kernel. May
 * call changes, compare and desired; called by the transaction that completes or undoes it.
 */
#ifndef ENGINE_RESUME_H
#define ENGINE_RESUME_H

#include "engine/context.h"

/*
 * Validate what the commit changes. ERROR_FOREIGN when others took an id that it creates while no
 * daemon was running. NULL: no memory.
 */
struct cursor *resume_check_begin(struct engine *engine, struct candidate *changes,
				  struct error *err);
/* Collect the keys of what it created in @ret. NULL: no memory, as is -ENOMEM at its end. */
struct cursor *resume_created_begin(struct engine *engine, const struct candidate *changes,
				    struct keys *ret, struct error *err);

#endif
