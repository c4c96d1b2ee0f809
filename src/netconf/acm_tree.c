#include "netconf/acm_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/names.h"
#include "netconf/encode.h"
#include "netconf/modules.h"

static struct node *add(struct tree *tree, struct node *parent, enum acm_item item,
			const char *text)
{
	struct node *node = tree_add(tree, parent, acm_rows[item].name, NAMESPACE_ACM);

	if (!node || !text)
		return node;
	node->length = strlen(text);
	node->text = arena_text(&tree->arena, text, node->length);
	tree->broken |= !node->text;
	return node->text ? node : NULL;
}

/* Prefixes are the modules' names; ns1, ns2 ... for modules that we do not have. */
static const char *declare(struct tree *tree, struct node *leaf, const char *uri, size_t length)
{
	const char *prefix = NULL;
	unsigned int number = 1;
	char made[16];

	for (struct declaration *ns = leaf->declarations; ns; ns = ns->next, number++)
		if (strlen(ns->uri) == length && !memcmp(ns->uri, uri, length))
			return ns->prefix;
	uri = arena_text(&tree->arena, uri, length);
	for (const struct module *at = netconf_modules; uri && at->name && !prefix; at++)
		if (!strcmp(at->uri, uri))
			prefix = at->name;
	snprintf(made, sizeof(made), "ns%u", number);
	if (!prefix)
		prefix = arena_text(&tree->arena, made, strlen(made));
	if (!prefix || !uri)
		return NULL;
	tree_declare(tree, leaf, prefix, uri);
	return prefix;
}

/* "/{uri}name" becomes "/prefix:name". A prefix may be longer than its namespace. */
static void add_path(struct tree *tree, struct node *parent, const char *path)
{
	struct node *leaf = add(tree, parent, ACM_PATH, NULL);
	char *text = NULL;
	size_t size;
	FILE *file = leaf ? open_memstream(&text, &size) : NULL;
	bool broken = !file;

	while (!broken && *path) {
		const char *end = *path == '{' ? strchr(path, '}') : NULL;
		const char *prefix =
			end ? declare(tree, leaf, path + 1, (size_t)(end - path - 1)) : NULL;

		broken = end && !prefix;
		if (end && prefix)
			fprintf(file, "%s:", prefix);
		else
			putc(*path, file);
		path = end ? end + 1 : path + 1;
	}
	if (file && fclose(file) == 0 && !broken) {
		leaf->length = strlen(text);
		leaf->text = arena_text(&tree->arena, text, leaf->length);
		broken = !leaf->text;
	}
	free(text);
	tree->broken |= broken;
}

static void annotate(struct tree *tree, struct node *node, const char *prefix, const char *uri,
		     const char *name, const char *value)
{
	struct attribute *made = node ? arena_alloc(&tree->arena, sizeof(*made)) : NULL;

	tree->broken |= !made;
	if (!made)
		return;
	*made = (struct attribute){node->attributes, prefix, name, uri, value};
	node->attributes = made;
}

static void annotate_origin(struct tree *tree, struct node *node, const char *value)
{
	annotate(tree, node, PREFIX_ORIGIN, NAMESPACE_ORIGIN, "origin", value);
}

static void add_defaults(struct tree *tree, struct node *parent, const struct acm_node *node,
			 const struct acm_tree_options *options)
{
	if (options->omit_origins & BIT(VIEW_DEFAULT))
		return;
	for (enum acm_item item = ACM_NACM; item < ACM_ITEMS; item++) {
		struct node *leaf;

		if (acm_rows[item].parent != node->item || !acm_rows[item].fallback ||
		    acm_find(node, item, NULL))
			continue;
		leaf = add(tree, parent, item, acm_rows[item].fallback);
		if (options->defaults == DEFAULTS_REPORT_ALL_TAGGED)
			annotate(tree, leaf, PREFIX_DEFAULT, NAMESPACE_DEFAULT, "default", "true");
		if (options->with_origin)
			annotate_origin(tree, leaf, PREFIX_ORIGIN ":default");
	}
}

