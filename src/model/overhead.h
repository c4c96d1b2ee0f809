/* What encapsulation costs (RFC 3931). */
#ifndef MODEL_OVERHEAD_H
#define MODEL_OVERHEAD_H

#include "model/model.h"

/*
 * Octets that a packet grows by in this session: outer IP (without options), UDP, session header
 * (RFC 3931 sections 4.1.1 and 4.1.2), cookie, L2-specific sublayer (section 4.6), and the Ethernet
 * header of the inner frame with its VLAN tag. Leaves that are absent count as their defaults. What
 * the path carries less this is the largest MTU that needs no fragments.
 */
unsigned int overhead_of(const struct tunnel *tunnel, const struct session *session);

/*
 * The part that the kernel subtracts from the path's MTU to choose an interface's
 * (net/l2tp/l2tp_eth.c l2tp_eth_adjust_mtu): all but the VLAN tag, for it knows no vlan-id.
 */
unsigned int overhead_in_kernel(const struct tunnel *tunnel, const struct session *session);

#endif
