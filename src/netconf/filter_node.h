/* What a compiled filter is made of: for filter_compile.c and filter.c only. */
#ifndef NETCONF_FILTER_NODE_H
#define NETCONF_FILTER_NODE_H

#include "netconf/filter.h"

/* A leaf that must have this value. At most one per row: a leaf has one value. */
struct condition {
	struct condition *next;
	const struct row *row;
	const char *text; /* canonical */
	size_t length;
};

/* Leaves below one element: conditions, and what is selected if they hold. */
struct selection {
	struct selection *next; /* alternatives */
	struct condition *conditions;
	uint64_t rows; /* those of the conditions, too */
	bool never;
	bool partial; /* selects some, not everything */
};

struct filter_node {
	struct filter_node *next;
	bool keyed;
	bool container; /* stands for the container, without conditions */
	uint32_t id;
	struct selection own;
	struct selection *statistics; /* alternatives */
	unsigned int statistics_count;
	struct filter_level sessions;
};

#endif
