#include "store/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "model/names.h"
#include "store/acm.h"

#define DEPTH_MAX  16 /* of a path, or of a node */
#define RIGHT_EXEC RIGHTS

/* A piece of a path: "/{uri}name[{uri}key='value']...". */
struct span {
	const char *at;
	size_t length;
};

struct path_step {
	struct span uri, name;
	const char *predicates; /* up to the next step */
};

struct rule {
	bool permit;
	unsigned int rights;            /* bits */
	const char *uri;                /* NULL: of any module */
	const char *rpc, *notification; /* NULL: any, unless it has another of the three */
	bool typed;
	unsigned int depth; /* steps of its path; 0: none */
	struct path_step path[DEPTH_MAX];
};

/* What a rule decides of entries: these rows. */
struct decision {
	uint64_t key; /* of the entries that it names: key_of() */
	uint64_t rows;
	size_t order; /* of the rules */
	bool permit;
};

struct decisions {
	struct decision *at; /* by key, and then as the rules stand */
	size_t count;
	uint64_t decided; /* for all entries */
	uint64_t rest;    /* what is permitted of what none decides */
};

struct policy {
	unsigned int owners;   /* 0: static */
	const struct acm *acm; /* shared: paths and names point into it */
	struct rule *rules;    /* of the user's groups, in order */
	size_t count;
	bool permits[RIGHTS + 1]; /* by default */
	struct decisions decisions[RIGHTS][OBJECTS];
};

const struct policy *policy_share(const struct policy *policy)
{
	if (policy && policy->owners)
		((struct policy *)(uintptr_t)policy)->owners++;
	return policy;
}

void policy_drop(const struct policy *shared)
{
	struct policy *policy = (struct policy *)(uintptr_t)shared;

	if (!policy || !policy->owners || --policy->owners)
		return;
	for (unsigned int right = 0; right < RIGHTS; right++)
		for (unsigned int object = 0; object < OBJECTS; object++)
			free(policy->decisions[right][object].at);
	free(policy->rules);
	acm_drop(policy->acm);
	free(policy);
}

size_t policy_cost(const struct policy *policy)
{
	size_t most = 0;

	for (unsigned int i = 0; policy && i < RIGHTS * OBJECTS; i++) {
		size_t count = policy->decisions[i / OBJECTS][i % OBJECTS].count;

		most = count > most ? count : most;
	}
	return most;
}

/* ---- paths */

static bool span_is(struct span span, const char *text)
{
	return strlen(text) == span.length && !memcmp(text, span.at, span.length);
}

static struct span take(const char **at, const char *stop)
{
	struct span span = {*at, strcspn(*at, stop)};

	*at += span.length;
	return span;
}

/* "{uri}name" */
static bool take_name(const char **at, struct span *ret_uri, struct span *ret_name)
{
	if (**at != '{')
		return false;
	++*at;
	*ret_uri = take(at, "}");
	if (!**at)
		return false;
	++*at;
	*ret_name = take(at, "/[]='\"{}|*@()!<>+,");
	return ret_name->length;
}

/* "[{uri}key='value']", or with double quotes; the namespace is that of @step. */
static bool take_predicate(const char **at, const struct path_step *step, struct span *ret_key,
			   struct span *ret_value)
{
	char quote[2] = "";
	struct span uri;

	++*at;
	if (!take_name(at, &uri, ret_key) || uri.length != step->uri.length ||
	    memcmp(uri.at, step->uri.at, uri.length) != 0 || (*at)[0] != '=' ||
	    ((*at)[1] != '\'' && (*at)[1] != '"'))
		return false;
	quote[0] = (*at)[1];
	*at += 2;
	*ret_value = take(at, quote);
	if (!**at || (*at)[1] != ']')
		return false;
	*at += 2;
	return true;
}

