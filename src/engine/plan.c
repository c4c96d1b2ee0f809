/* What kernel work leads from one configuration to another, given what the kernel has. */
#include "engine/internal.h"

#include <errno.h>

int want_tunnel(struct engine *engine, const struct candidate *view, uint32_t tunnel_id,
		struct tunnel *ret)
{
	const struct tunnel *config = candidate_tunnel(view, tunnel_id);
	const struct tunnel_entry *entry = datastore_tunnel(engine->store, tunnel_id);
	struct address address = entry ? entry->state.last_local_address : (struct address){0};
	int rc = 0;

	if (!config)
		return -ENOENT;
	*ret = *config;
	codec_complete(OBJECT_TUNNEL, ret);
	if (!ret->enabled)
		return -ENOENT;
	if (!(ret->present & BIT(TUNNEL_LOCAL_ADDRESS))) {
		rc = engine->k->interface_address(engine->o.kernel, ret->local_interface,
						  ret->remote_address.family, &address);
		if (rc == 0) {
			ret->local_address = address;
			ret->present |= BIT(TUNNEL_LOCAL_ADDRESS);
		}
	}
	return rc;
}

int want_session(const struct candidate *view, uint32_t tunnel_id, uint32_t session_id,
		 struct session *ret)
{
	const struct session *config = candidate_session(view, tunnel_id, session_id);
	const struct tunnel *tunnel = candidate_tunnel(view, tunnel_id);

	if (!config || !tunnel)
		return -ENOENT;
	if ((tunnel->present & BIT(TUNNEL_ENABLED)) && !tunnel->enabled)
		return -ENOENT;
	*ret = *config;
	codec_complete(OBJECT_SESSION, ret);
	return ret->enabled ? 0 : -ENOENT;
}

static bool has(const struct session *session, enum session_row row)
{
	return session && (session->present & BIT(row));
}

unsigned int default_mtu(const struct session_entry *entry, const struct tunnel *tunnel,
			 const struct session *want)
{
	unsigned int whole = 1500; /* what the way to the peer takes */

	if (entry && entry->entry.in_kernel && entry->state.kernel_mtu)
		whole = entry->state.kernel_mtu +
			rules_overhead(&entry->tunnel->actual, &entry->actual);
	return whole - rules_overhead(tunnel, want);
}

static unsigned int want_mtu(unsigned int mtu, const struct session *before,
			     const struct session *want, const struct kernel_link *have,
			     struct kernel_link *ret)
{
	if (has(want, SESSION_MTU))
		ret->mtu = want->mtu;
	else if (has(before, SESSION_MTU))
		ret->mtu = mtu;
	else
		return 0;
	return ret->mtu != have->mtu ? LINK_MTU : 0;
}

/* Index of the bridge wanted; 0 none, or it does not exist: settle.c has it waited for. */
static unsigned int bridge_index(struct engine *engine, const struct session *want)
{
	const struct kernel_link *bridge = links_by_name(&engine->links, want->bridge);
	return bridge ? bridge->index : 0;
}

static unsigned int want_master(struct engine *engine, const struct session *before,
				const struct session *want, const struct kernel_link *have,
				struct kernel_link *ret)
{
	const struct kernel_link *on = have;

	if (!has(want, SESSION_BRIDGE) && !has(before, SESSION_BRIDGE))
		return 0;
	if (want->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN) {
		char name[IFNAME_LENGTH + 1];

		rules_vlan_name(want, name);
		on = links_by_name(&engine->links, name);
		if (!on)
			return 0;
	}
	if (has(want, SESSION_BRIDGE)) {
		ret->master = bridge_index(engine, want);
		return ret->master && ret->master != on->master ? LINK_MASTER : 0;
	}
	ret->master = 0;
	return on->master ? LINK_MASTER : 0;
}

unsigned int want_link(struct engine *engine, unsigned int mtu, const struct session *before,
		       const struct session *want, const struct kernel_link *have,
		       struct kernel_link *ret)
{
	unsigned int set = 0;

