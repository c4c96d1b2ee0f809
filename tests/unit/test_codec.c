/* The codec: every row's texts, numbers, octets, bounds, refusals and presence. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/codec.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Large enough for any part of any object, and first of all its presence bits. */
union any {
	uint64_t present;
	struct tunnel tunnel;
	struct session session;
	struct tunnel_state tunnel_state;
	struct session_state session_state;
	struct statistics statistics;
};

#define FOR_ROWS(row)                                                                              \
	for (unsigned int o_ = 0; o_ < OBJECTS; o_++)                                              \
		for (const struct row *row = row_sets[o_].rows;                                    \
		     row < row_sets[o_].rows + row_sets[o_].count; row++)

static const struct row *tunnel_row(enum tunnel_row row)
{
	return &row_sets[OBJECT_TUNNEL].rows[row];
}

static const struct row *session_row(enum session_row row)
{
	return &row_sets[OBJECT_SESSION].rows[row];
}

static int parse(const struct row *row, void *object, const char *text)
{
	return codec_parse(row, object, text, strlen(text), NULL);
}

static const char *print(const struct row *row, const void *object)
{
	static char ret[VALUE_TEXT_MAX];

	size_t length = codec_print(row, object, ret);

	assert_int_equal(length, strlen(ret));
	return ret;
}

/* Parsing @text into a clean object gives @canonical, which parses to itself. */
static void check_text(const struct row *row, const char *text, const char *canonical)
{
	union any object = {0}, again = {0};

	assert_int_equal(parse(row, &object, text), 0);
	assert_string_equal(print(row, &object), canonical);
	assert_int_equal(parse(row, &again, canonical), 0);
	assert_true(codec_equal(row, &object, &again));
	assert_true(codec_present(row, &object));
	if (row->part == PART_CONFIG)
		assert_int_equal(object.present, BIT(row_number(row)));
}

/* @text is refused, with reason and leaf, and the object stays as it was. */
static void check_refused(const struct row *row, const char *text, size_t length,
			  enum error_code code)
{
	union any object, before;
	struct error err = ERROR_INIT;

	memset(&object, 0x5a, sizeof(object));
	before = object;
	assert_int_equal(codec_parse(row, &object, text, length, &err), -EINVAL);
	assert_memory_equal(&object, &before, sizeof(object));
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, "given "));
	assert_non_null(strstr(err.text, "; allowed "));
	assert_string_equal(err.info, row->leaf);
	assert_int_equal(codec_parse(row, &object, text, length, NULL), -EINVAL);
}

static bool is_number(const struct row *row)
{
	return row->type == TYPE_BOOL || row->type == TYPE_U16 || row->type == TYPE_U32 ||
	       row->type == TYPE_ENUM || row->type == TYPE_COUNTER || row->type == TYPE_TIME;
}

static bool has_range(const struct row *row)
{
	return row->part == PART_CONFIG && (row->type == TYPE_U16 || row->type == TYPE_U32);
}

/*
 * Texts
 */

