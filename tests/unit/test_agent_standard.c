/* PW-STD-MIB (RFC 5601) and PW-ENET-STD-MIB (RFC 5603): sessions under the IETF's names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "mib.h"
#include "model/codec.h"
#include "varbinds.h"

#define PW      1, 3, 6, 1, 2, 1, 10, 246, 1
#define PW_ENET 1, 3, 6, 1, 2, 1, 180, 1

struct bench {
	struct datastore *store;
	struct mib mib;
};

/* ---- sessions of all kinds */

static void set(enum object object, void *config, const char *leaf, const char *text)
{
	const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

	assert_int_equal(codec_parse(row, config, text, strlen(text), NULL), 0);
}

static struct tunnel tunnel_to(const char *id, const char *local, const char *remote)
{
	struct tunnel tunnel = {0};

	set(OBJECT_TUNNEL, &tunnel, "tunnel-id", id);
	set(OBJECT_TUNNEL, &tunnel, "peer-tunnel-id", "7");
	set(OBJECT_TUNNEL, &tunnel, "local-address", local);
	set(OBJECT_TUNNEL, &tunnel, "remote-address", remote);
	return tunnel;
}

static struct session some_session(const char *id, const char *name)
{
	struct session session = {0};

	set(OBJECT_SESSION, &session, "session-id", id);
	set(OBJECT_SESSION, &session, "peer-session-id", "4294967295");
	if (name)
		set(OBJECT_SESSION, &session, "interface-name", name);
	return session;
}

static struct session_entry *configure(struct bench *bench, uint32_t tunnel_id,
				       const struct session *session)
{
	return entry_session(
		datastore_configure(bench->store, tunnel_id, session->session_id, session));
}

