#include "cli/difference.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/wipe.h"
#include "cli/record.h"
#include "model/describe.h"
#include "model/names.h"

/* Milliseconds that a kernel before 6.12 takes to delete a session (net/l2tp: synchronize_rcu). */
#define SLOW_DELETE_MS 30

static const char lock[] = "<lock><target><candidate/></target></lock>";
static const char validate[] = "<validate><source><candidate/></source></validate>";
static const char discard[] = "<discard-changes/>";

/* ---- reading */

int knowledge_take(const struct client_entry *entry, void *arg)
{
	struct knowledge *knowledge = arg;
	struct record record;
	struct known *known;

	if (knowledge->count == knowledge->room) {
		size_t room = knowledge->room ? 2 * knowledge->room : 256;
		struct known *grown =
			wipe_grow(knowledge->entries, knowledge->room * sizeof(*grown),
				  room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		knowledge->entries = grown;
		knowledge->room = room;
	}
	record_read(entry, false, &record);
	known = &knowledge->entries[knowledge->count++];
	known->tunnel_id = entry->tunnel_id;
	known->session_id = entry->session_id;
	memcpy(&known->config, &record.config, sizeof(known->config));
	explicit_bzero(&record, sizeof(record));
	return 0;
}

static int read_config(const struct difference *difference, struct client *client,
		       const char *datastore, struct knowledge *ret, struct error *err)
{
	char operation[320], key[64] = "";
	int rc;

	if (difference->tunnel_id)
		snprintf(key, sizeof(key), "<tunnel><tunnel-id>%" PRIu32 "</tunnel-id></tunnel>",
			 difference->tunnel_id);
	snprintf(operation, sizeof(operation),
		 "<get-config><source><%s/></source><filter type=\"subtree\"><" ELEMENT_CONTAINER
		 " xmlns=\"" NAMESPACE_MODULE "\">%s</" ELEMENT_CONTAINER "></filter></get-config>",
		 datastore, key);
	rc = client_read(client, operation, knowledge_take, ret, err);
	return rc == -ENOMEM && !err->code ? error_set(err, ERROR_RESOURCE, "out of memory") : rc;
}

/* The kernel's release; "": not known. */
static void read_release(struct client *client, char ret[64])
{
	struct tree reply = {0};
	const struct node *service;
	const char *release;

	ret[0] = '\0';
	if (client_rpc(client,
		       "<get><filter type=\"subtree\"><netconf-state xmlns=\"" NAMESPACE_MONITORING
		       "\"><service xmlns=\"" NAMESPACE_CLIENTS "\"><kernel-release/></service>"
		       "</netconf-state></filter></get>",
		       &reply, NULL))
		return;
	service = node_child(node_child(node_child(reply.root, "data", NAMESPACE_BASE),
					"netconf-state", NAMESPACE_MONITORING),
			     "service", NAMESPACE_CLIENTS);
	release = node_text(service, "kernel-release", NAMESPACE_CLIENTS);
	snprintf(ret, 64, "%s", release ? release : "");
	tree_free(&reply);
}

/* ---- comparing */

struct costs {
	size_t created, deleted;     /* by the configuration */
	size_t local, in_place;      /* changed */
	size_t recreated, with_them; /* and the sessions that go with a tunnel */
	size_t removed;              /* sessions that the kernel deletes */
};

static enum object object_of(const struct known *known)
{
	return known->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
}

static int compare(const struct known *a, const struct known *b)
{
	if (a->tunnel_id != b->tunnel_id)
		return a->tunnel_id < b->tunnel_id ? -1 : 1;
	return a->session_id < b->session_id ? -1 : a->session_id > b->session_id;
}

static bool is_enabled(const struct known *known)
{
	struct known complete = *known;

	codec_complete(object_of(known), &complete.config);
	return known->session_id ? complete.config.session.enabled : complete.config.tunnel.enabled;
}

/* The most that any of the changed leaves costs, by what they mean and not by what is written. */
static enum cost cost_of(const struct known *before, const struct known *after)
{
	const struct row_set *set = &row_sets[object_of(after)];
	struct known old = *before, new = *after;
	enum cost cost = CHANGE_LOCAL;
	uint64_t leaves;

	codec_complete(object_of(before), &old.config);
	codec_complete(object_of(after), &new.config);
	leaves = codec_difference(object_of(after), &old.config, &new.config);
	for (unsigned int i = 0; i < set->config_count; i++)
		if ((leaves & BIT(i)) && set->rows[i].change > cost)
			cost = set->rows[i].change;
	return cost;
}

/* The enabled sessions of the tunnel that @tunnel points at. */
static size_t sessions_of(const struct known *tunnel, const struct known *end)
{
	size_t count = 0;

	for (const struct known *at = tunnel + 1; at < end && at->tunnel_id == tunnel->tunnel_id;
	     at++)
		count += is_enabled(at);
	return count;
}

/* Returns what a changed entry costs, in words. */
static const char *price(const struct known *before, const struct known *after, size_t sessions,
			 struct costs *costs)
{
	size_t own = before->session_id ? 1 : sessions;

	switch (cost_of(before, after)) {
	case CHANGE_EXIST:
		costs->in_place++;
		costs->removed += is_enabled(after) ? 0 : own;
		return is_enabled(after) ? "created in the kernel" : "deleted in the kernel";
	case CHANGE_RECREATE:
		if (!is_enabled(after)) {
			costs->local++;
			return "not in the kernel";
		}
		costs->recreated++;
		costs->with_them += before->session_id ? 0 : sessions;
		costs->removed += own;
		return "re-created";
	case CHANGE_MODIFY:
	case CHANGE_LINK:
		costs->in_place++;
		return "in place";
	default:
		costs->local++;
		return "not in the kernel";
	}
}

static void print_entry(const struct known *before, const struct known *after, size_t sessions,
			struct costs *costs, FILE *file)
{
	const struct known *any = after ? after : before;
	const char *words;

	if (before && after && !codec_difference(object_of(any), &before->config, &after->config))
		return;
	describe_change(file, object_of(any), any->tunnel_id, any->session_id,
			before ? &before->config : NULL, after ? &after->config : NULL, 0);
	if (before && after) {
		size_t old = costs->with_them;

		words = price(before, after, sessions, costs);
		fprintf(file, "  (%s", words);
		if (costs->with_them > old)
			fprintf(file, " with %zu session%s", sessions, sessions == 1 ? "" : "s");
		putc(')', file);
	} else if (after) {
		costs->created++;
	} else {
		costs->deleted++;
		costs->removed += before->session_id && is_enabled(before);
	}
	putc('\n', file);
}

static bool deletes_slowly(const char *release)
{
	unsigned int major = 0, minor = 0;

	release += strcspn(release, "0123456789");
	return sscanf(release, "%u.%u", &major, &minor) == 2 &&
	       (major < 6 || (major == 6 && minor < 12));
}

static void print_count(FILE *file, size_t count, const char *what, bool *first)
{
	if (!count)
		return;
	fprintf(file, "%s%zu %s", *first ? "" : ", ", count, what);
	*first = false;
}

static void print_costs(const struct costs *costs, const char *release, FILE *file)
{
	bool first = true;

	print_count(file, costs->created, "created", &first);
	print_count(file, costs->deleted, "deleted", &first);
	print_count(file, costs->local, "changed but not in the kernel", &first);
	print_count(file, costs->in_place, "changed in place", &first);
	print_count(file, costs->recreated, "re-created", &first);
	if (costs->with_them)
		fprintf(file, " with %zu session%s", costs->with_them,
			costs->with_them == 1 ? "" : "s");
	fputs(first ? "nothing changes\n" : "\n", file);
	if (costs->recreated)
		fputs("What is re-created loses packets meanwhile, counts from 0 and has a new "
		      "ifIndex. Addresses, MTU, MAC, bridge\nand VRF are put back; routes, "
		      "neighbours, "
		      "tc, XDP and sysctls of its interface are lost.\n",
		      file);
	if (costs->removed && deletes_slowly(release))
		fprintf(file,
			"Linux %s takes about %.1f s to delete %zu session%s, and lets no other "
			"program use generic netlink meanwhile.\n",
			release, (double)costs->removed * SLOW_DELETE_MS / 1000, costs->removed,
			costs->removed == 1 ? "" : "s");
}

void difference_print(const struct difference *difference, const char *release, FILE *file)
{
	const struct known *before = difference->before.entries, *after = difference->after.entries;
	const struct known *old_end = before + difference->before.count;
	const struct known *new_end = after + difference->after.count;
	struct costs costs = {0};
	size_t sessions = 0;
	bool under = false; /* the tunnel is re-created: its sessions were counted with it */

	while (before < old_end || after < new_end) {
		int order = before == old_end ? 1 : after == new_end ? -1 : compare(before, after);
		const struct known *old = order <= 0 ? before : NULL;
		const struct known *new = order >= 0 ? after : NULL;
		struct costs own = costs;

		if (old && !old->session_id)
			sessions = sessions_of(old, old_end);
		print_entry(old, new, sessions, &own, file);
		if ((old ? old : new)->session_id == 0)
			under = own.with_them > costs.with_them;
		else if (under)
			own.removed = costs.removed;
		costs = own;
		before += order <= 0;
		after += order >= 0;
	}
	print_costs(&costs, release, file);
}

/* ---- the whole */

int difference_begin(struct difference *difference, struct client *client, uint32_t tunnel_id,
		     struct error *err)
{
	struct error refusal = ERROR_INIT;

	*difference = (struct difference){.tunnel_id = tunnel_id};
	if (client_rpc(client, lock, NULL, &refusal)) {
		fprintf(stderr, "l2tpv3ctl: note: no difference is shown: %s\n", refusal.text);
		return 0;
	}
	difference->staged = true;
	return read_config(difference, client, "running", &difference->before, err);
}

int difference_end(struct difference *difference, struct client *client, FILE *file,
		   struct error *err)
{
	char release[64];
	int rc;

	if (!difference->staged)
		return 0;
	rc = client_rpc(client, validate, NULL, err);
	rc = rc ? rc : read_config(difference, client, "candidate", &difference->after, err);
	if (rc)
		return rc;
	read_release(client, release);
	difference_print(difference, release, file);
	return client_rpc(client, discard, NULL, err);
}

static void forget(struct knowledge *knowledge)
{
	wipe_free(knowledge->entries, knowledge->room * sizeof(*knowledge->entries));
	*knowledge = (struct knowledge){.count = 0};
}

void difference_free(struct difference *difference)
{
	forget(&difference->before);
	forget(&difference->after);
}
