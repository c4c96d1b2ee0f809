/* The candidate: what an edit makes of the overlay, and the overlay of running. */
#include "store.h"
#include "store/policy.h"

#include <stdio.h>

static const union config *view(const struct candidate *candidate, uint32_t t, uint32_t s)
{
	return s == 0 ? (const union config *)candidate_tunnel(candidate, t)
		      : (const union config *)candidate_session(candidate, t, s);
}

/* "leaf=value leaf=value" of an entry without its key; NULL when there is none. */
static const char *leaves_of(const struct candidate *candidate, uint32_t t, uint32_t s,
			     char ret[512])
{
	const struct row_set *set = &row_sets[s == 0 ? OBJECT_TUNNEL : OBJECT_SESSION];
	const union config *config = view(candidate, t, s);
	char text[VALUE_TEXT_MAX];
	size_t length = 0;

	ret[0] = '\0';
	for (unsigned int i = 0; config != NULL && i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (row->access == ACCESS_KEY || !codec_present(row, config))
			continue;
		codec_print(row, config, text);
		length += (size_t)snprintf(ret + length, 512 - length, "%s%s=%s", length ? " " : "",
					   row->leaf, text);
	}
	return config != NULL ? ret : NULL;
}

static void assert_leaves(const struct candidate *candidate, uint32_t t, uint32_t s,
			  const char *expected)
{
	char text[512];
	const char *leaves = leaves_of(candidate, t, s, text);

	if (expected == NULL)
		assert_null(leaves);
	else
		assert_string_equal(leaves, expected);
}

/* Operations on one entry: before, what is given, after or the error. */
static const struct {
	const char *name;
	const char *before; /* of session 1/1; NULL: there is none */
	enum edit_operation operation;
	const char *given;
	const char *after;
	enum error_code error;
	const char *path; /* below session 1/1 */
} cases[] = {
	{"merge makes", NULL, EDIT_MERGE, "mtu=1400", "mtu=1400", 0, NULL},
	{"merge changes", "mtu=1400 bridge=b", EDIT_MERGE, "mtu=1300", "mtu=1300 bridge=b", 0,
	 NULL},
	{"merge with nothing", "mtu=1400", EDIT_MERGE, "", "mtu=1400", 0, NULL},
	{"create makes", NULL, EDIT_CREATE, "mtu=1400", "mtu=1400", 0, NULL},
	{"create finds", "mtu=1400", EDIT_CREATE, "mtu=1400", NULL, ERROR_EXISTS, ""},
	{"replace makes", NULL, EDIT_REPLACE, "mtu=1400", "mtu=1400", 0, NULL},
	{"replace clears", "mtu=1400 bridge=b", EDIT_REPLACE, "mtu=1300", "mtu=1300", 0, NULL},
	{"delete deletes", "mtu=1400", EDIT_DELETE, "", NULL, 0, NULL},
	{"delete misses", NULL, EDIT_DELETE, "", NULL, ERROR_MISSING, ""},
	{"remove removes", "mtu=1400", EDIT_REMOVE, "", NULL, 0, NULL},
	{"remove of nothing", NULL, EDIT_REMOVE, "", NULL, 0, NULL},
	{"none finds", "mtu=1400", EDIT_NONE, "", "mtu=1400", 0, NULL},
	{"none misses", NULL, EDIT_NONE, "", NULL, ERROR_MISSING, ""},
	{"none with a leaf", "mtu=1400", EDIT_NONE, "mtu=1300", "mtu=1300", 0, NULL},
	{"leaf deleted", "mtu=1400 bridge=b", EDIT_MERGE, "!mtu", "bridge=b", 0, NULL},
	{"leaf delete misses", "bridge=b", EDIT_MERGE, "!mtu", NULL, ERROR_MISSING, "/mtu"},
	{"leaf delete in a new entry", NULL, EDIT_MERGE, "!mtu", NULL, ERROR_MISSING, "/mtu"},
	{"leaf removed", "mtu=1400 bridge=b", EDIT_MERGE, "~mtu", "bridge=b", 0, NULL},
	{"leaf remove of nothing", "bridge=b", EDIT_MERGE, "~mtu", "bridge=b", 0, NULL},
	{"leaf created", "bridge=b", EDIT_MERGE, "*mtu=1400", "mtu=1400 bridge=b", 0, NULL},
	{"leaf create finds", "mtu=1300", EDIT_MERGE, "*mtu=1400", NULL, ERROR_EXISTS, "/mtu"},
	/* RFC 6243: a default in use is no instance, so creating it is no clash */
	{"leaf created with its default", "mtu=1400", EDIT_MERGE, "*enabled=true",
	 "enabled=true mtu=1400", 0, NULL},
	{"name kept by replace", "interface-name=x mtu=1400", EDIT_REPLACE, "mtu=1400",
	 "interface-name=x mtu=1400", 0, NULL},
	{"name given to replace", "interface-name=x", EDIT_REPLACE, "interface-name=y",
	 "interface-name=y", 0, NULL},
	{"name removed in replace", "interface-name=x", EDIT_REPLACE, "~interface-name mtu=1400",
	 "mtu=1400", 0, NULL},
	{"name not kept without interface", "interface-name=x", EDIT_REPLACE, "pseudowire-type=ppp",
	 "pseudowire-type=ppp", 0, NULL},
	/* RFC 7950 section 8.2.2: what its "when" no longer covers goes */
	{"vlan goes with its type", "pseudowire-type=ethernet-vlan vlan-id=5", EDIT_MERGE,
	 "pseudowire-type=ethernet", "pseudowire-type=ethernet", 0, NULL},
	/* but not what is given, which candidate_validate() refuses (section 8.3.2) */
	{"vlan given as it was, with another type", "pseudowire-type=ethernet-vlan vlan-id=5",
	 EDIT_MERGE, "pseudowire-type=ethernet vlan-id=5", "pseudowire-type=ethernet vlan-id=5", 0,
	 NULL},
};

