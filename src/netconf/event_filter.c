#include "netconf/event_filter.h"

#include "netconf/filter.h"
#include "netconf/subtree.h"
#include "netconf/xpath_expression.h"
#include "netconf/xpath_tree.h"

#define VERDICTS 1024 /* remembered: subscribers are at different places of the log */

struct event_filter {
	struct netconf_server *server;
	struct tree subtree; /* root: <filter>; NULL: it is an XPath, */
	struct xpath_expression *expression;
	char *text; /* with what its prefixes stand for: tells whether another is the same */
	unsigned int owners;
	uint64_t verdicts[VERDICTS]; /* by the record's number: that, and as bit 0 whether it passes
				      */
	LIST_ENTRY(event_filter) link;
};

static int out_of_memory(struct error *err)
{
	return error_set(err, ERROR_RESOURCE, "out of memory; try again later");
}

/* The expression and the declarations in force there; NULL: no memory. To free(). */
static char *describe(const char *expression, const struct node *scope)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	fprintf(file, "%s\n", expression);
	for (; scope; scope = scope->parent)
		for (const struct declaration *ns = scope->declarations; ns; ns = ns->next)
			fprintf(file, "%s=%s\n", ns->prefix, ns->uri);
	if (fclose(file)) {
		free(text);
		text = NULL;
	}
	return text;
}

static struct event_filter *find(struct netconf_server *server, const char *text)
{
	struct event_filter *filter;

	LIST_FOREACH (filter, &server->filters, link)
		if (!strcmp(filter->text, text))
			break;
	return filter;
}

static int open_subtree(struct event_filter *filter, const struct node *element, struct error *err)
{
	int rc = subtree_check(element, NULL, NULL, err);

	if (!rc && !tree_copy(&filter->subtree, NULL, element))
		rc = out_of_memory(err);
	return rc;
}

int event_filter_open(struct event_filter **ret, struct netconf_server *server,
		      const struct node *element, struct error *err)
{
	struct event_filter *filter;
	const char *select;
	char *text;
	int rc = filter_select(element, &select, err);

	if (rc)
		return rc;
	text = select ? describe(select, element) : NULL;
	filter = text ? find(server, text) : NULL;
	if (filter) {
		free(text);
		filter->owners++;
		*ret = filter;
		return 0;
	}
	filter = select && !text ? NULL : calloc(1, sizeof(*filter));
	if (!filter) {
		free(text);
		return out_of_memory(err);
	}
	filter->server = server;
	filter->owners = 1;
	filter->text = text;
	rc = select ? xpath_expression_open(&filter->expression, select, element, err)
		    : open_subtree(filter, element, err);
	if (text)
		LIST_INSERT_HEAD(&server->filters, filter, link);
	if (rc)
		event_filter_close(filter);
	else
		*ret = filter;
	return rc;
}

void event_filter_close(struct event_filter *filter)
{
	if (!filter || --filter->owners)
		return;
	if (filter->text)
		LIST_REMOVE(filter, link);
	tree_free(&filter->subtree);
	xpath_expression_close(filter->expression);
	free(filter->text);
	free(filter);
}

static bool evaluate(struct event_filter *filter, const struct event_record *record)
{
	const struct xpath_tree *document = events_document(filter->server->events, record);

	return !document || xpath_tree_has(document, filter->expression) != 0;
}

bool event_filter_passes(struct event_filter *filter, const struct event_record *record)
{
	uint64_t *verdict = &filter->verdicts[record->number % VERDICTS];
	const struct node *content;
	bool passes;

	if (!filter->expression) {
		content = events_tree(filter->server->events, record);
		return !content || subtree_selects(filter->subtree.root, content);
	}
	if (record->number && *verdict >> 1 == record->number)
		return *verdict & 1;
	passes = evaluate(filter, record);
	if (record->number)
		*verdict = record->number << 1 | passes;
	return passes;
}
