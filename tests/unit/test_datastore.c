/* The datastore: entries come and go with what keeps them, and every index follows. */
#include "store.h"

static struct session named(uint32_t id, const char *name)
{
	struct session session = {.session_id = id, .present = BIT(SESSION_ID)};

	if (name != NULL) {
		snprintf(session.interface_name, sizeof(session.interface_name), "%s", name);
		session.present |= BIT(SESSION_INTERFACE_NAME);
	}
	return session;
}

static struct tunnel bound(uint32_t id, uint8_t last, uint16_t port)
{
	struct tunnel tunnel = {
		.tunnel_id = id,
		.present = BIT(TUNNEL_ID) | BIT(TUNNEL_LOCAL_ADDRESS),
		.local_address = {AF_INET, {10, 0, 0, last}},
	};

	if (port != 0) {
		tunnel.local_port = port;
		tunnel.present |= BIT(TUNNEL_LOCAL_PORT);
	}
	return tunnel;
}

static void an_entry_lives_while_something_keeps_it(void **state)
{
	struct datastore *ds = datastore_new();
	struct tunnel config = bound(1, 1, 0);
	struct entry *tunnel;

	(void)state;
	assert_null(datastore_tunnel(ds, 1));
	tunnel = datastore_configure(ds, 1, 0, &config);
	assert_ptr_equal(datastore_entry(ds, 1, 0), tunnel);
	assert_ptr_equal(datastore_observe(ds, 1, 0, &config), tunnel);
	assert_ptr_equal(datastore_configure(ds, 1, 0, NULL), tunnel);
	assert_int_equal(entry_state(tunnel)->origin, ORIGIN_FOREIGN);
	datastore_hold(ds, tunnel, true);
	assert_int_equal(entry_state(tunnel)->origin, ORIGIN_CONFIGURED);
	assert_ptr_equal(datastore_observe(ds, 1, 0, NULL), tunnel);
	datastore_hold(ds, tunnel, false);
	assert_null(datastore_tunnel(ds, 1));
	assert_int_equal(datastore_counts(ds)->tunnel_count, 0);
	datastore_free(ds);
}

static void a_tunnel_stays_for_its_sessions(void **state)
{
	struct datastore *ds = datastore_new();
	struct session config = named(7, NULL);

	(void)state;
	datastore_observe(ds, 3, 7, &config);
	assert_non_null(datastore_tunnel(ds, 3));
	assert_int_equal(datastore_tunnel(ds, 3)->state.session_count, 1);
	assert_int_equal(datastore_session(ds, 3, 7)->state.common.origin, ORIGIN_FOREIGN);
	assert_null(datastore_observe(ds, 3, 7, NULL));
	assert_null(datastore_tunnel(ds, 3));
	assert_int_equal(datastore_counts(ds)->session_count, 0);
	datastore_free(ds);
}

static void walks_are_in_order_of_ids(void **state)
{
	static const uint32_t ids[] = {4294967295U, 7, 1, 2147483648U, 100};
	static const uint32_t sorted[] = {1, 7, 100, 2147483648U, 4294967295U};
	struct datastore *ds = datastore_new();
	struct tunnel tunnel = bound(1, 1, 0);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct session session = named(ids[i], NULL);

		tunnel.tunnel_id = ids[i];
		tunnel.local_port = (uint16_t)(i + 1);
		datastore_configure(ds, ids[i], 0, &tunnel);
		datastore_configure(ds, 7, ids[i], &session);
	}
	for (struct tunnel_entry *t = datastore_tunnel_from(ds, 0); t; t = tunnel_next(t))
		assert_int_equal(t->entry.key.tunnel_id, sorted[n++]);
	assert_int_equal(n, 5);
	assert_int_equal(datastore_tunnel_from(ds, 8)->entry.key.tunnel_id, 100);
	assert_int_equal(datastore_tunnel_from(ds, 4294967295U)->entry.key.tunnel_id, 4294967295U);
	n = 0;
	for (struct session_entry *s = tunnel_session_from(datastore_tunnel(ds, 7), 0); s;
	     s = session_next(s))
		assert_int_equal(s->entry.key.session_id, sorted[n++]);
	assert_int_equal(n, 5);
	datastore_free(ds);
}

