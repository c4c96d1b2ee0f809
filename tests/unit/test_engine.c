/* The engine over the simulated kernel: transactions, undo, waiting, repair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>

#include "engine/internal.h"
#include "kernel/sim.h"

/* ---- the bench */

struct bench {
	struct event_base *base;
	struct kernel *kernel;
	struct datastore *store;
	struct engine *engine;
	bool done;
	int result;
	struct error error;
};

static void log_nothing(int priority, const char *text, void *arg)
{
	(void)arg;
	if (getenv("VERBOSE"))
		fprintf(stderr, "<%d> %s\n", priority, text);
}

static void open_engine(struct bench *bench)
{
	struct engine_options options = {.base = bench->base,
					 .kernel = bench->kernel,
					 .store = bench->store,
					 .log = log_nothing};
	struct error err = ERROR_INIT;

	assert_int_equal(engine_open(&bench->engine, &options, &err), 0);
}

static int setup_profile(void **state, const char *profile)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct error err = ERROR_INIT;

	assert_int_equal(kernel_open_sim(&bench->kernel, profile, &err), 0);
	bench->base = event_base_new();
	bench->store = datastore_new();
	open_engine(bench);
	*state = bench;
	return 0;
}

static int setup(void **state)
{
	return setup_profile(state, "6.12");
}

static int setup_old(void **state)
{
	return setup_profile(state, "6.1");
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	engine_close(bench->engine);
	bench->kernel->ops->close(bench->kernel);
	datastore_free(bench->store);
	event_base_free(bench->base);
	free(bench);
	return 0;
}

typedef bool condition(struct bench *bench);

/* Turn the loop until @holds, at most @ms milliseconds; false when it never did. */
static bool turn_until(struct bench *bench, condition *holds, unsigned int ms)
{
	int64_t end = engine_now() + ms * 1000000LL;

	while (!holds(bench) && engine_now() < end) {
		struct timeval tick = {.tv_usec = 1000};

		event_base_loopexit(bench->base, &tick);
		event_base_dispatch(bench->base);
	}
	return holds(bench);
}

static bool is_done(struct bench *bench)
{
	return bench->done;
}

static bool is_idle(struct bench *bench)
{
	const struct engine *engine = bench->engine;

	return !engine->job && TAILQ_EMPTY(&engine->requests) && !engine->dirty.count &&
	       !engine->repair.count && !engine->removing.count && !engine->recheck &&
	       !engine->recheck_from && !engine->resync;
}

static void on_done(int result, const struct error *err, void *arg)
{
	struct bench *bench = arg;

	assert_false(bench->done);
	bench->done = true;
	bench->result = result;
	bench->error = *err;
}

static const struct engine_who tester = {"test", "tester", NULL, 0};

static int commit(struct bench *bench, struct edit *edit)
{
	bench->done = false;
	engine_edit(bench->engine, edit, &tester, on_done, bench);
	assert_false(bench->done);
	assert_true(turn_until(bench, is_done, 20000));
	return bench->result;
}

/* ---- edits in words: "peer-tunnel-id=2 encapsulation=ip", "-mtu" deletes */

static void set_leaves(struct edit_entry *entry, const char *leaves)
{
	char words[512], *save = NULL;
	struct error err = ERROR_INIT;

	snprintf(words, sizeof(words), "%s", leaves);
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		enum edit_operation operation = *word == '-' ? EDIT_REMOVE : EDIT_MERGE;
		char *name = *word == '-' ? word + 1 : word, *value = strchr(name, '=');
		const struct row *row;

		if (value)
			*value++ = '\0';
		row = row_by_leaf(entry->object, name, strlen(name));
		assert_non_null(row);
		if (edit_leaf(entry, row, operation, value ? value : "", value ? strlen(value) : 0,
			      &err) < 0)
			fail_msg("%s: %s", err.path, err.text);
	}
}

static void tunnel(struct edit *edit, enum edit_operation operation, uint32_t id,
		   const char *leaves)
{
	set_leaves(edit_tunnel(edit, operation, id), leaves);
}

static void session(struct edit *edit, enum edit_operation operation, uint32_t tunnel_id,
		    uint32_t id, const char *leaves)
{
	set_leaves(edit_session(edit, operation, tunnel_id, id), leaves);
}

