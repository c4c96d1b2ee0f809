/* Reading the kernel: everything, what events hint at, and what is being removed. */
#include "engine/internal.h"

#include <errno.h>
#include <syslog.h>

#define LOST_MAX 5 /* answers in a row */
#define DOUBT_NS (NS_PER_S / 2)

/* ---- sameness */

bool observe_same(enum object object, const void *want, const void *actual)
{
	const struct row_set *set = &row_sets[object];

	for (unsigned int i = 0; i < set->config_count; i++)
		if (set->rows[i].wire != WIRE_NONE && set->rows[i].source == SOURCE_KERNEL &&
		    !codec_same_in_kernel(&set->rows[i], want, actual))
			return false;
	return true;
}

bool observe_same_tunnel(struct engine *engine, const struct tunnel_entry *tunnel)
{
	struct tunnel want;
	int rc = want_tunnel(engine, &engine->running, tunnel->id, &want);

	if (rc == -ENOENT)
		return !tunnel->in_kernel;
	if (!tunnel->in_kernel)
		return false;
	return rc < 0 || observe_same(OBJECT_TUNNEL, &want, &tunnel->actual);
}

bool observe_same_session(struct engine *engine, const struct session_entry *session)
{
	struct session want;
	const struct kernel_link *link;
	struct kernel_link ignored;

	if (want_session(&engine->running, session->tunnel->id, session->id, &want) < 0)
		return !session->in_kernel;
	if (!session->in_kernel || !observe_same(OBJECT_SESSION, &want, &session->actual))
		return false;
	link = links_by_index(&engine->links, session->state.if_index);
	if (!link || want.pseudowire_type == PSEUDOWIRE_PPP)
		return true;
	return !want_vlan(engine, &want, link->index) &&
	       !want_link(engine, &session->tunnel->config, NULL, &want, link, &ignored);
}

/* What the kernel does not report is as we configured it. */
static void fill_from_record(enum object object, void *actual, const void *config)
{
	const struct row_set *set = &row_sets[object];
	union config whole;

	memcpy(&whole, config,
	       object == OBJECT_TUNNEL ? sizeof(struct tunnel) : sizeof(struct session));
	codec_complete(object, &whole);
	for (unsigned int i = 0; i < set->config_count; i++)
		if (set->rows[i].source == SOURCE_RECORD || set->rows[i].wire == WIRE_NONE)
			codec_copy(&set->rows[i], actual, &whole);
	if (object == OBJECT_SESSION && whole.session.vlan_id)
		((struct session *)actual)->pseudowire_type = whole.session.pseudowire_type;
}

/* ---- one object as it was read */

static void keep_counters(struct state *state, const struct statistics *statistics, bool fresh)
{
	int64_t discontinuity = fresh ? engine_now() : state->statistics.discontinuity_time;

	if (statistics) {
		state->statistics = *statistics;
		state->statistics_time = engine_now();
	}
	state->statistics.discontinuity_time = discontinuity;
}

static void tell_foreign(struct engine *engine, const struct tunnel_entry *tunnel,
			 const struct session_entry *session)
{
	engine_tell(engine, &(struct engine_event){
				    .type = ENGINE_FOREIGN, .tunnel = tunnel, .session = session});
}

static void found_tunnel(struct engine *engine, const struct tunnel *found,
			 const struct statistics *statistics)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, found->tunnel_id);
	bool fresh = !tunnel || !tunnel->in_kernel;
	struct tunnel actual = *found;

	if (tunnel && tunnel->held)
		return;
	if (tunnel && tunnel->configured)
		fill_from_record(OBJECT_TUNNEL, &actual, &tunnel->config);
	tunnel = datastore_observe_tunnel(engine->store, found->tunnel_id, &actual);
	if (!tunnel)
		return;
	keep_counters(&tunnel->state.common, statistics, fresh);
	tunnel->state.resolved_local_address = actual.local_address;
	tunnel->state.common.origin = tunnel->configured ? ORIGIN_CONFIGURED : ORIGIN_FOREIGN;
	if (fresh)
		settle_tunnel_up(engine, tunnel);
	if (fresh && !tunnel->configured)
		tell_foreign(engine, tunnel, NULL);
	if (tunnel->configured && !observe_same_tunnel(engine, tunnel))
		keys_add(&engine->repair, tunnel->id, 0);
}

