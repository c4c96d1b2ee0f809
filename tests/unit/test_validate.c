/* Validation: what is refused, where, naming whom; and that it costs by what is touched. */
#include "store.h"

#define SESSION(t, s) "/l2tpv3/tunnel[tunnel-id='" #t "']/session[session-id='" #s "']"
#define TUNNEL(t)     "/l2tpv3/tunnel[tunnel-id='" #t "']"

/* Tunnels 1 and 2 with sessions 1, 2 and 3, 4, named l2tpeth0 to 3. Foreign: 8, with 80 and 81. */
static struct datastore *populate_with_others(void)
{
	struct datastore *running = populate(2, 2);
	struct tunnel tunnel = {
		.tunnel_id = 8,
		.present = BIT(TUNNEL_ID) | BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_LOCAL_PORT),
		.local_address = {AF_INET, {10, 8, 8, 8}},
		.local_port = 8000,
	};
	struct session session = {
		.session_id = 80,
		.present = BIT(SESSION_ID) | BIT(SESSION_INTERFACE_NAME),
		.interface_name = "theirs0",
	};

	datastore_observe(running, 8, 0, &tunnel);
	datastore_observe(running, 8, 80, &session);
	return running;
}

/* One to three entries, what they are given, and what is said of it. */
static const struct {
	const char *name;
	struct {
		enum edit_operation operation;
		uint32_t tunnel, session;
		const char *leaves;
	} give[3];
	enum error_code error;
	const char *path, *says;
} cases[] = {
	{"a good session", {{EDIT_CREATE, 1, 9, "peer-session-id=9"}}, 0, NULL, NULL},
	{"rules are asked",
	 {{EDIT_CREATE, 1, 9, "mtu=1400"}},
	 ERROR_MANDATORY,
	 SESSION(1, 9) "/peer-session-id",
	 "peer-session-id"},
	{"a session without its tunnel",
	 {{EDIT_CREATE, 7, 9, "peer-session-id=9"}},
	 ERROR_MISSING,
	 SESSION(7, 9),
	 "tunnel 7 is not configured"},
	{"a session in a foreign tunnel",
	 {{EDIT_CREATE, 8, 9, "peer-session-id=9"}},
	 ERROR_FOREIGN,
	 SESSION(8, 9),
	 "adopt"},
	{"a foreign tunnel's id",
	 {{EDIT_CREATE, 8, 0, "peer-tunnel-id=1 local-address=10.9.9.9 remote-address=10.2.0.1"}},
	 ERROR_FOREIGN,
	 TUNNEL(8),
	 "tunnel 8 was made in the kernel by others; adopt"},
	{"a session id of another tunnel",
	 {{EDIT_CREATE, 1, 3, "peer-session-id=9"}},
	 ERROR_NOT_UNIQUE,
	 SESSION(1, 3) "/session-id",
	 "in use in tunnel 2"},
	{"a session id twice in one edit",
	 {{EDIT_CREATE, 1, 9, "peer-session-id=9"}, {EDIT_CREATE, 2, 9, "peer-session-id=9"}},
	 ERROR_NOT_UNIQUE,
	 SESSION(2, 9) "/session-id",
	 "in use in tunnel 1"},
	{"a session id set free by the same edit",
	 {{EDIT_DELETE, 2, 3, ""}, {EDIT_CREATE, 1, 3, "peer-session-id=9"}},
	 0,
	 NULL,
	 NULL},
	{"a foreign session's id",
	 {{EDIT_CREATE, 1, 80, "peer-session-id=9"}},
	 ERROR_FOREIGN,
	 SESSION(1, 80) "/session-id",
	 "session 80 of tunnel 8"},
	{"an interface name in use",
	 {{EDIT_MERGE, 1, 1, "interface-name=l2tpeth3"}},
	 ERROR_NOT_UNIQUE,
	 SESSION(1, 1) "/interface-name",
	 "session 4 of tunnel 2"},
	{"an interface name twice in one edit",
	 {{EDIT_MERGE, 1, 1, "interface-name=x"}, {EDIT_MERGE, 2, 4, "interface-name=x"}},
	 ERROR_NOT_UNIQUE,
	 SESSION(2, 4) "/interface-name",
	 "session 1 of tunnel 1"},
	{"the name that a touched entry keeps",
	 {{EDIT_MERGE, 1, 1, "interface-name=l2tpeth3"}, {EDIT_MERGE, 2, 4, "mtu=1300"}},
	 ERROR_NOT_UNIQUE,
	 SESSION(1, 1) "/interface-name",
	 "session 4 of tunnel 2"},
	{"names exchanged",
	 {{EDIT_MERGE, 1, 1, "interface-name=l2tpeth3"},
	  {EDIT_MERGE, 2, 4, "interface-name=l2tpeth0"}},
	 0,
	 NULL,
	 NULL},
	{"a foreign interface's name",
	 {{EDIT_MERGE, 1, 1, "interface-name=theirs0"}},
	 ERROR_FOREIGN,
	 SESSION(1, 1) "/interface-name",
	 "session 80 of tunnel 8"},
	{"a name that the 802.1Q link of another has",
	 {{EDIT_CREATE, 1, 9,
	   "peer-session-id=9 pseudowire-type=ethernet-vlan vlan-id=5 interface-name=x"},
	  {EDIT_MERGE, 2, 4, "interface-name=x.5"}},
	 ERROR_NOT_UNIQUE,
	 SESSION(2, 4) "/interface-name",
	 "\"x.5\" is that of session 9"},
	{"a local endpoint in use, port by default",
	 {{EDIT_MERGE, 1, 0, "local-address=10.1.0.2 ~local-port"},
	  {EDIT_MERGE, 2, 0, "local-port=1701"}},
	 ERROR_NOT_UNIQUE,
	 TUNNEL(2) "/local-port",
	 "10.1.0.2 port 1701 is used by tunnel 1"},
	{"a local endpoint of an untouched tunnel",
	 {{EDIT_MERGE, 1, 0, "local-address=10.1.0.2 local-port=1026"}},
	 ERROR_NOT_UNIQUE,
	 TUNNEL(1) "/local-port",
	 "10.1.0.2 port 1026 is used by tunnel 2"},
	{"the same address and port, but one in IP",
	 {{EDIT_MERGE, 1, 0, "local-address=10.1.0.2 encapsulation=ip ~local-port"}},
	 0,
	 NULL,
	 NULL},
	{"a foreign tunnel's endpoint",
	 {{EDIT_MERGE, 1, 0, "local-address=10.8.8.8 local-port=8000"}},
	 ERROR_FOREIGN,
	 TUNNEL(1) "/local-port",
	 "tunnel 8"},
};

