#include "netconf/xpath_tree.h"

#include <errno.h>
#include <libxml/parser.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netconf/xpath_expression.h"

#define ROOT     "<data>"
#define ROOT_END "</data>"
/* Steps of an evaluation (xpath_expression.h): in a process of its own, and here. */
#define STEPS_SEARCH 100000000
#define STEPS_SMALL  4000

/* What node->_private says. */
static const char selected[] = "selected", around[] = "around";

struct xpath_tree {
	xmlParserCtxtPtr parser;
	xmlDocPtr document;
	bool everything; /* is selected */
};

/* ---- memory, where it is limited: libxml2 hands no argument to these */

static size_t memory_left;

static void *limited(void *memory)
{
	size_t size = memory ? malloc_usable_size(memory) : 0;

	if (size > memory_left)
		_exit(EXIT_FAILURE);
	memory_left -= size;
	return memory;
}

static void *limited_malloc(size_t size)
{
	return limited(malloc(size));
}

static void limited_free(void *memory)
{
	memory_left += memory ? malloc_usable_size(memory) : 0;
	free(memory);
}

static void *limited_realloc(void *memory, size_t size)
{
	memory_left += memory ? malloc_usable_size(memory) : 0;
	return limited(realloc(memory, size));
}

static char *limited_strdup(const char *text)
{
	return limited(strdup(text));
}

void xpath_tree_limit(size_t bytes)
{
	memory_left = bytes;
	xmlMemSetup(limited_free, limited_malloc, limited_realloc, limited_strdup);
}

/* ---- the tree */

struct xpath_tree *xpath_tree_open(void)
{
	struct xpath_tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->parser = xmlCreatePushParserCtxt(NULL, NULL, ROOT, sizeof(ROOT) - 1, NULL);
	if (!tree->parser) {
		free(tree);
		return NULL;
	}
	xmlCtxtUseOptions(tree->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
						XML_PARSE_COMPACT);
	return tree;
}

void xpath_tree_close(struct xpath_tree *tree)
{
	if (!tree)
		return;
	if (tree->parser && tree->parser->myDoc)
		xmlFreeDoc(tree->parser->myDoc);
	xmlFreeParserCtxt(tree->parser);
	xmlFreeDoc(tree->document);
	free(tree);
}

int xpath_tree_feed(const char *bytes, size_t length, void *arg)
{
	struct xpath_tree *tree = arg;

	return xmlParseChunk(tree->parser, bytes, (int)length, 0) ? -EINVAL : 0;
}

int xpath_tree_finish(struct xpath_tree *tree)
{
	xmlDocPtr document;
	xmlNodePtr root, child;

	xmlParseChunk(tree->parser, ROOT_END, sizeof(ROOT_END) - 1, 1);
	document = tree->parser->myDoc;
	if (!tree->parser->wellFormed || !document)
		return -EINVAL;
	tree->parser->myDoc = NULL;
	tree->document = document;
	/* The containers become children of the root of the data. */
	root = xmlDocGetRootElement(document);
	xmlUnlinkNode(root);
	while ((child = root->children)) {
		xmlUnlinkNode(child);
		if (!document->children) {
			document->children = document->last = child;
		} else {
			document->last->next = child;
			child->prev = document->last;
			document->last = child;
		}
		child->parent = (xmlNodePtr)document;
	}
	xmlFreeNode(root);
	xmlXPathOrderDocElems(document); /* else sorting a node-set compares in linear time */
	return 0;
}

int xpath_check(const char *text, const struct node *scope, struct error *err)
{
	struct xpath_expression *expression = NULL;
	int rc = xpath_expression_open(&expression, text, scope, err);

	xpath_expression_close(expression);
	return rc;
}

/* Others than elements select the element that they are of. */
static void select_node(struct xpath_tree *tree, xmlNodePtr node)
{
	if (node->type == XML_NAMESPACE_DECL)
		node = (xmlNodePtr)((xmlNsPtr)node)->next;
	else if (node->type != XML_ELEMENT_NODE && node->type != XML_DOCUMENT_NODE)
		node = node->parent;
	if (!node || node->type == XML_DOCUMENT_NODE) {
		tree->everything = true;
		return;
	}
	node->_private = (void *)(uintptr_t)selected;
	for (node = node->parent; node->type == XML_ELEMENT_NODE && !node->_private;
	     node = node->parent)
		node->_private = (void *)(uintptr_t)around;
}

int xpath_tree_select(struct xpath_tree *tree, const char *text, const struct node *scope,
		      struct error *err)
{
	struct xpath_expression *expression = NULL;
	xmlXPathObjectPtr object = NULL;
	int rc = xpath_expression_open(&expression, text, scope, err);

