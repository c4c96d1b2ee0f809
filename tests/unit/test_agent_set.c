/*
 * SET without an snmpd: transactions over a real engine and the simulated
 * kernel. The state table of RowStatus, errors and their varbind, all or nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <event2/event.h>
#include <inttypes.h>

#include "kernel/sim/sim.h"
#include "model/codec.h"
#include "rowstatus.h"
#include "varbinds.h"

/* ---- the bench */

struct bench {
	struct event_base *base;
	struct kernel *kernel;
	struct datastore *store;
	struct engine *engine;
	struct mib mib;
	bool done;
	int result;
	struct error error; /* of the last set */
	size_t blamed;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct engine_options options = {0};
	struct error err = ERROR_INIT;

	bench->base = event_base_new();
	bench->store = datastore_new();
	assert_int_equal(kernel_open_sim(&bench->kernel, "6.1", &err), 0);
	options.base = bench->base;
	options.kernel = bench->kernel;
	options.store = bench->store;
	assert_int_equal(engine_open(&bench->engine, &options, &err), 0);
	mib_init(&bench->mib, bench->engine, bench->store);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	mib_clear(&bench->mib);
	engine_close(bench->engine);
	bench->kernel->ops->close(bench->kernel);
	datastore_free(bench->store);
	event_base_free(bench->base);
	free(bench);
	return 0;
}

static void on_done(int result, const struct error *err, void *arg)
{
	struct bench *bench = arg;

	bench->done = true;
	bench->result = result;
	bench->error = *err;
}

static int run_edit(struct bench *bench, struct edit *edit)
{
	const struct engine_who who = {.door = "snmp", .user = ""};

	bench->done = false;
	engine_edit(bench->engine, edit, &who, on_done, bench);
	while (!bench->done)
		event_base_loop(bench->base, EVLOOP_ONCE);
	return bench->result;
}

static bool is_removing(const struct bench *bench)
{
	struct tunnel_entry *tunnel = datastore_tunnel_from(bench->store, 0);
	struct session_entry *session;

	for (; tunnel; tunnel = tunnel_next(tunnel)) {
		if (tunnel->entry.held)
			return true;
		for (session = tunnel_session_from(tunnel, 0); session;
		     session = session_next(session)) {
			if (session->entry.held)
				return true;
		}
	}
	return false;
}

/* Until what was deleted is gone; a test that hangs here is ended by its runner. */
static void settle(struct bench *bench)
{
	const struct timeval pause = {.tv_usec = 5000};

	while (is_removing(bench)) {
		event_base_loopexit(bench->base, &pause);
		event_base_dispatch(bench->base);
	}
}

/* ---- set requests in one line each */

#define TUNNEL  MIB_TUNNEL
#define SESSION MIB_SESSION
#define COOKIE  MIB_COOKIE

struct vb {
	enum mib_table table; /* 0: the end */
	unsigned int column;
	uint32_t tunnel_id, session_id;
	unsigned char type;
	long integer;
	const char *bytes;
	size_t length;
};

#define I(table, column, t, s, value)                                                              \
	{                                                                                          \
		table, column, t, s, ASN_INTEGER, value, NULL, 0                                   \
	}
#define U(table, column, t, s, value)                                                              \
	{                                                                                          \
		table, column, t, s, ASN_UNSIGNED, value, NULL, 0                                  \
	}
#define X(table, column, t, s, text)                                                               \
	{                                                                                          \
		table, column, t, s, ASN_OCTET_STR, 0, text, sizeof(text) - 1                      \
	}
#define END                                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

#define T_STATUS 24
#define S_STATUS 23

#define LOCAL(t)             I(TUNNEL, 5, t, 0, 1), X(TUNNEL, 6, t, 0, "\300\0\002\001")
#define REMOTE(t)            I(TUNNEL, 8, t, 0, 1), X(TUNNEL, 9, t, 0, "\300\0\002\002")
#define PORT(t)              U(TUNNEL, 10, t, 0, 5000 + (t))
#define MANDATORY(t)         U(TUNNEL, 3, t, 0, 7), LOCAL(t), REMOTE(t), PORT(t)
#define CREATE(t)            I(TUNNEL, T_STATUS, t, 0, 4), MANDATORY(t)
#define CREATE_SESSION(t, s) I(SESSION, S_STATUS, t, s, 4), U(SESSION, 3, t, s, 9)

/* There need not be such a column. */
static size_t name_of(const struct vb *vb, oid name[MAX_OID_LEN])
{
	size_t length = mib_root_length;

	memcpy(name, mib_root, mib_root_length * sizeof(oid));
	name[length++] = 1;
	name[length++] = vb->table;
	if (vb->table != MIB_SCALARS)
		name[length++] = 1;
	name[length++] = vb->column;
	name[length++] = vb->tunnel_id;
	if (vb->table >= MIB_SESSION && vb->table <= MIB_COOKIE)
		name[length++] = vb->session_id;
	return length;
}

static int add(struct varbinds *varbinds, const struct vb *vb, struct error *err)
{
	oid name[MAX_OID_LEN];
	struct varbind varbind = {.name = name, .type = vb->type, .integer = vb->integer};

	varbind.name_length = name_of(vb, name);
	varbind.bytes = vb->bytes ? vb->bytes : "";
	varbind.length = vb->type == ASN_OCTET_STR ? vb->length : sizeof(long);
	return varbinds_add(varbinds, &varbind, err);
}

