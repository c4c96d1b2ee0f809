/*
 * What a subscriber wants of the notifications (RFC 5277 section 3.6): a subtree filter, or an
 * XPath that is to select something of the content. Subscriptions with the same XPath share it: it
 * is compiled once, and evaluated once for a notification.
 */
#ifndef NETCONF_EVENT_FILTER_H
#define NETCONF_EVENT_FILTER_H

#include "netconf/events.h"

struct event_filter;

/* @element: <filter>, whose start tag was checked (filter_check()). ERROR_INVALID_VALUE ... */
int event_filter_open(struct event_filter **ret, struct netconf_server *server,
		      const struct node *element, struct error *err);
void event_filter_close(struct event_filter *filter); /* Accepts NULL. */

/*
 * Does it select anything of the record's content? What would take too much work, or memory that is
 * not there, it lets pass: rather one too many.
 */
bool event_filter_passes(struct event_filter *filter, const struct event_record *record);

#endif
