/*
 * Keeps what others set on a link before it is deleted, and puts it back on its successor. Sources:
 * net/core/rtnetlink.c (rtnl_fill_ifinfo, do_setlink, rtnl_linkprop), net/sched/sch_api.c
 * (tc_get_qdisc), net/ipv4/devinet.c, net/ipv6/addrconf.c.
 *
 * Kernel rules handled here: the kernel itself makes link-local addresses and those of router
 * advertisements; a queueing discipline that the kernel chose has no handle, and a GET of one is
 * answered only with NLM_F_ECHO; a mask selects which flags of a link change.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "kernel/netlink/address.h"
#include "kernel/netlink/attributes.h"
#include "kernel/netlink/link.h"
#include "kernel/netlink/netlink.h"
#include "kernel/netlink/port.h"

#define DUMPS_MAX 5 /* tries, for what changes all the time */
#define FLAGS_KEPT                                                                                 \
	(IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP | IFF_MULTICAST | IFF_DEBUG | IFF_DYNAMIC)

/* clang-format off */
static const struct {
	uint16_t type;
	const char *name;
} numbers[] = {
	{ IFLA_GROUP,        "group" },
	{ IFLA_TXQLEN,       "txqueuelen" },
	{ IFLA_GSO_MAX_SIZE, "gso_max_size" },
	{ IFLA_GSO_MAX_SEGS, "gso_max_segs" },
	{ IFLA_GRO_MAX_SIZE, "gro_max_size" },
};
/* clang-format on */

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

enum record { RECORD_VLANS = 1, RECORD_NAME, RECORD_ADDRESS };

struct kernel_kept {
	size_t length; /* of all records */
	unsigned int index, master;
	bool is_port; /* a port of a bridge */
	struct port_settings port;
	char backup[IFNAME_LENGTH + 1]; /* the name of the backup port */
	unsigned int flags;             /* those in FLAGS_KEPT */
	uint32_t numbers[NUMBERS];
	bool has_mode; /* how its link-local address is made: IN6_ADDR_GEN_MODE_* */
	uint8_t mode;
	bool queues, program;
	_Alignas(struct nlattr) char records[]; /* each an attribute */
};

/* ---- records */

static int add_record(struct kernel_kept **kept, enum record type, const void *bytes, size_t length)
{
	size_t whole = ATTRIBUTE_HEADER + length, at = (*kept)->length;
	struct nlattr header = {.nla_len = (uint16_t)whole, .nla_type = (uint16_t)type};
	struct kernel_kept *larger = realloc(*kept, sizeof(**kept) + at + whole + NLA_ALIGNTO);

	if (!larger)
		return -ENOMEM;
	memset(larger->records + at, 0, whole + NLA_ALIGNTO);
	memcpy(larger->records + at, &header, sizeof(header));
	memcpy(larger->records + at + ATTRIBUTE_HEADER, bytes, length);
	larger->length += (whole + NLA_ALIGNTO - 1) & ~(size_t)(NLA_ALIGNTO - 1);
	*kept = larger;
	return 0;
}

static const struct nlattr *next_record(const struct kernel_kept *kept, const struct nlattr *record,
					enum record type)
{
	const char *end = kept->records + kept->length;

	record = record ? attribute_next(record) : (const void *)kept->records;
	while ((const char *)record < end && record->nla_type != type)
		record = attribute_next(record);
	return (const char *)record < end ? record : NULL;
}

#define record_for_each(record, kept, type)                                                        \
	for ((record) = next_record((kept), NULL, (type)); (record);                               \
	     (record) = next_record((kept), (record), (type)))

static bool has_record(const struct kernel_kept *kept, const struct nlattr *like)
{
	const struct nlattr *record;

	record_for_each (record, kept, like->nla_type)
		if (record->nla_len == like->nla_len && !memcmp(record, like, like->nla_len))
			return true;
	return false;
}

/* ---- reading a link */

static void decode_info(const struct nlattr *info, struct kernel_kept *kept)
{
	const struct nlattr *attribute, *data = NULL;

	attribute_for_each_nested (attribute, info) {
		if (attribute_type(attribute) == IFLA_INFO_SLAVE_DATA)
			data = attribute;
		else if (attribute_type(attribute) == IFLA_INFO_SLAVE_KIND)
			kept->is_port = attribute_is(attribute, "bridge");
	}
	if (kept->is_port && data)
		port_decode(data, &kept->port);
}

