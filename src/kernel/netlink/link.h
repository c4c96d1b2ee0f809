/*
 * rtnetlink messages about links: L2TP interfaces and the 802.1Q links on
 * them. No socket here.
 */
#ifndef KERNEL_NETLINK_LINK_H
#define KERNEL_NETLINK_LINK_H

#include <libmnl/libmnl.h>

#include "kernel/kernel.h"

/*
 * Decode an RTM_NEWLINK or RTM_DELLINK. -EPROTO when malformed; -ENOMSG for a
 * message of another family (a bridge tells of its ports in the same way).
 */
int link_decode(const struct nlmsghdr *message, struct kernel_link *ret);

#define LINK_ALTERNATIVES_BYTES 512 /* some thirty; a link with more is found by the first ones */

/* The same, with its alternative names, which then lie in @names. */
int link_decode_names(const struct nlmsghdr *message, struct kernel_link *ret,
		      char names[LINK_ALTERNATIVES_BYTES]);

/*
 * Append to a message that has its netlink header only; @size is the room from
 * the start of the message. -EMSGSIZE, -EINVAL as in l2tp.h.
 */
int link_put_set(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_get(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_vlan(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_delete(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_dump(struct nlmsghdr *message, size_t size);

#endif