/* One set request with all its phases; the SNMP error-status. */
static int set(struct bench *bench, const struct vb *vbs)
{
	struct varbinds *varbinds = varbinds_new(&bench->mib);
	struct error *err = &bench->error;
	struct edit *edit;
	int status = 0;

	*err = ERROR_INIT;
	for (bench->blamed = 0; vbs[bench->blamed].table && !status; bench->blamed += !status)
		status = add(varbinds, &vbs[bench->blamed], err);
	if (!status)
		status = varbinds_check(varbinds, &bench->blamed, err);
	if (!status) {
		edit = varbinds_edit(varbinds);
		if (edit && run_edit(bench, edit))
			status = (int)error_kind(err->code)->snmp;
	}
	if (!status) {
		varbinds_apply(varbinds);
		varbinds_finish(varbinds);
	} else {
		assert_true(err->text[0]);
	}
	varbinds_free(varbinds);
	return status;
}

#define SET(bench, ...) set(bench, (const struct vb[]){__VA_ARGS__, END})
#define ACCEPT(bench, ...)                                                                         \
	do {                                                                                       \
		if (SET(bench, __VA_ARGS__))                                                       \
			fail_msg("%s: %s", (bench)->error.path, (bench)->error.text);              \
	} while (0)
#define REFUSE(bench, status, varbind, ...)                                                        \
	do {                                                                                       \
		assert_int_equal(SET(bench, __VA_ARGS__), status);                                 \
		assert_int_equal((bench)->blamed, varbind);                                        \
	} while (0)

static bool read_value(struct bench *bench, enum mib_table table, unsigned int number, uint32_t t,
		       uint32_t s, struct value *ret)
{
	struct instance instance = {.column = column_find(table, number), .index = {.at = {t, s}}};

	return instance.column && mib_value(&bench->mib, &instance, ret);
}

/* -1: no such instance. */
static long get(struct bench *bench, enum mib_table table, unsigned int number, uint32_t t,
		uint32_t s)
{
	struct value value;

	return read_value(bench, table, number, t, s, &value) ? value.number.integer : -1;
}

static long tunnel_status(struct bench *bench, uint32_t t)
{
	return get(bench, MIB_TUNNEL, T_STATUS, t, 0);
}

static uint64_t changes(struct bench *bench)
{
	return bench->kernel->ops->writes(bench->kernel);
}

/* ---- RFC 2579's table, by state and action */

#define ID 1

static void make_missing(struct bench *bench)
{
	(void)bench;
}

static void make_not_ready(struct bench *bench)
{
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 5));
}

static void make_ready(struct bench *bench)
{
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 5), MANDATORY(ID));
}

static void make_active(struct bench *bench)
{
	ACCEPT(bench, CREATE(ID));
}

static void make_disabled(struct bench *bench)
{
	make_active(bench);
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 2));
}

static void make_foreign(struct bench *bench)
{
	struct tunnel tunnel = {.tunnel_id = ID, .present = BIT(TUNNEL_ID)};

	datastore_observe(bench->store, ID, 0, &tunnel);
}

struct row_case {
	long action; /* 0: set a column only */
	int status;
	long after; /* RowStatus read then, -1 gone */
};

#define CASES 7

struct state_case {
	const char *name;
	void (*make)(struct bench *bench);
	struct row_case cases[CASES];
};

enum {
	OK = 0,
	VALUE = SNMP_INCONSISTENT_VALUE,
	NAME = SNMP_INCONSISTENT_NAME,
	WRONG = SNMP_WRONG_VALUE,
	LOCKED_ROW = SNMP_NOT_WRITABLE
};

/* clang-format off */
static const struct state_case states[] = {
	{ "missing", make_missing, {
		{ 0, NAME, -1 }, { 1, VALUE, -1 }, { 2, VALUE, -1 }, { 3, WRONG, -1 },
		{ 4, VALUE, -1 } /* columns are missing */, { 5, OK, 3 }, { 6, OK, -1 } } },
	{ "notReady", make_not_ready, {
		{ 0, OK, 3 }, { 1, VALUE, 3 }, { 2, VALUE, 3 }, { 3, WRONG, 3 },
		{ 4, VALUE, 3 }, { 5, VALUE, 3 }, { 6, OK, -1 } } },
	{ "notInService, never active", make_ready, {
		{ 0, OK, 2 }, { 1, OK, 1 }, { 2, OK, 2 }, { 3, WRONG, 2 },
		{ 4, VALUE, 2 }, { 5, VALUE, 2 }, { 6, OK, -1 } } },
	{ "notInService", make_disabled, {
		{ 0, OK, 2 }, { 1, OK, 1 }, { 2, OK, 2 }, { 3, WRONG, 2 },
		{ 4, VALUE, 2 }, { 5, VALUE, 2 }, { 6, OK, -1 } } },
	{ "active", make_active, {
		{ 0, OK, 1 }, { 1, OK, 1 }, { 2, OK, 2 }, { 3, WRONG, 1 },
		{ 4, VALUE, 1 }, { 5, VALUE, 1 }, { 6, OK, -1 } } },
	{ "foreign", make_foreign, {
		{ 0, LOCKED_ROW, 1 }, { 1, LOCKED_ROW, 1 }, { 2, LOCKED_ROW, 1 }, { 3, WRONG, 1 },
		{ 4, LOCKED_ROW, 1 }, { 5, LOCKED_ROW, 1 }, { 6, LOCKED_ROW, 1 } } },
};
/* clang-format on */

static void try_case(const struct state_case *from, const struct row_case *row_case)
{
	const struct vb column[] = {X(TUNNEL, 2, ID, 0, "text"), END};
	const struct vb action[] = {I(TUNNEL, T_STATUS, ID, 0, row_case->action), END};
	struct bench *bench;
	int status;
	long after;

	setup((void **)&bench);
	from->make(bench);
	status = set(bench, row_case->action ? action : column);
	settle(bench);
	after = tunnel_status(bench, ID);
	if (status != row_case->status || after != row_case->after)
		fail_msg("%s, action %ld: error %d, then %ld (%s)", from->name, row_case->action,
			 status, after, bench->error.text);
	teardown((void **)&bench);
}

