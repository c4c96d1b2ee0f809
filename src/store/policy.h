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

/* All but what is secret: for who may manage, and is not the superuser. Has no owner. */
const struct policy *policy_of_members(void);

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
 * carries it out? @restores: it was so once, and an entry that comes back brings what the user
 * cannot see along.
 */
int policy_may_change(const struct policy *policy, uint32_t tunnel_id, uint32_t session_id,
		      const union config *before, const union config *after, bool restores,
		      struct error *err);

#endif
