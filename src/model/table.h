/*
 * The mapping table: one row per attribute. A row relates the YANG leaf, the
 * MIB column, the struct member, the generic netlink attribute and its wire
 * form, the l2tpv3ctl keyword, type, range, default and what a change costs.
 *
 * Every door, the netlink codec, the planner, the differ, the documentation
 * and the tests walk it. To add an attribute: docs/adding-an-attribute.md.
 */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

#include <stddef.h>

#include "model/model.h"

enum object { OBJECT_TUNNEL, OBJECT_SESSION, OBJECTS };

/* Which struct a row's offset is of. */
enum part {
	PART_CONFIG,    /* struct tunnel, struct session */
	PART_STATE,     /* struct tunnel_state, struct session_state */
	PART_STATISTICS /* struct statistics */
};

enum type {
	TYPE_BOOL,    /* bool */
	TYPE_U16,     /* uint16_t */
	TYPE_U32,     /* uint32_t */
	TYPE_ENUM,    /* uint8_t, one of the row's words */
	TYPE_STRING,  /* char[max + 1], UTF-8 without control characters */
	TYPE_IFNAME,  /* char[16], kernel naming rules (net/core/dev.c dev_valid_name) */
	TYPE_ADDRESS, /* struct address, without a zone */
	TYPE_MAC,     /* struct mac, unicast and not zero */
	TYPE_COOKIE,  /* struct cookie, text is hexadecimal */
	TYPE_COUNTER, /* uint64_t */
	TYPE_TIME,    /* struct moment, of CLOCK_BOOTTIME as a number; read only */
	TYPE_TEXT,    /* no member: status-text, made from the state when read */
	TYPES
};

enum access { ACCESS_KEY, ACCESS_WRITE, ACCESS_READ };

/* What it takes to change the leaf of an object that is in the kernel. */
enum cost {
	CHANGE_NEVER,    /* key or state */
	CHANGE_LOCAL,    /* only our own record */
	CHANGE_MODIFY,   /* L2TP_CMD_SESSION_MODIFY */
	CHANGE_LINK,     /* rtnetlink, on the session's interface */
	CHANGE_RECREATE, /* delete and create again */
	CHANGE_EXIST     /* enabled: create or delete */
};

/* When a leaf may be set; elsewhere it is refused, and dropped when it ceases to apply. */
enum when {
	WHEN_ALWAYS,
	WHEN_UDP,      /* encapsulation udp */
	WHEN_UDP4,     /* ... and an IPv4 remote-address */
	WHEN_UDP6,     /* ... and an IPv6 remote-address */
	WHEN_VLAN,     /* pseudowire-type ethernet-vlan */
	WHEN_INTERFACE /* the session has an interface: not ppp */
};

/* How a value is put into and read from L2TP_ATTR_* (net/l2tp/l2tp_netlink.c, l2tp_nl_policy). */
enum wire {
	WIRE_NONE, /* not in netlink */
	WIRE_U8,
	WIRE_U16, /* host order, ports too */
	WIRE_U32,
	WIRE_U64,           /* RECV_TIMEOUT (milliseconds) and the counters */
	WIRE_STRING,        /* NUL-terminated */
	WIRE_BYTES,         /* cookies: the bytes as they are */
	WIRE_ADDRESS,       /* genl for IPv4 (4 bytes), genl_pair for IPv6 (exactly 16) */
	WIRE_FLAG,          /* present = true; UDP_CSUM: never send it with value 0 */
	WIRE_FLAG_INVERTED, /* present = false; UDP_ZERO_CSUM6_* */
	WIRE_SEQUENCE       /* genl SEND_SEQ and genl_pair RECV_SEQ, u8 each */
};

/* Where the operational value of a configuration leaf comes from. */
enum source {
	SOURCE_KERNEL, /* read back and compared */
	SOURCE_RECORD, /* the kernel does not report it: our own record */
	SOURCE_DRIFT   /* reported, but the data path changes it: not compared (SEND_SEQ) */
};

/* MIB tables; the numbers are the arcs below l2tpv3Objects. */
enum mib_table {
	MIB_NONE = 0,
	MIB_SCALARS = 1,
	MIB_TUNNEL = 2,
	MIB_TUNNEL_STATS = 3,
	MIB_SESSION = 4,
	MIB_SESSION_STATS = 5,
	MIB_COOKIE = 6,
	MIB_INTERFACE = 7
};

struct word {
	const char *name; /* YANG enum; the MIB label is its camel case */
	uint8_t value;    /* YANG and MIB number */
	uint16_t wire; /* kernel's number; if words share one, it reads back as the last of them */
	const char *alias; /* what `ip l2tp` or its manual calls it too, "one|other", or NULL */
};

/* What `ip l2tp` (iproute2 ip/ipl2tp.c parse_args()) makes of a row's keywords. */
enum ip_word {
	IP_NONE,      /* unknown to it: an extension of ours */
	IP_OF_OBJECT, /* its manual has it, for this object */
	IP_ANYWHERE   /* accepted for any object, without effect on one that lacks it */
};

