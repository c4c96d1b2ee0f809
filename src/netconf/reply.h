/*
 * Replies: rpc-reply around an operation's answer, and struct error as rpc-error (RFC 6241 section
 * 4.3, appendix A; RFC 7950 section 15). A reply echoes all attributes and namespace declarations
 * of the rpc.
 */
#ifndef NETCONF_REPLY_H
#define NETCONF_REPLY_H

#include "netconf/session.h"

void reply_begin(struct netconf_session *session);
void reply_end(struct netconf_session *session); /* and send what is left of it */
/* Tags in the base namespace, with the prefix that the client uses for it. */
void reply_open(struct netconf_session *session, const char *name);
void reply_close(struct netconf_session *session, const char *name);

/* The end of a message of any kind: send what is left of it. */
void reply_finish(struct netconf_session *session);

void reply_ok(struct netconf_session *session);
void reply_error(struct netconf_session *session, const struct error *err);

void send_hello(struct netconf_session *session);
/* A hello and an unsolicited rpc-error, through the session's writer alone. */
void reply_refusal(struct netconf_session *session, const struct error *err);

#endif
