/*
 * What must be unique, against a model that sorts all claims of the touched entries and
 * walks all of running for each: of several conflicts the same one is told.
 */
#include "store.h"

#include "model/rules.h"

#define TUNNELS  4
#define SESSIONS 5

static unsigned int seed;

static unsigned int random_below(unsigned int limit)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16 & 0x7fff) % limit;
}

/* The model */

enum kind { KIND_ID, KIND_NAME, KIND_ENDPOINT, KINDS };

struct claim {
	const struct change *change;
	bool fresh;
	union {
		uint8_t bytes[20];
		uint32_t session_id;
		char name[IFNAME_LENGTH + 1];
		struct {
			struct address address;
			uint16_t port;
		} endpoint;
	} key;
};

struct verdict {
	enum error_code code;
	enum kind kind;
	struct key claimer, holder;
};

static size_t claims_of(enum kind kind, bool session, const union config *config,
			struct claim ret[2])
{
	memset(ret, 0, 2 * sizeof(*ret));
	if (kind == KIND_ENDPOINT)
		return !session && tunnel_endpoint(&config->tunnel, &ret->key.endpoint.address,
						   &ret->key.endpoint.port);
	if (!session)
		return 0;
	if (kind == KIND_ID) {
		ret->key.session_id = config->session.session_id;
		return 1;
	}
	if (!(config->present & BIT(SESSION_INTERFACE_NAME)))
		return 0;
	snprintf(ret[0].key.name, sizeof(ret[0].key.name), "%s", config->session.interface_name);
	rules_vlan_name(&config->session, ret[1].key.name);
	return ret[1].key.name[0] != '\0' ? 2 : 1;
}

static bool is_key(const struct claim *a, const struct claim *b)
{
	return memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes)) == 0;
}

static int by_key(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes));

	return order != 0 ? order
			  : entry_order(a->change->tunnel_id, a->change->session_id,
					b->change->tunnel_id, b->change->session_id);
}

static size_t collect(const struct candidate *candidate, enum kind kind, struct claim *ret)
{
	size_t count = 0;

	for (struct change *at = candidate_first(candidate); at; at = change_next(at)) {
		struct claim now[2], old[2];
		size_t has = at->after ? claims_of(kind, at->session_id != 0, at->after, now) : 0;
		size_t had = at->before ? claims_of(kind, at->session_id != 0, at->before, old) : 0;

		for (size_t i = 0; i < has; i++) {
			now[i].change = at;
			now[i].fresh = true;
			for (size_t j = 0; j < had; j++)
				if (is_key(&now[i], &old[j]))
					now[i].fresh = false;
			ret[count++] = now[i];
		}
	}
	return count;
}

static struct key key_of(const struct change *change)
{
	return (struct key){change->tunnel_id, change->session_id};
}

static bool is_touched(const struct candidate *candidate, const struct key *key)
{
	for (struct change *at = candidate_first(candidate); at; at = change_next(at))
		if (at->tunnel_id == key->tunnel_id && at->session_id == key->session_id)
			return true;
	return false;
}

/* Does running's entry have the claim, by what is shown of it; and as its VLAN's name? */
static bool entry_has(enum kind kind, const struct entry *entry, const struct claim *claim,
		      bool vlan)
{
	const void *shown = vlan ? entry_config(entry) : entry_shown(entry);
	struct claim own[2];
	size_t count = shown ? claims_of(kind, entry->key.session_id != 0, shown, own) : 0;

	return count > (size_t)vlan && is_key(&own[vlan], claim);
}

static bool comes_before(enum kind kind, const struct key *a, const struct key *b)
{
	if (kind != KIND_ENDPOINT && a->session_id != b->session_id)
		return a->session_id < b->session_id;
	return a->tunnel_id < b->tunnel_id;
}

