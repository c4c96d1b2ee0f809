#include "engine/observe.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "engine/compare.h"
#include "engine/recall.h"
#include "engine/status.h"
#include "model/codec.h"

#define LOST_MAX 5 /* consecutive lost answers */

/* ---- an object that was read */

/* Assume that what the kernel does not report is as configured. */
static void fill_from_record(enum object object, union config *actual, const void *config)
{
	const struct row_set *set = &row_sets[object];
	union config whole;

	config_copy(object, &whole, config);
	codec_complete(object, &whole);
	for (unsigned int i = 0; i < set->config_count; i++)
		if (set->rows[i].source == SOURCE_RECORD || set->rows[i].wire == WIRE_NONE)
			codec_copy(&set->rows[i], actual, &whole);
	if (object == OBJECT_SESSION && whole.session.vlan_id)
		actual->session.pseudowire_type = whole.session.pseudowire_type;
}

/* If the kernel cannot create a session's interface, it removes the session by itself. */
static bool lacks_link(const struct session_entry *session)
{
	union config room;
	const struct session *actual;

	if (!session || session->state.if_index)
		return false;
	actual = entry_actual(&session->entry, &room);
	return actual->pseudowire_type != PSEUDOWIRE_PPP;
}

/* Queue it for a report if it is ours and differs, or differed until now. */
static void check(struct engine *engine, const struct entry *entry)
{
	if (entry_config(entry) &&
	    (entry_state(entry)->externally_modified || compare_entry(engine, entry)))
		agenda_changed(&engine->agenda, &entry->key);
}

/* We deleted it, and had not seen the end of it when the last daemon ended. */
static struct entry *go_on_removing(struct engine *engine, struct entry *entry)
{
	const struct key key = entry->key;

	status_removing(engine, &key);
	if (entry_config(entry))
		agenda_repair(&engine->agenda, &key);
	return entry;
}

struct entry *observe_found(struct engine *engine, const struct key *key, const void *found,
			    const struct statistics *statistics)
{
	enum object object = key->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);
	bool fresh = !entry || !entry->in_kernel;
	const struct identity *known;
	struct tunnel_entry *tunnel;
	union config actual;

	if (entry && entry->held)
		return entry;
	if (!datastore_tunnel(engine->store, key->tunnel_id) && key->session_id) {
		agenda_look(&engine->agenda, &(struct key){key->tunnel_id, 0});
		return NULL;
	}
	config_copy(object, &actual, found);
	if (entry && entry_config(entry))
		fill_from_record(object, &actual, entry_config(entry));
	entry = datastore_observe(engine->store, key->tunnel_id, key->session_id, &actual);
	if (!entry) {
		agenda_look_later(&engine->agenda, key); /* for lack of memory */
		return NULL;
	}
	known = fresh ? recall_found(engine, entry, statistics) : NULL;
	if (known && known->oper_status == OPER_REMOVING)
		return go_on_removing(engine, entry);
	if (fresh && !known)
		status_begin(engine, entry);
	tunnel = entry_tunnel(entry);
	if (tunnel) {
		tunnel->state.resolved_local_address = actual.tunnel.local_address;
		tunnel->state.last_local_address = actual.tunnel.local_address;
		tunnel->state.last_remote_address = actual.tunnel.remote_address;
	}
	if (tunnel && fresh) {
		status_path(engine, tunnel);
		status_derive(engine, entry);
	}
	if (!tunnel)
		status_link(engine, entry_session(entry));
	if (statistics)
		status_count(engine, entry, statistics, clock_now());
	/* an object being removed may still show up, as ours or as foreign */
	if (fresh && (!entry_config(entry) || lacks_link(entry_session(entry))))
		agenda_look_later(&engine->agenda, key);
	if (fresh && !entry_config(entry))
		engine_tell(engine, &(struct engine_event){.type = ENGINE_FOREIGN, .entry = entry});
	check(engine, entry);
	return entry;
}

/*
 * A GET no longer finds a deleted session while its interface still exists, and so its name is
 * still taken.
 */
void observe_lingering(struct engine *engine)
{
	struct key key = {1, 0};
	const struct identity *known;

	while ((known = recall_lingering(engine, &key)) != NULL) {
		const struct session gone = {.session_id = known->key.session_id};
		struct entry *entry =
			datastore_entry(engine->store, known->key.tunnel_id, known->key.session_id);

		key = known->key;
		if (entry && entry->in_kernel)
			continue; /* others have the id by now */
		entry = datastore_observe(engine->store, key.tunnel_id, key.session_id, &gone);
		if (!entry) {
			agenda_forgot(&engine->agenda);
			return;
		}
		recall_found(engine, entry, NULL);
		go_on_removing(engine, entry);
	}
}

