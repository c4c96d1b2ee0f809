/*
 * XPath 1.0 (RFC 6241 section 8.9) without evaluating: absolute paths of names, in which a
 * predicate compares a leaf of an entry with a value, say the same as a subtree filter. Those are
 * compiled and looked up as such, at the cost of what they select. All others are for
 * search.h.
 */
#ifndef NETCONF_XPATH_H
#define NETCONF_XPATH_H

#include "netconf/node.h"

enum xpath_kind {
	XPATH_FILTER, /* the filter says all */
	XPATH_SEARCH, /* it must be evaluated, on no more than what the filter selects */
	XPATH_WHOLE   /* ... on everything */
};

/*
 * Make @ret, an empty tree, the filter: to be compiled as `exact` (filter.h). @scope is where the
 * expression's prefixes are declared. -ENOMEM is in ret->broken.
 */
enum xpath_kind xpath_to_filter(const char *expression, const struct node *scope, struct tree *ret);

#endif
