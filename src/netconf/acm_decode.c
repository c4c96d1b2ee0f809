#include "netconf/acm_decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netconf/blank.h"
#include "netconf/node.h"
#include "store/policy.h"

static int refuse(enum error_code code, const char *name, const char *text, struct error *err)
{
	int rc = error_set(err, code, "%s", text);

	snprintf(err->info, sizeof(err->info), "%s", name);
	return rc;
}

static int no_room(struct error *err)
{
	return refuse(ERROR_TOO_BIG, "", "NACM's configuration is too large for one request", err);
}

/* ---- insert and key */

bool acm_decode_places(const struct reader_attribute *attribute)
{
	return !strcmp(attribute->uri, NAMESPACE_YANG) &&
	       (!strcmp(attribute->name, "insert") || !strcmp(attribute->name, "key"));
}

static const struct reader_attribute *find_place(const struct reader_element *element,
						 const char *name)
{
	for (unsigned int i = 0; i < element->attribute_count; i++)
		if (acm_decode_places(&element->attributes[i]) &&
		    !strcmp(element->attributes[i].name, name))
			return &element->attributes[i];
	return NULL;
}

static int refuse_place(enum error_code code, const char *attribute,
			const struct reader_element *element, const char *text, struct error *err)
{
	int rc = refuse(code, attribute, text, err);

	snprintf(err->info2, sizeof(err->info2), "%s", element->name);
	return rc;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* "[acm:name='x']", the predicate of an instance identifier. @text is cut. False: it is another. */
static bool read_key(const struct reader *reader, char *text, const char **ret)
{
	const char *at = skip_blanks(text), *uri, *name;
	size_t prefix;
	char *end;

	if (*at != '[')
		return false;
	at = skip_blanks(at + 1);
	prefix = strcspn(at, ":='\"");
	uri = at[prefix] == ':' ? reader_namespace(reader, at, prefix) : NULL;
	name = acm_rows[ACM_RULE_NAME].name;
	if (!uri || strcmp(uri, NAMESPACE_ACM) != 0 ||
	    strncmp(at + prefix + 1, name, strlen(name)) != 0)
		return false;
	at = skip_blanks(at + prefix + 1 + strlen(name));
	if (*at != '=')
		return false;
	at = skip_blanks(at + 1);
	end = *at == '\'' || *at == '"' ? strchr(at + 1, *at) : NULL;
	if (!end || *skip_blanks(end + 1) != ']' || *skip_blanks(skip_blanks(end + 1) + 1))
		return false;
	*end = '\0';
	*ret = at + 1;
	return true;
}

static bool read_place(const struct reader_attribute *insert, enum acm_place *ret)
{
	static const char *const words[] = {
		[ACM_PLACE_FIRST] = "first",
		[ACM_PLACE_LAST] = "last",
		[ACM_PLACE_BEFORE] = "before",
		[ACM_PLACE_AFTER] = "after",
	};
	size_t length = insert->length;
	const char *word = blank_trim(insert->value, &length);

	for (enum acm_place place = ACM_PLACE_FIRST; place <= ACM_PLACE_AFTER; place++)
		if (strlen(words[place]) == length && !memcmp(words[place], word, length)) {
			*ret = place;
			return true;
		}
	return false;
}

/* Where the entry @node goes, if the element says so. */
static int take_place(struct acm_decoder *decoder, const struct reader_element *element,
		      struct acm_node *node, struct error *err)
{
	const struct reader_attribute *insert = find_place(element, "insert");
	const struct reader_attribute *key = find_place(element, "key");
	char text[ACM_TEXT_MAX];

	if (!insert && !key)
		return 0;
	if (insert && !read_place(insert, &node->place))
		return refuse_place(ERROR_BAD_ATTRIBUTE, "insert", element,
				    "allowed: first, last, before, after", err);
	if (node->operation == EDIT_NONE || edit_removes(node->operation))
		return refuse_place(ERROR_BAD_ATTRIBUTE, insert ? "insert" : "key", element,
				    "it goes with merge, create and replace", err);
	if (key && node->place < ACM_PLACE_BEFORE)
		return refuse_place(ERROR_BAD_ATTRIBUTE, "key", element,
				    "it goes with insert=\"before\" and insert=\"after\"", err);
	if (!key && node->place >= ACM_PLACE_BEFORE)
		return refuse_place(ERROR_MISSING_ATTRIBUTE, "key", element,
				    "which entry? As in yang:key=\"[acm:name='x']\"", err);
	if (!key)
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)key->length, key->value);
	if (key->length >= sizeof(text) || !read_key(element->reader, text, &node->beside))
		return refuse_place(
			ERROR_BAD_ATTRIBUTE, "key", element,
			"it is the predicate of an entry, as in yang:key=\"[acm:name='x']"
			"\", with the prefix declared for " NAMESPACE_ACM,
			err);
	node->beside = arena_text(&decoder->acm->arena, node->beside, strlen(node->beside));
	return node->beside ? 0 : no_room(err);
}

