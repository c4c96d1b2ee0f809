#include "netconf/xpath.h"

#include <ctype.h>

#include "model/codec.h"
#include "model/names.h"
#include "netconf/blank.h"
#include "store/config.h"

/* Reads an expression from left to right. */
struct scanner {
	const char *at;
	const struct node *scope;
	struct tree *tree;
};

static void skip_blanks(struct scanner *scanner)
{
	while (*scanner->at && blank_is(scanner->at, 1))
		scanner->at++;
}

static bool take(struct scanner *scanner, char c)
{
	skip_blanks(scanner);
	if (*scanner->at != c)
		return false;
	scanner->at++;
	return true;
}

static bool is_name_character(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* As far as our names go: ASCII. */
static size_t take_name(struct scanner *scanner)
{
	size_t length = 0;

	skip_blanks(scanner);
	if (isalpha((unsigned char)*scanner->at) || *scanner->at == '_')
		while (is_name_character(scanner->at[length]))
			length++;
	scanner->at += length;
	return length;
}

#define NAME_SIZE 64

/*
 * A name with a declared prefix. One without a prefix has no namespace (XPath 1.0 section 2.3),
 * which none of our data is in.
 */
static bool take_qualified(struct scanner *scanner, char ret_name[NAME_SIZE], const char **ret_uri)
{
	const char *start;
	size_t length;

	skip_blanks(scanner);
	start = scanner->at;
	length = take_name(scanner);
	if (!length || *scanner->at != ':' || scanner->at[1] == ':')
		return false;
	*ret_uri = node_namespace(scanner->scope, start, length);
	start = ++scanner->at;
	length = isalpha((unsigned char)*start) || *start == '_' ? take_name(scanner) : 0;
	if (!*ret_uri || !length || length >= NAME_SIZE)
		return false;
	memcpy(ret_name, start, length);
	ret_name[length] = '\0';
	skip_blanks(scanner);
	return *scanner->at != '(';
}

/* 'text', "text", or a number without a sign, a fraction or zeros before it. */
static bool take_value(struct scanner *scanner, const char **ret, size_t *ret_length,
		       bool *ret_is_number)
{
	char quote;
	const char *end;

	skip_blanks(scanner);
	quote = *scanner->at;
	*ret_is_number = quote != '\'' && quote != '"';
	if (!*ret_is_number) {
		*ret = ++scanner->at;
		end = strchr(*ret, quote);
		if (!end)
			return false;
		*ret_length = (size_t)(end - *ret);
		scanner->at = end + 1;
		return true;
	}
	*ret = scanner->at;
	*ret_length = strspn(*ret, "0123456789");
	scanner->at += *ret_length;
	return *ret_length && *ret_length < 16 && **ret != '0';
}

/* Would a filter compare it as XPath does, character by character, or numbers by value? */
static bool is_comparable(const struct node *entry, const char *name, bool is_number,
			  const char *text, size_t length)
{
	enum object object = node_is(entry, row_sets[OBJECT_SESSION].name, NAMESPACE_MODULE)
				     ? OBJECT_SESSION
				     : OBJECT_TUNNEL;
	const struct row *row = row_by_leaf(object, name, strlen(name));
	union {
		union config config;
		struct tunnel_state tunnel;
		struct session_state session;
	} scratch = {0};
	char canonical[VALUE_TEXT_MAX];

	return row && node_is(entry, row_sets[object].name, NAMESPACE_MODULE) && length &&
	       row->part != PART_STATISTICS && row->type != TYPE_STRING &&
	       (!is_number || row->type == TYPE_U16 || row->type == TYPE_U32) &&
	       !codec_parse(row, &scratch, text, length, NULL) &&
	       codec_print(row, &scratch, canonical) == length && !memcmp(canonical, text, length);
}

/* [prefix:leaf = value]; false: it is another predicate, and nothing was added. */
static bool take_predicate(struct scanner *scanner, struct node *entry)
{
	const char *uri, *text;
	char name[NAME_SIZE];
	struct node *leaf;
	size_t length;
	bool is_number;

	if (!take(scanner, '[') || !take_qualified(scanner, name, &uri) || !take(scanner, '=') ||
	    !take_value(scanner, &text, &length, &is_number) || !take(scanner, ']') ||
	    strcmp(uri, NAMESPACE_MODULE) != 0 ||
	    !is_comparable(entry, name, is_number, text, length))
		return false;
	leaf = tree_add(scanner->tree, entry, name, uri);
	if (!leaf)
		return true;
	leaf->text = arena_text(&scanner->tree->arena, text, length);
	leaf->length = length;
	scanner->tree->broken |= !leaf->text;
	return true;
}

/* Is it preceded by an operator that is a name? */
static bool follows_word(const char *at, const char *begin)
{
	static const char *const words[] = {"and", "or", "div", "mod"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(at - begin) >= length && !memcmp(at - length, words[i], length))
			return true;
	}
	return false;
}

/*
 * Where an expression goes on from a node, can it reach others than those below? Not without axes,
 * parents, variables, and paths from the root, which begin where an operand does. Says no if in
 * doubt.
 */
static bool stays_below(const char *rest, const char *begin)
{
	char quote = '\0';

	for (; *rest; rest++) {
		char before = quote ? '\0' : rest[-1];

		if (quote || *rest == '\'' || *rest == '"')
			quote = !quote ? *rest : *rest == quote ? '\0' : quote;
		else if (strchr("|$", *rest) || !strncmp(rest, "..", 2) || !strncmp(rest, "::", 2))
			return false;
		else if (*rest == '/' && ((!is_name_character(before) && !strchr("])/", before)) ||
					  follows_word(rest, begin)))
			return false;
	}
	return true;
}

/* An absolute path. XPATH_WHOLE: nothing of it was understood. */
static enum xpath_kind take_path(struct scanner *scanner)
{
	struct node *at = scanner->tree->root, *child;
	const char *uri, *before, *begin = scanner->at;
	char name[NAME_SIZE];
	bool any = false;

	for (;; any = true) {
		before = scanner->at;
		if (!take(scanner, '/') || !take_qualified(scanner, name, &uri))
			break;
		child = tree_add(scanner->tree, at, name, uri);
		if (!child)
			return XPATH_WHOLE;
		at = child;
		do
			before = scanner->at;
		while (take_predicate(scanner, at));
		if (*before == '[')
			break;
		scanner->at = before;
	}
	scanner->at = before;
	skip_blanks(scanner);
	if (!any)
		return XPATH_WHOLE;
	if (!*scanner->at || *scanner->at == '|')
		return XPATH_FILTER;
	return stays_below(before, begin) ? XPATH_SEARCH : XPATH_WHOLE;
}

enum xpath_kind xpath_to_filter(const char *expression, const struct node *scope, struct tree *ret)
{
	struct scanner scanner = {expression, scope, ret};
	enum xpath_kind kind;
	bool first = true;

	tree_add(ret, NULL, "filter", NAMESPACE_BASE);
	for (;; first = false) {
		kind = take_path(&scanner);
		if (kind != XPATH_FILTER)
			return first ? kind : XPATH_WHOLE;
		if (!take(&scanner, '|'))
			return XPATH_FILTER;
	}
}
