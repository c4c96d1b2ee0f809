/* What others do to what is ours, and what comes and goes around it. */
#include "engine/status.h"
#include "engine_bench.h"

#define UDP4 "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=8.8.8.8"

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

/* Tunnel 1 with session 5. */
static void make(struct bench *bench, const char *tunnel_leaves, const char *session_leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, tunnel_leaves);
	session(edit, EDIT_MERGE, 1, 5, session_leaves);
	assert_int_equal(commit(bench, edit), 0);
	assert_true(turn_until(bench, is_idle, 5000));
}

static enum status_reason reason_of(struct bench *bench, uint32_t id)
{
	return entry_of(bench, 1, id)->state.common.status_reason;
}

static const struct state *tunnel_state(struct bench *bench)
{
	return &datastore_tunnel(bench->store, 1)->state.common;
}

/* The last byte of tunnel 1's local address, as the kernel has it; 0: no such tunnel. */
static unsigned int kernels_address(struct bench *bench)
{
	struct tunnel found = {0};
	struct kernel_request request = {
		.verb = KERNEL_TUNNEL_GET, .tunnel_id = 1, .ret_tunnel = &found};

	bench->kernel->ops->submit(bench->kernel, &request, 1);
	return request.result == 0 ? found.local_address.bytes[3] : 0;
}

static bool has_link(struct bench *bench, const char *name)
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	bench->kernel->ops->submit(bench->kernel, &request, 1);
	return request.result == 0;
}

/* Somebody else, with ip link. */
static void set_link(struct bench *bench, const char *name, unsigned int set,
		     struct kernel_link link)
{
	struct kernel_request request = {.verb = KERNEL_LINK_SET, .link = link, .link_set = set};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
}

static void delete_link(struct bench *bench, const char *name)
{
	struct kernel_request request = {.verb = KERNEL_LINK_DELETE};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
}

static struct kernel_request foreign_session(uint32_t id, struct session *session)
{
	*session = (struct session){.session_id = id, .peer_session_id = id};
	session->present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID);
	codec_complete(OBJECT_SESSION, session);
	snprintf(session->interface_name, sizeof(session->interface_name), "f%u", id);
	session->present |= BIT(SESSION_INTERFACE_NAME);
	return (struct kernel_request){.verb = KERNEL_SESSION_CREATE,
				       .tunnel_id = 1,
				       .session_id = id,
				       .session = session};
}

static void restart(struct bench *bench, bool no_repair)
{
	struct engine_options options = bench->engine->o;
	struct error err = ERROR_INIT;

	engine_close(bench->engine);
	options.no_repair = no_repair;
	bench->log[0] = '\0';
	assert_int_equal(engine_open(&bench->engine, &options, &err), 0);
}

/* ---- bridges and 802.1Q links */

static void a_bridge_is_joined_when_it_appears(void **state)
{
	struct bench *bench = *state;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 bridge=br7");
	assert_int_equal(status_of(bench, 1, 5), OPER_WAITING);
	assert_int_equal(reason_of(bench, 5), REASON_NO_BRIDGE);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(sim_add_link(bench->kernel, "br7", true), 0);
		UNTIL(bench, ask_link(bench, "pw0").master == ask_link(bench, "br7").index);
		UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
		assert_int_equal(sim_remove_link(bench->kernel, "br7"), 0);
		UNTIL(bench, reason_of(bench, 5) == REASON_NO_BRIDGE);
	}
}

static unsigned int master_of(struct bench *bench, const char *name)
{
	return ask_link(bench, name).master;
}

static void a_vrf_is_joined_when_it_appears(void **state)
{
	struct bench *bench = *state;
	const struct state *told;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 vrf=blue");
	told = &entry_of(bench, 1, 5)->state.common;
	assert_int_equal(told->oper_status, OPER_WAITING);
	assert_int_equal(told->status_reason, REASON_NO_VRF);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(sim_add_vrf(bench->kernel, "blue"), 0);
		UNTIL(bench, master_of(bench, "pw0") == ask_link(bench, "blue").index);
		UNTIL(bench, told->oper_status == OPER_UP);
		set_link(bench, "pw0", LINK_MASTER, (struct kernel_link){.master = 0});
		UNTIL(bench, master_of(bench, "pw0") == ask_link(bench, "blue").index);
		assert_non_null(strstr(bench->log, "vrf; restoring it"));
		assert_int_equal(sim_remove_link(bench->kernel, "blue"), 0);
		UNTIL(bench, told->status_reason == REASON_NO_VRF);
	}
	assert_int_equal(edit_one_session(bench, 1, 5, "-vrf"), 0);
	UNTIL(bench, told->oper_status == OPER_UP);
}

/* The kernel would join either. */
static void a_bridge_is_no_vrf_and_a_vrf_no_bridge(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	assert_int_equal(sim_add_vrf(bench->kernel, "blue"), 0);
	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 vrf=br0");
	assert_int_equal(reason_of(bench, 5), REASON_NO_VRF);
	assert_int_equal(edit_one_session(bench, 1, 5, "bridge=blue"), 0);
	assert_int_equal(reason_of(bench, 5), REASON_NO_BRIDGE);
	assert_int_equal(master_of(bench, "pw0"), 0);
	assert_int_equal(edit_one_session(bench, 1, 5, "vrf=blue"), 0);
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
	assert_int_equal(master_of(bench, "pw0"), ask_link(bench, "blue").index);
}

static void an_interface_goes_from_bridge_to_vrf_and_back(void **state)
{
	static const char *const links[] = {"pw0", "pw0.7"};
	static const char *const types[] = {"", " pseudowire-type=ethernet-vlan vlan-id=7"};
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	assert_int_equal(sim_add_vrf(bench->kernel, "blue"), 0);
	for (size_t i = 0; i < 2; i++) {
		struct edit *removal = edit_new();
		const struct session *seen;
		char leaves[128];
		union config room;

		snprintf(leaves, sizeof(leaves), "peer-session-id=6 interface-name=pw0%s vrf=blue",
			 types[i]);
		make(bench, TUNNEL1, leaves);
		assert_int_equal(master_of(bench, links[i]), ask_link(bench, "blue").index);
		assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=01020304"), 0);
		assert_int_equal(master_of(bench, links[i]), ask_link(bench, "blue").index);
		assert_int_equal(edit_one_session(bench, 1, 5, "bridge=br0"), 0);
		assert_int_equal(master_of(bench, links[i]), ask_link(bench, "br0").index);
		assert_int_equal(edit_one_session(bench, 1, 5, "vrf=blue"), 0);
		assert_int_equal(master_of(bench, links[i]), ask_link(bench, "blue").index);
		assert_true(ask_link(bench, links[i]).up);
		seen = entry_actual(&entry_of(bench, 1, 5)->entry, &room);
		if (i == 0) {
			assert_string_equal(seen->vrf, "blue");
			assert_string_equal(seen->bridge, "");
		}
		assert_int_equal(edit_one_session(bench, 1, 5, "-vrf"), 0);
		assert_int_equal(master_of(bench, links[i]), 0);
		tunnel(removal, EDIT_DELETE, 1, "");
		assert_int_equal(commit(bench, removal), 0);
		assert_true(turn_until(bench, is_idle, 5000));
	}
}