/* clang-format off */
static const struct {
	enum type type;
	const char *text, *canonical;
} texts[] = {
	{ TYPE_BOOL, "true", "true" },
	{ TYPE_BOOL, " false\n", "false" },
	{ TYPE_U16, "+0068", "68" },
	{ TYPE_U32, "\t1401\r\n", "1401" },
	{ TYPE_STRING, "", "" },
	{ TYPE_STRING, " two words ", " two words " },
	{ TYPE_STRING, "a\xef\xb7\x90\xf0\x9f\xbf\xbe", "a\xef\xb7\x90\xf0\x9f\xbf\xbe" },
	{ TYPE_STRING, "Z\xc3\xbcrich \xe2\x82\xac", "Z\xc3\xbcrich \xe2\x82\xac" },
	{ TYPE_STRING, "0123456789012345678901234567890123456789012345678901234567890123",
		       "0123456789012345678901234567890123456789012345678901234567890123" },
	{ TYPE_IFNAME, "e", "e" },
	{ TYPE_IFNAME, "l2tp-eth_0.4094", "l2tp-eth_0.4094" },
	{ TYPE_IFNAME, "...", "..." },
	{ TYPE_ADDRESS, "192.0.2.1", "192.0.2.1" },
	{ TYPE_ADDRESS, "127.0.0.1", "127.0.0.1" },
	{ TYPE_ADDRESS, "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
	{ TYPE_ADDRESS, "::1", "::1" },
	{ TYPE_ADDRESS, " \n192.0.2.1\t", "192.0.2.1" },
	{ TYPE_ADDRESS, "\n  2001:db8:0000:0000:0000:0000:0000:0001  \n", "2001:db8::1" },
	{ TYPE_MAC, "\r\n02:00:5e:10:00:ab ", "02:00:5e:10:00:ab" },
	{ TYPE_COOKIE, " deadbeef\n", "deadbeef" },
	{ TYPE_MAC, "02:00:5E:10:00:aB", "02:00:5e:10:00:ab" },
	{ TYPE_COOKIE, "", "" },
	{ TYPE_COOKIE, "DEADbeef", "deadbeef" },
	{ TYPE_COOKIE, "0123456789abcdef", "0123456789abcdef" },
	{ TYPE_COUNTER, "18446744073709551615", "18446744073709551615" },
};

static const struct {
	enum type type;
	enum error_code code;
	const char *text;
} refused[] = {
	{ TYPE_BOOL, ERROR_INVALID_VALUE, "1" },
	{ TYPE_BOOL, ERROR_INVALID_VALUE, "TRUE" },
	{ TYPE_BOOL, ERROR_INVALID_VALUE, "" },
	{ TYPE_U16, ERROR_INVALID_VALUE, "" },
	{ TYPE_U16, ERROR_INVALID_VALUE, "-" },
	{ TYPE_U16, ERROR_INVALID_VALUE, "0x10" },
	{ TYPE_U16, ERROR_INVALID_VALUE, "1 2" },
	{ TYPE_U32, ERROR_INVALID_VALUE, "-1" },
	{ TYPE_U32, ERROR_INVALID_VALUE, "1.5" },
	{ TYPE_U32, ERROR_INVALID_VALUE, "4294967296" },
	{ TYPE_U32, ERROR_INVALID_VALUE, "18446744073709551617" },
	{ TYPE_U32, ERROR_INVALID_VALUE, "99999999999999999999999999999999" },
	{ TYPE_ENUM, ERROR_INVALID_VALUE, "" },
	{ TYPE_ENUM, ERROR_INVALID_VALUE, "5" },
	{ TYPE_ENUM, ERROR_INVALID_VALUE, "eth" },
	{ TYPE_ENUM, ERROR_INVALID_VALUE, "recv" },
	{ TYPE_STRING, ERROR_INVALID_VALUE, "a\tb" },
	{ TYPE_STRING, ERROR_INVALID_VALUE, "a\x7f" },
	{ TYPE_STRING, ERROR_INVALID_VALUE, "a\xc2\x80" },
	{ TYPE_STRING, ERROR_INVALID_VALUE, "a\xff" },
	{ TYPE_STRING, ERROR_INVALID_VALUE, "a\xef\xbf\xbe" },
	{ TYPE_STRING, ERROR_INVALID_VALUE, "a\xef\xbf\xbf" },
	{ TYPE_STRING, ERROR_INVALID_LENGTH,
		"01234567890123456789012345678901234567890123456789012345678901234" },
	{ TYPE_IFNAME, ERROR_INVALID_LENGTH, "" },
	{ TYPE_IFNAME, ERROR_INVALID_LENGTH, "0123456789012345" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "." },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, ".." },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "all" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "default" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "a/b" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "a:b" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "a b" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, " a" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "a " },
	{ TYPE_U32, ERROR_INVALID_VALUE, " \n" },
	{ TYPE_U32, ERROR_INVALID_VALUE, "\xc2\xa0" "1400" },
	{ TYPE_ADDRESS, ERROR_INVALID_VALUE, "192.0. 2.1" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "eth%d" },
	{ TYPE_IFNAME, ERROR_INVALID_VALUE, "\xc3\xa9" },
	{ TYPE_ADDRESS, ERROR_INVALID_VALUE, "" },
	{ TYPE_ADDRESS, ERROR_INVALID_VALUE, "192.0.2.1.2" },
	{ TYPE_ADDRESS, ERROR_INVALID_VALUE, "192.0.2.01" },
	{ TYPE_ADDRESS, ERROR_INVALID_VALUE, "localhost" },
	{ TYPE_ADDRESS, ERROR_INVALID_VALUE,
		"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" },
	{ TYPE_MAC, ERROR_INVALID_VALUE, "" },
	{ TYPE_MAC, ERROR_INVALID_VALUE, "02-00-5e-10-00-01" },
	{ TYPE_MAC, ERROR_INVALID_VALUE, "02:00:5e:10:00:0g" },
	{ TYPE_MAC, ERROR_INVALID_VALUE, "02:00:5e:10:00: 01" },
	{ TYPE_MAC, ERROR_INVALID_VALUE, "00:00:00:00:00:00" },
	{ TYPE_MAC, ERROR_INVALID_VALUE, "ff:ff:ff:ff:ff:ff" },
	{ TYPE_MAC, ERROR_INVALID_VALUE, "01:00:5e:00:00:01" },
	{ TYPE_COOKIE, ERROR_INVALID_LENGTH, "0" },
	{ TYPE_COOKIE, ERROR_INVALID_LENGTH, "012345" },
	{ TYPE_COOKIE, ERROR_INVALID_LENGTH, "0123456789ab" },
	{ TYPE_COOKIE, ERROR_INVALID_LENGTH, "0123456789abcdef01" },
	{ TYPE_COOKIE, ERROR_INVALID_VALUE, "0123456g" },
	{ TYPE_COOKIE, ERROR_INVALID_VALUE, "0x123456" },
};
/* clang-format on */

