/*
 * The event stream NETCONF (RFC 5277 section 3.2.3): what the engine and the sessions report
 * becomes notifications in the event log (journal/event_log.h), which subscriptions read.
 *
 * Changes of state come in bursts. They are kept by object until there is time, so an object that
 * changes again before its turn is told once, as it is then; tunnels come before sessions. They
 * wait while a subscriber that reads is far behind, so that only one that does not read can miss
 * any.
 */
#ifndef NETCONF_EVENTS_H
#define NETCONF_EVENTS_H

#include "journal/event_log.h"
#include "netconf/node.h"
#include "netconf/notification.h"
#include "netconf/session.h"

#define EVENT_STREAM "NETCONF" /* its name */

/* 0 or -ENOMEM. */
int events_open(struct netconf_server *server, struct error *err);
void events_close(struct netconf_server *server); /* writes what is left */

const struct event_log *events_log(const struct events *events);

/* RFC 6470 sections 2.4 and 2.5. */
void events_session_start(struct netconf_session *session);
void events_session_end(struct netconf_session *session);

/* A record, in no log, of the state that an entry has. Good until the next call; NULL: no memory.
 */
const struct event_record *events_state(struct events *events, const struct entry *entry);
/*
 * The content of a record to be filtered: as a tree; for an XPath. Good until the next call for
 * another record; NULL: no memory.
 */
const struct node *events_tree(struct events *events, const struct event_record *record);
const struct xpath_tree *events_document(struct events *events, const struct event_record *record);
/*
 * The record, in no log, without those elements of its content that @hides says. Good until the
 * next call of this or events_state(); NULL: no memory.
 */
typedef bool events_hides_cb(const struct node *element, void *arg);
const struct event_record *events_prune(struct events *events, const struct event_record *record,
					events_hides_cb *hides, void *arg);

#endif
