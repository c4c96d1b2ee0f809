/* To and from the wire: order, width, flags whose absence speaks, and what counts as the same. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/l2tp.h>
#include <string.h>
#include <sys/socket.h>

#include "model/codec.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

union config {
	uint64_t present;
	struct tunnel tunnel;
	struct session session;
};

static const struct row *tunnel_row(enum tunnel_row row)
{
	return &row_sets[OBJECT_TUNNEL].rows[row];
}

static const struct row *session_row(enum session_row row)
{
	return &row_sets[OBJECT_SESSION].rows[row];
}

static void set(const struct row *row, void *object, const char *text)
{
	assert_int_equal(codec_parse(row, object, text, strlen(text), NULL), 0);
}

/* One leaf to the wire: how many attributes. */
static unsigned int send_one(const struct row *row, const char *text, struct wire_attribute ret[2])
{
	union config config = {0};

	set(row, &config, text);
	return codec_to_wire(row, &config, ret);
}

static void check_sent(const struct row *row, const char *text, unsigned int attr,
		       const void *bytes, size_t length)
{
	struct wire_attribute wire[2];

	assert_int_equal(send_one(row, text, wire), 1);
	assert_int_equal(wire[0].attr, attr);
	assert_int_equal(wire[0].length, length);
	assert_memory_equal(wire[0].bytes, bytes, length);
}

/* clang-format off */
static const struct {
	enum type type;
	const char *texts[4];
} samples[] = {
	{ TYPE_BOOL, { "true", "false" } },
	{ TYPE_U16, { "1", "258", "4094" } },
	{ TYPE_U32, { "1", "305", "60000" } },
	{ TYPE_IFNAME, { "e", "l2tpeth0", "fifteen.octets_" } },
	{ TYPE_ADDRESS, { "192.0.2.1", "2001:db8::1" } },
	{ TYPE_COOKIE, { "", "01234567", "0123456789abcdef" } },
};
/* clang-format on */

/* @text goes to the wire and comes back as it was. */
static void check_round_trip(const struct row *row, const char *text)
{
	union config sent = {0}, got;
	struct wire_attribute wire[2];
	unsigned int count;

	set(row, &sent, text);
	codec_wire_defaults(row->object, &got);
	count = codec_to_wire(row, &sent, wire);
	for (unsigned int i = 0; i < count; i++) {
		assert_ptr_equal(row_by_attribute(row->object, PART_CONFIG, wire[i].attr), row);
		assert_int_equal(
			codec_from_wire(row, &got, wire[i].attr, wire[i].bytes, wire[i].length), 0);
		assert_true(codec_present(row, &got));
	}
	assert_true(codec_equal(row, &sent, &got));
	assert_true(codec_same_in_kernel(row, &sent, &got));
}

static void every_value_comes_back_from_the_wire_as_it_went(void **state)
{
	(void)state;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		for (unsigned int i = 0; i < row_sets[object].config_count; i++) {
			const struct row *row = &row_sets[object].rows[i];

			if (row->wire == WIRE_NONE)
				continue;
			for (size_t s = 0; s < COUNT(samples); s++)
				for (size_t t = 0; t < 4 && samples[s].texts[t]; t++)
					if (samples[s].type == row->type)
						check_round_trip(row, samples[s].texts[t]);
			for (const struct word *word = row->words; word && word->name; word++)
				if (word->value != PSEUDOWIRE_ETHERNET_VLAN ||
				    row->wire != WIRE_U16)
					check_round_trip(row, word->name);
		}
	}
}

static void what_is_absent_or_not_in_netlink_is_not_sent(void **state)
{
	union config config = {0};
	struct wire_attribute wire[2];

	(void)state;
	for (unsigned int object = 0; object < OBJECTS; object++)
		for (unsigned int i = 0; i < row_sets[object].config_count; i++)
			assert_int_equal(codec_to_wire(&row_sets[object].rows[i], &config, wire),
					 0);
	assert_int_equal(send_one(session_row(SESSION_MTU), "1400", wire), 0);
	assert_int_equal(send_one(session_row(SESSION_VLAN_ID), "7", wire), 0);
	assert_int_equal(send_one(session_row(SESSION_TX_COOKIE), "", wire), 0);
}

