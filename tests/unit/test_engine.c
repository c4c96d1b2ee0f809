/* The engine over the simulated kernel: transactions, undo, waiting, repair. */
#include "engine_bench.h"

#include "store/acm.h"

static int setup(void **state)
{
	*state = new_bench("6.12", NULL);
	return 0;
}

static int setup_old(void **state)
{
	*state = new_bench("6.1", NULL);
	return 0;
}

static int teardown(void **state)
{
	free_bench(*state);
	return 0;
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
		assert_true(
			ask_link(bench, session_config(entry_of(bench, 1, id))->interface_name).up);
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
		datastore_observe(bench->store, 1, 1000 + id, NULL);
	}
	datastore_observe(bench->store, 1, 0, NULL);
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
	assert_int_equal(datastore_counts(bench->store)->tunnel_count, 0);
	assert_int_equal(datastore_counts(bench->store)->session_count, 0);
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

/* The same commit again and again, each time with another call failing. */
struct failing {
	enum sim_failure how;
	int verb;
	unsigned int n;                 /* the n-th call of the verb */
	unsigned int refused, survived; /* commits */
	char *wanted;                   /* what a commit comes to */
};

static void has_become(struct bench *bench, const char *wanted, bool macs)
{
	char *after;

	assert_true(turn_until(bench, is_idle, 5000));
	after = kernel_text(bench->kernel, macs);
	assert_true(same_text(after, wanted));
	free(after);
}

static void was_refused(struct bench *bench, struct failing *failing, const char *before)
{
	failing->refused++;
	assert_string_not_equal(bench->error.text, "");
	assert_string_not_equal(bench->error.path, "");
	has_become(bench, before, true);
	assert_int_equal(datastore_counts(bench->store)->configured_sessions, 22);
}

/* A call that it could do without, or it asked again. */
static void has_survived(struct bench *bench, struct failing *failing)
{
	failing->survived++;
	has_become(bench, failing->wanted, false);
	assert_int_equal(commit(bench, baseline()), 0);
}

/* False when the commit made fewer such calls. */
static bool fail_one(struct bench *bench, struct failing *failing)
{
	char *before;
	bool failed;

	assert_true(turn_until(bench, is_idle, 5000));
	before = kernel_text(bench->kernel, true);
	assert_int_equal(sim_fail(bench->kernel, failing->verb, failing->n, failing->how, -ENOMEM),
			 0);
	commit(bench, mixed_edit());
	failed = sim_failures_waiting(bench->kernel) == 0;
	if (getenv("VERBOSE"))
		fprintf(stderr, "verb %d, call %u: %d %s: %s\n", failing->verb, failing->n,
			bench->result, bench->error.path, bench->error.text);
	if (bench->result < 0)
		was_refused(bench, failing, before);
	else if (failed)
		has_survived(bench, failing);
	free(before);
	return failed;
}

static struct bench *new_baseline(const char *profile)
{
	struct bench *bench = new_bench(profile, NULL);

	sim_add_link(bench->kernel, "br0", true);
	sim_set_delays(bench->kernel, 2, 50); /* hundreds of commits */
	assert_int_equal(commit(bench, baseline()), 0);
	return bench;
}

