/* The datastore's top layer, a change at a time: private to publish.c, datastore.c and past.c. */
#ifndef STORE_ATTACH_H
#define STORE_ATTACH_H

#include "store/datastore.h"

/* Attach a change to its entry, which is made when there is none. -ENOMEM. */
int datastore_attach(struct datastore *ds, struct change *change);
/* Take it off again: for nothing, or to be the base layer's. The entry goes when nothing keeps it.
 */
void datastore_detach(struct datastore *ds, struct change *change);
void datastore_merge(struct datastore *ds, struct change *change);

/* Those that are open see what is published now as it was before; they keep what a merge takes
 * away (past.c). */
void pasts_publish(struct datastore *running);
void pasts_keep(struct datastore *running, const struct change *change);

#endif
