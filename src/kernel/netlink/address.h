/*
 * rtnetlink messages about addresses and routes: what a tunnel needs around
 * it. No socket here.
 */
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

/* -EPROTO when malformed, -ENOMSG when of neither IP version. */
int address_decode(const struct nlmsghdr *message, struct interface_address *ret);
/* What a route says. */
struct route {
	uint8_t type;          /* RTN_* */
	uint32_t flags;        /* RTM_F_*, RTNH_F_* */
	unsigned int link;     /* ifindex it goes out by, 0 none, or several */
	struct address source; /* that it prefers; AF_UNSPEC: it says none */
};

/* Decode an RTM_NEWROUTE. -EPROTO when malformed. */
int route_decode(const struct nlmsghdr *message, struct route *ret);

/*
 * How little good an address is as the source of a tunnel, 0 the best: temporary
 * and deprecated ones may go, those that have not passed duplicate address
 * detection are not usable. ADDRESS_UNFIT: not global.
 */
enum address_fitness { ADDRESS_FIT, ADDRESS_PASSING, ADDRESS_UNUSABLE, ADDRESS_UNFIT };
enum address_fitness address_fitness(const struct interface_address *address);
enum kernel_address_state address_state_of(const struct interface_address *address);

/* As in l2tp.h. A dump of one interface's addresses needs NETLINK_GET_STRICT_CHK. */
int address_put_dump(struct nlmsghdr *message, size_t size, uint8_t family, unsigned int index);
int address_put_get6(struct nlmsghdr *message, size_t size, const struct address *address);

/* What route to look up. */
struct route_question {
	const struct address *to, *from; /* from: NULL any */
	const struct tunnel *ports;      /* over UDP, by its ports; NULL: by any protocol */
	unsigned int link;               /* that it shall go out by; a VRF: in it; 0 any */
	bool as_configured; /* RTM_F_FIB_MATCH: the route as it is in the table, with RTNH_F_* and
			       without the source, unless it is given */
};
int route_put_get(struct nlmsghdr *message, size_t size, const struct route_question *question);

#endif
