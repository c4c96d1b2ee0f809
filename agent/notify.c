/*
 * Sends notifications: the master turns them into traps or informs (RFC 2741 section 7.1.10) and
 * does not report how that went. They are paced, for a push of thousands of sessions changes as
 * many states.
 */
#include "internal.h"

#include <event2/event.h>
#include <syslog.h>

#include "standard.h"

#define PACE_MS   50   /* also how long an object may take to come to rest */
#define RANGE_MAX 1000 /* pseudowires in one notification: looking at them takes time */
#define BURST     (NOTICES_A_SECOND * PACE_MS / 1000)

static const oid snmp_trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};

static void wait_a_little(struct agent *agent)
{
	const struct timeval pace = {.tv_usec = PACE_MS * 1000};

	if (!evtimer_pending(agent->pace, NULL))
		evtimer_add(agent->pace, &pace);
}

static bool add(netsnmp_variable_list **list, const oid *name, size_t length, unsigned char type,
		const void *data, size_t size)
{
	return snmp_varlist_add_variable(list, name, length, type, data, size) != NULL;
}

static bool add_object(struct agent *agent, netsnmp_variable_list **list,
		       const struct instance *instance)
{
	oid name[MAX_OID_LEN];
	size_t length = oid_of_instance(instance, name), size;
	struct value value;
	const void *data;

	if (!mib_value(&agent->mib, instance, &value))
		return false;
	data = value_data(&value, &size);
	return add(list, name, length, value.type, data, size);
}

/* An object that has gone meanwhile gets no notification. */
static void tell(struct agent *agent, const struct notice *notice)
{
	netsnmp_variable_list *list = NULL;
	struct notice_objects objects;
	bool whole;

	notice_objects(notice, &objects);
	whole = add(&list, snmp_trap_oid, OID_LENGTH(snmp_trap_oid), ASN_OBJECT_ID, objects.trap,
		    objects.trap_length * sizeof(oid));
	for (unsigned int i = 0; whole && i < objects.count; i++)
		whole = add_object(agent, &list, &objects.instances[i]);
	if (whole)
		send_v3trap(list, agent->options.context);
	snmp_free_varbind(list);
}

/* 0: it is gone. */
static long oper_status(struct agent *agent, uint32_t session_id)
{
	oid name[MAX_OID_LEN];
	struct value value;

	if (mib_get(&agent->mib, name, oid_of_oper_status(session_id, name), &value) != OID_FINE)
		return 0;
	return value.number.integer;
}

static bool add_oper_status(struct agent *agent, netsnmp_variable_list **list, uint32_t session_id)
{
	oid name[MAX_OID_LEN];
	size_t length = oid_of_oper_status(session_id, name);
	long status = oper_status(agent, session_id);

	return add(list, name, length, ASN_INTEGER, &status, sizeof(status));
}

static void send_pseudowires(struct agent *agent, unsigned int arc, uint32_t first, uint32_t last)
{
	netsnmp_variable_list *list = NULL;
	oid trap[MAX_OID_LEN];
	size_t length = oid_of_pw_notification(arc, trap);

	if (add(&list, snmp_trap_oid, OID_LENGTH(snmp_trap_oid), ASN_OBJECT_ID, trap,
		length * sizeof(oid)) &&
	    add_oper_status(agent, &list, first) && add_oper_status(agent, &list, last))
		send_v3trap(list, agent->options.context);
	snmp_free_varbind(list);
}

/* One notification for a range of contiguous indexes, as far as they are queued. */
static void tell_pseudowires(struct agent *agent, uint32_t first)
{
	struct notices *notices = &agent->notices;
	long status = oper_status(agent, first);
	unsigned int arc = notices_due(notices, first, status);
	struct notice *next = NULL;
	uint32_t last = first;

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
	send_pseudowires(agent, arc, first, last);
}

static void tell_dropped(struct agent *agent)
{
	if (agent->notices.dropped == agent->dropped)
		return;
	agent_log(agent, LOG_WARNING, "lost %llu notifications: more than %d were queued",
		  (unsigned long long)(agent->notices.dropped - agent->dropped), NOTICES_MAX);
	agent->dropped = agent->notices.dropped;
}

/* Bits of enum notice_set. */
static unsigned int enabled(const struct agent *agent)
{
	return (agent->mib.notify ? NOTICES_OURS : 0) |
	       (agent->mib.notify_pseudowires ? NOTICES_PSEUDOWIRES : 0);
}

void notify_some(struct agent *agent)
{
	if (!enabled(agent))
		notices_clear(&agent->notices);
	if (!agent->registered)
		return; /* notify_connected() will go on */
	tell_dropped(agent);
	for (unsigned int i = 0; i < BURST && agent->notices.count > 0; i++) {
		struct notice *notice = notices_take(&agent->notices);

		if (notice->kind == NOTICE_PSEUDOWIRE)
			tell_pseudowires(agent, notice->session_id);
		else if (agent->mib.notify)
			tell(agent, notice);
		free(notice);
	}
	if (agent->notices.count > 0)
		wait_a_little(agent);
	loop_turn(agent->loop);
}

void notify_connected(struct agent *agent)
{
	if (agent->notices.count > 0)
		wait_a_little(agent);
}

void notify_event(const struct engine_event *event, void *arg)
{
	struct agent *agent = arg;

	if (!enabled(agent))
		return;
	notices_add(&agent->notices, enabled(agent), event);
	notify_connected(agent);
}