static char *wanted_text(const char *profile)
{
	struct bench *bench = new_baseline(profile);
	char *text;

	assert_int_equal(commit(bench, mixed_edit()), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	text = kernel_text(bench->kernel, false);
	free_bench(bench);
	return text;
}

/* Calls are counted by verb: how often it asks whether something is gone depends on the clock. */
static struct failing fail_every(const char *profile, enum sim_failure how, unsigned int verbs)
{
	struct failing failing = {.how = how, .wanted = wanted_text(profile)};

	for (; failing.verb <= KERNEL_LINK_DELETE; failing.verb++) {
		struct bench *bench;

		if (!(verbs & 1U << failing.verb))
			continue;
		bench = new_baseline(profile);
		for (failing.n = 1; fail_one(bench, &failing); failing.n++)
			assert_true(failing.n < 200);
		free_bench(bench);
	}
	free(failing.wanted);
	failing.wanted = NULL;
	print_message("%s: %u refused, %u went on\n", profile, failing.refused, failing.survived);
	return failing;
}

#define ANY_VERB (~0U)

static void a_refusal_at_any_call_is_taken_back_whole(void **state)
{
	(void)state;
	assert_true(fail_every("6.12", SIM_REFUSE, ANY_VERB).refused >= 60);
	assert_true(fail_every("6.1", SIM_REFUSE, ANY_VERB).refused >= 60);
}

/* So kernels before 6.12.109 do when there is no memory to notify. */
static void what_was_done_and_yet_failed_leaves_nothing_half(void **state)
{
	const unsigned int verbs = 1U << KERNEL_TUNNEL_CREATE | 1U << KERNEL_SESSION_CREATE |
				   1U << KERNEL_SESSION_MODIFY;

	(void)state;
	assert_int_equal(fail_every("6.12", SIM_DECEIVE, verbs).refused, 2);
	assert_int_equal(fail_every("6.1", SIM_DECEIVE, verbs).refused, 2);
}

static void a_lost_answer_is_asked_for_again(void **state)
{
	(void)state;
	assert_int_equal(fail_every("6.12", SIM_LOSE, ANY_VERB).refused, 0);
	assert_int_equal(fail_every("6.1", SIM_LOSE, ANY_VERB).refused, 0);
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
	for (int64_t end = clock_now() + 2 * NS_PER_S;
	     clock_now() < end && status_of(bench, 1, 1001) != OPER_UP;)
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
	for (int64_t end = clock_now() + 5 * NS_PER_S;
	     clock_now() < end && status_of(bench, 1, 1001) != OPER_UP;) {
		bench->done = false;
		turn_until(bench, is_done, 10);
	}
	assert_int_equal(status_of(bench, 1, 1001), OPER_UP);
}

static void make_foreign_session(struct bench *bench, uint32_t tunnel_id, uint32_t session_id)
{
	struct session s = {.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID) |
				       BIT(SESSION_PSEUDOWIRE_TYPE) | BIT(SESSION_INTERFACE_NAME) |
				       BIT(SESSION_TX_COOKIE),
			    .session_id = session_id,
			    .tx_cookie = {.length = 4, .bytes = {1, 2, 3, 4}},
			    .peer_session_id = 3,
			    .pseudowire_type = PSEUDOWIRE_ETHERNET};
	struct kernel_request make_session = {.verb = KERNEL_SESSION_CREATE,
					      .tunnel_id = tunnel_id,
					      .session_id = session_id,
					      .session = &s};

	snprintf(s.interface_name, sizeof(s.interface_name), "their%u", session_id);
	codec_complete(OBJECT_SESSION, &s);
	assert_int_equal(sim_foreign(bench->kernel, &make_session), 0);
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
	struct kernel_request make_tunnel = {
		.verb = KERNEL_TUNNEL_CREATE, .tunnel_id = tunnel_id, .tunnel = &t};

	codec_complete(OBJECT_TUNNEL, &t);
	assert_int_equal(sim_foreign(bench->kernel, &make_tunnel), 0);
	make_foreign_session(bench, tunnel_id, session_id);
}

static bool sees_foreign(struct bench *bench)
{
	const struct session_entry *entry = datastore_session_by_id(bench->store, 51);
	return entry && entry->entry.in_kernel && is_idle(bench);
}

static int adopt_number(struct bench *bench, uint32_t tunnel_id, const struct policy *policy)
{
	const struct engine_who who = {.door = "test", .user = "tester", .policy = policy};

	bench->done = false;
	engine_adopt(bench->engine, tunnel_id, &who, on_done, bench);
	assert_true(turn_until(bench, is_done, 2000));
	return bench->result;
}

static int adopt_as(struct bench *bench, const struct policy *policy)
{
	return adopt_number(bench, 50, policy);
}

static void shows_and_does_not_touch_what_others_made(void **state)
{
	const struct acm *readers = acm_new(); /* as write-default is, if it is not given */
	const struct policy *policy;
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

	assert_int_equal(adopt_as(bench, policy_of_nobody()), -ENOENT); /* it is not there for it */
	assert_int_equal(policy_compile(readers, "tester", NULL, NULL, &policy), 0);
	assert_int_equal(adopt_as(bench, policy), -EACCES);
	policy_drop(policy);
	acm_drop(readers);

	writes = bench->kernel->ops->writes(bench->kernel);
	if (adopt_as(bench, policy_of_members())) /* with the cookie that it is not shown */
		fail_msg("%s: %s", bench->error.path, bench->error.text);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
	assert_true(entry_config(&entry_of(bench, 50, 51)->entry));
	assert_int_equal(entry_of(bench, 50, 51)->state.common.origin, ORIGIN_CONFIGURED);
	assert_int_equal(delete_tunnel(bench, 50), 0);
}

