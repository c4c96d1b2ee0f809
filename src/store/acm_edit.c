/* Edits of NACM's configuration: the operations of RFC 6241 section 7.2 on a copy of the tree. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/acm.h"
#include "store/policy.h"

struct editing {
	struct acm *acm;
	const struct policy *policy;
	struct error *err;
};

static int refuse(const struct editing *editing, const struct acm_node *node, enum error_code code,
		  const char *text)
{
	acm_print_path(node, editing->err->path, sizeof(editing->err->path));
	return error_set(editing->err, code, "%s: %s", acm_rows[node->item].name, text);
}

/* Not in the path if the user may not see it. */
static int need(const struct editing *editing, const struct acm_node *node, enum right right)
{
	if (policy_acm(editing->policy, right, node))
		return 0;
	if (policy_acm(editing->policy, RIGHT_READ, node))
		return refuse(editing, node, ERROR_DENIED, "you may not change this");
	error_at(editing->err, "/nacm");
	return error_set(editing->err, ERROR_DENIED, "you may not change this");
}

static int no_room(const struct editing *editing)
{
	return error_set(editing->err, ERROR_TOO_BIG,
			 "there is no memory, or /nacm would have more than %d nodes",
			 ACM_NODES_MAX);
}

static bool copy_children(struct acm *acm, struct acm_node *to, const struct acm_node *from)
{
	for (const struct acm_node *at = from->first; at; at = at->next) {
		struct acm_node *copy = acm_add(acm, to, at->item, at->text);

		if (!copy || !copy_children(acm, copy, at))
			return false;
	}
	return true;
}

static size_t count_nodes(const struct acm_node *node)
{
	size_t count = 1;

	for (const struct acm_node *at = node->first; at; at = at->next)
		count += count_nodes(at);
	return count;
}

static void unlink_node(struct acm_node *node)
{
	struct acm_node *parent = node->parent, **link = &parent->first, *before = NULL;

	for (; *link != node; link = &before->next)
		before = *link;
	*link = node->next;
	if (parent->last == node)
		parent->last = before;
}

/* @next NULL: at the end. */
static void link_before(struct acm_node *node, struct acm_node *next)
{
	struct acm_node *parent = node->parent, **link = &parent->first;

	while (*link != next)
		link = &(*link)->next;
	node->next = next;
	*link = node;
	if (!next)
		parent->last = node;
}

/* Take it out; all of it is deleted. */
static int take_out(struct editing *editing, struct acm_node *node)
{
	int rc = need(editing, node, RIGHT_DELETE);

	if (rc)
		return rc;
	unlink_node(node);
	editing->acm->count -= count_nodes(node);
	return 0;
}

static int clear(struct editing *editing, struct acm_node *node)
{
	int rc = 0;

	while (node->first && !rc)
		rc = take_out(editing, node->first);
	return rc;
}

/* A leaf of another case of the choice goes (RFC 7950 section 7.9). */
static int drop_other_cases(struct editing *editing, struct acm_node *into, enum acm_item item)
{
	int rc = 0;

	for (struct acm_node *at = into->first, *next; at && !rc; at = next) {
		next = at->next;
		if (acm_rows[at->item].choice && at->item != item)
			rc = take_out(editing, at);
	}
	return rc;
}

static int set_text(struct editing *editing, struct acm_node *node, const char *text)
{
	int rc;

	if (!strcmp(node->text, text))
		return 0;
	rc = need(editing, node, RIGHT_UPDATE);
	if (rc)
		return rc;
	return acm_set_text(editing->acm, node, text) ? 0 : no_room(editing);
}

static bool is_many(const struct acm_node *node)
{
	return acm_rows[node->item].kind == ACM_IS_LIST ||
	       acm_rows[node->item].kind == ACM_IS_LEAF_LIST;
}

static struct acm_node *next_entry(const struct acm_node *node)
{
	struct acm_node *at = node->next;

	while (at && at->item != node->item)
		at = at->next;
	return at;
}

