#include "answer.h"

#include <string.h>

#include "base/clock.h"

#define BETWEEN_LOOKS 16 /* variables, at the clock */

enum { NO_SUCH_OBJECT = 128, NO_SUCH_INSTANCE, END_OF_MIB_VIEW };

static bool is_context(const struct answer *answer, const char *name, struct pdu_octets given)
{
	size_t length = answer->header.context ? given.length : 0;

	if (!name)
		return length == 0;
	return length == strlen(name) && memcmp(given.bytes, name, length) == 0;
}

void answer_start(struct answer *answer, struct mib *mib, const char *context,
		  const uint8_t *request, size_t size, uint8_t *ret)
{
	struct pdu_octets given;
	struct pdu_reader reader = pdu_contents(request, size, &given);

	answer->mib = mib;
	answer->header = pdu_header(request);
	answer->served = is_context(answer, context, given);
	answer->repeated = answer->found = answer->searching = false;
	answer->repeaters = answer->before = (struct pdu_reader){.at = NULL};
	answer->repetitions = 0;
	answer->ranges = reader;
	if (answer->header.type == PDU_GET_BULK) {
		unsigned int once = pdu_take_16(&reader);

		answer->repetitions = pdu_take_16(&reader);
		answer->ranges = answer->repeaters = reader;
		pdu_skip_ranges(&answer->repeaters, once);
		answer->ranges.left -= answer->repeaters.left;
	}
	answer->writer = pdu_begin_response(ret, PDU_MAX, &answer->header, given,
					    &(struct pdu_response){.error = PDU_NO_ERROR});
	answer->pass = answer->writer.length;
}

/* ---- one variable */

static void put(struct answer *answer, const struct pdu_oid *name, uint16_t type)
{
	pdu_put_variable(&answer->writer, name->ids, name->length,
			 &(struct pdu_value){.type = type});
}

static void put_value(struct answer *answer, const oid *name, size_t length,
		      const struct value *value)
{
	struct pdu_value put = {.type = value->type};

	if (value->type == ASN_OCTET_STR)
		put.octets = (struct pdu_octets){value->bytes, value->length};
	else if (value->type == ASN_COUNTER64)
		put.number = (uint64_t)value->number.counter.high << 32 | value->number.counter.low;
	else
		put.number = (uint64_t)value->number.integer;
	pdu_put_variable(&answer->writer, name, length, &put);
	answer->found = true;
}

/* False: later. */
static bool get(struct answer *answer, int64_t until)
{
	const struct pdu_oid *name = &answer->start;
	enum oid_fault fault = OID_NO_OBJECT;
	struct value value;

	if (answer->served)
		fault = mib_get(answer->mib, name->ids, name->length, until, &value);
	if (fault == OID_FINE)
		put_value(answer, name->ids, name->length, &value);
	else if (fault != OID_LATER)
		put(answer, name, fault == OID_NO_INSTANCE ? NO_SUCH_INSTANCE : NO_SUCH_OBJECT);
	answer->searching = fault == OID_LATER;
	return !answer->searching;
}

static bool is_before_end(const struct answer *answer, const oid *name, size_t length)
{
	const struct pdu_oid *end = &answer->end;

	return end->length == 0 || snmp_oid_compare(name, length, end->ids, end->length) < 0;
}

/* Where the search begins: at the start itself, if it counts. False: nothing of ours follows. */
static bool begin_search(struct answer *answer)
{
	const struct pdu_oid *start = &answer->start;

	if (!answer->served)
		return false;
	return (start->include &&
		oid_to_instance(start->ids, start->length, &answer->at) == OID_FINE) ||
	       oid_to_start(start->ids, start->length, &answer->at);
}

/* False: later. */
static bool search(struct answer *answer, int64_t until)
{
	const struct pdu_oid *end = &answer->end;
	oid name[MAX_OID_LEN];
	struct value value;
	size_t length;

	switch (mib_search(answer->mib, &answer->at, end->ids, end->length, until, &value)) {
	case SEARCH_LATER:
		return false;
	case SEARCH_FOUND:
		length = oid_of_instance(&answer->at, name);
		if (is_before_end(answer, name, length)) {
			put_value(answer, name, length, &value);
			return true;
		}
		/* fall through */
	default:
		put(answer, &answer->start, END_OF_MIB_VIEW);
		return true;
	}
}

/* False: later. */
static bool get_next(struct answer *answer, int64_t until)
{
	if (!answer->searching && !begin_search(answer)) {
		put(answer, &answer->start, END_OF_MIB_VIEW);
		return true;
	}
	answer->searching = !search(answer, until);
	return !answer->searching;
}

/* ---- all of them */

/* GetBulk: the repeaters once more, unless the last time found nothing. */
static bool begin_repetition(struct answer *answer)
{
	const struct pdu_writer *writer = &answer->writer;

	if (answer->repetitions == 0 || answer->repeaters.left == 0 ||
	    (answer->repeated && !answer->found))
		return false;
	if (answer->repeated)
		answer->before = (struct pdu_reader){.at = writer->start + answer->pass,
						     .left = writer->length - answer->pass,
						     .network = writer->network};
	answer->repetitions--;
	answer->ranges = answer->repeaters;
	answer->pass = writer->length;
	answer->repeated = true;
	answer->found = false;
	return true;
}

static void take_range(struct answer *answer)
{
	pdu_take_oid(&answer->ranges, &answer->start);
	pdu_take_oid(&answer->ranges, &answer->end);
	if (!answer->before.at)
		return;
	pdu_take_variable(&answer->before, &answer->start);
	answer->start.include = false;
}

/* GetBulk gives as many repetitions as fit. */
static enum answer_step end_full(struct answer *answer, size_t *ret_length)
{
	if (answer->before.at) {
		pdu_forget(&answer->writer, answer->pass);
		*ret_length = pdu_end_response(&answer->writer);
		return ANSWER_DONE;
	}
	pdu_put_response(answer->writer.start, &answer->header,
			 &(struct pdu_response){.error = PDU_TOO_BIG, .index = 1});
	*ret_length = PDU_RESPONSE_LENGTH;
	return ANSWER_TOO_BIG;
}

static bool more(struct answer *answer)
{
	return answer->searching || answer->ranges.left > 0 || begin_repetition(answer);
}

enum answer_step answer_go_on(struct answer *answer, int64_t until, size_t *ret_length)
{
	for (unsigned int n = 1; more(answer); n++) {
		if (!answer->searching)
			take_range(answer);
		if (!(answer->header.type == PDU_GET ? get(answer, until)
						     : get_next(answer, until)))
			return ANSWER_LATER;
		if (answer->writer.full)
			return end_full(answer, ret_length);
		if (n % BETWEEN_LOOKS == 0 && clock_now() > until)
			return ANSWER_LATER;
	}
	*ret_length = pdu_end_response(&answer->writer);
	return ANSWER_DONE;
}
