#include "netconf/rpc_table.h"

#include "model/names.h"

/* clang-format off */
const struct rpc netconf_rpcs[] = {
	{ "get", NAMESPACE_BASE, { "filter" }, NULL, rpc_get, NULL },
	{ "get-config", NAMESPACE_BASE, { "source", "filter" }, NULL, rpc_get_config, NULL },
	{ "edit-config", NAMESPACE_BASE,
	  { "target", "default-operation", "test-option", "error-option", "config" },
	  "config", rpc_edit_config, rpc_edit_config_begin },
	{ "lock", NAMESPACE_BASE, { "target" }, NULL, rpc_lock, NULL },
	{ "unlock", NAMESPACE_BASE, { "target" }, NULL, rpc_unlock, NULL },
	{ "close-session", NAMESPACE_BASE, { NULL }, NULL, rpc_close_session, NULL },
	{ "kill-session", NAMESPACE_BASE, { "session-id" }, NULL, rpc_kill_session, NULL },
	{ "adopt", NAMESPACE_MODULE, { "tunnel-id" }, NULL, rpc_adopt, NULL },
	{ "resync", NAMESPACE_MODULE, { NULL }, NULL, rpc_resync, NULL },
	{ "history", NAMESPACE_MODULE, { NULL }, NULL, rpc_history, NULL },
	{ "commit-changes", NAMESPACE_MODULE, { "number" }, NULL, rpc_commit_changes, NULL },
	{ "rollback", NAMESPACE_MODULE, { "number" }, NULL, rpc_rollback, NULL },
	{ NULL },
};
/* clang-format on */
