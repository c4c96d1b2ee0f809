/* Kernel errors in words: the cause, the cure, the place, the errno. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kernel/kernel.h"
#include "model/codec.h"

static void set_leaf(enum object object, void *config, const char *leaf, const char *text)
{
	assert_int_equal(codec_parse(row_by_leaf(object, leaf, strlen(leaf)), config, text,
				     strlen(text), NULL),
			 0);
}

static struct tunnel make_tunnel(const char *encapsulation, const char *local, const char *remote)
{
	struct tunnel tunnel = {0};

	set_leaf(OBJECT_TUNNEL, &tunnel, "tunnel-id", "1");
	set_leaf(OBJECT_TUNNEL, &tunnel, "encapsulation", encapsulation);
	set_leaf(OBJECT_TUNNEL, &tunnel, "local-address", local);
	set_leaf(OBJECT_TUNNEL, &tunnel, "remote-address", remote);
	codec_complete(OBJECT_TUNNEL, &tunnel);
	return tunnel;
}

static struct session make_session(const char *pseudowire_type, const char *interface)
{
	struct session session = {0};

	set_leaf(OBJECT_SESSION, &session, "session-id", "11");
	set_leaf(OBJECT_SESSION, &session, "pseudowire-type", pseudowire_type);
	set_leaf(OBJECT_SESSION, &session, "tx-cookie", "0123456789abcdef");
	if (interface)
		set_leaf(OBJECT_SESSION, &session, "interface-name", interface);
	codec_complete(OBJECT_SESSION, &session);
	return session;
}

static const struct {
	enum kernel_verb verb;
	int error;
	const char *encapsulation, *remote, *pseudowire_type;
	const char *words[3];
} cases[] = {
	{KERNEL_TUNNEL_CREATE, EADDRNOTAVAIL, "udp", "192.0.2.2", "ethernet", {"192.0.2.1"}},
	{KERNEL_TUNNEL_CREATE, ENETUNREACH, "udp", "192.0.2.2", "ethernet", {"192.0.2.2"}},
	{KERNEL_TUNNEL_CREATE, EADDRINUSE, "udp", "192.0.2.2", "ethernet", {"1701", "192.0.2.1"}},
	{KERNEL_TUNNEL_CREATE, EEXIST, "udp", "192.0.2.2", "ethernet", {"tunnel-id 1 "}},
	{KERNEL_TUNNEL_CREATE,
	 EPROTONOSUPPORT,
	 "ip",
	 "192.0.2.2",
	 "ethernet",
	 {"modprobe l2tp_ip\"", "kernel-modules-extra"}},
	{KERNEL_TUNNEL_CREATE,
	 EPROTONOSUPPORT,
	 "ip",
	 "2001:db8::2",
	 "ethernet",
	 {"modprobe l2tp_ip6\"", "blacklist"}},
	{KERNEL_SESSION_CREATE,
	 EPROTONOSUPPORT,
	 "udp",
	 "192.0.2.2",
	 "ethernet",
	 {"modprobe l2tp_eth\""}},
	{KERNEL_SESSION_CREATE,
	 EPROTONOSUPPORT,
	 "udp",
	 "192.0.2.2",
	 "ppp",
	 {"modprobe l2tp_ppp\""}},
	{KERNEL_SESSION_CREATE, EEXIST, "udp", "192.0.2.2", "ethernet", {"11", "\"pw11\""}},
	{KERNEL_SESSION_DELETE, ENODEV, "udp", "192.0.2.2", "ethernet", {"session 11 of tunnel 1"}},
	{KERNEL_LINK_SET, EBUSY, "udp", "192.0.2.2", "ethernet", {"pw11", "down"}},
	{KERNEL_TUNNEL_DELETE, EPERM, "udp", "192.0.2.2", "ethernet", {"CAP_NET_ADMIN"}},
	{KERNEL_SESSION_GET, ENOENT, "udp", "192.0.2.2", "ethernet", {"modprobe l2tp_netlink"}},
	{KERNEL_VLAN_CREATE, ENOTTY, "udp", "192.0.2.2", "ethernet", {"the kernel refused"}},
};

static void test_explanations_name_cause_and_cure(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool v6 = strchr(cases[i].remote, ':') != NULL;
		struct tunnel tunnel = make_tunnel(
			cases[i].encapsulation, v6 ? "2001:db8::1" : "192.0.2.1", cases[i].remote);
		struct session session =
			make_session(cases[i].pseudowire_type,
				     strcmp(cases[i].pseudowire_type, "ppp") != 0 ? "pw11" : NULL);
		char text[KERNEL_EXPLAIN_MAX];
		int length =
			kernel_explain(cases[i].verb, -cases[i].error, &tunnel, &session, text);

		assert_int_equal(length, strlen(text));
		for (size_t k = 0; k < 3 && cases[i].words[k]; k++) {
			if (!strstr(text, cases[i].words[k]))
				fail_msg("no %s in: %s", cases[i].words[k], text);
		}
		assert_non_null(strstr(text, strerror(cases[i].error)));
		assert_null(strchr(text, '{'));
		assert_null(strstr(text, "0123456789abcdef"));
	}
}

/* Whatever is not known is a question mark, and nothing is too long. */
static void test_every_error_of_every_verb_has_words(void **state)
{
	(void)state;
	for (int verb = KERNEL_TUNNEL_CREATE; verb <= KERNEL_LINK_DELETE; verb++) {
		for (int error = 1; error < 134; error++) {
			char text[KERNEL_EXPLAIN_MAX];
			int length =
				kernel_explain((enum kernel_verb)verb, -error, NULL, NULL, text);

			assert_int_equal(length, strlen(text));
			assert_true(length > 10 && length < KERNEL_EXPLAIN_MAX - 1);
			assert_int_equal(text[length - 1], ')');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explanations_name_cause_and_cure),
		cmocka_unit_test(test_every_error_of_every_verb_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
