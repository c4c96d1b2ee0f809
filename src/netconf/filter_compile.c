/* Compiles a filter's elements into what filter.c matches with. */
#include <errno.h>

#include "netconf/encode.h"
#include "netconf/filter_node.h"
#include "netconf/reader.h"
#include "netconf/blank.h"

/* Units of work in a step: a unit compiles an element, or sorts one in. */
#define STEP 32

/*
 * Sorted lists of 1, 2, 4 ... nodes: a new node is merged with the first, that with the second,
 * and so on up to a free place. Lists of the largest size take the places behind.
 */
#define SORTED_SIZES 13 /* merging two lists of 4096 nodes is one unit of work */
#define SORTED       64

struct filter_compiler {
	struct filter *filter;
	struct error *err;
	const struct node *container, *tunnel, *child; /* the next at each level */
	struct filter_node *entry;                     /* of the tunnel being compiled */
	struct filter_level *level;                    /* then: the level being sorted */
	struct filter_node *sorted[SORTED];
	size_t placed; /* nodes of the level already in order */
	size_t same;   /* how many of them, at the end, have the same key */
	size_t next;   /* the tunnel whose sessions are sorted next */
};

static int out_of_memory(struct filter_compiler *compiler)
{
	return error_set(compiler->err, ERROR_RESOURCE, "out of memory");
}

static int too_many(struct filter_compiler *compiler)
{
	return error_set(compiler->err, ERROR_TOO_BIG,
			 "the filter has more than %d alternatives for one key, or without a key, "
			 "beside each other",
			 FILTER_ALTERNATIVES);
}

static bool ours(const struct node *node)
{
	return !node->attributes && (!*node->uri || !strcmp(node->uri, NAMESPACE_MODULE));
}

static bool content_match(const struct node *node)
{
	return !node->first && !blank_is(node->text, strlen(node->text));
}

/* The value as the data would have it; false when the data cannot have it. */
static bool canonical(const struct row *row, const char *text, size_t *length,
		      char ret[VALUE_TEXT_MAX])
{
	union codec_object scratch = {0};

	if (*length >= VALUE_TEXT_MAX)
		return false;
	if (row->type == TYPE_TIME || row->type == TYPE_TEXT) {
		memcpy(ret, text, *length);
		return true;
	}
	if (codec_parse(row, &scratch, text, *length, NULL))
		return false;
	*length = codec_print(row, &scratch, ret);
	return true;
}

static const struct condition *condition_on(const struct selection *selection,
					    const struct row *row)
{
	const struct condition *at = selection->conditions;

	while (at && at->row != row)
		at = at->next;
	return at;
}

static int add_condition(struct filter_compiler *compiler, struct selection *selection,
			 const struct row *row, const char *given)
{
	char text[VALUE_TEXT_MAX];
	size_t length = strlen(given);
	const struct condition *other = condition_on(selection, row);
	struct condition *condition;

	given = blank_trim(given, &length);
	if (!canonical(row, given, &length, text) ||
	    (other && (other->length != length || memcmp(other->text, text, length) != 0))) {
		selection->never = true;
		return 0;
	}
	if (other)
		return 0;
	condition = arena_alloc(&compiler->filter->memory, sizeof(*condition));
	if (!condition)
		return out_of_memory(compiler);
	*condition = (struct condition){selection->conditions, row, NULL, length};
	condition->text = arena_text(&compiler->filter->memory, text, length);
	selection->conditions = condition;
	if (!compiler->filter->exact)
		selection->rows |= BIT(row_number(row));
	compiler->filter->reads_state |= row->part == PART_STATE;
	compiler->filter->reads_statistics |= row->part == PART_STATISTICS;
	return condition->text ? 0 : out_of_memory(compiler);
}

/* Compile a filter node for a leaf; @row NULL: there is no such leaf. */
static int compile_leaf(struct filter_compiler *compiler, struct selection *selection,
			const struct row *row, const struct node *node)
{
	if (content_match(node)) {
		if (row && ours(node))
			return add_condition(compiler, selection, row, node->text);
		selection->never = true;
		return 0;
	}
	selection->partial = true;
	if (row && ours(node) && !node->first)
		selection->rows |= BIT(row_number(row));
	return 0;
}

