#include "netconf/acm_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/names.h"
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
	struct declaration *ns = leaf->declarations;
	unsigned int number = 1;
	char made[16];

	for (; ns; ns = ns->next, number++)
		if (strlen(ns->uri) == length && !memcmp(ns->uri, uri, length))
			return ns->prefix;
	ns = arena_alloc(&tree->arena, sizeof(*ns));
	if (!ns)
		return NULL;
	*ns = (struct declaration){leaf->declarations, NULL, arena_text(&tree->arena, uri, length)};
	for (const struct module *at = netconf_modules; ns->uri && at->name && !ns->prefix; at++)
		if (!strcmp(at->uri, ns->uri))
			ns->prefix = at->name;
	snprintf(made, sizeof(made), "ns%u", number);
	if (!ns->prefix)
		ns->prefix = arena_text(&tree->arena, made, strlen(made));
	if (!ns->prefix || !ns->uri)
		return NULL;
	leaf->declarations = ns;
	return ns->prefix;
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

static void add_defaults(struct tree *tree, struct node *parent, const struct acm_node *node)
{
	for (enum acm_item item = ACM_NACM; item < ACM_ITEMS; item++)
		if (acm_rows[item].parent == node->item && acm_rows[item].fallback &&
		    !acm_find(node, item, NULL))
			add(tree, parent, item, acm_rows[item].fallback);
}

static void build(struct tree *tree, struct node *into, const struct acm_node *from,
		  enum defaults defaults)
{
	for (const struct acm_node *at = from->first; at; at = at->next) {
		const struct acm_row *row = &acm_rows[at->item];
		struct node *node;

		if (row->kind == ACM_IS_LEAF && row->fallback && defaults == DEFAULTS_TRIM &&
		    !strcmp(row->fallback, at->text))
			continue;
		if (at->item == ACM_PATH) {
			add_path(tree, into, at->text);
			continue;
		}
		node = add(tree, into, at->item, row->kind >= ACM_IS_KEY ? at->text : NULL);
		if (!node)
			return;
		if (row->kind == ACM_IS_LIST)
			add(tree, node, at->item + 1, at->text); /* the key's row follows */
		build(tree, node, at, defaults);
	}
	if (defaults == DEFAULTS_REPORT_ALL || defaults == DEFAULTS_REPORT_ALL_TAGGED)
		add_defaults(tree, into, from);
}

static void add_count(struct tree *tree, struct node *root, enum acm_item item, uint32_t count)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", count);
	add(tree, root, item, text);
}

void acm_tree_build(const struct acm *acm, const struct acm_denied *denied, enum defaults defaults,
		    struct tree *ret)
{
	struct node *root = add(ret, NULL, ACM_NACM, NULL);

	if (root)
		build(ret, root, acm->root, defaults);
	if (!root || !denied)
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
		write_text(writer, " xmlns=\"" NAMESPACE_ACM "\"");
	for (const struct declaration *ns = node->declarations; ns; ns = ns->next) {
		write_text(writer, " xmlns:");
		write_text(writer, ns->prefix);
		write_text(writer, "=\"");
		write_escaped(writer, ns->uri, strlen(ns->uri));
		write_text(writer, "\"");
	}
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

	acm_tree_build(acm, NULL, DEFAULTS_EXPLICIT, &tree);
	rc = tree.broken || !tree.root ? -ENOMEM : 0;
	if (!rc)
		write_node(writer, tree.root, depth);
	tree_free(&tree);
	return rc;
}
