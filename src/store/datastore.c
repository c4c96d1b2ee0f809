#include "store/datastore.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "model/table.h"
#include "store/index.h"

/*
 * Indexes of what is seen of an entry. Take it out before the entry changes
 * and put it back after.
 */

static bool is_bound(const struct tunnel_entry *tunnel)
{
	struct address address;
	uint16_t port;

	return (tunnel->entry.configured || tunnel->entry.in_kernel) &&
	       tunnel_endpoint(tunnel->entry.configured ? &tunnel->config : &tunnel->actual,
			       &address, &port);
}

static void tunnel_unindex(struct datastore *ds, struct tunnel_entry *tunnel)
{
	if (is_bound(tunnel))
		RB_REMOVE(endpoint_tree, &ds->endpoints, tunnel);
	ds->configured_tunnels -= tunnel->entry.configured;
}

static void tunnel_index(struct datastore *ds, struct tunnel_entry *tunnel)
{
	if (is_bound(tunnel))
		RB_INSERT(endpoint_tree, &ds->endpoints, tunnel);
	ds->configured_tunnels += tunnel->entry.configured;
}

static bool is_named(const struct session_entry *session)
{
	return (session->entry.configured || session->entry.in_kernel) &&
	       *session_name(session) != '\0';
}

static bool is_nameless(const struct session_entry *session)
{
	bool ppp = session->config.present & BIT(SESSION_PSEUDOWIRE_TYPE) &&
		   session->config.pseudowire_type == PSEUDOWIRE_PPP;

	return session->entry.configured && !ppp && !is_named(session);
}

static bool is_watched(const struct session_entry *session)
{
	return session->entry.configured && session->config.dead_interval != 0;
}

static const char *name_in(const struct session *shown)
{
	return shown != NULL && shown->present & BIT(SESSION_INTERFACE_NAME) ? shown->interface_name
									     : "";
}

/* @next: what will be shown of it, NULL nothing. Returns whether its name has to be put back. */
static bool session_unindex(struct datastore *ds, struct session_entry *session,
			    const struct session *next)
{
	const char *name = session_name(session);
	bool moves = strcmp(name_in(next), name) != 0;

	if (is_named(session) && moves) {
		RB_REMOVE(session_name_tree, &ds->names, session);
		if (datastore_named(ds, name) == NULL)
			name_pool_remove(&ds->pool, name);
	}
	ds->nameless -= is_nameless(session);
	ds->configured_sessions -= session->entry.configured;
	session->tunnel->configured_sessions -= session->entry.configured;
	session->tunnel->watched_sessions -= is_watched(session);
	return moves;
}

static void session_index(struct datastore *ds, struct session_entry *session, bool moved)
{
	if (moved && is_named(session)) {
		RB_INSERT(session_name_tree, &ds->names, session);
		(void)name_pool_add(&ds->pool, session_name(session)); /* names are asked too */
	}
	ds->nameless += is_nameless(session);
	ds->configured_sessions += session->entry.configured;
	session->tunnel->configured_sessions += session->entry.configured;
	session->tunnel->watched_sessions += is_watched(session);
}

/* Making and dropping entries */

static void state_init(struct state *state)
{
	state->oper_status = OPER_DOWN;
	state->status_reason = REASON_NONE;
	state->origin = ORIGIN_CONFIGURED;
}

static struct tunnel_entry *reserve_tunnel(struct datastore *ds, uint32_t tunnel_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel(ds, tunnel_id);

	if (tunnel != NULL)
		return tunnel;
	tunnel = calloc(1, sizeof(*tunnel));
	if (tunnel == NULL)
		return NULL;
	tunnel->entry.key.tunnel_id = tunnel_id;
	RB_INIT(&tunnel->sessions);
	state_init(&tunnel->state.common);
	RB_INSERT(tunnel_tree, &ds->tunnels, tunnel);
	ds->tunnel_count++;
	return tunnel;
}

static void tunnel_drop(struct datastore *ds, struct tunnel_entry *tunnel)
{
	ds->tunnels_up -= tunnel->state.common.oper_status == OPER_UP;
	ds->tunnel_count--;
	RB_REMOVE(tunnel_tree, &ds->tunnels, tunnel);
	free(tunnel);
}

static void session_drop(struct datastore *ds, struct session_entry *session)
{
	struct tunnel_entry *tunnel = session->tunnel;

	datastore_set_index(ds, session, 0);
	ds->sessions_up -= session->state.common.oper_status == OPER_UP;
	ds->session_count--;
	tunnel->state.session_count--;
	RB_REMOVE(session_id_tree, &ds->sessions, session);
	RB_REMOVE(session_tree, &tunnel->sessions, session);
	wipe_free(session, sizeof(*session));
}

/* Drop the entry unless something keeps it: NULL then. A tunnel goes with its last session. */
static struct entry *keep_or_drop(struct datastore *ds, struct entry *entry)
{
	struct tunnel_entry *tunnel = entry_tunnel_of(entry);
	bool is_tunnel = entry == &tunnel->entry;

	ds->changes++;
	if (entry->configured || entry->in_kernel || entry->held ||
	    (is_tunnel && !RB_EMPTY(&tunnel->sessions))) {
		entry_state(entry)->origin =
			entry_is_foreign(entry) ? ORIGIN_FOREIGN : ORIGIN_CONFIGURED;
		return entry;
	}
	if (is_tunnel) {
		tunnel_drop(ds, tunnel);
	} else {
		session_drop(ds, entry_session(entry));
		keep_or_drop(ds, &tunnel->entry);
	}
	return NULL;
}

