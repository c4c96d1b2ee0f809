#include "netconf/xpath_tree.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOT     "<data>"
#define ROOT_END "</data>"
/* Steps of an evaluation, by libxml2's count: over data, over none. */
#define OPERATIONS       100000000
#define OPERATIONS_CHECK 100000

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
	return 0;
}

/* libxml2 would write to stderr. */
static void ignore_complaint(void *arg, xmlErrorPtr complaint)
{
	(void)arg, (void)complaint;
}

static void ignore_text(void *arg, const char *format, ...)
{
	(void)arg, (void)format;
}

static int refuse(const xmlError *why, struct error *err)
{
	switch (why->code) {
	case XML_XPATH_EXPRESSION_OK + XPATH_OP_LIMIT_EXCEEDED:
	case XML_XPATH_MEMORY_ERROR:
		return error_set(err, ERROR_TOO_BIG,
				 "the XPath takes too much work; name entries by their keys");
	case XML_XPATH_UNDEF_PREFIX_ERROR:
		return error_set(err, ERROR_INVALID_VALUE,
				 "a prefix of the XPath is not declared around it");
	case XML_XPATH_UNKNOWN_FUNC_ERROR:
		return error_set(err, ERROR_INVALID_VALUE,
				 "the XPath has a function that is not one of XPath 1.0");
	case XML_XPATH_UNDEF_VARIABLE_ERROR:
		return error_set(err, ERROR_INVALID_VALUE,
				 "the XPath has a variable, and there are none");
	default:
		return error_set(err, ERROR_INVALID_VALUE,
				 "not an XPath 1.0 expression, from character %d on",
				 why->int1 + 1);
	}
}

/* An inner declaration hides those around it. */
static void declare(xmlXPathContextPtr context, const struct node *scope)
{
	for (; scope; scope = scope->parent)
		for (const struct declaration *ns = scope->declarations; ns; ns = ns->next)
			if (*ns->prefix && !xmlXPathNsLookup(context, (const xmlChar *)ns->prefix))
				xmlXPathRegisterNs(context, (const xmlChar *)ns->prefix,
						   (const xmlChar *)ns->uri);
	xmlXPathRegisterNs(context, (const xmlChar *)"xml",
			   (const xmlChar *)"http://www.w3.org/XML/1998/namespace");
}

static xmlXPathContextPtr new_context(xmlDocPtr document, const struct node *scope,
				      unsigned long operations)
{
	xmlXPathContextPtr context = xmlXPathNewContext(document);

	if (!context)
		return NULL;
	context->error = ignore_complaint;
	context->opLimit = operations;
	context->node = (xmlNodePtr)document;
	declare(context, scope);
	xmlSetGenericErrorFunc(NULL, ignore_text);
	return context;
}

/* NULL, with @err, if that fails, or yields no node-set. */
static xmlXPathObjectPtr evaluate(xmlDocPtr document, const char *expression,
				  const struct node *scope, unsigned long operations,
				  struct error *err)
{
	xmlXPathContextPtr context = new_context(document, scope, operations);
	xmlXPathObjectPtr object;

	if (!context) {
		error_set(err, ERROR_RESOURCE, "out of memory");
		return NULL;
	}
	object = xmlXPathEval((const xmlChar *)expression, context);
	if (!object) {
		refuse(&context->lastError, err);
	} else if (object->type != XPATH_NODESET) {
		error_set(err, ERROR_INVALID_VALUE,
			  "the XPath must yield a node-set (RFC 6241 section 8.9.5)");
		xmlXPathFreeObject(object);
		object = NULL;
	}
	xmlXPathFreeContext(context);
	return object;
}

/* libxml2 recurses for each. */
static unsigned int nesting(const char *expression)
{
	unsigned int depth = 0, most = 0;

	for (; *expression; expression++) {
		if (*expression == '\'' || *expression == '"') {
			const char *end = strchr(expression + 1, *expression);

			expression = end ? end : expression;
		} else if (strchr("([", *expression)) {
			most = ++depth > most ? depth : most;
		} else if (strchr(")]", *expression) && depth) {
			depth--;
		}
	}
	return most;
}

int xpath_check(const char *expression, const struct node *scope, struct error *err)
{
	xmlXPathObjectPtr object;
	xmlDocPtr document;

	if (strlen(expression) > XPATH_LENGTH_MAX || nesting(expression) > XPATH_DEPTH_MAX)
		return error_set(err, ERROR_TOO_BIG,
				 "an XPath may have %d bytes, and %d levels of parentheses and "
				 "predicates",
				 XPATH_LENGTH_MAX, XPATH_DEPTH_MAX);
	document = xmlNewDoc((const xmlChar *)"1.0");
	if (!document)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	object = evaluate(document, expression, scope, OPERATIONS_CHECK, err);
	xmlFreeDoc(document);
	if (!object)
		return -error_kind(err->code)->os_errno;
	xmlXPathFreeObject(object);
	return 0;
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

int xpath_tree_select(struct xpath_tree *tree, const char *expression, const struct node *scope,
		      struct error *err)
{
	xmlXPathObjectPtr object = evaluate(tree->document, expression, scope, OPERATIONS, err);
	int count;

	if (!object)
		return -error_kind(err->code)->os_errno;
	count = object->nodesetval ? object->nodesetval->nodeNr : 0;
	for (int i = 0; i < count; i++)
		select_node(tree, object->nodesetval->nodeTab[i]);
	xmlXPathFreeObject(object);
	return count;
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
