/* Helpers with which providers build their data. */
#include <stdarg.h>
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

struct node *provider_identity(struct tree *tree, struct node *parent, const char *name,
			       const char *prefix, const char *uri, const char *identity)
{
	struct node *leaf = provider_leaf(tree, parent, name, "%s:%s", prefix, identity);
	struct declaration *ns = leaf ? arena_alloc(&tree->arena, sizeof(*ns)) : NULL;

	tree->broken |= !ns;
	if (!ns)
		return NULL;
	*ns = (struct declaration){NULL, prefix, uri};
	leaf->declarations = ns;
	return leaf;
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
