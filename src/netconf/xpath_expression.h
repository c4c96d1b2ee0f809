/*
 * An XPath 1.0 expression, compiled once by libxml2, to be evaluated over one tree (xpath_tree.h)
 * or many.
 *
 * libxml2 counts the steps of an evaluation, whatever a step costs. Here functions that work on
 * strings count as so many more as their work grows with the strings; what is left grows with the
 * size of the document only. So over a small document a number of steps bounds the time.
 */
#ifndef NETCONF_XPATH_EXPRESSION_H
#define NETCONF_XPATH_EXPRESSION_H

#include <libxml/xpath.h>

#include "model/error.h"
#include "netconf/node.h"

struct xpath_expression;

/* As xpath_check() (xpath_tree.h) says; @scope may go afterwards. */
int xpath_expression_open(struct xpath_expression **ret, const char *text, const struct node *scope,
			  struct error *err);
void xpath_expression_close(struct xpath_expression *expression); /* Accepts NULL. */

/*
 * Evaluate it, with the document's root as the context node. The caller frees the node-set. NULL:
 * ERROR_TOO_BIG, when it takes more than @steps.
 */
xmlXPathObjectPtr xpath_expression_evaluate(struct xpath_expression *expression, xmlDocPtr document,
					    unsigned long steps, struct error *err);

#endif