/* What others joined is theirs, and put back. */
static void the_vrf_of_others_survives_a_re_creation(void **state)
{
	struct bench *bench = *state;
	unsigned int index;

	assert_int_equal(sim_add_vrf(bench->kernel, "blue"), 0);
	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	index = ask_link(bench, "pw0").index;
	set_link(bench, "pw0", LINK_MASTER,
		 (struct kernel_link){.master = ask_link(bench, "blue").index});
	assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=01020304"), 0);
	assert_int_not_equal(ask_link(bench, "pw0").index, index);
	assert_int_equal(master_of(bench, "pw0"), ask_link(bench, "blue").index);
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
}

/* Over IPv4 alone the overhead is 42, and 46 with a tag; the way to the peer is eth0. */
static void an_mtu_above_the_path_is_remarked(void **state)
{
	static const struct {
		const char *leaves;
		unsigned int path;
		enum status_reason reason;
	} cases[] = {
		{"peer-session-id=6 interface-name=pw0 mtu=1458", 1500, REASON_NONE},
		{"mtu=1459", 1500, REASON_MTU_ABOVE_PATH},
		{NULL, 1501, REASON_NONE},
		{NULL, 1500, REASON_MTU_ABOVE_PATH},
		{"-mtu", 1500, REASON_NONE},
		{NULL, 1400, REASON_NONE}, /* the kernel's choice, not ours */
		{"mtu=1458 pseudowire-type=ethernet-vlan vlan-id=7", 1500, REASON_MTU_ABOVE_PATH},
		{"mtu=1454", 1500, REASON_NONE},
	};
	struct bench *bench = *state;
	const struct state *told;

	make(bench, TUNNEL1, cases[0].leaves);
	told = &entry_of(bench, 1, 5)->state.common;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].leaves)
			assert_int_equal(edit_one_session(bench, 1, 5, cases[i].leaves), 0);
		set_link(bench, "eth0", LINK_MTU, (struct kernel_link){.mtu = cases[i].path});
		UNTIL(bench, told->status_reason == cases[i].reason);
		assert_true(turn_until(bench, is_idle, 5000));
		assert_int_equal(told->status_reason, cases[i].reason);
		assert_int_equal(told->oper_status, OPER_UP);
	}
}

/* No link changes by that, so no event tells of it. */
static void an_mtu_that_others_had_set_is_remarked_once_it_is_ours(void **state)
{
	struct bench *bench = *state;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	set_link(bench, "pw0", LINK_MTU, (struct kernel_link){.mtu = 1500});
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(reason_of(bench, 5), REASON_NONE);
	assert_int_equal(edit_one_session(bench, 1, 5, "mtu=1500"), 0);
	UNTIL(bench, reason_of(bench, 5) == REASON_MTU_ABOVE_PATH);
}

static void a_vlan_link_is_restored(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	make(bench, TUNNEL1,
	     "peer-session-id=6 interface-name=pw0 pseudowire-type=ethernet-vlan vlan-id=7 "
	     "bridge=br0");
	delete_link(bench, "pw0.7");
	UNTIL(bench, has_link(bench, "pw0.7") && ask_link(bench, "pw0.7").up);
	UNTIL(bench, ask_link(bench, "pw0.7").master == ask_link(bench, "br0").index);
	set_link(bench, "pw0.7", LINK_UP | LINK_MASTER, (struct kernel_link){.up = false});
	UNTIL(bench, ask_link(bench, "pw0.7").up && ask_link(bench, "pw0.7").master);
	assert_non_null(strstr(bench->log, "vlan-id; restoring it"));
	assert_int_equal(sim_rename_link(bench->kernel, "pw0.7", "foo"), 0);
	UNTIL(bench, has_link(bench, "pw0.7") && ask_link(bench, "pw0.7").up);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
	assert_int_equal(ask_link(bench, "pw0.7").master, ask_link(bench, "br0").index);
}

static void a_vlan_link_leaves_its_bridge(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	make(bench, TUNNEL1,
	     "peer-session-id=6 interface-name=pw0 pseudowire-type=ethernet-vlan vlan-id=7 "
	     "bridge=br0");
	assert_int_not_equal(ask_link(bench, "pw0.7").master, 0);
	assert_int_equal(edit_one_session(bench, 1, 5, "-bridge"), 0);
	assert_int_equal(ask_link(bench, "pw0.7").master, 0);
	assert_int_equal(edit_one_session(bench, 1, 6, "peer-session-id=6"), 0);
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 5, "bridge=br0");
	session(edit, EDIT_MERGE, 1, 6, "bridge=eth0"); /* which is none */
	assert_true(commit(bench, edit) < 0);
	assert_int_equal(ask_link(bench, "pw0.7").master, 0);
	assert_true(turn_until(bench, is_idle, 5000));
	set_link(bench, "pw0.7", LINK_MASTER,
		 (struct kernel_link){.master = ask_link(bench, "br0").index});
	assert_int_equal(edit_one_session(bench, 1, 5, "mtu=1300"), 0);
	assert_int_not_equal(ask_link(bench, "pw0.7").master, 0); /* another's */
}

static void a_vlan_link_follows_the_mtu(void **state)
{
	struct bench *bench = *state;

	make(bench, TUNNEL1,
	     "peer-session-id=6 interface-name=pw0 pseudowire-type=ethernet-vlan vlan-id=7 "
	     "mtu=1300");
	assert_int_equal(ask_link(bench, "pw0.7").mtu, 1300);
	assert_int_equal(edit_one_session(bench, 1, 5, "mtu=1420"), 0);
	assert_int_equal(ask_link(bench, "pw0").mtu, 1420);
	assert_int_equal(ask_link(bench, "pw0.7").mtu, 1420);
}

