/*
 * Link messages. Sources: net/core/rtnetlink.c (do_setlink, set_operstate, rtnl_newlink,
 * rtnl_fill_ifinfo), net/core/link_watch.c (rfc2863_policy), net/8021q/vlan_netlink.c.
 *
 * Kernel rules handled here: messages of family AF_BRIDGE in RTNLGRP_LINK are about ports, and
 * their RTM_DELLINK means that a port left its bridge, not that a link is gone; an L2TP interface
 * has no kind and refuses RTM_DELLINK.
 */
#include "kernel/netlink/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/netlink/attributes.h"

static const char vlan_kind[] = "vlan";

/*
 * Decoding.
 */

static int decode_u32(const struct nlattr *attribute, unsigned int *ret)
{
	if (attribute_length(attribute) != sizeof(uint32_t))
		return -EPROTO;
	*ret = mnl_attr_get_u32(attribute);
	return 0;
}

static bool is_number(const struct nlattr *attribute, uint8_t number)
{
	return attribute_length(attribute) == 1 && mnl_attr_get_u8(attribute) == number;
}

static int decode_name(const struct nlattr *attribute, char ret[IFNAME_LENGTH + 1])
{
	const char *name = attribute_bytes(attribute);
	size_t length = strnlen(name, attribute_length(attribute));

	if (length == 0 || length > IFNAME_LENGTH)
		return -EPROTO;
	memset(ret, 0, IFNAME_LENGTH + 1);
	memcpy(ret, name, length);
	return 0;
}

static void decode_mac(const struct nlattr *attribute, struct mac *ret)
{
	/* Other types of links have addresses of other lengths, which are no MACs. */
	if (attribute_length(attribute) == sizeof(ret->bytes))
		memcpy(ret->bytes, attribute_bytes(attribute), sizeof(ret->bytes));
}

static int decode_vlan_data(const struct nlattr *data, uint16_t *ret_vlan_id)
{
	const struct nlattr *attribute;

	attribute_for_each_nested (attribute, data) {
		if (attribute_type(attribute) != IFLA_VLAN_ID)
			continue;
		if (attribute_length(attribute) != sizeof(uint16_t))
			return -EPROTO;
		*ret_vlan_id = mnl_attr_get_u16(attribute);
	}
	return 0;
}

static int decode_info(const struct nlattr *info, struct kernel_link *link)
{
	const struct nlattr *attribute, *kind = NULL, *data = NULL;

	attribute_for_each_nested (attribute, info) {
		if (attribute_type(attribute) == IFLA_INFO_KIND)
			kind = attribute;
		else if (attribute_type(attribute) == IFLA_INFO_DATA)
			data = attribute;
	}
	link->kind = kind;
	link->vrf = kind && attribute_is(kind, "vrf");
	return kind && attribute_is(kind, vlan_kind) && data
		       ? decode_vlan_data(data, &link->vlan_id)
		       : 0;
}

static int decode_attribute(const struct nlattr *attribute, struct kernel_link *link)
{
	switch (attribute_type(attribute)) {
	case IFLA_IFNAME:
		return decode_name(attribute, link->name);
	case IFLA_MTU:
		return decode_u32(attribute, &link->mtu);
	case IFLA_MASTER:
		return decode_u32(attribute, &link->master);
	case IFLA_LINK:
		return decode_u32(attribute, &link->parent);
	case IFLA_LINKINFO:
		return decode_info(attribute, link);
	case IFLA_ADDRESS:
		decode_mac(attribute, &link->mac);
		return 0;
	case IFLA_LINKMODE:
		link->dormant = is_number(attribute, IF_LINK_MODE_DORMANT);
		return 0;
	default:
		return 0;
	}
}

int link_decode(const struct nlmsghdr *message, struct kernel_link *ret)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct kernel_link link = {0};
	const struct nlattr *attribute;
	bool awake = false;
	int rc = 0;

	if (!has_header(message, sizeof(*header)) || header->ifi_index < 0)
		return -EPROTO;
	if (header->ifi_family != AF_UNSPEC)
		return -ENOMSG;
	link.index = (unsigned int)header->ifi_index;
	link.up = header->ifi_flags & IFF_UP;
	link.carrier = link.up && header->ifi_flags & IFF_LOWER_UP;
	attribute_for_each (attribute, message, sizeof(*header)) {
		rc = decode_attribute(attribute, &link);
		if (rc)
			return rc;
		awake = awake || (attribute_type(attribute) == IFLA_OPERSTATE &&
				  (is_number(attribute, IF_OPER_UP) ||
				   is_number(attribute, IF_OPER_UNKNOWN)));
	}
	link.dormant = link.dormant && !awake; /* the mode does not change the state by itself */
	if (!link.name[0])
		return -EPROTO;
	if (!link.vlan_id)
		link.parent = 0; /* veth and others have a lower link too */
	*ret = link;
	return 0;
}

/* Skip names longer than an interface-name: nobody can configure them. */
static void add_alternative(const struct nlattr *attribute, char names[LINK_ALTERNATIVES_BYTES],
			    size_t *at)
{
	char name[IFNAME_LENGTH + 1];
	size_t length;

	if (attribute_type(attribute) != IFLA_ALT_IFNAME || decode_name(attribute, name))
		return;
	length = strlen(name) + 1;
	if (*at + length >= LINK_ALTERNATIVES_BYTES)
		return;
	memcpy(names + *at, name, length);
	*at += length;
}

