/*
 * Cuts the stream from the master into PDUs, however it arrives, and judges each: well-formed,
 * malformed, too long to hold, or no PDU at all, after which nobody can tell where the next one
 * begins.
 */
#ifndef AGENT_INCOMING_H
#define AGENT_INCOMING_H

#include "pdu.h"

#define INCOMING_PDU_MAX  65536       /* net-snmp silently drops what is longer (agentx_parse) */
#define INCOMING_SKIP_MAX (16U << 20) /* what claims to be longer is no PDU */

struct incoming {
	uint8_t bytes[INCOMING_PDU_MAX];
	size_t have, at; /* octets received; octets done with */
	uint64_t skip;   /* octets of an overlong PDU still to skip */
};

enum incoming_verdict {
	INCOMING_NONE,      /* no whole PDU is left */
	INCOMING_PDU,       /* well-formed, and one that a master sends */
	INCOMING_MALFORMED, /* refuse it with parseError */
	INCOMING_LONG,      /* refuse it; its contents are skipped as they come */
	INCOMING_BROKEN     /* hang up */
};

/* The next one. @ret_bytes (of INCOMING_PDU) are valid until incoming_pack(). */
enum incoming_verdict incoming_next(struct incoming *incoming, struct pdu_header *ret,
				    const uint8_t **ret_bytes, const char **ret_why_broken);

/* Drop what is done with, to make room. */
void incoming_pack(struct incoming *incoming);

/* After incoming_pack(): has a PDU begun whose rest has not come? */
bool incoming_unfinished(const struct incoming *incoming);

void incoming_clear(struct incoming *incoming);

#endif
