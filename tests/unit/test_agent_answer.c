/* Get, GetNext and GetBulk, octets from octets: bounds, byte orders, and answers in steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "answer.h"
#include "model/codec.h"

#define AT_ONCE      INT64_MAX
#define ONE_STEP     0
#define SESSIONS     40
#define LEAF         "description"
#define TEXT_LENGTH  64
#define NO_OBJECT    128
#define NO_INSTANCE  129
#define END_OF_VIEW  130
#define NETWORK_FLAG 0x10

struct bench {
	struct datastore *store;
	struct mib mib;
	uint8_t request[PDU_MAX];
	size_t length;
	uint8_t answer[PDU_MAX];
	size_t answer_length;
	unsigned int steps; /* that the answer took */
};

/* ---- SESSIONS sessions of tunnel 1, of Ethernet or of PPP */

static void add_tunnel(struct bench *bench)
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	struct tunnel tunnel = {0};

	codec_set_number(&rows[TUNNEL_ID], &tunnel, 1, NULL);
	codec_set_number(&rows[TUNNEL_PEER_TUNNEL_ID], &tunnel, 1, NULL);
	assert_non_null(datastore_configure(bench->store, 1, 0, &tunnel));
}

static void add_session(struct bench *bench, uint32_t id, bool ppp)
{
	const struct row *rows = row_sets[OBJECT_SESSION].rows;
	struct session session = {0};
	char text[TEXT_LENGTH];

	memset(text, 'd', sizeof(text));
	codec_set_number(&rows[SESSION_ID], &session, id, NULL);
	codec_set_number(&rows[SESSION_PEER_SESSION_ID], &session, id, NULL);
	codec_set_bytes(&rows[SESSION_DESCRIPTION], &session, text, sizeof(text), NULL);
	if (ppp)
		assert_int_equal(codec_set_number(&rows[SESSION_PSEUDOWIRE_TYPE], &session,
						  PSEUDOWIRE_PPP, NULL),
				 0);
	assert_non_null(datastore_configure(bench->store, 1, id, &session));
}

static struct bench *new_bench(bool ppp)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->store = datastore_new();
	mib_init(&bench->mib, NULL, bench->store);
	add_tunnel(bench);
	for (uint32_t id = 1; id <= SESSIONS; id++)
		add_session(bench, id, ppp);
	return bench;
}

static int setup(void **state)
{
	*state = new_bench(false);
	return 0;
}

static int setup_ppp(void **state)
{
	*state = new_bench(true);
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

/* ---- requests; the test writes them as a master does, in its order */

static bool network;

static void put_octets(struct bench *bench, const void *bytes, size_t length)
{
	memcpy(bench->request + bench->length, bytes, length);
	bench->length += length;
}

static void put_number(struct bench *bench, uint32_t number, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		size_t shift = 8 * (network ? size - 1 - i : i);

		bench->request[bench->length++] = (uint8_t)(number >> shift);
	}
}

static void begin(struct bench *bench, enum pdu_type type)
{
	const uint8_t head[] = {1, (uint8_t)type, network ? NETWORK_FLAG : 0, 0};

	bench->length = 0;
	put_octets(bench, head, sizeof(head));
	for (uint32_t i = 0; i < 4; i++)
		put_number(bench, 1000 + i, 4);
}

static void put_oid(struct bench *bench, const oid *ids, size_t length, bool include)
{
	const uint8_t head[] = {(uint8_t)length, 0, include, 0};

	put_octets(bench, head, sizeof(head));
	for (size_t i = 0; i < length; i++)
		put_number(bench, (uint32_t)ids[i], 4);
}

/* The description of session @id ... */
static size_t name_of(uint32_t id, oid name[MAX_OID_LEN])
{
	const struct row *row = row_by_leaf(OBJECT_SESSION, LEAF, strlen(LEAF));
	struct instance instance = {.column = column_find(MIB_SESSION, row->mib_column),
				    .index = {{1, id}}};

	return oid_of_instance(&instance, name);
}

static void put_name(struct bench *bench, uint32_t id, bool include)
{
	oid name[MAX_OID_LEN];

	put_oid(bench, name, name_of(id, name), include);
	put_oid(bench, NULL, 0, false);
}

