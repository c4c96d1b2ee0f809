/*
 * The overlay's own verbs: private to the files that work on candidates.
 */
#ifndef STORE_OVERLAY_H
#define STORE_OVERLAY_H

#include "store/candidate.h"

static inline enum object change_object(const struct change *change)
{
	return change->session_id == 0 ? OBJECT_TUNNEL : OBJECT_SESSION;
}

/* Equal to running after all? */
bool change_is_nothing(const struct change *change);

/* Exact look-up, and the first change at or after that place; NULL when there is none. */
struct change *overlay_find(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id);
struct change *overlay_from(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id);

/* The change of that entry, made from running when there is none yet. NULL: no memory. */
struct change *overlay_touch(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id);
/* A change as it is, which the overlay must not have yet. NULL: no memory, or it has. */
struct change *overlay_insert(struct candidate *candidate, const struct change *change);
void overlay_remove(struct candidate *candidate, struct change *change);

/* What the change shall make of its entry; @after NULL: gone. Puts the key right. */
void change_set(struct change *change, const void *after);

/* What is configured now; false when there is nothing. */
bool running_config(const struct datastore *running, uint32_t tunnel_id, uint32_t session_id,
		    union config *ret);

#endif
