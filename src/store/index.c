#include "store/index.h"

#include <string.h>

#include "model/table.h"

/* Keys of the trees. Where two may be equal for a moment the ids decide. */

struct session_key {
	uint32_t session_id, tunnel_id;
};

struct name_key {
	const char *name;
	struct session_key ids;
};

struct index_key {
	unsigned int index;
	struct session_key ids;
};

struct endpoint_key {
	struct endpoint endpoint;
	uint32_t tunnel_id;
};

static int compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static struct session_key key_of_session(const struct session_entry *session)
{
	return (struct session_key){session->entry.key.session_id, session->entry.key.tunnel_id};
}

static struct name_key key_of_name(const struct session_entry *session)
{
	return (struct name_key){session_name_in(session, session_name_layer(session)),
				 key_of_session(session)};
}

static struct name_key key_of_name_change(const struct change *change)
{
	const struct session_entry *session = entry_session(change->entry);

	return (struct name_key){session_name_in(session, LAYER_TOP), key_of_session(session)};
}

static struct index_key key_of_index(const struct session_entry *session)
{
	return (struct index_key){session->state.if_index, key_of_session(session)};
}

static struct endpoint_key key_of_endpoint_in(const struct tunnel_entry *tunnel, enum layer layer)
{
	struct endpoint_key key = {.tunnel_id = tunnel->entry.key.tunnel_id};

	tunnel_endpoint_in(tunnel, layer, &key.endpoint);
	return key;
}

static struct endpoint_key key_of_endpoint(const struct tunnel_entry *tunnel)
{
	return key_of_endpoint_in(tunnel, tunnel_endpoint_layer(tunnel));
}

static struct endpoint_key key_of_endpoint_change(const struct change *change)
{
	return key_of_endpoint_in(entry_tunnel(change->entry), LAYER_TOP);
}

static int compare_ids(struct session_key a, struct session_key b)
{
	int order = compare_u32(a.session_id, b.session_id);

	return order != 0 ? order : compare_u32(a.tunnel_id, b.tunnel_id);
}

static int compare_names(struct name_key a, struct name_key b)
{
	int order = strcmp(a.name, b.name);

	return order != 0 ? order : compare_ids(a.ids, b.ids);
}

static int compare_indexes(struct index_key a, struct index_key b)
{
	int order = compare_u32(a.index, b.index);

	return order != 0 ? order : compare_ids(a.ids, b.ids);
}

static int compare_endpoints(struct endpoint_key a, struct endpoint_key b)
{
	int order = memcmp(&a.endpoint.address, &b.endpoint.address, sizeof(struct address));

	if (order == 0)
		order = compare_u32(a.endpoint.port, b.endpoint.port);
	return order != 0 ? order : compare_u32(a.tunnel_id, b.tunnel_id);
}