static void cut_after(struct node *parent, struct node *last)
{
	*(last ? &last->next : &parent->first) = NULL;
	parent->last = last;
}

static void build(struct tree *tree, struct node *into, const struct acm_node *from,
		  const struct acm_tree_options *options)
{
	bool omits = options->omit_origins & BIT(VIEW_INTENDED);

	for (const struct acm_node *at = from->first; at; at = at->next) {
		const struct acm_row *row = &acm_rows[at->item];
		struct node *before = into->last, *node, *key = NULL;

		if (row->kind >= ACM_IS_KEY && omits)
			continue;
		if (row->kind == ACM_IS_LEAF && row->fallback &&
		    options->defaults == DEFAULTS_TRIM && !strcmp(row->fallback, at->text))
			continue;
		if (at->item == ACM_PATH) {
			add_path(tree, into, at->text);
			continue;
		}
		node = add(tree, into, at->item, row->kind >= ACM_IS_KEY ? at->text : NULL);
		if (!node)
			return;
		if (row->kind == ACM_IS_LIST)
			key = add(tree, node, at->item + 1, at->text); /* its row follows */
		build(tree, node, at, options);
		if (row->kind < ACM_IS_KEY && omits && node->last == key)
			cut_after(into, before);
	}
	if (options->defaults == DEFAULTS_REPORT_ALL ||
	    options->defaults == DEFAULTS_REPORT_ALL_TAGGED)
		add_defaults(tree, into, from, options);
}

static void add_count(struct tree *tree, struct node *root, enum acm_item item, uint32_t count)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", count);
	add(tree, root, item, text);
}

void acm_tree_build(const struct acm *acm, const struct acm_denied *denied,
		    const struct acm_tree_options *options, struct tree *ret)
{
	struct node *root = add(ret, NULL, ACM_NACM, NULL);

	if (!root)
		return;
	if (options->defaults == DEFAULTS_REPORT_ALL_TAGGED)
		tree_declare(ret, root, PREFIX_DEFAULT, NAMESPACE_DEFAULT);
	if (options->with_origin) {
		tree_declare(ret, root, PREFIX_ORIGIN, NAMESPACE_ORIGIN);
		annotate_origin(ret, root, PREFIX_ORIGIN ":intended");
	}
	build(ret, root, acm->root, options);
	if (!denied)
		return;
	add_count(ret, root, ACM_DENIED_OPERATIONS, denied->operations);
	add_count(ret, root, ACM_DENIED_DATA_WRITES, denied->data_writes);
	add_count(ret, root, ACM_DENIED_NOTIFICATIONS, denied->notifications);
}

static void write_node(struct writer *writer, const struct node *node, unsigned int depth)
{
	write_line(writer, depth);
	write_text(writer, "<");
	write_text(writer, node->name);
	if (!node->parent)
		write_declaration(writer, "", NAMESPACE_ACM);
	for (const struct declaration *ns = node->declarations; ns; ns = ns->next)
		write_declaration(writer, ns->prefix, ns->uri);
	write_text(writer, ">");
	write_escaped(writer, node->text, strlen(node->text));
	for (const struct node *at = node->first; at; at = at->next)
		write_node(writer, at, depth + 1);
	if (node->first)
		write_line(writer, depth);
	write_tag(writer, "</", node->name);
}

int acm_tree_write(struct writer *writer, const struct acm *acm, unsigned int depth)
{
	struct tree tree = {0};
	int rc;

	acm_tree_build(acm, NULL, &(struct acm_tree_options){.defaults = DEFAULTS_EXPLICIT}, &tree);
	rc = tree.broken || !tree.root ? -ENOMEM : 0;
	if (!rc)
		write_node(writer, tree.root, depth);
	tree_free(&tree);
	return rc;
}