static void canonical_text_is_what_print_gives_and_parse_takes(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		for (size_t i = 0; i < COUNT(texts); i++) {
			bool fits = !has_range(row) || (row->min <= 68 && row->max >= 1401);

			if (texts[i].type == row->type && row->access != ACCESS_READ && fits)
				check_text(row, texts[i].text, texts[i].canonical);
		}
		for (const struct word *word = row->words; word && word->name; word++)
			check_text(row, word->name, word->name);
		if (row->fallback)
			check_text(row, row->fallback, row->fallback);
	}
}

static void a_refused_text_leaves_the_object_as_it_was(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		for (size_t i = 0; i < COUNT(refused); i++) {
			if (refused[i].type == row->type && row->part == PART_CONFIG)
				check_refused(row, refused[i].text, strlen(refused[i].text),
					      refused[i].code);
		}
	}
}

static void numbers_are_taken_up_to_their_bounds_and_refused_beyond(void **state)
{
	char text[24];

	(void)state;
	FOR_ROWS(row)
	{
		union any object = {0};

		if (!has_range(row))
			continue;
		snprintf(text, sizeof(text), "%" PRIu32, row->min);
		check_text(row, text, text);
		snprintf(text, sizeof(text), "%" PRIu32, row->max);
		check_text(row, text, text);
		snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)row->max + 1);
		check_refused(row, text, strlen(text), ERROR_INVALID_VALUE);
		assert_int_equal(codec_set_number(row, &object, (uint64_t)row->max + 1, NULL),
				 -EINVAL);
		snprintf(text, sizeof(text), "%" PRId64, (int64_t)row->min - 1);
		check_refused(row, text, strlen(text), ERROR_INVALID_VALUE);
		if (row->min)
			assert_int_equal(codec_set_number(row, &object, row->min - 1, NULL),
					 -EINVAL);
		assert_int_equal(object.present, 0);
	}
}

/* No NUL inside, whatever the length says, and none needed behind. */
static void text_is_taken_by_its_length(void **state)
{
	union any object = {0};

	(void)state;
	assert_int_equal(codec_parse(session_row(SESSION_MTU), &object, "14009", 4, NULL), 0);
	assert_int_equal(object.session.mtu, 1400);
	assert_int_equal(
		codec_parse(tunnel_row(TUNNEL_LOCAL_ADDRESS), &object, "192.0.2.10", 9, NULL), 0);
	assert_string_equal(print(tunnel_row(TUNNEL_LOCAL_ADDRESS), &object), "192.0.2.1");
	check_refused(session_row(SESSION_MTU), "1400\0", 5, ERROR_INVALID_VALUE);
	check_refused(session_row(SESSION_BRIDGE), "br\0", 3, ERROR_INVALID_VALUE);
	check_refused(session_row(SESSION_DESCRIPTION), "a\0b", 3, ERROR_INVALID_VALUE);
	check_refused(tunnel_row(TUNNEL_LOCAL_ADDRESS), "192.0.2.1\0", 10, ERROR_INVALID_VALUE);
	check_refused(tunnel_row(TUNNEL_LOCAL_ADDRESS), NULL, 0, ERROR_INVALID_VALUE);
}

static void addresses_that_cannot_work_are_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *reason;
	} cases[] = {
		{"0.0.0.0", "names no host"},   {"255.255.255.255", "broadcast"},
		{"224.0.0.1", "multicast"},     {"239.255.255.255", "multicast"},
		{"::", "names no host"},        {"ff02::1", "multicast"},
		{"fe80::1", "link-local"},      {"febf::1", "link-local"},
		{"::ffff:192.0.2.1", "IPv4"},   {"fe80::1%eth0", "zone"},
		{"2001:db8::1%lo", "no scope"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct row *row = tunnel_row(TUNNEL_REMOTE_ADDRESS);
		struct error err = ERROR_INIT;
		struct tunnel tunnel = {0};

		assert_int_equal(
			codec_parse(row, &tunnel, cases[i].text, strlen(cases[i].text), &err),
			-EINVAL);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_non_null(strstr(err.text, cases[i].reason));
		assert_int_equal(tunnel.present, 0);
	}
}

static void the_same_addresses_are_refused_as_octets(void **state)
{
	static const char *const bad[] = {"0.0.0.0", "255.255.255.255", "224.0.0.1",       "::",
					  "ff02::1", "fe80::1",         "::ffff:192.0.2.1"};
	const struct row *row = tunnel_row(TUNNEL_LOCAL_ADDRESS);

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		bool six = strchr(bad[i], ':') != NULL;
		struct error err = ERROR_INIT;
		struct tunnel tunnel = {0};
		uint8_t bytes[16];

		assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, bad[i], bytes), 1);
		assert_int_equal(codec_set_bytes(row, &tunnel, bytes, six ? 16 : 4, &err), -EINVAL);
		assert_int_equal(err.code, ERROR_INVALID_VALUE);
		assert_non_null(strstr(err.text, bad[i]));
	}
}

