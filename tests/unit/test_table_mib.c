/*
 * The mapping table says what LINUX-L2TPV3-MIB says, both ways. The MIB is
 * read as the XML that mibs/dump makes of it.
 */
#include "coherence.h"

#include <inttypes.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#define MIB_XML "build/mibs/LINUX-L2TPV3-MIB.xml"
#define ROOT    "1.3.6.1.4.1.8072.9999.9999.3931"
#define RANGES  4

struct range {
	uint64_t min, max;
};

struct label {
	char name[32];
	unsigned int number;
};

struct column {
	char name[64];
	enum mib_table table;
	unsigned int number;
	char type[32]; /* textual convention or base type; an imported parent's name */
	char base[32]; /* base type of our own textual conventions */
	struct range ranges[RANGES];
	unsigned int range_count;
	struct label labels[32];
	unsigned int label_count;
	char access[16];
	char fallback[32];
	bool has_fallback;
	char units[16];
	char description[1024];
	bool creatable; /* of its table */
};

struct mib {
	struct column columns[128];
	unsigned int count;
};

/*
 * Reading the XML
 */

static bool is(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && same_text((const char *)node->name, name);
}

static const xmlNode *child(const xmlNode *parent, const char *name)
{
	for (const xmlNode *node = parent ? parent->children : NULL; node; node = node->next)
		if (is(node, name))
			return node;
	return NULL;
}

static void attribute(const xmlNode *node, const char *name, char *ret, size_t size)
{
	xmlChar *value = xmlGetProp(node, (const xmlChar *)name);

	snprintf(ret, size, "%s", value ? (const char *)value : "");
	xmlFree(value);
}

static unsigned long number_attribute(const xmlNode *node, const char *name)
{
	char text[32];

	attribute(node, name, text, sizeof(text));
	return strtoul(text, NULL, 10);
}

static void content(const xmlNode *parent, const char *name, char *ret, size_t size)
{
	const xmlNode *node = child(parent, name);
	xmlChar *text = node ? xmlNodeGetContent(node) : NULL;

	squeeze(text ? (const char *)text : "", ret, size);
	xmlFree(text);
}

/* Ranges, labels and base of a <typedef>. */
static void read_typedef(const xmlNode *definition, struct column *ret)
{
	attribute(definition, "basetype", ret->base, sizeof(ret->base));
	for (const xmlNode *node = definition->children; node; node = node->next) {
		if (is(node, "range") && ret->range_count < RANGES) {
			struct range *range = &ret->ranges[ret->range_count++];

			range->min = number_attribute(node, "min");
			range->max = number_attribute(node, "max");
		} else if (is(node, "namednumber") && ret->label_count < 32) {
			struct label *label = &ret->labels[ret->label_count++];

			attribute(node, "name", label->name, sizeof(label->name));
			label->number = (unsigned int)number_attribute(node, "number");
		}
	}
}

static const xmlNode *own_typedef(const xmlNode *root, const char *name)
{
	const xmlNode *typedefs = child(root, "typedefs");
	char found[32];

	for (const xmlNode *node = typedefs ? typedefs->children : NULL; node; node = node->next) {
		if (!is(node, "typedef"))
			continue;
		attribute(node, "name", found, sizeof(found));
		if (same_text(found, name))
			return node;
	}
	return NULL;
}

static void read_syntax(const xmlNode *root, const xmlNode *syntax, struct column *ret)
{
	const xmlNode *type = child(syntax, "type");
	const xmlNode *definition = child(syntax, "typedef");

	if (type) {
		attribute(type, "name", ret->type, sizeof(ret->type));
		definition = own_typedef(root, ret->type);
	} else if (child(definition, "parent")) {
		attribute(child(definition, "parent"), "name", ret->type, sizeof(ret->type));
	}
	if (definition)
		read_typedef(definition, ret);
	_Static_assert(sizeof(ret->type) == sizeof(ret->base), "one is copied to the other");
	if (!ret->type[0])
		memcpy(ret->type, ret->base, sizeof(ret->type));
}

static void read_column(const xmlNode *root, const xmlNode *node, bool creatable,
			struct column *ret)
{
	char oid[128];
	unsigned int table = 0;