#define TUNNEL1 "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=192.0.2.2 encapsulation=ip"

static struct edit *tunnel_with_sessions(uint32_t id, unsigned int sessions)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, id, TUNNEL1);
	for (uint32_t i = 1; i <= sessions; i++)
		session(edit, EDIT_MERGE, id, id * 1000 + i, "peer-session-id=7");
	return edit;
}

static int edit_one_session(struct bench *bench, uint32_t tunnel_id, uint32_t id,
			    const char *leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, tunnel_id, "");
	session(edit, EDIT_MERGE, tunnel_id, id, leaves);
	return commit(bench, edit);
}

static int edit_one_tunnel(struct bench *bench, uint32_t id, const char *leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, id, leaves);
	return commit(bench, edit);
}

static int delete_tunnel(struct bench *bench, uint32_t id)
{
	struct edit *edit = edit_new();

	edit_tunnel(edit, EDIT_DELETE, id);
	return commit(bench, edit);
}

/* ---- looking */

static struct session_entry *entry_of(struct bench *bench, uint32_t tunnel_id, uint32_t id)
{
	struct session_entry *entry = datastore_session(bench->store, tunnel_id, id);

	assert_non_null(entry);
	return entry;
}

/* What the kernel itself says; -ENODEV when it has no such session. */
static int ask_kernel(struct bench *bench, uint32_t tunnel_id, uint32_t id, struct session *ret)
{
	struct kernel_request request = {.verb = KERNEL_SESSION_GET,
					 .tunnel_id = tunnel_id,
					 .session_id = id,
					 .ret_session = ret};

	bench->kernel->ops->submit(bench->kernel, &request, 1);
	return request.result;
}

static struct kernel_link ask_link(struct bench *bench, const char *name)
{
	struct kernel_request request = {.verb = KERNEL_LINK_GET};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	bench->kernel->ops->submit(bench->kernel, &request, 1);
	assert_int_equal(request.result, 0);
	return request.link;
}

static enum oper_status status_of(struct bench *bench, uint32_t tunnel_id, uint32_t id)
{
	return entry_of(bench, tunnel_id, id)->state.common.oper_status;
}

/* ---- tests */

static void creates_what_is_committed(void **state)
{
	struct bench *bench = *state;
	struct session found;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 3)), 0);
	for (uint32_t id = 1001; id <= 1003; id++) {
		assert_int_equal(ask_kernel(bench, 1, id, &found), 0);
		assert_int_equal(found.peer_session_id, 7);
		assert_int_equal(status_of(bench, 1, id), OPER_UP);
		assert_int_not_equal(entry_of(bench, 1, id)->state.if_index, 0);
		assert_true(ask_link(bench, entry_of(bench, 1, id)->config.interface_name).up);
	}
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.common.oper_status, OPER_UP);
}

static void the_same_again_writes_nothing(void **state)
{
	struct bench *bench = *state;
	uint64_t writes;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 3)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	writes = bench->kernel->ops->writes(bench->kernel);
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 3)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
}

static void a_restart_writes_nothing(void **state)
{
	struct bench *bench = *state;
	uint64_t writes;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 50)), 0);
	assert_int_equal(edit_one_session(bench, 1, 1001,
					  "mtu=1400 sequencing=both lns-mode=true "
					  "reorder-timeout=50 description=x"),
			 0);
	assert_int_equal(edit_one_session(bench, 1, 1002,
					  "pseudowire-type=ethernet-vlan "
					  "vlan-id=100 tx-cookie=01020304"),
			 0);
	assert_true(turn_until(bench, is_idle, 2000));
	writes = bench->kernel->ops->writes(bench->kernel);
	engine_close(bench->engine);
	for (uint32_t id = 1; id <= 50; id++) {
		datastore_set_index(bench->store, entry_of(bench, 1, 1000 + id), 0);
		datastore_observe_session(bench->store, 1, 1000 + id, NULL);
	}
	datastore_observe_tunnel(bench->store, 1, NULL);
	open_engine(bench);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
	assert_int_equal(status_of(bench, 1, 1050), OPER_UP);
}

