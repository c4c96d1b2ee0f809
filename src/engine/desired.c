#include "engine/desired.h"

#include <errno.h>
#include <string.h>

#include "model/codec.h"
#include "model/overhead.h"
#include "model/rules.h"

int want_tunnel(struct engine *engine, const struct candidate *config, uint32_t tunnel_id,
		struct tunnel *ret)
{
	const struct tunnel *tunnel = candidate_tunnel(config, tunnel_id);
	const struct tunnel_entry *entry = datastore_tunnel(engine->store, tunnel_id);
	struct address address = {0};
	int rc;

	if (!tunnel)
		return -ENOENT;
	*ret = *tunnel;
	codec_complete(OBJECT_TUNNEL, ret);
	if (!ret->enabled)
		return -ENOENT;
	if (!(ret->present & BIT(TUNNEL_LOCAL_INTERFACE)))
		return 0;
	if (ret->present & BIT(TUNNEL_LOCAL_ADDRESS))
		return engine->k->interface_has(engine->o.kernel, ret->local_interface,
						&ret->local_address);
	if (entry && !memcmp(&entry->state.last_remote_address, &ret->remote_address,
			     sizeof(ret->remote_address)))
		address = entry->state.last_local_address;
	rc = engine->k->interface_address(engine->o.kernel, ret->local_interface,
					  &ret->remote_address, &address);
	if (rc == 0 || rc == -EAGAIN) {
		ret->local_address = address;
		ret->present |= BIT(TUNNEL_LOCAL_ADDRESS);
	}
	return rc;
}

int want_session(const struct candidate *config, uint32_t tunnel_id, uint32_t session_id,
		 struct session *ret)
{
	const struct session *session = candidate_session(config, tunnel_id, session_id);
	const struct tunnel *tunnel = candidate_tunnel(config, tunnel_id);

	if (!session || !tunnel)
		return -ENOENT;
	if ((tunnel->present & BIT(TUNNEL_ENABLED)) && !tunnel->enabled)
		return -ENOENT;
	*ret = *session;
	codec_complete(OBJECT_SESSION, ret);
	return ret->enabled ? 0 : -ENOENT;
}

int want_entry(struct engine *engine, const struct candidate *config, const struct key *key,
	       union config *ret)
{
	if (key->session_id)
		return want_session(config, key->tunnel_id, key->session_id, &ret->session);
	return want_tunnel(engine, config, key->tunnel_id, &ret->tunnel);
}

static bool has(const struct session *session, enum session_row row)
{
	return session && (session->present & BIT(row));
}

unsigned int default_mtu(const struct session_entry *entry, const struct tunnel *tunnel,
			 const struct session *want)
{
	unsigned int whole = 1500; /* the MTU of the path to the peer */
	union config actual;

	if (entry && entry->entry.in_kernel && entry->state.kernel_mtu)
		whole = entry->state.kernel_mtu +
			overhead_in_kernel(&entry->tunnel->actual,
					   entry_actual(&entry->entry, &actual));
	return whole - overhead_in_kernel(tunnel, want);
}

static unsigned int want_bridge(struct engine *engine, const struct session *before,
				const struct session *want, const struct kernel_link *have,
				struct kernel_link *ret)
{
	const struct kernel_link *on = have, *bridge;
	char name[IFNAME_LENGTH + 1];

	if (!has(want, SESSION_BRIDGE) && !has(before, SESSION_BRIDGE))
		return 0;
	if (want->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN) {
		rules_vlan_name(want, name);
		on = links_by_name(&engine->links, name);
		if (!on)
			return 0;
	}
	if (has(want, SESSION_BRIDGE)) {
		bridge = links_by_name(&engine->links, want->bridge);
		ret->master = bridge ? bridge->index : 0;
		return ret->master && ret->master != on->master ? LINK_MASTER : 0;
	}
	ret->master = 0;
	return on->master ? LINK_MASTER : 0;
}

bool want_dormant(const struct session_entry *entry, const struct session *want)
{
	return want->dead_action == DEAD_ACTION_LINK_DOWN && want->dead_interval &&
	       entry->state.common.peer_silent;
}

/* Others may make links dormant for reasons of theirs: only what we made so is made up again. */
static unsigned int want_state(struct engine *engine, const struct session *want,
			       const struct kernel_link *have, struct kernel_link *ret)
{
	const struct session_entry *entry =
		have->index ? datastore_session_by_index(engine->store, have->index) : NULL;

	if (!entry || (want->dead_action != DEAD_ACTION_LINK_DOWN && !entry->state.silenced))
		return 0;
	ret->dormant = want_dormant(entry, want);
	return ret->dormant != have->dormant || ret->dormant != entry->state.silenced ? LINK_DORMANT
										      : 0;
}

unsigned int want_link(struct engine *engine, unsigned int mtu, const struct session *before,
		       const struct session *want, const struct kernel_link *have,
		       struct kernel_link *ret)
{
	unsigned int set = 0;

	*ret = (struct kernel_link){.index = have->index, .up = want->link_enabled};
	if (has(want, SESSION_INTERFACE_NAME) && strcmp(have->name, want->interface_name) != 0)
		set |= LINK_NAME;
	if (have->index == 0 || set)
		memcpy(ret->name, want->interface_name, sizeof(ret->name));
	if (has(want, SESSION_MAC_ADDRESS) &&
	    memcmp(&want->mac_address, &have->mac, sizeof(have->mac)) != 0) {
		ret->mac = want->mac_address;
		set |= LINK_MAC;
	}
	if (ret->up != have->up)
		set |= LINK_UP;
	if (has(want, SESSION_MTU) || has(before, SESSION_MTU)) {
		ret->mtu = has(want, SESSION_MTU) ? want->mtu : mtu;
		set |= ret->mtu != have->mtu ? LINK_MTU : 0;
	}
	if (has(want, SESSION_DESCRIPTION) || has(before, SESSION_DESCRIPTION)) {
		ret->alias = want->description;
		set |= kernel_has_alias(have, ret->alias) ? 0 : LINK_ALIAS;
	}
	set |= want_state(engine, want, have, ret);
	return set | want_bridge(engine, before, want, have, ret);
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
