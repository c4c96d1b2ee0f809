/* The simulated kernel shows what the real ones do; tests/vm compares it with them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernel/sim/sim.h"
#include "model/codec.h"

#define MANY 65000

struct fixture {
	struct kernel *kernel;
	struct tunnel tunnel;
	struct session session;
};

static void set_leaf(enum object object, void *config, const char *leaf, const char *text)
{
	const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

	assert_non_null(row);
	assert_int_equal(codec_parse(row, config, text, strlen(text), NULL), 0);
}

/* Pairs of leaf and text, ending with NULL. */
static void set_leaves(enum object object, void *config, va_list pairs)
{
	const char *leaf;

	while ((leaf = va_arg(pairs, const char *)))
		set_leaf(object, config, leaf, va_arg(pairs, const char *));
}

static struct tunnel make_tunnel(const char *id, ...)
{
	struct tunnel tunnel = {0};
	va_list pairs;

	set_leaf(OBJECT_TUNNEL, &tunnel, "tunnel-id", id);
	set_leaf(OBJECT_TUNNEL, &tunnel, "peer-tunnel-id", "9");
	set_leaf(OBJECT_TUNNEL, &tunnel, "local-address", "192.0.2.1");
	set_leaf(OBJECT_TUNNEL, &tunnel, "remote-address", "192.0.2.2");
	va_start(pairs, id);
	set_leaves(OBJECT_TUNNEL, &tunnel, pairs);
	va_end(pairs);
	codec_complete(OBJECT_TUNNEL, &tunnel);
	return tunnel;
}

static struct session make_session(const char *id, const char *interface, ...)
{
	struct session session = {0};
	va_list pairs;

	set_leaf(OBJECT_SESSION, &session, "session-id", id);
	set_leaf(OBJECT_SESSION, &session, "peer-session-id", "9");
	if (interface)
		set_leaf(OBJECT_SESSION, &session, "interface-name", interface);
	va_start(pairs, interface);
	set_leaves(OBJECT_SESSION, &session, pairs);
	va_end(pairs);
	codec_complete(OBJECT_SESSION, &session);
	return session;
}

static int do_request(struct kernel *kernel, struct kernel_request *request)
{
	assert_int_equal(kernel->ops->submit(kernel, request, 1), 0);
	return request->result;
}

static int create_tunnel(struct kernel *kernel, const struct tunnel *tunnel)
{
	return do_request(kernel,
			  &(struct kernel_request){.verb = KERNEL_TUNNEL_CREATE, .tunnel = tunnel});
}

static int delete_tunnel(struct kernel *kernel, uint32_t tunnel_id)
{
	return do_request(kernel, &(struct kernel_request){.verb = KERNEL_TUNNEL_DELETE,
							   .tunnel_id = tunnel_id});
}

static int get_tunnel(struct kernel *kernel, uint32_t tunnel_id, struct tunnel *ret)
{
	return do_request(kernel, &(struct kernel_request){.verb = KERNEL_TUNNEL_GET,
							   .tunnel_id = tunnel_id,
							   .ret_tunnel = ret});
}

static int create_session(struct kernel *kernel, const struct tunnel *tunnel,
			  const struct session *session)
{
	return do_request(kernel, &(struct kernel_request){.verb = KERNEL_SESSION_CREATE,
							   .tunnel = tunnel,
							   .session = session});
}

static int delete_session(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id)
{
	return do_request(kernel, &(struct kernel_request){.verb = KERNEL_SESSION_DELETE,
							   .tunnel_id = tunnel_id,
							   .session_id = session_id});
}

static int get_session(struct kernel *kernel, uint32_t tunnel_id, uint32_t session_id,
		       struct session *ret)
{
	return do_request(kernel, &(struct kernel_request){.verb = KERNEL_SESSION_GET,
							   .tunnel_id = tunnel_id,
							   .session_id = session_id,
							   .ret_session = ret});
}

static int get_link(struct kernel *kernel, const char *name, struct kernel_link *ret)
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET};
	int err;

	memcpy(request.link.name, name, strlen(name));
	err = do_request(kernel, &request);
	if (!err && ret)
		*ret = request.link;
	return err;
}

static struct fixture open_kernel(const char *profile)
{
	struct fixture f = {.tunnel = make_tunnel("1", NULL),
			    .session = make_session("11", "pw11", NULL)};

	assert_int_equal(kernel_open_sim(&f.kernel, profile, NULL), 0);
	assert_int_equal(f.kernel->ops->connect(f.kernel, NULL), 0);
	sim_hold_time(f.kernel);
	return f;
}

/* With tunnel 1 and its session 11, interface pw11. */
static struct fixture open_with_session(const char *profile)
{
	struct fixture f = open_kernel(profile);

	assert_int_equal(create_tunnel(f.kernel, &f.tunnel), 0);
	assert_int_equal(create_session(f.kernel, &f.tunnel, &f.session), 0);
	return f;
}