	*ret = (struct kernel_link){.index = have->index};
	if (has(want, SESSION_INTERFACE_NAME) && strcmp(have->name, want->interface_name) != 0)
		set |= LINK_NAME;
	if (have->index == 0 || set)
		memcpy(ret->name, want->interface_name, sizeof(ret->name));
	if (has(want, SESSION_MAC_ADDRESS) &&
	    memcmp(&want->mac_address, &have->mac, sizeof(have->mac)) != 0) {
		ret->mac = want->mac_address;
		set |= LINK_MAC;
	}
	ret->up = want->link_enabled;
	if (want->link_enabled != have->up)
		set |= LINK_UP;
	set |= want_mtu(mtu, before, want, have, ret);
	set |= want_master(engine, before, want, have, ret);
	return set;
}

bool want_vlan(struct engine *engine, const struct session *want, unsigned int parent)
{
	char name[IFNAME_LENGTH + 1];
	const struct kernel_link *link;

	if (want->pseudowire_type != PSEUDOWIRE_ETHERNET_VLAN)
		return false;
	rules_vlan_name(want, name);
	link = links_by_name(&engine->links, name);
	if (!link || link->parent != parent || link->vlan_id != want->vlan_id)
		return true;
	return link->up != want->link_enabled || (has(want, SESSION_MTU) && link->mtu != want->mtu);
}

static bool differs_by_record(const struct row *row, const void *before, const void *want)
{
	if (!before || (row->source == SOURCE_KERNEL && row->wire != WIRE_NONE))
		return false;
	/* what is not in netlink goes away too: the 802.1Q link of a vlan-id */
	return (codec_present(row, want) || row->wire == WIRE_NONE) &&
	       !codec_equal(row, before, want);
}

/*
 * Rows in which the kernel's object must change. What the kernel reports is
 * compared with it; what it does not report, or the data path rewrites, is
 * compared with the configuration until now.
 */
static uint64_t difference(enum object object, const void *before, const void *want,
			   const void *have)
{
	const struct row_set *set = &row_sets[object];
	uint64_t rows = 0;

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (row->wire == WIRE_NONE && row->change != CHANGE_RECREATE)
			continue;
		if (row->wire != WIRE_NONE && row->source == SOURCE_KERNEL &&
		    !codec_same_in_kernel(row, want, have))
			rows |= BIT(i);
		if (differs_by_record(row, before, want))
			rows |= BIT(i);
	}
	return rows;
}

/* Another choice of local-address or local-interface. */
static bool local_changed(const struct job *job, uint32_t tunnel_id)
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	const struct tunnel *from = candidate_tunnel(job->from, tunnel_id);
	const struct tunnel *to = candidate_tunnel(job->to, tunnel_id);

	return from && to &&
	       (!codec_equal(&rows[TUNNEL_LOCAL_ADDRESS], from, to) ||
		!codec_equal(&rows[TUNNEL_LOCAL_INTERFACE], from, to));
}

static bool tunnel_differs(struct engine *engine, const struct job *job,
			   const struct tunnel_entry *entry, const struct tunnel *want)
{
	struct tunnel before;
	int rc = want_tunnel(engine, job->from, want->tunnel_id, &before);
	struct tunnel compare = *want;

	/* local-interface is not the kernel's: what it gave is compared as the address */
	compare.present &= ~BIT(TUNNEL_LOCAL_INTERFACE);
	if (rc == 0)
		memcpy(before.local_interface, compare.local_interface,
		       sizeof(before.local_interface));
	return codec_any_change(
		OBJECT_TUNNEL,
		difference(OBJECT_TUNNEL, rc == 0 ? &before : NULL, &compare, &entry->actual),
		CHANGE_RECREATE);
}

