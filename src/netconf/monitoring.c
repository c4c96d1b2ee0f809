/*
 * netconf-state of ietf-netconf-monitoring (RFC 6022): what the server can do, which modules
 * get-schema gives, who is connected and holds what, and counters.
 *
 * linux-l2tpv3-netconf augments it with what the RFC has no leaf for.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "model/codec.h"
#include "model/names.h"
#include "netconf/capabilities.h"
#include "netconf/instance.h"
#include "netconf/provider.h"
#include "netconf/rpc.h"

#define PREFIX_CLIENTS "l2tpnc"

static void add_count(struct tree *tree, struct node *parent, const char *name, uint32_t count)
{
	provider_leaf(tree, parent, name, "%u", count);
}

static void add_capabilities(struct tree *tree, struct node *state, const struct modules *modules)
{
	struct node *list = provider_add(tree, state, "capabilities");
	char uri[CAPABILITY_SIZE];

	for (unsigned int i = 0; capability_at(modules, i, uri); i++)
		provider_leaf(tree, list, "capability", "%s", uri);
}

static void add_schemas(struct tree *tree, struct node *state, const struct modules *modules)
{
	struct node *list = provider_add(tree, state, "schemas");

	for (unsigned int i = 0; netconf_modules[i].name; i++) {
		struct node *schema = modules->found[i] ? provider_add(tree, list, "schema") : NULL;

		provider_leaf(tree, schema, "identifier", "%s", netconf_modules[i].name);
		provider_leaf(tree, schema, "version", "%s", netconf_modules[i].revision);
		provider_leaf(tree, schema, "format", "yang");
		provider_leaf(tree, schema, "namespace", "%s", netconf_modules[i].uri);
		provider_leaf(tree, schema, "location", "NETCONF");
	}
}

/* A leaf or container of our own module below an entry of RFC 6022's. */
static struct node *add_ours(struct tree *tree, struct node *parent, const char *name)
{
	return parent ? tree_add(tree, parent, name, NAMESPACE_CLIENTS) : NULL;
}

static void add_our_text(struct tree *tree, struct node *parent, const char *name, const char *text)
{
	struct node *leaf = add_ours(tree, parent, name);

	if (!leaf)
		return;
	leaf->text = arena_text(&tree->arena, text, strlen(text));
	tree->broken |= !leaf->text;
}

static void add_our_number(struct tree *tree, struct node *parent, const char *name,
			   uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	add_our_text(tree, parent, name, text);
}

static void add_pending(struct tree *tree, struct node *store, const struct engine *engine)
{
	struct engine_pending pending;
	struct node *entry;

	if (!engine_pending(engine, &pending))
		return;
	entry = add_ours(tree, store, "confirmed-commit");
	if (pending.session)
		add_our_number(tree, entry, "session-id", pending.session);
	add_our_number(tree, entry, "baseline", pending.baseline);
	add_our_number(tree, entry, "time-left", pending.left);
}

static void add_progress(struct tree *tree, struct node *store, const struct engine *engine)
{
	static const char *const stages[ENGINE_STAGES] = {
		[ENGINE_CHECKING] = "checking", [ENGINE_RECORDING] = "recording",
		[ENGINE_APPLYING] = "applying", [ENGINE_UNDOING] = "undoing",
		[ENGINE_DONE] = "done",         [ENGINE_REFUSED] = "refused",
	};
	struct engine_progress progress;
	struct node *entry;

	engine_progress(engine, &progress);
	if (progress.stage == ENGINE_NOTHING)
		return;
	entry = add_ours(tree, store, "latest-change");
	if (progress.session)
		add_our_number(tree, entry, "session-id", progress.session);
	add_our_text(tree, entry, "stage", stages[progress.stage]);
	if (!progress.objects)
		return;
	add_our_number(tree, entry, "objects", progress.objects);
	add_our_number(tree, entry, "objects-done", progress.done);
}

struct locked_nodes {
	struct tree *tree;
	struct node *lock;
};

static void add_locked_node(const char *path, void *arg)
{
	const struct locked_nodes *nodes = arg;

	provider_instance(nodes->tree, nodes->lock, "locked-node", PREFIX_MODULE, NAMESPACE_MODULE,
			  path);
}