	if (!rc) {
		object = xpath_expression_evaluate(expression, tree->document, STEPS_SEARCH, err);
		rc = object ? 0 : -error_kind(err->code)->os_errno;
	}
	if (!rc && object->nodesetval)
		rc = object->nodesetval->nodeNr;
	for (int i = 0; i < rc; i++)
		select_node(tree, object->nodesetval->nodeTab[i]);
	xmlXPathFreeObject(object);
	xpath_expression_close(expression);
	return rc;
}

int xpath_tree_has(const struct xpath_tree *tree, struct xpath_expression *expression)
{
	struct error err = ERROR_INIT;
	xmlXPathObjectPtr object =
		xpath_expression_evaluate(expression, tree->document, STEPS_SMALL, &err);
	int rc = object ? object->nodesetval && object->nodesetval->nodeNr
			: -error_kind(err.code)->os_errno;

	xmlXPathFreeObject(object);
	return rc;
}

/* ---- writing */

struct output {
	struct writer *writer;
	xpath_keys_cb *keys;
	unsigned int max_depth;
	const char *top; /* the container that we are in */
};

static const char *string(const xmlChar *text)
{
	return text ? (const char *)text : "";
}

static void write_attribute(struct writer *writer, const char *prefix, const char *name,
			    const xmlChar *value)
{
	write_text(writer, " ");
	write_text(writer, prefix);
	write_text(writer, *prefix && *name ? ":" : "");
	write_text(writer, name);
	write_text(writer, "=\"");
	write_escaped(writer, string(value), strlen(string(value)));
	write_text(writer, "\"");
}

static void write_start(struct writer *writer, const xmlNode *node)
{
	write_text(writer, "<");
	write_text(writer, string(node->name));
	for (const xmlNs *ns = node->nsDef; ns; ns = ns->next)
		write_attribute(writer, "xmlns", string(ns->prefix), ns->href);
	for (const xmlAttr *at = node->properties; at; at = at->next)
		write_attribute(writer, at->ns ? string(at->ns->prefix) : "", string(at->name),
				at->children ? at->children->content : NULL);
	write_text(writer, ">");
}

/* @depth: levels of it, 0: none but the keys. */
static void write_node(const struct output *out, const xmlNode *node, unsigned int depth)
{
	unsigned int keys =
		out->keys(out->top, string(node->name), node->ns ? string(node->ns->href) : "");

	write_start(out->writer, node);
	for (const xmlNode *child = node->children; child; child = child->next) {
		bool is_element = child->type == XML_ELEMENT_NODE;
		unsigned int levels = depth ? depth - 1 : 0;

		if (!is_element) {
			write_escaped(out->writer, string(child->content),
				      strlen(string(child->content)));
			continue;
		}
		if (child->_private == selected && levels < out->max_depth)
			levels = out->max_depth;
		if (keys || levels || child->_private)
			write_node(out, child, levels);
		keys -= keys > 0;
	}
	write_tag(out->writer, "</", string(node->name));
}

void xpath_tree_write(const struct xpath_tree *tree, struct writer *writer, xpath_keys_cb *keys,
		      unsigned int max_depth)
{
	struct output out = {writer, keys, max_depth ? max_depth : UINT32_MAX, NULL};

	for (const xmlNode *node = tree->document->children; node; node = node->next) {
		bool whole = tree->everything || node->_private == selected;

		out.top = string(node->name);
		if (whole || node->_private)
			write_node(&out, node, whole ? out.max_depth : 0);
	}
}

/* ---- visiting */

static const char *first_text(const xmlNode *node)
{
	const xmlNode *leaf = xmlFirstElementChild((xmlNodePtr)(uintptr_t)node);
	const xmlNode *text = leaf ? leaf->children : NULL;

	return text && text->type == XML_TEXT_NODE ? string(text->content) : "";
}

static void visit_node(const xmlNode *node, struct xpath_step *steps, size_t depth,
		       xpath_visit_cb *visit, void *arg)
{
	if (!node->_private || depth == XPATH_STEPS_MAX)
		return;
	steps[depth++] = (struct xpath_step){node->ns ? string(node->ns->href) : "",
					     string(node->name), first_text(node)};
	if (node->_private == selected)
		visit(steps, depth, arg);
	for (const xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE)
			visit_node(child, steps, depth, visit, arg);
}

void xpath_tree_visit(const struct xpath_tree *tree, xpath_visit_cb *visit, void *arg)
{
	struct xpath_step steps[XPATH_STEPS_MAX] = {{0}};

	if (tree->everything)
		visit(steps, 0, arg);
	for (const xmlNode *node = tree->document->children; node; node = node->next)
		visit_node(node, steps, 0, visit, arg);
}