static void decode_families(const struct nlattr *families, struct kernel_kept *kept)
{
	const struct nlattr *family, *attribute;

	attribute_for_each_nested (family, families) {
		if (attribute_type(family) != AF_INET6)
			continue;
		attribute_for_each_nested (attribute, family)
			if (attribute_type(attribute) == IFLA_INET6_ADDR_GEN_MODE &&
			    attribute_length(attribute) == 1) {
				kept->has_mode = true;
				kept->mode = mnl_attr_get_u8(attribute);
			}
	}
}

static void decode_program(const struct nlattr *xdp, struct kernel_kept *kept)
{
	const struct nlattr *attribute;

	attribute_for_each_nested (attribute, xdp)
		if (attribute_type(attribute) == IFLA_XDP_ATTACHED &&
		    attribute_length(attribute) == 1)
			kept->program = mnl_attr_get_u8(attribute) != XDP_ATTACHED_NONE;
}

static int decode_names(const struct nlattr *names, struct kernel_kept **kept)
{
	const struct nlattr *attribute;
	int rc = 0;

	attribute_for_each_nested (attribute, names)
		if (!rc && attribute_type(attribute) == IFLA_ALT_IFNAME &&
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
			rc = add_record(kept, RECORD_NAME, attribute_bytes(attribute),
					attribute_length(attribute));
	return rc;
}

static int decode_attribute(const struct nlattr *attribute, struct kernel_kept **kept)
{
	uint16_t type = attribute_type(attribute), length = attribute_length(attribute);

	switch (type) {
	case IFLA_MASTER:
		if (length == sizeof(uint32_t))
			(*kept)->master = mnl_attr_get_u32(attribute);
		return 0;
	case IFLA_LINKINFO:
		decode_info(attribute, *kept);
		return 0;
	case IFLA_AF_SPEC:
		decode_families(attribute, *kept);
		return 0;
	case IFLA_XDP:
		decode_program(attribute, *kept);
		return 0;
	case IFLA_PROP_LIST:
		return decode_names(attribute, kept);
	}
	for (unsigned int i = 0; i < NUMBERS; i++)
		if (type == numbers[i].type && length == sizeof(uint32_t))
			(*kept)->numbers[i] = mnl_attr_get_u32(attribute);
	return 0;
}

static int take_link(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct kernel_kept **kept = arg;
	const struct nlattr *attribute;
	int rc = 0;

	(void)netlink;
	if (!has_header(message, sizeof(*header)))
		return -EPROTO;
	(*kept)->index = (unsigned int)header->ifi_index;
	(*kept)->flags = header->ifi_flags & FLAGS_KEPT;
	attribute_for_each (attribute, message, sizeof(*header))
		if (!rc)
			rc = decode_attribute(attribute, kept);
	return rc;
}

static int take_vlans(const struct port_vlans *vlans, void *arg)
{
	return add_record(arg, RECORD_VLANS, vlans, sizeof(*vlans));
}

static int take_vlan_message(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	(void)netlink;
	return port_decode_vlans(message, take_vlans, arg);
}

/* Repeat a dump that a change interrupted, after dropping its records. */
static int dump_again(struct netlink *netlink, struct nlmsghdr *message, message_cb *cb,
		      struct kernel_kept **kept)
{
	size_t before = (*kept)->length;
	int rc = -EINTR;

	for (unsigned int i = 0; rc == -EINTR && i < DUMPS_MAX; i++) {
		(*kept)->length = before;
		rc = exchange(netlink, CHANNEL_ROUTE_DUMP, message, cb, kept);
	}
	return rc;
}

static int read_vlans(struct netlink *netlink, unsigned int index, struct kernel_kept **kept)
{
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_GETVLAN, NLM_F_DUMP);
	int rc;

	port_put_vlans_dump(message, index);
	rc = dump_again(netlink, message, take_vlan_message, kept);
	return rc == -EOPNOTSUPP ? 0 : rc; /* a kernel without CONFIG_BRIDGE_VLAN_FILTERING */
}

static int read_link_once(struct netlink *netlink, unsigned int index, struct kernel_kept **ret)
{
	const struct kernel_request request = {.link.index = index};
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_GETLINK, 0);
	struct kernel_kept *kept = calloc(1, sizeof(*kept));
	int rc = kept ? link_put_get(message, MESSAGE_BYTES, &request) : -ENOMEM;

	if (!rc)
		rc = exchange(netlink, CHANNEL_ROUTE, message, take_link, &kept);
	if (!rc && kept->is_port)
		rc = read_vlans(netlink, index, &kept);
	if (rc) {
		free(kept);
		return rc;
	}
	*ret = kept;
	return 0;
}

