/*
 * Get, GetNext and GetBulk from any bytes: every well-formed one gets one well-formed answer, with
 * a variable for each range that is what was asked for, and the same answer in steps. The input is
 * the PDU's contents after the header, whose length is made to fit; its first byte has type and
 * flags. Half of the inputs are such bytes, the others say which columns and rows to name.
 */
#include <assert.h>

#include "answer.h"
#include "model/codec.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define CONTEXT     0x08
#define NETWORK     0x10
#define END_OF_VIEW 130

static struct mib mib;

/* Rows of each kind, and one that lacks columns. */
static void fill(void)
{
	static const uint32_t ids[] = {1, 2, 3, 2147483648U, 4294967295U};
	struct datastore *store = datastore_new();
	struct pending_row *row = pending_new(OBJECT_TUNNEL, 4, 0);

	assert(store && row);
	mib_init(&mib, NULL, store);
	for (size_t i = 0; i < 5; i++) {
		struct tunnel tunnel = {.tunnel_id = ids[i], .peer_tunnel_id = 7};
		struct session session = {.session_id = ids[i],
					  .pseudowire_type =
						  i % 2 ? PSEUDOWIRE_PPP : PSEUDOWIRE_ETHERNET};

		assert(datastore_configure(store, ids[i], 0, &tunnel));
		assert(datastore_configure(store, ids[i % 2], ids[i], &session));
	}
	pending_put(&mib.pending, row);
}

/* ---- the request */

struct request {
	uint8_t bytes[4096];
	size_t length;
};

static void put(struct request *request, const void *bytes, size_t length)
{
	if (length > sizeof(request->bytes) - request->length)
		length = sizeof(request->bytes) - request->length;
	memcpy(request->bytes + request->length, bytes, length);
	request->length += length;
}

static void put_oid(struct request *request, const struct pdu_oid *name)
{
	bool network = request->bytes[2] & NETWORK;
	const uint8_t head[] = {(uint8_t)name->length, 0, name->include, 0};

	put(request, head, sizeof(head));
	for (size_t i = 0; i < name->length; i++) {
		uint32_t id = (uint32_t)name->ids[i];
		const uint8_t big[] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
				       (uint8_t)id};
		const uint8_t little[] = {big[3], big[2], big[1], big[0]};

		put(request, network ? big : little, 4);
	}
}

/* A column, shortened or with an index behind it: four bytes of the input say so. */
static struct pdu_oid name_of(const unsigned char *data)
{
	static const oid ids[] = {0, 1, 2, 3, 4, 5, 2147483648UL, 4294967295UL};
	const struct column *column = column_first();
	struct pdu_oid name = {.include = data[1] & 1};

	for (unsigned int n = data[0]; n > 0 && column_next(column); n--)
		column = column_next(column);
	name.length = column->length - (data[1] & 2 ? data[2] % 8 : 0);
	memcpy(name.ids, column->name, name.length * sizeof(oid));
	for (unsigned int i = 0; !(data[1] & 2) && i < data[2] % 4; i++)
		name.ids[name.length++] = ids[data[3] >> (3 * i) & 7];
	return name;
}

static void make(struct request *request, const unsigned char *data, size_t size)
{
	uint8_t type = PDU_GET + data[0] % 3, flags = data[0] & (NETWORK | CONTEXT);
	size_t left = 0;

	memcpy(request->bytes, (const uint8_t[PDU_HEADER_LENGTH]){1, type, flags},
	       PDU_HEADER_LENGTH);
	request->length = PDU_HEADER_LENGTH;
	if (data[0] & 0x80) {
		put(request, data + 1, size - 1);
	} else {
		if (flags & CONTEXT)
			put(request, (const uint8_t[4]){0}, 4);
		if (type == PDU_GET_BULK && size > 4)
			put(request, (const uint8_t[4]){0, data[1] % 4, 0, data[2] % 8}, 4);
		for (size_t at = 5; at + 8 <= size && request->length < 3000; at += 8) {
			struct pdu_oid start = name_of(data + at), end = name_of(data + at + 4);

			put_oid(request, &start);
			end.length = data[at] & 0x80 ? 0 : end.length;
			put_oid(request, &end);
		}
	}
	left = request->length - PDU_HEADER_LENGTH;
	for (unsigned int i = 0; i < 4; i++)
		request->bytes[16 + i] = (uint8_t)(left >> 8 * (flags & NETWORK ? 3 - i : i));
}

/* ---- the answer */

static size_t answer(const struct request *request, int64_t until, uint8_t *ret,
		     enum answer_step *ret_step)
{
	struct answer answer;
	size_t length = 0;

	answer_start(&answer, &mib, NULL, request->bytes, request->length, ret);
	do
		*ret_step = answer_go_on(&answer, until, &length);
	while (*ret_step == ANSWER_LATER);
	return length;
}

static int compare(const struct pdu_oid *a, const struct pdu_oid *b)
{
	return snmp_oid_compare(a->ids, a->length, b->ids, b->length);
}

/* What was found lies in the range. */
static void judge(const struct pdu_oid *start, const struct pdu_oid *end, unsigned int type,
		  const struct pdu_oid *name, bool is_get)
{
	if (is_get || type == END_OF_VIEW) {
		assert(compare(name, start) == 0 || start->length == 0);
		return;
	}
	assert(compare(name, start) > 0 || (start->include && compare(name, start) == 0));
	assert(end->length == 0 || compare(name, end) < 0);
}

static void check(const struct request *request, const uint8_t *bytes, size_t length)
{
	struct pdu_octets context;
	struct pdu_reader asked = pdu_contents(request->bytes, request->length, &context);
	struct pdu_reader got = pdu_contents(bytes, length, &context);
	bool is_bulk = request->bytes[1] == PDU_GET_BULK;
	struct pdu_oid start, end, name;
	unsigned int type;

	for (unsigned int i = 0; i < 4; i++)
		pdu_take_16(&got);
	for (unsigned int i = 0; is_bulk && i < 2; i++)
		pdu_take_16(&asked);                           /* non-repeaters, repetitions */
	while (asked.left > 0 && (!is_bulk || got.left > 0)) { /* of GetBulk the first times */
		pdu_take_oid(&asked, &start);
		pdu_take_oid(&asked, &end);
		type = pdu_take_variable(&got, &name);
		judge(&start, &end, type, &name, request->bytes[1] == PDU_GET);
	}
	assert(is_bulk || got.left == 0);
	assert(!got.bad && !asked.bad);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static uint8_t at_once[PDU_MAX], in_steps[PDU_MAX];
	static struct request request;
	enum answer_step step, again;
	size_t length;

	if (!mib.store)
		fill();
	if (size < 1)
		return 0;
	make(&request, data, size);
	if (!pdu_check(request.bytes, request.length))
		return 0;
	length = answer(&request, INT64_MAX, at_once, &step);
	assert(length >= PDU_RESPONSE_LENGTH && length <= PDU_MAX);
	assert(pdu_header(at_once).size == length && pdu_check(at_once, length));
	if (step == ANSWER_DONE)
		check(&request, at_once, length);
	assert(answer(&request, 0, in_steps, &again) == length && again == step);
	assert(memcmp(at_once, in_steps, length) == 0);
	return 0;
}