static void test_row_status_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		for (size_t j = 0; j < CASES; j++)
			try_case(&states[i], &states[i].cases[j]);
	}
}

/* RFC 2579: "see 2", the request itself brings what was missing. */
static void test_activation_with_the_missing_columns(void **state)
{
	struct bench *bench = *state;

	make_not_ready(bench);
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 1), MANDATORY(ID));
	assert_int_equal(tunnel_status(bench, ID), 1);
	assert_int_equal(bench->mib.pending.count, 0);
	assert_int_equal(get(bench, MIB_TUNNEL, 15, ID, 0), OPER_UP);
}

static void test_varbinds_in_any_order(void **state)
{
	struct bench *bench = *state;

	ACCEPT(bench, X(TUNNEL, 9, 1, 0, "\300\0\002\002"), U(TUNNEL, 10, 1, 0, 5001),
	       X(TUNNEL, 6, 1, 0, "\300\0\002\001"), I(TUNNEL, T_STATUS, 1, 0, 4),
	       I(TUNNEL, 8, 1, 0, 1), I(TUNNEL, 5, 1, 0, 1), U(TUNNEL, 3, 1, 0, 7));
	ACCEPT(bench, CREATE_SESSION(2, 22), CREATE(2));
	assert_int_equal(get(bench, MIB_SESSION, 16, 2, 22), OPER_UP);
}

static void test_pending_row_column_by_column(void **state)
{
	struct bench *bench = *state;

	ACCEPT(bench, I(TUNNEL, T_STATUS, 1, 0, 5));
	ACCEPT(bench, X(TUNNEL, 9, 1, 0, "\300\0\002\002"));
	assert_int_equal(get(bench, MIB_TUNNEL, 8, 1, 0), -1); /* the type is not set yet */
	ACCEPT(bench, I(TUNNEL, 8, 1, 0, 1));
	ACCEPT(bench, U(TUNNEL, 3, 1, 0, 7));
	assert_int_equal(tunnel_status(bench, 1), 3);
	REFUSE(bench, VALUE, 0, I(TUNNEL, T_STATUS, 1, 0, 1));
	ACCEPT(bench, X(TUNNEL, 7, 1, 0, "eth0"));
	assert_int_equal(tunnel_status(bench, 1), 2);
	ACCEPT(bench, I(TUNNEL, 5, 1, 0, 1), X(TUNNEL, 6, 1, 0, "\300\0\002\001"));
	assert_int_equal(datastore_counts(bench->store)->tunnel_count, 0);
	ACCEPT(bench, I(TUNNEL, T_STATUS, 1, 0, 1));
	assert_int_equal(tunnel_status(bench, 1), 1);
	assert_true(tunnel_config(datastore_tunnel(bench->store, 1))->present &
		    BIT(TUNNEL_LOCAL_INTERFACE));
}

/* The status depends on the counters of the tunnel, at which nobody may have looked for long. */
static void test_status_looks_at_counters(void **state)
{
	const struct statistics bad = {.tx_errors = 5};
	struct bench *bench = *state;
	struct tunnel_entry *tunnel;

	ACCEPT(bench, CREATE_SESSION(2, 22), CREATE(2));
	tunnel = datastore_tunnel(bench->store, 2);
	engine_look(bench->engine, &tunnel->entry);
	assert_int_equal(sim_count(bench->kernel, 2, 0, &bad), 0);
	tunnel->state.common.statistics_time -= 31 * NS_PER_S;
	assert_int_equal(get(bench, MIB_SESSION, 16, 2, 22), OPER_DOWN);
}

static long next_status(struct bench *bench)
{
	struct instance before = {.column = column_find(TUNNEL, T_STATUS)};
	oid name[MAX_OID_LEN];
	size_t length = oid_of_instance(&before, name);
	struct value value;

	assert_true(mib_next(&bench->mib, name, length, name, &length, &value));
	assert_int_equal(name[length - 1], ID);
	return value.number.integer;
}

static void test_a_row_made_while_the_one_before_it_is_being_removed(void **state)
{
	struct bench *bench = *state;

	make_active(bench);
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 6));
	assert_int_equal(next_status(bench), 3);
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 5));
	REFUSE(bench, VALUE, 0, I(TUNNEL, T_STATUS, ID, 0, 5));
	ACCEPT(bench, U(TUNNEL, 3, ID, 0, 8), LOCAL(ID), REMOTE(ID));
	assert_true(is_removing(bench));
	assert_int_equal(get(bench, TUNNEL, 3, ID, 0), 8);
	assert_int_equal(tunnel_status(bench, ID), 2);
	assert_int_equal(next_status(bench), 2);
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 1));
	settle(bench);
	assert_int_equal(tunnel_status(bench, ID), 1);
	assert_int_equal(get(bench, TUNNEL, 15, ID, 0), OPER_UP);
}

static void check_outside(struct bench *bench, long row_status, long storage_type, long origin)
{
	assert_int_equal(tunnel_status(bench, ID), row_status);
	assert_int_equal(get(bench, TUNNEL, 23, ID, 0), storage_type);
	assert_int_equal(get(bench, TUNNEL, 18, ID, 0), origin);
}

static void test_what_rows_outside_of_the_configuration_read(void **state)
{
	struct bench *bench = *state;

	make_not_ready(bench);
	check_outside(bench, 3, STORAGE_VOLATILE, 1);
	REFUSE(bench, WRONG, 0, I(TUNNEL, 23, ID, 0, STORAGE_VOLATILE));
	ACCEPT(bench, I(TUNNEL, 23, ID, 0, STORAGE_NON_VOLATILE), MANDATORY(ID));
	check_outside(bench, 2, STORAGE_VOLATILE, 1);
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 1));
	check_outside(bench, 1, STORAGE_NON_VOLATILE, 1);
	ACCEPT(bench, I(TUNNEL, T_STATUS, ID, 0, 6));
	check_outside(bench, 3, STORAGE_READ_ONLY, 1);
	settle(bench);
	make_foreign(bench);
	check_outside(bench, 1, STORAGE_READ_ONLY, 2);
}

