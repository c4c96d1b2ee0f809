/*
 * Validation of a candidate: the touched entries by the model's rules, then
 * what they claim for themselves in the whole namespace.
 *
 * Running was valid, so only new claims can conflict: with claims of other
 * touched entries, which are sorted for that, or with those of untouched
 * entries, which running's indexes find.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "model/rules.h"
#include "store/overlay.h"

static const char *adopt_or_choose = "adopt that tunnel or choose another";

/* Rules of one entry */

static int refuse_orphan(const struct change *change, struct error *err)
{
	error_at_entry(err, change->tunnel_id, change->session_id, NULL);
	return error_set(err, ERROR_MISSING,
			 "its tunnel %" PRIu32 " is not configured; create that too, or delete "
			 "the session",
			 change->tunnel_id);
}

static int refuse_foreign_tunnel(const struct change *change, struct error *err)
{
	error_at_entry(err, change->tunnel_id, change->session_id, NULL);
	return error_set(err, ERROR_FOREIGN,
			 "tunnel %" PRIu32 " was made in the kernel by others; %s",
			 change->tunnel_id, adopt_or_choose);
}

static bool in_foreign_tunnel(const struct candidate *candidate, const struct change *change)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(candidate->running, change->tunnel_id);

	return tunnel != NULL && entry_is_foreign(&tunnel->entry) && !candidate->adopt;
}

static int check_session(const struct candidate *candidate, const struct change *change,
			 struct error *err)
{
	const struct tunnel *tunnel = candidate_tunnel(candidate, change->tunnel_id);

	if (!change->has)
		return 0;
	if (tunnel == NULL && in_foreign_tunnel(candidate, change))
		return refuse_foreign_tunnel(change, err);
	if (tunnel == NULL)
		return refuse_orphan(change, err);
	return rules_check_session(change->tunnel_id, &change->after.session, err);
}

static int check_deleted_tunnel(const struct candidate *candidate, const struct change *change,
				struct error *err)
{
	uint32_t id = 0;

	if (candidate_session_from(candidate, change->tunnel_id, &id) == NULL)
		return 0;
	return refuse_orphan(&(struct change){.tunnel_id = change->tunnel_id, .session_id = id},
			     err);
}

static int check_tunnel(const struct candidate *candidate, const struct change *change,
			struct error *err)
{
	if (!change->has)
		return check_deleted_tunnel(candidate, change, err);
	if (!change->had && in_foreign_tunnel(candidate, change))
		return refuse_foreign_tunnel(change, err);
	return rules_check_tunnel(&change->after.tunnel, err);
}

/* Claims to what there is only once in the namespace */

#define CLAIMS_MAX 2 /* of one kind by one entry */

struct claim {
	const struct change *change;
	bool fresh; /* running does not have it yet */
	union {
		uint8_t bytes[20];
		uint32_t session_id;
		char name[IFNAME_LENGTH + 1]; /* of a session's interface or its 802.1Q link */
		struct {
			struct address address;
			uint16_t port;
		} endpoint;
	} key;
};

static size_t claim_id(const struct change *change, const union config *config, struct claim *ret)
{
	if (change->session_id == 0)
		return 0;
	ret->key.session_id = config->session.session_id;
	return 1;
}

static size_t claim_names(const struct change *change, const union config *config,
			  struct claim *ret)
{
	if (change->session_id == 0 || !(config->present & BIT(SESSION_INTERFACE_NAME)))
		return 0;
	memcpy(ret[0].key.name, config->session.interface_name,
	       strlen(config->session.interface_name));
	rules_vlan_name(&config->session, ret[1].key.name);
	return ret[1].key.name[0] != '\0' ? 2 : 1;
}

static size_t claim_endpoint(const struct change *change, const union config *config,
			     struct claim *ret)
{
	return change->session_id == 0 &&
	       tunnel_endpoint(&config->tunnel, &ret->key.endpoint.address,
			       &ret->key.endpoint.port);
}

/* Who is there already: ERROR_NOT_UNIQUE, or ERROR_FOREIGN for one of the kernel's. */

static int refuse_session_id(const struct claim *claim, uint32_t tunnel_id, bool foreign,
			     struct error *err)
{
	const struct row *row = &row_sets[OBJECT_SESSION].rows[SESSION_ID];

	error_at_entry(err, claim->change->tunnel_id, claim->change->session_id, row);
	if (foreign)
		return error_set(err, ERROR_FOREIGN,
				 "session %" PRIu32 " of tunnel %" PRIu32
				 " was made in the kernel by others, and a session-id is unique "
				 "in the namespace; %s",
				 claim->key.session_id, tunnel_id, adopt_or_choose);
	return error_set(err, ERROR_NOT_UNIQUE,
			 "session-id %" PRIu32 " is in use in tunnel %" PRIu32
			 "; choose one that no tunnel uses: the kernel finds the session of a "
			 "packet by it alone",
			 claim->key.session_id, tunnel_id);
}

