/* The path of a tunnel: what is told of its addresses and routes is what is there. */
#include "engine_bench.h"

#define UP0 "peer-tunnel-id=2 local-interface=up0 encapsulation=ip remote-address="

static int setup(void **state)
{
	*state = new_bench("6.12", NULL);
	return 0;
}

static int teardown(void **state)
{
	free_bench(*state);
	return 0;
}

static const struct tunnel_state *state_of(struct bench *bench, uint32_t id)
{
	return &datastore_tunnel(bench->store, id)->state;
}

static bool is(struct bench *bench, uint32_t id, enum oper_status status, enum status_reason reason)
{
	const struct state *state = &state_of(bench, id)->common;

	return state->oper_status == status && state->status_reason == reason;
}

static bool in_kernel(struct bench *bench, uint32_t id)
{
	return datastore_tunnel(bench->store, id)->entry.in_kernel;
}

static void says(struct bench *bench, uint32_t id, const char *what)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(bench->store, id);
	char text[STATUS_TEXT_MAX];

	status_text(&tunnel->state.common, entry_shown(&tunnel->entry), NULL, text);
	if (!strstr(text, what))
		fail_msg("\"%s\" is not in \"%s\"", what, text);
}

static void make(struct bench *bench, uint32_t id, const char *leaves)
{
	assert_int_equal(edit_one_tunnel(bench, id, leaves), 0);
	assert_true(turn_until(bench, is_idle, 5000));
}

static void add_address(struct bench *bench, const char *link, const char *prefix)
{
	assert_int_equal(sim_add_address(bench->kernel, link, prefix, false), 0);
}

static void mark(struct bench *bench, const char *address, enum sim_mark mark)
{
	assert_int_equal(sim_mark_address(bench->kernel, address, mark), 0);
}

/* The address that the kernel has the tunnel at. */
static const char *source(struct bench *bench, uint32_t id)
{
	static char text[VALUE_TEXT_MAX];
	const struct row *row =
		row_by_leaf(OBJECT_TUNNEL, "local-address", strlen("local-address"));
	struct tunnel found = {0};
	struct kernel_request request = {
		.verb = KERNEL_TUNNEL_GET, .tunnel_id = id, .ret_tunnel = &found};

	bench->kernel->ops->submit(bench->kernel, &request, 1);
	codec_print(row, &found, text);
	return request.result == 0 ? text : "none";
}

/* ---- routes */

static const struct {
	int error;
	const char *says;
} null_routes[] = {
	{-EINVAL, "no route to 198.18.0.1 (a blackhole route or rule)"},
	{-EACCES, "no route to 198.18.0.1 (a prohibit route or rule)"},
	{-EHOSTUNREACH, "no route to 198.18.0.1 (an unreachable route)"},
	{-ENETUNREACH, "no route to 198.18.0.1 (Network is unreachable)"},
};

static void a_peer_that_is_null_routed_is_waited_for_and_the_others_come(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(null_routes) / sizeof(null_routes[0]); i++) {
		struct edit *edit = edit_new();

		assert_int_equal(
			sim_add_route(bench->kernel, "198.18.0.0/15", null_routes[i].error), 0);
		assert_int_equal(
			sim_add_route(bench->kernel, "2001:db8:9::/48", null_routes[i].error), 0);
		tunnel(edit, EDIT_MERGE, 1,
		       "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=198.18.0.1");
		tunnel(edit, EDIT_MERGE, 2,
		       "peer-tunnel-id=2 local-address=2001:db8::1 remote-address=2001:db8:9::1");
		tunnel(edit, EDIT_MERGE, 3,
		       "peer-tunnel-id=2 local-address=10.0.0.1 remote-address=8.8.8.8");
		assert_int_equal(commit(bench, edit), 0);
		assert_true(is(bench, 1, OPER_WAITING, REASON_NO_ROUTE));
		assert_true(is(bench, 2, OPER_WAITING, REASON_NO_ROUTE));
		assert_true(is(bench, 3, OPER_UP, REASON_NONE));
		says(bench, 1, null_routes[i].says);
		assert_int_equal(sim_remove_route(bench->kernel, "198.18.0.0/15"), 0);
		assert_int_equal(sim_remove_route(bench->kernel, "2001:db8:9::/48"), 0);
		UNTIL(bench,
		      is(bench, 1, OPER_UP, REASON_NONE) && is(bench, 2, OPER_UP, REASON_NONE));
		for (uint32_t id = 1; id <= 3; id++)
			assert_int_equal(delete_tunnel(bench, id), 0);
		assert_true(turn_until(bench, is_idle, 5000));
	}
}

