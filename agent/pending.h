/*
 * Pending rows: made with createAndWait and never yet active. They are visible
 * to managers, are not in the configuration, and do not outlive the agent.
 * They are few and go by themselves after a while (RFC 2579, RowStatus).
 */
#ifndef AGENT_PENDING_H
#define AGENT_PENDING_H

#include <bsd/sys/tree.h>

#include "draft.h"

#define PENDING_MAX   1024
#define PENDING_AGE_S 300 /* untouched for so long: forgotten. RFC 2579 suggests 5 minutes. */

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

/* A row that is not among them yet; NULL: no memory. */
struct pending_row *pending_new(enum object object, uint32_t tunnel_id, uint32_t session_id);
/* Take it in; the place must be free. */
void pending_put(struct pending *pending, struct pending_row *row);
/* Take it out, to free() or to put back. */
void pending_take(struct pending *pending, struct pending_row *row);

/* Move what waits for sessions of this tunnel; what has taken its place in @to stays. */
void pending_move_sessions(struct pending *from, uint32_t tunnel_id, struct pending *to);

/* Forget what nobody touched since @before. */
void pending_expire(struct pending *pending, int64_t before);

/* The row as a configuration, with half addresses left out and the key set. */
void pending_config(const struct pending_row *row, union config *ret);

/*
 * Could it become active, as far as can be told without the rest of the
 * configuration? 0, or a negative errno and what is missing or does not agree.
 */
int pending_check(const struct pending_row *row, struct error *err);

#endif
