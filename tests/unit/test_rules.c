/* Rules over several leaves: what is refused, where the error points, what is dropped. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "model/codec.h"
#include "model/entry.h"
#include "model/rules.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LEAVES       10

/* "leaf=value", ends with NULL. */
typedef const char *const leaves[LEAVES];

static void set(enum object object, void *config, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	const struct row *row = row_by_leaf(object, assignment, (size_t)(equals - assignment));

	assert_non_null(row);
	assert_int_equal(codec_parse(row, config, equals + 1, strlen(equals + 1), NULL), 0);
}

static void set_all(enum object object, void *config, leaves assignments)
{
	for (size_t i = 0; i < LEAVES && assignments[i]; i++)
		set(object, config, assignments[i]);
}

static struct tunnel make_tunnel(leaves assignments)
{
	struct tunnel tunnel = {0};

	set_all(OBJECT_TUNNEL, &tunnel, assignments);
	return tunnel;
}

static struct session make_session(leaves assignments)
{
	struct session session = {0};

	set_all(OBJECT_SESSION, &session, assignments);
	return session;
}

static bool has(enum object object, const void *config, const char *leaf)
{
	return codec_present(row_by_leaf(object, leaf, strlen(leaf)), config);
}

/* clang-format off */
#define T "tunnel-id=7", "peer-tunnel-id=8"
#define S "session-id=70", "peer-session-id=80"
#define AT_TUNNEL "/l2tpv3/tunnel[tunnel-id='7']"
#define AT_SESSION AT_TUNNEL "/session[session-id='70']"

static const struct {
	leaves given;
} good_tunnels[] = {
	{ { T, "local-address=192.0.2.1", "remote-address=192.0.2.2" } },
	{ { T, "local-address=2001:db8::1", "remote-address=2001:db8::2" } },
	{ { T, "local-interface=eth0", "remote-address=192.0.2.2" } },
	{ { T, "local-interface=eth0", "remote-address=2001:db8::2", "udp6-checksum-tx=false" } },
	{ { T, "local-address=192.0.2.1", "local-interface=eth0", "remote-address=192.0.2.2" } },
	{ { T, "local-address=192.0.2.1", "remote-address=192.0.2.2", "encapsulation=ip" } },
	{ { T, "local-address=192.0.2.1", "remote-address=192.0.2.2", "local-port=1",
	    "udp-checksum=true" } },
};

static const struct {
	leaves given;
	enum error_code code;
	const char *path, *info, *app_tag, *text;
} bad_tunnels[] = {
	{ { "tunnel-id=7", "local-address=192.0.2.1", "remote-address=192.0.2.2" },
	  ERROR_MANDATORY, AT_TUNNEL "/peer-tunnel-id", "peer-tunnel-id", NULL, "peer-tunnel-id" },
	{ { T, "local-address=192.0.2.1" },
	  ERROR_MANDATORY, AT_TUNNEL "/remote-address", "remote-address", NULL, "remote-address" },
	{ { T, "remote-address=192.0.2.2" },
	  ERROR_MISSING_CHOICE, AT_TUNNEL, "local", "missing-choice", "local-interface" },
	{ { T, "remote-address=192.0.2.2", "local-address=2001:db8::1", "local-interface=eth0" },
	  ERROR_MUST, AT_TUNNEL "/remote-address", "remote-address", "address-family-mismatch",
	  "both IPv4" },
	{ { T, "remote-address=2001:db8::2", "local-address=192.0.2.1" },
	  ERROR_MUST, AT_TUNNEL "/remote-address", "remote-address", "address-family-mismatch",
	  "given 2001:db8::2 with local-address 192.0.2.1" },
	{ { T, "remote-address=192.0.2.2", "local-address=2001:db8::1" },
	  ERROR_MUST, AT_TUNNEL "/remote-address", "remote-address", "address-family-mismatch",
	  "both IPv4" },
	{ { T, "remote-address=192.0.2.2", "local-address=192.0.2.1", "encapsulation=ip",
	    "local-port=5000" },
	  ERROR_NOT_APPLICABLE, AT_TUNNEL "/local-port", "local-port", NULL,
	  "given 5000; allowed only when encapsulation is udp" },
	{ { T, "remote-address=192.0.2.2", "local-address=192.0.2.1", "udp6-checksum-rx=true" },
	  ERROR_NOT_APPLICABLE, AT_TUNNEL "/udp6-checksum-rx", "udp6-checksum-rx", NULL, "IPv6" },
	{ { T, "remote-address=2001:db8::2", "local-interface=eth0", "udp-checksum=false" },
	  ERROR_NOT_APPLICABLE, AT_TUNNEL "/udp-checksum", "udp-checksum", NULL, "IPv4" },
};

