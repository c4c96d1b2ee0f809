#include "pdu.h"

#include <endian.h>
#include <string.h>

#define VERSION_1     1
#define FLAG_CONTEXT  0x08 /* NON_DEFAULT_CONTEXT */
#define FLAG_NETWORK  0x10 /* NETWORK_BYTE_ORDER */
#define FLAGS_KNOWN   0x1f
#define PREFIX_SUBIDS 5 /* 1.3.6.1 and the prefix */

/* How a variable binding's value is encoded: section 5.4. */
enum value_kind { VALUE_BAD, VALUE_NONE, VALUE_32, VALUE_64, VALUE_OCTETS, VALUE_OID };

#define TYPES 131

static const uint8_t value_kinds[TYPES] = {
	[2] = VALUE_32,      /* Integer */
	[4] = VALUE_OCTETS,  /* Octet String */
	[5] = VALUE_NONE,    /* Null */
	[6] = VALUE_OID,     /* Object Identifier */
	[64] = VALUE_OCTETS, /* IpAddress */
	[65] = VALUE_32,     /* Counter32 */
	[66] = VALUE_32,     /* Gauge32 */
	[67] = VALUE_32,     /* TimeTicks */
	[68] = VALUE_OCTETS, /* Opaque */
	[70] = VALUE_64,     /* Counter64 */
	[71] = VALUE_32,     /* RFC 1442's UInteger32, which snmpd passes on */
	[128] = VALUE_NONE,  /* noSuchObject */
	[129] = VALUE_NONE,  /* noSuchInstance */
	[130] = VALUE_NONE,  /* endOfMibView */
};

static const unsigned long prefix[] = {1, 3, 6, 1};

static uint32_t get_32(const uint8_t *at, bool network)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return network ? be32toh(value) : le32toh(value);
}

static uint16_t get_16(const uint8_t *at, bool network)
{
	return (uint16_t)(network ? at[0] << 8 | at[1] : at[1] << 8 | at[0]);
}

static void put_32(uint8_t *at, uint32_t value, bool network)
{
	value = network ? htobe32(value) : htole32(value);
	memcpy(at, &value, sizeof(value));
}

static void put_16(uint8_t *at, uint16_t value, bool network)
{
	at[network ? 0 : 1] = (uint8_t)(value >> 8);
	at[network ? 1 : 0] = (uint8_t)value;
}

/* The next octets; NULL when there are not so many. */
static const uint8_t *take(struct pdu_reader *reader, size_t count)
{
	const uint8_t *at = reader->at;

	if (reader->bad || count > reader->left) {
		reader->bad = true;
		return NULL;
	}
	reader->at += count;
	reader->left -= count;
	return at;
}

static void skip_oid(struct pdu_reader *reader)
{
	const uint8_t *head = take(reader, 4);

	if (!head)
		return;
	if (head[0] + (head[1] ? PREFIX_SUBIDS : 0) > PDU_SUBIDS_MAX)
		reader->bad = true;
	take(reader, 4U * head[0]);
}

static struct pdu_octets take_octets(struct pdu_reader *reader)
{
	const uint8_t *head = take(reader, 4);
	size_t length = head ? get_32(head, reader->network) : 0;
	const uint8_t *bytes = take(reader, (length + 3) & ~(size_t)3);

	return bytes ? (struct pdu_octets){bytes, length} : (struct pdu_octets){NULL, 0};
}

static void skip_value(struct pdu_reader *reader, unsigned int type)
{
	switch (type < TYPES ? value_kinds[type] : VALUE_BAD) {
	case VALUE_NONE:
		break;
	case VALUE_32:
		take(reader, 4);
		break;
	case VALUE_64:
		take(reader, 8);
		break;
	case VALUE_OCTETS:
		take_octets(reader);
		break;
	case VALUE_OID:
		skip_oid(reader);
		break;
	default:
		reader->bad = true;
	}
}

static void skip_variable(struct pdu_reader *reader)
{
	const uint8_t *head = take(reader, 4);
	unsigned int type = head ? get_16(head, reader->network) : 0;

	skip_oid(reader);
	skip_value(reader, type);
}

