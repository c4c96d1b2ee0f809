/*
 * A candidate: an overlay of touched entries over the running configuration.
 * It is at once the candidate, the difference, the undo log and, written down,
 * the journal record. Opening it, and asking whether it is dirty, cost nothing;
 * everything costs by what was touched, never by what there is.
 *
 * What grows with the touched entries comes twice: at once, and with _begin()
 * as a cursor (base/cursor.h). While a cursor is open nobody else configures
 * running, changes the candidate, or opens another over that running, but for those
 * that free. What the kernel has may be observed between its steps: foreign
 * entries, links and states come and go.
 */
#ifndef STORE_CANDIDATE_H
#define STORE_CANDIDATE_H

#include "base/cursor.h"
#include "store/change.h"
#include "store/datastore.h"
#include "store/edit.h"

struct change_block;

struct candidate {
	const struct datastore *running;
	struct change_tree changes;
	size_t count;
	struct change_block *blocks; /* where the changes are */
	struct change *spare;        /* those not in use, by `earlier` */
	unsigned int edits;          /* applied so far */
	bool behind;                 /* of what is published it sees the layer below (past.h) */
	bool adopt; /* foreign entries of the same ids are being taken over: no conflict */
};

void candidate_open(struct candidate *candidate, const struct datastore *running);
void candidate_discard(struct candidate *candidate); /* frees the changes; open again */
bool candidate_dirty(const struct candidate *candidate);
void candidate_move(struct candidate *to, struct candidate *from); /* @from is left empty */

/*
 * The candidate is open again at once; its changes are freed by the cursor. NULL: no
 * memory for one, all is freed already.
 */
struct cursor *candidate_discard_begin(struct candidate *candidate);

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
struct cursor *candidate_apply_begin(struct candidate *candidate, const struct edit *edit,
				     struct error *err);

/* Put one entry as it shall be (@after NULL: gone), itself alone. For undo, rollback, replay.
 * -ENOMEM. */
int candidate_put(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id,
		  const void *after);

/*
 * Take over what others committed since this candidate was opened: leaves not
 * changed here follow running. An entry changed here and deleted there is
 * created anew; one deleted here stays deleted, with all sessions of a tunnel.
 * Cost: the touched entries. Given up halfway (-ENOMEM, -ECANCELED), some have followed
 * and others have not: rebase it again, or discard it.
 */
int candidate_rebase(struct candidate *candidate, struct error *err);
struct cursor *candidate_rebase_begin(struct candidate *candidate, struct error *err);

/*
 * Fill in what we choose: interface-name of sessions that need one and have
 * none (the lowest free l2tpeth<n>; a name that the entry had before stays).
 * Touched ones, and those that running has without (from a config.xml written
 * by hand), which thereby become touched. @taken tells of names used by links
 * that are not ours; may be NULL. Given up halfway it leaves the names chosen so far.
 */
int candidate_choose_names(struct candidate *candidate, bool (*taken)(const char *name, void *arg),
			   void *arg, struct error *err);
struct cursor *candidate_choose_names_begin(struct candidate *candidate,
					    bool (*taken)(const char *name, void *arg), void *arg,
					    struct error *err);

/*
 * Check the touched entries: rules.h for each, and what must be unique in the
 * namespace: session-id, interface-name (VLAN link names too), UDP local
 * address and port. Conflicts with foreign entries are ERROR_FOREIGN. A session
 * without its tunnel, ERROR_MISSING. The candidate is to be rebased before.
 */
int candidate_validate(const struct candidate *candidate, struct error *err);
struct cursor *candidate_validate_begin(const struct candidate *candidate, struct error *err);

/*
 * The three in their order, for all that check or commit: apply @edit (NULL: the
 * candidate has its changes already), choose names, validate. @taken as above. Given up
 * halfway: as its part says.
 */
int candidate_prepare(struct candidate *candidate, const struct edit *edit,
		      bool (*taken)(const char *name, void *arg), void *arg, struct error *err);
struct cursor *candidate_prepare_begin(struct candidate *candidate, const struct edit *edit,
				       bool (*taken)(const char *name, void *arg), void *arg,
				       struct error *err);

/* Make @ret, which is open and clean, the way back: before and after exchanged. */
int candidate_invert(const struct candidate *candidate, struct candidate *ret, struct error *err);
struct cursor *candidate_invert_begin(const struct candidate *candidate, struct candidate *ret,
				      struct error *err);
/* ... or the same again, so that one stays as it is and the other is worked on. */
struct cursor *candidate_copy_begin(const struct candidate *candidate, struct candidate *ret,
				    struct error *err);

struct change *candidate_first(const struct candidate *candidate);
struct change *change_next(struct change *change);

#endif
