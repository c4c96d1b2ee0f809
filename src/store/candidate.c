#include "store/candidate.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "store/acm.h"
#include "store/index.h"
#include "store/overlay.h"

/* The candidate as a whole */

void candidate_open(struct candidate *candidate, const struct datastore *running)
{
	*candidate = (struct candidate){.running = running};
}

void candidate_discard(struct candidate *candidate)
{
	while (overlay_clear_last(candidate))
		;
	candidate_open(candidate, candidate->running);
}

bool candidate_dirty(const struct candidate *candidate)
{
	return !RB_EMPTY(&candidate->changes) || candidate->acm;
}

void candidate_move(struct candidate *to, struct candidate *from)
{
	*to = *from;
	candidate_open(from, from->running);
}

int candidate_put(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id,
		  const void *after)
{
	struct change *change = overlay_touch(candidate, tunnel_id, session_id);
	int rc = change ? change_set(change, after) : -ENOMEM;

	if (change && change_is_nothing(change))
		overlay_remove(candidate, change);
	return rc;
}

const struct acm *candidate_acm(const struct candidate *candidate)
{
	return candidate->acm ? candidate->acm : candidate->running->acm;
}

void candidate_put_acm(struct candidate *candidate, const struct acm *after)
{
	bool changes = !acm_equal(after, candidate->running->acm);

	after = changes ? acm_share(after) : NULL;
	acm_drop(candidate->acm);
	candidate->acm = after;
	acm_drop(candidate->acm_before);
	candidate->acm_before = changes ? acm_share(candidate->running->acm) : NULL;
}

struct discarding {
	struct cursor cursor;
	struct candidate candidate;
};

static int discarding_forth(struct cursor *cursor)
{
	return overlay_clear_last(&((struct discarding *)cursor)->candidate);
}

struct cursor *candidate_discard_begin(struct candidate *candidate)
{
	static const struct cursor_kind kind = {.forth = discarding_forth};
	struct discarding *discarding = cursor_new(&kind, sizeof(*discarding));

	if (!discarding) {
		candidate_discard(candidate);
		return NULL;
	}
	discarding->cursor.decided = true;
	candidate_move(&discarding->candidate, candidate);
	return &discarding->cursor;
}

/* Reading: the overlay where it says something, else running */

static const struct tunnel *after_tunnel(const struct change *change)
{
	return change->after ? &change->after->tunnel : NULL;
}

static const struct session *after_session(const struct change *change)
{
	return change->after ? &change->after->session : NULL;
}

const struct tunnel *candidate_tunnel(const struct candidate *candidate, uint32_t tunnel_id)
{
	const struct change *change = overlay_find(candidate, tunnel_id, 0);
	const union config *config;

	if (change)
		return after_tunnel(change);
	config = running_config(candidate->running, tunnel_id, 0);
	return config ? &config->tunnel : NULL;
}

const struct session *candidate_session(const struct candidate *candidate, uint32_t tunnel_id,
					uint32_t session_id)
{
	const struct change *change = overlay_find(candidate, tunnel_id, session_id);
	const union config *config;

	if (change)
		return after_session(change);
	config = running_config(candidate->running, tunnel_id, session_id);
	return config ? &config->session : NULL;
}

static enum layer layer_of(const struct candidate *candidate)
{
	return candidate->behind ? LAYER_BASE : datastore_layer(candidate->running);
}

const struct tunnel *overlay_tunnel_within(const struct candidate *candidate, uint32_t *id,
					   unsigned int places, bool *ret_more)
{
	enum layer layer = layer_of(candidate);
	const struct tunnel_entry *entry = index_tunnel_from(candidate->running, layer, *id);
	const struct change *change = overlay_from(candidate, *id, 0); /* or of a session in it */
	const struct tunnel *found = NULL;

	for (*ret_more = false; entry || change; places--) {
		bool in_running =
			entry && (!change || entry->entry.key.tunnel_id <= change->tunnel_id);
		bool in_overlay;

		*id = in_running ? entry->entry.key.tunnel_id : change->tunnel_id;
		*ret_more = places == 0;
		if (places == 0)
			break;
		in_overlay = change && change->tunnel_id == *id;
		if (in_overlay && change->session_id == 0)
			found = after_tunnel(change);
		else if (in_running)
			found = entry_config_in(&entry->entry, layer);
		if (found || *id == ID_MAX)
			break;
		if (in_running)
			entry = index_tunnel_next(entry, layer);
		if (in_overlay)
			change = overlay_from(candidate, *id + 1, 0);
	}
	return found;
}

