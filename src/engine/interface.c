/* Sets up sessions' interfaces, and the 802.1Q links of ethernet-vlan sessions. */
#include "engine/interface.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "engine/batch.h"
#include "engine/desired.h"
#include "engine/observe.h"
#include "engine/recall.h"
#include "engine/saved.h"
#include "model/rules.h"

static struct session_entry *entry_of(const struct engine *engine, const struct item *item)
{
	return datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);
}

/* ---- what others had set */

/*
 * Put settings back on a link that is down. A link without its port settings must not carry frames
 * of its bridge: take it out.
 */
static void put_back(struct engine *engine, const struct item *item, struct saved_link *saved,
		     const struct kernel_link *link)
{
	struct kernel_request leave = {
		.verb = KERNEL_LINK_SET, .link.index = link->index, .link_set = LINK_MASTER};
	struct session_entry *entry = entry_of(engine, item);
	char lost[KERNEL_LOST_MAX], what[KEY_TEXT_MAX];
	int rc = engine->k->put_back(engine->o.kernel, link->index, saved->kept, lost);

	key_text(&item->key, what);
	if (rc == 0 && lost[0])
		engine_log(engine, LOG_NOTICE, "%s: %s lost what others had set: %s", what,
			   link->name, lost);
	if (rc == 0)
		return;
	engine_submit(engine, &leave, 1);
	entry->saved->owed = true;
	entry->state.port_errno = (int16_t)-rc;
	agenda_wait(&engine->agenda, &item->key);
	engine_log(engine, LOG_WARNING,
		   "%s: %s stays out of its bridge, for what others had set on the port cannot be "
		   "put back (%s: %s); will retry",
		   what, link->name, lost, strerror(-rc));
}

/* Ask the kernel, for events can be lost. */
static int get_link(struct engine *engine, unsigned int index, const char *name,
		    struct kernel_link *ret)
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET, .link.index = index};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	engine_submit(engine, &request, 1);
	*ret = request.link;
	return request.result;
}

/* ---- interfaces */

/* Joining or leaving a VRF takes a link down and up (drivers/net/vrf.c cycle_netdev). */
static bool is_cycled(const struct engine *engine, unsigned int from, unsigned int to)
{
	const struct kernel_link *left = links_by_index(&engine->links, from);
	const struct kernel_link *joined = links_by_index(&engine->links, to);

	return from != to && ((left && left->vrf) || (joined && joined->vrf));
}

/* Put the link work of a session into the batch's second round of requests. */
static void request_link(struct engine *engine, struct job *job, struct item *item,
			 const struct session_entry *entry, const struct kernel_link *have,
			 const struct session *want, const struct session *before)
{
	const struct saved *saved = saved_of(job, item, entry);
	struct kernel_link unknown = {.index = 0};
	const struct tunnel *tunnel = candidate_tunnel(job->to, item->key.tunnel_id);
	struct kernel_request *request;
	struct kernel_link set;
	unsigned int bits;

	item->restores = saved != NULL;
	item->lowered = false;
	memcpy(unknown.name, want->interface_name, sizeof(unknown.name));
	if (!have)
		have = &unknown;
	if (!tunnel || want->pseudowire_type == PSEUDOWIRE_PPP)
		return;
	bits = want_link(engine, default_mtu(entry, tunnel, want), before, want, have, &set);
	if (want->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN)
		bits &= ~(unsigned int)LINK_MASTER;
	if (saved)
		bits |= saved_link_bits(&saved->interface, want, have, &set);
	if (set.master && !links_by_index(&engine->links, set.master))
		bits &= ~(unsigned int)LINK_MASTER; /* that master no longer exists */
	/*
	 * put back what others had set before it is up; a link that goes down loses IPv6 addresses
	 */
	item->lowered = entry && entry->saved && entry->saved->interface.kept &&
			(saved || (bits & (LINK_MAC | LINK_NAME)) ||
			 ((bits & LINK_MASTER) && is_cycled(engine, have->master, set.master)));
	if (!bits && !item->lowered)
		return;
	if ((bits & (LINK_MAC | LINK_NAME) || item->lowered) && have->up) {
		/* while up it refuses a new MAC address, and up to 6.1 a new name */
		request = batch_add(job->batch, KERNEL_LINK_SET, &item->key);
		request->link.index = have->index;
		request->link_set = LINK_UP;
		bits |= LINK_UP;
	}
	if (item->lowered)
		bits &= ~(unsigned int)LINK_UP;
	if (!bits)
		return;
	request = batch_add(job->batch, KERNEL_LINK_SET, &item->key);
	request->link = set;
	request->link_set = bits;
}

