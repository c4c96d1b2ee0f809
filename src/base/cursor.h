/*
 * Cursors: work that grows with what is asked, done in slices between which the
 * event loop serves others. One shape for all of it:
 *
 *	cursor = candidate_apply_begin(candidate, edit, err);
 *	while ((rc = cursor_step(cursor, budget)) > 0)
 *		(the loop goes round)
 *	cursor_free(cursor);
 *
 * begin only notes what is to be done; NULL, with the reason in @err: no memory.
 * A step does at most @budget units; a unit is the work on about one entry: some
 * microseconds, whatever there is. The outcome does not depend on the budget.
 *
 * On an error the cursor takes back what it did, in steps too: @err says at once
 * what is wrong, and the step that ends the taking back returns it. So whoever
 * gets a negative result finds everything as it was before begin. Abandoning
 * turns a cursor round the same way, to end in -ECANCELED; one whose outcome is
 * decided (it frees, merges what is published, or is at its last touches) goes
 * on, and ends in 0.
 *
 * The caller owns the cursor and frees it at its end, or before: then the rest
 * is done at once, as if it were abandoned. What begin was given is borrowed:
 * it stays where it is, and nobody else changes it until the end.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

struct cursor;

/* > 0: there is more; 0: done; negative errno: refused, failed, or -ECANCELED. Then always that. */
int cursor_step(struct cursor *cursor, size_t budget);
void cursor_abandon(struct cursor *cursor);
void cursor_free(struct cursor *cursor); /* accepts NULL */

/* All of it at once, and free it. NULL is begin's want of memory: -ENOMEM. */
int cursor_run(struct cursor *cursor);

/* For those who make them: `struct cursor` is the first member of their own, got by calloc(). */

struct cursor_kind {
	/* A unit of the work: > 0: more; 0: done; negative errno: @err of begin says why. */
	int (*forth)(struct cursor *cursor);
	/* A unit of taking it back: > 0: more; 0: all is as it was. NULL: there is nothing to. */
	int (*back)(struct cursor *cursor);
	/* Free what the cursor has of its own, not itself. NULL: nothing. */
	void (*close)(struct cursor *cursor);
};

struct cursor {
	const struct cursor_kind *kind;
	int result; /* that it will end in, or ended in */
	bool turned, ended;
	bool decided; /* set by its maker: it does not fail and cannot be abandoned any more */
};

/* A zeroed one of @size bytes; NULL: no memory. */
void *cursor_new(const struct cursor_kind *kind, size_t size);

/*
 * One that is several, one after the other: the first member of its maker's own
 * cursor. A part begins the next: 0 with it in @ret, or NULL there when it has nothing
 * to do; negative errno: refused, as by forth(). @parts ends with NULL. What a part has
 * done is its maker's to take back.
 */
struct sequence;
typedef int sequence_part(struct sequence *sequence, struct cursor **ret);

struct sequence {
	struct cursor cursor;
	sequence_part *const *part; /* the next */
	struct cursor *under_way;   /* of the one before; NULL: none is */
};

/* A zeroed one of @size bytes; NULL: no memory. */
void *sequence_new(sequence_part *const *parts, size_t size);

#endif
