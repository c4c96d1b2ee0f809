/* rtnetlink messages about addresses and routes, which tunnels depend on. No sockets here. */
#ifndef KERNEL_NETLINK_ADDRESS_H
#define KERNEL_NETLINK_ADDRESS_H

#include <libmnl/libmnl.h>

#include "kernel/kernel.h"

/* One address of an interface. */
struct interface_address {
	struct address address;
	unsigned int index;
	uint32_t flags; /* IFA_F_* */
	uint8_t scope;  /* RT_SCOPE_* */
};

/* Decode one. -EPROTO when malformed, -ENOMSG when of neither IP version. */
int address_decode(const struct nlmsghdr *message, struct interface_address *ret);
/* The parts of a route that we use. */
struct route {
	uint8_t type;           /* RTN_* */
	uint32_t flags;         /* RTM_F_*, RTNH_F_* */
	unsigned int link;      /* ifindex of its outgoing link; 0: none, or several */
	struct address source;  /* the preferred one; AF_UNSPEC: none given */
	struct address gateway; /* AF_UNSPEC: none */
	uint32_t mtu;           /* RTAX_MTU: given, or learnt from the path (PMTU); 0: neither */
};

/* Decode an RTM_NEWROUTE. -EPROTO when malformed. */
int route_decode(const struct nlmsghdr *message, struct route *ret);

/*
 * Rank an address as a tunnel's source; 0 is best. Temporary and deprecated ones may disappear;
 * those that have not passed duplicate address detection are unusable. ADDRESS_UNFIT: not global.
 */
enum address_fitness { ADDRESS_FIT, ADDRESS_PASSING, ADDRESS_UNUSABLE, ADDRESS_UNFIT };
enum address_fitness address_fitness(const struct interface_address *address);
enum kernel_address_state address_state_of(const struct interface_address *address);

/* As in l2tp.h. A dump of one interface's addresses needs NETLINK_GET_STRICT_CHK. */
int address_put_dump(struct nlmsghdr *message, size_t size, uint8_t family, unsigned int index);
int address_put_get6(struct nlmsghdr *message, size_t size, const struct address *address);

/* A lookup of a route. */
struct route_question {
	const struct address *to, *from; /* from NULL: any */
	const struct tunnel *ports;      /* of a tunnel over UDP; NULL: any protocol */
	unsigned int link;               /* outgoing link, or the VRF to look in; 0: any */
	bool as_configured; /* RTM_F_FIB_MATCH: the route as in the table, with RTNH_F_*, and with a
			       source only if configured */
};
int route_put_get(struct nlmsghdr *message, size_t size, const struct route_question *question);

#endif
