/*
 * A candidate: an overlay of touched entries over the running configuration. It is at once the
 * candidate, the difference, the undo log and, written down, the journal record. Opening it and
 * asking whether it is dirty cost nothing; everything else costs by what was touched, never by
 * what there is.
 *
 * What grows with the touched entries comes in two forms: at once, and with _begin() as a cursor
 * (base/cursor.h). While a cursor is open nobody may configure running, change the candidate, or
 * open another cursor over that running, except to free. Between its steps the engine may observe
 * the kernel: foreign entries, links and states come and go.
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
	struct change *last;   /* the greatest of them; NULL: none */
	struct change *recent; /* of a session, that a look-up found last; NULL: none */
	size_t count;
	struct change_block *blocks;        /* the memory of the changes */
	struct change *spare;               /* changes not in use, linked by `earlier` */
	unsigned int edits;                 /* edits applied so far */
	const struct acm *acm_before, *acm; /* NACM's (acm.h), if it changes; else both NULL */
	bool behind;                        /* it sees the layer below what is published (past.h) */
	bool adopt; /* it takes over foreign entries with the same ids: no conflict */
};

void candidate_open(struct candidate *candidate, const struct datastore *running);
void candidate_discard(struct candidate *candidate); /* frees the changes; it is open again */
bool candidate_dirty(const struct candidate *candidate);
void candidate_move(struct candidate *to, struct candidate *from); /* @from is left empty */

/*
 * The candidate is open again at once, and the cursor frees its changes. NULL: there was no memory
 * for one, and everything is freed already.
 */
struct cursor *candidate_discard_begin(struct candidate *candidate);

/* An entry as the candidate has it; NULL: it would not exist. */
const struct tunnel *candidate_tunnel(const struct candidate *candidate, uint32_t tunnel_id);
const struct session *candidate_session(const struct candidate *candidate, uint32_t tunnel_id,
					uint32_t session_id);
/*
 * Walk it merged with running: the next entry with id >= *@id, which is updated; NULL at the end.
 */
const struct tunnel *candidate_tunnel_from(const struct candidate *candidate, uint32_t *id);
const struct session *candidate_session_from(const struct candidate *candidate, uint32_t tunnel_id,
					     uint32_t *id);

/*
 * Apply an edit, whole or not at all. Refuses what RFC 6241 refuses (ERROR_EXISTS, ERROR_MISSING)
 * and an entry given twice (ERROR_BAD_ELEMENT, unless edit->commands); candidate_validate() checks
 * constraints over leaves and entries. Entries that end as they began leave the overlay. Deleting
 * a tunnel deletes its sessions. A replaced entry becomes exactly what is given, except that an
 * interface-name left out, and what the user may not see (edit->policy), stay;
 * EDIT_MERGE below a replaced container or tunnel means EDIT_REPLACE.
 */
int candidate_apply(struct candidate *candidate, struct edit *edit, struct error *err);
struct cursor *candidate_apply_begin(struct candidate *candidate, struct edit *edit,
				     struct error *err);

/*
 * Make one entry, by itself, what it shall be (@after NULL: gone). For undo, rollback, replay. 0
 * or -ENOMEM.
 */
int candidate_put(struct candidate *candidate, uint32_t tunnel_id, uint32_t session_id,
		  const void *after);

/* NACM's configuration as the candidate has it; the same as candidate_put(), of that. */
const struct acm *candidate_acm(const struct candidate *candidate);
void candidate_put_acm(struct candidate *candidate, const struct acm *after);

/*
 * Take in what others have committed since this candidate was opened: leaves not changed here
 * follow running. An entry changed here and deleted there is created anew; one deleted here stays
 * deleted, a tunnel with all its sessions. NACM's configuration is one value: changed here, it is
 * what this candidate makes of all of it. Cost: the touched entries. Abandoned halfway (-ENOMEM,
 * -ECANCELED), some entries have followed and others have not: rebase it again, or discard it.
 */
int candidate_rebase(struct candidate *candidate, struct error *err);
struct cursor *candidate_rebase_begin(struct candidate *candidate, struct error *err);

/*
 * Choose an interface-name for sessions that need one and have none (the lowest free l2tpeth<n>;
 * an entry keeps the name it had before). That is, for touched ones, and for those that running
 * has without a name (from a config.xml written by hand), which become touched. @taken says
 * whether a link that is not ours has a name; may be NULL. Abandoned halfway it leaves the names
 * chosen so far.
 */
int candidate_choose_names(struct candidate *candidate, bool (*taken)(const char *name, void *arg),
			   void *arg, struct error *err);
struct cursor *candidate_choose_names_begin(struct candidate *candidate,
					    bool (*taken)(const char *name, void *arg), void *arg,
					    struct error *err);

/*
 * Check the touched entries: rules.h for each, and what must be unique in the namespace:
 * session-id, interface-name (VLAN link names too), UDP local address and port. Conflicts with
 * foreign entries are ERROR_FOREIGN, a session without its tunnel is ERROR_MISSING. Rebase the
 * candidate before.
 */
int candidate_validate(const struct candidate *candidate, struct error *err);
struct cursor *candidate_validate_begin(const struct candidate *candidate, struct error *err);

/*
 * All three in order, for everyone who checks or commits: apply @edit (NULL: the candidate has its
 * changes already), choose names, validate. @taken as above. Abandoned halfway: as the part under
 * way says.
 */
int candidate_prepare(struct candidate *candidate, struct edit *edit,
		      bool (*taken)(const char *name, void *arg), void *arg, struct error *err);
struct cursor *candidate_prepare_begin(struct candidate *candidate, struct edit *edit,
				       bool (*taken)(const char *name, void *arg), void *arg,
				       struct error *err);

/* Make @ret, which is open and clean, the way back: swap before and after. */
int candidate_invert(const struct candidate *candidate, struct candidate *ret, struct error *err);
struct cursor *candidate_invert_begin(const struct candidate *candidate, struct candidate *ret,
				      struct error *err);
/* ... or a copy, so that one stays as it is while the other is worked on. */
struct cursor *candidate_copy_begin(const struct candidate *candidate, struct candidate *ret,
				    struct error *err);

struct change *candidate_first(const struct candidate *candidate);
struct change *change_next(struct change *change);

#endif
