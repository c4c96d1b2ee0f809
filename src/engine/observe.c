/* Reading the kernel: everything, what events hint at, and what is being removed. */
#include "engine/internal.h"

#include <errno.h>
#include <syslog.h>

#define LOST_MAX  5 /* answers in a row */
#define DOUBT_NS  (NS_PER_S / 2)
#define DUMPS_MAX 5              /* of links, interrupted ... */
#define RESYNC_NS (2 * NS_PER_S) /* ... then once more after a while */

/* ---- sameness */

static const struct row *difference(enum object object, const void *want, const void *actual)
{
	const struct row_set *set = &row_sets[object];

	for (unsigned int i = 0; i < set->config_count; i++)
		if (set->rows[i].wire != WIRE_NONE && set->rows[i].source == SOURCE_KERNEL &&
		    !codec_same_in_kernel(&set->rows[i], want, actual))
			return &set->rows[i];
	return NULL;
}

bool observe_same(enum object object, const void *want, const void *actual)
{
	return !difference(object, want, actual);
}

const struct row *observe_tunnel_difference(struct engine *engine,
					    const struct tunnel_entry *tunnel)
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	struct tunnel want;
	int rc = want_tunnel(engine, &engine->running, tunnel->entry.key.tunnel_id, &want);

	if (rc == -ENOENT)
		return tunnel->entry.in_kernel ? &rows[TUNNEL_ENABLED] : NULL;
	if (!tunnel->entry.in_kernel)
		return &rows[TUNNEL_ID];
	if (rc < 0) /* the address that local-interface had will do until it has another */
		codec_copy(&rows[TUNNEL_LOCAL_ADDRESS], &want, &tunnel->actual);
	return difference(OBJECT_TUNNEL, &want, &tunnel->actual);
}

static const struct row *link_difference(struct engine *engine, const struct session_entry *session,
					 const struct session *want)
{
	static const struct {
		unsigned int bit;
		enum session_row row;
	} rows[] = {
		{LINK_NAME, SESSION_INTERFACE_NAME}, {LINK_MTU, SESSION_MTU},
		{LINK_MAC, SESSION_MAC_ADDRESS},     {LINK_MASTER, SESSION_BRIDGE},
		{LINK_UP, SESSION_LINK_ENABLED},
	};
	const struct kernel_link *link = links_by_index(&engine->links, session->state.if_index);
	struct kernel_link ignored;
	unsigned int set;

	if (!link || want->pseudowire_type == PSEUDOWIRE_PPP)
		return NULL;
	if (want_vlan(engine, want, link->index))
		return &row_sets[OBJECT_SESSION].rows[SESSION_VLAN_ID];
	set = want_link(engine, 0, NULL, want, link, &ignored);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (set & rows[i].bit)
			return &row_sets[OBJECT_SESSION].rows[rows[i].row];
	return NULL;
}