static void changes_in_place_what_the_kernel_can(void **state)
{
	struct bench *bench = *state;
	struct session found;
	unsigned int index;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
	index = entry_of(bench, 1, 1001)->state.if_index;
	assert_int_equal(
		edit_one_session(bench, 1, 1001, "sequencing=both reorder-timeout=40 mtu=1300"), 0);
	assert_int_equal(entry_of(bench, 1, 1001)->state.if_index, index);
	assert_int_equal(ask_kernel(bench, 1, 1001, &found), 0);
	assert_int_equal(found.sequencing, SEQUENCING_BOTH);
	assert_int_equal(found.reorder_timeout, 40);
	assert_int_equal(ask_link(bench, "l2tpeth0").mtu, 1300);
}

static void recreates_only_what_it_must_and_restores_the_rest(void **state)
{
	struct bench *bench = *state;
	struct kernel_link before, after;
	struct kernel_request by_hand = {.verb = KERNEL_LINK_SET,
					 .link_set = LINK_MTU | LINK_MASTER};
	unsigned int other;

	assert_int_equal(sim_add_link(bench->kernel, "br0", true), 0);
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	snprintf(by_hand.link.name, sizeof(by_hand.link.name), "l2tpeth0");
	by_hand.link.mtu = 1234;
	by_hand.link.master = ask_link(bench, "br0").index;
	assert_int_equal(sim_foreign(bench->kernel, &by_hand), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	before = ask_link(bench, "l2tpeth0");
	other = entry_of(bench, 1, 1002)->state.if_index;
	assert_int_equal(edit_one_session(bench, 1, 1001, "peer-session-id=8"), 0);
	after = ask_link(bench, "l2tpeth0");
	assert_int_not_equal(after.index, before.index);
	assert_memory_equal(&after.mac, &before.mac, sizeof(after.mac));
	assert_int_equal(after.mtu, 1234);
	assert_int_equal(after.master, before.master);
	assert_true(after.up);
	assert_int_equal(entry_of(bench, 1, 1002)->state.if_index, other);
}

static void recreates_a_tunnel_with_its_sessions(void **state)
{
	struct bench *bench = *state;
	struct session found;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 5)), 0);
	assert_int_equal(edit_one_tunnel(bench, 1, "remote-address=192.0.2.9"), 0);
	for (uint32_t id = 1001; id <= 1005; id++) {
		assert_int_equal(ask_kernel(bench, 1, id, &found), 0);
		assert_int_equal(status_of(bench, 1, id), OPER_UP);
	}
	assert_true(turn_until(bench, is_idle, 3000));
	assert_int_equal(sim_population(bench->kernel).sessions, 5);
}

static void deletes_and_creates_anew_at_once(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(commit(bench, tunnel_with_sessions(1, 20)), 0);
		assert_int_equal(delete_tunnel(bench, 1), 0);
	}
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(sim_population(bench->kernel).tunnels, 0);
	assert_int_equal(bench->store->tunnel_count, 0);
	assert_int_equal(bench->store->session_count, 0);
}

