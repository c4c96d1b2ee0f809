/* What others set on our interfaces, and under which names links are found. */
#include "engine/status.h"
#include "engine_bench.h"

#include "model/codec.h"

#define SESSION "peer-session-id=6 interface-name=pw0"
#define VLAN    SESSION " pseudowire-type=ethernet-vlan vlan-id=7"

static int setup(void **state)
{
	struct bench *bench = new_bench("6.12", NULL);

	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	assert_int_equal(sim_add_link(bench->kernel, "br1", true), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	free_bench(*state);
	return 0;
}

/* Tunnel 1 with session 5. */
static void make(struct bench *bench, const char *session_leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, TUNNEL1);
	session(edit, EDIT_MERGE, 1, 5, session_leaves);
	assert_int_equal(commit(bench, edit), 0);
	assert_true(turn_until(bench, is_idle, 5000));
}

/* An interface of this name that is not the one of @index: asked once, for the kernel goes on. */
static bool has_another_link(struct bench *bench, const char *name, unsigned int index)
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	bench->kernel->ops->submit(bench->kernel, &request, 1);
	return request.result == 0 && request.link.index != index;
}

/* Somebody else, with ip link. */
static void set_master(struct bench *bench, const char *name, const char *bridge)
{
	struct kernel_request request = {.verb = KERNEL_LINK_SET, .link_set = LINK_MASTER};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	request.link.master = bridge ? ask_link(bench, bridge).index : 0;
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
}

/* Customer 10's: the port is in its bridge, up, isolated, and in VLAN 10 only. */
static void set_port(struct bench *bench, const char *link)
{
	assert_int_equal(sim_set(bench->kernel, link, SIM_PORT_PVID, 10), 0);
	assert_int_equal(sim_set(bench->kernel, link, SIM_PORT_ISOLATED, 1), 0);
	assert_int_equal(sim_set(bench->kernel, link, SIM_PORT_COST, 7), 0);
}

static bool is_set(struct bench *bench, const char *link, const char *bridge)
{
	return ask_link(bench, link).master == ask_link(bench, bridge).index &&
	       ask_link(bench, link).up && sim_get(bench->kernel, link, SIM_PORT_PVID) == 10 &&
	       sim_get(bench->kernel, link, SIM_PORT_ISOLATED) == 1 &&
	       sim_get(bench->kernel, link, SIM_PORT_COST) == 7;
}

/* ---- re-creation */

static void a_port_is_set_again_before_it_carries_frames(void **state)
{
	static const char *const leaves[] = {SESSION " bridge=br0", SESSION};
	struct bench *bench = *state;
	unsigned int index;

	for (size_t i = 0; i < 2; i++) {
		make(bench, leaves[i]);
		if (i == 1)
			set_master(bench, "pw0", "br0");
		set_port(bench, "pw0");
		index = ask_link(bench, "pw0").index;
		assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=01020304"), 0);
		assert_int_not_equal(ask_link(bench, "pw0").index, index);
		assert_true(is_set(bench, "pw0", "br0"));
		assert_false(sim_carried_default(bench->kernel, "pw0"));
		assert_int_equal(status_of(bench, 1, 5), OPER_UP);
		assert_null(strstr(bench->log, "lost"));
		assert_int_equal(edit_one_session(bench, 1, 5, "-tx-cookie"), 0);
		assert_true(is_set(bench, "pw0", "br0"));
		assert_int_equal(edit_one_session(bench, 1, 5, "-bridge"), i ? 0 : 0);
		assert_true(turn_until(bench, is_idle, 5000));
	}
}

static void a_port_survives_the_re_creation_of_its_tunnel(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	make(bench, SESSION " bridge=br0");
	set_port(bench, "pw0");
	tunnel(edit, EDIT_MERGE, 1, "peer-tunnel-id=77");
	assert_int_equal(commit(bench, edit), 0);
	assert_true(is_set(bench, "pw0", "br0"));
	assert_false(sim_carried_default(bench->kernel, "pw0"));
}

