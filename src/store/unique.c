/*
 * What must be unique in the namespace: session ids, interface names, UDP endpoints. Running is
 * valid, so only new claims can conflict: with each other, which sorting finds, or with what
 * running's indexes find: a claim of an entry that the candidate has not touched, or leaves its
 * claim.
 */
#include "store/unique.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/codec.h"
#include "model/rules.h"
#include "store/overlay.h"

#define CLAIMS_MAX 2 /* of one kind by one entry */

struct claim {
	const struct change *change;
	union {
		uint8_t bytes[20];
		uint32_t session_id;          /* in network order, which is that of the bytes */
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
	ret->key.session_id = htonl(config->session.session_id);
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

/* The leaf that has it already. */
static void point_at_other(struct error *err, uint32_t tunnel_id, uint32_t session_id,
			   const struct row *row)
{
	struct error other = ERROR_INIT;

	if (!err)
		return;
	error_at_entry(&other, tunnel_id, session_id, row);
	err->other_tunnel_id = tunnel_id;
	err->other_session_id = session_id;
	snprintf(err->other, sizeof(err->other), "%.127s", other.path);
}

static const char *adopt_or_choose = "adopt that tunnel or choose another";

/*
 * Refuse, and name the owner: ERROR_NOT_UNIQUE, or ERROR_FOREIGN if others made that. Doors
 * hide the text from users who may not see `other` (access.h).
 */

static int refuse_session_id(const struct claim *claim, uint32_t tunnel_id, uint32_t session_id,
			     bool foreign, struct error *err)
{
	const struct row *row = &row_sets[OBJECT_SESSION].rows[SESSION_ID];
	int rc;

	error_at_entry(err, claim->change->tunnel_id, claim->change->session_id, row);
	rc = foreign ? error_set(err, ERROR_FOREIGN,
				 "session %" PRIu32 " of tunnel %" PRIu32
				 " was made in the kernel by others, and a session-id must be "
				 "unique in the namespace; %s",
				 ntohl(claim->key.session_id), tunnel_id, adopt_or_choose)
		     : error_set(err, ERROR_NOT_UNIQUE,
				 "session-id %" PRIu32 " is in use in tunnel %" PRIu32
				 "; choose one that no tunnel uses: the kernel finds the session "
				 "of a packet by it alone",
				 ntohl(claim->key.session_id), tunnel_id);
	point_at_other(err, tunnel_id, session_id, row);
	return rc;
}

static int refuse_name(const struct claim *claim, uint32_t tunnel_id, uint32_t session_id,
		       bool foreign, struct error *err)
{
	const struct row *row = &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME];
	int rc;

	error_at_entry(err, claim->change->tunnel_id, claim->change->session_id, row);
	rc = foreign ? error_set(err, ERROR_FOREIGN,
				 "interface \"%s\" is that of session %" PRIu32
				 " of tunnel %" PRIu32 ", made in the kernel by others; %s",
				 claim->key.name, session_id, tunnel_id, adopt_or_choose)
		     : error_set(err, ERROR_NOT_UNIQUE,
				 "interface \"%s\" is that of session %" PRIu32
				 " of tunnel %" PRIu32 "; choose another name, or leave it out",
				 claim->key.name, session_id, tunnel_id);
	point_at_other(err, tunnel_id, session_id, row);
	return rc;
}

static int refuse_endpoint(const struct claim *claim, uint32_t tunnel_id, uint32_t session_id,
			   bool foreign, struct error *err)
{
	const struct row *row = &row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_ADDRESS];
	const struct row *port = &row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_PORT];
	char address[VALUE_TEXT_MAX];
	int rc;

	(void)session_id; /* it is a tunnel's */
	codec_print(row, claim->change->after, address);
	error_at_entry(err, claim->change->tunnel_id, 0, port);
	rc = foreign ? error_set(err, ERROR_FOREIGN,
				 "%s port %u is bound by tunnel %" PRIu32
				 ", made in the kernel by others; %s local-port",
				 address, claim->key.endpoint.port, tunnel_id, adopt_or_choose)
		     : error_set(err, ERROR_NOT_UNIQUE,
				 "%s port %u is used by tunnel %" PRIu32
				 "; choose another local-port: two tunnels cannot share one, "
				 "whatever their peers",
				 address, claim->key.endpoint.port, tunnel_id);
	point_at_other(err, tunnel_id, 0, port);
	return rc;
}

/* Who has what is claimed */

struct holder {
	const struct change
		*keeper;     /* a touched entry that had it and still claims it; NULL: none */
	bool found, foreign; /* else an untouched entry, or one that others made */
	uint32_t tunnel_id, session_id;
};

