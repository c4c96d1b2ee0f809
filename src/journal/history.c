/* Which commits the journal has: their places, not what is in them. */
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

/* What is older than a gap leads nowhere. */
void history_push(struct journal *journal, const struct history_entry *entry)
{
	if (!history_reaches(journal, entry->info.number - 1))
		journal->history_count = 0;
	if (journal->history_count == HISTORY_LENGTH) {
		memmove(&journal->history[0], &journal->history[1],
			(HISTORY_LENGTH - 1) * sizeof(journal->history[0]));
		journal->history_count--;
	}
	journal->history[journal->history_count++] = *entry;
}

size_t journal_history(const struct journal *journal, struct commit_info ret[HISTORY_LENGTH])
{
	for (size_t i = 0; i < journal->history_count; i++)
		ret[i] = journal->history[journal->history_count - 1 - i].info;
	return journal->history_count;
}

const struct history_entry *history_find(const struct journal *journal, uint64_t number)
{
	for (size_t i = 0; i < journal->history_count; i++) {
		if (journal->history[i].info.number == number)
			return &journal->history[i];
	}
	return NULL;
}
