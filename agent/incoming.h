/*
 * The stream from the master cut into PDUs, however it arrives, and each looked
 * at: whole and well-formed, malformed, too long to be held, or no PDU at all,
 * after which nobody can tell where the next one begins.
 */
#ifndef AGENT_INCOMING_H
#define AGENT_INCOMING_H

#include "pdu.h"

#define INCOMING_PDU_MAX  65536 /* net-snmp drops what is longer (agentx_parse), without a word */
#define INCOMING_SKIP_MAX (16U << 20) /* a PDU that says it is longer is no PDU */

struct incoming {
	uint8_t bytes[INCOMING_PDU_MAX];
	size_t have, at; /* octets that are there; those of them that are done with */
	uint64_t skip;   /* octets still to come of one that was too long */
};

enum incoming_verdict {
	INCOMING_NONE,      /* not a whole one more */
	INCOMING_PDU,       /* well-formed, and one that a master sends */
	INCOMING_MALFORMED, /* to be refused with parseError */
	INCOMING_LONG,      /* to be refused; its contents are passed over as they come */
	INCOMING_BROKEN     /* to be hung up on */
};

/* The next one. @ret_bytes (of INCOMING_PDU) are valid until incoming_pack(). */
enum incoming_verdict incoming_next(struct incoming *incoming, struct pdu_header *ret,
				    const uint8_t **ret_bytes, const char **ret_why_broken);

/* Make room: what is done with goes. */
void incoming_pack(struct incoming *incoming);

/* After incoming_pack(): is there a part of a PDU whose rest is to come? */
bool incoming_unfinished(const struct incoming *incoming);

void incoming_clear(struct incoming *incoming);

#endif
