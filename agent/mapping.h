/*
 * PW-STD-MIB's tables that map back to pwIndex (RFC 5601): pwIndexMappingTable by type, pwID and
 * peer, pwPeerMappingTable by peer, type and pwID.
 *
 * The datastore has no such order, and few managers ask for it. So it is made when one does, in one
 * go, and forgotten when none has asked for a while: 16 bytes a row, and no work meanwhile. What
 * was changed since is left out, or appears when the order is made again, a second later or more;
 * what is served is true.
 */
#ifndef AGENT_MAPPING_H
#define AGENT_MAPPING_H

#include "subject.h"

#define MAPPING_AGE_S 60 /* kept this long after the last question */

struct mapping_row;

/* One of the two orders. */
struct mapping {
	struct mapping_row *rows;
	size_t count;
	struct address *peers; /* in their order; a row has the place of its own */
	size_t peer_count;
	uint64_t changes;               /* datastore.changes when it was made */
	int64_t made_at, took, used_at; /* nanoseconds; made_at 0: there is none */
};

struct mappings {
	struct mapping by_id, by_peer;
};

static inline bool is_mapping(enum index_kind kind)
{
	return kind == INDEX_ID_MAPPING || kind == INDEX_PEER_MAPPING;
}

/*
 * As subject_find() and subject_from(), of a table whose index is_mapping(). Pseudowires with the
 * same index, those without a pwID to the same peer, are one row: that of the lowest session id.
 */
bool mapping_find(struct mappings *mappings, const struct datastore *store, enum index_kind kind,
		  const struct index *index, struct subject *ret);
bool mapping_from(struct mappings *mappings, const struct datastore *store, enum index_kind kind,
		  struct index *index, struct subject *ret);

/* Forget what was not used since @before. */
void mappings_expire(struct mappings *mappings, int64_t before);
bool mappings_kept(const struct mappings *mappings); /* is there anything to forget? */

#endif