/* ... up to the end of the column. */
static void put_range(struct bench *bench, uint32_t id, bool include)
{
	oid name[MAX_OID_LEN];
	size_t length = name_of(id, name);

	put_oid(bench, name, length, include);
	name[length - 3]++;
	put_oid(bench, name, length - 2, false);
}

static void end(struct bench *bench)
{
	size_t length = bench->length;

	bench->length = 16;
	put_number(bench, (uint32_t)(length - PDU_HEADER_LENGTH), 4);
	bench->length = length;
	assert_true(pdu_check(bench->request, length));
}

static enum answer_step answer(struct bench *bench, int64_t until)
{
	struct answer answer;
	enum answer_step step;

	answer_start(&answer, &bench->mib, NULL, bench->request, bench->length, bench->answer);
	bench->steps = 0;
	do {
		bench->steps++;
		step = answer_go_on(&answer, until, &bench->answer_length);
	} while (step == ANSWER_LATER);
	assert_in_range(bench->answer_length, PDU_RESPONSE_LENGTH, PDU_MAX);
	assert_true(pdu_check(bench->answer, bench->answer_length));
	return step;
}

/* ---- what was answered */

static struct pdu_reader variables(const struct bench *bench)
{
	struct pdu_octets context;
	struct pdu_reader reader = pdu_contents(bench->answer, bench->answer_length, &context);

	for (unsigned int i = 0; i < 4; i++)
		pdu_take_16(&reader); /* sysUpTime, error, index */
	return reader;
}

static unsigned int count_variables(const struct bench *bench)
{
	struct pdu_reader reader = variables(bench);
	struct pdu_oid name;
	unsigned int count = 0;

	for (; reader.left > 0; count++)
		pdu_take_variable(&reader, &name);
	return count;
}

static void expect(struct pdu_reader *reader, unsigned int type, uint32_t id)
{
	struct pdu_oid name;

	assert_int_equal(pdu_take_variable(reader, &name), type);
	assert_int_equal(name.ids[name.length - 1], id);
}

static void a_range_ends_where_it_says_and_begins_with_what_it_includes(void **state)
{
	struct bench *bench = *state;
	struct pdu_reader reader;

	for (int order = 0; order < 2; order++) {
		network = order;
		begin(bench, PDU_GET_NEXT);
		put_range(bench, 3, false);
		put_range(bench, 3, true);
		put_range(bench, SESSIONS, false);
		put_range(bench, SESSIONS + 1, true);
		end(bench);
		assert_int_equal(answer(bench, AT_ONCE), ANSWER_DONE);
		reader = variables(bench);
		expect(&reader, ASN_OCTET_STR, 4);
		expect(&reader, ASN_OCTET_STR, 3);
		expect(&reader, END_OF_VIEW, SESSIONS);
		expect(&reader, END_OF_VIEW, SESSIONS + 1);
		assert_int_equal(reader.left, 0);
	}
}

static void an_answer_says_to_what_it_is_one(void **state)
{
	struct bench *bench = *state;
	struct pdu_header header;

	for (int order = 0; order < 2; order++) {
		network = order;
		begin(bench, PDU_GET);
		put_range(bench, 1, false);
		end(bench);
		answer(bench, AT_ONCE);
		header = pdu_header(bench->answer);
		assert_int_equal(header.type, PDU_RESPONSE);
		assert_int_equal(header.network, network);
		assert_int_equal(header.session, 1000);
		assert_int_equal(header.transaction, 1001);
		assert_int_equal(header.packet, 1002);
		assert_int_equal(header.size, bench->answer_length);
	}
}

static void what_is_not_there_is_told_by_its_kind(void **state)
{
	static const oid nothing[] = {1, 3, 6, 1, 2};
	struct bench *bench = *state;
	struct pdu_reader reader;

	begin(bench, PDU_GET);
	put_range(bench, SESSIONS + 1, false);
	put_oid(bench, nothing, 5, false);
	put_oid(bench, NULL, 0, false);
	end(bench);
	answer(bench, AT_ONCE);
	reader = variables(bench);
	expect(&reader, NO_INSTANCE, SESSIONS + 1);
	expect(&reader, NO_OBJECT, 2);
}