static struct change *in_tunnel(struct change *change, uint32_t tunnel_id)
{
	return change && change->tunnel_id == tunnel_id ? change : NULL;
}

const struct session *overlay_session_within(const struct candidate *candidate, uint32_t tunnel_id,
					     uint32_t *id, unsigned int places, bool *ret_more)
{
	enum layer layer = layer_of(candidate);
	const struct tunnel_entry *tunnel = index_tunnel(candidate->running, tunnel_id);
	const struct session_entry *entry = tunnel ? index_session_from(tunnel, layer, *id) : NULL;
	struct change *change =
		in_tunnel(overlay_from(candidate, tunnel_id, *id > 0 ? *id : 1), tunnel_id);
	const struct session *found = NULL;

	for (*ret_more = false; entry || change; places--) {
		bool in_running =
			entry && (!change || entry->entry.key.session_id <= change->session_id);
		bool in_overlay;

		*id = in_running ? entry->entry.key.session_id : change->session_id;
		*ret_more = places == 0;
		if (places == 0)
			break;
		in_overlay = change && change->session_id == *id;
		found = in_overlay ? after_session(change) : entry_config_in(&entry->entry, layer);
		if (found)
			break;
		if (in_running)
			entry = index_session_next(entry, layer);
		if (in_overlay)
			change = in_tunnel(change_next(change), tunnel_id);
	}
	return found;
}

const struct tunnel *candidate_tunnel_from(const struct candidate *candidate, uint32_t *id)
{
	bool more;

	return overlay_tunnel_within(candidate, id, UINT_MAX, &more);
}

const struct session *candidate_session_from(const struct candidate *candidate, uint32_t tunnel_id,
					     uint32_t *id)
{
	bool more;

	return overlay_session_within(candidate, tunnel_id, id, UINT_MAX, &more);
}

/* The way back, and copies */

struct copying {
	struct cursor cursor;
	struct change *at; /* the next to copy; NULL: none */
	struct candidate *ret;
	bool inverted;
	struct error *err;
};

static int copying_forth(struct cursor *cursor)
{
	struct copying *copying = (struct copying *)cursor;
	struct change *at = copying->at;

	if (!at)
		return 0;
	if (!overlay_insert(copying->ret, at->tunnel_id, at->session_id,
			    copying->inverted ? at->after : at->before,
			    copying->inverted ? at->before : at->after))
		return overlay_no_memory(copying->err);
	copying->at = change_next(at);
	return 1;
}

static int copying_back(struct cursor *cursor)
{
	struct copying *copying = (struct copying *)cursor;

	if (overlay_clear_last(copying->ret))
		return 1;
	candidate_open(copying->ret, copying->ret->running);
	return 0;
}

static struct cursor *copying_begin(const struct candidate *candidate, struct candidate *ret,
				    bool inverted, struct error *err)
{
	static const struct cursor_kind kind = {.forth = copying_forth, .back = copying_back};
	struct copying *copying = cursor_new(&kind, sizeof(*copying));

	if (!copying) {
		overlay_no_memory(err);
		return NULL;
	}
	copying->at = candidate_first(candidate);
	copying->ret = ret;
	copying->inverted = inverted;
	copying->err = err;
	candidate_open(ret, candidate->running);
	ret->adopt = candidate->adopt;
	ret->acm_before = acm_share(inverted ? candidate->acm : candidate->acm_before);
	ret->acm = acm_share(inverted ? candidate->acm_before : candidate->acm);
	return &copying->cursor;
}

struct cursor *candidate_invert_begin(const struct candidate *candidate, struct candidate *ret,
				      struct error *err)
{
	return copying_begin(candidate, ret, true, err);
}

struct cursor *candidate_copy_begin(const struct candidate *candidate, struct candidate *ret,
				    struct error *err)
{
	return copying_begin(candidate, ret, false, err);
}

int candidate_invert(const struct candidate *candidate, struct candidate *ret, struct error *err)
{
	return cursor_run(candidate_invert_begin(candidate, ret, err));
}