/* The number of steps; 0: it is none that we know. */
static unsigned int parse_path(const char *at, struct path_step ret[DEPTH_MAX])
{
	unsigned int depth = 0;

	while (*at) {
		struct span key, value;

		if (*at++ != '/' || depth == DEPTH_MAX ||
		    !take_name(&at, &ret[depth].uri, &ret[depth].name))
			return 0;
		ret[depth++].predicates = at;
		while (*at == '[')
			if (!take_predicate(&at, &ret[depth - 1], &key, &value))
				return 0;
	}
	return depth;
}

/* ---- rules that decide on tunnels and sessions */

/* An id of 0 stands for any. */
static uint64_t key_of(uint32_t tunnel_id, uint32_t session_id)
{
	return (uint64_t)session_id << 32 | tunnel_id;
}

static const struct rule *add_decision(struct decisions *decisions, const struct rule *rule,
				       uint32_t tunnel_id, uint32_t session_id, uint64_t rows)
{
	struct decision *last = decisions->count ? &decisions->at[decisions->count - 1] : NULL;
	uint64_t key = key_of(tunnel_id, session_id);
	struct decision *grown;

	rows &= ~decisions->decided;
	if (!rows)
		return rule;
	if (!key)
		decisions->decided |= rows;
	if (last && last->key == key && last->permit == rule->permit) {
		last->rows |= rows;
		return rule;
	}
	grown = realloc(decisions->at, (decisions->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	decisions->at = grown;
	grown[decisions->count] = (struct decision){key, rows, decisions->count, rule->permit};
	decisions->count++;
	return rule;
}

static int compare_decisions(const void *left, const void *right)
{
	const struct decision *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* The id that its predicates name, 0 if they name none; false: they match nothing. */
static bool read_id(const struct path_step *step, enum object object, uint32_t *ret)
{
	const char *at = step->predicates;
	struct span key, value;
	union config config = {0};

	*ret = 0;
	while (*at == '[') {
		const struct row *row = row_sets[object].key;

		if (!take_predicate(&at, step, &key, &value) || !span_is(key, row->leaf) ||
		    codec_parse(row, &config, value.at, value.length, NULL) != 0 ||
		    (*ret && *ret != (uint32_t)codec_get_number(row, &config)))
			return false;
		*ret = (uint32_t)codec_get_number(row, &config);
	}
	return true;
}

static uint64_t statistics_of(enum object object)
{
	uint64_t rows = ROW_STATISTICS;

	for (unsigned int i = 0; i < row_sets[object].count; i++)
		if (row_sets[object].rows[i].part == PART_STATISTICS)
			rows |= BIT(i);
	return rows;
}

/* The rows below an entry that the rest of a path names. */
static uint64_t rows_named(enum object object, const struct path_step *step, unsigned int depth)
{
	bool statistics = span_is(step->name, "statistics");
	const struct row *row;

	if (statistics && depth == 1)
		return statistics_of(object);
	if (depth != 1U + statistics)
		return 0;
	step += statistics;
	row = row_by_leaf(object, step->name.at, step->name.length);
	return row && (row->part == PART_STATISTICS) == statistics ? BIT(row_number(row)) : 0;
}

static bool is_ours(const struct rule *rule)
{
	for (unsigned int i = 0; i < rule->depth; i++)
		if (!span_is(rule->path[i].uri, NAMESPACE_MODULE))
			return false;
	return (!rule->uri || !strcmp(rule->uri, NAMESPACE_MODULE)) && !rule->rpc &&
	       !rule->notification &&
	       (!rule->depth || span_is(rule->path[0].name, ELEMENT_CONTAINER));
}

/*
 * What a path in our container names: these rows of a tunnel and of a session, of any id where it
 * is 0.
 */
struct target {
	uint32_t tunnel_id, session_id;
	uint64_t rows[OBJECTS];
};

/* False: nothing. */
static bool find_target(const struct path_step *path, unsigned int depth, struct target *ret)
{
	*ret = (struct target){0};
	if (depth > 1 && (!span_is(path[1].name, row_sets[OBJECT_TUNNEL].name) ||
			  !read_id(&path[1], OBJECT_TUNNEL, &ret->tunnel_id)))
		return false;
	if (depth <= 2) {
		ret->rows[OBJECT_TUNNEL] = ret->rows[OBJECT_SESSION] = ~UINT64_C(0);
		return true;
	}
	if (!span_is(path[2].name, row_sets[OBJECT_SESSION].name)) {
		ret->rows[OBJECT_TUNNEL] = rows_named(OBJECT_TUNNEL, &path[2], depth - 2);
		return ret->rows[OBJECT_TUNNEL];
	}
	if (!read_id(&path[2], OBJECT_SESSION, &ret->session_id))
		return false;
	ret->rows[OBJECT_SESSION] =
		depth == 3 ? ~UINT64_C(0) : rows_named(OBJECT_SESSION, &path[3], depth - 3);
	return ret->rows[OBJECT_SESSION];
}

/* NULL: no memory. */
static const struct rule *decide(struct decisions of[OBJECTS], const struct rule *rule)
{
	struct target target;

	if (!find_target(rule->path, rule->depth, &target))
		return rule;
	for (enum object object = 0; object < OBJECTS; object++)
		if (!add_decision(&of[object], rule, target.tunnel_id, target.session_id,
				  target.rows[object]))
			return NULL;
	return rule;
}

/* What is not readable for its container is not at all. */
static bool container_is_readable(const struct policy *policy)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->rules[i].depth <= 1 && is_ours(&policy->rules[i]) &&
		    (policy->rules[i].rights & (1U << RIGHT_READ)))
			return policy->rules[i].permit;
	return policy->permits[RIGHT_READ];
}

static int resolve(struct policy *policy)
{
	for (enum right right = 0; right < RIGHTS; right++) {
		struct decisions *decisions = policy->decisions[right];

		if (right == RIGHT_READ && !container_is_readable(policy))
			continue;
		for (enum object object = 0; object < OBJECTS; object++)
			decisions[object].rest = policy->permits[right] ? ~rows_secret(object) : 0;
		for (size_t i = 0; i < policy->count; i++)
			if ((policy->rules[i].rights & (1U << right)) &&
			    is_ours(&policy->rules[i]) && !decide(decisions, &policy->rules[i]))
				return -ENOMEM;
		for (enum object object = 0; object < OBJECTS; object++)
			if (decisions[object].count)
				qsort(decisions[object].at, decisions[object].count,
				      sizeof(*decisions[object].at), compare_decisions);
	}
	return 0;
}

/* A rule for something misspelt would be none, and what it denies would be open. */
static bool names_ours(const struct path_step *path, unsigned int depth)
{
	struct target target;

	for (unsigned int i = 0; i < depth; i++) {
		bool is_list =
			i == 1 || (i == 2 && span_is(path[i].name, row_sets[OBJECT_SESSION].name));

		if (!span_is(path[i].uri, NAMESPACE_MODULE) ||
		    (*path[i].predicates == '[' && !is_list))
			return false;
	}
	return span_is(path[0].name, ELEMENT_CONTAINER) && find_target(path, depth, &target);
}

bool policy_path_is_good(const char *path)
{
	struct path_step steps[DEPTH_MAX];
	unsigned int depth = parse_path(path, steps);

	return depth && (!span_is(steps[0].uri, NAMESPACE_MODULE) || names_ours(steps, depth));
}

/* ---- rules */

static bool has_word(const char *words, const char *word)
{
	const char *at = strstr(words, word);

	return !strcmp(words, "*") || (at && (!at[strlen(word)] || at[strlen(word)] == ' '));
}

static bool is_true(const struct acm *acm, enum acm_item item)
{
	const char *text = acm_text(acm->root, item);

	return !strcmp(text, "true") || !strcmp(text, "permit");
}

static bool add_rule(struct policy *policy, const struct acm_node *node,
		     const char *(*module_uri)(const char *module))
{
	static const char *const words[] = {[RIGHT_READ] = "read",
					    [RIGHT_CREATE] = "create",
					    [RIGHT_UPDATE] = "update",
					    [RIGHT_DELETE] = "delete",
					    [RIGHT_EXEC] = "exec"};
	const char *module = acm_text(node, ACM_MODULE_NAME), *path = acm_text(node, ACM_PATH);
	struct rule rule = {
		.permit = !strcmp(acm_text(node, ACM_ACTION), "permit"),
		.rpc = acm_text(node, ACM_RPC_NAME),
		.notification = acm_text(node, ACM_NOTIFICATION_NAME),
	};
	struct rule *grown;

	if (strcmp(module, "*") != 0) {
		rule.uri = module_uri(module);
		if (!rule.uri)
			return true; /* it has nothing that could be asked for */
	}
	rule.depth = path ? parse_path(path, rule.path) : 0;
	if (path && !rule.depth)
		return true;
	rule.typed = path || rule.rpc || rule.notification;
	for (unsigned int i = 0; i <= RIGHTS; i++)
		rule.rights |= has_word(acm_text(node, ACM_OPERATIONS), words[i]) ? 1U << i : 0;
	grown = realloc(policy->rules, (policy->count + 1) * sizeof(rule));
	if (!grown)
		return false;
	policy->rules = grown;
	grown[policy->count++] = rule;
	return true;
}

static bool is_member(const struct acm *acm, const char *user, const char *const *groups,
		      const char *group)
{
	const struct acm_node *own =
		acm_find(acm_find(acm->root, ACM_GROUPS, NULL), ACM_GROUP, group);

	if (acm_find(own, ACM_USER_NAME, user))
		return true;
	for (; groups && *groups && is_true(acm, ACM_EXTERNAL_GROUPS); groups++)
		if (!strcmp(*groups, group))
			return true;
	return false;
}

static bool in_any_group(const struct acm *acm, const char *user, const char *const *groups)
{
	const struct acm_node *list = acm_find(acm->root, ACM_GROUPS, NULL);

	if (groups && *groups && is_true(acm, ACM_EXTERNAL_GROUPS))
		return true;
	for (const struct acm_node *at = list ? list->first : NULL; at; at = at->next)
		if (acm_find(at, ACM_USER_NAME, user))
			return true;
	return false;
}

/* RFC 8341 section 3.4.4, step 6. */
static bool is_for(const struct acm *acm, const struct acm_node *list, const char *user,
		   const char *const *groups)
{
	for (const struct acm_node *at = list->first; at; at = at->next)
		if (at->item == ACM_RULE_LIST_GROUP &&
		    (!strcmp(at->text, "*") || is_member(acm, user, groups, at->text)))
			return true;
	return false;
}

static int add_rules(struct policy *policy, const char *user, const char *const *groups,
		     const char *(*module_uri)(const char *module))
{
	const struct acm *acm = policy->acm;

	if (!in_any_group(acm, user, groups))
		return 0;
	for (const struct acm_node *list = acm->root->first; list; list = list->next)
		if (list->item == ACM_RULE_LIST && is_for(acm, list, user, groups))
			for (const struct acm_node *at = list->first; at; at = at->next)
				if (at->item == ACM_RULE && !add_rule(policy, at, module_uri))
					return -ENOMEM;
	return 0;
}

static void set_defaults(struct policy *policy)
{
	policy->permits[RIGHT_READ] = is_true(policy->acm, ACM_READ_DEFAULT);
	policy->permits[RIGHT_CREATE] = policy->permits[RIGHT_UPDATE] =
		policy->permits[RIGHT_DELETE] = is_true(policy->acm, ACM_WRITE_DEFAULT);
	policy->permits[RIGHT_EXEC] = is_true(policy->acm, ACM_EXEC_DEFAULT);
}

int policy_compile(const struct acm *acm, const char *user, const char *const *groups,
		   const char *(*module_uri)(const char *module), const struct policy **ret)
{
	struct policy *policy;
	int rc;

	*ret = NULL;
	if (!is_true(acm, ACM_ENABLE))
		return 0;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	policy->owners = 1;
	policy->acm = acm_share(acm);
	set_defaults(policy);
	rc = add_rules(policy, user, groups, module_uri);
	if (rc == 0)
		rc = resolve(policy);
	if (rc == 0)
		*ret = policy;
	else
		policy_drop(policy);
	return rc;
}

const struct policy *policy_of_members(void)
{
	static struct policy members;

	if (!members.acm) {
		members.acm = acm_factory();
		set_defaults(&members);
		(void)resolve(&members); /* without rules it needs no memory */
	}
	return &members;
}

const struct policy *policy_of_nobody(void)
{
	static const struct policy nobody;

	return &nobody;
}

/* ---- decisions */

/* The first decision of those that name @key, or of the next one. */
static const struct decision *first_of(const struct decisions *decisions, uint64_t key)
{
	const struct decision *from = decisions->at;

	for (size_t count = decisions->count; count;) {
		size_t half = count / 2;

		if (from[half].key < key) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from;
}

/*
 * Those that name an entry have four keys: hundreds of rules about others cost it nothing. They
 * count in the order of the rules. There are some decisions.
 */
static uint64_t permitted_rows(const struct decisions *decisions, uint32_t tunnel_id,
			       uint32_t session_id)
{
	const struct decision *end = decisions->at + decisions->count;
	const uint64_t keys[] = {0, key_of(tunnel_id, 0), key_of(0, session_id),
				 key_of(tunnel_id, session_id)};
	unsigned int count = session_id && end[-1].key >> 32 ? 4 : 2;
	const struct decision *at[4] = {decisions->at};
	uint64_t open = ~UINT64_C(0), rows = 0;

	for (unsigned int i = 1; i < count; i++)
		at[i] = first_of(decisions, keys[i]);
	while (open) {
		const struct decision **next = NULL;

		for (unsigned int i = 0; i < count; i++)
			if (at[i] != end && at[i]->key == keys[i] &&
			    (!next || at[i]->order < (*next)->order))
				next = &at[i];
		if (!next)
			break;
		if ((*next)->permit)
			rows |= open & (*next)->rows;
		open &= ~(*next)->rows;
		++*next;
	}
	return rows | (open & decisions->rest);
}

uint64_t policy_rows(const struct policy *policy, enum right right, uint32_t tunnel_id,
		     uint32_t session_id)
{
	enum object object = session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	const struct decisions *decisions;
	uint64_t rows;

	if (!policy)
		return ~UINT64_C(0);
	decisions = &policy->decisions[right][object];
	rows = decisions->count ? permitted_rows(decisions, tunnel_id, session_id)
				: decisions->rest;
	if (right != RIGHT_READ)
		return rows;
	if (!(rows & ROW_STATISTICS))
		rows &= ~statistics_of(object);
	return (rows & ROW_SELF) && (rows & BIT(row_number(row_sets[object].key))) ? rows : 0;
}

enum ruling policy_rpc_rule(const struct policy *policy, const char *uri, const char *name)
{
	for (size_t i = 0; policy && i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((rule->rights & (1U << RIGHT_EXEC)) &&
		    (!rule->uri || !strcmp(rule->uri, uri)) &&
		    (!rule->typed ||
		     (rule->rpc && (!strcmp(rule->rpc, "*") || !strcmp(rule->rpc, name)))))
			return rule->permit ? RULING_PERMIT : RULING_DENY;
	}
	return RULING_NONE;
}

bool policy_permits_rpcs(const struct policy *policy)
{
	return !policy || policy->permits[RIGHT_EXEC];
}

bool policy_may_notify(const struct policy *policy, const char *uri, const char *name)
{
	for (size_t i = 0; policy && i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((rule->rights & (1U << RIGHT_READ)) &&
		    (!rule->uri || !strcmp(rule->uri, uri)) &&
		    (!rule->typed || (rule->notification && (!strcmp(rule->notification, "*") ||
							     !strcmp(rule->notification, name)))))
			return rule->permit;
	}
	return !policy || policy->permits[RIGHT_READ];
}

static bool step_matches(const struct path_step *step, const struct policy_node *node)
{
	const char *at = step->predicates;
	struct span key, value;

	if (!span_is(step->uri, node->uri) || !span_is(step->name, node->name))
		return false;
	while (*at == '[') {
		char name[64];
		const char *text;

		if (!take_predicate(&at, step, &key, &value) || key.length >= sizeof(name))
			return false;
		snprintf(name, sizeof(name), "%.*s", (int)key.length, key.at);
		text = node->value ? node->value(node->node, name) : NULL;
		if (!text || !span_is(value, text))
			return false;
	}
	return true;
}

/* Is the path of @rule that of the node, or of one that it is in? */
static bool path_matches(const struct rule *rule, const struct policy_node *node)
{
	unsigned int depth = 0;

	for (const struct policy_node *at = node; at; at = at->parent)
		depth++;
	if (depth < rule->depth)
		return false;
	for (; node; node = node->parent, depth--)
		if (depth <= rule->depth && !step_matches(&rule->path[depth - 1], node))
			return false;
	return true;
}

static enum ruling node_rule(const struct policy *policy, enum right right,
			     const struct policy_node *node)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];

		if ((rule->rights & (1U << right)) &&
		    (!rule->uri || !strcmp(rule->uri, node->uri)) &&
		    (rule->depth ? path_matches(rule, node) : !rule->typed))
			return rule->permit ? RULING_PERMIT : RULING_DENY;
	}
	return RULING_NONE;
}

