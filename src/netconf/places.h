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

#include "netconf/peer.h"
#include "netconf/refusal.h"

struct netconf_server;

/* May end a session at rest to make room. */
enum refusal places_admit(struct netconf_server *server, uid_t uid);

/*
 * Tell it in NETCONF and close @fd at once: for where not even a session that
 * waits to be told can be had. The hello offers base:1.0 alone, so that it is
 * known in what framing the rpc-error comes.
 */
void places_turn_away(struct netconf_server *server, int fd, enum refusal refusal,
		      const struct peer *peer);

#endif
