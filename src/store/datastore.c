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

	return (tunnel->configured || tunnel->in_kernel) &&
	       tunnel_endpoint(tunnel->configured ? &tunnel->config : &tunnel->actual, &address,
			       &port);
}

static void tunnel_unindex(struct datastore *ds, struct tunnel_entry *tunnel)
{
	if (is_bound(tunnel))
		RB_REMOVE(endpoint_tree, &ds->endpoints, tunnel);
	ds->configured_tunnels -= tunnel->configured;
}

static void tunnel_index(struct datastore *ds, struct tunnel_entry *tunnel)
{
	if (is_bound(tunnel))
		RB_INSERT(endpoint_tree, &ds->endpoints, tunnel);
	ds->configured_tunnels += tunnel->configured;
}

static bool is_named(const struct session_entry *session)
{
	return (session->configured || session->in_kernel) && *session_name(session) != '\0';
}

static bool is_nameless(const struct session_entry *session)
{
	bool ppp = session->config.present & BIT(SESSION_PSEUDOWIRE_TYPE) &&
		   session->config.pseudowire_type == PSEUDOWIRE_PPP;

	return session->configured && !ppp && !is_named(session);
}

static bool is_watched(const struct session_entry *session)
{
	return session->configured && session->config.dead_interval != 0;
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
	ds->configured_sessions -= session->configured;
	session->tunnel->configured_sessions -= session->configured;
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
	ds->configured_sessions += session->configured;
	session->tunnel->configured_sessions += session->configured;
	session->tunnel->watched_sessions += is_watched(session);
}

/* Making and dropping entries */

static void state_init(struct state *state)
{
	state->oper_status = OPER_DOWN;
	state->status_reason = REASON_NONE;
	state->origin = ORIGIN_CONFIGURED;
}