static void a_null_route_that_comes_later_takes_the_tunnel_down(void **state)
{
	struct bench *bench = *state;

	make(bench, 1, "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=198.18.0.1");
	for (size_t i = 0; i < sizeof(null_routes) / sizeof(null_routes[0]); i++) {
		assert_int_equal(
			sim_add_route(bench->kernel, "198.18.0.0/15", null_routes[i].error), 0);
		UNTIL(bench, is(bench, 1, OPER_DOWN, REASON_NO_ROUTE));
		says(bench, 1, null_routes[i].says);
		assert_int_equal(sim_remove_route(bench->kernel, "198.18.0.0/15"), 0);
		UNTIL(bench, is(bench, 1, OPER_UP, REASON_NONE));
	}
}

/* IPv6 tells of a route a moment before look-ups find it. */
static void a_route_that_is_told_before_it_is_found_is_found(void **state)
{
	struct bench *bench = *state;

	make(bench, 1, "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=198.18.0.1");
	assert_int_equal(sim_add_route(bench->kernel, "10.7.0.0/16", 0), 0); /* an event */
	UNTIL(bench, bench->engine->agenda.recheck);
	UNTIL(bench, !bench->engine->agenda.recheck && bench->engine->agenda.recheck_from == 0);
	assert_true(is(bench, 1, OPER_UP, REASON_NONE));
	bench->kernel->ops->hush(bench->kernel, true);
	assert_int_equal(sim_add_route(bench->kernel, "198.18.0.0/15", -EINVAL), 0);
	bench->kernel->ops->hush(bench->kernel, false);
	UNTIL(bench, is(bench, 1, OPER_DOWN, REASON_NO_ROUTE));
}

static void a_storm_of_routes_is_looked_at_twice_a_second(void **state)
{
	struct bench *bench = *state;
	const struct agenda *agenda = &bench->engine->agenda;
	int64_t begun = clock_now(), last = agenda->rechecked_at;
	int rechecks = 0;

	make(bench, 1, "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=198.18.0.1");
	while (clock_now() - begun < 2 * NS_PER_S) {
		assert_int_equal(sim_add_route(bench->kernel, "10.7.0.0/16", 0), 0);
		turn_until(bench, never, 1);
		assert_int_equal(sim_remove_route(bench->kernel, "10.7.0.0/16"), 0);
		rechecks += agenda->rechecked_at != last;
		last = agenda->rechecked_at;
	}
	assert_in_range(rechecks, 1, 6);
}

static void what_no_route_will_cure_is_refused(void **state)
{
	struct bench *bench = *state;

	assert_true(edit_one_tunnel(bench, 1,
				    "peer-tunnel-id=2 local-address=192.0.2.1 "
				    "remote-address=192.0.2.255") < 0);
	assert_non_null(strstr(bench->error.text, "broadcast"));
}

static void a_kernel_that_needs_no_route_makes_the_tunnel(void **state)
{
	struct bench *bench = *state;

	sim_need_no_route(bench->kernel);
	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	make(bench, 1, "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=8.8.8.8");
	make(bench, 2, "peer-tunnel-id=2 local-address=192.0.2.7 remote-address=8.8.8.8");
	assert_true(in_kernel(bench, 1));
	assert_true(is(bench, 1, OPER_DOWN, REASON_NO_ROUTE));
	assert_true(is(bench, 2, OPER_WAITING, REASON_NO_LOCAL_ADDRESS));
	add_address(bench, "eth0", "192.0.2.7/32");
	UNTIL(bench, in_kernel(bench, 2) && is(bench, 2, OPER_DOWN, REASON_NO_ROUTE));
	assert_int_equal(sim_add_route(bench->kernel, "0.0.0.0/0", 0), 0);
	UNTIL(bench, is(bench, 1, OPER_UP, REASON_NONE) && is(bench, 2, OPER_UP, REASON_NONE));
}