static void operations_do_as_rfc_6241_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct datastore *running = datastore_new();
		struct error err = ERROR_INIT;
		struct candidate candidate;
		struct edit *before = edit_new(), *edit = edit_new();

		candidate_open(&candidate, running);
		if (cases[i].before != NULL)
			add(before, EDIT_CREATE, 1, 1, cases[i].before);
		assert_int_equal(apply(&candidate, before, &err), 0);
		add(edit, cases[i].operation, 1, 1, cases[i].given);
		if ((apply(&candidate, edit, &err) != 0) != (cases[i].error != ERROR_NONE))
			fail_msg("%s: %s", cases[i].name, err.text);
		assert_int_equal(err.code, cases[i].error);
		if (cases[i].error != ERROR_NONE) {
			assert_string_equal(strrchr(err.path, ']') + 1, cases[i].path);
			assert_string_not_equal(err.text, "");
			assert_leaves(&candidate, 1, 1, cases[i].before);
		} else {
			assert_leaves(&candidate, 1, 1, cases[i].after);
		}
		candidate_discard(&candidate);
		datastore_free(running);
	}
}

/* Whoever is not shown secrets leaves them out of what it replaces. */
static void replacing_keeps_secrets_for_who_does_not_see_them(void **state)
{
	static const char before[] = "mtu=1400 bridge=b tx-cookie=0011aabb rx-cookie=00112233";
	static const struct {
		bool keep;
		enum edit_operation container, tunnel, session;
		const char *after;
	} replaces[] = {
		{true, EDIT_MERGE, EDIT_MERGE, EDIT_REPLACE,
		 "mtu=1300 tx-cookie=0011aabb rx-cookie=00112233"},
		{true, EDIT_MERGE, EDIT_REPLACE, EDIT_MERGE,
		 "mtu=1300 tx-cookie=0011aabb rx-cookie=00112233"},
		{true, EDIT_REPLACE, EDIT_MERGE, EDIT_MERGE,
		 "mtu=1300 tx-cookie=0011aabb rx-cookie=00112233"},
		{false, EDIT_REPLACE, EDIT_MERGE, EDIT_MERGE, "mtu=1300"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replaces) / sizeof(replaces[0]); i++) {
		struct datastore *running = datastore_new();
		struct candidate candidate;
		struct edit *made = edit_new(), *edit = edit_new();

		candidate_open(&candidate, running);
		add_tunnel(made, EDIT_CREATE, 1);
		add(made, EDIT_CREATE, 1, 1, before);
		assert_int_equal(apply(&candidate, made, NULL), 0);
		edit->policy = replaces[i].keep ? policy_of_members() : NULL;
		edit->operation = replaces[i].container;
		add_tunnel(edit, replaces[i].tunnel, 1);
		add(edit, replaces[i].session, 1, 1, "mtu=1300");
		assert_int_equal(apply(&candidate, edit, NULL), 0);
		assert_leaves(&candidate, 1, 1, replaces[i].after);
		candidate_discard(&candidate);
		datastore_free(running);
	}
}