/* What follows the header and the context. */
static void check_contents(struct pdu_reader *reader, enum pdu_type type)
{
	switch (type) {
	case PDU_CLOSE:
		take(reader, 4);
		break;
	case PDU_GET_BULK:
		take(reader, 4);
		/* fall through */
	case PDU_GET:
	case PDU_GET_NEXT:
		pdu_skip_ranges(reader, SIZE_MAX);
		break;
	case PDU_RESPONSE:
		take(reader, 8);
		/* fall through */
	case PDU_TEST_SET:
		while (reader->left > 0 && !reader->bad)
			skip_variable(reader);
		break;
	case PDU_COMMIT_SET:
	case PDU_UNDO_SET:
	case PDU_CLEANUP_SET:
		break;
	default: /* what only subagents send, and what is no PDU */
		reader->bad = true;
	}
}

struct pdu_header pdu_header(const uint8_t *bytes)
{
	bool network = bytes[2] & FLAG_NETWORK;

	return (struct pdu_header){
		.version = bytes[0],
		.type = bytes[1],
		.network = network,
		.context = bytes[2] & FLAG_CONTEXT,
		.session = get_32(bytes + 4, network),
		.transaction = get_32(bytes + 8, network),
		.packet = get_32(bytes + 12, network),
		.size = PDU_HEADER_LENGTH + (uint64_t)get_32(bytes + 16, network),
	};
}

bool pdu_header_is_sane(const uint8_t *bytes)
{
	return bytes[0] == VERSION_1;
}

struct pdu_reader pdu_contents(const uint8_t *bytes, size_t size, struct pdu_octets *ret_context)
{
	struct pdu_reader reader = {.at = bytes + PDU_HEADER_LENGTH,
				    .left = size - PDU_HEADER_LENGTH,
				    .network = bytes[2] & FLAG_NETWORK};

	*ret_context = (struct pdu_octets){NULL, 0};
	if (bytes[2] & FLAG_CONTEXT)
		*ret_context = take_octets(&reader);
	return reader;
}

bool pdu_check(const uint8_t *bytes, size_t size)
{
	struct pdu_octets context;
	struct pdu_reader reader = pdu_contents(bytes, size, &context);

	if (bytes[2] & ~FLAGS_KNOWN)
		return false;
	check_contents(&reader, (enum pdu_type)bytes[1]);
	return !reader.bad && reader.left == 0;
}

uint16_t pdu_take_16(struct pdu_reader *reader)
{
	const uint8_t *at = take(reader, 2);

	return at ? get_16(at, reader->network) : 0;
}

void pdu_take_oid(struct pdu_reader *reader, struct pdu_oid *ret)
{
	const uint8_t *head = take(reader, 4);
	size_t count = head ? head[0] : 0, begin = head && head[1] ? PREFIX_SUBIDS : 0;
	const uint8_t *at = take(reader, 4 * count);

	ret->length = 0;
	ret->include = head && head[2];
	if (!at || begin + count > PDU_SUBIDS_MAX)
		return;
	if (begin) {
		memcpy(ret->ids, prefix, sizeof(prefix));
		ret->ids[begin - 1] = head[1];
	}
	for (size_t i = 0; i < count; i++)
		ret->ids[begin + i] = get_32(at + 4 * i, reader->network);
	ret->length = begin + count;
}

uint16_t pdu_take_variable(struct pdu_reader *reader, struct pdu_oid *ret)
{
	uint16_t type = pdu_take_16(reader);

	take(reader, 2);
	pdu_take_oid(reader, ret);
	skip_value(reader, type);
	return type;
}

void pdu_skip_ranges(struct pdu_reader *reader, size_t count)
{
	while (count-- > 0 && reader->left > 0 && !reader->bad) {
		skip_oid(reader);
		skip_oid(reader);
	}
}

struct pdu_response pdu_response(const uint8_t *bytes)
{
	const uint8_t *at = bytes + PDU_HEADER_LENGTH;
	bool network = bytes[2] & FLAG_NETWORK;

	return (struct pdu_response){
		.up_time = get_32(at, network),
		.error = get_16(at + 4, network),
		.index = get_16(at + 6, network),
	};
}

