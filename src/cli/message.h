/*
 * The content of <rpc> for a request: XML written to a stream, for
 * client_rpc() and client_read().
 */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "cli/grammar.h"

#define BASE_NAMESPACE     "urn:ietf:params:xml:ns:netconf:base:1.0"
#define MODULE_NAMESPACE   "urn:l2tpv3d:yang:linux-l2tpv3"
#define MODULE_NAME        "linux-l2tpv3"
#define ELEMENT_CONTAINER  "l2tpv3"
#define ELEMENT_STATISTICS "statistics"

/* edit-config on running for VERB_ADD, VERB_DELETE and VERB_SET. */
void message_edit(FILE *file, const struct request *request);

/*
 * get, or get-config on running. Keys among the conditions go along, so that
 * the daemon need not send what is not asked for. @rows: the leaves wanted, by
 * row number; no session row, no sessions.
 */
void message_get(FILE *file, const struct request *request, const uint64_t rows[OBJECTS],
		 bool config_only);

/* The adopt rpc. */
void message_adopt(FILE *file, const struct request *request);

/* The rows of an object in parts up to @last, such as PART_STATE for all but the counters. */
uint64_t message_rows(enum object object, enum part last);

#endif
