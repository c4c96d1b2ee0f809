/* What a cursor promises to who drives it, and the sort that stops halfway. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/sort.h"

/* Counts up to `end`, or to where it fails; back, down to 0. */
struct counting {
	struct cursor cursor;
	int *done, end, fails_at;
	bool *closed;
};

static int forth(struct cursor *cursor)
{
	struct counting *counting = (struct counting *)cursor;

	if (*counting->done == counting->fails_at)
		return -EINVAL;
	if (*counting->done == counting->end)
		return 0;
	++*counting->done;
	return 1;
}

static int back(struct cursor *cursor)
{
	struct counting *counting = (struct counting *)cursor;

	if (*counting->done == 0)
		return 0;
	--*counting->done;
	return 1;
}

static void closed(struct cursor *cursor)
{
	*((struct counting *)cursor)->closed = true;
}

static struct cursor *begin(int *done, int end, int fails_at, bool *ret_closed)
{
	static const struct cursor_kind kind = {forth, back, closed};
	struct counting *counting = cursor_new(&kind, sizeof(*counting));

	assert_non_null(counting);
	counting->done = done;
	counting->end = end;
	counting->fails_at = fails_at;
	counting->closed = ret_closed;
	*done = 0;
	*ret_closed = false;
	return &counting->cursor;
}

static void a_step_does_no_more_than_its_budget(void **state)
{
	bool is_closed;
	int done;
	struct cursor *cursor = begin(&done, 5, -1, &is_closed);

	(void)state;
	assert_true(cursor_step(cursor, 0) > 0);
	assert_int_equal(done, 0);
	assert_true(cursor_step(cursor, 2) > 0);
	assert_int_equal(done, 2);
	assert_int_equal(cursor_step(cursor, 100), 0);
	assert_int_equal(cursor_step(cursor, 100), 0);
	cursor_abandon(cursor); /* too late */
	assert_int_equal(cursor_step(cursor, 1), 0);
	assert_int_equal(done, 5);
	assert_false(is_closed);
	cursor_free(cursor);
	assert_true(is_closed);
}

static void an_error_is_told_when_all_is_taken_back(void **state)
{
	bool is_closed;
	int done;
	struct cursor *cursor = begin(&done, 5, 3, &is_closed);

	(void)state;
	assert_true(cursor_step(cursor, 4) > 0);
	assert_int_equal(done, 3);
	cursor_abandon(cursor); /* it has turned round already, for a better reason */
	assert_true(cursor_step(cursor, 3) > 0);
	assert_int_equal(done, 0);
	assert_int_equal(cursor_step(cursor, 1), -EINVAL);
	assert_int_equal(cursor_step(cursor, 1), -EINVAL);
	cursor_free(cursor);
}

static void abandoned_it_goes_back_and_freed_at_once(void **state)
{
	bool is_closed;
	int done;
	struct cursor *cursor = begin(&done, 5, -1, &is_closed);

	(void)state;
	cursor_step(cursor, 3);
	cursor_abandon(cursor);
	assert_true(cursor_step(cursor, 2) > 0);
	assert_int_equal(done, 1);
	assert_int_equal(cursor_step(cursor, 9), -ECANCELED);
	cursor_free(cursor);
	cursor = begin(&done, 5, -1, &is_closed);
	cursor_step(cursor, 3);
	cursor_free(cursor);
	assert_int_equal(done, 0);
	assert_true(is_closed);
	cursor_free(NULL);
}

static void what_is_decided_goes_on(void **state)
{
	bool is_closed;
	int done;
	struct cursor *cursor = begin(&done, 5, -1, &is_closed);

	(void)state;
	cursor->decided = true;
	cursor_step(cursor, 2);
	cursor_abandon(cursor);
	cursor_free(cursor);
	assert_int_equal(done, 5);
}

static void at_once_it_tells_the_same(void **state)
{
	bool is_closed;
	int done;

	(void)state;
	assert_int_equal(cursor_run(begin(&done, 5, -1, &is_closed)), 0);
	assert_int_equal(done, 5);
	assert_true(is_closed);
	assert_int_equal(cursor_run(begin(&done, 5, 4, &is_closed)), -EINVAL);
	assert_int_equal(done, 0);
	assert_int_equal(cursor_run(NULL), -ENOMEM);
}

/* Sorting */

struct item {
	int key, place;
};

static unsigned int compared;

static int by_key(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	compared++;
	return (a->key > b->key) - (a->key < b->key);
}

static int by_place_too(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return a->key != b->key ? by_key(left, right)
				: (a->place > b->place) - (a->place < b->place);
}

static void sort_one(size_t count, int keys)
{
	struct item *items = calloc(count + 1, sizeof(*items));
	struct item *room = calloc(count + 1, sizeof(*items));
	struct item *should = calloc(count + 1, sizeof(*items));
	struct sort sort;

	for (size_t i = 0; i < count; i++)
		should[i] = items[i] = (struct item){rand() % keys, (int)i};
	qsort(should, count, sizeof(*should), by_place_too);
	sort_begin(&sort, items, room, count, sizeof(*items), by_place_too);
	for (compared = 0; sort_unit(&sort); compared = 0)
		assert_true(compared < 32 * 8); /* a run of 32 is the most that a unit sorts */
	assert_memory_equal(sort_result(&sort), should, count * sizeof(*should));
	free(items);
	free(room);
	free(should);
}

static void any_number_is_sorted_a_bit_at_a_time(void **state)
{
	(void)state;
	srand(1);
	for (size_t count = 0; count < 140; count++)
		sort_one(count, 1 + (int)count);
	for (int keys = 1; keys < 5000; keys *= 7)
		sort_one(5000, keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_does_no_more_than_its_budget),
		cmocka_unit_test(an_error_is_told_when_all_is_taken_back),
		cmocka_unit_test(abandoned_it_goes_back_and_freed_at_once),
		cmocka_unit_test(what_is_decided_goes_on),
		cmocka_unit_test(at_once_it_tells_the_same),
		cmocka_unit_test(any_number_is_sorted_a_bit_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
