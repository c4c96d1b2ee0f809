#include "netconf/node.h"

#include "netconf/blank.h"

void tree_free(struct tree *tree)
{
	arena_free(&tree->arena);
	*tree = (struct tree){0};
}

const char *arena_text(struct arena *arena, const char *text, size_t length)
{
	char *copy;

	if (!length)
		return "";
	copy = arena_alloc(arena, length + 1);
	return copy ? memcpy(copy, text, length) : NULL;
}

/* Most elements are in their parent's namespace, and many have the name of the one before. */
static const char *shared_text(struct tree *tree, const char *other, const char *text)
{
	return other && !strcmp(other, text) ? other : arena_text(&tree->arena, text, strlen(text));
}

struct node *tree_add(struct tree *tree, struct node *parent, const char *name, const char *uri)
{
	const struct node *before = parent ? parent->last : NULL;
	struct node *node = arena_alloc(&tree->arena, sizeof(*node));

	if (!node) {
		tree->broken = true;
		return NULL;
	}
	node->name = shared_text(tree, before ? before->name : NULL, name);
	node->uri = shared_text(tree, parent ? parent->uri : NULL, uri);
	node->text = "";
	node->parent = parent;
	if (!node->name || !node->uri) {
		tree->broken = true;
		return NULL;
	}
	if (!parent)
		tree->root = node;
	else if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	if (parent)
		parent->last = node;
	return node;
}

static bool copy_attributes(struct tree *tree, struct node *to, const struct node *from)
{
	struct attribute **end = &to->attributes;

	for (const struct attribute *at = from->attributes; at; at = at->next) {
		struct attribute *copy = arena_alloc(&tree->arena, sizeof(*copy));

		if (!copy)
			return false;
		copy->prefix = arena_text(&tree->arena, at->prefix, strlen(at->prefix));
		copy->name = arena_text(&tree->arena, at->name, strlen(at->name));
		copy->uri = arena_text(&tree->arena, at->uri, strlen(at->uri));
		copy->value = arena_text(&tree->arena, at->value, strlen(at->value));
		if (!copy->prefix || !copy->name || !copy->uri || !copy->value)
			return false;
		*end = copy;
		end = &copy->next;
	}
	return true;
}

void tree_declare(struct tree *tree, struct node *node, const char *prefix, const char *uri)
{
	struct declaration *ns = node ? arena_alloc(&tree->arena, sizeof(*ns)) : NULL;

	tree->broken |= node && !ns;
	if (!ns)
		return;
	*ns = (struct declaration){node->declarations, prefix, uri};
	node->declarations = ns;
}

static bool copy_declarations(struct tree *tree, struct node *to, const struct node *from)
{
	struct declaration **link = &to->declarations;

	for (const struct declaration *at = from->declarations; at; at = at->next) {
		struct declaration *copy = arena_alloc(&tree->arena, sizeof(*copy));

		if (!copy)
			return false;
		*copy = (struct declaration){
			NULL, arena_text(&tree->arena, at->prefix, strlen(at->prefix)),
			arena_text(&tree->arena, at->uri, strlen(at->uri))};
		if (!copy->prefix || !copy->uri)
			return false;
		*link = copy;
		link = &copy->next;
	}
	return true;
}

struct node *tree_copy(struct tree *tree, struct node *parent, const struct node *node)
{
	struct node *copy = tree_add(tree, parent, node->name, node->uri);

	if (!copy)
		return NULL;
	copy->length = node->length;
	copy->text = arena_text(&tree->arena, node->text, node->length);
	tree->broken |= !copy->text || !copy_attributes(tree, copy, node) ||
			!copy_declarations(tree, copy, node);
	for (const struct node *at = node->first; at && !tree->broken; at = at->next)
		tree_copy(tree, copy, at);
	return tree->broken ? NULL : copy;
}

bool node_is(const struct node *node, const char *name, const char *uri)
{
	return !strcmp(node->name, name) && (!uri || !strcmp(node->uri, uri));
}

const struct node *node_child(const struct node *node, const char *name, const char *uri)
{
	const struct node *child = node ? node->first : NULL;

	while (child && !node_is(child, name, uri))
		child = child->next;
	return child;
}

const char *node_text(const struct node *node, const char *child, const char *uri)
{
	const struct node *found = node_child(node, child, uri);

	return found ? found->text : NULL;
}

const char *node_attribute(const struct node *node, const char *name, const char *uri)
{
	for (const struct attribute *at = node->attributes; at; at = at->next)
		if (!strcmp(at->name, name) && !strcmp(at->uri, uri))
			return at->value;
	return NULL;
}

const char *node_namespace(const struct node *node, const char *prefix, size_t length)
{
	for (; node; node = node->parent)
		for (const struct declaration *ns = node->declarations; ns; ns = ns->next)
			if (strlen(ns->prefix) == length && !memcmp(ns->prefix, prefix, length))
				return ns->uri;
	return NULL;
}

bool node_names_identity(const struct node *node, const char *uri, const char *name)
{
	size_t length = node->length;
	const char *text = blank_trim(node->text, &length);
	const char *colon = length ? memchr(text, ':', length) : NULL;
	const char *found = colon ? node_namespace(node, text, (size_t)(colon - text)) : uri;

	if (colon) {
		length -= (size_t)(colon + 1 - text);
		text = colon + 1;
	}
	return found && !strcmp(found, uri) && strlen(name) == length &&
	       !memcmp(text, name, length);
}
