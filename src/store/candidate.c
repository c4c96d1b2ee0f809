#include "store/candidate.h"

#include <errno.h>
#include <stdlib.h>

#include "base/wipe.h"
#include "model/codec.h"
#include "store/overlay.h"

static int change_order(const struct change *a, const struct change *b)
{
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

RB_PROTOTYPE(change_tree, change, link, )
RB_GENERATE(change_tree, change, link, change_order)

/* The overlay */

bool change_is_nothing(const struct change *change)
{
	if (change->had != change->has)
		return false;
	return !change->has ||
	       codec_difference(change_object(change), &change->before, &change->after) == 0;
}

struct change *overlay_from(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id)
{
	struct change *at = RB_ROOT(&candidate->changes), *found = NULL;

	while (at != NULL) {
		if (entry_order(at->tunnel_id, at->session_id, tunnel_id, session_id) >= 0) {
			found = at;
			at = RB_LEFT(at, link);
		} else {
			at = RB_RIGHT(at, link);
		}
	}
	return found;
}

struct change *overlay_find(const struct candidate *candidate, uint32_t tunnel_id,
			    uint32_t session_id)
{
	struct change *found = overlay_from(candidate, tunnel_id, session_id);

	return found != NULL && found->tunnel_id == tunnel_id && found->session_id == session_id
		       ? found
		       : NULL;
}

bool running_config(const struct datastore *running, uint32_t tunnel_id, uint32_t session_id,
		    union config *ret)
{
	const struct entry *entry = datastore_entry(running, tunnel_id, session_id);

	if (entry == NULL || !entry->configured)
		return false;
	if (session_id == 0)
		ret->tunnel = entry_tunnel(entry)->config;
	else
		ret->session = entry_session(entry)->config;
	return true;
}

struct change *overlay_touch(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id)
{
	struct change *change = overlay_find(candidate, tunnel_id, session_id);

	if (change != NULL)
		return change;
	change = calloc(1, sizeof(*change));
	if (change == NULL)
		return NULL;
	change->tunnel_id = tunnel_id;
	change->session_id = session_id;
	change->had = running_config(candidate->running, tunnel_id, session_id, &change->before);
	change->has = change->had;
	change->after = change->before;
	RB_INSERT(change_tree, &candidate->changes, change);
	candidate->count++;
	return change;
}

struct change *overlay_insert(struct candidate *candidate, const struct change *change)
{
	struct change *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	*copy = *change;
	copy->edit = 0;
	if (RB_INSERT(change_tree, &candidate->changes, copy) != NULL) {
		wipe_free(copy, sizeof(*copy));
		return NULL;
	}
	candidate->count++;
	return copy;
}

void overlay_remove(struct candidate *candidate, struct change *change)
{
	RB_REMOVE(change_tree, &candidate->changes, change);
	candidate->count--;
	wipe_free(change, sizeof(*change));
}

void change_set(struct change *change, const void *after)
{
	change->has = after != NULL;
	change->after = (union config){0};
	if (after == NULL)
		return;
	if (change->session_id == 0) {
		change->after.tunnel = *(const struct tunnel *)after;
		change->after.tunnel.tunnel_id = change->tunnel_id;
		change->after.present |= BIT(TUNNEL_ID);
	} else {
		change->after.session = *(const struct session *)after;
		change->after.session.session_id = change->session_id;
		change->after.present |= BIT(SESSION_ID);
	}
}

/* The candidate as a whole */

void candidate_open(struct candidate *candidate, const struct datastore *running)
{
	*candidate = (struct candidate){.running = running};
}

void candidate_discard(struct candidate *candidate)
{
	struct change *change;

	while ((change = RB_ROOT(&candidate->changes)) != NULL)
		overlay_remove(candidate, change);
	candidate_open(candidate, candidate->running);
}

bool candidate_dirty(const struct candidate *candidate)
{
	return !RB_EMPTY(&candidate->changes);
}

void candidate_move(struct candidate *to, struct candidate *from)
{
	*to = *from;
	candidate_open(from, from->running);
}

struct change *candidate_first(const struct candidate *candidate)
{
	return overlay_from(candidate, 0, 0);
}

struct change *change_next(struct change *change)
{
	return RB_NEXT(change_tree, NULL, change);
}

int candidate_put(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id,
		  const void *after)
{
	struct change *change = overlay_touch(candidate, tunnel_id, session_id);

	if (change == NULL)
		return -ENOMEM;
	change_set(change, after);
	if (change_is_nothing(change))
		overlay_remove(candidate, change);
	return 0;
}

/* Reading: the overlay where it says something, else running */

const struct tunnel *candidate_tunnel(const struct candidate *candidate, uint32_t tunnel_id)
{
	const struct change *change = overlay_find(candidate, tunnel_id, 0);
	const struct tunnel_entry *tunnel;

	if (change != NULL)
		return change->has ? &change->after.tunnel : NULL;
	tunnel = datastore_tunnel(candidate->running, tunnel_id);
	return tunnel != NULL && tunnel->entry.configured ? &tunnel->config : NULL;
}

const struct session *candidate_session(const struct candidate *candidate, uint32_t tunnel_id,
					uint32_t session_id)
{
	const struct change *change = overlay_find(candidate, tunnel_id, session_id);
	const struct session_entry *session;

	if (change != NULL)
		return change->has ? &change->after.session : NULL;
	session = datastore_session(candidate->running, tunnel_id, session_id);
	return session != NULL && session->entry.configured ? &session->config : NULL;
}

static const struct change *tunnel_change_from(const struct candidate *candidate, uint32_t id)
{
	const struct change *change = overlay_from(candidate, id, 0);

	while (change != NULL && change->session_id != 0)
		change = change->tunnel_id < ID_MAX
				 ? overlay_from(candidate, change->tunnel_id + 1, 0)
				 : NULL;
	return change;
}

const struct tunnel *candidate_tunnel_from(const struct candidate *candidate, uint32_t *id)
{
	const struct tunnel_entry *entry = datastore_tunnel_from(candidate->running, *id);
	const struct change *change = tunnel_change_from(candidate, *id);

	while (entry != NULL || change != NULL) {
		if (change != NULL &&
		    (entry == NULL || change->tunnel_id <= entry->entry.key.tunnel_id)) {
			if (entry != NULL && change->tunnel_id == entry->entry.key.tunnel_id)
				entry = tunnel_next(entry);
			if (change->has) {
				*id = change->tunnel_id;
				return &change->after.tunnel;
			}
			change = change->tunnel_id < ID_MAX
					 ? tunnel_change_from(candidate, change->tunnel_id + 1)
					 : NULL;
		} else if (entry->entry.configured) {
			*id = entry->entry.key.tunnel_id;
			return &entry->config;
		} else {
			entry = tunnel_next(entry);
		}
	}
	return NULL;
}

static const struct change *in_tunnel(const struct change *change, uint32_t tunnel_id)
{
	return change != NULL && change->tunnel_id == tunnel_id ? change : NULL;
}

static const struct change *session_change_next(const struct change *change)
{
	return in_tunnel(change_next((struct change *)(uintptr_t)change), change->tunnel_id);
}

const struct session *candidate_session_from(const struct candidate *candidate, uint32_t tunnel_id,
					     uint32_t *id)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(candidate->running, tunnel_id);
	const struct session_entry *entry =
		tunnel != NULL ? tunnel_session_from(tunnel, *id) : NULL;
	const struct change *change =
		in_tunnel(overlay_from(candidate, tunnel_id, *id > 0 ? *id : 1), tunnel_id);

	while (entry != NULL || change != NULL) {
		if (change != NULL &&
		    (entry == NULL || change->session_id <= entry->entry.key.session_id)) {
			if (entry != NULL && change->session_id == entry->entry.key.session_id)
				entry = session_next(entry);
			if (change->has) {
				*id = change->session_id;
				return &change->after.session;
			}
			change = session_change_next(change);
		} else if (entry->entry.configured) {
			*id = entry->entry.key.session_id;
			return &entry->config;
		} else {
			entry = session_next(entry);
		}
	}
	return NULL;
}