static void found_session(struct engine *engine, uint32_t tunnel_id, const struct session *found,
			  const struct statistics *statistics)
{
	struct session_entry *session =
		datastore_session(engine->store, tunnel_id, found->session_id);
	bool fresh = !session || !session->in_kernel;
	struct session actual = *found;

	if (session && session->held)
		return;
	if (!datastore_tunnel(engine->store, tunnel_id)) {
		keys_add(&engine->dirty, tunnel_id, 0);
		return;
	}
	if (session && session->configured)
		fill_from_record(OBJECT_SESSION, &actual, &session->config);
	session = datastore_observe_session(engine->store, tunnel_id, found->session_id, &actual);
	if (!session)
		return;
	keep_counters(&session->state.common, statistics, fresh);
	session->state.common.origin = session->configured ? ORIGIN_CONFIGURED : ORIGIN_FOREIGN;
	observe_link_of(engine, session);
	if (fresh && !session->configured)
		tell_foreign(engine, session->tunnel, session);
	if (session->configured && !observe_same_session(engine, session))
		keys_add(&engine->repair, tunnel_id, session->id);
}

/* ---- links */

static void take_link(struct engine *engine, struct session *actual, const struct kernel_link *link)
{
	const struct kernel_link *bridge = links_by_index(&engine->links, link->master);

	actual->mtu = link->mtu;
	actual->mac_address = link->mac;
	actual->link_enabled = link->up;
	actual->present |= BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) | BIT(SESSION_LINK_ENABLED);
	actual->present &= ~BIT(SESSION_BRIDGE);
	memset(actual->bridge, 0, sizeof(actual->bridge));
	if (bridge) {
		memcpy(actual->bridge, bridge->name, sizeof(actual->bridge));
		actual->present |= BIT(SESSION_BRIDGE);
	}
}

void observe_link_of(struct engine *engine, struct session_entry *session)
{
	const struct kernel_link *link =
		session->state.if_index
			? links_by_index(&engine->links, session->state.if_index)
			: links_by_name(&engine->links, session->actual.interface_name);

	if (!session->in_kernel)
		return;
	if (link && session->actual.interface_name[0]) {
		if (session->state.if_index != link->index)
			datastore_set_index(engine->store, session, link->index);
		take_link(engine, &session->actual, link);
	}
	settle_session_up(engine, session);
}

static void link_changed(struct engine *engine, const struct kernel_link *link)
{
	bool fresh = links_by_index(&engine->links, link->index) == NULL;
	struct session_entry *session;

	if (links_put(&engine->links, link) < 0) {
		engine->resync = true;
		return;
	}
	session = datastore_session_by_index(engine->store, link->index);
	if (!session) {
		session = datastore_session_by_name(engine->store, link->name);
		if (session && (session->state.if_index || session->held))
			session = NULL;
	}
	if (session && session->in_kernel) {
		observe_link_of(engine, session);
		if (session->configured && !observe_same_session(engine, session))
			keys_add(&engine->repair, session->tunnel->id, session->id);
	} else if (fresh && engine->waiting.count) {
		engine->retry_at = engine_now(); /* the bridge one waits for, perhaps */
	}
}

void observe_link_gone(struct engine *engine, unsigned int index)
{
	struct session_entry *session = datastore_session_by_index(engine->store, index);

	links_remove(&engine->links, index);
	if (!session)
		return;
	datastore_set_index(engine->store, session, 0);
	session->unlinked = session->held;
	if (!session->held)
		keys_add(&engine->dirty, session->tunnel->id, session->id);
}

/* ---- events */

void observe_doubt(struct engine *engine, uint32_t tunnel_id, uint32_t session_id)
{
	if (!engine->doubted[0].count && !engine->doubted[1].count)
		engine->doubted_at = engine_now() + DOUBT_NS;
	keys_add(&engine->dirty, tunnel_id, session_id);
	keys_add(&engine->doubted[1], tunnel_id, session_id);
}

void observe_doubted(struct engine *engine)
{
	struct keys *due = &engine->doubted[0];

	for (size_t i = 0; i < due->count; i++)
		keys_add(&engine->dirty, due->at[i].tunnel_id, due->at[i].session_id);
	keys_free(due);
	keys_move(due, &engine->doubted[1]);
	keys_sort(due);
	engine->doubted_at = engine_now() + DOUBT_NS;
}

