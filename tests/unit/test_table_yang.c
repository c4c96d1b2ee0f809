/*
 * The mapping table says what the YANG module says, both ways: every row
 * against libyang's compiled schema, every node of the schema against the
 * rows, and for values, what the codec accepts against what libyang accepts.
 */
#include "coherence.h"

#include <errno.h>
#include <inttypes.h>
#include <strings.h>

#include <libyang/libyang.h>

#include "model/codec.h"

#define MODULE "linux-l2tpv3"
#define SEARCH "yang:/usr/share/yuma/modules/ietf"

/* How a row's type is written in YANG: base type and, where one is meant, the typedef. */
static const struct {
	LY_DATA_TYPE base;
	const char *name;
} yang_types[TYPES] = {
	[TYPE_BOOL] = {LY_TYPE_BOOL, NULL},
	[TYPE_U16] = {LY_TYPE_UINT16, NULL},
	[TYPE_U32] = {LY_TYPE_UINT32, NULL},
	[TYPE_ENUM] = {LY_TYPE_ENUM, NULL},
	[TYPE_STRING] = {LY_TYPE_STRING, "description-text"},
	[TYPE_IFNAME] = {LY_TYPE_STRING, "interface-name"},
	[TYPE_ADDRESS] = {LY_TYPE_UNION, "inet:ip-address-no-zone"},
	[TYPE_MAC] = {LY_TYPE_STRING, "yang:mac-address"},
	[TYPE_COOKIE] = {LY_TYPE_STRING, "cookie"},
	[TYPE_COUNTER] = {LY_TYPE_UINT64, "yang:counter64"},
	[TYPE_TIME] = {LY_TYPE_STRING, "yang:date-and-time"},
	[TYPE_TEXT] = {LY_TYPE_STRING, "string"},
};

static const char *const conditions[] = {
	[WHEN_ALWAYS] = NULL,
	[WHEN_UDP] = "../encapsulation = 'udp'",
	[WHEN_UDP4] = "../encapsulation = 'udp' and not(contains(../remote-address, ':'))",
	[WHEN_UDP6] = "../encapsulation = 'udp' and contains(../remote-address, ':')",
	[WHEN_VLAN] = "../pseudowire-type = 'ethernet-vlan'",
	[WHEN_INTERFACE] = "../pseudowire-type != 'ppp'",
};

static int open_schema(void **state)
{
	struct ly_ctx *context = NULL;

	ly_log_options(0);
	if (ly_ctx_new(SEARCH, LY_CTX_SET_PRIV_PARSED, &context) != LY_SUCCESS)
		return -1;
	if (!ly_ctx_load_module(context, MODULE, NULL, NULL)) {
		print_error("cannot load " MODULE " from " SEARCH " (run from the top folder; "
			    "Debian: libyuma-base): %s\n",
			    or_none(ly_errmsg(context)));
		ly_ctx_destroy(context);
		return -1;
	}
	*state = context;
	return 0;
}

static int close_schema(void **state)
{
	ly_ctx_destroy(*state);
	return 0;
}

static const struct lysc_node *list_of(const struct ly_ctx *context, enum object object)
{
	return lys_find_path(context, NULL,
			     object == OBJECT_TUNNEL ? "/" MODULE ":l2tpv3/tunnel"
						     : "/" MODULE ":l2tpv3/tunnel/session",
			     0);
}

static const struct lysc_node_leaf *leaf_of(const struct ly_ctx *context, const struct row *row)
{
	char path[128];
	const struct lysc_node *node;

	snprintf(path, sizeof(path), "%s%s", row->part == PART_STATISTICS ? "statistics/" : "",
		 row->leaf);
	node = lys_find_path(context, list_of(context, row->object), path, 0);
	return node && node->nodetype == LYS_LEAF ? (const struct lysc_node_leaf *)node : NULL;
}

