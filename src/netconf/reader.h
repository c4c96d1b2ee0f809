/*
 * The XML reader: libxml2's SAX2 push parser, fed as input arrives. It takes well-formed XML in
 * UTF-8 without a DOCTYPE (RFC 6241 section 3) and asks nothing more: it skips comments and
 * processing instructions of any length, and a declaration may call the encoding US-ASCII, which
 * is UTF-8 too. The limits below bound what one document costs in memory and in time. No other
 * file parses XML.
 *
 * A refusal is final: ERROR_MALFORMED or ERROR_TOO_BIG; its text names the line.
 */
#ifndef NETCONF_READER_H
#define NETCONF_READER_H

#include "model/error.h"
#include "model/names.h"
#include "netconf/node.h"

/*
 * libxml2 checks a start tag for duplicate attributes, in quadratic time, before it calls back
 * (100,000 attributes: 96 s), so refuse a tag longer than this many bytes while it is still
 * incomplete.
 */
#define READER_TAG_MAX        8192
#define READER_ATTRIBUTES_MAX 32 /* of an element, with its namespace declarations */

#define READER_DEPTH_MAX    32          /* the root is 1 */
#define READER_TEXT_MAX     65536       /* bytes of character data between two tags */
#define READER_ELEMENTS_MAX (16U << 20) /* of a document */

/*
 * Different names, prefixes and namespaces in a document: libxml2 keeps them all to the end and
 * looks each up among the others, in time that grows with their number. Declarations around an
 * element: it looks at all of them for each element.
 */
#define READER_NAMES_MAX        4096
#define READER_NAMES_SIZE_MAX   (256U << 10) /* bytes that libxml2 needs for them */
#define READER_DECLARATIONS_MAX 128

/* Longer white space is cut to this: no value is so long. */
#define READER_BLANKS_MAX 4096

struct reader_attribute {
	const char *prefix, *name, *uri; /* "" none */
	const char *value;               /* not NUL-terminated */
	size_t length;
};

struct reader_declaration {
	const char *prefix, *uri; /* "" none */
};

/*
 * A start tag. Names, and URIs without "&", stay valid until the reader is closed, everything else
 * during the call. Equal names, and equal URIs, mostly have the same address.
 */
struct reader;

struct reader_element {
	const char *name, *prefix, *uri; /* "" none */
	const struct reader_attribute *attributes;
	const struct reader_declaration *declarations;
	unsigned int attribute_count, declaration_count;
	unsigned int depth; /* the root is 1 */
	const struct reader *reader;
};

/*
 * Receives what is read. A nonzero return stops the reader, and reader_feed() returns it. `text`,
 * which may be NULL, is called at most once between two tags, with all of the text if there is
 * any; the text stays in place until the next call returns.
 */
struct reader_handler {
	int (*start)(const struct reader_element *element, void *arg, struct error *err);
	int (*text)(const char *text, size_t length, void *arg, struct error *err);
	int (*end)(void *arg, struct error *err);
};

/* @handler is borrowed. NULL: no memory. */
struct reader *reader_open(const struct reader_handler *handler, void *arg);
/* 0 or a negative errno, and from then on always the same. May parse some of it later. */
int reader_feed(struct reader *reader, const char *bytes, size_t length, struct error *err);
/* The document ends here: parse the rest, and refuse it if it is incomplete. */
int reader_finish(struct reader *reader, struct error *err);
void reader_close(struct reader *reader); /* Accepts NULL. */

/*
 * The namespace that a prefix of @length bytes has in the element that was started last and has
 * not ended; NULL: none. Good as long as that element is open.
 */
const char *reader_namespace(const struct reader *reader, const char *prefix, size_t length);

unsigned int reader_line(const struct reader *reader);
size_t reader_memory(const struct reader *reader); /* about how many bytes it takes */
bool reader_empty(const struct reader *reader);    /* only white space so far? */

/* Copy an element, its attributes and declarations into a tree. NULL: no memory. */
struct node *tree_add_element(struct tree *tree, struct node *parent,
			      const struct reader_element *element);

/*
 * A handler that builds a tree of at most @limit bytes of memory, for replies and envelopes. @arg
 * of its functions is a struct tree_builder.
 */
struct tree_builder {
	struct tree *tree;
	struct node *at; /* the open element */
	size_t limit;
};
extern const struct reader_handler tree_builder_handler;

#endif
