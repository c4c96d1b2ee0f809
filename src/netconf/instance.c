#include "netconf/instance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/codec.h"
#include "model/names.h"

#define BLANKS          " \t\r\n"
#define NAME_MAX_LENGTH 64

struct scan {
	const struct node *at; /* whose declarations are in scope */
	const char *text;      /* the rest */
};

static bool take(struct scan *scan, char what)
{
	scan->text += strspn(scan->text, BLANKS);
	if (*scan->text != what)
		return false;
	scan->text++;
	return true;
}

static bool is_ours(const struct scan *scan, const char *prefix, size_t length)
{
	for (const struct node *node = scan->at; node; node = node->parent)
		for (const struct declaration *ns = node->declarations; ns; ns = ns->next)
			if (strlen(ns->prefix) == length && !memcmp(ns->prefix, prefix, length))
				return !strcmp(ns->uri, NAMESPACE_MODULE);
	return false;
}

/* A name with a prefix of our module; without one it is in no namespace (XPath 1.0 section 2.3). */
static bool take_name(struct scan *scan, char ret[NAME_MAX_LENGTH])
{
	size_t prefix, length;

	scan->text += strspn(scan->text, BLANKS);
	prefix = strcspn(scan->text, ":/[]=" BLANKS);
	if (!prefix || scan->text[prefix] != ':' || !is_ours(scan, scan->text, prefix))
		return false;
	scan->text += prefix + 1;
	length = strcspn(scan->text, ":/[]=" BLANKS);
	if (!length || length >= NAME_MAX_LENGTH)
		return false;
	memcpy(ret, scan->text, length);
	ret[length] = '\0';
	scan->text += length;
	return true;
}

/* [prefix:key='1'] */
static bool take_key(struct scan *scan, const struct row *key, uint32_t *ret)
{
	union config value = {0};
	char name[NAME_MAX_LENGTH], quote;
	const char *end;
	bool found;

	if (!take(scan, '[') || !take_name(scan, name) || strcmp(name, key->leaf) != 0 ||
	    !take(scan, '='))
		return false;
	quote = take(scan, '\'') ? '\'' : '"';
	if (quote == '"' && !take(scan, '"'))
		return false;
	end = strchr(scan->text, quote);
	found = end && !codec_parse(key, &value, scan->text, (size_t)(end - scan->text), NULL);
	if (!found)
		return false;
	*ret = (uint32_t)codec_get_number(key, &value);
	scan->text = end + 1;
	return take(scan, ']');
}

static bool take_leaf(const char *name, enum object object, struct engine_part *ret)
{
	const struct row *row = row_by_leaf(object, name, strlen(name));

	if (!row || row->part != PART_CONFIG)
		return false;
	ret->leaves = BIT(row_number(row));
	return true;
}

static bool take_path(struct scan *scan, struct engine_part *ret)
{
	char name[NAME_MAX_LENGTH];

	if (!take(scan, '/') || !take_name(scan, name) || strcmp(name, ELEMENT_CONTAINER) != 0)
		return false;
	if (!take(scan, '/'))
		return true;
	if (!take_name(scan, name) || strcmp(name, row_sets[OBJECT_TUNNEL].name) != 0 ||
	    !take_key(scan, row_sets[OBJECT_TUNNEL].key, &ret->tunnel_id))
		return false;
	if (!take(scan, '/'))
		return true;
	if (!take_name(scan, name))
		return false;
	if (strcmp(name, row_sets[OBJECT_SESSION].name) != 0)
		return take_leaf(name, OBJECT_TUNNEL, ret);
	if (!take_key(scan, row_sets[OBJECT_SESSION].key, &ret->session_id))
		return false;
	return !take(scan, '/') || (take_name(scan, name) && take_leaf(name, OBJECT_SESSION, ret));
}

int instance_parse(const struct node *at, struct engine_part *ret, struct error *err)
{
	struct scan scan = {at, at->text};
	char quoted[ERROR_QUOTE_MAX];

	*ret = (struct engine_part){0};
	if (take_path(&scan, ret) && !scan.text[strspn(scan.text, BLANKS)])
		return 0;
	error_quote(at->text, at->length, quoted);
	return error_set(
		err, ERROR_INVALID_VALUE,
		"%s is no instance identifier of the configuration, such as "
		"/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='1'], with the prefix declared for %s",
		quoted, NAMESPACE_MODULE);
}

static bool read_key(const struct xpath_step *step, enum object object, uint32_t *ret)
{
	const struct row *key = row_sets[object].key;
	union config value = {0};

	if (strcmp(step->name, row_sets[object].name) != 0 ||
	    codec_parse(key, &value, step->key, strlen(step->key), NULL))
		return false;
	*ret = (uint32_t)codec_get_number(key, &value);
	return true;
}

bool instance_find(const struct xpath_step *steps, size_t count, struct engine_part *ret)
{
	*ret = (struct engine_part){0};
	if (!count || strcmp(steps[0].uri, NAMESPACE_MODULE) != 0 ||
	    strcmp(steps[0].name, ELEMENT_CONTAINER) != 0)
		return false;
	if (count > 1 && !read_key(&steps[1], OBJECT_TUNNEL, &ret->tunnel_id))
		return false;
	if (count <= 2 || read_key(&steps[2], OBJECT_SESSION, &ret->session_id))
		return count <= 3 || take_leaf(steps[3].name, OBJECT_SESSION, ret);
	return count == 3 && take_leaf(steps[2].name, OBJECT_TUNNEL, ret);
}

#define STEP "/" PREFIX_MODULE ":"

static void print(const struct engine_part *part, const struct row *row, char *ret, size_t size)
{
	int used = snprintf(ret, size, STEP ELEMENT_CONTAINER);

	if (part->tunnel_id)
		used += snprintf(ret + used, size - (size_t)used,
				 STEP "tunnel[" PREFIX_MODULE ":tunnel-id='%" PRIu32 "']",
				 part->tunnel_id);
	if (part->session_id)
		used += snprintf(ret + used, size - (size_t)used,
				 STEP "session[" PREFIX_MODULE ":session-id='%" PRIu32 "']",
				 part->session_id);
	if (row)
		snprintf(ret + used, size - (size_t)used, STEP "%s", row->leaf);
}

void instance_visit(const struct engine_partial *partial, instance_visitor *visit, void *arg)
{
	for (size_t i = 0; i < partial->count; i++) {
		const struct engine_part *part = &partial->parts[i];
		const struct row_set *set =
			&row_sets[part->session_id ? OBJECT_SESSION : OBJECT_TUNNEL];
		uint64_t left = part->leaves;
		char path[256];

		do {
			print(part, left ? &set->rows[__builtin_ctzll(left)] : NULL, path,
			      sizeof(path));
			visit(path, arg);
			left = left ? left & (left - 1) : 0;
		} while (left);
	}
}