/* <bsd/sys/tree.h> orders two entries; a look-up should not need to make an entry. */
#define TREE(prefix, tree, type, field, key_type, compare, key_of)                                 \
	static int prefix##_order(const struct type *a, const struct type *b)                      \
	{                                                                                          \
		return compare(key_of(a), key_of(b));                                              \
	}                                                                                          \
	RB_GENERATE(tree, type, field, prefix##_order)                                             \
	static struct type *prefix##_from(const struct tree *head, key_type key)                   \
	{                                                                                          \
		struct type *at = RB_ROOT(head), *found = NULL;                                    \
                                                                                                   \
		while (at) {                                                                       \
			if (compare(key_of(at), key) >= 0) {                                       \
				found = at;                                                        \
				at = RB_LEFT(at, field);                                           \
			} else {                                                                   \
				at = RB_RIGHT(at, field);                                          \
			}                                                                          \
		}                                                                                  \
		return found;                                                                      \
	}

#define TUNNEL_KEY(tunnel)   ((tunnel)->entry.key.tunnel_id)
#define SESSION_KEY(session) ((session)->entry.key.session_id)

TREE(tunnels, tunnel_tree, tunnel_entry, link, uint32_t, compare_u32, TUNNEL_KEY)
TREE(sessions, session_tree, session_entry, link, uint32_t, compare_u32, SESSION_KEY)
TREE(ids, session_id_tree, session_entry, by_id, struct session_key, compare_ids, key_of_session)
TREE(names, session_name_tree, session_entry, by_name, struct name_key, compare_names, key_of_name)
TREE(indexes, session_index_tree, session_entry, by_index, struct index_key, compare_indexes,
     key_of_index)
TREE(endpoints, endpoint_tree, tunnel_entry, by_endpoint, struct endpoint_key, compare_endpoints,
     key_of_endpoint)
TREE(top_names, name_change_tree, change, by_claim, struct name_key, compare_names,
     key_of_name_change)
TREE(top_endpoints, endpoint_change_tree, change, by_claim, struct endpoint_key, compare_endpoints,
     key_of_endpoint_change)

/*
 * Handing out. Some of an entry's state depends on the layer. It is corrected here, for correcting
 * all entries when a layer is published would take too long.
 */

static struct tunnel_entry *hand_tunnel(struct tunnel_entry *tunnel)
{
	if (!tunnel)
		return NULL;
	if (tunnel->entry.change)
		entry_put_origin(&tunnel->entry);
	tunnel->state.session_count = tunnel_counts(tunnel)->sessions;
	return tunnel;
}

static struct session_entry *hand_session(struct session_entry *session)
{
	if (session && session->entry.change)
		entry_put_origin(&session->entry);
	return session;
}

static bool is_shown(const struct session_entry *session)
{
	return session->entry.layers & LAYER_BIT(datastore_layer(session->tunnel->store));
}

/* Walking: what both layers show, and what one layer alone shows */

static struct tunnel_entry *lesser_tunnel(struct tunnel_entry *a, struct tunnel_entry *b)
{
	return hand_tunnel(!a || (b && TUNNEL_KEY(b) < TUNNEL_KEY(a)) ? b : a);
}

static struct session_entry *lesser_session(struct session_entry *a, struct session_entry *b)
{
	return hand_session(!a || (b && SESSION_KEY(b) < SESSION_KEY(a)) ? b : a);
}

struct tunnel_entry *index_tunnel_from(const struct datastore *ds, enum layer layer,
				       uint32_t tunnel_id)
{
	return lesser_tunnel(tunnels_from(&ds->tunnels, tunnel_id),
			     tunnels_from(&ds->only[layer], tunnel_id));
}

/*
 * Most look-ups are of the session that was found last, or of the one after it. That with the least
 * id >= @session_id in its tree, if it is one of the two; NULL: not known without a search.
 */
static struct session_entry *near_recent(const struct tunnel_entry *tunnel, uint32_t session_id)
{
	struct session_entry *at = tunnel->store->recent;

	if (!at || at->tunnel != tunnel || at->entry.layers == 0 || SESSION_KEY(at) > session_id)
		return NULL;
	if (SESSION_KEY(at) < session_id)
		at = RB_NEXT(session_tree, NULL, at);
	return at && SESSION_KEY(at) >= session_id ? at : NULL;
}

struct session_entry *index_session_from(const struct tunnel_entry *tunnel, enum layer layer,
					 uint32_t session_id)
{
	struct session_entry *near = near_recent(tunnel, session_id), *found;
	unsigned int layers = near ? near->entry.layers : 0;

	if (near && SESSION_KEY(near) == session_id && layers & LAYER_BIT(layer))
		found = hand_session(near);
	else
		found = lesser_session(
			layers == LAYERS_ALL ? near : sessions_from(&tunnel->sessions, session_id),
			layers == LAYER_BIT(layer)
				? near
				: sessions_from(&tunnel->only[layer], session_id));
	if (found)
		tunnel->store->recent = found;
	return found;
}

/* The one after @at in the tree of those in @layers, which may be its own. */
static struct tunnel_entry *tunnel_after(const struct tunnel_tree *tree, unsigned int layers,
					 const struct tunnel_entry *at)
{
	if (at->entry.layers == layers)
		return RB_NEXT(tunnel_tree, NULL, (struct tunnel_entry *)(uintptr_t)at);
	return TUNNEL_KEY(at) < ID_MAX ? tunnels_from(tree, TUNNEL_KEY(at) + 1) : NULL;
}

struct tunnel_entry *index_tunnel_next(const struct tunnel_entry *tunnel, enum layer layer)
{
	const struct datastore *ds = tunnel->store;

	return lesser_tunnel(tunnel_after(&ds->tunnels, LAYERS_ALL, tunnel),
			     tunnel_after(&ds->only[layer], LAYER_BIT(layer), tunnel));
}

static struct session_entry *session_after(const struct session_tree *tree, unsigned int layers,
					   const struct session_entry *at)
{
	if (at->entry.layers == layers)
		return RB_NEXT(session_tree, NULL, (struct session_entry *)(uintptr_t)at);
	return SESSION_KEY(at) < ID_MAX ? sessions_from(tree, SESSION_KEY(at) + 1) : NULL;
}

struct session_entry *index_session_next(const struct session_entry *session, enum layer layer)
{
	const struct tunnel_entry *tunnel = session->tunnel;

	return lesser_session(session_after(&tunnel->sessions, LAYERS_ALL, session),
			      session_after(&tunnel->only[layer], LAYER_BIT(layer), session));
}

struct tunnel_entry *datastore_tunnel_from(const struct datastore *ds, uint32_t tunnel_id)
{
	return index_tunnel_from(ds, datastore_layer(ds), tunnel_id);
}

struct session_entry *tunnel_session_from(const struct tunnel_entry *tunnel, uint32_t session_id)
{
	return index_session_from(tunnel, datastore_layer(tunnel->store), session_id);
}

struct tunnel_entry *tunnel_next(const struct tunnel_entry *tunnel)
{
	return index_tunnel_next(tunnel, datastore_layer(tunnel->store));
}

struct session_entry *session_next(const struct session_entry *session)
{
	return index_session_next(session, datastore_layer(session->tunnel->store));
}

struct entry *datastore_entry_from(const struct datastore *ds, uint32_t tunnel_id,
				   uint32_t session_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel_from(ds, tunnel_id);
	struct session_entry *session;

	if (!tunnel || TUNNEL_KEY(tunnel) != tunnel_id || session_id == 0)
		return tunnel ? &tunnel->entry : NULL;
	session = tunnel_session_from(tunnel, session_id);
	if (session)
		return &session->entry;
	tunnel = tunnel_next(tunnel);
	return tunnel ? &tunnel->entry : NULL;
}

struct entry *entry_next(const struct entry *entry)
{
	struct tunnel_entry *tunnel = entry_tunnel_of(entry);
	struct session_entry *next = entry->key.session_id ? session_next(entry_session(entry))
							   : tunnel_session_from(tunnel, 0);

	if (next)
		return &next->entry;
	tunnel = tunnel_next(tunnel);
	return tunnel ? &tunnel->entry : NULL;
}

/* Exact look-ups */

struct tunnel_entry *datastore_tunnel(const struct datastore *ds, uint32_t tunnel_id)
{
	struct tunnel_entry *found = datastore_tunnel_from(ds, tunnel_id);

	return found && TUNNEL_KEY(found) == tunnel_id ? found : NULL;
}

struct session_entry *datastore_session(const struct datastore *ds, uint32_t tunnel_id,
					uint32_t session_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel(ds, tunnel_id);
	struct session_entry *found = tunnel ? tunnel_session_from(tunnel, session_id) : NULL;

	return found && SESSION_KEY(found) == session_id ? found : NULL;
}

struct entry *datastore_entry(const struct datastore *ds, uint32_t tunnel_id, uint32_t session_id)
{
	struct tunnel_entry *tunnel;
	struct session_entry *session;

	if (session_id != 0) {
		session = datastore_session(ds, tunnel_id, session_id);
		return session ? &session->entry : NULL;
	}
	tunnel = datastore_tunnel(ds, tunnel_id);
	return tunnel ? &tunnel->entry : NULL;
}

struct tunnel_entry *index_tunnel(const struct datastore *ds, uint32_t tunnel_id)
{
	const struct tunnel_tree *trees[] = {&ds->tunnels, &ds->only[LAYER_BASE],
					     &ds->only[LAYER_TOP]};
	struct tunnel_entry *found;

	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		found = tunnels_from(trees[i], tunnel_id);
		if (found && TUNNEL_KEY(found) == tunnel_id)
			return found;
	}
	return NULL;
}