/*
 * Read the link and its VLANs, which put_back() compares. -EINVAL for the VLANs means that its
 * bridge has gone meanwhile, and it is no longer a port: read it again.
 */
static int read_link(struct netlink *netlink, unsigned int index, struct kernel_kept **ret)
{
	int rc = -EINVAL;

	for (unsigned int i = 0; rc == -EINVAL && i < DUMPS_MAX; i++)
		rc = read_link_once(netlink, index, ret);
	return rc;
}

/* ---- addresses */

/* Will the kernel, or another program, add this address again? */
static bool comes_by_itself(const struct nlmsghdr *message, const struct interface_address *address)
{
	const struct nlattr *attribute;

	if (address->address.family == AF_INET6 &&
	    (address->flags & (IFA_F_TEMPORARY | IFA_F_DADFAILED)))
		return true;
	attribute_for_each (attribute, message, sizeof(struct ifaddrmsg))
		if (attribute_type(attribute) == IFA_PROTO && attribute_length(attribute) == 1 &&
		    mnl_attr_get_u8(attribute) >= IFAPROT_KERNEL_LO &&
		    mnl_attr_get_u8(attribute) <= IFAPROT_KERNEL_LL)
			return true;
	return false;
}

static int take_address(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	struct kernel_kept **kept = arg;
	struct interface_address address;

	(void)netlink;
	if (address_decode(message, &address) || address.index != (*kept)->index ||
	    comes_by_itself(message, &address))
		return 0;
	return add_record(kept, RECORD_ADDRESS, mnl_nlmsg_get_payload(message),
			  mnl_nlmsg_get_payload_len(message));
}

static int read_addresses(struct netlink *netlink, unsigned int index, struct kernel_kept **kept)
{
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_GETADDR, NLM_F_DUMP);
	int rc = address_put_dump(message, MESSAGE_BYTES, AF_UNSPEC, index);

	rc = rc ? rc : dump_again(netlink, message, take_address, kept);
	return rc == -EINTR ? 0 : rc; /* what the dump showed is true */
}

/* ---- queueing disciplines */

static int take_queues(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct tcmsg *header = mnl_nlmsg_get_payload(message);

	(void)netlink;
	if (has_header(message, sizeof(*header)) && header->tcm_handle)
		*(bool *)arg = true;
	return 0;
}

static void read_queues(struct netlink *netlink, unsigned int index, struct kernel_kept *kept)
{
	static const uint32_t parents[] = {TC_H_ROOT, TC_H_INGRESS};

	for (unsigned int i = 0; i < 2; i++) {
		struct nlmsghdr *message =
			route_put_header(netlink->request, RTM_GETQDISC, NLM_F_ECHO);
		struct tcmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

		header->tcm_ifindex = (int)index;
		header->tcm_parent = parents[i];
		(void)exchange(netlink, CHANNEL_ROUTE, message, take_queues, &kept->queues);
	}
}

int netlink_keep(struct kernel *kernel, unsigned int index, struct kernel_kept **ret)
{
	struct netlink *netlink = netlink_of(kernel);
	struct kernel_request backup = {.verb = KERNEL_LINK_GET};
	struct kernel_kept *kept;
	int rc = read_link(netlink, index, &kept);

	*ret = NULL;
	if (rc)
		return rc;
	rc = read_addresses(netlink, index, &kept);
	if (rc) {
		free(kept);
		return rc;
	}
	read_queues(netlink, index, kept);
	backup.link.index = port_backup(&kept->port);
	if (backup.link.index && !netlink_submit(kernel, &backup, 1) && !backup.result)
		memcpy(kept->backup, backup.link.name, sizeof(kept->backup));
	*ret = kept;
	return 0;
}

/* ---- putting back */

static int change(struct netlink *netlink, struct nlmsghdr *message)
{
	message->nlmsg_flags |= NLM_F_ACK;
	netlink->writes++;
	fault_point("netlink");
	return exchange(netlink, CHANNEL_ROUTE, message, NULL, NULL);
}

