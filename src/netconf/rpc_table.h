/*
 * The table of operations, and their functions. To add one, write its function in a file of its
 * group, and a row in rpc_table.c; if it has a capability, a row in capabilities.c too.
 */
#ifndef NETCONF_RPC_TABLE_H
#define NETCONF_RPC_TABLE_H

#include "netconf/rpc.h"

extern const struct rpc netconf_rpcs[]; /* ends with a NULL name */

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
int rpc_get_schema(struct netconf_session *, const struct node *, struct error *);
int rpc_partial_lock(struct netconf_session *, const struct node *, struct error *);
int rpc_partial_unlock(struct netconf_session *, const struct node *, struct error *);
int rpc_get_data(struct netconf_session *, const struct node *, struct error *);
int rpc_edit_data(struct netconf_session *, const struct node *, struct error *);
int rpc_edit_data_begin(const struct node *, enum edit_operation *, struct error *);
int rpc_create_subscription(struct netconf_session *, const struct node *, struct error *);
int rpc_explain(struct netconf_session *, const struct node *, struct error *);
int rpc_adopt(struct netconf_session *, const struct node *, struct error *);
int rpc_resync(struct netconf_session *, const struct node *, struct error *);
int rpc_history(struct netconf_session *, const struct node *, struct error *);
int rpc_commit_changes(struct netconf_session *, const struct node *, struct error *);
int rpc_rollback(struct netconf_session *, const struct node *, struct error *);
int rpc_revert(struct netconf_session *, const struct node *, struct error *);

#endif
