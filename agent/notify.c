/*
 * Sends notifications: the master turns them into traps or informs (RFC 2741 section 7.1.10) and
 * does not report how that went. They are paced, for a push of thousands of sessions changes as
 * many states.
 */
#include "internal.h"

#include <event2/event.h>
#include <syslog.h>

#include "base/clock.h"
#include "standard.h"

#define PACE_MS   50              /* also how long an object may take to come to rest */
#define RANGE_MAX 1000            /* pseudowires in one notification: looking at them takes time */
#define BURST_MAX 200             /* in a turn of the loop: each takes some 50 us */
#define TURN_NS   (5 * 1000000LL) /* a range may be thousands of rows */

static const oid snmp_trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};

/* Arcs below l2tpv3NotificationObjects. */
enum notify_object {
	NOTIFY_SESSIONS = 1,
	NOTIFY_USER,
	NOTIFY_DOOR,
	NOTIFY_TUNNELS_TOUCHED,
	NOTIFY_SESSIONS_TOUCHED,
	NOTIFY_DRIFT,
	NOTIFY_DRIFT_LEAF,
	NOTIFY_DRIFT_RESTORED
};

/* ---- making one */

/* The variable bindings so far; what does not fit into memory, or has no instance, spoils it. */
struct trap {
	struct agent *agent;
	netsnmp_variable_list *list;
	bool spoilt;
};

static void add(struct trap *trap, const oid *name, size_t length, const struct value *value)
{
	size_t size;
	const void *data = value_data(value, &size);

	if (!snmp_varlist_add_variable(&trap->list, name, length, value->type, data, size))
		trap->spoilt = true;
}

static size_t append(oid *name, size_t length, const oid *tail, size_t count)
{
	memcpy(name + length, tail, count * sizeof(oid));
	return length + count;
}

/* snmpTrapOID: the notification @arc of the module with that root, in its branch 0. */
static struct trap begin(struct agent *agent, const oid *root, size_t length, unsigned int arc)
{
	struct trap trap = {.agent = agent};
	oid name[MAX_OID_LEN];

	memcpy(name, root, length * sizeof(oid));
	length = append(name, length, (const oid[]){0, arc}, 2);
	if (!snmp_varlist_add_variable(&trap.list, snmp_trap_oid, OID_LENGTH(snmp_trap_oid),
				       ASN_OBJECT_ID, name, length * sizeof(oid)))
		trap.spoilt = true;
	return trap;
}

static void finish(struct trap *trap)
{
	if (!trap->spoilt)
		send_v3trap(trap->list, trap->agent->options.context);
	snmp_free_varbind(trap->list);
}

static struct instance instance_of(enum object object, const char *leaf, uint32_t tunnel_id,
				   uint32_t session_id)
{
	const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

	return (struct instance){.column = column_find(row->mib_table, row->mib_column),
				 .index = {.at = {tunnel_id, session_id}}};
}

/* A column of a tunnel or session; @gone: its value if there is no such row any more, or NULL. */
static void add_column(struct trap *trap, const char *leaf, uint32_t tunnel_id, uint32_t session_id,
		       const struct value *gone)
{
	enum object object = session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	struct instance instance = instance_of(object, leaf, tunnel_id, session_id);
	oid name[MAX_OID_LEN];
	size_t length = oid_of_instance(&instance, name);
	struct value value;

	if (mib_value(&trap->agent->mib, &instance, &value))
		add(trap, name, length, &value);
	else if (gone)
		add(trap, name, length, gone);
	else
		trap->spoilt = true;
}

static void add_scalar(struct trap *trap, enum scalar scalar)
{
	const struct instance instance = {.column = column_find(MIB_SCALARS, scalar)};
	oid name[MAX_OID_LEN];
	struct value value;

	mib_value(&trap->agent->mib, &instance, &value);
	add(trap, name, oid_of_instance(&instance, name), &value);
}

/* What only notifications have. */
static void add_object(struct trap *trap, enum notify_object object, const struct value *value)
{
	const oid tail[] = {1, 8, object, 0};
	oid name[MAX_OID_LEN];

	memcpy(name, mib_root, mib_root_length * sizeof(oid));
	add(trap, name, append(name, mib_root_length, tail, OID_LENGTH(tail)), value);
}

static void add_unsigned(struct trap *trap, enum notify_object object, size_t number)
{
	struct value value;

	value_unsigned(&value, number);
	add_object(trap, object, &value);
}

static void add_integer(struct trap *trap, enum notify_object object, long number)
{
	struct value value;

	value_integer(&value, number);
	add_object(trap, object, &value);
}

static void add_text(struct trap *trap, enum notify_object object, const char *text)
{
	struct value value;

	value_string(&value, text);
	add_object(trap, object, &value);
}

static struct value removing(void)
{
	struct value value;

	value_integer(&value, OPER_REMOVING);
	return value;
}

/* ---- ours */

static void tell_state(struct trap *trap, const struct notice *notice)
{
	static const char *const leaves[] = {"oper-status", "status-reason", "status-text"};

	if (notice->session_id)
		add_column(trap, "interface-name", notice->tunnel_id, notice->session_id, NULL);
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		add_column(trap, leaves[i], notice->tunnel_id, notice->session_id, NULL);
}

