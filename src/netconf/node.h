/*
 * A small tree of elements, for envelopes, filters and replies; never for the content of an edit,
 * which is streamed (decode.h). It lives in one arena, so a hostile message costs no more than it
 * weighs.
 */
#ifndef NETCONF_NODE_H
#define NETCONF_NODE_H

#include <stdbool.h>

#include "base/arena.h"

struct attribute {
	struct attribute *next;
	const char *prefix; /* as written; "" none */
	const char *name;   /* local name */
	const char *uri;    /* namespace, "" none */
	const char *value;
};

/* A namespace declaration as written on the element. */
struct declaration {
	struct declaration *next;
	const char *prefix; /* "" the default namespace */
	const char *uri;
};

struct node {
	struct node *parent, *first, *last, *next;
	const char *name; /* local name */
	const char *uri;  /* namespace, "" none */
	const char *text; /* character data of the element itself; "": none */
	size_t length;    /* of text */
	struct attribute *attributes;
	struct declaration *declarations;
};

/* Zero it before use; tree_free() zeroes it again. */
struct tree {
	struct node *root;
	struct arena arena;
	bool broken; /* memory ran out: some of it is missing */
};

void tree_free(struct tree *tree);

/* A copy with a NUL behind it; NULL: no memory. */
const char *arena_text(struct arena *arena, const char *text, size_t length);

/* Append a child to @parent (NULL: the root). */
struct node *tree_add(struct tree *tree, struct node *parent, const char *name, const char *uri);

/* Declare a namespace on @node (NULL: do nothing). Keeps pointers to both texts. */
void tree_declare(struct tree *tree, struct node *node, const char *prefix, const char *uri);

/* A copy of @node and what is in it, below @parent (NULL: the root); NULL: no memory. */
struct node *tree_copy(struct tree *tree, struct node *parent, const struct node *node);

/* The first child of that name; @uri NULL: in any namespace. NULL: none. */
const struct node *node_child(const struct node *node, const char *name, const char *uri);
/* The text of that child, or NULL when there is none. */
const char *node_text(const struct node *node, const char *child, const char *uri);
bool node_is(const struct node *node, const char *name, const char *uri);
/* The namespace that @prefix of @length bytes is declared for at @node, or NULL. */
const char *node_namespace(const struct node *node, const char *prefix, size_t length);
/*
 * Is its text the identity @name of the module of @uri? The name may have a prefix (RFC 7950
 * section 9.10.3); clients leave it out whatever the default namespace is.
 */
bool node_names_identity(const struct node *node, const char *uri, const char *name);
const char *node_attribute(const struct node *node, const char *name, const char *uri);

#endif