/* The first entry of running that has it and counts; NULL: none. */
static const struct entry *holder_of(const struct candidate *candidate, enum kind kind,
				     const struct claim *claim, bool vlan)
{
	const struct entry *first = NULL;

	for (const struct entry *at = datastore_entry_from(candidate->running, 0, 0); at;
	     at = entry_next(at)) {
		bool own = key_compare(&at->key, &(struct key){claim->change->tunnel_id,
							       claim->change->session_id}) == 0;
		bool foreign = entry_is_foreign(at) && !vlan;

		if (!entry_has(kind, at, claim, vlan) ||
		    (own && (kind != KIND_ID || !foreign || candidate->adopt)) ||
		    (!foreign && (!entry_config(at) || is_touched(candidate, &at->key))))
			continue;
		if (!first || comes_before(kind, &at->key, &first->key))
			first = at;
	}
	return first;
}

static bool model_kind(const struct candidate *candidate, enum kind kind, struct verdict *ret)
{
	static struct claim claims[2 * TUNNELS * (SESSIONS + 1)];
	size_t count = collect(candidate, kind, claims);

	ret->kind = kind;
	qsort(claims, count, sizeof(*claims), by_key);
	for (size_t i = 1; i < count; i++) {
		bool last = claims[i].fresh;

		if (!is_key(&claims[i - 1], &claims[i]) || (!last && !claims[i - 1].fresh))
			continue;
		ret->code = ERROR_NOT_UNIQUE;
		ret->claimer = key_of(claims[last ? i : i - 1].change);
		ret->holder = key_of(claims[last ? i - 1 : i].change);
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct entry *holder = NULL;

		if (claims[i].fresh)
			holder = holder_of(candidate, kind, &claims[i], false);
		if (claims[i].fresh && !holder && kind == KIND_NAME)
			holder = holder_of(candidate, kind, &claims[i], true);
		if (!holder)
			continue;
		ret->code = entry_config(holder) ? ERROR_NOT_UNIQUE : ERROR_FOREIGN;
		ret->claimer = key_of(claims[i].change);
		ret->holder = holder->key;
		return true;
	}
	return false;
}

static struct verdict model(const struct candidate *candidate)
{
	struct verdict verdict = {0};

	for (enum kind kind = 0; kind < KINDS; kind++)
		if (model_kind(candidate, kind, &verdict))
			return verdict;
	return (struct verdict){0};
}

/* Random configurations, which are good by themselves */

static struct session random_session(void)
{
	static const char *const names[] = {"a", "b", "a.5", "b.5", "a.6"};
	struct session session = {.present = BIT(SESSION_PEER_SESSION_ID), .peer_session_id = 1};

	if (random_below(5)) {
		session.present |= BIT(SESSION_INTERFACE_NAME);
		snprintf(session.interface_name, sizeof(session.interface_name), "%s",
			 names[random_below(5)]);
	}
	if (random_below(2)) {
		session.present |= BIT(SESSION_PSEUDOWIRE_TYPE) | BIT(SESSION_VLAN_ID);
		session.pseudowire_type = PSEUDOWIRE_ETHERNET_VLAN;
		session.vlan_id = (uint16_t)(5 + random_below(2));
	}
	return session;
}

static struct tunnel random_tunnel(void)
{
	struct tunnel tunnel = {
		.present = BIT(TUNNEL_PEER_TUNNEL_ID) | BIT(TUNNEL_LOCAL_ADDRESS) |
			   BIT(TUNNEL_REMOTE_ADDRESS),
		.peer_tunnel_id = 1,
		.local_address = {AF_INET, {10, 0, 0, (uint8_t)random_below(2)}},
		.remote_address = {AF_INET, {10, 0, 1, 1}},
	};

	if (random_below(2)) {
		tunnel.present |= BIT(TUNNEL_LOCAL_PORT);
		tunnel.local_port = (uint16_t)(1701 + random_below(2));
	}
	return tunnel;
}