static int change_vlans(struct netlink *netlink, unsigned int index, const struct nlattr *record,
			bool remove)
{
	struct nlmsghdr *message =
		route_put_header(netlink->request, remove ? RTM_DELVLAN : RTM_NEWVLAN, 0);
	int rc = port_put_vlans(message, MESSAGE_BYTES, index, attribute_bytes(record), remove);

	return rc ? rc : change(netlink, message);
}

/* First remove it from the VLANs that it was not in, such as the bridge's default VLAN. */
static int put_vlans(struct netlink *netlink, unsigned int index, const struct kernel_kept *kept,
		     const struct kernel_kept *now)
{
	const struct nlattr *record;
	int rc = 0;

	record_for_each (record, now, RECORD_VLANS)
		if (!rc && !has_record(kept, record))
			rc = change_vlans(netlink, index, record, true);
	record_for_each (record, kept, RECORD_VLANS)
		if (!rc && !has_record(now, record))
			rc = change_vlans(netlink, index, record, false);
	return rc;
}

static bool same_vlans(const struct kernel_kept *kept, const struct kernel_kept *now)
{
	const struct nlattr *record;

	record_for_each (record, kept, RECORD_VLANS)
		if (!has_record(now, record))
			return false;
	record_for_each (record, now, RECORD_VLANS)
		if (!has_record(kept, record))
			return false;
	return true;
}

/* The settings to restore. The backup port may have another index by now: find it by name. */
static struct port_settings wanted_port(struct netlink *netlink, const struct kernel_kept *kept)
{
	struct kernel_request backup = {.verb = KERNEL_LINK_GET};
	struct port_settings port = kept->port;

	memcpy(backup.link.name, kept->backup, sizeof(backup.link.name));
	if (kept->backup[0] && netlink_submit(&netlink->kernel, &backup, 1) == 0 &&
	    backup.result == 0)
		port_set_backup(&port, backup.link.index);
	else
		port_set_backup(&port, 0);
	return port;
}

static int put_port(struct netlink *netlink, unsigned int index, const struct kernel_kept *kept,
		    const struct kernel_kept *now, char ret_names[KERNEL_LOST_MAX])
{
	struct port_settings wanted = wanted_port(netlink, kept);
	struct port_settings difference =
		port_difference(&wanted, &now->port, ret_names, KERNEL_LOST_MAX);
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_SETLINK, 0);
	struct kernel_kept *then;
	int rc = port_put(message, MESSAGE_BYTES, index, &difference);

	if (!rc && difference.present)
		rc = change(netlink, message);
	if (rc)
		return rc;
	snprintf(ret_names, KERNEL_LOST_MAX, "VLANs");
	rc = put_vlans(netlink, index, kept, now);
	if (rc)
		return rc;
	rc = read_link(netlink, index, &then);
	if (rc)
		return rc;
	if (!same_vlans(kept, then))
		rc = -EPROTO;
	else if (port_difference(&wanted, &then->port, ret_names, KERNEL_LOST_MAX).present)
		rc = -EPROTO;
	free(then);
	return rc;
}

/* Is it still in the bridge in which it had its settings? */
static bool is_still_port(struct netlink *netlink, unsigned int index,
			  const struct kernel_kept *kept)
{
	struct kernel_kept *now;
	bool still;

	if (read_link(netlink, index, &now))
		return true;
	still = now->is_port && now->master == kept->master;
	free(now);
	return still;
}

/* A list of what is lost, in words. */
static void lose(char lost[KERNEL_LOST_MAX], const char *what)
{
	size_t length = strlen(lost);

	snprintf(lost + length, KERNEL_LOST_MAX - length, "%s%s", length ? ", " : "", what);
}

static struct nlmsghdr *put_link(struct netlink *netlink, unsigned int index, uint16_t type,
				 struct ifinfomsg **ret)
{
	struct nlmsghdr *message = route_put_header(netlink->request, type, 0);

	*ret = mnl_nlmsg_put_extra_header(message, sizeof(**ret));
	(*ret)->ifi_index = (int)index;
	return message;
}

static void put_settings(struct netlink *netlink, unsigned int index,
			 const struct kernel_kept *kept, const struct kernel_kept *now,
			 char lost[KERNEL_LOST_MAX])
{
	struct ifinfomsg *header;
	struct nlmsghdr *message;

	for (unsigned int i = 0; i < NUMBERS; i++) {
		if (kept->numbers[i] == now->numbers[i])
			continue;
		message = put_link(netlink, index, RTM_SETLINK, &header);
		mnl_attr_put_u32(message, numbers[i].type, kept->numbers[i]);
		if (change(netlink, message))
			lose(lost, numbers[i].name);
	}
	if (kept->flags != now->flags) {
		message = put_link(netlink, index, RTM_SETLINK, &header);
		header->ifi_flags = kept->flags;
		header->ifi_change = kept->flags ^ now->flags;
		if (change(netlink, message))
			lose(lost, "flags");
	}
}