/* 11 is Ethernet and has all there is, 12 is tagged, 13 PPP, 14 foreign; another 11 is, too. */
static void fill(struct bench *bench)
{
	struct tunnel four = tunnel_to("1", "192.0.2.1", "192.0.2.2"),
		      six = tunnel_to("2", "2001:db8::1", "2001:db8::2");
	struct session full = some_session("11", "one"), tagged = some_session("12", "two"),
		       ppp = some_session("13", NULL), foreign = some_session("14", "theirs");
	struct session_entry *entry;

	datastore_configure(bench->store, 1, 0, &four);
	datastore_configure(bench->store, 2, 0, &six);
	set(OBJECT_SESSION, &full, "description", "to Bern");
	set(OBJECT_SESSION, &full, "pseudowire-id", "7001");
	entry = configure(bench, 2, &full);
	datastore_set_index(bench->store, entry, 5);
	set(OBJECT_SESSION, &tagged, "pseudowire-type", "ethernet-vlan");
	set(OBJECT_SESSION, &tagged, "vlan-id", "7");
	set(OBJECT_SESSION, &tagged, "l2-specific-sublayer", "none");
	set(OBJECT_SESSION, &tagged, "enabled", "false");
	configure(bench, 1, &tagged);
	set(OBJECT_SESSION, &ppp, "pseudowire-type", "ppp");
	configure(bench, 1, &ppp);
	datastore_observe(bench->store, 3, 14, &foreign);
	full = some_session("11", "theirs2");
	datastore_observe(bench->store, 1, 11, &full);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->store = datastore_new();
	mib_init(&bench->mib, NULL, bench->store);
	fill(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	mib_clear(&bench->mib);
	datastore_free(bench->store);
	free(bench);
	return 0;
}

static struct state *state_of(struct bench *bench, uint32_t tunnel_id, uint32_t session_id)
{
	return entry_state(datastore_entry(bench->store, tunnel_id, session_id));
}

/* ---- values as text */

#define TEXT_MAX 64

/* INTEGER i, Unsigned32 u, TimeTicks t, Counter32 c, OCTET STRING x and its octets. */
static void print(const struct value *value, char ret[TEXT_MAX])
{
	size_t used = 1;

	switch (value->type) {
	case ASN_OCTET_STR:
		snprintf(ret, TEXT_MAX, "x");
		for (size_t i = 0; i < value->length; i++)
			used += (size_t)snprintf(ret + used, TEXT_MAX - used, "%02x",
						 ((const uint8_t *)value->bytes)[i]);
		break;
	case ASN_INTEGER:
	case ASN_UNSIGNED:
	case ASN_TIMETICKS:
	case ASN_COUNTER:
		snprintf(ret, TEXT_MAX, "%c%lu",
			 value->type == ASN_INTEGER    ? 'i'
			 : value->type == ASN_UNSIGNED ? 'u'
			 : value->type == ASN_COUNTER  ? 'c'
						       : 't',
			 (unsigned long)value->number.integer);
		break;
	default:
		fail_msg("type 0x%02x", value->type);
	}
}

static void expect(struct bench *bench, const oid *name, size_t length, const char *expected)
{
	char text[TEXT_MAX] = "none";
	struct value value;

	if (mib_get(&bench->mib, name, length, INT64_MAX, &value) == OID_FINE)
		print(&value, text);
	if (strcmp(text, expected) != 0)
		fail_msg("column %lu is %s, not %s", name[length - 2], text, expected);
}

#define EXPECT(bench, expected, ...)                                                               \
	expect(bench, (const oid[]){__VA_ARGS__},                                                  \
	       sizeof((const oid[]){__VA_ARGS__}) / sizeof(oid), expected)

/* ---- tests */

/* In the order of the RFC, 11's and 12's. pwTimeElapsed and pwValidIntervals are not served. */
static const struct {
	unsigned int column;
	const char *full, *tagged;
} pw_columns[] = {
	{2, "i5", "i4"},
	{3, "i1", "i1"},
	{4, "i2", "i2"},
	{5, "i0", "i0"},
	{6, "i0", "i0"},
	{8, "i2", "i1"},
	{9, "x20010db8000000000000000000000002", "xc0000202"},
	{10, "u0", "u0"},
	{11, "i5", "i0"},
	{12, "u7001", "u0"},
	{13, "u0", "u0"},
	{14, "x", "x"},
	{15, "x", "x"},
	{16, "x", "x"},
	{17, "i1", "i2"},
	{18, "u0", "u0"},
	{19, "i2", "i2"},
	{20, "x00", "x00"},
	{21, "u0", "u0"},
	{22, "i5", "i6"},
	{23, "u0", "u0"},
	{24, "x", "x"},
	{25, "x00", "x00"},
	{26, "u0", "u0"},
	{27, "x80", "x80"},
	{28, "i1", "i1"},
	{29, "x10", "x10"},
	{30, "u4294967295", "u4294967295"},
	{31, "u11", "u12"},
	{32, "x6f6e65", "x74776f"},
	{33, "x746f204265726e", "x"},
	{34, "t500", "t0"},
	{35, "t0", "t0"},
	{36, "t700", "t0"},
	{37, "i1", "i2"},
	{38, "i2", "i2"},
	{39, "x80", "x80"},
	{40, "i1", "i1"},
	{41, "x00", "x00"},
	{44, "i1", "i2"},
	{45, "i3", "i3"},
	{46, "i2", "i2"},
	{47, "u0", "u0"},
	{48, "u0", "u0"},
	{49, "u0", "u0"},
};

static void test_every_column_of_pw_table(void **state)
{
	const oid entry[] = {PW, 2, 1};
	struct bench *bench = *state;
	struct state *full = state_of(bench, 2, 11);
	size_t served = 0, count = sizeof(pw_columns) / sizeof(pw_columns[0]);

	mib_follow_epoch(&bench->mib, 100 * NS_PER_S, 0);
	full->statistics.discontinuity_time.at = 105 * NS_PER_S;
	full->last_change.at = 107 * NS_PER_S;
	for (size_t i = 0; i < count; i++) {
		EXPECT(bench, pw_columns[i].full, PW, 2, 1, pw_columns[i].column, 11);
		EXPECT(bench, pw_columns[i].tagged, PW, 2, 1, pw_columns[i].column, 12);
	}
	for (const struct column *column = column_first(); column; column = column_next(column))
		served += column->length == 12 && !memcmp(column->name, entry, sizeof(entry));
	assert_int_equal(served, count);
}

static void test_ppp_and_foreign_sessions_are_pseudowires(void **state)
{
	EXPECT(*state, "i7", PW, 2, 1, 2, 13);
	EXPECT(*state, "x", PW, 2, 1, 32, 13);
	EXPECT(*state, "i5", PW, 2, 1, 45, 14); /* readOnly */
	EXPECT(*state, "i1", PW, 2, 1, 44, 14);
	EXPECT(*state, "i7", PW, 2, 1, 22, 14); /* the kernel does not report the sublayer */
	EXPECT(*state, "i0", PW, 2, 1, 8, 14);  /* nor do we know its tunnel's peer yet */
	EXPECT(*state, "none", PW, 2, 1, 2, 15);
	EXPECT(*state, "none", PW, 2, 1, 2, 0);
	EXPECT(*state, "none", PW, 2, 1, 1, 11); /* pwIndex is not accessible */
	EXPECT(*state, "none", PW, 2, 1, 42, 11);
}

static void test_of_two_with_one_id_the_configured_one_is_served(void **state)
{
	struct bench *bench = *state;

	EXPECT(bench, "x6f6e65", PW, 2, 1, 32, 11);
	datastore_configure(bench->store, 2, 11, NULL);
	EXPECT(bench, "x74686569727332", PW, 2, 1, 32, 11);
}

static void test_pending_rows_are_no_pseudowires(void **state)
{
	struct bench *bench = *state;

	pending_put(&bench->mib.pending, pending_new(OBJECT_SESSION, 1, 20));
	EXPECT(bench, "none", PW, 2, 1, 44, 20);
}

static void test_a_link_local_peer_has_a_zone(void **state)
{
	struct bench *bench = *state;
	struct tunnel tunnel = tunnel_to("3", "2001:db8::1", "2001:db8::2");

	memcpy(tunnel.remote_address.bytes, "\xfe\x80", 2);
	datastore_observe(bench->store, 3, 0, &tunnel);
	EXPECT(bench, "i4", PW, 2, 1, 8, 14);
	EXPECT(bench, "xfe800db800000000000000000000000200000000", PW, 2, 1, 9, 14);
}

/* up(1), down(2), dormant(4), notPresent(5), lowerLayerDown(6); and pwLocalStatus. */
static void test_status(void **state)
{
	static const struct {
		enum oper_status status;
		enum status_reason reason;
		const char *oper, *local;
	} cases[] = {
		{OPER_UP, REASON_NONE, "i1", "x00"},
		{OPER_UP, REASON_EXTERNALLY_MODIFIED, "i1", "x00"},
		{OPER_UP, REASON_MTU_ABOVE_PATH, "i1", "x00"},
		{OPER_DOWN, REASON_DISABLED, "i2", "x80"},
		{OPER_DOWN, REASON_LINK_DOWN, "i2", "x80"},
		{OPER_DOWN, REASON_TRANSMIT_ERRORS, "i2", "x08"},
		{OPER_PEER_SILENT, REASON_PEER_SILENT, "i2", "x10"},
		{OPER_DOWN, REASON_TUNNEL_NOT_UP, "i6", "x80"},
		{OPER_WAITING, REASON_NO_ROUTE, "i6", "x80"},
		{OPER_WAITING, REASON_NO_LOCAL_ADDRESS, "i6", "x80"},
		{OPER_WAITING, REASON_ADDRESS_TENTATIVE, "i6", "x80"},
		{OPER_WAITING, REASON_ADDRESS_DUPLICATE, "i6", "x80"},
		{OPER_WAITING, REASON_ADDRESS_IN_VRF, "i6", "x80"},
		{OPER_WAITING, REASON_NO_INTERFACE_ADDRESS, "i6", "x80"},
		{OPER_WAITING, REASON_NO_BRIDGE, "i4", "x80"},
		{OPER_WAITING, REASON_NO_VRF, "i4", "x80"},
		{OPER_WAITING, REASON_MODULE_MISSING, "i4", "x80"},
		{OPER_FAILED, REASON_KERNEL_ERROR, "i5", "x80"},
		{OPER_REMOVING, REASON_BEING_REMOVED, "i5", "x80"},
	};
	struct state *status = state_of(*state, 2, 11);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		status->oper_status = (uint8_t)cases[i].status;
		status->status_reason = (uint8_t)cases[i].reason;
		EXPECT(*state, cases[i].oper, PW, 2, 1, 38, 11);
		EXPECT(*state, cases[i].local, PW, 2, 1, 39, 11);
	}
}

