/*
 * Notifications of LINUX-L2TPV3-MIB: which are due, in what order, and what each carries. Knows
 * nothing of AgentX: notify.c sends them.
 *
 * They are kept by object, not by event, tunnels before sessions: an object that changes again
 * before its turn is reported once, as it is then. So the queue is bounded by the number of
 * objects, even while there is no master for hours.
 */
#ifndef AGENT_NOTICE_H
#define AGENT_NOTICE_H

#include <sys/queue.h>

#include "mib.h"

/*
 * Queued, of 80 bytes each; then the oldest of a session is dropped. Enough for all objects of a
 * daemon with 65,000 sessions.
 */
#define NOTICES_MAX        131072
#define NOTICE_OBJECTS_MAX 4

enum notice_kind { NOTICE_TUNNEL_STATE = 1, NOTICE_SESSION_STATE, NOTICE_FOREIGN };

struct notice {
	TAILQ_ENTRY(notice) order;
	RB_ENTRY(notice) key;
	enum notice_kind kind; /* the arc below l2tpv3Notifications */
	uint32_t tunnel_id, session_id;
};

struct notices {
	TAILQ_HEAD(notice_list, notice) lists[OBJECTS];
	RB_HEAD(notice_tree, notice) tree;
	size_t count;
	uint64_t dropped; /* since the start */
};

void notices_init(struct notices *notices);
void notices_clear(struct notices *notices);

/* Queue the event, if there is a notification for it. Without memory it is lost, and counted. */
void notices_add(struct notices *notices, const struct engine_event *event);

/* The oldest, of a tunnel if there is one, which the caller frees; NULL: none. */
struct notice *notices_take(struct notices *notices);

/* What a notification says: snmpTrapOID.0 and the objects of its OBJECTS clause. */
struct notice_objects {
	oid trap[ROOT_LENGTH_MAX + 2];
	size_t trap_length;
	struct instance instances[NOTICE_OBJECTS_MAX];
	unsigned int count;
};
void notice_objects(const struct notice *notice, struct notice_objects *ret);

#endif
