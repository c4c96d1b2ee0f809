/*
 * Notifications: which are due, in what order, and what each carries. Knows nothing of AgentX:
 * notify.c sends them.
 *
 * They are kept by object, not by event: an object that changes again before its turn is told once,
 * as it is then. So the queue is bounded by the number of objects, even while there is no master
 * for hours. Tunnels and what is rare come before sessions, and tunnels take turns with theirs; so
 * do sessions and pseudowires. A tunnel of which more than so many sessions change in a second has
 * them summed up, by ranges of its rows.
 */
#ifndef AGENT_NOTICE_H
#define AGENT_NOTICE_H

#include <sys/queue.h>

#include "mib.h"

/*
 * Queued, of 96 bytes each; then one of a session is dropped. Enough for all objects of a daemon
 * with 65,000 sessions.
 */
#define NOTICES_MAX        131072
#define NOTICE_OBJECTS_MAX 5
#define NOTICES_WINDOW_NS  NS_PER_S

enum notice_kind {
	NOTICE_TUNNEL_STATE = 1, /* these are the arcs below l2tpv3Notifications */
	NOTICE_SESSION_STATE,
	NOTICE_FOREIGN,
	NOTICE_SESSION_RANGE,
	NOTICE_TUNNEL_GONE,
	NOTICE_SESSION_GONE,
	NOTICE_COMMIT,
	NOTICE_TUNNEL_DRIFT,
	NOTICE_SESSION_DRIFT,
	NOTICE_LOSS,
	NOTICE_PSEUDOWIRE, /* pwUp or pwDown, as its status is when it is told; no tunnel id */
	NOTICE_PSEUDOWIRE_DELETED
};

struct notice {
	TAILQ_ENTRY(notice) order;
	RB_ENTRY(notice) key;
	enum notice_kind kind;
	uint32_t tunnel_id, session_id;
	bool missed; /* it came about before we watched: tell it if it still holds */
	union {
		char name[IFNAME_LENGTH + 1]; /* NOTICE_SESSION_GONE: of its interface */
		struct {
			const struct row *row; /* the first that differs; NULL: none */
			enum engine_drift kind;
			bool restores;
		} drift;
		struct {
			uint32_t pseudowire_id;
			uint8_t type;
			struct address peer;
		} deleted;
	};
};

TAILQ_HEAD(notice_list, notice);

/* The session notices of a tunnel, and what was told of them since its window began. */
struct notice_group {
	TAILQ_ENTRY(notice_group) order;
	RB_ENTRY(notice_group) key;
	uint32_t tunnel_id;
	struct notice_list sessions;
	size_t count;
	int64_t until;     /* the end of the window; 0: it has not begun */
	unsigned int told; /* in the window, each by itself */
	bool sums;         /* they are summed up in this window */
	bool waits;        /* for its end */
};

TAILQ_HEAD(notice_group_list, notice_group);

/* Commits that were not told yet, as one. */
struct notice_commit {
	uint64_t generation;
	char door[12], user[36]; /* of the latest */
	size_t tunnels, sessions;
};

struct notices {
	struct notice_list first, pseudowires;
	struct notice_group_list ready, waiting; /* waiting: in the order of their ends */
	RB_HEAD(notice_group_tree, notice_group) groups;
	RB_HEAD(notice_tree, notice) tree;
	struct notice_tree down; /* the pseudowires that pwDown has told of, and pwUp not since */
	struct notice_commit commit;
	bool turn;         /* of pseudowires, not of sessions */
	bool catching_up;  /* what is added was missed */
	unsigned int each; /* sessions of a tunnel that are told by themselves in a window; >= 1 */
	size_t count;
	uint64_t dropped; /* since the start; NOTICE_LOSS tells of it */
};

enum notice_set { NOTICES_OURS = 1, NOTICES_PSEUDOWIRES = 2 };

void notices_init(struct notices *notices, unsigned int each);
void notices_clear(struct notices *notices); /* what is queued */
void notices_free(struct notices *notices);

/*
 * Queue the event, if there are notifications for it, of @sets (bits of enum notice_set). Without
 * memory it is lost, and counted.
 */
void notices_add(struct notices *notices, unsigned int sets, const struct engine_event *event);

/*
 * What is due at @now, which the caller frees; NULL: nothing is. *@ret_sum: it is the first session
 * of its tunnel's, and to be summed up with those after it (notices_take_range()).
 */
struct notice *notices_take(struct notices *notices, int64_t now, bool *ret_sum);
/* When something will be due; 0: something is already; -1: nothing is queued. */
int64_t notices_due_at(const struct notices *notices);

/*
 * Sessions of a tunnel that can be told as one: all rows from the first to the last have the same
 * oper-status and reason, or have all gone.
 */
struct notice_range {
	uint32_t tunnel_id, first, last; /* session ids */
	uint32_t count;                  /* of those that had changed */
	bool gone;
};
/* The range that begins with @first, whose notices are taken; 0 in count: its session is gone. */
void notices_take_range(struct notices *notices, const struct datastore *store,
			const struct notice *first, struct notice_range *ret);

/* The notice of that pseudowire, out of turn; the caller frees it. NULL: none is queued. */
struct notice *notices_take_pseudowire(struct notices *notices, uint32_t session_id);

/* The arcs below pwNotifications. */
enum { NOTIFICATION_PW_DOWN = 1, NOTIFICATION_PW_UP, NOTIFICATION_PW_DELETED };

/*
 * What to tell of a pseudowire whose pwOperStatus is @status: pwDown, pwUp, or 0 for nothing: pwUp
 * follows a pwDown only, and down and lowerLayerDown are one (RFC 5601).
 */
unsigned int notices_due(const struct notices *notices, uint32_t session_id, long status);
/* Note that pwDown told of it, or that this is over. Without memory it will be told again. */
void notices_set_down(struct notices *notices, uint32_t session_id, bool down);

#endif