static void the_link_below_the_route_is_told_when_it_is_down(void **state)
{
	struct bench *bench = *state;

	make(bench, 1, "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=192.0.2.2");
	assert_int_equal(edit_one_session(bench, 1, 5, "peer-session-id=6"), 0);
	assert_int_equal(sim_set_carrier(bench->kernel, "eth0", false), 0);
	UNTIL(bench, is(bench, 1, OPER_DOWN, REASON_LINK_DOWN));
	says(bench, 1, "the way to 192.0.2.2 is eth0, which is down");
	assert_int_equal(entry_of(bench, 1, 5)->state.common.status_reason, REASON_TUNNEL_NOT_UP);
	/* the kernel minds it no more than we do */
	make(bench, 2, "peer-tunnel-id=2 local-address=10.0.0.1 remote-address=10.0.0.2");
	assert_true(in_kernel(bench, 2) && is(bench, 2, OPER_DOWN, REASON_LINK_DOWN));
	/* ... and it is no reason to wait with what is refused */
	sim_fail(bench->kernel, KERNEL_TUNNEL_CREATE, 1, SIM_REFUSE, -EINVAL);
	assert_true(edit_one_tunnel(bench, 3,
				    "peer-tunnel-id=2 local-address=198.51.100.1 "
				    "remote-address=198.51.100.2") < 0);
	assert_int_equal(sim_set_carrier(bench->kernel, "eth0", true), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP && is(bench, 2, OPER_UP, REASON_NONE));
}

/* ---- addresses */

static void an_address_that_another_host_has_is_a_duplicate(void **state)
{
	struct bench *bench = *state;
	const char *leaves =
		"peer-tunnel-id=2 local-address=2001:db8:9::1 remote-address=2001:db8:9::2";

	assert_int_equal(sim_add_address(bench->kernel, "eth0", "2001:db8:9::1/64", true), 0);
	make(bench, 1, leaves);
	assert_true(is(bench, 1, OPER_WAITING, REASON_ADDRESS_TENTATIVE));
	mark(bench, "2001:db8:9::1", SIM_DUPLICATE);
	UNTIL(bench, is(bench, 1, OPER_WAITING, REASON_ADDRESS_DUPLICATE));
	says(bench, 1, "another host has the local address 2001:db8:9::1");
	assert_int_equal(sim_remove_address(bench->kernel, "2001:db8:9::1"), 0);
	UNTIL(bench, is(bench, 1, OPER_WAITING, REASON_NO_LOCAL_ADDRESS));
	add_address(bench, "eth0", "2001:db8:9::1/64");
	UNTIL(bench, is(bench, 1, OPER_UP, REASON_NONE));
	mark(bench, "2001:db8:9::1", SIM_DUPLICATE);
	UNTIL(bench, is(bench, 1, OPER_DOWN, REASON_ADDRESS_DUPLICATE));
}

static void an_address_inside_a_vrf_is_said_to_be_there(void **state)
{
	struct bench *bench = *state;
	struct kernel_request request = {
		.verb = KERNEL_LINK_SET, .link = {.name = "up0"}, .link_set = LINK_MASTER};

	assert_int_equal(sim_add_link(bench->kernel, "up0", false), 0);
	assert_int_equal(sim_add_vrf(bench->kernel, "blue"), 0);
	assert_int_equal(sim_add_vrf(bench->kernel, "red"), 0);
	turn_until(bench, never, 50);
	request.link.master = links_by_name(&bench->engine->links, "red")->index;
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	add_address(bench, "up0", "172.20.0.1/24");
	make(bench, 1, "peer-tunnel-id=2 local-address=172.20.0.1 remote-address=192.0.2.2");
	assert_true(is(bench, 1, OPER_WAITING, REASON_ADDRESS_IN_VRF));
	says(bench, 1, "the local address 172.20.0.1 is in VRF red, where");
	make(bench, 2, "peer-tunnel-id=2 local-interface=up0 remote-address=192.0.2.2");
	assert_true(is(bench, 2, OPER_WAITING, REASON_ADDRESS_IN_VRF));
	assert_int_equal(sim_remove_link(bench->kernel, "blue"), 0);
	assert_int_equal(sim_rename_link(bench->kernel, "red", "pink"), 0);
	request.link.master = 0;
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	assert_int_equal(sim_add_route(bench->kernel, "198.18.0.0/15", 0), 0); /* an event */
	UNTIL(bench, is(bench, 1, OPER_UP, REASON_NONE));
}

/* With the sysctl ip_nonlocal_bind the errno is that of a missing route, or there is none. */
static void an_address_that_may_be_missing_is_told_as_missing(void **state)
{
	struct bench *bench = *state;

	sim_allow_nonlocal_bind(bench->kernel, true);
	make(bench, 1, "peer-tunnel-id=2 local-address=192.0.2.7 remote-address=192.0.2.2");
	make(bench, 2, "peer-tunnel-id=2 local-address=2001:db8::7 remote-address=2001:db8::2");
	assert_true(is(bench, 1, OPER_WAITING, REASON_NO_LOCAL_ADDRESS));
	assert_true(in_kernel(bench, 2) && is(bench, 2, OPER_DOWN, REASON_NO_LOCAL_ADDRESS));
	add_address(bench, "eth0", "192.0.2.7/24");
	add_address(bench, "eth0", "2001:db8::7/64");
	UNTIL(bench, is(bench, 1, OPER_UP, REASON_NONE) && is(bench, 2, OPER_UP, REASON_NONE));
}