static void put_header(uint8_t *ret, const struct pdu_header *header)
{
	ret[0] = VERSION_1;
	ret[1] = header->type;
	ret[2] = (uint8_t)((header->network ? FLAG_NETWORK : 0) |
			   (header->context ? FLAG_CONTEXT : 0));
	ret[3] = 0;
	put_32(ret + 4, header->session, header->network);
	put_32(ret + 8, header->transaction, header->network);
	put_32(ret + 12, header->packet, header->network);
	put_32(ret + 16, (uint32_t)(header->size - PDU_HEADER_LENGTH), header->network);
}

static void put_head(uint8_t *ret, const struct pdu_header *to, const struct pdu_response *say)
{
	put_32(ret, say->up_time, to->network);
	put_16(ret + 4, say->error, to->network);
	put_16(ret + 6, say->index, to->network);
}

void pdu_put_response(uint8_t *ret, const struct pdu_header *to, const struct pdu_response *say)
{
	struct pdu_header header = *to;

	header.type = PDU_RESPONSE;
	header.size = PDU_RESPONSE_LENGTH;
	header.context = false;
	put_header(ret, &header);
	put_head(ret + PDU_HEADER_LENGTH, to, say);
}

/* ---- a Response with variables */

/* Room for so many octets more; NULL: there is not so much. */
static uint8_t *extend(struct pdu_writer *writer, size_t count)
{
	uint8_t *at = writer->start + writer->length;

	if (writer->full || count > writer->room - writer->length) {
		writer->full = true;
		return NULL;
	}
	writer->length += count;
	return at;
}

static void put_octets(struct pdu_writer *writer, struct pdu_octets octets)
{
	size_t padded = (octets.length + 3) & ~(size_t)3;
	uint8_t *at =
		padded <= writer->room ? extend(writer, 4 + padded) : extend(writer, SIZE_MAX);

	if (!at)
		return;
	put_32(at, (uint32_t)octets.length, writer->network);
	if (octets.length == 0)
		return;
	memset(at + padded, 0, 4);
	memcpy(at + 4, octets.bytes, octets.length);
}

/* As short as it goes: 0.0 is the null identifier, and 1.3.6.1 a prefix. */
static void put_oid(struct pdu_writer *writer, const unsigned long *ids, size_t length)
{
	bool null = length == 2 && ids[0] == 0 && ids[1] == 0;
	bool prefixed = length >= PREFIX_SUBIDS && memcmp(ids, prefix, sizeof(prefix)) == 0 &&
			ids[4] > 0 && ids[4] <= UINT8_MAX;
	size_t begin = null ? length : prefixed ? PREFIX_SUBIDS : 0;
	uint8_t *at = extend(writer, 4 + 4 * (length - begin));

	if (!at)
		return;
	at[0] = (uint8_t)(length - begin);
	at[1] = prefixed ? (uint8_t)ids[4] : 0;
	at[2] = at[3] = 0;
	for (size_t i = begin; i < length; i++)
		put_32(at += 4, (uint32_t)ids[i], writer->network);
}

struct pdu_writer pdu_begin_response(uint8_t *ret, size_t room, const struct pdu_header *to,
				     struct pdu_octets context, const struct pdu_response *say)
{
	struct pdu_writer writer = {.start = ret, .room = room, .network = to->network};
	struct pdu_header header = *to;
	uint8_t *at = extend(&writer, PDU_HEADER_LENGTH);

	header.type = PDU_RESPONSE;
	if (at)
		put_header(at, &header);
	if (to->context)
		put_octets(&writer, context);
	at = extend(&writer, PDU_RESPONSE_LENGTH - PDU_HEADER_LENGTH);
	if (at)
		put_head(at, to, say);
	return writer;
}

void pdu_put_variable(struct pdu_writer *writer, const unsigned long *ids, size_t length,
		      const struct pdu_value *value)
{
	enum value_kind kind = value->type < TYPES ? value_kinds[value->type] : VALUE_BAD;
	uint8_t *at = extend(writer, 4);

	if (!at)
		return;
	put_16(at, value->type, writer->network);
	put_16(at + 2, 0, writer->network);
	put_oid(writer, ids, length);
	if (kind == VALUE_OCTETS)
		put_octets(writer, value->octets);
	else if (kind == VALUE_64 && (at = extend(writer, 8)) != NULL) {
		put_32(at + (writer->network ? 0 : 4), (uint32_t)(value->number >> 32),
		       writer->network);
		put_32(at + (writer->network ? 4 : 0), (uint32_t)value->number, writer->network);
	} else if (kind == VALUE_32 && (at = extend(writer, 4)) != NULL) {
		put_32(at, (uint32_t)value->number, writer->network);
	}
}

