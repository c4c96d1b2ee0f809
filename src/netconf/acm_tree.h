/* NACM's configuration as elements: for get and get-config, and for files. */
#ifndef NETCONF_ACM_TREE_H
#define NETCONF_ACM_TREE_H

#include "netconf/defaults.h"
#include "netconf/node.h"
#include "netconf/view.h"
#include "netconf/writer.h"
#include "store/acm.h"

/* Counted by RFC 8341 section 3.5 (the container nacm). */
struct acm_denied {
	uint32_t operations, data_writes, notifications;
};

/* What to show of it. Of NACM all that is configured is in use, with the origin intended. */
struct acm_tree_options {
	enum defaults defaults;
	bool with_origin;
	unsigned int omit_origins; /* bits of enum view_origin */
};

/* @denied NULL: without state. The tree is broken if there is no memory. */
void acm_tree_build(const struct acm *acm, const struct acm_denied *denied,
		    const struct acm_tree_options *options, struct tree *ret);
/* All of it, indented, for a file. -ENOMEM. */
int acm_tree_write(struct writer *writer, const struct acm *acm, unsigned int depth);

#endif
