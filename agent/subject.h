/*
 * A subject is what an index points at: a tunnel or session of the datastore, configured or not,
 * or a pending row. The tables walk both as one.
 */
#ifndef AGENT_SUBJECT_H
#define AGENT_SUBJECT_H

#include "pending.h"

/* Pointers are valid until the event loop goes on; one of them is set. */
struct subject {
	enum object object;
	struct entry *entry;
	const struct pending_row *pending;
};

/* The states of RowStatus (RFC 2579), and a few more. */
enum row_state {
	ROW_MISSING,   /* no such row, or one that is being removed */
	ROW_NOT_READY, /* pending, columns are missing */
	ROW_READY,     /* pending and complete: notInService */
	ROW_DISABLED,  /* configured: notInService */
	ROW_ACTIVE,
	ROW_FOREIGN, /* made by others: active, and not ours to write */
	ROW_STATES
};

enum search {
	SEARCH_NONE,
	SEARCH_FOUND,
	SEARCH_LATER /* it takes longer than the time given */
};

/*
 * The row with exactly this index, of a table that is indexed so; false when there is none. Not of
 * scalars. Pending rows are in our own tables alone: nothing says that their ids are free.
 */
bool subject_find(const struct datastore *store, const struct pending *pending,
		  enum index_kind kind, const struct index *index, struct subject *ret);

/*
 * The row that subject_from() found last. A walk asks for the same row in other columns, and then
 * for the next, which is found without a look-up; also in another turn of the event loop, as long
 * as nothing was added, moved or removed.
 */
struct subject_last {
	uint64_t changes; /* of the datastore, as it was then */
	enum index_kind kind;
	struct index from, at; /* what was asked for, and what was found */
	struct subject subject;
};

/*
 * The first row at or after *@index, which becomes its index; false at the end of the table.
 * *@last is zeroed at first, and belongs to one datastore.
 */
bool subject_from(const struct datastore *store, const struct pending *pending,
		  enum index_kind kind, struct index *index, struct subject *ret,
		  struct subject_last *last);

uint32_t subject_tunnel_id(const struct subject *subject);
uint32_t subject_session_id(const struct subject *subject);

enum row_state subject_state(const struct subject *subject);

/*
 * The configuration to show: as configured, or, of a foreign object, as the kernel has it, or, of a
 * session that is being removed, what it was. That of a pending row is made in @room. Never NULL.
 */
const void *subject_config(const struct subject *subject, union config *room);

/* Operational state; a pending row's is "down, disabled". */
const struct state *subject_common(const struct subject *subject);
const void *subject_part(const struct subject *subject, enum part part);

#endif
