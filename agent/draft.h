/*
 * A draft: the columns that a manager gave for one row, in one request or, with createAndWait, in
 * several. SNMP differs from the model in two things: a column set to zero or to zero length means
 * no leaf, and an address comes in two columns, in any order.
 */
#ifndef AGENT_DRAFT_H
#define AGENT_DRAFT_H

#include "columns.h"
#include "model/error.h"
#include "store/candidate.h"

#define DRAFT_PAIRS 2 /* writable addresses of an object */

/* InetAddressType and InetAddress (RFC 4001), as far as given. */
struct address_pair {
	bool has_type, has_bytes;
	uint8_t type, length;
	uint8_t bytes[16];
};

enum inet_type { INET_UNKNOWN = 0, INET_IPV4 = 1, INET_IPV6 = 2, INET_IPV6Z = 4 };

struct draft {
	enum object object;
	union config values; /* presence bits: set to this */
	uint64_t cleared;    /* set to zero or to zero length */
	struct address_pair pairs[DRAFT_PAIRS];
};

/* The pair of an address row; NULL for other rows. */
struct address_pair *draft_pair(struct draft *draft, const struct row *row);
const struct address_pair *draft_has_pair(const struct draft *draft, const struct row *row);

/* Has a manager given this row's column (of an address, both)? */
bool draft_has(const struct draft *draft, const struct row *row);

/* Put @over on top: what it gives replaces what @draft has. */
void draft_overlay(struct draft *draft, const struct draft *over);

/*
 * Translate the draft into the model's terms, over @base, the row as configured (all zero if it is
 * not): addresses become leaves, and a zero for a leaf that does not apply clears it. Refuses with
 * ERROR_MUST, and the row in *ret_row, an address whose type and length do not fit each other, and
 * a zero that would read back as the default. With @ret_row NULL it refuses nothing: half an
 * address counts as none.
 */
int draft_resolve(struct draft *draft, const void *base, const struct row **ret_row,
		  struct error *err);

/* Apply the (resolved) draft to @config. */
void draft_apply(const struct draft *draft, void *config);

#endif
