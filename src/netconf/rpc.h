/*
 * The operations: one row each. To add one, write its function, in a file of
 * its group, and a row in rpc.c; if it has a capability, a row in capabilities.c too.
 */
#ifndef NETCONF_RPC_H
#define NETCONF_RPC_H

#include "netconf/session.h"

/* What an operation's function returns besides a negative errno. */
enum rpc_result {
	RPC_OK,   /* answer <ok/> */
	RPC_LATER /* session_stream() was called, or rpc_done will be */
};

#define RPC_PARAMETERS 8

struct rpc {
	const char *name, *uri;
	const char *parameters[RPC_PARAMETERS]; /* allowed children, of the same namespace */
	const char *streamed;                   /* that of them that holds an edit, or NULL ... */
	const char *streamed_in; /* ... or a child of this one, which holds a configuration */
	/*
	 * Carries it out. @operation has the parameters. With a negative errno
	 * @err says why, and is answered.
	 */
	int (*run)(struct netconf_session *session, const struct node *operation,
		   struct error *err);
	/* Before the streamed parameter: its default operation. Refuses what can be already. */
	int (*begin)(const struct node *operation, enum edit_operation *ret, struct error *err);
};

/* NULL when there is none. */
const struct rpc *rpc_find(const char *name, const char *uri);
/* No such operation: says whether it is its namespace or its name. */
int rpc_unknown(const char *name, const char *uri, struct error *err);
/* The next parameter of @operation: one that is not in the row, or was given before. */
int rpc_check_parameter(const struct rpc *rpc, const struct node *operation, const char *name,
			const char *uri, struct error *err);
/* The engine has answered: the session waits for it no more. */
void rpc_answered(struct netconf_session *session);
/* That is the answer to the client, too: @arg is the session. */
void rpc_done(int result, const struct error *err, void *arg);
struct engine_who rpc_who(const struct netconf_session *session);
/* The engine took it, and gave this ticket: RPC_LATER; 0: it has no memory. */
int rpc_await(struct netconf_session *session, unsigned int ticket, struct error *err);

/*
 * The datastore that a parameter names, as <source><running/></source> does. Where a
 * <config> may be there instead (@inline_too) that is ENGINE_DATASTORES.
 */
int rpc_datastore(const struct node *operation, const char *parameter, bool inline_too,
		  enum engine_datastore *ret, struct error *err);

int rpc_get(struct netconf_session *, const struct node *, struct error *);
int rpc_get_config(struct netconf_session *, const struct node *, struct error *);
int rpc_edit_config(struct netconf_session *, const struct node *, struct error *);
int rpc_edit_config_begin(const struct node *, enum edit_operation *, struct error *);
int rpc_replace_begin(const struct node *, enum edit_operation *, struct error *);
int rpc_copy_config(struct netconf_session *, const struct node *, struct error *);
int rpc_delete_config(struct netconf_session *, const struct node *, struct error *);
int rpc_validate(struct netconf_session *, const struct node *, struct error *);
int rpc_commit(struct netconf_session *, const struct node *, struct error *);
int rpc_cancel_commit(struct netconf_session *, const struct node *, struct error *);
int rpc_discard_changes(struct netconf_session *, const struct node *, struct error *);
int rpc_lock(struct netconf_session *, const struct node *, struct error *);
int rpc_unlock(struct netconf_session *, const struct node *, struct error *);
int rpc_close_session(struct netconf_session *, const struct node *, struct error *);
int rpc_kill_session(struct netconf_session *, const struct node *, struct error *);
int rpc_adopt(struct netconf_session *, const struct node *, struct error *);
int rpc_resync(struct netconf_session *, const struct node *, struct error *);
int rpc_history(struct netconf_session *, const struct node *, struct error *);
int rpc_commit_changes(struct netconf_session *, const struct node *, struct error *);
int rpc_rollback(struct netconf_session *, const struct node *, struct error *);

#endif