	*ret = (struct column){.creatable = creatable};
	attribute(node, "name", ret->name, sizeof(ret->name));
	attribute(node, "oid", oid, sizeof(oid));
	if (sscanf(oid, ROOT ".1.%u.1.%u", &table, &ret->number) != 2)
		fail_msg("%s: unexpected OID %s", ret->name, oid);
	ret->table = (enum mib_table)table;
	read_syntax(root, child(node, "syntax"), ret);
	content(node, "access", ret->access, sizeof(ret->access));
	content(node, "units", ret->units, sizeof(ret->units));
	content(node, "description", ret->description, sizeof(ret->description));
	ret->has_fallback = child(node, "default") != NULL;
	content(node, "default", ret->fallback, sizeof(ret->fallback));
}

static void read_table(const xmlNode *root, const xmlNode *table, struct mib *mib)
{
	const xmlNode *row = child(table, "row");
	char create[8];

	assert_non_null(row);
	attribute(row, "create", create, sizeof(create));
	for (const xmlNode *node = row->children; node; node = node->next) {
		if (!is(node, "column"))
			continue;
		assert_true(mib->count < sizeof(mib->columns) / sizeof(mib->columns[0]));
		read_column(root, node, same_text(create, "true"), &mib->columns[mib->count++]);
	}
}