static void close_kernel(struct fixture *f)
{
	f->kernel->ops->close(f->kernel);
}

/* What a test proves of both profiles, it proves of each. */
static const char *const profiles[] = {"6.1", "6.12"};
#define FOR_PROFILES(profile)                                                                      \
	for (const char *const *profile = profiles; profile < profiles + 2; profile++)

struct event_log {
	unsigned int tunnels, sessions, links, gone, addresses, routes, families, lost;
};

static void log_event(const struct kernel_event *event, void *arg)
{
	struct event_log *log = arg;
	unsigned int *counts[] = {&log->tunnels,   &log->sessions, &log->links,    &log->gone,
				  &log->addresses, &log->routes,   &log->families, &log->lost};

	(*counts[event->type])++;
}

static struct event_log read_events(struct kernel *kernel)
{
	struct event_log log = {0};

	kernel->ops->read_events(kernel, log_event, &log);
	return log;
}

static void test_profile_must_be_known(void **state)
{
	struct error err = ERROR_INIT;
	struct kernel *kernel = NULL;

	(void)state;
	assert_int_equal(kernel_open_sim(&kernel, "5.4", &err), -EINVAL);
	assert_null(kernel);
	assert_non_null(strstr(err.text, "6.12"));
}

static void test_what_is_created_is_read_back(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		struct fixture f = open_kernel(*profile);
		struct tunnel wanted =
			make_tunnel("1", "udp-checksum", "true", "local-port", "5000", NULL);
		struct session session =
			make_session("11", "pw11", "tx-cookie", "01234567", "rx-cookie",
				     "0123456789abcdef", "sequencing", "both", "reorder-timeout",
				     "50", "l2-specific-sublayer", "none", NULL);
		struct tunnel tunnel;
		struct session found;

		assert_int_equal(create_tunnel(f.kernel, &wanted), 0);
		assert_int_equal(create_session(f.kernel, &wanted, &session), 0);
		assert_int_equal(get_tunnel(f.kernel, 1, &tunnel), 0);
		assert_int_equal(get_session(f.kernel, 1, 11, &found), 0);
		for (unsigned int i = 0; i < TUNNEL_CONFIG_ROWS; i++)
			assert_true(codec_same_in_kernel(&row_sets[OBJECT_TUNNEL].rows[i], &wanted,
							 &tunnel));
		for (unsigned int i = 0; i < SESSION_CONFIG_ROWS; i++) {
			const struct row *row = &row_sets[OBJECT_SESSION].rows[i];

			if (row->wire != WIRE_NONE)
				assert_true(codec_same_in_kernel(row, &session, &found));
		}
		assert_int_equal(found.reorder_timeout, 52);
		assert_false(found.present & BIT(SESSION_L2_SPECIFIC_SUBLAYER));
		assert_true(tunnel.present & BIT(TUNNEL_ID));
		close_kernel(&f);
	}
}

static void test_a_session_without_a_name_is_named_by_the_kernel(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		struct fixture f = open_kernel(*profile);
		struct tunnel tunnel = make_tunnel("1", NULL);
		struct session found;

		assert_int_equal(create_tunnel(f.kernel, &tunnel), 0);
		for (unsigned int n = 0; n < 2; n++) {
			struct session session = make_session(n ? "12" : "11", NULL, NULL);

			assert_int_equal(create_session(f.kernel, &tunnel, &session), 0);
			assert_int_equal(get_session(f.kernel, 1, 11 + n, &found), 0);
			assert_string_equal(found.interface_name, n ? "l2tpeth1" : "l2tpeth0");
			assert_int_equal(get_link(f.kernel, found.interface_name, NULL), 0);
		}
		close_kernel(&f);
	}
}

static void test_refusals_of_a_tunnel(void **state)
{
	static const struct {
		const char *leaf, *text;
		int result;
	} cases[] = {
		{"local-address", "192.0.2.7", -EADDRNOTAVAIL},
		{"local-address", "2001:db8::1", -EINVAL},
		{"remote-address", "198.18.0.1", -EHOSTUNREACH},
		{"local-port", "1701", -EADDRINUSE},
		{"local-port", "53", -EADDRINUSE},
		{"tunnel-id", "1", -EEXIST},
		{"local-port", "1702", 0},
	};

	(void)state;
	FOR_PROFILES(profile)
	{
		struct fixture f = open_with_session(*profile);

		assert_int_equal(sim_add_route(f.kernel, "198.18.0.0/15", -EHOSTUNREACH), 0);
		assert_int_equal(sim_set_port(f.kernel, "0.0.0.0", 53, true), 0);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct tunnel tunnel = make_tunnel("2", "local-port", "7000", cases[i].leaf,
							   cases[i].text, NULL);

			assert_int_equal(create_tunnel(f.kernel, &tunnel), cases[i].result);
		}
		close_kernel(&f);
	}
}

