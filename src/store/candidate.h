/*
 * A candidate: an overlay of touched entries over the running configuration.
 * It is at once the candidate, the difference, the undo log and, written down,
 * the journal record. Opening, discarding and asking whether it is dirty cost
 * nothing; everything costs by what was touched, never by what there is.
 */
#ifndef STORE_CANDIDATE_H
#define STORE_CANDIDATE_H

#include "store/datastore.h"
#include "store/edit.h"

/* One touched entry: what it was (had) and shall be (has). Ordered by tunnel, then session. */
struct change {
	RB_ENTRY(change) link;
	uint32_t tunnel_id, session_id; /* session_id 0: the tunnel itself */
	bool had, has;
	bool given, replaced; /* candidate_apply()'s: named, or replaced, by edit number `edit` */
	unsigned int edit;
	union config before, after;
};

RB_HEAD(change_tree, change);

struct candidate {
	const struct datastore *running;
	struct change_tree changes;
	size_t count;
	unsigned int edits; /* applied so far */
	bool adopt;         /* foreign entries of the same ids are being taken over: no conflict */
};

void candidate_open(struct candidate *candidate, const struct datastore *running);
void candidate_discard(struct candidate *candidate); /* frees the changes; open again */
bool candidate_dirty(const struct candidate *candidate);
void candidate_move(struct candidate *to, struct candidate *from); /* @from is left empty */

/* As the candidate sees it: NULL when it would not exist. */
const struct tunnel *candidate_tunnel(const struct candidate *candidate, uint32_t tunnel_id);
const struct session *candidate_session(const struct candidate *candidate, uint32_t tunnel_id,
					uint32_t session_id);
/* Walk it merged with running: the next entry with id >= @*id, which is updated; NULL at the end.
 */
const struct tunnel *candidate_tunnel_from(const struct candidate *candidate, uint32_t *id);
const struct session *candidate_session_from(const struct candidate *candidate, uint32_t tunnel_id,
					     uint32_t *id);

/*
 * Apply an edit, whole or not at all. Refuses what RFC 6241 refuses
 * (ERROR_EXISTS, ERROR_MISSING) and an entry given twice (ERROR_BAD_ELEMENT,
 * unless edit->batch); constraints over leaves and entries are
 * candidate_validate()'s. Entries that end as they began leave the overlay.
 * Deleting a tunnel deletes its sessions. What is replaced becomes exactly what
 * is given, but for an interface-name left out, and secrets that the user could
 * not give (edit->keep_secrets), which stay; EDIT_MERGE below a replaced
 * container or tunnel means EDIT_REPLACE.
 */
int candidate_apply(struct candidate *candidate, const struct edit *edit, struct error *err);

/* Put one entry as it shall be (@after NULL: gone), itself alone. For undo, rollback, replay.
 * -ENOMEM. */
int candidate_put(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id,
		  const void *after);

/*
 * Take over what others committed since this candidate was opened: leaves not
 * changed here follow running. An entry changed here and deleted there is
 * created anew; one deleted here stays deleted, with all sessions of a tunnel.
 * Cost: the touched entries. -ENOMEM: the candidate is then good for nothing
 * but candidate_discard().
 */
int candidate_rebase(struct candidate *candidate);

/*
 * Fill in what we choose: interface-name of sessions that need one and have
 * none (the lowest free l2tpeth<n>; a name that the entry had before stays).
 * Touched ones, and those that running has without (from a config.xml written
 * by hand), which thereby become touched. @taken tells of names used by links
 * that are not ours; may be NULL.
 */
int candidate_choose_names(struct candidate *candidate, bool (*taken)(const char *name, void *arg),
			   void *arg, struct error *err);

/*
 * Check the touched entries: rules.h for each, and what must be unique in the
 * namespace: session-id, interface-name (VLAN link names too), UDP local
 * address and port. Conflicts with foreign entries are ERROR_FOREIGN. A session
 * without its tunnel, ERROR_MISSING.
 */
int candidate_validate(const struct candidate *candidate, struct error *err);

/*
 * The three in their order, for all that check or commit: apply @edit (NULL: the
 * candidate has its changes already), choose names, validate. @taken as above.
 */
int candidate_prepare(struct candidate *candidate, const struct edit *edit,
		      bool (*taken)(const char *name, void *arg), void *arg, struct error *err);

/* Make @ret the way back: before and after exchanged. -ENOMEM. */
int candidate_invert(const struct candidate *candidate, struct candidate *ret);

/* Make it so in the running configuration (which is only const to doors). -ENOMEM: unchanged. */
int candidate_publish(const struct candidate *candidate, struct datastore *running);

struct change *candidate_first(const struct candidate *candidate);
struct change *change_next(struct change *change);

#endif
