/*
 * The mapping table covers the kernel's interface: every attribute of
 * linux/l2tp.h is a row's or is listed as ignored, and what the codec puts on
 * the wire has the width that the kernel reads (l2tp_nl_policy and the readers
 * in net/l2tp/l2tp_netlink.c, which differ from the comments in the header).
 */
#include "coherence.h"

#include <linux/l2tp.h>

#include "model/codec.h"

#define STRING_MIN 2 /* a character and NUL */
#define ANY        0xffff

static const struct policy {
	const char *name;
	uint16_t min, max;
} policies[L2TP_ATTR_MAX + 1] = {
#define POLICY(attribute, min, max) [L2TP_ATTR_##attribute] = {#attribute, min, max}
	POLICY(PW_TYPE, 2, 2),
	POLICY(ENCAP_TYPE, 2, 2),
	POLICY(OFFSET, 2, 2),
	POLICY(DATA_SEQ, 1, 1),
	POLICY(L2SPEC_TYPE, 1, 1),
	POLICY(L2SPEC_LEN, 1, 1),
	POLICY(PROTO_VERSION, 1, 1),
	POLICY(IFNAME, STRING_MIN, 16),
	POLICY(CONN_ID, 4, 4),
	POLICY(PEER_CONN_ID, 4, 4),
	POLICY(SESSION_ID, 4, 4),
	POLICY(PEER_SESSION_ID, 4, 4),
	POLICY(UDP_CSUM, 1, 1),
	POLICY(VLAN_ID, 2, 2),
	POLICY(COOKIE, 0, 8),
	POLICY(PEER_COOKIE, 0, 8),
	POLICY(DEBUG, 4, 4),
	POLICY(RECV_SEQ, 1, 1),
	POLICY(SEND_SEQ, 1, 1),
	POLICY(LNS_MODE, 1, 1),
	POLICY(USING_IPSEC, 1, 1),
	POLICY(RECV_TIMEOUT, 8, 8),
	POLICY(FD, 4, 4),
	POLICY(IP_SADDR, 4, 4),
	POLICY(IP_DADDR, 4, 4),
	POLICY(UDP_SPORT, 2, 2),
	POLICY(UDP_DPORT, 2, 2),
	POLICY(MTU, 2, 2),
	POLICY(MRU, 2, 2),
	POLICY(STATS, 0, ANY),
	POLICY(IP6_SADDR, 16, 16),
	POLICY(IP6_DADDR, 16, 16),
	POLICY(UDP_ZERO_CSUM6_TX, 0, 1),
	POLICY(UDP_ZERO_CSUM6_RX, 0, 1),
	POLICY(PAD, 0, ANY),
#undef POLICY
};

static bool is_ignored(unsigned int attribute)
{
	for (const struct ignored_attribute *ignored = ignored_attributes; ignored->attr; ignored++)
		if (ignored->attr == attribute)
			return true;
	return false;
}

static unsigned int rows_with(enum part part, enum object object, unsigned int attribute)
{
	const struct row_set *set = &row_sets[object];
	unsigned int found = 0;

	for (const struct row *row = set->rows; row < set->rows + set->count; row++)
		found += row->part == part &&
			 (row->genl == attribute || row->genl_pair == attribute);
	return found;
}

static void every_attribute_is_mapped_or_ignored_with_a_reason(void **state)
{
	unsigned int differences = 0;

	(void)state;
	for (unsigned int attribute = 1; attribute <= L2TP_ATTR_MAX; attribute++) {
		unsigned int rows = rows_with(PART_CONFIG, OBJECT_TUNNEL, attribute) +
				    rows_with(PART_CONFIG, OBJECT_SESSION, attribute);

		AGREE(&differences, policies[attribute].name,
		      "attribute %u is new in linux/l2tp.h: give it a row or a reason", attribute);
		AGREE(&differences, rows + is_ignored(attribute) == 1,
		      "L2TP_ATTR_%s: %u rows, %signored", or_none(policies[attribute].name), rows,
		      is_ignored(attribute) ? "" : "not ");
	}
	for (const struct ignored_attribute *ignored = ignored_attributes; ignored->attr; ignored++)
		AGREE(&differences, ignored->why && ignored->why[0],
		      "attribute %u: ignored, but why?", ignored->attr);
	assert_int_equal(differences, 0);
}