struct tunnel_entry *datastore_reserve_tunnel(struct datastore *ds, uint32_t tunnel_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel(ds, tunnel_id);

	if (tunnel != NULL)
		return tunnel;
	tunnel = calloc(1, sizeof(*tunnel));
	if (tunnel == NULL)
		return NULL;
	tunnel->id = tunnel_id;
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

/* Drop the tunnel unless something keeps it: NULL then. */
static struct tunnel_entry *tunnel_settle(struct datastore *ds, struct tunnel_entry *tunnel)
{
	if (tunnel->configured || tunnel->in_kernel || tunnel->held ||
	    !RB_EMPTY(&tunnel->sessions)) {
		tunnel->state.common.origin =
			tunnel_is_foreign(tunnel) ? ORIGIN_FOREIGN : ORIGIN_CONFIGURED;
		return tunnel;
	}
	tunnel_drop(ds, tunnel);
	return NULL;
}

struct session_entry *datastore_reserve_session(struct datastore *ds, uint32_t tunnel_id,
						uint32_t session_id)
{
	struct tunnel_entry *tunnel = datastore_reserve_tunnel(ds, tunnel_id);
	struct session_entry *session =
		tunnel != NULL ? tunnel_session_from(tunnel, session_id) : NULL;

	if (tunnel == NULL || (session != NULL && session->id == session_id))
		return session;
	session = calloc(1, sizeof(*session));
	if (session == NULL) {
		tunnel_settle(ds, tunnel);
		return NULL;
	}
	session->tunnel = tunnel;
	session->id = session_id;
	state_init(&session->state.common);
	RB_INSERT(session_tree, &tunnel->sessions, session);
	RB_INSERT(session_id_tree, &ds->sessions, session);
	tunnel->state.session_count++;
	ds->session_count++;
	return session;
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

static struct session_entry *session_settle(struct datastore *ds, struct session_entry *session)
{
	struct tunnel_entry *tunnel = session->tunnel;

	if (session->configured || session->in_kernel || session->held) {
		session->state.common.origin =
			session_is_foreign(session) ? ORIGIN_FOREIGN : ORIGIN_CONFIGURED;
		return session;
	}
	session_drop(ds, session);
	tunnel_settle(ds, tunnel);
	return NULL;
}

void datastore_settle(struct datastore *ds, uint32_t tunnel_id, uint32_t session_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel(ds, tunnel_id);
	struct session_entry *session = datastore_session(ds, tunnel_id, session_id);

	if (session != NULL)
		session_settle(ds, session);
	else if (tunnel != NULL)
		tunnel_settle(ds, tunnel);
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

struct tunnel_entry *datastore_configure_tunnel(struct datastore *ds, uint32_t tunnel_id,
						const struct tunnel *config)
{
	struct tunnel_entry *tunnel = config != NULL ? datastore_reserve_tunnel(ds, tunnel_id)
						     : datastore_tunnel(ds, tunnel_id);

	if (tunnel == NULL)
		return NULL;
	assert(config != NULL || tunnel->configured_sessions == 0);
	tunnel_unindex(ds, tunnel);
	tunnel->configured = config != NULL;
	tunnel->config = config != NULL ? *config : (struct tunnel){0};
	tunnel_index(ds, tunnel);
	return tunnel_settle(ds, tunnel);
}

struct session_entry *datastore_configure_session(struct datastore *ds, uint32_t tunnel_id,
						  uint32_t session_id, const struct session *config)
{
	struct session_entry *session =
		config != NULL ? datastore_reserve_session(ds, tunnel_id, session_id)
			       : datastore_session(ds, tunnel_id, session_id);
	bool moved;

	if (session == NULL)
		return NULL;
	moved = session_unindex(ds, session,
				config == NULL && session->in_kernel ? &session->actual : config);
	session->configured = config != NULL;
	session->config = config != NULL ? *config : (struct session){0};
	session_index(ds, session, moved);
	return session_settle(ds, session);
}

struct tunnel_entry *datastore_observe_tunnel(struct datastore *ds, uint32_t tunnel_id,
					      const struct tunnel *actual)
{
	struct tunnel_entry *tunnel = actual != NULL ? datastore_reserve_tunnel(ds, tunnel_id)
						     : datastore_tunnel(ds, tunnel_id);

	if (tunnel == NULL)
		return NULL;
	tunnel_unindex(ds, tunnel);
	tunnel->in_kernel = actual != NULL;
	tunnel->actual = actual != NULL ? *actual : (struct tunnel){0};
	tunnel_index(ds, tunnel);
	return tunnel_settle(ds, tunnel);
}

struct session_entry *datastore_observe_session(struct datastore *ds, uint32_t tunnel_id,
						uint32_t session_id, const struct session *actual)
{
	struct session_entry *session =
		actual != NULL ? datastore_reserve_session(ds, tunnel_id, session_id)
			       : datastore_session(ds, tunnel_id, session_id);
	bool moved;

	if (session == NULL)
		return NULL;
	moved = session_unindex(ds, session, session->configured ? &session->config : actual);
	session->in_kernel = actual != NULL;
	session->actual = actual != NULL ? *actual : (struct session){0};
	session_index(ds, session, moved);
	return session_settle(ds, session);
}

void datastore_set_index(struct datastore *ds, struct session_entry *session, unsigned int index)
{
	if (session->state.if_index == index)
		return;
	if (session->state.if_index != 0)
		RB_REMOVE(session_index_tree, &ds->indexes, session);
	session->state.if_index = index;
	if (index != 0)
		RB_INSERT(session_index_tree, &ds->indexes, session);
}

void datastore_hold_tunnel(struct datastore *ds, struct tunnel_entry *tunnel, bool held)
{
	tunnel->held = held;
	tunnel_settle(ds, tunnel);
}

void datastore_hold_session(struct datastore *ds, struct session_entry *session, bool held)
{
	session->held = held;
	session->unlinked = false;
	session_settle(ds, session);
}

bool datastore_set_status(struct datastore *ds, struct state *state, bool is_tunnel,
			  enum oper_status status, enum status_reason reason, int os_errno,
			  int64_t now)
{
	size_t *up = is_tunnel ? &ds->tunnels_up : &ds->sessions_up;
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