void observe_event(const struct kernel_event *event, void *arg)
{
	struct engine *engine = arg;

	switch (event->type) {
	case KERNEL_EVENT_TUNNEL:
		observe_doubt(engine, event->tunnel_id, 0);
		break;
	case KERNEL_EVENT_SESSION:
		observe_doubt(engine, event->tunnel_id, event->session_id);
		break;
	case KERNEL_EVENT_LINK:
		link_changed(engine, &event->link);
		break;
	case KERNEL_EVENT_LINK_GONE:
		observe_link_gone(engine, event->link.index);
		break;
	case KERNEL_EVENT_ADDRESS:
	case KERNEL_EVENT_ROUTE:
		engine->recheck = true;
		break;
	case KERNEL_EVENT_LOST:
		engine->resync = true;
		break;
	}
}

void observe_drain(struct engine *engine)
{
	engine->k->read_events(engine->o.kernel, observe_event, engine);
}

/* ---- dirty keys */

static void log_vanished(struct engine *engine, const struct key *key)
{
	if (key->session_id)
		engine_log(engine, LOG_WARNING,
			   "session %u/%u vanished from the kernel, and not by us", key->tunnel_id,
			   key->session_id);
	else
		engine_log(engine, LOG_WARNING, "tunnel %u vanished from the kernel, and not by us",
			   key->tunnel_id);
}

static void vanished_session(struct engine *engine, const struct key *key)
{
	struct session_entry *session =
		datastore_session(engine->store, key->tunnel_id, key->session_id);

	if (!session || session->held || !session->in_kernel)
		return;
	observe_doubt(engine, key->tunnel_id, 0); /* it went with its tunnel, perhaps */
	if (session->configured) {
		log_vanished(engine, key);
		settle_status(engine, session->tunnel, session, OPER_DOWN, REASON_CHANGED_BEHIND,
			      0);
		keys_add(&engine->repair, key->tunnel_id, key->session_id);
	}
	datastore_set_index(engine->store, session, 0);
	datastore_observe_session(engine->store, key->tunnel_id, key->session_id, NULL);
}

static void vanished_tunnel(struct engine *engine, const struct key *key)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, key->tunnel_id);
	struct session_entry *session, *next;

	if (!tunnel || tunnel->held || !tunnel->in_kernel)
		return;
	for (session = tunnel_session_from(tunnel, 0); session; session = next) {
		next = session_next(session);
		vanished_session(engine, &(struct key){tunnel->id, session->id});
	}
	if (tunnel->configured) {
		log_vanished(engine, key);
		settle_status(engine, tunnel, NULL, OPER_DOWN, REASON_CHANGED_BEHIND, 0);
		keys_add(&engine->repair, key->tunnel_id, 0);
	}
	datastore_observe_tunnel(engine->store, key->tunnel_id, NULL);
}

bool observe_dirty(struct engine *engine)
{
	struct kernel_request requests[BATCH_MAX];
	union config found[BATCH_MAX];
	struct statistics statistics[BATCH_MAX];
	struct key keys[BATCH_MAX];
	size_t count = 0;
	bool unanswered;

	if (engine->dirty.count == 0)
		return false;
	keys_sort(&engine->dirty);
	while (count < BATCH_MAX && engine->dirty.count) {
		keys[count] = engine->dirty.at[--engine->dirty.count];
		requests[count] = (struct kernel_request){
			.verb = keys[count].session_id ? KERNEL_SESSION_GET : KERNEL_TUNNEL_GET,
			.tunnel_id = keys[count].tunnel_id,
			.session_id = keys[count].session_id,
			.ret_tunnel = &found[count].tunnel,
			.ret_session = &found[count].session,
			.ret_statistics = &statistics[count],
		};
		count++;
	}
	unanswered = engine_submit(engine, requests, count) < 0 && engine->lost++ < LOST_MAX;
	if (!unanswered)
		engine->lost = 0;
	while (count--) { /* in order again, tunnels before their sessions */
		if (unanswered && requests[count].result == -EIO)
			keys_add(&engine->dirty, keys[count].tunnel_id, keys[count].session_id);
		if (requests[count].result == -ENODEV && keys[count].session_id)
			vanished_session(engine, &keys[count]);
		else if (requests[count].result == -ENODEV)
			vanished_tunnel(engine, &keys[count]);
		else if (requests[count].result == 0 && keys[count].session_id)
			found_session(engine, keys[count].tunnel_id, &found[count].session,
				      &statistics[count]);
		else if (requests[count].result == 0)
			found_tunnel(engine, &found[count].tunnel, &statistics[count]);
	}
	return engine->dirty.count > 0;
}

/* ---- everything */