static void every_counter_is_mapped_once_an_object(void **state)
{
	unsigned int differences = 0;

	(void)state;
	for (unsigned int attribute = 1; attribute <= L2TP_ATTR_STATS_MAX; attribute++) {
		unsigned int wanted = attribute == L2TP_ATTR_STATS_PAD ? 0 : 1;

		for (enum object object = 0; object < OBJECTS; object++)
			AGREE(&differences, rows_with(PART_STATISTICS, object, attribute) == wanted,
			      "counter attribute %u of a %s: wanted %u rows", attribute,
			      row_sets[object].name, wanted);
	}
	FOR_EACH_ROW(set, row)
	{
		if (row->type == TYPE_COUNTER)
			AGREE(&differences, row->wire == WIRE_U64 && row->size == 8,
			      "%s/%s: counters are 64 bits wide", set->name, row->leaf);
	}
	assert_int_equal(differences, 0);
}

static void compare_widths(const struct row *row, const void *object, const char *text,
			   unsigned int *differences)
{
	struct wire_attribute attributes[2];
	unsigned int count = codec_to_wire(row, object, attributes);

	for (unsigned int i = 0; i < count; i++) {
		const struct policy *policy = &policies[attributes[i].attr];

		AGREE(differences,
		      attributes[i].attr == row->genl || attributes[i].attr == row->genl_pair,
		      "%s %s: puts attribute %u, which is not its own", row->leaf, text,
		      attributes[i].attr);
		AGREE(differences,
		      attributes[i].length >= policy->min && attributes[i].length <= policy->max,
		      "%s %s: puts %u bytes of %s, the kernel takes %u..%u", row->leaf, text,
		      attributes[i].length, or_none(policy->name), policy->min, policy->max);
	}
}

/* Values of each type that go to the wire in as many ways as there are; numbers: their bounds. */
static const char *const samples[TYPES][5] = {
	[TYPE_BOOL] = {"true", "false"},
	[TYPE_STRING] = {"text"},
	[TYPE_IFNAME] = {"a", "fifteen-letters"},
	[TYPE_ADDRESS] = {"192.0.2.1", "2001:db8::1"},
	[TYPE_MAC] = {"02:00:5e:10:00:01"},
	[TYPE_COOKIE] = {"", "01234567", "0123456789abcdef"},
};

static void compare_sample(const struct row *row, const char *text, unsigned int *differences)
{
	union any_object object = {0};
	struct error err = ERROR_INIT;

	AGREE(differences, codec_parse(row, &object, text, strlen(text), &err) == 0,
	      "%s: cannot parse sample \"%s\": %s", row->leaf, text, err.text);
	compare_widths(row, &object, text, differences);
}

static void compare_bounds(const struct row *row, unsigned int *differences)
{
	char text[16];

	if (row->type != TYPE_U16 && row->type != TYPE_U32)
		return;
	snprintf(text, sizeof(text), "%u", row->min);
	compare_sample(row, text, differences);
	snprintf(text, sizeof(text), "%u", row->max);
	compare_sample(row, text, differences);
}

static void what_goes_on_the_wire_has_the_width_that_the_kernel_reads(void **state)
{
	unsigned int differences = 0;

	(void)state;
	FOR_EACH_ROW(set, row)
	{
		if (row->part != PART_CONFIG)
			continue;
		for (unsigned int i = 0; i < 5 && samples[row->type][i]; i++)
			compare_sample(row, samples[row->type][i], &differences);
		for (const struct word *word = row->words; word && word->name; word++)
			compare_sample(row, word->name, &differences);
		compare_bounds(row, &differences);
	}
	assert_int_equal(differences, 0);
}

