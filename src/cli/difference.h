/*
 * What a change would change, and what that costs: the change is made in the candidate, which is
 * compared with running, and discarded. Costs are those of the mapping table's rows.
 */
#ifndef CLI_DIFFERENCE_H
#define CLI_DIFFERENCE_H

#include "cli/cli.h"
#include "client/client.h"

struct known {
	uint32_t tunnel_id, session_id; /* session_id 0: a tunnel */
	union {
		struct tunnel tunnel;
		struct session session;
	} config;
};

/* A configuration, in order of its ids. */
struct knowledge {
	struct known *entries;
	size_t count, room;
};

struct difference {
	uint32_t tunnel_id; /* the only one that the change is about; 0: any */
	bool staged;        /* the candidate is ours, and the edit goes there */
	struct knowledge before, after;
};

/*
 * Before the edit: lock the candidate. Where that is refused, with a note on stderr, the edit is to
 * be tested only (RFC 6241 section 7.2), and no difference is shown.
 */
int difference_begin(struct difference *difference, struct client *client, uint32_t tunnel_id,
		     struct error *err);
/* After it: test it, print the difference to @file, discard it. */
int difference_end(struct difference *difference, struct client *client, FILE *file,
		   struct error *err);
void difference_free(struct difference *difference);

/* Compare and print alone; @release: of the kernel, "" if it is not known. */
void difference_print(const struct difference *difference, const char *release, FILE *file);

/* Append what an entry has configured. A client_entry_cb; @arg is the struct knowledge. */
int knowledge_take(const struct client_entry *entry, void *arg);

#endif
