/*
 * Nodes of linux-l2tpv3 that can be locked by themselves: as instance identifiers (RFC 7950 section
 * 9.13), which clients write, and as an XPath finds them.
 */
#ifndef NETCONF_INSTANCE_H
#define NETCONF_INSTANCE_H

#include "engine/engine.h"
#include "netconf/node.h"
#include "netconf/xpath_tree.h"

/*
 * The node that @at, an element with an instance identifier as its text, names; prefixes are those
 * in scope there. ERROR_INVALID_VALUE: it is none, or names no node of the configuration.
 */
int instance_parse(const struct node *at, struct engine_part *ret, struct error *err);

/* The node to which @steps lead (xpath_tree_visit()). False: it is none of our configuration. */
bool instance_find(const struct xpath_step *steps, size_t count, struct engine_part *ret);

/* Call @visit with the path of each node that is locked; the path is valid during the call. */
typedef void instance_visitor(const char *path, void *arg);
void instance_visit(const struct engine_partial *partial, instance_visitor *visit, void *arg);

#endif