/* Their paths name what others must not know of. */
static void add_partial_locks(struct tree *tree, struct node *store,
			      const struct netconf_session *session)
{
	const struct engine_partial *at = engine_partials(session->server->options.engine);
	struct node *locks = NULL, *lock;

	for (; at; at = at->next) {
		struct locked_nodes nodes = {.tree = tree};

		if (!access_may_see_lock(session, at))
			continue;
		locks = locks ? locks : provider_add(tree, store, "locks");
		nodes.lock = lock = provider_add(tree, locks, "partial-lock");
		add_count(tree, lock, "lock-id", at->id);
		add_count(tree, lock, "locked-by-session", at->session);
		provider_time(tree, lock, "locked-time", &at->since);
		for (const char *select = at->selects; *select;)
			select = provider_select(tree, lock, "select", select);
		instance_visit(at, add_locked_node, &nodes);
	}
}

static void add_datastores(struct tree *tree, struct node *state,
			   const struct netconf_session *session)
{
	const struct netconf_server *server = session->server;
	struct node *list = provider_add(tree, state, "datastores");

	for (enum engine_datastore which = 0; which < ENGINE_DATASTORES; which++) {
		const struct engine_lock *held = engine_lock_of(server->options.engine, which);
		struct node *store = provider_add(tree, list, "datastore"), *lock;

		provider_leaf(tree, store, "name", "%s", engine_datastore_name(which));
		if (held) {
			lock = provider_add(tree, provider_add(tree, store, "locks"),
					    "global-lock");
			add_count(tree, lock, "locked-by-session", held->session);
			provider_time(tree, lock, "locked-time", &held->since);
		}
		if (which != ENGINE_RUNNING)
			continue;
		add_partial_locks(tree, store, session);
		add_pending(tree, store, server->options.engine);
		add_progress(tree, store, server->options.engine);
	}
}

/* RFC 6022 has no name for a local transport. */
static void add_transport(struct tree *tree, struct node *entry,
			  const struct netconf_session *session)
{
	if (session->peer.source[0] && strcmp(session->door, "cli") != 0)
		provider_leaf(tree, entry, "transport", "netconf-ssh");
	else
		provider_identity(tree, entry, "transport", PREFIX_CLIENTS, NAMESPACE_CLIENTS,
				  "netconf-unix");
}

static void add_counters(struct tree *tree, struct node *parent,
			 const struct netconf_counters *counters)
{
	add_count(tree, parent, "in-rpcs", counters->in_rpcs);
	add_count(tree, parent, "in-bad-rpcs", counters->in_bad_rpcs);
	add_count(tree, parent, "out-rpc-errors", counters->out_rpc_errors);
	add_count(tree, parent, "out-notifications", counters->out_notifications);
}

static void add_our_leaves(struct tree *tree, struct node *entry,
			   const struct netconf_session *session)
{
	const struct rpc *rpc = session->busy && session->message ? session->message->rpc : NULL;

	add_our_text(tree, entry, "door", session->door);
	add_our_number(tree, entry, "process-id", (uint64_t)session->peer.pid);
	if (rpc)
		add_our_text(tree, entry, "operation", rpc->name);
	else
		add_our_number(tree, entry, "idle-time",
			       (uint64_t)(clock_now() - session->rested) / NS_PER_S);
}

static void add_sessions(struct tree *tree, struct node *state, const struct netconf_server *server)
{
	struct node *list = provider_add(tree, state, "sessions");
	const struct netconf_session *session;

	TAILQ_FOREACH (session, &server->sessions, link) {
		struct node *entry;

		if (session->refusal)
			continue;
		entry = provider_add(tree, list, "session");
		add_count(tree, entry, "session-id", session->id);
		add_transport(tree, entry, session);
		provider_leaf(tree, entry, "username", "%s", session->peer.user);
		if (session->peer.source[0])
			provider_leaf(tree, entry, "source-host", "%s", session->peer.source);
		provider_time(tree, entry, "login-time", &session->login);
		add_counters(tree, entry, &session->counters);
		add_our_leaves(tree, entry, session);
	}
}

