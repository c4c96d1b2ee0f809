#include "columns.h"

#include <string.h>

const oid mib_root[] = {L2TPV3_MIB_ROOT};
const size_t mib_root_length = sizeof(mib_root) / sizeof(mib_root[0]);

_Static_assert(sizeof(mib_root) / sizeof(mib_root[0]) <= ROOT_LENGTH_MAX, "a shorter root, please");

#define ARC_OBJECTS    1  /* l2tpv3Objects */
#define ARC_ENTRY      1  /* of every table */
#define COLUMN_LAST    64 /* no table has more */
#define COLUMN_NOWHERE (COLUMN_LAST + 1)

/* Columns that have no row in the mapping table. */
/* clang-format off */
static const struct column extra_columns[] = {
	{ COLUMN_STORAGE_TYPE, MIB_TUNNEL, 23, NULL, true },
	{ COLUMN_ROW_STATUS,   MIB_TUNNEL, 24, NULL, true },
	{ COLUMN_STORAGE_TYPE, MIB_SESSION, 22, NULL, true },
	{ COLUMN_ROW_STATUS,   MIB_SESSION, 23, NULL, true },
	{ COLUMN_TUNNEL_ID,    MIB_INTERFACE, 1, NULL, false },
	{ COLUMN_SESSION_ID,   MIB_INTERFACE, 2, NULL, false },
};
/* clang-format on */

static bool find_scalar(unsigned int number, struct column *ret)
{
	if (number < SCALAR_VERSION || number >= SCALARS_END)
		return false;
	*ret = (struct column){COLUMN_SCALAR, MIB_SCALARS, number, NULL,
			       number == SCALAR_SPIN_LOCK || number == SCALAR_NOTIFICATION_ENABLE};
	return true;
}

static bool find_extra(enum mib_table table, unsigned int number, struct column *ret)
{
	for (size_t i = 0; i < sizeof(extra_columns) / sizeof(extra_columns[0]); i++) {
		if (extra_columns[i].table == table && extra_columns[i].number == number) {
			*ret = extra_columns[i];
			return true;
		}
	}
	return false;
}

/* A key is the index, and not accessible. An address has its type in the column before it. */
static bool find_row(enum mib_table table, unsigned int number, struct column *ret)
{
	const struct row *row = row_by_column(table, number);
	enum column_kind kind = COLUMN_ROW;

	if (!row) {
		row = row_by_column(table, number + 1);
		kind = COLUMN_ADDRESS_TYPE;
		if (!row || row->type != TYPE_ADDRESS)
			return false;
	}
	if (row->access == ACCESS_KEY)
		return false;
	*ret = (struct column){kind, table, number, row, row->access == ACCESS_WRITE};
	return true;
}

bool column_find(enum mib_table table, unsigned int number, struct column *ret)
{
	if (table == MIB_SCALARS)
		return find_scalar(number, ret);
	return find_row(table, number, ret) || find_extra(table, number, ret);
}

static void take_less(unsigned int number, unsigned int from, unsigned int *least)
{
	if (number >= from && number < *least)
		*least = number;
}

bool column_from(enum mib_table table, unsigned int number, struct column *ret)
{
	const struct row_set *set = &row_sets[table_object(table)];
	unsigned int least = COLUMN_NOWHERE;

	if (table == MIB_SCALARS)
		return find_scalar(number, ret);
	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (row->mib_table != table || row->access == ACCESS_KEY)
			continue;
		take_less(row->mib_column, number, &least);
		if (row->type == TYPE_ADDRESS)
			take_less(row->mib_column - 1U, number, &least);
	}
	for (size_t i = 0; i < sizeof(extra_columns) / sizeof(extra_columns[0]); i++) {
		if (extra_columns[i].table == table)
			take_less(extra_columns[i].number, number, &least);
	}
	return least != COLUMN_NOWHERE && column_find(table, least, ret);
}

enum object table_object(enum mib_table table)
{
	return table == MIB_TUNNEL || table == MIB_TUNNEL_STATS ? OBJECT_TUNNEL : OBJECT_SESSION;
}

unsigned int index_length(enum mib_table table)
{
	switch (table) {
	case MIB_SESSION:
	case MIB_SESSION_STATS:
	case MIB_COOKIE:
		return 2;
	default:
		return 1;
	}
}

/* How many sub-identifiers stand before the index, from the root on. */
static size_t head_length(enum mib_table table)
{
	return mib_root_length + (table == MIB_SCALARS ? 3 : 4);
}

static bool parse_index(enum mib_table table, const oid *at, size_t length, struct index *ret)
{
	unsigned int count = index_length(table);

	memset(ret, 0, sizeof(*ret));
	if (length != count)
		return false;
	if (table == MIB_SCALARS)
		return at[0] == 0;
	for (unsigned int i = 0; i < count; i++) {
		if (at[i] == 0 || at[i] > UINT32_MAX)
			return false;
		ret->at[i] = (uint32_t)at[i];
	}
	return true;
}