/* Sessions 2, 4 ... @most in a tunnel: the id of the first from there on, 0 none. */
static uint32_t even_from(uint32_t id, uint32_t most)
{
	uint32_t even = id + id % 2;

	return even > most ? 0 : even < 2 ? 2 : even;
}

static uint32_t found_from(const struct datastore *ds, uint32_t tunnel_id, uint32_t id)
{
	const struct session_entry *found =
		tunnel_session_from(datastore_tunnel(ds, tunnel_id), id);

	if (found)
		assert_int_equal(found->entry.key.tunnel_id, tunnel_id);
	return found ? found->entry.key.session_id : 0;
}

static void a_look_up_depends_on_none_before(void **state)
{
	enum { MOST = 12 };
	struct datastore *ds = datastore_new();
	struct tunnel tunnels[] = {bound(1, 1, 0), bound(2, 1, 0)};
	struct session session;

	(void)state;
	for (uint32_t t = 1; t <= 2; t++)
		datastore_configure(ds, t, 0, &tunnels[t - 1]);
	for (uint32_t id = 2; id <= MOST; id += 2) {
		session = named(id, NULL);
		datastore_configure(ds, 1, id, &session);
		datastore_configure(ds, 2, id, &session);
	}
	for (uint32_t one = 0; one <= MOST + 1; one++)
		for (uint32_t other = 0; other <= MOST + 1; other++)
			for (uint32_t t = 1; t <= 2; t++) {
				assert_int_equal(found_from(ds, 1, one), even_from(one, MOST));
				assert_int_equal(found_from(ds, t, other), even_from(other, MOST));
				assert_int_equal(datastore_session(ds, 1, one) != NULL,
						 one && even_from(one, MOST) == one);
			}
	for (uint32_t id = 2; id <= MOST; id += 2) {
		assert_int_equal(found_from(ds, 1, id), id);
		datastore_configure(ds, 1, id, NULL);
		assert_int_equal(found_from(ds, 1, id), even_from(id + 2, MOST));
	}
	datastore_free(ds);
}

static void session_ids_are_found_in_every_tunnel(void **state)
{
	struct datastore *ds = datastore_new();
	struct session session = named(9, NULL);
	struct session_entry *found;

	(void)state;
	datastore_configure(ds, 2, 9, &session);
	datastore_observe(ds, 1, 9, &session);
	found = datastore_session_by_id(ds, 9);
	assert_int_equal(found->tunnel->entry.key.tunnel_id, 1);
	found = session_same_id(found);
	assert_int_equal(found->tunnel->entry.key.tunnel_id, 2);
	assert_null(session_same_id(found));
	assert_null(datastore_session_by_id(ds, 10));
	datastore_free(ds);
}

static void names_follow_the_configuration(void **state)
{
	struct datastore *ds = datastore_new();
	struct session a = named(1, "l2tpeth0"), b = named(2, "l2tpeth0"), none = named(2, NULL);

	(void)state;
	datastore_observe(ds, 8, 1, &a);
	assert_null(datastore_session_by_name(ds, "l2tpeth0"));
	assert_int_equal(datastore_named(ds, "l2tpeth0")->tunnel->entry.key.tunnel_id, 8);
	datastore_configure(ds, 9, 2, &b);
	assert_int_equal(datastore_session_by_name(ds, "l2tpeth0")->entry.key.session_id, 2);
	datastore_observe(ds, 8, 1, NULL);
	assert_int_equal(ds->pool.words[0], 1); /* the other has the name still */
	assert_int_equal(datastore_counts(ds)->nameless, 0);
	datastore_configure(ds, 9, 2, &none);
	assert_null(datastore_named(ds, "l2tpeth0"));
	assert_int_equal(datastore_counts(ds)->nameless, 1);
	assert_int_equal(ds->pool.words[0], 0);
	none.pseudowire_type = PSEUDOWIRE_PPP;
	none.present |= BIT(SESSION_PSEUDOWIRE_TYPE);
	datastore_configure(ds, 9, 2, &none);
	assert_int_equal(datastore_counts(ds)->nameless, 0);
	datastore_free(ds);
}