/* And who gives one is refused, also the value that it has, so that nobody can find it by trying.
 */
static void secrets_are_not_given_by_who_does_not_see_them(void **state)
{
	static const struct {
		enum edit_operation operation;
		const char *given, *path;
	} givens[] = {
		{EDIT_MERGE, "tx-cookie=00112233", "/tx-cookie"},
		{EDIT_MERGE, "tx-cookie=0011aabb", "/tx-cookie"},
		{EDIT_REPLACE, "tx-cookie=0011aabb", "/tx-cookie"},
		{EDIT_MERGE, "~rx-cookie", "/rx-cookie"},
		{EDIT_MERGE, "mtu=1400 !tx-cookie", "/tx-cookie"},
		{EDIT_MERGE, "mtu=1300", NULL},
		{EDIT_DELETE, "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(givens) / sizeof(givens[0]); i++) {
		struct datastore *running = datastore_new();
		struct candidate candidate;
		struct edit *made = edit_new(), *edit = edit_new();
		struct error err = ERROR_INIT;

		candidate_open(&candidate, running);
		add(made, EDIT_CREATE, 1, 1, "mtu=1400 tx-cookie=0011aabb");
		assert_int_equal(apply(&candidate, made, NULL), 0);
		edit->policy = policy_of_members();
		add(edit, givens[i].operation, 1, 1, givens[i].given);
		apply(&candidate, edit, &err);
		assert_int_equal(err.code, givens[i].path ? ERROR_DENIED : ERROR_NONE);
		if (givens[i].path)
			assert_string_equal(strrchr(err.path, ']') + 1, givens[i].path);
		candidate_discard(&candidate);
		datastore_free(running);
	}
}

static void leaves_are_checked_as_they_come(void **state)
{
	struct edit *edit = edit_new();
	struct edit_entry *tunnel = edit_tunnel(edit, EDIT_MERGE, 1);
	struct edit_entry *session = edit_session(edit, EDIT_MERGE, 1, 2);
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(give(session, "mtu=1400 mtu=1400", &err), -EINVAL);
	assert_int_equal(err.code, ERROR_BAD_ELEMENT);
	assert_string_equal(err.path, "/l2tpv3/tunnel[tunnel-id='1']/session[session-id='2']/mtu");
	assert_string_equal(err.info, "mtu");
	assert_true(give(tunnel, "!description ~description", &err) != 0);
	assert_int_equal(err.code, ERROR_BAD_ELEMENT);
	assert_true(give(tunnel, "local-port=0", &err) != 0);
	assert_int_equal(err.code, ERROR_INVALID_VALUE);
	assert_true(give(tunnel, "oper-status=up", &err) != 0);
	assert_int_equal(err.code, ERROR_READ_ONLY);
	assert_int_equal(give(tunnel, "tunnel-id=1", &err), 0); /* the key, as it is */
	assert_true(give(tunnel, "tunnel-id=2", &err) != 0);
	assert_int_equal(err.code, ERROR_BAD_ELEMENT);
	edit_free(edit);
	edit_free(NULL);
}

static void a_refused_edit_leaves_no_trace(void **state)
{
	struct datastore *running = populate(2, 3);
	struct error err = ERROR_INIT;
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	add(edit, EDIT_MERGE, 1, 1, "mtu=1300");
	assert_int_equal(apply(&candidate, edit, &err), 0);
	edit = edit_new();
	add(edit, EDIT_MERGE, 1, 1, "mtu=1200 bridge=b");
	add(edit, EDIT_DELETE, 2, 0, "");
	add(edit, EDIT_CREATE, 3, 0, "");
	add(edit, EDIT_DELETE, 1, 77, "");
	assert_true(apply(&candidate, edit, &err) != 0);
	assert_int_equal(candidate.count, 1);
	assert_leaves(&candidate, 1, 1, "peer-session-id=1 interface-name=l2tpeth0 mtu=1300");
	assert_non_null(candidate_tunnel(&candidate, 2));
	assert_null(candidate_tunnel(&candidate, 3));
	candidate_discard(&candidate);
	datastore_free(running);
}

static void what_ends_as_it_began_is_no_change(void **state)
{
	struct datastore *running = populate(2, 2);
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	add(edit, EDIT_MERGE, 1, 1, "mtu=1300");
	add(edit, EDIT_MERGE, 1, 2, "mtu=1400"); /* as it is */
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate.count, 1);
	edit = edit_new();
	add(edit, EDIT_MERGE, 1, 1, "mtu=1400");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_false(candidate_dirty(&candidate));
	datastore_free(running);
}