static const struct {
	leaves given;
} good_sessions[] = {
	{ { S } },
	{ { S, "pseudowire-type=ethernet-vlan", "vlan-id=5" } },
	{ { S, "pseudowire-type=ethernet-vlan", "vlan-id=4094", "interface-name=l2tp-eth12" } },
	{ { S, "pseudowire-type=ppp" } },
	{ { S, "interface-name=fifteen.octets_", "mtu=1400", "mac-address=02:00:00:00:00:01",
	    "bridge=br0", "link-enabled=false" } },
	{ { S, "sequencing=both" } },
	{ { S, "sequencing=receive", "l2-specific-sublayer=none" } },
	{ { S, "sequencing=none", "l2-specific-sublayer=none" } },
};

static const struct {
	leaves given;
	enum error_code code;
	const char *path, *info, *app_tag, *text;
} bad_sessions[] = {
	{ { "session-id=70" },
	  ERROR_MANDATORY, AT_SESSION "/peer-session-id", "peer-session-id", NULL, "session" },
	{ { S, "vlan-id=5" },
	  ERROR_NOT_APPLICABLE, AT_SESSION "/vlan-id", "vlan-id", NULL,
	  "given 5; allowed only when pseudowire-type is ethernet-vlan" },
	{ { S, "pseudowire-type=ethernet-vlan" },
	  ERROR_MUST, AT_SESSION, "", "vlan-id-required", "1..4094" },
	{ { S, "pseudowire-type=ethernet-vlan", "vlan-id=4094", "interface-name=l2tp-eth123" },
	  ERROR_MUST, AT_SESSION "/interface-name", "interface-name", "vlan-name-too-long",
	  "\"l2tp-eth123.4094\" of 16 characters" },
	{ { S, "pseudowire-type=ppp", "mtu=1400" },
	  ERROR_NOT_APPLICABLE, AT_SESSION "/mtu", "mtu", NULL, "not ppp" },
	{ { S, "pseudowire-type=ppp", "interface-name=ppp0" },
	  ERROR_NOT_APPLICABLE, AT_SESSION "/interface-name", "interface-name", NULL, "not ppp" },
	{ { S, "sequencing=send", "l2-specific-sublayer=none" },
	  ERROR_MUST, AT_SESSION "/sequencing", "sequencing", "sequencing-needs-sublayer",
	  "RFC 3931 section 4.6.1" },
	{ { S, "sequencing=both", "l2-specific-sublayer=none" },
	  ERROR_MUST, AT_SESSION "/sequencing", "sequencing", "sequencing-needs-sublayer", "both" },
};
/* clang-format on */

static void check_error(const struct error *err, enum error_code code, const char *path,
			const char *info, const char *app_tag, const char *text)
{
	assert_int_equal(err->code, code);
	assert_string_equal(err->path, path);
	assert_string_equal(err->info, info);
	assert_non_null(strstr(err->text, text));
	if (app_tag)
		assert_string_equal(error_app_tag(err), app_tag);
	else
		assert_null(error_app_tag(err));
}