static int restore_interface(struct engine *engine, const struct item *item,
			     const struct session *want)
{
	struct session_entry *entry = entry_of(engine, item);
	bool known = entry && !(item->done & ACTION_CREATE);
	struct kernel_request request = {
		.verb = KERNEL_LINK_SET, .link.up = want->link_enabled, .link_set = LINK_UP};
	struct kernel_link link;
	int rc = get_link(engine, known ? entry->state.if_index : 0, want->interface_name, &link);

	if (rc < 0 || !entry || !entry->saved)
		return rc;
	request.link.index = link.index;
	put_back(engine, item, &entry->saved->interface, &link);
	engine_submit(engine, &request, 1);
	return request.result;
}

/* ---- 802.1Q links */

/*
 * Set up the 802.1Q link of an ethernet-vlan session: master, state, and the MTU of the link below.
 * *@ret_master: what it should be in.
 */
static int set_vlan(struct engine *engine, const struct item *item, const struct session *want,
		    struct saved_link *saved, bool leave, const char name[IFNAME_LENGTH + 1],
		    const struct kernel_link *parent, unsigned int *ret_master)
{
	const struct kernel_link *master = find_master(engine, want);
	struct kernel_request down = {.verb = KERNEL_LINK_SET, .link_set = LINK_UP};
	struct kernel_request request = {.verb = KERNEL_LINK_SET, .link_set = LINK_MTU};
	bool restores = saved && saved->kept;
	struct kernel_link link;

	if (!has_master(want) && saved && (saved->set & LINK_MASTER))
		master = links_by_index(&engine->links, saved->master);
	memcpy(down.link.name, name, sizeof(down.link.name));
	memcpy(request.link.name, name, sizeof(request.link.name));
	request.link.up = want->link_enabled;
	request.link.mtu = parent->mtu;
	if (master || leave) {
		request.link.master = master ? master->index : 0;
		request.link_set |= LINK_MASTER;
	}
	if (saved && (saved->set & LINK_ALIAS)) {
		request.link.alias = saved->alias;
		request.link_set |= LINK_ALIAS;
	}
	*ret_master = request.link.master;
	if (restores)
		engine_submit(engine, &down, 1);
	else
		request.link_set |= LINK_UP;
	engine_submit(engine, &request, 1);
	if (request.result < 0 || !restores)
		return request.result;
	request.result = get_link(engine, 0, name, &link);
	if (request.result < 0)
		return request.result;
	put_back(engine, item, saved, &link);
	request.link_set = LINK_UP;
	engine_submit(engine, &request, 1);
	return request.result;
}

/* Others renamed it: restore its name, which up to 6.1 works only while it is down. */
static int rename_vlan(struct engine *engine, const struct kernel_link *as)
{
	const struct kernel_link *there = links_by_vlan(&engine->links, as->parent, as->vlan_id);
	struct kernel_request requests[2] = {
		{.verb = KERNEL_LINK_SET, .link_set = LINK_UP},
		{.verb = KERNEL_LINK_SET, .link_set = LINK_NAME},
	};

	if (!there)
		return -EEXIST;
	requests[0].link.index = requests[1].link.index = there->index;
	memcpy(requests[1].link.name, as->name, sizeof(requests[1].link.name));
	engine_submit(engine, requests, 2);
	return requests[1].result;
}

/* @leave: take it out of its master. *@ret_master: as in set_vlan(). */
static int make_vlan(struct engine *engine, const struct item *item, const struct session *want,
		     bool leave, unsigned int *ret_master)
{
	const struct kernel_link *parent =
		links_of_session(&engine->links, 0, want->interface_name);
	struct session_entry *entry = entry_of(engine, item);
	struct saved *saved = entry ? entry->saved : NULL;
	const struct kernel_link *there, *master = find_master(engine, want);
	struct kernel_request create = {.verb = KERNEL_VLAN_CREATE};

	if (!parent)
		return -ENODEV;
	rules_vlan_name(want, create.link.name);
	create.link.parent = parent->index;
	create.link.vlan_id = want->vlan_id;
	there = links_by_name(&engine->links, create.link.name);
	if (!item->restores && !(there && (master || leave) &&
				 is_cycled(engine, there->master, master ? master->index : 0)))
		saved = NULL;
	if (!there || there->parent != parent->index || there->vlan_id != want->vlan_id) {
		engine_submit(engine, &create, 1); /* refused if another link has the name */
		if (create.result == -EEXIST && !there)
			create.result = rename_vlan(engine, &create.link);
		if (create.result < 0)
			return create.result;
	}
	return set_vlan(engine, item, want, saved ? &saved->vlan : NULL, leave, create.link.name,
			parent, ret_master);
}