static void test_up_time_counts_from_the_change_to_up(void **state)
{
	const oid name[] = {PW, 2, 1, 35, 11};
	struct bench *bench = *state;
	struct state *status = state_of(bench, 2, 11);
	struct value value;

	status->oper_status = OPER_UP;
	status->status_reason = REASON_NONE;
	status->last_change.at = clock_now() - 30 * NS_PER_S;
	assert_int_equal(mib_get(&bench->mib, name, sizeof(name) / sizeof(oid), INT64_MAX, &value),
			 OID_FINE);
	assert_in_range(value.number.integer, 3000, 3500);
}

static void test_scalars(void **state)
{
	EXPECT(*state, "u0", PW, 1, 0);
	EXPECT(*state, "i2", PW, 9, 0);
	EXPECT(*state, "i2", PW, 10, 0);
	EXPECT(*state, "c0", PW, 6, 0);
	EXPECT(*state, "none", PW, 1);
	EXPECT(*state, "none", PW, 1, 1);
}

static void test_ethernet_has_its_own_tables(void **state)
{
	static const struct {
		unsigned int column;
		const char *full, *tagged;
	} columns[] = {
		{2, "i4095", "i7"}, {3, "i1", "i4"}, {4, "i4095", "i4095"}, {5, "i0", "i0"},
		{6, "i5", "i0"},    {7, "i1", "i2"}, {8, "i3", "i3"},
	};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		EXPECT(*state, columns[i].full, PW_ENET, 1, 1, columns[i].column, 11, 1);
		EXPECT(*state, columns[i].tagged, PW_ENET, 1, 1, columns[i].column, 12, 1);
		EXPECT(*state, "none", PW_ENET, 1, 1, columns[i].column, 13, 1);
		EXPECT(*state, "none", PW_ENET, 1, 1, columns[i].column, 11, 2);
	}
	EXPECT(*state, "u0", PW_ENET, 2, 1, 1, 11);
	EXPECT(*state, "u0", PW_ENET, 2, 1, 2, 12);
	EXPECT(*state, "none", PW_ENET, 2, 1, 2, 13);
}