static void a_complete_and_consistent_entry_is_accepted(void **state)
{
	const struct tunnel tunnel = make_tunnel((leaves){T});

	(void)state;
	for (size_t i = 0; i < COUNT(good_tunnels); i++) {
		struct tunnel given = make_tunnel(good_tunnels[i].given);

		assert_int_equal(rules_check_tunnel(&given, NULL), 0);
		codec_complete(OBJECT_TUNNEL, &given);
		assert_int_equal(rules_check_tunnel(&given, NULL), 0);
	}
	for (size_t i = 0; i < COUNT(good_sessions); i++) {
		struct session given = make_session(good_sessions[i].given);

		assert_int_equal(rules_check_session(tunnel.tunnel_id, &given, NULL), 0);
		codec_complete(OBJECT_SESSION, &given);
		assert_int_equal(rules_check_session(tunnel.tunnel_id, &given, NULL), 0);
	}
}

static void a_broken_rule_of_a_tunnel_is_told_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_tunnels); i++) {
		struct tunnel given = make_tunnel(bad_tunnels[i].given);
		struct error err = ERROR_INIT;

		assert_int_equal(rules_check_tunnel(&given, &err), -EINVAL);
		check_error(&err, bad_tunnels[i].code, bad_tunnels[i].path, bad_tunnels[i].info,
			    bad_tunnels[i].app_tag, bad_tunnels[i].text);
		assert_int_equal(rules_check_tunnel(&given, NULL), -EINVAL);
	}
}

static void a_broken_rule_of_a_session_is_told_with_its_place(void **state)
{
	const struct tunnel tunnel = make_tunnel((leaves){T});

	(void)state;
	for (size_t i = 0; i < COUNT(bad_sessions); i++) {
		struct session given = make_session(bad_sessions[i].given);
		struct error err = ERROR_INIT;

		assert_int_equal(rules_check_session(tunnel.tunnel_id, &given, &err), -EINVAL);
		check_error(&err, bad_sessions[i].code, bad_sessions[i].path, bad_sessions[i].info,
			    bad_sessions[i].app_tag, bad_sessions[i].text);
		assert_int_equal(rules_check_session(tunnel.tunnel_id, &given, NULL), -EINVAL);
	}
}

/*
 * Dropping
 */

/* Set leaves as an edit that gives them; their presence bits. */
static uint64_t give(enum object object, void *config, leaves assignments)
{
	union {
		uint64_t present;
		struct tunnel tunnel;
		struct session session;
	} given = {0};

	set_all(object, &given, assignments);
	set_all(object, config, assignments);
	return given.present;
}

static void a_leaf_that_ceases_to_apply_goes(void **state)
{
	struct session after =
		make_session((leaves){S, "pseudowire-type=ethernet-vlan", "vlan-id=5"});

	(void)state;
	rules_drop_session(give(OBJECT_SESSION, &after, (leaves){"pseudowire-type=ethernet"}),
			   &after);
	assert_false(has(OBJECT_SESSION, &after, "vlan-id"));
	assert_int_equal(after.vlan_id, 0);
}

static void a_leaf_that_still_applies_stays(void **state)
{
	struct tunnel after = make_tunnel(
		(leaves){T, "local-interface=eth0", "remote-address=192.0.2.2", "local-port=5000"});

	(void)state;
	rules_drop_tunnel(give(OBJECT_TUNNEL, &after, (leaves){"remote-address=2001:db8::2"}),
			  &after);
	assert_true(has(OBJECT_TUNNEL, &after, "local-port"));
	assert_true(has(OBJECT_TUNNEL, &after, "local-interface"));
}

static void ports_and_checksums_go_with_udp(void **state)
{
	struct tunnel after =
		make_tunnel((leaves){T, "local-address=192.0.2.1", "remote-address=192.0.2.2",
				     "remote-port=5000", "udp-checksum=true"});

	(void)state;
	rules_drop_tunnel(give(OBJECT_TUNNEL, &after, (leaves){"encapsulation=ip"}), &after);
	assert_false(has(OBJECT_TUNNEL, &after, "remote-port"));
	assert_false(has(OBJECT_TUNNEL, &after, "udp-checksum"));
	assert_int_equal(rules_check_tunnel(&after, NULL), 0);
}