/* The whole again, as an orchestrator pushes it, names left out. */
static void an_identical_push_is_no_change(void **state)
{
	struct datastore *running = populate(3, 4);
	struct candidate candidate;
	struct edit *edit = edit_new();
	uint32_t id = 0;

	(void)state;
	edit->operation = EDIT_REPLACE;
	for (uint32_t t = 1; t <= 3; t++) {
		add_tunnel(edit, EDIT_REPLACE, t);
		for (uint32_t s = 0; s < 4; s++)
			add_session(edit, EDIT_REPLACE, t, ++id);
	}
	candidate_open(&candidate, running);
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_false(candidate_dirty(&candidate));
	datastore_free(running);
}

static void a_tunnel_takes_its_sessions_with_it(void **state)
{
	struct datastore *running = populate(2, 3);
	struct candidate candidate;
	struct edit *edit = edit_new();
	uint32_t id = 0;

	(void)state;
	candidate_open(&candidate, running);
	add_session(edit, EDIT_CREATE, 1, 50);
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	edit = edit_new();
	add(edit, EDIT_DELETE, 1, 0, "");
	add(edit, EDIT_DELETE, 1, 2, ""); /* named below it: no more than said already */
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_null(candidate_session_from(&candidate, 1, &id));
	assert_int_equal(candidate.count, 4);
	assert_int_equal(candidate_publish(&candidate, running), 0);
	assert_int_equal(datastore_counts(running)->configured_sessions, 3);
	assert_null(datastore_tunnel(running, 1));
	candidate_discard(&candidate);
	datastore_free(running);
}

static void replacing_a_tunnel_removes_its_other_sessions(void **state)
{
	struct datastore *running = populate(2, 3);
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	add_tunnel(edit, EDIT_REPLACE, 1);
	add(edit, EDIT_MERGE, 1, 2, "peer-session-id=9"); /* merged into what is not there */
	add(edit, EDIT_REPLACE, 1, 9, "peer-session-id=9");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_leaves(&candidate, 1, 1, NULL);
	assert_leaves(&candidate, 1, 2, "peer-session-id=9 interface-name=l2tpeth1");
	assert_leaves(&candidate, 1, 3, NULL);
	assert_leaves(&candidate, 1, 9, "peer-session-id=9");
	assert_non_null(candidate_session(&candidate, 2, 4));
	assert_int_equal(candidate.count, 4); /* 1/1, 1/2, 1/3, 1/9, and not the tunnel */
	candidate_discard(&candidate);
	datastore_free(running);
}

/* Applying copies no values that become an entry as they are, and an edit may be applied again. */
static void values_are_shared_with_the_edit(void **state)
{
	struct datastore *running = populate(1, 1);
	struct candidate candidate;
	struct edit *edit = edit_new();
	const struct edit_entry *entry;

	(void)state;
	candidate_open(&candidate, running);
	add_session(edit, EDIT_MERGE, 1, 100);
	entry = edit->first;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(candidate_apply(&candidate, edit, NULL), 0);
		assert_ptr_equal(candidate_session(&candidate, 1, 100), entry->values);
		candidate_discard(&candidate);
	}
	edit_free(edit);
	datastore_free(running);
}

/* One that is not leaves none behind, also where they are merged, or nothing changes. */
static void an_edit_applied_once_hands_its_values_over(void **state)
{
	struct datastore *running = populate(2, 3);
	struct candidate candidate;
	struct edit *edit = edit_new();
	const union config *values;

	(void)state;
	candidate_open(&candidate, running);
	add_session(edit, EDIT_MERGE, 1, 100);
	values = edit->first->values;
	add(edit, EDIT_MERGE, 1, 1, "mtu=1300");
	add(edit, EDIT_MERGE, 1, 2, "enabled=true");
	add(edit, EDIT_REPLACE, 2, 0, "");
	add(edit, EDIT_DELETE, 1, 3, "");
	assert_int_equal(edit->holding, 5);
	edit->once = true;
	assert_int_equal(candidate_apply(&candidate, edit, NULL), 0);
	assert_ptr_equal(candidate_session(&candidate, 1, 100), values);
	assert_int_equal(edit->holding, 0);
	assert_int_equal(edit_memory(edit), edit->entries.size);
	edit_free(edit);
	assert_int_equal(candidate_session(&candidate, 1, 100)->session_id, 100);
	candidate_discard(&candidate);
	datastore_free(running);
}

