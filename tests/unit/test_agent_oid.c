/* What SNMP reads, by itself: OIDs taken apart, order, GET and GETNEXT over the datastore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "model/codec.h"
#include "mib.h"
#include "scalars.h"

#define WALK_LENGTH 60000

struct name {
	oid at[MAX_OID_LEN];
	size_t length;
};

struct bench {
	struct datastore *store;
	struct mib mib;
};

/* ---- a datastore of all kinds of rows */

static const uint32_t tunnel_ids[] = {1,          2,           255,         65536,
				      2147483647, 2147483648U, 4294967294U, 4294967295U};

static void set_text(const struct row *row, void *config, const char *text)
{
	assert_int_equal(codec_parse(row, config, text, strlen(text), NULL), 0);
}

static struct tunnel some_tunnel(uint32_t id)
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	struct tunnel tunnel = {0};
	bool six = id == 4294967294U;
	char port[8];

	codec_set_number(&rows[TUNNEL_ID], &tunnel, id, NULL);
	set_text(&rows[TUNNEL_PEER_TUNNEL_ID], &tunnel, "7");
	set_text(&rows[TUNNEL_LOCAL_ADDRESS], &tunnel, six ? "2001:db8::1" : "192.0.2.1");
	set_text(&rows[TUNNEL_REMOTE_ADDRESS], &tunnel, six ? "2001:db8::2" : "192.0.2.2");
	snprintf(port, sizeof(port), "%u", 1024 + id % 60000);
	set_text(&rows[TUNNEL_LOCAL_PORT], &tunnel, port);
	return tunnel;
}

static struct session some_session(uint32_t id)
{
	const struct row *rows = row_sets[OBJECT_SESSION].rows;
	struct session session = {0};
	char name[16];

	codec_set_number(&rows[SESSION_ID], &session, id, NULL);
	set_text(&rows[SESSION_PEER_SESSION_ID], &session, "9");
	snprintf(name, sizeof(name), "l%u", id);
	set_text(&rows[SESSION_INTERFACE_NAME], &session, name);
	codec_set_number(&rows[SESSION_PSEUDOWIRE_ID], &session, id, NULL);
	return session;
}

static void add_sessions(struct bench *bench, uint32_t tunnel_id, unsigned int place)
{
	static const uint32_t ids[] = {1, 3, 77, 2147483648U, 4294967295U};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		/* unique in the namespace but for the last, which may be anywhere */
		uint32_t id = ids[i] == 4294967295U ? ids[i] - place : ids[i] + place * 1000;
		struct session session = some_session(id);
		struct session_entry *entry =
			entry_session(datastore_configure(bench->store, tunnel_id, id, &session));

		assert_non_null(entry);
		if (i % 2)
			datastore_set_index(bench->store, entry, 100 + place * 10 + (unsigned)i);
	}
}

static void add_pending(struct bench *bench, enum object object, uint32_t tunnel_id,
			uint32_t session_id)
{
	struct pending_row *row = pending_new(object, tunnel_id, session_id);

	assert_non_null(row);
	pending_put(&bench->mib.pending, row);
}

static void fill(struct bench *bench)
{
	for (unsigned int i = 0; i < sizeof(tunnel_ids) / sizeof(tunnel_ids[0]); i++) {
		struct tunnel tunnel = some_tunnel(tunnel_ids[i]);

		if (i == 2)
			datastore_observe(bench->store, tunnel_ids[i], 0, &tunnel);
		else
			datastore_configure(bench->store, tunnel_ids[i], 0, &tunnel);
		if (i != 3 && i != 4)
			add_sessions(bench, tunnel_ids[i], i);
	}
	add_pending(bench, OBJECT_TUNNEL, 254, 0);
	add_pending(bench, OBJECT_TUNNEL, 4000000000U, 0);
	add_pending(bench, OBJECT_SESSION, 1, 2);
	add_pending(bench, OBJECT_SESSION, 254, 4294967295U);
	add_pending(bench, OBJECT_SESSION, 65536, 5);
	add_pending(bench, OBJECT_SESSION, 4294967295U, 4294967294U - 1);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->store = datastore_new();
	mib_init(&bench->mib, NULL, bench->store);
	*state = bench;
	return 0;
}

