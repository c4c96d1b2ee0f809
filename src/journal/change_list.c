/* Prints changes for people. */
#include <inttypes.h>

#include "model/codec.h"
#include "journal/journal.h"
#include "store/overlay.h"

static void print_quoted(FILE *file, const char *text)
{
	putc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', file);
		putc(*text, file);
	}
	putc('"', file);
}

static void print_value(FILE *file, const struct row *row, const union config *config)
{
	char text[VALUE_TEXT_MAX];

	if (!codec_present(row, config)) {
		fputs("(unset)", file);
	} else if (row->secret) {
		fputs("(hidden)", file);
	} else {
		codec_print(row, config, text);
		if (row->type == TYPE_STRING)
			print_quoted(file, text);
		else
			fputs(text, file);
	}
}

static void print_leaves(FILE *file, const struct change *change, uint64_t leaves)
{
	const struct row *rows = row_sets[change_object(change)].rows;
	const char *separator = " ";

	for (; leaves != 0; leaves &= leaves - 1, separator = ", ") {
		const struct row *row = &rows[__builtin_ctzll(leaves)];

		fprintf(file, "%s%s ", separator, row->leaf);
		if (change->before) {
			print_value(file, row, change->before);
			fputs(" -> ", file);
		}
		print_value(file, row, change->after);
	}
}

void change_print(FILE *file, const struct change *change, uint64_t hidden)
{
	const struct row_set *set = &row_sets[change_object(change)];
	uint64_t leaves = 0;

	if (!change->tunnel_id) {
		fputs("~ nacm\n", file);
		return;
	}
	if (change->after)
		leaves = change->after->present;
	if (change->before && change->after)
		leaves = codec_difference(change_object(change), change->before, change->after);
	fprintf(file, "%c %s %" PRIu32,
		!change->before  ? '+'
		: !change->after ? '-'
				 : '~',
		set->name, change->tunnel_id);
	if (change->session_id != 0)
		fprintf(file, "/%" PRIu32, change->session_id);
	if (change->after)
		print_leaves(file, change, leaves & ~BIT(row_number(set->key)) & ~hidden);
	putc('\n', file);
}

void changes_print(FILE *file, const struct candidate *changes)
{
	for (struct change *at = candidate_first(changes); at; at = change_next(at))
		change_print(file, at, 0);
}