static void endpoints_are_those_of_udp(void **state)
{
	struct datastore *ds = datastore_new();
	struct tunnel one = bound(1, 1, 0), two = bound(2, 1, 5000), seen = bound(3, 1, 1701);

	(void)state;
	datastore_configure(ds, 1, 0, &one);
	datastore_configure(ds, 2, 0, &two);
	datastore_observe(ds, 3, 0, &seen);
	assert_int_equal(datastore_bound(ds, &one.local_address, PORT_DEFAULT)->entry.key.tunnel_id,
			 1);
	assert_int_equal(datastore_bound(ds, &one.local_address, 5000)->entry.key.tunnel_id, 2);
	assert_null(datastore_bound(ds, &one.local_address, 5001));
	assert_int_equal(tunnel_same_endpoint(datastore_tunnel(ds, 1))->entry.key.tunnel_id, 3);
	two.encapsulation = ENCAPSULATION_IP;
	two.present |= BIT(TUNNEL_ENCAPSULATION);
	datastore_configure(ds, 2, 0, &two);
	assert_null(datastore_bound(ds, &one.local_address, 5000));
	datastore_configure(ds, 1, 0, NULL);
	assert_int_equal(datastore_bound(ds, &one.local_address, PORT_DEFAULT)->entry.key.tunnel_id,
			 3);
	datastore_free(ds);
}

static void interface_indexes_are_walked_in_order(void **state)
{
	struct datastore *ds = populate(1, 3);
	struct tunnel_entry *tunnel = datastore_tunnel(ds, 1);
	unsigned int index = 40;

	(void)state;
	for (struct session_entry *s = tunnel_session_from(tunnel, 0); s; s = session_next(s))
		datastore_set_index(ds, s, index -= 10);
	assert_int_equal(datastore_index_from(ds, 0)->entry.key.session_id, 3);
	assert_int_equal(datastore_index_from(ds, 11)->entry.key.session_id, 2);
	assert_int_equal(datastore_session_by_index(ds, 30)->entry.key.session_id, 1);
	assert_null(datastore_session_by_index(ds, 31));
	assert_null(datastore_session_by_index(ds, 0));
	datastore_set_index(ds, datastore_session(ds, 1, 1), 0);
	assert_null(datastore_session_by_index(ds, 30));
	datastore_free(ds);
}

/* Those in a state, configured or foreign, by their number. */
static uint32_t in_state(const struct datastore *ds, enum object object, bool configured,
			 enum oper_status status, enum status_reason reason)
{
	return datastore_counts(ds)->by_status[object][configured][status][reason];
}

static void each_state_is_counted_with_its_reason(void **state)
{
	struct datastore *ds = populate(1, 3);
	struct session_entry *one = datastore_session(ds, 1, 1);
	const struct session foreign = {.session_id = 9, .peer_session_id = 9};
	const struct moment now = {5, 5};

	(void)state;
	assert_int_equal(in_state(ds, OBJECT_SESSION, true, OPER_DOWN, REASON_NONE), 3);
	datastore_set_status(ds, &one->entry, OPER_DOWN, REASON_DISABLED, 0, now);
	assert_int_equal(in_state(ds, OBJECT_SESSION, true, OPER_DOWN, REASON_NONE), 2);
	assert_int_equal(in_state(ds, OBJECT_SESSION, true, OPER_DOWN, REASON_DISABLED), 1);
	assert_int_equal(in_state(ds, OBJECT_TUNNEL, true, OPER_DOWN, REASON_NONE), 1);
	datastore_observe(ds, 1, 9, &foreign);
	assert_int_equal(in_state(ds, OBJECT_SESSION, false, OPER_DOWN, REASON_NONE), 1);
	datastore_configure(ds, 1, 9, &foreign);
	assert_int_equal(in_state(ds, OBJECT_SESSION, false, OPER_DOWN, REASON_NONE), 0);
	assert_int_equal(in_state(ds, OBJECT_SESSION, true, OPER_DOWN, REASON_NONE), 3);
	datastore_configure(ds, 1, 1, NULL);
	assert_int_equal(in_state(ds, OBJECT_SESSION, true, OPER_DOWN, REASON_DISABLED), 0);
	datastore_free(ds);
}