static int refuse_name(const struct claim *claim, uint32_t tunnel_id, uint32_t session_id,
		       bool foreign, struct error *err)
{
	const struct row *row = &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME];

	error_at_entry(err, claim->change->tunnel_id, claim->change->session_id, row);
	if (foreign)
		return error_set(err, ERROR_FOREIGN,
				 "interface \"%s\" is that of session %" PRIu32
				 " of tunnel %" PRIu32 ", made in the kernel by others; %s",
				 claim->key.name, session_id, tunnel_id, adopt_or_choose);
	return error_set(err, ERROR_NOT_UNIQUE,
			 "interface \"%s\" is that of session %" PRIu32 " of tunnel %" PRIu32
			 "; choose another name, or leave it out",
			 claim->key.name, session_id, tunnel_id);
}

static int refuse_endpoint(const struct claim *claim, uint32_t tunnel_id, bool foreign,
			   struct error *err)
{
	const struct row *row = &row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_ADDRESS];
	char address[VALUE_TEXT_MAX];

	codec_print(row, &claim->change->after, address);
	error_at_entry(err, claim->change->tunnel_id, 0,
		       &row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_PORT]);
	if (foreign)
		return error_set(err, ERROR_FOREIGN,
				 "%s port %u is bound by tunnel %" PRIu32
				 ", made in the kernel by others; %s local-port",
				 address, claim->key.endpoint.port, tunnel_id, adopt_or_choose);
	return error_set(err, ERROR_NOT_UNIQUE,
			 "%s port %u is used by tunnel %" PRIu32
			 "; choose another local-port: two tunnels cannot share one, whatever "
			 "their peers",
			 address, claim->key.endpoint.port, tunnel_id);
}

static bool is_own(const struct claim *claim, uint32_t tunnel_id, uint32_t session_id)
{
	return claim->change->tunnel_id == tunnel_id && claim->change->session_id == session_id;
}

/* Counts in the candidate: what is touched was compared before. */
static bool stands(const struct candidate *candidate, const struct session_entry *session)
{
	return session->entry.configured &&
	       overlay_find(candidate, session->tunnel->entry.key.tunnel_id,
			    session->entry.key.session_id) == NULL;
}

static int find_session_id(const struct candidate *candidate, const struct claim *claim,
			   struct error *err)
{
	const struct session_entry *at =
		datastore_session_by_id(candidate->running, claim->key.session_id);

	for (; at != NULL; at = session_same_id(at)) {
		if (entry_is_foreign(&at->entry) &&
		    !(candidate->adopt &&
		      is_own(claim, at->tunnel->entry.key.tunnel_id, at->entry.key.session_id)))
			return refuse_session_id(claim, at->tunnel->entry.key.tunnel_id, true, err);
		if (stands(candidate, at))
			return refuse_session_id(claim, at->tunnel->entry.key.tunnel_id, false,
						 err);
	}
	return 0;
}

static int find_interface(const struct candidate *candidate, const struct claim *claim,
			  struct error *err)
{
	const struct session_entry *at = datastore_named(candidate->running, claim->key.name);

	for (; at != NULL; at = session_same_name(at)) {
		if (is_own(claim, at->tunnel->entry.key.tunnel_id, at->entry.key.session_id))
			continue;
		if (entry_is_foreign(&at->entry) || stands(candidate, at))
			return refuse_name(claim, at->tunnel->entry.key.tunnel_id,
					   at->entry.key.session_id, !at->entry.configured, err);
	}
	return 0;
}

/* A session whose 802.1Q link has that name: it is made of the interface's and the VLAN. */
static int find_vlan_link(const struct candidate *candidate, const struct claim *claim,
			  struct error *err)
{
	const char *dot = strrchr(claim->key.name, '.');
	char parent[IFNAME_LENGTH + 1] = "", link[IFNAME_LENGTH + 1];
	const struct session_entry *at;

	if (dot == NULL)
		return 0;
	memcpy(parent, claim->key.name, (size_t)(dot - claim->key.name));
	for (at = datastore_named(candidate->running, parent); at != NULL;
	     at = session_same_name(at)) {
		rules_vlan_name(&at->config, link);
		if (stands(candidate, at) && strcmp(link, claim->key.name) == 0 &&
		    !is_own(claim, at->tunnel->entry.key.tunnel_id, at->entry.key.session_id))
			return refuse_name(claim, at->tunnel->entry.key.tunnel_id,
					   at->entry.key.session_id, false, err);
	}
	return 0;
}

static int find_name(const struct candidate *candidate, const struct claim *claim,
		     struct error *err)
{
	int result = find_interface(candidate, claim, err);