/* The entry that will follow @node, where @edit puts it; NULL: none. */
static int find_place(const struct editing *editing, const struct acm_node *node,
		      const struct acm_node *edit, bool is_new, struct acm_node **ret)
{
	const char *beside = edit->place >= ACM_PLACE_BEFORE ? edit->beside : NULL;
	struct acm_node *found =
		(struct acm_node *)(uintptr_t)acm_find(node->parent, edit->item, beside);
	int rc;

	if (!found || (found == node && beside && is_new)) { /* RFC 7950 section 15.7 */
		rc = refuse(editing, edit, ERROR_BAD_ATTRIBUTE,
			    "there is no entry with the key that it should stand beside");
		editing->err->app_tag = "missing-instance";
		snprintf(editing->err->info, sizeof(editing->err->info), "key");
		snprintf(editing->err->info2, sizeof(editing->err->info2), "%s",
			 acm_rows[edit->item].name);
		return rc;
	}
	*ret = edit->place == ACM_PLACE_LAST    ? NULL
	       : edit->place == ACM_PLACE_AFTER ? next_entry(found)
						: found;
	if (*ret == node)
		*ret = next_entry(node);
	return 0;
}

/* To move an entry is to change it. */
static int put_in_place(struct editing *editing, struct acm_node *node, const struct acm_node *edit,
			bool is_new)
{
	struct acm_node *next = NULL;
	int rc = find_place(editing, node, edit, is_new, &next);

	if (rc || next == next_entry(node))
		return rc;
	rc = is_new ? 0 : need(editing, node, RIGHT_UPDATE);
	if (rc)
		return rc;
	unlink_node(node);
	link_before(node, next);
	return 0;
}

static int edit_node(struct editing *editing, struct acm_node *into, const struct acm_node *edit);

static int edit_children(struct editing *editing, struct acm_node *into,
			 const struct acm_node *edit)
{
	int rc = 0;

	for (const struct acm_node *at = edit->first; at && !rc; at = at->next)
		rc = edit_node(editing, into, at);
	return rc;
}

static int edit_node(struct editing *editing, struct acm_node *into, const struct acm_node *edit)
{
	enum acm_kind kind = acm_rows[edit->item].kind;
	struct acm_node *node = (struct acm_node *)(uintptr_t)acm_find(
		into, edit->item, is_many(edit) ? edit->text : NULL);
	bool removes = edit_removes(edit->operation), is_new = !node;
	int rc = 0;

	/* who sees that it is not there may remove it, or tag it as a default */
	if (!node && edit->operation == EDIT_REMOVE &&
	    policy_acm(editing->policy, RIGHT_READ, edit))
		return 0;
	if (!node || removes || edit->operation == EDIT_CREATE)
		rc = need(editing, node ? node : edit, removes ? RIGHT_DELETE : RIGHT_CREATE);
	if (rc)
		return rc;
	if (node && edit->operation == EDIT_CREATE && kind != ACM_IS_CONTAINER)
		return refuse(editing, edit, ERROR_EXISTS, "exists already; use merge or replace");
	if (!node && (edit->operation == EDIT_DELETE ||
		      (edit->operation == EDIT_NONE && kind != ACM_IS_CONTAINER)))
		return refuse(editing, edit, ERROR_MISSING, "is not there");
	if (removes)
		return node ? take_out(editing, node) : 0;
	if (acm_rows[edit->item].choice)
		rc = drop_other_cases(editing, into, edit->item);
	if (!rc && node && edit->operation == EDIT_REPLACE && kind != ACM_IS_LEAF)
		rc = clear(editing, node);
	if (!rc && !node)
		node = acm_add(editing->acm, into, edit->item, edit->text);
	else if (!rc && kind == ACM_IS_LEAF && edit->operation != EDIT_NONE)
		rc = set_text(editing, node, edit->text);
	if (!rc && !node)
		rc = no_room(editing);
	if (!rc && edit->place)
		rc = put_in_place(editing, node, edit, is_new);
	return rc ? rc : edit_children(editing, node, edit);
}