/* The way back, and the way into running */

int candidate_invert(const struct candidate *candidate, struct candidate *ret)
{
	struct candidate way_back;
	struct change *copy;

	candidate_open(&way_back, candidate->running);
	for (struct change *at = candidate_first(candidate); at != NULL; at = change_next(at)) {
		copy = overlay_insert(&way_back, at);
		if (copy == NULL) {
			candidate_discard(&way_back);
			return -ENOMEM;
		}
		copy->had = at->has;
		copy->has = at->had;
		copy->before = at->after;
		copy->after = at->before;
	}
	candidate_move(ret, &way_back);
	return 0;
}

/* All or none of the entries that the changes will configure. */
static int reserve_all(const struct candidate *candidate, struct datastore *running)
{
	struct change *at = candidate_first(candidate), *failed;

	while (at != NULL &&
	       (!at->has || datastore_reserve(running, at->tunnel_id, at->session_id) != NULL))
		at = change_next(at);
	if (at == NULL)
		return 0;
	failed = at;
	for (at = candidate_first(candidate); at != failed; at = change_next(at))
		datastore_release(running, at->tunnel_id, at->session_id);
	return -ENOMEM;
}

static void configure(struct datastore *running, const struct change *change)
{
	datastore_configure(running, change->tunnel_id, change->session_id,
			    change->has ? &change->after : NULL);
}

/* Backwards sessions come before their tunnel, which is how they have to go. */
int candidate_publish(const struct candidate *candidate, struct datastore *running)
{
	struct change *at;
	int result = reserve_all(candidate, running);

	if (result != 0)
		return result;
	RB_FOREACH_REVERSE(at, change_tree, (struct change_tree *)(uintptr_t)&candidate->changes)
	{
		if (!at->has)
			configure(running, at);
	}
	for (at = candidate_first(candidate); at != NULL; at = change_next(at)) {
		if (at->has)
			configure(running, at);
	}
	return 0;
}