/* The bounds of a number, or of a string's length. */
static void bounds(const struct lysc_type *type, uint64_t *ret_min, uint64_t *ret_max)
{
	const struct lysc_range *range = type->basetype == LY_TYPE_STRING
						 ? ((const struct lysc_type_str *)type)->length
						 : ((const struct lysc_type_num *)type)->range;

	*ret_min = 0;
	*ret_max = type->basetype == LY_TYPE_UINT16 ? UINT16_MAX : UINT32_MAX;
	if (range && LY_ARRAY_COUNT(range->parts) == 1) {
		*ret_min = range->parts[0].min_u64;
		*ret_max = range->parts[0].max_u64;
	}
}

static void compare_words(const struct row *row, const struct lysc_type *type,
			  unsigned int *differences)
{
	const struct lysc_type_bitenum_item *items = ((const struct lysc_type_enum *)type)->enums;
	unsigned int words = 0;

	if (!row->words) {
		AGREE(differences, false, "%s: the row has no words", row->leaf);
		return;
	}
	for (const struct word *word = row->words; word->name; word++, words++) {
		bool found = false;

		for (LY_ARRAY_COUNT_TYPE i = 0; i < LY_ARRAY_COUNT(items); i++)
			found |= same_text(word->name, items[i].name) &&
				 word->value == items[i].value;
		AGREE(differences, found, "%s: '%s' (%u) is not in the YANG", row->leaf, word->name,
		      word->value);
	}
	AGREE(differences, words == LY_ARRAY_COUNT(items), "%s: %u words, YANG has %u", row->leaf,
	      words, (unsigned int)LY_ARRAY_COUNT(items));
}

/* How wide a number is kept is C's business as long as its bounds are YANG's. */
static bool is_number(enum type type)
{
	return type == TYPE_U16 || type == TYPE_U32;
}

static void compare_type(const struct row *row, const struct lysc_node_leaf *leaf,
			 unsigned int *differences)
{
	const struct lysp_node_leaf *parsed = leaf->priv;
	uint64_t min, max;

	bool agree = leaf->type->basetype == yang_types[row->type].base ||
		     (is_number(row->type) && leaf->type->basetype == LY_TYPE_UINT16);

	AGREE(differences, agree, "%s: type %d of the row is not YANG's %s", row->leaf,
	      (int)row->type, parsed->type.name);
	if (yang_types[row->type].name)
		AGREE(differences, same_text(parsed->type.name, yang_types[row->type].name),
		      "%s: YANG type is %s, not %s", row->leaf, parsed->type.name,
		      yang_types[row->type].name);
	if (!agree)
		return;
	switch (row->type) {
	case TYPE_U16:
	case TYPE_U32:
	case TYPE_STRING:
	case TYPE_IFNAME:
		bounds(leaf->type, &min, &max);
		AGREE(differences, row->min == min && row->max == max,
		      "%s: %u..%u, YANG has %" PRIu64 "..%" PRIu64, row->leaf, row->min, row->max,
		      min, max);
		break;
	case TYPE_ENUM:
		compare_words(row, leaf->type, differences);
		break;
	default:
		break;
	}
}

static bool has_extension(const struct lysc_node *node, const char *name)
{
	for (LY_ARRAY_COUNT_TYPE i = 0; i < LY_ARRAY_COUNT(node->exts); i++)
		if (same_text(node->exts[i].def->name, name))
			return true;
	return false;
}