static const struct row *leaf(enum object object, const struct node *node, bool statistics)
{
	const struct row *row = row_by_leaf(object, node->name, strlen(node->name));

	return row && (row->part == PART_STATISTICS) == statistics ? row : NULL;
}

static int compile_statistics(struct filter_compiler *compiler, struct filter_node *parent,
			      enum object object, const struct node *node)
{
	struct selection *selection;
	int rc = 0;

	parent->own.partial = true;
	if (!node->first) {
		parent->own.rows |= view_rows(object, PART_STATISTICS);
		return 0;
	}
	if (++parent->statistics_count > FILTER_ALTERNATIVES)
		return too_many(compiler);
	selection = arena_alloc(&compiler->filter->memory, sizeof(*selection));
	if (!selection)
		return out_of_memory(compiler);
	for (const struct node *at = node->first; at && !rc; at = at->next)
		rc = compile_leaf(compiler, selection, leaf(object, at, true), at);
	if (!selection->partial)
		selection->rows = view_rows(object, PART_STATISTICS);
	selection->next = parent->statistics;
	parent->statistics = selection;
	return rc;
}

static int compile_entry(struct filter_compiler *compiler, struct filter_level *level,
			 enum object object, const struct node *node);

static int compile_child(struct filter_compiler *compiler, struct filter_node *parent,
			 enum object object, const struct node *node)
{
	bool is_ours = ours(node), is_match = content_match(node);

	if (is_ours && !is_match && object == OBJECT_TUNNEL &&
	    !strcmp(node->name, row_sets[OBJECT_SESSION].name)) {
		parent->own.partial = true;
		return compile_entry(compiler, &parent->sessions, OBJECT_SESSION, node);
	}
	if (is_ours && !is_match && !strcmp(node->name, ELEMENT_STATISTICS))
		return compile_statistics(compiler, parent, object, node);
	return compile_leaf(compiler, &parent->own, leaf(object, node, false), node);
}

static struct filter_node *new_entry(struct filter_compiler *compiler)
{
	struct filter_node *entry = arena_alloc(&compiler->filter->memory, sizeof(*entry));

	if (!entry)
		out_of_memory(compiler);
	return entry;
}

static void add_entry(struct filter_level *level, enum object object, struct filter_node *entry)
{
	const struct condition *key = condition_on(&entry->own, row_sets[object].key);

	entry->keyed = key;
	if (key)
		entry->id = (uint32_t)strtoul(key->text, NULL, 10);
	if (entry->own.never)
		return;
	entry->next = level->first;
	level->first = entry;
	level->count++;
}

static int compile_entry(struct filter_compiler *compiler, struct filter_level *level,
			 enum object object, const struct node *node)
{
	struct filter_node *entry = new_entry(compiler);
	int rc = entry ? 0 : -ENOMEM;

	for (const struct node *at = node->first; at && !rc; at = at->next)
		rc = compile_child(compiler, entry, object, at);
	if (!rc)
		add_entry(level, object, entry);
	return rc;
}

/* Order: those with a key by that, then the others. */

static bool comes_before(const struct filter_node *a, const struct filter_node *b)
{
	if (a->keyed != b->keyed)
		return a->keyed;
	return a->keyed && a->id < b->id;
}

static struct filter_node *join(struct filter_node *a, struct filter_node *b)
{
	struct filter_node *ret = NULL, **last = &ret;

	while (a && b) {
		struct filter_node **first = comes_before(a, b) ? &a : &b;

		*last = *first;
		last = &(*first)->next;
		*first = *last;
	}
	*last = a ? a : b;
	return ret;
}

