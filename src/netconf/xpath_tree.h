/*
 * Evaluates XPath 1.0 with libxml2, over data that a writer has written into a tree. Time and
 * memory may grow with the square of the data, whatever the limits of libxml2: evaluate expressions
 * of clients over much of it in a process of its own (search.h), others over little.
 */
#ifndef NETCONF_XPATH_TREE_H
#define NETCONF_XPATH_TREE_H

#include "model/error.h"
#include "netconf/node.h"
#include "netconf/writer.h"

#define XPATH_LENGTH_MAX 2048 /* bytes of an expression */
#define XPATH_DEPTH_MAX  64   /* parentheses and predicates in each other */

struct xpath_tree;

/*
 * For a process that does nothing else: from now on it exits, with status 1, when libxml2 has taken
 * that much more.
 */
void xpath_tree_limit(size_t bytes);

struct xpath_tree *xpath_tree_open(void);       /* NULL: no memory */
void xpath_tree_close(struct xpath_tree *tree); /* Accepts NULL. */
/* A writer's sink, with the tree as its @arg. Feed it elements, several side by side if need be. */
int xpath_tree_feed(const char *bytes, size_t length, void *tree);
/* That was all. -ENOMEM or -EINVAL. */
int xpath_tree_finish(struct xpath_tree *tree);

/*
 * Does it yield a node-set, without regard to the data (RFC 6241 section 8.9.5)? Is it well-formed,
 * within the limits, with its prefixes declared at @scope and only functions of XPath 1.0? Else
 * ERROR_INVALID_VALUE, or ERROR_TOO_BIG.
 */
int xpath_check(const char *expression, const struct node *scope, struct error *err);
/* Does it select anything of a finished tree of some kilobytes? 1, 0, or ERROR_TOO_BIG's errno. */
struct xpath_expression;
int xpath_tree_has(const struct xpath_tree *tree, struct xpath_expression *expression);

/*
 * Select nodes of a finished tree, beside those that are; the context node is its root. Returns how
 * many; ERROR_TOO_BIG if it takes too much work.
 */
int xpath_tree_select(struct xpath_tree *tree, const char *expression, const struct node *scope,
		      struct error *err);

/* How many of the first children of this element are keys of a list? */
typedef unsigned int xpath_keys_cb(const char *top, const char *name, const char *uri);
/*
 * Write what is selected: @max_depth levels of it, 0: all, with the elements around it and the keys
 * of entries among them.
 */
void xpath_tree_write(const struct xpath_tree *tree, struct writer *writer, xpath_keys_cb *keys,
		      unsigned int max_depth);

/* An element: its name, and the text of the first element in it, which in an entry is the key. */
struct xpath_step {
	const char *uri, *name, *key;
};

#define XPATH_STEPS_MAX 16 /* deeper elements are passed over */

/*
 * Call @visit for each element that is selected, in the order of the document, with the elements
 * that lead to it and itself; @count 0: all of the document is.
 */
typedef void xpath_visit_cb(const struct xpath_step *steps, size_t count, void *arg);
void xpath_tree_visit(const struct xpath_tree *tree, xpath_visit_cb *visit, void *arg);

#endif