bool policy_node(const struct policy *policy, enum right right, const struct policy_node *node)
{
	enum ruling verdict = policy ? node_rule(policy, right, node) : RULING_PERMIT;

	return verdict == RULING_NONE ? policy->permits[right] : verdict == RULING_PERMIT;
}

bool policy_acm_node(const struct policy *policy, enum right right, const struct policy_node *node)
{
	return !policy || node_rule(policy, right, node) == RULING_PERMIT;
}

static const char *acm_value(const void *arg, const char *name)
{
	const struct acm_node *node = arg;

	return acm_rows[node->item].kind == ACM_IS_LIST && !strcmp(name, "name") ? node->text
										 : NULL;
}

bool policy_acm(const struct policy *policy, enum right right, const struct acm_node *node)
{
	struct policy_node nodes[DEPTH_MAX];
	unsigned int depth = 0;

	if (!policy)
		return true;
	for (; node && depth < DEPTH_MAX; node = node->parent, depth++) {
		nodes[depth] = (struct policy_node){NULL, NAMESPACE_ACM, acm_rows[node->item].name,
						    node, acm_value};
		if (depth)
			nodes[depth - 1].parent = &nodes[depth];
	}
	return node_rule(policy, right, &nodes[0]) == RULING_PERMIT;
}

/* ---- refusals */

