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

/* Is it as running has it after all? */
bool change_is_nothing(const struct change *change);

/* Exact look-up, and the first change at or after that place; NULL when there is none. */
struct change *overlay_find(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id);
struct change *overlay_from(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id);

/* The change of that entry, made from running when there is none yet. NULL: no memory. */
struct change *overlay_touch(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id);
/*
 * Add a change of an entry that the overlay must not have yet; shares both. NULL: no memory, or it
 * has one.
 */
struct change *overlay_insert(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id,
			      const union config *before, const union config *after);
void overlay_remove(struct candidate *candidate, struct change *change);
/* To discard it step by step: drop a change or a block; false when nothing is left. */
bool overlay_clear_last(struct candidate *candidate);

/*
 * candidate_tunnel_from() and candidate_session_from() in bounded time: NULL with *@ret_more true
 * when nothing was found within @places: go on from *@id.
 */
const struct tunnel *overlay_tunnel_within(const struct candidate *candidate, uint32_t *id,
					   unsigned int places, bool *ret_more);
const struct session *overlay_session_within(const struct candidate *candidate, uint32_t tunnel_id,
					     uint32_t *id, unsigned int places, bool *ret_more);

#define PLACES_MAX 32 /* looked at in a unit of a cursor */

/*
 * What the change makes of its entry where running has got @theirs meanwhile: the leaves
 * that it changes override those. It has an `after`.
 */
union config change_over(const struct change *change, const union config *theirs);

/*
 * What the change shall make of its entry (copied; @after NULL: gone). Sets the key right.
 * -ENOMEM: unchanged.
 */
int change_set(struct change *change, const void *after);
/* The same with a value that becomes the change's. */
void change_put(struct change *change, const union config *after);

/* What is configured now; NULL: nothing. */
const union config *running_config(const struct datastore *running, uint32_t tunnel_id,
				   uint32_t session_id);

int overlay_no_memory(struct error *err);

#endif