static void a_port_survives_a_wait_for_a_route(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	make(bench, SESSION " bridge=br0");
	set_port(bench, "pw0");
	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	tunnel(edit, EDIT_MERGE, 1, "remote-address=9.9.9.9");
	assert_int_equal(commit(bench, edit), 0);
	assert_int_not_equal(status_of(bench, 1, 5), OPER_UP);
	assert_int_equal(sim_add_route(bench->kernel, "0.0.0.0/0", 0), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
	assert_true(is_set(bench, "pw0", "br0"));
	assert_false(sim_carried_default(bench->kernel, "pw0"));
}

static void a_port_survives_the_undo(void **state)
{
	struct bench *bench = *state;
	struct edit *edit;

	make(bench, SESSION " bridge=br0");
	assert_int_equal(edit_one_session(bench, 1, 6, "peer-session-id=6"), 0);
	set_port(bench, "pw0");
	edit = edit_new(); /* re-created, and back */
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 5, "tx-cookie=01020304");
	session(edit, EDIT_MERGE, 1, 6, "bridge=eth0"); /* which is none */
	assert_true(commit(bench, edit) < 0);
	assert_true(is_set(bench, "pw0", "br0"));
	assert_false(sim_carried_default(bench->kernel, "pw0"));
	edit = edit_new(); /* out of its bridge, and back */
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 5, "bridge=br1");
	session(edit, EDIT_MERGE, 1, 6, "bridge=eth0");
	assert_true(commit(bench, edit) < 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_true(is_set(bench, "pw0", "br0"));
	edit = edit_new(); /* deleted, and back */
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_DELETE, 1, 5, "");
	session(edit, EDIT_MERGE, 1, 6, "bridge=eth0");
	assert_true(commit(bench, edit) < 0);
	assert_true(is_set(bench, "pw0", "br0"));
}

static void another_bridge_is_joined_with_its_defaults(void **state)
{
	struct bench *bench = *state;

	make(bench, SESSION " bridge=br0");
	set_port(bench, "pw0");
	assert_int_equal(edit_one_session(bench, 1, 5, "bridge=br1 tx-cookie=01020304"), 0);
	assert_int_equal(ask_link(bench, "pw0").master, ask_link(bench, "br1").index);
	assert_int_equal(sim_get(bench->kernel, "pw0", SIM_PORT_PVID), 1);
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
}

static void a_vlan_links_port_is_set_again(void **state)
{
	static const char *const leaves[] = {VLAN " bridge=br0", VLAN};
	struct bench *bench = *state;
	struct edit *edit;

	for (size_t i = 0; i < 2; i++) {
		make(bench, leaves[i]);
		if (i == 1)
			set_master(bench, "pw0.7", "br0");
		set_port(bench, "pw0.7");
		assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=01020304"), 0);
		assert_true(is_set(bench, "pw0.7", "br0"));
		assert_false(sim_carried_default(bench->kernel, "pw0.7"));
		assert_int_equal(edit_one_session(bench, 1, 5, "vlan-id=8"), 0);
		assert_true(is_set(bench, "pw0.8", "br0"));
		assert_false(sim_carried_default(bench->kernel, "pw0.8"));
		edit = edit_new();
		tunnel(edit, EDIT_DELETE, 1, "");
		assert_int_equal(commit(bench, edit), 0);
		assert_true(turn_until(bench, is_idle, 5000));
	}
}

static void a_port_that_cannot_be_set_stays_out(void **state)
{
	static const char *const leaves[] = {SESSION " bridge=br0", VLAN " bridge=br0"};
	static const char *const ports[] = {"pw0", "pw0.7"};
	struct bench *bench = *state;
	struct edit *edit;

	for (size_t i = 0; i < 2; i++) {
		make(bench, leaves[i]);
		set_port(bench, ports[i]);
		sim_fail_put_back(bench->kernel, 2, -EINVAL);
		assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=01020304"), 0);
		assert_int_equal(ask_link(bench, ports[i]).master, 0);
		assert_true(ask_link(bench, ports[i]).up);
		assert_int_equal(status_of(bench, 1, 5), OPER_FAILED);
		assert_int_equal(entry_of(bench, 1, 5)->state.common.status_reason,
				 REASON_PORT_SETTINGS);
		assert_non_null(strstr(bench->log, "stays out of its bridge"));
		assert_non_null(strstr(bench->log, "isolated"));
		assert_null(strstr(bench->log, "restoring"));
		UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
		assert_true(is_set(bench, ports[i], "br0"));
		assert_false(sim_carried_default(bench->kernel, ports[i]));
		edit = edit_new();
		tunnel(edit, EDIT_DELETE, 1, "");
		assert_int_equal(commit(bench, edit), 0);
		assert_true(turn_until(bench, is_idle, 5000));
		bench->log[0] = '\0';
	}
}