static void test_no_route_no_tunnel(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		struct fixture f = open_kernel(*profile);
		struct tunnel tunnel = make_tunnel("1", "remote-address", "100.64.0.1", NULL);

		assert_int_equal(sim_remove_route(f.kernel, "0.0.0.0/0"), 0);
		assert_int_equal(create_tunnel(f.kernel, &tunnel), -ENETUNREACH);
		assert_int_equal(sim_add_route(f.kernel, "100.64.0.0/10", 0), 0);
		assert_int_equal(read_events(f.kernel).routes, 2);
		assert_int_equal(create_tunnel(f.kernel, &tunnel), 0);
		/* Afterwards the tunnel does without. */
		assert_int_equal(sim_remove_route(f.kernel, "100.64.0.0/10"), 0);
		assert_int_equal(get_tunnel(f.kernel, 1, NULL), 0);
		close_kernel(&f);
	}
}

static void test_tentative_address_must_settle(void **state)
{
	struct fixture f = open_kernel("6.12");
	struct tunnel tunnel = make_tunnel("1", "local-address", "2001:db8:9::1", "remote-address",
					   "2001:db8:9::2", NULL);

	(void)state;
	assert_int_equal(f.kernel->ops->address_state(f.kernel, &tunnel.local_address, 0),
			 ADDRESS_ABSENT);
	assert_int_equal(sim_add_address(f.kernel, "eth0", "2001:db8:9::1/64", true), 0);
	assert_int_equal(f.kernel->ops->address_state(f.kernel, &tunnel.local_address, 0),
			 ADDRESS_TENTATIVE);
	assert_int_equal(create_tunnel(f.kernel, &tunnel), -EADDRNOTAVAIL);
	assert_int_equal(sim_mark_address(f.kernel, "2001:db8:9::1", SIM_PLAIN), 0);
	assert_int_equal(read_events(f.kernel).addresses, 2);
	assert_int_equal(create_tunnel(f.kernel, &tunnel), 0);
	close_kernel(&f);
}

static void test_session_ids_are_unique_as_each_kernel_has_it(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		bool repeat = !strcmp(*profile, "6.12");
		struct fixture f = open_with_session(*profile);
		struct tunnel udp = make_tunnel("2", "local-port", "1702", NULL);
		struct tunnel ip = make_tunnel("3", "encapsulation", "ip", NULL);
		struct session again = make_session("11", "pw12", NULL);
		struct session elsewhere = make_session("11", "pw13", NULL);
		struct session found;

		assert_int_equal(create_tunnel(f.kernel, &udp), 0);
		assert_int_equal(create_tunnel(f.kernel, &ip), 0);
		assert_int_equal(create_session(f.kernel, &f.tunnel, &again), repeat ? 0 : -EEXIST);
		assert_int_equal(create_session(f.kernel, &udp, &elsewhere), 0);
		assert_int_equal(create_session(f.kernel, &ip, &elsewhere), -EEXIST);
		assert_int_equal(get_session(f.kernel, 1, 11, &found), 0);
		assert_string_equal(found.interface_name, repeat ? "pw12" : "pw11");
		close_kernel(&f);
	}
}

static void test_session_of_another_tunnel_is_not_there(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		struct fixture f = open_with_session(*profile);
		struct tunnel other = make_tunnel("2", "local-port", "1702", NULL);

		assert_int_equal(create_tunnel(f.kernel, &other), 0);
		assert_int_equal(get_session(f.kernel, 2, 11, NULL), -ENODEV);
		assert_int_equal(delete_session(f.kernel, 2, 11), -ENODEV);
		assert_int_equal(get_session(f.kernel, 1, 11, NULL), 0);
		close_kernel(&f);
	}
}

static void test_session_delete_waits_only_on_the_newer_kernel(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		bool waits = !strcmp(*profile, "6.12");
		struct fixture f = open_with_session(*profile);
		struct session same_name = make_session("12", "pw11", NULL);

		read_events(f.kernel);
		assert_int_equal(delete_session(f.kernel, 1, 11), 0);
		assert_int_equal(get_session(f.kernel, 1, 11, NULL), waits ? 0 : -ENODEV);
		assert_int_equal(get_link(f.kernel, "pw11", NULL), waits ? 0 : -ENODEV);
		assert_int_equal(read_events(f.kernel).gone, waits ? 0 : 1);
		if (waits) {
			assert_int_equal(create_session(f.kernel, &f.tunnel, &same_name), -EEXIST);
			assert_int_equal(delete_session(f.kernel, 1, 11), 0);
		}
		sim_reap(f.kernel);
		assert_int_equal(get_session(f.kernel, 1, 11, NULL), -ENODEV);
		assert_int_equal(create_session(f.kernel, &f.tunnel, &f.session), 0);
		close_kernel(&f);
	}
}

