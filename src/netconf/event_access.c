#include "netconf/event_access.h"

#include "model/names.h"
#include "netconf/config_change.h"
#include "netconf/instance.h"

static uint32_t id_in(const struct node *content, const char *leaf)
{
	const char *text = node_text(content, leaf, NULL);

	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static bool may_see(const struct policy *policy, uint32_t tunnel_id, uint32_t session_id,
		    uint64_t leaves)
{
	uint64_t needed = ROW_SELF | leaves;

	return !(needed & ~policy_rows(policy, RIGHT_READ, tunnel_id, session_id));
}

static bool may_see_target(const struct policy *policy, const struct node *target)
{
	struct policy_node top = {.uri = NAMESPACE_ACM, .name = "nacm"};
	struct engine_part part;

	if (!strcmp(target->text, "/" PREFIX_ACM ":nacm"))
		return policy_acm_node(policy, RIGHT_READ, &top);
	if (instance_parse(target, &part, NULL))
		return false;
	if (part.tunnel_id)
		return may_see(policy, part.tunnel_id, part.session_id, part.leaves);
	top.uri = NAMESPACE_MODULE;
	top.name = ELEMENT_CONTAINER;
	return policy_node(policy, RIGHT_READ, &top);
}

/* For events_prune(): is it an edit whose target is hidden? */
static bool hides(const struct node *element, void *arg)
{
	const struct node *target = node_child(element, "target", NAMESPACE_NETCONF_EVENTS);

	return node_is(element, "edit", NAMESPACE_NETCONF_EVENTS) &&
	       !(target && may_see_target(arg, target));
}

/* If every edit is hidden, so is who made them. */
static const struct event_record *without_hidden(struct netconf_session *session,
						 const struct event_record *record,
						 const struct node *content)
{
	void *policy = (void *)(uintptr_t)access_policy(session);
	bool any_seen = false, any_hidden = false;

	for (const struct node *at = content->first; at; at = at->next) {
		bool hidden = hides(at, policy);

		any_hidden |= hidden;
		any_seen |= !hidden && node_is(at, "edit", NAMESPACE_NETCONF_EVENTS);
	}
	if (!any_seen)
		return NULL;
	return any_hidden ? events_prune(session->server->events, record, hides, policy) : record;
}

const struct event_record *event_access(struct netconf_session *session,
					const struct event_record *record)
{
	const struct policy *policy;
	const struct node *content;
	uint32_t tunnel_id;

	access_refresh(session);
	policy = access_policy(session);
	if (!policy)
		return record;
	content = events_tree(session->server->events, record);
	if (!content || !access_may_notify(session, content->uri, content->name))
		return NULL;
	if (node_is(content, "netconf-config-change", NAMESPACE_NETCONF_EVENTS))
		return without_hidden(session, record, content);
	tunnel_id = id_in(content, "tunnel-id");
	return !tunnel_id || may_see(policy, tunnel_id, id_in(content, "session-id"), 0) ? record
											 : NULL;
}
