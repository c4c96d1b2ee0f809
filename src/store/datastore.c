#include "store/datastore.h"

#include "store/acm.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/wipe.h"
#include "model/codec.h"
#include "store/attach.h"
#include "store/place.h"

/* Making entries */

static struct tunnel_entry *find_or_make_tunnel(struct datastore *ds, uint32_t tunnel_id)
{
	struct tunnel_entry *tunnel = index_tunnel(ds, tunnel_id);

	if (tunnel)
		return tunnel;
	tunnel = calloc(1, sizeof(*tunnel));
	if (!tunnel)
		return NULL;
	tunnel->entry.key.tunnel_id = tunnel_id;
	tunnel->store = ds;
	tunnel->state.common.oper_status = OPER_DOWN;
	tunnel->state.common.status_reason = REASON_NONE;
	return tunnel;
}

static struct session_entry *find_or_make_session(struct tunnel_entry *tunnel, uint32_t session_id)
{
	struct session_entry *session = index_session(tunnel, session_id);

	if (session)
		return session;
	session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->tunnel = tunnel;
	session->entry.key = (struct key){tunnel->entry.key.tunnel_id, session_id};
	session->state.common.oper_status = OPER_DOWN;
	session->state.common.status_reason = REASON_NONE;
	return session;
}

/* Finds the entry, or makes one in no layer yet, for put_in_place(). NULL: no memory. */
static struct entry *find_or_make(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id)
{
	struct tunnel_entry *tunnel = find_or_make_tunnel(ds, tunnel_id);
	struct session_entry *session;

	if (!tunnel || session_id == 0)
		return tunnel ? &tunnel->entry : NULL;
	session = find_or_make_session(tunnel, session_id);
	if (session)
		return &session->entry;
	if (tunnel->entry.layers == 0 && !tunnel->entry.change)
		free(tunnel);
	return NULL;
}

/* The entry, if the published layer shows it; else NULL. */
static struct entry *as_seen(const struct datastore *ds, struct entry *entry)
{
	return entry->layers & LAYER_BIT(datastore_layer(ds)) ? entry : NULL;
}

/* The datastore as a whole */

struct datastore *datastore_new(void)
{
	struct datastore *ds = calloc(1, sizeof(*ds));

	if (ds)
		ds->acm = acm_factory();
	return ds;
}

void datastore_set_acm(struct datastore *ds, const struct acm *acm)
{
	if (!acm)
		return;
	acm_share(acm);
	acm_drop(ds->acm);
	ds->acm = acm;
}

static void free_sessions(struct session_tree *sessions)
{
	struct session_entry *session;

	while ((session = RB_ROOT(sessions)) != NULL) {
		RB_REMOVE(session_tree, sessions, session);
		config_drop(session->entry.config);
		config_drop(session->actual);
		if (session->saved)
			session->tunnel->store->free_saved(session->saved);
		wipe_free(session, sizeof(*session));
	}
}

static void free_tunnels(struct tunnel_tree *tunnels)
{
	struct tunnel_entry *tunnel;

	while ((tunnel = RB_ROOT(tunnels)) != NULL) {
		RB_REMOVE(tunnel_tree, tunnels, tunnel);
		free_sessions(&tunnel->sessions);
		for (enum layer layer = LAYER_BASE; layer < LAYERS; layer++)
			free_sessions(&tunnel->only[layer]);
		config_drop(tunnel->entry.config);
		free(tunnel);
	}
}

void datastore_free(struct datastore *ds)
{
	if (!ds)
		return;
	assert(ds->attached == 0);
	free_tunnels(&ds->tunnels);
	for (enum layer layer = LAYER_BASE; layer < LAYERS; layer++)
		free_tunnels(&ds->only[layer]);
	name_pool_free(&ds->pool);
	acm_drop(ds->acm);
	free(ds);
}

/* What the kernel has */

