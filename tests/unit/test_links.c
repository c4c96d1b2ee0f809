/* Links: found by index and by name, whatever was looked for before, and whatever came and went. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/links.h"

#define PLACES 12 /* of indexes 1 to PLACES, and of as many names */
#define STEPS  20000

/* The name of a link by its index; "": there is none. */
static char model[PLACES + 1][IFNAME_LENGTH + 1];

static unsigned int index_of(const char *name)
{
	for (unsigned int index = 1; index <= PLACES; index++)
		if (strcmp(model[index], name) == 0)
			return index;
	return 0;
}

static void put(struct links *links, unsigned int index, const char *name)
{
	struct kernel_link link = {.index = index};
	unsigned int old = index_of(name);

	if (old && old != index)
		model[old][0] = '\0'; /* its deletion was missed */
	memcpy(link.name, name, strlen(name) + 1);
	assert_true(links_put(links, &link));
	memcpy(model[index], link.name, sizeof(link.name));
}

static void look(const struct links *links, unsigned int index, const char *name)
{
	const struct kernel_link *link = links_by_index(links, index);

	assert_int_equal(link != NULL, model[index][0] != '\0');
	if (link)
		assert_string_equal(link->name, model[index]);
	link = links_by_name(links, name);
	assert_int_equal(link ? link->index : 0, index_of(name));
}

static void a_look_up_depends_on_none_before(void **state)
{
	struct links links = LINKS_EMPTY;
	char name[IFNAME_LENGTH + 1];

	(void)state;
	srand(1);
	for (unsigned int step = 0; step < STEPS; step++) {
		unsigned int index = 1 + (unsigned int)rand() % PLACES;

		snprintf(name, sizeof(name), "l%d", rand() % PLACES);
		if (rand() % 8 == 0)
			put(&links, index, name);
		if (rand() % 8 == 0) {
			index = 1 + (unsigned int)rand() % PLACES;
			links_remove(&links, index);
			model[index][0] = '\0';
		}
		look(&links, 1 + (unsigned int)rand() % PLACES, name);
	}
	links_clear(&links);
	assert_null(links_by_index(&links, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_up_depends_on_none_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