/* ---- links */

/* An interface, or its 802.1Q link, changed. */
static void look_at_link(struct engine *engine, struct session_entry *session)
{
	status_link(engine, session);
	check(engine, &session->entry);
}

static void look_at_parent(struct engine *engine, unsigned int parent)
{
	struct session_entry *session =
		parent ? datastore_session_by_index(engine->store, parent) : NULL;

	if (session && session->entry.in_kernel && entry_config(&session->entry))
		look_at_link(engine, session);
}

/* Is it the 802.1Q link of a session? */
static bool is_of_session(struct engine *engine, const struct kernel_link *link)
{
	return link->parent && datastore_session_by_index(engine->store, link->parent);
}

static void link_changed(struct engine *engine, const struct kernel_link *link)
{
	const struct kernel_link *known = links_by_index(&engine->links, link->index);
	bool fresh = !links_know_names(&engine->links, link);
	bool other_way = known && (known->carrier != link->carrier || known->mtu != link->mtu);
	struct session_entry *session;

	if (!links_put(&engine->links, link)) {
		agenda_read_all(&engine->agenda, 0);
		return;
	}
	session = datastore_session_by_index(engine->store, link->index);
	if (!session && engine->store->unindexed > 0) {
		session = datastore_session_by_name(engine->store, link->name);
		if (session && (session->state.if_index || session->entry.held || link->kind))
			session = NULL;
	}
	if (session && session->entry.in_kernel)
		look_at_link(engine, session);
	else if (fresh)
		agenda_try_now(&engine->agenda); /* a session may wait for it as its master */
	else if (other_way && !session && !is_of_session(engine, link))
		engine->agenda.recheck = true; /* tunnels may send through it */
	look_at_parent(engine, link->parent);
}

void observe_link_gone(struct engine *engine, unsigned int index)
{
	struct session_entry *session = datastore_session_by_index(engine->store, index);
	const struct kernel_link *link = links_by_index(&engine->links, index);
	unsigned int parent = link ? link->parent : 0;

	if (!session && link) { /* perhaps of a session whose index we never learnt */
		session = datastore_session_by_name(engine->store, link->name);
		session = session && !session->state.if_index ? session : NULL;
	}
	links_remove(&engine->links, index);
	look_at_parent(engine, parent);
	if (!session) {
		agenda_try_now(&engine->agenda); /* it may have held a name of ours */
		return;
	}
	datastore_set_index(engine->store, session, 0);
	session->entry.unlinked = session->entry.held;
	if (!session->entry.held)
		agenda_look(&engine->agenda, &session->entry.key);
}

/* ---- events */

static void on_event(const struct kernel_event *event, void *arg)
{
	struct engine *engine = arg;
	struct agenda *agenda = &engine->agenda;

	switch (event->type) {
	case KERNEL_EVENT_TUNNEL:
		agenda_look_twice(agenda, &(struct key){event->tunnel_id, 0});
		break;
	case KERNEL_EVENT_SESSION:
		agenda_look_twice(agenda, &(struct key){event->tunnel_id, event->session_id});
		break;
	case KERNEL_EVENT_LINK:
		link_changed(engine, &event->link);
		break;
	case KERNEL_EVENT_LINK_GONE:
		observe_link_gone(engine, event->link.index);
		break;
	case KERNEL_EVENT_ADDRESS:
	case KERNEL_EVENT_ROUTE:
		agenda_recheck_twice(agenda);
		break;
	case KERNEL_EVENT_FAMILY:
		if (!engine->connected) {
			agenda->read_all_at = 0;
			agenda_read_all(agenda, 0);
		}
		break;
	case KERNEL_EVENT_LOST:
		agenda_read_all(agenda, 0);
		break;
	}
}

void observe_drain(struct engine *engine)
{
	if (!engine->deaf)
		engine->k->read_events(engine->o.kernel, on_event, engine);
}

/* ---- asking about entries */

static void vanished(struct engine *engine, const struct key *key)
{
	struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);
	struct session_entry *session = entry_session(entry), *next;
	char what[KEY_TEXT_MAX];

	if (!entry || entry->held || !entry->in_kernel)
		return;
	if (session) { /* it may have been deleted with its tunnel */
		agenda_look_twice(&engine->agenda, &(struct key){key->tunnel_id, 0});
		datastore_set_index(engine->store, session, 0);
	} else {
		session = tunnel_session_from(entry_tunnel(entry), 0);
		for (; session; session = next) {
			next = session_next(session);
			vanished(engine,
				 &(struct key){key->tunnel_id, session->entry.key.session_id});
		}
	}
	if (entry_config(entry)) {
		engine_log(engine, LOG_WARNING, "%s vanished from the kernel; we did not delete it",
			   key_text(key, what));
		engine_tell(engine, &(struct engine_event){.type = ENGINE_DRIFT,
							   .entry = entry,
							   .drift = DRIFT_GONE,
							   .restores = !engine->o.no_repair});
		status_set(engine, entry, OPER_DOWN, REASON_EXTERNALLY_MODIFIED, 0);
		agenda_changed(&engine->agenda, key);
	}
	status_gone(engine, entry);
}