static void a_link_that_has_the_name_of_a_vlan_link_is_left_alone(void **state)
{
	struct bench *bench = *state;
	const char *vlan = "pseudowire-type=ethernet-vlan vlan-id=7 mtu=1300";

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	assert_int_equal(sim_add_link(bench->kernel, "pw0.7", false), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_true(edit_one_session(bench, 1, 5, vlan) < 0);
	assert_int_equal(bench->error.code, ERROR_FOREIGN);
	assert_non_null(strstr(bench->error.path, "vlan-id"));
	assert_int_equal(sim_remove_link(bench->kernel, "pw0.7"), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(edit_one_session(bench, 1, 5, vlan), 0);
	delete_link(bench, "pw0.7");
	assert_int_equal(sim_add_link(bench->kernel, "pw0.7", false), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_FAILED);
	assert_int_equal(ask_link(bench, "pw0.7").mtu, 1500);
	assert_false(ask_link(bench, "pw0.7").up);
	assert_int_equal(sim_remove_link(bench->kernel, "pw0.7"), 0);
	UNTIL(bench, has_link(bench, "pw0.7") && ask_link(bench, "pw0.7").up);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
}

/* ---- interfaces */

static void the_kernels_choice_of_mtu_is_known(void **state)
{
	struct bench *bench = *state;
	unsigned int chosen;

	set_link(bench, "eth0", LINK_MTU, (struct kernel_link){.mtu = 1400});
	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	chosen = ask_link(bench, "pw0").mtu;
	assert_true(chosen < 1400);
	assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=0102030405060708"), 0);
	assert_int_equal(ask_link(bench, "pw0").mtu, chosen - 8);
	assert_int_equal(edit_one_session(bench, 1, 5, "mtu=1200"), 0);
	assert_int_equal(ask_link(bench, "pw0").mtu, 1200);
	assert_int_equal(edit_one_session(bench, 1, 5, "-mtu"), 0);
	assert_int_equal(ask_link(bench, "pw0").mtu, chosen - 8);
}

static void an_interface_gets_its_name_back(void **state)
{
	struct bench *bench = *state;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	assert_int_equal(sim_rename_link(bench->kernel, "pw0", "foo"), 0);
	UNTIL(bench, has_link(bench, "pw0") && ask_link(bench, "pw0").up);
	assert_non_null(strstr(bench->log, "interface-name; restoring it"));
	assert_int_equal(edit_one_session(bench, 1, 5, "mtu=1300"), 0);
	assert_int_equal(ask_link(bench, "pw0").mtu, 1300);
}

static void a_link_that_took_the_name_is_left_alone(void **state)
{
	struct bench *bench = *state;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 mtu=1300");
	engine_close(bench->engine);
	assert_int_equal(sim_rename_link(bench->kernel, "pw0", "moved"), 0);
	assert_int_equal(sim_add_link(bench->kernel, "pw0", false), 0);
	datastore_set_index(bench->store, entry_of(bench, 1, 5), 0);
	open_engine(bench);
	UNTIL(bench, reason_of(bench, 5) == REASON_NO_INTERFACE);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(ask_link(bench, "pw0").mtu, 1500);
	assert_int_equal(status_of(bench, 1, 5), OPER_DOWN);
}

static void an_index_not_known_is_learnt_by_the_name(void **state)
{
	struct bench *bench = *state;
	struct session_entry *session;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	assert_true(turn_until(bench, is_idle, 5000));
	session = entry_of(bench, 1, 5);
	datastore_set_index(bench->store, session, 0);
	assert_int_equal(bench->store->unindexed, 1);
	assert_int_equal(sim_set_carrier(bench->kernel, "pw0", false), 0);
	UNTIL(bench, session->state.if_index == ask_link(bench, "pw0").index);
	assert_int_equal(bench->store->unindexed, 0);
}

static void a_name_in_use_is_refused_before_anything_is_done(void **state)
{
	struct bench *bench = *state;
	unsigned int index;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	index = ask_link(bench, "pw0").index;
	assert_true(edit_one_session(bench, 1, 5, "interface-name=eth0") < 0);
	assert_int_equal(bench->error.code, ERROR_FOREIGN);
	assert_int_equal(ask_link(bench, "pw0").index, index);
}

static void a_session_made_anew_while_events_were_lost_is_noticed(void **state)
{
	struct bench *bench = *state;
	struct session found;
	struct kernel_request remove = {
		.verb = KERNEL_SESSION_DELETE, .tunnel_id = 1, .session_id = 5};
	struct kernel_request create = {
		.verb = KERNEL_SESSION_CREATE, .tunnel_id = 1, .session_id = 5, .session = &found};
	unsigned int index;

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 mtu=1300");
	index = entry_of(bench, 1, 5)->state.if_index;
	assert_int_equal(ask_kernel(bench, 1, 5, &found), 0);
	assert_int_equal(sim_foreign(bench->kernel, &remove), 0);
	sim_reap(bench->kernel);
	assert_int_equal(sim_foreign(bench->kernel, &create), 0);
	sim_lose_events(bench->kernel);
	UNTIL(bench, entry_of(bench, 1, 5)->state.if_index != index);
	UNTIL(bench, ask_link(bench, "pw0").mtu == 1300 && ask_link(bench, "pw0").up);
	assert_int_equal(entry_of(bench, 1, 5)->state.if_index, ask_link(bench, "pw0").index);
}

/* ---- addresses and routes */

static void a_missing_route_is_seen_by_who_starts(void **state)
{
	struct bench *bench = *state;

	make(bench, UDP4, "peer-session-id=6");
	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_ROUTE);
	status_gone(bench->engine, datastore_entry(bench->store, 1, 0));
	engine_close(bench->engine);
	open_engine(bench);
	assert_int_equal(tunnel_state(bench)->status_reason, REASON_NO_ROUTE);
}

static void a_refused_commit_leaves_what_waits_waiting(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	make(bench, UDP4, "peer-session-id=6");
	assert_int_equal(sim_set_port(bench->kernel, "192.0.2.1", 6000, true), 0);
	tunnel(edit, EDIT_MERGE, 1, "remote-address=8.8.4.4");
	tunnel(edit, EDIT_MERGE, 2,
	       "peer-tunnel-id=3 local-address=192.0.2.1 local-port=6000 "
	       "remote-address=192.0.2.2");
	assert_true(commit(bench, edit) < 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(tunnel_state(bench)->oper_status, OPER_WAITING);
		assert_int_equal(tunnel_state(bench)->status_reason, REASON_NO_ROUTE);
		assert_int_equal(reason_of(bench, 5), REASON_TUNNEL_NOT_UP);
		assert_true(turn_until(bench, is_idle, 5000));
	}
}

static void take_event(const struct engine_event *event, void *arg)
{
	struct engine_event *last = arg;

	if ((event->type == ENGINE_STATE || event->type == ENGINE_REASON) &&
	    event->entry->key.session_id == 0)
		*last = *event;
}

static void another_reason_for_the_same_status_is_told_as_such(void **state)
{
	struct bench *bench = *state;
	struct engine_event last = {.type = ENGINE_COMMIT};

	make(bench, UDP4, "peer-session-id=6");
	assert_int_equal(engine_watch(bench->engine, take_event, &last), 0);
	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_ROUTE);
	assert_int_equal(last.type, ENGINE_STATE);
	assert_int_equal(last.old_status, OPER_UP);
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_LOCAL_ADDRESS);
	assert_int_equal(last.type, ENGINE_REASON);
	assert_int_equal(last.old_status, OPER_DOWN);
	assert_int_equal(tunnel_state(bench)->oper_status, OPER_DOWN);
	engine_unwatch(bench->engine, &last);
}

static void a_missing_route_is_seen_though_events_were_lost(void **state)
{
	struct bench *bench = *state;

	make(bench, UDP4, "peer-session-id=6");
	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	sim_lose_events(bench->kernel);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_ROUTE);
	UNTIL(bench, reason_of(bench, 5) == REASON_TUNNEL_NOT_UP);
}

static void a_tunnel_does_not_keep_an_address_that_it_shall_not_have(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	make(bench, UDP4, "peer-session-id=6");
	assert_int_equal(edit_one_tunnel(bench, 1, "-local-address local-interface=nosuch0"), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_INTERFACE_ADDRESS);
	assert_int_equal(tunnel_state(bench)->oper_status, OPER_WAITING);
	UNTIL(bench, sim_population(bench->kernel).tunnels == 0);
	UNTIL(bench, reason_of(bench, 5) == REASON_TUNNEL_NOT_UP); /* not removing for good */
	assert_int_equal(entry_of(bench, 1, 5)->state.common.oper_status, OPER_WAITING);
	tunnel(edit, EDIT_MERGE, 2, UDP4); /* the address and port are free */
	assert_int_equal(commit(bench, edit), 0);
}