struct session_entry *index_session(const struct tunnel_entry *tunnel, uint32_t session_id)
{
	const struct session_tree *trees[] = {&tunnel->sessions, &tunnel->only[LAYER_BASE],
					      &tunnel->only[LAYER_TOP]};
	struct session_entry *found = near_recent(tunnel, session_id);

	bool is_it = found && SESSION_KEY(found) == session_id;

	for (size_t i = 0; !is_it && i < sizeof(trees) / sizeof(trees[0]); i++) {
		found = sessions_from(trees[i], session_id);
		is_it = found && SESSION_KEY(found) == session_id;
	}
	if (is_it)
		tunnel->store->recent = found;
	return is_it ? found : NULL;
}

/* By session id */

static struct session_entry *shown_id_from(const struct datastore *ds, struct session_key key)
{
	struct session_entry *both = ids_from(&ds->ids, key),
			     *one = ids_from(&ds->only_ids[datastore_layer(ds)], key);

	return hand_session(!both || (one && ids_order(one, both) < 0) ? one : both);
}

static struct session_entry *of_id(struct session_entry *session, uint32_t session_id)
{
	return session && SESSION_KEY(session) == session_id ? session : NULL;
}

struct session_entry *datastore_session_by_id(const struct datastore *ds, uint32_t session_id)
{
	return of_id(shown_id_from(ds, (struct session_key){session_id, 0}), session_id);
}