/* Between id and interface going there is a time when only the interface is left. */
static void test_interface_outlives_the_session_id(void **state)
{
	struct fixture f = open_with_session("6.12");
	struct session other_name = make_session("11", "pw12", NULL);

	(void)state;
	sim_set_delays(f.kernel, 10, 5000);
	assert_int_equal(delete_session(f.kernel, 1, 11), 0);
	sim_advance(f.kernel, 17);
	assert_int_equal(get_session(f.kernel, 1, 11, NULL), -ENODEV);
	assert_int_equal(get_link(f.kernel, "pw11", NULL), 0);
	assert_int_equal(create_session(f.kernel, &f.tunnel, &f.session), -EEXIST);
	assert_int_equal(create_session(f.kernel, &f.tunnel, &other_name), 0);
	sim_advance(f.kernel, 100);
	assert_int_equal(get_link(f.kernel, "pw11", NULL), -ENODEV);
	close_kernel(&f);
}

static void test_tunnel_delete_takes_sessions_later(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		bool id_goes_last = !strcmp(*profile, "6.1");
		struct fixture f = open_with_session(*profile);
		struct session late = make_session("12", "pw12", NULL);
		struct event_log log;

		sim_set_delays(f.kernel, 10, 20000);
		assert_int_equal(delete_tunnel(f.kernel, 1), 0);
		assert_int_equal(get_tunnel(f.kernel, 1, NULL), 0);
		assert_int_equal(delete_tunnel(f.kernel, 1), 0);
		assert_int_equal(create_tunnel(f.kernel, &f.tunnel), -EEXIST);
		/* Taken, and gone with the tunnel. */
		assert_int_equal(create_session(f.kernel, &f.tunnel, &late), 0);
		sim_advance(f.kernel, 15);
		assert_int_equal(create_session(f.kernel, &f.tunnel, &late), -ENODEV);
		assert_int_equal(get_tunnel(f.kernel, 1, NULL), id_goes_last ? 0 : -ENODEV);
		assert_int_equal(get_session(f.kernel, 1, 11, NULL), -ENODEV);
		assert_int_equal(get_link(f.kernel, "pw11", NULL), 0);
		read_events(f.kernel);
		sim_reap(f.kernel);
		log = read_events(f.kernel);
		assert_int_equal(log.gone, 2);
		assert_int_equal(log.sessions + log.tunnels, 0);
		assert_int_equal(sim_population(f.kernel).tunnels, 0);
		assert_int_equal(sim_population(f.kernel).sessions, 0);
		assert_int_equal(sim_population(f.kernel).links, 2);
		assert_int_equal(create_tunnel(f.kernel, &f.tunnel), 0);
		close_kernel(&f);
	}
}

static void test_refused_interface_name_leaves_nothing(void **state)
{
	(void)state;
	FOR_PROFILES(profile)
	{
		struct fixture f = open_kernel(*profile);
		struct session taken = make_session("11", "eth0", NULL);

		assert_int_equal(create_tunnel(f.kernel, &f.tunnel), 0);
		assert_int_equal(create_session(f.kernel, &f.tunnel, &taken), -EEXIST);
		sim_reap(f.kernel);
		assert_int_equal(sim_population(f.kernel).sessions, 0);
		assert_int_equal(create_session(f.kernel, &f.tunnel, &f.session), 0);
		close_kernel(&f);
	}
}

static void test_default_mtu_is_what_the_path_leaves(void **state)
{
	static const struct {
		const char *encapsulation, *local, *remote, *sublayer, *cookie;
		unsigned int mtu;
	} cases[] = {
		{"udp", "192.0.2.1", "192.0.2.2", "default", "", 1446},
		{"ip", "192.0.2.1", "192.0.2.2", "default", "", 1458},
		{"udp", "2001:db8::1", "2001:db8::2", "default", "", 1426},
		{"ip", "2001:db8::1", "2001:db8::2", "default", "", 1438},
		{"udp", "192.0.2.1", "192.0.2.2", "none", "", 1450},
		{"udp", "192.0.2.1", "192.0.2.2", "default", "01234567", 1442},
		{"udp", "192.0.2.1", "192.0.2.2", "default", "0123456789abcdef", 1438},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f = open_kernel("6.1");
		struct tunnel tunnel =
			make_tunnel("1", "encapsulation", cases[i].encapsulation, "local-address",
				    cases[i].local, "remote-address", cases[i].remote, NULL);
		struct session session =
			make_session("11", "pw11", "l2-specific-sublayer", cases[i].sublayer,
				     "tx-cookie", cases[i].cookie, NULL);
		struct kernel_link link;

		assert_int_equal(create_tunnel(f.kernel, &tunnel), 0);
		assert_int_equal(create_session(f.kernel, &tunnel, &session), 0);
		assert_int_equal(get_link(f.kernel, "pw11", &link), 0);
		assert_int_equal(link.mtu, cases[i].mtu);
		assert_false(link.up);
		assert_int_equal(link.mac.bytes[0] & 3, 2);
		close_kernel(&f);
	}
}