void observe_some(struct engine *engine)
{
	struct keys *look = &engine->agenda.look;
	struct kernel_request requests[BATCH_MAX];
	union config found[BATCH_MAX];
	struct statistics statistics[BATCH_MAX];
	struct key keys[BATCH_MAX];
	size_t count = 0;
	bool again;

	keys_sort(look);
	while (count < BATCH_MAX && look->count) {
		keys[count] = look->at[--look->count];
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
	again = engine_submit(engine, requests, count) < 0 && engine->unanswered++ < LOST_MAX;
	if (!again)
		engine->unanswered = 0;
	while (count--) { /* in order, tunnels before their sessions */
		if (requests[count].result == 0)
			observe_found(engine, &keys[count], &found[count], &statistics[count]);
		else if (requests[count].result == -ENODEV)
			vanished(engine, &keys[count]);
		else if (requests[count].result == -EIO && again)
			agenda_look(&engine->agenda, &keys[count]);
	}
}

/* ---- addresses and routes changed */

static void recheck_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	if (entry_config(&tunnel->entry) && compare_entry(engine, &tunnel->entry))
		agenda_repair(&engine->agenda,
			      &tunnel->entry.key); /* local-interface has another address */
	status_path(engine, tunnel);
	status_derive(engine, &tunnel->entry);
}

void observe_recheck(struct engine *engine)
{
	struct agenda *agenda = &engine->agenda;
	uint32_t *from = &agenda->recheck_from;
	struct tunnel_entry *tunnel = datastore_tunnel_from(engine->store, *from);
	int64_t begin = clock_now();

	if (*from == 0)
		agenda_begin_recheck(agenda);
	while (tunnel && clock_now() - begin < BATCH_NS) {
		if (tunnel->entry.in_kernel)
			recheck_tunnel(engine, tunnel);
		*from = tunnel->entry.key.tunnel_id + 1;
		tunnel = tunnel->entry.key.tunnel_id == ID_MAX ? NULL : tunnel_next(tunnel);
	}
	if (!tunnel)
		*from = 0;
}

/* ---- what waits */

/* It lacks what it lacked, which tells whether it may sleep. */
struct lack {
	enum status_reason reason; /* 0: it lacks nothing, or something else */
	int os_errno;
};

static struct lack still_lacks(struct engine *engine, const struct entry *entry)
{
	const struct state *state = entry_state(entry);
	struct lack lack = {0};

	if (state->oper_status == OPER_WAITING)
		lack.reason = status_lack(engine, entry, &lack.os_errno);
	if (lack.reason != state->status_reason)
		lack.reason = 0;
	return lack;
}

/* Addresses, routes, links and so bridges and VRFs have events; modules and permissions have none.
 */
static void wait_on(struct engine *engine, const struct key *key, const struct lack *lack)
{
	bool told = lack->reason != REASON_MODULE_MISSING && lack->reason != REASON_NO_PERMISSION;

	if (told && kernel_answered(-lack->os_errno))
		agenda_sleep(&engine->agenda, key);
	else
		agenda_wait(&engine->agenda, key);
}

/* Try those of one tunnel: while it waits, its sessions need no try. */
static void try_some(struct engine *engine, const struct key *keys, size_t count)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(engine->store, keys->tunnel_id);
	struct lack of_tunnel = {0};

	if (tunnel && !tunnel->entry.in_kernel)
		of_tunnel = still_lacks(engine, &tunnel->entry);
	for (size_t i = 0; i < count; i++) {
		struct lack lack = of_tunnel;
		const struct entry *entry =
			lack.reason ? NULL
				    : datastore_entry(engine->store, keys[i].tunnel_id,
						      keys[i].session_id);

		if (entry && entry->in_kernel)
			lack = still_lacks(engine, entry);
		if (lack.reason)
			wait_on(engine, &keys[i], &lack);
		else
			agenda_repair(&engine->agenda, &keys[i]);
	}
}

void observe_waiting(struct engine *engine)
{
	struct agenda *agenda = &engine->agenda;
	int64_t begin = clock_now();
	const struct key *keys;
	size_t count;

	if (agenda->trying.count == 0)
		agenda_begin_try(agenda);
	while (clock_now() - begin < BATCH_NS && (count = agenda_next_tried(agenda, &keys)) != 0)
		try_some(engine, keys, count);
}
