/*
 * Answers Get, GetNext and GetBulk (RFC 2741 section 7.2.3), octets from octets. Knows neither
 * net-snmp's agent nor sockets.
 */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include "mib.h"
#include "pdu.h"

/* One under way. */
struct answer {
	struct mib *mib;
	struct pdu_header header;
	bool served;                 /* the context is ours */
	struct pdu_reader ranges;    /* of this pass; GetBulk has one for each repetition */
	struct pdu_reader repeaters; /* what each repetition is for */
	struct pdu_reader before;    /* the variables of the repetition before this one */
	unsigned int repetitions;    /* to come */
	bool repeated;               /* `before` tells where to go on */
	bool found;                  /* this pass has found something */
	struct pdu_writer writer;
	size_t pass; /* where in the answer it begins */
	bool searching;
	struct pdu_oid start, end; /* of the range being searched, or the variable to get */
	const uint8_t *end_at;     /* an end like that in the request; NULL: none yet */
	struct instance at;        /* ... and how far the search is */
};

/*
 * @request is well-formed (pdu_check()) and stays where it is until the answer is complete.
 * @context: the name of the one that is served, NULL: the default one. @ret has room for PDU_MAX.
 */
void answer_start(struct answer *answer, struct mib *mib, const char *context,
		  const uint8_t *request, size_t size, uint8_t *ret);

enum answer_step {
	ANSWER_LATER, /* it is @until (clock_now()), more or less: go on another time */
	ANSWER_DONE,
	ANSWER_TOO_BIG /* done too: PDU_MAX was not enough, as the answer says */
};

/* *ret_length: of the complete answer. */
enum answer_step answer_go_on(struct answer *answer, int64_t until, size_t *ret_length);

#endif
