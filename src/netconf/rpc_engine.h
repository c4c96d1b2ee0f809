/* What the operations that ask the engine share. */
#ifndef NETCONF_RPC_ENGINE_H
#define NETCONF_RPC_ENGINE_H

#include "netconf/rpc.h"
#include "netconf/session.h"

/* Who asks, for the engine and the history. */
struct engine_who rpc_who(const struct netconf_session *session);

/* What the history shall say of the change; @operation must live as long as @who. */
int rpc_comment(const struct node *operation, struct engine_who *who, struct error *err);

/*
 * The same after our own words for what is done: "rollback to 17: because". @buffer must live as
 * long as @who.
 */
#define RPC_COMMENT sizeof(((struct commit_info *)0)->comment)
int rpc_comment_on(const struct node *operation, const char *words, char buffer[RPC_COMMENT],
		   struct engine_who *who, struct error *err);

/* The engine gave this ticket: RPC_LATER. 0: it has no memory; a negative errno, with @err. */
int rpc_await(struct netconf_session *session, unsigned int ticket, struct error *err);

/* The engine has answered: the session waits for it no more. */
void rpc_answered(struct netconf_session *session);
/* The engine's callback, which answers the client; @arg is the session. */
void rpc_done(int rc, const struct error *err, void *arg);

#endif