static uint8_t plan_tunnel(struct engine *engine, const struct job *job, uint32_t tunnel_id)
{
	const struct tunnel_entry *entry = datastore_tunnel(engine->store, tunnel_id);
	bool have = entry && entry->entry.in_kernel;
	struct tunnel want;
	int rc = want_tunnel(engine, job->to, tunnel_id, &want);

	if (rc == -ENOENT)
		return have ? ACTION_DELETE : 0;
	if (!have)
		return ACTION_CREATE;
	if (rc < 0 && local_changed(job, tunnel_id))
		return ACTION_DELETE | ACTION_CREATE;
	if (rc < 0) /* its interface has no address now: what it had will do until it has another */
		codec_copy(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_ADDRESS], &want,
			   &entry->actual);
	return tunnel_differs(engine, job, entry, &want) ? ACTION_DELETE | ACTION_CREATE : 0;
}

static uint8_t link_action(struct engine *engine, const struct job *job,
			   const struct session_entry *entry, const struct session *before,
			   const struct session *want)
{
	const struct kernel_link *have = links_by_index(&engine->links, entry->state.if_index);
	const struct tunnel *tunnel = candidate_tunnel(job->to, entry->tunnel->entry.key.tunnel_id);
	struct kernel_link ignored;

	if (!have || !tunnel || want->pseudowire_type == PSEUDOWIRE_PPP)
		return 0;
	if (want_vlan(engine, want, have->index))
		return ACTION_LINK;
	return want_link(engine, default_mtu(entry, tunnel, want), before, want, have, &ignored)
		       ? ACTION_LINK
		       : 0;
}

static uint8_t change_session(struct engine *engine, const struct job *job,
			      const struct session_entry *entry, uint32_t tunnel_id,
			      const struct session *want)
{
	struct session before;
	int rc = want_session(job->from, tunnel_id, want->session_id, &before);
	const struct session *was = rc == 0 ? &before : NULL;
	uint64_t rows = difference(OBJECT_SESSION, was, want, &entry->actual);
	uint8_t todo = 0;

	if (codec_any_change(OBJECT_SESSION, rows, CHANGE_RECREATE))
		return ACTION_DELETE | ACTION_CREATE;
	if (codec_any_change(OBJECT_SESSION, rows, CHANGE_MODIFY))
		todo |= ACTION_MODIFY;
	return todo | link_action(engine, job, entry, was, want);
}

static uint8_t plan_session(struct engine *engine, const struct job *job, uint32_t tunnel_id,
			    uint32_t session_id, uint8_t tunnel_todo)
{
	const struct session_entry *entry = datastore_session(engine->store, tunnel_id, session_id);
	bool have = entry && entry->entry.in_kernel;
	struct session want;
	bool wanted = want_session(job->to, tunnel_id, session_id, &want) == 0;

	if (have && (tunnel_todo & ACTION_DELETE))
		return wanted ? ACTION_CASCADE | ACTION_CREATE : ACTION_CASCADE;
	if (!have)
		return wanted ? ACTION_CREATE : 0;
	return wanted ? change_session(engine, job, entry, tunnel_id, &want) : ACTION_DELETE;
}

/* What re-creating or changing the interface would lose and no leaf says. */
static int save_link(struct engine *engine, struct job *job, struct item *item)
{
	const struct session_entry *entry =
		datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);
	const struct kernel_link *link =
		entry ? links_by_index(&engine->links, entry->state.if_index) : NULL;
	struct session before;

	if (!link || !entry->entry.in_kernel || !entry->tunnel->entry.in_kernel ||
	    want_session(job->from, item->key.tunnel_id, item->key.session_id, &before) != 0)
		return 0;
	item->saved = calloc(1, sizeof(*item->saved));
	if (!item->saved)
		return -ENOMEM;
	item->saved->link = *link;
	item->saved->set = LINK_MAC;
	if (link->mtu != default_mtu(entry, &entry->tunnel->actual, &entry->actual) &&
	    !has(&before, SESSION_MTU))
		item->saved->set |= LINK_MTU;
	if (link->master && !has(&before, SESSION_BRIDGE))
		item->saved->set |= LINK_MASTER;
	return 0;
}