static void test_a_foreign_row_hides_a_pending_one(void **state)
{
	struct bench *bench = *state;

	make_ready(bench);
	make_foreign(bench);
	assert_int_equal(tunnel_status(bench, ID), 1);
	assert_int_equal(next_status(bench), 1);
	REFUSE(bench, LOCKED_ROW, 0, I(TUNNEL, T_STATUS, ID, 0, 6));
}

static void test_pending_rows_are_bounded_and_age(void **state)
{
	struct bench *bench = *state;

	for (uint32_t i = 1; i <= PENDING_MAX; i++)
		ACCEPT(bench, I(TUNNEL, T_STATUS, i, 0, 5));
	REFUSE(bench, SNMP_RESOURCE_UNAVAILABLE, 0, I(TUNNEL, T_STATUS, PENDING_MAX + 1, 0, 5));
	ACCEPT(bench, X(TUNNEL, 2, 1, 0, "touched"));
	pending_expire(&bench->mib.pending,
		       pending_find(&bench->mib.pending, OBJECT_TUNNEL, 1, 0)->touched);
	assert_int_equal(bench->mib.pending.count, 1);
	assert_int_equal(tunnel_status(bench, 1), 3);
}

/* ---- values and errors of every writable column, by the mapping table */

static size_t writable_columns(struct column ret[64])
{
	size_t count = 0;

	for (const struct column *column = column_first(); column; column = column_next(column)) {
		if (column->writable && column->kind == COLUMN_ROW)
			ret[count++] = *column;
	}
	return count;
}

static struct vb vb_of(const struct column *column)
{
	bool tunnel = index_object(column->table->index) == OBJECT_TUNNEL;

	return (struct vb){.table = column->row->mib_table,
			   .column = column->number,
			   .tunnel_id = 1,
			   .session_id = tunnel ? 0 : 11,
			   .type = ASN_OPAQUE};
}

static void make_both(struct bench *bench)
{
	ACCEPT(bench, CREATE(1), CREATE_SESSION(1, 11));
}

static void test_wrong_type_of_every_column(void **state)
{
	static const unsigned char types[] = {
		ASN_INTEGER,   ASN_UNSIGNED,  ASN_OCTET_STR, ASN_OBJECT_ID, ASN_NULL,
		ASN_COUNTER64, ASN_TIMETICKS, ASN_IPADDRESS, ASN_OPAQUE,    ASN_COUNTER};
	struct bench *bench = *state;
	struct column columns[64];
	size_t count = writable_columns(columns);

	make_both(bench);
	assert_true(count >= 25);
	for (size_t i = 0; i < count; i++) {
		size_t right = 0;

		for (size_t t = 0; t < sizeof(types); t++) {
			struct vb vbs[2] = {vb_of(&columns[i]), END};
			int status;

			vbs[0].type = types[t];
			vbs[0].integer = -1;
			vbs[0].bytes = "\1";
			vbs[0].length = 1;
			status = set(bench, vbs);
			right += status != SNMP_WRONG_TYPE;
		}
		if (right != 1)
			fail_msg("column %u of table %u takes %zu types", columns[i].number,
				 columns[i].row->mib_table, right);
	}
}

static bool is_number(const struct row *row)
{
	return row->type == TYPE_U16 || row->type == TYPE_U32;
}

static void test_range_of_every_number(void **state)
{
	struct bench *bench = *state;
	struct column columns[64];
	size_t count = writable_columns(columns);

	make_both(bench);
	for (size_t i = 0; i < count; i++) {
		const struct row *row = columns[i].row;
		struct vb vbs[2] = {vb_of(&columns[i]), END};

		if (!is_number(row))
			continue;
		vbs[0].type = ASN_UNSIGNED;
		if (row->max < UINT32_MAX) {
			vbs[0].integer = (long)row->max + 1;
			assert_int_equal(set(bench, vbs), SNMP_WRONG_VALUE);
			vbs[0].integer = (long)UINT32_MAX;
			assert_int_equal(set(bench, vbs), SNMP_WRONG_VALUE);
		}
		if (row->min > 1) {
			vbs[0].integer = (long)row->min - 1;
			assert_int_equal(set(bench, vbs), SNMP_WRONG_VALUE);
		}
		if (row->when == WHEN_VLAN)
			continue;
		for (int high = 0; high <= 1; high++) {
			vbs[0].integer = high ? row->max : row->min;
			if (set(bench, vbs))
				fail_msg("%s %ld: %s", row->leaf, vbs[0].integer,
					 bench->error.text);
			assert_int_equal(get(bench, columns[i].row->mib_table, columns[i].number, 1,
					     vbs[0].session_id),
					 vbs[0].integer);
		}
	}
}

static void test_length_of_every_string(void **state)
{
	static const char bytes[300] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
	struct bench *bench = *state;
	struct column columns[64];
	size_t count = writable_columns(columns);

	make_both(bench);
	for (size_t i = 0; i < count; i++) {
		const struct row *row = columns[i].row;
		struct vb vbs[2] = {vb_of(&columns[i]), END};
		int status;

		if (is_number(row) || row->type == TYPE_BOOL || row->type == TYPE_ENUM)
			continue;
		vbs[0].type = ASN_OCTET_STR;
		vbs[0].bytes = bytes;
		vbs[0].length = row->type == TYPE_COOKIE || row->type == TYPE_ADDRESS ? 5
				: row->type == TYPE_MAC                               ? 7
							: row->max + 1;
		status = set(bench, vbs);
		if (status != SNMP_WRONG_LENGTH)
			fail_msg("%s of %zu octets: error %d", row->leaf, vbs[0].length, status);
		assert_int_equal(bench->blamed, 0);
	}
}

