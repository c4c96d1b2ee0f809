/*
 * Subtree filters (RFC 6241 section 6), compiled against the mapping table so that entries named
 * by their key are looked up, not searched for. Pure: no datastore, no output.
 *
 * Where the RFC leaves room: a filter node without a namespace matches any; the key of an entry
 * comes with whatever is selected of it; an entry with nothing selected is left out; values are
 * compared in canonical form. The data has no attributes, so a node with one matches nothing.
 */
#ifndef NETCONF_FILTER_H
#define NETCONF_FILTER_H

#include "netconf/node.h"
#include "netconf/view.h"

/* Alternatives beside each other without a key, or with the same key: each costs time per entry. */
#define FILTER_ALTERNATIVES 32

struct filter_node;

/* The filter nodes for one list: those with a key, in key order, then the others. */
struct filter_level {
	struct filter_node **nodes;
	size_t count, keyed;
	struct filter_node *first; /* while compiling */
};

struct filter {
	struct arena memory;
	struct filter_level tunnels;
	/*
	 * Set it before compiling: a leaf with a condition is not selected by that, and an entry
	 * that has nothing of what is selected is left out.
	 */
	bool exact;
	bool reads_state, reads_statistics; /* what matches depends on them */
};

/* Check its start tag: of a subtree filter, or of an XPath, which is then in its `select`. */
int filter_check(const struct node *element, struct error *err);
/* Once it is complete: *ret is its XPath, or NULL if it is a subtree filter. ERROR_BAD_ELEMENT. */
int filter_select(const struct node *element, const char **ret, struct error *err);

/*
 * Compile @element (<filter>, or NULL for none) in steps, each of which works on some nodes and
 * takes a few milliseconds at most. @filter and @element must stay in place meanwhile. Always close
 * the compiler, and filter_free() the filter.
 */
struct filter_compiler *filter_compiler_open(struct filter *filter,
					     const struct node *element); /* NULL: no memory */
/* > 0: there is more; 0: @filter is good; < 0: more alternatives than FILTER_ALTERNATIVES. */
int filter_compiler_step(struct filter_compiler *compiler, struct error *err);
void filter_compiler_close(struct filter_compiler *compiler); /* Accepts NULL. */

void filter_free(struct filter *filter);

/* What a filter selects of an entry. */
struct filter_hit {
	bool whole;         /* everything, sessions too */
	unsigned int above; /* ... because it, 0, or its container, 1, is selected */
	uint64_t rows;      /* otherwise these leaves, and of its sessions what `levels` selects */
	const struct filter_level *levels[2 * FILTER_ALTERNATIVES];
	size_t count;
};

/* False when nothing is selected of the entry, nor of its sessions. */
bool filter_match(const struct filter_level *const *levels, size_t count, const struct view *view,
		  struct filter_hit *ret);

/* The lowest id from @from on that can match; false: none. */
bool filter_next(const struct filter_level *const *levels, size_t count, uint32_t from,
		 uint32_t *ret);

#endif