static void a_refusal_names_what_was_given_what_is_allowed_and_why(void **state)
{
	struct error err = ERROR_INIT;
	struct session session = {0};

	(void)state;
	codec_parse(session_row(SESSION_MTU), &session, "67", 2, &err);
	assert_string_equal(err.text,
			    "given 67; allowed 68..65535 octets; below 68 the kernel removes the "
			    "interface's IPv4 addresses (RFC 791 section 3.2, "
			    "net/ipv4/devinet.c)");
	codec_parse(session_row(SESSION_SEQUENCING), &session, "recv", 4, &err);
	assert_string_equal(err.text, "given \"recv\"; allowed none, send, receive or both; "
				      "RFC 3931 section 4.6.1");
}

static void a_refused_cookie_is_not_told(void **state)
{
	static const char *const bad[] = {"5ec4e7", "5ec4e75g"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error err = ERROR_INIT;
		struct session session = {0};

		codec_parse(session_row(SESSION_RX_COOKIE), &session, bad[i], strlen(bad[i]), &err);
		assert_int_not_equal(err.code, ERROR_NONE);
		assert_null(strstr(err.text, "5ec4e7"));
	}
}

/*
 * Numbers and octets
 */

static void every_number_can_be_set_and_got(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		union any object = {0};
		struct error err = ERROR_INIT;
		uint64_t value = row->type == TYPE_BOOL ? 1
				 : row->words           ? row->words->value
				 : row->max             ? row->max
							: 12345;

		if (!is_number(row)) {
			assert_int_equal(codec_set_number(row, &object, 1, &err), -EINVAL);
			assert_int_equal(err.code, ERROR_INVALID_TYPE);
			assert_int_equal(codec_get_number(row, &object), 0);
			continue;
		}
		assert_int_equal(codec_set_number(row, &object, value, NULL), 0);
		assert_int_equal(codec_get_number(row, &object), value);
		assert_int_equal(codec_set_bytes(row, &object, "1", 1, &err), -EINVAL);
		assert_int_equal(err.code, ERROR_INVALID_TYPE);
	}
}

static void numbers_that_are_no_word_or_truth_are_refused(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		union any object = {0};

		if (row->type == TYPE_BOOL)
			assert_int_equal(codec_set_number(row, &object, 2, NULL), -EINVAL);
		if (row->type != TYPE_ENUM)
			continue;
		for (uint64_t value = 0; value < 600; value++) {
			bool word = value < 256 &&
				    word_by_value(row->words, (unsigned int)value) != NULL;

			assert_int_equal(codec_set_number(row, &object, value, NULL),
					 word ? 0 : -EINVAL);
		}
	}
}