static void integers_and_ports_go_in_host_order_addresses_in_network_order(void **state)
{
	const uint16_t port = 1701;
	const uint32_t id = 0x01020304;
	const uint64_t timeout = 1000;

	(void)state;
	check_sent(tunnel_row(TUNNEL_LOCAL_PORT), "1701", L2TP_ATTR_UDP_SPORT, &port, 2);
	check_sent(tunnel_row(TUNNEL_ID), "16909060", L2TP_ATTR_CONN_ID, &id, 4);
	check_sent(session_row(SESSION_REORDER_TIMEOUT), "1000", L2TP_ATTR_RECV_TIMEOUT, &timeout,
		   8);
	check_sent(tunnel_row(TUNNEL_REMOTE_ADDRESS), "192.0.2.1", L2TP_ATTR_IP_DADDR,
		   "\xc0\x00\x02\x01", 4);
	check_sent(tunnel_row(TUNNEL_LOCAL_ADDRESS), "2001:db8::1", L2TP_ATTR_IP6_SADDR,
		   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
}

static void tx_cookie_is_cookie_and_rx_cookie_is_peer_cookie(void **state)
{
	(void)state;
	check_sent(session_row(SESSION_TX_COOKIE), "0123456789abcdef", L2TP_ATTR_COOKIE,
		   "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
	check_sent(session_row(SESSION_RX_COOKIE), "deadbeef", L2TP_ATTR_PEER_COOKIE,
		   "\xde\xad\xbe\xef", 4);
}

static void words_go_as_the_kernels_numbers(void **state)
{
	const uint16_t udp = 0, ip = 1, ethernet = 5, ppp = 7;

	(void)state;
	check_sent(tunnel_row(TUNNEL_ENCAPSULATION), "udp", L2TP_ATTR_ENCAP_TYPE, &udp, 2);
	check_sent(tunnel_row(TUNNEL_ENCAPSULATION), "ip", L2TP_ATTR_ENCAP_TYPE, &ip, 2);
	check_sent(session_row(SESSION_PSEUDOWIRE_TYPE), "ethernet", L2TP_ATTR_PW_TYPE, &ethernet,
		   2);
	check_sent(session_row(SESSION_PSEUDOWIRE_TYPE), "ethernet-vlan", L2TP_ATTR_PW_TYPE,
		   &ethernet, 2);
	check_sent(session_row(SESSION_PSEUDOWIRE_TYPE), "ppp", L2TP_ATTR_PW_TYPE, &ppp, 2);
	check_sent(session_row(SESSION_L2_SPECIFIC_SUBLAYER), "none", L2TP_ATTR_L2SPEC_TYPE, "\0",
		   1);
	check_sent(session_row(SESSION_L2_SPECIFIC_SUBLAYER), "default", L2TP_ATTR_L2SPEC_TYPE,
		   "\1", 1);
}

/* Sending UDP_CSUM with value 0 switches checksums on. */
static void the_ipv4_checksum_is_sent_only_to_switch_it_on(void **state)
{
	struct wire_attribute wire[2];

	(void)state;
	check_sent(tunnel_row(TUNNEL_UDP_CHECKSUM), "true", L2TP_ATTR_UDP_CSUM, "\1", 1);
	assert_int_equal(send_one(tunnel_row(TUNNEL_UDP_CHECKSUM), "false", wire), 0);
}

static void the_ipv6_checksums_are_sent_only_to_switch_them_off(void **state)
{
	struct wire_attribute wire[2];

	(void)state;
	check_sent(tunnel_row(TUNNEL_UDP6_CHECKSUM_TX), "false", L2TP_ATTR_UDP_ZERO_CSUM6_TX, "",
		   0);
	check_sent(tunnel_row(TUNNEL_UDP6_CHECKSUM_RX), "false", L2TP_ATTR_UDP_ZERO_CSUM6_RX, "",
		   0);
	assert_int_equal(send_one(tunnel_row(TUNNEL_UDP6_CHECKSUM_TX), "true", wire), 0);
	assert_int_equal(send_one(tunnel_row(TUNNEL_UDP6_CHECKSUM_RX), "true", wire), 0);
}

/* Both, so that a MODIFY can switch either off. */
static void sequencing_is_always_sent_as_two_flags(void **state)
{
	static const struct {
		const char *text;
		uint8_t send, receive;
	} cases[] = {{"none", 0, 0}, {"send", 1, 0}, {"receive", 0, 1}, {"both", 1, 1}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wire_attribute wire[2];

		assert_int_equal(send_one(session_row(SESSION_SEQUENCING), cases[i].text, wire), 2);
		assert_int_equal(wire[0].attr, L2TP_ATTR_SEND_SEQ);
		assert_int_equal(wire[0].bytes[0], cases[i].send);
		assert_int_equal(wire[1].attr, L2TP_ATTR_RECV_SEQ);
		assert_int_equal(wire[1].bytes[0], cases[i].receive);
		assert_int_equal(wire[0].length + wire[1].length, 2);
	}
}

static void a_wrong_length_is_refused_and_changes_nothing(void **state)
{
	const uint8_t bytes[24] = {1, 2, 3, 4};

	(void)state;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		for (unsigned int i = 0; i < row_sets[object].config_count; i++) {
			const struct row *row = &row_sets[object].rows[i];
			union config config, before;
			size_t refused = 0;

			if (row->wire == WIRE_STRING)
				continue; /* see below */
			memset(&config, 0x11, sizeof(config));
			before = config;
			for (size_t length = 0; length <= sizeof(bytes); length++) {
				if (!codec_from_wire(row, &config, row->genl, bytes, length)) {
					config = before;
					continue;
				}
				assert_memory_equal(&config, &before, sizeof(config));
				refused++;
			}
			assert_true(refused >= 16);
		}
	}
}

static void a_name_must_end_and_fit(void **state)
{
	const struct row *row = session_row(SESSION_INTERFACE_NAME);
	struct session session = {0};

	(void)state;
	assert_int_equal(codec_from_wire(row, &session, L2TP_ATTR_IFNAME, "eth0", 4), -EPROTO);
	assert_int_equal(codec_from_wire(row, &session, L2TP_ATTR_IFNAME, "0123456789abcdef", 17),
			 -EPROTO);
	assert_int_equal(codec_from_wire(row, &session, L2TP_ATTR_IFNAME, "eth0\0xx", 7), 0);
	assert_string_equal(session.interface_name, "eth0");
}

static void a_word_the_kernel_may_learn_later_stays_unknown(void **state)
{
	const uint16_t pppac = 8;
	struct session session = {0};

	(void)state;
	assert_int_equal(codec_from_wire(session_row(SESSION_PSEUDOWIRE_TYPE), &session,
					 L2TP_ATTR_PW_TYPE, &pppac, 2),
			 0);
	assert_false(codec_present(session_row(SESSION_PSEUDOWIRE_TYPE), &session));
}

/* Others may have made it; 2^64-1 comes back from a kernel told that. */
static void a_timeout_beyond_ours_is_cut_not_wrapped(void **state)
{
	const uint64_t timeout = UINT64_C(0x100000001);
	struct session session = {0};

	(void)state;
	assert_int_equal(codec_from_wire(session_row(SESSION_REORDER_TIMEOUT), &session,
					 L2TP_ATTR_RECV_TIMEOUT, &timeout, 8),
			 0);
	assert_int_equal(session.reorder_timeout, UINT32_MAX);
}

static void counters_are_taken_by_their_own_numbers(void **state)
{
	const uint64_t value = UINT64_C(0x123456789abcdef0);

	(void)state;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		struct statistics statistics = {0};
		const struct row *row =
			row_by_attribute((enum object)object, PART_STATISTICS, L2TP_ATTR_RX_ERRORS);

		assert_int_equal(codec_from_wire(row, &statistics, L2TP_ATTR_RX_ERRORS, &value, 8),
				 0);
		assert_int_equal(statistics.rx_errors, value);
		assert_int_equal(codec_from_wire(row, &statistics, L2TP_ATTR_RX_ERRORS, &value, 4),
				 -EPROTO);
		assert_int_equal(statistics.tx_packets, 0);
	}
}

