/*
 * The status of an entry, derived from what is known of it: path, interface,
 * counters. The kernel has no such thing. Writes state into the datastore, logs
 * and tells what changes; asks the kernel for addresses and routes only. May
 * call compare, desired and the context.
 */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include "engine/context.h"

void status_set(struct engine *engine, struct entry *entry, enum oper_status status,
		enum status_reason reason, int os_errno);

/* Derive the status of an entry that is in the kernel; with a tunnel's, its sessions'. */
void status_derive(struct engine *engine, struct entry *entry);
/* The entry is as configured now, or looked at anew: derive it without what was held against it. */
void status_renew(struct engine *engine, struct entry *entry);
/* Ask the kernel whether the tunnel has its local address, a route, and a link under that. */
void status_path(struct engine *engine, struct tunnel_entry *tunnel);
/* The session's interface became known, or changed: note it, and derive the status. */
void status_link(struct engine *engine, struct session_entry *session);
/*
 * What an entry lacks that is to be seen around us: of a tunnel its addresses
 * and route, of a session its bridge, of either the l2tp family. 0: nothing. Notes
 * the VRF of the address in the tunnel's state.
 */
enum status_reason status_lack(struct engine *engine, const struct entry *entry);
/* Is the l2tp family there for us? Connects; 0, or what is missing and the errno. */
enum status_reason status_family(struct engine *engine, int *ret_errno);
/*
 * What keeps the kernel from creating a tunnel: an address or a route. @want and @rc
 * are want_tunnel()'s, @rc not -ENOENT. 0: nothing. *@ret_errno is positive or 0.
 */
enum status_reason status_obstacle(struct engine *engine, const struct tunnel *want, int rc,
				   int *ret_errno);

/* The kernel's object is new: counters at 0, a discontinuity. */
void status_begin(struct engine *engine, struct entry *entry);
/* What the counters say, as they were at @now. */
void status_count(struct engine *engine, struct entry *entry, const struct statistics *statistics,
		  int64_t now);

/* It is no longer in the kernel. The entry goes too, unless it is configured or held. */
void status_gone(struct engine *engine, struct entry *entry);
/* The kernel took the delete: hold the entry until it is seen to be gone. */
void status_removing(struct engine *engine, const struct key *key);

#endif
