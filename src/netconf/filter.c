#include "netconf/filter.h"

#include "netconf/encode.h"

/* A leaf that must have this value. One a row: a leaf has one value. */
struct condition {
	struct condition *next;
	const struct row *row;
	const char *text; /* canonical */
	size_t length;
};

/* A set of leaves below one element: the conditions, and what is selected if they hold. */
struct selection {
	struct selection *next; /* alternatives */
	struct condition *conditions;
	uint64_t rows; /* the conditions' too */
	bool never;
	bool partial; /* not everything */
};

struct filter_node {
	struct filter_node *next;
	bool keyed;
	uint32_t id;
	size_t order; /* as written */
	struct selection own;
	struct selection *statistics; /* alternatives */
	unsigned int statistics_count;
	struct filter_level sessions;
};

struct compiler {
	struct filter *filter;
	bool secrets;
	size_t count;
	struct error *err;
};

static int out_of_memory(struct compiler *compiler)
{
	return error_set(compiler->err, ERROR_RESOURCE, "out of memory");
}

static int too_many(struct compiler *compiler)
{
	return error_set(compiler->err, ERROR_TOO_BIG,
			 "the filter has more than %d alternatives without a key beside each other",
			 FILTER_ALTERNATIVES);
}

/* Leading and trailing white space does not count (RFC 6241 section 6.2.5). */
static const char *trim(const char *text, size_t *length)
{
	while (*length && reader_blank(text, 1)) {
		text++;
		--*length;
	}
	while (*length && reader_blank(text + *length - 1, 1))
		--*length;
	return text;
}

static bool ours(const struct node *node)
{
	return !node->attributes && (!*node->uri || !strcmp(node->uri, NAMESPACE_MODULE));
}

static bool content_match(const struct node *node)
{
	return !node->first && !reader_blank(node->text, strlen(node->text));
}

