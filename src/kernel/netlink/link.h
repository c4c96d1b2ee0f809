/* rtnetlink messages about links: L2TP interfaces and the 802.1Q links on them. No sockets here. */
#ifndef KERNEL_NETLINK_LINK_H
#define KERNEL_NETLINK_LINK_H

#include <libmnl/libmnl.h>

#include "kernel/kernel.h"

/*
 * Decode an RTM_NEWLINK or RTM_DELLINK. -EPROTO when malformed; -ENOMSG for a message of another
 * family (bridges use the same messages for their ports).
 */
int link_decode(const struct nlmsghdr *message, struct kernel_link *ret);

#define LINK_ALTERNATIVES_BYTES 512 /* some thirty names; further ones are ignored */

/* The same, with alternative names, which are stored in @names, and alias, which is in @message. */
int link_decode_names(const struct nlmsghdr *message, struct kernel_link *ret,
		      char names[LINK_ALTERNATIVES_BYTES]);

/*
 * Append to a message that has only its netlink header. @size: the room from the start of the
 * message. -EMSGSIZE, -EINVAL as in l2tp.h.
 */
int link_put_set(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_get(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_vlan(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_delete(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int link_put_dump(struct nlmsghdr *message, size_t size);

#endif
