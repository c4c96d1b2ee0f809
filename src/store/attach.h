/* The datastore's top layer, change by change: private to publish.c and datastore.c. */
#ifndef STORE_ATTACH_H
#define STORE_ATTACH_H

#include "store/datastore.h"

/* Attach a change to its entry, and make the entry if there is none. 0 or -ENOMEM. */
int datastore_attach(struct datastore *ds, struct change *change);
/*
 * Take it off again: to drop it, or to merge it into the base layer. The entry goes when nothing
 * keeps it.
 */
void datastore_detach(struct datastore *ds, struct change *change);
void datastore_merge(struct datastore *ds, struct change *change);
/* Attach and merge at once, where nobody looks on. 0, or -ENOMEM: the entry is as it was. */
int datastore_put(struct datastore *ds, const struct change *change);

#endif
