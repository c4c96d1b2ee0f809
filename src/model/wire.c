#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "model/codec.h"
#include "model/value.h"

/* The coarsest clock tick of a kernel: HZ=100. */
#define TICK_MS 10

/* `sequencing` less one is two flags. */
#define SEND_FLAG    1
#define RECEIVE_FLAG 2

static void put(struct wire_attribute *ret, unsigned int attr, const void *bytes, size_t length)
{
	memset(ret, 0, sizeof(*ret));
	ret->attr = (uint16_t)attr;
	ret->length = (uint16_t)length;
	if (length)
		memcpy(ret->bytes, bytes, length);
}

static void put_u8(struct wire_attribute *ret, unsigned int attr, unsigned int value)
{
	uint8_t byte = (uint8_t)value;

	put(ret, attr, &byte, sizeof(byte));
}

/* The kernel's number of the value. */
static uint64_t wire_number(const struct row *row, const void *object)
{
	uint64_t value = codec_get_number(row, object);
	const struct word *word;

	if (row->type != TYPE_ENUM)
		return value;
	word = word_by_value(row->words, (unsigned int)value);
	return word ? word->wire : 0;
}

static unsigned int put_number(const struct row *row, const void *object,
			       struct wire_attribute *ret)
{
	uint64_t value = wire_number(row, object);
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;

	if (row->wire == WIRE_U8)
		put_u8(ret, row->genl, (unsigned int)value);
	else if (row->wire == WIRE_U16)
		put(ret, row->genl, &u16, sizeof(u16));
	else if (row->wire == WIRE_U32)
		put(ret, row->genl, &u32, sizeof(u32));
	else
		put(ret, row->genl, &value, sizeof(value));
	return 1;
}

static unsigned int put_address(const struct row *row, const void *object,
				struct wire_attribute *ret)
{
	const void *bytes;
	size_t length = codec_get_bytes(row, object, &bytes);

	if (!length)
		return 0;
	put(ret, length == 4 ? row->genl : row->genl_pair, bytes, length);
	return 1;
}

static unsigned int put_sequence(const struct row *row, const void *object,
				 struct wire_attribute *ret)
{
	unsigned int flags = (unsigned int)codec_get_number(row, object) - 1;

	put_u8(&ret[0], row->genl, (flags & SEND_FLAG) != 0);
	put_u8(&ret[1], row->genl_pair, (flags & RECEIVE_FLAG) != 0);
	return 2;
}

unsigned int codec_to_wire(const struct row *row, const void *object, struct wire_attribute ret[2])
{
	const void *bytes;
	size_t length;

	if (row->wire == WIRE_NONE || !codec_present(row, object))
		return 0;
	switch (row->wire) {
	case WIRE_STRING:
		length = codec_get_bytes(row, object, &bytes);
		put(ret, row->genl, bytes, length + 1);
		return 1;
	case WIRE_BYTES:
		length = codec_get_bytes(row, object, &bytes);
		if (!length)
			return 0;
		put(ret, row->genl, bytes, length);
		return 1;
	case WIRE_ADDRESS:
		return put_address(row, object, ret);
	case WIRE_FLAG:
		/* a u8 by policy, but only its presence is looked at */
		if (!codec_get_number(row, object))
			return 0;
		put_u8(ret, row->genl, 1);
		return 1;
	case WIRE_FLAG_INVERTED:
		if (codec_get_number(row, object))
			return 0;
		put(ret, row->genl, NULL, 0);
		return 1;
	case WIRE_SEQUENCE:
		return put_sequence(row, object, ret);
	default:
		return put_number(row, object, ret);
	}
}

static void *member_of(const struct row *row, void *object)
{
	return (char *)object + row->offset;
}

static void mark_present(const struct row *row, void *object)
{
	if (row->part == PART_CONFIG)
		*(uint64_t *)object |= BIT(row_number(row));
}

static size_t number_size(enum wire wire)
{
	return wire == WIRE_U64 ? 8 : wire == WIRE_U32 ? 4 : wire == WIRE_U16 ? 2 : 1;
}

static int take_number(const struct row *row, void *object, const void *bytes, size_t length)
{
	uint64_t value = 0;

	if (length != number_size(row->wire))
		return -EPROTO;
	/* host order: the value's low bytes are first on little-endian, last on big-endian */
	memcpy((char *)&value + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 8 - length : 0), bytes,
	       length);
	if (row->type == TYPE_ENUM) {
		const struct word *word =
			value <= UINT16_MAX ? word_by_wire(row->words, (unsigned int)value) : NULL;

		if (!word)
			return 0; /* of a newer kernel; absent says "unknown" better than a guess */
		value = word->value;
	}
	number_store(row, member_of(row, object), value);
	mark_present(row, object);
	return 0;
}

static int take_string(const struct row *row, void *object, const char *text, size_t length)
{
	size_t used = strnlen(text, length);
	char *member = member_of(row, object);

	if (used == length || used >= row->size)
		return -EPROTO;
	memset(member, 0, row->size);
	memcpy(member, text, used);
	mark_present(row, object);
	return 0;
}

