/*
 * Ports of bridges. Sources: net/bridge/br_netlink.c (br_port_fill_attrs, br_setport),
 * net/bridge/br_vlan.c (br_vlan_rtm_dump, br_vlan_rtm_process), br_vlan_options.c.
 *
 * Kernel rules handled here: a link's message has the settings of its port but not its VLANs, which
 * can be queried by port since Linux 5.6; a port that joins a bridge is put into the bridge's
 * default VLAN, which may have to be removed; options of VLANs are set only if not the default, for
 * older kernels refuse them.
 */
#include "kernel/netlink/port.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "kernel/netlink/attributes.h"

/* Newer than the oldest headers to build with. */
enum {
	PORT_LOCKED = 39,
	PORT_MAB = 40,
	PORT_MCAST_MAX_GROUPS = 42,
	PORT_NEIGH_VLAN_SUPPRESS = 43,
	PORT_BACKUP_NHID = 44,
	VLAN_MCAST_ROUTER = 6,
	VLAN_MCAST_MAX_GROUPS = 8,
	VLAN_NEIGH_SUPPRESS = 9
};

#define MCAST_ROUTER_DEFAULT 1 /* MDB_RTR_TYPE_TEMP_QUERY */

/*
 * All that br_setport() accepts except IFLA_BRPORT_STATE, which STP sets, or which each link down
 * resets. No other setting may depend on one whose value is a link's index.
 */
/* clang-format off */
static const struct setting {
	uint16_t type;
	uint8_t length;
	const char *name;
} settings_table[] = {
	{ IFLA_BRPORT_COST,                  4, "cost" },
	{ IFLA_BRPORT_PRIORITY,              2, "priority" },
	{ IFLA_BRPORT_MODE,                  1, "hairpin" },
	{ IFLA_BRPORT_GUARD,                 1, "guard" },
	{ IFLA_BRPORT_PROTECT,               1, "root_block" },
	{ IFLA_BRPORT_FAST_LEAVE,            1, "fastleave" },
	{ IFLA_BRPORT_LEARNING,              1, "learning" },
	{ IFLA_BRPORT_UNICAST_FLOOD,         1, "flood" },
	{ IFLA_BRPORT_MCAST_FLOOD,           1, "mcast_flood" },
	{ IFLA_BRPORT_BCAST_FLOOD,           1, "bcast_flood" },
	{ IFLA_BRPORT_MCAST_TO_UCAST,        1, "mcast_to_unicast" },
	{ IFLA_BRPORT_MULTICAST_ROUTER,      1, "mcast_router" },
	{ IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, 4, "mcast_eht_hosts_limit" },
	{ PORT_MCAST_MAX_GROUPS,             4, "mcast_max_groups" },
	{ IFLA_BRPORT_PROXYARP,              1, "proxy_arp" },
	{ IFLA_BRPORT_PROXYARP_WIFI,         1, "proxy_arp_wifi" },
	{ IFLA_BRPORT_NEIGH_SUPPRESS,        1, "neigh_suppress" },
	{ PORT_NEIGH_VLAN_SUPPRESS,          1, "neigh_vlan_suppress" },
	{ IFLA_BRPORT_VLAN_TUNNEL,           1, "vlan_tunnel" },
	{ IFLA_BRPORT_GROUP_FWD_MASK,        2, "group_fwd_mask" },
	{ IFLA_BRPORT_ISOLATED,              1, "isolated" },
	{ PORT_LOCKED,                       1, "locked" },
	{ PORT_MAB,                          1, "mab" },
	{ IFLA_BRPORT_BACKUP_PORT,           4, "backup_port" },
	{ PORT_BACKUP_NHID,                  4, "backup_nhid" },
};
/* clang-format on */

#define SETTINGS (sizeof(settings_table) / sizeof(settings_table[0]))
_Static_assert(SETTINGS <= PORT_SETTINGS_MAX, "a value for each");

#define PORT_BIT(n) (UINT64_C(1) << (n))

/* ---- settings */

static uint32_t get_value(const struct nlattr *attribute)
{
	switch (attribute_length(attribute)) {
	case 1:
		return mnl_attr_get_u8(attribute);
	case 2:
		return mnl_attr_get_u16(attribute);
	default:
		return mnl_attr_get_u32(attribute);
	}
}