static void test_modify_changes_what_the_kernel_can_change(void **state)
{
	struct fixture f = open_with_session("6.12");
	struct session wanted =
		make_session("11", "other", "lns-mode", "true", "sequencing", "send",
			     "reorder-timeout", "9", "tx-cookie", "01234567", NULL);
	struct kernel_request request = {
		.verb = KERNEL_SESSION_MODIFY, .tunnel = &f.tunnel, .session = &wanted};
	struct session found;

	(void)state;
	assert_int_equal(do_request(f.kernel, &request), 0);
	assert_int_equal(get_session(f.kernel, 1, 11, &found), 0);
	assert_true(found.lns_mode);
	assert_int_equal(found.sequencing, SEQUENCING_SEND);
	assert_int_equal(found.reorder_timeout, 12);
	assert_int_equal(found.tx_cookie.length, 0);
	assert_string_equal(found.interface_name, "pw11");
	close_kernel(&f);
}

static void test_ppp_has_no_interface(void **state)
{
	struct fixture f = open_kernel("6.12");
	struct session ppp = make_session("11", NULL, "pseudowire-type", "ppp", NULL);
	struct session found;

	(void)state;
	assert_int_equal(create_tunnel(f.kernel, &f.tunnel), 0);
	assert_int_equal(create_session(f.kernel, &f.tunnel, &ppp), 0);
	assert_int_equal(sim_population(f.kernel).links, 2);
	assert_int_equal(get_session(f.kernel, 1, 11, &found), 0);
	assert_false(found.present & BIT(SESSION_INTERFACE_NAME));
	assert_int_equal(delete_session(f.kernel, 1, 11), 0);
	sim_reap(f.kernel);
	assert_int_equal(sim_population(f.kernel).sessions, 0);
	close_kernel(&f);
}

static void test_vlan_lives_on_its_interface(void **state)
{
	struct fixture f = open_with_session("6.1");
	struct kernel_request vlan = {.verb = KERNEL_VLAN_CREATE,
				      .link = {.name = "pw11.5", .vlan_id = 5},
				      .link_set = LINK_UP};
	struct kernel_request up = {
		.verb = KERNEL_LINK_SET, .link = {.name = "pw11", .up = true}, .link_set = LINK_UP};
	struct kernel_request down = up;
	struct kernel_link link;

	(void)state;
	assert_int_equal(get_link(f.kernel, "pw11", &link), 0);
	vlan.link.parent = link.index;
	assert_int_equal(do_request(f.kernel, &vlan), 0);
	assert_int_equal(do_request(f.kernel, &vlan), -EEXIST);
	vlan.link.name[4] = 'x';
	assert_int_equal(do_request(f.kernel, &vlan), -EEXIST);
	assert_int_equal(get_link(f.kernel, "pw11.5", &link), 0);
	assert_int_equal(link.vlan_id, 5);
	assert_int_equal(link.parent, vlan.link.parent);
	assert_false(link.up);
	assert_int_equal(do_request(f.kernel, &up), 0);
	assert_int_equal(get_link(f.kernel, "pw11.5", &link), 0);
	assert_true(link.up);
	down.link.up = false;
	assert_int_equal(do_request(f.kernel, &down), 0);
	assert_int_equal(get_link(f.kernel, "pw11.5", &link), 0);
	assert_false(link.up);
	up.verb = KERNEL_LINK_DELETE;
	assert_int_equal(do_request(f.kernel, &up), -EOPNOTSUPP);
	assert_int_equal(delete_session(f.kernel, 1, 11), 0);
	assert_int_equal(get_link(f.kernel, "pw11.5", NULL), -ENODEV);
	close_kernel(&f);
}

static void test_links_take_settings(void **state)
{
	struct fixture f = open_with_session("6.12");
	struct kernel_link link, bridge;
	struct kernel_request set = {
		.verb = KERNEL_LINK_SET,
		.link = {.name = "pw11", .mtu = 1400, .mac = {{2, 0, 0, 0, 0, 1}}},
		.link_set = LINK_MTU | LINK_MAC | LINK_MASTER};

	(void)state;
	assert_int_equal(sim_add_link(f.kernel, "br0", true), 0);
	assert_int_equal(get_link(f.kernel, "br0", &bridge), 0);
	set.link.master = bridge.index;
	assert_int_equal(do_request(f.kernel, &set), 0);
	assert_int_equal(get_link(f.kernel, "pw11", &link), 0);
	assert_int_equal(link.mtu, 1400);
	assert_int_equal(link.mac.bytes[5], 1);
	assert_int_equal(link.master, bridge.index);
	set.link.master = 1;
	assert_int_equal(do_request(f.kernel, &set), -EOPNOTSUPP);
	set.link.mac.bytes[0] = 1;
	assert_int_equal(do_request(f.kernel, &set), -EADDRNOTAVAIL);
	assert_int_equal(sim_remove_link(f.kernel, "br0"), 0);
	assert_int_equal(get_link(f.kernel, "pw11", &link), 0);
	assert_int_equal(link.master, 0);
	/* L2TP keeps the name it was created with. */
	assert_int_equal(sim_rename_link(f.kernel, "pw11", "renamed"), 0);
	assert_int_equal(get_session(f.kernel, 1, 11, &f.session), 0);
	assert_string_equal(f.session.interface_name, "pw11");
	close_kernel(&f);
}

