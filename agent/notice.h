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

#define NOTICES_A_SECOND 200

enum notice_kind {
	NOTICE_TUNNEL_STATE = 1, /* these are the arcs below l2tpv3Notifications */
	NOTICE_SESSION_STATE,
	NOTICE_FOREIGN,
	NOTICE_PSEUDOWIRE /* pwUp or pwDown, as its status is when it is told; no tunnel id */
};

struct notice {
	TAILQ_ENTRY(notice) order;
	RB_ENTRY(notice) key;
	enum notice_kind kind;
	uint32_t tunnel_id, session_id;
};

struct notices {
	TAILQ_HEAD(notice_list, notice) lists[OBJECTS];
	RB_HEAD(notice_tree, notice) tree;
	struct notice_tree down; /* the pseudowires that pwDown has told of, and pwUp not since */
	size_t count;
	uint64_t dropped; /* since the start */
};

enum notice_set { NOTICES_OURS = 1, NOTICES_PSEUDOWIRES = 2 };

void notices_init(struct notices *notices);
void notices_clear(struct notices *notices); /* what is queued */
void notices_free(struct notices *notices);

/*
 * Queue the event, if there are notifications for it, of @sets (bits of enum notice_set). Without
 * memory it is lost, and counted.
 */
void notices_add(struct notices *notices, unsigned int sets, const struct engine_event *event);

/* The oldest, of a tunnel if there is one, which the caller frees; NULL: none. */
struct notice *notices_take(struct notices *notices);

/* The notice of that pseudowire, out of turn; the caller frees it. NULL: none is queued. */
struct notice *notices_take_pseudowire(struct notices *notices, uint32_t session_id);

/* The arcs below pwNotifications. */
enum { NOTIFICATION_PW_DOWN = 1, NOTIFICATION_PW_UP };

/*
 * What to tell of a pseudowire whose pwOperStatus is @status: pwDown, pwUp, or 0 for
 * nothing: pwUp follows a pwDown only, and down and lowerLayerDown
 * are one (RFC 5601).
 */
unsigned int notices_due(const struct notices *notices, uint32_t session_id, long status);
/* Note that pwDown told of it, or that this is over. Without memory it will be told again. */
void notices_set_down(struct notices *notices, uint32_t session_id, bool down);

/* What a notification of ours says: snmpTrapOID.0 and the objects of its OBJECTS clause. */
struct notice_objects {
	oid trap[ROOT_LENGTH_MAX + 2];
	size_t trap_length;
	struct instance instances[NOTICE_OBJECTS_MAX];
	unsigned int count;
};
void notice_objects(const struct notice *notice, struct notice_objects *ret);

/* The names of a notification of pseudowires, and of what it carries: pwOperStatus.@session_id. */
size_t oid_of_pw_notification(unsigned int arc, oid ret[MAX_OID_LEN]);
size_t oid_of_oper_status(uint32_t session_id, oid ret[MAX_OID_LEN]);

#endif
