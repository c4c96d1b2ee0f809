#include "mapping.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "standard.h"

#define SHARE         50  /* making it again takes at most this part of the time */
#define STALE_MAX     256 /* rows to pass over before it is made again out of turn */
#define BETWEEN_LOOKS 32  /* entries, at the clock */

/*
 * A row is its index and the session id, in octets that compare as their numbers do. The peer is
 * its type, its length and so many octets, then zeros; the pseudowire is its type and its pwID.
 */
#define PEER_LENGTH       (2 + PEER_BYTES_MAX)
#define PSEUDOWIRE_LENGTH 5

struct mapping_row {
	uint8_t index[PEER_LENGTH + PSEUDOWIRE_LENGTH];
	uint8_t session_id[4];
};

/* Where they stand in the index. */
static size_t peer_at(enum index_kind kind)
{
	return kind == INDEX_PEER_MAPPING ? 0 : PSEUDOWIRE_LENGTH;
}

static size_t pseudowire_at(enum index_kind kind)
{
	return kind == INDEX_PEER_MAPPING ? PEER_LENGTH : 0;
}

static void put_32(uint8_t *ret, uint32_t number)
{
	number = htobe32(number);
	memcpy(ret, &number, sizeof(number));
}

static uint32_t get_32(const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return be32toh(number);
}

static struct mapping_row row_of(const struct session_entry *session, enum index_kind kind)
{
	const struct session *shown = session_shown(session);
	const struct address address = session_peer(session);
	struct mapping_row row;
	uint8_t *peer = row.index + peer_at(kind), *pseudowire = row.index + pseudowire_at(kind);

	peer[0] = (uint8_t)peer_type(&address);
	peer[1] = (uint8_t)peer_bytes(&address, peer + 2);
	pseudowire[0] = (uint8_t)session_type(shown);
	put_32(pseudowire + 1, shown->pseudowire_id);
	put_32(row.session_id, session->entry.key.session_id);
	return row;
}

/* ---- making the order */

static void forget(struct mapping *mapping)
{
	free(mapping->rows);
	free(mapping->room);
	*mapping = (struct mapping){0};
}

/* Does the table have it? Of others' sessions there may be two with one id, and one in pwTable. */
static bool is_served(const struct datastore *store, const struct session_entry *session,
		      enum index_kind kind)
{
	if (kind == INDEX_ID_MAPPING && session_shown(session)->pseudowire_id == 0)
		return false;
	return session_config(session) ||
	       datastore_id_from(store, session->entry.key.session_id) == session;
}

static bool begin(struct mapping *mapping, const struct datastore *store)
{
	mapping->capacity = datastore_counts(store)->session_count + 1;
	mapping->rows = calloc(mapping->capacity, sizeof(*mapping->rows));
	mapping->changes = store->changes;
	return mapping->rows != NULL;
}

/* False: no memory. More may have come since it was begun. */
static bool add(struct mapping *mapping, struct mapping_row row)
{
	if (mapping->count == mapping->capacity) {
		size_t capacity = 2 * mapping->capacity;
		struct mapping_row *rows = reallocarray(mapping->rows, capacity, sizeof(row));

		if (!rows)
			return false;
		mapping->rows = rows;
		mapping->capacity = capacity;
	}
	mapping->rows[mapping->count++] = row;
	return true;
}

static int compare_rows(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct mapping_row));
}

/* SEARCH_NONE: no memory. */
static enum search list(struct mapping *mapping, const struct datastore *store,
			enum index_kind kind, int64_t until)
{
	struct entry *entry =
		datastore_entry_from(store, mapping->next.tunnel_id, mapping->next.session_id);

	for (unsigned int n = 1; entry; entry = entry_next(entry), n++) {
		struct session_entry *session = entry_session(entry);

		if (n % BETWEEN_LOOKS == 0 && clock_now() > until) {
			mapping->next = entry->key;
			return SEARCH_LATER;
		}
		if (session && is_served(store, session, kind) &&
		    !add(mapping, row_of(session, kind)))
			return SEARCH_NONE;
	}
	mapping->room = calloc(mapping->count + 1, sizeof(*mapping->room));
	sort_begin(&mapping->sort, mapping->rows, mapping->room, mapping->count,
		   sizeof(*mapping->rows), compare_rows);
	return mapping->room ? SEARCH_FOUND : SEARCH_NONE;
}

static enum search sort(struct mapping *mapping, int64_t until)
{
	while (sort_unit(&mapping->sort))
		if (clock_now() > until)
			return SEARCH_LATER;
	if (sort_result(&mapping->sort) == mapping->room) {
		mapping->room = mapping->rows;
		mapping->rows = sort_result(&mapping->sort);
	}
	free(mapping->room);
	mapping->room = NULL;
	mapping->made = true;
	return SEARCH_FOUND;
}