static int check_place(const struct reader_element *element, enum acm_item item, struct error *err)
{
	for (unsigned int i = 0; i < element->attribute_count && !acm_rows[item].ordered; i++)
		if (acm_decode_places(&element->attributes[i]))
			return refuse_place(ERROR_UNKNOWN_ATTRIBUTE, element->attributes[i].name,
					    element, "only rules and rule-lists have an order",
					    err);
	return 0;
}

/* ---- elements */

bool acm_decode_may_tag(const struct acm_decoder *decoder, const char *name)
{
	enum acm_item item =
		decoder->at && !decoder->leaf ? acm_item_in(decoder->at->item, name) : ACM_ITEMS;

	return item != ACM_ITEMS && acm_rows[item].kind == ACM_IS_LEAF;
}

int acm_decode_start(struct acm_decoder *decoder, const struct reader_element *element,
		     enum edit_operation operation, struct error *err)
{
	enum acm_item item = decoder->at ? acm_item_in(decoder->at->item, element->name) : ACM_NACM;

	if (decoder->leaf)
		return refuse(ERROR_BAD_ELEMENT, element->name, "a leaf cannot contain elements",
			      err);
	if (!decoder->at && strcmp(element->name, acm_rows[ACM_NACM].name) != 0)
		return refuse(ERROR_UNKNOWN_ELEMENT, element->name,
			      "the module's only top element is nacm", err);
	if (!decoder->at && decoder->acm)
		return refuse(ERROR_BAD_ELEMENT, element->name, "given twice in one request", err);
	if (item == ACM_ITEMS)
		return refuse(ERROR_UNKNOWN_ELEMENT, element->name, "there is no such element here",
			      err);
	if (acm_rows[item].kind == ACM_IS_STATE)
		return refuse(ERROR_READ_ONLY, element->name, "this is state, not configuration",
			      err);
	if (check_place(element, item, err))
		return -EINVAL;
	decoder->operation[++decoder->depth] = operation;
	decoder->reader = element->reader;
	decoder->text[0] = '\0';
	if (acm_rows[item].kind >= ACM_IS_KEY) {
		decoder->leaf = item;
		return 0;
	}
	if (!decoder->at) {
		decoder->acm = acm_new();
		decoder->at = decoder->acm ? decoder->acm->root : NULL;
	} else {
		decoder->at = acm_add(decoder->acm, decoder->at, item, "");
	}
	if (!decoder->at)
		return no_room(err);
	decoder->at->operation = operation;
	return take_place(decoder, element, decoder->at, err);
}

/* Give each name its namespace in place of its prefix; white space between steps goes. */
static bool resolve_path(const struct reader *reader, const char *text, size_t length, char *ret)
{
	const char *end = text + length;
	size_t used = 0;
	char quote = 0;
	bool name_due = false;

	while (text < end) {
		size_t name = 0, prefix = 0;
		const char *uri = NULL;

		if (!quote && (*text == '/' || *text == '['))
			name_due = true;
		else if (quote ? *text == quote : *text == '\'' || *text == '"')
			quote = quote ? 0 : *text;
		else if (!quote && blank_is(text, 1)) {
			text++;
			continue;
		} else if (!quote && name_due) {
			while (text + name < end && !strchr("/[]='\" \t\r\n", text[name])) {
				if (text[name] == ':')
					prefix = name;
				name++;
			}
			uri = prefix ? reader_namespace(reader, text, prefix) : NULL;
			if (!uri)
				return false;
			used += (size_t)snprintf(ret + used, ACM_TEXT_MAX - used, "{%s}%.*s", uri,
						 (int)(name - prefix - 1), text + prefix + 1);
			text += name;
			name_due = false;
			if (used >= ACM_TEXT_MAX)
				return false;
			continue;
		}
		if (used + 1 >= ACM_TEXT_MAX)
			return false;
		ret[used++] = *text++;
	}
	ret[used] = '\0';
	return policy_path_is_good(ret);
}

