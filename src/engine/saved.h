/*
 * What others set on a session's interface and no leaf covers: saved before a re-creation, or a
 * change that would lose it, and put back by the job or its undo. It is kept with the session's
 * entry, so that a session that must wait gets it when it is created. For plan, interface and
 * outcome; may call desired and the context.
 */
#ifndef ENGINE_SAVED_H
#define ENGINE_SAVED_H

#include "engine/plan.h"

struct saved_link {
	unsigned int mtu, master; /* as in struct kernel_link */
	struct mac mac;
	uint8_t set;              /* which of these: enum kernel_link_bit */
	char *alias;              /* NULL: none */
	struct kernel_kept *kept; /* NULL: nothing to put back */
};

struct saved {
	struct saved_link interface, vlan; /* vlan: of its 802.1Q link, if it has one */
	bool owed; /* not put back yet: nobody wants what the interface has now */
};

/*
 * Save before the item's work. What is still owed is not saved again. 0, or a negative errno: do
 * not touch the object.
 */
int saved_take(struct engine *engine, const struct job *job, const struct item *item);

/* What to put back for an entry; NULL: nothing, or not by this item. */
struct saved *saved_of(const struct job *job, const struct item *item,
		       const struct session_entry *entry);
bool saved_is_owed(const struct session_entry *entry);
/* The item is done; if it could not put the settings back, they are owed. */
void saved_end(struct session_entry *entry, const struct item *item);

/* The job was never begun: free, in slices, what was saved for it. NULL: no memory, all is done. */
struct cursor *saved_drop_begin(struct engine *engine, const struct job *job);

/* Add to @set what @have has lost and no leaf of @want covers; returns its bits. */
unsigned int saved_link_bits(const struct saved_link *saved, const struct session *want,
			     const struct kernel_link *have, struct kernel_link *set);

#endif