static void tell_foreign(struct trap *trap, const struct notice *notice)
{
	add_column(trap, "origin", notice->tunnel_id, 0, NULL);
}

static void tell_gone(struct trap *trap, const struct notice *notice)
{
	const struct value status = removing();
	struct value name;

	value_string(&name, notice->session_id ? notice->name : "");
	if (notice->session_id)
		add_column(trap, "interface-name", notice->tunnel_id, notice->session_id, &name);
	add_column(trap, "oper-status", notice->tunnel_id, notice->session_id, &status);
}

static void tell_commit(struct trap *trap, const struct notice *notice)
{
	const struct notice_commit *commit = &trap->agent->notices.commit;

	(void)notice;
	add_scalar(trap, SCALAR_GENERATION);
	add_text(trap, NOTIFY_USER, commit->user);
	add_text(trap, NOTIFY_DOOR, commit->door);
	add_unsigned(trap, NOTIFY_TUNNELS_TOUCHED, commit->tunnels);
	add_unsigned(trap, NOTIFY_SESSIONS_TOUCHED, commit->sessions);
}

static void tell_drift(struct trap *trap, const struct notice *notice)
{
	const char *leaf = notice->session_id ? "interface-name" : "oper-status";

	add_column(trap, leaf, notice->tunnel_id, notice->session_id, NULL);
	add_integer(trap, NOTIFY_DRIFT, notice->drift.kind + 1);
	add_text(trap, NOTIFY_DRIFT_LEAF, notice->drift.row ? notice->drift.row->leaf : "");
	add_integer(trap, NOTIFY_DRIFT_RESTORED, notice->drift.restores ? 1 : 2);
}

static void tell_loss(struct trap *trap, const struct notice *notice)
{
	(void)notice;
	agent_log(trap->agent, LOG_WARNING,
		  "lost %llu notifications since the start: too many waited",
		  (unsigned long long)trap->agent->mib.notifications_lost);
	add_scalar(trap, SCALAR_NOTIFICATIONS_LOST);
}

static void tell(struct agent *agent, const struct notice *notice)
{
	static void (*const tellers[])(struct trap * trap, const struct notice *notice) = {
		[NOTICE_TUNNEL_STATE] = tell_state, [NOTICE_SESSION_STATE] = tell_state,
		[NOTICE_FOREIGN] = tell_foreign,    [NOTICE_TUNNEL_GONE] = tell_gone,
		[NOTICE_SESSION_GONE] = tell_gone,  [NOTICE_COMMIT] = tell_commit,
		[NOTICE_TUNNEL_DRIFT] = tell_drift, [NOTICE_SESSION_DRIFT] = tell_drift,
		[NOTICE_LOSS] = tell_loss,
	};
	struct trap trap = begin(agent, mib_root, mib_root_length, notice->kind);

	tellers[notice->kind](&trap, notice);
	finish(&trap);
}

static void tell_sessions(struct agent *agent, const struct notice *first)
{
	const struct value status = removing();
	struct notice_range range;
	struct value reason;
	struct trap trap;

	notices_take_range(&agent->notices, agent->mib.store, first, &range);
	if (range.count <= 1) {
		tell(agent, first);
		return;
	}
	value_integer(&reason, REASON_BEING_REMOVED);
	trap = begin(agent, mib_root, mib_root_length, NOTICE_SESSION_RANGE);
	add_column(&trap, "oper-status", range.tunnel_id, 0, &status);
	add_column(&trap, "oper-status", range.tunnel_id, range.first, &status);
	add_column(&trap, "oper-status", range.tunnel_id, range.last, &status);
	add_column(&trap, "status-reason", range.tunnel_id, range.first, &reason);
	add_unsigned(&trap, NOTIFY_SESSIONS, range.count);
	finish(&trap);
}

/* ---- PW-STD-MIB's */

static size_t name_of_pseudowire(unsigned int column, uint32_t session_id, oid ret[MAX_OID_LEN])
{
	const oid tail[] = {1, 2, 1, column, session_id};

	memcpy(ret, pw_region.root, pw_region.root_length * sizeof(oid));
	return append(ret, pw_region.root_length, tail, OID_LENGTH(tail));
}

static void add_pseudowire(struct trap *trap, unsigned int column, uint32_t session_id,
			   const struct value *value)
{
	oid name[MAX_OID_LEN];

	add(trap, name, name_of_pseudowire(column, session_id, name), value);
}

/* 0: it is gone. */
static long oper_status(struct agent *agent, uint32_t session_id)
{
	oid name[MAX_OID_LEN];
	size_t length = name_of_pseudowire(PW_COLUMN_OPER_STATUS, session_id, name);
	struct value value;

	return mib_get(&agent->mib, name, length, INT64_MAX, &value) == OID_FINE
		       ? value.number.integer
		       : 0;
}

