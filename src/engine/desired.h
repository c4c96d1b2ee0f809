/*
 * What the kernel should have according to a configuration, which is a candidate (engine->running
 * is the one without changes). Asks the kernel for the address of a local-interface, and changes
 * nothing. May call only context and links; called by compare and all above it.
 */
#ifndef ENGINE_DESIRED_H
#define ENGINE_DESIRED_H

#include "engine/context.h"

/*
 * The completed tunnel. Resolves a local-interface without local-address (kernel.h,
 * interface_address) to the address that the tunnel last had towards that peer, if the interface
 * still has it. 0; -ENOENT: not wanted, or disabled. Wanted, but: -EADDRNOTAVAIL or -ENODEV:
 * local-interface has no usable address, or lacks the local-address; -EAGAIN: the resolved address
 * has not passed duplicate address detection.
 */
int want_tunnel(struct engine *engine, const struct candidate *config, uint32_t tunnel_id,
		struct tunnel *ret);
/* 0 or -ENOENT */
int want_session(const struct candidate *config, uint32_t tunnel_id, uint32_t session_id,
		 struct session *ret);
/* For either kind of entry. */
int want_entry(struct engine *engine, const struct candidate *config, const struct key *key,
	       union config *ret);

/*
 * What to set (enum kernel_link_bit, values in @ret) to make the session's interface @have as in
 * @want. @before: the leaves until now, or NULL, to reset those that were removed; @mtu: the value
 * for a removed `mtu`. With an 802.1Q link the master is that link's. A master that does not exist
 * is not set: status.c makes the session wait for it. @ret may borrow from @want.
 */
unsigned int want_link(struct engine *engine, unsigned int mtu, const struct session *before,
		       const struct session *want, const struct kernel_link *have,
		       struct kernel_link *ret);
/* Has it a bridge or a vrf? The link of that name and kind; NULL: neither, or there is none. */
bool has_master(const struct session *session);
const struct kernel_link *find_master(const struct engine *engine, const struct session *want);
/* Should its interface be down because the peer is silent (dead-action)? */
bool want_dormant(const struct session_entry *entry, const struct session *want);
/* The MTU that the kernel would presumably choose for @want's interface. */
unsigned int default_mtu(const struct session_entry *entry, const struct tunnel *tunnel,
			 const struct session *want);
/* Does the session need an 802.1Q link that is missing or differs? */
bool want_vlan(struct engine *engine, const struct session *want, unsigned int parent);

#endif
