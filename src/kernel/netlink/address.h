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
/* The RTN_* type of an RTM_NEWROUTE, or -EPROTO. */
int route_decode_type(const struct nlmsghdr *message);

/* Could a tunnel keep this as its source: global, settled, and not about to go? */
bool address_is_lasting(const struct interface_address *address);
enum kernel_address_state address_state_of(const struct interface_address *address);

/* As in l2tp.h. A dump of one interface's addresses needs NETLINK_GET_STRICT_CHK. */
int address_put_dump(struct nlmsghdr *message, size_t size, uint8_t family, unsigned int index);
int address_put_get6(struct nlmsghdr *message, size_t size, const struct address *address);
int route_put_get(struct nlmsghdr *message, size_t size, const struct address *to);

#endif
