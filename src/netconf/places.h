/*
 * Places: who gets a session, and who is turned away.
 *
 * Their number is limited, in all and per user, and some are kept for root and the daemon's user.
 * When they run out, a newcomer takes the place of a session at rest: one that has asked for
 * nothing in a while, is not in the middle of anything and holds nothing. It is one of the
 * newcomer's own, one of a user who has at least two more, or, for root and the daemon's user, one
 * of whoever has most. So forgotten sessions keep nobody out.
 */
#ifndef NETCONF_PLACES_H
#define NETCONF_PLACES_H

#include "netconf/peer.h"
#include "netconf/refusal.h"

struct netconf_server;

/* May end a session at rest to make room. */
enum refusal places_admit(struct netconf_server *server, uid_t uid);

/*
 * Say so in NETCONF and close @fd at once: for when there is not even a session to say it with.
 * The hello offers base:1.0 only, so the client knows the framing of the rpc-error.
 */
void places_turn_away(struct netconf_server *server, int fd, enum refusal refusal,
		      const struct peer *peer);

#endif