static bool sees_all_foreign(struct bench *bench)
{
	return datastore_tunnel(bench->store, ID_MAX) && is_idle(bench);
}

static void all_that_others_made_is_adopted_at_once(void **state)
{
	struct bench *bench = *state;

	make_foreign(bench, 50, 51);
	make_foreign_session(bench, 50, 52);
	make_foreign(bench, 70, 71);
	assert_true(commit(bench, tunnel_with_sessions(1, 1)) == 0);
	make_foreign_session(bench, 1, 99);
	make_foreign(bench, ID_MAX, ID_MAX);
	assert_true(turn_until(bench, sees_all_foreign, 2000));
	assert_int_equal(adopt_number(bench, 0, policy_of_members()), 0);
	for (uint32_t id = 51; id <= 52; id++)
		assert_true(entry_config(&entry_of(bench, 50, id)->entry));
	assert_true(entry_config(&entry_of(bench, 70, 71)->entry));
	assert_true(entry_config(&entry_of(bench, 1, 99)->entry));
	assert_true(entry_config(&entry_of(bench, ID_MAX, ID_MAX)->entry));
	assert_int_equal(adopt_number(bench, 0, NULL), 0); /* nothing is left */
}

static enum error_code check(struct bench *bench, struct edit *edit, unsigned int session)
{
	struct error err = ERROR_INIT;
	int result = engine_check(bench->engine, edit, session, NULL, &err);

	assert_int_equal(result == 0, err.code == ERROR_NONE);
	edit_free(edit);
	return err.code;
}

static struct edit *tunnel_edit(enum edit_operation operation, const char *leaves)
{
	struct edit *edit = edit_new();

	set_leaves(edit_tunnel(edit, operation, 1), leaves);
	return edit;
}

static int lock(struct bench *bench, unsigned int session)
{
	const struct engine_who who = {.door = "netconf", .user = "root", .session = session};

	bench->done = false;
	engine_lock(bench->engine, ENGINE_RUNNING, &who, on_done, bench);
	assert_true(turn_until(bench, is_done, 2000));
	return bench->result;
}