static void add_oper_status(struct trap *trap, uint32_t session_id)
{
	struct value value;

	value_integer(&value, oper_status(trap->agent, session_id));
	add_pseudowire(trap, PW_COLUMN_OPER_STATUS, session_id, &value);
}

/* One notification for a range of contiguous indexes, as far as they are queued. */
static void tell_pseudowires(struct agent *agent, uint32_t first)
{
	struct notices *notices = &agent->notices;
	long status = oper_status(agent, first);
	unsigned int arc = notices_due(notices, first, status);
	struct notice *next = NULL;
	uint32_t last = first;
	struct trap trap;

	if (!arc && (status == 0 || status == PW_NOT_PRESENT))
		notices_set_down(notices, first, false); /* another may come by that id */
	if (!arc)
		return;
	notices_set_down(notices, first, arc == NOTIFICATION_PW_DOWN);
	while (last < ID_MAX && last - first < RANGE_MAX &&
	       notices_due(notices, last + 1, oper_status(agent, last + 1)) == arc &&
	       (next = notices_take_pseudowire(notices, last + 1)) != NULL) {
		notices_set_down(notices, ++last, arc == NOTIFICATION_PW_DOWN);
		free(next);
	}
	trap = begin(agent, pw_region.root, pw_region.root_length, arc);
	add_oper_status(&trap, first);
	add_oper_status(&trap, last);
	finish(&trap);
}

static void tell_deleted(struct agent *agent, const struct notice *notice)
{
	struct trap trap =
		begin(agent, pw_region.root, pw_region.root_length, NOTIFICATION_PW_DELETED);
	struct value value;

	notices_set_down(&agent->notices, notice->session_id, false);
	value_integer(&value, notice->deleted.type);
	add_pseudowire(&trap, PW_COLUMN_TYPE, notice->session_id, &value);
	value_unsigned(&value, notice->deleted.pseudowire_id);
	add_pseudowire(&trap, PW_COLUMN_ID, notice->session_id, &value);
	value_integer(&value, peer_type(&notice->deleted.peer));
	add_pseudowire(&trap, PW_COLUMN_PEER_TYPE, notice->session_id, &value);
	value_peer(&value, &notice->deleted.peer);
	add_pseudowire(&trap, PW_COLUMN_PEER, notice->session_id, &value);
	finish(&trap);
}

/* ---- pacing */

/* Nanoseconds between two turns. */
static int64_t pace(const struct agent *agent)
{
	int64_t each = NS_PER_S / agent->mib.notify_rate;

	return each > PACE_MS * (NS_PER_S / 1000) ? each : PACE_MS * (NS_PER_S / 1000);
}

static unsigned int burst(const struct agent *agent)
{
	int64_t most = agent->mib.notify_rate * pace(agent) / NS_PER_S;

	return most < BURST_MAX ? (unsigned int)most : BURST_MAX;
}

/* Until the next turn, or until something is due. */
static void wait_a_little(struct agent *agent)
{
	int64_t due = notices_due_at(&agent->notices), now = clock_now();
	int64_t wait = due - now > pace(agent) ? due - now : pace(agent);
	const struct timeval delay = {.tv_sec = wait / NS_PER_S, .tv_usec = wait % NS_PER_S / 1000};

	if (due < 0 || (evtimer_pending(agent->pace, NULL) && agent->pace_at <= now + wait))
		return;
	agent->pace_at = now + wait;
	evtimer_add(agent->pace, &delay);
}

/* Bits of enum notice_set. */
static unsigned int enabled(const struct agent *agent)
{
	return (agent->mib.notify ? NOTICES_OURS : 0) |
	       (agent->mib.notify_pseudowires ? NOTICES_PSEUDOWIRES : 0);
}

static void tell_notice(struct agent *agent, const struct notice *notice, bool sum)
{
	if (notice->kind == NOTICE_PSEUDOWIRE)
		tell_pseudowires(agent, notice->session_id);
	else if (notice->kind == NOTICE_PSEUDOWIRE_DELETED)
		tell_deleted(agent, notice);
	else if (agent->mib.notify && sum)
		tell_sessions(agent, notice);
	else if (agent->mib.notify)
		tell(agent, notice);
}

void notify_some(struct agent *agent)
{
	int64_t until = clock_now() + TURN_NS;
	struct notice *notice;
	bool sum;

	if (!enabled(agent))
		notices_clear(&agent->notices);
	if (!agent->registered)
		return; /* notify_connected() will go on */
	for (unsigned int i = 0; i < burst(agent) && clock_now() < until; i++) {
		notice = notices_take(&agent->notices, clock_now(), &sum);
		if (!notice)
			break;
		tell_notice(agent, notice, sum);
		free(notice);
	}
	wait_a_little(agent);
	loop_turn(agent->loop);
}

void notify_connected(struct agent *agent)
{
	wait_a_little(agent);
}

void notify_event(const struct engine_event *event, void *arg)
{
	struct agent *agent = arg;

	if (!enabled(agent))
		return;
	notices_add(&agent->notices, enabled(agent), event);
	agent->mib.notifications_lost = agent->notices.dropped;
	wait_a_little(agent);
}
