/* Text with secrets is nowhere in freed memory, however often it had to be moved. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/wipe.h"
#include "base/wiped_stream.h"

#define LINES 5000

static size_t freed, left; /* blocks, and bytes of the text in them */

void __real_free(void *memory);
void __wrap_free(void *memory);

void __wrap_free(void *memory)
{
	const char *at = memory;

	freed += memory != NULL;
	for (size_t size = memory ? malloc_usable_size(memory) : 0; size; size--)
		left += *at++ == 'X';
	__real_free(memory);
}

static void nothing_is_left_behind(void **state)
{
	char *text, line[32];
	size_t size;
	FILE *file = wiped_stream(&text, &size);

	(void)state;
	assert_string_equal(text, "");
	freed = left = 0;
	for (int i = 0; i < LINES; i++)
		fprintf(file, "%05d XXXXXXXXXXXXX\n", i);
	assert_int_equal(fclose(file), 0);
	assert_true(freed > 3);
	assert_int_equal(left, 0);
	assert_int_equal(size, LINES * 20);
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "%05d XXXXXXXXXXXXX\n", i);
		assert_memory_equal(text + 20 * i, line, 20);
	}
	assert_int_equal(text[size], '\0');
	wipe_free(text, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
