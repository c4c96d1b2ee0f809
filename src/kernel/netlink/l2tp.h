/*
 * Messages of the generic netlink family "l2tp": from structs to attributes and back, by the
 * mapping table. No sockets here, so that tests can decode recorded and random bytes.
 */
#ifndef KERNEL_NETLINK_L2TP_H
#define KERNEL_NETLINK_L2TP_H

#include <libmnl/libmnl.h>
#include <linux/l2tp.h>

#include "kernel/kernel.h"
#include "model/table.h"

/* Rows by attribute number, made from the mapping table for speed: dumps are long. */
struct l2tp_rows {
	const struct row *config[L2TP_ATTR_MAX + 1];
	const struct row *statistics[L2TP_ATTR_STATS_MAX + 1];
};

struct l2tp_decoder {
	struct l2tp_rows objects[OBJECTS];
};

void l2tp_decoder_init(struct l2tp_decoder *ret);

/* The object and the ids that a message (answer or event) is about. */
struct l2tp_ids {
	enum object object;
	uint32_t tunnel_id;
	uint32_t session_id; /* 0 for a tunnel */
};

/*
 * Decode. Assigns whole structs: leaves that the message lacks are absent, or have the value that
 * absence means. Arguments may be NULL. -EPROTO if anything is malformed; then assigns nothing.
 * Ignores unknown attributes.
 */
int l2tp_decode_tunnel(const struct l2tp_decoder *decoder, const struct nlmsghdr *message,
		       struct tunnel *ret, struct statistics *ret_statistics);
int l2tp_decode_session(const struct l2tp_decoder *decoder, const struct nlmsghdr *message,
			uint32_t *ret_tunnel_id, struct session *ret,
			struct statistics *ret_statistics);
int l2tp_decode_ids(const struct nlmsghdr *message, struct l2tp_ids *ret);
/* Only the ids and counters, of either object. */
int l2tp_decode_counters(const struct l2tp_decoder *decoder, const struct nlmsghdr *message,
			 struct l2tp_ids *ret, struct statistics *ret_statistics);

/*
 * Append to a message that has its headers. @size: the room from the start of the message.
 * -EMSGSIZE when it does not fit, -EINVAL for a request without the struct that it needs.
 */
int l2tp_put_tunnel(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int l2tp_put_tunnel_id(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int l2tp_put_session(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
int l2tp_put_session_change(struct nlmsghdr *message, size_t size,
			    const struct kernel_request *request);
int l2tp_put_session_id(struct nlmsghdr *message, size_t size,
			const struct kernel_request *request);

/* The ids that a request is about, from wherever it has them. */
uint32_t l2tp_tunnel_id(const struct kernel_request *request);
uint32_t l2tp_session_id(const struct kernel_request *request);

#endif
