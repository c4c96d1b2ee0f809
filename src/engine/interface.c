/* Setting up sessions' interfaces, and the 802.1Q links of ethernet-vlan ones. */
#include "engine/job.h"

#include <errno.h>

/* The link work of one session into the batch's second round of requests. */
static void request_link(struct engine *engine, struct job *job, struct item *item,
			 const struct session *want, const struct session *before)
{
	const struct kernel_link *have = links_by_name(&engine->links, want->interface_name);
	struct kernel_link unknown = {.index = 0};
	const struct tunnel *tunnel = candidate_tunnel(job->to, item->key.tunnel_id);
	struct kernel_request *request;
	struct kernel_link set;
	unsigned int bits;

	memcpy(unknown.name, want->interface_name, sizeof(unknown.name));
	if (!tunnel || want->pseudowire_type == PSEUDOWIRE_PPP)
		return;
	bits = want_link(engine, tunnel, before, want, have ? have : &unknown, &set);
	if (want->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN)
		bits &= ~(unsigned int)LINK_MASTER;
	if (item->saved && (item->done & ACTION_CREATE)) {
		unsigned int lost = item->saved->set & ~bits;

		if (want->present & BIT(SESSION_MAC_ADDRESS))
			lost &= ~(unsigned int)LINK_MAC;
		if (lost & LINK_MAC)
			set.mac = item->saved->link.mac;
		if (lost & LINK_MTU)
			set.mtu = item->saved->link.mtu;
		if (lost & LINK_MASTER)
			set.master = item->saved->link.master;
		bits |= lost;
	}
	if (!bits)
		return;
	request = batch_add(job->batch, KERNEL_LINK_SET, item);
	request->link = set;
	request->link_set = bits;
}

/* The 802.1Q link of an ethernet-vlan session: its bridge, its state. */
static int make_vlan(struct engine *engine, const struct session *want)
{
	const struct kernel_link *parent = links_by_name(&engine->links, want->interface_name);
	const struct kernel_link *bridge = (want->present & BIT(SESSION_BRIDGE))
						   ? links_by_name(&engine->links, want->bridge)
						   : NULL;
	struct kernel_request requests[2] = {
		{.verb = KERNEL_VLAN_CREATE},
		{.verb = KERNEL_LINK_SET, .link_set = LINK_UP},
	};

	if (!parent)
		return -ENODEV;
	rules_vlan_name(want, requests[0].link.name);
	requests[0].link.parent = parent->index;
	requests[0].link.vlan_id = want->vlan_id;
	memcpy(requests[1].link.name, requests[0].link.name, sizeof(requests[1].link.name));
	requests[1].link.up = want->link_enabled;
	if (bridge) {
		requests[1].link.master = bridge->index;
		requests[1].link_set |= LINK_MASTER;
	}
	engine_submit(engine, requests, 2, 1);
	if (requests[0].result < 0 && requests[0].result != -EEXIST)
		return requests[0].result;
	return requests[1].result;
}

static enum outcome finish_link(struct engine *engine, struct job *job, struct item *item,
				const struct session *want, int result)
{
	char text[192];

	if (result == 0 && want_vlan(engine, want, 0))
		result = make_vlan(engine, want);
	if (result == 0) {
		item->done |= item->todo & ACTION_LINK;
		return OUTCOME_DONE;
	}
	snprintf(text, sizeof(text), "interface %s cannot be set up as configured: %s",
		 want->interface_name, strerror(-result));
	return item_refuse(job, item, ERROR_KERNEL, -result, text);
}

/* Second round: set up the interfaces of the sessions in the batch that are there. */
enum outcome job_set_links(struct engine *engine, struct job *job, uint8_t action)
{
	struct batch *batch = job->batch;
	enum outcome outcome = OUTCOME_DONE;
	size_t place[BATCH_MAX];

	observe_drain(engine);
	batch->requested = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = batch->items[i];
		struct session before;
		bool had =
			action == ACTION_LINK && want_session(job->from, item->key.tunnel_id,
							      item->key.session_id, &before) == 0;
		size_t was = batch->requested;

		if ((item->done & ACTION_CREATE) || action == ACTION_LINK)
			request_link(engine, job, item, &batch->want[i].session,
				     had ? &before : NULL);
		place[i] = batch->requested > was ? was : SIZE_MAX;
	}
	if (batch->requested)
		engine_submit(engine, batch->requests, batch->requested, batch->count);
	observe_drain(engine);
	for (size_t i = 0; i < batch->count; i++)
		if (((batch->items[i]->done & ACTION_CREATE) || action == ACTION_LINK) &&
		    batch->want[i].session.pseudowire_type != PSEUDOWIRE_PPP)
			outcome = worse(outcome,
					finish_link(engine, job, batch->items[i],
						    &batch->want[i].session,
						    place[i] == SIZE_MAX
							    ? 0
							    : batch->requests[place[i]].result));
	return outcome;
}
