/* What sessions' interfaces get beside the port: an alias, a link that is down for a silent peer.
 */
#include "engine/keepalive.h"
#include "engine/status.h"
#include "engine_bench.h"

#define SESSION "peer-session-id=6 interface-name=pw0"
#define VLAN    SESSION " pseudowire-type=ethernet-vlan vlan-id=7"

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
static void make(struct bench *bench, const char *session_leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, TUNNEL1);
	session(edit, EDIT_MERGE, 1, 5, session_leaves);
	assert_int_equal(commit(bench, edit), 0);
	assert_true(turn_until(bench, is_idle, 5000));
}

static void change(struct bench *bench, const char *session_leaves)
{
	assert_int_equal(edit_one_session(bench, 1, 5, session_leaves), 0);
	assert_true(turn_until(bench, is_idle, 5000));
}

/* Somebody else, with ip link. */
static void set_link(struct bench *bench, const char *name, unsigned int set,
		     struct kernel_link link)
{
	struct kernel_request request = {.verb = KERNEL_LINK_SET, .link = link, .link_set = set};

	snprintf(request.link.name, sizeof(request.link.name), "%s", name);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	turn_until(bench, never, 1);
	assert_true(turn_until(bench, is_idle, 5000));
}

static void set_alias(struct bench *bench, const char *name, const char *alias)
{
	set_link(bench, name, LINK_ALIAS, (struct kernel_link){.alias = alias});
}

static uint64_t writes(struct bench *bench)
{
	return bench->kernel->ops->writes(bench->kernel);
}

/* ---- description */

static void a_description_is_the_alias_in_place(void **state)
{
	struct bench *bench = *state;
	unsigned int index;
	uint64_t before;

	make(bench, SESSION " description=one mtu=1300");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "one");
	index = ask_link(bench, "pw0").index;
	before = writes(bench);
	change(bench, "description=two");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "two");
	assert_int_equal(writes(bench), before + 1);
	change(bench, "-description");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "");
	change(bench, "description=");
	assert_int_equal(writes(bench), before + 2);
	assert_int_equal(ask_link(bench, "pw0").index, index);
	assert_true(ask_link(bench, "pw0").up);
}

static void an_alias_of_others_is_restored_or_left(void **state)
{
	struct bench *bench = *state;
	uint64_t before;

	make(bench, SESSION " description=ours");
	set_alias(bench, "pw0", "theirs");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "ours");
	assert_non_null(strstr(bench->log, "session 1/5 differs in the kernel: description"));
	change(bench, "-description");
	before = writes(bench);
	set_alias(bench, "pw0", "theirs");
	change(bench, "dead-interval=100");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "theirs");
	assert_int_equal(writes(bench), before);
	change(bench, "description="); /* to have none is a choice, too */
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "");
}

static void an_alias_survives_a_re_creation(void **state)
{
	struct bench *bench = *state;

	make(bench, VLAN " description=ours");
	set_alias(bench, "pw0.7", "of the VLAN");
	change(bench, "tx-cookie=01020304");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "ours");
	assert_string_equal(sim_alias(bench->kernel, "pw0.7"), "of the VLAN");
	change(bench, "-description -tx-cookie"); /* with it, or it would come back as another's */
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "");
	set_alias(bench, "pw0", "theirs");
	change(bench, "tx-cookie=01020304");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "theirs");
	assert_string_equal(sim_alias(bench->kernel, "pw0.7"), "of the VLAN");
	change(bench, "description=ours tx-cookie=05060708");
	assert_string_equal(sim_alias(bench->kernel, "pw0"), "ours");
}

static void an_alias_survives_the_undo(void **state)
{
	static const char *const changes[] = {"description=ours", "tx-cookie=01020304",
					      "description=ours tx-cookie=01020304"};
	struct bench *bench = *state;

	make(bench, SESSION);
	assert_int_equal(edit_one_session(bench, 1, 6, "peer-session-id=6"), 0);
	for (size_t i = 0; i < 3; i++) {
		struct edit *edit = edit_new();

		set_alias(bench, "pw0", "theirs");
		tunnel(edit, EDIT_MERGE, 1, "");
		session(edit, EDIT_MERGE, 1, 5, changes[i]);
		session(edit, EDIT_MERGE, 1, 6, "bridge=eth0"); /* which is none */
		assert_true(commit(bench, edit) < 0);
		assert_true(turn_until(bench, is_idle, 5000));
		assert_string_equal(sim_alias(bench->kernel, "pw0"), "theirs");
	}
}

