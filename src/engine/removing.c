/*
 * What was deleted, until it is seen to be gone: no GET finds it, and no link is
 * left of it. The kernel forgets a session before it takes its interface away
 * (net/l2tp/l2tp_core.c l2tp_session_delete()), so the event that tells of the
 * latter is enough.
 */
#include "engine/internal.h"

#include <errno.h>

#define GIVE_UP_REMOVING_NS (120 * NS_PER_S)

struct removal {
	struct key key;
	struct kernel_request requests[2];
	size_t count;
};

static void ask_removal(struct engine *engine, struct removal *removal, const struct key *key)
{
	const struct session_entry *session =
		datastore_session(engine->store, key->tunnel_id, key->session_id);

	removal->key = *key;
	removal->count = 0;
	if (session && session->entry.unlinked)
		return;
	removal->count = 1;
	removal->requests[0] = (struct kernel_request){
		.verb = key->session_id ? KERNEL_SESSION_GET : KERNEL_TUNNEL_GET,
		.tunnel_id = key->tunnel_id,
		.session_id = key->session_id,
	};
	if (session && session->state.if_index) {
		removal->requests[1] = (struct kernel_request){
			.verb = KERNEL_LINK_GET, .link.index = session->state.if_index};
		removal->count = 2;
	}
}

static void release(struct engine *engine, const struct key *key)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, key->tunnel_id);
	struct session_entry *session =
		datastore_session(engine->store, key->tunnel_id, key->session_id);
	struct keys one = {.at = (struct key[]){*key}, .count = 1};

	if (!tunnel || (key->session_id && !session))
		return;
	if (session) {
		datastore_set_index(engine->store, session, 0);
		datastore_hold(engine->store, &session->entry, false);
	} else {
		datastore_hold(engine->store, &tunnel->entry, false);
	}
	settle_rest(engine, NULL, &one);
}

static bool given_up(struct engine *engine, const struct key *key)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(engine->store, key->tunnel_id);
	const struct session_entry *session =
		datastore_session(engine->store, key->tunnel_id, key->session_id);
	const struct state *state = session  ? &session->state.common
				    : tunnel ? &tunnel->state.common
					     : NULL;

	if (state && engine_now() - state->last_change < GIVE_UP_REMOVING_NS)
		return false;
	keys_add(&engine->dirty, key->tunnel_id, key->session_id);
	return true;
}

/* Gone is what no GET finds and whose link no one finds. */
static bool is_gone(struct engine *engine, const struct removal *removal,
		    const struct kernel_request *requests)
{
	const struct session_entry *session;

	if (removal->count == 0)
		return true;
	if (requests[0].result != -ENODEV)
		return given_up(engine, &removal->key);
	if (removal->count == 1)
		return true;
	if (requests[1].result != -ENODEV)
		return given_up(engine, &removal->key);
	session = datastore_session(engine->store, removal->key.tunnel_id, removal->key.session_id);
	if (session)
		observe_link_gone(engine, session->state.if_index);
	return true;
}

/*
 * Ask about the first few. What is deleted goes in the order it was deleted, so
 * the rest is not asked about until these are gone.
 */
bool observe_removing(struct engine *engine)
{
	enum { ASK = BATCH_MAX / 2 };
	struct removal removals[ASK];
	struct kernel_request requests[2 * ASK];
	size_t count = 0, requested = 0, kept = 0, at = 0;

	while (count < ASK && count < engine->removing.count) {
		ask_removal(engine, &removals[count], &engine->removing.at[count]);
		memcpy(&requests[requested], removals[count].requests,
		       removals[count].count * sizeof(*requests));
		requested += removals[count++].count;
	}
	if (count == 0)
		return false;
	engine_submit(engine, requests, requested);
	for (size_t i = 0; i < count; i++) {
		if (is_gone(engine, &removals[i], &requests[at]))
			release(engine, &removals[i].key);
		else
			engine->removing.at[kept++] = removals[i].key;
		at += removals[i].count;
	}
	memmove(&engine->removing.at[kept], &engine->removing.at[count],
		(engine->removing.count - count) * sizeof(*engine->removing.at));
	engine->removing.count -= count - kept;
	return engine->removing.count > 0;
}