static void replacing_the_container_removes_the_rest(void **state)
{
	struct datastore *running = populate(3, 2);
	struct candidate candidate;
	struct edit *edit = edit_new();
	uint32_t id = 0;

	(void)state;
	edit->operation = EDIT_REPLACE;
	add_tunnel(edit, EDIT_MERGE, 2);
	add_session(edit, EDIT_MERGE, 2, 4);
	candidate_open(&candidate, running);
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_non_null(candidate_tunnel_from(&candidate, &id));
	assert_int_equal(id++, 2);
	assert_null(candidate_tunnel_from(&candidate, &id));
	id = 0;
	assert_non_null(candidate_session_from(&candidate, 2, &id));
	assert_int_equal(id++, 4);
	assert_null(candidate_session_from(&candidate, 2, &id));
	assert_int_equal(candidate.count, 2 + 4 + 1);
	candidate_discard(&candidate);
	datastore_free(running);
}

static void deleting_the_container_deletes_all(void **state)
{
	struct datastore *running = populate(3, 2);
	struct error err = ERROR_INIT;
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	edit->operation = EDIT_DELETE;
	assert_int_equal(candidate_apply(&candidate, edit, &err), 0);
	assert_int_equal(candidate.count, 9);
	assert_true(candidate_apply(&candidate, edit, &err) != 0);
	assert_int_equal(err.code, ERROR_MISSING);
	assert_string_equal(err.path, "/l2tpv3");
	edit->operation = EDIT_REMOVE;
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	candidate_discard(&candidate);
	datastore_free(running);
}

static void an_entry_comes_once_unless_in_a_batch(void **state)
{
	struct datastore *running = populate(1, 1);
	struct error err = ERROR_INIT;
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	add(edit, EDIT_DELETE, 1, 0, "");
	add_tunnel(edit, EDIT_CREATE, 1);
	add_session(edit, EDIT_CREATE, 1, 1);
	assert_true(candidate_apply(&candidate, edit, &err) != 0);
	assert_int_equal(err.code, ERROR_BAD_ELEMENT);
	assert_false(candidate_dirty(&candidate));
	edit->commands = true;
	assert_int_equal(apply(&candidate, edit, &err), 0);
	assert_int_equal(candidate.count, 1); /* the session, which has lost its name */
	assert_int_equal(candidate_choose_names(&candidate, NULL, NULL, NULL), 0);
	assert_false(candidate_dirty(&candidate)); /* and has it back */
	datastore_free(running);
}

static bool some_taken(const char *name, void *arg)
{
	(*(int *)arg)++;
	return strcmp(name, "l2tpeth4") == 0 || strcmp(name, "l2tpeth5") == 0;
}

static void names_are_the_lowest_free(void **state)
{
	struct datastore *running = populate(1, 3); /* l2tpeth0 to 2 */
	struct candidate candidate;
	struct edit *edit = edit_new();
	struct session foreign = {.session_id = 99,
				  .present = BIT(SESSION_INTERFACE_NAME),
				  .interface_name = "l2tpeth3"};
	int asked = 0;

	(void)state;
	datastore_observe(running, 70, 99, &foreign);
	candidate_open(&candidate, running);
	add(edit, EDIT_DELETE, 1, 2, ""); /* its name is free only when it is gone */
	add_session(edit, EDIT_CREATE, 1, 10);
	add_session(edit, EDIT_CREATE, 1, 11);
	add(edit, EDIT_CREATE, 1, 12, "peer-session-id=12 interface-name=l2tpeth6");
	add(edit, EDIT_CREATE, 1, 13, "peer-session-id=13 pseudowire-type=ppp");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate_choose_names(&candidate, some_taken, &asked, NULL), 0);
	assert_string_equal(candidate_session(&candidate, 1, 10)->interface_name, "l2tpeth7");
	assert_string_equal(candidate_session(&candidate, 1, 11)->interface_name, "l2tpeth8");
	assert_string_equal(candidate_session(&candidate, 1, 13)->interface_name, "");
	assert_int_equal(asked, 4);
	candidate_discard(&candidate);
	datastore_free(running);
}

static void a_name_deleted_comes_back(void **state)
{
	struct datastore *running = populate(1, 2);
	struct candidate candidate;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	add(edit, EDIT_MERGE, 1, 1, "!interface-name");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_true(candidate_dirty(&candidate));
	assert_int_equal(candidate_choose_names(&candidate, NULL, NULL, NULL), 0);
	assert_false(candidate_dirty(&candidate));
	datastore_free(running);
}

