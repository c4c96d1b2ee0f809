#include "columns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "standard.h"

#define ARC_OBJECTS 1 /* l2tpv3Objects */
#define ARC_ENTRY   1 /* of every table */

/* clang-format off */
#define TABLE(arc, kind) \
	[arc] = { .at = { ARC_OBJECTS, arc, ARC_ENTRY }, .at_length = 3, .index = kind }

static const struct table own_tables[] = {
	[MIB_SCALARS] = { .at = { ARC_OBJECTS, MIB_SCALARS }, .at_length = 2 },
	TABLE(MIB_TUNNEL, INDEX_TUNNEL),
	TABLE(MIB_TUNNEL_STATS, INDEX_TUNNEL),
	TABLE(MIB_SESSION, INDEX_SESSION),
	TABLE(MIB_SESSION_STATS, INDEX_SESSION),
	TABLE(MIB_COOKIE, INDEX_SESSION),
	TABLE(MIB_INTERFACE, INDEX_INTERFACE),
};

/* Columns of ours that have no row in the mapping table. */
static const struct extra_column {
	enum mib_table table;
	unsigned int number;
	enum column_kind kind;
	bool writable;
} extra_columns[] = {
	{ MIB_TUNNEL, 23, COLUMN_STORAGE_TYPE, true },
	{ MIB_TUNNEL, 24, COLUMN_ROW_STATUS, true },
	{ MIB_SESSION, 22, COLUMN_STORAGE_TYPE, true },
	{ MIB_SESSION, 23, COLUMN_ROW_STATUS, true },
	{ MIB_INTERFACE, 1, COLUMN_TUNNEL_ID, false },
	{ MIB_INTERFACE, 2, COLUMN_SESSION_ID, false },
};
/* clang-format on */

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

const oid mib_root[] = {L2TPV3_MIB_ROOT};
const size_t mib_root_length = LENGTH(mib_root);

_Static_assert(LENGTH(mib_root) <= ROOT_LENGTH_MAX, "a shorter root, please");

static const struct region own_region = {
	.name = "LINUX-L2TPV3-MIB",
	.root = mib_root,
	.root_length = LENGTH(mib_root),
	.tables = own_tables,
	.table_count = LENGTH(own_tables),
};

const struct region *const regions[] = {&own_region, &pw_region, &pw_enet_region};
const size_t region_count = LENGTH(regions);

/* ---- the list, made once: it follows from constants */

#define COLUMNS_MAX 256

static struct column columns[COLUMNS_MAX];
static size_t column_count;

static void add(const struct region *region, struct column column)
{
	assert(column_count < COLUMNS_MAX);
	column.length = oid_of_table(region, column.table, column.name);
	column.name[column.length++] = column.number;
	columns[column_count++] = column;
}

/* A key is the index, and not accessible. An address has its type in the column before it. */
static void add_row(const struct row *row)
{
	struct column column = {.kind = COLUMN_ROW,
				.table = &own_tables[row->mib_table],
				.number = row->mib_column,
				.row = row,
				.writable = row->access == ACCESS_WRITE};

	if (row->mib_table == MIB_NONE || row->access == ACCESS_KEY)
		return;
	add(&own_region, column);
	if (row->type != TYPE_ADDRESS)
		return;
	column.kind = COLUMN_ADDRESS_TYPE;
	column.number--;
	add(&own_region, column);
}

static void add_own(void)
{
	for (unsigned int n = SCALAR_VERSION; n < SCALARS_END; n++)
		add(&own_region, (struct column){.kind = COLUMN_SCALAR,
						 .table = &own_tables[MIB_SCALARS],
						 .number = n,
						 .writable = n == SCALAR_SPIN_LOCK ||
							     n == SCALAR_NOTIFICATION_ENABLE});
	for (enum object object = 0; object < OBJECTS; object++)
		for (unsigned int i = 0; i < row_sets[object].count; i++)
			add_row(&row_sets[object].rows[i]);
	for (size_t i = 0; i < LENGTH(extra_columns); i++)
		add(&own_region, (struct column){.kind = extra_columns[i].kind,
						 .table = &own_tables[extra_columns[i].table],
						 .number = extra_columns[i].number,
						 .writable = extra_columns[i].writable});
}

static void add_standard(const struct standard_column *standard)
{
	const char *leaf = standard->leaf;

	add(standard->region,
	    (struct column){.kind = standard->kind,
			    .table = &standard->region->tables[standard->table],
			    .number = standard->number,
			    .row = leaf ? row_by_leaf(OBJECT_SESSION, leaf, strlen(leaf)) : NULL,
			    .standard = standard});
}

static int in_order(const void *a, const void *b)
{
	const struct column *left = a, *right = b;

	return snmp_oid_compare(left->name, left->length, right->name, right->length);
}

static void make_list(void)
{
	if (column_count > 0)
		return;
	add_own();
	for (size_t i = 0; i < standard_column_count; i++)
		add_standard(&standard_columns[i]);
	qsort(columns, column_count, sizeof(columns[0]), in_order);
}