int link_decode_names(const struct nlmsghdr *message, struct kernel_link *ret,
		      char names[LINK_ALTERNATIVES_BYTES])
{
	const struct nlattr *attribute, *name;
	size_t length = 0;
	int rc = link_decode(message, ret);

	if (rc)
		return rc;
	attribute_for_each (attribute, message, sizeof(struct ifinfomsg)) {
		if (attribute_type(attribute) == IFLA_PROP_LIST)
			attribute_for_each_nested (name, attribute)
				add_alternative(name, names, &length);
		if (attribute_type(attribute) == IFLA_IFALIAS &&
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
			ret->alias = attribute_bytes(attribute);
	}
	names[length] = '\0';
	ret->alternatives = length ? names : NULL;
	return 0;
}

/*
 * Encoding.
 */

static struct ifinfomsg *put_header(struct nlmsghdr *message)
{
	return mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
}

static int put(struct nlmsghdr *message, size_t size, uint16_t type, size_t length,
	       const void *bytes)
{
	return mnl_attr_put_check(message, size, type, length, bytes) ? 0 : -EMSGSIZE;
}

static int put_name(struct nlmsghdr *message, size_t size, const char *name)
{
	return put(message, size, IFLA_IFNAME, strlen(name) + 1, name);
}

static int put_index(struct ifinfomsg *header, const struct kernel_link *link)
{
	if (link->index == 0 || link->index > INT32_MAX)
		return -ENODEV;
	header->ifi_index = (int)link->index;
	return 0;
}

/* Select by name or, if that is empty, by index. */
static int put_selector(struct nlmsghdr *message, size_t size, struct ifinfomsg *header,
			const struct kernel_link *link)
{
	if (link->name[0])
		return put_name(message, size, link->name);
	return put_index(header, link);
}

/* The state is what holds now, the mode what holds when the link next comes up. */
static int put_dormant(struct nlmsghdr *message, size_t size, bool dormant)
{
	const uint8_t state = dormant ? IF_OPER_DORMANT : IF_OPER_UP;
	const uint8_t mode = dormant ? IF_LINK_MODE_DORMANT : IF_LINK_MODE_DEFAULT;
	int rc = put(message, size, IFLA_OPERSTATE, sizeof(state), &state);

	return rc ? rc : put(message, size, IFLA_LINKMODE, sizeof(mode), &mode);
}

static int put_settings(struct nlmsghdr *message, size_t size, struct ifinfomsg *header,
			const struct kernel_link *link, unsigned int set)
{
	const char *alias = link->alias ? link->alias : "";
	int rc = 0;

	if (set & LINK_UP) {
		header->ifi_change = IFF_UP;
		header->ifi_flags = link->up ? IFF_UP : 0;
	}
	if (set & LINK_MTU)
		rc = put(message, size, IFLA_MTU, sizeof(link->mtu), &link->mtu);
	if (!rc && set & LINK_MAC)
		rc = put(message, size, IFLA_ADDRESS, sizeof(link->mac.bytes), link->mac.bytes);
	if (!rc && set & LINK_ALIAS)
		rc = put(message, size, IFLA_IFALIAS, strlen(alias), alias);
	if (!rc && set & LINK_DORMANT)
		rc = put_dormant(message, size, link->dormant);
	if (!rc && set & LINK_MASTER)
		rc = put(message, size, IFLA_MASTER, sizeof(link->master), &link->master);
	return rc;
}

int link_put_set(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	struct ifinfomsg *header = put_header(message);
	int rc = put_selector(message, size, header, &request->link);

	if (!rc && request->link_set & LINK_NAME) /* here the name is the new one, not a selector */
		rc = put_index(header, &request->link);
	return rc ? rc : put_settings(message, size, header, &request->link, request->link_set);
}

static int put_filter(struct nlmsghdr *message, size_t size)
{
	const uint32_t no_counters = RTEXT_FILTER_SKIP_STATS;

	return put(message, size, IFLA_EXT_MASK, sizeof(no_counters), &no_counters);
}

int link_put_get(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	struct ifinfomsg *header = put_header(message);
	struct kernel_link by = {.index = request->link.index};
	int rc;

	if (by.index == 0)
		by = request->link;
	rc = put_selector(message, size, header, &by);
	return rc ? rc : put_filter(message, size);
}

int link_put_dump(struct nlmsghdr *message, size_t size)
{
	put_header(message);
	return put_filter(message, size);
}

int link_put_delete(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	struct ifinfomsg *header = put_header(message);

	return put_selector(message, size, header, &request->link);
}

static int put_vlan_info(struct nlmsghdr *message, size_t size, uint16_t vlan_id)
{
	struct nlattr *info = mnl_attr_nest_start_check(message, size, IFLA_LINKINFO);
	struct nlattr *data;

	if (!info || put(message, size, IFLA_INFO_KIND, sizeof(vlan_kind), vlan_kind))
		return -EMSGSIZE;
	data = mnl_attr_nest_start_check(message, size, IFLA_INFO_DATA);
	if (!data || put(message, size, IFLA_VLAN_ID, sizeof(vlan_id), &vlan_id))
		return -EMSGSIZE;
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return 0;
}

int link_put_vlan(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	struct ifinfomsg *header = put_header(message);
	const struct kernel_link *link = &request->link;
	int rc;

	if (!link->name[0])
		return -EINVAL;
	rc = put_name(message, size, link->name);
	if (!rc)
		rc = put(message, size, IFLA_LINK, sizeof(link->parent), &link->parent);
	if (!rc)
		rc = put_settings(message, size, header, link, request->link_set);
	return rc ? rc : put_vlan_info(message, size, link->vlan_id);
}