struct row {
	const char *leaf; /* YANG leaf name */
	const char *mib;  /* MIB descriptor without the table's prefix, or NULL */
	const char *cli;  /* l2tpv3ctl keywords, "first|alias|alias", or NULL */
	enum ip_word ip;
	enum object object;
	enum part part;
	enum type type;
	enum access access;
	enum cost change;
	enum when when;
	enum source source;
	enum mib_table mib_table;
	uint8_t mib_column; /* TYPE_ADDRESS: the InetAddress; its type is the column before */
	enum wire wire;
	uint16_t genl;      /* L2TP_ATTR_*, 0 none */
	uint16_t genl_pair; /* second attribute of the wire forms that have two */
	uint16_t offset;
	uint16_t size;
	uint32_t min, max;        /* of the number, or of the length in bytes */
	const char *fallback;     /* YANG default as text, NULL none */
	const struct word *words; /* TYPE_ENUM, ends with a NULL name */
	const char *units;
	bool mandatory;  /* YANG mandatory; choices and musts are in rules.c */
	bool secret;     /* nacm:default-deny-all, never logged */
	const char *why; /* reason for the limits, in error texts: clause or kernel file, or NULL */
	const char *doc; /* one sentence, with the clause */
};

/*
 * The rows of an object in the order of the documents: configuration first
 * (so that a row's place is its presence bit), then state, then statistics.
 */
struct row_set {
	const char *name;       /* "tunnel", "session": the YANG list */
	const char *mib_prefix; /* "l2tpv3Tunnel" */
	const struct row *rows;
	unsigned int count;        /* all rows */
	unsigned int config_count; /* the leading ones of PART_CONFIG */
	const struct row *key;
};

extern const struct row_set row_sets[OBJECTS];

/* The words of oper-status, status-reason and origin; each list ends with a NULL name. */
extern const struct word oper_status_words[];
extern const struct word status_reason_words[];
extern const struct word origin_words[];

/* Netlink attributes we know and leave alone, each with the reason; ends with attr 0. */
struct ignored_attribute {
	uint16_t attr;
	const char *why;
};
extern const struct ignored_attribute ignored_attributes[];

/* Keywords of `ip l2tp` and its manual, for either object, that have no leaf here. */
struct ignored_keyword {
	const char *cli;      /* "first|alias" */
	const char *accepted; /* the value that changes nothing, or NULL */
	const char *why;
};
extern const struct ignored_keyword ignored_keywords[]; /* ends with a NULL cli */

/* Rows named so that code with a rule about one leaf says which; never for listing leaves. */
enum tunnel_row {
	TUNNEL_ID,
	TUNNEL_DESCRIPTION,
	TUNNEL_ENABLED,
	TUNNEL_PEER_TUNNEL_ID,
	TUNNEL_ENCAPSULATION,
	TUNNEL_LOCAL_ADDRESS,
	TUNNEL_LOCAL_INTERFACE,
	TUNNEL_REMOTE_ADDRESS,
	TUNNEL_LOCAL_PORT,
	TUNNEL_REMOTE_PORT,
	TUNNEL_UDP_CHECKSUM,
	TUNNEL_UDP6_CHECKSUM_TX,
	TUNNEL_UDP6_CHECKSUM_RX,
	TUNNEL_CONFIG_ROWS
};

enum session_row {
	SESSION_ID,
	SESSION_DESCRIPTION,
	SESSION_ENABLED,
	SESSION_PEER_SESSION_ID,
	SESSION_PSEUDOWIRE_TYPE,
	SESSION_VLAN_ID,
	SESSION_INTERFACE_NAME,
	SESSION_MTU,
	SESSION_MAC_ADDRESS,
	SESSION_BRIDGE,
	SESSION_VRF,
	SESSION_LINK_ENABLED,
	SESSION_L2_SPECIFIC_SUBLAYER,
	SESSION_TX_COOKIE,
	SESSION_RX_COOKIE,
	SESSION_SEQUENCING,
	SESSION_REORDER_TIMEOUT,
	SESSION_LNS_MODE,
	SESSION_DEAD_INTERVAL,
	SESSION_DEAD_ACTION,
	SESSION_KEEPALIVE,
	SESSION_PSEUDOWIRE_ID,
	SESSION_CONFIG_ROWS
};

/* Presence bit of a configuration row. */
#define BIT(row) (UINT64_C(1) << (row))
/* The leaves that give a session's interface a master, of which it can have one. */
#define SESSION_MASTERS (BIT(SESSION_BRIDGE) | BIT(SESSION_VRF))
#define ROWS_MAX        64 /* of an object: as many as there are bits */

/* The row's place in its set, which for a configuration row is its presence bit. */
static inline unsigned int row_number(const struct row *row)
{
	return (unsigned int)(row - row_sets[row->object].rows);
}

/*
 * Look-ups; NULL when there is none. Cost: one short walk.
 *
 * By keyword: what the row lists, or its leaf with "-" or "_" alike. By column:
 * exactly, so not the InetAddressType that stands before an address. A word by
 * name: YANG's; by spelling: that or an alias, whatever the case, as on a
 * command line.
 */
/* Leaves that a user who may not see secrets can neither read nor change. */
uint64_t rows_secret(enum object object);
const struct row *row_by_leaf(enum object object, const char *leaf, size_t length);
const struct row *row_by_keyword(enum object object, const char *keyword);
const struct ignored_keyword *ignored_by_keyword(const char *keyword);
const struct row *row_by_column(enum mib_table table, unsigned int column);
const struct row *row_by_attribute(enum object object, enum part part, unsigned int genl);
const struct word *word_by_wire(const struct word *words, unsigned int wire);
const struct word *word_by_name(const struct word *words, const char *name, size_t length);
const struct word *word_by_spelling(const struct word *words, const char *text);
const struct word *word_by_value(const struct word *words, unsigned int value);

/* What precedes `mib` in the full descriptor, such as "l2tpv3TunnelStats"; "" for MIB_NONE. */
const char *mib_prefix(enum mib_table table);

/* Camel case of a YANG word, "peer-silent" to "peerSilent"; truncates at @size. */
void camel_case(const char *word, char *ret, size_t size);

#endif