static void test_failures_happen_when_planned(void **state)
{
	struct fixture f = open_kernel("6.12");
	struct tunnel second = make_tunnel("2", "local-port", "1702", NULL);
	struct tunnel third = make_tunnel("3", "local-port", "1703", NULL);
	struct kernel_request batch[] = {
		{.verb = KERNEL_TUNNEL_CREATE, .tunnel = &f.tunnel},
		{.verb = KERNEL_TUNNEL_CREATE, .tunnel = &second},
		{.verb = KERNEL_TUNNEL_CREATE, .tunnel = &third},
	};

	(void)state;
	sim_fail(f.kernel, KERNEL_TUNNEL_CREATE, 2, SIM_REFUSE, -ENOMEM);
	assert_int_equal(f.kernel->ops->submit(f.kernel, batch, 3), 0);
	assert_int_equal(batch[0].result, 0);
	assert_int_equal(batch[1].result, -ENOMEM);
	assert_int_equal(batch[2].result, 0);
	assert_int_equal(get_tunnel(f.kernel, 2, NULL), -ENODEV);
	assert_int_equal(sim_failures_waiting(f.kernel), 0);

	sim_fail(f.kernel, KERNEL_TUNNEL_CREATE, 1, SIM_DECEIVE, -ENOBUFS);
	assert_int_equal(create_tunnel(f.kernel, &second), -ENOBUFS);
	assert_int_equal(get_tunnel(f.kernel, 2, NULL), 0);

	sim_fail(f.kernel, SIM_ANY, 2, SIM_LOSE, -ENOBUFS);
	for (unsigned int i = 0; i < 3; i++)
		batch[i] =
			(struct kernel_request){.verb = KERNEL_TUNNEL_DELETE, .tunnel_id = i + 1};
	assert_int_equal(f.kernel->ops->submit(f.kernel, batch, 3), -ENOBUFS);
	assert_int_equal(batch[0].result, 0);
	assert_int_equal(batch[1].result, -EIO);
	assert_int_equal(batch[2].result, -EIO);
	sim_reap(f.kernel);
	assert_int_equal(sim_population(f.kernel).tunnels, 1);
	close_kernel(&f);
}

static void test_without_module_or_right(void **state)
{
	struct fixture f = open_kernel("6.12");
	struct tunnel ip = make_tunnel("1", "encapsulation", "ip", NULL);
	struct session ppp = make_session("11", NULL, "pseudowire-type", "ppp", NULL);

	(void)state;
	sim_set_permitted(f.kernel, false);
	assert_int_equal(f.kernel->ops->connect(f.kernel, NULL), -EPERM);
	sim_set_permitted(f.kernel, true);
	sim_set_capabilities(f.kernel, 0);
	assert_int_equal(f.kernel->ops->connect(f.kernel, NULL), -ENOENT);
	assert_int_equal(create_tunnel(f.kernel, &f.tunnel), -ENOENT);
	sim_set_capabilities(f.kernel, CAPABILITY_UDP | CAPABILITY_ETHERNET);
	assert_int_equal(f.kernel->ops->connect(f.kernel, NULL), 0);
	assert_int_equal(create_tunnel(f.kernel, &ip), -EPROTONOSUPPORT);
	assert_int_equal(create_tunnel(f.kernel, &f.tunnel), 0);
	assert_int_equal(create_session(f.kernel, &f.tunnel, &ppp), -EPROTONOSUPPORT);
	close_kernel(&f);
}

static void test_others_and_their_events(void **state)
{
	struct fixture f = open_with_session("6.12");
	struct tunnel theirs = make_tunnel("7", "local-port", "1707", NULL);
	struct event_log log = read_events(f.kernel);
	uint64_t writes = f.kernel->ops->writes(f.kernel);

	(void)state;
	assert_int_equal(log.tunnels + log.sessions, 0);
	assert_int_equal(log.links, 1);
	assert_int_equal(
		sim_foreign(f.kernel, &(struct kernel_request){.verb = KERNEL_TUNNEL_CREATE,
							       .tunnel = &theirs}),
		0);
	sim_noise(f.kernel, 99, 0);
	log = read_events(f.kernel);
	assert_int_equal(log.tunnels, 2);
	assert_int_equal(f.kernel->ops->writes(f.kernel), writes);
	sim_noise(f.kernel, 99, 0);
	sim_lose_events(f.kernel);
	log = read_events(f.kernel);
	assert_int_equal(log.tunnels, 0);
	assert_int_equal(log.lost, 1);
	assert_int_equal(read_events(f.kernel).lost, 0);
	close_kernel(&f);
}