static bool has_interface(const struct batch *batch, size_t i)
{
	const struct item *item = batch->items[i];

	return ((item->done & ACTION_CREATE) || (item->todo & ACTION_LINK)) &&
	       batch->want[i].session.pseudowire_type != PSEUDOWIRE_PPP;
}

/* The change removes the leaf of its master; others may put the link into one of theirs. */
static bool leaves_master(const struct job *job, const struct item *item,
			  const struct session *want)
{
	struct session before;

	return (item->todo & ACTION_LINK) && !has_master(want) &&
	       want_session(job->from, item->key.tunnel_id, item->key.session_id, &before) == 0 &&
	       has_master(&before);
}

static enum verdict finish_link(struct engine *engine, struct job *job, size_t i)
{
	const struct batch *batch = job->batch;
	const struct session *want = &batch->want[i].session;
	struct item *item = batch->items[i];
	const struct kernel_request *request = batch->link_requests[i];
	unsigned int master =
		request && (request->link_set & LINK_MASTER) ? request->link.master : 0;
	struct session_entry *entry = entry_of(engine, item);
	int rc = request ? request->result : 0;
	char text[192];

	if (!has_interface(batch, i))
		return VERDICT_DONE;
	if (entry) {
		entry->state.port_errno = 0;
		if (entry->saved)
			entry->saved->owed = false;
	}
	if (rc == 0 && item->lowered)
		rc = restore_interface(engine, item, want);
	if (rc == 0 && want_vlan(engine, want, 0))
		rc = make_vlan(engine, item, want, leaves_master(job, item, want), &master);
	if (rc < 0)
		observe_drain(engine);
	if (rc < 0 && entry && entry->saved && item->restores)
		entry->saved->owed = true;
	/*
	 * its master has gone since the plan: another turn sets up the rest, and waits for the
	 * master; but do not retry for ever
	 */
	if (rc < 0 && master && !links_by_index(&engine->links, master) && item->lost < LOST_MAX) {
		item->lost++;
		item->tried |= ACTION_LINK;
		item->todo |= ACTION_LINK; /* just created: retry in the link phase */
		return VERDICT_AGAIN;
	}
	if (item_lost(item, ACTION_LINK, rc)) {
		item->todo |= ACTION_LINK; /* just created: retry in the link phase */
		return VERDICT_AGAIN;
	}
	item->tried |= item->todo & ACTION_LINK; /* part of it may be done */
	if (rc == 0 && entry && request && (request->link_set & LINK_DORMANT)) {
		entry->state.silenced = request->link.dormant;
		recall_mark(engine, &entry->entry, true);
	}
	if (rc == 0) {
		item->done |= item->todo & ACTION_LINK;
		return VERDICT_DONE;
	}
	snprintf(text, sizeof(text), "interface %s cannot be set up as configured: %s",
		 want->interface_name, strerror(-rc));
	return item_refuse(job, item, ERROR_KERNEL, -rc, text);
}

/* Note the index now: if the commit is undone, we must wait for the interface to go. */
static void note_link(struct engine *engine, struct item *item, struct session_entry *entry,
		      const struct kernel_link *link)
{
	if (link)
		item->kernel_mtu = link->mtu;
	if (link && entry && !entry->entry.held)
		datastore_set_index(engine->store, entry, link->index);
}

static void gather_link(struct engine *engine, struct job *job, size_t i)
{
	struct batch *batch = job->batch;
	struct item *item = batch->items[i];
	const struct session *want = &batch->want[i].session;
	struct session_entry *entry = entry_of(engine, item);
	bool created = item->done & ACTION_CREATE;
	const struct kernel_link *link =
		links_of_session(&engine->links, entry && !created ? entry->state.if_index : 0,
				 want->interface_name);
	struct session before;
	bool had = (item->todo & ACTION_LINK) &&
		   want_session(job->from, item->key.tunnel_id, item->key.session_id, &before) == 0;
	size_t was = batch->requested;

	if (has_interface(batch, i) && created)
		note_link(engine, item, entry, link);
	if (has_interface(batch, i))
		request_link(engine, job, item, entry, link, want, had ? &before : NULL);
	/* the last of two: it fails if the first does, and both can be repeated */
	batch->link_requests[i] =
		batch->requested > was ? &batch->requests[batch->requested - 1] : NULL;
}

enum verdict interface_set(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;

	observe_drain(engine);
	batch->requested = 0;
	for (size_t i = 0; i < batch->count; i++)
		gather_link(engine, job, i);
	if (batch->requested)
		engine_submit(engine, batch->requests, batch->requested);
	observe_drain(engine);
	return job_judge(engine, job, finish_link);
}