static int fail_to_keep(struct kernel *kernel, unsigned int index, struct kernel_kept **ret)
{
	(void)kernel;
	(void)index;
	*ret = NULL;
	return -EINTR;
}

static void what_cannot_be_kept_is_not_made_anew(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;
	unsigned int index;

	make(bench, SESSION " bridge=br0");
	set_port(bench, "pw0");
	index = ask_link(bench, "pw0").index;
	operations.keep = fail_to_keep;
	bench->engine->k = &operations;
	assert_true(edit_one_session(bench, 1, 5, "tx-cookie=01020304") < 0);
	assert_null(datastore_session(bench->store, 1, 5)->saved);
	assert_int_equal(bench->error.code, ERROR_KERNEL);
	assert_non_null(strstr(bench->error.path, "session[session-id='5']"));
	assert_non_null(strstr(bench->error.text, "others set"));
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(ask_link(bench, "pw0").index, index);
	assert_true(is_set(bench, "pw0", "br0"));
	bench->engine->k = bench->kernel->ops;
}

static void a_check_reads_and_keeps_nothing(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;
	struct edit *edit = edit_new();

	make(bench, SESSION " bridge=br0");
	operations.keep = fail_to_keep;
	bench->engine->k = &operations;
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 5, "tx-cookie=01020304");
	bench->done = false;
	engine_test(bench->engine, ENGINE_RUNNING, edit, &tester, on_done, bench);
	assert_true(turn_until(bench, is_done, 5000));
	assert_int_equal(bench->result, 0);
	assert_null(datastore_session(bench->store, 1, 5)->saved);
	bench->engine->k = bench->kernel->ops;
}

/* Session 5 is planned before the tunnel is that may not go, for others have a session in it. */
static void a_refused_change_keeps_nothing(void **state)
{
	struct bench *bench = *state;
	struct session other = {.session_id = 99,
				.peer_session_id = 99,
				.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID)};
	struct kernel_request request = {
		.verb = KERNEL_SESSION_CREATE, .tunnel_id = 2, .session_id = 99, .session = &other};
	struct edit *edit = edit_new();

	make(bench, SESSION " bridge=br0");
	tunnel(edit, EDIT_MERGE, 2,
	       "peer-tunnel-id=3 local-address=192.0.2.1 local-port=5002 remote-address=8.8.8.8");
	assert_int_equal(commit(bench, edit), 0);
	codec_complete(OBJECT_SESSION, &other);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	UNTIL(bench, datastore_session(bench->store, 2, 99));
	edit = edit_new();
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 5, "tx-cookie=01020304");
	tunnel(edit, EDIT_DELETE, 2, "");
	assert_true(commit(bench, edit) < 0);
	assert_int_equal(bench->error.code, ERROR_FOREIGN);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_null(datastore_session(bench->store, 1, 5)->saved);
}