static int add_item(struct engine *engine, struct job *job, uint32_t tunnel_id, uint32_t session_id,
		    uint8_t todo)
{
	struct item *item;

	if (todo == 0)
		return 0;
	if (job->count == job->capacity) {
		size_t capacity = job->capacity ? 2 * job->capacity : 16;
		struct item *items = reallocarray(job->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		job->items = items;
		job->capacity = capacity;
	}
	item = &job->items[job->count++];
	*item = (struct item){.key = {tunnel_id, session_id}, .todo = todo};
	if (session_id && (todo & (ACTION_DELETE | ACTION_CASCADE | ACTION_LINK)))
		return save_link(engine, job, item); /* for its re-creation, or the undo */
	return 0;
}

/* A walk over the sessions of a tunnel that are in the kernel or wanted. */
struct sessions {
	const struct tunnel_entry *entry; /* NULL: none in the kernel */
	const struct candidate *view;
	uint32_t tunnel_id;
	uint32_t id;     /* the one we are at */
	uint32_t wanted; /* the first wanted from there on, if any */
	bool any_wanted;
};

static void find_wanted(struct sessions *sessions)
{
	sessions->any_wanted = candidate_session_from(sessions->view, sessions->tunnel_id,
						      &sessions->wanted) != NULL;
}

/* To the first from @id on; false when there is none. Looks for wanted ones only past the last. */
static bool next_session(struct sessions *sessions, uint32_t id)
{
	const struct session_entry *found =
		sessions->entry ? tunnel_session_from(sessions->entry, id) : NULL;

	if (sessions->any_wanted && sessions->wanted < id) {
		sessions->wanted = id;
		find_wanted(sessions);
	}
	if (!found && !sessions->any_wanted)
		return false;
	sessions->id =
		!found || (sessions->any_wanted && sessions->wanted < found->entry.key.session_id)
			? sessions->wanted
			: found->entry.key.session_id;
	return true;
}

/* A session that others made in the tunnel, not a commit that is given up; NULL: none. */
static const struct session_entry *foreign_session(const struct job *job,
						   const struct tunnel_entry *entry)
{
	const struct session_entry *session = entry ? tunnel_session_from(entry, 0) : NULL;

	while (session &&
	       (!session->entry.in_kernel || entry_config(&session->entry) || session->entry.held ||
		candidate_session(job->from, entry->entry.key.tunnel_id,
				  session->entry.key.session_id)))
		session = session_next(session);
	return session;
}

static int refuse_foreign(const struct job *job, const struct tunnel_entry *entry,
			  struct error *err)
{
	const struct session_entry *session = foreign_session(job, entry);

	if (session) {
		error_at_entry(err, entry->entry.key.tunnel_id, session->entry.key.session_id,
			       NULL);
		return error_set(err, ERROR_FOREIGN,
				 "session %u was made by someone else in tunnel %u, and would be "
				 "destroyed with it; adopt the tunnel, or delete that session "
				 "where it was made",
				 session->entry.key.session_id, entry->entry.key.tunnel_id);
	}
	return 0;
}

int plan_check(struct engine *engine, const struct candidate *changes, struct error *err)
{
	const struct job job = {.from = &engine->running, .to = changes};
	int rc = 0;

	for (struct change *c = candidate_first(changes); c && rc == 0; c = change_next(c))
		if (c->session_id == 0 && (plan_tunnel(engine, &job, c->tunnel_id) & ACTION_DELETE))
			rc = refuse_foreign(&job, datastore_tunnel(engine->store, c->tunnel_id),
					    err);
	return rc;
}

/* All sessions of a tunnel that comes or goes. */
static int plan_whole(struct engine *engine, struct job *job, uint32_t tunnel_id, uint8_t todo,
		      struct error *err)
{
	struct sessions sessions = {
		.entry = datastore_tunnel(engine->store, tunnel_id),
		.view = job->to,
		.tunnel_id = tunnel_id,
		.wanted = 1,
	};
	uint32_t from = 1;
	int rc = 0;

	if ((todo & ACTION_DELETE) && job->strict)
		rc = refuse_foreign(job, sessions.entry, err);
	find_wanted(&sessions);
	while (rc == 0 && next_session(&sessions, from)) {
		rc = add_item(engine, job, tunnel_id, sessions.id,
			      plan_session(engine, job, tunnel_id, sessions.id, todo));
		if (sessions.id == ID_MAX)
			break;
		from = sessions.id + 1;
	}
	return rc;
}

/* A repair leaves a tunnel as it is rather than destroy what others made in it. */
static bool spare_foreign(struct engine *engine, struct job *job, uint32_t tunnel_id, uint8_t todo)
{
	struct item *item;

	if (job->strict || !(todo & ACTION_DELETE) ||
	    !foreign_session(job, datastore_tunnel(engine->store, tunnel_id)))
		return false;
	item = &job->items[job->count - 1];
	item->todo = 0;
	item->reason = REASON_FOREIGN_OBJECT;
	return true;
}

int plan_job(struct engine *engine, struct job *job, const struct keys *keys, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < keys->count && rc == 0;) {
		uint32_t tunnel_id = keys->at[i].tunnel_id;
		uint8_t todo = 0;

		if (keys->at[i].session_id == 0) {
			todo = plan_tunnel(engine, job, tunnel_id);
			rc = add_item(engine, job, tunnel_id, 0, todo);
			i++;
		}
		if (rc == 0 && (todo & (ACTION_CREATE | ACTION_DELETE))) {
			if (!spare_foreign(engine, job, tunnel_id, todo))
				rc = plan_whole(engine, job, tunnel_id, todo, err);
			while (i < keys->count && keys->at[i].tunnel_id == tunnel_id)
				i++;
			continue;
		}
		for (; rc == 0 && i < keys->count && keys->at[i].tunnel_id == tunnel_id; i++)
			rc = add_item(
				engine, job, tunnel_id, keys->at[i].session_id,
				plan_session(engine, job, tunnel_id, keys->at[i].session_id, 0));
	}
	if (rc == -ENOMEM)
		error_set(err, ERROR_RESOURCE, "no memory for the plan of %zu objects",
			  keys->count);
	return rc;
}

