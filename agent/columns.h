/*
 * The columns that managers see, whatever the MIB: taking OIDs apart and putting them together.
 *
 * A region is what we register with the master: a MIB module of our own or of the IETF. It has
 * tables, and these have columns. Those of LINUX-L2TPV3-MIB come from the mapping table and a list
 * in columns.c of what has no row there; those of the standard modules are a table of their own
 * (standard.c). From all of them columns.c makes one list in the order of their OIDs, which is the
 * order of a walk.
 */
#ifndef AGENT_COLUMNS_H
#define AGENT_COLUMNS_H

#include "model/table.h"
#include "netsnmp.h"

/*
 * Where the MIB hangs, as sub-identifiers with commas. One value for the whole build;
 * mibs/LINUX-L2TPV3-MIB must say the same (l2tpv3MIB). The default lies below netSnmpPlaypen,
 * which anybody may use: set your own before you ship it.
 */
#ifndef L2TPV3_MIB_ROOT
#define L2TPV3_MIB_ROOT 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 3931
#endif

#define ROOT_LENGTH_MAX 32
extern const oid mib_root[];
extern const size_t mib_root_length;

/* What the index of a table is; the subjects of its rows are sessions but for the first two. */
enum index_kind {
	INDEX_SCALAR,            /* 0 */
	INDEX_TUNNEL,            /* tunnel id */
	INDEX_SESSION,           /* tunnel id, session id */
	INDEX_INTERFACE,         /* ifIndex */
	INDEX_PSEUDOWIRE,        /* session id, which is unique in the namespace */
	INDEX_ETHERNET,          /* ... of an Ethernet pseudowire */
	INDEX_ETHERNET_INSTANCE, /* ... and 1: the only one */
	INDEX_ID_MAPPING,        /* type, pwID, peer (mapping.h) */
	INDEX_PEER_MAPPING       /* peer, type, pwID */
};

/* A table, or scalars that stand side by side. */
struct table {
	oid at[3];        /* what stands between the root and the number of a column ... */
	size_t at_length; /* ... 0: there is no such table */
	enum index_kind index;
};

struct region {
	const char *name; /* of the module */
	const oid *root;
	size_t root_length;
	const struct table *tables;
	size_t table_count;
};

/* Ours comes first. */
extern const struct region *const regions[];
extern const size_t region_count;

enum column_kind {
	COLUMN_NONE,
	COLUMN_ROW,          /* a row of the mapping table */
	COLUMN_ADDRESS_TYPE, /* the InetAddressType of the row's InetAddress */
	COLUMN_STORAGE_TYPE,
	COLUMN_ROW_STATUS,
	COLUMN_TUNNEL_ID,
	COLUMN_SESSION_ID,
	COLUMN_SCALAR,   /* of ours */
	COLUMN_CONSTANT, /* the same for all, as `standard` says */
	COLUMN_FUNCTION  /* computed as `standard` says */
};

#define COLUMN_OID_MAX (ROOT_LENGTH_MAX + 4)

struct column {
	enum column_kind kind;
	const struct table *table;
	unsigned int number;   /* of the column, or of the scalar */
	const struct row *row; /* COLUMN_ROW, COLUMN_ADDRESS_TYPE */
	bool writable;
	const struct standard_column *standard; /* of the standard modules (standard.h) */
	oid name[COLUMN_OID_MAX];               /* what the OIDs of its instances begin with */
	size_t length;
};

enum scalar {
	SCALAR_VERSION = 1,
	SCALAR_KERNEL_RELEASE,
	SCALAR_KERNEL_CAPABILITIES,
	SCALAR_TUNNEL_COUNT,
	SCALAR_TUNNEL_UP_COUNT,
	SCALAR_SESSION_COUNT,
	SCALAR_SESSION_UP_COUNT,
	SCALAR_LAST_CHANGE,
	SCALAR_GENERATION,
	SCALAR_SPIN_LOCK,
	SCALAR_NOTIFICATION_ENABLE,
	SCALAR_LAST_ERROR,
	SCALAR_NOTIFICATIONS_LOST,
	SCALAR_TOTAL_TX_PACKETS,
	SCALAR_TOTAL_TX_BYTES,
	SCALAR_TOTAL_RX_PACKETS,
	SCALAR_TOTAL_RX_BYTES,
	SCALAR_TOTAL_DISCONTINUITY_TIME,
	SCALARS_END
};

/* The readable columns of all regions in the order of their OIDs; NULL at the end. */
const struct column *column_first(void);
const struct column *column_next(const struct column *column);

/* The readable column @number of a table of ours; NULL when there is none. */
const struct column *column_find(enum mib_table table, unsigned int number);

/* What the rows of a table with that index are. */
static inline enum object index_object(enum index_kind kind)
{
	return kind == INDEX_TUNNEL ? OBJECT_TUNNEL : OBJECT_SESSION;
}

/* How many sub-identifiers an index has; 0: that depends on the address in it. */
static inline unsigned int index_length(enum index_kind kind)
{
	switch (kind) {
	case INDEX_ID_MAPPING:
	case INDEX_PEER_MAPPING:
		return 0;
	case INDEX_SESSION:
	case INDEX_ETHERNET_INSTANCE:
		return 2;
	default:
		return 1;
	}
}

/* An address with its type and length, two numbers, and one more to come after it. */
#define INDEX_MAX 25

/* Index of an instance: its sub-identifiers, the rest 0. */
struct index {
	uint32_t at[INDEX_MAX];
	unsigned int length; /* of those whose length depends on an address */
};

/* One instance. */
struct instance {
	const struct column *column;
	struct index index;
};

enum oid_fault {
	OID_FINE,
	OID_NO_OBJECT,
	OID_NO_INSTANCE,
	OID_LATER /* of mib_get() */
};

/*
 * The instance of exactly this name. OID_NO_OBJECT: no such column; OID_NO_INSTANCE: @ret->column
 * is set, but no row can ever have this index: its length is wrong, or it holds 0 (where that is no
 * index) or more than 32 bits.
 */
enum oid_fault oid_to_instance(const oid *name, size_t length, struct instance *ret);

/*
 * Where to start looking for the first instance after @name: in @ret->column, at the first row
 * that is not below @ret->index. @name itself is excluded; any OID will do. False: nothing of ours
 * comes after it.
 */
bool oid_to_start(const oid *name, size_t length, struct instance *ret);

/* The OID below which the columns of a table stand; returns its length. */
size_t oid_of_table(const struct region *region, const struct table *table, oid ret[]);

/* The OID of an instance; returns its length. */
size_t oid_of_instance(const struct instance *instance, oid ret[MAX_OID_LEN]);

/*
 * The name of a varbind as it was sent: net-snmp (agentx_parse_oid, 5.9) passes sub-identifiers
 * through an int, so those of 2^31 or more arrive with the upper half of their 64 bits set.
 * Returns the length.
 */
size_t oid_of_varbind(const netsnmp_variable_list *varbind, oid ret[MAX_OID_LEN]);

#endif