static void an_oid_of_128_sub_identifiers_is_answered(void **state)
{
	struct bench *bench = *state;
	oid name[PDU_SUBIDS_MAX] = {1, 3, 6, 1, 255};
	struct pdu_reader reader;

	begin(bench, PDU_GET);
	name[PDU_SUBIDS_MAX - 1] = UINT32_MAX;
	put_oid(bench, name, PDU_SUBIDS_MAX, false);
	put_oid(bench, NULL, 0, false);
	end(bench);
	answer(bench, AT_ONCE);
	reader = variables(bench);
	expect(&reader, NO_OBJECT, UINT32_MAX);
}

/* Repetitions are of all repeaters, and end when there is nothing more. */
static void get_bulk_repeats_from_where_it_was(void **state)
{
	struct bench *bench = *state;
	struct pdu_reader reader;

	begin(bench, PDU_GET_BULK);
	put_number(bench, 1, 2);
	put_number(bench, 100, 2);
	put_range(bench, 7, false);            /* once */
	put_range(bench, SESSIONS - 1, true);  /* includes it the first time alone */
	put_range(bench, SESSIONS - 3, false); /* three more, then none */
	end(bench);
	answer(bench, AT_ONCE);
	reader = variables(bench);
	expect(&reader, ASN_OCTET_STR, 8);
	expect(&reader, ASN_OCTET_STR, SESSIONS - 1);
	expect(&reader, ASN_OCTET_STR, SESSIONS - 2);
	expect(&reader, ASN_OCTET_STR, SESSIONS);
	expect(&reader, ASN_OCTET_STR, SESSIONS - 1);
	expect(&reader, END_OF_VIEW, SESSIONS);
	expect(&reader, ASN_OCTET_STR, SESSIONS);
	expect(&reader, END_OF_VIEW, SESSIONS);
	expect(&reader, END_OF_VIEW, SESSIONS);
	assert_int_equal(reader.left, 0);
}

static void get_bulk_of_nothing_ends(void **state)
{
	struct bench *bench = *state;

	begin(bench, PDU_GET_BULK);
	put_number(bench, 0, 2);
	put_number(bench, UINT16_MAX, 2);
	end(bench);
	answer(bench, AT_ONCE);
	assert_int_equal(count_variables(bench), 0);
}

/* ---- too much */

static size_t one_variable(struct bench *bench)
{
	begin(bench, PDU_GET);
	put_name(bench, 1, false);
	end(bench);
	answer(bench, AT_ONCE);
	return bench->answer_length - PDU_RESPONSE_LENGTH;
}

static void an_answer_of_more_than_the_master_takes_is_too_big(void **state)
{
	struct bench *bench = *state;
	size_t most = (PDU_MAX - PDU_RESPONSE_LENGTH) / one_variable(bench);

	for (size_t count = most; count <= most + 1; count++) {
		begin(bench, PDU_GET);
		for (size_t i = 0; i < count; i++)
			put_name(bench, 1, false);
		end(bench);
		if (count == most) {
			assert_int_equal(answer(bench, AT_ONCE), ANSWER_DONE);
			assert_int_equal(count_variables(bench), most);
		} else {
			assert_int_equal(answer(bench, AT_ONCE), ANSWER_TOO_BIG);
			assert_int_equal(bench->answer_length, PDU_RESPONSE_LENGTH);
			assert_int_equal(pdu_response(bench->answer).error, PDU_TOO_BIG);
			assert_int_equal(pdu_response(bench->answer).index, 1);
		}
	}
}

static void get_bulk_gives_the_repetitions_that_fit(void **state)
{
	struct bench *bench = *state;
	unsigned int most = (unsigned int)((PDU_MAX - PDU_RESPONSE_LENGTH) / one_variable(bench));

	begin(bench, PDU_GET_BULK);
	put_number(bench, 0, 2);
	put_number(bench, 35, 2);
	for (unsigned int i = 0; i < 30; i++)
		put_name(bench, i % 5, false);
	end(bench);
	assert_in_range(most, 30, 35 * 30 - 1);
	assert_int_equal(answer(bench, AT_ONCE), ANSWER_DONE);
	assert_int_equal(count_variables(bench), most / 30 * 30);
}

