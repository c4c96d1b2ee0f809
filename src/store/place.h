/*
 * An entry's place: the layers it counts in, the tree it is in, the name or endpoint it is indexed
 * by. Note it before the entry changes, and put the entry in its new place afterwards. Private to
 * datastore.c.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/index.h"

struct standing {
	unsigned int shown, configured, nameless, watched; /* bits of layers */
	uint8_t status, reason;
};

struct session_place {
	struct standing standing;
	char name[IFNAME_LENGTH + 1]; /* indexed by this; "": not indexed */
	struct change *indexed;       /* under ... */
	char top[IFNAME_LENGTH + 1];  /* ... another; NULL none */
};

struct tunnel_place {
	struct standing standing;
	bool bound;
	struct endpoint endpoint; /* indexed by this, if bound */
	struct change *indexed;   /* under another; NULL none */
};

union place {
	struct tunnel_place tunnel;
	struct session_place session;
};

void note_place(const struct entry *entry, union place *ret);
/* False if nothing keeps it and it is gone; a session may take its tunnel along. */
bool put_in_place(struct entry *entry, const union place *old);
static inline bool lacks_index(const struct session_entry *session)
{
	return session->entry.in_kernel && !session->state.if_index;
}

/* Leave its status out of the counts while it changes, and count it again. */
void discount_status(const struct entry *entry);
void recount_status(const struct entry *entry);

#endif