static void disabling_takes_out_of_the_kernel(void **state)
{
	struct bench *bench = *state;
	struct session found;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	assert_int_equal(edit_one_session(bench, 1, 1001, "enabled=false"), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(ask_kernel(bench, 1, 1001, &found), -ENODEV);
	assert_int_equal(status_of(bench, 1, 1001), OPER_DOWN);
	assert_int_equal(entry_of(bench, 1, 1001)->state.common.status_reason, REASON_DISABLED);
	assert_int_equal(edit_one_tunnel(bench, 1, "enabled=false"), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(status_of(bench, 1, 1002), OPER_DOWN);
	assert_int_equal(edit_one_tunnel(bench, 1, "enabled=true"), 0);
	assert_int_equal(status_of(bench, 1, 1002), OPER_UP);
	assert_int_equal(status_of(bench, 1, 1001), OPER_DOWN);
}

/* A commit of many kinds of work, to be failed at every call. */
static struct edit *mixed_edit(void)
{
	struct edit *edit = edit_new();

	edit_tunnel(edit, EDIT_DELETE, 3);
	tunnel(edit, EDIT_MERGE, 1, "");
	edit_session(edit, EDIT_DELETE, 1, 1001);
	session(edit, EDIT_MERGE, 1, 1002, "peer-session-id=99");
	session(edit, EDIT_MERGE, 1, 1003, "sequencing=send");
	session(edit, EDIT_MERGE, 1, 1004, "mtu=1280");
	session(edit, EDIT_MERGE, 1, 1005, "enabled=false");
	session(edit, EDIT_MERGE, 1, 1010, "peer-session-id=5");
	tunnel(edit, EDIT_MERGE, 2, "remote-address=192.0.2.77");
	tunnel(edit, EDIT_MERGE, 4, TUNNEL1);
	session(edit, EDIT_MERGE, 4, 4001,
		"peer-session-id=5 pseudowire-type=ethernet-vlan vlan-id=7");
	return edit;
}

struct snapshot {
	struct session sessions[24];
	struct kernel_link links[24];
	size_t count, tunnels;
};

static int remember_session(uint32_t tunnel_id, const struct session *session_found,
			    const struct statistics *statistics, void *arg)
{
	struct snapshot *snapshot = arg;

	(void)tunnel_id;
	(void)statistics;
	assert_true(snapshot->count < 24);
	snapshot->sessions[snapshot->count++] = *session_found;
	return 0;
}

static int count_tunnel(const struct tunnel *found, const struct statistics *statistics, void *arg)
{
	struct snapshot *snapshot = arg;

	(void)found;
	(void)statistics;
	snapshot->tunnels++;
	return 0;
}

static int compare_sessions(const void *a, const void *b)
{
	const struct session *x = a, *y = b;
	return (x->session_id > y->session_id) - (x->session_id < y->session_id);
}

static void take_snapshot(struct bench *bench, struct snapshot *ret)
{
	memset(ret, 0, sizeof(*ret));
	sim_reap(bench->kernel);
	bench->kernel->ops->dump_tunnels(bench->kernel, count_tunnel, ret);
	bench->kernel->ops->dump_sessions(bench->kernel, remember_session, ret);
	qsort(ret->sessions, ret->count, sizeof(*ret->sessions), compare_sessions);
	for (size_t i = 0; i < ret->count; i++) {
		ret->links[i] = ask_link(bench, ret->sessions[i].interface_name);
		ret->links[i].index = 0; /* a re-create changes it, and nothing else */
	}
}

/* Exactly this and nothing else. */
static struct edit *baseline(void)
{
	struct edit *edit = edit_new();

	edit->operation = EDIT_REPLACE;
	for (uint32_t id = 1; id <= 3; id++) {
		tunnel(edit, EDIT_MERGE, id, TUNNEL1);
		for (uint32_t i = 1; i <= (id == 1 ? 6 : 2); i++)
			session(edit, EDIT_MERGE, id, id * 1000 + i, "peer-session-id=7");
	}
	return edit;
}

static void is_as_before(struct bench *bench, const struct snapshot *before)
{
	static struct snapshot after;

	assert_true(turn_until(bench, is_idle, 5000));
	take_snapshot(bench, &after);
	assert_int_equal(after.tunnels, before->tunnels);
	assert_int_equal(after.count, before->count);
	assert_memory_equal(after.sessions, before->sessions, sizeof(before->sessions));
	assert_memory_equal(after.links, before->links, sizeof(before->links));
}

/* The commit with the @n-th call of @verb refused; false when it made fewer such calls. */
static bool refuse_one(struct bench *bench, int verb, unsigned int n, unsigned int *refused)
{
	static struct snapshot before;
	size_t configured;

	assert_true(turn_until(bench, is_idle, 5000));
	take_snapshot(bench, &before);
	configured = bench->store->configured_sessions;
	assert_int_equal(sim_fail(bench->kernel, verb, n, SIM_REFUSE, -ENOMEM), 0);
	if (commit(bench, mixed_edit()) == 0) {
		if (sim_failures_waiting(bench->kernel))
			return false;
		/* a call it could do without: it asked again */
		assert_int_equal(commit(bench, baseline()), 0);
		return true;
	}
	++*refused;
	assert_string_not_equal(bench->error.text, "");
	assert_string_not_equal(bench->error.path, "");
	is_as_before(bench, &before);
	assert_int_equal(bench->store->configured_sessions, configured);
	return true;
}

/* Calls are counted by verb: how often it asks whether something is gone depends on the clock. */
static void a_refusal_at_any_call_is_taken_back_whole(void **state)
{
	struct bench *bench = *state;
	unsigned int refused = 0;

	for (int verb = KERNEL_TUNNEL_CREATE; verb <= KERNEL_LINK_DELETE; verb++) {
		unsigned int n = 1;

		teardown(state);
		setup_profile(state, "6.12");
		bench = *state;
		assert_int_equal(commit(bench, baseline()), 0);
		while (refuse_one(bench, verb, n, &refused))
			n++;
		assert_true(n < 100);
	}
	/* 12 deletes and creates of sessions and tunnels, a change, 8 of links, and read-backs */
	assert_true(refused >= 21);
}

static void waits_for_a_route_and_comes_up_by_itself(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	assert_int_equal(edit_one_tunnel(bench, 1,
					 "peer-tunnel-id=2 local-address=192.0.2.1 "
					 "remote-address=8.8.8.8 encapsulation=ip"),
			 0);
	assert_int_equal(edit_one_session(bench, 1, 1001, "peer-session-id=7"), 0);
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.common.oper_status, OPER_WAITING);
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.common.status_reason,
			 REASON_NO_ROUTE);
	assert_int_equal(status_of(bench, 1, 1001), OPER_WAITING);
	assert_int_equal(sim_add_route(bench->kernel, "0.0.0.0/0", 0), 0);
	bench->done = false;
	for (int64_t end = engine_now() + 2 * NS_PER_S;
	     engine_now() < end && status_of(bench, 1, 1001) != OPER_UP;)
		turn_until(bench, is_done, 10);
	assert_int_equal(status_of(bench, 1, 1001), OPER_UP);
}

