#include "netconf/acm_decode.h"

#include <stdio.h>
#include <string.h>

#include "netconf/blank.h"
#include "store/policy.h"

static int refuse(enum error_code code, const char *name, const char *text, struct error *err)
{
	error_at(err, "/nacm");
	snprintf(err->info, sizeof(err->info), "%s", name);
	return error_set(err, code, "%s", text);
}

static int no_room(struct error *err)
{
	return refuse(ERROR_TOO_BIG, "", "NACM's configuration is too large for one request", err);
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
	return 0;
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
			"prefixes declared, and keys only in its predicates",
			err);
	return 0;
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
	if (rc) {
		error_at(err, "/nacm");
		return rc;
	}
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
	decoder->at = node->parent;
	return rc;
}

int acm_decode_end(struct acm_decoder *decoder, struct error *err)
{
	int rc = decoder->leaf ? end_leaf(decoder, err) : end_entry(decoder, err);

	decoder->leaf = ACM_NACM;
	decoder->depth--;
	return rc;
}
