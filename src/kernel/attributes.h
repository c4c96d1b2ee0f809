/*
 * Walking netlink attributes: libmnl's loops, made clean under -Wconversion.
 * Every attribute seen lies within its message.
 */
#ifndef KERNEL_ATTRIBUTES_H
#define KERNEL_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

static inline int attributes_left(const void *attribute, const void *end)
{
	return (int)((const char *)end - (const char *)attribute);
}

static inline const void *attributes_end(const struct nlattr *nest)
{
	return (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest);
}

/* @offset: bytes of the family's header. The message must be long enough for it. */
#define attribute_for_each(attribute, message, offset)                                             \
	for ((attribute) = mnl_nlmsg_get_payload_offset((message), (offset));                      \
	     mnl_attr_ok((attribute),                                                              \
			 attributes_left((attribute), mnl_nlmsg_get_payload_tail(message)));       \
	     (attribute) = mnl_attr_next(attribute))

#define attribute_for_each_nested(attribute, nest)                                                 \
	for ((attribute) = mnl_attr_get_payload(nest);                                             \
	     mnl_attr_ok((attribute), attributes_left((attribute), attributes_end(nest)));         \
	     (attribute) = mnl_attr_next(attribute))

/* Has the message room for the netlink header and a family header of @length bytes? */
static inline int has_header(const struct nlmsghdr *message, size_t length)
{
	return message->nlmsg_len >= NLMSG_LENGTH(length);
}

#endif
