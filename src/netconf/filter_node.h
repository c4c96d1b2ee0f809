/* What a compiled filter is made of; shared by filter_compile.c and filter.c alone. */
#ifndef NETCONF_FILTER_NODE_H
#define NETCONF_FILTER_NODE_H

#include "netconf/filter.h"

/* A leaf that must have this value. One a row: a leaf has one value. */
struct condition {
	struct condition *next;
	const struct row *row;
	const char *text; /* canonical */
	size_t length;
};

/* A set of leaves below one element: the conditions, and what is selected if they hold. */
struct selection {
	struct selection *next; /* alternatives */
	struct condition *conditions;
	uint64_t rows; /* the conditions' too */
	bool never;
	bool partial; /* not everything */
};

struct filter_node {
	struct filter_node *next;
	bool keyed;
	uint32_t id;
	struct selection own;
	struct selection *statistics; /* alternatives */
	unsigned int statistics_count;
	struct filter_level sessions;
};

#endif