static void conflicts_name_the_place_and_the_owner(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct datastore *running = populate_with_others();
		struct error err = ERROR_INIT;
		struct candidate candidate;
		struct edit *edit = edit_new();
		int result;

		for (size_t j = 0; j < 3 && cases[i].give[j].tunnel != 0; j++)
			add(edit, cases[i].give[j].operation, cases[i].give[j].tunnel,
			    cases[i].give[j].session, cases[i].give[j].leaves);
		candidate_open(&candidate, running);
		assert_int_equal(apply(&candidate, edit, NULL), 0);
		result = candidate_validate(&candidate, &err);
		if (err.code != cases[i].error || (result != 0) != (err.code != ERROR_NONE))
			fail_msg("%s: %d %s %s", cases[i].name, result, err.path, err.text);
		if (cases[i].error != ERROR_NONE) {
			assert_string_equal(err.path, cases[i].path);
			if (strstr(err.text, cases[i].says) == NULL)
				fail_msg("%s: \"%s\"", cases[i].name, err.text);
			assert_int_equal(candidate_validate(&candidate, NULL), result);
		} else {
			assert_int_equal(candidate_publish(&candidate, running), 0);
		}
		candidate_discard(&candidate);
		datastore_free(running);
	}
}

/* One whose 802.1Q link is there already, and one that is named so now. */
static void a_vlan_link_in_running_is_found_by_its_name(void **state)
{
	struct datastore *running = populate(1, 1);
	struct error err = ERROR_INIT;
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	add(edit, EDIT_CREATE, 1, 9,
	    "peer-session-id=9 pseudowire-type=ethernet-vlan vlan-id=5 interface-name=a.b");
	commit(running, edit);
	candidate_open(&candidate, running);
	edit = edit_new();
	add(edit, EDIT_MERGE, 1, 1, "interface-name=a.b.5");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_true(candidate_validate(&candidate, &err) != 0);
	assert_int_equal(err.code, ERROR_NOT_UNIQUE);
	edit = edit_new();
	add(edit, EDIT_MERGE, 1, 9, "vlan-id=6"); /* which makes room for it */
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate_validate(&candidate, &err), 0);
	candidate_discard(&candidate);
	datastore_free(running);
}