void pdu_forget(struct pdu_writer *writer, size_t length)
{
	writer->length = length;
	writer->full = false;
}

size_t pdu_end_response(struct pdu_writer *writer)
{
	put_32(writer->start + 16, (uint32_t)(writer->length - PDU_HEADER_LENGTH), writer->network);
	return writer->length;
}

size_t pdu_put_open(uint8_t ret[PDU_OPEN_MAX], uint32_t packet, uint8_t timeout, const char *name)
{
	size_t length = strnlen(name, PDU_OPEN_MAX - PDU_HEADER_LENGTH - 12);
	size_t padded = (length + 3) & ~(size_t)3;
	struct pdu_header header = {
		.type = PDU_OPEN, .packet = packet, .size = PDU_HEADER_LENGTH + 12 + padded};

	memset(ret, 0, PDU_OPEN_MAX); /* no OID of ours: the null identifier */
	put_header(ret, &header);
	ret[PDU_HEADER_LENGTH] = timeout;
	put_32(ret + PDU_HEADER_LENGTH + 8, (uint32_t)length, false);
	memcpy(ret + PDU_HEADER_LENGTH + 12, name, length);
	return (size_t)header.size;
}

/* ---- the stream */

/* By its header alone: nobody holds all of it. */
static enum incoming_verdict judge_long(struct incoming *incoming, const struct pdu_header *header,
					const char **ret_why_broken)
{
	bool is_request = header->type >= PDU_GET && header->type <= PDU_UNDO_SET;

	if (!is_request || header->size > INCOMING_SKIP_MAX) {
		*ret_why_broken = "claims more octets than any PDU has";
		return INCOMING_BROKEN;
	}
	incoming->skip = header->size;
	return INCOMING_LONG;
}

static enum incoming_verdict judge(const uint8_t *bytes, const struct pdu_header *header,
				   const char **ret_why_broken)
{
	if (pdu_check(bytes, (size_t)header->size))
		return INCOMING_PDU;
	*ret_why_broken = "is malformed, and a response cannot be refused";
	return header->type == PDU_RESPONSE ? INCOMING_BROKEN : INCOMING_MALFORMED;
}

enum incoming_verdict incoming_next(struct incoming *incoming, struct pdu_header *ret,
				    const uint8_t **ret_bytes, const char **ret_why_broken)
{
	size_t left = incoming->have - incoming->at;
	size_t skipped = incoming->skip < left ? (size_t)incoming->skip : left;
	const uint8_t *bytes;

	incoming->skip -= skipped;
	incoming->at += skipped;
	left -= skipped;
	bytes = incoming->bytes + incoming->at;
	if (left < PDU_HEADER_LENGTH)
		return INCOMING_NONE;
	*ret = pdu_header(bytes);
	if (!pdu_header_is_sane(bytes)) {
		*ret_why_broken = "is not AgentX version 1";
		return INCOMING_BROKEN;
	}
	if (ret->size > PDU_MAX)
		return judge_long(incoming, ret, ret_why_broken);
	if (left < ret->size)
		return INCOMING_NONE;
	incoming->at += (size_t)ret->size;
	*ret_bytes = bytes;
	return judge(bytes, ret, ret_why_broken);
}

void incoming_pack(struct incoming *incoming)
{
	incoming->have -= incoming->at;
	memmove(incoming->bytes, incoming->bytes + incoming->at, incoming->have);
	explicit_bzero(incoming->bytes + incoming->have, incoming->at);
	incoming->at = 0;
}

bool incoming_unfinished(const struct incoming *incoming)
{
	return incoming->have > 0 || incoming->skip > 0;
}

void incoming_clear(struct incoming *incoming)
{
	explicit_bzero(incoming->bytes, incoming->have);
	incoming->have = incoming->at = 0;
	incoming->skip = 0;
}