static int on_link(const struct kernel_link *link, void *arg)
{
	struct engine *engine = arg;
	return links_put(&engine->links, link);
}

static int on_tunnel(const struct tunnel *tunnel, const struct statistics *statistics, void *arg)
{
	struct engine *engine = arg;
	struct tunnel_entry *entry;

	found_tunnel(engine, tunnel, statistics);
	entry = datastore_tunnel(engine->store, tunnel->tunnel_id);
	if (entry)
		entry->work = engine;
	return 0;
}

static int on_session(uint32_t tunnel_id, const struct session *session,
		      const struct statistics *statistics, void *arg)
{
	struct engine *engine = arg;
	struct session_entry *entry;

	found_session(engine, tunnel_id, session, statistics);
	entry = datastore_session(engine->store, tunnel_id, session->session_id);
	if (entry)
		entry->work = engine;
	return 0;
}

/* A dump proves nothing by what it lacks (up to 6.11): ask for what it did not show. */
static void doubt_unseen(struct engine *engine)
{
	struct tunnel_entry *tunnel;
	struct session_entry *session;

	for (tunnel = datastore_tunnel_from(engine->store, 0); tunnel;
	     tunnel = tunnel_next(tunnel)) {
		if (!tunnel->work && tunnel->in_kernel)
			keys_add(&engine->dirty, tunnel->id, 0);
		else if (tunnel->configured && !tunnel->in_kernel && !tunnel->held)
			keys_add(&engine->repair, tunnel->id, 0);
		tunnel->work = NULL;
		for (session = tunnel_session_from(tunnel, 0); session;
		     session = session_next(session)) {
			if (!session->work && session->in_kernel)
				keys_add(&engine->dirty, tunnel->id, session->id);
			else if (session->configured && !session->in_kernel && !session->held)
				keys_add(&engine->repair, tunnel->id, session->id);
			session->work = NULL;
		}
	}
}

int observe_all(struct engine *engine, struct error *err)
{
	int rc;

	engine->resync = false;
	links_clear(&engine->links);
	rc = engine->k->dump_links(engine->o.kernel, on_link, engine);
	if (rc < 0)
		return error_set_errno(err, ERROR_KERNEL, -rc, "cannot list interfaces");
	if (!engine_connect(engine, err)) {
		doubt_unseen(engine);
		return 0;
	}
	rc = engine->k->dump_tunnels(engine->o.kernel, on_tunnel, engine);
	if (rc == 0)
		rc = engine->k->dump_sessions(engine->o.kernel, on_session, engine);
	if (rc < 0)
		return error_set_errno(err, ERROR_KERNEL, -rc, "cannot list tunnels and sessions");
	doubt_unseen(engine);
	return 0;
}

/* ---- addresses and routes changed */

static void recheck_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	enum oper_status old = tunnel->state.common.oper_status;
	const struct tunnel *actual = &tunnel->actual;
	enum kernel_address_state address =
		engine->k->address_state(engine->o.kernel, &actual->local_address);
	struct session_entry *session;
	int rc;

	if (tunnel->configured && !observe_same_tunnel(engine, tunnel))
		keys_add(&engine->repair, tunnel->id, 0);
	if (address != ADDRESS_READY)
		settle_status(engine, tunnel, NULL, OPER_DOWN,
			      address == ADDRESS_TENTATIVE ? REASON_ADDRESS_TENTATIVE
							   : REASON_NO_LOCAL_ADDRESS,
			      0);
	else if ((rc = engine->k->route(engine->o.kernel, &actual->remote_address)) < 0)
		settle_status(engine, tunnel, NULL, OPER_DOWN, REASON_NO_ROUTE, -rc);
	else
		settle_tunnel_up(engine, tunnel);
	if (tunnel->state.common.oper_status == old)
		return;
	for (session = tunnel_session_from(tunnel, 0); session; session = session_next(session))
		if (session->in_kernel)
			settle_session_up(engine, session);
}

void observe_recheck(struct engine *engine)
{
	struct tunnel_entry *tunnel = datastore_tunnel_from(engine->store, engine->recheck_from);
	int64_t begin = engine_now();

	while (tunnel && engine_now() - begin < BATCH_NS) {
		if (tunnel->in_kernel)
			recheck_tunnel(engine, tunnel);
		engine->recheck_from = tunnel->id + 1;
		tunnel = tunnel->id == ID_MAX ? NULL : tunnel_next(tunnel);
	}
	if (!tunnel)
		engine->recheck_from = 0;
}
