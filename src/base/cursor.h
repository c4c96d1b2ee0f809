/*
 * Cursors: work that grows with the request, done in slices between which the event loop serves
 * others. All of it has one shape:
 *
 *	cursor = candidate_apply_begin(candidate, edit, err);
 *	while ((rc = cursor_step(cursor, budget)) > 0)
 *		(the loop turns)
 *	cursor_free(cursor);
 *
 * begin only notes what to do; it returns NULL, with the reason in @err, when there is no memory. A
 * step does at most @budget units. A unit is the work on about one entry, some microseconds
 * whatever the size of the configuration. The outcome does not depend on the budget.
 *
 * On an error the cursor rolls back, in steps too: @err gets the reason at once, the step that
 * completes the rollback returns the error, and everything is then as it was before begin. An
 * abandoned cursor rolls back the same way and ends in -ECANCELED, unless it is decided (it is
 * freeing, or merging what is published, or finishing): then it goes on and ends in 0.
 *
 * The caller owns the cursor and frees it at its end. Freed earlier, it is abandoned, and does the
 * rest at once. What begin is given is borrowed: until the end it must not move, and nobody else
 * may change it.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

struct cursor;

/*
 * > 0: there is more; 0: done; negative errno: refused, failed, or -ECANCELED. After the end every
 * step returns the same.
 */
int cursor_step(struct cursor *cursor, size_t budget);
void cursor_abandon(struct cursor *cursor);
void cursor_free(struct cursor *cursor); /* accepts NULL */

/* Do all of it at once, and free it. @cursor NULL (begin had no memory): -ENOMEM. */
int cursor_run(struct cursor *cursor);

/* For those who implement cursors: `struct cursor` is the first member of a struct of their own. */

struct cursor_kind {
	/* Do a unit. > 0: more; 0: done; negative errno: begin's @err says why. */
	int (*forth)(struct cursor *cursor);
	/* Roll a unit back. > 0: more; 0: all is as it was. NULL: nothing to roll back. */
	int (*back)(struct cursor *cursor);
	/* Free what the cursor owns, but not the cursor. NULL: it owns nothing. */
	void (*close)(struct cursor *cursor);
};

struct cursor {
	const struct cursor_kind *kind;
	size_t budget; /* units left in this step, the one under way included */
	int result;    /* what it will return, or returned, at its end */
	bool turned, ended;
	bool decided; /* set by the implementation: can neither fail nor be abandoned any more */
};

/* A zeroed cursor of @size bytes; NULL: no memory. */
void *cursor_new(const struct cursor_kind *kind, size_t size);

/*
 * A cursor that runs several in sequence; the first member of the implementation's struct. A part
 * begins the next cursor: 0 with it in @ret, or with NULL there when there is nothing to do; a
 * negative errno refuses, as forth() does. @parts ends with NULL. The implementation rolls back
 * what completed parts did.
 */
struct sequence;
typedef int sequence_part(struct sequence *sequence, struct cursor **ret);

struct sequence {
	struct cursor cursor;
	sequence_part *const *part; /* the next */
	struct cursor *under_way;   /* begun by the part before it; NULL: none */
};

/* A zeroed cursor of @size bytes; NULL: no memory. */
void *sequence_new(sequence_part *const *parts, size_t size);

#endif
