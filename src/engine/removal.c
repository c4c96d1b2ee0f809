/*
 * An object is gone when neither a GET nor its link is found. The kernel forgets a session before
 * it removes the interface (net/l2tp/l2tp_core.c l2tp_session_delete()), so the event of the
 * interface is enough.
 */
#include "engine/removal.h"

#include <errno.h>
#include <string.h>

#include "engine/observe.h"
#include "engine/outcome.h"
#include "engine/recall.h"

#define GIVE_UP_NS (120 * NS_PER_S)

enum { ASK = BATCH_MAX / 2 };

/* Make requests for the object, and for its link if known. Returns how many. */
static size_t ask(const struct engine *engine, const struct key *key,
		  struct kernel_request requests[2])
{
	const struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);
	const struct session_entry *session = entry_session(entry);

	if (entry && entry->unlinked)
		return 0;
	requests[0] = (struct kernel_request){
		.verb = key->session_id ? KERNEL_SESSION_GET : KERNEL_TUNNEL_GET,
		.tunnel_id = key->tunnel_id,
		.session_id = key->session_id,
	};
	if (!session || !session->state.if_index)
		return 1;
	requests[1] = (struct kernel_request){.verb = KERNEL_LINK_GET,
					      .link.index = session->state.if_index};
	return 2;
}

static bool is_gone(const struct kernel_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (requests[i].result != -ENODEV)
			return false;
	return true;
}

static void let_go(struct engine *engine, const struct key *key)
{
	struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);

	if (!entry || !entry->held)
		return;
	if (entry_session(entry))
		datastore_set_index(engine->store, entry_session(entry), 0);
	datastore_hold(engine->store, entry, false);
	entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);
	if (!entry)
		return;
	recall_mark(engine, entry, true); /* before another is created */
	outcome_of_entry(engine, entry);
}

/* False: ask again. */
static bool is_over(struct engine *engine, const struct key *key,
		    const struct kernel_request *requests, size_t count)
{
	const struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);

	if (is_gone(requests, count)) {
		if (count == 2 && entry) /* the event may have been lost */
			observe_link_gone(engine, entry_session(entry)->state.if_index);
		return true;
	}
	if (entry && clock_now() - entry_state(entry)->last_change.at < GIVE_UP_NS)
		return false;
	agenda_look(&engine->agenda, key);
	return true;
}

/*
 * Objects go in the order they were deleted, so ask about the rest only when the first few are
 * gone.
 */
bool removal_poll(struct engine *engine)
{
	struct keys *removing = &engine->agenda.removing;
	struct kernel_request requests[2 * ASK];
	size_t counts[ASK], count = 0, requested = 0, kept = 0;
	const struct kernel_request *at = requests;

	while (count < ASK && count < removing->count) {
		counts[count] = ask(engine, &removing->at[count], &requests[requested]);
		requested += counts[count++];
	}
	if (count == 0)
		return false;
	if (requested)
		engine_submit(engine, requests, requested);
	for (size_t i = 0; i < count; i++) {
		const struct key key = removing->at[i];

		if (is_over(engine, &key, at, counts[i]))
			let_go(engine, &key);
		else
			removing->at[kept++] = key;
		at += counts[i];
	}
	memmove(&removing->at[kept], &removing->at[count],
		(removing->count - count) * sizeof(*removing->at));
	removing->count -= count - kept;
	return kept == 0;
}