/* The value as the data would print it; false when no such value can be. */
static bool canonical(const struct row *row, const char *text, size_t *length,
		      char ret[VALUE_TEXT_MAX])
{
	union {
		struct tunnel tunnel;
		struct session session;
		struct tunnel_state tunnel_state;
		struct session_state session_state;
		struct statistics statistics;
	} scratch = {0};

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

static int add_condition(struct compiler *compiler, struct selection *selection,
			 const struct row *row, const char *given)
{
	char text[VALUE_TEXT_MAX];
	size_t length = strlen(given);
	const struct condition *other = condition_on(selection, row);
	struct condition *condition;

	given = trim(given, &length);
	if ((row->secret && !compiler->secrets) || !canonical(row, given, &length, text) ||
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
	selection->rows |= BIT(row_number(row));
	if (row->part != PART_CONFIG)
		compiler->filter->reads_state = true;
	return condition->text ? 0 : out_of_memory(compiler);
}

/* A filter node for a leaf; @row NULL: there is no such leaf. */
static int compile_leaf(struct compiler *compiler, struct selection *selection,
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

static int compile_statistics(struct compiler *compiler, struct filter_node *parent,
			      enum object object, const struct node *node)
{
	struct selection *selection;
	int result = 0;

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
	for (const struct node *at = node->first; at && !result; at = at->next)
		result = compile_leaf(compiler, selection, leaf(object, at, true), at);
	if (!selection->partial)
		selection->rows = view_rows(object, PART_STATISTICS);
	selection->next = parent->statistics;
	parent->statistics = selection;
	return result;
}

static int compile_entry(struct compiler *compiler, struct filter_level *level, enum object object,
			 const struct node *node);

static int compile_child(struct compiler *compiler, struct filter_node *parent, enum object object,
			 const struct node *node)
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

static void find_key(struct filter_node *node, enum object object)
{
	const struct condition *key = condition_on(&node->own, row_sets[object].key);

	node->keyed = key != NULL;
	if (key)
		node->id = (uint32_t)strtoul(key->text, NULL, 10);
}

static int compile_entry(struct compiler *compiler, struct filter_level *level, enum object object,
			 const struct node *node)
{
	struct filter_node *entry = arena_alloc(&compiler->filter->memory, sizeof(*entry));
	int result = 0;

	if (!entry)
		return out_of_memory(compiler);
	for (const struct node *at = node->first; at && !result; at = at->next)
		result = compile_child(compiler, entry, object, at);
	find_key(entry, object);
	if (entry->own.never)
		return result;
	entry->order = compiler->count++;
	entry->next = level->first;
	level->first = entry;
	level->count++;
	return result;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct filter_node *left = *(struct filter_node *const *)a;
	const struct filter_node *right = *(struct filter_node *const *)b;

	if (left->keyed != right->keyed)
		return left->keyed ? -1 : 1;
	if (left->keyed && left->id != right->id)
		return left->id < right->id ? -1 : 1;
	return left->order < right->order ? -1 : 1;
}

/* Only the key decides whether it applies. */
static bool by_key_alone(const struct filter_node *node)
{
	return node->keyed && !node->own.conditions->next && !node->statistics;
}

/* One entry asked for in many pieces, such as a session each, becomes one node. */
static bool merge(struct filter_node *into, struct filter_node *from)
{
	struct filter_node **last = &from->sessions.first;

	if (!by_key_alone(into) || !by_key_alone(from) || into->id != from->id ||
	    into->own.partial != from->own.partial)
		return false;
	into->own.rows |= from->own.rows;
	while (*last)
		last = &(*last)->next;
	*last = into->sessions.first; /* what was gathered may be long: it comes after */
	into->sessions.first = from->sessions.first;
	into->sessions.count += from->sessions.count;
	return true;
}

static int check_alternatives(struct compiler *compiler, const struct filter_level *level)
{
	size_t same = 0;

	if (level->count - level->keyed > FILTER_ALTERNATIVES)
		return too_many(compiler);
	for (size_t i = 0; i < level->keyed; i++) {
		same = i && level->nodes[i]->id == level->nodes[i - 1]->id ? same + 1 : 1;
		if (same > FILTER_ALTERNATIVES)
			return too_many(compiler);
	}
	return 0;
}

static int index_level(struct compiler *compiler, struct filter_level *level)
{
	size_t count = 0;
	int result = 0;

	level->nodes = arena_alloc(&compiler->filter->memory,
				   (level->count + 1) * sizeof(struct filter_node *));
	if (!level->nodes)
		return out_of_memory(compiler);
	for (struct filter_node *node = level->first; node; node = node->next)
		level->nodes[count++] = node;
	qsort(level->nodes, count, sizeof(struct filter_node *), compare_nodes);
	level->count = 0;
	for (size_t i = 0; i < count; i++)
		if (!level->count || !merge(level->nodes[level->count - 1], level->nodes[i]))
			level->nodes[level->count++] = level->nodes[i];
	for (size_t i = 0; i < level->count && !result; i++) {
		level->keyed += level->nodes[i]->keyed;
		result = index_level(compiler, &level->nodes[i]->sessions);
	}
	return result ? result : check_alternatives(compiler, level);
}

/* A node of the filter that selects all there is. */
static int compile_everything(struct compiler *compiler)
{
	static const struct node everything = {.text = ""};

	return compile_entry(compiler, &compiler->filter->tunnels, OBJECT_TUNNEL, &everything);
}

/* There is no leaf in the container, so one to match is not there. */
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

static int compile_container(struct compiler *compiler, const struct node *container)
{
	int result = 0;

	if (!selects(container))
		return 0;
	if (!container->first)
		return compile_everything(compiler);
	for (const struct node *at = container->first; at && !result; at = at->next)
		if (ours(at) && !strcmp(at->name, row_sets[OBJECT_TUNNEL].name))
			result = compile_entry(compiler, &compiler->filter->tunnels, OBJECT_TUNNEL,
					       at);
	return result;
}

static int refuse_attribute(const char *name, enum error_code code, const char *text,
			    struct error *err)
{
	int result = error_set(err, code, "%s", text);

	snprintf(err->info, sizeof(err->info), "%s", name);
	snprintf(err->info2, sizeof(err->info2), "filter");
	return result;
}

int filter_check(const struct node *element, struct error *err)
{
	const char *type = node_attribute(element, "type", "");

	if (!type)
		type = node_attribute(element, "type", NAMESPACE_BASE);
	if (type && strcmp(type, "subtree") != 0)
		return refuse_attribute("type", ERROR_BAD_ATTRIBUTE,
					"the only type of filter here is subtree", err);
	for (const struct attribute *at = element->attributes; at; at = at->next)
		if (strcmp(at->name, "type") != 0)
			return refuse_attribute(at->name, ERROR_UNKNOWN_ATTRIBUTE,
						"a filter has the attribute type and no other",
						err);
	return 0;
}

int filter_compile(struct filter *filter, const struct node *element, bool secrets,
		   struct error *err)
{
	struct compiler compiler = {.filter = filter, .secrets = secrets, .err = err};
	int result = element ? 0 : compile_everything(&compiler);

	for (const struct node *at = element ? element->first : NULL; at && !result; at = at->next)
		result = compile_container(&compiler, at);
	return result ? result : index_level(&compiler, &filter->tunnels);
}

void filter_free(struct filter *filter)
{
	arena_free(&filter->memory);
	*filter = (struct filter){0};
}

static bool holds(const struct selection *selection, const struct view *view)
{
	const struct condition *at;
	char room[VALUE_TEXT_MAX];
	const char *text;
	size_t length;

	for (at = selection->conditions; at; at = at->next) {
		if (!view_leaf(view, at->row, room, &length))
			return false;
		text = trim(room, &length);
		if (length != at->length || memcmp(text, at->text, length) != 0)
			return false;
	}
	return !selection->never;
}

static void match_node(const struct filter_node *node, const struct view *view,
		       struct filter_hit *hit)
{
	if (!holds(&node->own, view))
		return;
	hit->whole |= !node->own.partial;
	hit->rows |= node->own.rows;
	for (const struct selection *at = node->statistics; at; at = at->next)
		if (holds(at, view))
			hit->rows |= at->rows;
	if (node->sessions.count && hit->count < 2 * FILTER_ALTERNATIVES)
		hit->levels[hit->count++] = &node->sessions;
}

/* The first keyed node with that id or a higher one. */
static size_t lower_bound(const struct filter_level *level, uint32_t id)
{
	size_t low = 0, high = level->keyed;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (level->nodes[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool filter_match(const struct filter_level *const *levels, size_t count, const struct view *view,
		  struct filter_hit *ret)
{
	ret->whole = false;
	ret->rows = 0;
	ret->count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct filter_level *level = levels[i];

		for (size_t at = lower_bound(level, view->id);
		     at < level->keyed && level->nodes[at]->id == view->id; at++)
			match_node(level->nodes[at], view, ret);
		for (size_t at = level->keyed; at < level->count; at++)
			match_node(level->nodes[at], view, ret);
	}
	return ret->whole || ret->rows || ret->count;
}

bool filter_next(const struct filter_level *const *levels, size_t count, uint32_t from,
		 uint32_t *ret)
{
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		const struct filter_level *level = levels[i];
		size_t at = lower_bound(level, from);

		if (level->count > level->keyed) {
			*ret = from;
			return true;
		}
		if (at < level->keyed && (!found || level->nodes[at]->id < *ret)) {
			*ret = level->nodes[at]->id;
			found = true;
		}
	}
	return found;
}