static bool readable(struct kernel *kernel, int milliseconds)
{
	struct pollfd polled[2];
	int fds[2];
	unsigned int count = kernel->ops->event_fds(kernel, fds);

	for (unsigned int i = 0; i < count; i++)
		polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	return poll(polled, count, milliseconds) > 0;
}

/* In a daemon nobody advances the time: the descriptors say when something has come about. */
static void test_time_passes_by_itself(void **state)
{
	struct fixture f = {.tunnel = make_tunnel("1", NULL),
			    .session = make_session("11", "pw11", NULL)};
	unsigned int gone = 0;

	(void)state;
	assert_int_equal(kernel_open_sim(&f.kernel, "6.12", NULL), 0);
	assert_int_equal(f.kernel->ops->connect(f.kernel, NULL), 0);
	assert_false(readable(f.kernel, 0));
	assert_int_equal(create_tunnel(f.kernel, &f.tunnel), 0);
	assert_int_equal(create_session(f.kernel, &f.tunnel, &f.session), 0);
	assert_true(readable(f.kernel, 0));
	read_events(f.kernel);
	assert_false(readable(f.kernel, 0));
	assert_int_equal(delete_session(f.kernel, 1, 11), 0);
	while (!gone) {
		assert_true(readable(f.kernel, 10000));
		gone = read_events(f.kernel).gone;
	}
	assert_int_equal(get_session(f.kernel, 1, 11, NULL), -ENODEV);
	close_kernel(&f);
}

static void test_counters(void **state)
{
	struct fixture f = open_with_session("6.12");
	const struct statistics more = {.rx_packets = 3, .rx_cookie_discards = 2, .rx_errors = 2};
	struct statistics statistics;
	struct kernel_request session = {.verb = KERNEL_SESSION_GET,
					 .tunnel_id = 1,
					 .session_id = 11,
					 .ret_statistics = &statistics};
	struct kernel_request tunnel = {
		.verb = KERNEL_TUNNEL_GET, .tunnel_id = 1, .ret_statistics = &statistics};

	(void)state;
	assert_int_equal(sim_count(f.kernel, 1, 12, &more), -ENOENT);
	assert_int_equal(sim_count(f.kernel, 1, 11, &more), 0);
	assert_int_equal(do_request(f.kernel, &session), 0);
	assert_int_equal(statistics.rx_cookie_discards, 2);
	sim_set_traffic(f.kernel, 1000);
	sim_advance(f.kernel, 500);
	assert_int_equal(do_request(f.kernel, &session), 0);
	assert_int_equal(statistics.rx_packets, 503);
	assert_int_equal(statistics.tx_bytes, 50000);
	assert_int_equal(do_request(f.kernel, &tunnel), 0);
	assert_int_equal(statistics.rx_packets, 503);
	assert_int_equal(statistics.rx_cookie_discards, 0);
	close_kernel(&f);
}

static void test_peer_moves_send_seq(void **state)
{
	struct fixture f = open_with_session("6.1");
	struct session found;

	(void)state;
	assert_int_equal(sim_peer_sequences(f.kernel, 1, 11, true), 0);
	assert_int_equal(get_session(f.kernel, 1, 11, &found), 0);
	assert_int_equal(found.sequencing, SEQUENCING_SEND);
	close_kernel(&f);
}

static void test_surroundings_answer(void **state)
{
	struct fixture f = open_kernel("6.1");
	const struct kernel_operations *ops = f.kernel->ops;
	const struct address remote = {AF_INET, {100, 64, 0, 1}};
	struct address address = {0};

	(void)state;
	assert_int_equal(ops->interface_address(f.kernel, "eth0", &remote, &address), 0);
	assert_memory_equal(address.bytes, ((uint8_t[]){192, 0, 2, 1}), 4);
	assert_int_equal(ops->interface_address(f.kernel, "lo", &remote, &address), -EADDRNOTAVAIL);
	assert_int_equal(ops->interface_address(f.kernel, "none", &remote, &address), -ENODEV);
	assert_int_equal(sim_remove_address(f.kernel, "192.0.2.1"), 0);
	assert_int_equal(ops->interface_address(f.kernel, "eth0", &remote, &address), 0);
	assert_memory_equal(address.bytes, ((uint8_t[]){198, 51, 100, 1}), 4);
	assert_int_equal(ops->interface_has(f.kernel, "eth0", &address), 0);
	assert_int_equal(ops->interface_has(f.kernel, "lo", &address), -EADDRNOTAVAIL);
	assert_int_equal(ops->interface_has(f.kernel, "none", &address), -ENODEV);
	assert_int_equal(ops->capabilities(f.kernel) & CAPABILITY_PPP, CAPABILITY_PPP);
	assert_string_equal(ops->release(f.kernel), "simulated 6.1");
	close_kernel(&f);
}

