/*
 * Access control for NETCONF sessions (NACM, RFC 8341): whose policy a session has, which
 * operations it may call, and what is counted of refusals. What a policy says of data: policy.h.
 *
 * The user is the kernel's (peer.h). Root and the daemon's own user are the recovery session
 * (section 3.2.3): they have no policy. External groups are those of the client's process, which
 * over ssh sshd has given it; their names are looked up once in a session.
 */
#ifndef NETCONF_ACCESS_H
#define NETCONF_ACCESS_H

#include "engine/engine.h"
#include "model/error.h"
#include "netconf/node.h"
#include "netconf/rpc.h"
#include "store/policy.h"

struct netconf_session;

/* Resolve the policy again if NACM's configuration has changed: when a request begins. */
void access_refresh(struct netconf_session *session);
void access_close(struct netconf_session *session);

/* What its user may see and do; good until the next access_refresh(). NULL: everything. */
const struct policy *access_policy(const struct netconf_session *session);

/* ERROR_DENIED, and counted. */
int access_check_rpc(const struct netconf_session *session, const struct rpc *rpc,
		     struct error *err);
/* A rule permits it, by name; not only the default. */
bool access_rpc_is_ruled(const struct netconf_session *session, const struct rpc *rpc);
/*
 * May it be told of a notification? For who tells many: call access_refresh() before. Refusals are
 * counted. About tunnels and sessions, ask policy_rows() whether the user may see the entry, too.
 */
bool access_may_notify(const struct netconf_session *session, const char *uri, const char *name);
/* May it see all that is locked? All of running tells nothing of what is in it. */
bool access_may_see_lock(const struct netconf_session *session, const struct engine_partial *lock);
/*
 * What its user may be told of @err, one of a list: itself, or @scratch in its place, which does
 * not tell what is wrong with an entry or a leaf that the user may not read.
 */
const struct error *access_conceal(const struct netconf_session *session, const struct error *err,
				   struct error *scratch);
/* A change of data was refused. */
void access_count_write(const struct netconf_session *session);

/* Remove from a tree of data what the session may not read. @uri and names as in the tree. */
void access_prune(const struct netconf_session *session, struct tree *tree);

#endif