/* Begin to make it, or go on. */
static enum search make(struct mapping *mapping, const struct datastore *store,
			enum index_kind kind, int64_t until)
{
	int64_t begun = clock_now();
	enum search rc = SEARCH_FOUND;

	if (!mapping->rows && !begin(mapping, store))
		return SEARCH_NONE;
	if (!mapping->room)
		rc = list(mapping, store, kind, until);
	if (rc == SEARCH_FOUND)
		rc = sort(mapping, until);
	if (rc == SEARCH_NONE)
		forget(mapping);
	mapping->made_at = clock_now();
	mapping->took += mapping->made_at - begun;
	return rc;
}

static bool is_good(const struct mapping *mapping, const struct datastore *store)
{
	int64_t rest = SHARE * mapping->took > NS_PER_S ? SHARE * mapping->took : NS_PER_S;

	return mapping->changes == store->changes || clock_now() - mapping->made_at < rest;
}

/* ---- searching */

static void put_index(enum index_kind kind, const struct mapping_row *row, struct index *ret)
{
	const uint8_t *peer = row->index + peer_at(kind),
		      *pseudowire = row->index + pseudowire_at(kind);
	uint32_t *at = ret->at + (kind == INDEX_PEER_MAPPING ? 0 : 2);
	unsigned int length = 2U + peer[1];

	for (unsigned int i = 0; i < length; i++)
		at[i] = peer[i];
	at = kind == INDEX_PEER_MAPPING ? at + length : ret->at;
	at[0] = pseudowire[0];
	at[1] = get_32(pseudowire + 1);
	ret->length = length + 2;
}

static int compare_indexes(const struct index *a, const struct index *b)
{
	for (unsigned int i = 0; i < a->length && i < b->length; i++)
		if (a->at[i] != b->at[i])
			return a->at[i] < b->at[i] ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}

static bool is_before(const struct mapping *mapping, enum index_kind kind, size_t place,
		      const struct index *index)
{
	struct index found;

	put_index(kind, &mapping->rows[place], &found);
	return compare_indexes(&found, index) < 0;
}

/* The place of the first row that is not before the index: in a walk, after the last found. */
static size_t search(const struct mapping *mapping, enum index_kind kind, const struct index *index)
{
	size_t low = 0, high = mapping->count, next = mapping->last + 1;

	if (next < high && is_before(mapping, kind, next - 1, index) &&
	    !is_before(mapping, kind, next, index))
		return next;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (is_before(mapping, kind, middle, index))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Is the row still true? */
static bool is_there(const struct mapping *mapping, const struct datastore *store,
		     enum index_kind kind, const struct mapping_row *row)
{
	const struct session_entry *session;
	struct mapping_row now;

	if (mapping->changes == store->changes)
		return true;
	session = datastore_id_from(store, get_32(row->session_id));
	if (!session)
		return false;
	now = row_of(session, kind);
	return compare_rows(&now, row) == 0;
}

static struct mapping *mapping_of(struct mappings *mappings, enum index_kind kind)
{
	return kind == INDEX_PEER_MAPPING ? &mappings->by_peer : &mappings->by_id;
}

enum search mapping_from(struct mappings *mappings, const struct datastore *store,
			 enum index_kind kind, struct index *index, int64_t until,
			 uint32_t *ret_session_id)
{
	struct mapping *mapping = mapping_of(mappings, kind);
	unsigned int stale = 0;
	enum search rc;

	if (mapping->made && !is_good(mapping, store))
		forget(mapping);
	rc = mapping->made ? SEARCH_FOUND : make(mapping, store, kind, until);
	mapping->used_at = clock_now();
	if (rc != SEARCH_FOUND)
		return rc;
	for (size_t place = search(mapping, kind, index); place < mapping->count; place++) {
		const struct mapping_row *row = &mapping->rows[place];

		if (is_there(mapping, store, kind, row)) {
			mapping->last = place;
			put_index(kind, row, index);
			*ret_session_id = get_32(row->session_id);
			return SEARCH_FOUND;
		}
		if (++stale < STALE_MAX)
			continue;
		forget(mapping);
		return mapping_from(mappings, store, kind, index, until, ret_session_id);
	}
	return SEARCH_NONE;
}

enum search mapping_find(struct mappings *mappings, const struct datastore *store,
			 enum index_kind kind, const struct index *index, int64_t until,
			 uint32_t *ret_session_id)
{
	struct index found = *index;
	enum search rc = mapping_from(mappings, store, kind, &found, until, ret_session_id);

	return rc == SEARCH_FOUND && compare_indexes(&found, index) != 0 ? SEARCH_NONE : rc;
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
	return mappings->by_id.rows || mappings->by_peer.rows;
}