static void what_is_up_is_counted(void **state)
{
	struct datastore *ds = populate(1, 2);
	struct session_entry *one = datastore_session(ds, 1, 1);
	struct entry *tunnel = datastore_entry(ds, 1, 0);

	(void)state;
	assert_true(
		datastore_set_status(ds, tunnel, OPER_UP, REASON_NONE, 0, (struct moment){5, 5}));
	assert_false(
		datastore_set_status(ds, tunnel, OPER_UP, REASON_NONE, 0, (struct moment){6, 6}));
	assert_int_equal(entry_state(tunnel)->last_change.at, 5);
	assert_int_equal(datastore_up(ds, OBJECT_TUNNEL), 1);
	datastore_set_status(ds, &one->entry, OPER_UP, REASON_NONE, 0, (struct moment){7, 7});
	assert_int_equal(datastore_up(ds, OBJECT_SESSION), 1);
	datastore_configure(ds, 1, 1, NULL);
	assert_int_equal(datastore_up(ds, OBJECT_SESSION), 0);
	datastore_set_status(ds, tunnel, OPER_WAITING, REASON_NO_ROUTE, ENETUNREACH,
			     (struct moment){9, 9});
	assert_int_equal(datastore_up(ds, OBJECT_TUNNEL), 0);
	assert_int_equal(entry_state(tunnel)->status_errno, ENETUNREACH);
	datastore_free(ds);
}

static void pools_give_the_lowest_free_number(void **state)
{
	struct name_pool a = {0}, b = {0};
	char name[IFNAME_LENGTH + 1];

	(void)state;
	for (uint32_t n = 0; n < 200; n++) {
		name_print(n, 0, name);
		assert_int_equal(name_pool_add(n % 2 ? &a : &b, name), 0);
	}
	assert_int_equal(name_pool_next(&a, &b, 0), 200);
	name_pool_remove(&b, "l2tpeth66");
	assert_int_equal(name_pool_next(&a, &b, 0), 66);
	assert_int_equal(name_pool_next(&a, &b, 67), 200);
	assert_int_equal(name_pool_next(&a, &b, 5000), 5000);
	name_pool_add(&a, "l2tpeth066");
	name_pool_add(&a, "l2tpeth");
	name_pool_add(&a, "l2tpeth66x");
	name_pool_add(&a, "l2tpeth99999999999");
	assert_int_equal(name_pool_next(&a, &b, 0), 66);
	name_pool_free(&a);
	name_pool_free(&b);
}

static void a_name_leaves_room_for_its_vlan(void **state)
{
	char name[IFNAME_LENGTH + 1];

	(void)state;
	name_print(999, 4094, name);
	assert_string_equal(name, "l2tpeth999");
	name_print(1000, 4094, name);
	assert_string_equal(name, "l2tp1000");
	name_print(1000, 0, name);
	assert_string_equal(name, "l2tpeth1000");
}

/* As the kernel would have it: with the defaults, and what it chose for the interface. */
static struct session in_kernel(const struct session *config)
{
	struct session actual = *config;

	codec_complete(OBJECT_SESSION, &actual);
	actual.mtu = 1446;
	actual.mac_address = (struct mac){{2, 0, 0, 0, 0, 1}};
	actual.present |= BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS);
	return actual;
}

static void assert_actual(const struct entry *entry, const struct session *actual)
{
	union config room;

	assert_int_equal(codec_difference(OBJECT_SESSION, entry_actual(entry, &room), actual), 0);
}