static void restart(struct bench *bench)
{
	engine_close(bench->engine);
	open_engine(bench);
	assert_true(turn_until(bench, is_idle, 5000));
}

static void a_restart_neither_sets_nor_loses_it(void **state)
{
	struct bench *bench = *state;
	struct kernel_request request = {.verb = KERNEL_LINK_SET,
					 .link = {.name = "pw0", .alias = "theirs"},
					 .link_set = LINK_ALIAS};
	uint64_t before;

	make(bench, SESSION " description=ours");
	before = writes(bench);
	restart(bench);
	assert_int_equal(writes(bench), before);
	engine_close(bench->engine);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	open_engine(bench);
	UNTIL(bench, strcmp(sim_alias(bench->kernel, "pw0"), "ours") == 0);
}

static int adopt(struct bench *bench, uint32_t tunnel_id)
{
	bench->done = false;
	engine_adopt(bench->engine, tunnel_id, &tester, on_done, bench);
	assert_true(turn_until(bench, is_done, 5000));
	return bench->result;
}

/* Session @id of others, up. */
static void make_foreign(struct bench *bench, uint32_t id, const char *name)
{
	struct session other = {.session_id = id, .peer_session_id = id};
	struct kernel_request request = {
		.verb = KERNEL_SESSION_CREATE, .tunnel_id = 1, .session_id = id, .session = &other};

	other.present = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID);
	codec_complete(OBJECT_SESSION, &other);
	snprintf(other.interface_name, sizeof(other.interface_name), "%s", name);
	other.present |= BIT(SESSION_INTERFACE_NAME);
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	UNTIL(bench, datastore_session(bench->store, 1, id));
	set_link(bench, name, LINK_UP, (struct kernel_link){.up = true});
}

static void an_alias_is_adopted_if_it_can_be_a_description(void **state)
{
	static const struct {
		const char *alias;
		bool fits;
	} cases[] = {
		{"to Bern", true},
		{"z\xc3\xbcrich", true},
		{"0123456789012345678901234567890123456789012345678901234567890123", true},
		{"01234567890123456789012345678901234567890123456789012345678901234", false},
		{"two\nlines", false},
		{"latin \xfc", false},
	};
	struct bench *bench = *state;
	uint64_t before;

	make(bench, SESSION);
	for (uint32_t i = 0; i < 6; i++) {
		char name[IFNAME_LENGTH + 1];
		const struct session *config;

		snprintf(name, sizeof(name), "f%u", i);
		make_foreign(bench, 90 + i, name);
		set_alias(bench, name, cases[i].alias);
		before = writes(bench);
		assert_int_equal(adopt(bench, 1), 0);
		assert_true(turn_until(bench, is_idle, 5000));
		config = session_config(entry_of(bench, 1, 90 + i));
		assert_int_equal(config->present & BIT(SESSION_DESCRIPTION) ? 1 : 0, cases[i].fits);
		assert_string_equal(config->description, cases[i].fits ? cases[i].alias : "");
		assert_string_equal(sim_alias(bench->kernel, name), cases[i].alias);
		assert_int_equal(writes(bench), before);
	}
}

static void a_ppp_session_has_only_the_text(void **state)
{
	struct bench *bench = *state;
	uint64_t before;

	make(bench, "peer-session-id=6 pseudowire-type=ppp description=one");
	before = writes(bench);
	change(bench, "description=two");
	assert_int_equal(writes(bench), before);
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
}

/* ---- dead-action */

#define SILENT SESSION " dead-interval=1 dead-action=link-down"

static void hear(struct bench *bench)
{
	const struct statistics heard = {.rx_packets = 1, .rx_bytes = 60};

	assert_int_equal(sim_count(bench->kernel, 1, 5, &heard), 0);
}

static bool is_dormant(struct bench *bench)
{
	return ask_link(bench, "pw0").dormant;
}