static void an_address_that_flaps_does_not_cost_the_tunnel(void **state)
{
	struct bench *bench = *state;
	unsigned int index;

	make(bench, "peer-tunnel-id=2 local-interface=eth0 remote-address=192.0.2.2",
	     "peer-session-id=6 interface-name=pw0");
	index = ask_link(bench, "pw0").index;
	assert_int_equal(sim_remove_address(bench->kernel, "198.51.100.1/24"), 0);
	assert_int_equal(sim_remove_address(bench->kernel, "203.0.113.1/24"), 0);
	assert_int_equal(sim_remove_address(bench->kernel, "10.0.0.1/8"), 0);
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_INTERFACE_ADDRESS);
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "192.0.2.1/24", false), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
	assert_int_equal(ask_link(bench, "pw0").index, index);
}

static void another_address_does_not_move_the_tunnel(void **state)
{
	struct bench *bench = *state;
	const char *leaves = "peer-tunnel-id=2 local-interface=eth0 remote-address=2001:db8::2";
	unsigned int index;

	make(bench, leaves, "peer-session-id=6 interface-name=pw0");
	index = ask_link(bench, "pw0").index;
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "2001:db8::99/32", false), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(ask_link(bench, "pw0").index, index);
	restart(bench, false);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(ask_link(bench, "pw0").index, index);
	assert_int_equal(edit_one_tunnel(bench, 1, "peer-tunnel-id=3"), 0); /* made anew */
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(datastore_tunnel(bench->store, 1)->actual.local_address.bytes[15], 1);
	assert_int_equal(sim_remove_address(bench->kernel, "2001:db8::1/32"), 0);
	UNTIL(bench, datastore_tunnel(bench->store, 1)->actual.local_address.bytes[15] == 0x99);
}

/* Both given: that address, on that interface, and no other will do. */
static void an_address_is_wanted_on_its_interface(void **state)
{
	struct bench *bench = *state;
	const char *leaves = "peer-tunnel-id=2 local-address=192.0.2.1 local-interface=up0 "
			     "remote-address=192.0.2.2";

	make(bench, leaves, "peer-session-id=6");
	assert_int_equal(tunnel_state(bench)->status_reason, REASON_NO_INTERFACE_ADDRESS);
	assert_int_equal(sim_add_link(bench->kernel, "up0", false), 0);
	assert_int_equal(sim_add_address(bench->kernel, "up0", "192.0.2.5/24", false), 0);
	assert_true(turn_until(bench, is_idle, 5000)); /* it is eth0 that has the right one */
	assert_int_equal(tunnel_state(bench)->oper_status, OPER_WAITING);
	assert_int_equal(sim_population(bench->kernel).tunnels, 0);
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	assert_int_equal(sim_add_address(bench->kernel, "up0", "192.0.2.1/24", true), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_ADDRESS_TENTATIVE);
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	assert_int_equal(sim_add_address(bench->kernel, "up0", "192.0.2.1/24", false), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
}

static void naming_the_interface_of_its_address_does_not_cost_the_tunnel(void **state)
{
	struct bench *bench = *state;
	unsigned int index;

	make(bench, UDP4, "peer-session-id=6 interface-name=pw0");
	index = ask_link(bench, "pw0").index;
	assert_int_equal(edit_one_tunnel(bench, 1, "local-interface=eth0"), 0);
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
	assert_int_equal(sim_add_link(bench->kernel, "up0", false), 0);
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	assert_int_equal(sim_add_address(bench->kernel, "up0", "192.0.2.1/24", false), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_INTERFACE_ADDRESS);
	assert_int_equal(edit_one_tunnel(bench, 1, "local-interface=up0"), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
	assert_int_equal(edit_one_tunnel(bench, 1, "-local-address"), 0); /* it is up0's first */
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
	assert_int_equal(ask_link(bench, "pw0").index, index);
	assert_int_equal(edit_one_tunnel(bench, 1, "local-address=192.0.2.1 local-interface=eth0"),
			 0);
	UNTIL(bench, sim_population(bench->kernel).tunnels == 0);
	assert_int_equal(tunnel_state(bench)->oper_status, OPER_WAITING);
}

static void an_address_that_changes_during_the_commit_is_followed(void **state)
{
	struct bench *bench = *state;
	const char *leaves = "peer-tunnel-id=2 local-interface=up0 remote-address=192.0.2.2";
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 9, TUNNEL1);
	assert_int_equal(commit(bench, edit), 0);
	assert_int_equal(sim_add_link(bench->kernel, "up0", false), 0);
	assert_int_equal(sim_add_address(bench->kernel, "up0", "172.16.0.5/24", false), 0);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t created = sim_calls_of(bench->kernel, KERNEL_TUNNEL_CREATE);

		sim_set_delays(bench->kernel, 300, 100); /* tunnel 9 is waited for */
		edit = edit_new();
		tunnel(edit, EDIT_MERGE, 1, leaves);
		tunnel(edit, EDIT_MERGE, 9, i ? "peer-tunnel-id=10" : "peer-tunnel-id=11");
		bench->done = false;
		engine_edit(bench->engine, edit, &tester, on_done, bench);
		UNTIL(bench, sim_calls_of(bench->kernel, KERNEL_TUNNEL_CREATE) > created);
		assert_false(bench->done);
		if (i == 0)
			assert_int_equal(
				sim_add_address(bench->kernel, "up0", "172.16.0.6/24", false), 0);
		assert_int_equal(
			sim_remove_address(bench->kernel, i ? "172.16.0.6/24" : "172.16.0.5/24"),
			0);
		UNTIL(bench, bench->done);
		assert_int_equal(bench->result, 0);
		sim_set_delays(bench->kernel, 10, 100);
		if (i == 0) {
			UNTIL(bench, kernels_address(bench) == 6);
			assert_true(turn_until(bench, is_idle, 5000));
			assert_int_equal(delete_tunnel(bench, 1), 0);
			assert_true(turn_until(bench, is_idle, 5000));
		}
	}
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_NO_INTERFACE_ADDRESS);
	assert_true(datastore_tunnel(bench->store, 1)->entry.in_kernel);
}

/* ---- what counters tell */

static void a_silent_peer_is_none_without_dead_interval(void **state)
{
	struct bench *bench = *state;

	bench->engine->o.counter_age_ms = 10000; /* which is not for this */
	make(bench, TUNNEL1, "peer-session-id=6 dead-interval=1");
	UNTIL(bench, status_of(bench, 1, 5) == OPER_PEER_SILENT);
	assert_int_equal(edit_one_session(bench, 1, 5, "-dead-interval"), 0);
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
}

static void looking_again_does_not_make_a_peer_silent(void **state)
{
	struct bench *bench = *state;
	const struct statistics got = {.rx_packets = 1, .rx_bytes = 100};
	int64_t end = clock_now() + 3 * NS_PER_S;

	make(bench, TUNNEL1, "peer-session-id=6 dead-interval=2");
	while (clock_now() < end) {
		assert_int_equal(sim_count(bench->kernel, 1, 5, &got), 0);
		agenda_look(&bench->engine->agenda,
			    &(struct key){1, 5}); /* as for another's event */
		engine_schedule(bench->engine);
		turn_until(bench, never, 100);
		assert_int_equal(status_of(bench, 1, 5), OPER_UP);
	}
}

