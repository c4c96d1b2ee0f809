/* What is wanted against what the kernel has. Changes nothing; may call desired and the context. */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/context.h"

/*
 * The first leaf in which the kernel's @have is not as wanted, of those that it
 * reports; NULL: none. @created: just now, so that the data path has not yet
 * changed what it may change (SOURCE_DRIFT).
 */
const struct row *compare_kernel(enum object object, const void *want, const void *have,
				 bool created);
/* The leaf in which an entry, or its interface, differs from what is configured; NULL: none. */
const struct row *compare_entry(struct engine *engine, const struct entry *entry);

/*
 * Rows (bits) in which the kernel's object must change. What the kernel reports
 * is compared with it; what it does not report, or the data path rewrites, is
 * compared with the configuration until now (@before, NULL: none).
 */
uint64_t compare_change(enum object object, const void *before, const void *want, const void *have);

#endif
