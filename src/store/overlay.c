#include "store/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "store/acm.h"

static int change_order(const struct change *a, const struct change *b)
{
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

RB_PROTOTYPE(change_tree, change, link, )
RB_GENERATE(change_tree, change, link, change_order)

int overlay_no_memory(struct error *err)
{
	return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "out of memory; make the edit smaller");
}

/*
 * Changes live in blocks, so that what is shared with running does not lie between them, and all
 * their memory can be given back.
 */

#define BLOCK_FIRST 4
#define BLOCK_MAX   2048 /* with pages of its own (base/arena.h) */

struct change_block {
	struct change_block *next;
	size_t used, size;
	struct change changes[];
};

static bool grow(struct candidate *candidate)
{
	size_t size = candidate->blocks ? candidate->blocks->size * 2 : BLOCK_FIRST;
	struct change_block *block;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	block = arena_block_new(sizeof(*block) + size * sizeof(block->changes[0]));
	if (!block)
		return false;
	*block = (struct change_block){.next = candidate->blocks, .size = size};
	candidate->blocks = block;
	return true;
}

static struct change *change_new(struct candidate *candidate)
{
	struct change *change = candidate->spare;

	if (change) {
		candidate->spare = change->earlier;
	} else {
		if ((!candidate->blocks || candidate->blocks->used == candidate->blocks->size) &&
		    !grow(candidate))
			return NULL;
		change = &candidate->blocks->changes[candidate->blocks->used++];
	}
	*change = (struct change){0};
	return change;
}

static void change_clear(struct change *change)
{
	config_drop(change->before);
	config_drop(change->after);
	change->before = change->after = NULL;
}

/* Free the one made last with its block, so that taking back gives memory back. */
static void change_free(struct candidate *candidate, struct change *change)
{
	struct change_block *block = candidate->blocks;

	change_clear(change);
	if (change != &block->changes[block->used - 1]) {
		change->earlier = candidate->spare;
		candidate->spare = change;
	} else if (--block->used == 0) {
		candidate->blocks = block->next;
		free(block);
	}
}

bool overlay_clear_last(struct candidate *candidate)
{
	struct change_block *block = candidate->blocks;

	if (!block) {
		acm_drop(candidate->acm);
		acm_drop(candidate->acm_before);
		candidate->acm = candidate->acm_before = NULL;
		return false;
	}
	if (block->used > 0) {
		change_clear(&block->changes[--block->used]);
	} else {
		candidate->blocks = block->next;
		free(block);
	}
	return true;
}

/* The overlay */

bool change_is_nothing(const struct change *change)
{
	if (!change->before || !change->after)
		return change->before == change->after;
	return change->before == change->after ||
	       codec_difference(change_object(change), change->before, change->after) == 0;
}

static int order_to(const struct change *change, uint32_t tunnel_id, uint32_t session_id)
{
	return entry_order(change->tunnel_id, change->session_id, tunnel_id, session_id);
}

/* Look-ups mostly go from one session to the next, with their tunnel in between. */
static struct change *note_recent(const struct candidate *candidate, struct change *found)
{
	if (found && found->session_id != 0)
		((struct candidate *)(uintptr_t)candidate)->recent = found;
	return found;
}

struct change *overlay_from(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id)
{
	struct change *at = RB_ROOT(&candidate->changes), *found = NULL;
	struct change *last = candidate->last, *recent = candidate->recent;

	if (!last || order_to(last, tunnel_id, session_id) < 0)
		return NULL;
	if (recent && order_to(recent, tunnel_id, session_id) < 0) {
		recent = RB_NEXT(change_tree, NULL, recent);
		if (order_to(recent, tunnel_id, session_id) >= 0)
			return note_recent(candidate, recent);
	} else if (recent && order_to(recent, tunnel_id, session_id) == 0) {
		return recent;
	}
	while (at) {
		if (order_to(at, tunnel_id, session_id) >= 0) {
			found = at;
			at = RB_LEFT(at, link);
		} else {
			at = RB_RIGHT(at, link);
		}
	}
	return note_recent(candidate, found);
}

struct change *overlay_find(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id)
{
	struct change *found = overlay_from(candidate, tunnel_id, session_id);

	return found && found->tunnel_id == tunnel_id && found->session_id == session_id ? found
											 : NULL;
}

const union config *running_config(const struct datastore *running, uint32_t tunnel_id,
				   uint32_t session_id)
{
	const struct entry *entry = datastore_entry(running, tunnel_id, session_id);

	return entry ? entry_config(entry) : NULL;
}

/* Edits mostly come in order: what belongs behind all others need not be searched a place for. */
static bool insert(struct candidate *candidate, struct change *change)
{
	struct change *last = candidate->last;

	if (last && change_order(last, change) >= 0)
		return !RB_INSERT(change_tree, &candidate->changes, change);
	candidate->last = change;
	if (!last)
		return !RB_INSERT(change_tree, &candidate->changes, change);
	RB_SET(change, last, link);
	RB_RIGHT(last, link) = change;
	change_tree_RB_INSERT_COLOR(&candidate->changes, change);
	return true;
}

struct change *overlay_insert(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id,
			      const union config *before, const union config *after)
{
	struct change *change = change_new(candidate);

	if (!change)
		return NULL;
	change->tunnel_id = tunnel_id;
	change->session_id = session_id;
	change->before = config_share(before);
	change->after = config_share(after);
	if (!insert(candidate, change)) {
		change_free(candidate, change);
		return NULL;
	}
	candidate->count++;
	return change;
}

struct change *overlay_touch(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id)
{
	struct change *change = overlay_find(candidate, tunnel_id, session_id);
	const union config *now;

	if (change)
		return change;
	now = running_config(candidate->running, tunnel_id, session_id);
	return overlay_insert(candidate, tunnel_id, session_id, now, now);
}

/* The last one takes the memory along: a clean candidate has none. */
void overlay_remove(struct candidate *candidate, struct change *change)
{
	if (change == candidate->recent)
		candidate->recent = NULL;
	if (change == candidate->last)
		candidate->last = RB_PREV(change_tree, NULL, change);
	RB_REMOVE(change_tree, &candidate->changes, change);
	change_free(candidate, change);
	if (--candidate->count > 0)
		return;
	for (struct change_block *block = candidate->blocks; block; block = candidate->blocks) {
		candidate->blocks = block->next;
		free(block);
	}
	candidate->spare = NULL;
}

void change_put(struct change *change, const union config *after)
{
	config_drop(change->after);
	change->after = after;
}

int change_set(struct change *change, const void *after)
{
	size_t size = change->session_id ? sizeof(struct session) : sizeof(struct tunnel);
	const union config *new = NULL;

	if (after && change->before && memcmp(change->before, after, size) == 0)
		new = config_share(change->before); /* most of a replace that changes little */
	else if (after)
		new = config_new(change->tunnel_id, change->session_id, after);
	if (after && !new)
		return -ENOMEM;
	change_put(change, new);
	return 0;
}

struct change *candidate_first(const struct candidate *candidate)
{
	return overlay_from(candidate, 0, 0);
}

struct change *change_next(struct change *change)
{
	return RB_NEXT(change_tree, NULL, change);
}
