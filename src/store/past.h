/*
 * Running's configuration as it was at a moment, for who reads it in steps
 * between which others commit: a get-config tells one state. Opening it costs
 * nothing, nor does what is committed while nothing is open.
 *
 * A commit that is published meanwhile is seen as what it is yet to be merged
 * into; what merging it takes away is kept here, as far as it has not been read.
 */
#ifndef STORE_PAST_H
#define STORE_PAST_H

#include "store/candidate.h"

struct past {
	struct past *next;       /* of those open over the same datastore */
	struct candidate undone; /* what was merged since, the other way round */
	struct key read;         /* what comes before it is not asked for any more */
	bool broken;             /* no memory to keep something: what is read now is of no moment */
};

void past_open(struct past *past, struct datastore *running);
void past_close(struct past *past); /* of one zeroed too, which was never opened */

/* As candidate_tunnel_from() and candidate_session_from(). */
const struct tunnel *past_tunnel_from(const struct past *past, uint32_t *id);
const struct session *past_session_from(const struct past *past, uint32_t tunnel_id, uint32_t *id);

#endif