static void compare_statements(const struct ly_ctx *context, const struct row *row,
			       const struct lysc_node_leaf *leaf, unsigned int *differences)
{
	const struct lysp_when *when = ((const struct lysp_node_leaf *)leaf->priv)->when;
	const char *fallback = leaf->dflt ? lyd_value_get_canonical(context, leaf->dflt) : NULL;
	char text[2048] = "";
	bool config = leaf->flags & LYS_CONFIG_W;

	AGREE(differences, same_text(row->fallback, fallback), "%s: default %s, YANG has %s",
	      row->leaf, or_none(row->fallback), or_none(fallback));
	AGREE(differences, same_text(row->units, leaf->units), "%s: units %s, YANG has %s",
	      row->leaf, or_none(row->units), or_none(leaf->units));
	AGREE(differences,
	      row->access == (!config                 ? ACCESS_READ
			      : leaf->flags & LYS_KEY ? ACCESS_KEY
						      : ACCESS_WRITE),
	      "%s: access %d is not YANG's", row->leaf, (int)row->access);
	AGREE(differences, config == (row->part == PART_CONFIG), "%s: config or state?", row->leaf);
	if (row->access != ACCESS_KEY)
		AGREE(differences, row->mandatory == !!(leaf->flags & LYS_MAND_TRUE),
		      "%s: mandatory %d is not YANG's", row->leaf, row->mandatory);
	AGREE(differences, row->secret == has_extension(&leaf->node, "default-deny-all"),
	      "%s: secret %d is not YANG's", row->leaf, row->secret);
	if (when)
		squeeze(when->cond, text, sizeof(text));
	AGREE(differences, same_text(conditions[row->when], when ? text : NULL),
	      "%s: when \"%s\", YANG has \"%s\"", row->leaf, or_none(conditions[row->when]), text);
	squeeze(or_none(leaf->dsc), text, sizeof(text));
	AGREE(differences, tells_change(text, row->change),
	      "%s: the YANG description does not say \"%s\"", row->leaf,
	      or_none(change_texts[row->change]));
}

static void every_row_is_a_yang_leaf(void **state)
{
	unsigned int differences = 0;

	FOR_EACH_ROW(set, row)
	{
		const struct lysc_node_leaf *leaf = leaf_of(*state, row);

		AGREE(&differences, leaf, "%s/%s: not in the YANG", set->name, row->leaf);
		if (!leaf)
			continue;
		compare_type(row, leaf, &differences);
		compare_statements(*state, row, leaf, &differences);
	}
	assert_int_equal(differences, 0);
}

/* Every leaf below @parent has a row, and the rows of a part stand in YANG's order. */
static void compare_children(const struct lysc_node *parent, enum object object,
			     unsigned int next[3], unsigned int *differences)
{
	const struct lysc_node *node = NULL;

	while ((node = lys_getnext(node, parent, NULL, 0))) {
		const struct row *row;

		if (node->nodetype == LYS_CONTAINER)
			compare_children(node, object, next, differences);
		if (node->nodetype != LYS_LEAF)
			continue;
		row = row_by_leaf(object, node->name, strlen(node->name));
		AGREE(differences, row, "%s/%s: no row", parent->name, node->name);
		if (!row)
			continue;
		AGREE(differences, row_number(row) >= next[row->part],
		      "%s: its row stands before those of leaves before it", node->name);
		next[row->part] = row_number(row) + 1;
	}
}

static void every_yang_leaf_has_a_row(void **state)
{
	unsigned int differences = 0;

	for (enum object object = 0; object < OBJECTS; object++) {
		const struct lysc_node *list = list_of(*state, object);

		assert_non_null(list);
		assert_string_equal(row_sets[object].name, list->name);
		assert_int_equal(row_sets[object].key->access, ACCESS_KEY);
		compare_children(list, object, (unsigned int[3]){0}, &differences);
	}
	assert_int_equal(differences, 0);
}

/*
 * Values
 */

