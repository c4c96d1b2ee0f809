/*
 * Walking netlink messages and attributes: libmnl's loops, made clean under
 * -Wconversion. Every message and attribute seen lies within what was received.
 */
#ifndef KERNEL_ATTRIBUTES_H
#define KERNEL_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdint.h>

/* Not mnl_nlmsg_ok(), for which a length of 2^31 or more is negative and so fits. */
static inline int message_ok(const struct nlmsghdr *message, int left)
{
	return left >= NLMSG_HDRLEN && message->nlmsg_len >= (uint32_t)NLMSG_HDRLEN &&
	       message->nlmsg_len <= (uint32_t)left;
}

/* @left: int, bytes from @message on; changed. */
#define message_for_each(message, left)                                                            \
	for (; message_ok((message), (left)); (message) = mnl_nlmsg_next((message), &(left)))

static inline int attributes_left(const void *attribute, const void *end)
{
	return (int)((const char *)end - (const char *)attribute);
}

/* Not mnl_nlmsg_get_payload_tail(), which rounds up and so may point past the message. */
static inline const void *message_end(const struct nlmsghdr *message)
{
	return (const char *)message + message->nlmsg_len;
}

static inline const void *attributes_end(const struct nlattr *nest)
{
	return (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest);
}

/* @offset: bytes of the family's header. The message must be long enough for it. */
#define attribute_for_each(attribute, message, offset)                                             \
	for ((attribute) = mnl_nlmsg_get_payload_offset((message), (offset));                      \
	     mnl_attr_ok((attribute), attributes_left((attribute), message_end(message)));         \
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