static int edit_root(struct editing *editing, const struct acm_node *edit)
{
	struct acm_node *root = editing->acm->root;
	int rc = 0;

	if (edit->operation == EDIT_CREATE && root->first)
		return policy_acm(editing->policy, RIGHT_READ, root)
			       ? refuse(editing, edit, ERROR_EXISTS, "exists already; use merge")
			       : need(editing, edit, RIGHT_CREATE);
	if (edit->operation == EDIT_DELETE && !root->first)
		rc = need(editing, edit, RIGHT_DELETE);
	if (!rc && edit->operation == EDIT_DELETE && !root->first)
		return refuse(editing, edit, ERROR_MISSING, "is not there");
	if (!rc && (edit->operation == EDIT_REPLACE || edit_removes(edit->operation)))
		rc = clear(editing, root);
	if (rc || edit_removes(edit->operation))
		return rc;
	return edit_children(editing, root, edit);
}

/* At the leaf that is missing, as for tunnels and sessions (rules.c). */
static int refuse_without_action(const struct editing *editing, struct acm_node *rule)
{
	const struct acm_node missing = {.item = ACM_ACTION, .parent = rule, .text = ""};

	return refuse(editing, &missing, ERROR_MANDATORY, "every rule needs one, permit or deny");
}

/* action is the only leaf that a rule must have. */
static int check(const struct editing *editing)
{
	for (const struct acm_node *list = editing->acm->root->first; list; list = list->next)
		for (struct acm_node *rule = list->first; rule; rule = rule->next)
			if (rule->item == ACM_RULE && !acm_find(rule, ACM_ACTION, NULL))
				return refuse_without_action(editing, rule);
	return 0;
}

int acm_apply(const struct acm *now, const struct acm *edit, const struct policy *policy,
	      const struct acm **ret, struct error *err)
{
	struct error ignored = ERROR_INIT;
	struct editing editing = {acm_new(), policy, err ? err : &ignored};
	int rc = -ENOMEM;

	if (editing.acm && copy_children(editing.acm, editing.acm->root, now->root))
		rc = edit_root(&editing, edit->root);
	else
		rc = no_room(&editing);
	if (!rc)
		rc = check(&editing);
	if (rc)
		acm_drop(editing.acm);
	else
		*ret = editing.acm;
	return rc;
}

/* Entries that both have must be in the same order, or those that are not may be changed. */
static int check_order(const struct editing *editing, const struct acm_node *before,
		       const struct acm_node *after)
{
	const struct acm_node *was = before->first, *is = after->first;
	int rc = 0;

	while (!rc) {
		while (was &&
		       !(acm_rows[was->item].ordered && acm_find(after, was->item, was->text)))
			was = was->next;
		while (is && !(acm_rows[is->item].ordered && acm_find(before, is->item, is->text)))
			is = is->next;
		if (!was || !is)
			break;
		if (strcmp(was->text, is->text) != 0)
			rc = need(editing, is, RIGHT_UPDATE);
		was = was->next;
		is = is->next;
	}
	return rc;
}

static int check_nodes(const struct editing *editing, const struct acm_node *before,
		       const struct acm_node *after)
{
	int rc = check_order(editing, before, after);

	for (const struct acm_node *at = before->first; at && !rc; at = at->next) {
		const struct acm_node *now =
			acm_find(after, at->item, is_many(at) ? at->text : NULL);

		if (!now)
			rc = need(editing, at, RIGHT_DELETE);
		else if (strcmp(at->text, now->text) != 0)
			rc = need(editing, at, RIGHT_UPDATE);
		else
			rc = check_nodes(editing, at, now);
	}
	for (const struct acm_node *at = after->first; at && !rc; at = at->next)
		if (!acm_find(before, at->item, is_many(at) ? at->text : NULL))
			rc = need(editing, at, RIGHT_CREATE);
	return rc;
}

int acm_check(const struct acm *before, const struct acm *after, const struct policy *policy,
	      struct error *err)
{
	const struct editing editing = {.policy = policy, .err = err};

	return check_nodes(&editing, before->root, after->root);
}