enum oid_fault oid_to_instance(const oid *name, size_t length, struct instance *ret)
{
	const oid *at = name + mib_root_length;
	enum mib_table table;
	size_t head;
	oid number;

	if (length < mib_root_length + 3 ||
	    memcmp(name, mib_root, mib_root_length * sizeof(oid)) != 0)
		return OID_NO_OBJECT;
	if (at[0] != ARC_OBJECTS || at[1] < MIB_SCALARS || at[1] > MIB_TABLE_LAST)
		return OID_NO_OBJECT;
	table = (enum mib_table)at[1];
	head = head_length(table);
	if (length < head || (table != MIB_SCALARS && at[2] != ARC_ENTRY))
		return OID_NO_OBJECT;
	number = name[head - 1];
	if (number > COLUMN_LAST || !column_find(table, (unsigned int)number, &ret->column))
		return OID_NO_OBJECT;
	return parse_index(table, name + head, length - head, &ret->index) ? OID_FINE
									   : OID_NO_INSTANCE;
}

/*
 * The least index greater than the given sub-identifiers, which may be fewer or more than an index
 * has. False when no index of 32 bits is.
 */
static bool index_after(enum mib_table table, const oid *at, size_t length, struct index *ret)
{
	unsigned int count = index_length(table);

	memset(ret, 0, sizeof(*ret));
	if (length == 0)
		return true;
	if (table == MIB_SCALARS)
		return false;
	if (at[0] > UINT32_MAX)
		return false;
	ret->at[0] = (uint32_t)at[0];
	if (count == 2 && length == 1)
		return true;
	if (count == 2 && at[1] < UINT32_MAX) {
		ret->at[1] = (uint32_t)at[1] + 1;
		return true;
	}
	if (ret->at[0] == UINT32_MAX)
		return false;
	ret->at[0]++;
	return true;
}

/* The first column of @table or of a later table. */
static bool table_from(oid table, struct instance *ret)
{
	memset(&ret->index, 0, sizeof(ret->index));
	for (; table <= MIB_TABLE_LAST; table++) {
		if (column_from((enum mib_table)table, 1, &ret->column))
			return true;
	}
	return false;
}

static bool column_after(enum mib_table table, oid number, struct instance *ret)
{
	memset(&ret->index, 0, sizeof(ret->index));
	if (number < COLUMN_LAST && column_from(table, (unsigned int)number + 1, &ret->column))
		return true;
	return table_from((oid)table + 1, ret);
}

static bool start_in_table(const oid *name, size_t length, enum mib_table table,
			   struct instance *ret)
{
	size_t head = head_length(table);
	oid number = length < head ? 0 : name[head - 1];

	if (number == 0)
		return table_from(table, ret);
	if (number > COLUMN_LAST || !column_find(table, (unsigned int)number, &ret->column))
		return column_after(table, number, ret);
	if (!index_after(table, name + head, length - head, &ret->index))
		return column_after(table, number, ret);
	return true;
}

bool oid_to_start(const oid *name, size_t length, struct instance *ret)
{
	size_t root = length < mib_root_length ? length : mib_root_length;
	int order = snmp_oid_compare(name, root, mib_root, mib_root_length);
	const oid *at = name + mib_root_length;

	if (order > 0)
		return false;
	if (order < 0 || length == mib_root_length || at[0] < ARC_OBJECTS)
		return table_from(MIB_SCALARS, ret);
	if (at[0] > ARC_OBJECTS)
		return false;
	if (length == mib_root_length + 1 || at[1] < MIB_SCALARS)
		return table_from(MIB_SCALARS, ret);
	if (at[1] > MIB_TABLE_LAST)
		return false;
	if (at[1] != MIB_SCALARS && length > mib_root_length + 2 && at[2] != ARC_ENTRY)
		return table_from(at[2] < ARC_ENTRY ? at[1] : at[1] + 1, ret);
	return start_in_table(name, length, (enum mib_table)at[1], ret);
}

size_t oid_of_entry(enum mib_table table, oid ret[MAX_OID_LEN])
{
	size_t length = mib_root_length;

	memcpy(ret, mib_root, sizeof(mib_root));
	ret[length++] = ARC_OBJECTS;
	ret[length++] = (oid)table;
	if (table != MIB_SCALARS)
		ret[length++] = ARC_ENTRY;
	return length;
}

size_t oid_of_instance(const struct instance *instance, oid ret[MAX_OID_LEN])
{
	const struct column *column = &instance->column;
	size_t length = oid_of_entry(column->table, ret);

	ret[length++] = column->number;
	for (unsigned int i = 0; i < index_length(column->table); i++)
		ret[length++] = instance->index.at[i];
	return length;
}

size_t oid_of_varbind(const netsnmp_variable_list *varbind, oid ret[MAX_OID_LEN])
{
	size_t length = varbind->name_length < MAX_OID_LEN ? varbind->name_length : MAX_OID_LEN;

	for (size_t i = 0; i < length; i++)
		ret[i] = varbind->name[i] & UINT32_MAX;
	return length;
}
