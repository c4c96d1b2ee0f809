/*
 * Subtree filters (RFC 6241 section 6), compiled against the mapping table so
 * that entries named by their key are looked up and not searched for. Pure: no
 * datastore, no output.
 *
 * Where the RFC leaves room: a filter node without a namespace matches any; the
 * key of an entry is returned with whatever of it was selected; an entry of
 * which nothing was selected is left out; values are compared in canonical
 * form. There are no attributes in the data, so a node with one matches nothing.
 */
#ifndef NETCONF_FILTER_H
#define NETCONF_FILTER_H

#include "netconf/node.h"
#include "netconf/view.h"

/* Alternatives without a key, or for one key, beside each other: each costs time per entry. */
#define FILTER_ALTERNATIVES 32

struct filter_node;

/* The filter nodes for one list: those with a key in its order, then the others. */
struct filter_level {
	struct filter_node **nodes;
	size_t count, keyed;
	struct filter_node *first; /* while compiling */
};

struct filter {
	struct arena memory;
	struct filter_level tunnels;
	bool reads_state; /* state or statistics decide what matches */
};

/* Its start tag: refuses what is no subtree filter. */
int filter_check(const struct node *element, struct error *err);

/*
 * Compile @element, <filter>, or NULL for no filter, step by step: a step is the
 * work on some nodes of it, at most some milliseconds. @secrets: may secret
 * leaves be compared? @filter, which is filter_free()'s in any case, and
 * @element stay where they are meanwhile. Close the compiler in any case.
 */
struct filter_compiler *filter_compiler_open(struct filter *filter, const struct node *element,
					     bool secrets); /* NULL: no memory */
/* > 0: there is more; 0: @filter is good; < 0: more alternatives than FILTER_ALTERNATIVES. */
int filter_compiler_step(struct filter_compiler *compiler, struct error *err);
void filter_compiler_close(struct filter_compiler *compiler); /* Accepts NULL. */

void filter_free(struct filter *filter);

/* What a filter selects of an entry. */
struct filter_hit {
	bool whole;    /* all of it, sessions too */
	uint64_t rows; /* else these leaves, and what `levels` selects of its sessions */
	const struct filter_level *levels[2 * FILTER_ALTERNATIVES];
	size_t count;
};

/* False when nothing of the entry is selected, not even of its sessions. */
bool filter_match(const struct filter_level *const *levels, size_t count, const struct view *view,
		  struct filter_hit *ret);

/* The lowest id from @from on that can match; false when there is none. */
bool filter_next(const struct filter_level *const *levels, size_t count, uint32_t from,
		 uint32_t *ret);

#endif