static void a_repair_leaves_what_cannot_be_kept(void **state)
{
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;
	struct edit *edit = edit_new();
	unsigned int index;

	tunnel(edit, EDIT_MERGE, 1, "peer-tunnel-id=2 local-interface=eth0 remote-address=8.8.8.8");
	session(edit, EDIT_MERGE, 1, 5, SESSION " bridge=br0");
	assert_int_equal(commit(bench, edit), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	set_port(bench, "pw0");
	index = ask_link(bench, "pw0").index;
	operations.keep = fail_to_keep;
	bench->engine->k = &operations;
	assert_int_equal(sim_remove_address(bench->kernel, "192.0.2.1/24"), 0);
	UNTIL(bench, strstr(bench->log, "is not re-created"));
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(ask_link(bench, "pw0").index, index);
	bench->engine->k = bench->kernel->ops;
	UNTIL(bench, has_another_link(bench, "pw0", index));
	assert_true(turn_until(bench, is_idle, 5000));
	assert_true(is_set(bench, "pw0", "br0"));
}

/* The settings are owed until a try succeeds, whatever was wrong with the one before. */
static void a_port_survives_an_interface_that_cannot_be_set_up(void **state)
{
	struct bench *bench = *state;
	unsigned int index;

	make(bench, SESSION " bridge=br0");
	set_port(bench, "pw0");
	sim_fail_put_back(bench->kernel, 3, -EINVAL);
	assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=01020304"), 0);
	assert_int_equal(status_of(bench, 1, 5), OPER_FAILED);
	index = ask_link(bench, "pw0").index;
	sim_fail(bench->kernel, KERNEL_LINK_SET, 2, SIM_REFUSE, -EINVAL);
	UNTIL(bench, sim_failures_waiting(bench->kernel) == 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
	assert_int_equal(ask_link(bench, "pw0").index, index);
	assert_true(is_set(bench, "pw0", "br0"));
	assert_false(sim_carried_default(bench->kernel, "pw0"));
}

static void what_is_lost_is_logged(void **state)
{
	struct bench *bench = *state;

	make(bench, SESSION);
	assert_int_equal(sim_set(bench->kernel, "pw0", SIM_LINK_GROUP, 5), 0);
	assert_int_equal(sim_set(bench->kernel, "pw0", SIM_LINK_QUEUES, 1), 0);
	assert_int_equal(sim_add_alternative(bench->kernel, "pw0", "customer"), 0);
	assert_int_equal(edit_one_session(bench, 1, 5, "tx-cookie=01020304"), 0);
	assert_int_equal(sim_get(bench->kernel, "customer", SIM_LINK_GROUP), 5);
	assert_non_null(strstr(bench->log, "session 1/5: pw0 lost what others had set: "
					   "queueing disciplines"));
}

/* ---- a bridge that goes meanwhile */

static struct {
	const struct kernel_operations *real;
	unsigned int failed;
} meanwhile;

/* It goes when the interface is about to join it, which no event tells in time. */
static int submit_without_bridge(struct kernel *kernel, struct kernel_request *requests,
				 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (requests[i].verb == KERNEL_LINK_SET && (requests[i].link_set & LINK_MASTER) &&
		    requests[i].link.master)
			sim_remove_link(kernel, "br0");
	return meanwhile.real->submit(kernel, requests, count);
}

static void count_failed(const struct engine_event *event, void *arg)
{
	(void)arg;
	meanwhile.failed += event->type == ENGINE_STATE &&
			    entry_state(event->entry)->oper_status == OPER_FAILED;
}

static void nothing_fails_for_a_bridge_that_goes(void **state)
{
	static const char *const leaves[] = {SESSION " bridge=br0 mtu=1300", VLAN " bridge=br0"};
	static const char *const ports[] = {"pw0", "pw0.7"};
	struct bench *bench = *state;
	struct kernel_operations operations = *bench->engine->k;
	struct edit *edit;

	meanwhile.real = bench->engine->k;
	meanwhile.failed = 0;
	operations.submit = submit_without_bridge;
	bench->engine->k = &operations;
	assert_int_equal(engine_watch(bench->engine, count_failed, bench), 0);
	for (size_t i = 0; i < 4; i++) {
		if (i >= 2) { /* a repair, too */
			bench->engine->k = meanwhile.real;
			make(bench, leaves[i % 2]);
			bench->engine->k = &operations;
			assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
		} else {
			make(bench, leaves[i]);
		}
		UNTIL(bench, sim_get(bench->kernel, "br0", SIM_LINK_GROUP) < 0);
		assert_true(turn_until(bench, is_idle, 5000));
		UNTIL(bench, entry_of(bench, 1, 5)->state.common.status_reason == REASON_NO_BRIDGE);
		assert_int_equal(status_of(bench, 1, 5), OPER_WAITING);
		assert_true(ask_link(bench, ports[i % 2]).up);
		edit = edit_new();
		tunnel(edit, EDIT_DELETE, 1, "");
		assert_int_equal(commit(bench, edit), 0);
		assert_true(turn_until(bench, is_idle, 5000));
		if (i == 0) {
			assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
			UNTIL(bench, links_by_name(&bench->engine->links, "br0"));
		}
	}
	assert_int_equal(meanwhile.failed, 0);
	engine_unwatch(bench->engine, bench);
	bench->engine->k = meanwhile.real;
}

/* ---- names */

static void a_bridge_has_alternative_names(void **state)
{
	struct bench *bench = *state;

	make(bench, SESSION " bridge=customers");
	assert_int_equal(entry_of(bench, 1, 5)->state.common.status_reason, REASON_NO_BRIDGE);
	assert_int_equal(sim_add_alternative(bench->kernel, "br0", "first"), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	bench->engine->agenda.retry_at = clock_now() + 3600 * NS_PER_S; /* the event is to do it */
	assert_int_equal(sim_add_alternative(bench->kernel, "br0", "customers"), 0);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_UP);
	assert_int_equal(ask_link(bench, "pw0").master, ask_link(bench, "br0").index);
	assert_int_equal(edit_one_session(bench, 1, 5, "bridge=first"), 0);
	assert_int_equal(ask_link(bench, "pw0").master, ask_link(bench, "br0").index);
	assert_int_equal(edit_one_session(bench, 1, 5, "bridge=br0"), 0);
	assert_int_equal(sim_remove_link(bench->kernel, "br0"), 0);
	UNTIL(bench, entry_of(bench, 1, 5)->state.common.status_reason == REASON_NO_BRIDGE);
}

static void alternative_names_are_known_from_the_start(void **state)
{
	struct bench *bench = *state;
	struct engine_options options = bench->engine->o;
	struct error err = ERROR_INIT;

	assert_int_equal(sim_add_alternative(bench->kernel, "br0", "customers"), 0);
	engine_close(bench->engine);
	assert_int_equal(engine_open(&bench->engine, &options, &err), 0);
	make(bench, SESSION " bridge=customers");
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
}

static void a_conflict_with_an_alternative_name_names_its_owner(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	make(bench, SESSION);
	assert_int_equal(sim_add_alternative(bench->kernel, "eth0", "uplink"), 0);
	assert_int_equal(sim_add_alternative(bench->kernel, "pw0", "customer"), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_true(edit_one_session(bench, 1, 6, "peer-session-id=6 interface-name=uplink") < 0);
	assert_int_equal(bench->error.code, ERROR_FOREIGN);
	assert_non_null(strstr(bench->error.text, "alternative name of interface eth0"));
	assert_non_null(strstr(bench->error.path, "interface-name"));
	assert_true(edit_one_session(bench, 1, 6, "peer-session-id=6 interface-name=customer") < 0);
	assert_non_null(strstr(bench->error.text, "alternative name of interface pw0"));
	assert_true(edit_one_session(bench, 1, 5, "interface-name=customer") < 0);
	assert_non_null(strstr(bench->error.text, "alternative name of interface pw0"));
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_DELETE, 1, 5, "");
	session(edit, EDIT_MERGE, 1, 6, "peer-session-id=6 interface-name=customer");
	assert_int_equal(commit(bench, edit), 0); /* it goes with its owner */
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(status_of(bench, 1, 6), OPER_UP);
}

static void local_interface_takes_an_alternative_name(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	assert_int_equal(sim_add_alternative(bench->kernel, "eth0", "uplink"), 0);
	tunnel(edit, EDIT_MERGE, 1,
	       "peer-tunnel-id=2 local-interface=uplink remote-address=8.8.8.8");
	assert_int_equal(commit(bench, edit), 0);
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.common.oper_status, OPER_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_port_is_set_again_before_it_carries_frames),
		TEST(a_port_survives_the_re_creation_of_its_tunnel),
		TEST(a_port_survives_a_wait_for_a_route),
		TEST(a_port_survives_the_undo),
		TEST(another_bridge_is_joined_with_its_defaults),
		TEST(a_vlan_links_port_is_set_again),
		TEST(a_port_that_cannot_be_set_stays_out),
		TEST(what_cannot_be_kept_is_not_made_anew),
		TEST(a_check_reads_and_keeps_nothing),
		TEST(a_refused_change_keeps_nothing),
		TEST(a_repair_leaves_what_cannot_be_kept),
		TEST(a_port_survives_an_interface_that_cannot_be_set_up),
		TEST(what_is_lost_is_logged),
		TEST(nothing_fails_for_a_bridge_that_goes),
		TEST(a_bridge_has_alternative_names),
		TEST(alternative_names_are_known_from_the_start),
		TEST(a_conflict_with_an_alternative_name_names_its_owner),
		TEST(local_interface_takes_an_alternative_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