/* Wire form of the one attribute that @leaf puts for @text; fails unless it is one. */
static struct wire_attribute on_the_wire(enum object object, const char *leaf, const char *text)
{
	union any_object config = {0};
	struct wire_attribute attributes[2];
	const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

	assert_non_null(row);
	assert_int_equal(codec_parse(row, &config, text, strlen(text), NULL), 0);
	assert_int_equal(codec_to_wire(row, &config, attributes), 1);
	return attributes[0];
}

static unsigned int count_on_the_wire(enum object object, const char *leaf, const char *text)
{
	union any_object config = {0};
	struct wire_attribute attributes[2];
	const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

	assert_non_null(row);
	assert_int_equal(codec_parse(row, &config, text, strlen(text), NULL), 0);
	return codec_to_wire(row, &config, attributes);
}

static uint16_t u16_of(struct wire_attribute attribute)
{
	uint16_t value;

	assert_int_equal(attribute.length, sizeof(value));
	memcpy(&value, attribute.bytes, sizeof(value));
	return value;
}

static void words_become_the_kernels_numbers(void **state)
{
	(void)state;
	assert_int_equal(u16_of(on_the_wire(OBJECT_TUNNEL, "encapsulation", "udp")),
			 L2TP_ENCAPTYPE_UDP);
	assert_int_equal(u16_of(on_the_wire(OBJECT_TUNNEL, "encapsulation", "ip")),
			 L2TP_ENCAPTYPE_IP);
	assert_int_equal(u16_of(on_the_wire(OBJECT_SESSION, "pseudowire-type", "ethernet")),
			 L2TP_PWTYPE_ETH);
	/* The kernel has no driver for L2TP_PWTYPE_ETH_VLAN. */
	assert_int_equal(u16_of(on_the_wire(OBJECT_SESSION, "pseudowire-type", "ethernet-vlan")),
			 L2TP_PWTYPE_ETH);
	assert_int_equal(u16_of(on_the_wire(OBJECT_SESSION, "pseudowire-type", "ppp")),
			 L2TP_PWTYPE_PPP);
	assert_int_equal(on_the_wire(OBJECT_SESSION, "l2-specific-sublayer", "none").bytes[0],
			 L2TP_L2SPECTYPE_NONE);
	assert_int_equal(on_the_wire(OBJECT_SESSION, "l2-specific-sublayer", "default").bytes[0],
			 L2TP_L2SPECTYPE_DEFAULT);
}

static void ports_are_in_host_order_and_addresses_in_network_order(void **state)
{
	struct wire_attribute address = on_the_wire(OBJECT_TUNNEL, "local-address", "192.0.2.1");

	(void)state;
	assert_int_equal(u16_of(on_the_wire(OBJECT_TUNNEL, "local-port", "1701")), 1701);
	assert_int_equal(address.attr, L2TP_ATTR_IP_SADDR);
	assert_memory_equal(address.bytes, ((uint8_t[]){192, 0, 2, 1}), 4);
	address = on_the_wire(OBJECT_TUNNEL, "remote-address", "2001:db8::1");
	assert_int_equal(address.attr, L2TP_ATTR_IP6_DADDR);
	assert_memory_equal(address.bytes, ((uint8_t[16]){0x20, 1, 0xd, 0xb8, [15] = 1}), 16);
}

static void cookies_go_out_in_the_order_of_their_digits(void **state)
{
	struct wire_attribute cookie = on_the_wire(OBJECT_SESSION, "tx-cookie", "0123456789abcdef");

	(void)state;
	assert_int_equal(cookie.attr, L2TP_ATTR_COOKIE);
	assert_memory_equal(cookie.bytes,
			    ((uint8_t[]){0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}), 8);
	/* RFC 3931's assigned ("local") cookie is the one required on receive. */
	assert_int_equal(on_the_wire(OBJECT_SESSION, "rx-cookie", "01234567").attr,
			 L2TP_ATTR_PEER_COOKIE);
}