/* Be its value another or the same as before. */
static void a_leaf_that_is_given_stays_for_the_check_to_refuse(void **state)
{
	const struct tunnel tunnel = make_tunnel((leaves){T});
	const struct session before[] = {
		make_session((leaves){S}),
		make_session((leaves){S, "pseudowire-type=ethernet-vlan", "vlan-id=4"}),
		make_session((leaves){S, "pseudowire-type=ethernet-vlan", "vlan-id=5"}),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(before); i++) {
		struct session after = before[i];
		struct error err = ERROR_INIT;

		rules_drop_session(give(OBJECT_SESSION, &after,
					(leaves){"pseudowire-type=ethernet", "vlan-id=5"}),
				   &after);
		assert_int_equal(rules_check_session(tunnel.tunnel_id, &after, &err), -EINVAL);
		assert_int_equal(err.code, ERROR_NOT_APPLICABLE);
		assert_string_equal(err.info, "vlan-id");
	}
}

static void setting_one_source_leaves_the_other(void **state)
{
	struct tunnel after =
		make_tunnel((leaves){T, "local-address=192.0.2.1", "remote-address=192.0.2.2"});

	(void)state;
	rules_drop_tunnel(give(OBJECT_TUNNEL, &after, (leaves){"local-interface=eth0"}), &after);
	assert_true(has(OBJECT_TUNNEL, &after, "local-address"));
	assert_int_equal(rules_check_tunnel(&after, NULL), 0);
	rules_drop_tunnel(give(OBJECT_TUNNEL, &after, (leaves){"local-address=192.0.2.3"}), &after);
	assert_true(has(OBJECT_TUNNEL, &after, "local-interface"));
	assert_int_equal(rules_check_tunnel(&after, NULL), 0);
}

/*
 * Names
 */

static void a_vlan_link_is_named_after_interface_and_vlan(void **state)
{
	struct session session =
		make_session((leaves){S, "pseudowire-type=ethernet-vlan", "vlan-id=42"});
	char ret[IFNAME_LENGTH + 1];

	(void)state;
	rules_vlan_name(&session, ret);
	assert_string_equal(ret, "");
	set(OBJECT_SESSION, &session, "interface-name=l2tpeth0");
	rules_vlan_name(&session, ret);
	assert_string_equal(ret, "l2tpeth0.42");
	set(OBJECT_SESSION, &session, "interface-name=fifteen.octets_");
	rules_vlan_name(&session, ret);
	assert_string_equal(ret, "");
	set(OBJECT_SESSION, &session, "pseudowire-type=ethernet");
	rules_vlan_name(&session, ret);
	assert_string_equal(ret, "");
}

static void a_path_names_the_entry_by_the_ids_that_are_known(void **state)
{
	const struct row *mtu = &row_sets[OBJECT_SESSION].rows[SESSION_MTU];
	struct error err = ERROR_INIT;

	(void)state;
	error_at_entry(&err, 7, 0, NULL);
	assert_string_equal(err.path, "/l2tpv3/tunnel[tunnel-id='7']");
	error_at_entry(&err, ID_MAX, ID_MAX, mtu);
	assert_string_equal(err.path, "/l2tpv3/tunnel[tunnel-id='4294967295']"
				      "/session[session-id='4294967295']/mtu");
	error_at_object(&err, OBJECT_SESSION, 0, 0, mtu);
	assert_string_equal(err.path, "/l2tpv3/tunnel/session/mtu");
	error_at_object(&err, OBJECT_TUNNEL, 0, 0, NULL);
	assert_string_equal(err.path, "/l2tpv3/tunnel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_names_the_entry_by_the_ids_that_are_known),
		cmocka_unit_test(a_complete_and_consistent_entry_is_accepted),
		cmocka_unit_test(a_broken_rule_of_a_tunnel_is_told_with_its_place),
		cmocka_unit_test(a_broken_rule_of_a_session_is_told_with_its_place),
		cmocka_unit_test(a_leaf_that_ceases_to_apply_goes),
		cmocka_unit_test(a_leaf_that_still_applies_stays),
		cmocka_unit_test(ports_and_checksums_go_with_udp),
		cmocka_unit_test(a_leaf_that_is_given_stays_for_the_check_to_refuse),
		cmocka_unit_test(setting_one_source_leaves_the_other),
		cmocka_unit_test(a_vlan_link_is_named_after_interface_and_vlan),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
