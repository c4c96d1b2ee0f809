/*
 * The view: what the AgentX master may ask to read, as functions over the
 * datastore, without an AgentX session. Everything else of the agent that a
 * request needs hangs here too.
 */
#ifndef AGENT_VIEW_H
#define AGENT_VIEW_H

#include "engine/engine.h"
#include "value.h"

struct view {
	struct engine *engine; /* NULL in tests of the view alone: counters as they are */
	const struct datastore *store;
	struct pending pending;
	struct epoch epoch;
	long spin_lock;       /* TestAndIncr */
	bool notify;          /* l2tpv3NotificationEnable */
	char last_error[600]; /* why the last set request was refused */
};

/* Fills in a zeroed view; the spin lock begins anywhere (RFC 2579 TestAndIncr). */
void view_init(struct view *view, struct engine *engine, const struct datastore *store);
void view_clear(struct view *view);
/* The master's sysUpTime is @uptime @now: as epoch_follow(), and kept over a restart. */
void view_follow_epoch(struct view *view, int64_t now, unsigned long uptime);

/* GET. OID_FINE: @ret is the value. */
enum oid_fault view_get(struct view *view, const oid *name, size_t length, struct value *ret);

/*
 * GETNEXT: the first instance after @name, its name and value. False when
 * nothing of ours comes after. O(log n), but for tunnels without sessions that
 * lie between two sessions.
 */
bool view_next(struct view *view, const oid *name, size_t length, oid ret_name[MAX_OID_LEN],
	       size_t *ret_length, struct value *ret);

/* The value of an instance; false when there is none. */
bool view_value(struct view *view, const struct instance *instance, struct value *ret);

/* l2tpv3StorageType and RowStatus as RFC 2579 numbers them. */
enum storage_type { STORAGE_VOLATILE = 2, STORAGE_NON_VOLATILE = 3, STORAGE_READ_ONLY = 5 };

#endif
