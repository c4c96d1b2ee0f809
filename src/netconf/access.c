#include "netconf/access.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"
#include "netconf/session.h"
#include "store/acm.h"

/* ---- the policy of a session */

static void free_groups(struct netconf_session *session)
{
	for (char **at = session->groups; at && *at; at++)
		free(*at);
	free(session->groups);
	session->groups = NULL;
}

static const char *module_uri(const char *module)
{
	const struct module *at = netconf_modules;

	while (at->name && strcmp(at->name, module) != 0)
		at++;
	return at->uri;
}

/*
 * The groups of the process that connected, its own first: by the kernel, so that no directory of
 * users is asked for them. NULL: they cannot be had.
 */
static gid_t *read_groups(int fd, gid_t own, size_t *ret_count)
{
	socklen_t length = 0;
	gid_t *groups;

	/* with no room it says how much they need */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) && errno != ERANGE)
		return NULL;
	groups = malloc(length + sizeof(*groups));
	if (!groups)
		return NULL;
	groups[0] = own;
	if (length && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &length)) {
		free(groups);
		return NULL;
	}
	*ret_count = 1 + length / sizeof(*groups);
	return groups;
}

/*
 * Look up the names of those groups, once; those without a name are in no rule. All or none: a
 * group that is left out may be the one that a rule denies something. False: they cannot be had.
 */
static bool look_up_groups(struct netconf_session *session)
{
	size_t count = 0, names = 0;
	gid_t *groups;

	if (session->groups)
		return true;
	groups = read_groups(bufferevent_getfd(session->transport), session->peer.gid, &count);
	session->groups = groups ? calloc(count + 1, sizeof(*session->groups)) : NULL;
	for (size_t i = 0; session->groups && i < count; i++) {
		struct group entry, *found = NULL;
		char buffer[16384];
		int rc = getgrgid_r(groups[i], &entry, buffer, sizeof(buffer), &found);

		if (found)
			session->groups[names] = strdup(found->gr_name);
		if (rc == ERANGE || rc == ENOMEM || (found && !session->groups[names]))
			free_groups(session);
		else
			names += found != NULL;
	}
	free(groups);
	return session->groups;
}

void access_refresh(struct netconf_session *session)
{
	const struct acm *acm = engine_store(session->server->options.engine)->acm;
	const struct policy *policy = NULL;
	int rc = 0;

	if (peer_privileged(session->peer.uid) || session->acm == acm)
		return;
	if (!strcmp(acm_text(acm->root, ACM_EXTERNAL_GROUPS), "true") && acm != acm_factory() &&
	    !look_up_groups(session))
		rc = -ENOMEM;
	if (!rc)
		rc = policy_compile(acm, session->peer.user, (const char *const *)session->groups,
				    module_uri, &policy);
	if (rc)
		policy = policy_of_nobody(); /* and try again with the next request */
	acm_drop(session->acm);
	session->acm = rc ? NULL : acm_share(acm);
	policy_drop(session->policy);
	session->policy = policy;
}

void access_close(struct netconf_session *session)
{
	policy_drop(session->policy);
	acm_drop(session->acm);
	free_groups(session);
}

const struct policy *access_policy(const struct netconf_session *session)
{
	return session->policy;
}

/* ---- operations and notifications */

bool access_rpc_is_ruled(const struct netconf_session *session, const struct rpc *rpc)
{
	return !session->policy ||
	       policy_rpc_rule(session->policy, rpc->uri, rpc->name) == RULING_PERMIT;
}

/*
 * RFC 8341 section 3.4.4. kill-session is default-deny-all; still anybody may end sessions of its
 * own, which rpc_session.c looks at.
 */
int access_check_rpc(const struct netconf_session *session, const struct rpc *rpc,
		     struct error *err)
{
	const struct policy *policy = session->policy;
	bool permitted = policy_permits_rpcs(policy);

	if (!policy || rpc->access == RPC_ALWAYS)
		return 0;
	switch (policy_rpc_rule(policy, rpc->uri, rpc->name)) {
	case RULING_PERMIT:
		return 0;
	case RULING_DENY:
		permitted = false;
		break;
	case RULING_NONE:
		permitted = permitted && rpc->access != RPC_DENIED;
		break;
	}
	if (permitted)
		return 0;
	session->server->denied.operations++;
	return error_set(err, ERROR_DENIED, "you may not call %s", rpc->name);
}

