/*
 * The candidate datastore (RFC 6241 section 8.3) as its owner keeps it, and its
 * configuration at a moment for a reader in steps: what is staged, over running as
 * it was then (past.h). Reading costs nothing to begin, and waits for nobody: where
 * running has gone on since the candidate followed it, the two are merged as they are
 * read, as candidate_rebase() would.
 *
 * While it has readers a staged candidate does not change: who edits it makes a copy
 * and goes on with that.
 */
#ifndef STORE_STAGED_H
#define STORE_STAGED_H

#include "store/past.h"

struct staged {
	struct candidate changes;
	unsigned int readers;
	uint64_t followed;   /* the commit that it was rebased on: the owner's count */
	struct staged *next; /* of those that are given up: the owner's */
};

struct staged_view {
	const struct staged *staged; /* NULL: the candidate is as running */
	struct past past;
	union config merged; /* what was returned last may be in here */
};

/* @staged is borrowed: the caller counts its readers. */
void staged_view_open(struct staged_view *view, const struct staged *staged,
		      struct datastore *running);
void staged_view_close(struct staged_view *view); /* of one zeroed too, which was never opened */

/*
 * The next entry with id >= @*id, which is updated; valid until the next call. NULL:
 * there is none, or, with true in @ret_more, none was found yet: go on from @*id.
 */
const struct tunnel *staged_tunnel_from(struct staged_view *view, uint32_t *id, bool *ret_more);
const struct session *staged_session_from(struct staged_view *view, uint32_t tunnel_id,
					  uint32_t *id, bool *ret_more);

#endif
