/*
 * The XML writer: text to a sink, in pieces of some kilobytes. Write markup with write_text(),
 * values with write_escaped(): that always escapes '>', so that the end-of-message delimiter
 * ]]>]]> cannot occur (RFC 6242 section 3.2), and writes nothing that is not an XML character.
 *
 * The first failure of the sink sticks; writer_flush() returns it.
 */
#ifndef NETCONF_WRITER_H
#define NETCONF_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "netconf/reader.h"

#define WRITER_BUFFER 16384

struct writer {
	/* Takes @length > 0 bytes. 0 or a negative errno. */
	int (*sink)(const char *bytes, size_t length, void *arg);
	void *arg;
	int rc;
	bool indent; /* one element per line, for people */
	size_t used;
	char buffer[WRITER_BUFFER];
};

/* The tags around a leaf: made once and copied whole, for a reply has millions of them. */
#define WRITER_TAG 32
struct writer_tags {
	size_t opening_length, closing_length; /* 0: not made yet */
	char opening[WRITER_TAG], closing[WRITER_TAG];
};

/* @name has at most WRITER_TAG - 4 bytes. */
void writer_make_tags(struct writer_tags *tags, const char *name);

/* Initialises all but the buffer. */
void writer_init(struct writer *writer, int (*sink)(const char *, size_t, void *), void *arg);
int writer_flush(struct writer *writer);

void write_bytes(struct writer *writer, const char *text, size_t length);
void write_text(struct writer *writer, const char *text);
void write_escaped(struct writer *writer, const char *text, size_t length);
/* A leaf's element; escapes @text. */
void write_between(struct writer *writer, const struct writer_tags *tags, const char *text,
		   size_t length);
void write_number_between(struct writer *writer, const struct writer_tags *tags, uint64_t number);
/* A tag without attributes: @opening is "<" or "</". */
void write_tag(struct writer *writer, const char *opening, const char *name);
void write_number(struct writer *writer, unsigned long number);
/* An attribute in a start tag; "": no @prefix. */
void write_attribute(struct writer *writer, const char *prefix, const char *name, const char *value,
		     size_t length);
/* The declaration of a namespace there; "" for @prefix: the default one. */
void write_declaration(struct writer *writer, const char *prefix, const char *uri);
/* A new line and @depth indentation, if the writer indents. */
void write_line(struct writer *writer, unsigned int depth);

/*
 * One of our XPaths, with the prefix before each name: "/l2tpv3/tunnel[tunnel-id='1']" to
 * "/l2tp:l2tpv3/l2tp:tunnel[l2tp:tunnel-id='1']".
 */
void write_path(struct writer *writer, const char *path, const char *prefix);

#endif
