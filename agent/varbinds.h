/*
 * The variable bindings of one set request, over all tables. They are added one by one (RESERVE1),
 * checked together (RESERVE2) and become one edit for the engine (ACTION). Pending rows and
 * scalars are no configuration: they change here, beside the edit.
 */
#ifndef AGENT_VARBINDS_H
#define AGENT_VARBINDS_H

#include "mib.h"

struct varbinds;

struct varbinds *varbinds_new(struct mib *mib); /* NULL: no memory */
void varbinds_free(struct varbinds *varbinds);  /* accepts NULL */

/*
 * Add the next variable binding and check it by itself: name, type, length, value. Returns 0 or an
 * SNMP error-status, with @err filled (path and text).
 */
int varbinds_add(struct varbinds *varbinds, const struct varbind *varbind, struct error *err);

/*
 * Check all of them together, RowStatus and the model's rules included. Returns 0, or an SNMP
 * error-status with @err filled and, in *ret_varbind, which binding is to blame, counted from 0 in
 * the order they were added.
 */
int varbinds_check(struct varbinds *varbinds, size_t *ret_varbind, struct error *err);

/* The edit, after varbinds_check(); the caller owns it. NULL: nothing to configure. */
struct edit *varbinds_edit(struct varbinds *varbinds);
/* The candidate that the check left; borrowed. */
struct engine_checked *varbinds_checked(struct varbinds *varbinds);

/* The engine's error as an SNMP error-status, and which variable binding is to blame. */
int varbinds_refuse(const struct varbinds *varbinds, const struct error *err, size_t *ret_varbind);

/* The engine has done its part: put pending rows in place, or take them away ... */
void varbinds_apply(struct varbinds *varbinds);
/* ... put them back, when the request is undone ... */
void varbinds_revert(struct varbinds *varbinds);
/* ... or set the scalars too: the request is done for good. Cannot fail. */
void varbinds_finish(struct varbinds *varbinds);

#endif