static int take_cookie(const struct row *row, void *object, const void *bytes, size_t length)
{
	struct cookie *cookie = member_of(row, object);

	if (length > sizeof(cookie->bytes))
		return -EPROTO;
	memset(cookie, 0, sizeof(*cookie));
	cookie->length = (uint8_t)length;
	if (length)
		memcpy(cookie->bytes, bytes, length);
	mark_present(row, object);
	return 0;
}

static int take_address(const struct row *row, void *object, unsigned int attr, const void *bytes,
			size_t length)
{
	struct address *address = member_of(row, object);

	if (length != (attr == row->genl ? 4 : 16))
		return -EPROTO;
	memset(address, 0, sizeof(*address));
	address->family = attr == row->genl ? AF_INET : AF_INET6;
	memcpy(address->bytes, bytes, length);
	mark_present(row, object);
	return 0;
}

static int take_flag(const struct row *row, void *object, const uint8_t *bytes, size_t length)
{
	bool inverted = row->wire == WIRE_FLAG_INVERTED;

	if (length != (inverted ? 0 : 1))
		return -EPROTO;
	number_store(row, member_of(row, object), inverted ? 0 : bytes[0] != 0);
	mark_present(row, object);
	return 0;
}

static int take_sequence(const struct row *row, void *object, unsigned int attr,
			 const uint8_t *bytes, size_t length)
{
	unsigned int flag = attr == row->genl ? SEND_FLAG : RECEIVE_FLAG;
	unsigned int flags = 0;

	if (length != 1)
		return -EPROTO;
	if (codec_present(row, object))
		flags = (unsigned int)codec_get_number(row, object) - 1;
	flags = bytes[0] ? flags | flag : flags & ~flag;
	number_store(row, member_of(row, object), flags + 1);
	mark_present(row, object);
	return 0;
}

int codec_from_wire(const struct row *row, void *object, unsigned int attr, const void *bytes,
		    size_t length)
{
	if (row->type == TYPE_COUNTER && length == sizeof(uint64_t)) { /* most there are */
		memcpy(member_of(row, object), bytes, length);
		return 0;
	}
	switch (row->wire) {
	case WIRE_NONE:
		return -EPROTO;
	case WIRE_STRING:
		return take_string(row, object, bytes, length);
	case WIRE_BYTES:
		return take_cookie(row, object, bytes, length);
	case WIRE_ADDRESS:
		return take_address(row, object, attr, bytes, length);
	case WIRE_FLAG:
	case WIRE_FLAG_INVERTED:
		return take_flag(row, object, bytes, length);
	case WIRE_SEQUENCE:
		return take_sequence(row, object, attr, bytes, length);
	default:
		return take_number(row, object, bytes, length);
	}
}

/* What the kernel means by not sending the attribute; -1: nothing. */
static int meaning_of_absence(enum wire wire)
{
	switch (wire) {
	case WIRE_FLAG:
	case WIRE_U64:
		return 0;
	case WIRE_FLAG_INVERTED:
		return 1;
	case WIRE_SEQUENCE:
		return SEQUENCING_NONE;
	default:
		return -1;
	}
}

void codec_wire_defaults(enum object object, void *config)
{
	const struct row_set *set = &row_sets[object];

	memset(config, 0, object == OBJECT_TUNNEL ? sizeof(struct tunnel) : sizeof(struct session));
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];
		int value = meaning_of_absence(row->wire);

		if (value < 0)
			continue;
		number_store(row, member_of(row, config), (uint64_t)value);
		mark_present(row, config);
	}
}

void codec_wire_finish(enum object object, void *config)
{
	const struct row_set *set = &row_sets[object];

	for (unsigned int i = 0; i < set->config_count; i++) {
		if (!codec_applies(&set->rows[i], config))
			codec_clear(&set->rows[i], config);
	}
}

/* RECV_TIMEOUT comes back in whole clock ticks (net/l2tp/l2tp_netlink.c, msecs_to_jiffies()). */
static bool same_rounded(uint64_t wanted, uint64_t found)
{
	return wanted == 0 ? found == 0 : found >= wanted && found - wanted < TICK_MS;
}

/* Unless we decide, as LNS, the data path sets SEND_SEQ to what the peer does. */
static bool same_sequence(const struct row *row, const struct session *wanted, const void *found)
{
	unsigned int mask = wanted->lns_mode ? SEND_FLAG | RECEIVE_FLAG : RECEIVE_FLAG;
	unsigned int flags = ((unsigned int)codec_get_number(row, wanted) - 1) ^
			     ((unsigned int)codec_get_number(row, found) - 1);

	return !(flags & mask);
}

bool codec_same_in_kernel(const struct row *row, const void *wanted, const void *found)
{
	if (row->source == SOURCE_RECORD || !codec_applies(row, wanted))
		return true;
	if (row->wire == WIRE_BYTES) /* absent and empty both say "none" */
		return codec_equal(row, wanted, found);
	if (!codec_present(row, wanted))
		return true;
	if (!codec_present(row, found))
		return row->wire == WIRE_NONE;
	switch (row->wire) {
	case WIRE_SEQUENCE:
		return same_sequence(row, wanted, found);
	case WIRE_U64:
		return same_rounded(codec_get_number(row, wanted), codec_get_number(row, found));
	default:
		if (row->type == TYPE_ENUM)
			return wire_number(row, wanted) == wire_number(row, found);
		return codec_equal(row, wanted, found);
	}
}