static const char *const right_names[RIGHTS] = {
	[RIGHT_READ] = "read",
	[RIGHT_CREATE] = "create",
	[RIGHT_UPDATE] = "change",
	[RIGHT_DELETE] = "delete",
};

/* The path names what the user has named (@said), or may see to be there. @row NULL: the entry. */
static int refuse(const struct policy *policy, enum right right, uint32_t tunnel_id,
		  uint32_t session_id, const struct row *row, bool said, struct error *err)
{
	uint64_t readable = policy_rows(policy, RIGHT_READ, tunnel_id, session_id);
	uint64_t shown = said ? ~UINT64_C(0) : readable;

	if (row && !(shown & BIT(row_number(row))))
		row = NULL;
	if (shown & ROW_SELF)
		error_at_entry(err, tunnel_id, session_id, row);
	else
		error_at(err, "/" ELEMENT_CONTAINER);
	/* which right is lacking would tell whether there is one */
	if (!(readable & (row ? BIT(row_number(row)) : ROW_SELF)))
		return error_set(err, ERROR_DENIED, "you may not see or change %s",
				 row ? row->leaf : "this");
	return error_set(err, ERROR_DENIED, "you may not %s %s", right_names[right],
			 row          ? row->leaf
			 : session_id ? "this session, or not all of it"
				      : "this tunnel, or not all of it");
}