struct dumped {
	struct kernel *kernel;
	unsigned int count;
	bool deleting;
};

static int count_session(uint32_t tunnel_id, const struct session *session,
			 const struct statistics *statistics, void *arg)
{
	struct dumped *dumped = arg;

	(void)statistics;
	dumped->count++;
	if (dumped->deleting)
		delete_session(dumped->kernel, tunnel_id, session->session_id);
	return 0;
}

static int stop_at_link(const struct kernel_link *link, void *arg)
{
	(void)arg;
	return link->index == 2 ? 7 : 0;
}

static int count_tunnel(const struct tunnel *tunnel, const struct statistics *statistics, void *arg)
{
	(void)tunnel;
	(void)statistics;
	++*(unsigned int *)arg;
	return 0;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_many_sessions(void **state)
{
	static struct session sessions[MANY];
	static struct kernel_request requests[MANY];
	struct fixture f = open_kernel("6.1");
	struct dumped dumped = {.kernel = f.kernel};
	double begun = seconds();
	unsigned int tunnels = 0;

	(void)state;
	assert_int_equal(create_tunnel(f.kernel, &f.tunnel), 0);
	for (unsigned int i = 0; i < MANY; i++) {
		sessions[i] = f.session;
		sessions[i].session_id = i + 1;
		snprintf(sessions[i].interface_name, sizeof(sessions[i].interface_name), "pw%u", i);
		requests[i] = (struct kernel_request){.verb = KERNEL_SESSION_CREATE,
						      .tunnel = &f.tunnel,
						      .session = &sessions[i]};
	}
	assert_int_equal(f.kernel->ops->submit(f.kernel, requests, MANY), 0);
	assert_int_equal(sim_population(f.kernel).sessions, MANY);
	/* Nobody read the events: more than fits. */
	assert_int_equal(read_events(f.kernel).lost, 1);
	assert_int_equal(f.kernel->ops->dump_sessions(f.kernel, count_session, &dumped), 0);
	assert_int_equal(dumped.count, MANY);
	sim_miss_in_dump(f.kernel, 1000);
	dumped.count = 0;
	assert_int_equal(f.kernel->ops->dump_sessions(f.kernel, count_session, &dumped), 0);
	assert_int_equal(dumped.count, MANY - MANY / 1000);
	sim_miss_in_dump(f.kernel, 0);
	dumped = (struct dumped){.kernel = f.kernel, .deleting = true};
	assert_int_equal(f.kernel->ops->dump_sessions(f.kernel, count_session, &dumped), 0);
	assert_int_equal(dumped.count, MANY);
	assert_int_equal(sim_population(f.kernel).sessions, 0);
	assert_int_equal(f.kernel->ops->dump_tunnels(f.kernel, count_tunnel, &tunnels), 0);
	assert_int_equal(tunnels, 1);
	assert_int_equal(f.kernel->ops->dump_links(f.kernel, stop_at_link, NULL), 7);
	assert_true(sim_calls_of(f.kernel, KERNEL_SESSION_DELETE) == MANY);
	print_message("%u sessions created, dumped and deleted in %.2f s\n", MANY,
		      seconds() - begun);
	close_kernel(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile_must_be_known),
		cmocka_unit_test(test_what_is_created_is_read_back),
		cmocka_unit_test(test_a_session_without_a_name_is_named_by_the_kernel),
		cmocka_unit_test(test_refusals_of_a_tunnel),
		cmocka_unit_test(test_no_route_no_tunnel),
		cmocka_unit_test(test_tentative_address_must_settle),
		cmocka_unit_test(test_session_ids_are_unique_as_each_kernel_has_it),
		cmocka_unit_test(test_session_of_another_tunnel_is_not_there),
		cmocka_unit_test(test_session_delete_waits_only_on_the_newer_kernel),
		cmocka_unit_test(test_interface_outlives_the_session_id),
		cmocka_unit_test(test_tunnel_delete_takes_sessions_later),
		cmocka_unit_test(test_refused_interface_name_leaves_nothing),
		cmocka_unit_test(test_default_mtu_is_what_the_path_leaves),
		cmocka_unit_test(test_modify_changes_what_the_kernel_can_change),
		cmocka_unit_test(test_ppp_has_no_interface),
		cmocka_unit_test(test_vlan_lives_on_its_interface),
		cmocka_unit_test(test_links_take_settings),
		cmocka_unit_test(test_failures_happen_when_planned),
		cmocka_unit_test(test_without_module_or_right),
		cmocka_unit_test(test_others_and_their_events),
		cmocka_unit_test(test_time_passes_by_itself),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_peer_moves_send_seq),
		cmocka_unit_test(test_surroundings_answer),
		cmocka_unit_test(test_many_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