static void put_mode(struct netlink *netlink, unsigned int index, const struct kernel_kept *kept,
		     const struct kernel_kept *now, char lost[KERNEL_LOST_MAX])
{
	struct ifinfomsg *header;
	struct nlmsghdr *message = put_link(netlink, index, RTM_SETLINK, &header);
	struct nlattr *families, *family;

	if (!kept->has_mode || !now->has_mode || kept->mode == now->mode)
		return;
	families = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(message, AF_INET6);
	mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, kept->mode);
	mnl_attr_nest_end(message, family);
	mnl_attr_nest_end(message, families);
	if (change(netlink, message))
		lose(lost, "addrgenmode");
}

static void put_names(struct netlink *netlink, unsigned int index, const struct kernel_kept *kept,
		      const struct kernel_kept *now, char lost[KERNEL_LOST_MAX])
{
	const struct nlattr *record;
	struct ifinfomsg *header;
	struct nlmsghdr *message;
	struct nlattr *nest;
	bool fits;

	record_for_each (record, kept, RECORD_NAME) {
		if (has_record(now, record))
			continue;
		message = put_link(netlink, index, RTM_NEWLINKPROP, &header);
		message->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND;
		nest = mnl_attr_nest_start(message, IFLA_PROP_LIST);
		fits = mnl_attr_put_check(message, MESSAGE_BYTES, IFLA_ALT_IFNAME,
					  attribute_length(record), attribute_bytes(record));
		mnl_attr_nest_end(message, nest);
		if (!fits || change(netlink, message))
			lose(lost, "altname");
	}
}

static int put_address(struct netlink *netlink, unsigned int index, const struct nlattr *record)
{
	struct nlmsghdr *message =
		route_put_header(netlink->request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *header;

	if (NLMSG_HDRLEN + (size_t)attribute_length(record) > MESSAGE_BYTES)
		return -EMSGSIZE;
	header = mnl_nlmsg_put_extra_header(message, attribute_length(record));
	memcpy(header, attribute_bytes(record), attribute_length(record));
	header->ifa_index = index;
	return change(netlink, message);
}

static void put_addresses(struct netlink *netlink, unsigned int index,
			  const struct kernel_kept *kept, char lost[KERNEL_LOST_MAX])
{
	const struct nlattr *record;
	bool any = false, failed = false;

	record_for_each (record, kept, RECORD_ADDRESS) {
		any = true;
		failed = put_address(netlink, index, record) < 0 || failed;
	}
	if (failed)
		lose(lost, "addresses");
	if (any)
		lose(lost, "routes, if it had any");
}

/* What only its creator can put back. */
static void look_for_rest(struct netlink *netlink, unsigned int index,
			  const struct kernel_kept *kept, struct kernel_kept *now,
			  char lost[KERNEL_LOST_MAX])
{
	if (kept->queues)
		read_queues(netlink, index, now);
	if (kept->queues && !now->queues)
		lose(lost, "queueing disciplines with their filters (tc)");
	if (kept->program && !now->program)
		lose(lost, "an XDP program");
}

int netlink_put_back(struct kernel *kernel, unsigned int index, const struct kernel_kept *kept,
		     char ret_lost[KERNEL_LOST_MAX])
{
	struct netlink *netlink = netlink_of(kernel);
	struct kernel_kept *now;
	int rc = read_link(netlink, index, &now);

	ret_lost[0] = '\0';
	if (rc)
		return rc;
	if (kept->is_port && now->is_port && kept->master == now->master)
		rc = put_port(netlink, index, kept, now, ret_lost);
	if (rc && !is_still_port(netlink, index, kept))
		rc = 0; /* deleting a bridge deletes the settings of its ports */
	if (!rc) {
		ret_lost[0] = '\0';
		put_settings(netlink, index, kept, now, ret_lost);
		put_mode(netlink, index, kept, now, ret_lost);
		put_names(netlink, index, kept, now, ret_lost);
		put_addresses(netlink, index, kept, ret_lost);
		look_for_rest(netlink, index, kept, now, ret_lost);
	}
	free(now);
	return rc;
}
