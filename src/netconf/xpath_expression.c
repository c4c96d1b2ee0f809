#include "netconf/xpath_expression.h"

#include <ctype.h>
#include <libxml/xpathInternals.h>
#include <stdlib.h>

#include "netconf/xpath_tree.h"

#define STEPS_CHECK  100000 /* over a document of nothing */
#define STEP_COPY    256    /* of a function on strings: characters that it copies, or ... */
#define STEP_COMPARE 1024   /* ... pairs that it compares */

struct xpath_expression {
	xmlXPathContextPtr context;
	xmlXPathCompExprPtr compiled;
};

/* ---- functions that work on strings */

static const struct string_function {
	const char *name;
	xmlXPathFunction run;
	bool joins; /* its work grows with the number of its arguments; else with their product */
} string_functions[] = {
	{"concat", xmlXPathConcatFunction, true},
	{"contains", xmlXPathContainsFunction, false},
	{"normalize-space", xmlXPathNormalizeFunction, false},
	{"starts-with", xmlXPathStartsWithFunction, false},
	{"substring-after", xmlXPathSubstringAfterFunction, false},
	{"substring-before", xmlXPathSubstringBeforeFunction, false},
	{"translate", xmlXPathTranslateFunction, false},
};

#define STRING_FUNCTIONS (sizeof(string_functions) / sizeof(string_functions[0]))

static const struct string_function *find_string_function(const xmlChar *name)
{
	size_t i = 0;

	while (i < STRING_FUNCTIONS && strcmp(string_functions[i].name, (const char *)name) != 0)
		i++;
	return i < STRING_FUNCTIONS ? &string_functions[i] : NULL;
}

static bool count_steps(xmlXPathParserContextPtr parser, size_t steps)
{
	xmlXPathContextPtr context = parser->context;

	if (steps <= context->opLimit && context->opCount <= context->opLimit - steps) {
		context->opCount += steps;
		return true;
	}
	context->opCount = context->opLimit;
	xmlXPathErr(parser, XPATH_OP_LIMIT_EXCEEDED);
	return false;
}

/* Make an argument the string that the function would make of it, and say how long that is. */
static size_t to_string(xmlXPathParserContextPtr parser, int index)
{
	xmlXPathObjectPtr *value = &parser->valueTab[index];

	*value = xmlXPathConvertString(*value);
	if (!*value)
		*value = xmlXPathNewCString("");
	if (index == parser->valueNr - 1)
		parser->value = *value;
	return *value && (*value)->stringval ? strlen((const char *)(*value)->stringval) : 0;
}

/* Run one of string_functions, unless that takes more steps than are left. */
static void run_counted(xmlXPathParserContextPtr parser, int count)
{
	const struct string_function *function = find_string_function(parser->context->function);
	size_t total = 0, longest = 0, length;

	for (int i = 0; i < count && i < parser->valueNr; i++) {
		length = to_string(parser, parser->valueNr - 1 - i);
		if (!count_steps(parser, length / STEP_COPY))
			return;
		total += length;
		longest = length > longest ? length : longest;
	}
	length = total * (function->joins ? (size_t)count : total - longest);
	if (count_steps(parser, length / STEP_COMPARE))
		function->run(parser, count);
}

static xmlXPathFunction look_up(void *arg, const xmlChar *name, const xmlChar *uri)
{
	(void)arg;
	return !uri && find_string_function(name) ? run_counted : NULL;
}

/* ---- errors */

/* libxml2 would write to stderr. */
static void ignore_complaint(void *arg, xmlErrorPtr complaint)
{
	(void)arg, (void)complaint;
}

static void ignore_text(void *arg, const char *format, ...)
{
	(void)arg, (void)format;
}

/* @wrong: of enum xmlXPathError, at byte @at. */
static int refuse(int wrong, int at, struct error *err)
{
	switch (wrong) {
	case XPATH_OP_LIMIT_EXCEEDED:
	case XPATH_MEMORY_ERROR:
		return error_set(err, ERROR_TOO_BIG,
				 "the XPath takes too much work; name entries by their keys");
	case XPATH_UNDEF_PREFIX_ERROR:
		return error_set(err, ERROR_INVALID_VALUE,
				 "a prefix of the XPath is not declared around it");
	case XPATH_UNKNOWN_FUNC_ERROR:
		return error_set(err, ERROR_INVALID_VALUE,
				 "the XPath has a function that is not one of XPath 1.0");
	case XPATH_UNDEF_VARIABLE_ERROR:
		return error_set(err, ERROR_INVALID_VALUE,
				 "the XPath has a variable, and there are none");
	default:
		return error_set(err, ERROR_INVALID_VALUE,
				 "not an XPath 1.0 expression, from character %d on", at + 1);
	}
}

static int refuse_last(const xmlXPathContext *context, struct error *err)
{
	return refuse(context->lastError.code - XML_XPATH_EXPRESSION_OK, context->lastError.int1,
		      err);
}

/* ---- names */

static bool begins_name(char c)
{
	return isalpha((unsigned char)c) || c == '_' || (c & 0x80);
}

static size_t name_length(const char *at)
{
	size_t length = 0;

	while (begins_name(at[length]) || (length && (isdigit((unsigned char)at[length]) ||
						      at[length] == '-' || at[length] == '.')))
		length++;
	return length;
}

/* What may stand before a parenthesis and is no function. */
static const char *const no_functions[] = {
	"and", "or", "div", "mod", "node", "text", "comment", "processing-instruction",
};

