/*
 * Sends notifications: the master turns them into traps or informs (RFC 2741 section 7.1.10) and
 * does not report how that went. They are paced, for a push of thousands of sessions changes as
 * many states.
 */
#include "internal.h"

#include <event2/event.h>
#include <syslog.h>

#define PACE_MS 50 /* also how long an object may take to come to rest */
#define BURST   10 /* every PACE_MS: 200 a second */

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
		send_v2trap(list);
	snmp_free_varbind(list);
}

static void tell_dropped(struct agent *agent)
{
	if (agent->notices.dropped == agent->dropped)
		return;
	agent_log(agent, LOG_WARNING, "lost %llu notifications: more than %d were queued",
		  (unsigned long long)(agent->notices.dropped - agent->dropped), NOTICES_MAX);
	agent->dropped = agent->notices.dropped;
}

void notify_some(struct agent *agent)
{
	if (!agent->mib.notify)
		notices_clear(&agent->notices);
	if (!agent->registered)
		return; /* notify_connected() will go on */
	tell_dropped(agent);
	for (unsigned int i = 0; i < BURST && agent->notices.count > 0; i++) {
		struct notice *notice = notices_take(&agent->notices);

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

	if (!agent->mib.notify)
		return;
	notices_add(&agent->notices, event);
	notify_connected(agent);
}
