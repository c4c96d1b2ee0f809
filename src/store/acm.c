#include "store/acm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct acm_row acm_rows[ACM_ITEMS] = {
	[ACM_NACM] = { "nacm", ACM_ITEMS, ACM_IS_CONTAINER, .fallback = NULL },
	[ACM_ENABLE] = { "enable-nacm", ACM_NACM, ACM_IS_LEAF, ACM_TYPE_BOOL, .fallback = "true" },
	[ACM_READ_DEFAULT] = { "read-default", ACM_NACM, ACM_IS_LEAF, ACM_TYPE_ACTION, .fallback = "permit" },
	[ACM_WRITE_DEFAULT] = { "write-default", ACM_NACM, ACM_IS_LEAF, ACM_TYPE_ACTION, .fallback = "deny" },
	[ACM_EXEC_DEFAULT] = { "exec-default", ACM_NACM, ACM_IS_LEAF, ACM_TYPE_ACTION, .fallback = "permit" },
	[ACM_EXTERNAL_GROUPS] = { "enable-external-groups", ACM_NACM, ACM_IS_LEAF, ACM_TYPE_BOOL, .fallback = "true" },
	[ACM_DENIED_OPERATIONS] = { "denied-operations", ACM_NACM, ACM_IS_STATE, .fallback = NULL },
	[ACM_DENIED_DATA_WRITES] = { "denied-data-writes", ACM_NACM, ACM_IS_STATE, .fallback = NULL },
	[ACM_DENIED_NOTIFICATIONS] = { "denied-notifications", ACM_NACM, ACM_IS_STATE, .fallback = NULL },
	[ACM_GROUPS] = { "groups", ACM_NACM, ACM_IS_CONTAINER, .fallback = NULL },
	[ACM_GROUP] = { "group", ACM_GROUPS, ACM_IS_LIST, ACM_TYPE_GROUP, .fallback = NULL },
	[ACM_GROUP_NAME] = { "name", ACM_GROUP, ACM_IS_KEY, ACM_TYPE_GROUP, .fallback = NULL },
	[ACM_USER_NAME] = { "user-name", ACM_GROUP, ACM_IS_LEAF_LIST, ACM_TYPE_NAME, .fallback = NULL },
	[ACM_RULE_LIST] = { "rule-list", ACM_NACM, ACM_IS_LIST, ACM_TYPE_NAME, .ordered = true },
	[ACM_RULE_LIST_NAME] = { "name", ACM_RULE_LIST, ACM_IS_KEY, ACM_TYPE_NAME, .fallback = NULL },
	[ACM_RULE_LIST_GROUP] = { "group", ACM_RULE_LIST, ACM_IS_LEAF_LIST, ACM_TYPE_GROUP_ANY, .fallback = NULL },
	[ACM_RULE] = { "rule", ACM_RULE_LIST, ACM_IS_LIST, ACM_TYPE_NAME, .ordered = true },
	[ACM_RULE_NAME] = { "name", ACM_RULE, ACM_IS_KEY, ACM_TYPE_NAME, .fallback = NULL },
	[ACM_MODULE_NAME] = { "module-name", ACM_RULE, ACM_IS_LEAF, ACM_TYPE_NAME, .fallback = "*" },
	[ACM_RPC_NAME] = { "rpc-name", ACM_RULE, ACM_IS_LEAF, ACM_TYPE_NAME, .choice = true },
	[ACM_NOTIFICATION_NAME] = { "notification-name", ACM_RULE, ACM_IS_LEAF, ACM_TYPE_NAME, .choice = true },
	[ACM_PATH] = { "path", ACM_RULE, ACM_IS_LEAF, ACM_TYPE_PATH, .choice = true },
	[ACM_OPERATIONS] = { "access-operations", ACM_RULE, ACM_IS_LEAF, ACM_TYPE_OPERATIONS, .fallback = "*" },
	[ACM_ACTION] = { "action", ACM_RULE, ACM_IS_LEAF, ACM_TYPE_ACTION, .fallback = NULL },
	[ACM_COMMENT] = { "comment", ACM_RULE, ACM_IS_LEAF, ACM_TYPE_TEXT, .fallback = NULL },
};
/* clang-format on */

