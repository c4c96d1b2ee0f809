#include "netconf/filter_node.h"

#include "netconf/reader.h"
#include "netconf/blank.h"

void filter_free(struct filter *filter)
{
	arena_free(&filter->memory);
	*filter = (struct filter){0};
}

/*
 * The values of an entry, each printed once however many conditions ask for it. Blanks around a
 * value do not count (RFC 6241 section 6.2.5).
 */
struct values {
	const struct view *view;
	uint64_t printed, there; /* bits by row number */
	struct {
		const char *text;
		size_t length;
		char room[VALUE_TEXT_MAX];
	} value[ROWS_MAX];
};

static bool has_value(struct values *values, const struct condition *condition)
{
	unsigned int number = row_number(condition->row);
	size_t length;

	if (!(values->printed & BIT(number))) {
		values->printed |= BIT(number);
		if (view_leaf(values->view, condition->row, values->value[number].room, &length)) {
			values->there |= BIT(number);
			values->value[number].text =
				blank_trim(values->value[number].room, &length);
			values->value[number].length = length;
		}
	}
	return (values->there & BIT(number)) && values->value[number].length == condition->length &&
	       !memcmp(values->value[number].text, condition->text, condition->length);
}

static bool holds(const struct selection *selection, struct values *values)
{
	for (const struct condition *at = selection->conditions; at; at = at->next)
		if (!has_value(values, at))
			return false;
	return !selection->never;
}

static void match_node(const struct filter_node *node, struct values *values,
		       struct filter_hit *hit)
{
	if (!holds(&node->own, values))
		return;
	if (!node->own.partial && (!hit->whole || !node->container)) {
		hit->whole = true;
		hit->above = node->container;
	}
	hit->rows |= node->own.rows;
	for (const struct selection *at = node->statistics; at; at = at->next)
		if (holds(at, values))
			hit->rows |= at->rows;
	if (node->sessions.count && hit->count < 2 * FILTER_ALTERNATIVES)
		hit->levels[hit->count++] = &node->sessions;
}

/* The first keyed node with this id or a higher one. */
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
	struct values values; /* too large to be zeroed */

	values.view = view;
	values.printed = values.there = 0;
	ret->whole = false;
	ret->above = 0;
	ret->rows = 0;
	ret->count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct filter_level *level = levels[i];

		for (size_t at = lower_bound(level, view->id);
		     at < level->keyed && level->nodes[at]->id == view->id; at++)
			match_node(level->nodes[at], &values, ret);
		for (size_t at = level->keyed; at < level->count; at++)
			match_node(level->nodes[at], &values, ret);
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
