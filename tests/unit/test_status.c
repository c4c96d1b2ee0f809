/* Status in words: every reason names the thing and, where there is one, the cure. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "model/codec.h"
#include "model/status.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void set(enum object object, void *config, const char *leaf, const char *value)
{
	const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

	assert_int_equal(codec_parse(row, config, value, strlen(value), NULL), 0);
}

static struct tunnel make_tunnel(const char *encapsulation, const char *local, const char *remote)
{
	struct tunnel tunnel = {0};

	set(OBJECT_TUNNEL, &tunnel, "encapsulation", encapsulation);
	set(OBJECT_TUNNEL, &tunnel, local[0] == 'e' ? "local-interface" : "local-address", local);
	set(OBJECT_TUNNEL, &tunnel, "remote-address", remote);
	return tunnel;
}

static void each_reason_says_what_and_what_cures_it(void **state)
{
	static const struct {
		uint8_t reason;
		int16_t os_errno;
		const char *expected;
	} cases[] = {
		{REASON_NONE, 0, ""},
		{REASON_NO_ROUTE, ENETUNREACH,
		 "no route to 192.0.2.2 (Network is unreachable); retried when a route appears"},
		{REASON_NO_LOCAL_ADDRESS, EADDRNOTAVAIL,
		 "this host does not have the local address 192.0.2.1 "
		 "(Cannot assign requested address); retried when it appears"},
		{REASON_ADDRESS_IN_USE, EADDRINUSE,
		 "another socket holds 192.0.2.1 port 1701 (Address already in use); "
		 "two tunnels cannot share it"},
		{REASON_DISABLED, 0, "enabled is false; set it to true to create it"},
		{REASON_BEING_REMOVED, 0, /* of what is deleted for good, too */
		 "deleted, but the kernel has not let go of it; its id and interface name are free "
		 "when it has"},
		{REASON_KERNEL_ERROR, ENOBUFS, "the kernel refused it (No buffer space available)"},
		{REASON_NO_ROUTE, EINVAL,
		 "no route to 192.0.2.2 (a blackhole route or rule); retried when a route appears"},
		{REASON_ADDRESS_DUPLICATE, 0,
		 "another host has the local address 192.0.2.1: duplicate address detection "
		 "failed; "
		 "remove it there, then add it here again"},
		{REASON_ADDRESS_IN_VRF, 0,
		 "the local address 192.0.2.1 is in VRF red, where a static tunnel cannot be "
		 "bound; "
		 "retried when it is outside"},
		{REASON_LINK_DOWN, 0,
		 "the way to 192.0.2.2 is red, which is down or has no carrier; retried when it is "
		 "up"},
	};
	const struct tunnel tunnel = make_tunnel("udp", "192.0.2.1", "192.0.2.2");
	char ret[STATUS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tunnel_state all = {.common = {.status_reason = cases[i].reason,
						      .status_errno = cases[i].os_errno},
					   .path_link = "red"};
		size_t length = status_text(&all.common, &tunnel, NULL, ret);

		assert_string_equal(ret, cases[i].expected);
		assert_int_equal(length, strlen(ret));
	}
}

static void the_interface_that_lacks_an_address_is_named_with_it(void **state)
{
	static const char *const expected[] = {
		"no usable address of the family of remote-address on eth7 (No such device); "
		"retried when one appears",
		"no address 192.0.2.1 on eth7 (No such device); retried when one appears",
	};
	struct tunnel tunnel = make_tunnel("udp", "eth7", "192.0.2.2");
	struct state common = {.status_reason = REASON_NO_INTERFACE_ADDRESS,
			       .status_errno = ENODEV};
	char ret[STATUS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		status_text(&common, &tunnel, NULL, ret);
		assert_string_equal(ret, expected[i]);
		set(OBJECT_TUNNEL, &tunnel, "local-address", "192.0.2.1");
	}
}

static void every_reason_has_a_sentence_that_fits(void **state)
{
	struct tunnel tunnel = make_tunnel("udp", "2001:db8:1111:2222:3333:4444:5555:6666",
					   "2001:db8:1111:2222:3333:4444:5555:7777");
	struct session session = {0};

	(void)state;
	set(OBJECT_TUNNEL, &tunnel, "local-interface", "fifteen.octets_");
	set(OBJECT_SESSION, &session, "interface-name", "fifteen.octets_");
	set(OBJECT_SESSION, &session, "dead-interval", "86400");
	for (const struct word *word = status_reason_words; word->name; word++) {
		struct tunnel_state all = {
			.common = {.status_reason = word->value, .status_errno = EADDRNOTAVAIL},
			.path_link = "fifteen.octets_"};
		char ret[STATUS_TEXT_MAX];

		for (unsigned int i = 0; i < 2; i++) {
			size_t length = status_text(&all.common, &tunnel, i ? &session : NULL, ret);

			assert_true(length < STATUS_TEXT_MAX - 1);
			assert_int_equal(length == 0, word->value == REASON_NONE);
		}
	}
}

static void a_missing_module_is_named(void **state)
{
	static const struct {
		const char *encapsulation, *remote, *type, *module;
		int16_t os_errno;
	} cases[] = {
		{"udp", "192.0.2.2", NULL, "l2tp_netlink", ENOENT},
		{"ip", "192.0.2.2", NULL, "l2tp_ip;", 0},
		{"ip", "2001:db8::2", NULL, "l2tp_ip6;", 0},
		{"udp", "192.0.2.2", "ethernet", "l2tp_eth", 0},
		{"ip", "192.0.2.2", "ppp", "l2tp_ppp", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct state common = {.status_reason = REASON_MODULE_MISSING,
				       .status_errno = cases[i].os_errno};
		struct tunnel tunnel = make_tunnel(cases[i].encapsulation, "eth0", cases[i].remote);
		struct session session = {0};
		char ret[STATUS_TEXT_MAX];

		if (cases[i].type)
			set(OBJECT_SESSION, &session, "pseudowire-type", cases[i].type);
		status_text(&common, &tunnel, cases[i].type ? &session : NULL, ret);
		assert_non_null(strstr(ret, cases[i].module));
	}
}

static void what_was_deleted_is_not_said_to_be_retried(void **state)
{
	const struct tunnel tunnel = make_tunnel("udp", "eth0", "192.0.2.2");
	struct state common = {.oper_status = OPER_REMOVING, .status_reason = REASON_BEING_REMOVED};
	char ret[STATUS_TEXT_MAX];

	(void)state;
	status_text(&common, &tunnel, NULL, ret);
	assert_non_null(strstr(ret, "deleted"));
	assert_null(strstr(ret, "retried"));
}

static void a_reason_out_of_range_says_nothing(void **state)
{
	const struct tunnel tunnel = make_tunnel("udp", "eth0", "192.0.2.2");
	struct state common = {.status_reason = 200, .status_errno = EPERM};
	char ret[STATUS_TEXT_MAX];

	(void)state;
	assert_int_equal(status_text(&common, &tunnel, NULL, ret), 0);
	common.status_reason = 0;
	assert_int_equal(status_text(&common, &tunnel, NULL, ret), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_says_what_and_what_cures_it),
		cmocka_unit_test(the_interface_that_lacks_an_address_is_named_with_it),
		cmocka_unit_test(every_reason_has_a_sentence_that_fits),
		cmocka_unit_test(a_missing_module_is_named),
		cmocka_unit_test(what_was_deleted_is_not_said_to_be_retried),
		cmocka_unit_test(a_reason_out_of_range_says_nothing),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
