#include "model/table.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool same_name(const char *name, const char *given, size_t length)
{
	return name[0] == given[0] && !strncmp(name, given, length) && name[length] == '\0';
}

const struct row *row_by_leaf(enum object object, const char *leaf, size_t length)
{
	const struct row_set *set = &row_sets[object];

	if (!length)
		return NULL;
	for (unsigned int i = 0; i < set->count; i++) {
		if (same_name(set->rows[i].leaf, leaf, length))
			return &set->rows[i];
	}
	return NULL;
}

uint64_t rows_secret(enum object object)
{
	const struct row_set *set = &row_sets[object];
	uint64_t rows = 0;

	for (unsigned int i = 0; i < set->count; i++)
		if (set->rows[i].secret)
			rows |= BIT(i);
	return rows;
}

static bool leaf_is_keyword(const char *leaf, const char *keyword)
{
	for (; *leaf && (*leaf == *keyword || (*leaf == '-' && *keyword == '_')); leaf++)
		keyword++;
	return !*leaf && !*keyword;
}

/* In "first|second", or in no list. */
static bool is_listed(const char *list, const char *text,
		      int (*compare)(const char *, const char *, size_t))
{
	size_t length = strlen(text);

	while (list) {
		if (strcspn(list, "|") == length && !compare(list, text, length))
			return true;
		list = strchr(list, '|');
		if (list)
			list++;
	}
	return false;
}

const struct row *row_by_keyword(enum object object, const char *keyword)
{
	const struct row_set *set = &row_sets[object];

	if (!keyword[0] || strchr(keyword, '|'))
		return NULL;
	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (is_listed(row->cli, keyword, strncmp) || leaf_is_keyword(row->leaf, keyword))
			return row;
	}
	return NULL;
}

const struct ignored_keyword *ignored_by_keyword(const char *keyword)
{
	for (const struct ignored_keyword *at = ignored_keywords; at->cli; at++) {
		if (is_listed(at->cli, keyword, strncmp))
			return at;
	}
	return NULL;
}

const struct row *row_by_column(enum mib_table table, unsigned int column)
{
	enum object object =
		table == MIB_TUNNEL || table == MIB_TUNNEL_STATS ? OBJECT_TUNNEL : OBJECT_SESSION;
	const struct row_set *set = &row_sets[object];

	if (table == MIB_NONE)
		return NULL;
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->rows[i].mib_table == table && set->rows[i].mib_column == column)
			return &set->rows[i];
	}
	return NULL;
}

const struct row *row_by_attribute(enum object object, enum part part, unsigned int genl)
{
	const struct row_set *set = &row_sets[object];

	if (!genl)
		return NULL;
	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (row->part == part && (row->genl == genl || row->genl_pair == genl))
			return row;
	}
	return NULL;
}

const struct word *word_by_name(const struct word *words, const char *name, size_t length)
{
	if (!length)
		return NULL;
	for (; words->name; words++) {
		if (same_name(words->name, name, length))
			return words;
	}
	return NULL;
}

const struct word *word_by_spelling(const struct word *words, const char *text)
{
	for (; words->name; words++) {
		if (!strcasecmp(words->name, text) || is_listed(words->alias, text, strncasecmp))
			return words;
	}
	return NULL;
}

const struct word *word_by_value(const struct word *words, unsigned int value)
{
	for (; words->name; words++) {
		if (words->value == value)
			return words;
	}
	return NULL;
}

const struct word *word_by_wire(const struct word *words, unsigned int wire)
{
	const struct word *found = NULL;

	for (; words->name; words++) {
		if (words->wire == wire)
			found = words;
	}
	return found;
}

const char *mib_prefix(enum mib_table table)
{
	static const char *const prefixes[] = {
		[MIB_NONE] = "",
		[MIB_SCALARS] = "l2tpv3",
		[MIB_TUNNEL] = "l2tpv3Tunnel",
		[MIB_TUNNEL_STATS] = "l2tpv3TunnelStats",
		[MIB_SESSION] = "l2tpv3Session",
		[MIB_SESSION_STATS] = "l2tpv3SessionStats",
		[MIB_COOKIE] = "l2tpv3SessionCookie",
		[MIB_INTERFACE] = "l2tpv3Interface",
	};

	return prefixes[table];
}

void camel_case(const char *word, char *ret, size_t size)
{
	size_t used = 0;
	bool upper = false;

	if (!size)
		return;
	for (; *word && used + 1 < size; word++) {
		if (*word == '-') {
			upper = true;
			continue;
		}
		ret[used++] = upper ? (char)toupper((unsigned char)*word) : *word;
		upper = false;
	}
	ret[used] = '\0';
}