static void set_actual_tunnel(struct tunnel_entry *tunnel, const struct tunnel *actual)
{
	tunnel->store->tunnels_in_kernel -= tunnel->entry.in_kernel;
	tunnel->store->tunnels_in_kernel += actual != NULL;
	tunnel->entry.in_kernel = actual;
	tunnel->actual = actual ? *actual : (struct tunnel){0};
}

/*
 * Does the kernel have what the configuration says? MTU and MAC are kept beside it; until they are
 * seen, nothing has told of the link, and a ppp session has none.
 */
static bool is_as_configured(const union config *config, const struct session *actual, bool seen)
{
	const struct row_set *set = &row_sets[OBJECT_SESSION];
	uint64_t beside = BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS), differs;
	union config want;

	if (!config)
		return false;
	want = *config;
	codec_complete(OBJECT_SESSION, &want);
	differs = codec_difference(OBJECT_SESSION, &want, actual) & ~beside;
	for (unsigned int i = 0; i < set->config_count && differs; i++) {
		const struct row *row = &set->rows[i];

		if (!(differs & BIT(i)) || row->source == SOURCE_RECORD)
			continue;
		if (row->wire == WIRE_NONE
			    ? seen && row->change == CHANGE_LINK
			    : !(want.present & BIT(i)) || !codec_same_in_kernel(row, &want, actual))
			return false;
	}
	return true;
}

static int set_actual_session(struct session_entry *session, const struct session *actual)
{
	uint64_t both = BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS);
	bool seen = actual && (actual->present & both) == both;
	const union config *config = entry_config(&session->entry), *new = NULL;
	bool same = actual && is_as_configured(config, actual, seen);

	if (same)
		new = config_share(config);
	else if (actual)
		new = config_new(session->entry.key.tunnel_id, session->entry.key.session_id,
				 actual);
	else
		new = config_share(session->actual);
	if (actual && !new)
		return -ENOMEM;
	session->tunnel->store->unindexed -= lacks_index(session);
	config_drop(session->actual);
	session->actual = new;
	session->state.mtu = seen ? actual->mtu : 0;
	session->state.mac = seen ? actual->mac_address : (struct mac){{0}};
	session->entry.as_configured = same;
	session->entry.in_kernel = actual;
	session->tunnel->store->unindexed += lacks_index(session);
	return 0;
}

static int set_actual(struct entry *entry, const void *actual)
{
	if (entry->key.session_id != 0)
		return set_actual_session(entry_session(entry), actual);
	set_actual_tunnel(entry_tunnel(entry), actual);
	return 0;
}

bool datastore_observe_link(struct session_entry *session, const struct session *actual)
{
	return set_actual_session(session, actual) == 0;
}

/* For session_last(), and of a tunnel that never was in the kernel the address of its peer. */
static void keep_last(struct entry *entry, const union config *last)
{
	struct session_entry *session = entry_session(entry);
	struct tunnel_entry *tunnel = entry_tunnel(entry);

	if (session) {
		config_share(last);
		config_drop(session->actual);
		session->actual = last;
	} else if (last && tunnel->state.last_remote_address.family == 0) {
		tunnel->state.last_remote_address = last->tunnel.remote_address;
	}
}

/* Another configuration may say the same about the kernel: then let go of the old one. */
static void set_config(struct entry *entry, const union config *config)
{
	struct session_entry *session = entry_session(entry);
	const union config *old = entry->config;
	union config actual;

	entry->config = config;
	if (entry->as_configured && session->actual != config) {
		entry_actual(entry, &actual);
		(void)set_actual_session(session, &actual.session); /* the old one is right, too */
	}
	if (!entry->in_kernel)
		keep_last(entry, config ? config : old);
}

/* Configuring and observing */