static int setup_filled(void **state)
{
	setup(state);
	fill(*state);
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

/* ---- helpers */

static struct name name_of(const oid *tail, size_t length)
{
	struct name name = {.length = mib_root_length + length};

	memcpy(name.at, mib_root, mib_root_length * sizeof(oid));
	memcpy(name.at + mib_root_length, tail, length * sizeof(oid));
	return name;
}

#define NAME(...)                                                                                  \
	name_of((const oid[]){__VA_ARGS__}, sizeof((const oid[]){__VA_ARGS__}) / sizeof(oid))

static bool next(struct bench *bench, const struct name *from, struct name *ret)
{
	struct value value;

	return mib_next(&bench->mib, from->at, from->length, ret->at, &ret->length, &value);
}

static int order(const struct name *a, const struct name *b)
{
	return snmp_oid_compare(a->at, a->length, b->at, b->length);
}

static struct name *walk(struct bench *bench, size_t *ret_count)
{
	struct name *names = calloc(WALK_LENGTH, sizeof(*names));
	struct name at = {.length = 0};
	size_t count = 0;

	while (count < WALK_LENGTH && next(bench, &at, &names[count])) {
		if (count > 0)
			assert_true(order(&names[count - 1], &names[count]) < 0);
		at = names[count++];
	}
	*ret_count = count;
	return names;
}

static enum oid_fault get(struct bench *bench, const struct name *name, struct value *ret)
{
	return mib_get(&bench->mib, name->at, name->length, INT64_MAX, ret);
}

static long get_integer(struct bench *bench, const struct name *name)
{
	struct value value;

	assert_int_equal(get(bench, name, &value), OID_FINE);
	assert_int_not_equal(value.type, ASN_OCTET_STR);
	return value.number.integer;
}

/* ---- tests */

static size_t columns_indexed_by(enum index_kind kind)
{
	size_t count = 0;

	for (const struct column *column = column_first(); column; column = column_next(column))
		count += column->table->index == kind;
	return count;
}

static void test_empty_store_has_the_scalars(void **state)
{
	size_t count;
	struct name *names = walk(*state, &count);

	assert_int_equal(count, columns_indexed_by(INDEX_SCALAR));
	free(names);
}

/* SnmpAdminString has 255 octets at most (RFC 3411). */
static void test_a_long_error_is_cut(void **state)
{
	struct bench *bench = *state;
	struct value value;
	size_t length;

	memset(bench->mib.last_error, 'x', sizeof(bench->mib.last_error) - 1);
	scalar_value(&bench->mib, SCALAR_LAST_ERROR, &value);
	value_data(&value, &length);
	assert_int_equal(length, 255);
}

/* Mandatory columns that nobody has set yet, and types of mandatory addresses. */
static size_t missing_columns(enum object object)
{
	const struct row_set *set = &row_sets[object];
	size_t count = 0;

	for (unsigned int i = 0; i < set->config_count; i++) {
		if (set->rows[i].mandatory && set->rows[i].access == ACCESS_WRITE)
			count += set->rows[i].type == TYPE_ADDRESS ? 2 : 1;
	}
	return count;
}

static void test_walk_is_ordered_and_complete(void **state)
{
	struct bench *bench = *state;
	size_t tunnels = datastore_counts(bench->store)->tunnel_count;
	size_t sessions = datastore_counts(bench->store)->session_count;
	size_t count, interfaces = 0, expected = columns_indexed_by(INDEX_SCALAR);
	struct name *names = walk(bench, &count);
	struct session_entry *session;

	for (session = datastore_index_from(bench->store, 0); session;
	     session = datastore_index_from(bench->store, session->state.if_index + 1))
		interfaces++;
	assert_true(interfaces > 0);
	expected += (tunnels + 2) * columns_indexed_by(INDEX_TUNNEL) -
		    2 * missing_columns(OBJECT_TUNNEL);
	expected += (sessions + 4) * columns_indexed_by(INDEX_SESSION) -
		    4 * missing_columns(OBJECT_SESSION);
	expected += interfaces * columns_indexed_by(INDEX_INTERFACE);
	expected += sessions *
		    (columns_indexed_by(INDEX_PSEUDOWIRE) + columns_indexed_by(INDEX_ETHERNET) +
		     columns_indexed_by(INDEX_ETHERNET_INSTANCE) +
		     columns_indexed_by(INDEX_ID_MAPPING) + columns_indexed_by(INDEX_PEER_MAPPING));
	assert_int_equal(count, expected);
	free(names);
}

static void test_what_is_walked_can_be_got(void **state)
{
	struct bench *bench = *state;
	size_t count;
	struct name *names = walk(bench, &count);

	for (size_t i = 0; i < count; i++) {
		struct value value;

		assert_int_equal(get(bench, &names[i], &value), OID_FINE);
	}
	free(names);
}

/* The first of the sorted names that is greater, found the slow way. */
static const struct name *successor(const struct name *names, size_t count, const struct name *of)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (order(&names[middle], of) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low < count ? &names[low] : NULL;
}

static oid odd_number(unsigned int random)
{
	static const oid numbers[] = {0,
				      1,
				      2,
				      3,
				      7,
				      8,
				      23,
				      24,
				      25,
				      63,
				      64,
				      65,
				      254,
				      255,
				      256,
				      65535,
				      2147483647,
				      2147483648UL,
				      4294967294UL,
				      4294967295UL,
				      4294967296UL,
				      1UL << 40,
				      ~0UL};

	return numbers[random % (sizeof(numbers) / sizeof(numbers[0]))];
}

static struct name mutate(struct name name)
{
	unsigned int changes = 1 + (unsigned int)rand() % 3;

	while (changes-- > 0) {
		unsigned int place = (unsigned int)rand() % (unsigned int)(name.length + 1);

		switch (rand() % 4) {
		case 0:
			name.length = place;
			break;
		case 1:
			name.at[name.length++] = odd_number((unsigned int)rand());
			break;
		default:
			if (place < name.length)
				name.at[place] = rand() % 2
							 ? odd_number((unsigned int)rand())
							 : name.at[place] + (oid)(rand() % 3) - 1;
		}
	}
	return name;
}

static void test_any_oid_finds_its_successor(void **state)
{
	struct bench *bench = *state;
	size_t count;
	struct name *names = walk(bench, &count);

	srand(3931);
	for (unsigned int i = 0; i < 200000; i++) {
		struct name of = mutate(names[(size_t)rand() % count]), found = {.length = 0};
		const struct name *expected = successor(names, count, &of);

		assert_int_equal(next(bench, &of, &found), expected != NULL);
		if (expected)
			assert_int_equal(order(&found, expected), 0);
	}
	free(names);
}

static void test_what_is_not_there(void **state)
{
	static const struct {
		oid tail[8];
		size_t length;
		enum oid_fault fault;
	} cases[] = {
		{{0}, 0, OID_NO_OBJECT},
		{{1}, 1, OID_NO_OBJECT},
		{{1, 1}, 2, OID_NO_OBJECT},
		{{0, 1, 1, 0}, 4, OID_NO_OBJECT},
		{{2, 1, 1, 0}, 4, OID_NO_OBJECT},
		{{1, 0, 1, 0}, 4, OID_NO_OBJECT},
		{{1, 1, 0, 0}, 4, OID_NO_OBJECT},
		{{1, 1, SCALARS_END, 0}, 4, OID_NO_OBJECT},
		{{1, 1, 1}, 3, OID_NO_INSTANCE},
		{{1, 1, 1, 1}, 4, OID_NO_INSTANCE},
		{{1, 1, 1, 0, 0}, 5, OID_NO_INSTANCE},
		{{1, 8, 1, 1, 1}, 5, OID_NO_OBJECT},
		{{1, 2, 1}, 3, OID_NO_OBJECT},
		{{1, 2, 2, 2, 1}, 5, OID_NO_OBJECT},
		{{1, 2, 0, 2, 1}, 5, OID_NO_OBJECT},
		{{1, 2, 1, 1, 1}, 5, OID_NO_OBJECT}, /* the key is not accessible */
		{{1, 2, 1, 64, 1}, 5, OID_NO_OBJECT},
		{{1, 2, 1, 4294967298UL, 1}, 5, OID_NO_OBJECT},
		{{1, 4294967298UL, 1, 2, 1}, 5, OID_NO_OBJECT},
		{{1, 2, 1, 2}, 4, OID_NO_INSTANCE},
		{{1, 2, 1, 2, 0}, 5, OID_NO_INSTANCE},
		{{1, 2, 1, 2, 3}, 5, OID_NO_INSTANCE},
		{{1, 2, 1, 2, 1, 0}, 6, OID_NO_INSTANCE},
		{{1, 2, 1, 2, 4294967296UL}, 5, OID_NO_INSTANCE},
		{{1, 2, 1, 2, 4294967297UL}, 5, OID_NO_INSTANCE}, /* not tunnel 1 */
		{{1, 4, 1, 2, 1}, 5, OID_NO_INSTANCE},
		{{1, 4, 1, 2, 1, 1, 1}, 7, OID_NO_INSTANCE},
		{{1, 4, 1, 2, 1, 4294967297UL}, 6, OID_NO_INSTANCE},
		{{1, 4, 1, 2, 1, 0}, 6, OID_NO_INSTANCE},
		{{1, 7, 1, 1, 0}, 5, OID_NO_INSTANCE},
		{{1, 7, 1, 1, 1}, 5, OID_NO_INSTANCE},
		{{1, 7, 1, 3, 1}, 5, OID_NO_OBJECT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct name name = name_of(cases[i].tail, cases[i].length);
		struct value value;

		if (get(*state, &name, &value) != cases[i].fault)
			fail_msg("case %zu", i);
	}
}

/* Before, between and behind the columns that a table has. */
static void test_no_other_column_is_there(void **state)
{
	struct bench *bench = *state;
	struct value value;

	for (unsigned int n = 0; n < 70; n++) {
		bool there = column_find(MIB_TUNNEL, n);
		struct name name = NAME(1, 2, 1, n, 1);

		assert_int_equal(get(bench, &name, &value), there ? OID_FINE : OID_NO_OBJECT);
	}
}

static void test_greatest_ids_are_served(void **state)
{
	struct name tunnel = NAME(1, 2, 1, 3, 4294967295UL);
	struct name session = NAME(1, 4, 1, 3, 4294967295UL, 4294967295UL - 7);
	struct name after;

	assert_int_equal(get_integer(*state, &tunnel), 7);
	assert_int_equal(get_integer(*state, &session), 9);
	assert_true(next(*state, &tunnel, &after));
	assert_int_equal(after.at[mib_root_length + 3], 4);
	assert_int_equal(after.at[mib_root_length + 4], 1);
}

static void test_absent_leaves_read_as_default_or_zero(void **state)
{
	struct name encapsulation = NAME(1, 2, 1, 4, 1), remote_port = NAME(1, 2, 1, 11, 1);
	struct name checksum6 = NAME(1, 2, 1, 13, 1), interface = NAME(1, 2, 1, 7, 1);
	struct name mtu = NAME(1, 4, 1, 7, 1, 1), link = NAME(1, 4, 1, 10, 1, 1);
	struct value value;

	assert_int_equal(get_integer(*state, &encapsulation), ENCAPSULATION_UDP);
	assert_int_equal(get_integer(*state, &remote_port), 1701);
	assert_int_equal(get_integer(*state, &checksum6), 2); /* does not apply: false */
	assert_int_equal(get_integer(*state, &mtu), 0);
	assert_int_equal(get_integer(*state, &link), 1);
	assert_int_equal(get(*state, &interface, &value), OID_FINE);
	assert_int_equal(value.length, 0);
}

static void test_addresses_have_types(void **state)
{
	struct name type = NAME(1, 2, 1, 8, 1), address = NAME(1, 2, 1, 9, 1);
	struct name resolved = NAME(1, 2, 1, 19, 1);
	struct value value;

	assert_int_equal(get_integer(*state, &type), INET_IPV4);
	assert_int_equal(get_integer(*state, &resolved), INET_UNKNOWN);
	assert_int_equal(get(*state, &address, &value), OID_FINE);
	assert_int_equal(value.length, 4);
	assert_memory_equal(value.bytes, "\300\0\002\002", 4);
}

static void test_foreign_rows_are_read_only_and_active(void **state)
{
	struct name storage = NAME(1, 2, 1, 23, 255), status = NAME(1, 2, 1, 24, 255);
	struct name origin = NAME(1, 2, 1, 18, 255), peer = NAME(1, 2, 1, 3, 255);

	assert_int_equal(get_integer(*state, &storage), STORAGE_READ_ONLY);
	assert_int_equal(get_integer(*state, &status), SNMP_ROW_ACTIVE);
	assert_int_equal(get_integer(*state, &origin), ORIGIN_FOREIGN);
	assert_int_equal(get_integer(*state, &peer), 7);
}

static void test_pending_rows_are_sparse(void **state)
{
	struct name status = NAME(1, 2, 1, 24, 254), peer = NAME(1, 2, 1, 3, 254);
	struct name remote_type = NAME(1, 2, 1, 8, 254), port = NAME(1, 2, 1, 10, 254);
	struct name before = NAME(1, 2, 1, 3, 2), after;
	struct value value;

	assert_int_equal(get_integer(*state, &status), SNMP_ROW_NOTREADY);
	assert_int_equal(get_integer(*state, &port), 1701);
	assert_int_equal(get(*state, &peer, &value), OID_NO_INSTANCE);
	assert_int_equal(get(*state, &remote_type, &value), OID_NO_INSTANCE);
	assert_true(next(*state, &before, &after));
	assert_int_equal(after.at[mib_root_length + 4], 255);
}

static void test_an_entry_hides_a_pending_row(void **state)
{
	struct bench *bench = *state;
	struct name status = NAME(1, 2, 1, 24, 254);
	struct tunnel tunnel = some_tunnel(254);

	datastore_configure(bench->store, 254, 0, &tunnel);
	assert_int_equal(get_integer(bench, &status), SNMP_ROW_ACTIVE);
	free(walk(bench, &(size_t){0}));
}

static void test_types_are_the_mibs(void **state)
{
	static const struct {
		oid tail[6];
		size_t length;
		unsigned char type;
	} cases[] = {
		{{1, 1, 1, 0}, 4, ASN_OCTET_STR},       {{1, 1, 4, 0}, 4, ASN_GAUGE},
		{{1, 1, 8, 0}, 4, ASN_TIMETICKS},       {{1, 1, 9, 0}, 4, ASN_COUNTER64},
		{{1, 1, 10, 0}, 4, ASN_INTEGER},        {{1, 2, 1, 3, 1}, 5, ASN_UNSIGNED},
		{{1, 2, 1, 10, 1}, 5, ASN_UNSIGNED},    {{1, 2, 1, 12, 1}, 5, ASN_INTEGER},
		{{1, 2, 1, 15, 1}, 5, ASN_INTEGER},     {{1, 2, 1, 17, 1}, 5, ASN_OCTET_STR},
		{{1, 2, 1, 21, 1}, 5, ASN_TIMETICKS},   {{1, 2, 1, 22, 1}, 5, ASN_GAUGE},
		{{1, 3, 1, 1, 1}, 5, ASN_COUNTER64},    {{1, 3, 1, 11, 1}, 5, ASN_TIMETICKS},
		{{1, 4, 1, 20, 1, 1}, 6, ASN_INTEGER}, /* InterfaceIndexOrZero */
		{{1, 6, 1, 1, 1, 1}, 6, ASN_OCTET_STR},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct name name = name_of(cases[i].tail, cases[i].length);
		struct value value;

		assert_int_equal(get(*state, &name, &value), OID_FINE);
		if (value.type != cases[i].type)
			fail_msg("case %zu: type 0x%02x", i, value.type);
	}
}

static void test_counters_of_64_bits(void **state)
{
	struct bench *bench = *state;
	struct tunnel_entry *tunnel = datastore_tunnel(bench->store, 1);
	struct name bytes = NAME(1, 3, 1, 2, 1);
	struct value value;
	size_t size;

	tunnel->state.common.statistics.tx_bytes = UINT64_C(0xfedcba9876543210);
	assert_int_equal(get(bench, &bytes, &value), OID_FINE);
	assert_int_equal(value.number.counter.high, 0xfedcba98);
	assert_int_equal(value.number.counter.low, 0x76543210);
	assert_non_null(value_data(&value, &size));
	assert_int_equal(size, sizeof(struct counter64));
}

#define S INT64_C(1000000000)

static void test_time_stamps_keep_still(void **state)
{
	struct epoch epoch = {0};

	(void)state;
	epoch_follow(&epoch, 1000 * S, 50000);             /* sysUpTime 0 was at 500 s */
	assert_int_equal(epoch_ticks(&epoch, 0), 0);       /* never */
	assert_int_equal(epoch_ticks(&epoch, 400 * S), 0); /* before: RFC 2579 TimeStamp */
	assert_int_equal(epoch_ticks(&epoch, 600 * S), 10000);
	epoch_follow(&epoch, 1100 * S, 60001); /* a tick's difference is an answer's delay */
	assert_int_equal(epoch_ticks(&epoch, 600 * S), 10000);
	epoch_follow(&epoch, 1200 * S, 100); /* the master restarted */
	assert_int_equal(epoch_ticks(&epoch, 600 * S), 0);
	assert_int_equal(epoch_ticks(&epoch, 1199 * S + S / 2), 50);
}

/* ---- rows that come and go during a walk: what was found last must not be believed then */

static uint32_t some_id(void)
{
	static const uint32_t ids[] = {1, 2, 3, 4, 5, 6, 2147483648U, 4294967294U, 4294967295U};

	return ids[(unsigned int)rand() % (sizeof(ids) / sizeof(ids[0]))];
}

static void change_something(struct bench *bench)
{
	uint32_t tunnel_id = some_id(), session_id = some_id();
	struct tunnel_entry *parent = datastore_tunnel(bench->store, tunnel_id);
	struct session_entry *entry = datastore_session(bench->store, tunnel_id, session_id);
	struct tunnel tunnel = some_tunnel(tunnel_id);
	struct session session = some_session(session_id);

	switch (rand() % 8) {
	case 0:
		datastore_configure(bench->store, tunnel_id, 0, &tunnel);
		break;
	case 1:
		if (parent && tunnel_counts(parent)->configured == 0)
			datastore_configure(bench->store, tunnel_id, 0, NULL);
		break;
	case 2:
		if (entry)
			datastore_configure(bench->store, tunnel_id, session_id, NULL);
		break;
	case 3:
		if (entry)
			datastore_set_index(bench->store, entry, (unsigned int)rand() % 5);
		break;
	case 4:
		datastore_observe(bench->store, tunnel_id, session_id,
				  rand() % 2 ? &session : NULL);
		break;
	case 5:
		if (rand() % 4 == 0 &&
		    !pending_find(&bench->mib.pending, OBJECT_SESSION, tunnel_id, session_id))
			add_pending(bench, OBJECT_SESSION, tunnel_id, session_id);
		else
			pending_clear(&bench->mib.pending);
		break;
	default:
		session.pseudowire_type = rand() % 2 ? PSEUDOWIRE_PPP : PSEUDOWIRE_ETHERNET;
		if (!datastore_session_by_id(bench->store, session_id) || entry)
			datastore_configure(bench->store, tunnel_id, session_id, &session);
	}
}

static struct name some_column(void)
{
	const struct column *column = column_first();
	struct name name;

	for (int n = rand() % 200; n > 0 && column_next(column); n--)
		column = column_next(column);
	name.length = column->length;
	memcpy(name.at, column->name, column->length * sizeof(oid));
	return name;
}

static void test_rows_that_come_and_go_are_found_as_if_nothing_was_remembered(void **state)
{
	struct bench *bench = *state;
	struct name at = {.length = 0};
	unsigned int steps = 0, ends = 0;

	srand(11);
	while (ends < 40 || steps < 10000) {
		struct bench fresh = *bench;
		struct name found, again;
		bool there;

		if (rand() % 4 == 0)
			change_something(bench);
		if (rand() % 8 == 0)
			at = some_column();
		memset(&fresh.mib.last, 0, sizeof(fresh.mib.last));
		there = next(bench, &at, &found);
		fresh.mib.pending = bench->mib.pending;
		fresh.mib.mappings = bench->mib.mappings; /* not what is tested here */
		assert_int_equal(next(&fresh, &at, &again), there);
		bench->mib.mappings = fresh.mib.mappings;
		if (there)
			assert_int_equal(order(&found, &again), 0);
		ends += !there;
		at = there ? found : (struct name){.length = 0};
		steps++;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty_store_has_the_scalars, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_long_error_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk_is_ordered_and_complete, setup_filled,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_is_walked_can_be_got, setup_filled,
						teardown),
		cmocka_unit_test_setup_teardown(test_any_oid_finds_its_successor, setup_filled,
						teardown),
		cmocka_unit_test_setup_teardown(test_what_is_not_there, setup_filled, teardown),
		cmocka_unit_test_setup_teardown(test_no_other_column_is_there, setup_filled,
						teardown),
		cmocka_unit_test_setup_teardown(test_greatest_ids_are_served, setup_filled,
						teardown),
		cmocka_unit_test_setup_teardown(test_absent_leaves_read_as_default_or_zero,
						setup_filled, teardown),
		cmocka_unit_test_setup_teardown(test_addresses_have_types, setup_filled, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_rows_are_read_only_and_active,
						setup_filled, teardown),
		cmocka_unit_test_setup_teardown(test_pending_rows_are_sparse, setup_filled,
						teardown),
		cmocka_unit_test_setup_teardown(test_an_entry_hides_a_pending_row, setup_filled,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_rows_that_come_and_go_are_found_as_if_nothing_was_remembered, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_types_are_the_mibs, setup_filled, teardown),
		cmocka_unit_test_setup_teardown(test_counters_of_64_bits, setup_filled, teardown),
		cmocka_unit_test(test_time_stamps_keep_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