struct entry *datastore_reserve(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id)
{
	struct tunnel_entry *tunnel = reserve_tunnel(ds, tunnel_id);
	struct session_entry *session =
		tunnel != NULL ? tunnel_session_from(tunnel, session_id) : NULL;

	if (tunnel == NULL || session_id == 0)
		return tunnel != NULL ? &tunnel->entry : NULL;
	if (session != NULL && session->entry.key.session_id == session_id)
		return &session->entry;
	session = calloc(1, sizeof(*session));
	if (session == NULL) {
		keep_or_drop(ds, &tunnel->entry);
		return NULL;
	}
	session->tunnel = tunnel;
	session->entry.key = (struct key){tunnel_id, session_id};
	state_init(&session->state.common);
	RB_INSERT(session_tree, &tunnel->sessions, session);
	RB_INSERT(session_id_tree, &ds->sessions, session);
	tunnel->state.session_count++;
	ds->session_count++;
	return &session->entry;
}

void datastore_release(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id)
{
	struct entry *entry = datastore_entry(ds, tunnel_id, session_id);

	if (entry == NULL) /* a tunnel made for its sake only */
		entry = datastore_entry(ds, tunnel_id, 0);
	if (entry != NULL)
		keep_or_drop(ds, entry);
}

struct datastore *datastore_new(void)
{
	return calloc(1, sizeof(struct datastore));
}

void datastore_free(struct datastore *ds)
{
	struct tunnel_entry *tunnel;
	struct session_entry *session;

	if (ds == NULL)
		return;
	while ((tunnel = RB_ROOT(&ds->tunnels)) != NULL) {
		while ((session = RB_ROOT(&tunnel->sessions)) != NULL) {
			RB_REMOVE(session_tree, &tunnel->sessions, session);
			wipe_free(session, sizeof(*session));
		}
		RB_REMOVE(tunnel_tree, &ds->tunnels, tunnel);
		free(tunnel);
	}
	name_pool_free(&ds->pool);
	free(ds);
}

/* Configuring and observing */

static void configure_session(struct datastore *ds, struct session_entry *session,
			      const struct session *config)
{
	bool moved = session_unindex(ds, session,
				     config == NULL && session->entry.in_kernel ? &session->actual
										: config);

	session->entry.configured = config != NULL;
	session->config = config != NULL ? *config : (struct session){0};
	session_index(ds, session, moved);
}

static void configure_tunnel(struct datastore *ds, struct tunnel_entry *tunnel,
			     const struct tunnel *config)
{
	assert(config != NULL || tunnel->configured_sessions == 0);
	tunnel_unindex(ds, tunnel);
	tunnel->entry.configured = config != NULL;
	tunnel->config = config != NULL ? *config : (struct tunnel){0};
	tunnel_index(ds, tunnel);
}

struct entry *datastore_configure(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id,
				  const void *config)
{
	struct entry *entry = config != NULL ? datastore_reserve(ds, tunnel_id, session_id)
					     : datastore_entry(ds, tunnel_id, session_id);

	if (entry == NULL)
		return NULL;
	if (session_id != 0)
		configure_session(ds, entry_session(entry), config);
	else
		configure_tunnel(ds, entry_tunnel(entry), config);
	return keep_or_drop(ds, entry);
}

static void observe_session(struct datastore *ds, struct session_entry *session,
			    const struct session *actual)
{
	bool moved =
		session_unindex(ds, session, session->entry.configured ? &session->config : actual);

	session->entry.in_kernel = actual != NULL;
	session->actual = actual != NULL ? *actual : (struct session){0};
	session_index(ds, session, moved);
}

static void observe_tunnel(struct datastore *ds, struct tunnel_entry *tunnel,
			   const struct tunnel *actual)
{
	tunnel_unindex(ds, tunnel);
	tunnel->entry.in_kernel = actual != NULL;
	tunnel->actual = actual != NULL ? *actual : (struct tunnel){0};
	tunnel_index(ds, tunnel);
}

struct entry *datastore_observe(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id,
				const void *actual)
{
	struct entry *entry = actual != NULL ? datastore_reserve(ds, tunnel_id, session_id)
					     : datastore_entry(ds, tunnel_id, session_id);

	if (entry == NULL)
		return NULL;
	if (session_id != 0)
		observe_session(ds, entry_session(entry), actual);
	else
		observe_tunnel(ds, entry_tunnel(entry), actual);
	return keep_or_drop(ds, entry);
}

void datastore_set_index(struct datastore *ds, struct session_entry *session, unsigned int index)
{
	if (session->state.if_index == index)
		return;
	ds->changes++;
	if (session->state.if_index != 0)
		RB_REMOVE(session_index_tree, &ds->indexes, session);
	session->state.if_index = index;
	if (index != 0)
		RB_INSERT(session_index_tree, &ds->indexes, session);
}

void datastore_hold(struct datastore *ds, struct entry *entry, bool held)
{
	entry->held = held;
	entry->unlinked = false;
	keep_or_drop(ds, entry);
}

bool datastore_set_status(struct datastore *ds, struct entry *entry, enum oper_status status,
			  enum status_reason reason, int os_errno, int64_t now)
{
	struct state *state = entry_state(entry);
	size_t *up = entry->key.session_id == 0 ? &ds->tunnels_up : &ds->sessions_up;
	bool changed = state->oper_status != status;

	*up -= state->oper_status == OPER_UP;
	*up += status == OPER_UP;
	state->oper_status = (uint8_t)status;
	state->status_reason = (uint8_t)reason;
	state->status_errno = (int16_t)os_errno;
	if (changed)
		state->last_change = now;
	return changed;
}