struct entry *datastore_configure(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id,
				  const void *config)
{
	struct entry *entry = config ? find_or_make(ds, tunnel_id, session_id)
				     : datastore_entry(ds, tunnel_id, session_id);
	const union config *old, *new = NULL;
	union place place;
	bool kept;

	if (!entry)
		return NULL;
	assert(!entry->change);
	assert(config || session_id != 0 || tunnel_counts(entry_tunnel(entry))->configured == 0);
	note_place(entry, &place);
	old = entry->config;
	if (config)
		new = config_new(tunnel_id, session_id, config);
	if (!config || new)
		set_config(entry, new);
	kept = put_in_place(entry, &place);
	if (config && !new)
		return NULL;
	config_drop(old);
	return kept ? entry : NULL;
}

struct entry *datastore_observe(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id,
				const void *actual)
{
	struct entry *entry = actual ? find_or_make(ds, tunnel_id, session_id)
				     : datastore_entry(ds, tunnel_id, session_id);

	return entry ? datastore_observe_entry(ds, entry, actual) : NULL;
}

struct entry *datastore_observe_entry(struct datastore *ds, struct entry *entry, const void *actual)
{
	union place place;
	int rc;

	note_place(entry, &place);
	rc = set_actual(entry, actual);
	return put_in_place(entry, &place) && rc == 0 ? as_seen(ds, entry) : NULL;
}

void datastore_hold(struct datastore *ds, struct entry *entry, bool held)
{
	union place place;

	(void)ds;
	note_place(entry, &place);
	entry->held = held;
	entry->unlinked = false;
	put_in_place(entry, &place);
}

bool datastore_set_status(struct datastore *ds, struct entry *entry, enum oper_status status,
			  enum status_reason reason, int os_errno, struct moment now)
{
	struct state *state = entry_state(entry);
	bool changed = state->oper_status != status;
	bool is_first = state->last_change.at == 0;

	(void)ds;
	discount_status(entry);
	state->oper_status = (uint8_t)status;
	state->status_reason = (uint8_t)reason;
	recount_status(entry);
	state->status_errno = (int16_t)os_errno;
	if (changed || is_first)
		state->last_change = now;
	return changed;
}

size_t datastore_up(const struct datastore *ds, enum object object)
{
	size_t count = 0;

	for (unsigned int configured = 0; configured < 2; configured++)
		for (unsigned int reason = 0; reason < STATUS_REASONS; reason++)
			count += datastore_counts(ds)
					 ->by_status[object][configured][OPER_UP][reason];
	return count;
}

/* The top layer */

int datastore_attach(struct datastore *ds, struct change *change)
{
	struct entry *entry = find_or_make(ds, change->tunnel_id, change->session_id);
	bool named = change->session_id != 0 && change->after;
	union place place;

	if (!entry)
		return -ENOMEM;
	assert(!entry->change);
	note_place(entry, &place);
	if (named && name_pool_add(&ds->pool, change->after->session.interface_name) != 0) {
		put_in_place(entry, &place);
		return -ENOMEM;
	}
	change->indexed = false;
	change->entry = entry;
	entry->change = change;
	ds->attached++;
	put_in_place(entry, &place);
	return 0;
}

static void take_off(struct datastore *ds, struct change *change, bool merge)
{
	struct entry *entry = change->entry;
	const union config *old = NULL;
	union place place;

	note_place(entry, &place);
	if (merge) {
		old = entry->config;
		set_config(entry, config_share(change->after));
	}
	entry->change = NULL;
	ds->attached--;
	put_in_place(entry, &place);
	change->entry = NULL;
	config_drop(old);
}

void datastore_detach(struct datastore *ds, struct change *change)
{
	take_off(ds, change, false);
}

void datastore_merge(struct datastore *ds, struct change *change)
{
	take_off(ds, change, true);
}

int datastore_put(struct datastore *ds, const struct change *change)
{
	struct entry *entry = find_or_make(ds, change->tunnel_id, change->session_id);
	const union config *old;
	union place place;

	if (!entry)
		return -ENOMEM;
	assert(!entry->change);
	note_place(entry, &place);
	old = entry->config;
	set_config(entry, config_share(change->after));
	put_in_place(entry, &place);
	config_drop(old);
	return 0;
}