/* Session ids are the namespace's: few, so that they meet in several tunnels. */
static void put_some(struct candidate *candidate)
{
	for (unsigned int left = 1 + random_below(4); left > 0; left--) {
		uint32_t tunnel_id = 1 + random_below(TUNNELS);
		struct tunnel tunnel = random_tunnel();
		struct session session = random_session();

		candidate_put(candidate, tunnel_id, 0, &tunnel);
		for (unsigned int more = random_below(3); more > 0; more--)
			candidate_put(candidate, tunnel_id, 1 + random_below(SESSIONS),
				      random_below(5) ? &session : NULL);
	}
}

static void see_some(struct datastore *running)
{
	uint32_t tunnel_id = 1 + random_below(TUNNELS), session_id = 1 + random_below(SESSIONS);
	struct tunnel tunnel = random_tunnel();
	struct session session = random_session();

	session.session_id = session_id;
	session.present |= BIT(SESSION_ID);
	if (random_below(2))
		datastore_observe(running, tunnel_id, 0, random_below(2) ? &tunnel : NULL);
	else
		datastore_observe(running, tunnel_id, session_id,
				  random_below(2) ? &session : NULL);
}

static void compare(const struct verdict *should, const struct error *is)
{
	char path[sizeof(is->path)], holder[64];
	struct error at = ERROR_INIT;
	const struct row *row = should->kind == KIND_ID ? &row_sets[OBJECT_SESSION].rows[SESSION_ID]
				: should->kind == KIND_NAME
					? &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME]
					: &row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_PORT];

	assert_int_equal(is->code, should->code);
	if (should->code == ERROR_NONE)
		return;
	error_at_entry(&at, should->claimer.tunnel_id, should->claimer.session_id, row);
	snprintf(path, sizeof(path), "%s", at.path);
	assert_string_equal(is->path, path);
	if (should->kind == KIND_NAME)
		snprintf(holder, sizeof(holder), "session %u of tunnel %u",
			 should->holder.session_id, should->holder.tunnel_id);
	else
		snprintf(holder, sizeof(holder), "tunnel %u", should->holder.tunnel_id);
	if (!strstr(is->text, holder))
		fail_msg("not about %s: %s", holder, is->text);
}

/* Returns what came of it. */
static enum error_code one_round(struct datastore *running)
{
	struct error err = ERROR_INIT, again = ERROR_INIT;
	struct candidate candidate;
	struct verdict should;
	struct cursor *cursor;
	int rc, rc_by_units;

	see_some(running);
	candidate_open(&candidate, running);
	candidate.adopt = random_below(4) == 0;
	put_some(&candidate);
	rc = candidate_validate(&candidate, &err);
	cursor = candidate_validate_begin(&candidate, &again);
	do
		rc_by_units = cursor_step(cursor, 1);
	while (rc_by_units > 0);
	cursor_free(cursor);
	assert_int_equal(rc, rc_by_units);
	assert_string_equal(err.path, again.path);
	assert_string_equal(err.text, again.text);
	if (strstr(err.text, "was made in the kernel by others; adopt that tunnel")) {
		err.code = ERROR_MISSING; /* a foreign tunnel: no matter of this test */
	} else {
		should = model(&candidate);
		compare(&should, &err);
	}
	if (rc == 0)
		assert_int_equal(candidate_publish(&candidate, running), 0);
	candidate_discard(&candidate);
	return err.code;
}

static void of_several_conflicts_the_model_tells_the_same(void **state)
{
	unsigned int seen[ERROR_CODES] = {0};

	(void)state;
	for (unsigned int first = 1; first < 300; first++) {
		struct datastore *running = datastore_new();

		seed = first;
		for (int round = 0; round < 40; round++)
			seen[one_round(running)]++;
		datastore_free(running);
	}
	print_message("%u good, %u not unique, %u foreign, %u in foreign tunnels\n",
		      seen[ERROR_NONE], seen[ERROR_NOT_UNIQUE], seen[ERROR_FOREIGN],
		      seen[ERROR_MISSING]);
	assert_true(seen[ERROR_NONE] > 500 && seen[ERROR_NOT_UNIQUE] > 500 &&
		    seen[ERROR_FOREIGN] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_several_conflicts_the_model_tells_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