const struct row *observe_session_difference(struct engine *engine,
					     const struct session_entry *session)
{
	const struct row *rows = row_sets[OBJECT_SESSION].rows, *row;
	struct session want;

	if (want_session(&engine->running, session->tunnel->entry.key.tunnel_id,
			 session->entry.key.session_id, &want) < 0)
		return session->entry.in_kernel ? &rows[SESSION_ENABLED] : NULL;
	if (!session->entry.in_kernel)
		return &rows[SESSION_ID];
	row = difference(OBJECT_SESSION, &want, &session->actual);
	return row ? row : link_difference(engine, session, &want);
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

/* As the one whose interface could not be made, and which goes again by itself. */
static bool lacks_link(const struct session_entry *session)
{
	return !session->state.if_index && session->actual.pseudowire_type != PSEUDOWIRE_PPP;
}

/* What is on its way out may still be shown, as ours or as another's. */
static void doubt_later(struct engine *engine, uint32_t tunnel_id, uint32_t session_id)
{
	if (!engine->doubted[0].count && !engine->doubted[1].count)
		engine->doubted_at = engine_now() + DOUBT_NS;
	keys_add(&engine->doubted[1], tunnel_id, session_id);
}

/* Ours, and not as configured, or not so until now. */
static void check_tunnel(struct engine *engine, const struct tunnel_entry *tunnel)
{
	if (entry_config(&tunnel->entry) &&
	    (tunnel->state.common.changed_behind || observe_tunnel_difference(engine, tunnel)))
		keys_add(&engine->repair, tunnel->entry.key.tunnel_id, 0);
}

static void check_session(struct engine *engine, const struct session_entry *session)
{
	if (entry_config(&session->entry) &&
	    (session->state.common.changed_behind || observe_session_difference(engine, session)))
		keys_add(&engine->repair, session->tunnel->entry.key.tunnel_id,
			 session->entry.key.session_id);
}

static void tell_foreign(struct engine *engine, const struct tunnel_entry *tunnel,
			 const struct session_entry *session)
{
	engine_tell(engine,
		    &(struct engine_event){.type = ENGINE_FOREIGN,
					   .entry = session ? &session->entry : &tunnel->entry});
}

static void found_tunnel(struct engine *engine, const struct tunnel *found,
			 const struct statistics *statistics)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, found->tunnel_id);
	bool fresh = !tunnel || !tunnel->entry.in_kernel;
	struct tunnel actual = *found;

	if (tunnel && tunnel->entry.held)
		return;
	if (tunnel && tunnel_config(tunnel))
		fill_from_record(OBJECT_TUNNEL, &actual, tunnel_config(tunnel));
	tunnel = entry_tunnel(datastore_observe(engine->store, found->tunnel_id, 0, &actual));
	if (!tunnel)
		return;
	tunnel->state.resolved_local_address = actual.local_address;
	tunnel->state.last_local_address = actual.local_address;
	tunnel->state.common.origin =
		entry_config(&tunnel->entry) ? ORIGIN_CONFIGURED : ORIGIN_FOREIGN;
	if (fresh) {
		counters_begin(&tunnel->state.common);
		settle_path(engine, tunnel);
		settle_tunnel_up(engine, tunnel);
	}
	if (statistics)
		counters_take_tunnel(engine, tunnel, statistics, engine_now());
	if (fresh && !entry_config(&tunnel->entry)) {
		doubt_later(engine, tunnel->entry.key.tunnel_id, 0);
		tell_foreign(engine, tunnel, NULL);
	}
	check_tunnel(engine, tunnel);
}

static void found_session(struct engine *engine, uint32_t tunnel_id, const struct session *found,
			  const struct statistics *statistics)
{
	struct session_entry *session =
		datastore_session(engine->store, tunnel_id, found->session_id);
	bool fresh = !session || !session->entry.in_kernel;
	struct session actual = *found;

	if (session && session->entry.held)
		return;
	if (!datastore_tunnel(engine->store, tunnel_id)) {
		keys_add(&engine->dirty, tunnel_id, 0);
		return;
	}
	if (session && session_config(session))
		fill_from_record(OBJECT_SESSION, &actual, session_config(session));
	session = entry_session(
		datastore_observe(engine->store, tunnel_id, found->session_id, &actual));
	if (!session)
		return;
	if (fresh)
		counters_begin(&session->state.common);
	session->state.common.origin =
		entry_config(&session->entry) ? ORIGIN_CONFIGURED : ORIGIN_FOREIGN;
	observe_link_of(engine, session);
	if (statistics)
		counters_take_session(engine, session, statistics, engine_now());
	if (fresh && (!entry_config(&session->entry) || lacks_link(session)))
		doubt_later(engine, tunnel_id, session->entry.key.session_id);
	if (fresh && !entry_config(&session->entry))
		tell_foreign(engine, session->tunnel, session);
	check_session(engine, session);
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

/* By name only what can be an L2TP interface: others may have taken the name. */
const struct kernel_link *observe_find_link(struct engine *engine,
					    const struct session_entry *entry, const char *name)
{
	const struct kernel_link *link;

	if (entry && entry->state.if_index)
		return links_by_index(&engine->links, entry->state.if_index);
	link = links_by_name(&engine->links, name);
	return link && !link->kind ? link : NULL;
}

void observe_link_of(struct engine *engine, struct session_entry *session)
{
	const struct kernel_link *link =
		observe_find_link(engine, session, session->actual.interface_name);

	if (!session->entry.in_kernel)
		return;
	if (link && session->actual.interface_name[0]) {
		if (session->state.if_index != link->index)
			datastore_set_index(engine->store, session, link->index);
		take_link(engine, &session->actual, link);
	}
	settle_session_up(engine, session);
}

static void look_at_link(struct engine *engine, struct session_entry *session)
{
	observe_link_of(engine, session);
	check_session(engine, session);
}

/* Something became of the 802.1Q link of a session. */
static void look_at_parent(struct engine *engine, unsigned int parent)
{
	struct session_entry *session =
		parent ? datastore_session_by_index(engine->store, parent) : NULL;

	if (session && session->entry.in_kernel && entry_config(&session->entry))
		look_at_link(engine, session);
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
		if (session && (session->state.if_index || session->entry.held || link->kind))
			session = NULL;
	}
	if (session && session->entry.in_kernel)
		look_at_link(engine, session);
	else if (fresh && engine->waiting.count)
		engine->retry_at = engine_now(); /* the bridge one waits for, perhaps */
	look_at_parent(engine, link->parent);
}