static void read_tunnel(struct tunnel *tunnel, const char *encapsulation, const char *remote)
{
	memset(tunnel, 0xff, sizeof(*tunnel)); /* whatever the message before left */
	codec_wire_defaults(OBJECT_TUNNEL, tunnel);
	set(tunnel_row(TUNNEL_ENCAPSULATION), tunnel, encapsulation);
	set(tunnel_row(TUNNEL_REMOTE_ADDRESS), tunnel, remote);
	codec_wire_finish(OBJECT_TUNNEL, tunnel);
}

static void absence_says_what_the_kernel_means_by_it(void **state)
{
	const uint64_t read = BIT(TUNNEL_ENCAPSULATION) | BIT(TUNNEL_REMOTE_ADDRESS);
	struct tunnel tunnel;
	struct session session;

	(void)state;
	read_tunnel(&tunnel, "udp", "192.0.2.1");
	assert_int_equal(tunnel.present, read | BIT(TUNNEL_UDP_CHECKSUM));
	assert_false(tunnel.udp_checksum);
	read_tunnel(&tunnel, "udp", "2001:db8::1");
	assert_int_equal(tunnel.present,
			 read | BIT(TUNNEL_UDP6_CHECKSUM_TX) | BIT(TUNNEL_UDP6_CHECKSUM_RX));
	assert_true(tunnel.udp6_checksum_tx);
	assert_true(tunnel.udp6_checksum_rx);
	read_tunnel(&tunnel, "ip", "2001:db8::1");
	assert_int_equal(tunnel.present, read);
	codec_wire_defaults(OBJECT_SESSION, &session);
	assert_int_equal(session.present, BIT(SESSION_SEQUENCING) | BIT(SESSION_REORDER_TIMEOUT));
	assert_int_equal(session.sequencing, SEQUENCING_NONE);
}

