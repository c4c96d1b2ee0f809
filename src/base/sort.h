/* A merge sort that can be interrupted. */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>

struct sort {
	char *from, *to; /* of the pass under way */
	size_t count, size;
	int (*order)(const void *left, const void *right);
	size_t width;            /* of the runs in @from; 0: they are being made */
	size_t left, right, out; /* places: the next of both runs, and in @to */
	size_t middle, end;      /* of the pair of runs */
};

/* Sort @count items of @size bytes; @room has room for as many. The caller owns both. */
void sort_begin(struct sort *sort, void *items, void *room, size_t count, size_t size,
		int (*order)(const void *left, const void *right));
/* Sort for some microseconds; false: done, and sort_result() says where the items are. */
bool sort_unit(struct sort *sort);
void *sort_result(const struct sort *sort); /* items or room */

#endif