void observe_link_gone(struct engine *engine, unsigned int index)
{
	struct session_entry *session = datastore_session_by_index(engine->store, index);
	const struct kernel_link *link = links_by_index(&engine->links, index);
	unsigned int parent = link ? link->parent : 0;

	if (!session && link) { /* of one whose index is not known, perhaps */
		session = datastore_session_by_name(engine->store, link->name);
		session = session && !session->state.if_index ? session : NULL;
	}
	links_remove(&engine->links, index);
	look_at_parent(engine, parent);
	if (!session)
		return;
	datastore_set_index(engine->store, session, 0);
	session->entry.unlinked = session->entry.held;
	if (!session->entry.held)
		keys_add(&engine->dirty, session->tunnel->entry.key.tunnel_id,
			 session->entry.key.session_id);
}

/* ---- events */

void observe_doubt(struct engine *engine, uint32_t tunnel_id, uint32_t session_id)
{
	keys_add(&engine->dirty, tunnel_id, session_id);
	doubt_later(engine, tunnel_id, session_id);
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

	if (!session || session->entry.held || !session->entry.in_kernel)
		return;
	observe_doubt(engine, key->tunnel_id, 0); /* it went with its tunnel, perhaps */
	if (entry_config(&session->entry)) {
		log_vanished(engine, key);
		settle_status(engine, session->tunnel, session, OPER_DOWN, REASON_CHANGED_BEHIND,
			      0);
		keys_add(&engine->repair, key->tunnel_id, key->session_id);
	}
	datastore_set_index(engine->store, session, 0);
	settle_session_gone(engine, session);
}

static void vanished_tunnel(struct engine *engine, const struct key *key)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, key->tunnel_id);
	struct session_entry *session, *next;

	if (!tunnel || tunnel->entry.held || !tunnel->entry.in_kernel)
		return;
	for (session = tunnel_session_from(tunnel, 0); session; session = next) {
		next = session_next(session);
		vanished_session(engine, &(struct key){tunnel->entry.key.tunnel_id,
						       session->entry.key.session_id});
	}
	if (entry_config(&tunnel->entry)) {
		log_vanished(engine, key);
		settle_status(engine, tunnel, NULL, OPER_DOWN, REASON_CHANGED_BEHIND, 0);
		keys_add(&engine->repair, key->tunnel_id, 0);
	}
	settle_tunnel_gone(engine, tunnel);
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
	return links_put(arg, link);
}

/* They come and go all the time: what is seen is added to what is known. */
static int add_links(struct engine *engine)
{
	int rc = engine->k->dump_links(engine->o.kernel, on_link, &engine->links);

	engine->resync = true;
	engine->resync_at = engine_now() + RESYNC_NS;
	return rc == -EINTR ? 0 : rc;
}

/* All links anew; what is left of the old ones is gone. The old stay when it fails. */
static int read_links(struct engine *engine)
{
	struct links links = {RB_INITIALIZER(&links.by_index), RB_INITIALIZER(&links.by_name)};
	int rc = -EINTR;

	for (unsigned int i = 0; rc == -EINTR && i < DUMPS_MAX; i++) {
		links_clear(&links);
		rc = engine->k->dump_links(engine->o.kernel, on_link, &links);
	}
	if (rc < 0) {
		links_clear(&links);
		return rc == -EINTR ? add_links(engine) : rc;
	}
	links_clear(&engine->links);
	engine->links = links;
	return 0;
}

