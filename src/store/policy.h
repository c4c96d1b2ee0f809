/*
 * What a user may see and do: the one place that decides it, for every door that knows users. A
 * policy never changes, and is shared by all that work for its user. NULL permits everything.
 */
#ifndef STORE_POLICY_H
#define STORE_POLICY_H

#include "store/config.h"
#include "store/edit.h"

/* The access operations of RFC 8341 section 3.4.1 on data. */
enum right { RIGHT_READ, RIGHT_CREATE, RIGHT_UPDATE, RIGHT_DELETE, RIGHTS };

/* Beside the bits of the rows: the entry itself, and its container `statistics`. */
#define ROW_SELF       BIT(63)
#define ROW_STATISTICS BIT(62)

struct policy;

/* Add an owner; returns @policy. Accepts NULL. */
const struct policy *policy_share(const struct policy *policy);
void policy_drop(const struct policy *policy); /* accepts NULL */

/*
 * What NACM permits a user (RFC 8341), resolved once: rules become bits of rows, and those that
 * cannot decide anything any more are left out. @groups are the user's from the system, and end
 * with NULL; @module_uri gives a module's namespace (NULL: no such module). *ret NULL: everything,
 * for NACM is off. -ENOMEM.
 */
struct acm;
struct acm_node;
int policy_compile(const struct acm *acm, const char *user, const char *const *groups,
		   const char *(*module_uri)(const char *module), const struct policy **ret);
/* Decisions about entries that its rules make, of the right and the object with the most. */
size_t policy_cost(const struct policy *policy);

/* For tests: all but secrets, as acm_factory() permits to users in no group. Has no owner. */
const struct policy *policy_of_members(void);

/* Nothing. */
const struct policy *policy_of_nobody(void);

/* What the rules say of an operation or of a notification; NONE: no rule does. */
enum ruling { RULING_NONE, RULING_PERMIT, RULING_DENY };
enum ruling policy_rpc_rule(const struct policy *policy, const char *uri, const char *name);
bool policy_permits_rpcs(const struct policy *policy); /* exec-default */
bool policy_may_notify(const struct policy *policy, const char *uri, const char *name);

/*
 * Is it "/{uri}name[{uri}key='value']...", as rules keep paths? One in our module must name
 * something that it has, with keys in its predicates and values that they can have.
 */
bool policy_path_is_good(const char *path);

/* A node of other data than tunnels and sessions, in those that it is in. */
struct policy_node {
	const struct policy_node *parent; /* NULL: it is at the top */
	const char *uri, *name;
	const void *node;
	/* Of a key in it, or NULL. NULL: it has no keys. */
	const char *(*value)(const void *node, const char *name);
};
bool policy_node(const struct policy *policy, enum right right, const struct policy_node *node);
/* The same where the default is to deny, as of /nacm. */
bool policy_acm_node(const struct policy *policy, enum right right, const struct policy_node *node);
/* The same of NACM's own configuration, which is nacm:default-deny-all. */
bool policy_acm(const struct policy *policy, enum right right, const struct acm_node *node);

/*
 * The bits of what a user has @right to in the entry (@session_id 0: the tunnel itself), whether it
 * exists or not. Without ROW_SELF there are none, for what is in an entry cannot be had without it.
 */
uint64_t policy_rows(const struct policy *policy, enum right right, uint32_t tunnel_id,
		     uint32_t session_id);

/*
 * May a user do what @entry says, as @operation, to @now, which is the entry as it is (NULL: it is
 * not there)? @kept: of @now, what the operation leaves as it is. -EACCES, with @err, if not:
 * whatever it says is the same whether what the user cannot see is there or not.
 */
struct policy_edit {
	bool creates;  /* fails if the entry exists */
	bool removes;  /* the entry goes */
	bool none;     /* changes only leaves */
	bool afresh;   /* what is not given goes */
	uint64_t kept; /* ... but this */
};
int policy_may_edit(const struct policy *policy, const struct edit_entry *entry,
		    const struct policy_edit *what, const union config *now, struct error *err);

/*
 * May a user make @before @after (NULL: not there), where others made the change and this user
 * carries it out? @restores: it was so once, or is so in the kernel, and an entry that
 * comes (back) brings what the user cannot see along.
 */
int policy_may_change(const struct policy *policy, uint32_t tunnel_id, uint32_t session_id,
		      const union config *before, const union config *after, bool restores,
		      struct error *err);

#endif
