/* What transaction.c collects and check.c looks at: the rows of a set request. */
#ifndef AGENT_ROWS_H
#define AGENT_ROWS_H

#include "rowstatus.h"
#include "view.h"

/* What the request wants of one row. */
struct set_row {
	RB_ENTRY(set_row) link;
	enum object object;
	uint32_t tunnel_id, session_id; /* session_id 0: a tunnel */
	struct draft draft;             /* what it gives, laid over what is pending */
	struct draft given;             /* what it gives */
	uint64_t columns, types;        /* rows given, of types of addresses apart */
	bool storage;
	int action; /* RowStatus, ROWSTATUS_NONE */
	enum row_step step;
	struct pending_row *fresh; /* to come */
	struct pending_row *old;   /* gone, kept for a revert */
};

RB_HEAD(set_row_tree, set_row);

/* A variable binding by its place: what it sets. */
struct binding {
	struct set_row *row; /* NULL: a scalar */
	struct column column;
};

struct transaction {
	struct view *view;
	struct set_row_tree rows;
	struct pending dropped; /* sessions of tunnels that are destroyed, kept for a revert */
	struct binding *bindings;
	size_t count, capacity;
	bool sets_lock, sets_notify;
	long lock;
	bool notify;
	size_t fresh; /* pending rows to come */
	struct edit *edit;
	struct engine_checked checked; /* what its check came to */
};

/* In the order of an edit: a tunnel before its sessions. */
struct set_row *set_row_first(const struct transaction *transaction);
struct set_row *set_row_next(struct set_row *row);

#endif