/* clang-format off */
static const char *const odd_numbers[] = {
	"", "0", "1", "+1", "-1", "-0", " 1", "1 ", "007", "0x10", "1.0", "1e1", "one", "1,5",
	"65535", "65536", "4294967295", "4294967296", "99999999999", "18446744073709551616", NULL
};
static const char *const odd_booleans[] = { "true", "false", "1", "0", "TRUE", "", "yes", NULL };
static const char *const odd_words[] = { "", "UDP", "ethernetVlan", "0", "1", NULL };
static const char *const odd_strings[] = {
	"", "a", "two words", " x ", "a\tb", "a\nb", "a\x7f", "a\xc2\x85", "<&>\"'", "Z\xc3\xbcrich",
	NULL
};
static const char *const odd_names[] = {
	"", "a", "eth0", "123456789012345", "1234567890123456", "-", ".a", "a.", "...", "All", "alll",
	"Default", "defaults", "!\"#$&'()*+,-.", ";<=>?@[\\]^_`{", "|}~",
	".", "..", "all", "default", "a/b", "a b", "a:b", "a%d", "%", "a\tb", "a\x7f", "\x7f",
	"a\xc2\xa0", "\xc3\xa9t\xc3\xa9", NULL
};
static const char *const odd_addresses[] = {
	"192.0.2.1", "192.0.2.255", "127.0.0.1", "2001:db8::1", "2001:DB8:0:0:0:0:0:1",
	"2001:db8::192.0.2.1", "::1",
	"", "192.0.2.256", "192.0.2", "192.0.2.1.1", "192.0. 2.1", "192.0.2.1/32", "192.0.2.01",
	"3221225985", "0xc0.0.2.1", "2001:db8:::1", "2001:db8::g", "1:2:3:4:5:6:7:8:9",
	"2001:db8::1%eth0", "localhost", NULL
};
static const char *const odd_macs[] = {
	"02:00:5e:10:00:01", "02:00:5E:10:00:AB",
	"", "02-00-5e-10-00-01", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "2:0:5e:10:0:1",
	"02005e100001", "02:00:5e:10:00:0g", NULL
};
static const char *const odd_cookies[] = {
	"", "01234567", "0123456789abcdef", "DEADBEEF", "dEaDbEeF",
	"0", "01", "012345", "0123456789ab", "0123456789abcde", "0123456789abcdef0",
	"0123456789abcdef01", "0123456g", "0x123456", "01:23:45:67", NULL
};

static const char *const *const odd_values[TYPES] = {
	[TYPE_BOOL] = odd_booleans,
	[TYPE_U16] = odd_numbers,
	[TYPE_U32] = odd_numbers,
	[TYPE_ENUM] = odd_words,
	[TYPE_STRING] = odd_strings,
	[TYPE_IFNAME] = odd_names,
	[TYPE_ADDRESS] = odd_addresses,
	[TYPE_MAC] = odd_macs,
	[TYPE_COOKIE] = odd_cookies,
};
/* clang-format on */

/* YANG types that are strings have no canonical form in libyang; ours is lower case. */
static bool same_canonical(const struct row *row, const char *ours, const char *yangs)
{
	if (row->type == TYPE_MAC || row->type == TYPE_COOKIE)
		return strcasecmp(ours, yangs) == 0;
	return same_text(ours, yangs);
}

static void compare_value(const struct ly_ctx *context, const struct row *row, const char *text,
			  unsigned int *differences)
{
	union any_object object = {0};
	char ours[VALUE_TEXT_MAX];
	const char *yangs = NULL;
	LY_ERR theirs = lyd_value_validate(context, &leaf_of(context, row)->node, text,
					   strlen(text), NULL, NULL, &yangs);
	bool accepted = codec_parse(row, &object, text, strlen(text), NULL) == 0;

	AGREE(differences, accepted == (theirs == LY_SUCCESS), "%s: \"%s\" is %s by us, %s by YANG",
	      row->leaf, text, accepted ? "accepted" : "refused",
	      theirs == LY_SUCCESS ? "accepted" : "refused");
	if (accepted && theirs == LY_SUCCESS) {
		codec_print(row, &object, ours);
		AGREE(differences, same_canonical(row, ours, yangs),
		      "%s: \"%s\" is printed \"%s\", YANG has \"%s\"", row->leaf, text, ours,
		      yangs);
	}
	lydict_remove(context, yangs);
}

/* The edges of a row's range, in numbers or in characters. */
static void compare_edges(const struct ly_ctx *context, const struct row *row,
			  unsigned int *differences)
{
	const int64_t edges[] = {(int64_t)row->min - 1, row->min, row->max, (int64_t)row->max + 1};
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < 4; i++) {
		if (is_number(row->type))
			snprintf(text, sizeof(text), "%" PRId64, edges[i]);
		else if (row->type != TYPE_STRING && row->type != TYPE_IFNAME)
			continue;
		else if (edges[i] >= 0 && edges[i] < (int64_t)sizeof(text))
			snprintf(text, sizeof(text), "%.*s", (int)edges[i],
				 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				 "xxxxxxxxxxxxxxxx");
		compare_value(context, row, text, differences);
	}
}