static void waits_for_the_module(void **state)
{
	struct bench *bench = *state;

	engine_close(bench->engine);
	bench->kernel->ops->close(bench->kernel);
	assert_int_equal(kernel_open_sim(&bench->kernel, "6.12", NULL), 0);
	sim_set_capabilities(bench->kernel, 0);
	open_engine(bench);
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.common.status_reason,
			 REASON_MODULE_MISSING);
	sim_set_capabilities(bench->kernel, CAPABILITY_UDP | CAPABILITY_IP | CAPABILITY_ETHERNET);
	for (int64_t end = engine_now() + 5 * NS_PER_S;
	     engine_now() < end && status_of(bench, 1, 1001) != OPER_UP;) {
		bench->done = false;
		turn_until(bench, is_done, 10);
	}
	assert_int_equal(status_of(bench, 1, 1001), OPER_UP);
}

static void make_foreign(struct bench *bench, uint32_t tunnel_id, uint32_t session_id)
{
	struct tunnel t = {.present = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID) |
				      BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_REMOTE_ADDRESS) |
				      BIT(TUNNEL_ENCAPSULATION),
			   .tunnel_id = tunnel_id,
			   .peer_tunnel_id = 9,
			   .encapsulation = ENCAPSULATION_IP,
			   .local_address = {AF_INET, {192, 0, 2, 1}},
			   .remote_address = {AF_INET, {192, 0, 2, 3}}};
	struct session s = {.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID) |
				       BIT(SESSION_PSEUDOWIRE_TYPE) | BIT(SESSION_INTERFACE_NAME),
			    .session_id = session_id,
			    .peer_session_id = 3,
			    .pseudowire_type = PSEUDOWIRE_ETHERNET,
			    .interface_name = "theirs0"};
	struct kernel_request make_tunnel = {
		.verb = KERNEL_TUNNEL_CREATE, .tunnel_id = tunnel_id, .tunnel = &t};
	struct kernel_request make_session = {.verb = KERNEL_SESSION_CREATE,
					      .tunnel_id = tunnel_id,
					      .session_id = session_id,
					      .session = &s};

	codec_complete(OBJECT_TUNNEL, &t);
	codec_complete(OBJECT_SESSION, &s);
	assert_int_equal(sim_foreign(bench->kernel, &make_tunnel), 0);
	assert_int_equal(sim_foreign(bench->kernel, &make_session), 0);
}

static bool sees_foreign(struct bench *bench)
{
	const struct session_entry *entry = datastore_session(bench->store, 50, 51);
	return entry && entry->in_kernel && is_idle(bench);
}