static void only_a_commit_moves_the_last_change(void **state)
{
	struct bench *bench = *state;
	struct engine_info before, after;

	make(bench, UDP4, "peer-session-id=6");
	engine_info(bench->engine, &before);
	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	UNTIL(bench, tunnel_state(bench)->oper_status == OPER_DOWN);
	engine_info(bench->engine, &after);
	assert_int_equal(after.last_change.at, before.last_change.at);
	assert_int_equal(edit_one_session(bench, 1, 5, "description=x"), 0);
	engine_info(bench->engine, &after);
	assert_true(after.last_change.at > before.last_change.at);
}

static void sessions_recover_with_their_tunnel(void **state)
{
	struct bench *bench = *state;
	const struct statistics bad = {.tx_errors = 5}, good = {.tx_packets = 5, .tx_bytes = 500};

	make(bench, TUNNEL1, "peer-session-id=6");
	assert_int_equal(sim_count(bench->kernel, 1, 0, &bad), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_TRANSMIT_ERRORS);
	assert_int_equal(reason_of(bench, 5), REASON_TUNNEL_NOT_UP);
	assert_int_equal(sim_count(bench->kernel, 1, 0, &good), 0);
	UNTIL(bench, tunnel_state(bench)->oper_status == OPER_UP);
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
}