enum acm_item acm_item_in(enum acm_item parent, const char *name)
{
	enum acm_item item = ACM_NACM + 1;

	while (item < ACM_ITEMS &&
	       (acm_rows[item].parent != parent || strcmp(acm_rows[item].name, name) != 0))
		item++;
	return item;
}

struct acm *acm_new(void)
{
	struct acm *acm = calloc(1, sizeof(*acm));

	if (!acm)
		return NULL;
	acm->owners = 1;
	acm->root = acm_add(acm, NULL, ACM_NACM, "");
	if (acm->root)
		return acm;
	acm_drop(acm);
	return NULL;
}

const struct acm *acm_share(const struct acm *acm)
{
	if (acm && acm->owners)
		((struct acm *)(uintptr_t)acm)->owners++;
	return acm;
}

void acm_drop(const struct acm *shared)
{
	struct acm *acm = (struct acm *)(uintptr_t)shared;

	if (!acm || !acm->owners || --acm->owners)
		return;
	arena_free(&acm->arena);
	free(acm);
}

const struct acm *acm_factory(void)
{
	static struct acm_node leaf = {.item = ACM_WRITE_DEFAULT, .text = "permit"};
	static struct acm_node root = {.item = ACM_NACM, .text = "", .first = &leaf, .last = &leaf};
	static const struct acm factory = {.root = &root, .count = 2};

	leaf.parent = &root;
	return &factory;
}

/* FNV-1a. */
static uint32_t hash_text(const char *text)
{
	uint32_t hash = 2166136261U;

	while (*text)
		hash = (hash ^ (unsigned char)*text++) * 16777619U;
	return hash;
}

bool acm_set_text(struct acm *acm, struct acm_node *node, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_alloc(&acm->arena, size);

	if (!copy)
		return false;
	node->text = memcpy(copy, text, size);
	node->hash = hash_text(text);
	return true;
}

struct acm_node *acm_add(struct acm *acm, struct acm_node *parent, enum acm_item item,
			 const char *text)
{
	struct acm_node *node =
		acm->count < ACM_NODES_MAX ? arena_alloc(&acm->arena, sizeof(*node)) : NULL;

	if (!node)
		return NULL;
	*node = (struct acm_node){.parent = parent, .item = item};
	if (!acm_set_text(acm, node, text))
		return NULL;
	if (parent && parent->last)
		parent->last->next = node;
	else if (parent)
		parent->first = node;
	if (parent)
		parent->last = node;
	acm->count++;
	return node;
}

const struct acm_node *acm_find(const struct acm_node *node, enum acm_item item, const char *text)
{
	const struct acm_node *at = node ? node->first : NULL;
	uint32_t hash = text ? hash_text(text) : 0;

	while (at &&
	       (at->item != item || (text && (at->hash != hash || strcmp(at->text, text) != 0))))
		at = at->next;
	return at;
}

const char *acm_text(const struct acm_node *node, enum acm_item item)
{
	const struct acm_node *leaf = acm_find(node, item, NULL);

	return leaf ? leaf->text : acm_rows[item].fallback;
}

static bool nodes_equal(const struct acm_node *a, const struct acm_node *b)
{
	for (; a && b; a = a->next, b = b->next)
		if (a->item != b->item || strcmp(a->text, b->text) != 0 ||
		    !nodes_equal(a->first, b->first))
			return false;
	return a == b;
}

bool acm_equal(const struct acm *a, const struct acm *b)
{
	return a == b || nodes_equal(a->root->first, b->root->first);
}

