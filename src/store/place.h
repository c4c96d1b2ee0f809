/*
 * An entry's place: in which layers it counts, in which tree it is, under which
 * name or endpoint. Note it before the entry changes, and put the entry in its
 * new place after. Private to datastore.c.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/index.h"

/* Bits of layers. */
struct standing {
	unsigned int shown, configured, up, nameless, watched;
};

struct session_place {
	struct standing standing;
	char name[IFNAME_LENGTH + 1]; /* under which it is indexed, "" not at all */
	struct change *indexed;       /* under ... */
	char top[IFNAME_LENGTH + 1];  /* ... another; NULL none */
};

struct tunnel_place {
	struct standing standing;
	bool bound;
	struct endpoint endpoint; /* under which it is indexed, if bound */
	struct change *indexed;   /* under another; NULL none */
};

union place {
	struct tunnel_place tunnel;
	struct session_place session;
};

void note_place(const struct entry *entry, union place *ret);
/* False when nothing kept it, and it is gone; with a session its tunnel may go. */
bool put_in_place(struct entry *entry, const union place *old);
/* Its status has changed from one that is up, or to one. */
void recount_up(struct entry *entry, bool was_up, bool is_up);

#endif
