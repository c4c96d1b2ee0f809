/* Which commits the journal has: their places, not what is in them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal_file.h"

/* Number of the newest commit kept; 0 none. */
static uint64_t history_newest(const struct journal *journal)
{
	size_t count = journal->history_count;

	return count > 0 ? journal->history[count - 1].info.number : 0;
}

bool history_reaches(const struct journal *journal, uint64_t number)
{
	return journal->history_count == 0 || history_newest(journal) == number;
}

bool journal_tentative(const struct journal *journal, uint64_t *ret_baseline)
{
	const struct history_entry *last =
		journal->history_count > 0 ? &journal->history[journal->history_count - 1] : NULL;

	if (!last || last->info.number != journal->generation || !last->info.tentative)
		return false;
	*ret_baseline = last->info.baseline;
	return true;
}

bool history_is_pinned(const struct journal *journal, const struct history_entry *entry)
{
	const struct commit_info *last = &journal->history[journal->history_count - 1].info;

	return last->tentative && entry->info.number > last->baseline;
}

int history_reserve(struct journal *journal)
{
	struct history_entry *more;

	if (journal->history_count < journal->history_room)
		return 0;
	more = reallocarray(journal->history, journal->history_room + HISTORY_LENGTH,
			    sizeof(*more));
	if (!more)
		return -ENOMEM;
	journal->history = more;
	journal->history_room += HISTORY_LENGTH;
	return 0;
}

/* What is older than a gap leads nowhere. */
void history_push(struct journal *journal, const struct history_entry *entry)
{
	size_t gone = 0;

	if (!history_reaches(journal, entry->info.number - 1))
		journal->history_count = 0;
	journal->history[journal->history_count++] = *entry;
	while (journal->history_count - gone > HISTORY_LENGTH &&
	       !history_is_pinned(journal, &journal->history[gone]))
		gone++;
	journal->history_count -= gone;
	memmove(&journal->history[0], &journal->history[gone],
		journal->history_count * sizeof(journal->history[0]));
}

size_t journal_history(const struct journal *journal, struct commit_info ret[HISTORY_LENGTH])
{
	size_t count =
		journal->history_count < HISTORY_LENGTH ? journal->history_count : HISTORY_LENGTH;

	for (size_t i = 0; i < count; i++)
		ret[i] = journal->history[journal->history_count - 1 - i].info;
	return count;
}

const struct history_entry *history_find(const struct journal *journal, uint64_t number)
{
	for (size_t i = 0; i < journal->history_count; i++) {
		if (journal->history[i].info.number == number)
			return &journal->history[i];
	}
	return NULL;
}
