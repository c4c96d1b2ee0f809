/*
 * The shape of LINUX-L2TPV3-MIB: which columns a table has; taking OIDs apart and putting them
 * together. Columns come from the mapping table; the rest (scalars, RowStatus, StorageType, the
 * interface table) are one list in columns.c.
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

enum column_kind {
	COLUMN_NONE,
	COLUMN_ROW,          /* a row of the mapping table */
	COLUMN_ADDRESS_TYPE, /* the InetAddressType of the row's InetAddress */
	COLUMN_STORAGE_TYPE,
	COLUMN_ROW_STATUS,
	COLUMN_TUNNEL_ID, /* of the interface table */
	COLUMN_SESSION_ID,
	COLUMN_SCALAR
};

struct column {
	enum column_kind kind;
	enum mib_table table;
	unsigned int number;   /* of the column, or of the scalar */
	const struct row *row; /* COLUMN_ROW, COLUMN_ADDRESS_TYPE */
	bool writable;
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
	SCALARS_END
};

#define MIB_TABLE_LAST MIB_INTERFACE

/* The readable column @number of @table; false when there is none. */
bool column_find(enum mib_table table, unsigned int number, struct column *ret);
/* The readable column whose number is @number or the next greater. */
bool column_from(enum mib_table table, unsigned int number, struct column *ret);

/* How many sub-identifiers the index has: 1 or 2, for scalars 1 (the 0). */
unsigned int index_length(enum mib_table table);
/* What the rows of the table are; those of the interface table are sessions. */
enum object table_object(enum mib_table table);

/* Index of an instance: tunnel id and session id, ifIndex and 0, or 0 and 0. */
struct index {
	uint32_t at[2];
};

/* One instance. */
struct instance {
	struct column column;
	struct index index;
};

enum oid_fault { OID_FINE, OID_NO_OBJECT, OID_NO_INSTANCE };

/*
 * The instance of exactly this name. OID_NO_OBJECT: no such column; OID_NO_INSTANCE: @ret->column
 * is set, but no row can ever have this index: its length is wrong, or it holds 0 or more than 32
 * bits.
 */
enum oid_fault oid_to_instance(const oid *name, size_t length, struct instance *ret);

/*
 * Where to start looking for the first instance after @name: in @ret->column, at the first row
 * that is not below @ret->index. @name itself is excluded; any OID will do. False: nothing of ours
 * comes after it.
 */
bool oid_to_start(const oid *name, size_t length, struct instance *ret);

/* The OID of a table's entry, or of the scalars; returns its length. */
size_t oid_of_entry(enum mib_table table, oid ret[MAX_OID_LEN]);

/* The OID of an instance; returns its length. */
size_t oid_of_instance(const struct instance *instance, oid ret[MAX_OID_LEN]);

/*
 * The name of a varbind as it was sent: net-snmp (agentx_parse_oid, 5.9) passes sub-identifiers
 * through an int, so those of 2^31 or more arrive with the upper half of their 64 bits set.
 * Returns the length.
 */
size_t oid_of_varbind(const netsnmp_variable_list *varbind, oid ret[MAX_OID_LEN]);

#endif