static void octets_come_back_as_they_were_set(void **state)
{
	static const struct {
		enum type type;
		size_t length;
		const char *bytes;
	} cases[] = {
		{TYPE_STRING, 0, ""},
		{TYPE_STRING, 5, "hello"},
		{TYPE_IFNAME, 4, "eth0"},
		{TYPE_ADDRESS, 4, "\xc0\x00\x02\x01"},
		{TYPE_ADDRESS, 16, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"},
		{TYPE_MAC, 6, "\x02\0\0\0\0\x01"},
		{TYPE_COOKIE, 0, ""},
		{TYPE_COOKIE, 4, "\0\0\0\0"},
		{TYPE_COOKIE, 8, "\x01\x23\x45\x67\x89\xab\xcd\xef"},
	};

	(void)state;
	FOR_ROWS(row)
	{
		for (size_t i = 0; i < COUNT(cases); i++) {
			union any object;
			const void *bytes;

			if (row->type != cases[i].type)
				continue;
			memset(&object, 0xff, sizeof(object));
			assert_int_equal(codec_set_bytes(row, &object, cases[i].bytes,
							 cases[i].length, NULL),
					 0);
			assert_int_equal(codec_get_bytes(row, &object, &bytes), cases[i].length);
			assert_memory_equal(bytes, cases[i].bytes, cases[i].length);
		}
	}
}

static bool is_length(enum type type, size_t length)
{
	switch (type) {
	case TYPE_STRING:
		return length <= 64;
	case TYPE_IFNAME:
		return length >= 1 && length <= 15;
	case TYPE_ADDRESS:
		return length == 4 || length == 16;
	case TYPE_COOKIE:
		return length == 0 || length == 4 || length == 8;
	default:
		return length == 6; /* TYPE_MAC */
	}
}

static void octets_of_a_wrong_length_are_refused(void **state)
{
	uint8_t bytes[65];

	(void)state;
	memset(bytes, 'b', sizeof(bytes)); /* even: a unicast MAC address too */
	FOR_ROWS(row)
	{
		for (size_t length = 0; length <= sizeof(bytes); length++) {
			union any object = {0};
			struct error err = ERROR_INIT;
			const void *none;
			int result;

			if (row->part != PART_CONFIG || is_number(row))
				continue;
			result = codec_set_bytes(row, &object, bytes, length, &err);
			if (is_length(row->type, length)) {
				assert_int_equal(result, 0);
				assert_int_equal(codec_get_bytes(row, &object, &none), length);
			} else {
				assert_int_equal(result, -EINVAL);
				assert_int_equal(err.code, ERROR_INVALID_LENGTH);
				assert_int_equal(object.present, 0);
			}
		}
	}
}

/* Else two equal values would differ in the bytes that nobody sees. */
static void a_shorter_value_leaves_nothing_of_a_longer_one(void **state)
{
	struct session once = {0}, twice = {0};

	(void)state;
	parse(session_row(SESSION_RX_COOKIE), &twice, "0123456789abcdef");
	parse(session_row(SESSION_BRIDGE), &twice, "br-with-a-name");
	parse(session_row(SESSION_RX_COOKIE), &twice, "89abcdef");
	parse(session_row(SESSION_BRIDGE), &twice, "br0");
	parse(session_row(SESSION_RX_COOKIE), &once, "89abcdef");
	parse(session_row(SESSION_BRIDGE), &once, "br0");
	assert_memory_equal(&once, &twice, sizeof(once));
}

static void times_print_as_the_wall_clock_was_then(void **state)
{
	const struct row *row = row_by_leaf(OBJECT_TUNNEL, "last-change", 11);
	struct tunnel_state tunnel = {
		.common.last_change = {.at = 1, .wall = INT64_C(1763806140123999999)}};

	(void)state;
	assert_string_equal(print(row, &tunnel), "2025-11-22T10:09:00.123+00:00");
	assert_int_equal(parse(row, &tunnel, "2025-11-22T10:09:00.123+00:00"), -EACCES);
}

/*
 * Presence, defaults, differences
 */

static void presence_bits_belong_to_the_rows_in_order(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		const struct row_set *set = &row_sets[row->object];
		unsigned int number = row_number(row);

		assert_ptr_equal(row, &set->rows[number]);
		assert_int_equal(row->part == PART_CONFIG, number < set->config_count);
		assert_int_equal(row->access == ACCESS_READ, number >= set->config_count);
	}
	assert_string_equal(session_row(SESSION_DEAD_INTERVAL)->leaf, "dead-interval");
	assert_string_equal(tunnel_row(TUNNEL_UDP6_CHECKSUM_RX)->leaf, "udp6-checksum-rx");
}

static void a_text_that_is_made_when_read_is_neither_taken_nor_printed(void **state)
{
	(void)state;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		const struct row *row = row_by_leaf((enum object)object, "status-text", 11);
		union {
			struct tunnel tunnel;
			struct session session;
		} any = {0};
		char text[VALUE_TEXT_MAX] = "x";

		assert_non_null(row);
		assert_int_equal(row->type, TYPE_TEXT);
		assert_int_equal(codec_print(row, &any, text), 0);
		assert_string_equal(text, "");
		assert_int_equal(codec_parse(row, &any, "up", 2, NULL), -EACCES);
	}
}

static void copy_takes_value_and_absence(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		union any from = {0}, to = {0}, empty = {0};

		if (row->part != PART_CONFIG)
			continue;
		for (size_t i = 0; i < COUNT(texts) && !from.present; i++) {
			if (texts[i].type == row->type)
				parse(row, &from, texts[i].text);
		}
		if (row->words)
			parse(row, &from, row->words->name);
		assert_true(codec_present(row, &from));
		codec_copy(row, &to, &from);
		assert_memory_equal(&to, &from, sizeof(to));
		codec_copy(row, &to, &empty);
		assert_false(codec_present(row, &to));
		codec_clear(row, &from);
		assert_memory_equal(&from, &empty, sizeof(from));
	}
}

static void state_is_absent_when_there_is_none(void **state)
{
	struct tunnel_state tunnel = {0};
	struct session_state session = {0};
	const struct row *local = row_by_leaf(OBJECT_TUNNEL, "resolved-local-address", 22);
	const struct row *index = row_by_leaf(OBJECT_SESSION, "if-index", 8);
	const struct row *count = row_by_leaf(OBJECT_TUNNEL, "session-count", 13);
	const struct row *oper = row_by_leaf(OBJECT_TUNNEL, "oper-status", 11);

	(void)state;
	assert_false(codec_present(local, &tunnel));
	assert_false(codec_present(index, &session));
	assert_false(codec_present(oper, &tunnel));
	assert_true(codec_present(count, &tunnel));
	tunnel.resolved_local_address.family = AF_INET;
	tunnel.common.oper_status = OPER_UP;
	session.if_index = 3;
	assert_true(codec_present(local, &tunnel));
	assert_true(codec_present(index, &session));
	assert_true(codec_present(oper, &tunnel));
	assert_string_equal(print(oper, &tunnel), "up");
}