bool access_may_notify(const struct netconf_session *session, const char *uri, const char *name)
{
	bool may = policy_may_notify(session->policy, uri, name);

	session->server->denied.notifications += !may;
	return may;
}

bool access_may_see_lock(const struct netconf_session *session, const struct engine_partial *lock)
{
	for (size_t i = 0; i < lock->count; i++) {
		const struct engine_part *part = &lock->parts[i];
		uint64_t needed = ROW_SELF | part->leaves;

		if (part->tunnel_id && needed & ~policy_rows(session->policy, RIGHT_READ,
							     part->tunnel_id, part->session_id))
			return false;
	}
	return true;
}

/*
 * Does the error reveal more than the client has sent? These quote values that others configured.
 * (Whether an object exists is no secret: create and delete tell by succeeding or failing.)
 */
static bool tells_of_data(enum error_code code)
{
	switch (code) {
	case ERROR_MANDATORY:
	case ERROR_MISSING_CHOICE:
	case ERROR_NOT_APPLICABLE:
	case ERROR_MUST:
	case ERROR_NOT_UNIQUE:
	case ERROR_FOREIGN:
	case ERROR_LOCKED:
	case ERROR_KERNEL:
		return true;
	default:
		return false;
	}
}

/* What its text may quote of the entry: the leaf that its path ends with; some, of any but secrets.
 */
static uint64_t rows_told(const struct error *err)
{
	enum object object = err->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	const char *leaf = strrchr(err->path, '/');
	const struct row *row = leaf ? row_by_leaf(object, leaf + 1, strlen(leaf + 1)) : NULL;

	if (err->code == ERROR_MUST || err->code == ERROR_NOT_UNIQUE || err->code == ERROR_FOREIGN)
		return ~rows_secret(object);
	return row ? ROW_SELF | BIT(row_number(row)) : ROW_SELF;
}

static bool may_be_told(const struct policy *policy, const struct error *err)
{
	uint64_t told = rows_told(err);

	if ((policy_rows(policy, RIGHT_READ, err->tunnel_id, err->session_id) & told) != told)
		return false;
	return !err->other_tunnel_id ||
	       (policy_rows(policy, RIGHT_READ, err->other_tunnel_id, err->other_session_id) &
		ROW_SELF);
}

const struct error *access_conceal(const struct netconf_session *session, const struct error *err,
				   struct error *scratch)
{
	const struct policy *policy = session->policy;

	if (!policy || !err->tunnel_id || !tells_of_data(err->code) || may_be_told(policy, err))
		return err;
	*scratch = ERROR_INIT;
	error_at(scratch, "/" ELEMENT_CONTAINER);
	error_set(scratch, ERROR_DENIED,
		  "this is refused for a reason that is in what you may not see");
	return scratch;
}

void access_count_write(const struct netconf_session *session)
{
	session->server->denied.data_writes++;
}

/* ---- trees of data */

static const char *key_value(const void *arg, const char *name)
{
	return node_text(arg, name, NULL);
}

static bool may_read(const struct policy *policy, const struct policy_node *at)
{
	return strcmp(at->uri, NAMESPACE_ACM) != 0 ? policy_node(policy, RIGHT_READ, at)
						   : policy_acm_node(policy, RIGHT_READ, at);
}

static void prune_children(const struct policy *policy, struct node *node,
			   const struct policy_node *parent)
{
	struct node **link = &node->first;

	node->last = NULL;
	while (*link) {
		struct node *child = *link;
		const struct policy_node at = {parent, child->uri, child->name, child, key_value};

		if (!may_read(policy, &at)) {
			*link = child->next;
			continue;
		}
		prune_children(policy, child, &at);
		node->last = child;
		link = &child->next;
	}
}

void access_prune(const struct netconf_session *session, struct tree *tree)
{
	struct node *root = tree->root;
	struct policy_node at = {.node = root, .value = key_value};

	if (!session->policy || !root)
		return;
	at.uri = root->uri;
	at.name = root->name;
	if (may_read(session->policy, &at))
		prune_children(session->policy, root, &at);
	else
		tree->root = NULL;
}
