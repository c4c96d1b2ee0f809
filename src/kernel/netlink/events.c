/*
 * Events. Sources: net/l2tp/l2tp_netlink.c (l2tp_tunnel_notify, genlmsg_multicast_allns),
 * net/core/rtnetlink.c, net/bridge/br_netlink.c, net/core/fib_rules.c, net/ipv4/nexthop.c
 * (remove_nexthop).
 *
 * Kernel rules handled here: up to 6.12 the group "l2tp" reports events of every network namespace
 * without saying which, and none that no command asked for (sessions of a deleted tunnel,
 * namespaces going); events of our own commands carry our port id, and are ignored, for we have
 * their answers. IPv4 routes that go with a nexthop object, or that a rule hides, have no events.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/netlink/attributes.h"
#include "kernel/netlink/link.h"
#include "kernel/netlink/netlink.h"

#define DATAGRAMS_AT_ONCE 256 /* then others get a turn; the descriptor stays readable */

struct reading {
	struct netlink *netlink;
	kernel_event_cb *cb;
	void *arg;
	bool family, addresses, routes, lost; /* reported once per reading */
};

static const int groups[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
			     RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
			     RTNLGRP_IPV6_RULE,  RTNLGRP_NEXTHOP};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static int set_groups(struct netlink *netlink, int option, size_t first)
{
	struct mnl_socket *socket = netlink->channels[CHANNEL_ROUTE_EVENTS].socket;
	int rc = 0;

	for (size_t i = first; i < GROUPS; i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(socket, option, &group, sizeof(group)))
			rc = -errno;
	}
	return rc;
}

int events_join(struct netlink *netlink)
{
	int notify = GENL_ID_CTRL; /* also the number of the controller's only group */

	if (mnl_socket_setsockopt(netlink->channels[CHANNEL_GENL_EVENTS].socket,
				  NETLINK_ADD_MEMBERSHIP, &notify, sizeof(notify)))
		return -errno;
	return set_groups(netlink, NETLINK_ADD_MEMBERSHIP, 0);
}

void netlink_hush(struct kernel *kernel, bool hush)
{
	/* all but links; leaving or joining a group twice does no harm */
	(void)set_groups(netlink_of(kernel),
			 hush ? NETLINK_DROP_MEMBERSHIP : NETLINK_ADD_MEMBERSHIP, 1);
}

int events_join_l2tp(struct netlink *netlink)
{
	uint32_t group = netlink->group;

	if (mnl_socket_setsockopt(netlink->channels[CHANNEL_GENL_EVENTS].socket,
				  NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
		return -errno;
	return 0;
}

unsigned int netlink_event_fds(struct kernel *kernel, int ret_fds[2])
{
	struct netlink *netlink = netlink_of(kernel);

	ret_fds[0] = channel_fd(&netlink->channels[CHANNEL_GENL_EVENTS]);
	ret_fds[1] = channel_fd(&netlink->channels[CHANNEL_ROUTE_EVENTS]);
	return 2;
}

/* Families come with their modules: look for ours by name, for it has no number yet. */
static bool is_new_family(const struct nlmsghdr *message)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute;

	if (message->nlmsg_type != GENL_ID_CTRL || !has_header(message, sizeof(*header)) ||
	    header->cmd != CTRL_CMD_NEWFAMILY)
		return false;
	attribute_for_each (attribute, message, GENL_HDRLEN)
		if (attribute_type(attribute) == CTRL_ATTR_FAMILY_NAME &&
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0 &&
		    !strcmp(mnl_attr_get_str(attribute), L2TP_GENL_NAME))
			return true;
	return false;
}

static void tell_l2tp(struct reading *reading, const struct nlmsghdr *message)
{
	struct kernel_event event = {.type = KERNEL_EVENT_TUNNEL};
	struct l2tp_ids ids;

	if (is_new_family(message))
		reading->family = true;
	if (message->nlmsg_type != reading->netlink->family ||
	    message->nlmsg_pid == reading->netlink->channels[CHANNEL_GENL].portid ||
	    l2tp_decode_ids(message, &ids))
		return;
	if (ids.object == OBJECT_SESSION)
		event.type = KERNEL_EVENT_SESSION;
	event.tunnel_id = ids.tunnel_id;
	event.session_id = ids.session_id;
	reading->cb(&event, reading->arg);
}

static void tell_link(struct reading *reading, const struct nlmsghdr *message,
		      enum kernel_event_type type)
{
	struct kernel_event event = {.type = type};
	char names[LINK_ALTERNATIVES_BYTES];

	if (!link_decode_names(message, &event.link, names))
		reading->cb(&event, reading->arg);
}

static void tell_route(struct reading *reading, const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
		tell_link(reading, message, KERNEL_EVENT_LINK);
		break;
	case RTM_DELLINK:
		tell_link(reading, message, KERNEL_EVENT_LINK_GONE);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		reading->addresses = true;
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		reading->routes = true;
		break;
	}
}

typedef void tell_fn(struct reading *reading, const struct nlmsghdr *message);

static void read_channel(struct reading *reading, enum channel_use use, tell_fn *tell)
{
	_Alignas(struct nlmsghdr) char datagram[CHANNEL_DUMP_BYTES];

	for (unsigned int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)datagram;
		int left = channel_receive(&reading->netlink->channels[use], datagram,
					   sizeof(datagram));

		if (left == -EAGAIN)
			return;
		if (left < 0)
			reading->lost = true;
		message_for_each (message, left)
			tell(reading, message);
	}
}

static void tell_once(struct reading *reading, bool happened, enum kernel_event_type type)
{
	const struct kernel_event event = {.type = type};

	if (happened)
		reading->cb(&event, reading->arg);
}

void netlink_read_events(struct kernel *kernel, kernel_event_cb *cb, void *arg)
{
	struct reading reading = {.netlink = netlink_of(kernel), .cb = cb, .arg = arg};

	read_channel(&reading, CHANNEL_GENL_EVENTS, tell_l2tp);
	read_channel(&reading, CHANNEL_ROUTE_EVENTS, tell_route);
	tell_once(&reading, reading.family, KERNEL_EVENT_FAMILY);
	tell_once(&reading, reading.addresses, KERNEL_EVENT_ADDRESS);
	tell_once(&reading, reading.routes, KERNEL_EVENT_ROUTE);
	tell_once(&reading, reading.lost, KERNEL_EVENT_LOST);
}
