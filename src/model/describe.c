#include "model/describe.h"

#include <inttypes.h>

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

static void print_value(FILE *file, const struct row *row, const void *config)
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

static void print_leaves(FILE *file, const struct row *rows, const void *before, const void *after,
			 uint64_t leaves)
{
	const char *separator = " ";

	for (; leaves != 0; leaves &= leaves - 1, separator = ", ") {
		const struct row *row = &rows[__builtin_ctzll(leaves)];

		fprintf(file, "%s%s ", separator, row->leaf);
		if (before) {
			print_value(file, row, before);
			fputs(" -> ", file);
		}
		print_value(file, row, after);
	}
}

void describe_change(FILE *file, enum object object, uint32_t tunnel_id, uint32_t session_id,
		     const void *before, const void *after, uint64_t hidden)
{
	const struct row_set *set = &row_sets[object];
	/* codec.c: the presence bits come first */
	uint64_t leaves = after ? *(const uint64_t *)after : 0;

	if (before && after)
		leaves = codec_difference(object, before, after);
	fprintf(file, "%c %s %" PRIu32, !before ? '+' : !after ? '-' : '~', set->name, tunnel_id);
	if (session_id != 0)
		fprintf(file, "/%" PRIu32, session_id);
	if (after)
		print_leaves(file, set->rows, before, after,
			     leaves & ~BIT(row_number(set->key)) & ~hidden);
}
