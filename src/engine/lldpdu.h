/*
 * LLDP frames: what a keepalive is (IEEE Std 802.1AB-2016 clauses 7.1, 8.4 and 8.5). A leaf: it
 * knows octets only.
 */
#ifndef ENGINE_LLDPDU_H
#define ENGINE_LLDPDU_H

#include <stddef.h>

#include "model/model.h"

#define LLDPDU_MAX      256 /* octets of a frame, from the destination address on, without the FCS */
#define LLDPDU_TEXT_MAX 64  /* octets of a text; the rest is left out */

struct lldpdu {
	struct mac source;
	uint16_t vlan_id;        /* of the 802.1Q tag; 0: none */
	const char *host;        /* names this host, as chassis id and as system name; not "" */
	const char *port;        /* the interface's name, as port id; not "" */
	const char *description; /* of the port; "": none */
	uint16_t time_to_live;   /* seconds */
};

/* Returns the length. */
size_t lldpdu_build(const struct lldpdu *lldpdu, uint8_t ret[LLDPDU_MAX]);

#endif
