/*
 * Subtree filters (RFC 6241 section 6) over data in a small tree, as a provider makes it. What
 * filter.h says where the RFC leaves room holds here too, except that values are compared as text.
 */
#ifndef NETCONF_SUBTREE_H
#define NETCONF_SUBTREE_H

#include "model/error.h"
#include "netconf/node.h"
#include "netconf/writer.h"

#define SUBTREE_NODES 256   /* of a filter: each costs time for every element of the data */
#define SUBTREE_BYTES 65536 /* of their names and texts: a subscription keeps them */

/* A list in the data: the name of its entries, and how many of their first leaves are keys. */
struct subtree_list {
	const char *name;
	unsigned int keys;
};

/* Does @filter (<filter>, or NULL for none) ask for anything in this top container? */
bool subtree_asks(const struct node *filter, const char *name, const char *uri);
/* ERROR_TOO_BIG when it has too many elements for this container (@name NULL: in all). */
int subtree_check(const struct node *filter, const char *name, const char *uri, struct error *err);

/* Does @filter, once checked, select anything of @root? */
bool subtree_selects(const struct node *filter, const struct node *root);
/*
 * Write what @filter, once checked, selects of @root: @max_depth levels of it, 0: all. @lists ends
 * with a NULL name.
 */
void subtree_write(struct writer *writer, const struct node *filter, const struct node *root,
		   const struct subtree_list *lists, unsigned int max_depth);

#endif
