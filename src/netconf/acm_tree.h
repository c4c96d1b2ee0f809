/* NACM's configuration as elements: for get and get-config, and for files. */
#ifndef NETCONF_ACM_TREE_H
#define NETCONF_ACM_TREE_H

#include "netconf/defaults.h"
#include "netconf/node.h"
#include "netconf/writer.h"
#include "store/acm.h"

/* Counted by RFC 8341 section 3.5 (the container nacm). */
struct acm_denied {
	uint32_t operations, data_writes, notifications;
};

/* @denied NULL: without state. The tree is broken if there is no memory. */
void acm_tree_build(const struct acm *acm, const struct acm_denied *denied, enum defaults defaults,
		    struct tree *ret);
/* All of it, indented, for a file. -ENOMEM. */
int acm_tree_write(struct writer *writer, const struct acm *acm, unsigned int depth);

#endif
