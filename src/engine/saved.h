/*
 * What others set on a session's interface and no leaf says: saved before a re-creation,
 * or a change that would lose it, to be put back by the job or by its undo. It lies with
 * the session's entry, so that a session that has to wait gets it when it is created at
 * last. For plan, interface and outcome; may call desired and the context.
 */
#ifndef ENGINE_SAVED_H
#define ENGINE_SAVED_H

#include "engine/plan.h"

struct saved_link {
	struct kernel_link link;
	unsigned int set;         /* of link: enum kernel_link_bit */
	struct kernel_kept *kept; /* NULL: nothing is to be put back */
};

struct saved {
	struct saved_link interface, vlan; /* the latter its 802.1Q link's; index 0: none */
	bool owed; /* not put back yet: what is on the interface now is nobody's wish */
};

/* Before the item's work. What is owed stays as it was saved. 0 or a negative errno: leave it. */
int saved_take(struct engine *engine, const struct job *job, const struct item *item);

/* What an entry has to get back; NULL: nothing, or not by this item of the job. */
struct saved *saved_of(const struct job *job, const struct item *item,
		       const struct session_entry *entry);
bool saved_is_owed(const struct session_entry *entry);
/* The item is done with, or could not be: then it is owed. */
void saved_end(struct session_entry *entry, const struct item *item);

/* Add to @set what @have has lost and no leaf of @want says; returns its bits. */
unsigned int saved_link_bits(const struct saved_link *saved, const struct session *want,
			     const struct kernel_link *have, struct kernel_link *set);

#endif