	return result != 0 ? result : find_vlan_link(candidate, claim, err);
}

static int find_endpoint(const struct candidate *candidate, const struct claim *claim,
			 struct error *err)
{
	const struct tunnel_entry *at = datastore_bound(
		candidate->running, &claim->key.endpoint.address, claim->key.endpoint.port);

	for (; at != NULL; at = tunnel_same_endpoint(at)) {
		if (is_own(claim, at->entry.key.tunnel_id, 0))
			continue;
		if (entry_is_foreign(&at->entry) ||
		    (at->entry.configured &&
		     overlay_find(candidate, at->entry.key.tunnel_id, 0) == NULL))
			return refuse_endpoint(claim, at->entry.key.tunnel_id,
					       !at->entry.configured, err);
	}
	return 0;
}

static int clash_session_id(const struct claim *claim, const struct change *other,
			    struct error *err)
{
	return refuse_session_id(claim, other->tunnel_id, false, err);
}

static int clash_name(const struct claim *claim, const struct change *other, struct error *err)
{
	return refuse_name(claim, other->tunnel_id, other->session_id, false, err);
}

static int clash_endpoint(const struct claim *claim, const struct change *other, struct error *err)
{
	return refuse_endpoint(claim, other->tunnel_id, false, err);
}

static const struct kind {
	/* What @config claims: how many into @ret, zeroed, of CLAIMS_MAX. */
	size_t (*claim)(const struct change *change, const union config *config, struct claim *ret);
	/* Refuse a claim that an untouched or foreign entry has, or another touched one. */
	int (*find)(const struct candidate *candidate, const struct claim *claim,
		    struct error *err);
	int (*clash)(const struct claim *claim, const struct change *other, struct error *err);
} kinds[] = {
	{claim_id, find_session_id, clash_session_id},
	{claim_names, find_name, clash_name},
	{claim_endpoint, find_endpoint, clash_endpoint},
};

static int claims_order(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes));

	if (order != 0)
		return order;
	return entry_order(a->change->tunnel_id, a->change->session_id, b->change->tunnel_id,
			   b->change->session_id);
}

static bool had_claim(const struct kind *kind, const struct claim *claim)
{
	struct claim old[CLAIMS_MAX] = {0};
	size_t count = 0;

	if (claim->change->had)
		count = kind->claim(claim->change, &claim->change->before, old);
	for (size_t i = 0; i < count; i++) {
		if (memcmp(old[i].key.bytes, claim->key.bytes, sizeof(claim->key.bytes)) == 0)
			return true;
	}
	return false;
}

static size_t collect(const struct candidate *candidate, const struct kind *kind,
		      struct claim *claims)
{
	const struct change *at;
	size_t count = 0, added;

	for (at = candidate_first(candidate); at != NULL;
	     at = change_next((struct change *)(uintptr_t)at)) {
		memset(&claims[count], 0, CLAIMS_MAX * sizeof(*claims));
		added = at->has ? kind->claim(at, &at->after, &claims[count]) : 0;
		for (; added > 0; added--, count++) {
			claims[count].change = at;
			claims[count].fresh = !had_claim(kind, &claims[count]);
		}
	}
	return count;
}

static int check_kind(const struct candidate *candidate, const struct kind *kind,
		      struct claim *claims, struct error *err)
{
	size_t count = collect(candidate, kind, claims);
	int result = 0;

	qsort(claims, count, sizeof(*claims), claims_order);
	for (size_t i = 1; i < count && result == 0; i++) {
		if (memcmp(claims[i - 1].key.bytes, claims[i].key.bytes,
			   sizeof(claims[i].key.bytes)) != 0)
			continue;
		if (claims[i].fresh)
			result = kind->clash(&claims[i], claims[i - 1].change, err);
		else if (claims[i - 1].fresh)
			result = kind->clash(&claims[i - 1], claims[i].change, err);
	}
	for (size_t i = 0; i < count && result == 0; i++) {
		if (claims[i].fresh)
			result = kind->find(candidate, &claims[i], err);
	}
	return result;
}

static int check_unique(const struct candidate *candidate, struct error *err)
{
	struct claim *claims = calloc((candidate->count + 1) * CLAIMS_MAX, sizeof(*claims));
	int result = 0;

	if (claims == NULL)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM,
				       "out of memory; make the edit smaller");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && result == 0; i++)
		result = check_kind(candidate, &kinds[i], claims, err);
	free(claims);
	return result;
}

int candidate_validate(const struct candidate *candidate, struct error *err)
{
	struct change *at = candidate_first(candidate);
	int result = 0;

	for (; at != NULL && result == 0; at = change_next(at))
		result = at->session_id == 0 ? check_tunnel(candidate, at, err)
					     : check_session(candidate, at, err);
	return result != 0 ? result : check_unique(candidate, err);
}
