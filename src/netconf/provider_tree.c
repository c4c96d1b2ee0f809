/* Helpers with which providers build their data. */
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "netconf/provider.h"

struct node *provider_add(struct tree *tree, struct node *parent, const char *name)
{
	return parent ? tree_add(tree, parent, name, parent->uri) : NULL;
}

struct node *provider_leaf(struct tree *tree, struct node *parent, const char *name,
			   const char *format, ...)
{
	struct node *leaf = provider_add(tree, parent, name);
	char text[256];
	va_list args;

	if (!leaf)
		return NULL;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	leaf->text = arena_text(&tree->arena, text, strlen(text));
	leaf->length = strlen(text);
	tree->broken |= !leaf->text;
	return leaf->text ? leaf : NULL;
}

struct node *provider_instance(struct tree *tree, struct node *parent, const char *name,
			       const char *prefix, const char *uri, const char *path)
{
	struct node *leaf = provider_leaf(tree, parent, name, "%s", path);

	tree_declare(tree, leaf, prefix, uri);
	return leaf;
}

struct node *provider_identity(struct tree *tree, struct node *parent, const char *name,
			       const char *prefix, const char *uri, const char *identity)
{
	struct node *leaf = provider_leaf(tree, parent, name, "%s:%s", prefix, identity);

	tree_declare(tree, leaf, prefix, uri);
	return leaf;
}

static const char *next_text(const char *text)
{
	return text + strlen(text) + 1;
}

static const char *copy(struct tree *tree, const char *text)
{
	const char *made = arena_text(&tree->arena, text, strlen(text));

	tree->broken |= !made;
	return made ? made : "";
}

const char *provider_select(struct tree *tree, struct node *parent, const char *name,
			    const char *from)
{
	struct node *leaf = provider_add(tree, parent, name);

	if (leaf) {
		leaf->text = copy(tree, from);
		leaf->length = strlen(leaf->text);
	}
	for (from = next_text(from); *from; from = next_text(next_text(from)))
		tree_declare(tree, leaf, copy(tree, from), copy(tree, next_text(from)));
	return from + 1;
}

struct node *provider_time(struct tree *tree, struct node *parent, const char *name,
			   const struct timespec *time)
{
	char text[40];
	struct tm tm;

	gmtime_r(&time->tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return provider_leaf(tree, parent, name, "%s", text);
}
