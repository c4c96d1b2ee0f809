#include "store/index.h"

#include <string.h>

#include "model/table.h"

/* Keys of the trees. Trees that may hold equals for a moment end in the ids. */

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
	struct address address;
	uint16_t port;
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
	return (struct name_key){session_name(session), key_of_session(session)};
}

static struct index_key key_of_index(const struct session_entry *session)
{
	return (struct index_key){session->state.if_index, key_of_session(session)};
}

static struct endpoint_key key_of_endpoint(const struct tunnel_entry *tunnel)
{
	struct endpoint_key key = {.tunnel_id = tunnel->entry.key.tunnel_id};

	tunnel_endpoint(tunnel->entry.configured ? &tunnel->config : &tunnel->actual, &key.address,
			&key.port);
	return key;
}

static int tunnel_against(const struct tunnel_entry *a, uint32_t tunnel_id)
{
	return compare_u32(a->entry.key.tunnel_id, tunnel_id);
}

static int session_against(const struct session_entry *a, uint32_t session_id)
{
	return compare_u32(a->entry.key.session_id, session_id);
}

static int id_against(const struct session_entry *a, struct session_key key)
{
	int order = compare_u32(a->entry.key.session_id, key.session_id);

	return order != 0 ? order : compare_u32(a->entry.key.tunnel_id, key.tunnel_id);
}

static int name_against(const struct session_entry *a, struct name_key key)
{
	int order = strcmp(session_name(a), key.name);

	return order != 0 ? order : id_against(a, key.ids);
}

static int index_against(const struct session_entry *a, struct index_key key)
{
	int order = compare_u32(a->state.if_index, key.index);

	return order != 0 ? order : id_against(a, key.ids);
}

static int endpoint_against(const struct tunnel_entry *a, struct endpoint_key key)
{
	struct endpoint_key own = key_of_endpoint(a);
	int order = memcmp(&own.address, &key.address, sizeof(own.address));

	if (order == 0)
		order = compare_u32(own.port, key.port);
	return order != 0 ? order : compare_u32(own.tunnel_id, key.tunnel_id);
}

