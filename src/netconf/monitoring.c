/*
 * netconf-state of ietf-netconf-monitoring (RFC 6022): who is connected and holds what, and
 * counters. get-schema and the list of schemas are missing, so the module is not announced:
 * clients must ask for it.
 *
 * linux-l2tpv3-netconf augments it with what the RFC has no leaf for.
 */
#include <errno.h>

#include "base/clock.h"
#include "model/names.h"
#include "netconf/capabilities.h"
#include "netconf/provider.h"
#include "netconf/rpc.h"

#define PREFIX_CLIENTS "l2tpnc"

/* What we build, and whether memory ran out. */
struct build {
	struct tree *tree;
	bool failed;
};

static void note(struct build *build, const struct node *node)
{
	build->failed |= !node;
}

static struct node *add(struct build *build, struct node *parent, const char *name)
{
	struct node *node = provider_add(build->tree, parent, name);

	note(build, node);
	return node;
}

static void add_count(struct build *build, struct node *parent, const char *name, uint32_t count)
{
	note(build, provider_leaf(build->tree, parent, name, "%u", count));
}

static void add_time(struct build *build, struct node *parent, const char *name,
		     const struct timespec *time)
{
	note(build, provider_time(build->tree, parent, name, time));
}

static void add_capabilities(struct build *build, struct node *state)
{
	struct node *list = add(build, state, "capabilities");

	for (unsigned int i = 0; netconf_capabilities[i]; i++)
		note(build,
		     provider_leaf(build->tree, list, "capability", "%s", netconf_capabilities[i]));
}

static void add_datastores(struct build *build, struct node *state,
			   const struct netconf_server *server)
{
	struct node *list = add(build, state, "datastores");

	for (enum engine_datastore which = 0; which < ENGINE_DATASTORES; which++) {
		const struct engine_lock *held = engine_lock_of(server->options.engine, which);
		struct node *store = add(build, list, "datastore"), *lock;

		note(build,
		     provider_leaf(build->tree, store, "name", "%s", engine_datastore_name(which)));
		if (!held)
			continue;
		lock = add(build, add(build, store, "locks"), "global-lock");
		add_count(build, lock, "locked-by-session", held->session);
		add_time(build, lock, "locked-time", &held->since);
	}
}

/* RFC 6022 has no name for a local transport. */
static void add_transport(struct build *build, struct node *entry,
			  const struct netconf_session *session)
{
	struct declaration *ns;
	struct node *leaf;

	if (session->peer.source[0] && strcmp(session->door, "cli") != 0) {
		note(build, provider_leaf(build->tree, entry, "transport", "netconf-ssh"));
		return;
	}
	leaf = provider_leaf(build->tree, entry, "transport", PREFIX_CLIENTS ":netconf-unix");
	ns = leaf ? arena_alloc(&build->tree->arena, sizeof(*ns)) : NULL;
	build->failed |= !ns;
	if (!ns)
		return;
	*ns = (struct declaration){NULL, PREFIX_CLIENTS, NAMESPACE_CLIENTS};
	leaf->declarations = ns;
}

static void add_counters(struct build *build, struct node *parent,
			 const struct netconf_counters *counters)
{
	add_count(build, parent, "in-rpcs", counters->in_rpcs);
	add_count(build, parent, "in-bad-rpcs", counters->in_bad_rpcs);
	add_count(build, parent, "out-rpc-errors", counters->out_rpc_errors);
	add_count(build, parent, "out-notifications", 0);
}

/* A leaf of our own module in an entry of RFC 6022's. */
static void add_ours(struct build *build, struct node *entry, const char *name, const char *text)
{
	struct node *leaf = entry ? tree_add(build->tree, entry, name, NAMESPACE_CLIENTS) : NULL;

	note(build, leaf);
	if (!leaf)
		return;
	leaf->text = arena_text(&build->tree->arena, text, strlen(text));
	build->failed |= !leaf->text;
}

static void add_our_leaves(struct build *build, struct node *entry,
			   const struct netconf_session *session)
{
	const struct rpc *rpc = session->busy && session->message ? session->message->rpc : NULL;
	char number[24];

	add_ours(build, entry, "door", session->door);
	snprintf(number, sizeof(number), "%ld", (long)session->peer.pid);
	add_ours(build, entry, "process-id", number);
	if (rpc) {
		add_ours(build, entry, "operation", rpc->name);
		return;
	}
	snprintf(number, sizeof(number), "%lld",
		 (long long)((clock_now() - session->rested) / NS_PER_S));
	add_ours(build, entry, "idle-time", number);
}

static void add_sessions(struct build *build, struct node *state,
			 const struct netconf_server *server)
{
	struct node *list = add(build, state, "sessions");
	const struct netconf_session *session;

	TAILQ_FOREACH (session, &server->sessions, link) {
		struct node *entry;

		if (session->refusal)
			continue;
		entry = add(build, list, "session");
		add_count(build, entry, "session-id", session->id);
		add_transport(build, entry, session);
		note(build,
		     provider_leaf(build->tree, entry, "username", "%s", session->peer.user));
		if (session->peer.source[0])
			note(build, provider_leaf(build->tree, entry, "source-host", "%s",
						  session->peer.source));
		add_time(build, entry, "login-time", &session->login);
		add_counters(build, entry, &session->counters);
		add_our_leaves(build, entry, session);
	}
}

static void add_statistics(struct build *build, struct node *state,
			   const struct netconf_server *server)
{
	struct netconf_counters sum = server->counters;
	struct node *statistics = add(build, state, "statistics");
	const struct netconf_session *session;

	TAILQ_FOREACH (session, &server->sessions, link) {
		sum.in_rpcs += session->counters.in_rpcs;
		sum.in_bad_rpcs += session->counters.in_bad_rpcs;
		sum.out_rpc_errors += session->counters.out_rpc_errors;
	}
	add_time(build, statistics, "netconf-start-time", &server->started);
	add_count(build, statistics, "in-bad-hellos", server->bad_hellos);
	add_count(build, statistics, "in-sessions", server->opened);
	add_count(build, statistics, "dropped-sessions", server->dropped);
	add_counters(build, statistics, &sum);
}

static int build_state(const struct netconf_session *session, struct tree *ret)
{
	struct build build = {.tree = ret};
	struct node *state = tree_add(ret, NULL, "netconf-state", NAMESPACE_MONITORING);

	note(&build, state);
	add_capabilities(&build, state);
	add_datastores(&build, state, session->server);
	add_sessions(&build, state, session->server);
	add_statistics(&build, state, session->server);
	return build.failed ? -ENOMEM : 0;
}

static const struct subtree_list lists[] = {{"datastore", 1}, {"session", 1}, {NULL, 0}};

const struct provider provider_monitoring = {
	.name = "netconf-state",
	.uri = NAMESPACE_MONITORING,
	.lists = lists,
	.build = build_state,
};
