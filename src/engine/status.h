/*
 * Derives the status of an entry from its path, interface and counters, for the kernel has none.
 * Writes state into the datastore and tells watchers; asks the kernel only for
 * addresses and routes. May call compare, desired and the context; called by
 * those who create or see objects, and by counters.
 */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include "engine/context.h"

void status_set(struct engine *engine, struct entry *entry, enum oper_status status,
		enum status_reason reason, int os_errno);

/* Derive the status of an entry in the kernel; for a tunnel, also that of its sessions. */
void status_derive(struct engine *engine, struct entry *entry);
/*
 * The entry is now as configured, or is looked at again: forget earlier failures, and derive the
 * status.
 */
void status_renew(struct engine *engine, struct entry *entry);
/* Ask the kernel whether the tunnel has its local address, a route, and a link that is up. */
void status_path(struct engine *engine, struct tunnel_entry *tunnel);
/* The session's interface was found, or changed: note it, and derive the status. */
void status_link(struct engine *engine, struct session_entry *session);
/*
 * What an entry visibly lacks: a tunnel its address or route, a session its bridge or VRF, either
 * of them the l2tp family. 0: nothing. *@ret_errno is positive or 0. Notes the VRF of the address
 * in the tunnel's state.
 */
enum status_reason status_lack(struct engine *engine, const struct entry *entry, int *ret_errno);
/* Is the l2tp family available? Connects. 0, or the reason and the errno. */
enum status_reason status_family(struct engine *engine, int *ret_errno);
/*
 * What keeps the kernel from creating a tunnel: its address or route; 0: nothing. @want and @rc are
 * from want_tunnel(), @rc not -ENOENT. *@ret_errno is positive or 0.
 */
enum status_reason status_obstacle(struct engine *engine, const struct tunnel *want, int rc,
				   int *ret_errno);

/* The kernel's object is new: its counters begin at 0, which is a discontinuity. */
void status_begin(struct engine *engine, struct entry *entry);
/* Update the status from counters read at @now. */
void status_count(struct engine *engine, struct entry *entry, const struct statistics *statistics,
		  int64_t now);

/* It is no longer in the kernel. Drops the entry unless it is configured or held. */
void status_gone(struct engine *engine, struct entry *entry);
/* The kernel accepted the delete: hold the entry until the object is gone. */
void status_removing(struct engine *engine, const struct key *key);

#endif