static void what_is_as_configured_is_kept_once(void **state)
{
	struct datastore *ds = datastore_new();
	struct session config = named(7, "blue"), actual, other;
	const struct session_entry *session;
	struct entry *entry;

	(void)state;
	config.peer_session_id = 70;
	config.present |= BIT(SESSION_PEER_SESSION_ID);
	actual = in_kernel(&config);
	entry = datastore_configure(ds, 1, 7, &config);
	session = entry_session(entry);
	datastore_observe(ds, 1, 7, &actual);
	assert_ptr_equal(session->actual, entry->config);
	assert_actual(entry, &actual);

	other = actual;
	other.peer_session_id = 71;
	datastore_observe(ds, 1, 7, &other);
	assert_ptr_not_equal(session->actual, entry->config);
	assert_actual(entry, &other);
	other = actual;
	other.link_enabled = false;
	assert_true(datastore_observe_link(entry_session(entry), &other));
	assert_actual(entry, &other);
	other = actual;
	other.tx_cookie = (struct cookie){4, {1, 2, 3, 4}}; /* not configured */
	other.present |= BIT(SESSION_TX_COOKIE);
	datastore_observe(ds, 1, 7, &other);
	assert_actual(entry, &other);

	assert_true(datastore_observe_link(entry_session(entry), &actual));
	assert_ptr_equal(session->actual, entry->config);
	assert_actual(entry, &actual);

	config = named(7, NULL);
	other = in_kernel(&config);
	memcpy(other.interface_name, "l2tpeth5", sizeof("l2tpeth5")); /* the kernel's choice */
	other.present |= BIT(SESSION_INTERFACE_NAME);
	datastore_configure(ds, 1, 7, &config);
	datastore_observe(ds, 1, 7, &other);
	assert_actual(entry, &other);
	datastore_free(ds);
}

/* ... of which nothing else could tell. */
static void a_session_without_an_interface_is_described_as_configured(void **state)
{
	struct datastore *ds = datastore_new();
	struct session config = named(7, NULL), actual;
	struct entry *entry;

	(void)state;
	config.pseudowire_type = PSEUDOWIRE_PPP;
	config.present |= BIT(SESSION_PSEUDOWIRE_TYPE);
	actual = config;
	codec_complete(OBJECT_SESSION, &actual);
	entry = datastore_configure(ds, 1, 7, &config);
	datastore_observe(ds, 1, 7, &actual);
	memcpy(config.description, "new", sizeof("new"));
	config.present |= BIT(SESSION_DESCRIPTION);
	datastore_configure(ds, 1, 7, &config);
	actual = config;
	codec_complete(OBJECT_SESSION, &actual);
	assert_actual(entry, &actual);
	datastore_free(ds);
}

static void what_the_kernel_has_outlives_the_configuration(void **state)
{
	struct datastore *ds = datastore_new();
	struct session config = named(7, "blue"), actual = in_kernel(&config), other;
	struct entry *entry = datastore_configure(ds, 1, 7, &config);
	const struct session_entry *session = entry_session(entry);

	(void)state;
	datastore_observe(ds, 1, 7, &actual);
	config.dead_interval = 30; /* of no concern to the kernel */
	config.present |= BIT(SESSION_DEAD_INTERVAL);
	datastore_configure(ds, 1, 7, &config);
	assert_ptr_equal(session->actual, entry->config);

	config.reorder_timeout = 50;
	config.present |= BIT(SESSION_REORDER_TIMEOUT);
	datastore_configure(ds, 1, 7, &config);
	assert_int_equal(
		((const struct session *)entry_actual(entry, &(union config){0}))->reorder_timeout,
		0);

	other = in_kernel(&config);
	datastore_observe(ds, 1, 7, &other);
	assert_ptr_equal(session->actual, entry->config);
	datastore_configure(ds, 1, 7, NULL);
	assert_int_equal(entry_state(entry)->origin, ORIGIN_FOREIGN);
	assert_int_equal(codec_difference(OBJECT_SESSION, entry_shown(entry), &other), 0);
	datastore_free(ds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_lives_while_something_keeps_it),
		cmocka_unit_test(a_tunnel_stays_for_its_sessions),
		cmocka_unit_test(walks_are_in_order_of_ids),
		cmocka_unit_test(a_look_up_depends_on_none_before),
		cmocka_unit_test(session_ids_are_found_in_every_tunnel),
		cmocka_unit_test(names_follow_the_configuration),
		cmocka_unit_test(endpoints_are_those_of_udp),
		cmocka_unit_test(interface_indexes_are_walked_in_order),
		cmocka_unit_test(what_is_up_is_counted),
		cmocka_unit_test(each_state_is_counted_with_its_reason),
		cmocka_unit_test(what_is_as_configured_is_kept_once),
		cmocka_unit_test(a_session_without_an_interface_is_described_as_configured),
		cmocka_unit_test(what_the_kernel_has_outlives_the_configuration),
		cmocka_unit_test(pools_give_the_lowest_free_number),
		cmocka_unit_test(a_name_leaves_room_for_its_vlan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