static void test_words_of_every_enumeration(void **state)
{
	struct bench *bench = *state;
	struct column columns[64];
	size_t count = writable_columns(columns);

	make_both(bench);
	for (size_t i = 0; i < count; i++) {
		const struct row *row = columns[i].row;

		if (row->type != TYPE_BOOL && row->type != TYPE_ENUM)
			continue;
		for (long value = -1; value < 12; value++) {
			struct vb vbs[2] = {vb_of(&columns[i]), END};
			bool known =
				row->type == TYPE_BOOL
					? value == 1 || value == 2
					: value > 0 && word_by_value(row->words, (unsigned)value);
			int status;

			vbs[0].type = ASN_INTEGER;
			vbs[0].integer = value;
			status = set(bench, vbs);
			/* known ones may be refused for what else the row says, not by themselves
			 */
			if ((status == SNMP_WRONG_VALUE) == known)
				fail_msg("%s %ld: error %d", row->leaf, value, status);
		}
	}
}

static void test_every_column_can_be_set_to_what_it_reads(void **state)
{
	struct bench *bench = *state;
	struct column columns[64];
	size_t count = writable_columns(columns);
	uint64_t before;

	make_both(bench);
	before = changes(bench);
	for (size_t i = 0; i < count; i++) {
		struct vb vbs[2] = {vb_of(&columns[i]), END};
		struct value value;

		assert_true(read_value(bench, columns[i].row->mib_table, columns[i].number, 1,
				       vbs[0].session_id, &value));
		vbs[0].type = value.type;
		vbs[0].integer = value.number.integer;
		vbs[0].bytes = value.bytes;
		vbs[0].length = value.length;
		if (set(bench, vbs))
			fail_msg("%s: %s", columns[i].row->leaf, bench->error.text);
	}
	assert_int_equal(changes(bench), before);
}

static void test_which_error_on_which_varbind(void **state)
{
	struct bench *bench = *state;
	uint64_t before;

	make_both(bench);
	before = changes(bench);
	/* read-only, of no table, of a key; no such index ever; no such row now */
	REFUSE(bench, SNMP_NOT_WRITABLE, 1, U(TUNNEL, 3, 1, 0, 8), I(TUNNEL, 15, 1, 0, 1));
	REFUSE(bench, SNMP_NOT_WRITABLE, 0, U(TUNNEL, 99, 1, 0, 8));
	REFUSE(bench, SNMP_NOT_WRITABLE, 0, U(TUNNEL, 1, 1, 0, 8));
	REFUSE(bench, SNMP_NOT_WRITABLE, 0, U(MIB_INTERFACE, 1, 1, 0, 8));
	REFUSE(bench, SNMP_NO_CREATION, 1, U(TUNNEL, 3, 1, 0, 8), U(TUNNEL, 3, 0, 0, 8));
	REFUSE(bench, SNMP_NO_CREATION, 0, U(SESSION, 3, 1, 0, 8));
	REFUSE(bench, SNMP_INCONSISTENT_NAME, 1, U(TUNNEL, 3, 1, 0, 8), U(TUNNEL, 3, 5, 0, 8));
	REFUSE(bench, SNMP_INCONSISTENT_NAME, 0, X(COOKIE, 1, 1, 12, "abcd"));
	/* a session without its tunnel */
	REFUSE(bench, SNMP_INCONSISTENT_NAME, 1, U(TUNNEL, 3, 1, 0, 8),
	       I(SESSION, S_STATUS, 6, 66, 4), U(SESSION, 3, 6, 66, 4));
	/* a mandatory column is missing: RowStatus is what cannot be */
	REFUSE(bench, VALUE, 1, U(TUNNEL, 3, 2, 0, 7), I(TUNNEL, T_STATUS, 2, 0, 4), LOCAL(2));
	/* what is not unique, on the column that says so */
	REFUSE(bench, VALUE, 1, X(SESSION, 2, 1, 11, "x"), X(SESSION, 6, 1, 12, "l2tpeth0"),
	       CREATE_SESSION(1, 12));
	/* columns of a row to be destroyed; a column twice, of each kind */
	REFUSE(bench, VALUE, 1, X(TUNNEL, 2, 1, 0, "x"), I(TUNNEL, T_STATUS, 1, 0, 6));
	REFUSE(bench, VALUE, 1, I(TUNNEL, 5, 1, 0, 1), I(TUNNEL, T_STATUS, 1, 0, 6));
	REFUSE(bench, VALUE, 1, I(TUNNEL, 23, 1, 0, 3), I(TUNNEL, T_STATUS, 1, 0, 6));
	REFUSE(bench, VALUE, 1, X(TUNNEL, 2, 1, 0, "x"), X(TUNNEL, 2, 1, 0, "x"));
	REFUSE(bench, VALUE, 1, I(TUNNEL, 5, 1, 0, 1), I(TUNNEL, 5, 1, 0, 1));
	REFUSE(bench, VALUE, 1, I(TUNNEL, 23, 1, 0, 3), I(TUNNEL, 23, 1, 0, 3));
	REFUSE(bench, VALUE, 1, I(TUNNEL, T_STATUS, 1, 0, 1), I(TUNNEL, T_STATUS, 1, 0, 1));
	REFUSE(bench, SNMP_WRONG_VALUE, 0, I(TUNNEL, 23, 1, 0, 2));
	ACCEPT(bench, I(TUNNEL, 23, 1, 0, 3));
	assert_int_equal(changes(bench), before);
	assert_int_equal(get(bench, MIB_TUNNEL, 3, 1, 0), 7);
}