/* ---- local-interface */

static void an_interface_that_is_missing_is_told_with_the_errno(void **state)
{
	struct bench *bench = *state;

	make(bench, 1, UP0 "192.0.2.2 local-address=192.0.2.1");
	assert_true(is(bench, 1, OPER_WAITING, REASON_NO_INTERFACE_ADDRESS));
	says(bench, 1, "no address 192.0.2.1 on up0 (No such device)");
}

static void the_source_is_the_one_that_the_route_prefers(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "up0", false), 0);
	add_address(bench, "up0", "172.20.0.1/24");
	add_address(bench, "up0", "10.9.0.1/24");
	add_address(bench, "up0", "172.21.0.1/24");
	make(bench, 1, UP0 "10.9.0.2");
	assert_string_equal(source(bench, 1), "10.9.0.1");
	make(bench, 2, UP0 "8.8.8.8"); /* which eth0 is the way to */
	assert_string_equal(source(bench, 2), "172.20.0.1");
	assert_int_equal(sim_add_route(bench->kernel, "10.7.0.0/16", 0), 0);
	assert_int_equal(sim_set_source(bench->kernel, "10.7.0.0/16", "172.21.0.1"), 0);
	make(bench, 3, UP0 "10.7.0.1");
	assert_string_equal(source(bench, 3), "172.21.0.1");
	make(bench, 1, UP0 "10.7.0.2"); /* another peer, another source */
	assert_string_equal(source(bench, 1), "172.21.0.1");
	/* routes that change do not move it */
	assert_int_equal(sim_set_source(bench->kernel, "10.7.0.0/16", "10.9.0.1"), 0);
	make(bench, 3, "peer-tunnel-id=3");
	assert_string_equal(source(bench, 3), "172.21.0.1");
	/* beside a local-address it has no say */
	make(bench, 4, UP0 "10.9.0.4 local-address=172.20.0.1");
	assert_string_equal(source(bench, 4), "172.20.0.1");
}

static void deprecated_and_tentative_addresses_come_last(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "up0", false), 0);
	add_address(bench, "up0", "2001:db8:7::1/64");
	mark(bench, "2001:db8:7::1", SIM_TENTATIVE);
	make(bench, 1, UP0 "2001:db8:7::9");
	assert_true(is(bench, 1, OPER_WAITING, REASON_ADDRESS_TENTATIVE));
	mark(bench, "2001:db8:7::1", SIM_DUPLICATE);
	UNTIL(bench, is(bench, 1, OPER_WAITING, REASON_ADDRESS_DUPLICATE));
	add_address(bench, "up0", "2001:db8:5::1/64");
	mark(bench, "2001:db8:5::1", SIM_DEPRECATED);
	UNTIL(bench, is(bench, 1, OPER_UP, REASON_NONE));
	assert_string_equal(source(bench, 1), "2001:db8:5::1");
	/* until there is one that is usable the old one is kept, though it went */
	assert_int_equal(sim_remove_address(bench->kernel, "2001:db8:5::1"), 0);
	UNTIL(bench, is(bench, 1, OPER_DOWN, REASON_ADDRESS_DUPLICATE));
	assert_true(turn_until(bench, is_idle, 5000));
	assert_string_equal(source(bench, 1), "2001:db8:5::1");
	mark(bench, "2001:db8:7::1", SIM_PLAIN);
	UNTIL(bench, strcmp(source(bench, 1), "2001:db8:7::1") == 0);
	UNTIL(bench, is(bench, 1, OPER_UP, REASON_NONE));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_peer_that_is_null_routed_is_waited_for_and_the_others_come),
		TEST(a_null_route_that_comes_later_takes_the_tunnel_down),
		TEST(a_route_that_is_told_before_it_is_found_is_found),
		TEST(a_storm_of_routes_is_looked_at_twice_a_second),
		TEST(what_no_route_will_cure_is_refused),
		TEST(a_kernel_that_needs_no_route_makes_the_tunnel),
		TEST(the_link_below_the_route_is_told_when_it_is_down),
		TEST(an_address_that_another_host_has_is_a_duplicate),
		TEST(an_address_inside_a_vrf_is_said_to_be_there),
		TEST(an_address_that_may_be_missing_is_told_as_missing),
		TEST(an_interface_that_is_missing_is_told_with_the_errno),
		TEST(the_source_is_the_one_that_the_route_prefers),
		TEST(deprecated_and_tentative_addresses_come_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