void port_decode(const struct nlattr *data, struct port_settings *ret)
{
	const struct nlattr *attribute;

	*ret = (struct port_settings){0};
	attribute_for_each_nested (attribute, data)
		for (unsigned int i = 0; i < SETTINGS; i++) {
			if (attribute_type(attribute) != settings_table[i].type ||
			    attribute_length(attribute) != settings_table[i].length)
				continue;
			ret->values[i] = get_value(attribute);
			ret->present |= PORT_BIT(i);
		}
}

struct port_settings port_difference(const struct port_settings *from,
				     const struct port_settings *now, char *ret_names, size_t size)
{
	struct port_settings difference = *from;
	size_t length = 0;

	for (unsigned int i = 0; i < SETTINGS; i++)
		if ((now->present & PORT_BIT(i)) && now->values[i] == from->values[i])
			difference.present &= ~PORT_BIT(i);
	for (unsigned int i = 0; i < SETTINGS && length < size; i++)
		if (difference.present & PORT_BIT(i))
			length += (size_t)snprintf(ret_names + length, size - length, "%s%s",
						   length ? ", " : "", settings_table[i].name);
	return difference;
}

static unsigned int backup_place(void)
{
	unsigned int i = 0;

	while (settings_table[i].type != IFLA_BRPORT_BACKUP_PORT)
		i++;
	return i;
}

uint32_t port_backup(const struct port_settings *settings)
{
	unsigned int place = backup_place();

	return settings->present & PORT_BIT(place) ? settings->values[place] : 0;
}

void port_set_backup(struct port_settings *settings, uint32_t index)
{
	unsigned int place = backup_place();

	settings->values[place] = index;
	if (index)
		settings->present |= PORT_BIT(place);
	else
		settings->present &= ~PORT_BIT(place);
}

static bool put_value(struct nlmsghdr *message, size_t size, const struct setting *setting,
		      uint32_t value)
{
	switch (setting->length) {
	case 1:
		return mnl_attr_put_u8_check(message, size, setting->type, (uint8_t)value);
	case 2:
		return mnl_attr_put_u16_check(message, size, setting->type, (uint16_t)value);
	default:
		return mnl_attr_put_u32_check(message, size, setting->type, value);
	}
}

int port_put(struct nlmsghdr *message, size_t size, unsigned int index,
	     const struct port_settings *settings)
{
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	struct nlattr *nest = mnl_attr_nest_start_check(message, size, IFLA_PROTINFO);

	header->ifi_family = AF_BRIDGE;
	header->ifi_index = (int)index;
	if (!nest)
		return -EMSGSIZE;
	for (unsigned int i = 0; i < SETTINGS; i++)
		if ((settings->present & PORT_BIT(i)) &&
		    !put_value(message, size, &settings_table[i], settings->values[i]))
			return -EMSGSIZE;
	mnl_attr_nest_end(message, nest);
	return 0;
}

/* ---- VLANs */

static uint32_t decode_tunnel(const struct nlattr *nest)
{
	const struct nlattr *attribute;
	uint32_t id = 0;

	attribute_for_each_nested (attribute, nest)
		if (attribute_type(attribute) == BRIDGE_VLANDB_TINFO_ID &&
		    attribute_length(attribute) == sizeof(id))
			id = mnl_attr_get_u32(attribute);
	return id;
}

