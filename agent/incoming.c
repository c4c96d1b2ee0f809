#include "incoming.h"

#include <string.h>

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