static void a_link_is_down_while_the_peer_is_silent(void **state)
{
	struct bench *bench = *state;
	unsigned int index;
	uint64_t before;

	make(bench, SILENT " description=ours");
	index = ask_link(bench, "pw0").index;
	before = writes(bench);
	for (unsigned int i = 1; i <= 2; i++) {
		UNTIL(bench, is_dormant(bench));
		assert_int_equal(status_of(bench, 1, 5), OPER_PEER_SILENT);
		assert_true(ask_link(bench, "pw0").up); /* or it could not receive */
		hear(bench);
		UNTIL(bench, !is_dormant(bench));
		assert_int_equal(status_of(bench, 1, 5), OPER_UP);
		assert_int_equal(writes(bench), before + 2 * i);
	}
	assert_int_equal(ask_link(bench, "pw0").index, index);
	assert_null(strstr(bench->log, "differs"));
}

static void without_a_dead_action_it_stays_up(void **state)
{
	struct bench *bench = *state;
	uint64_t before;

	make(bench, SESSION " dead-interval=1");
	before = writes(bench);
	UNTIL(bench, status_of(bench, 1, 5) == OPER_PEER_SILENT);
	assert_true(turn_until(bench, is_idle, 5000));
	assert_int_equal(writes(bench), before);
	change(bench, "dead-action=link-down"); /* at once, for it is silent */
	assert_true(is_dormant(bench));
	change(bench, "dead-action=none");
	assert_false(is_dormant(bench));
	assert_int_equal(status_of(bench, 1, 5), OPER_PEER_SILENT);
}

/* Is it up by the time that the client gets the reply? */
static void on_reply(int result, const struct error *err, void *arg)
{
	struct bench *bench = arg;

	(void)err;
	bench->done = true;
	bench->result = is_dormant(bench) ? -EBUSY : result;
}

static int change_and_see(struct bench *bench, const char *leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 5, leaves);
	bench->done = false;
	engine_edit(bench->engine, edit, &tester, on_reply, bench);
	assert_true(turn_until(bench, is_done, 5000));
	return bench->result;
}

static void it_is_up_again_when_the_reason_is_removed(void **state)
{
	static const char *const reasons[] = {"-dead-action", "-dead-interval"};
	struct bench *bench = *state;

	make(bench, SILENT);
	for (size_t i = 0; i < 2; i++) {
		change(bench, "dead-interval=1 dead-action=link-down");
		UNTIL(bench, is_dormant(bench));
		assert_int_equal(change_and_see(bench, reasons[i]), 0);
		assert_true(ask_link(bench, "pw0").up);
	}
	change(bench, "dead-interval=1 dead-action=link-down");
	UNTIL(bench, is_dormant(bench));
	change(bench, "dead-interval=1000"); /* seen at the next look at counters */
	UNTIL(bench, !is_dormant(bench));
}

static void a_state_of_others_is_restored_or_left(void **state)
{
	struct bench *bench = *state;

	make(bench, SILENT);
	UNTIL(bench, is_dormant(bench));
	set_link(bench, "pw0", LINK_DORMANT, (struct kernel_link){.dormant = false});
	UNTIL(bench, is_dormant(bench));
	assert_non_null(strstr(bench->log, "session 1/5 differs in the kernel: dead-action"));
	change(bench, "-dead-action");
	assert_false(is_dormant(bench));
	set_link(bench, "pw0", LINK_DORMANT, (struct kernel_link){.dormant = true});
	change(bench, "description=one");
	assert_true(is_dormant(bench)); /* it is not ours to undo */
}

/* An event of the interface comes between the silence and what it leads to. */
static void what_silence_has_yet_to_do_is_no_drift(void **state)
{
	struct bench *bench = *state;
	struct state *common;

	make(bench, SESSION " dead-interval=1000 dead-action=link-down");
	common = &entry_of(bench, 1, 5)->state.common;
	common->heard_time = clock_now() - 2000 * NS_PER_S;
	common->peer_silent = true;
	set_alias(bench, "pw0", "theirs");
	UNTIL(bench, is_dormant(bench));
	assert_null(strstr(bench->log, "differs"));
}

