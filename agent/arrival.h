/* Tells when an AgentX master may have begun to listen at a unix socket, so that nobody asks. */
#ifndef AGENT_ARRIVAL_H
#define AGENT_ARRIVAL_H

#include "endpoint.h"

struct event_base;
struct arrival;

/* NULL: the endpoint is no path of a unix socket, or there is no memory: nobody will tell. */
struct arrival *arrival_new(struct event_base *base, const struct endpoint *endpoint,
			    void (*arrived)(void *arg), void *arg);
/* Watch the socket's directory, unless that is done; it may be there only now. Accepts NULL. */
void arrival_watch(struct arrival *arrival);
void arrival_free(struct arrival *arrival); /* accepts NULL */

#endif
