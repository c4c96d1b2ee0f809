/*
 * The path of a tunnel: which of its addresses the host has, and the routes between them. Sources:
 * net/ipv4/route.c (inet_rtm_getroute), net/ipv6/route.c (inet6_rtm_getroute),
 * net/ipv4/fib_semantics.c (fib_props).
 *
 * Kernel rules handled here: a route that leads nowhere shows in the errno or in its type; a source
 * that the host does not have looks like no route (IPv4); only a lookup of the route as configured
 * shows that its link is down, and only a resolved one shows the source; a lookup with a VRF as
 * outgoing link looks in that VRF; rules can select by ports and protocol, but no lookup can name
 * protocol 115.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/netlink/address.h"
#include "kernel/netlink/netlink.h"
#include "model/codec.h"

#define DUMPS_MAX 5 /* tries, for addresses that change all the time */

/*
 * Routes.
 */

static int take_route(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	(void)netlink;
	return route_decode(message, arg);
}

static int look_up(struct netlink *netlink, const struct route_question *question,
		   struct route *ret)
{
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_GETROUTE, 0);
	int rc = route_put_get(message, MESSAGE_BYTES, question);

	return rc ? rc : exchange(netlink, CHANNEL_ROUTE, message, take_route, ret);
}

/* The route of what @tunnel sends; a route that leads nowhere is an error. */
static int look_up_way(struct kernel *kernel, const struct tunnel *tunnel, bool as_configured,
		       struct route *ret)
{
	static const int errors[] = {
		[RTN_BLACKHOLE] = -EINVAL,
		[RTN_UNREACHABLE] = -EHOSTUNREACH,
		[RTN_PROHIBIT] = -EACCES,
		[RTN_THROW] = -ENETUNREACH,
	};
	const struct address *local = &tunnel->local_address;
	const struct route_question question = {
		.to = &tunnel->remote_address,
		.from = address_is_unspecified(local) ? NULL : local,
		.ports = tunnel->encapsulation == ENCAPSULATION_UDP ? tunnel : NULL,
		.as_configured = as_configured};
	int rc = look_up(netlink_of(kernel), &question, ret);

	if (!rc && ret->type < sizeof(errors) / sizeof(errors[0]))
		rc = errors[ret->type];
	return rc;
}

int netlink_path(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_path *ret)
{
	struct route route = {0};
	int rc = look_up_way(kernel, tunnel, false, &route);

	if (!rc)
		*ret = (struct kernel_path){.link = route.link,
					    .source = route.source.family ? route.source
									  : tunnel->local_address,
					    .gateway = route.gateway,
					    .mtu = route.mtu};
	return rc;
}

int netlink_route(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_route *ret)
{
	struct route route = {0};
	int rc = look_up_way(kernel, tunnel, true, &route);

	if (!rc)
		*ret = (struct kernel_route){.link = route.link,
					     .down = route.link && (route.flags & RTNH_F_LINKDOWN),
					     .mtu = route.mtu};
	return rc;
}

/*
 * Addresses.
 */

static int take_address(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	(void)netlink;
	return address_decode(message, arg);
}

/* A single IPv4 address cannot be queried; none is ever tentative. */
static enum kernel_address_state state6(struct netlink *netlink, const struct address *address)
{
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_GETADDR, 0);
	struct interface_address found = {0};
	int rc = address_put_get6(message, MESSAGE_BYTES, address);

	if (!rc)
		rc = exchange(netlink, CHANNEL_ROUTE, message, take_address, &found);
	if (rc)
		return kernel_answered(rc) ? ADDRESS_ABSENT : ADDRESS_UNKNOWN;
	return address_state_of(&found);
}

enum kernel_address_state netlink_address_state(struct kernel *kernel,
						const struct address *address, unsigned int vrf)
{
	struct netlink *netlink = netlink_of(kernel);
	const struct route_question question = {.to = address, .link = vrf};
	enum kernel_address_state state = ADDRESS_READY;
	struct route route = {0};
	int rc;

	if (address->family == AF_INET6)
		state = state6(netlink, address);
	if (state != ADDRESS_READY)
		return state;
	/* bind() also consults the local table, of the VRF or of none */
	rc = look_up(netlink, &question, &route);
	if (!kernel_answered(rc))
		return ADDRESS_UNKNOWN;
	return rc == 0 && route.type == RTN_LOCAL ? ADDRESS_READY : ADDRESS_ABSENT;
}