static void shows_and_does_not_touch_what_others_made(void **state)
{
	struct bench *bench = *state;
	struct session found;
	uint64_t writes;

	make_foreign(bench, 50, 51);
	assert_true(turn_until(bench, sees_foreign, 2000));
	assert_int_equal(entry_of(bench, 50, 51)->state.common.origin, ORIGIN_FOREIGN);
	assert_int_equal(edit_one_tunnel(bench, 50, TUNNEL1), -EBUSY);
	assert_int_equal(bench->error.code, ERROR_FOREIGN);
	assert_true(commit(bench, tunnel_with_sessions(1, 1)) == 0);
	assert_true(edit_one_session(bench, 1, 51, "peer-session-id=1") < 0);
	assert_int_equal(bench->error.code, ERROR_FOREIGN);
	assert_int_equal(ask_kernel(bench, 50, 51, &found), 0);

	writes = bench->kernel->ops->writes(bench->kernel);
	bench->done = false;
	engine_adopt(bench->engine, 50, &tester, on_done, bench);
	assert_true(turn_until(bench, is_done, 2000));
	if (bench->result)
		fail_msg("%s: %s", bench->error.path, bench->error.text);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
	assert_true(entry_of(bench, 50, 51)->configured);
	assert_int_equal(entry_of(bench, 50, 51)->state.common.origin, ORIGIN_CONFIGURED);
	assert_int_equal(delete_tunnel(bench, 50), 0);
}

static bool is_back(struct bench *bench)
{
	struct session found;

	return is_idle(bench) && ask_kernel(bench, 1, 1002, &found) == 0 &&
	       status_of(bench, 1, 1002) == OPER_UP;
}

static void restores_what_vanishes_behind_us(void **state)
{
	struct bench *bench = *state;
	struct kernel_request remove_session = {
		.verb = KERNEL_SESSION_DELETE, .tunnel_id = 1, .session_id = 1002};
	struct kernel_request remove_tunnel = {.verb = KERNEL_TUNNEL_DELETE, .tunnel_id = 1};
	unsigned int index;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 3)), 0);
	index = entry_of(bench, 1, 1002)->state.if_index;
	assert_int_equal(sim_foreign(bench->kernel, &remove_session), 0);
	sim_reap(bench->kernel);
	turn_until(bench, is_done, 100);
	assert_true(turn_until(bench, is_back, 2000));
	assert_int_not_equal(entry_of(bench, 1, 1002)->state.if_index, index);
	assert_int_equal(sim_foreign(bench->kernel, &remove_tunnel), 0);
	sim_reap(bench->kernel);
	turn_until(bench, is_done, 100);
	assert_true(turn_until(bench, is_back, 3000));
}

static void survives_lost_events_without_a_false_delete(void **state)
{
	struct bench *bench = *state;
	uint64_t writes;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 40)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	writes = bench->kernel->ops->writes(bench->kernel);
	sim_miss_in_dump(bench->kernel, 3);
	sim_lose_events(bench->kernel);
	turn_until(bench, is_done, 200);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
	for (uint32_t id = 1001; id <= 1040; id++)
		assert_int_equal(status_of(bench, 1, id), OPER_UP);
}

static void counters_are_fresh_and_read_ahead(void **state)
{
	struct bench *bench = *state;
	struct statistics more = {.rx_packets = 5, .rx_bytes = 500};
	struct session_entry *entry;
	uint64_t calls;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 200)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(sim_count(bench->kernel, 1, 1001, &more), 0);
	calls = sim_calls(bench->kernel);
	entry = tunnel_session_from(datastore_tunnel(bench->store, 1), 0);
	for (; entry; entry = session_next(entry))
		engine_refresh_session(bench->engine, entry);
	assert_int_equal(entry_of(bench, 1, 1001)->state.common.statistics.rx_packets, 5);
	assert_int_equal(sim_calls(bench->kernel) - calls, 200);
	assert_true(entry_of(bench, 1, 1200)->state.common.statistics_time != 0);
}

static void a_lock_refuses_others(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(engine_lock(bench->engine, 4, NULL), 0);
	assert_true(commit(bench, tunnel_with_sessions(1, 1)) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCKED);
	assert_int_equal(engine_unlock(bench->engine, 4, NULL), 0);
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
}