/* RFC 3416 section 4.2.5: inconsistentName is of what does not exist. */
static void test_a_pending_session_whose_tunnel_is_not_configured(void **state)
{
	struct bench *bench = *state;

	ACCEPT(bench, I(SESSION, S_STATUS, 5, 51, 5), U(SESSION, 3, 5, 51, 9));
	REFUSE(bench, VALUE, 1, X(SESSION, 2, 5, 51, "text"), I(SESSION, S_STATUS, 5, 51, 1));
	REFUSE(bench, NAME, 0, CREATE_SESSION(5, 52));
	ACCEPT(bench, CREATE(5), I(SESSION, S_STATUS, 5, 51, 1));
}

static void test_what_the_error_is_about(void **state)
{
	static const char tunnel[] = "/l2tpv3/tunnel[tunnel-id='1']";
	static const char leaf[] = "/l2tpv3/tunnel[tunnel-id='1']/peer-tunnel-id";
	struct bench *bench = *state;

	make_not_ready(bench);
	REFUSE(bench, VALUE, 0, I(TUNNEL, T_STATUS, ID, 0, 1));
	assert_string_equal(bench->error.path, leaf);
	REFUSE(bench, VALUE, 0, I(TUNNEL, T_STATUS, ID, 0, 4));
	assert_string_equal(bench->error.path, tunnel);
	assert_string_equal(bench->error.text, "the row exists already");
	REFUSE(bench, VALUE, 0, I(TUNNEL, T_STATUS, ID, 0, 6), X(TUNNEL, 2, ID, 0, "text"));
	assert_string_equal(bench->error.path, tunnel);
}