struct kind {
	/* Put what @config claims into @ret (CLAIMS_MAX, zeroed); returns how many. */
	size_t (*claim)(const struct change *change, const union config *config, struct claim *ret);
	/* Find who has it, other than the claimer. */
	void (*hold)(const struct candidate *candidate, const struct claim *claim,
		     struct holder *ret);
	int (*refuse)(const struct claim *claim, uint32_t tunnel_id, uint32_t session_id,
		      bool foreign, struct error *err);
};

static bool is_key(const struct claim *a, const struct claim *b)
{
	return memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes)) == 0;
}

/* Is @claim one of @config, the change's before or after? */
static bool has_claim(const struct kind *kind, const struct change *change,
		      const union config *config, const struct claim *claim)
{
	struct claim own[CLAIMS_MAX] = {0};
	size_t count = config ? kind->claim(change, config, own) : 0;

	for (size_t i = 0; i < count; i++) {
		if (is_key(&own[i], claim))
			return true;
	}
	return false;
}

static bool is_own(const struct claim *claim, const struct entry *entry)
{
	return claim->change->tunnel_id == entry->key.tunnel_id &&
	       claim->change->session_id == entry->key.session_id;
}

/* This entry has it: does it count? Of several the first does. */
static void note_holder(const struct candidate *candidate, const struct kind *kind,
			const struct claim *claim, const struct entry *entry, struct holder *ret)
{
	bool foreign = entry_is_foreign(entry);
	const struct change *change =
		foreign ? NULL
			: overlay_find(candidate, entry->key.tunnel_id, entry->key.session_id);

	if (change && change != claim->change && has_claim(kind, change, change->before, claim) &&
	    has_claim(kind, change, change->after, claim))
		ret->keeper = change;
	if (ret->found || change || (!foreign && !entry_config(entry)))
		return;
	ret->found = true;
	ret->foreign = foreign;
	ret->tunnel_id = entry->key.tunnel_id;
	ret->session_id = entry->key.session_id;
}

static const struct kind id_kind, name_kind, endpoint_kind;

static void hold_session_id(const struct candidate *candidate, const struct claim *claim,
			    struct holder *ret)
{
	const struct session_entry *at =
		datastore_session_by_id(candidate->running, ntohl(claim->key.session_id));

	for (; at; at = session_same_id(at)) {
		if (!is_own(claim, &at->entry) ||
		    (entry_is_foreign(&at->entry) && !candidate->adopt))
			note_holder(candidate, &id_kind, claim, &at->entry, ret);
	}
}

/* A session whose 802.1Q link has that name, which is made of its interface's and the VLAN. */
static void hold_vlan_link(const struct candidate *candidate, const struct claim *claim,
			   struct holder *ret)
{
	const char *dot = strrchr(claim->key.name, '.');
	char parent[IFNAME_LENGTH + 1] = "", link[IFNAME_LENGTH + 1];
	const struct session_entry *at;
	const struct session *config;

	if (!dot)
		return;
	memcpy(parent, claim->key.name, (size_t)(dot - claim->key.name));
	for (at = datastore_named(candidate->running, parent); at; at = session_same_name(at)) {
		config = session_config(at);
		if (!config || is_own(claim, &at->entry))
			continue;
		rules_vlan_name(config, link);
		if (strcmp(link, claim->key.name) == 0)
			note_holder(candidate, &name_kind, claim, &at->entry, ret);
	}
}

static void hold_name(const struct candidate *candidate, const struct claim *claim,
		      struct holder *ret)
{
	const struct session_entry *at = datastore_named(candidate->running, claim->key.name);

	for (; at; at = session_same_name(at)) {
		if (!is_own(claim, &at->entry))
			note_holder(candidate, &name_kind, claim, &at->entry, ret);
	}
	hold_vlan_link(candidate, claim, ret);
}

static void hold_endpoint(const struct candidate *candidate, const struct claim *claim,
			  struct holder *ret)
{
	const struct tunnel_entry *at = datastore_bound(
		candidate->running, &claim->key.endpoint.address, claim->key.endpoint.port);

	for (; at; at = tunnel_same_endpoint(at)) {
		if (!is_own(claim, &at->entry))
			note_holder(candidate, &endpoint_kind, claim, &at->entry, ret);
	}
}

static const struct kind id_kind = {claim_id, hold_session_id, refuse_session_id};
static const struct kind name_kind = {claim_names, hold_name, refuse_name};
static const struct kind endpoint_kind = {claim_endpoint, hold_endpoint, refuse_endpoint};
static const struct kind *const kinds[] = {&id_kind, &name_kind, &endpoint_kind, NULL};

/* New claims of a kind: collect, sort, check */

static int claims_order(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes));

	if (order != 0)
		return order;
	return entry_order(a->change->tunnel_id, a->change->session_id, b->change->tunnel_id,
			   b->change->session_id);
}