/* ---- in steps */

static void expect_the_same_in_steps(struct bench *bench, unsigned int least_steps)
{
	static uint8_t before[PDU_MAX];
	size_t length;

	answer(bench, AT_ONCE);
	assert_int_equal(bench->steps, 1);
	length = bench->answer_length;
	memcpy(before, bench->answer, length);
	answer(bench, ONE_STEP);
	assert_in_range(bench->steps, least_steps, UINT32_MAX);
	assert_int_equal(bench->answer_length, length);
	assert_memory_equal(bench->answer, before, length);
}

static void what_takes_long_is_the_same_in_steps(void **state)
{
	struct bench *bench = *state;

	for (enum pdu_type type = PDU_GET; type <= PDU_GET_BULK; type++) {
		begin(bench, type);
		if (type == PDU_GET_BULK) {
			put_number(bench, 5, 2);
			put_number(bench, 9, 2);
		}
		for (uint32_t i = 0; i < 100; i++)
			put_range(bench, i, i % 3 == 0);
		end(bench);
		expect_the_same_in_steps(bench, 100 / 16);
	}
}

/* pwPeerMappingPwIndex of all sessions, whose peer is unknown. */
static void an_order_is_made_in_the_steps_of_an_answer(void **state)
{
	static const oid row[] = {1, 3, 6, 1, 2, 1, 10, 246, 1, 8, 1, 5, 0, 0, PSEUDOWIRE_ETHERNET,
				  0};
	struct bench *bench = *state;
	struct pdu_reader reader;

	for (enum pdu_type type = PDU_GET; type <= PDU_GET_NEXT; type++) {
		begin(bench, type);
		for (int i = 0; i < 2; i++) {
			put_oid(bench, row, sizeof(row) / sizeof(row[0]), true);
			put_oid(bench, NULL, 0, false);
		}
		end(bench);
		mappings_expire(&bench->mib.mappings, INT64_MAX);
		answer(bench, ONE_STEP);
		assert_in_range(bench->steps, 3, UINT32_MAX);
		assert_int_equal(count_variables(bench), 2);
		reader = variables(bench);
		expect(&reader, ASN_UNSIGNED, 0);
		expect(&reader, ASN_UNSIGNED, 0);
	}
}

/* Each column of the Ethernet tables is searched in vain. */
static void a_search_in_vain_may_be_left_and_taken_up_again(void **state)
{
	static const oid enet[] = {1, 3, 6, 1, 2, 1, 180};
	struct bench *bench = *state;
	struct pdu_reader reader;

	begin(bench, PDU_GET_NEXT);
	put_oid(bench, enet, 7, true);
	put_oid(bench, NULL, 0, false);
	end(bench);
	expect_the_same_in_steps(bench, 9);
	reader = variables(bench);
	expect(&reader, ASN_OCTET_STR, 0); /* l2tpv3Version */
	begin(bench, PDU_GET_NEXT);
	put_oid(bench, enet, 7, true);
	put_oid(bench, (const oid[]){1, 3, 6, 1, 2, 1, 180, 1, 1, 1, 5}, 11, false);
	end(bench);
	expect_the_same_in_steps(bench, 3); /* not beyond the end */
	assert_in_range(bench->steps, 3, 4);
	reader = variables(bench);
	expect(&reader, END_OF_VIEW, 180);
}

int main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_range_ends_where_it_says_and_begins_with_what_it_includes, setup),
		TEST(an_answer_says_to_what_it_is_one, setup),
		TEST(what_is_not_there_is_told_by_its_kind, setup),
		TEST(an_oid_of_128_sub_identifiers_is_answered, setup),
		TEST(get_bulk_repeats_from_where_it_was, setup),
		TEST(get_bulk_of_nothing_ends, setup),
		TEST(an_answer_of_more_than_the_master_takes_is_too_big, setup),
		TEST(get_bulk_gives_the_repetitions_that_fit, setup),
		TEST(what_takes_long_is_the_same_in_steps, setup),
		TEST(an_order_is_made_in_the_steps_of_an_answer, setup),
		TEST(a_search_in_vain_may_be_left_and_taken_up_again, setup_ppp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