static void make_tunnel(struct tunnel *tunnel, const char *encapsulation, const char *remote)
{
	memset(tunnel, 0, sizeof(*tunnel));
	parse(tunnel_row(TUNNEL_ID), tunnel, "1");
	parse(tunnel_row(TUNNEL_PEER_TUNNEL_ID), tunnel, "2");
	if (encapsulation)
		parse(tunnel_row(TUNNEL_ENCAPSULATION), tunnel, encapsulation);
	if (remote)
		parse(tunnel_row(TUNNEL_REMOTE_ADDRESS), tunnel, remote);
}

static void leaves_apply_by_encapsulation_and_family(void **state)
{
	static const struct {
		const char *encapsulation, *remote;
		bool port, checksum, checksum6;
	} cases[] = {
		{NULL, "192.0.2.1", true, true, false},
		{"udp", "192.0.2.1", true, true, false},
		{NULL, "2001:db8::1", true, false, true},
		{"ip", "192.0.2.1", false, false, false},
		{"ip", "2001:db8::1", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tunnel tunnel;

		make_tunnel(&tunnel, cases[i].encapsulation, cases[i].remote);
		assert_int_equal(codec_applies(tunnel_row(TUNNEL_LOCAL_PORT), &tunnel),
				 cases[i].port);
		assert_int_equal(codec_applies(tunnel_row(TUNNEL_UDP_CHECKSUM), &tunnel),
				 cases[i].checksum);
		assert_int_equal(codec_applies(tunnel_row(TUNNEL_UDP6_CHECKSUM_TX), &tunnel),
				 cases[i].checksum6);
		assert_true(codec_applies(tunnel_row(TUNNEL_ID), &tunnel));
	}
}

static void every_condition_is_said_in_words(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		assert_int_equal(row->when == WHEN_ALWAYS, codec_condition(row)[0] == '\0');
	}
}

static void complete_sets_defaults_where_they_apply_and_no_more(void **state)
{
	struct tunnel tunnel, twice;
	struct session session = {0};

	(void)state;
	make_tunnel(&tunnel, NULL, "192.0.2.1");
	parse(tunnel_row(TUNNEL_LOCAL_PORT), &tunnel, "5000");
	codec_complete(OBJECT_TUNNEL, &tunnel);
	assert_int_equal(tunnel.encapsulation, ENCAPSULATION_UDP);
	assert_true(tunnel.enabled);
	assert_int_equal(tunnel.local_port, 5000);
	assert_int_equal(tunnel.remote_port, PORT_DEFAULT);
	assert_true(codec_present(tunnel_row(TUNNEL_UDP_CHECKSUM), &tunnel));
	assert_false(codec_present(tunnel_row(TUNNEL_UDP6_CHECKSUM_RX), &tunnel));
	assert_false(codec_present(tunnel_row(TUNNEL_DESCRIPTION), &tunnel));
	twice = tunnel;
	codec_complete(OBJECT_TUNNEL, &twice);
	assert_memory_equal(&twice, &tunnel, sizeof(tunnel));

	codec_complete(OBJECT_SESSION, &session);
	assert_int_equal(session.pseudowire_type, PSEUDOWIRE_ETHERNET);
	assert_int_equal(session.l2_specific_sublayer, SUBLAYER_DEFAULT);
	assert_int_equal(session.sequencing, SEQUENCING_NONE);
	assert_true(session.link_enabled);
	assert_false(codec_present(session_row(SESSION_DEAD_INTERVAL), &session));

	memset(&session, 0, sizeof(session));
	parse(session_row(SESSION_PSEUDOWIRE_TYPE), &session, "ppp");
	codec_complete(OBJECT_SESSION, &session);
	assert_false(codec_present(session_row(SESSION_LINK_ENABLED), &session));
}

static void difference_sees_values_and_presence(void **state)
{
	struct session a = {0}, b = {0};

	(void)state;
	assert_int_equal(codec_difference(OBJECT_SESSION, &a, &b), 0);
	a.mtu = 1400; /* not present: no value */
	assert_int_equal(codec_difference(OBJECT_SESSION, &a, &b), 0);
	parse(session_row(SESSION_MTU), &a, "1400");
	assert_int_equal(codec_difference(OBJECT_SESSION, &a, &b), BIT(SESSION_MTU));
	parse(session_row(SESSION_MTU), &b, "1500");
	parse(session_row(SESSION_RX_COOKIE), &b, "01234567");
	assert_int_equal(codec_difference(OBJECT_SESSION, &a, &b),
			 BIT(SESSION_MTU) | BIT(SESSION_RX_COOKIE));
	assert_true(codec_any_change(OBJECT_SESSION, BIT(SESSION_MTU), CHANGE_LINK));
	assert_false(codec_any_change(OBJECT_SESSION, BIT(SESSION_MTU), CHANGE_RECREATE));
	assert_true(codec_any_change(OBJECT_SESSION, BIT(SESSION_MTU) | BIT(SESSION_RX_COOKIE),
				     CHANGE_RECREATE));
}

