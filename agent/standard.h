/*
 * The second mapping table: columns of standard MIB modules, each with where its value comes from.
 * Their rows are the sessions that LINUX-L2TPV3-MIB shows, under other names; nobody can write
 * them. The texts are the RFCs'; each column that is not here is of an optional group that we do
 * not claim (mibs/L2TPV3D-CAPABILITIES-MIB).
 */
#ifndef AGENT_STANDARD_H
#define AGENT_STANDARD_H

#include "columns.h"

struct address;
struct mib;
struct session_entry;
struct subject;
struct value;

/* @subject: NULL for a scalar. False: this row does not have the column. */
typedef bool standard_function(struct mib *mib, const struct subject *subject, struct value *ret);

struct standard_column {
	const struct region *region;
	unsigned int table, number;
	enum column_kind kind;
	const char *leaf;   /* COLUMN_ROW: of a session */
	unsigned char type; /* COLUMN_CONSTANT: ASN_*, and a number or octets */
	long constant;
	const char *octets;
	size_t length;
	standard_function *function; /* COLUMN_FUNCTION */
};

/* PwOperStatusTC (RFC 5542) */
enum pw_oper_status {
	PW_UP = 1,
	PW_DOWN,
	PW_TESTING,
	PW_DORMANT,
	PW_NOT_PRESENT,
	PW_LOWER_LAYER_DOWN
};

/* What pwOperStatus is of a session: of enum pw_oper_status. */
long pw_oper_status(enum oper_status status, enum status_reason reason);

/* The numbers in pwTable of columns that notifications carry too. */
enum pw_column {
	PW_COLUMN_TYPE = 2,
	PW_COLUMN_PEER_TYPE = 8,
	PW_COLUMN_PEER = 9,
	PW_COLUMN_ID = 12,
	PW_COLUMN_OPER_STATUS = 38
};

/* pwPeerAddrType and pwPeerAddr of an address; its family may be AF_UNSPEC. Returns the length. */
#define PEER_BYTES_MAX 20
enum inet_type peer_type(const struct address *address);
size_t peer_bytes(const struct address *address, uint8_t ret[PEER_BYTES_MAX]);
void value_peer(struct value *value, const struct address *address);
/* Of a session that is being removed, or has just gone, too. */
struct address session_peer(const struct session_entry *session);
const struct session *session_shown(const struct session_entry *session);
/* Ethernet unless it is another one. */
enum pseudowire_type session_type(const struct session *session);

extern const struct region pw_region;      /* PW-STD-MIB, RFC 5601 */
extern const struct region pw_enet_region; /* PW-ENET-STD-MIB, RFC 5603 */
extern const struct standard_column standard_columns[];
extern const size_t standard_column_count;

#endif
