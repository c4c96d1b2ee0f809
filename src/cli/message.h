/*
 * The content of <rpc> for a request: XML written to a stream, for
 * client_rpc() and client_read().
 */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "cli/grammar.h"
#include "client/client.h"
#include "model/names.h"

/* edit-config on running for VERB_ADD, VERB_DELETE and VERB_SET. */
void message_edit(FILE *file, const struct request *request);

/*
 * The same of several requests: @request says whether it is a check, or staged; then those of each
 * tunnel together, for an entry may be there only once.
 */
void message_edit_begin(FILE *file, const struct request *request);
void message_edit_tunnel(FILE *file, const struct request *const *requests, size_t count);
void message_edit_end(FILE *file, const char *comment);
/* What the history shall say of it, after <config>; NULL: nothing. */
void message_comment(FILE *file, const char *comment);

/*
 * get, or get-config on running. Includes keys among the conditions, so that the daemon sends only
 * what is asked for. @rows: the leaves wanted, by row number; without session rows, no sessions.
 */
void message_get(FILE *file, const struct request *request, const uint64_t rows[OBJECTS],
		 bool config_only);

/* Send that, and pass the reply to @cb entry by entry. */
enum cli_status message_read(const struct cli_options *options, const struct request *request,
			     const uint64_t rows[OBJECTS], bool config_only, client_entry_cb *cb,
			     void *arg, struct error *err);

/* The adopt rpc: of a tunnel, or of all if it has no id. */
void message_adopt(FILE *file, const struct request *request);

/* The rows of an object in parts up to @last; PART_STATE, say, means all but the counters. */
uint64_t message_rows(enum object object, enum part last);

#endif
