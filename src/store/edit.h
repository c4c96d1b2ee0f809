/*
 * Typed edits: every door turns a request into one before anything is looked up. An edit is a list
 * of entries in the order given; nothing in it depends on what is configured, so it can be made
 * while input arrives and applied later (candidate.h). Semantics: RFC 6241 section 7.2.
 */
#ifndef STORE_EDIT_H
#define STORE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "model/entry.h"
#include "store/config.h"

enum edit_operation {
	EDIT_NONE,    /* must exist; only the leaves that carry their own operation */
	EDIT_MERGE,   /* create or change */
	EDIT_CREATE,  /* must not exist */
	EDIT_REPLACE, /* create, or become exactly this */
	EDIT_DELETE,  /* must exist */
	EDIT_REMOVE   /* may exist */
};

static inline bool edit_removes(enum edit_operation operation)
{
	return operation == EDIT_DELETE || operation == EDIT_REMOVE;
}

/*
 * One entry. Bits are presence bits (BIT(row)). `values` has the leaves to set (with their
 * presence bits), `cleared` those to remove. `must_exist` (delete of a leaf, or EDIT_NONE
 * inherited) and `must_not_exist` (create of a leaf) are checked first.
 *
 * The values need no copy to become what is configured: applying the edit shares them, and they
 * must not be changed any more.
 */
struct edit_entry {
	struct edit_entry *next;
	uint32_t tunnel_id, session_id;    /* session_id 0: the tunnel */
	enum edit_operation operation : 8; /* small: a push has many entries */
	enum object object : 8;
	bool refused; /* leave the entry as it is: only with edit->continues */
	uint32_t cleared, must_exist, must_not_exist;
	union config *values; /* NULL: they were handed over (edit->once) */
};

_Static_assert((int)TUNNEL_CONFIG_ROWS <= 32 && (int)SESSION_CONFIG_ROWS <= 32, "a row's bit fits");

struct policy;
struct acm;

struct edit {
	/*
	 * Operation of the container: EDIT_REPLACE makes the whole configuration
	 * exactly the entries; EDIT_CREATE makes it where it is empty; EDIT_DELETE,
	 * where it is not, and EDIT_REMOVE empty it; else EDIT_MERGE.
	 */
	enum edit_operation operation;
	/*
	 * A series of commands: an entry may come again, and sees what came before. Else that is
	 * an error.
	 */
	bool commands;
	/*
	 * Apply the entries that can be applied, and leave the others out (continue-on-error):
	 * `refused` lists why.
	 */
	bool continues;
	struct error refused;
	/* It will be applied only once: applying takes the values out of its entries. */
	bool once;
	/*
	 * What its author may do; borrowed. A replaced entry keeps what that must not see. NULL:
	 * everything.
	 */
	const struct policy *policy;
	struct acm *acm; /* of NACM's configuration (acm.h); NULL: nothing; owned */
	/* A session entry follows its tunnel's. When the tunnel entry replaces, its other sessions
	 * go. */
	struct edit_entry *first, **last;
	size_t count, holding; /* entries; those that hold values */
	struct arena entries;  /* their memory */
};

struct edit *edit_new(void); /* NULL: no memory */
void edit_free(struct edit *edit);
/*
 * Free it in slices (base/cursor.h), which now own it. NULL: there was no memory, and it is freed
 * already.
 */
struct cursor *edit_free_begin(struct edit *edit);

size_t edit_memory(const struct edit *edit); /* bytes, about */

/* The values of an entry for a new owner: shared, or, with edit->once, handed over. */
const union config *edit_share_values(struct edit *edit, struct edit_entry *entry);
/* Its values are not needed any more. */
void edit_drop_values(struct edit *edit, struct edit_entry *entry);

/* Append an entry, which the edit owns; NULL: no memory. Key leaf is set in its values. */
struct edit_entry *edit_tunnel(struct edit *edit, enum edit_operation operation,
			       uint32_t tunnel_id);
struct edit_entry *edit_session(struct edit *edit, enum edit_operation operation,
				uint32_t tunnel_id, uint32_t session_id);

/* The typed struct inside, to hand to the codec. */
void *edit_values(struct edit_entry *entry);

/*
 * Add a leaf: parse its text, and set the bits of its operation. EDIT_DELETE and EDIT_REMOVE take
 * any text; EDIT_NONE only checks it. -EINVAL with err->path set; refuses a leaf given twice.
 */
int edit_leaf(struct edit_entry *entry, const struct row *row, enum edit_operation operation,
	      const char *text, size_t length, struct error *err);

#endif
