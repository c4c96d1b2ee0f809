/*
 * Pending rows: made with createAndWait and not active yet. Managers see them, the configuration
 * does not have them, and they do not outlive the agent. Their number is limited, and they expire
 * (RFC 2579, RowStatus).
 */
#ifndef AGENT_PENDING_H
#define AGENT_PENDING_H

#include <bsd/sys/tree.h>

#include "draft.h"

#define PENDING_MAX   1024
#define PENDING_AGE_S 300 /* forgotten when untouched for so long; RFC 2579 suggests 5 minutes */

struct pending_row {
	RB_ENTRY(pending_row) link;
	uint32_t tunnel_id, session_id; /* session_id 0: a tunnel */
	struct draft draft;
	int64_t touched; /* nanoseconds of CLOCK_BOOTTIME */
};

RB_HEAD(pending_tree, pending_row);

struct pending {
	struct pending_tree tunnels, sessions;
	size_t count;
};

void pending_init(struct pending *pending);
void pending_clear(struct pending *pending);

struct pending_row *pending_find(const struct pending *pending, enum object object,
				 uint32_t tunnel_id, uint32_t session_id);
/* The first row that is not before these ids; NULL at the end. */
struct pending_row *pending_from(const struct pending *pending, enum object object,
				 uint32_t tunnel_id, uint32_t session_id);

/* A new row, not put in yet; NULL: no memory. */
struct pending_row *pending_new(enum object object, uint32_t tunnel_id, uint32_t session_id);
/* Put it in; its place must be free. */
void pending_put(struct pending *pending, struct pending_row *row);
/* Take it out, to free or to put back. */
void pending_take(struct pending *pending, struct pending_row *row);

/* Move the pending sessions of this tunnel; one that @to has already is dropped. */
void pending_move_sessions(struct pending *from, uint32_t tunnel_id, struct pending *to);

/* Forget what nobody has touched since @before. */
void pending_expire(struct pending *pending, int64_t before);

/* The row as a configuration, with its key set and half addresses left out. */
void pending_config(const struct pending_row *row, union config *ret);

/*
 * Could it become active, as far as the row alone can tell? 0, or a negative errno and what is
 * missing or contradictory.
 */
int pending_check(const struct pending_row *row, struct error *err);

#endif