static void a_refused_change_leaves_it_down(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = edit_new();

	make(bench, SILENT);
	assert_int_equal(edit_one_session(bench, 1, 6, "peer-session-id=6"), 0);
	UNTIL(bench, is_dormant(bench));
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 5, "-dead-action");
	session(edit, EDIT_MERGE, 1, 6, "bridge=eth0"); /* which is none */
	assert_true(commit(bench, edit) < 0);
	assert_true(turn_until(bench, is_idle, 5000));
	UNTIL(bench, is_dormant(bench));
}

static void a_new_interface_is_up_at_first(void **state)
{
	struct bench *bench = *state;
	uint64_t before, each;

	make(bench, SILENT);
	before = writes(bench);
	change(bench, "tx-cookie=01020304");
	each = writes(bench) - before;
	UNTIL(bench, is_dormant(bench));
	before = writes(bench);
	change(bench, "tx-cookie=05060708");
	assert_int_equal(writes(bench) - before, each); /* there is nothing to undo */
	assert_false(is_dormant(bench));
	UNTIL(bench, is_dormant(bench));
	hear(bench);
	UNTIL(bench, !is_dormant(bench));
	UNTIL(bench, is_dormant(bench));
	change(bench, "enabled=false");
	assert_false(entry_of(bench, 1, 5)->state.silenced);
}

/* Whose identity is lost, too. */
static void what_an_earlier_daemon_took_down_is_adopted_up(void **state)
{
	struct bench *bench = *state;
	const struct session *config;

	make(bench, SESSION);
	make_foreign(bench, 99, "f99");
	set_link(bench, "f99", LINK_DORMANT, (struct kernel_link){.dormant = true});
	assert_true(ask_link(bench, "f99").dormant);
	assert_int_equal(adopt(bench, 1), 0);
	UNTIL(bench, !ask_link(bench, "f99").dormant);
	config = session_config(entry_of(bench, 1, 99));
	assert_int_equal(config->dead_action, DEAD_ACTION_LINK_DOWN);
}

/* ---- keepalive */

static int sent(struct bench *bench, const char *name)
{
	return sim_frames_on(bench->kernel, name);
}

static bool has_bytes(struct bench *bench, const void *bytes, size_t length)
{
	const struct sim_frames *frames = sim_frames(bench->kernel);

	return memmem(frames->last, frames->last_length, bytes, length) != NULL;
}

static void keepalives_go_out_on_the_interface(void **state)
{
	static const uint8_t life[] = {0x06, 0x02, 0x00, 4}, tag[] = {0x81, 0x00, 0x00, 7};
	const struct session_entry *entry;
	struct bench *bench = *state;
	struct mac mac;
	uint64_t before;

	make(bench, SESSION " keepalive=1 description=ours");
	entry = entry_of(bench, 1, 5);
	before = writes(bench);
	UNTIL(bench, sent(bench, "pw0") == 2);
	assert_int_equal(entry->state.common.oper_status, OPER_UP);
	assert_true(has_bytes(bench, life, sizeof(life)));
	assert_true(has_bytes(bench, "pw0", 3));
	assert_true(has_bytes(bench, "\x08\x04ours", 6));
	mac = ask_link(bench, "pw0").mac;
	assert_memory_equal(sim_frames(bench->kernel)->last + 6, &mac, 6);
	change(bench, "pseudowire-type=ethernet-vlan vlan-id=7");
	UNTIL(bench, has_bytes(bench, tag, sizeof(tag)));
	assert_true(sent(bench, "pw0") > 0);
	assert_int_equal(sent(bench, "pw0.7"), 0);
	before = writes(bench);
	change(bench, "keepalive=0");
	assert_int_equal(writes(bench), before);
	UNTIL(bench, keepalive_due(bench->engine) == NEVER); /* idle is idle */
}

static bool counts_frames(struct bench *bench, const char *name)
{
	int count = sent(bench, name);
	int64_t end = clock_now() + NS_PER_S * 5 / 4;

	while (clock_now() < end && sent(bench, name) == count)
		turn_until(bench, never, 10);
	return sent(bench, name) != count;
}