static void zero_clears_what_has_no_default_in_snmp(void **state)
{
	static const enum session_row cleared[] = {SESSION_DESCRIPTION,    SESSION_VLAN_ID,
						   SESSION_INTERFACE_NAME, SESSION_MAC_ADDRESS,
						   SESSION_TX_COOKIE,      SESSION_DEAD_INTERVAL},
				      kept[] = {SESSION_ID, SESSION_PEER_SESSION_ID,
						SESSION_PSEUDOWIRE_TYPE, SESSION_REORDER_TIMEOUT};

	(void)state;
	for (size_t i = 0; i < COUNT(cleared); i++)
		assert_true(codec_zero_is_absent(session_row(cleared[i])));
	for (size_t i = 0; i < COUNT(kept); i++)
		assert_false(codec_zero_is_absent(session_row(kept[i])));
	assert_true(codec_zero_is_absent(tunnel_row(TUNNEL_LOCAL_ADDRESS)));
	assert_false(codec_zero_is_absent(tunnel_row(TUNNEL_REMOTE_ADDRESS)));
}

/*
 * Look-ups
 */

static void every_row_is_found_by_all_its_names(void **state)
{
	(void)state;
	FOR_ROWS(row)
	{
		size_t length = strlen(row->leaf);

		assert_ptr_equal(row_by_leaf(row->object, row->leaf, length), row);
		assert_null(row_by_leaf(row->object, row->leaf, length - 1));
		assert_ptr_equal(row_by_keyword(row->object, row->leaf), row);
		if (row->mib)
			assert_ptr_equal(row_by_column(row->mib_table, row->mib_column), row);
		if (row->genl)
			assert_ptr_equal(row_by_attribute(row->object, row->part, row->genl), row);
		if (row->genl_pair)
			assert_ptr_equal(row_by_attribute(row->object, row->part, row->genl_pair),
					 row);
	}
	assert_null(row_by_leaf(OBJECT_TUNNEL, "mtu", 3));
	assert_null(row_by_leaf(OBJECT_TUNNEL, "", 0));
	assert_null(row_by_column(MIB_TUNNEL, 5)); /* local address type */
	assert_null(row_by_column(MIB_NONE, 0));
	assert_null(row_by_attribute(OBJECT_TUNNEL, PART_CONFIG, 0));
}