/* As from a config.xml that an administrator wrote. */
static void names_missing_in_running_are_chosen_too(void **state)
{
	struct datastore *running = populate(2, 2);
	struct session session = *session_config(datastore_session(running, 2, 3));
	struct candidate candidate;

	(void)state;
	session.present &= ~BIT(SESSION_INTERFACE_NAME);
	session.interface_name[0] = '\0';
	datastore_configure(running, 2, 3, &session);
	candidate_open(&candidate, running);
	assert_int_equal(candidate_choose_names(&candidate, NULL, NULL, NULL), 0);
	assert_int_equal(candidate.count, 1);
	assert_string_equal(candidate_session(&candidate, 2, 3)->interface_name, "l2tpeth2");
	candidate_discard(&candidate);
	datastore_free(running);
}

/* The kernel's name stays, but not over one that is given now, nor over another's. */
static void a_name_missing_in_running_is_the_kernels(void **state)
{
	static const struct {
		const char *kernel, *given, *chosen;
	} names[] = {
		{"wan7", NULL, "wan7"},
		{"wan7", "lan1", "lan1"},
		{"l2tpeth0", NULL, "l2tpeth2"}, /* of session 1 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct datastore *running = populate(2, 2);
		struct session session = *session_config(datastore_session(running, 2, 3));
		struct candidate candidate;

		codec_clear(&row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME], &session);
		datastore_configure(running, 2, 3, &session);
		session.present |= BIT(SESSION_INTERFACE_NAME);
		snprintf(session.interface_name, sizeof(session.interface_name), "%s",
			 names[i].kernel);
		datastore_observe(running, 2, 3, &session);
		candidate_open(&candidate, running);
		if (names[i].given) {
			snprintf(session.interface_name, sizeof(session.interface_name), "%s",
				 names[i].given);
			candidate_put(&candidate, 2, 3, &session);
		}
		assert_int_equal(candidate_choose_names(&candidate, NULL, NULL, NULL), 0);
		assert_string_equal(candidate_session(&candidate, 2, 3)->interface_name,
				    names[i].chosen);
		candidate_discard(&candidate);
		datastore_free(running);
	}
}

static void foreign_entries_are_not_configured(void **state)
{
	struct datastore *running = populate(1, 1);
	struct tunnel seen = {.tunnel_id = 5, .present = BIT(TUNNEL_ID)};
	struct candidate candidate;
	uint32_t id = 2;

	(void)state;
	datastore_observe(running, 5, 0, &seen);
	candidate_open(&candidate, running);
	assert_null(candidate_tunnel(&candidate, 5));
	assert_null(candidate_tunnel_from(&candidate, &id));
	assert_false(candidate_dirty(&candidate));
	datastore_free(running);
}

static void foreign_entries_are_to_be_adopted_first(void **state)
{
	static const struct {
		enum edit_operation operation;
		uint32_t tunnel, session;
	} edits[] = {
		{EDIT_NONE, 5, 0},   {EDIT_DELETE, 5, 0}, {EDIT_NONE, 5, 6},
		{EDIT_DELETE, 5, 6}, {EDIT_NONE, 1, 7},   {EDIT_DELETE, 1, 7},
	};
	struct datastore *running = populate(1, 1);
	struct tunnel tunnel = {.tunnel_id = 5, .present = BIT(TUNNEL_ID)};
	struct session session = {.session_id = 7, .present = BIT(SESSION_ID)};
	struct candidate candidate;

	(void)state;
	datastore_observe(running, 5, 0, &tunnel);
	datastore_observe(running, 1, 7, &session);
	candidate_open(&candidate, running);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct error err = ERROR_INIT;
		struct edit *edit = edit_new();

		add(edit, edits[i].operation, edits[i].tunnel, edits[i].session, "");
		assert_true(apply(&candidate, edit, &err) != 0);
		assert_int_equal(err.code, ERROR_FOREIGN);
		assert_non_null(strstr(err.text, "adopt tunnel"));
	}
	datastore_free(running);
}

static void who_deletes_is_not_told_to_create(void **state)
{
	static const struct {
		enum edit_operation operation;
		const char *says;
	} edits[] = {{EDIT_NONE, "create it first"}, {EDIT_DELETE, "nothing is left to delete"}};
	struct datastore *running = populate(1, 1);
	struct candidate candidate;

	(void)state;
	candidate_open(&candidate, running);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		for (uint32_t tunnel = 1; tunnel <= 9; tunnel += 8) {
			struct error err = ERROR_INIT;
			struct edit *edit = edit_new();

			add(edit, edits[i].operation, tunnel, tunnel == 1 ? 77 : 0, "");
			assert_true(apply(&candidate, edit, &err) != 0);
			assert_non_null(strstr(err.text, edits[i].says));
		}
	}
	datastore_free(running);
}

/* After the last id there is none: no walk begins anew. */
static void the_last_ids_are_removed_too(void **state)
{
	struct datastore *running = populate(1, 1);
	struct candidate candidate, rebased;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	candidate_open(&rebased, running);
	add_tunnel(edit, EDIT_CREATE, ID_MAX);
	add_session(edit, EDIT_CREATE, ID_MAX, ID_MAX);
	commit(running, edit);
	edit = edit_new();
	add(edit, EDIT_REPLACE, ID_MAX, 0, "peer-tunnel-id=5 local-interface=x remote-address=::1");
	add_session(edit, EDIT_MERGE, ID_MAX, ID_MAX);
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_non_null(candidate_session(&candidate, ID_MAX, ID_MAX));
	candidate_discard(&candidate);
	edit = edit_new();
	edit->operation = EDIT_REPLACE;
	add(edit, EDIT_MERGE, ID_MAX, 0, "peer-tunnel-id=5 local-interface=x remote-address=::1");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_null(candidate_tunnel(&candidate, 1));
	assert_non_null(candidate_tunnel(&candidate, ID_MAX));
	assert_null(candidate_session(&candidate, ID_MAX, ID_MAX));
	candidate_discard(&candidate);
	candidate_put(&rebased, ID_MAX, 0, NULL);
	assert_int_equal(candidate_rebase(&rebased, NULL), 0);
	assert_null(candidate_session(&rebased, ID_MAX, ID_MAX));
	candidate_discard(&rebased);
	datastore_free(running);
}

/* Applying, names and validation in one: given up in any of them, nothing has been applied, or
 * all of it. */
static void preparing_is_given_up_like_its_parts(void **state)
{
	struct datastore *running = populate(2, 2);
	struct candidate candidate;
	struct edit *edit = edit_new();
	struct cursor *cursor;
	size_t units = 0;
	int rc;

	(void)state;
	add_session(edit, EDIT_CREATE, 1, 50);
	add_session(edit, EDIT_CREATE, 2, 51);
	do {
		candidate_open(&candidate, running);
		cursor = candidate_prepare_begin(&candidate, edit, NULL, NULL, NULL);
		cursor_step(cursor, units++);
		cursor_abandon(cursor);
		while ((rc = cursor_step(cursor, 1)) > 0)
			;
		cursor_free(cursor);
		assert_true(candidate.count == 0 || candidate.count == 2);
		if (units < 3)
			assert_int_equal(candidate.count, 0);
		candidate_discard(&candidate);
	} while (rc == -ECANCELED);
	assert_int_equal(rc, 0);
	assert_true(units > 8);
	edit_free(edit);
	datastore_free(running);
}

static void moving_leaves_the_source_clean(void **state)
{
	struct datastore *running = populate(1, 1);
	struct candidate from, to;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&from, running);
	add(edit, EDIT_DELETE, 1, 0, "");
	assert_int_equal(apply(&from, edit, NULL), 0);
	candidate_move(&to, &from);
	assert_false(candidate_dirty(&from));
	assert_int_equal(to.count, 2);
	assert_null(candidate_tunnel(&to, 1));
	assert_non_null(candidate_tunnel(&from, 1));
	candidate_discard(&to);
	assert_non_null(candidate_tunnel(&to, 1));
	datastore_free(running);
}

/* One leaf here, another there; an entry here and there; gone here, gone there. */
static void rebasing_merges_leaf_by_leaf(void **state)
{
	struct datastore *running = populate(4, 2); /* 1/1 1/2 2/3 2/4 3/5 3/6 4/7 4/8 */
	struct candidate mine;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&mine, running);
	add(edit, EDIT_MERGE, 1, 1, "mtu=1300 bridge=mine");
	add(edit, EDIT_CREATE, 1, 20, "peer-session-id=20 mtu=1200");
	add(edit, EDIT_MERGE, 1, 2, "mtu=1250");
	add(edit, EDIT_DELETE, 2, 0, "");
	add(edit, EDIT_MERGE, 3, 5, "dead-interval=9");
	add(edit, EDIT_DELETE, 3, 6, "");
	add(edit, EDIT_MERGE, 4, 7, "mtu=1260");
	assert_int_equal(apply(&mine, edit, NULL), 0);

	edit = edit_new();
	add(edit, EDIT_MERGE, 1, 1, "bridge=theirs dead-interval=7");
	add(edit, EDIT_CREATE, 1, 20, "peer-session-id=20 mtu=1100 dead-interval=3");
	add(edit, EDIT_MERGE, 1, 2, "mtu=1250");
	add_session(edit, EDIT_CREATE, 2, 30);
	add(edit, EDIT_DELETE, 3, 5, "");
	add(edit, EDIT_DELETE, 3, 6, "");
	commit(running, edit);

	assert_int_equal(candidate_rebase(&mine, NULL), 0);
	assert_leaves(&mine, 1, 1,
		      "peer-session-id=1 interface-name=l2tpeth0 mtu=1300 bridge=mine "
		      "dead-interval=7");
	assert_leaves(&mine, 1, 20,
		      "peer-session-id=20 interface-name=l2tpeth8 mtu=1200 dead-interval=3");
	assert_leaves(&mine, 2, 30, NULL); /* put into what is deleted here */
	assert_leaves(&mine, 3, 5,
		      "peer-session-id=5 interface-name=l2tpeth4 mtu=1400 dead-interval=9");
	assert_leaves(&mine, 3, 6, NULL);
	assert_leaves(&mine, 4, 7, "peer-session-id=7 interface-name=l2tpeth6 mtu=1260");
	/* 1/1 1/20 2 2/3 2/4 2/30 3/5 4/7, and neither 1/2 nor 3/6 */
	assert_int_equal(mine.count, 8);
	assert_int_equal(candidate_publish(&mine, running), 0);
	assert_int_equal(datastore_counts(running)->configured_tunnels, 3);
	candidate_discard(&mine);
	datastore_free(running);
}

