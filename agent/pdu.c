#include "pdu.h"

#include <string.h>

#define VERSION_1     1
#define FLAG_CONTEXT  0x08 /* NON_DEFAULT_CONTEXT */
#define FLAG_NETWORK  0x10 /* NETWORK_BYTE_ORDER */
#define FLAGS_KNOWN   0x1f
#define SUBIDS_MAX    128 /* section 5.1, as of any OID */
#define PREFIX_SUBIDS 5   /* 1.3.6.1 and the prefix */

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

/* What is left to read; once it is `bad`, nothing more is. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool network, bad;
};

static uint32_t get_32(const uint8_t *at, bool network)
{
	return network ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
				 at[3]
		       : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 |
				 at[0];
}

static uint16_t get_16(const uint8_t *at, bool network)
{
	return (uint16_t)(network ? at[0] << 8 | at[1] : at[1] << 8 | at[0]);
}

static void put_32(uint8_t *at, uint32_t value, bool network)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * (network ? 3 - i : i));
}

static void put_16(uint8_t *at, uint16_t value, bool network)
{
	at[network ? 0 : 1] = (uint8_t)(value >> 8);
	at[network ? 1 : 0] = (uint8_t)value;
}

/* The next octets; NULL when there are not so many. */
static const uint8_t *take(struct reader *reader, size_t count)
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

static void take_oid(struct reader *reader)
{
	const uint8_t *head = take(reader, 4);

	if (!head)
		return;
	if (head[0] + (head[1] ? PREFIX_SUBIDS : 0) > SUBIDS_MAX)
		reader->bad = true;
	take(reader, 4U * head[0]);
}

static void take_octets(struct reader *reader)
{
	const uint8_t *head = take(reader, 4);
	size_t length = head ? get_32(head, reader->network) : 0;

	take(reader, (length + 3) & ~(size_t)3);
}

static void take_variable(struct reader *reader)
{
	const uint8_t *head = take(reader, 4);
	unsigned int type = head ? get_16(head, reader->network) : 0;

	take_oid(reader);
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
		take_oid(reader);
		break;
	default:
		reader->bad = true;
	}
}

/* What follows the header and the context. */
static void take_contents(struct reader *reader, enum pdu_type type)
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
		while (reader->left > 0 && !reader->bad) {
			take_oid(reader);
			take_oid(reader);
		}
		break;
	case PDU_RESPONSE:
		take(reader, 8);
		/* fall through */
	case PDU_TEST_SET:
		while (reader->left > 0 && !reader->bad)
			take_variable(reader);
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

bool pdu_check(const uint8_t *bytes, size_t size)
{
	struct pdu_header header = pdu_header(bytes);
	struct reader reader = {.at = bytes + PDU_HEADER_LENGTH,
				.left = size - PDU_HEADER_LENGTH,
				.network = header.network};

	if (bytes[2] & ~FLAGS_KNOWN)
		return false;
	if (bytes[2] & FLAG_CONTEXT)
		take_octets(&reader);
	take_contents(&reader, (enum pdu_type)header.type);
	return !reader.bad && reader.left == 0;
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
	ret[2] = header->network ? FLAG_NETWORK : 0;
	ret[3] = 0;
	put_32(ret + 4, header->session, header->network);
	put_32(ret + 8, header->transaction, header->network);
	put_32(ret + 12, header->packet, header->network);
	put_32(ret + 16, (uint32_t)(header->size - PDU_HEADER_LENGTH), header->network);
}

void pdu_put_response(uint8_t *ret, const struct pdu_header *to, const struct pdu_response *say)
{
	struct pdu_header header = *to;

	header.type = PDU_RESPONSE;
	header.size = PDU_RESPONSE_LENGTH;
	put_header(ret, &header);
	put_32(ret + PDU_HEADER_LENGTH, say->up_time, to->network);
	put_16(ret + PDU_HEADER_LENGTH + 4, say->error, to->network);
	put_16(ret + PDU_HEADER_LENGTH + 6, say->index, to->network);
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
	if (ret->size > INCOMING_PDU_MAX)
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
	incoming->at = 0;
}

bool incoming_unfinished(const struct incoming *incoming)
{
	return incoming->have > 0 || incoming->skip > 0;
}

void incoming_clear(struct incoming *incoming)
{
	incoming->have = incoming->at = 0;
	incoming->skip = 0;
}
