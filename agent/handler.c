#include "internal.h"

#include <errno.h>

#include "base/clock.h"
#include "pdu.h"

static void answer(netsnmp_request_info *request, const struct value *value)
{
	size_t size;
	const void *data = value_data(value, &size);

	snmp_set_var_typed_value(request->requestvb, value->type, data, size);
}

static void get(struct agent *agent, netsnmp_agent_request_info *reqinfo,
		netsnmp_request_info *request)
{
	oid name[MAX_OID_LEN];
	size_t length = oid_of_varbind(request->requestvb, name);
	struct value value;

	switch (mib_get(&agent->mib, name, length, &value)) {
	case OID_FINE:
		answer(request, &value);
		break;
	case OID_NO_INSTANCE:
		netsnmp_set_request_error(reqinfo, request, SNMP_NOSUCHINSTANCE);
		break;
	default:
		netsnmp_set_request_error(reqinfo, request, SNMP_NOSUCHOBJECT);
	}
}

/* If nothing is found the varbind stays as it is, and net-snmp goes on after our region. */
static void get_next(struct agent *agent, const struct region *region,
		     netsnmp_request_info *request)
{
	oid from[MAX_OID_LEN], name[MAX_OID_LEN];
	size_t length = oid_of_varbind(request->requestvb, from);
	struct value value;

	if (!mib_next(&agent->mib, from, length, name, &length, &value) ||
	    netsnmp_oid_is_subtree(region->root, region->root_length, name, length))
		return;
	snmp_set_var_objid(request->requestvb, name, length);
	answer(request, &value);
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *reginfo,
		  netsnmp_agent_request_info *reqinfo, netsnmp_request_info *requests)
{
	struct agent *agent = handler->myvoid;
	netsnmp_request_info *request;

	if (reqinfo->mode != MODE_GET && reqinfo->mode != MODE_GETNEXT)
		return set_handle(agent, handler, reginfo, reqinfo, requests);
	engine_polled(agent->options.engine);
	mib_follow_epoch(&agent->mib, clock_now(), netsnmp_get_agent_uptime());
	for (request = requests; request; request = request->next) {
		if (request->processed)
			continue;
		if (reqinfo->mode == MODE_GET)
			get(agent, reqinfo, request);
		else
			get_next(agent, reginfo->my_reg_void, request);
	}
	return SNMP_ERR_NOERROR;
}

static bool register_region(struct agent *agent, const struct region *region)
{
	netsnmp_handler_registration *registration = netsnmp_create_handler_registration(
		region->name, handle, region->root, region->root_length, HANDLER_CAN_RWRITE);

	if (!registration)
		return false;
	registration->handler->myvoid = agent;
	registration->my_reg_void = (void *)(uintptr_t)region;
	registration->timeout = PDU_TIMEOUT_S;
	return netsnmp_register_handler(registration) == MIB_REGISTERED_OK;
}

int handler_register(struct agent *agent)
{
	for (size_t i = 0; i < region_count; i++)
		if (!register_region(agent, regions[i]))
			return -ENOMEM;
	return 0;
}
