/* Setting up sessions' interfaces, and the 802.1Q links of ethernet-vlan ones. */
#include "engine/interface.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/batch.h"
#include "engine/desired.h"
#include "engine/observe.h"
#include "model/rules.h"

/* Add to @set what @have has lost, and no leaf says; returns its bits. */
static unsigned int put_back(const struct saved_link *saved, const struct session *want,
			     const struct kernel_link *have, struct kernel_link *set)
{
	unsigned int bits = saved->set;

	if ((want->present & BIT(SESSION_MAC_ADDRESS)) ||
	    memcmp(&have->mac, &saved->link.mac, sizeof(have->mac)) == 0)
		bits &= ~(unsigned int)LINK_MAC;
	if ((want->present & BIT(SESSION_MTU)) || have->mtu == saved->link.mtu)
		bits &= ~(unsigned int)LINK_MTU;
	if ((want->present & BIT(SESSION_BRIDGE)) || have->master == saved->link.master)
		bits &= ~(unsigned int)LINK_MASTER;
	if (bits & LINK_MAC)
		set->mac = saved->link.mac;
	if (bits & LINK_MTU)
		set->mtu = saved->link.mtu;
	if (bits & LINK_MASTER)
		set->master = saved->link.master;
	return bits;
}

/* The link work of one session, into the batch's second round of requests. */
static void request_link(struct engine *engine, struct job *job, struct item *item,
			 const struct session *want, const struct session *before)
{
	const struct session_entry *entry =
		datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);
	bool known = entry && !(item->done & ACTION_CREATE);
	const struct kernel_link *have = links_of_session(
		&engine->links, known ? entry->state.if_index : 0, want->interface_name);
	struct kernel_link unknown = {.index = 0};
	const struct tunnel *tunnel = candidate_tunnel(job->to, item->key.tunnel_id);
	struct kernel_request *request;
	struct kernel_link set;
	unsigned int bits;

	memcpy(unknown.name, want->interface_name, sizeof(unknown.name));
	if (!have)
		have = &unknown;
	if (!tunnel || want->pseudowire_type == PSEUDOWIRE_PPP)
		return;
	bits = want_link(engine, default_mtu(entry, tunnel, want), before, want, have, &set);
	if (want->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN)
		bits &= ~(unsigned int)LINK_MASTER;
	if (item->saved && (job->undoing || (item->done & ACTION_CREATE)))
		bits |= put_back(item->saved, want, have, &set);
	if (!bits)
		return;
	if ((bits & (LINK_MAC | LINK_NAME)) && have->up) {
		/* while up it refuses another MAC address, and up to 6.1 another name */
		request = batch_add(job->batch, KERNEL_LINK_SET, &item->key);
		request->link.index = have->index;
		request->link_set = LINK_UP;
		bits |= LINK_UP;
	}
	request = batch_add(job->batch, KERNEL_LINK_SET, &item->key);
	request->link = set;
	request->link_set = bits;
}

/* Set up the 802.1Q link of an ethernet-vlan session: bridge, state, the MTU of the link below. */
static int set_vlan(struct engine *engine, const struct session *want, bool leave, const char *name,
		    const struct kernel_link *parent)
{
	const struct kernel_link *bridge = (want->present & BIT(SESSION_BRIDGE))
						   ? links_by_name(&engine->links, want->bridge)
						   : NULL;
	struct kernel_request request = {.verb = KERNEL_LINK_SET, .link_set = LINK_UP | LINK_MTU};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	request.link.up = want->link_enabled;
	request.link.mtu = parent->mtu;
	if (bridge || leave) {
		request.link.master = bridge ? bridge->index : 0;
		request.link_set |= LINK_MASTER;
	}
	engine_submit(engine, &request, 1);
	return request.result;
}

/* Others renamed it: give it its name back, which up to 6.1 it takes only while down. */
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

