/* A record: one tunnel or session of a reply, typed, with the texts that the daemon sent. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include "cli/grammar.h"
#include "client/client.h"

struct record {
	const struct client_entry *entry;
	union {
		struct tunnel tunnel;
		struct session session;
	} config;
};

/*
 * Make a record of an entry, which must outlive it. @complete: with the defaults that hold, which
 * takes longer. Leaves out texts that the codec refuses: objects made by others may have addresses,
 * ports and names that we would not accept.
 */
void record_read(const struct client_entry *entry, bool complete, struct record *ret);

/*
 * Is it a leaf that the kernel does not report, so that its default may not hold for an object made
 * by others?
 */
bool record_untold(const struct row *row);

/*
 * The value's text: as sent, or else the default that holds, written to @buffer; NULL when there is
 * none.
 */
const char *record_text(const struct record *record, const struct row *row,
			char buffer[VALUE_TEXT_MAX]);

/*
 * Is it deleted, but not yet released by the kernel? Such an entry has an identifier and a status,
 * and nothing else.
 */
bool record_is_remnant(const struct record *record);

/* Does it meet every condition of @request on its kind of object? */
bool record_matches(const struct record *record, const struct request *request);

/*
 * Is it not up, and should be? @tunnel_disabled: its tunnel is. The record needs its oper-status,
 * status-reason and origin.
 */
bool record_is_problem(const struct record *record, bool tunnel_disabled);
/* Was it disabled by its configuration? */
bool record_is_disabled(const struct record *record);
/* A leaf as sent, "" if it was not. */
const char *record_sent(const struct record *record, const char *leaf);

/* The states that a problem may be in, the worst first; ends with 0. */
extern const enum oper_status problem_states[];
/* Is that oper-status, as sent, one of them? */
bool is_problem_status(const char *status);

#endif