static void every_keyword_of_ip_l2tp_is_known(void **state)
{
	static const struct {
		enum object object;
		const char *keyword, *leaf;
	} cases[] = {
		{OBJECT_TUNNEL, "tunnel_id", "tunnel-id"},
		{OBJECT_TUNNEL, "tid", "tunnel-id"},
		{OBJECT_TUNNEL, "peer_tunnel_id", "peer-tunnel-id"},
		{OBJECT_TUNNEL, "ptid", "peer-tunnel-id"},
		{OBJECT_TUNNEL, "encap", "encapsulation"},
		{OBJECT_TUNNEL, "local", "local-address"},
		{OBJECT_TUNNEL, "src_addr", "local-address"},
		{OBJECT_TUNNEL, "dev", "local-interface"},
		{OBJECT_TUNNEL, "interface", "local-interface"},
		{OBJECT_TUNNEL, "local_interface", "local-interface"},
		{OBJECT_TUNNEL, "remote", "remote-address"},
		{OBJECT_TUNNEL, "udp_sport", "local-port"},
		{OBJECT_TUNNEL, "udp_dport", "remote-port"},
		{OBJECT_TUNNEL, "udp_csum", "udp-checksum"},
		{OBJECT_TUNNEL, "udp6_csum_tx", "udp6-checksum-tx"},
		{OBJECT_TUNNEL, "udp6_csum_rx", "udp6-checksum-rx"},
		{OBJECT_TUNNEL, "remote_address", "remote-address"},
		{OBJECT_SESSION, "session_id", "session-id"},
		{OBJECT_SESSION, "sid", "session-id"},
		{OBJECT_SESSION, "psid", "peer-session-id"},
		{OBJECT_SESSION, "name", "interface-name"},
		{OBJECT_SESSION, "dev", "interface-name"},
		{OBJECT_SESSION, "interface", "interface-name"},
		{OBJECT_SESSION, "cookie", "tx-cookie"},
		{OBJECT_SESSION, "peer_cookie", "rx-cookie"},
		{OBJECT_SESSION, "l2spec_type", "l2-specific-sublayer"},
		{OBJECT_SESSION, "seq", "sequencing"},
		{OBJECT_SESSION, "reorder_timeout", "reorder-timeout"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct row *row = row_by_keyword(cases[i].object, cases[i].keyword);

		assert_non_null(row);
		assert_string_equal(row->leaf, cases[i].leaf);
	}
	assert_null(row_by_keyword(OBJECT_TUNNEL, "remot"));
	assert_null(row_by_keyword(OBJECT_TUNNEL, "tunnel_id|tid"));
	assert_null(row_by_keyword(OBJECT_TUNNEL, ""));
	assert_string_equal(ignored_by_keyword("peer_offset")->accepted, "0");
	assert_null(ignored_by_keyword("l2spec_len")->accepted);
	assert_null(ignored_by_keyword("offse"));
	assert_null(ignored_by_keyword(""));
}

static void words_are_found_by_name_spelling_and_number(void **state)
{
	const struct word *types = session_row(SESSION_PSEUDOWIRE_TYPE)->words;

	(void)state;
	assert_string_equal(word_by_spelling(types, "eth")->name, "ethernet");
	assert_string_equal(word_by_spelling(types, "PPP")->name, "ppp");
	assert_string_equal(word_by_spelling(types, "Vlan")->name, "ethernet-vlan");
	assert_string_equal(word_by_spelling(types, "eth-vlan")->name, "ethernet-vlan");
	assert_string_equal(word_by_spelling(types, "ethernet-vlan")->name, "ethernet-vlan");
	assert_null(word_by_spelling(types, "vlan|eth-vlan"));
	assert_null(word_by_spelling(types, "et"));
	assert_null(word_by_spelling(types, ""));
	assert_null(word_by_name(types, "eth", 3)); /* which YANG has not */
	assert_string_equal(word_by_name(types, "ethernet", 8)->name, "ethernet");
	assert_null(word_by_name(types, "ether", 5));
	assert_null(word_by_name(types, "", 0));
	assert_string_equal(word_by_value(types, 4)->name, "ethernet-vlan");
	assert_string_equal(word_by_wire(types, 5)->name, "ethernet");
	assert_null(word_by_value(types, 5000));
	assert_null(word_by_wire(types, 4));
}

static void descriptors_are_the_camel_case_of_the_leaf(void **state)
{
	char camel[64];

	(void)state;
	FOR_ROWS(row)
	{
		if (!row->mib || row->access == ACCESS_KEY)
			continue;
		camel_case(row->leaf, camel, sizeof(camel));
		assert_string_equal(camel + 1, row->mib + 1);
		assert_int_equal(camel[0] - 'a', row->mib[0] - 'A');
		assert_non_null(strstr(mib_prefix(row->mib_table), "l2tpv3"));
	}
	camel_case("peer-silent", camel, sizeof(camel));
	assert_string_equal(camel, "peerSilent");
	camel_case("peer-silent", camel, 7);
	assert_string_equal(camel, "peerSi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_text_is_what_print_gives_and_parse_takes),
		cmocka_unit_test(a_refused_text_leaves_the_object_as_it_was),
		cmocka_unit_test(numbers_are_taken_up_to_their_bounds_and_refused_beyond),
		cmocka_unit_test(text_is_taken_by_its_length),
		cmocka_unit_test(addresses_that_cannot_work_are_refused_with_the_reason),
		cmocka_unit_test(the_same_addresses_are_refused_as_octets),
		cmocka_unit_test(a_refusal_names_what_was_given_what_is_allowed_and_why),
		cmocka_unit_test(a_refused_cookie_is_not_told),
		cmocka_unit_test(every_number_can_be_set_and_got),
		cmocka_unit_test(numbers_that_are_no_word_or_truth_are_refused),
		cmocka_unit_test(octets_come_back_as_they_were_set),
		cmocka_unit_test(octets_of_a_wrong_length_are_refused),
		cmocka_unit_test(a_shorter_value_leaves_nothing_of_a_longer_one),
		cmocka_unit_test(times_print_as_the_wall_clock_was_then),
		cmocka_unit_test(presence_bits_belong_to_the_rows_in_order),
		cmocka_unit_test(a_text_that_is_made_when_read_is_neither_taken_nor_printed),
		cmocka_unit_test(copy_takes_value_and_absence),
		cmocka_unit_test(state_is_absent_when_there_is_none),
		cmocka_unit_test(leaves_apply_by_encapsulation_and_family),
		cmocka_unit_test(every_condition_is_said_in_words),
		cmocka_unit_test(complete_sets_defaults_where_they_apply_and_no_more),
		cmocka_unit_test(difference_sees_values_and_presence),
		cmocka_unit_test(zero_clears_what_has_no_default_in_snmp),
		cmocka_unit_test(every_row_is_found_by_all_its_names),
		cmocka_unit_test(every_keyword_of_ip_l2tp_is_known),
		cmocka_unit_test(words_are_found_by_name_spelling_and_number),
		cmocka_unit_test(descriptors_are_the_camel_case_of_the_leaf),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