/* 13 is PPP: after 12 comes 14. */
static void test_a_walk_passes_over_what_is_not_ethernet(void **state)
{
	oid name[MAX_OID_LEN] = {PW_ENET, 1, 1, 2, 12, 1};
	struct bench *bench = *state;
	struct value value;
	size_t length = 13;

	assert_true(mib_next(&bench->mib, name, length, name, &length, &value));
	assert_int_equal(name[length - 2], 14);
	assert_int_equal(name[length - 1], 1);
	assert_true(mib_next(&bench->mib, name, length, name, &length, &value));
	assert_int_equal(name[length - 3], 3);
	assert_int_equal(name[length - 2], 11);
}

/* ---- the tables that map back to pwIndex */

#define PEER4      1, 4, 192, 0, 2, 2
#define PEER6      2, 16, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define BY_ID      PW, 7, 1, 5
#define BY_PEER    PW, 8, 1, 5
#define COUNT(...) (sizeof((const oid[]){__VA_ARGS__}) / sizeof(oid))

static void test_peers_are_mapped_back(void **state)
{
	EXPECT(*state, "u14", BY_PEER, 0, 0, 5, 0); /* its tunnel's peer is unknown */
	EXPECT(*state, "u12", BY_PEER, PEER4, 4, 0);
	EXPECT(*state, "none", BY_PEER, PEER4, 5, 0); /* the other 11, which pwTable leaves out */
	EXPECT(*state, "u13", BY_PEER, PEER4, 7, 0);
	EXPECT(*state, "u11", BY_PEER, PEER6, 5, 7001);
	EXPECT(*state, "none", BY_PEER, PEER6, 5, 7002);
	EXPECT(*state, "none", BY_PEER, PEER6, 5);
	EXPECT(*state, "none", BY_PEER, PEER6, 5, 7001, 0);
	EXPECT(*state, "u11", BY_ID, 5, 7001, PEER6);
	EXPECT(*state, "none", BY_ID, 4, 0, PEER4); /* it has no pwID */
	EXPECT(*state, "none", BY_ID, 5, 7001, PEER4);
}

