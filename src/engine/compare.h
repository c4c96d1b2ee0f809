/*
 * Compares what is wanted with what the kernel has. Changes nothing; may call desired and the
 * context. Called by all that plan, create, look or report.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/context.h"

/*
 * The first leaf reported by the kernel in which @have is not as wanted; NULL: none. @created: just
 * now, so that the data path cannot have changed anything yet (SOURCE_DRIFT).
 */
const struct row *compare_kernel(enum object object, const void *want, const void *have,
				 bool created);
/* The leaf in which an entry, or its interface, differs from its configuration; NULL: none. */
const struct row *compare_entry(struct engine *engine, const struct entry *entry);

/*
 * Rows (as bits) in which the kernel's object must change. Compares with what the kernel reports;
 * for leaves that it does not report, or that the data path rewrites, with the configuration until
 * now (@before, NULL: none).
 */
uint64_t compare_change(enum object object, const void *before, const void *want, const void *have);

#endif