static bool grow(struct unique *unique)
{
	size_t room = unique->room > 0 ? unique->room * 2 : 64;
	struct claim *claims;

	if (unique->count < unique->room)
		return true;
	claims = realloc(unique->claims, room * sizeof(*claims));
	if (!claims)
		return false;
	unique->claims = claims;
	unique->room = room;
	return true;
}

/* The next change of a tunnel, if not of a session in one; NULL: none. */
static struct change *next_tunnel(const struct unique *unique, const struct change *at)
{
	return at->tunnel_id < ID_MAX ? overlay_from(unique->candidate, at->tunnel_id + 1, 0)
				      : NULL;
}

static int collect(struct unique *unique)
{
	const struct kind *kind = *unique->kind;
	struct change *at = unique->at;
	struct claim claims[CLAIMS_MAX] = {0};
	size_t count;

	if (!at)
		return 0;
	count = at->after && at->after != at->before ? kind->claim(at, at->after, claims) : 0;
	for (size_t i = 0; i < count; i++) {
		claims[i].change = at;
		if (has_claim(kind, at, at->before, &claims[i]))
			continue;
		if (!grow(unique))
			return overlay_no_memory(unique->err);
		unique->in_order &=
			unique->count == 0 ||
			claims_order(&unique->claims[unique->count - 1], &claims[i]) < 0;
		unique->claims[unique->count++] = claims[i];
	}
	unique->at = kind == &endpoint_kind ? next_tunnel(unique, at) : change_next(at);
	return 1;
}

static int prepare_sort(struct unique *unique)
{
	if (unique->in_order) {
		unique->sorted = unique->claims;
		return 0;
	}
	if (unique->count > 0) {
		unique->spare = malloc(unique->count * sizeof(struct claim));
		if (!unique->spare)
			return overlay_no_memory(unique->err);
	}
	sort_begin(&unique->sort, unique->claims, unique->spare, unique->count,
		   sizeof(struct claim), claims_order);
	return 0;
}

static int sort(struct unique *unique)
{
	if (unique->in_order)
		return 0;
	if (sort_unit(&unique->sort))
		return 1;
	unique->sorted = sort_result(&unique->sort);
	return 0;
}

/*
 * Check the first claim to a key. Another claim to it, or a keeper's, whichever comes first in the
 * order of entries, is a conflict at once; that somebody else holds it counts only if there is no
 * conflict of that sort.
 */
static int check(struct unique *unique)
{
	const struct kind *kind = *unique->kind;
	const struct claim *first, *second;
	const struct change *keeper;
	struct holder holder = {0};
	int rc;

	if (unique->next == unique->count)
		return unique->refused;
	first = &unique->sorted[unique->next];
	second = first + 1;
	if (++unique->next == unique->count || !is_key(first, second))
		second = NULL;
	kind->hold(unique->candidate, first, &holder);
	keeper = holder.keeper;
	if (keeper && second &&
	    entry_order(second->change->tunnel_id, second->change->session_id, keeper->tunnel_id,
			keeper->session_id) < 0)
		keeper = NULL;
	if (keeper)
		return kind->refuse(first, keeper->tunnel_id, keeper->session_id, false,
				    unique->err);
	if (second)
		return kind->refuse(second, first->change->tunnel_id, first->change->session_id,
				    false, unique->err);
	if (!holder.found || unique->refused != 0)
		return 1;
	rc = kind->refuse(first, holder.tunnel_id, holder.session_id, holder.foreign, unique->err);
	if (unique->all)
		return rc;
	unique->refused = rc;
	return 1;
}

static int next_kind(struct unique *unique)
{
	free(unique->claims);
	free(unique->spare);
	unique->claims = unique->spare = unique->sorted = NULL;
	unique->count = unique->room = unique->next = 0;
	unique->in_order = true;
	if (!*++unique->kind)
		return 0;
	unique->at = candidate_first(unique->candidate);
	unique->phase = 0;
	return 1;
}

int unique_unit(struct unique *unique)
{
	static int (*const phases[])(struct unique * unique) = {collect, prepare_sort, sort, check,
								next_kind};
	int rc = phases[unique->phase](unique);

	if (rc != 0 || unique->phase + 1 == sizeof(phases) / sizeof(phases[0]))
		return rc;
	unique->phase++;
	return 1;
}

void unique_begin(struct unique *unique, const struct candidate *candidate, bool all,
		  struct error *err)
{
	*unique = (struct unique){
		.candidate = candidate,
		.kind = kinds,
		.at = candidate_first(candidate),
		.in_order = true,
		.all = all,
		.err = err,
	};
}

void unique_end(struct unique *unique)
{
	free(unique->claims);
	free(unique->spare);
}