static void the_codec_accepts_what_yang_accepts(void **state)
{
	unsigned int differences = 0;

	FOR_EACH_ROW(set, row)
	{
		if (row->part != PART_CONFIG || !leaf_of(*state, row))
			continue;
		for (const char *const *text = odd_values[row->type]; text && *text; text++)
			compare_value(*state, row, *text, &differences);
		for (const struct word *word = row->words; word && word->name; word++) {
			compare_value(*state, row, word->name, &differences);
			if (word->alias) /* one or a list: YANG has none */
				compare_value(*state, row, word->alias, &differences);
		}
		compare_edges(*state, row, &differences);
	}
	assert_int_equal(differences, 0);
}

/* Right by their YANG type, wrong by its description: the kernel mishandles them. */
static const struct {
	const char *leaf, *value;
} described[] = {
	{"remote-address", "0.0.0.0"},        {"remote-address", "::"},
	{"remote-address", "224.0.0.1"},      {"remote-address", "ff02::1"},
	{"remote-address", "fe80::1"},        {"remote-address", "::ffff:192.0.2.1"},
	{"local-address", "0.0.0.0"},         {"local-address", "fe80::1"},
	{"mac-address", "00:00:00:00:00:00"}, {"mac-address", "01:00:5e:00:00:01"},
};

static void what_only_a_description_forbids_is_refused(void **state)
{
	for (unsigned int i = 0; i < sizeof(described) / sizeof(described[0]); i++) {
		const char *leaf = described[i].leaf, *value = described[i].value;
		const struct row *row = row_by_leaf(OBJECT_TUNNEL, leaf, strlen(leaf));
		union any_object object = {0};

		if (!row)
			row = row_by_leaf(OBJECT_SESSION, leaf, strlen(leaf));
		assert_non_null(row);
		assert_int_equal(lyd_value_validate(*state, &leaf_of(*state, row)->node, value,
						    strlen(value), NULL, NULL, NULL),
				 LY_SUCCESS);
		assert_int_equal(codec_parse(row, &object, value, strlen(value), NULL), -EINVAL);
		assert_int_equal(object.tunnel.present, 0);
	}
}

/*
 * The one place where we take more: libyang ignores white space around numbers
 * but not around words, addresses and cookies, and people pretty-print them all.
 * It is part of a text, for us as for libyang.
 */
static void white_space_around_all_but_texts_is_ignored(void **state)
{
	(void)state;
	FOR_EACH_ROW(set, row)
	{
		bool is_text = row->type == TYPE_STRING || row->type == TYPE_IFNAME;
		const char *const *value = odd_values[row->type];
		char text[VALUE_TEXT_MAX], plain[VALUE_TEXT_MAX], got[VALUE_TEXT_MAX];
		union any_object object = {0};

		if (row->part != PART_CONFIG || row->access == ACCESS_READ)
			continue;
		while (*value &&
		       (!**value || codec_parse(row, &object, *value, strlen(*value), NULL)))
			value++;
		if (!*value)
			continue;
		codec_print(row, &object, plain);
		snprintf(text, sizeof(text), "\r\n\t %s \n", *value);
		assert_int_equal(codec_parse(row, &object, text, strlen(text), NULL) == 0,
				 !is_text);
		codec_print(row, &object, got);
		assert_string_equal(got, plain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_a_yang_leaf),
		cmocka_unit_test(every_yang_leaf_has_a_row),
		cmocka_unit_test(the_codec_accepts_what_yang_accepts),
		cmocka_unit_test(what_only_a_description_forbids_is_refused),
		cmocka_unit_test(white_space_around_all_but_texts_is_ignored),
	};

	return cmocka_run_group_tests(tests, open_schema, close_schema);
}
