/* The container netconf of nc-notifications: the event streams (RFC 5277 section 3.2.5). */
#include "model/names.h"
#include "netconf/events.h"
#include "netconf/provider.h"

static void build_streams(const struct netconf_session *session, struct tree *ret)
{
	const struct event_log *log = events_log(session->server->events);
	struct node *streams =
		provider_add(ret, tree_add(ret, NULL, "netconf", NAMESPACE_STREAMS), "streams");
	struct node *stream = provider_add(ret, streams, "stream");
	char created[NOTIFICATION_TIME];

	notification_print_time(event_log_created(log), created);
	provider_leaf(ret, stream, "name", EVENT_STREAM);
	provider_leaf(ret, stream, "description",
		      "What becomes of tunnels and sessions, commits to running, and NETCONF "
		      "sessions");
	provider_leaf(ret, stream, "replaySupport", "true");
	provider_leaf(ret, stream, "replayLogCreationTime", "%s", created);
}

static const struct subtree_list lists[] = {{"stream", 1}, {NULL, 0}};

const struct provider provider_streams = {
	.name = "netconf",
	.uri = NAMESPACE_STREAMS,
	.lists = lists,
	.build = build_streams,
};