static void publishing_the_inverse_goes_back(void **state)
{
	struct datastore *running = populate(3, 3), *before = populate(3, 3);
	struct candidate candidate, back;
	struct edit *edit = edit_new();

	(void)state;
	candidate_open(&candidate, running);
	add(edit, EDIT_DELETE, 1, 0, "");
	add_tunnel(edit, EDIT_CREATE, 9);
	add_session(edit, EDIT_CREATE, 9, 90);
	add(edit, EDIT_MERGE, 2, 4, "mtu=1300");
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate_invert(&candidate, &back, NULL), 0);
	assert_int_equal(candidate_publish(&candidate, running), 0);
	assert_false(same_config(running, before));
	assert_int_equal(candidate_publish(&back, running), 0);
	assert_true(same_config(running, before));
	candidate_discard(&candidate);
	candidate_discard(&back);
	datastore_free(running);
	datastore_free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_do_as_rfc_6241_says),
		cmocka_unit_test(replacing_keeps_secrets_for_who_does_not_see_them),
		cmocka_unit_test(secrets_are_not_given_by_who_does_not_see_them),
		cmocka_unit_test(leaves_are_checked_as_they_come),
		cmocka_unit_test(a_refused_edit_leaves_no_trace),
		cmocka_unit_test(what_ends_as_it_began_is_no_change),
		cmocka_unit_test(an_identical_push_is_no_change),
		cmocka_unit_test(a_tunnel_takes_its_sessions_with_it),
		cmocka_unit_test(replacing_a_tunnel_removes_its_other_sessions),
		cmocka_unit_test(values_are_shared_with_the_edit),
		cmocka_unit_test(an_edit_applied_once_hands_its_values_over),
		cmocka_unit_test(replacing_the_container_removes_the_rest),
		cmocka_unit_test(deleting_the_container_deletes_all),
		cmocka_unit_test(an_entry_comes_once_unless_in_a_batch),
		cmocka_unit_test(names_are_the_lowest_free),
		cmocka_unit_test(a_name_deleted_comes_back),
		cmocka_unit_test(names_missing_in_running_are_chosen_too),
		cmocka_unit_test(a_name_missing_in_running_is_the_kernels),
		cmocka_unit_test(foreign_entries_are_not_configured),
		cmocka_unit_test(foreign_entries_are_to_be_adopted_first),
		cmocka_unit_test(who_deletes_is_not_told_to_create),
		cmocka_unit_test(the_last_ids_are_removed_too),
		cmocka_unit_test(preparing_is_given_up_like_its_parts),
		cmocka_unit_test(moving_leaves_the_source_clean),
		cmocka_unit_test(rebasing_merges_leaf_by_leaf),
		cmocka_unit_test(publishing_the_inverse_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
