/*
 * What the kernel shall have according to a configuration: that is, a candidate
 * (engine->running is the one without changes). Asks the kernel for the address
 * of a local-interface, and changes nothing. May call context and links only.
 */
#ifndef ENGINE_DESIRED_H
#define ENGINE_DESIRED_H

#include "engine/context.h"

/*
 * Completed; local-interface without a local-address resolved (kernel.h,
 * interface_address), to the address that the tunnel had last towards that peer
 * while the interface has it. 0, -ENOENT (not wanted, or disabled), or wanted and:
 * -EADDRNOTAVAIL/-ENODEV local-interface gives no address, or does not have the
 * local-address; -EAGAIN the address resolved has not passed duplicate address
 * detection.
 */
int want_tunnel(struct engine *engine, const struct candidate *config, uint32_t tunnel_id,
		struct tunnel *ret);
/* 0 or -ENOENT */
int want_session(const struct candidate *config, uint32_t tunnel_id, uint32_t session_id,
		 struct session *ret);
/* Of either kind. */
int want_entry(struct engine *engine, const struct candidate *config, const struct key *key,
	       union config *ret);

/*
 * What to set (enum kernel_link_bit, into @ret) so that the session's interface
 * @have is as @want says; @before is the leaf values until now, or NULL, for
 * what is taken back, and @mtu what `mtu` then becomes. The bridge is the 802.1Q
 * link's when there is one. A bridge that does not exist is not set: status.c
 * has the session wait for it.
 */
unsigned int want_link(struct engine *engine, unsigned int mtu, const struct session *before,
		       const struct session *want, const struct kernel_link *have,
		       struct kernel_link *ret);
/* The MTU that the kernel would choose for @want's interface, as far as we know. */
unsigned int default_mtu(const struct session_entry *entry, const struct tunnel *tunnel,
			 const struct session *want);
/* Does the session need an 802.1Q link that is not there as it should be? */
bool want_vlan(struct engine *engine, const struct session *want, unsigned int parent);

#endif
