#include "mapping.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "standard.h"

#define SHARE     50  /* making it again takes at most this part of the time */
#define STALE_MAX 256 /* rows to pass over before it is made again out of turn */

/*
 * The key has the parts of the index, the most significant first: of the peer's place, the type (up
 * to 7) and the pwID.
 */
struct mapping_row {
	uint64_t key;
	uint32_t session_id;
};

#define PEER_BITS 29
#define TYPE_BITS 3
#define ID_BITS   32

struct parts {
	uint32_t peer, type, id;
};

static uint64_t join(enum index_kind kind, struct parts parts)
{
	uint64_t peer = parts.peer, type = parts.type, id = parts.id;

	if (kind == INDEX_PEER_MAPPING)
		return peer << (TYPE_BITS + ID_BITS) | type << ID_BITS | id;
	return type << (ID_BITS + PEER_BITS) | id << PEER_BITS | peer;
}

static struct parts split(enum index_kind kind, uint64_t key)
{
	const uint32_t peer_mask = (UINT32_C(1) << PEER_BITS) - 1;

	if (kind == INDEX_PEER_MAPPING)
		return (struct parts){(uint32_t)(key >> (TYPE_BITS + ID_BITS)),
				      (uint32_t)(key >> ID_BITS) & 7, (uint32_t)key};
	return (struct parts){(uint32_t)key & peer_mask, (uint32_t)(key >> (ID_BITS + PEER_BITS)),
			      (uint32_t)(key >> PEER_BITS)};
}

/* ---- making the order */

static int compare_peers(const void *left, const void *right)
{
	const struct address *a = left, *b = right;
	enum inet_type a_type = peer_type(a), b_type = peer_type(b);

	if (a_type != b_type)
		return a_type < b_type ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_rows(const void *left, const void *right)
{
	const struct mapping_row *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->session_id > b->session_id) - (a->session_id < b->session_id);
}

static void forget(struct mapping *mapping)
{
	free(mapping->rows);
	free(mapping->peers);
	*mapping = (struct mapping){0};
}

/* The peers of all tunnels with sessions, each once, in their order. */
static bool list_peers(struct mapping *mapping, const struct datastore *store)
{
	const struct tunnel_entry *tunnel = datastore_tunnel_from(store, 0);
	const struct session_entry *session;
	size_t kept = 0;

	mapping->peers = calloc(datastore_counts(store)->tunnel_count + 1, sizeof(*mapping->peers));
	if (!mapping->peers)
		return false;
	for (; tunnel; tunnel = tunnel_next(tunnel))
		if ((session = tunnel_session_from(tunnel, 0)) != NULL)
			mapping->peers[mapping->peer_count++] = session_peer(session);
	qsort(mapping->peers, mapping->peer_count, sizeof(*mapping->peers), compare_peers);
	for (size_t i = 0; i < mapping->peer_count; i++)
		if (i == 0 || compare_peers(&mapping->peers[i], &mapping->peers[kept - 1]) != 0)
			mapping->peers[kept++] = mapping->peers[i];
	mapping->peer_count = kept;
	return true;
}

static struct parts parts_of(const struct session_entry *session, size_t peer)
{
	const struct session *shown = session_shown(session);

	return (struct parts){(uint32_t)peer, session_type(shown), shown->pseudowire_id};
}

static size_t place_of_peer(const struct mapping *mapping, const struct session_entry *session)
{
	const struct address peer = session_peer(session);
	const struct address *found =
		bsearch(&peer, mapping->peers, mapping->peer_count, sizeof(peer), compare_peers);

	return found ? (size_t)(found - mapping->peers) : mapping->peer_count;
}

/* Does pwTable have it? Of others' sessions there may be two with one id. */
static bool is_served(const struct datastore *store, const struct session_entry *session)
{
	return session_config(session) ||
	       datastore_id_from(store, session->entry.key.session_id) == session;
}

static void list_rows(struct mapping *mapping, const struct datastore *store, enum index_kind kind)
{
	const struct tunnel_entry *tunnel = datastore_tunnel_from(store, 0);

	for (; tunnel; tunnel = tunnel_next(tunnel)) {
		const struct session_entry *session = tunnel_session_from(tunnel, 0);
		size_t peer = session ? place_of_peer(mapping, session) : 0;

		for (; session; session = session_next(session)) {
			struct parts parts = parts_of(session, peer);

			if ((kind == INDEX_ID_MAPPING && parts.id == 0) ||
			    !is_served(store, session))
				continue;
			mapping->rows[mapping->count++] = (struct mapping_row){
				join(kind, parts), session->entry.key.session_id};
		}
	}
}

