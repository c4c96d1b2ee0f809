#include "store/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "model/table.h"

static void stand_configured(struct standing *standing, unsigned int layers,
			     const struct session *config)
{
	bool ppp = config->present & BIT(SESSION_PSEUDOWIRE_TYPE) &&
		   config->pseudowire_type == PSEUDOWIRE_PPP;

	if (!ppp && config->interface_name[0] == '\0')
		standing->nameless |= layers;
	if (config->dead_interval != 0)
		standing->watched |= layers;
}

/* In each layer, but at once when both are alike. */
static struct standing standing_of(const struct entry *entry)
{
	unsigned int known = entry->in_kernel || entry->held ? LAYERS_ALL : 0;
	struct standing standing = {0};

	for (enum layer layer = LAYER_BASE; layer < LAYERS; layer++) {
		unsigned int layers = entry->change ? LAYER_BIT(layer) : LAYERS_ALL;
		const union config *config = entry_config_in(entry, layer);

		if (config)
			standing.configured |= layers;
		if (config && entry->key.session_id != 0)
			stand_configured(&standing, layers, &config->session);
		if (layers == LAYERS_ALL)
			break;
	}
	standing.shown = known | standing.configured;
	standing.status = entry_state(entry)->oper_status;
	standing.reason = entry_state(entry)->status_reason;
	return standing;
}

/* +1 when the bit came, -1 when it went. */
static size_t difference(unsigned int before, unsigned int after, enum layer layer)
{
	return (size_t)(after >> layer & 1) - (before >> layer & 1);
}

/* Unsigned: -1 takes it out. */
static void count_status(struct datastore *ds, enum object object, const struct standing *standing,
			 uint32_t step)
{
	for (enum layer layer = LAYER_BASE; layer < LAYERS; layer++)
		if (standing->shown & LAYER_BIT(layer))
			ds->counts[layer].by_status[object][standing->configured >> layer & 1]
						   [standing->status][standing->reason] += step;
}

static void count_session(struct tunnel_entry *tunnel, const struct standing *old,
			  const struct standing *new)
{
	count_status(tunnel->store, OBJECT_SESSION, old, UINT32_MAX);
	count_status(tunnel->store, OBJECT_SESSION, new, 1);
	for (enum layer layer = LAYER_BASE; layer < LAYERS; layer++) {
		struct datastore_counts *all = &tunnel->store->counts[layer];
		struct tunnel_counts *own = &tunnel->counts[layer];

		all->session_count += difference(old->shown, new->shown, layer);
		all->configured_sessions += difference(old->configured, new->configured, layer);
		all->nameless += difference(old->nameless, new->nameless, layer);
		own->sessions += (uint32_t)difference(old->shown, new->shown, layer);
		own->configured += (uint32_t)difference(old->configured, new->configured, layer);
		own->watched += (uint32_t)difference(old->watched, new->watched, layer);
	}
}

static void count_tunnel(struct datastore *ds, const struct standing *old,
			 const struct standing *new)
{
	count_status(ds, OBJECT_TUNNEL, old, UINT32_MAX);
	count_status(ds, OBJECT_TUNNEL, new, 1);
	for (enum layer layer = LAYER_BASE; layer < LAYERS; layer++) {
		struct datastore_counts *all = &ds->counts[layer];

		all->tunnel_count += difference(old->shown, new->shown, layer);
		all->configured_tunnels += difference(old->configured, new->configured, layer);
	}
}

/*
 * Whoever has noted the entry must learn that it is about to be freed. It was in @layers; a commit
 * that came to nothing had it in the top layer alone.
 */
static void tell_dropped(struct datastore *ds, const struct entry *entry, unsigned int layers)
{
	if (ds->dropped)
		ds->dropped(entry, layers & LAYER_BIT(LAYER_BASE), ds->dropped_arg);
}

/* Tunnels */

static void tunnel_drop(struct datastore *ds, struct tunnel_entry *tunnel, unsigned int layers)
{
	tell_dropped(ds, &tunnel->entry, layers);
	free(tunnel);
}

/* A tunnel is shown for its sessions' sake, too. */
static struct standing tunnel_standing(const struct tunnel_entry *tunnel)
{
	struct standing standing = standing_of(&tunnel->entry);

	if (!RB_EMPTY(&tunnel->sessions))
		standing.shown |= LAYERS_ALL;
	for (enum layer layer = LAYER_BASE; layer < LAYERS; layer++)
		if (!RB_EMPTY(&tunnel->only[layer]))
			standing.shown |= LAYER_BIT(layer);
	return standing;
}