/* The session ids of all rows after @name, in the order of a walk. */
static void walk(struct bench *bench, const oid *name, size_t length, const char *expected)
{
	oid last[MAX_OID_LEN], next[MAX_OID_LEN];
	size_t next_length, root = COUNT(BY_ID);
	char told[TEXT_MAX] = "", text[TEXT_MAX];
	struct value value;

	memcpy(last, name, length * sizeof(oid));
	while (mib_next(&bench->mib, last, length, next, &next_length, &value) &&
	       memcmp(name, next, root * sizeof(oid)) == 0) {
		assert_true(snmp_oid_compare(last, length, next, next_length) < 0);
		print(&value, text);
		expect(bench, next, next_length, text); /* GET agrees */
		snprintf(told + strlen(told), TEXT_MAX - strlen(told), "%s ", text + 1);
		length = next_length;
		memcpy(last, next, length * sizeof(oid));
	}
	assert_string_equal(told, expected);
}

#define WALK(bench, expected, ...)                                                                 \
	walk(bench, (const oid[]){__VA_ARGS__}, COUNT(__VA_ARGS__), expected)

/* As if the second had passed for which an order is kept at least. */
static void let_order_age(struct bench *bench)
{
	bench->mib.mappings.by_id.made_at -= 100 * NS_PER_S;
	bench->mib.mappings.by_peer.made_at -= 100 * NS_PER_S;
}