static void local_interface_follows_its_address(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(sim_add_link(bench->kernel, "up0", false), 0);
	assert_int_equal(edit_one_tunnel(bench, 1,
					 "peer-tunnel-id=2 local-interface=up0 "
					 "remote-address=192.0.2.2 encapsulation=ip"),
			 0);
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.common.status_reason,
			 REASON_NO_INTERFACE_ADDRESS);
	assert_int_equal(sim_add_address(bench->kernel, "up0", "172.16.0.5/24", false), 0);
	for (int i = 0;
	     i < 200 && datastore_tunnel(bench->store, 1)->state.common.oper_status != OPER_UP; i++)
		turn_until(bench, is_done, 10), bench->done = false;
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.resolved_local_address.bytes[3],
			 5);
	assert_int_equal(sim_add_address(bench->kernel, "up0", "172.16.0.6/24", false), 0);
	assert_int_equal(sim_remove_address(bench->kernel, "172.16.0.5/24"), 0);
	for (int i = 0;
	     i < 200 &&
	     datastore_tunnel(bench->store, 1)->state.resolved_local_address.bytes[3] != 6;
	     i++)
		turn_until(bench, is_done, 10), bench->done = false;
	assert_int_equal(datastore_tunnel(bench->store, 1)->state.resolved_local_address.bytes[3],
			 6);
}

static bool is_silent(struct bench *bench)
{
	return status_of(bench, 1, 1001) == OPER_PEER_SILENT;
}

static bool is_up(struct bench *bench)
{
	return status_of(bench, 1, 1001) == OPER_UP;
}

static bool is_failing(struct bench *bench)
{
	return entry_of(bench, 1, 1001)->state.common.status_reason == REASON_TRANSMIT_ERRORS ||
	       datastore_tunnel(bench->store, 1)->state.common.status_reason ==
		       REASON_TRANSMIT_ERRORS;
}

static void a_silent_peer_is_told_by_itself(void **state)
{
	struct bench *bench = *state;
	struct statistics heard = {.rx_packets = 1, .rx_bytes = 60};

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	assert_int_equal(edit_one_session(bench, 1, 1001, "dead-interval=1"), 0);
	assert_true(turn_until(bench, is_silent, 5000));
	assert_int_equal(status_of(bench, 1, 1002), OPER_UP);
	assert_int_equal(sim_count(bench->kernel, 1, 1001, &heard), 0);
	assert_true(turn_until(bench, is_up, 5000));
}

static void a_dead_underlay_is_told_by_growing_errors(void **state)
{
	struct bench *bench = *state;
	struct statistics errors = {.tx_errors = 3}, sent = {.tx_packets = 1};

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 2)), 0);
	turn_until(bench, is_failing, 1500); /* a reading to begin with */
	assert_int_equal(sim_count(bench->kernel, 1, 1001, &errors), 0);
	assert_true(turn_until(bench, is_failing, 5000));
	assert_int_equal(sim_count(bench->kernel, 1, 1001, &sent), 0);
	assert_true(turn_until(bench, is_up, 5000));
}

#define BOTH(test)                                                                                 \
	cmocka_unit_test_setup_teardown(test, setup, teardown),                                    \
	{                                                                                          \
#test " (6.1)", test, setup_old, teardown, NULL                                    \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(creates_what_is_committed),
		BOTH(the_same_again_writes_nothing),
		BOTH(a_restart_writes_nothing),
		BOTH(changes_in_place_what_the_kernel_can),
		BOTH(recreates_only_what_it_must_and_restores_the_rest),
		BOTH(recreates_a_tunnel_with_its_sessions),
		BOTH(deletes_and_creates_anew_at_once),
		BOTH(disabling_takes_out_of_the_kernel),
		BOTH(a_refusal_at_any_call_is_taken_back_whole),
		BOTH(waits_for_a_route_and_comes_up_by_itself),
		BOTH(waits_for_the_module),
		BOTH(shows_and_does_not_touch_what_others_made),
		BOTH(restores_what_vanishes_behind_us),
		BOTH(survives_lost_events_without_a_false_delete),
		BOTH(counters_are_fresh_and_read_ahead),
		BOTH(a_lock_refuses_others),
		BOTH(local_interface_follows_its_address),
		cmocka_unit_test_setup_teardown(a_silent_peer_is_told_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dead_underlay_is_told_by_growing_errors, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
