#include "store/past.h"

#include "store/attach.h"
#include "store/overlay.h"

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

void pasts_publish(struct datastore *running)
{
	for (struct past *past = running->pasts; past; past = past->next)
		past->undone.behind = true;
}

void pasts_keep(struct datastore *running, const struct change *change)
{
	for (struct past *past = running->pasts; past; past = past->next) {
		if (past->undone.behind)
			keep(past, change);
	}
}
