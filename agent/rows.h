/* The rows of a set request: varbinds.c collects them, check.c judges them. */
#ifndef AGENT_ROWS_H
#define AGENT_ROWS_H

#include "rowstatus.h"
#include "mib.h"

/* What the request asks of one row. */
struct set_row {
	RB_ENTRY(set_row) link;
	enum object object;
	uint32_t tunnel_id, session_id; /* session_id 0: a tunnel */
	struct draft draft;             /* what the request gives, over what is pending */
	struct draft given;             /* what the request gives */
	uint64_t columns, types; /* bits of the columns given; address types are counted apart */
	bool storage;
	int action; /* RowStatus, ROWSTATUS_NONE */
	enum row_step step;
	struct pending_row *fresh; /* the pending row to put in place */
	struct pending_row *old;   /* the one it replaced, kept for a revert */
};

RB_HEAD(set_row_tree, set_row);

/* What the variable binding at this place sets. */
struct binding {
	struct set_row *row; /* NULL: a scalar */
	const struct column *column;
};

struct varbinds {
	struct mib *mib;
	struct set_row_tree rows;
	struct pending dropped; /* sessions of tunnels that are destroyed, kept for a revert */
	struct binding *bindings;
	size_t count, capacity;
	bool sets_lock, sets_notify;
	long lock;
	bool notify;
	size_t fresh; /* how many pending rows this will add */
	struct edit *edit;
	struct engine_checked checked; /* the candidate that its check left */
};

/* In the order of an edit: a tunnel before its sessions. */
struct set_row *set_row_first(const struct varbinds *varbinds);
struct set_row *set_row_next(struct set_row *row);

#endif
