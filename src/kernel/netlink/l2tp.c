/*
 * The "l2tp" family's messages. Sources: net/l2tp/l2tp_netlink.c, include/uapi/linux/l2tp.h.
 *
 * Kernel rules handled here: PROTO_VERSION is always 3 (the kernel accepts any value, and sessions
 * of other versions cannot be deleted); no FD, so that tunnels outlive us; STATS is nested but not
 * flagged so; a SESSION message names its tunnel only by CONN_ID. Attribute numbers, wire forms and
 * the meaning of absence are in the mapping table and the codec.
 */
#include "kernel/netlink/l2tp.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "kernel/netlink/attributes.h"
#include "model/codec.h"

#define PROTO_VERSION 3

/*
 * Encoding.
 */

static int put(struct nlmsghdr *message, size_t size, uint16_t type, size_t length,
	       const void *bytes)
{
	return mnl_attr_put_check(message, size, type, length, bytes) ? 0 : -EMSGSIZE;
}

static int put_id(struct nlmsghdr *message, size_t size, enum object object, uint32_t id)
{
	return put(message, size, row_sets[object].key->genl, sizeof(id), &id);
}

static int put_row(struct nlmsghdr *message, size_t size, const struct row *row, const void *config)
{
	struct wire_attribute attributes[2];
	unsigned int count = codec_to_wire(row, config, attributes);
	int rc = 0;

	for (unsigned int i = 0; i < count && !rc; i++)
		rc = put(message, size, attributes[i].attr, attributes[i].length,
			 attributes[i].bytes);
	return rc;
}

static bool changeable(const struct row *row)
{
	return row->change == CHANGE_MODIFY;
}

static bool not_key(const struct row *row)
{
	return row->access != ACCESS_KEY;
}

static int put_rows(struct nlmsghdr *message, size_t size, enum object object, const void *config,
		    bool (*wanted)(const struct row *row))
{
	const struct row_set *set = &row_sets[object];
	int rc = 0;

	for (unsigned int i = 0; i < set->config_count && !rc; i++) {
		if (set->rows[i].wire != WIRE_NONE && wanted(&set->rows[i]))
			rc = put_row(message, size, &set->rows[i], config);
	}
	return rc;
}

uint32_t l2tp_tunnel_id(const struct kernel_request *request)
{
	return request->tunnel ? request->tunnel->tunnel_id : request->tunnel_id;
}

uint32_t l2tp_session_id(const struct kernel_request *request)
{
	return request->session ? request->session->session_id : request->session_id;
}

int l2tp_put_tunnel_id(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	return put_id(message, size, OBJECT_TUNNEL, l2tp_tunnel_id(request));
}

int l2tp_put_session_id(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	int rc = put_id(message, size, OBJECT_TUNNEL, l2tp_tunnel_id(request));

	return rc ? rc : put_id(message, size, OBJECT_SESSION, l2tp_session_id(request));
}

int l2tp_put_tunnel(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	const uint8_t version = PROTO_VERSION;
	int rc;

	if (!request->tunnel)
		return -EINVAL;
	rc = l2tp_put_tunnel_id(message, size, request);
	if (!rc)
		rc = put(message, size, L2TP_ATTR_PROTO_VERSION, sizeof(version), &version);
	return rc ? rc : put_rows(message, size, OBJECT_TUNNEL, request->tunnel, not_key);
}

int l2tp_put_session(struct nlmsghdr *message, size_t size, const struct kernel_request *request)
{
	int rc;

	if (!request->session)
		return -EINVAL;
	rc = l2tp_put_session_id(message, size, request);
	return rc ? rc : put_rows(message, size, OBJECT_SESSION, request->session, not_key);
}

int l2tp_put_session_change(struct nlmsghdr *message, size_t size,
			    const struct kernel_request *request)
{
	int rc;

	if (!request->session)
		return -EINVAL;
	rc = l2tp_put_session_id(message, size, request);
	return rc ? rc : put_rows(message, size, OBJECT_SESSION, request->session, changeable);
}

/*
 * Decoding.
 */

static void add_row(struct l2tp_rows *rows, const struct row *row)
{
	if (row->part == PART_STATISTICS && row->genl <= L2TP_ATTR_STATS_MAX)
		rows->statistics[row->genl] = row;
	if (row->part != PART_CONFIG)
		return;
	rows->config[row->genl] = row;
	if (row->genl_pair)
		rows->config[row->genl_pair] = row;
}

void l2tp_decoder_init(struct l2tp_decoder *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned int object = 0; object < OBJECTS; object++) {
		for (unsigned int i = 0; i < row_sets[object].count; i++) {
			const struct row *row = &row_sets[object].rows[i];

			if (row->wire != WIRE_NONE && row->genl)
				add_row(&ret->objects[object], row);
		}
	}
}

static int decode_attribute(const struct row *row, void *object, const struct nlattr *attribute)
{
	if (!row)
		return 0;
	return codec_from_wire(row, object, attribute_type(attribute), attribute_bytes(attribute),
			       attribute_length(attribute));
}

static int decode_statistics(const struct l2tp_rows *rows, const struct nlattr *nest,
			     struct statistics *statistics)
{
	const struct nlattr *attribute;