/* Their presence is what the kernel looks at: a 0 would switch them on too. */
static void checksum_flags_speak_by_presence(void **state)
{
	(void)state;
	assert_int_equal(count_on_the_wire(OBJECT_TUNNEL, "udp-checksum", "false"), 0);
	assert_int_equal(on_the_wire(OBJECT_TUNNEL, "udp-checksum", "true").bytes[0], 1);
	assert_int_equal(count_on_the_wire(OBJECT_TUNNEL, "udp6-checksum-tx", "true"), 0);
	assert_int_equal(count_on_the_wire(OBJECT_TUNNEL, "udp6-checksum-tx", "false"), 1);
	assert_int_equal(count_on_the_wire(OBJECT_TUNNEL, "udp6-checksum-rx", "true"), 0);
	assert_int_equal(count_on_the_wire(OBJECT_TUNNEL, "udp6-checksum-rx", "false"), 1);
}

static bool is_modifiable(unsigned int attribute)
{
	return attribute == L2TP_ATTR_RECV_SEQ || attribute == L2TP_ATTR_SEND_SEQ ||
	       attribute == L2TP_ATTR_LNS_MODE || attribute == L2TP_ATTR_RECV_TIMEOUT;
}

/* l2tp_nl_cmd_session_modify() takes four attributes and ignores the rest without a word. */
static void modify_is_claimed_for_what_the_kernel_modifies(void **state)
{
	unsigned int differences = 0;

	(void)state;
	FOR_EACH_ROW(set, row)
	{
		bool in_kernel = row->part == PART_CONFIG && row->genl && row->access != ACCESS_KEY;

		if (row->change == CHANGE_MODIFY)
			AGREE(&differences,
			      row->object == OBJECT_SESSION && is_modifiable(row->genl) &&
				      (!row->genl_pair || is_modifiable(row->genl_pair)),
			      "%s/%s: the kernel cannot modify this", set->name, row->leaf);
		else if (in_kernel)
			AGREE(&differences,
			      row->change == CHANGE_RECREATE && !is_modifiable(row->genl),
			      "%s/%s: change %d, but it takes a re-create", set->name, row->leaf,
			      (int)row->change);
	}
	assert_int_equal(differences, 0);
}

/* Not in l2tp_nl_session_send() nor l2tp_nl_tunnel_send(), so that reading back proves nothing. */
static void what_the_kernel_does_not_report_comes_from_our_record(void **state)
{
	unsigned int differences = 0;

	(void)state;
	FOR_EACH_ROW(set, row)
	{
		if (row->part == PART_CONFIG && row->genl == L2TP_ATTR_L2SPEC_TYPE)
			AGREE(&differences, row->source == SOURCE_RECORD,
			      "%s/%s: the kernel does not report it", set->name, row->leaf);
		if (row->part == PART_CONFIG && row->genl == L2TP_ATTR_SEND_SEQ)
			AGREE(&differences, row->source == SOURCE_DRIFT,
			      "%s/%s: the data path changes it", set->name, row->leaf);
	}
	assert_int_equal(differences, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_is_mapped_or_ignored_with_a_reason),
		cmocka_unit_test(every_counter_is_mapped_once_an_object),
		cmocka_unit_test(what_goes_on_the_wire_has_the_width_that_the_kernel_reads),
		cmocka_unit_test(words_become_the_kernels_numbers),
		cmocka_unit_test(ports_are_in_host_order_and_addresses_in_network_order),
		cmocka_unit_test(cookies_go_out_in_the_order_of_their_digits),
		cmocka_unit_test(checksum_flags_speak_by_presence),
		cmocka_unit_test(modify_is_claimed_for_what_the_kernel_modifies),
		cmocka_unit_test(what_the_kernel_does_not_report_comes_from_our_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
