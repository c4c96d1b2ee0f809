/*
 * Coherence tests compare the mapping table with another description of the
 * same thing. They tell all differences before they fail, not only the first.
 */
#ifndef TESTS_UNIT_COHERENCE_H
#define TESTS_UNIT_COHERENCE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <ctype.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/table.h"

/* Count and print a difference unless @agree. */
#define AGREE(differences, agree, ...)                                                             \
	do {                                                                                       \
		if (!(agree)) {                                                                    \
			++*(differences);                                                          \
			print_error(__VA_ARGS__);                                                  \
			print_error("\n");                                                         \
		}                                                                                  \
	} while (0)

/* Walk all rows of all objects. */
#define FOR_EACH_ROW(set, row)                                                                     \
	for (const struct row_set *set = row_sets; set < row_sets + OBJECTS; set++)                \
		for (const struct row *row = set->rows; row < set->rows + set->count; row++)

/* What a row of PART_CONFIG is of. */
union any_object {
	struct tunnel tunnel;
	struct session session;
};

static inline bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* For printing texts that may be absent. */
static inline const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

/* What a YANG or MIB description says of a change; NULL: nothing. */
static const char *const change_texts[] = {
	[CHANGE_NEVER] = NULL,
	[CHANGE_LOCAL] = "Change: local.",
	[CHANGE_MODIFY] = "Change: modify.",
	[CHANGE_LINK] = "Change: link.",
	[CHANGE_RECREATE] = "Change: re-create",
	[CHANGE_EXIST] = "Change: local, and the kernel",
};

/* @description with single spaces. */
static inline bool tells_change(const char *description, enum cost change)
{
	return change_texts[change] ? strstr(description, change_texts[change]) != NULL
				    : strstr(description, "Change:") == NULL;
}

/* One space for any white space; truncates at @size. */
static inline void squeeze(const char *text, char *ret, size_t size)
{
	size_t length = 0;

	for (; *text && length + 1 < size; text++) {
		if (!isspace((unsigned char)*text))
			ret[length++] = *text;
		else if (length && ret[length - 1] != ' ')
			ret[length++] = ' ';
	}
	ret[length] = '\0';
}

#endif