static bool make(struct mapping *mapping, const struct datastore *store, enum index_kind kind)
{
	int64_t begun = clock_now();

	forget(mapping);
	mapping->rows = calloc(datastore_counts(store)->session_count + 1, sizeof(*mapping->rows));
	if (!mapping->rows || !list_peers(mapping, store)) {
		forget(mapping);
		return false;
	}
	list_rows(mapping, store, kind);
	qsort(mapping->rows, mapping->count, sizeof(*mapping->rows), compare_rows);
	mapping->changes = store->changes;
	mapping->made_at = clock_now();
	mapping->took = mapping->made_at - begun;
	return true;
}

/* False: no memory. */
static bool refresh(struct mapping *mapping, const struct datastore *store, enum index_kind kind)
{
	int64_t now = clock_now();
	int64_t rest = SHARE * mapping->took > NS_PER_S ? SHARE * mapping->took : NS_PER_S;
	bool good = mapping->made_at &&
		    (mapping->changes == store->changes || now - mapping->made_at < rest);

	if (!good && !make(mapping, store, kind))
		return false;
	mapping->used_at = now;
	return true;
}

/* ---- searching */

static void put_index(const struct mapping *mapping, enum index_kind kind,
		      const struct mapping_row *row, struct index *ret)
{
	const struct parts parts = split(kind, row->key);
	const struct address *peer = &mapping->peers[parts.peer];
	uint8_t bytes[PEER_BYTES_MAX];
	size_t length = peer_bytes(peer, bytes);
	unsigned int n = 0;

	if (kind == INDEX_ID_MAPPING) {
		ret->at[n++] = parts.type;
		ret->at[n++] = parts.id;
	}
	ret->at[n++] = peer_type(peer);
	ret->at[n++] = (uint32_t)length;
	for (size_t i = 0; i < length; i++)
		ret->at[n++] = bytes[i];
	if (kind == INDEX_PEER_MAPPING) {
		ret->at[n++] = parts.type;
		ret->at[n++] = parts.id;
	}
	ret->length = n;
}

static int compare_indexes(const struct index *a, const struct index *b)
{
	for (unsigned int i = 0; i < a->length && i < b->length; i++)
		if (a->at[i] != b->at[i])
			return a->at[i] < b->at[i] ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}

/* The place of the first row that is not before the index. */
static size_t search(const struct mapping *mapping, enum index_kind kind, const struct index *index)
{
	size_t low = 0, high = mapping->count;
	struct index found;

	while (low < high) {
		size_t middle = (low + high) / 2;

		put_index(mapping, kind, &mapping->rows[middle], &found);
		if (compare_indexes(&found, index) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Is the row still true? */
static bool is_there(const struct mapping *mapping, const struct datastore *store,
		     enum index_kind kind, const struct mapping_row *row, struct subject *ret)
{
	struct session_entry *session = datastore_id_from(store, row->session_id);

	if (!session || session->entry.key.session_id != row->session_id ||
	    join(kind, parts_of(session, place_of_peer(mapping, session))) != row->key)
		return false;
	*ret = (struct subject){.object = OBJECT_SESSION, .entry = &session->entry};
	return true;
}

static struct mapping *mapping_of(struct mappings *mappings, enum index_kind kind)
{
	return kind == INDEX_PEER_MAPPING ? &mappings->by_peer : &mappings->by_id;
}

bool mapping_from(struct mappings *mappings, const struct datastore *store, enum index_kind kind,
		  struct index *index, struct subject *ret)
{
	struct mapping *mapping = mapping_of(mappings, kind);
	unsigned int stale = 0;
	size_t place;

	if (!refresh(mapping, store, kind))
		return false;
	for (place = search(mapping, kind, index); place < mapping->count; place++) {
		if (is_there(mapping, store, kind, &mapping->rows[place], ret)) {
			put_index(mapping, kind, &mapping->rows[place], index);
			return true;
		}
		if (++stale < STALE_MAX)
			continue;
		if (!make(mapping, store, kind))
			return false;
		place = search(mapping, kind, index) - 1;
		stale = 0;
	}
	return false;
}

bool mapping_find(struct mappings *mappings, const struct datastore *store, enum index_kind kind,
		  const struct index *index, struct subject *ret)
{
	struct index found = *index;

	return mapping_from(mappings, store, kind, &found, ret) &&
	       compare_indexes(&found, index) == 0;
}

void mappings_expire(struct mappings *mappings, int64_t before)
{
	if (mappings->by_id.used_at < before)
		forget(&mappings->by_id);
	if (mappings->by_peer.used_at < before)
		forget(&mappings->by_peer);
}

bool mappings_kept(const struct mappings *mappings)
{
	return mappings->by_id.made_at || mappings->by_peer.made_at;
}