int plan_keys(const struct candidate *changes, struct keys *ret)
{
	int rc = 0;

	for (struct change *c = candidate_first(changes); c && rc == 0; c = change_next(c))
		rc = keys_add(ret, c->tunnel_id, c->session_id);
	return rc;
}

static uint8_t undo_of(uint8_t done)
{
	uint8_t todo = done & (ACTION_MODIFY | ACTION_LINK);

	if (done & ACTION_CREATE)
		todo |= ACTION_DELETE;
	if (done & (ACTION_DELETE | ACTION_CASCADE))
		todo |= ACTION_CREATE;
	return todo;
}

void plan_undo(struct job *job)
{
	const struct candidate *from = job->from;
	const struct item *tunnel = NULL;

	for (size_t i = 0; i < job->count; i++) {
		struct item *item = &job->items[i];

		item->todo = undo_of(item->done | item->tried);
		item->done = item->tried = item->reason = item->lost = 0;
		item->os_errno = 0;
		if (item->key.session_id == 0)
			tunnel = item;
		else if (tunnel && tunnel->key.tunnel_id == item->key.tunnel_id &&
			 (tunnel->todo & ACTION_DELETE) && (item->todo & ACTION_DELETE))
			item->todo = (uint8_t)((item->todo & ~ACTION_DELETE) | ACTION_CASCADE);
	}
	job->from = job->to;
	job->to = from;
	job->phase = PHASE_DELETE_SESSIONS;
	job->cursor = 0;
	job->blocked_since = 0;
	job->strict = false;
	job->undoing = true;
}

static int compare_key(const void *left, const void *right)
{
	return key_compare(left, &((const struct item *)right)->key);
}

struct item *job_item(struct job *job, uint32_t tunnel_id, uint32_t session_id)
{
	struct key key = {tunnel_id, session_id};

	if (job->count == 0)
		return NULL;
	return bsearch(&key, job->items, job->count, sizeof(*job->items), compare_key);
}

struct job *job_new(const struct candidate *from, const struct candidate *to, bool strict)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->from = from;
	job->to = to;
	job->strict = strict;
	return job;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	for (size_t i = 0; i < job->count; i++)
		free(job->items[i].saved);
	free(job->items);
	free(job->batch);
	free(job);
}
