#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

#define RUN 32 /* items sorted at once, or moved in a unit */

void sort_begin(struct sort *sort, void *items, void *room, size_t count, size_t size,
		int (*order)(const void *left, const void *right))
{
	*sort = (struct sort){
		.from = items, .to = room, .count = count, .size = size, .order = order};
}

static char *item(const struct sort *sort, size_t place)
{
	return sort->from + place * sort->size;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Go to the pair of runs that begins there. */
static void begin_pair(struct sort *sort, size_t at)
{
	sort->out = sort->left = at;
	sort->middle = sort->right = least(at + sort->width, sort->count);
	sort->end = least(at + 2 * sort->width, sort->count);
}

static void begin_pass(struct sort *sort, size_t width)
{
	sort->width = width;
	begin_pair(sort, 0);
}

static void make_run(struct sort *sort)
{
	size_t length = least(RUN, sort->count - sort->out);

	if (length > 1)
		qsort(item(sort, sort->out), length, sort->size, sort->order);
	sort->out += length;
	if (sort->out == sort->count)
		begin_pass(sort, RUN);
}

static void move_one(struct sort *sort)
{
	bool from_left = sort->right == sort->end ||
			 (sort->left < sort->middle &&
			  sort->order(item(sort, sort->left), item(sort, sort->right)) <= 0);
	size_t *place = from_left ? &sort->left : &sort->right;

	memcpy(sort->to + sort->out++ * sort->size, item(sort, (*place)++), sort->size);
}

static void end_pass(struct sort *sort)
{
	char *sorted = sort->to;

	sort->to = sort->from;
	sort->from = sorted;
	begin_pass(sort, 2 * sort->width);
}

bool sort_unit(struct sort *sort)
{
	if (sort->width == 0) {
		if (sort->count > 1)
			make_run(sort);
		return sort->count > 1;
	}
	if (sort->width >= sort->count)
		return false;
	for (int i = 0; i < RUN && sort->out < sort->end; i++)
		move_one(sort);
	if (sort->out == sort->count)
		end_pass(sort);
	else if (sort->out == sort->end)
		begin_pair(sort, sort->end);
	return true;
}

void *sort_result(const struct sort *sort)
{
	return sort->from;
}
