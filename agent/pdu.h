/*
 * AgentX PDUs as octets (RFC 2741 sections 5 and 6): bounded reading, checking whether they are
 * well-formed, and bounded writing. Knows neither net-snmp nor sockets.
 */
#ifndef AGENT_PDU_H
#define AGENT_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PDU_HEADER_LENGTH   20 /* RFC 2741 section 6.1 */
#define PDU_RESPONSE_LENGTH 28 /* ... with sysUpTime, error and index: section 6.2.16 */
#define PDU_OPEN_MAX        128
#define PDU_SUBIDS_MAX      128   /* of an OID: section 5.1 */
#define PDU_MAX             65536 /* net-snmp silently drops what is longer (agentx_parse) */

/*
 * How long the master shall wait for our answers, as Open and Register say: a set request takes
 * time. snmpd ignores it, 5.9.5 and what was to follow in 2026-08 too (master_admin.c stores it,
 * and nobody reads it), and goes by its agentXTimeout (master.c).
 */
#define PDU_TIMEOUT_S 30

enum pdu_type {
	PDU_OPEN = 1,
	PDU_CLOSE,
	PDU_REGISTER,
	PDU_UNREGISTER,
	PDU_GET,
	PDU_GET_NEXT,
	PDU_GET_BULK,
	PDU_TEST_SET,
	PDU_COMMIT_SET,
	PDU_UNDO_SET,
	PDU_CLEANUP_SET,
	PDU_NOTIFY,
	PDU_PING,
	PDU_INDEX_ALLOCATE,
	PDU_INDEX_DEALLOCATE,
	PDU_ADD_AGENT_CAPS,
	PDU_REMOVE_AGENT_CAPS,
	PDU_RESPONSE
};

/* res.error; below 256 SNMP's error-status. */
enum pdu_error {
	PDU_NO_ERROR = 0,
	PDU_TOO_BIG = 1,
	PDU_GEN_ERR = 5,
	PDU_RESOURCE_UNAVAILABLE = 13,
	PDU_DUPLICATE_REGISTRATION = 263,
	PDU_PARSE_ERROR = 266,
	PDU_REQUEST_DENIED = 267
};

struct pdu_header {
	uint8_t version, type;
	bool network; /* byte order */
	bool context; /* one that is not the default: its name follows the header */
	uint32_t session, transaction, packet;
	uint64_t size; /* of the whole PDU, as the header claims */
};

struct pdu_response {
	uint32_t up_time; /* hundredths of a second, the master's sysUpTime */
	uint16_t error, index;
};

/* @bytes: PDU_HEADER_LENGTH of them. */
struct pdu_header pdu_header(const uint8_t *bytes);

/* Is this an AgentX header at all? If not, nobody can tell where the next PDU begins. */
bool pdu_header_is_sane(const uint8_t *bytes);

/* Is this whole PDU one that a master may send, and well-formed to its last octet? */
bool pdu_check(const uint8_t *bytes, size_t size);

/* Of a well-formed Response. */
struct pdu_response pdu_response(const uint8_t *bytes);

/* Reading what a well-formed PDU contains: what was not there reads as zero. */
struct pdu_reader {
	const uint8_t *at;
	size_t left;
	bool network,
		bad; /* bad: once more was asked for than there is, nothing is read any more */
};

struct pdu_octets {
	const void *bytes; /* into the PDU */
	size_t length;
};

struct pdu_oid {
	size_t length; /* 0: the null identifier */
	bool include;
	unsigned long ids[PDU_SUBIDS_MAX];
};

/* What follows the header and the name of the context, which is *ret_context. */
struct pdu_reader pdu_contents(const uint8_t *bytes, size_t size, struct pdu_octets *ret_context);
uint16_t pdu_take_16(struct pdu_reader *reader);
void pdu_take_oid(struct pdu_reader *reader, struct pdu_oid *ret);
/* A variable's name and type; its value is passed over. */
uint16_t pdu_take_variable(struct pdu_reader *reader, struct pdu_oid *ret);
/* Pass over so many search ranges, if there are. */
void pdu_skip_ranges(struct pdu_reader *reader, size_t count);

/*
 * Writing a Response with variables. What does not fit is left out, and the writer is `full` from
 * then on; pdu_forget() undoes that.
 */
struct pdu_writer {
	uint8_t *start;
	size_t length, room;
	bool network, full;
};

/* A variable's value, of the types of section 5.4. */
struct pdu_value {
	uint16_t type;
	uint64_t number;
	struct pdu_octets octets;
};

/* To the request @to, in its context (whose name net-snmp wants to see again). */
struct pdu_writer pdu_begin_response(uint8_t *ret, size_t room, const struct pdu_header *to,
				     struct pdu_octets context, const struct pdu_response *say);
void pdu_put_variable(struct pdu_writer *writer, const unsigned long *ids, size_t length,
		      const struct pdu_value *value);
/* Take back what was written since the writer was @length octets long. */
void pdu_forget(struct pdu_writer *writer, size_t length);
/* The PDU is complete; returns its length. */
size_t pdu_end_response(struct pdu_writer *writer);

/* Write a Response without variables to the request @to; PDU_RESPONSE_LENGTH octets. */
void pdu_put_response(uint8_t *ret, const struct pdu_header *to, const struct pdu_response *say);

/*
 * Write an Open PDU: how many seconds the master shall wait for our answers, and who we are.
 * Returns its length, at most PDU_OPEN_MAX; a longer @name is cut.
 */
size_t pdu_put_open(uint8_t ret[PDU_OPEN_MAX], uint32_t packet, uint8_t timeout, const char *name);

/*
 * Cuts the stream from the master into PDUs, however it arrives, and judges each: well-formed,
 * malformed, too long to hold, or no PDU at all, after which nobody can tell where the next one
 * begins.
 */
#define INCOMING_SKIP_MAX (16U << 20) /* what claims to be longer is no PDU */

struct incoming {
	uint8_t bytes[PDU_MAX];
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

/* Drop what is done with, to make room. Nothing of it stays in memory: cookies may be in it. */
void incoming_pack(struct incoming *incoming);

/* After incoming_pack(): has a PDU begun whose rest has not come? */
bool incoming_unfinished(const struct incoming *incoming);

void incoming_clear(struct incoming *incoming);

#endif
