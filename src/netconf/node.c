#include "netconf/node.h"

#include "base/wipe.h"

#define BLOCK_SIZE 4000

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

void tree_free(struct tree *tree)
{
	while (tree->blocks) {
		struct block *block = tree->blocks;

		tree->blocks = block->next;
		wipe_free(block, sizeof(*block) + block->size);
	}
	*tree = (struct tree){0};
}

static struct block *add_block(struct tree *tree, size_t size)
{
	struct block *block;

	if (size < BLOCK_SIZE)
		size = BLOCK_SIZE;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	*block = (struct block){.next = tree->blocks, .size = size};
	tree->blocks = block;
	tree->size += size;
	return block;
}

void *tree_alloc(struct tree *tree, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct block *block = tree->blocks;
	void *ret;

	size = (size + align - 1) / align * align;
	if (!block || block->size - block->used < size)
		block = add_block(tree, size);
	if (!block)
		return NULL;
	ret = block->bytes + block->used;
	block->used += size;
	return memset(ret, 0, size);
}

const char *tree_text(struct tree *tree, const char *text, size_t length)
{
	char *copy;

	if (!length)
		return "";
	copy = tree_alloc(tree, length + 1);
	return copy ? memcpy(copy, text, length) : NULL;
}

struct node *tree_add(struct tree *tree, struct node *parent, const char *name, const char *uri)
{
	struct node *node = tree_alloc(tree, sizeof(*node));

	if (!node)
		return NULL;
	node->name = tree_text(tree, name, strlen(name));
	node->uri = tree_text(tree, uri, strlen(uri));
	node->text = "";
	node->parent = parent;
	if (!node->name || !node->uri)
		return NULL;
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
