/* The datastores of RFC 8342, and the origin of what is in operational. */
#ifndef NETCONF_NMDA_H
#define NETCONF_NMDA_H

#include "engine/engine.h"
#include "netconf/node.h"
#include "netconf/view.h"

struct nmda_datastore {
	const char *name;            /* an identity of ietf-datastores */
	enum engine_datastore which; /* intended is running here; ENGINE_DATASTORES: operational */
	bool writable;
};

extern const struct nmda_datastore nmda_datastores[]; /* ends with a NULL name */

/* The one that the leaf @node names, or NULL. */
const struct nmda_datastore *nmda_find_datastore(const struct node *node);

/* Origins as bits, in the order of enum view_origin; of those unknown here, none. 0: no identity.
 */
int nmda_read_origin(const struct node *node, unsigned int *ret, struct error *err);

/*
 * Have @view, which view_entry() made of @entry, show what is in use, defaults too (RFC 8342
 * section 5.3): while the kernel does not have the entry, what of it the daemon itself keeps. Its
 * `origins` and `config` then point into the other two.
 */
void nmda_show_in_use(const struct entry *entry, struct view *view, struct view_origins *origins,
		      union config *config);

#endif
