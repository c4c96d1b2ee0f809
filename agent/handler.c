/*
 * Requests of the master: Get, GetNext and GetBulk come from transport.c and are answered by
 * answer.c; the rest net-snmp takes apart, for the regions that are registered here.
 */
#include "internal.h"

#include <errno.h>

#include "base/clock.h"

/* How often to look whether sysUpTime has restarted with the master, or has wrapped. */
#define FOLLOW_NS (NS_PER_S / 10)

size_t handler_asked(const uint8_t *request, size_t size, uint8_t *ret, bool again, int64_t now,
		     int64_t until, void *arg)
{
	struct agent *agent = arg;
	size_t length = 0;

	if (!again) {
		engine_polled(agent->options.engine, now);
		if (now - agent->followed_at >= FOLLOW_NS) {
			mib_follow_epoch(&agent->mib, now, netsnmp_get_agent_uptime());
			agent->followed_at = now;
		}
		answer_start(&agent->answer, &agent->mib, agent->options.context, request, size,
			     ret);
	}
	if (answer_go_on(&agent->answer, until, &length) == ANSWER_TOO_BIG)
		set_oversized(SIZE_OF_ANSWER, PDU_MAX, PDU_MAX, agent);
	return length;
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *reginfo,
		  netsnmp_agent_request_info *reqinfo, netsnmp_request_info *requests)
{
	return set_handle(handler->myvoid, handler, reginfo, reqinfo, requests);
}

static bool register_region(struct agent *agent, const struct region *region)
{
	netsnmp_handler_registration *registration = netsnmp_create_handler_registration(
		region->name, handle, region->root, region->root_length, HANDLER_CAN_RWRITE);

	if (!registration)
		return false;
	registration->handler->myvoid = agent;
	registration->timeout = PDU_TIMEOUT_S;
	if (agent->options.context) {
		registration->contextName = strdup(agent->options.context);
		if (!registration->contextName)
			return false;
	}
	return netsnmp_register_handler(registration) == MIB_REGISTERED_OK;
}

int handler_register(struct agent *agent)
{
	for (size_t i = 0; i < region_count; i++)
		if (!register_region(agent, regions[i]))
			return -ENOMEM;
	return 0;
}
