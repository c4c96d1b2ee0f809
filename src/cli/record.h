/*
 * A record: one tunnel or session of a reply, typed, beside the texts as the
 * daemon sent them.
 */
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
 * From an entry, which must outlive it. @complete: with the defaults that hold,
 * which takes its time. Texts that the codec does not take are left out: what
 * others made may have addresses, ports and names that we would refuse.
 */
void record_read(const struct client_entry *entry, bool complete, struct record *ret);

/* Has it a default that need not hold when others made the object, as the kernel does not tell? */
bool record_untold(const struct row *row);

/* The value's text, as sent or else completed; NULL when there is none. @buffer may hold it. */
const char *record_text(const struct record *record, const struct row *row,
			char buffer[VALUE_TEXT_MAX]);

/*
 * Deleted, but the kernel has not let go of it yet: it has an identifier and a
 * status, and nothing else.
 */
bool record_is_remnant(const struct record *record);

/* Does it meet every condition of @request that is about its kind of object? */
bool record_matches(const struct record *record, const struct request *request);

#endif