static void test_addresses_come_in_two_columns(void **state)
{
	struct bench *bench = *state;
	static const char v6[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01";
	static const char peer6[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02";

	make_both(bench);
	ACCEPT(bench, X(TUNNEL, 9, 1, 0, "\300\0\002\011")); /* of the same type: alone */
	REFUSE(bench, VALUE, 0, I(TUNNEL, 8, 1, 0, 2));
	REFUSE(bench, VALUE, 0, {MIB_TUNNEL, 9, 1, 0, ASN_OCTET_STR, 0, peer6, 16});
	REFUSE(bench, VALUE, 1, I(TUNNEL, 8, 1, 0, 0), X(TUNNEL, 9, 1, 0, "\300\0\002\003"));
	REFUSE(bench, SNMP_WRONG_VALUE, 0, I(TUNNEL, 8, 1, 0, 3));  /* ipv4z */
	REFUSE(bench, SNMP_WRONG_VALUE, 0, I(TUNNEL, 8, 1, 0, 16)); /* dns */
	/* one address of the pair in another family */
	REFUSE(bench, VALUE, 0, {MIB_TUNNEL, 9, 1, 0, ASN_OCTET_STR, 0, peer6, 16},
	       I(TUNNEL, 8, 1, 0, 2));
	ACCEPT(bench, {MIB_TUNNEL, 9, 1, 0, ASN_OCTET_STR, 0, peer6, 16}, I(TUNNEL, 5, 1, 0, 2),
	       I(TUNNEL, 8, 1, 0, 2), {MIB_TUNNEL, 6, 1, 0, ASN_OCTET_STR, 0, v6, 16});
	assert_int_equal(get(bench, MIB_TUNNEL, 8, 1, 0), INET_IPV6);
	assert_int_equal(get(bench, MIB_TUNNEL, 15, 1, 0), OPER_UP);
}

static void test_address_and_interface_stand_together(void **state)
{
	struct bench *bench = *state;

	make_both(bench);
	ACCEPT(bench, X(TUNNEL, 7, 1, 0, "eth0"));
	assert_int_equal(get(bench, MIB_TUNNEL, 5, 1, 0), INET_IPV4);
	assert_int_equal(get(bench, MIB_TUNNEL, 15, 1, 0), OPER_UP);
	ACCEPT(bench, LOCAL(1), X(TUNNEL, 7, 1, 0, "nosuch0"));
	assert_int_equal(get(bench, MIB_TUNNEL, 15, 1, 0), OPER_WAITING);
	ACCEPT(bench, I(TUNNEL, 5, 1, 0, 0), X(TUNNEL, 6, 1, 0, ""), X(TUNNEL, 7, 1, 0, "eth0"));
	assert_int_equal(get(bench, MIB_TUNNEL, 5, 1, 0), INET_UNKNOWN);
	REFUSE(bench, VALUE, 0, X(TUNNEL, 7, 1, 0, ""));
	ACCEPT(bench, LOCAL(1), X(TUNNEL, 7, 1, 0, ""));
	assert_int_equal(get(bench, MIB_TUNNEL, 5, 1, 0), INET_IPV4);
	REFUSE(bench, VALUE, 0, I(TUNNEL, 5, 1, 0, 0), X(TUNNEL, 6, 1, 0, ""));
}

/* A manager that copies a row sets what it read, also where it does not apply. */
static void test_zero_where_it_does_not_apply(void **state)
{
	struct bench *bench = *state;

	ACCEPT(bench, CREATE(1));
	REFUSE(bench, VALUE, 0, U(TUNNEL, 10, 1, 0, 0)); /* would read 1701 */
	ACCEPT(bench, I(TUNNEL, 13, 1, 0, 2));           /* of IPv6: false anyway */
	REFUSE(bench, VALUE, 0, I(TUNNEL, 13, 1, 0, 1));
	ACCEPT(bench, U(TUNNEL, 10, 1, 0, 0), I(TUNNEL, 4, 1, 0, 2), U(TUNNEL, 11, 1, 0, 0),
	       I(TUNNEL, 12, 1, 0, 2));
	assert_int_equal(get(bench, MIB_TUNNEL, 10, 1, 0), 0);
	REFUSE(bench, VALUE, 0, U(TUNNEL, 10, 1, 0, 1701));
	ACCEPT(bench, CREATE_SESSION(1, 11), I(SESSION, 4, 1, 11, 7), I(SESSION, 10, 1, 11, 2),
	       U(SESSION, 7, 1, 11, 0), X(SESSION, 6, 1, 11, ""));
	assert_int_equal(get(bench, MIB_SESSION, 10, 1, 11), 2);
}

static void test_ethernet_vlan_needs_its_vlan(void **state)
{
	struct bench *bench = *state;

	ACCEPT(bench, CREATE(1));
	REFUSE(bench, VALUE, 0, CREATE_SESSION(1, 11), I(SESSION, 4, 1, 11, 4));
	REFUSE(bench, VALUE, 2, CREATE_SESSION(1, 11), U(SESSION, 5, 1, 11, 5));
	ACCEPT(bench, CREATE_SESSION(1, 11), I(SESSION, 4, 1, 11, 4), U(SESSION, 5, 1, 11, 5));
	ACCEPT(bench, I(SESSION, S_STATUS, 1, 12, 5), U(SESSION, 3, 1, 12, 9),
	       I(SESSION, 4, 1, 12, 4));
	assert_int_equal(get(bench, MIB_SESSION, S_STATUS, 1, 12), 3);
	ACCEPT(bench, U(SESSION, 5, 1, 12, 6));
	assert_int_equal(get(bench, MIB_SESSION, S_STATUS, 1, 12), 2);
}

/* ---- one request, one transaction */

static void test_all_or_nothing_over_tables(void **state)
{
	struct bench *bench = *state;
	uint64_t before = changes(bench);

	REFUSE(bench, VALUE, 11, CREATE(1), CREATE_SESSION(1, 11), X(COOKIE, 1, 1, 11, "abcd"),
	       U(TUNNEL, 3, 2, 0, 7), I(TUNNEL, T_STATUS, 2, 0, 4));
	assert_int_equal(changes(bench), before);
	assert_int_equal(datastore_counts(bench->store)->tunnel_count, 0);
	ACCEPT(bench, CREATE(1), CREATE_SESSION(1, 11), X(COOKIE, 1, 1, 11, "abcd"), CREATE(2),
	       CREATE_SESSION(2, 22), CREATE_SESSION(2, 23));
	assert_int_equal(datastore_up(bench->store, OBJECT_TUNNEL), 2);
	assert_int_equal(datastore_up(bench->store, OBJECT_SESSION), 3);
}

static void test_destroying_a_tunnel_with_its_sessions(void **state)
{
	struct bench *bench = *state;

	make_both(bench);
	REFUSE(bench, SNMP_INCONSISTENT_NAME, 1, I(TUNNEL, T_STATUS, 1, 0, 6),
	       X(SESSION, 2, 1, 11, "x"));
	ACCEPT(bench, I(SESSION, S_STATUS, 1, 11, 6), I(TUNNEL, T_STATUS, 1, 0, 6),
	       I(SESSION, S_STATUS, 1, 99, 6));
	assert_int_equal(tunnel_status(bench, 1), 3); /* removing */
	settle(bench);
	assert_int_equal(tunnel_status(bench, 1), -1);
	assert_int_equal(get(bench, MIB_SESSION, S_STATUS, 1, 11), -1);
}

static void test_a_kernel_that_refuses_undoes_all(void **state)
{
	struct bench *bench = *state;

	sim_fail(bench->kernel, KERNEL_SESSION_CREATE, 1, SIM_REFUSE, -EINVAL);
	assert_int_equal(SET(bench, CREATE(1), CREATE_SESSION(1, 11)), SNMP_COMMIT_FAILED);
	settle(bench);
	assert_int_equal(tunnel_status(bench, 1), -1);
	ACCEPT(bench, CREATE(1), CREATE_SESSION(1, 11));
}

static void test_spin_lock(void **state)
{
	struct bench *bench = *state;
	const struct vb wrong = I(MIB_SCALARS, SCALAR_SPIN_LOCK, 0, 0, 41);
	const struct vb right = I(MIB_SCALARS, SCALAR_SPIN_LOCK, 0, 0, 42);
	const struct vb last = I(MIB_SCALARS, SCALAR_SPIN_LOCK, 0, 0, INT32_MAX);

	bench->mib.spin_lock = 42;
	REFUSE(bench, VALUE, 7, CREATE(1), wrong);
	assert_int_equal(tunnel_status(bench, 1), -1);
	ACCEPT(bench, CREATE(1), right);
	assert_int_equal(bench->mib.spin_lock, 43);
	REFUSE(bench, VALUE, 0, right);
	REFUSE(bench, VALUE, 1, wrong, wrong);
	bench->mib.spin_lock = INT32_MAX;
	ACCEPT(bench, last);
	assert_int_equal(bench->mib.spin_lock, 0);
	REFUSE(bench, SNMP_WRONG_VALUE, 0, I(MIB_SCALARS, SCALAR_SPIN_LOCK, 0, 0, -1));
	REFUSE(bench, SNMP_NOT_WRITABLE, 0, I(MIB_SCALARS, SCALAR_GENERATION, 0, 0, 1));
}

static void test_notification_switch(void **state)
{
	struct bench *bench = *state;

	ACCEPT(bench, I(MIB_SCALARS, SCALAR_NOTIFICATION_ENABLE, 0, 0, 1));
	assert_true(bench->mib.notify);
	REFUSE(bench, SNMP_WRONG_VALUE, 0, I(MIB_SCALARS, SCALAR_NOTIFICATION_ENABLE, 0, 0, 3));
	REFUSE(bench, SNMP_WRONG_TYPE, 0, U(MIB_SCALARS, SCALAR_NOTIFICATION_ENABLE, 0, 0, 2));
	assert_true(bench->mib.notify);
}

static void test_reverting_brings_pending_rows_back(void **state)
{
	struct bench *bench = *state;
	struct varbinds *varbinds;
	const struct vb vbs[] = {I(TUNNEL, T_STATUS, 1, 0, 6), I(TUNNEL, T_STATUS, 2, 0, 5)};
	size_t blamed;

	ACCEPT(bench, I(TUNNEL, T_STATUS, 1, 0, 5), X(TUNNEL, 2, 1, 0, "kept"));
	varbinds = varbinds_new(&bench->mib);
	assert_int_equal(add(varbinds, &vbs[0], &bench->error), 0);
	assert_int_equal(add(varbinds, &vbs[1], &bench->error), 0);
	assert_int_equal(varbinds_check(varbinds, &blamed, &bench->error), 0);
	assert_null(varbinds_edit(varbinds));
	varbinds_apply(varbinds);
	assert_int_equal(tunnel_status(bench, 1), -1);
	assert_int_equal(tunnel_status(bench, 2), 3);
	varbinds_revert(varbinds);
	assert_int_equal(tunnel_status(bench, 1), 3);
	assert_int_equal(tunnel_status(bench, 2), -1);
	varbinds_free(varbinds);
}

static size_t add_all(struct bench *bench, struct varbinds *varbinds, const struct vb *vbs)
{
	size_t blamed;

	for (; vbs->table; vbs++)
		assert_int_equal(add(varbinds, vbs, &bench->error), 0);
	assert_int_equal(varbinds_check(varbinds, &blamed, &bench->error), 0);
	return bench->mib.pending.count;
}

static long session_status(struct bench *bench, uint32_t t, uint32_t s)
{
	return get(bench, SESSION, S_STATUS, t, s);
}

static void test_a_destroyed_tunnel_takes_its_pending_sessions(void **state)
{
	struct bench *bench = *state;

	ACCEPT(bench, CREATE(1), I(TUNNEL, T_STATUS, 2, 0, 5), I(TUNNEL, T_STATUS, 3, 0, 5));
	ACCEPT(bench, I(SESSION, S_STATUS, 1, 11, 5), I(SESSION, S_STATUS, 2, 21, 5),
	       I(SESSION, S_STATUS, 2, 22, 5), I(SESSION, S_STATUS, 3, 31, 5));
	ACCEPT(bench, I(TUNNEL, T_STATUS, 1, 0, 6), I(TUNNEL, T_STATUS, 2, 0, 6));
	assert_int_equal(session_status(bench, 1, 11), -1);
	assert_int_equal(session_status(bench, 2, 21), -1);
	assert_int_equal(session_status(bench, 2, 22), -1);
	assert_int_equal(session_status(bench, 3, 31), 3);
	assert_int_equal(bench->mib.pending.count, 2);
}

static void test_reverting_brings_them_back(void **state)
{
	struct bench *bench = *state;
	struct varbinds *varbinds;
	const struct vb vbs[] = {I(TUNNEL, T_STATUS, 1, 0, 6), I(SESSION, S_STATUS, 1, 11, 6),
				 I(SESSION, S_STATUS, 1, 13, 5), END};
	size_t before;

	ACCEPT(bench, I(TUNNEL, T_STATUS, 1, 0, 5), I(SESSION, S_STATUS, 1, 11, 5),
	       I(SESSION, S_STATUS, 1, 12, 5), X(SESSION, 2, 1, 12, "kept"));
	varbinds = varbinds_new(&bench->mib);
	before = add_all(bench, varbinds, vbs);
	varbinds_apply(varbinds);
	assert_int_equal(session_status(bench, 1, 11), -1);
	assert_int_equal(session_status(bench, 1, 12), -1);
	assert_int_equal(session_status(bench, 1, 13), 3);
	varbinds_revert(varbinds);
	assert_int_equal(bench->mib.pending.count, before);
	assert_int_equal(tunnel_status(bench, 1), 3);
	assert_int_equal(session_status(bench, 1, 11), 3);
	assert_int_equal(session_status(bench, 1, 12), 3);
	assert_int_equal(session_status(bench, 1, 13), -1);
	varbinds_free(varbinds);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row_status_table),
		T(test_activation_with_the_missing_columns),
		T(test_varbinds_in_any_order),
		T(test_status_looks_at_counters),
		T(test_pending_row_column_by_column),
		T(test_a_row_made_while_the_one_before_it_is_being_removed),
		T(test_what_rows_outside_of_the_configuration_read),
		T(test_a_foreign_row_hides_a_pending_one),
		T(test_pending_rows_are_bounded_and_age),
		T(test_wrong_type_of_every_column),
		T(test_range_of_every_number),
		T(test_length_of_every_string),
		T(test_words_of_every_enumeration),
		T(test_every_column_can_be_set_to_what_it_reads),
		T(test_which_error_on_which_varbind),
		T(test_a_pending_session_whose_tunnel_is_not_configured),
		T(test_what_the_error_is_about),
		T(test_addresses_come_in_two_columns),
		T(test_address_and_interface_stand_together),
		T(test_zero_where_it_does_not_apply),
		T(test_ethernet_vlan_needs_its_vlan),
		T(test_all_or_nothing_over_tables),
		T(test_destroying_a_tunnel_with_its_sessions),
		T(test_a_kernel_that_refuses_undoes_all),
		T(test_spin_lock),
		T(test_notification_switch),
		T(test_reverting_brings_pending_rows_back),
		T(test_a_destroyed_tunnel_takes_its_pending_sessions),
		T(test_reverting_brings_them_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