static void decode_option(const struct nlattr *attribute, struct port_vlans *vlans)
{
	uint16_t length = attribute_length(attribute);
	struct bridge_vlan_info info;

	switch (attribute_type(attribute)) {
	case BRIDGE_VLANDB_ENTRY_INFO:
		if (length < sizeof(info))
			return;
		memcpy(&info, attribute_bytes(attribute), sizeof(info));
		vlans->first = info.vid;
		vlans->flags = info.flags & (BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
		return;
	case BRIDGE_VLANDB_ENTRY_RANGE:
		if (length == sizeof(uint16_t))
			vlans->last = mnl_attr_get_u16(attribute);
		return;
	case BRIDGE_VLANDB_ENTRY_STATE:
		if (length == sizeof(uint8_t))
			vlans->state = mnl_attr_get_u8(attribute);
		return;
	case BRIDGE_VLANDB_ENTRY_TUNNEL_INFO:
		vlans->tunnelled = true;
		vlans->tunnel = decode_tunnel(attribute);
		return;
	case VLAN_MCAST_ROUTER:
		if (length == sizeof(uint8_t))
			vlans->mcast_router = mnl_attr_get_u8(attribute);
		return;
	case VLAN_MCAST_MAX_GROUPS:
		if (length == sizeof(uint32_t))
			vlans->max_groups = mnl_attr_get_u32(attribute);
		return;
	case VLAN_NEIGH_SUPPRESS:
		if (length == sizeof(uint8_t))
			vlans->neigh_suppress = mnl_attr_get_u8(attribute);
		return;
	}
}

int port_decode_vlans(const struct nlmsghdr *message, port_vlans_cb *cb, void *arg)
{
	const struct nlattr *entry, *attribute;
	int rc = 0;

	if (message->nlmsg_type != RTM_NEWVLAN || !has_header(message, sizeof(struct br_vlan_msg)))
		return -EPROTO;
	attribute_for_each (entry, message, sizeof(struct br_vlan_msg)) {
		struct port_vlans vlans;

		if (rc || attribute_type(entry) != BRIDGE_VLANDB_ENTRY)
			continue;
		memset(&vlans, 0, sizeof(vlans)); /* clear the padding too, for they are compared */
		vlans.state = BR_STATE_FORWARDING;
		vlans.mcast_router = MCAST_ROUTER_DEFAULT;
		attribute_for_each_nested (attribute, entry)
			decode_option(attribute, &vlans);
		if (vlans.last < vlans.first)
			vlans.last = vlans.first;
		rc = vlans.first ? cb(&vlans, arg) : 0;
	}
	return rc;
}

static void put_port(struct nlmsghdr *message, unsigned int index)
{
	struct br_vlan_msg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->family = AF_BRIDGE;
	header->ifindex = index;
}

void port_put_vlans_dump(struct nlmsghdr *message, unsigned int index)
{
	put_port(message, index);
}

static bool put_tunnel(struct nlmsghdr *message, size_t size, uint32_t id)
{
	struct nlattr *nest =
		mnl_attr_nest_start_check(message, size, BRIDGE_VLANDB_ENTRY_TUNNEL_INFO);

	if (!nest || !mnl_attr_put_u32_check(message, size, BRIDGE_VLANDB_TINFO_ID, id) ||
	    !mnl_attr_put_u32_check(message, size, BRIDGE_VLANDB_TINFO_CMD, RTM_SETLINK))
		return false;
	mnl_attr_nest_end(message, nest);
	return true;
}

static bool put_options(struct nlmsghdr *message, size_t size, const struct port_vlans *vlans)
{
	return (vlans->state == BR_STATE_FORWARDING ||
		mnl_attr_put_u8_check(message, size, BRIDGE_VLANDB_ENTRY_STATE, vlans->state)) &&
	       (vlans->mcast_router == MCAST_ROUTER_DEFAULT ||
		mnl_attr_put_u8_check(message, size, VLAN_MCAST_ROUTER, vlans->mcast_router)) &&
	       (!vlans->max_groups ||
		mnl_attr_put_u32_check(message, size, VLAN_MCAST_MAX_GROUPS, vlans->max_groups)) &&
	       (!vlans->neigh_suppress ||
		mnl_attr_put_u8_check(message, size, VLAN_NEIGH_SUPPRESS, vlans->neigh_suppress)) &&
	       (!vlans->tunnelled || put_tunnel(message, size, vlans->tunnel));
}

int port_put_vlans(struct nlmsghdr *message, size_t size, unsigned int index,
		   const struct port_vlans *vlans, bool remove)
{
	const struct bridge_vlan_info info = {.vid = vlans->first,
					      .flags = remove ? 0 : vlans->flags};
	struct nlattr *entry;

	put_port(message, index);
	entry = mnl_attr_nest_start_check(message, size, BRIDGE_VLANDB_ENTRY);
	if (!entry ||
	    !mnl_attr_put_check(message, size, BRIDGE_VLANDB_ENTRY_INFO, sizeof(info), &info) ||
	    (vlans->last > vlans->first &&
	     !mnl_attr_put_u16_check(message, size, BRIDGE_VLANDB_ENTRY_RANGE, vlans->last)) ||
	    (!remove && !put_options(message, size, vlans)))
		return -EMSGSIZE;
	mnl_attr_nest_end(message, entry);
	return 0;
}
