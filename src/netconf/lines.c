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

static void write_value(struct writer *writer, const char *text, size_t length)
{
	while (length) {
		size_t count = 0;

		while (count < length && text[count] != '\\' && text[count] != '\t')
			count++;
		write_escaped(writer, text, count);
		if (count == length)
			break;
		write_text(writer, text[count] == '\t' ? "\\t" : "\\\\");
		text += count + 1;
		length -= count + 1;
	}
	write_bytes(writer, "\t", 1);
}

void lines_entry(struct writer *writer, const struct view *view, uint64_t rows, unsigned int depth)
{
	const struct row_set *set = &row_sets[view->object];
	char text[VALUE_TEXT_MAX];
	uint64_t written = 0;
	size_t length;

	(void)depth;
	write_tag(writer, "<", set->name);
	for (rows &= BIT(set->count) - 1; rows; rows &= rows - 1) {
		unsigned int number = (unsigned int)__builtin_ctzll(rows);

		if (!view_leaf(view, &set->rows[number], text, &length))
			continue;
		write_value(writer, text, length);
		written |= BIT(number);
	}
	snprintf(text, sizeof(text), "%" PRIx64, written);
	write_text(writer, text);
}

/* To the end of a value; the next one begins behind it. NULL: it has no end. */
static char *end_value(char *at)
{
	char *to = at;

	for (; *at && *at != '\t'; at++) {
		if (*at == '\\' && at[1])
			*to++ = *++at == 't' ? '\t' : *at;
		else
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
	char *tab = strrchr(text, '\t'), *bits = tab ? tab + 1 : text, *end;
	uint64_t rows = strtoull(bits, &end, 16);

	if (*end || (rows & ~(BIT(set->count) - 1)))
		return false;
	for (; rows && text; rows &= rows - 1) {
		ret[__builtin_ctzll(rows)] = text;
		text = end_value(text);
	}
	return text == bits;
}