static int read_mib(void **state)
{
	xmlDoc *document = xmlReadFile(MIB_XML, NULL,
				       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	const xmlNode *root = xmlDocGetRootElement(document);
	const xmlNode *nodes = child(root, "nodes");
	struct mib *mib = calloc(1, sizeof(*mib));

	*state = mib;
	for (const xmlNode *node = nodes ? nodes->children : NULL; mib && node; node = node->next)
		if (is(node, "table"))
			read_table(root, node, mib);
	xmlFreeDoc(document);
	return mib ? 0 : -1;
}

static int free_mib(void **state)
{
	free(*state);
	xmlCleanupParser();
	return 0;
}

static const struct mib *mib_or_skip(void **state)
{
	const struct mib *mib = *state;

	if (!mib->count) {
		print_message("skipped: no " MIB_XML ": run mibs/dump, and all from the top\n");
		skip();
	}
	return mib;
}

static const struct column *find_column(const struct mib *mib, enum mib_table table,
					unsigned int number)
{
	for (unsigned int i = 0; i < mib->count; i++)
		if (mib->columns[i].table == table && mib->columns[i].number == number)
			return &mib->columns[i];
	return NULL;
}

/*
 * Comparing
 */

/* SYNTAX of a row's type: the textual convention or the base type below ours. */
static const char *const mib_types[TYPES] = {
	[TYPE_BOOL] = "TruthValue",        [TYPE_U16] = "Unsigned32",
	[TYPE_U32] = "Unsigned32",         [TYPE_ENUM] = "Enumeration",
	[TYPE_STRING] = "SnmpAdminString", [TYPE_IFNAME] = "L2tpv3InterfaceName",
	[TYPE_ADDRESS] = "InetAddress",    [TYPE_MAC] = "L2tpv3MacAddress",
	[TYPE_COOKIE] = "L2tpv3Cookie",    [TYPE_COUNTER] = "Counter64",
	[TYPE_TIME] = "TimeStamp",         [TYPE_TEXT] = "SnmpAdminString",
};

/* Imported types that stand for a number, with their range. */
static const struct {
	const char *name;
	struct range range;
} number_types[] = {
	{"InetPortNumber", {0, UINT16_MAX}},
	{"InterfaceIndexOrZero", {0, INT32_MAX}},
	{"Gauge32", {0, UINT32_MAX}},
};

static bool is_number(enum type type)
{
	return type == TYPE_U16 || type == TYPE_U32;
}

/* SNMP has no absent leaf: a number is 0 then, a string empty. */
static bool may_be_absent(const struct row *row)
{
	return row->access != ACCESS_KEY && !row->mandatory &&
	       (!row->fallback || row->when != WHEN_ALWAYS);
}

/* The values of a number, or the lengths of a string, that the row stands for. */
static unsigned int expected_ranges(const struct row *row, struct range ret[RANGES])
{
	switch (row->type) {
	case TYPE_MAC:
		ret[0] = (struct range){0, 0};
		ret[1] = (struct range){6, 6};
		return 2;
	case TYPE_COOKIE:
		ret[0] = (struct range){0, 0};
		ret[1] = (struct range){4, 4};
		ret[2] = (struct range){8, 8};
		return 3;
	case TYPE_ADDRESS:
		ret[0] = (struct range){0, 0};
		ret[1] = (struct range){4, 4};
		ret[2] = (struct range){16, 16};
		return 3;
	case TYPE_U16:
	case TYPE_U32:
	case TYPE_STRING:
	case TYPE_IFNAME:
		ret[0] = (struct range){row->min, row->max};
		if (!may_be_absent(row) || row->min == 0)
			return 1;
		if (row->min == 1) {
			ret[0].min = 0;
			return 1;
		}
		ret[1] = ret[0];
		ret[0] = (struct range){0, 0};
		return 2;
	default:
		return 0;
	}
}

static void compare_ranges(const struct row *row, const struct column *column,
			   unsigned int *differences)
{
	struct range expected[RANGES];
	struct range actual[RANGES];
	unsigned int expected_count = expected_ranges(row, expected);
	unsigned int actual_count = column->range_count;

	memcpy(actual, column->ranges, sizeof(actual));
	for (unsigned int i = 0; i < sizeof(number_types) / sizeof(number_types[0]); i++) {
		if (!same_text(column->type, number_types[i].name))
			continue;
		actual[0] = number_types[i].range;
		actual_count = 1;
	}
	AGREE(differences, expected_count == actual_count, "%s: %u ranges, the row has %u",
	      column->name, actual_count, expected_count);
	for (unsigned int i = 0; i < expected_count && i < actual_count; i++)
		AGREE(differences,
		      expected[i].min == actual[i].min && expected[i].max == actual[i].max,
		      "%s: %" PRIu64 "..%" PRIu64 ", the row has %" PRIu64 "..%" PRIu64,
		      column->name, actual[i].min, actual[i].max, expected[i].min, expected[i].max);
}

static bool is_syntax_of(const struct row *row, const struct column *column)
{
	if (is_number(row->type))
		for (unsigned int i = 0; i < sizeof(number_types) / sizeof(number_types[0]); i++)
			if (same_text(column->type, number_types[i].name))
				return true;
	return same_text(column->type, mib_types[row->type]) ||
	       same_text(column->base, mib_types[row->type]);
}

static void compare_labels(const struct row *row, const struct column *column,
			   unsigned int *differences)
{
	unsigned int words = 0;
	char label[32];

	for (const struct word *word = row->words; word && word->name; word++, words++) {
		bool found = false;

		camel_case(word->name, label, sizeof(label));
		for (unsigned int i = 0; i < column->label_count; i++)
			found |= same_text(column->labels[i].name, label) &&
				 column->labels[i].number == word->value;
		AGREE(differences, found, "%s: has no %s(%u)", column->name, label, word->value);
	}
	AGREE(differences, words == column->label_count, "%s: %u labels, the row has %u words",
	      column->name, column->label_count, words);
}

/* DEFVAL is the YANG default, or where there is none, the value that stands for an absent leaf. */
static void compare_fallback(const struct row *row, const struct column *column,
			     unsigned int *differences)
{
	char expected[32] = "";

	if (row->fallback)
		camel_case(row->fallback, expected, sizeof(expected));
	else if (row->access == ACCESS_WRITE && !row->mandatory)
		snprintf(expected, sizeof(expected), "%s", is_number(row->type) ? "0" : "\"\"");
	AGREE(differences, same_text(column->fallback, expected),
	      "%s: DEFVAL { %s }, the row has %s", column->name, column->fallback,
	      or_none(row->fallback));
}

static void compare_column(const struct row *row, const struct column *column,
			   unsigned int *differences)
{
	static const char *const access[] = {[ACCESS_KEY] = "noaccess",
					     [ACCESS_WRITE] = "readwrite",
					     [ACCESS_READ] = "readonly"};
	char name[64];

	snprintf(name, sizeof(name), "%s%s", mib_prefix(row->mib_table), row->mib);
	AGREE(differences, same_text(column->name, name), "%s: the row calls it %s", column->name,
	      name);
	AGREE(differences, is_syntax_of(row, column), "%s: SYNTAX %s, the row's type is %s",
	      column->name, column->type, mib_types[row->type]);
	compare_ranges(row, column, differences);
	compare_labels(row, column, differences);
	compare_fallback(row, column, differences);
	AGREE(differences, same_text(column->access, access[row->access]),
	      "%s: access %s, the row has %s", column->name, column->access, access[row->access]);
	AGREE(differences, row->access != ACCESS_WRITE || column->creatable, "%s: not read-create",
	      column->name);
	AGREE(differences, same_text(column->units, row->units ? row->units : ""),
	      "%s: UNITS \"%s\", the row has %s", column->name, column->units, or_none(row->units));
	AGREE(differences, tells_change(column->description, row->change),
	      "%s: the DESCRIPTION does not say \"%s\"", column->name,
	      or_none(change_texts[row->change]));
}

/* An address's type is the column before it, named alike. */
static void compare_address_type(const struct mib *mib, const struct row *row,
				 unsigned int *differences)
{
	const struct column *column = find_column(mib, row->mib_table, row->mib_column - 1U);
	char name[64];

	snprintf(name, sizeof(name), "%s%sType", mib_prefix(row->mib_table), row->mib);
	AGREE(differences,
	      column && same_text(column->name, name) && same_text(column->type, "InetAddressType"),
	      "%s: not in the column before the address", name);
}

static void every_row_with_a_column_is_in_the_mib(void **state)
{
	const struct mib *mib = mib_or_skip(state);
	unsigned int differences = 0;

	FOR_EACH_ROW(set, row)
	{
		const struct column *column = find_column(mib, row->mib_table, row->mib_column);

		AGREE(&differences, !row->mib == !row->mib_table, "%s/%s: name or column?",
		      set->name, row->leaf);
		/* RowStatus says it. */
		AGREE(&differences, row->mib || same_text(row->leaf, "enabled"),
		      "%s/%s: no SNMP manager can see it", set->name, row->leaf);
		if (!row->mib)
			continue;
		AGREE(&differences, column, "%s/%s: no column %u in table %d", set->name, row->leaf,
		      row->mib_column, (int)row->mib_table);
		if (column)
			compare_column(row, column, &differences);
		if (row->type == TYPE_ADDRESS)
			compare_address_type(mib, row, &differences);
	}
	assert_int_equal(differences, 0);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && same_text(text + length - end_length, end);
}

/* Columns that are SNMP's own and no leaf's. */
static bool is_without_row(const struct column *column)
{
	const struct row *next = row_by_column(column->table, column->number + 1);

	return ends_with(column->name, "StorageType") || ends_with(column->name, "RowStatus") ||
	       (next && next->type == TYPE_ADDRESS && same_text(column->type, "InetAddressType"));
}

static void every_column_has_a_row(void **state)
{
	const struct mib *mib = mib_or_skip(state);
	unsigned int differences = 0;

	for (unsigned int i = 0; i < mib->count; i++) {
		const struct column *column = &mib->columns[i];

		if (column->table != MIB_INTERFACE)
			AGREE(&differences,
			      row_by_column(column->table, column->number) ||
				      is_without_row(column),
			      "%s: no row", column->name);
	}
	assert_int_equal(differences, 0);
}

static void columns_are_numbered_without_gaps(void **state)
{
	const struct mib *mib = mib_or_skip(state);
	enum mib_table table = MIB_NONE;
	unsigned int last = 0;

	for (unsigned int i = 0; i < mib->count; i++) {
		if (mib->columns[i].table != table)
			last = 0;
		table = mib->columns[i].table;
		assert_int_equal(mib->columns[i].number, last + 1);
		last++;
	}
	assert_int_equal(table, MIB_INTERFACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_with_a_column_is_in_the_mib),
		cmocka_unit_test(every_column_has_a_row),
		cmocka_unit_test(columns_are_numbered_without_gaps),
	};

	return cmocka_run_group_tests(tests, read_mib, free_mib);
}