struct session_entry *session_same_id(const struct session_entry *session)
{
	struct session_key key = key_of_session(session);

	if (key.tunnel_id++ == ID_MAX)
		return NULL;
	return of_id(shown_id_from(session->tunnel->store, key), key.session_id);
}

/* Of several with one id the configured one; @first is the first of them. */
static struct session_entry *choose_of_id(struct session_entry *first)
{
	struct session_entry *at = first;

	while (at && !session_config(at))
		at = session_same_id(at);
	return at ? at : first;
}

struct session_entry *datastore_id_from(const struct datastore *ds, uint32_t session_id)
{
	return choose_of_id(shown_id_from(ds, (struct session_key){session_id, 0}));
}

/* The first of the next id in the tree of those in @layers, which may be the session's own. */
static struct session_entry *id_after(const struct session_id_tree *tree, unsigned int layers,
				      const struct session_entry *session)
{
	uint32_t id = SESSION_KEY(session);
	struct session_entry *at = (struct session_entry *)(uintptr_t)session;

	if (session->entry.layers != layers)
		return id < ID_MAX ? ids_from(tree, (struct session_key){id + 1, 0}) : NULL;
	do
		at = RB_NEXT(session_id_tree, NULL, at);
	while (at && SESSION_KEY(at) == id);
	return at;
}

struct session_entry *datastore_id_next(const struct session_entry *session)
{
	const struct datastore *ds = session->tunnel->store;
	enum layer layer = datastore_layer(ds);
	struct session_entry *both = id_after(&ds->ids, LAYERS_ALL, session),
			     *one = id_after(&ds->only_ids[layer], LAYER_BIT(layer), session);

	return choose_of_id(hand_session(!both || (one && ids_order(one, both) < 0) ? one : both));
}

/*
 * By name, and by endpoint: first the entries indexed under it, if the published layer agrees;
 * then those whose change is indexed under it.
 */

static struct session_entry *own_named(struct session_entry *at, const char *name)
{
	while (at && strcmp(key_of_name(at).name, name) == 0) {
		if (strcmp(session_name(at), name) == 0)
			return hand_session(at);
		at = RB_NEXT(session_name_tree, NULL, at);
	}
	return NULL;
}

static struct session_entry *top_named(const struct change *at, const char *name)
{
	if (!at || strcmp(key_of_name_change(at).name, name) != 0)
		return NULL;
	return hand_session(entry_session(at->entry));
}

static struct session_entry *first_top_named(const struct datastore *ds, const char *name)
{
	return ds->published
		       ? top_named(top_names_from(&ds->top_names, (struct name_key){.name = name}),
				   name)
		       : NULL;
}

/* Is it found by what only the top layer says of it? */
static bool is_by_change(const struct entry *entry)
{
	return entry->change && entry->change->indexed && entry_tunnel_of(entry)->store->published;
}

