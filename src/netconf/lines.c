#include "netconf/lines.h"

#include <inttypes.h>
#include <zlib.h>

#include "netconf/encode.h"

void lines_capability(char ret[LINES_CAPABILITY_MAX])
{
	uLong crc = crc32(0, NULL, 0);

	for (unsigned int object = 0; object < OBJECTS; object++) {
		const struct row_set *set = &row_sets[object];

		for (unsigned int i = 0; i < set->count; i++)
			crc = crc32_z(crc, (const Bytef *)set->rows[i].leaf,
				      strlen(set->rows[i].leaf) + 1);
	}
	snprintf(ret, LINES_CAPABILITY_MAX, "%s?rows=%08lx", NAMESPACE_LINES, crc);
}

void lines_begin(struct writer *writer, unsigned int depth)
{
	(void)depth;
	write_text(writer, "<" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_LINES "\">");
}

/* Escape a value in place, which must have room for twice its length. Returns the new length. */
static size_t escape(char *text, size_t length)
{
	char copy[VALUE_TEXT_MAX];
	size_t used = 0;

	memcpy(copy, text, length);
	for (size_t i = 0; i < length; i++) {
		if (copy[i] == '\\' || copy[i] == '|')
			text[used++] = '\\';
		text[used++] = copy[i];
	}
	return used;
}

static bool is_free_text(const struct row *row)
{
	return row->type == TYPE_STRING || row->type == TYPE_IFNAME || row->type == TYPE_TEXT;
}

static size_t put_bits(uint64_t bits, char *ret)
{
	unsigned int digits = bits ? (67 - (unsigned int)__builtin_clzll(bits)) / 4 : 1;

	for (unsigned int i = digits; i-- > 0; bits >>= 4)
		ret[i] = "0123456789abcdef"[bits & 15];
	return digits;
}

/* Make the whole line first and escape it for XML at once: several times faster. */
void lines_entry(struct writer *writer, const struct view *view, uint64_t rows, unsigned int depth)
{
	const struct row_set *set = &row_sets[view->object];
	char line[ROWS_MAX * 2 * VALUE_TEXT_MAX];
	size_t used = 0, length;
	uint64_t written = 0;

	(void)depth;
	write_tag(writer, "<", set->name);
	for (rows &= BIT(set->count) - 1; rows; rows &= rows - 1) {
		const struct row *row = &set->rows[__builtin_ctzll(rows)];

		if (row->type == TYPE_COUNTER && view->statistics)
			length = codec_print_decimal(codec_get_number(row, view->statistics), 1,
						     line + used);
		else if (!view_leaf(view, row, line + used, &length))
			continue;
		used += is_free_text(row) ? escape(line + used, length) : length;
		line[used++] = '|';
		written |= rows & -rows;
	}
	used += put_bits(written, line + used);
	write_escaped(writer, line, used);
}

/* Terminate and unescape a value. Returns where the next one begins, or NULL: it has no end. */
static char *end_value(char *at)
{
	char *to = at;

	for (; *at && *at != '|'; at++) {
		if (*at == '\\' && at[1])
			at++;
		*to++ = *at;
	}
	if (!*at)
		return NULL;
	*to = '\0';
	return at + 1;
}

bool lines_split(enum object object, char *text, const char **ret)
{
	const struct row_set *set = &row_sets[object];
	char *bar = strrchr(text, '|'), *bits = bar ? bar + 1 : text, *end;
	uint64_t rows = strtoull(bits, &end, 16);

	if (*end || end == bits || (rows & ~(BIT(set->count) - 1)))
		return false;
	for (; rows && text; rows &= rows - 1) {
		ret[__builtin_ctzll(rows)] = text;
		text = end_value(text);
	}
	return text == bits;
}
