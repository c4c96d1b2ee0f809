/* Which notifications a session's user may have, and what of them (RFC 8341 section 3.4.6). */
#ifndef NETCONF_EVENT_ACCESS_H
#define NETCONF_EVENT_ACCESS_H

#include "netconf/events.h"

/*
 * The record; NULL if the user may not have it, for instance because it is about an entry that is
 * hidden from it. A netconf-config-change comes without those edits whose targets are hidden, as
 * another record that is good until the next call.
 */
const struct event_record *event_access(struct netconf_session *session,
					const struct event_record *record);

#endif