/*
 * The same in the kernel
 */

static bool same(enum session_row row, const char *wanted_text, const char *found_text,
		 const char *lns_mode)
{
	struct session wanted = {0}, found = {0};

	if (wanted_text)
		set(session_row(row), &wanted, wanted_text);
	if (found_text)
		set(session_row(row), &found, found_text);
	if (lns_mode)
		set(session_row(SESSION_LNS_MODE), &wanted, lns_mode);
	return codec_same_in_kernel(session_row(row), &wanted, &found);
}

static void a_plain_difference_is_seen(void **state)
{
	(void)state;
	assert_false(same(SESSION_PEER_SESSION_ID, "1", "2", NULL));
	assert_true(same(SESSION_PEER_SESSION_ID, "1", "1", NULL));
	assert_false(same(SESSION_LNS_MODE, "true", "false", NULL));
	assert_false(same(SESSION_PSEUDOWIRE_TYPE, "ppp", "ethernet", NULL));
	assert_false(same(SESSION_INTERFACE_NAME, "a", NULL, NULL));
}

static void what_the_kernel_does_not_tell_is_taken_as_recorded(void **state)
{
	(void)state;
	assert_true(same(SESSION_L2_SPECIFIC_SUBLAYER, "none", NULL, NULL));
	assert_true(same(SESSION_DESCRIPTION, "x", NULL, NULL));
	assert_true(same(SESSION_MTU, "1400", NULL, NULL));
}