static void test_mapping_tables_are_in_order(void **state)
{
	struct bench *bench = *state;
	struct tunnel four = tunnel_to("4", "192.0.2.1", "192.0.2.1");
	struct session session = some_session("100", NULL), other = some_session("99", NULL);

	datastore_configure(bench->store, 4, 0, &four);
	set(OBJECT_SESSION, &session, "pseudowire-id", "7");
	configure(bench, 1, &session);
	configure(bench, 4, &other);
	other = some_session("98", NULL);
	configure(bench, 4, &other); /* with the same index, and the lower id */
	set(OBJECT_SESSION, &session, "session-id", "101");
	set(OBJECT_SESSION, &session, "pseudowire-id", "4294967295");
	configure(bench, 4, &session);
	WALK(bench, "14 98 101 12 100 13 11 ", BY_PEER);
	WALK(bench, "100 11 101 ", BY_ID);
	WALK(bench, "100 13 11 ", BY_PEER, PEER4, 4, 0);
	WALK(bench, "12 100 13 11 ", BY_PEER, 1, 4, 192, 0, 2, 1, 6);
	WALK(bench, "11 ", BY_PEER, 1, 4, 192, 0, 2, 2, 9);
	WALK(bench, "", BY_PEER, 3);
	WALK(bench, "11 101 ", BY_ID, 5, 7, PEER4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
}

/* What is served is true at once; what is new comes when the order is made again. */
static void test_mapping_tables_follow_what_changes(void **state)
{
	struct bench *bench = *state;
	struct session session = some_session("15", NULL);
	struct tunnel six = tunnel_to("2", "2001:db8::1", "2001:db8::3");

	WALK(bench, "14 12 13 11 ", BY_PEER);
	configure(bench, 1, &session);
	datastore_configure(bench->store, 1, 13, NULL);
	datastore_configure(bench->store, 2, 0, &six);
	WALK(bench, "14 12 ", BY_PEER);
	let_order_age(bench);
	WALK(bench, "14 12 15 11 ", BY_PEER);
	EXPECT(bench, "none", BY_PEER, PEER6, 5, 7001);
	mappings_expire(&bench->mib.mappings, clock_now());
	assert_false(mappings_kept(&bench->mib.mappings));
	WALK(bench, "14 12 15 11 ", BY_PEER);
	assert_true(mappings_kept(&bench->mib.mappings));
}

/* However many went, an answer is soon found, and in it what came meanwhile. */
static void test_a_stale_order_is_made_again(void **state)
{
	struct bench *bench = *state;
	struct session session = some_session("1", NULL);

	set(OBJECT_SESSION, &session, "pseudowire-id", "1");
	for (uint32_t id = 1000; id < 2000; id++) {
		session.session_id = session.pseudowire_id = id;
		configure(bench, 1, &session);
	}
	EXPECT(bench, "u1999", BY_ID, 5, 1999, PEER4);
	for (uint32_t id = 1000; id < 1999; id++)
		datastore_configure(bench->store, 1, id, NULL);
	session.session_id = 5000;
	session.pseudowire_id = 1000;
	configure(bench, 1, &session);
	WALK(bench, "5000 1999 11 ", BY_ID);
}

/* Sorting takes a small part of the time, and none while nothing changes. */
static void test_an_order_is_not_made_without_need(void **state)
{
	struct bench *bench = *state;
	struct mapping *mapping = &bench->mib.mappings.by_id;
	struct session session = some_session("15", NULL);
	int64_t made;

	EXPECT(bench, "u11", BY_ID, 5, 7001, PEER6);
	let_order_age(bench);
	made = mapping->made_at;
	EXPECT(bench, "u11", BY_ID, 5, 7001, PEER6);
	assert_int_equal(mapping->made_at, made);
	configure(bench, 1, &session);
	mapping->took = 10 * NS_PER_S;
	EXPECT(bench, "u11", BY_ID, 5, 7001, PEER6);
	assert_int_equal(mapping->made_at, made);
	mapping->took = 0;
	EXPECT(bench, "u11", BY_ID, 5, 7001, PEER6);
	assert_true(mapping->made_at > made);
}

/* No step is long; what was there all the time is found, whatever comes and goes meanwhile. */
static void test_an_order_is_made_in_steps(void **state)
{
	const oid asked[] = {BY_ID, 5, 1500, PEER4};
	oid name[MAX_OID_LEN] = {BY_ID, 5, 999};
	size_t length = COUNT(BY_ID, 5, 999);
	struct bench *bench = *state;
	struct session session = some_session("1", NULL);
	struct value value;
	unsigned int steps = 0, left = 1000;

	for (uint32_t id = 1000; id < 2000; id++) {
		session.session_id = session.pseudowire_id = id;
		configure(bench, 1, &session);
	}
	while (mib_get(&bench->mib, asked, sizeof(asked) / sizeof(oid), 0, &value) == OID_LATER) {
		for (uint32_t id = 3000 + 2 * steps; id < 3002 + 2 * steps; id++) {
			session.session_id = session.pseudowire_id = id;
			configure(bench, 1, &session);
		}
		datastore_configure(bench->store, 1, 1000 + steps, NULL);
		datastore_configure(bench->store, 1, 1999 - steps, NULL);
		left -= 2;
		if (++steps == 10)
			mappings_expire(&bench->mib.mappings, INT64_MAX); /* half made */
	}
	assert_in_range(steps, 40, 400);
	assert_int_equal(value.number.integer, 1500);
	EXPECT(bench, "u11", BY_ID, 5, 7001, PEER6); /* of the last tunnel */
	for (uint32_t id = 1000 + steps; left > 0; id++, left--) {
		assert_true(mib_next(&bench->mib, name, length, name, &length, &value));
		assert_int_equal(value.number.integer, id);
	}
}

/* A session that is being removed. */
static void test_a_row_keeps_its_name_and_peer_until_it_is_gone(void **state)
{
	struct bench *bench = *state;
	struct entry *entry = datastore_entry(bench->store, 2, 11);

	datastore_hold(bench->store, entry, true);
	datastore_configure(bench->store, 2, 11, NULL);
	datastore_observe(bench->store, 1, 11, NULL); /* the other one */
	EXPECT(bench, "x6f6e65", PW, 2, 1, 32, 11);
	EXPECT(bench, "u7001", PW, 2, 1, 12, 11);
	EXPECT(bench, "x20010db8000000000000000000000002", PW, 2, 1, 9, 11);
	EXPECT(bench, "u11", BY_PEER, PEER6, 5, 7001);
	datastore_hold(bench->store, entry, false);
	EXPECT(bench, "none", PW, 2, 1, 32, 11);
}

/* net-snmp counts on in 64 bits; managers see 32, and RFC 2579 wants what was before to be 0. */
static void test_time_stamps_begin_again_when_sysUpTime_wraps(void **state)
{
	const int64_t tick = NS_PER_S / 100, wrap = INT64_C(1) << 32, start = 10 * NS_PER_S;
	struct bench *bench = *state;
	struct state *full = state_of(bench, 2, 11);

	mib_follow_epoch(&bench->mib, start + 5000 * tick, 5000);
	full->last_change.at = start + (wrap - 10) * tick;
	mib_follow_epoch(&bench->mib, start + (wrap - 5) * tick, (unsigned long)wrap - 5);
	EXPECT(bench, "t4294967286", PW, 2, 1, 36, 11);
	mib_follow_epoch(&bench->mib, start + (wrap + 700) * tick, (unsigned long)wrap + 700);
	EXPECT(bench, "t0", PW, 2, 1, 36, 11);
	full->last_change.at = start + (wrap + 600) * tick;
	EXPECT(bench, "t600", PW, 2, 1, 36, 11);
	mib_follow_epoch(&bench->mib, start + (wrap + 710) * tick, 710); /* told anew */
	EXPECT(bench, "t600", PW, 2, 1, 36, 11);
}

static void test_nobody_can_write(void **state)
{
	struct bench *bench = *state;

	for (const struct column *column = column_first(); column; column = column_next(column)) {
		struct instance instance = {.column = column, .index = {.at = {11, 1}}};
		struct varbinds *varbinds = varbinds_new(&bench->mib);
		struct error err = ERROR_INIT;
		oid name[MAX_OID_LEN];
		struct varbind varbind = {.name = name, .type = ASN_INTEGER, .bytes = ""};

		varbind.name_length = oid_of_instance(&instance, name);
		if (column->table->index == INDEX_SCALAR)
			name[varbind.name_length - 1] = 0;
		if (name[3] == 1 && name[4] == 2)
			assert_int_equal(varbinds_add(varbinds, &varbind, &err), SNMP_NOT_WRITABLE);
		varbinds_free(varbinds);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_column_of_pw_table),
		TEST(test_ppp_and_foreign_sessions_are_pseudowires),
		TEST(test_of_two_with_one_id_the_configured_one_is_served),
		TEST(test_pending_rows_are_no_pseudowires),
		TEST(test_a_link_local_peer_has_a_zone),
		TEST(test_status),
		TEST(test_up_time_counts_from_the_change_to_up),
		TEST(test_scalars),
		TEST(test_ethernet_has_its_own_tables),
		TEST(test_a_walk_passes_over_what_is_not_ethernet),
		TEST(test_peers_are_mapped_back),
		TEST(test_mapping_tables_are_in_order),
		TEST(test_mapping_tables_follow_what_changes),
		TEST(test_a_stale_order_is_made_again),
		TEST(test_an_order_is_made_in_steps),
		TEST(test_an_order_is_not_made_without_need),
		TEST(test_a_row_keeps_its_name_and_peer_until_it_is_gone),
		TEST(test_time_stamps_begin_again_when_sysUpTime_wraps),
		TEST(test_nobody_can_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
