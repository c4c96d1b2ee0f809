/*
 * The trees of the datastore: private to the store. place.c
 * changes them, index.c orders and searches them.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "model/table.h"
#include "store/datastore.h"

RB_PROTOTYPE(tunnel_tree, tunnel_entry, link, )
RB_PROTOTYPE(session_tree, session_entry, link, )
RB_PROTOTYPE(session_id_tree, session_entry, by_id, )
RB_PROTOTYPE(session_name_tree, session_entry, by_name, )
RB_PROTOTYPE(session_index_tree, session_entry, by_index, )
RB_PROTOTYPE(endpoint_tree, tunnel_entry, by_endpoint, )
RB_PROTOTYPE(name_change_tree, change, by_claim, )
RB_PROTOTYPE(endpoint_change_tree, change, by_claim, )

struct endpoint {
	struct address address;
	uint16_t port;
};

/* Its configuration in a layer; NULL: not configured there. */
static inline const void *entry_config_in(const struct entry *entry, enum layer layer)
{
	return layer == LAYER_TOP && entry->change ? entry->change->after : entry->config;
}

/* What a layer shows of it: its configuration, else what was seen; NULL: neither. */
static inline const void *entry_shown_in(const struct entry *entry, enum layer layer)
{
	const void *config = entry_config_in(entry, layer);

	if (config || !entry->in_kernel)
		return config;
	return entry->key.session_id ? (const void *)entry_session(entry)->actual
				     : (const void *)&entry_tunnel(entry)->actual;
}

/* The name of its interface there; "" none. */
static inline const char *session_name_in(const struct session_entry *session, enum layer layer)
{
	const struct session *shown = entry_shown_in(&session->entry, layer);

	return shown && shown->present & BIT(SESSION_INTERFACE_NAME) ? shown->interface_name : "";
}

/* False: it binds none. */
static inline bool tunnel_endpoint_in(const struct tunnel_entry *tunnel, enum layer layer,
				      struct endpoint *ret)
{
	const struct tunnel *shown = entry_shown_in(&tunnel->entry, layer);

	return shown && tunnel_endpoint(shown, &ret->address, &ret->port);
}

/*
 * The layer by whose name or endpoint the entry itself is indexed: the base, or the top if the
 * base has none. If the top layer has another one, its change is indexed by that.
 */
static inline enum layer session_name_layer(const struct session_entry *session)
{
	return *session_name_in(session, LAYER_BASE) != '\0' ? LAYER_BASE : LAYER_TOP;
}

static inline enum layer tunnel_endpoint_layer(const struct tunnel_entry *tunnel)
{
	struct endpoint ignored;

	return tunnel_endpoint_in(tunnel, LAYER_BASE, &ignored) ? LAYER_BASE : LAYER_TOP;
}

/* Set the state's origin right for the published layer. */
void entry_put_origin(struct entry *entry);

/* Walks in a layer, published or not; see datastore.h. */
struct tunnel_entry *index_tunnel_from(const struct datastore *ds, enum layer layer,
				       uint32_t tunnel_id);
struct tunnel_entry *index_tunnel_next(const struct tunnel_entry *tunnel, enum layer layer);
struct session_entry *index_session_from(const struct tunnel_entry *tunnel, enum layer layer,
					 uint32_t session_id);
struct session_entry *index_session_next(const struct session_entry *session, enum layer layer);

/* In any layer; NULL: none. */
struct tunnel_entry *index_tunnel(const struct datastore *ds, uint32_t tunnel_id);
struct session_entry *index_session(const struct tunnel_entry *tunnel, uint32_t session_id);
bool index_has_name(const struct datastore *ds, const char *name);

#endif