bool acm_print_path(const struct acm_node *node, char *ret, size_t size)
{
	const struct acm_row *row = &acm_rows[node->item];
	bool is_entry = row->kind == ACM_IS_LIST;
	char quote = strchr(node->text, '\'') ? '"' : '\'';
	size_t used;
	int length;

	ret[0] = '\0';
	if (node->parent && !acm_print_path(node->parent, ret, size))
		return false;
	used = strlen(ret);
	if (is_entry)
		length = snprintf(ret + used, size - used, "/%s[name=%c%s%c]", row->name, quote,
				  node->text, quote);
	else
		length = snprintf(ret + used, size - used, "/%s", row->name);
	if ((size_t)length < size - used &&
	    !(is_entry && (!node->text[0] || strchr(node->text, quote))))
		return true;
	ret[used] = '\0';
	return false;
}

static const char *const operation_words[] = {"create", "read", "update", "delete", "exec"};

#define OPERATIONS (sizeof(operation_words) / sizeof(operation_words[0]))

/* The words in the order of the module (RFC 7950 section 9.7.2). */
static bool parse_operations(const char *text, char *ret)
{
	unsigned int given = 0;
	size_t used = 0;

	while (*text) {
		size_t blank = strspn(text, " \t\r\n"), length = strcspn(text += blank, " \t\r\n"),
		       i = 0;

		while (length && i < OPERATIONS &&
		       (strlen(operation_words[i]) != length ||
			strncmp(operation_words[i], text, length) != 0))
			i++;
		if (length && (i == OPERATIONS || (given & (1U << i))))
			return false;
		given |= length ? 1U << i : 0;
		text += length;
	}
	ret[0] = '\0';
	for (size_t i = 0; i < OPERATIONS; i++)
		if (given & (1U << i))
			used += (size_t)snprintf(ret + used, ACM_TEXT_MAX - used, "%s%s",
						 used ? " " : "", operation_words[i]);
	return true;
}

static bool one_of(const char *text, const char *a, const char *b)
{
	return !strcmp(text, a) || !strcmp(text, b);
}

static const char *const allowed[] = {
	[ACM_TYPE_BOOL] = "true, false",
	[ACM_TYPE_ACTION] = "permit, deny",
	[ACM_TYPE_NAME] = "a name, of less than 1024 bytes",
	[ACM_TYPE_GROUP] = "a name that does not begin with *, of less than 1024 bytes",
	[ACM_TYPE_GROUP_ANY] = "*, or a name that does not begin with *, of less than 1024 bytes",
	[ACM_TYPE_OPERATIONS] = "*, or some of create, read, update, delete, exec",
	[ACM_TYPE_PATH] = "a path as in /l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='7'], with its "
			  "prefixes declared and keys only in its predicates",
	[ACM_TYPE_TEXT] = "text of less than 1024 bytes",
};

int acm_parse(enum acm_item item, const char *text, size_t length, char *ret, struct error *err)
{
	enum acm_type type = acm_rows[item].type;
	int rc;
	bool good = length < ACM_TEXT_MAX && !memchr(text, '\0', length);

	snprintf(ret, ACM_TEXT_MAX, "%.*s", good ? (int)length : 0, text);
	if (good && type == ACM_TYPE_BOOL)
		good = one_of(ret, "true", "false");
	else if (good && type == ACM_TYPE_ACTION)
		good = one_of(ret, "permit", "deny");
	else if (good && type == ACM_TYPE_GROUP)
		good = ret[0] && ret[0] != '*';
	else if (good && type == ACM_TYPE_GROUP_ANY)
		good = ret[0] && (ret[0] != '*' || !ret[1]);
	else if (good && type == ACM_TYPE_NAME)
		good = ret[0];
	else if (good && type == ACM_TYPE_OPERATIONS && strcmp(ret, "*") != 0) {
		char given[ACM_TEXT_MAX];

		memcpy(given, ret, sizeof(given));
		good = parse_operations(given, ret);
	}
	if (good)
		return 0;
	rc = error_set(err, ERROR_INVALID_VALUE, "%s: allowed: %s", acm_rows[item].name,
		       allowed[type]);
	snprintf(err->info, sizeof(err->info), "%s", acm_rows[item].name);
	return rc;
}