static const struct row *first_row(enum object object, uint64_t rows)
{
	return &row_sets[object].rows[__builtin_ctzll(rows)];
}

/* A push names many entries and changes few: look only for what is needed. */
static uint64_t lacking_rows(const struct policy *policy, enum right right, uint64_t needed,
			     uint32_t tunnel_id, uint32_t session_id)
{
	return needed ? needed & ~policy_rows(policy, right, tunnel_id, session_id) : 0;
}

int policy_may_edit(const struct policy *policy, const struct edit_entry *entry,
		    const struct policy_edit *what, const union config *now, struct error *err)
{
	uint32_t tunnel = entry->tunnel_id, session = entry->session_id;
	uint64_t key = BIT(row_number(row_sets[entry->object].key)), needed[RIGHTS] = {0};
	uint64_t there = now ? now->present & ~key : 0, given, readable, unchanged;

	if (!policy)
		return 0;
	given = entry->values->present & ~key;
	readable = policy_rows(policy, RIGHT_READ, tunnel, session);
	unchanged = now ? given & there & ~codec_difference(entry->object, now, entry->values) &
				    readable
			: 0;
	if (what->removes && (now || !(readable & ROW_SELF)))
		needed[RIGHT_DELETE] |= ROW_SELF;
	if (!what->removes && (what->creates || (!what->none && !now)))
		needed[RIGHT_CREATE] |= ROW_SELF;
	else if (!what->removes && !(readable & ROW_SELF))
		needed[RIGHT_UPDATE] |= ROW_SELF; /* lest it tell whether there is one */
	if (!what->removes) {
		needed[RIGHT_CREATE] |= given & ~there;
		needed[RIGHT_UPDATE] |= given & there & ~unchanged;
		needed[RIGHT_DELETE] |= entry->cleared & (there | ~readable);
		if (what->afresh)
			needed[RIGHT_DELETE] |= there & ~given & ~what->kept;
	}
	for (enum right right = RIGHT_CREATE; right < RIGHTS; right++) {
		uint64_t lacking = lacking_rows(policy, right, needed[right], tunnel, session);

		if (lacking & ROW_SELF)
			return refuse(policy, right, tunnel, session, NULL, true, err);
		if (lacking)
			return refuse(policy, right, tunnel, session,
				      first_row(entry->object, lacking),
				      lacking & (given | entry->cleared), err);
	}
	return 0;
}