/* What came later and is not ours must not keep us from changing a description. */
static void old_claims_are_not_contested(void **state)
{
	struct datastore *running = populate_with_others();
	struct session session = {.session_id = 1,
				  .present = BIT(SESSION_INTERFACE_NAME),
				  .interface_name = "l2tpeth0"};
	struct error err = ERROR_INIT;
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	datastore_observe(running, 8, 1, &session); /* 6.12 lets session ids collide */
	candidate_open(&candidate, running);
	add(edit, EDIT_MERGE, 1, 1, "mtu=1300");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate_validate(&candidate, &err), 0);
	candidate_discard(&candidate);
	datastore_free(running);
}

static void adopting_is_no_conflict(void **state)
{
	struct datastore *running = populate_with_others();
	struct session session = datastore_session(running, 8, 80)->actual->session;
	struct error err = ERROR_INIT;
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	session.peer_session_id = 5;
	session.present |= BIT(SESSION_PEER_SESSION_ID);
	candidate_open(&candidate, running);
	add(edit, EDIT_MERGE, 8, 0,
	    "peer-tunnel-id=5 local-address=10.8.8.8 local-port=8000 remote-address=10.2.0.1");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate_put(&candidate, 8, 80, &session), 0);
	assert_true(candidate_validate(&candidate, &err) != 0);
	assert_int_equal(err.code, ERROR_FOREIGN);
	candidate.adopt = true;
	assert_int_equal(candidate_validate(&candidate, &err), 0);
	assert_int_equal(candidate_publish(&candidate, running), 0);
	assert_int_equal(datastore_session(running, 8, 80)->state.common.origin, ORIGIN_CONFIGURED);
	candidate_discard(&candidate);
	datastore_free(running);
}

static void sessions_left_behind_are_found(void **state)
{
	struct datastore *running = populate(1, 2);
	struct error err = ERROR_INIT;
	struct candidate candidate;

	(void)state;
	candidate_open(&candidate, running);
	assert_int_equal(candidate_put(&candidate, 1, 0, NULL), 0); /* itself alone */
	assert_true(candidate_validate(&candidate, &err) != 0);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_string_equal(err.path, SESSION(1, 1));
	candidate_discard(&candidate);
	datastore_free(running);
}

/* However many have gone before it. */
static void one_left_behind_among_many_is_found(void **state)
{
	struct datastore *running = populate(1, 200);
	struct error err = ERROR_INIT;
	struct candidate candidate;

	(void)state;
	candidate_open(&candidate, running);
	for (uint32_t id = 0; id < 200; id++)
		assert_int_equal(candidate_put(&candidate, 1, id, NULL), 0);
	assert_int_equal(candidate_validate(&candidate, &err), -ENOENT);
	assert_string_equal(err.path, SESSION(1, 200));
	assert_int_equal(candidate_put(&candidate, 1, 200, NULL), 0);
	assert_int_equal(candidate_validate(&candidate, &err), 0);
	candidate_discard(&candidate);
	datastore_free(running);
}

/* An entry being removed is in nobody's way: the engine waits for it. */
static void what_is_being_removed_is_no_conflict(void **state)
{
	struct datastore *running = populate_with_others();
	struct error err = ERROR_INIT;
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	datastore_hold(running, &datastore_session(running, 8, 80)->entry, true);
	candidate_open(&candidate, running);
	add(edit, EDIT_CREATE, 1, 80, "peer-session-id=9 interface-name=theirs0");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate_validate(&candidate, &err), 0);
	candidate_discard(&candidate);
	datastore_free(running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conflicts_name_the_place_and_the_owner),
		cmocka_unit_test(a_vlan_link_in_running_is_found_by_its_name),
		cmocka_unit_test(old_claims_are_not_contested),
		cmocka_unit_test(adopting_is_no_conflict),
		cmocka_unit_test(sessions_left_behind_are_found),
		cmocka_unit_test(one_left_behind_among_many_is_found),
		cmocka_unit_test(what_is_being_removed_is_no_conflict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