/* @leave: take it out of the bridge that it is in */
static int make_vlan(struct engine *engine, const struct session *want, bool leave)
{
	const struct kernel_link *parent =
		links_of_session(&engine->links, 0, want->interface_name);
	const struct kernel_link *there;
	struct kernel_request create = {.verb = KERNEL_VLAN_CREATE};

	if (!parent)
		return -ENODEV;
	rules_vlan_name(want, create.link.name);
	create.link.parent = parent->index;
	create.link.vlan_id = want->vlan_id;
	there = links_by_name(&engine->links, create.link.name);
	if (!there || there->parent != parent->index || there->vlan_id != want->vlan_id) {
		engine_submit(engine, &create, 1); /* refused when another's has the name */
		if (create.result == -EEXIST && !there)
			create.result = rename_vlan(engine, &create.link);
		if (create.result < 0)
			return create.result;
	}
	return set_vlan(engine, want, leave, create.link.name, parent);
}

static bool has_interface(const struct batch *batch, size_t i)
{
	const struct item *item = batch->items[i];

	return ((item->done & ACTION_CREATE) || (item->todo & ACTION_LINK)) &&
	       batch->want[i].session.pseudowire_type != PSEUDOWIRE_PPP;
}

/* The bridge leaf goes with this change; others may have put it into one themselves. */
static bool leaves_bridge(const struct job *job, const struct item *item,
			  const struct session *want)
{
	struct session before;

	return (item->todo & ACTION_LINK) && !(want->present & BIT(SESSION_BRIDGE)) &&
	       want_session(job->from, item->key.tunnel_id, item->key.session_id, &before) == 0 &&
	       (before.present & BIT(SESSION_BRIDGE));
}

static enum verdict finish_link(struct engine *engine, struct job *job, size_t i)
{
	const struct batch *batch = job->batch;
	const struct session *want = &batch->want[i].session;
	struct item *item = batch->items[i];
	const struct kernel_request *request = batch->link_requests[i];
	int result = request ? request->result : 0;
	char text[192];

	if (!has_interface(batch, i))
		return VERDICT_DONE;
	if (result == 0 && want_vlan(engine, want, 0))
		result = make_vlan(engine, want, leaves_bridge(job, item, want));
	if (item_lost(item, ACTION_LINK, result)) {
		item->todo |= ACTION_LINK; /* just created: try again in the link phase */
		return VERDICT_AGAIN;
	}
	item->tried |= item->todo & ACTION_LINK; /* half of it may be done */
	if (result == 0) {
		item->done |= item->todo & ACTION_LINK;
		return VERDICT_DONE;
	}
	snprintf(text, sizeof(text), "interface %s cannot be set up as configured: %s",
		 want->interface_name, strerror(-result));
	return item_refuse(job, item, ERROR_KERNEL, -result, text);
}

/* Note the index now: should the commit be taken back, the removal has to be waited for. */
static void note_link(struct engine *engine, struct item *item, const struct session *want)
{
	const struct kernel_link *link = links_of_session(&engine->links, 0, want->interface_name);
	struct session_entry *entry =
		datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);

	if (link)
		item->kernel_mtu = link->mtu;
	if (link && entry && !entry->entry.held)
		datastore_set_index(engine->store, entry, link->index);
}

static void gather_link(struct engine *engine, struct job *job, size_t i)
{
	struct batch *batch = job->batch;
	struct item *item = batch->items[i];
	struct session before;
	bool had = (item->todo & ACTION_LINK) &&
		   want_session(job->from, item->key.tunnel_id, item->key.session_id, &before) == 0;
	size_t was = batch->requested;

	if (has_interface(batch, i) && (item->done & ACTION_CREATE))
		note_link(engine, item, &batch->want[i].session);
	if (has_interface(batch, i))
		request_link(engine, job, item, &batch->want[i].session, had ? &before : NULL);
	/* of two the last: it fails when the first has, and both can be repeated */
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
		batch_submit(engine, batch);
	observe_drain(engine);
	return job_judge(engine, job, finish_link);
}