static void note_tunnel(const struct tunnel_entry *tunnel, struct tunnel_place *ret)
{
	struct change *change = tunnel->entry.change;

	ret->standing = tunnel_standing(tunnel);
	ret->bound = tunnel_endpoint_in(tunnel, tunnel_endpoint_layer(tunnel), &ret->endpoint);
	ret->indexed = change && change->indexed ? change : NULL;
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

static void index_tunnel_again(struct datastore *ds, struct tunnel_entry *tunnel,
			       const struct tunnel_place *old, const struct tunnel_place *new)
{
	struct change *change = tunnel->entry.change;
	struct endpoint top;

	if (old->indexed) {
		RB_REMOVE(endpoint_change_tree, &ds->top_endpoints, old->indexed);
		old->indexed->indexed = false;
	}
	if (old->bound != new->bound ||
	    (new->bound && !same_endpoint(&old->endpoint, &new->endpoint))) {
		if (old->bound)
			RB_REMOVE(endpoint_tree, &ds->endpoints, tunnel);
		if (new->bound)
			RB_INSERT(endpoint_tree, &ds->endpoints, tunnel);
	}
	if (change && tunnel_endpoint_in(tunnel, LAYER_TOP, &top) &&
	    !same_endpoint(&top, &new->endpoint)) {
		change->indexed = true;
		RB_INSERT(endpoint_change_tree, &ds->top_endpoints, change);
	}
}

static struct tunnel_tree *tree_of_tunnels(struct datastore *ds, unsigned int layers)
{
	return layers == LAYERS_ALL ? &ds->tunnels
	       : layers != 0        ? &ds->only[layers == LAYER_BIT(LAYER_TOP)]
				    : NULL;
}

static void move_tunnel(struct datastore *ds, struct tunnel_entry *tunnel, unsigned int layers)
{
	struct tunnel_tree *from = tree_of_tunnels(ds, tunnel->entry.layers),
			   *to = tree_of_tunnels(ds, layers);

	if (from)
		RB_REMOVE(tunnel_tree, from, tunnel);
	if (to)
		RB_INSERT(tunnel_tree, to, tunnel);
	tunnel->entry.layers = (uint8_t)layers;
}

/* Its sessions have changed: the tunnel may appear or go with them. */
static void place_with_sessions(struct tunnel_entry *tunnel)
{
	unsigned int layers = tunnel->entry.layers;
	struct standing new = tunnel_standing(tunnel), old = new;

	if (new.shown == layers)
		return;
	old.shown = layers;
	count_tunnel(tunnel->store, &old, &new);
	move_tunnel(tunnel->store, tunnel, new.shown);
	if (new.shown != 0 || tunnel->entry.change)
		entry_put_origin(&tunnel->entry);
	else
		tunnel_drop(tunnel->store, tunnel, layers);
}

/* Returns false when nothing kept it, and it is gone. */
static bool place_tunnel(struct tunnel_entry *tunnel, const struct tunnel_place *old)
{
	struct datastore *ds = tunnel->store;
	struct tunnel_place new;

	ds->changes++;
	note_tunnel(tunnel, &new);
	count_tunnel(ds, &old->standing, &new.standing);
	index_tunnel_again(ds, tunnel, old, &new);
	if (new.standing.shown != tunnel->entry.layers)
		move_tunnel(ds, tunnel, new.standing.shown);
	if (new.standing.shown != 0 || tunnel->entry.change) {
		entry_put_origin(&tunnel->entry);
		return true;
	}
	tunnel_drop(ds, tunnel, old->standing.shown);
	return false;
}

/* Sessions */

static void note_name(const char *name, char ret[IFNAME_LENGTH + 1])
{
	memcpy(ret, name, strlen(name) + 1);
}

static void note_session(const struct session_entry *session, struct session_place *ret)
{
	struct change *change = session->entry.change;

	ret->standing = standing_of(&session->entry);
	note_name(session_name_in(session, session_name_layer(session)), ret->name);
	ret->indexed = change && change->indexed ? change : NULL;
	note_name(ret->indexed ? session_name_in(session, LAYER_TOP) : "", ret->top);
}

/* A name has left an index: if it was the last of that name, free the name. */
static void free_name(struct datastore *ds, const char *name)
{
	if (name_pool_has(&ds->pool, name) && !index_has_name(ds, name))
		name_pool_remove(&ds->pool, name);
}

static void index_session_again(struct datastore *ds, struct session_entry *session,
				const struct session_place *old, const struct session_place *new)
{
	struct change *change = session->entry.change;
	const char *top = change ? session_name_in(session, LAYER_TOP) : "";
	bool moved = strcmp(old->name, new->name) != 0;

	if (old->indexed) {
		RB_REMOVE(name_change_tree, &ds->top_names, old->indexed);
		old->indexed->indexed = false;
	}
	if (moved && *old->name != '\0')
		RB_REMOVE(session_name_tree, &ds->names, session);
	if (moved && *new->name != '\0') {
		RB_INSERT(session_name_tree, &ds->names, session);
		(void)name_pool_add(&ds->pool, new->name); /* the indexes are asked too */
	}
	if (*top != '\0' && strcmp(top, new->name) != 0) {
		change->indexed = true;
		RB_INSERT(name_change_tree, &ds->top_names, change);
		(void)name_pool_add(&ds->pool, top);
	}
	if (moved && *old->name != '\0')
		free_name(ds, old->name);
	if (old->indexed)
		free_name(ds, old->top);
}

static struct session_tree *tree_of_sessions(struct tunnel_entry *tunnel, unsigned int layers)
{
	return layers == LAYERS_ALL ? &tunnel->sessions
				    : &tunnel->only[layers == LAYER_BIT(LAYER_TOP)];
}

static struct session_id_tree *tree_of_ids(struct datastore *ds, unsigned int layers)
{
	return layers == LAYERS_ALL ? &ds->ids : &ds->only_ids[layers == LAYER_BIT(LAYER_TOP)];
}

/* Its tunnel may come or go with it: the caller sees to that. */
static void move_session(struct session_entry *session, unsigned int layers)
{
	struct tunnel_entry *tunnel = session->tunnel;
	unsigned int old = session->entry.layers;

	if (old != 0) {
		RB_REMOVE(session_tree, tree_of_sessions(tunnel, old), session);
		RB_REMOVE(session_id_tree, tree_of_ids(tunnel->store, old), session);
	}
	if (layers != 0) {
		RB_INSERT(session_tree, tree_of_sessions(tunnel, layers), session);
		RB_INSERT(session_id_tree, tree_of_ids(tunnel->store, layers), session);
	}
	session->entry.layers = (uint8_t)layers;
}

void datastore_set_index(struct datastore *ds, struct session_entry *session, unsigned int index)
{
	if (session->state.if_index == index)
		return;
	ds->changes++;
	ds->unindexed -= lacks_index(session);
	if (session->state.if_index != 0)
		RB_REMOVE(session_index_tree, &ds->indexes, session);
	session->state.if_index = index;
	if (index != 0)
		RB_INSERT(session_index_tree, &ds->indexes, session);
	ds->unindexed += lacks_index(session);
}

static void session_drop(struct datastore *ds, struct session_entry *session, unsigned int layers)
{
	datastore_set_index(ds, session, 0);
	if (ds->recent == session)
		ds->recent = NULL;
	tell_dropped(ds, &session->entry, layers);
	config_drop(session->actual);
	if (session->saved)
		ds->free_saved(session->saved);
	wipe_free(session, sizeof(*session));
}

/* Returns false when nothing kept it, and it is gone. */
static bool place_session(struct session_entry *session, const struct session_place *old)
{
	struct tunnel_entry *tunnel = session->tunnel;
	struct datastore *ds = tunnel->store;
	struct session_place new;
	bool kept;

	ds->changes++;
	note_session(session, &new);
	kept = new.standing.shown != 0 || session->entry.change;
	count_session(tunnel, &old->standing, &new.standing);
	index_session_again(ds, session, old, &new);
	if (kept)
		entry_put_origin(&session->entry);
	if (kept && new.standing.shown == session->entry.layers)
		return true;
	move_session(session, new.standing.shown);
	if (!kept)
		session_drop(ds, session, old->standing.shown);
	place_with_sessions(tunnel);
	return kept;
}

/* Either */

void note_place(const struct entry *entry, union place *ret)
{
	if (entry->key.session_id == 0)
		note_tunnel(entry_tunnel(entry), &ret->tunnel);
	else
		note_session(entry_session(entry), &ret->session);
}

bool put_in_place(struct entry *entry, const union place *old)
{
	return entry->key.session_id == 0 ? place_tunnel(entry_tunnel(entry), &old->tunnel)
					  : place_session(entry_session(entry), &old->session);
}

static void step_status(const struct entry *entry, uint32_t step)
{
	struct standing standing = standing_of(entry);

	standing.shown = entry->layers; /* a tunnel's for its sessions' sake, too */
	count_status(entry_tunnel_of(entry)->store, entry_object(entry), &standing, step);
}

void discount_status(const struct entry *entry)
{
	step_status(entry, UINT32_MAX);
}

void recount_status(const struct entry *entry)
{
	step_status(entry, 1);
}