static void a_check_refuses_what_the_commit_would(void **state)
{
	struct bench *bench = *state;
	static const char move[] = "remote-address=192.0.2.9";

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
	assert_int_equal(check(bench, tunnel_edit(EDIT_MERGE, move), 0), ERROR_NONE);
	make_foreign_session(bench, 1, 51);
	assert_true(turn_until(bench, sees_foreign, 2000));
	assert_int_equal(check(bench, tunnel_edit(EDIT_MERGE, "description=x"), 0), ERROR_NONE);
	assert_int_equal(check(bench, tunnel_edit(EDIT_MERGE, move), 0), ERROR_FOREIGN);
	assert_int_equal(check(bench, tunnel_edit(EDIT_REMOVE, ""), 0), ERROR_FOREIGN);
	assert_int_equal(edit_one_tunnel(bench, 1, move), -EBUSY);
	assert_int_equal(bench->error.code, ERROR_FOREIGN);
	assert_int_equal(lock(bench, 4), 0);
	assert_int_equal(check(bench, tunnel_edit(EDIT_MERGE, "description=x"), 0), ERROR_LOCKED);
	assert_int_equal(check(bench, tunnel_edit(EDIT_MERGE, "description=x"), 5), ERROR_LOCKED);
	assert_int_equal(check(bench, tunnel_edit(EDIT_MERGE, "description=x"), 4), ERROR_NONE);
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

static bool tunnel_is_back(struct bench *bench)
{
	const struct tunnel_entry *entry = datastore_tunnel(bench->store, 1);

	return is_idle(bench) && strstr(bench->log, "tunnel 1 vanished") &&
	       entry->state.common.oper_status == OPER_UP &&
	       sim_population(bench->kernel).tunnels == 1;
}

/* When the event comes it is there still, and no event tells when it is not. */
static void a_tunnel_that_is_long_in_going_is_noticed(void **state)
{
	struct bench *bench = *state;
	struct kernel_request remove = {.verb = KERNEL_TUNNEL_DELETE, .tunnel_id = 1};

	sim_set_delays(bench->kernel, 300, 0);
	assert_int_equal(edit_one_tunnel(bench, 1, TUNNEL1), 0);
	assert_int_equal(sim_foreign(bench->kernel, &remove), 0);
	assert_true(turn_until(bench, tunnel_is_back, 3000));
}

static bool session_is_back(struct bench *bench)
{
	return is_idle(bench) && strstr(bench->log, "session 1/1001 vanished") &&
	       status_of(bench, 1, 1001) == OPER_UP && sim_population(bench->kernel).sessions == 1;
}

static void so_is_a_session_without_interface(void **state)
{
	struct bench *bench = *state;
	struct kernel_request remove = {
		.verb = KERNEL_SESSION_DELETE, .tunnel_id = 1, .session_id = 1001};

	sim_set_delays(bench->kernel, 300, 0);
	assert_int_equal(edit_one_tunnel(bench, 1, TUNNEL1), 0);
	assert_int_equal(edit_one_session(bench, 1, 1001, "peer-session-id=1 pseudowire-type=ppp"),
			 0);
	assert_int_equal(sim_foreign(bench->kernel, &remove), 0);
	assert_true(turn_until(bench, session_is_back, 3000));
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

static void a_dump_of_links_that_was_interrupted_is_done_again(void **state)
{
	struct bench *bench = *state;
	uint64_t writes;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 4)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	writes = bench->kernel->ops->writes(bench->kernel);
	for (unsigned int n = 1; n < 8; n += 6) { /* once, and more often than it is tried */
		sim_interrupt_dumps(bench->kernel, n);
		bench->done = false;
		engine_resync(bench->engine, on_done, bench);
		assert_true(turn_until(bench, is_done, 5000));
		assert_int_equal(bench->result, 0);
		assert_int_equal(bench->engine->agenda.read_all, n > 1);
		for (uint32_t id = 1001; id <= 1004; id++)
			assert_int_equal(status_of(bench, 1, id), OPER_UP);
		assert_true(turn_until(bench, is_idle, 5000));
	}
	assert_string_equal(bench->log, "");
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
}

static bool dumps_in_order(const struct bench *bench)
{
	return strstr(bench->kernel->ops->release(bench->kernel), "6.12");
}

/* Read the counters of tunnel 1's sessions in order; returns the GETs it took. */
static uint64_t read_in_order(struct bench *bench, uint32_t from)
{
	struct session_entry *entry = tunnel_session_from(datastore_tunnel(bench->store, 1), from);
	uint64_t calls = sim_calls(bench->kernel);

	for (; entry; entry = session_next(entry)) {
		int64_t begun = clock_now();

		engine_refresh(bench->engine, &entry->entry);
		assert_true(entry->state.common.statistics_time > begun - NS_PER_S);
	}
	return sim_calls(bench->kernel) - calls;
}

static void grow_old(struct bench *bench)
{
	struct session_entry *entry = tunnel_session_from(datastore_tunnel(bench->store, 1), 0);

	for (; entry; entry = session_next(entry))
		entry->state.common.statistics_time -= 2 * NS_PER_S;
}

/* The first by GETs, then by a dump, if those come in order; else this is found out once. */
static void counters_are_fresh_and_read_ahead(void **state)
{
	struct bench *bench = *state;
	struct statistics more = {.rx_packets = 5, .rx_bytes = 500};

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 400)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_int_equal(sim_count(bench->kernel, 1, 1001, &more), 0);
	assert_int_equal(sim_count(bench->kernel, 1, 1399, &more), 0);
	if (dumps_in_order(bench))
		assert_in_range(read_in_order(bench, 0), 1, 20);
	else
		assert_in_range(read_in_order(bench, 0), 300, 399);
	assert_int_equal(entry_of(bench, 1, 1001)->state.common.statistics.rx_packets, 5);
	assert_int_equal(entry_of(bench, 1, 1399)->state.common.statistics.rx_packets, 5);
	assert_int_equal(read_in_order(bench, 0), 0);
	grow_old(bench);
	assert_int_equal(sim_count(bench->kernel, 1, 1399, &more), 0);
	if (dumps_in_order(bench))
		assert_in_range(read_in_order(bench, 0), 1, 20);
	else
		assert_int_equal(read_in_order(bench, 0), 400);
	assert_int_equal(entry_of(bench, 1, 1399)->state.common.statistics.rx_packets, 10);
}