#define SOURCES 3

struct wanted_address {
	unsigned int index;
	bool exactly;                    /* want this very address, fit or not; else the fittest */
	struct address sources[SOURCES]; /* the preferred ones, best first */
	unsigned int rank;               /* of the best so far; lower is better */
	struct address address;
};

#define RANK_NONE   ((ADDRESS_UNFIT) * (SOURCES + 1))
#define RANK_USABLE ((ADDRESS_UNUSABLE) * (SOURCES + 1))

static unsigned int rank_of(const struct wanted_address *wanted,
			    const struct interface_address *address)
{
	unsigned int place = 0;

	while (place < SOURCES &&
	       memcmp(&address->address, &wanted->sources[place], sizeof(address->address)) != 0)
		place++;
	if (wanted->exactly)
		return place == 0 ? 0 : RANK_NONE;
	return address_fitness(address) * (SOURCES + 1) + place;
}

static int look_at_address(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	struct wanted_address *wanted = arg;
	struct interface_address address;
	unsigned int rank;

	(void)netlink;
	if (address_decode(message, &address) || address.index != wanted->index)
		return 0;
	rank = rank_of(wanted, &address);
	if (rank < wanted->rank) {
		wanted->rank = rank;
		wanted->address = address.address;
	}
	return 0;
}

static int dump_addresses(struct netlink *netlink, uint8_t family, struct wanted_address *wanted)
{
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_GETADDR, NLM_F_DUMP);
	int rc = address_put_dump(message, MESSAGE_BYTES, family, wanted->index);

	return rc ? rc : exchange(netlink, CHANNEL_ROUTE_DUMP, message, look_at_address, wanted);
}

static int find_interface(struct kernel *kernel, const char *interface, unsigned int *ret_index)
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET};
	int rc;

	if (strlen(interface) > IFNAME_LENGTH)
		return -ENODEV;
	memcpy(request.link.name, interface, strlen(interface));
	rc = netlink_submit(kernel, &request, 1);
	if (!rc)
		rc = request.result;
	*ret_index = request.link.index;
	return rc;
}

static int find_address(struct kernel *kernel, uint8_t family, struct wanted_address *wanted)
{
	int rc = -EINTR;

	for (unsigned int i = 0; rc == -EINTR && i < DUMPS_MAX; i++) {
		wanted->rank = RANK_NONE;
		rc = dump_addresses(netlink_of(kernel), family, wanted);
	}
	if (rc == -EINTR)
		rc = 0; /* what it did show is there */
	return !rc && wanted->rank == RANK_NONE ? -EADDRNOTAVAIL : rc;
}

int netlink_interface_address(struct kernel *kernel, const char *interface,
			      const struct address *remote, struct address *ret)
{
	struct wanted_address wanted = {.sources = {*ret}};
	int rc = find_interface(kernel, interface, &wanted.index);

	if (rc)
		return rc;
	for (unsigned int i = 1; i < SOURCES; i++) {
		const struct route_question question = {.to = remote,
							.link = i == 1 ? 0 : wanted.index};
		struct route route = {0};

		if (look_up(netlink_of(kernel), &question, &route) == 0)
			wanted.sources[i] = route.source;
	}
	rc = find_address(kernel, remote->family, &wanted);
	if (rc)
		return rc;
	*ret = wanted.address;
	return wanted.rank < RANK_USABLE ? 0 : -EAGAIN;
}

int netlink_interface_has(struct kernel *kernel, const char *interface,
			  const struct address *address)
{
	struct wanted_address wanted = {.sources = {*address}, .exactly = true};
	int rc = find_interface(kernel, interface, &wanted.index);

	return rc ? rc : find_address(kernel, address->family, &wanted);
}