int acm_decode_text(struct acm_decoder *decoder, const char *text, size_t length, struct error *err)
{
	const char *name;

	if (!decoder->leaf)
		return blank_is(text, length)
			       ? 0
			       : refuse(ERROR_BAD_ELEMENT, acm_rows[decoder->at->item].name,
					"text is not allowed here, only elements", err);
	name = acm_rows[decoder->leaf].name;
	if (acm_rows[decoder->leaf].type != ACM_TYPE_TEXT)
		text = blank_trim(text, &length);
	if (length >= ACM_TEXT_MAX)
		return refuse(ERROR_INVALID_VALUE, name, "too long", err);
	if (acm_rows[decoder->leaf].type != ACM_TYPE_PATH) {
		snprintf(decoder->text, sizeof(decoder->text), "%.*s", (int)length, text);
		return 0;
	}
	if (length && !resolve_path(decoder->reader, text, length, decoder->text))
		return refuse(
			ERROR_INVALID_VALUE, name,
			"a path is as in /l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='7'], with its "
			"prefixes declared, of nodes that the module has, and keys only in its "
			"predicates",
			err);
	return 0;
}

static int refuse_tag(const struct acm_row *row, struct error *err)
{
	error_set(err, ERROR_INVALID_VALUE, "%s: tagged as a default, but %s%s", row->name,
		  row->fallback ? "the default is " : "there is none",
		  row->fallback ? row->fallback : "");
	snprintf(err->info, sizeof(err->info), "%s", row->name);
	return -EINVAL;
}

static int end_leaf(struct acm_decoder *decoder, struct error *err)
{
	enum edit_operation operation = decoder->operation[decoder->depth];
	const struct acm_row *row = &acm_rows[decoder->leaf];
	char text[ACM_TEXT_MAX] = "";
	struct acm_node *node;
	int rc = 0;

	/* a leaf that goes may be given without its value */
	if (row->kind != ACM_IS_LEAF || !edit_removes(operation) || decoder->text[0])
		rc = acm_parse(decoder->leaf, decoder->text, strlen(decoder->text), text, err);
	if (rc)
		return rc;
	if (row->kind == ACM_IS_KEY && decoder->at->text[0])
		return refuse(ERROR_BAD_ELEMENT, row->name, "given twice", err);
	if (row->kind == ACM_IS_KEY)
		return acm_set_text(decoder->acm, decoder->at, text) ? 0 : no_room(err);
	if (acm_find(decoder->at, decoder->leaf, row->kind == ACM_IS_LEAF_LIST ? text : NULL))
		return refuse(ERROR_BAD_ELEMENT, row->name, "given twice", err);
	for (const struct acm_node *at = decoder->at->first; at && row->choice; at = at->next)
		if (acm_rows[at->item].choice && !edit_removes(at->operation) &&
		    !edit_removes(operation))
			return refuse(ERROR_BAD_ELEMENT, row->name,
				      "a rule has one of rpc-name, notification-name and path",
				      err);
	if (decoder->tagged && !edit_removes(operation) && operation != EDIT_NONE) {
		if (!row->fallback || strcmp(row->fallback, text) != 0)
			return refuse_tag(row, err);
		operation = EDIT_REMOVE; /* it is not set by that (RFC 6243 section 4.5.2) */
	}
	node = acm_add(decoder->acm, decoder->at, decoder->leaf, text);
	if (!node)
		return no_room(err);
	node->operation = operation;
	return 0;
}

static int end_entry(struct acm_decoder *decoder, struct error *err)
{
	struct acm_node *node = decoder->at;
	int rc = 0;

	if (acm_rows[node->item].kind == ACM_IS_LIST && !node->text[0])
		rc = refuse(ERROR_MISSING_KEY, "name", "every entry needs its key", err);
	/* the first of its key is another */
	if (!rc && acm_rows[node->item].kind == ACM_IS_LIST &&
	    acm_find(node->parent, node->item, node->text) != node)
		rc = refuse(ERROR_BAD_ELEMENT, acm_rows[node->item].name,
			    "given twice in one edit; allowed once", err);
	if (!rc)
		decoder->at = node->parent;
	return rc;
}

int acm_decode_end(struct acm_decoder *decoder, struct error *err)
{
	int rc = decoder->leaf ? end_leaf(decoder, err) : end_entry(decoder, err);

	if (rc)
		return rc; /* the place of the fault stays open */
	decoder->leaf = ACM_NACM;
	decoder->depth--;
	return 0;
}

void acm_decode_place(const struct acm_decoder *decoder, struct error *err)
{
	size_t used, size = sizeof(err->path);

	error_at(err, "/nacm");
	if (!decoder->at || !acm_print_path(decoder->at, err->path, size) || !decoder->leaf)
		return;
	used = strlen(err->path);
	if (snprintf(err->path + used, size - used, "/%s", acm_rows[decoder->leaf].name) >=
	    (int)(size - used))
		err->path[used] = '\0';
}
