#include "store/publish.h"

#include <assert.h>
#include <errno.h>

#include "store/attach.h"
#include "store/overlay.h"
#include "store/past.h"

/* ---- readers of the past */

void past_open(struct past *past, struct datastore *running)
{
	*past = (struct past){.next = running->pasts};
	candidate_open(&past->undone, running);
	running->pasts = past;
}

void past_close(struct past *past)
{
	struct datastore *running = (struct datastore *)(uintptr_t)past->undone.running;
	struct past **at;

	if (!running)
		return;
	for (at = &running->pasts; *at != past; at = &(*at)->next)
		;
	*at = past->next;
	candidate_discard(&past->undone);
	*past = (struct past){0};
}

const struct tunnel *past_tunnel_from(const struct past *past, uint32_t *id)
{
	return candidate_tunnel_from(&past->undone, id);
}

const struct session *past_session_from(const struct past *past, uint32_t tunnel_id, uint32_t *id)
{
	return candidate_session_from(&past->undone, tunnel_id, id);
}

/* Keep the first only: what later commits replace is not of that moment. */
static void keep(struct past *past, const struct change *change)
{
	if (entry_order(change->tunnel_id, change->session_id, past->read.tunnel_id,
			past->read.session_id) < 0 ||
	    overlay_find(&past->undone, change->tunnel_id, change->session_id))
		return;
	if (!overlay_insert(&past->undone, change->tunnel_id, change->session_id, change->after,
			    change->before))
		past->broken = true;
}

static void pasts_publish(struct datastore *running)
{
	for (struct past *past = running->pasts; past; past = past->next)
		past->undone.behind = true;
}

static void pasts_keep(struct datastore *running, const struct change *change)
{
	for (struct past *past = running->pasts; past; past = past->next) {
		if (past->undone.behind)
			keep(past, change);
	}
}

/* ---- publishing */

struct publication {
	struct cursor cursor;
	struct datastore *running;
	struct candidate *candidate;
	struct change *at; /* the next; NULL: none */
	bool going_back;
	struct error *err;
};

static struct publication *publication_new(const struct cursor_kind *kind,
					   struct candidate *candidate, struct datastore *running)
{
	struct publication *publication = cursor_new(kind, sizeof(*publication));

	if (!publication)
		return NULL;
	publication->running = running;
	publication->candidate = candidate;
	publication->at = candidate_first(candidate);
	return publication;
}

/* Pass the next change and return it; NULL: none. */
static struct change *pass(struct publication *publication)
{
	struct change *change = publication->at;

	if (change)
		publication->at = change_next(change);
	return change;
}

/* Take the next change off, if it is attached; false past the last. */
static bool detach_next(struct publication *publication)
{
	struct change *change = pass(publication);

	if (change && change->entry)
		datastore_detach(publication->running, change);
	return change;
}

static int attach_forth(struct cursor *cursor)
{
	struct publication *publication = (struct publication *)cursor;
	struct change *change = publication->at;

	if (!change)
		return 0;
	if (datastore_attach(publication->running, change) != 0)
		return overlay_no_memory(publication->err);
	pass(publication);
	return 1;
}

/* Start from the first again, up to the one that is not attached. */
static int attach_back(struct cursor *cursor)
{
	struct publication *publication = (struct publication *)cursor;

	if (!publication->going_back)
		publication->at = candidate_first(publication->candidate);
	publication->going_back = true;
	return publication->running->attached > 0 && detach_next(publication);
}

static int detach_forth(struct cursor *cursor)
{
	return detach_next((struct publication *)cursor);
}

static int merge_forth(struct cursor *cursor)
{
	struct publication *publication = (struct publication *)cursor;
	struct change *change = pass(publication);

	if (change) {
		pasts_keep(publication->running, change);
		datastore_merge(publication->running, change);
		return 1;
	}
	publication->running->published = false;
	return 0;
}

struct cursor *candidate_attach_begin(struct candidate *candidate, struct datastore *running,
				      struct error *err)
{
	static const struct cursor_kind kind = {.forth = attach_forth, .back = attach_back};
	struct publication *publication = publication_new(&kind, candidate, running);

	assert(running->attached == 0 && candidate->running == running);
	if (!publication) {
		overlay_no_memory(err);
		return NULL;
	}
	publication->err = err;
	return &publication->cursor;
}

static struct cursor *onward_begin(const struct cursor_kind *kind, struct candidate *candidate,
				   struct datastore *running)
{
	struct publication *publication = publication_new(kind, candidate, running);
	struct publication at_once = {
		.running = running, .candidate = candidate, .at = candidate_first(candidate)};

	if (!publication) {
		while (kind->forth(&at_once.cursor) > 0)
			;
		return NULL;
	}
	publication->cursor.decided = true;
	return &publication->cursor;
}

struct cursor *candidate_detach_begin(struct candidate *candidate, struct datastore *running)
{
	static const struct cursor_kind kind = {.forth = detach_forth};

	assert(!running->published);
	return onward_begin(&kind, candidate, running);
}

void datastore_publish(struct datastore *running)
{
	running->published = true;
	running->changes++;
	pasts_publish(running);
}

struct cursor *candidate_merge_begin(struct candidate *candidate, struct datastore *running)
{
	static const struct cursor_kind kind = {.forth = merge_forth};

	assert(running->published);
	return onward_begin(&kind, candidate, running);
}

int candidate_publish(struct candidate *candidate, struct datastore *running)
{
	int rc = 0;

	assert(running->attached == 0 && candidate->running == running);
	pasts_publish(running);
	for (struct change *at = candidate_first(candidate); at && rc == 0; at = change_next(at)) {
		pasts_keep(running, at);
		rc = datastore_put(running, at);
	}
	if (rc == 0)
		datastore_set_acm(running, candidate->acm);
	return rc;
}