static void add_statistics(struct tree *tree, struct node *state,
			   const struct netconf_server *server)
{
	struct netconf_counters sum = server->counters;
	struct node *statistics = provider_add(tree, state, "statistics");
	const struct netconf_session *session;

	TAILQ_FOREACH (session, &server->sessions, link) {
		sum.in_rpcs += session->counters.in_rpcs;
		sum.in_bad_rpcs += session->counters.in_bad_rpcs;
		sum.out_rpc_errors += session->counters.out_rpc_errors;
		sum.out_notifications += session->counters.out_notifications;
	}
	provider_time(tree, statistics, "netconf-start-time", &server->started);
	add_count(tree, statistics, "in-bad-hellos", server->bad_hellos);
	add_count(tree, statistics, "in-sessions", server->opened);
	add_count(tree, statistics, "dropped-sessions", server->dropped);
	add_counters(tree, statistics, &sum);
}

static void add_conditions(struct tree *tree, struct node *service, const struct datastore *store)
{
	const struct datastore_counts *counts = datastore_counts(store);

	for (unsigned int at = 0; at < OBJECTS * 2 * OPER_STATUSES * STATUS_REASONS; at++) {
		unsigned int reason = at % STATUS_REASONS, rest = at / STATUS_REASONS;
		unsigned int status = rest % OPER_STATUSES, configured = rest / OPER_STATUSES % 2;
		unsigned int object = rest / OPER_STATUSES / 2;
		uint32_t count = counts->by_status[object][configured][status][reason];
		const struct word *origin = word_by_value(
			origin_words, configured ? ORIGIN_CONFIGURED : ORIGIN_FOREIGN);
		struct node *entry;

		if (!count)
			continue;
		entry = add_ours(tree, service, "condition");
		add_our_text(tree, entry, "object", row_sets[object].name);
		add_our_text(tree, entry, "origin", origin->name);
		add_our_text(tree, entry, "oper-status",
			     word_by_value(oper_status_words, status)->name);
		add_our_text(tree, entry, "status-reason",
			     word_by_value(status_reason_words, reason)->name);
		add_our_number(tree, entry, "count", count);
	}
}

/* Of all tunnels, under the names that each tunnel's have. */
static void add_totals(struct tree *tree, struct node *service, struct engine *engine)
{
	const struct row_set *set = &row_sets[OBJECT_TUNNEL];
	struct node *statistics = add_ours(tree, service, ELEMENT_STATISTICS);
	struct engine_totals totals;
	char text[VALUE_TEXT_MAX];

	engine_totals(engine, &totals);
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->rows[i].part != PART_STATISTICS)
			continue;
		codec_print(&set->rows[i], &totals.tunnels, text);
		add_our_text(tree, statistics, set->rows[i].leaf, text);
	}
}

static void add_service(struct tree *tree, struct node *state, const struct netconf_server *server)
{
	static const char *const words[] = {[NETCONF_SNMP_OFF] = "off",
					    [NETCONF_SNMP_WAITING] = "waiting",
					    [NETCONF_SNMP_CONNECTED] = "connected"};
	const struct netconf_options *options = &server->options;
	struct node *service = add_ours(tree, state, "service");
	struct engine_info info;

	engine_info(options->engine, &info);
	add_our_text(tree, service, "version", VERSION);
	if (info.release)
		add_our_text(tree, service, "kernel-release", info.release);
	add_our_text(tree, service, "snmp",
		     words[options->snmp ? options->snmp(options->snmp_arg) : NETCONF_SNMP_OFF]);
	add_our_number(tree, service, "generation", info.generation);
	if (info.last_error[0])
		add_our_text(tree, service, "last-error", info.last_error);
	add_conditions(tree, service, engine_store(options->engine));
	add_totals(tree, service, options->engine);
}

static void build_state(const struct netconf_session *session, struct tree *ret)
{
	const struct netconf_server *server = session->server;
	struct node *state = tree_add(ret, NULL, "netconf-state", NAMESPACE_MONITORING);

	add_capabilities(ret, state, &server->modules);
	add_datastores(ret, state, session);
	add_schemas(ret, state, &server->modules);
	add_sessions(ret, state, server);
	add_statistics(ret, state, server);
	add_service(ret, state, server);
}

static const struct subtree_list lists[] = {{"datastore", 1}, {"partial-lock", 1}, {"schema", 3},
					    {"session", 1},   {"condition", 4},    {NULL, 0}};

const struct provider provider_monitoring = {
	.name = "netconf-state",
	.uri = NAMESPACE_MONITORING,
	.lists = lists,
	.build = build_state,
};