static void sort_in(struct filter_compiler *compiler, struct filter_node *node)
{
	struct filter_node **sorted = compiler->sorted;
	unsigned int i = 0;

	node->next = NULL;
	for (; sorted[i] && i < SORTED_SIZES - 1; i++) {
		node = join(sorted[i], node);
		sorted[i] = NULL;
	}
	while (sorted[i] && i < SORTED - 1)
		i++;
	sorted[i] = join(sorted[i], node);
}

static struct filter_node *take_first(struct filter_compiler *compiler)
{
	struct filter_node **first = NULL, *ret;

	for (unsigned int i = 0; i < SORTED; i++)
		if (compiler->sorted[i] && (!first || comes_before(compiler->sorted[i], *first)))
			first = &compiler->sorted[i];
	if (!first)
		return NULL;
	ret = *first;
	*first = ret->next;
	return ret;
}

/* Does the key alone decide whether it matches? */
static bool by_key_alone(const struct filter_node *node)
{
	return node->keyed && !node->own.conditions->next && !node->statistics;
}

/* One entry asked for in many pieces, such as one session in each, becomes one node. */
static bool merge(struct filter_node *into, struct filter_node *from)
{
	struct filter_node **last = &from->sessions.first;

	if (!by_key_alone(into) || !by_key_alone(from) || into->id != from->id ||
	    into->own.partial != from->own.partial)
		return false;
	into->own.rows |= from->own.rows;
	while (*last)
		last = &(*last)->next;
	*last = into->sessions.first; /* append the long list to the short one */
	into->sessions.first = from->sessions.first;
	into->sessions.count += from->sessions.count;
	return true;
}

/* Append @node, which is the next in order. */
static int place(struct filter_compiler *compiler, struct filter_level *level,
		 struct filter_node *node)
{
	const struct filter_node *before =
		compiler->placed ? level->nodes[compiler->placed - 1] : NULL;

	if (before && merge(level->nodes[compiler->placed - 1], node))
		return 1;
	compiler->same = before && before->keyed == node->keyed && before->id == node->id
				 ? compiler->same + 1
				 : 1;
	level->nodes[compiler->placed++] = node;
	level->keyed += node->keyed;
	return compiler->same > FILTER_ALTERNATIVES ? too_many(compiler) : 1;
}

/* All of @level is in order: go on with the next. */
static int next_level(struct filter_compiler *compiler, struct filter_level *level)
{
	const struct filter_level *tunnels = &compiler->filter->tunnels;

	level->count = compiler->placed;
	compiler->placed = 0;
	if (compiler->next == tunnels->count)
		return 0;
	compiler->level = &tunnels->nodes[compiler->next++]->sessions;
	return 1;
}

/* Steps: > 0 when there is more. */

static int step_order(struct filter_compiler *compiler)
{
	struct filter_level *level = compiler->level;
	struct filter_node *node = level->first;

	if (node) {
		level->first = node->next;
		sort_in(compiler, node);
		return 1;
	}
	if (!level->nodes)
		level->nodes = arena_alloc(&compiler->filter->memory,
					   (level->count + 1) * sizeof(struct filter_node *));
	if (!level->nodes)
		return out_of_memory(compiler);
	node = take_first(compiler);
	return node ? place(compiler, level, node) : next_level(compiler, level);
}

static int step_entry(struct filter_compiler *compiler)
{
	const struct node *child = compiler->child;
	struct filter_node *entry = compiler->entry;
	int rc;

	if (child) {
		compiler->child = child->next;
		rc = compile_child(compiler, entry, OBJECT_TUNNEL, child);
		return rc ? rc : 1;
	}
	add_entry(&compiler->filter->tunnels, OBJECT_TUNNEL, entry);
	compiler->entry = NULL;
	return 1;
}

static int step_tunnel(struct filter_compiler *compiler)
{
	const struct node *node = compiler->tunnel;

	compiler->tunnel = node->next;
	if (!ours(node) || strcmp(node->name, row_sets[OBJECT_TUNNEL].name) != 0)
		return 1;
	compiler->child = node->first;
	compiler->entry = new_entry(compiler);
	return compiler->entry ? 1 : -ENOMEM;
}