static void what_is_gone_has_no_counters(void **state)
{
	struct bench *bench = *state;
	const struct statistics some = {.tx_packets = 5, .tx_bytes = 500};
	const struct tunnel_entry *entry;

	make(bench, TUNNEL1, "peer-session-id=6");
	assert_int_equal(sim_count(bench->kernel, 1, 5, &some), 0);
	UNTIL(bench, (engine_refresh(bench->engine, &entry_of(bench, 1, 5)->entry),
		      entry_of(bench, 1, 5)->state.common.statistics.tx_packets == 5));
	assert_int_equal(edit_one_tunnel(bench, 1, "enabled=false"), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	entry = datastore_tunnel(bench->store, 1);
	assert_int_equal(entry_of(bench, 1, 5)->state.common.statistics.tx_packets, 0);
	assert_int_equal(entry->state.common.statistics.tx_packets, 0);
	assert_int_equal(entry->state.resolved_local_address.family, 0);
}

/* ---- totals, and what is gone */

/* Count, and read all of it. */
static struct engine_totals count_and_read(struct bench *bench, const struct statistics *more)
{
	struct engine_totals totals;
	struct entry *entry;

	assert_int_equal(sim_count(bench->kernel, 1, 5, more), 0);
	for (entry = datastore_entry_from(bench->store, 0, 0); entry; entry = entry_next(entry)) {
		entry_state(entry)->statistics_time = 1;
		engine_refresh(bench->engine, entry);
	}
	engine_totals(bench->engine, &totals);
	return totals;
}

static void totals_never_fall(void **state)
{
	const struct statistics some = {.tx_packets = 5,
					.tx_bytes = 500,
					.rx_packets = 3,
					.rx_bytes = 300,
					.tx_errors = 1,
					.rx_errors = 1};
	struct bench *bench = *state;
	struct engine_totals totals;
	struct edit *edit = edit_new();

	make(bench, TUNNEL1, "peer-session-id=6");
	totals = count_and_read(bench, &some);
	assert_int_equal(totals.tunnels.tx_packets, 5);
	assert_int_equal(totals.tunnels.rx_bytes, 300);
	assert_int_equal(totals.session_errors, 2);
	session(edit, EDIT_DELETE, 1, 5, "");
	assert_int_equal(commit(bench, edit), 0);
	make(bench, TUNNEL1, "peer-session-id=6"); /* it begins at 0 */
	totals = count_and_read(bench, &some);
	assert_int_equal(totals.tunnels.tx_bytes, 1000);
	assert_int_equal(totals.session_errors, 4);
	assert_int_equal(edit_one_tunnel(bench, 1, "peer-tunnel-id=9"), 0); /* makes it anew */
	assert_true(turn_until(bench, is_idle, 5000));
	totals = count_and_read(bench, &some);
	assert_int_equal(totals.tunnels.rx_packets, 9);
	/* others made it anew, and nobody noticed */
	status_count(bench->engine, datastore_entry(bench->store, 1, 0),
		     &(struct statistics){.rx_packets = 2}, clock_now());
	assert_int_equal(delete_tunnel(bench, 1), 0);
	engine_totals(bench->engine, &totals);
	assert_int_equal(totals.tunnels.rx_packets, 11);
}

/* Else a restart would look like a burst of traffic. */
static void totals_do_not_have_what_was_before(void **state)
{
	const struct statistics some = {.tx_packets = 5};
	struct bench *bench = *state;
	struct engine_totals before, after;

	make(bench, TUNNEL1, "peer-session-id=6");
	before = count_and_read(bench, &some);
	stop_bench(bench);
	start_bench(bench);
	engine_totals(bench->engine, &after);
	assert_int_equal(after.tunnels.tx_packets, 0);
	after = count_and_read(bench, &some);
	assert_int_equal(after.tunnels.tx_packets, 5);
	assert_true(after.tunnels.discontinuity_time.at > before.tunnels.discontinuity_time.at);
}

/* Gone, and no event told of it: those of our own requests are not told. */
static void remove_unheard(struct bench *bench, enum kernel_verb verb)
{
	struct kernel_request request = {.verb = verb, .tunnel_id = 1, .session_id = 5};

	bench->kernel->ops->submit(bench->kernel, &request, 1);
	assert_int_equal(request.result, 0);
	sim_reap(bench->kernel);
}

/* "1/5 pw0;" */
static void take_gone(const struct engine_event *event, void *arg)
{
	const struct session_entry *session;
	char *told = arg;

	if (event->type != ENGINE_GONE)
		return;
	session = entry_session(event->entry);
	snprintf(told + strlen(told), 128 - strlen(told), "%u/%u %s;", event->entry->key.tunnel_id,
		 event->entry->key.session_id,
		 session ? session_last(session)->interface_name : "");
}

static void what_is_gone_is_told_once_with_its_name(void **state)
{
	struct bench *bench = *state;
	struct session theirs;
	struct kernel_request foreign = foreign_session(5, &theirs);
	struct edit *edit = edit_new();
	char gone[128] = "";

	assert_int_equal(engine_watch(bench->engine, take_gone, gone), 0);
	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0");
	session(edit, EDIT_DELETE, 1, 5, "");
	assert_int_equal(commit(bench, edit), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_string_equal(gone, "1/5 pw0;");
	assert_int_equal(sim_foreign(bench->kernel, &foreign), 0);
	UNTIL(bench, datastore_session(bench->store, 1, 5));
	remove_unheard(bench, KERNEL_SESSION_DELETE);
	agenda_look(&bench->engine->agenda, &(struct key){1, 5});
	engine_schedule(bench->engine);
	UNTIL(bench, !datastore_session(bench->store, 1, 5));
	make(bench, "enabled=false", "peer-session-id=6 interface-name=pw1");
	assert_int_equal(delete_tunnel(bench, 1), 0);
	UNTIL(bench, !datastore_tunnel(bench->store, 1));
	assert_string_equal(gone, "1/5 pw0;1/5 f5;1/5 pw1;1/0 ;");
	engine_unwatch(bench->engine, gone);
}

static void what_a_refused_commit_would_have_made_was_never_there(void **state)
{
	struct bench *bench = *state;
	char gone[128] = "";

	assert_int_equal(engine_watch(bench->engine, take_gone, gone), 0);
	assert_int_equal(sim_fail(bench->kernel, KERNEL_TUNNEL_CREATE, 1, SIM_REFUSE, -EINVAL), 0);
	assert_true(commit(bench, tunnel_with_sessions(1, 3)) < 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_null(datastore_tunnel(bench->store, 1));
	assert_string_equal(gone, "");
	engine_unwatch(bench->engine, gone);
}

/* Requests for the counters of all sessions, read in order. */
static unsigned int readings(struct bench *bench)
{
	unsigned int count = 0;

	turn_until(bench, never, 1100); /* what the engine has seen itself is not fresh then */
	for (struct tunnel_entry *t = datastore_tunnel_from(bench->store, 0); t; t = tunnel_next(t))
		for (struct session_entry *s = tunnel_session_from(t, 0); s; s = session_next(s)) {
			uint64_t before = sim_calls(bench->kernel);

			engine_refresh(bench->engine, &s->entry);
			count += sim_calls(bench->kernel) != before;
		}
	return count;
}

static void reading_ahead_passes_what_is_disabled(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	for (uint32_t t = 1; t <= 20; t++) { /* too many for a dump */
		tunnel(edit, EDIT_MERGE, t, TUNNEL1);
		for (uint32_t i = 1; i <= 40; i++)
			session(edit, EDIT_MERGE, t, t * 1000 + i,
				i % 2 ? "peer-session-id=7 enabled=false" : "peer-session-id=7");
	}
	assert_int_equal(commit(bench, edit), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_in_range(readings(bench), 1, 40);
}

static void errors_beside_what_is_sent_are_no_failing(void **state)
{
	struct bench *bench = *state;
	const struct statistics some = {.tx_errors = 5, .tx_packets = 5, .tx_bytes = 500};
	struct tunnel_entry *entry;

	make(bench, TUNNEL1, "peer-session-id=6");
	entry = datastore_tunnel(bench->store, 1);
	for (unsigned int i = 1; i <= 2; i++) {
		assert_int_equal(sim_count(bench->kernel, 1, 0, &some), 0);
		UNTIL(bench, (engine_refresh(bench->engine, &entry->entry),
			      entry->state.common.statistics.tx_errors == 5 * i));
		assert_int_equal(tunnel_state(bench)->oper_status, OPER_UP);
	}
}

/* The counters of its tunnel, as read next; what is told of it then. */
static enum status_reason reason_with(struct bench *bench, uint64_t errors, uint64_t sent)
{
	const struct statistics found = {.tx_errors = errors, .tx_packets = sent};

	status_count(bench->engine, &datastore_tunnel(bench->store, 1)->entry, &found, clock_now());
	return tunnel_state(bench)->status_reason;
}

static void errors_without_anything_sent_are_failing_until_something_is(void **state)
{
	struct bench *bench = *state;

	make(bench, TUNNEL1, "peer-session-id=6");
	status_begin(bench->engine, &datastore_tunnel(bench->store, 1)->entry);
	assert_int_equal(reason_with(bench, 5, 0), REASON_NONE); /* they are of before */
	assert_int_equal(reason_with(bench, 5, 0), REASON_NONE);
	assert_int_equal(reason_with(bench, 7, 0), REASON_TRANSMIT_ERRORS);
	assert_int_equal(reason_with(bench, 7, 0), REASON_TRANSMIT_ERRORS);
	assert_int_equal(reason_with(bench, 9, 3), REASON_NONE);
}

static enum status_reason derived(struct bench *bench, struct entry *entry)
{
	status_derive(bench->engine, entry);
	return entry_state(entry)->status_reason;
}

/* All that can be wrong with a session is wrong at first, and then mended from the top. */
static void of_several_reasons_the_one_is_told_that_explains_the_others(void **state)
{
	struct bench *bench = *state;
	struct links *links = &bench->engine->links;
	struct kernel_link link, bridge = {.name = "br7", .index = 999};
	struct session_entry *session;
	struct tunnel_entry *tunnel;

	make(bench, TUNNEL1,
	     "peer-session-id=6 interface-name=pw0 bridge=br7 dead-interval=100 mtu=1300");
	session = entry_of(bench, 1, 5);
	tunnel = session->tunnel;
	link = *links_by_index(links, session->state.if_index);
	links_remove(links, link.index);
	session->state.common.peer_silent = session->state.common.transmit_failing = true;
	session->state.common.externally_modified = true;

	tunnel->state.path_reason = REASON_NO_ROUTE;
	tunnel->state.common.transmit_failing = tunnel->state.common.externally_modified = true;
	assert_int_equal(derived(bench, &tunnel->entry), REASON_NO_ROUTE);
	assert_int_equal(tunnel_state(bench)->oper_status, OPER_DOWN);
	tunnel->state.path_reason = REASON_NO_INTERFACE_ADDRESS; /* it is to be elsewhere */
	assert_int_equal(derived(bench, &tunnel->entry), REASON_NO_INTERFACE_ADDRESS);
	assert_int_equal(tunnel_state(bench)->oper_status, OPER_WAITING);
	tunnel->state.path_reason = 0;
	assert_int_equal(derived(bench, &tunnel->entry), REASON_TRANSMIT_ERRORS);
	assert_int_equal(derived(bench, &session->entry), REASON_TUNNEL_NOT_UP);
	tunnel->state.common.transmit_failing = false;
	assert_int_equal(derived(bench, &tunnel->entry), REASON_EXTERNALLY_MODIFIED);

	assert_int_equal(derived(bench, &session->entry), REASON_NO_INTERFACE);
	link.up = false;
	assert_true(links_put(links, &link));
	assert_int_equal(derived(bench, &session->entry), REASON_LINK_DOWN);
	link.up = true;
	assert_true(links_put(links, &link));
	assert_int_equal(derived(bench, &session->entry), REASON_TRANSMIT_ERRORS);
	session->state.common.transmit_failing = false;
	assert_int_equal(derived(bench, &session->entry), REASON_NO_BRIDGE);
	assert_true(links_put(links, &bridge));
	assert_int_equal(derived(bench, &session->entry), REASON_PEER_SILENT);
	session->state.common.peer_silent = false;
	assert_int_equal(derived(bench, &session->entry), REASON_EXTERNALLY_MODIFIED);
	session->state.common.externally_modified = false;
	assert_int_equal(derived(bench, &session->entry), REASON_NONE);
}

/* A link is found by the name that it has now, and only by that, however often it is heard of. */
static void a_link_is_known_by_its_last_name(void **state)
{
	struct kernel_link pw = {.index = 1, .name = "pw0"}, wan = {.index = 2, .name = "wan"};
	struct links links = LINKS_EMPTY;

	(void)state;
	assert_true(links_put(&links, &pw));
	assert_true(links_put(&links, &wan));
	assert_true(links_put(&links, &pw));
	assert_int_equal(links_by_name(&links, "pw0")->index, 1);
	memcpy(pw.name, "zz9", sizeof("zz9"));
	assert_true(links_put(&links, &pw));
	assert_null(links_by_name(&links, "pw0"));
	assert_int_equal(links_by_name(&links, "zz9")->index, 1);
	assert_int_equal(links_by_name(&links, "wan")->index, 2);
	links_clear(&links);
}

/* ---- removal, and what vanishes */

static void a_session_that_vanished_has_its_tunnel_looked_at(void **state)
{
	struct bench *bench = *state;

	make(bench, TUNNEL1, "peer-session-id=6");
	restart(bench, true); /* for a repair would find it out */
	assert_true(turn_until(bench, is_idle, 5000));
	remove_unheard(bench, KERNEL_TUNNEL_DELETE);
	agenda_look(&bench->engine->agenda, &(struct key){1, 5});
	engine_schedule(bench->engine);
	UNTIL(bench, !entry_of(bench, 1, 5)->entry.in_kernel);
	UNTIL(bench, !datastore_tunnel(bench->store, 1)->entry.in_kernel);
	assert_int_equal(tunnel_state(bench)->status_reason, REASON_EXTERNALLY_MODIFIED);
}

static void without_repair_what_vanished_stays_away_after_a_resync(void **state)
{
	struct bench *bench = *state;
	struct session found;

	make(bench, TUNNEL1, "peer-session-id=6");
	restart(bench, true);
	assert_true(turn_until(bench, is_idle, 5000));
	remove_unheard(bench, KERNEL_SESSION_DELETE);
	for (unsigned int i = 0; i < 3; i++) {
		bench->done = false;
		engine_resync(bench->engine, on_done, bench);
		UNTIL(bench, bench->done);
		assert_true(turn_until(bench, is_idle, 5000));
		turn_until(bench, never, 100);
		assert_int_equal(ask_kernel(bench, 1, 5, &found), -ENODEV);
		assert_int_equal(reason_of(bench, 5), REASON_EXTERNALLY_MODIFIED);
	}
}

static void a_removal_without_end_is_given_up_after_two_minutes(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();
	struct session_entry *entry;

	make(bench, TUNNEL1, "peer-session-id=6");
	sim_set_delays(bench->kernel, 600000, 0);
	edit_session(edit, EDIT_DELETE, 1, 5);
	assert_int_equal(commit(bench, edit), 0);
	entry = entry_of(bench, 1, 5);
	entry->state.common.last_change.at -= 119 * NS_PER_S;
	turn_until(bench, never, 500);
	assert_true(entry_of(bench, 1, 5)->entry.held);
	entry->state.common.last_change.at -= NS_PER_S;
	UNTIL(bench, bench->engine->agenda.removing.count == 0);
	assert_false(datastore_session(bench->store, 1, 5) && entry_of(bench, 1, 5)->entry.held);
}

/* ---- others */

static void a_repair_spares_what_others_made(void **state)
{
	struct bench *bench = *state;
	struct session other, found;
	struct kernel_request request = foreign_session(99, &other);

	make(bench, "peer-tunnel-id=2 local-interface=eth0 remote-address=192.0.2.2",
	     "peer-session-id=6");
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	UNTIL(bench, datastore_session(bench->store, 1, 99));
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_FOREIGN_OBJECT);
	assert_non_null(strstr(bench->log, "tunnel 1 failed"));
	UNTIL(bench, strstr(bench->log, "session 1/99 down")); /* as others leave it */
	bench->log[0] = '\0';
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "192.0.2.77/24", false), 0);
	turn_until(bench, never, 100);
	assert_string_equal(bench->log, ""); /* it is not told anew */
	assert_int_equal(tunnel_state(bench)->status_reason, REASON_FOREIGN_OBJECT);
	assert_int_equal(sim_add_address(bench->kernel, "eth0", "192.0.2.1/24", false), 0);
	UNTIL(bench, tunnel_state(bench)->oper_status == OPER_UP);
	assert_int_equal(ask_kernel(bench, 1, 99, &found), 0);
}

static int adopt(struct bench *bench, uint32_t tunnel_id)
{
	bench->done = false;
	engine_adopt(bench->engine, tunnel_id, &tester, on_done, bench);
	assert_true(turn_until(bench, is_done, 5000));
	return bench->result;
}

static void nothing_is_adopted_that_cannot_be_configured(void **state)
{
	struct bench *bench = *state;
	struct session other;
	struct kernel_request request = foreign_session(99, &other);

	make(bench, TUNNEL1, "peer-session-id=6");
	other.tx_cookie.length = 3;
	other.present |= BIT(SESSION_TX_COOKIE);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	UNTIL(bench, datastore_session(bench->store, 1, 99));
	assert_true(adopt(bench, 1) < 0);
	assert_string_equal(bench->error.path,
			    "/l2tpv3/tunnel[tunnel-id='1']/session[session-id='99']/tx-cookie");
	assert_false(entry_config(&entry_of(bench, 1, 99)->entry));
}

static void adopted_interfaces_stay_as_their_administrator_has_them(void **state)
{
	const unsigned int administrators =
		BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) | BIT(SESSION_BRIDGE);
	struct bench *bench = *state;
	struct session other;
	struct kernel_request request = foreign_session(99, &other);
	struct kernel_link link = {.mtu = 1300, .mac.bytes = {2, 0, 0, 0, 0, 9}}, found;
	uint64_t writes;

	make(bench, TUNNEL1, "peer-session-id=6");
	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	UNTIL(bench, datastore_session(bench->store, 1, 99));
	link.master = ask_link(bench, "br0").index;
	set_link(bench, "f99", LINK_MTU | LINK_MAC | LINK_MASTER, link);
	set_link(bench, "f99", LINK_UP, (struct kernel_link){.up = true});
	assert_true(turn_until(bench, is_idle, 5000));
	writes = bench->kernel->ops->writes(bench->kernel);
	assert_int_equal(adopt(bench, 1), 0);
	assert_int_equal(session_config(entry_of(bench, 1, 99))->present & administrators, 0);
	set_link(bench, "f99", LINK_MTU | LINK_MASTER, (struct kernel_link){.mtu = 1200});
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(ask_link(bench, "f99").mtu, 1200);
	assert_int_equal(ask_link(bench, "f99").master, 0);
	found = ask_link(bench, "f99");
	assert_memory_equal(&found.mac, &link.mac, sizeof(link.mac));
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
}