static bool is_function(xmlXPathContextPtr context, const char *name)
{
	for (size_t i = 0; i < sizeof(no_functions) / sizeof(no_functions[0]); i++)
		if (!strcmp(no_functions[i], name))
			return true;
	return xmlXPathFunctionLookup(context, (const xmlChar *)name);
}

/* Look at the name at *@at, go past it, and return what is wrong with it. */
static int check_name(xmlXPathContextPtr context, const char **at)
{
	size_t length = name_length(*at);
	char *name = strndup(*at, length);
	bool is_prefix = (*at)[length] == ':' && (*at)[length + 1] != ':';
	int wrong = name ? XPATH_EXPRESSION_OK : XPATH_MEMORY_ERROR;

	*at += length;
	if (is_prefix) {
		if (name && !xmlXPathNsLookup(context, (const xmlChar *)name))
			wrong = XPATH_UNDEF_PREFIX_ERROR;
		++*at;
		*at += name_length(*at);
	}
	*at += strspn(*at, " \t\r\n");
	if (!wrong && **at == '(' && (is_prefix || !is_function(context, name)))
		wrong = XPATH_UNKNOWN_FUNC_ERROR;
	free(name);
	return wrong;
}

/*
 * Are all names known? libxml2 finds out when it evaluates, and so not where there is no data for a
 * predicate.
 */
static int check_names(xmlXPathContextPtr context, const char *text, struct error *err)
{
	int wrong = XPATH_EXPRESSION_OK;

	while (*text && !wrong) {
		const char *end = *text == '\'' || *text == '"' ? strchr(text + 1, *text) : NULL;

		if (*text == '$')
			wrong = XPATH_UNDEF_VARIABLE_ERROR;
		else if (begins_name(*text))
			wrong = check_name(context, &text);
		else if (isdigit((unsigned char)*text))
			text += strspn(text, "0123456789.");
		else
			text = end ? end + 1 : text + 1;
	}
	return wrong ? refuse(wrong, 0, err) : 0;
}

/* ---- compiling and evaluating */

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

/* libxml2 recurses for each. */
static unsigned int nesting(const char *text)
{
	unsigned int depth = 0, most = 0;

	for (; *text; text++) {
		if (*text == '\'' || *text == '"') {
			const char *end = strchr(text + 1, *text);

			text = end ? end : text;
		} else if (strchr("([", *text)) {
			most = ++depth > most ? depth : most;
		} else if (strchr(")]", *text) && depth) {
			depth--;
		}
	}
	return most;
}

static int compile(struct xpath_expression *expression, const char *text, const struct node *scope,
		   struct error *err)
{
	xmlXPathContextPtr context = xmlXPathNewContext(NULL);

	expression->context = context;
	if (!context)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	context->error = ignore_complaint;
	xmlSetGenericErrorFunc(NULL, ignore_text);
	xmlXPathRegisterFuncLookup(context, look_up, NULL);
	declare(context, scope);
	expression->compiled = xmlXPathCtxtCompile(context, (const xmlChar *)text);
	return expression->compiled ? check_names(context, text, err) : refuse_last(context, err);
}

/* Whatever the data is, it must yield a node-set (RFC 6241 section 8.9.5). */
static int try_out(struct xpath_expression *expression, struct error *err)
{
	xmlDocPtr document = xmlNewDoc((const xmlChar *)"1.0");
	xmlXPathObjectPtr object;

	if (!document)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	object = xpath_expression_evaluate(expression, document, STEPS_CHECK, err);
	xmlXPathFreeObject(object);
	xmlFreeDoc(document);
	return object ? 0 : -error_kind(err->code)->os_errno;
}

int xpath_expression_open(struct xpath_expression **ret, const char *text, const struct node *scope,
			  struct error *err)
{
	struct xpath_expression *expression;
	int rc;

	if (strlen(text) > XPATH_LENGTH_MAX || nesting(text) > XPATH_DEPTH_MAX)
		return error_set(err, ERROR_TOO_BIG,
				 "an XPath may have %d bytes, and %d levels of parentheses and "
				 "predicates",
				 XPATH_LENGTH_MAX, XPATH_DEPTH_MAX);
	expression = calloc(1, sizeof(*expression));
	if (!expression)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	rc = compile(expression, text, scope, err);
	rc = rc ? rc : try_out(expression, err);
	if (rc)
		xpath_expression_close(expression);
	else
		*ret = expression;
	return rc;
}

void xpath_expression_close(struct xpath_expression *expression)
{
	if (!expression)
		return;
	xmlXPathFreeCompExpr(expression->compiled);
	xmlXPathFreeContext(expression->context);
	free(expression);
}

xmlXPathObjectPtr xpath_expression_evaluate(struct xpath_expression *expression, xmlDocPtr document,
					    unsigned long steps, struct error *err)
{
	xmlXPathContextPtr context = expression->context;
	xmlXPathObjectPtr object;

	context->doc = document;
	context->node = (xmlNodePtr)document;
	context->opLimit = steps;
	context->opCount = 0;
	xmlResetError(&context->lastError);
	object = xmlXPathCompiledEval(expression->compiled, context);
	if (!object) {
		refuse_last(context, err);
	} else if (object->type != XPATH_NODESET) {
		error_set(err, ERROR_INVALID_VALUE,
			  "the XPath must yield a node-set (RFC 6241 section 8.9.5)");
		err->app_tag = "not-a-node-set";
		xmlXPathFreeObject(object);
		object = NULL;
	}
	return object;
}