/* The container has no leaves: one that must match selects nothing. */
static bool selects(const struct node *container)
{
	if (!ours(container) || strcmp(container->name, ELEMENT_CONTAINER) != 0 ||
	    content_match(container))
		return false;
	for (const struct node *at = container->first; at; at = at->next)
		if (content_match(at))
			return false;
	return true;
}

/* Add the node that selects everything. */
static int compile_everything(struct filter_compiler *compiler)
{
	static const struct node everything = {.text = ""};

	int rc = compile_entry(compiler, &compiler->filter->tunnels, OBJECT_TUNNEL, &everything);

	if (!rc)
		compiler->filter->tunnels.first->container = true;
	return rc;
}

static int step_container(struct filter_compiler *compiler)
{
	const struct node *container = compiler->container;
	int rc;

	compiler->container = container->next;
	if (!selects(container))
		return 1;
	compiler->tunnel = container->first;
	rc = container->first ? 0 : compile_everything(compiler);
	return rc ? rc : 1;
}

static int step(struct filter_compiler *compiler)
{
	if (compiler->entry)
		return step_entry(compiler);
	if (compiler->tunnel)
		return step_tunnel(compiler);
	if (compiler->container)
		return step_container(compiler);
	return step_order(compiler);
}

int filter_compiler_step(struct filter_compiler *compiler, struct error *err)
{
	int rc = 1;

	compiler->err = err;
	for (unsigned int i = 0; i < STEP && rc > 0; i++)
		rc = step(compiler);
	return rc;
}

struct filter_compiler *filter_compiler_open(struct filter *filter, const struct node *element)
{
	struct filter_compiler *compiler = calloc(1, sizeof(*compiler));

	if (!compiler)
		return NULL;
	compiler->filter = filter;
	compiler->level = &filter->tunnels;
	compiler->container = element ? element->first : NULL;
	if (!element && compile_everything(compiler)) {
		free(compiler);
		return NULL;
	}
	return compiler;
}

void filter_compiler_close(struct filter_compiler *compiler)
{
	free(compiler);
}

static int refuse_attribute(const char *name, enum error_code code, const char *text,
			    struct error *err)
{
	int rc = error_set(err, code, "%s", text);

	snprintf(err->info, sizeof(err->info), "%s", name);
	snprintf(err->info2, sizeof(err->info2), "filter");
	return rc;
}

/* Of <filter>: without a namespace, or in that of NETCONF. NULL: it is not given. */
static const char *attribute_of(const struct node *element, const char *name)
{
	const char *value = node_attribute(element, name, "");

	return value ? value : node_attribute(element, name, NAMESPACE_BASE);
}

int filter_check(const struct node *element, struct error *err)
{
	const char *type = attribute_of(element, "type");
	bool is_xpath = type && !strcmp(type, "xpath");

	if (type && !is_xpath && strcmp(type, "subtree") != 0)
		return refuse_attribute("type", ERROR_BAD_ATTRIBUTE,
					"the types of filters are subtree and xpath", err);
	for (const struct attribute *at = element->attributes; at; at = at->next)
		if (strcmp(at->name, "type") != 0 && !(is_xpath && !strcmp(at->name, "select")))
			return refuse_attribute(
				at->name, ERROR_UNKNOWN_ATTRIBUTE,
				"a filter has a type, and a select if that is xpath", err);
	if (is_xpath && !attribute_of(element, "select"))
		return refuse_attribute("select", ERROR_MISSING_ATTRIBUTE,
					"a filter of type xpath selects by its attribute select",
					err);
	return 0;
}

int filter_select(const struct node *element, const char **ret, struct error *err)
{
	int rc;

	*ret = attribute_of(element, "select");
	if (!*ret || (!element->first && !element->length))
		return 0;
	rc = error_set(err, ERROR_BAD_ELEMENT, "a filter of type xpath is empty");
	snprintf(err->info, sizeof(err->info), "filter");
	return rc;
}