static void counters_that_a_dump_misses_are_asked_for(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 400)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	sim_miss_in_dump(bench->kernel, 3);
	assert_in_range(read_in_order(bench, 0), 400 / 3, 400);
	turn_until(bench, is_done, 100);
	assert_null(strstr(bench->log, "vanished"));
}

/* A dump passes every session before: not for a reader who begins far behind the first. */
static void counters_in_the_middle_are_got_one_by_one(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1200)), 0);
	assert_true(turn_until(bench, is_idle, 5000));
	/* 201: on a busy machine what was counted when the tunnel came up is old by now */
	assert_in_range(read_in_order(bench, 2001), 200, 201);
}

static void so_are_those_of_many_tunnels(void **state)
{
	struct bench *bench = *state;

	for (uint32_t id = 1; id <= 9; id++)
		assert_int_equal(commit(bench, tunnel_with_sessions(id, id == 1 ? 200 : 0)), 0);
	assert_true(turn_until(bench, is_idle, 2000));
	assert_in_range(read_in_order(bench, 0), 200, 201);
}

static void a_lock_refuses_others(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(lock(bench, 4), 0);
	assert_int_equal(lock(bench, 5), -EBUSY);
	assert_int_equal(bench->error.code, ERROR_LOCK_DENIED);
	assert_int_equal(bench->error.session, 4);
	assert_true(commit(bench, tunnel_with_sessions(1, 1)) < 0);
	assert_int_equal(bench->error.code, ERROR_LOCKED);
	assert_int_equal(engine_unlock(bench->engine, ENGINE_RUNNING, 4, NULL), 0);
	assert_int_equal(commit(bench, tunnel_with_sessions(1, 1)), 0);
}

static void on_commit(int result, const struct error *err, void *arg)
{
	(void)err;
	assert_int_equal(result, 0);
	*(bool *)arg = true;
}

/* Who holds the lock sees no change but its own: what was asked for before is done first. */
static void a_lock_waits_for_what_was_begun(void **state)
{
	struct bench *bench = *state;
	bool committed = false;

	engine_edit(bench->engine, tunnel_with_sessions(1, 500), &tester, on_commit, &committed);
	assert_int_equal(lock(bench, 4), 0);
	assert_true(committed);
	assert_int_equal(engine_unlock(bench->engine, ENGINE_RUNNING, 4, NULL), 0);
}

static void a_lock_is_not_granted_to_who_is_gone(void **state)
{
	struct bench *bench = *state;
	const struct engine_who who = {.door = "netconf", .user = "root", .session = 4};

	bench->done = false;
	engine_forget(bench->engine,
		      engine_lock(bench->engine, ENGINE_RUNNING, &who, on_done, bench));
	assert_int_equal(lock(bench, 5), 0);
	assert_int_equal(engine_unlock(bench->engine, ENGINE_RUNNING, 5, NULL), 0);
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
		cmocka_unit_test(a_refusal_at_any_call_is_taken_back_whole),
		cmocka_unit_test(what_was_done_and_yet_failed_leaves_nothing_half),
		cmocka_unit_test(a_lost_answer_is_asked_for_again),
		BOTH(waits_for_a_route_and_comes_up_by_itself),
		BOTH(waits_for_the_module),
		BOTH(shows_and_does_not_touch_what_others_made),
		BOTH(all_that_others_made_is_adopted_at_once),
		BOTH(restores_what_vanishes_behind_us),
		BOTH(a_tunnel_that_is_long_in_going_is_noticed),
		BOTH(so_is_a_session_without_interface),
		BOTH(survives_lost_events_without_a_false_delete),
		BOTH(a_dump_of_links_that_was_interrupted_is_done_again),
		BOTH(counters_are_fresh_and_read_ahead),
		BOTH(counters_that_a_dump_misses_are_asked_for),
		BOTH(counters_in_the_middle_are_got_one_by_one),
		BOTH(so_are_those_of_many_tunnels),
		BOTH(a_lock_refuses_others),
		BOTH(a_lock_waits_for_what_was_begun),
		BOTH(a_lock_is_not_granted_to_who_is_gone),
		BOTH(a_check_refuses_what_the_commit_would),
		BOTH(local_interface_follows_its_address),
		cmocka_unit_test_setup_teardown(a_silent_peer_is_told_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dead_underlay_is_told_by_growing_errors, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