const struct column *column_first(void)
{
	make_list();
	return columns;
}

const struct column *column_next(const struct column *column)
{
	return column + 1 < columns + column_count ? column + 1 : NULL;
}

const struct column *column_find(enum mib_table table, unsigned int number)
{
	const struct column *column = column_first();

	while (column && (column->table != &own_tables[table] || column->number != number))
		column = column_next(column);
	return column;
}

/* ---- OIDs */

static bool has_name(const struct column *column, const oid *name, size_t length)
{
	return column && length >= column->length &&
	       name[column->length - 1] == column->name[column->length - 1] && /* soon told */
	       memcmp(name, column->name, column->length * sizeof(oid)) == 0;
}

/* The last column whose name is not after @name; NULL: all are. */
static const struct column *search_column(const oid *name, size_t length)
{
	size_t low = 0, high;

	make_list();
	for (high = column_count; low < high;) {
		size_t middle = (low + high) / 2;

		if (snmp_oid_compare(columns[middle].name, columns[middle].length, name, length) <=
		    0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &columns[low - 1] : NULL;
}

/*
 * The column that the name is in, or, false, the last one before it; NULL: there is none. A walk
 * asks for the same column again, or for columns side by side, over and over.
 */
static bool find_column(const oid *name, size_t length, const struct column **ret)
{
	static const struct column *last, *first;
	const struct column *next = last ? column_next(last) : NULL;
	const struct column *const likely[] = {next, last, first};

	for (unsigned int i = 0; i < LENGTH(likely); i++)
		if (has_name(likely[i], name, length)) {
			*ret = last = likely[i];
			return true;
		}
	*ret = last = first = search_column(name, length);
	return has_name(first, name, length);
}

/* As they are, whatever they mean, but no more than an index has, and up to one beyond 32 bits. */
static void take_subids(const oid *at, size_t length, struct index *ret)
{
	for (ret->length = 0; ret->length < length && ret->length < INDEX_MAX - 1; ret->length++) {
		if (at[ret->length] > UINT32_MAX)
			return;
		ret->at[ret->length] = (uint32_t)at[ret->length];
	}
}

/* The least that is greater: with a 0 more, or, where none of 32 bits is, with one less. */
static void subids_after(const oid *at, size_t length, struct index *ret)
{
	take_subids(at, length, ret);
	if (ret->length == length || at[ret->length] <= UINT32_MAX) {
		ret->length++;
		return;
	}
	while (ret->length > 0 && ret->at[ret->length - 1] == UINT32_MAX)
		ret->at[--ret->length] = 0;
	if (ret->length > 0)
		ret->at[ret->length - 1]++;
	else
		ret->at[ret->length++] =
			UINT32_MAX; /* after all types of addresses or pseudowires */
}

static bool parse_index(enum index_kind kind, const oid *at, size_t length, struct index *ret)
{
	unsigned int count = index_length(kind);

	memset(ret, 0, sizeof(*ret));
	if (count == 0) {
		take_subids(at, length, ret);
		return ret->length == length;
	}
	if (length != count)
		return false;
	if (kind == INDEX_SCALAR)
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
	const struct column *column;

	if (!find_column(name, length, &column))
		return OID_NO_OBJECT;
	ret->column = column;
	return parse_index(column->table->index, name + column->length, length - column->length,
			   &ret->index)
		       ? OID_FINE
		       : OID_NO_INSTANCE;
}

/*
 * The least index greater than the given sub-identifiers, which may be fewer or more than an index
 * has. False when no index of 32 bits is.
 */
static bool index_after(enum index_kind kind, const oid *at, size_t length, struct index *ret)
{
	unsigned int count = index_length(kind);

	memset(ret, 0, sizeof(*ret));
	if (length == 0)
		return true;
	if (kind == INDEX_SCALAR)
		return false;
	if (count == 0) {
		subids_after(at, length, ret);
		return true;
	}
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

bool oid_to_start(const oid *name, size_t length, struct instance *ret)
{
	const struct column *column;
	bool inside = find_column(name, length, &column);

	ret->column = column;
	if (inside && index_after(column->table->index, name + column->length,
				  length - column->length, &ret->index))
		return true;
	ret->column = column ? column_next(column) : column_first();
	ret->index = (struct index){0};
	return ret->column != NULL;
}

size_t oid_of_table(const struct region *region, const struct table *table, oid ret[])
{
	memcpy(ret, region->root, region->root_length * sizeof(oid));
	memcpy(ret + region->root_length, table->at, table->at_length * sizeof(oid));
	return region->root_length + table->at_length;
}

size_t oid_of_instance(const struct instance *instance, oid ret[MAX_OID_LEN])
{
	const struct column *column = instance->column;
	unsigned int count = index_length(column->table->index);
	size_t length = column->length;

	memcpy(ret, column->name, length * sizeof(oid));
	if (count == 0)
		count = instance->index.length;
	for (unsigned int i = 0; i < count; i++)
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