/* Sessions whose interface went, or is another now, while nobody heard of it. */
static void forget_lost_indexes(struct engine *engine)
{
	struct session_entry *session = datastore_index_from(engine->store, 1), *next;

	for (; session; session = next) {
		next = datastore_index_from(engine->store, session->state.if_index + 1);
		if (!links_by_index(&engine->links, session->state.if_index))
			observe_link_gone(engine, session->state.if_index);
	}
}

static int on_tunnel(const struct tunnel *tunnel, const struct statistics *statistics, void *arg)
{
	struct engine *engine = arg;
	struct tunnel_entry *entry;

	found_tunnel(engine, tunnel, statistics);
	entry = datastore_tunnel(engine->store, tunnel->tunnel_id);
	if (entry)
		entry->entry.seen = true;
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
		entry->entry.seen = true;
	return 0;
}

/* Not there, and wanted; but not what others removed under --no-repair. */
static bool is_missing(const struct engine *engine, bool configured, bool in_kernel, bool held,
		       const struct state *state)
{
	return configured && !in_kernel && !held &&
	       !(engine->o.no_repair && state->status_reason == REASON_CHANGED_BEHIND);
}

static void doubt_session(struct engine *engine, struct session_entry *session)
{
	if (!session->entry.seen && session->entry.in_kernel)
		keys_add(&engine->dirty, session->tunnel->entry.key.tunnel_id,
			 session->entry.key.session_id);
	else if (is_missing(engine, entry_config(&session->entry), session->entry.in_kernel,
			    session->entry.held, &session->state.common))
		keys_add(&engine->missing, session->tunnel->entry.key.tunnel_id,
			 session->entry.key.session_id);
	session->entry.seen = false;
}

static void doubt_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	if (!tunnel->entry.seen && tunnel->entry.in_kernel)
		keys_add(&engine->dirty, tunnel->entry.key.tunnel_id, 0);
	else if (is_missing(engine, entry_config(&tunnel->entry), tunnel->entry.in_kernel,
			    tunnel->entry.held, &tunnel->state.common))
		keys_add(&engine->missing, tunnel->entry.key.tunnel_id, 0);
	tunnel->entry.seen = false;
}

/* A dump proves nothing by what it lacks (up to 6.11): ask for what it did not show. */
static void doubt_unseen(struct engine *engine)
{
	struct tunnel_entry *tunnel;
	struct session_entry *session;

	for (tunnel = datastore_tunnel_from(engine->store, 0); tunnel;
	     tunnel = tunnel_next(tunnel)) {
		doubt_tunnel(engine, tunnel);
		for (session = tunnel_session_from(tunnel, 0); session;
		     session = session_next(session))
			doubt_session(engine, session);
	}
}

static int read_objects(struct engine *engine, struct error *err)
{
	int rc = engine->k->dump_tunnels(engine->o.kernel, on_tunnel, engine);

	if (rc == 0)
		rc = engine->k->dump_sessions(engine->o.kernel, on_session, engine);
	return rc < 0 ? error_set_errno(err, ERROR_KERNEL, -rc, "cannot list tunnels and sessions")
		      : 0;
}

int observe_all(struct engine *engine, struct error *err)
{
	int rc = read_links(engine);

	if (rc < 0)
		return error_set_errno(err, ERROR_KERNEL, -rc, "cannot list interfaces");
	forget_lost_indexes(engine);
	if (engine_connect(engine, err))
		rc = read_objects(engine, err);
	doubt_unseen(engine); /* after half a dump, too: what it did not show is asked for */
	return rc;
}

/* ---- addresses and routes changed */

static void recheck_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	if (entry_config(&tunnel->entry) && observe_tunnel_difference(engine, tunnel))
		keys_add(&engine->missing, tunnel->entry.key.tunnel_id,
			 0); /* local-interface has another */
	settle_path(engine, tunnel);
	settle_tunnel_up(engine, tunnel);
}

void observe_recheck(struct engine *engine)
{
	struct tunnel_entry *tunnel = datastore_tunnel_from(engine->store, engine->recheck_from);
	int64_t begin = engine_now();

	while (tunnel && engine_now() - begin < BATCH_NS) {
		if (tunnel->entry.in_kernel)
			recheck_tunnel(engine, tunnel);
		engine->recheck_from = tunnel->entry.key.tunnel_id + 1;
		tunnel = tunnel->entry.key.tunnel_id == ID_MAX ? NULL : tunnel_next(tunnel);
	}
	if (!tunnel)
		engine->recheck_from = 0;
}