	attribute_for_each_nested (attribute, nest) {
		uint16_t type = attribute_type(attribute);
		int rc;

		if (type > L2TP_ATTR_STATS_MAX)
			continue;
		rc = decode_attribute(rows->statistics[type], statistics, attribute);
		if (rc)
			return rc;
	}
	return 0;
}

/* @config and @statistics may be NULL, and are then skipped. */
static int decode(const struct l2tp_rows *rows, const struct nlmsghdr *message, void *config,
		  struct statistics *statistics)
{
	const struct nlattr *attribute;

	attribute_for_each (attribute, message, GENL_HDRLEN) {
		uint16_t type = attribute_type(attribute);
		int rc = 0;

		if (type == L2TP_ATTR_STATS && statistics)
			rc = decode_statistics(rows, attribute, statistics);
		else if (type <= L2TP_ATTR_MAX && config)
			rc = decode_attribute(rows->config[type], config, attribute);
		if (rc)
			return rc;
	}
	return 0;
}

static uint8_t decode_version(const struct nlmsghdr *message)
{
	const struct nlattr *attribute;

	attribute_for_each (attribute, message, GENL_HDRLEN) {
		if (attribute_type(attribute) == L2TP_ATTR_PROTO_VERSION &&
		    attribute_length(attribute) == sizeof(uint8_t))
			return mnl_attr_get_u8(attribute);
	}
	return 0;
}

int l2tp_decode_tunnel(const struct l2tp_decoder *decoder, const struct nlmsghdr *message,
		       struct tunnel *ret, struct statistics *ret_statistics)
{
	struct statistics statistics = {0};
	struct tunnel tunnel;
	struct l2tp_ids ids;
	int rc = l2tp_decode_ids(message, &ids);

	if (rc)
		return rc;
	if (ret)
		codec_wire_defaults(OBJECT_TUNNEL, &tunnel);
	rc = decode(&decoder->objects[OBJECT_TUNNEL], message, ret ? &tunnel : NULL,
		    ret_statistics ? &statistics : NULL);
	if (rc)
		return rc;
	if (ret) {
		codec_wire_finish(OBJECT_TUNNEL, &tunnel);
		tunnel.version = decode_version(message);
		*ret = tunnel;
	}
	if (ret_statistics)
		*ret_statistics = statistics;
	return 0;
}

int l2tp_decode_session(const struct l2tp_decoder *decoder, const struct nlmsghdr *message,
			uint32_t *ret_tunnel_id, struct session *ret,
			struct statistics *ret_statistics)
{
	struct statistics statistics = {0};
	struct session session;
	struct l2tp_ids ids;
	int rc = l2tp_decode_ids(message, &ids);

	if (!rc && ids.object != OBJECT_SESSION)
		rc = -EPROTO;
	if (rc)
		return rc;
	if (ret)
		codec_wire_defaults(OBJECT_SESSION, &session);
	rc = decode(&decoder->objects[OBJECT_SESSION], message, ret ? &session : NULL,
		    ret_statistics ? &statistics : NULL);
	if (rc)
		return rc;
	if (ret_tunnel_id)
		*ret_tunnel_id = ids.tunnel_id;
	if (ret) {
		codec_wire_finish(OBJECT_SESSION, &session);
		*ret = session;
	}
	if (ret_statistics)
		*ret_statistics = statistics;
	return 0;
}

static bool about_session(const struct nlmsghdr *message)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);

	return header->cmd >= L2TP_CMD_SESSION_CREATE;
}

/* Stop at the last id wanted, for the kernel puts ids first. */
int l2tp_decode_ids(const struct nlmsghdr *message, struct l2tp_ids *ret)
{
	struct l2tp_ids ids = {.object = OBJECT_TUNNEL};
	const struct nlattr *attribute;
	unsigned int missing = 1;

	if (!has_header(message, GENL_HDRLEN))
		return -EPROTO;
	if (about_session(message)) {
		ids.object = OBJECT_SESSION;
		missing = 2;
	}
	attribute_for_each (attribute, message, GENL_HDRLEN) {
		uint16_t type = attribute_type(attribute);

		if (type != L2TP_ATTR_CONN_ID &&
		    (type != L2TP_ATTR_SESSION_ID || ids.object == OBJECT_TUNNEL))
			continue;
		if (attribute_length(attribute) != sizeof(uint32_t))
			return -EPROTO;
		*(type == L2TP_ATTR_CONN_ID ? &ids.tunnel_id : &ids.session_id) =
			mnl_attr_get_u32(attribute);
		if (--missing == 0)
			break;
	}
	if (missing)
		return -EPROTO;
	*ret = ids;
	return 0;
}

int l2tp_decode_counters(const struct l2tp_decoder *decoder, const struct nlmsghdr *message,
			 struct l2tp_ids *ret, struct statistics *ret_statistics)
{
	struct statistics statistics = {0};
	struct l2tp_ids ids;
	int rc = l2tp_decode_ids(message, &ids);

	if (!rc)
		rc = decode(&decoder->objects[ids.object], message, NULL, &statistics);
	if (rc)
		return rc;
	*ret = ids;
	*ret_statistics = statistics;
	return 0;
}
