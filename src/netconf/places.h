/*
 * Places: who gets a session, and who is told that there is none.
 *
 * So many there are in all, so many of them a user may have, and some are kept
 * for root and the daemon's user. When they are short, a newcomer gets that of a
 * session at rest, one that asked for nothing in a while, is not in the middle
 * of anything and holds nothing: of his own, of a user who has at least two
 * more than he, or, for root and the daemon's user, of whoever has most. So
 * sessions that somebody forgot keep nobody out.
 */
#ifndef NETCONF_PLACES_H
#define NETCONF_PLACES_H

#include "model/error.h"
#include "netconf/peer.h"

struct netconf_server;

enum refusal {
	REFUSAL_NONE,
	REFUSAL_FULL,          /* no place for anybody but whom some are kept for */
	REFUSAL_USER,          /* this user has all that he may have */
	REFUSAL_NO_DESCRIPTORS /* the process may open no more files */
};

/* May end a session at rest to make room. */
enum refusal places_admit(struct netconf_server *server, uid_t uid);

/* Fill @err: why there is no place, and the cure. */
void places_explain(const struct netconf_server *server, enum refusal refusal,
		    const struct peer *peer, struct error *err);

/*
 * Tell it in NETCONF and close @fd at once: for where not even a session that
 * waits to be told can be had. The hello offers base:1.0 alone, so that it is
 * known in what framing the rpc-error comes.
 */
void places_turn_away(struct netconf_server *server, int fd, enum refusal refusal,
		      const struct peer *peer);

#endif
