/* Every link of the namespace, by index and by name. A leaf: anybody may call it. */
#ifndef ENGINE_LINKS_H
#define ENGINE_LINKS_H

#include <bsd/sys/tree.h>

#include "kernel/kernel.h"

struct link_entry;

/* An alternative name, as set by "ip link property add altname". */
struct link_alternative {
	RB_ENTRY(link_alternative) by_name;
	struct link_entry *of;
	const char *name; /* in the link's .alternatives */
};

struct link_entry {
	RB_ENTRY(link_entry) by_index, by_name;
	struct kernel_link link; /* .alternatives, .alias: our own copies */
};
RB_HEAD(link_index_tree, link_entry);
RB_HEAD(link_name_tree, link_entry);
RB_HEAD(link_alternative_tree, link_alternative);

struct links {
	struct link_index_tree by_index;
	struct link_name_tree by_name;
	struct link_alternative_tree by_alternative;
	struct link_entry *recent; /* found last by its index; NULL: it is gone */
	struct link_entry **vrfs;  /* links that are VRFs: few */
	size_t vrf_count;
	uint64_t changes; /* counts changes */
};

#define LINKS_EMPTY ((struct links){0})

const struct kernel_link *links_by_index(const struct links *links, unsigned int index);
/* By its primary or an alternative name. */
const struct kernel_link *links_by_name(const struct links *links, const char *name);
/* Does the known link have exactly the names of @link? */
bool links_know_names(const struct links *links, const struct kernel_link *link);
/* The 802.1Q link of that VLAN over @parent, whatever its name; walks all links. */
const struct kernel_link *links_by_vlan(const struct links *links, unsigned int parent,
					uint16_t vlan_id);
/*
 * The interface of a session: by index or, while that is unknown (0), by name if it can be an L2TP
 * interface, for others may have taken the name.
 */
const struct kernel_link *links_of_session(const struct links *links, unsigned int index,
					   const char *name);
bool links_put(struct links *links, const struct kernel_link *link); /* false: no memory */
void links_remove(struct links *links, unsigned int index);
bool links_remove_one(struct links *links); /* remove some link; false: there are none */
void links_clear(struct links *links);

#endif
