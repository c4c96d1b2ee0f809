/* Builds trees: copies the reader's elements into nodes. */
#include <errno.h>

#include "netconf/reader.h"
#include "netconf/blank.h"

static struct attribute *add_attribute(struct tree *tree, const struct reader_attribute *from)
{
	struct attribute *to = arena_alloc(&tree->arena, sizeof(*to));

	if (!to)
		return NULL;
	to->prefix = arena_text(&tree->arena, from->prefix, strlen(from->prefix));
	to->name = arena_text(&tree->arena, from->name, strlen(from->name));
	to->uri = arena_text(&tree->arena, from->uri, strlen(from->uri));
	to->value = arena_text(&tree->arena, from->value, from->length);
	return to->prefix && to->name && to->uri && to->value ? to : NULL;
}

static struct declaration *add_declaration(struct tree *tree, const struct reader_declaration *from)
{
	struct declaration *to = arena_alloc(&tree->arena, sizeof(*to));

	if (!to)
		return NULL;
	to->prefix = arena_text(&tree->arena, from->prefix, strlen(from->prefix));
	to->uri = arena_text(&tree->arena, from->uri, strlen(from->uri));
	return to->prefix && to->uri ? to : NULL;
}

struct node *tree_add_element(struct tree *tree, struct node *parent,
			      const struct reader_element *element)
{
	struct node *node = tree_add(tree, parent, element->name, element->uri);
	struct attribute **attribute = node ? &node->attributes : NULL;
	struct declaration **declaration = node ? &node->declarations : NULL;

	for (unsigned int i = 0; node && i < element->attribute_count; i++) {
		*attribute = add_attribute(tree, &element->attributes[i]);
		if (!*attribute)
			return NULL;
		attribute = &(*attribute)->next;
	}
	for (unsigned int i = 0; node && i < element->declaration_count; i++) {
		*declaration = add_declaration(tree, &element->declarations[i]);
		if (!*declaration)
			return NULL;
		declaration = &(*declaration)->next;
	}
	return node;
}

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct tree_builder *builder = arg;
	struct node *node = tree_add_element(builder->tree, builder->at, element);

	if (!node)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	if (builder->tree->arena.size > builder->limit)
		return error_set(err, ERROR_TOO_BIG,
				 "the message needs more than %zu bytes of memory", builder->limit);
	builder->at = node;
	return 0;
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	struct tree_builder *builder = arg;

	if (!builder->at || (*builder->at->text && blank_is(bytes, length)))
		return 0;
	builder->at->text = arena_text(&builder->tree->arena, bytes, length);
	builder->at->length = length;
	if (!builder->at->text)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	return 0;
}

static int end(void *arg, struct error *err)
{
	struct tree_builder *builder = arg;

	(void)err;
	builder->at = builder->at->parent;
	return 0;
}

const struct reader_handler tree_builder_handler = {start, text, end};