static void an_ethernet_vlan_session_is_an_ethernet_session_there(void **state)
{
	(void)state;
	assert_true(same(SESSION_PSEUDOWIRE_TYPE, "ethernet-vlan", "ethernet", NULL));
}

static void an_absent_cookie_means_none_but_an_absent_name_means_any(void **state)
{
	(void)state;
	assert_true(same(SESSION_RX_COOKIE, NULL, NULL, NULL));
	assert_true(same(SESSION_RX_COOKIE, "", NULL, NULL));
	assert_false(same(SESSION_RX_COOKIE, NULL, "01234567", NULL));
	assert_false(same(SESSION_RX_COOKIE, "01234567", NULL, NULL));
	assert_true(same(SESSION_INTERFACE_NAME, NULL, "l2tpeth0", NULL));
}

/* HZ=250: 1 becomes 4, 50 becomes 52 (measured). */
static void a_timeout_rounded_up_to_the_tick_is_the_same(void **state)
{
	static const struct {
		const char *wanted, *found;
		bool same;
	} cases[] = {
		{"0", "0", true},   {"0", "4", false},   {"1", "4", true},
		{"50", "52", true}, {"50", "50", true},  {"1", "10", true},
		{"1", "0", false},  {"50", "48", false}, {"50", "60", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
			same(SESSION_REORDER_TIMEOUT, cases[i].wanted, cases[i].found, NULL),
			cases[i].same);
}

static void send_seq_may_follow_the_peer_unless_we_are_the_lns(void **state)
{
	(void)state;
	assert_true(same(SESSION_SEQUENCING, "none", "send", "false"));
	assert_true(same(SESSION_SEQUENCING, "both", "receive", NULL));
	assert_false(same(SESSION_SEQUENCING, "none", "receive", "false"));
	assert_false(same(SESSION_SEQUENCING, "none", "send", "true"));
	assert_true(same(SESSION_SEQUENCING, "both", "both", "true"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_comes_back_from_the_wire_as_it_went),
		cmocka_unit_test(what_is_absent_or_not_in_netlink_is_not_sent),
		cmocka_unit_test(integers_and_ports_go_in_host_order_addresses_in_network_order),
		cmocka_unit_test(tx_cookie_is_cookie_and_rx_cookie_is_peer_cookie),
		cmocka_unit_test(words_go_as_the_kernels_numbers),
		cmocka_unit_test(the_ipv4_checksum_is_sent_only_to_switch_it_on),
		cmocka_unit_test(the_ipv6_checksums_are_sent_only_to_switch_them_off),
		cmocka_unit_test(sequencing_is_always_sent_as_two_flags),
		cmocka_unit_test(a_wrong_length_is_refused_and_changes_nothing),
		cmocka_unit_test(a_name_must_end_and_fit),
		cmocka_unit_test(a_word_the_kernel_may_learn_later_stays_unknown),
		cmocka_unit_test(a_timeout_beyond_ours_is_cut_not_wrapped),
		cmocka_unit_test(counters_are_taken_by_their_own_numbers),
		cmocka_unit_test(absence_says_what_the_kernel_means_by_it),
		cmocka_unit_test(a_plain_difference_is_seen),
		cmocka_unit_test(what_the_kernel_does_not_tell_is_taken_as_recorded),
		cmocka_unit_test(an_ethernet_vlan_session_is_an_ethernet_session_there),
		cmocka_unit_test(an_absent_cookie_means_none_but_an_absent_name_means_any),
		cmocka_unit_test(a_timeout_rounded_up_to_the_tick_is_the_same),
		cmocka_unit_test(send_seq_may_follow_the_peer_unless_we_are_the_lns),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