/* A port that is not there would be 1701 as soon as it is configured. */
static void nothing_is_adopted_that_the_configuration_would_not_make(void **state)
{
	struct bench *bench = *state;
	struct tunnel other = {.tunnel_id = 50, .peer_tunnel_id = 51, .encapsulation = 1};
	struct kernel_request request = {
		.verb = KERNEL_TUNNEL_CREATE, .tunnel_id = 50, .tunnel = &other};

	codec_parse(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_ADDRESS], &other, "192.0.2.1", 9,
		    &bench->error);
	codec_parse(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_REMOTE_ADDRESS], &other, "8.8.8.8", 7,
		    &bench->error);
	other.present |= BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID);
	codec_complete(OBJECT_TUNNEL, &other);
	other.present &= ~BIT(TUNNEL_REMOTE_PORT);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	UNTIL(bench, datastore_tunnel(bench->store, 50));
	assert_true(adopt(bench, 50) < 0);
	assert_int_equal(bench->error.code, ERROR_INVALID_VALUE);
	assert_string_equal(bench->error.path, "/l2tpv3/tunnel[tunnel-id='50']");
	assert_false(entry_config(&datastore_tunnel(bench->store, 50)->entry));
}

static void a_module_that_comes_back_is_found(void **state)
{
	struct bench *bench = *state;
	unsigned int all = bench->kernel->ops->capabilities(bench->kernel);

	sim_set_capabilities(bench->kernel, 0);
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 5)), 0);
	UNTIL(bench, tunnel_state(bench)->status_reason == REASON_MODULE_MISSING);
	sim_set_capabilities(bench->kernel, all);
	UNTIL(bench, status_of(bench, 1, 1005) == OPER_UP);
}

