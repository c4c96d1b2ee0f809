/*
 * PW-STD-MIB's tables that map back to pwIndex, a session id (RFC 5601): pwIndexMappingTable by
 * type, pwID and peer, pwPeerMappingTable by peer, type and pwID.
 *
 * The datastore has no such order, and few managers ask for it. So it is made when one does, in
 * slices, and forgotten when none has asked for a while: 31 bytes a row, and no work meanwhile.
 * What was changed since is left out, or appears when the order is made again, a second later or
 * more; what is served is true.
 */
#ifndef AGENT_MAPPING_H
#define AGENT_MAPPING_H

#include "base/sort.h"
#include "subject.h"

#define MAPPING_AGE_S 60 /* kept this long after the last question */

struct mapping_row;

/* One of the two orders. */
struct mapping {
	struct mapping_row *rows; /* NULL: there is none */
	size_t count, capacity;
	struct mapping_row *room; /* to sort them; NULL: they are being listed, or sorted */
	struct sort sort;
	struct key next;                /* the entry to be listed next */
	bool made;                      /* the rows are complete, and in order */
	size_t last;                    /* the row that was found last */
	uint64_t changes;               /* datastore.changes when it was begun */
	int64_t made_at, took, used_at; /* nanoseconds */
};

struct mappings {
	struct mapping by_id, by_peer;
};

static inline bool is_mapping(enum index_kind kind)
{
	return kind == INDEX_ID_MAPPING || kind == INDEX_PEER_MAPPING;
}

/*
 * Of a table whose index is_mapping(): the session of the row with this index, or of the first row
 * at or after *@index, which becomes its index. Pseudowires with the same index, those without a
 * pwID to the same peer, are one row: that of the lowest session id. SEARCH_LATER: it is @until
 * (clock_now()), and the order is not made yet; ask the same again.
 */
enum search mapping_find(struct mappings *mappings, const struct datastore *store,
			 enum index_kind kind, const struct index *index, int64_t until,
			 uint32_t *ret_session_id);
enum search mapping_from(struct mappings *mappings, const struct datastore *store,
			 enum index_kind kind, struct index *index, int64_t until,
			 uint32_t *ret_session_id);

/* Forget what was not used since @before. */
void mappings_expire(struct mappings *mappings, int64_t before);
bool mappings_kept(const struct mappings *mappings); /* is there anything to forget? */

#endif
