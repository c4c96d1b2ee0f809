/* create-subscription (RFC 5277 section 2.1.1). */
#include <errno.h>

#include "base/clock.h"
#include "netconf/events.h"
#include "netconf/rpc_table.h"
#include "netconf/subscription.h"

static int read_time(const struct node *operation, const char *parameter, int64_t *ret,
		     struct error *err)
{
	const char *text = node_text(operation, parameter, NAMESPACE_NOTIFICATION);

	if (!text || notification_parse_time(text, ret))
		return 0;
	return rpc_refuse(err, ERROR_BAD_ELEMENT, parameter,
			  "this is no date and time with a zone, such as 2026-11-30T18:00:00Z");
}

static int read_times(const struct node *operation, struct subscription_options *ret,
		      struct error *err)
{
	bool stops = node_child(operation, "stopTime", NAMESPACE_NOTIFICATION);
	int rc;

	ret->replay = node_child(operation, "startTime", NAMESPACE_NOTIFICATION);
	ret->stop = SUBSCRIPTION_NEVER;
	rc = read_time(operation, "startTime", &ret->start, err);
	rc = rc ? rc : read_time(operation, "stopTime", &ret->stop, err);
	if (rc)
		return rc;
	if (stops && !ret->replay)
		return rpc_refuse(err, ERROR_MISSING_ELEMENT, "startTime",
				  "stopTime needs a startTime, for it belongs to a replay");
	if (ret->replay && ret->start > clock_read(CLOCK_REALTIME))
		return rpc_refuse(err, ERROR_BAD_ELEMENT, "startTime",
				  "startTime is later than now; leave it out for what is to come");
	if (stops && ret->stop < ret->start)
		return rpc_refuse(err, ERROR_BAD_ELEMENT, "stopTime",
				  "stopTime is before startTime");
	return 0;
}

static int check_stream(const struct node *operation, struct error *err)
{
	const char *name = node_text(operation, "stream", NAMESPACE_NOTIFICATION);

	if (!name || !strcmp(name, EVENT_STREAM))
		return 0;
	return rpc_refuse(err, ERROR_INVALID_VALUE, "stream",
			  "there is no stream %.60s; the only one is " EVENT_STREAM, name);
}

int rpc_create_subscription(struct netconf_session *session, const struct node *operation,
			    struct error *err)
{
	struct subscription_options options = {
		.filter = node_child(operation, "filter", NAMESPACE_NOTIFICATION),
	};
	int rc = 0;

	if (session->subscription)
		rc = error_set(err, ERROR_BUSY,
			       "this session has a subscription; open another session for another");
	rc = rc ? rc : check_stream(operation, err);
	rc = rc ? rc : read_times(operation, &options, err);
	rc = rc ? rc : subscription_open(session, &options, err);
	return rc ? error_in_operation(err, rc) : RPC_OK;
}
