#include "netconf/subtree.h"

#include "netconf/reader.h"
#include "netconf/blank.h"

/* The filter nodes for one element of the data. */
struct matches {
	bool whole; /* one of them selects everything */
	size_t count;
	const struct node *at[SUBTREE_NODES];
};

struct output {
	struct writer *writer;
	const struct subtree_list *lists;
	unsigned int max_depth;  /* 0: all */
	const struct node *open; /* the innermost with its start tag written */
};

static bool names(const struct node *filter, const char *name, const char *uri)
{
	return !filter->attributes && !strcmp(filter->name, name) &&
	       (!*filter->uri || !strcmp(filter->uri, uri));
}

static bool is_condition(const struct node *filter)
{
	return !filter->first && !blank_is(filter->text, strlen(filter->text));
}

/* White space around the value does not count (RFC 6241 section 6.2.5). */
static bool has_value(const struct node *filter, const struct node *data)
{
	size_t length = strlen(filter->text);
	const char *text = blank_trim(filter->text, &length);

	return length == strlen(data->text) && !memcmp(text, data->text, length);
}

static bool holds(const struct node *condition, const struct node *data)
{
	const struct node *leaf = data->first;

	while (leaf && !(names(condition, leaf->name, leaf->uri) && has_value(condition, leaf)))
		leaf = leaf->next;
	return leaf;
}

/* All its conditions must hold; if it has nothing else it selects all of @data. */
static void add_match(struct matches *matches, const struct node *filter, const struct node *data)
{
	bool only_conditions = true;

	for (const struct node *child = filter->first; child; child = child->next) {
		if (!is_condition(child))
			only_conditions = false;
		else if (!holds(child, data))
			return;
	}
	if (only_conditions)
		matches->whole = !is_condition(filter) || has_value(filter, data);
	else if (matches->count < SUBTREE_NODES)
		matches->at[matches->count++] = filter;
}

static void match_among(struct matches *ret, const struct node *filter, const struct node *data)
{
	for (; filter && !ret->whole; filter = filter->next)
		if (names(filter, data->name, data->uri))
			add_match(ret, filter, data);
}

/* ---- writing */

static void write_start(struct writer *writer, const struct node *node)
{
	bool changes = !node->parent || strcmp(node->uri, node->parent->uri) != 0;

	write_text(writer, "<");
	write_text(writer, node->name);
	if (changes)
		write_declaration(writer, "", node->uri);
	for (const struct declaration *ns = node->declarations; ns; ns = ns->next)
		if (*ns->prefix) /* the default one is above */
			write_declaration(writer, ns->prefix, ns->uri);
	for (const struct attribute *at = node->attributes; at; at = at->next)
		write_attribute(writer, at->prefix, at->name, at->value, strlen(at->value));
	write_text(writer, ">");
}

static unsigned int keys_of(const struct output *out, const struct node *node)
{
	const struct subtree_list *list = out->lists;

	while (list->name && strcmp(list->name, node->name) != 0)
		list++;
	return list->keys;
}

/* @depth: levels of it, 0: all; a list entry always has its keys. */
static void write_whole(const struct output *out, const struct node *node, unsigned int depth)
{
	unsigned int keys = keys_of(out, node);

	write_start(out->writer, node);
	write_escaped(out->writer, node->text, strlen(node->text));
	for (const struct node *child = node->first; child; child = child->next, keys -= keys > 0)
		if (depth != 1 || keys)
			write_whole(out, child, depth > 1 ? depth - 1 : depth);
	write_tag(out->writer, "</", node->name);
}

static bool is_open(const struct output *out, const struct node *node)
{
	const struct node *at = out->open;

	while (at && at != node)
		at = at->parent;
	return at;
}

/* Write the start tags down to @node, with the keys of list entries. */
static void open_element(struct output *out, const struct node *node)
{
	const struct node *key = node ? node->first : NULL;

	if (!node || is_open(out, node))
		return;
	open_element(out, node->parent);
	write_start(out->writer, node);
	out->open = node;
	for (unsigned int left = keys_of(out, node); left && key; left--, key = key->next)
		write_whole(out, key, 0);
}

static void write_selected(struct output *out, const struct node *node,
			   const struct matches *matches);

static void write_children(struct output *out, const struct node *node,
			   const struct matches *matches)
{
	unsigned int keys = keys_of(out, node);

	for (const struct node *child = node->first; child; child = child->next) {
		struct matches below = {.count = 0};

		for (size_t i = 0; i < matches->count; i++)
			match_among(&below, matches->at[i]->first, child);
		if (keys && (below.whole || below.count))
			open_element(out, node); /* which writes the key */
		else
			write_selected(out, child, &below);
		keys -= keys > 0;
	}
}

static void write_selected(struct output *out, const struct node *node,
			   const struct matches *matches)
{
	if (matches->whole) {
		open_element(out, node->parent);
		write_whole(out, node, out->max_depth);
	} else if (matches->count) {
		write_children(out, node, matches);
		if (out->open != node)
			return;
		write_tag(out->writer, "</", node->name);
		out->open = node->parent;
	}
}

void subtree_write(struct writer *writer, const struct node *filter, const struct node *root,
		   const struct subtree_list *lists, unsigned int max_depth)
{
	struct output out = {writer, lists, max_depth, NULL};
	struct matches matches = {.whole = !filter, .count = 0};

	if (filter)
		match_among(&matches, filter->first, root);
	write_selected(&out, root, &matches);
}

static bool any_selected(const struct node *node, const struct matches *matches)
{
	bool any = matches->whole;

	for (const struct node *child = node->first; child && !any && matches->count;
	     child = child->next) {
		struct matches below = {.count = 0};

		for (size_t i = 0; i < matches->count; i++)
			match_among(&below, matches->at[i]->first, child);
		any = any_selected(child, &below);
	}
	return any;
}

bool subtree_selects(const struct node *filter, const struct node *root)
{
	struct matches matches = {.count = 0};

	match_among(&matches, filter->first, root);
	return any_selected(root, &matches);
}

bool subtree_asks(const struct node *filter, const char *name, const char *uri)
{
	const struct node *child = filter ? filter->first : NULL;

	while (child && !names(child, name, uri))
		child = child->next;
	return !filter || child;
}

struct amount {
	size_t nodes, bytes;
};

static void add_up(const struct node *node, struct amount *amount)
{
	amount->nodes++;
	amount->bytes += strlen(node->name) + strlen(node->uri) + node->length;
	for (const struct node *child = node->first; child; child = child->next)
		add_up(child, amount);
}

int subtree_check(const struct node *filter, const char *name, const char *uri, struct error *err)
{
	const struct node *child = filter ? filter->first : NULL;
	struct amount amount = {0};

	for (; child; child = child->next)
		if (!name || names(child, name, uri))
			add_up(child, &amount);
	if (amount.nodes <= SUBTREE_NODES && amount.bytes <= SUBTREE_BYTES)
		return 0;
	return error_set(err, ERROR_TOO_BIG, "the filter has more than %d elements or %d bytes%s%s",
			 SUBTREE_NODES, SUBTREE_BYTES, name ? " for " : "", name ? name : "");
}