/* What <bsd/sys/tree.h> wants is an order of two entries; a look-up should not need an entry. */
#define TREE(prefix, tree, type, field, key_type, against, key_of)                                 \
	static int prefix##_order(const struct type *a, const struct type *b)                      \
	{                                                                                          \
		return against(a, key_of(b));                                                      \
	}                                                                                          \
	RB_GENERATE(tree, type, field, prefix##_order)                                             \
	static struct type *prefix##_from(const struct tree *head, key_type key)                   \
	{                                                                                          \
		struct type *at = RB_ROOT(head), *found = NULL;                                    \
                                                                                                   \
		while (at != NULL) {                                                               \
			if (against(at, key) >= 0) {                                               \
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

TREE(tunnels, tunnel_tree, tunnel_entry, link, uint32_t, tunnel_against, TUNNEL_KEY)
TREE(sessions, session_tree, session_entry, link, uint32_t, session_against, SESSION_KEY)
TREE(ids, session_id_tree, session_entry, by_id, struct session_key, id_against, key_of_session)
TREE(names, session_name_tree, session_entry, by_name, struct name_key, name_against, key_of_name)
TREE(indexes, session_index_tree, session_entry, by_index, struct index_key, index_against,
     key_of_index)
TREE(endpoints, endpoint_tree, tunnel_entry, by_endpoint, struct endpoint_key, endpoint_against,
     key_of_endpoint)

/* Look-ups */

struct tunnel_entry *datastore_tunnel_from(const struct datastore *ds, uint32_t tunnel_id)
{
	return tunnels_from(&ds->tunnels, tunnel_id);
}

struct session_entry *tunnel_session_from(const struct tunnel_entry *tunnel, uint32_t session_id)
{
	return sessions_from(&tunnel->sessions, session_id);
}

struct session_entry *datastore_index_from(const struct datastore *ds, unsigned int index)
{
	return indexes_from(&ds->indexes, (struct index_key){.index = index});
}

struct tunnel_entry *tunnel_next(const struct tunnel_entry *tunnel)
{
	return RB_NEXT(tunnel_tree, NULL, (struct tunnel_entry *)(uintptr_t)tunnel);
}

struct session_entry *session_next(const struct session_entry *session)
{
	return RB_NEXT(session_tree, NULL, (struct session_entry *)(uintptr_t)session);
}

struct tunnel_entry *datastore_tunnel(const struct datastore *ds, uint32_t tunnel_id)
{
	struct tunnel_entry *found = datastore_tunnel_from(ds, tunnel_id);

	return found != NULL && found->entry.key.tunnel_id == tunnel_id ? found : NULL;
}

struct session_entry *datastore_session(const struct datastore *ds, uint32_t tunnel_id,
					uint32_t session_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel(ds, tunnel_id);
	struct session_entry *found =
		tunnel != NULL ? tunnel_session_from(tunnel, session_id) : NULL;

	return found != NULL && found->entry.key.session_id == session_id ? found : NULL;
}

struct entry *datastore_entry(const struct datastore *ds, uint32_t tunnel_id, uint32_t session_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel(ds, tunnel_id);
	struct session_entry *session;

	if (!tunnel || session_id == 0)
		return tunnel ? &tunnel->entry : NULL;
	session = tunnel_session_from(tunnel, session_id);
	return session && session->entry.key.session_id == session_id ? &session->entry : NULL;
}

struct entry *datastore_entry_from(const struct datastore *ds, uint32_t tunnel_id,
				   uint32_t session_id)
{
	struct tunnel_entry *tunnel = datastore_tunnel_from(ds, tunnel_id);
	struct session_entry *session;

	if (!tunnel || tunnel->entry.key.tunnel_id != tunnel_id || session_id == 0)
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

struct tunnel_entry *entry_tunnel_of(const struct entry *entry)
{
	return entry->key.session_id ? entry_session(entry)->tunnel : entry_tunnel(entry);
}

const void *entry_config(const struct entry *entry)
{
	return entry->key.session_id ? (const void *)&entry_session(entry)->config
				     : (const void *)&entry_tunnel(entry)->config;
}

const void *entry_actual(const struct entry *entry)
{
	return entry->key.session_id ? (const void *)&entry_session(entry)->actual
				     : (const void *)&entry_tunnel(entry)->actual;
}

struct state *entry_state(const struct entry *entry)
{
	return entry->key.session_id ? &entry_session(entry)->state.common
				     : &entry_tunnel(entry)->state.common;
}

const void *entry_shown(const struct entry *entry)
{
	if (entry->configured)
		return entry_config(entry);
	return entry->in_kernel ? entry_actual(entry) : NULL;
}

bool entry_is_foreign(const struct entry *entry)
{
	return entry->in_kernel && !entry->configured && !entry->held;
}

struct session_entry *datastore_session_by_id(const struct datastore *ds, uint32_t session_id)
{
	struct session_entry *found =
		ids_from(&ds->sessions, (struct session_key){.session_id = session_id});

	return found != NULL && found->entry.key.session_id == session_id ? found : NULL;
}

struct session_entry *session_same_id(const struct session_entry *session)
{
	struct session_entry *next =
		RB_NEXT(session_id_tree, NULL, (struct session_entry *)(uintptr_t)session);

	return next != NULL && next->entry.key.session_id == session->entry.key.session_id ? next
											   : NULL;
}

struct session_entry *datastore_named(const struct datastore *ds, const char *name)
{
	struct session_entry *found = names_from(&ds->names, (struct name_key){.name = name});

	return found != NULL && strcmp(session_name(found), name) == 0 ? found : NULL;
}

struct session_entry *session_same_name(const struct session_entry *session)
{
	struct session_entry *next =
		RB_NEXT(session_name_tree, NULL, (struct session_entry *)(uintptr_t)session);

	return next != NULL && strcmp(session_name(next), session_name(session)) == 0 ? next : NULL;
}

struct session_entry *datastore_session_by_name(const struct datastore *ds, const char *name)
{
	struct session_entry *found = datastore_named(ds, name);

	while (found != NULL && !found->entry.configured)
		found = session_same_name(found);
	return found;
}

struct session_entry *datastore_session_by_index(const struct datastore *ds, unsigned int index)
{
	struct session_entry *found = index != 0 ? datastore_index_from(ds, index) : NULL;

	return found != NULL && found->state.if_index == index ? found : NULL;
}

static bool same_endpoint(const struct tunnel_entry *tunnel, const struct endpoint_key *key)
{
	struct endpoint_key own = key_of_endpoint(tunnel);

	return memcmp(&own.address, &key->address, sizeof(own.address)) == 0 &&
	       own.port == key->port;
}

struct tunnel_entry *datastore_bound(const struct datastore *ds, const struct address *address,
				     uint16_t port)
{
	struct endpoint_key key = {.address = *address, .port = port};
	struct tunnel_entry *found = endpoints_from(&ds->endpoints, key);

	return found != NULL && same_endpoint(found, &key) ? found : NULL;
}

struct tunnel_entry *tunnel_same_endpoint(const struct tunnel_entry *tunnel)
{
	struct endpoint_key key = key_of_endpoint(tunnel);
	struct tunnel_entry *next =
		RB_NEXT(endpoint_tree, NULL, (struct tunnel_entry *)(uintptr_t)tunnel);

	return next != NULL && same_endpoint(next, &key) ? next : NULL;
}

const char *session_name(const struct session_entry *session)
{
	const struct session *shown =
		session->entry.configured ? &session->config : &session->actual;

	return shown->present & BIT(SESSION_INTERFACE_NAME) ? shown->interface_name : "";
}

bool tunnel_endpoint(const struct tunnel *tunnel, struct address *ret_address, uint16_t *ret_port)
{
	bool udp = !(tunnel->present & BIT(TUNNEL_ENCAPSULATION)) ||
		   tunnel->encapsulation == ENCAPSULATION_UDP;

	if (!udp || !(tunnel->present & BIT(TUNNEL_LOCAL_ADDRESS)))
		return false;
	*ret_address = tunnel->local_address;
	*ret_port = tunnel->present & BIT(TUNNEL_LOCAL_PORT) ? tunnel->local_port : PORT_DEFAULT;
	return true;
}
