/* Part of validation: what must be unique in the namespace. Private to validate.c. */
#ifndef STORE_UNIQUE_H
#define STORE_UNIQUE_H

#include "base/sort.h"
#include "store/candidate.h"

struct claim;
struct kind;

struct unique {
	const struct candidate *candidate;
	const struct kind *const *kind; /* the one being checked */
	unsigned int phase;             /* ... how far */
	struct change *at;              /* the next to ask for its claims */
	struct claim *claims, *spare, *sorted;
	size_t count, room;
	bool in_order; /* as collected: there is nothing to sort */
	struct sort sort;
	size_t next; /* sorted one to check */
	bool all;    /* return at each conflict, to be called again */
	int refused; /* else the kind's outcome if nothing worse is found: @err is set */
	struct error *err;
};

/* @all: find all conflicts. A unit that returns one may be followed by more units. */
void unique_begin(struct unique *unique, const struct candidate *candidate, bool all,
		  struct error *err);
int unique_unit(struct unique *unique); /* as forth() of base/cursor.h */
void unique_end(struct unique *unique);

#endif