/* ---- --no-repair */

static void without_repair_what_was_never_there_is_made(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	restart(bench, true);
	make(bench, UDP4, "peer-session-id=6");
	assert_int_equal(tunnel_state(bench)->status_reason, REASON_NO_ROUTE);
	assert_int_equal(sim_add_route(bench->kernel, "0.0.0.0/0", 0), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
}

/* "5 differs mtu left;" */
static void take_drift(const struct engine_event *event, void *arg)
{
	static const char *const words[] = {"differs", "gone", "ended"};
	char *told = arg;

	if (event->type == ENGINE_DRIFT)
		snprintf(told + strlen(told), 128 - strlen(told), "%u %s%s%s %s;",
			 event->entry->key.session_id, words[event->drift], event->row ? " " : "",
			 event->row ? event->row->leaf : "", event->restores ? "restored" : "left");
}

static void drift_is_told_when_it_is_restored_too(void **state)
{
	struct bench *bench = *state;
	char drift[128] = "";

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 mtu=1400");
	assert_int_equal(engine_watch(bench->engine, take_drift, drift), 0);
	set_link(bench, "pw0", LINK_MTU, (struct kernel_link){.mtu = 1300});
	UNTIL(bench, ask_link(bench, "pw0").mtu == 1400);
	assert_string_equal(drift, "5 differs mtu restored;");
	assert_true(turn_until(bench, is_idle, 5000));
	remove_unheard(bench, KERNEL_SESSION_DELETE);
	bench->done = false;
	engine_resync(bench->engine, on_done, bench);
	UNTIL(bench, bench->done);
	assert_string_equal(drift, "5 differs mtu restored;5 gone restored;");
	engine_unwatch(bench->engine, drift);
}

static void without_repair_changes_are_told_and_left(void **state)
{
	struct bench *bench = *state;
	char drift[128] = "";

	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 mtu=1400");
	restart(bench, true);
	assert_int_equal(engine_watch(bench->engine, take_drift, drift), 0);
	set_link(bench, "pw0", LINK_MTU, (struct kernel_link){.mtu = 1300});
	UNTIL(bench, reason_of(bench, 5) == REASON_EXTERNALLY_MODIFIED);
	assert_string_equal(drift, "5 differs mtu left;");
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
	assert_non_null(strstr(bench->log, "mtu; leaving it"));
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(ask_link(bench, "pw0").mtu, 1300);
	assert_int_equal(bench->engine->agenda.changed.count, 0);
	set_link(bench, "pw0", LINK_MTU, (struct kernel_link){.mtu = 1400});
	UNTIL(bench, reason_of(bench, 5) == REASON_NONE);
	assert_string_equal(drift, "5 differs mtu left;5 ended left;");
	engine_unwatch(bench->engine, drift);
}

static void without_repair_a_bridge_that_goes_is_waited_for(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "br7", true), 0);
	make(bench, TUNNEL1, "peer-session-id=6 interface-name=pw0 bridge=br7");
	restart(bench, true);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(sim_remove_link(bench->kernel, "br7"), 0);
	UNTIL(bench, reason_of(bench, 5) == REASON_NO_BRIDGE);
	assert_int_equal(sim_add_link(bench->kernel, "br7", true), 0);
	UNTIL(bench, ask_link(bench, "pw0").master == ask_link(bench, "br7").index);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_bridge_is_joined_when_it_appears),
		TEST(a_vrf_is_joined_when_it_appears),
		TEST(a_bridge_is_no_vrf_and_a_vrf_no_bridge),
		TEST(an_interface_goes_from_bridge_to_vrf_and_back),
		TEST(the_vrf_of_others_survives_a_re_creation),
		TEST(an_mtu_above_the_path_is_remarked),
		TEST(an_mtu_that_others_had_set_is_remarked_once_it_is_ours),
		TEST(a_vlan_link_is_restored),
		TEST(a_vlan_link_follows_the_mtu),
		TEST(a_vlan_link_leaves_its_bridge),
		TEST(a_link_that_has_the_name_of_a_vlan_link_is_left_alone),
		TEST(the_kernels_choice_of_mtu_is_known),
		TEST(an_interface_gets_its_name_back),
		TEST(a_link_that_took_the_name_is_left_alone),
		TEST(an_index_not_known_is_learnt_by_the_name),
		TEST(a_name_in_use_is_refused_before_anything_is_done),
		TEST(a_session_made_anew_while_events_were_lost_is_noticed),
		TEST(a_missing_route_is_seen_by_who_starts),
		TEST(a_refused_commit_leaves_what_waits_waiting),
		TEST(a_missing_route_is_seen_though_events_were_lost),
		TEST(another_reason_for_the_same_status_is_told_as_such),
		TEST(a_tunnel_does_not_keep_an_address_that_it_shall_not_have),
		TEST(an_address_that_flaps_does_not_cost_the_tunnel),
		TEST(another_address_does_not_move_the_tunnel),
		TEST(an_address_is_wanted_on_its_interface),
		TEST(naming_the_interface_of_its_address_does_not_cost_the_tunnel),
		TEST(an_address_that_changes_during_the_commit_is_followed),
		TEST(a_silent_peer_is_none_without_dead_interval),
		TEST(looking_again_does_not_make_a_peer_silent),
		TEST(only_a_commit_moves_the_last_change),
		TEST(sessions_recover_with_their_tunnel),
		TEST(what_is_gone_has_no_counters),
		TEST(totals_never_fall),
		TEST(totals_do_not_have_what_was_before),
		TEST(what_is_gone_is_told_once_with_its_name),
		TEST(what_a_refused_commit_would_have_made_was_never_there),
		TEST(reading_ahead_passes_what_is_disabled),
		TEST(errors_beside_what_is_sent_are_no_failing),
		TEST(errors_without_anything_sent_are_failing_until_something_is),
		TEST(of_several_reasons_the_one_is_told_that_explains_the_others),
		cmocka_unit_test(a_link_is_known_by_its_last_name),
		TEST(a_session_that_vanished_has_its_tunnel_looked_at),
		TEST(without_repair_what_vanished_stays_away_after_a_resync),
		TEST(a_removal_without_end_is_given_up_after_two_minutes),
		TEST(a_repair_spares_what_others_made),
		TEST(nothing_is_adopted_that_cannot_be_configured),
		TEST(adopted_interfaces_stay_as_their_administrator_has_them),
		TEST(nothing_is_adopted_that_the_configuration_would_not_make),
		TEST(a_module_that_comes_back_is_found),
		TEST(without_repair_what_was_never_there_is_made),
		TEST(drift_is_told_when_it_is_restored_too),
		TEST(without_repair_changes_are_told_and_left),
		TEST(without_repair_a_bridge_that_goes_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