int policy_may_change(const struct policy *policy, uint32_t tunnel_id, uint32_t session_id,
		      const union config *before, const union config *after, bool restores,
		      struct error *err)
{
	enum object object = session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	uint64_t key = BIT(row_number(row_sets[object].key)), needed[RIGHTS] = {0}, differ;

	if (!policy || before == after)
		return 0;
	if (!after) {
		needed[RIGHT_DELETE] = ROW_SELF;
	} else if (!before) {
		needed[RIGHT_CREATE] = ROW_SELF | (after->present & ~key);
		if (restores)
			needed[RIGHT_CREATE] &=
				policy_rows(policy, RIGHT_READ, tunnel_id, session_id) | ROW_SELF;
	} else {
		differ = codec_difference(object, before, after);
		needed[RIGHT_CREATE] = differ & ~before->present;
		needed[RIGHT_DELETE] = differ & ~after->present;
		needed[RIGHT_UPDATE] = differ & before->present & after->present;
	}
	for (enum right right = RIGHT_CREATE; right < RIGHTS; right++) {
		uint64_t lacking =
			lacking_rows(policy, right, needed[right], tunnel_id, session_id);

		if (lacking)
			return refuse(policy, right, tunnel_id, session_id,
				      lacking & ROW_SELF ? NULL : first_row(object, lacking), false,
				      err);
	}
	return 0;
}