static void keepalives_are_sent_while_the_interface_is_up(void **state)
{
	struct bench *bench = *state;

	make(bench, SILENT " keepalive=1");
	UNTIL(bench, is_dormant(bench));
	assert_true(counts_frames(bench, "pw0")); /* or two silent ends would stay so */
	change(bench, "link-enabled=false");
	assert_false(counts_frames(bench, "pw0"));
	assert_int_equal(sim_frames(bench->kernel)->refused, 0); /* nor tried */
	change(bench, "link-enabled=true");
	assert_true(counts_frames(bench, "pw0"));
	change(bench, "bridge=br7"); /* which is not there: it waits, and is no use */
	assert_int_equal(status_of(bench, 1, 5), OPER_WAITING);
	assert_false(counts_frames(bench, "pw0"));
	change(bench, "-bridge");
	assert_true(counts_frames(bench, "pw0"));
	change(bench, "tx-cookie=01020304");
	assert_true(counts_frames(bench, "pw0"));
	restart(bench);
	assert_true(counts_frames(bench, "pw0"));
	change(bench, "enabled=false");
	UNTIL(bench, keepalive_due(bench->engine) == NEVER);
	change(bench, "enabled=true");
	assert_true(counts_frames(bench, "pw0"));
}

/* Sessions 1000 on, as many as @count. */
static void make_many(struct bench *bench, unsigned int count, const char *leaves)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, TUNNEL1);
	for (uint32_t i = 0; i < count; i++)
		session(edit, EDIT_MERGE, 1, 1000 + i, leaves);
	assert_int_equal(commit(bench, edit), 0);
	assert_true(turn_until(bench, is_idle, 20000));
}

/* 1000 sessions at 100 s are 10 frames a second, from the first one on. */
static void keepalives_are_spread_over_the_interval(void **state)
{
	struct bench *bench = *state;
	const struct sim_frames *frames = sim_frames(bench->kernel);

	make_many(bench, 1000, "peer-session-id=6 keepalive=100");
	for (unsigned int i = 0; i < 2; i++) {
		int64_t begin = clock_now(), took;
		unsigned int before = frames->sent, sent, expected;

		turn_until(bench, never, 2000);
		took = clock_now() - begin;
		sent = frames->sent - before;
		expected = (unsigned int)(took * 10 / NS_PER_S);
		assert_in_range(sent, expected - 3, expected + 3);
		engine_close(bench->engine);
		open_engine(bench); /* a start is no burst, either */
		assert_true(turn_until(bench, is_idle, 5000));
	}
}

static void without_a_socket_it_is_said_once(void **state)
{
	struct bench *bench = *state;
	const char *line;

	sim_permit_frames(bench->kernel, false);
	make(bench, SESSION " keepalive=1");
	UNTIL(bench, strstr(bench->log, "keepalives cannot be sent"));
	assert_false(counts_frames(bench, "pw0"));
	line = strstr(bench->log, "keepalives cannot be sent");
	assert_null(strstr(line + 1, "keepalives cannot be sent"));
	assert_int_equal(status_of(bench, 1, 5), OPER_UP);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_description_is_the_alias_in_place),
		TEST(an_alias_of_others_is_restored_or_left),
		TEST(an_alias_survives_a_re_creation),
		TEST(an_alias_survives_the_undo),
		TEST(a_restart_neither_sets_nor_loses_it),
		TEST(an_alias_is_adopted_if_it_can_be_a_description),
		TEST(a_ppp_session_has_only_the_text),
		TEST(a_link_is_down_while_the_peer_is_silent),
		TEST(without_a_dead_action_it_stays_up),
		TEST(it_is_up_again_when_the_reason_is_removed),
		TEST(a_state_of_others_is_restored_or_left),
		TEST(what_silence_has_yet_to_do_is_no_drift),
		TEST(a_refused_change_leaves_it_down),
		TEST(a_new_interface_is_up_at_first),
		TEST(what_an_earlier_daemon_took_down_is_adopted_up),
		TEST(keepalives_go_out_on_the_interface),
		TEST(keepalives_are_sent_while_the_interface_is_up),
		TEST(keepalives_are_spread_over_the_interval),
		TEST(without_a_socket_it_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
