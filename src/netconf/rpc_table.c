#include "netconf/rpc_table.h"

#include "model/names.h"

/* RFC 6243 section 4.5.1 */
static const struct rpc_augment with_defaults[] = {
	{"with-defaults", NAMESPACE_WITH_DEFAULTS},
	{NULL, NULL},
};

/* of linux-l2tpv3-netconf */
static const struct rpc_augment comment[] = {
	{"comment", NAMESPACE_CLIENTS},
	{NULL, NULL},
};

/* clang-format off */
const struct rpc netconf_rpcs[] = {
	{ "get", NAMESPACE_BASE, { "filter" }, .augments = with_defaults, .run = rpc_get },
	{ "get-config", NAMESPACE_BASE, { "source", "filter" }, .augments = with_defaults,
	  .run = rpc_get_config },
	{ "edit-config", NAMESPACE_BASE,
	  { "target", "default-operation", "test-option", "error-option", "config" },
	  .augments = comment, .streamed = "config", .run = rpc_edit_config, .begin = rpc_edit_config_begin },
	{ "copy-config", NAMESPACE_BASE, { "target", "source" }, .augments = with_defaults,
	  .streamed = "config", .streamed_in = "source",
	  .run = rpc_copy_config, .begin = rpc_replace_begin },
	{ "delete-config", NAMESPACE_BASE, { "target" }, .run = rpc_delete_config,
	  .access = RPC_DENIED },
	{ "validate", NAMESPACE_BASE, { "source" },
	  .streamed = "config", .streamed_in = "source",
	  .run = rpc_validate, .begin = rpc_replace_begin },
	{ "commit", NAMESPACE_BASE, { "confirmed", "confirm-timeout", "persist", "persist-id" },
	  .augments = comment, .run = rpc_commit },
	{ "cancel-commit", NAMESPACE_BASE, { "persist-id" }, .run = rpc_cancel_commit },
	{ "discard-changes", NAMESPACE_BASE, { NULL }, .run = rpc_discard_changes },
	{ "lock", NAMESPACE_BASE, { "target" }, .run = rpc_lock },
	{ "unlock", NAMESPACE_BASE, { "target" }, .run = rpc_unlock },
	{ "close-session", NAMESPACE_BASE, { NULL }, .run = rpc_close_session, .access = RPC_ALWAYS },
	{ "kill-session", NAMESPACE_BASE, { "session-id" }, .run = rpc_kill_session,
	  .access = RPC_DENIED_FOR_OTHERS },
	{ "get-schema", NAMESPACE_MONITORING, { "identifier", "version", "format" }, .run = rpc_get_schema },
	{ "partial-lock", NAMESPACE_PARTIAL_LOCK, { "select" }, .repeated = { "select" },
	  .run = rpc_partial_lock },
	{ "partial-unlock", NAMESPACE_PARTIAL_LOCK, { "lock-id" }, .run = rpc_partial_unlock },
	{ "get-data", NAMESPACE_NMDA,
	  { "datastore", "subtree-filter", "xpath-filter", "config-filter", "origin-filter",
	    "negated-origin-filter", "max-depth", "with-origin", "with-defaults" },
	  .repeated = { "origin-filter", "negated-origin-filter" }, .run = rpc_get_data },
	{ "edit-data", NAMESPACE_NMDA, { "datastore", "default-operation", "config" },
	  .streamed = "config", .run = rpc_edit_data, .begin = rpc_edit_data_begin },
	{ "create-subscription", NAMESPACE_NOTIFICATION,
	  { "stream", "filter", "startTime", "stopTime" }, .run = rpc_create_subscription },
	{ "adopt", NAMESPACE_MODULE, { "tunnel-id" }, .run = rpc_adopt },
	{ "resync", NAMESPACE_MODULE, { NULL }, .run = rpc_resync },
	{ "explain", NAMESPACE_MODULE, { "tunnel-id", "session-id" }, .run = rpc_explain },
	{ "history", NAMESPACE_MODULE, { "last", "before" }, .run = rpc_history },
	{ "commit-changes", NAMESPACE_MODULE, { "number" }, .run = rpc_commit_changes },
	{ "rollback", NAMESPACE_MODULE, { "number" }, .run = rpc_rollback },
	{ .name = NULL },
};
/* clang-format on */
