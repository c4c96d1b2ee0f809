/*
 * A candidate follows what others have committed to running: a three-way
 * merge by leaf of what the entry was, what this candidate made of it, and
 * what running has now.
 */
#include <errno.h>

#include "model/codec.h"
#include "store/overlay.h"

/* Leaves changed here go over theirs. */
static union config merge(const struct change *change, const union config *theirs)
{
	enum object object = change_object(change);
	uint64_t mine = codec_difference(object, &change->before, &change->after);
	union config merged = *theirs;

	for (; mine != 0; mine &= mine - 1)
		codec_copy(&row_sets[object].rows[__builtin_ctzll(mine)], &merged, &change->after);
	return merged;
}

static void follow(struct candidate *candidate, struct change *change)
{
	union config theirs = {0};
	bool there =
		running_config(candidate->running, change->tunnel_id, change->session_id, &theirs);

	if (there && change->has)
		change->after = merge(change, &theirs);
	change->had = there;
	change->before = theirs;
}

/* Sessions that others put into a tunnel that is deleted here. */
static int delete_sessions(struct candidate *candidate, uint32_t tunnel_id)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(candidate->running, tunnel_id);
	const struct session_entry *at = tunnel != NULL ? tunnel_session_from(tunnel, 0) : NULL;

	for (; at != NULL; at = session_next(at)) {
		if (at->entry.configured &&
		    overlay_find(candidate, tunnel_id, at->entry.key.session_id) == NULL &&
		    candidate_put(candidate, tunnel_id, at->entry.key.session_id, NULL) != 0)
			return -ENOMEM;
	}
	return 0;
}

int candidate_rebase(struct candidate *candidate)
{
	struct change *at = candidate_first(candidate), *next;
	int result = 0;

	for (; at != NULL && result == 0; at = next) {
		follow(candidate, at);
		if (at->session_id == 0 && at->had && !at->has)
			result = delete_sessions(candidate, at->tunnel_id);
		next = change_next(at);
		if (change_is_nothing(at))
			overlay_remove(candidate, at);
	}
	return result;
}
