#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 39
#define FAR      3 /* so many letters wrong are another word */

/*
 * Letters to insert, delete, replace or swap with their neighbour (optimal string alignment
 * distance).
 */
static unsigned int distance_of(const char *a, const char *b, size_t b_length)
{
	unsigned int rows[3][WORD_MAX + 1];
	unsigned int *before = rows[0], *last = rows[1], *row = rows[2];
	size_t a_length = strlen(a);

	if (a_length > WORD_MAX || b_length > WORD_MAX)
		return FAR;
	for (size_t j = 0; j <= b_length; j++)
		last[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned int *next = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned int replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
			unsigned int shifted = (last[j] < row[j - 1] ? last[j] : row[j - 1]) + 1;

			row[j] = replaced < shifted ? replaced : shifted;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = next;
	}
	return last[b_length];
}

void suggest_try(struct suggestion *suggestion, const char *words)
{
	size_t length;

	for (; words && *words; words += length + (words[length] == '|')) {
		unsigned int distance;

		length = strcspn(words, "|");
		distance = distance_of(suggestion->word, words, length);
		/* of a short word little can be wrong */
		if (distance >= FAR || distance * 2 >= length ||
		    (*suggestion->best && distance >= suggestion->distance))
			continue;
		suggestion->distance = distance;
		snprintf(suggestion->best, sizeof(suggestion->best), "%.*s", (int)length, words);
	}
}

const char *suggest_text(const struct suggestion *suggestion, char ret[80])
{
	ret[0] = '\0';
	if (*suggestion->best)
		snprintf(ret, 80, "; did you mean \"%s\"?", suggestion->best);
	return ret;
}
