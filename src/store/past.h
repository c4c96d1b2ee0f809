/*
 * Running's configuration as it was at one moment, for a reader in steps between which others
 * commit: a get-config must show one state. Opening it costs nothing, and commits cost nothing
 * while none is open.
 *
 * While a commit is published the reader sees the layer below it; what merging it takes away is
 * kept here, as far as it has not been read.
 */
#ifndef STORE_PAST_H
#define STORE_PAST_H

#include "store/candidate.h"

struct past {
	struct past *next;       /* the next one open over the same datastore */
	struct candidate undone; /* what was merged since, inverted */
	struct key read;         /* the reader has passed everything before it */
	bool broken;             /* memory ran out: what it shows now is no one moment's */
};

void past_open(struct past *past, struct datastore *running);
void past_close(struct past *past); /* accepts a zeroed one, never opened */

/* As candidate_tunnel_from() and candidate_session_from(). */
const struct tunnel *past_tunnel_from(const struct past *past, uint32_t *id);
const struct session *past_session_from(const struct past *past, uint32_t tunnel_id, uint32_t *id);

#endif
