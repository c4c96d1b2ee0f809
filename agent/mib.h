/*
 * What the AgentX master can read, as functions over the datastore; knows nothing of AgentX. Holds
 * what else a request needs: pending rows, the spin lock, the last error.
 */
#ifndef AGENT_MIB_H
#define AGENT_MIB_H

#include "engine/engine.h"
#include "mapping.h"
#include "value.h"

struct mib {
	struct engine *engine; /* NULL in tests of this file alone: counters stay as they are */
	const struct datastore *store;
	struct pending pending;
	struct mappings mappings;
	struct subject_last last; /* of a GETNEXT */
	struct epoch epoch;
	long spin_lock;              /* TestAndIncr */
	bool notify;                 /* l2tpv3NotificationEnable */
	bool notify_pseudowires;     /* pwUpDownNotifEnable */
	unsigned int notify_rate;    /* pwNotifRate */
	uint64_t notifications_lost; /* l2tpv3NotificationsLost */
	char last_error[600];        /* why the last set request was refused */
};

/* Fill in a zeroed @mib; the spin lock starts at random (RFC 2579 TestAndIncr). */
void mib_init(struct mib *mib, struct engine *engine, const struct datastore *store);
void mib_clear(struct mib *mib);
/* The master's sysUpTime is @uptime @now: as epoch_follow(), and kept over a restart. */
void mib_follow_epoch(struct mib *mib, int64_t now, unsigned long uptime);

/* GET. OID_FINE: @ret is the value. OID_LATER: it is @until (clock_now()); ask the same again. */
enum oid_fault mib_get(struct mib *mib, const oid *name, size_t length, int64_t until,
		       struct value *ret);

/*
 * GETNEXT: the name and value of the first instance after @name, in whatever region. False when
 * nothing of ours comes after. O(log n), except for tunnels without sessions between two sessions,
 * for PPP sessions between two Ethernet ones, and for making the order of a mapping (mapping.h).
 */
bool mib_next(struct mib *mib, const oid *name, size_t length, oid ret_name[MAX_OID_LEN],
	      size_t *ret_length, struct value *ret);

/*
 * The same in steps, for whoever has not the time: begin where oid_to_start() says; SEARCH_FOUND:
 * *@at is the instance. SEARCH_NONE: there is none in a column that begins before @end (length 0:
 * in any). SEARCH_LATER: it is @until (clock_now()); go on from *@at.
 */
enum search mib_search(struct mib *mib, struct instance *at, const oid *end, size_t end_length,
		       int64_t until, struct value *ret);

/* The value of an instance, not of a mapping; false when there is none. */
bool mib_value(struct mib *mib, const struct instance *instance, struct value *ret);

/* StorageType as RFC 2579 numbers it. */
enum storage_type { STORAGE_VOLATILE = 2, STORAGE_NON_VOLATILE = 3, STORAGE_READ_ONLY = 5 };

#endif
