/* Prints changes for people. */
#include "journal/journal.h"
#include "model/describe.h"
#include "store/overlay.h"

void change_print(FILE *file, const struct change *change, uint64_t hidden)
{
	if (change->tunnel_id)
		describe_change(file, change_object(change), change->tunnel_id, change->session_id,
				change->before, change->after, hidden);
	else
		fputs("~ nacm", file);
	putc('\n', file);
}

void changes_print(FILE *file, const struct candidate *changes)
{
	for (struct change *at = candidate_first(changes); at; at = change_next(at))
		change_print(file, at, 0);
}
