#include "store/staged.h"

#include "store/overlay.h"

void staged_view_open(struct staged_view *view, const struct staged *staged,
		      struct datastore *running)
{
	view->staged = staged;
	past_open(&view->past, running);
}

void staged_view_close(struct staged_view *view)
{
	past_close(&view->past);
	view->staged = NULL;
}

/* The change at this place or behind it, in @tunnel_id if that is not 0. */
static const struct change *change_from(const struct staged_view *view, uint32_t tunnel_id,
					uint32_t session_id)
{
	return view->staged ? overlay_from(&view->staged->changes, tunnel_id, session_id) : NULL;
}

/* What the candidate makes of what running has at that place. */
static const union config *staged_over(struct staged_view *view, const struct change *change,
				       const union config *theirs)
{
	if (theirs == NULL || theirs == change->before || change->after == NULL)
		return change->after;
	view->merged = change_over(change, theirs);
	return &view->merged;
}

const struct tunnel *staged_tunnel_from(struct staged_view *view, uint32_t *id, bool *ret_more)
{
	*ret_more = false;
	for (unsigned int places = 0; places < PLACES_MAX; places++) {
		uint32_t theirs_id = *id;
		const struct tunnel *theirs = past_tunnel_from(&view->past, &theirs_id);
		const struct change *change = change_from(view, *id, 0);
		const union config *found = (const union config *)theirs;
		bool staged = change && (!theirs || change->tunnel_id <= theirs_id);

		if (!theirs && !change)
			return NULL;
		*id = staged ? change->tunnel_id : theirs_id;
		if (staged && change->session_id == 0)
			found = staged_over(view, change, theirs_id == *id ? found : NULL);
		else if (staged && theirs_id != *id)
			found = NULL; /* a session of what is no tunnel */
		if (found)
			return &found->tunnel;
		if (*id == ID_MAX)
			return NULL;
		++*id;
	}
	*ret_more = true;
	return NULL;
}

const struct session *staged_session_from(struct staged_view *view, uint32_t tunnel_id,
					  uint32_t *id, bool *ret_more)
{
	*ret_more = false;
	for (unsigned int places = 0; places < PLACES_MAX; places++) {
		uint32_t theirs_id = *id;
		const struct session *theirs =
			past_session_from(&view->past, tunnel_id, &theirs_id);
		const struct change *change = change_from(view, tunnel_id, *id ? *id : 1);
		const union config *found = (const union config *)theirs;
		bool staged;

		if (change && change->tunnel_id != tunnel_id)
			change = NULL;
		if (!theirs && !change)
			return NULL;
		staged = change && (!theirs || change->session_id <= theirs_id);
		*id = staged ? change->session_id : theirs_id;
		if (staged)
			found = staged_over(view, change, theirs_id == *id ? found : NULL);
		if (found)
			return &found->session;
		if (*id == ID_MAX)
			return NULL;
		++*id;
	}
	*ret_more = true;
	return NULL;
}