struct session_entry *datastore_named(const struct datastore *ds, const char *name)
{
	struct session_entry *found =
		own_named(names_from(&ds->names, (struct name_key){.name = name}), name);

	return found ? found : first_top_named(ds, name);
}

struct session_entry *session_same_name(const struct session_entry *session)
{
	const char *name = session_name(session);
	struct session_entry *next;

	if (is_by_change(&session->entry))
		return top_named(RB_NEXT(name_change_tree, NULL, session->entry.change), name);
	next = own_named(
		RB_NEXT(session_name_tree, NULL, (struct session_entry *)(uintptr_t)session), name);
	return next ? next : first_top_named(session->tunnel->store, name);
}

struct session_entry *datastore_session_by_name(const struct datastore *ds, const char *name)
{
	struct session_entry *found = datastore_named(ds, name);

	while (found && !session_config(found))
		found = session_same_name(found);
	return found;
}

bool index_has_name(const struct datastore *ds, const char *name)
{
	const struct session_entry *own = names_from(&ds->names, (struct name_key){.name = name});
	const struct change *top = top_names_from(&ds->top_names, (struct name_key){.name = name});

	return (own && strcmp(key_of_name(own).name, name) == 0) ||
	       (top && strcmp(key_of_name_change(top).name, name) == 0);
}

static bool is_endpoint(const struct tunnel_entry *tunnel, enum layer layer,
			const struct endpoint *endpoint)
{
	struct endpoint own;

	return tunnel_endpoint_in(tunnel, layer, &own) && own.port == endpoint->port &&
	       memcmp(&own.address, &endpoint->address, sizeof(own.address)) == 0;
}

static struct tunnel_entry *own_bound(struct tunnel_entry *at, const struct endpoint *endpoint)
{
	while (at && is_endpoint(at, tunnel_endpoint_layer(at), endpoint)) {
		if (is_endpoint(at, datastore_layer(at->store), endpoint))
			return hand_tunnel(at);
		at = RB_NEXT(endpoint_tree, NULL, at);
	}
	return NULL;
}

static struct tunnel_entry *top_bound(const struct change *at, const struct endpoint *endpoint)
{
	return at && is_endpoint(entry_tunnel(at->entry), LAYER_TOP, endpoint)
		       ? hand_tunnel(entry_tunnel(at->entry))
		       : NULL;
}

static struct tunnel_entry *first_top_bound(const struct datastore *ds,
					    const struct endpoint *endpoint)
{
	return ds->published ? top_bound(top_endpoints_from(&ds->top_endpoints,
							    (struct endpoint_key){*endpoint, 0}),
					 endpoint)
			     : NULL;
}

struct tunnel_entry *datastore_bound(const struct datastore *ds, const struct address *address,
				     uint16_t port)
{
	struct endpoint endpoint = {*address, port};
	struct tunnel_entry *found = own_bound(
		endpoints_from(&ds->endpoints, (struct endpoint_key){endpoint, 0}), &endpoint);

	return found ? found : first_top_bound(ds, &endpoint);
}

struct tunnel_entry *tunnel_same_endpoint(const struct tunnel_entry *tunnel)
{
	struct tunnel_entry *next;
	struct endpoint endpoint;

	tunnel_endpoint_in(tunnel, datastore_layer(tunnel->store), &endpoint);
	if (is_by_change(&tunnel->entry))
		return top_bound(RB_NEXT(endpoint_change_tree, NULL, tunnel->entry.change),
				 &endpoint);
	next = own_bound(RB_NEXT(endpoint_tree, NULL, (struct tunnel_entry *)(uintptr_t)tunnel),
			 &endpoint);
	return next ? next : first_top_bound(tunnel->store, &endpoint);
}

/* By index of the interface */

struct session_entry *datastore_index_from(const struct datastore *ds, unsigned int index)
{
	struct session_entry *at = indexes_from(&ds->indexes, (struct index_key){.index = index});

	while (at && !is_shown(at))
		at = RB_NEXT(session_index_tree, NULL, at);
	return hand_session(at);
}

struct session_entry *datastore_session_by_index(const struct datastore *ds, unsigned int index)
{
	struct session_entry *found = index != 0 ? datastore_index_from(ds, index) : NULL;

	return found && found->state.if_index == index ? found : NULL;
}
