#include "netconf/reader.h"

#include "base/wipe.h"

#include <errno.h>
#include <libxml/catalog.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "netconf/encoding.h"
#include "netconf/sections.h"
#include "netconf/blank.h"

/*
 * Fed to libxml2 at once: so little that an overlong tag is seen early, and so
 * much that input of many small parts costs no more than of one.
 */
#define PIECE 4096

/* Bytes of an element's attributes, "&" as libxml2 gives it. */
#define VALUES_SIZE (2 * (READER_TAG_MAX + PIECE))

struct reader {
	xmlParserCtxtPtr parser;
	const struct reader_handler *handler;
	void *arg;
	struct error error;
	int result;
	bool begun; /* the first piece was fed */
	long fed;
	unsigned int depth, elements, line, lines_skipped;
	unsigned int complaint_line;
	char complaint[200];                          /* the parser's first, "" none */
	unsigned int declarations;                    /* around what comes next */
	unsigned char declared[READER_DEPTH_MAX + 1]; /* by the open element of that depth */
	char *text;
	size_t text_length, text_size, blanks; /* blanks: of the text's end */
	const char *plain_uri;                 /* the last that needed no room in: */
	char *values;                          /* VALUES_SIZE, or NULL */
	size_t values_used;
	struct sections sections;
	size_t piece_length;
	char piece[PIECE];
};

/* libxml2's callbacks cannot return: note why, and have it stop. */
static void stop(struct reader *reader, int result)
{
	if (reader->result)
		return;
	reader->line = reader_line(reader);
	reader->result = result;
	xmlStopParser(reader->parser);
}

static void refuse(struct reader *reader, enum error_code code, const char *what)
{
	if (reader->result)
		return;
	stop(reader, error_set(&reader->error, code, "line %u: %s", reader_line(reader), what));
}

/* After the parser's first complaint nothing is handed on: check_parser() refuses it soon. */
static bool over(const struct reader *reader)
{
	return reader->result || *reader->complaint;
}

static void flush_text(struct reader *reader)
{
	size_t length = reader->text_length;
	int result;

	if (!length || over(reader))
		return;
	reader->text_length = 0;
	reader->blanks = 0;
	if (!reader->handler->text)
		return;
	result = reader->handler->text(reader->text, length, reader->arg, &reader->error);
	if (result)
		stop(reader, result);
}

static const char *string(const xmlChar *text)
{
	return text ? (const char *)text : "";
}

/*
 * Where entities are not replaced, libxml2 gives every '&' of a value as
 * "&#38;", which would otherwise not be in it; newer ones not in that of an
 * xmlns. Returns the length.
 */
static size_t unescape(char *to, const char *from, size_t length)
{
	static const char rest[] = "#38;";
	const size_t count = sizeof(rest) - 1;
	size_t used = 0;

	for (size_t at = 0; at < length; at++) {
		to[used++] = from[at];
		if (from[at] == '&' && length - at > count && !memcmp(from + at + 1, rest, count))
			at += count;
	}
	return used;
}

static const char *read_value(struct reader *reader, const char *value, size_t *length)
{
	char *room;

	if (!memchr(value, '&', *length))
		return value;
	if (!reader->values)
		reader->values = malloc(VALUES_SIZE);
	if (!reader->values) {
		refuse(reader, ERROR_RESOURCE, "out of memory");
		return value;
	}
	if (*length > VALUES_SIZE - reader->values_used) {
		refuse(reader, ERROR_TOO_BIG, "the attributes of an element are too long");
		return value;
	}
	room = reader->values + reader->values_used;
	*length = unescape(room, value, *length);
	reader->values_used += *length;
	return room;
}

/* Most elements are in the namespace of the one before. */
static const char *read_uri(struct reader *reader, const xmlChar *from)
{
	const char *uri = string(from), *ret;
	size_t size;

	if (uri == reader->plain_uri)
		return uri;
	size = strlen(uri) + 1;
	ret = read_value(reader, uri, &size);
	if (ret == uri)
		reader->plain_uri = uri;
	return ret;
}

/* libxml2 gives attributes in fives: name, prefix, URI, value, end of value. */
static void read_attributes(struct reader *reader, const xmlChar **from, int count,
			    struct reader_attribute *to)
{
	for (int i = 0; i < count; i++, from += 5) {
		to[i] = (struct reader_attribute){
			.name = string(from[0]),
			.prefix = string(from[1]),
			.uri = read_uri(reader, from[2]),
			.length = (size_t)(from[4] - from[3]),
		};
		to[i].value = read_value(reader, string(from[3]), &to[i].length);
	}
}

static void read_declarations(struct reader *reader, const xmlChar **from, int count,
			      struct reader_declaration *to)
{
	for (int i = 0; i < count; i++, from += 2)
		to[i] = (struct reader_declaration){string(from[0]), read_uri(reader, from[1])};
}

static bool within_limits(struct reader *reader, int attributes, int declarations)
{
	if (attributes + declarations > READER_ATTRIBUTES_MAX)
		refuse(reader, ERROR_TOO_BIG, "an element has more than 32 attributes");
	else if (reader->depth > READER_DEPTH_MAX)
		refuse(reader, ERROR_TOO_BIG, "elements are nested too deep");
	else if (reader->declarations + (unsigned int)declarations > READER_DECLARATIONS_MAX)
		refuse(reader, ERROR_TOO_BIG,
		       "more than 128 namespaces are declared around an element");
	else if (reader->elements > READER_ELEMENTS_MAX)
		refuse(reader, ERROR_TOO_BIG, "there are too many elements");
	return !reader->result;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int declarations, const xmlChar **declaration, int attributes, int defaulted,
		     const xmlChar **attribute)
{
	struct reader *reader = arg;
	struct reader_attribute at[READER_ATTRIBUTES_MAX];
	struct reader_declaration ns[READER_ATTRIBUTES_MAX];
	struct reader_element element = {
		.name = string(name),
		.prefix = string(prefix),
		.attributes = at,
		.declarations = ns,
		.attribute_count = (unsigned int)attributes,
		.declaration_count = (unsigned int)declarations,
	};
	int result;

	(void)defaulted;
	flush_text(reader);
	reader->depth++;
	reader->elements++;
	if (over(reader) || !within_limits(reader, attributes, declarations))
		return;
	reader->declared[reader->depth] = (unsigned char)declarations;
	reader->declarations += (unsigned int)declarations;
	reader->values_used = 0;
	element.uri = read_uri(reader, uri);
	read_attributes(reader, attribute, attributes, at);
	read_declarations(reader, declaration, declarations, ns);
	element.depth = reader->depth;
	if (reader->result)
		return;
	result = reader->handler->start(&element, reader->arg, &reader->error);
	if (result)
		stop(reader, result);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *reader = arg;
	int result;

	(void)name, (void)prefix, (void)uri;
	flush_text(reader);
	if (over(reader))
		return;
	reader->declarations -= reader->declared[reader->depth--];
	result = reader->handler->end(reader->arg, &reader->error);
	if (result)
		stop(reader, result);
}

static bool grow_text(struct reader *reader, size_t need)
{
	size_t size = reader->text_size ? reader->text_size : 256;
	char *text;

	while (size < need)
		size *= 2;
	text = realloc(reader->text, size);
	if (!text)
		return false;
	reader->text = text;
	reader->text_size = size;
	return true;
}

static size_t trailing_blanks(const char *text, size_t length)
{
	size_t count = 0;

	while (count < length && blank_is(text + length - count - 1, 1))
		count++;
	return count;
}

static void on_text(void *arg, const xmlChar *bytes, int count)
{
	struct reader *reader = arg;
	const char *text = (const char *)bytes;
	size_t length = (size_t)count, blanks, need;

	if (!length || over(reader)) /* libxml2 hands on texts of no bytes, too */
		return;
	blanks = trailing_blanks(text, length);
	if (blanks == length) {
		blanks += reader->blanks;
		if (blanks > READER_BLANKS_MAX)
			blanks = READER_BLANKS_MAX;
		length = blanks - reader->blanks;
	}
	reader->blanks = blanks;
	need = reader->text_length + length;
	if (need > READER_TEXT_MAX) {
		refuse(reader, ERROR_TOO_BIG, "the text of an element is too long");
		return;
	}
	if (need > reader->text_size && !grow_text(reader, need)) {
		refuse(reader, ERROR_RESOURCE, "out of memory");
		return;
	}
	memcpy(reader->text + reader->text_length, text, length);
	reader->text_length = need;
}

static void on_doctype(void *arg, const xmlChar *name, const xmlChar *external,
		       const xmlChar *identifier)
{
	(void)name, (void)external, (void)identifier;
	refuse(arg, ERROR_MALFORMED, "a DOCTYPE is not allowed (RFC 6241 section 3)");
}

/* Called for all but the five predefined ones. */
static xmlEntityPtr on_entity(void *arg, const xmlChar *name)
{
	(void)name;
	refuse(arg, ERROR_MALFORMED, "only the five predefined entities are allowed");
	return NULL;
}

static void on_reference(void *arg, const xmlChar *name)
{
	on_entity(arg, name);
}

/* A namespace name that is no URI is well-formed all the same; libxml2 takes it as it is. */
static bool is_harmless(int code)
{
	return code == XML_ERR_OK || code == XML_WAR_NS_URI || code == XML_WAR_NS_URI_RELATIVE;
}

static void on_complaint(void *arg, xmlErrorPtr complaint)
{
	struct reader *reader = arg;

	if (!reader || *reader->complaint || complaint->level == XML_ERR_WARNING ||
	    is_harmless(complaint->code))
		return;
	snprintf(reader->complaint, sizeof(reader->complaint), "%s",
		 complaint->message ? complaint->message : "not well-formed XML");
	reader->complaint[strcspn(reader->complaint, "\n")] = '\0';
	reader->complaint_line = complaint->line > 0 ? (unsigned int)complaint->line : 0;
}

static const xmlSAXHandler handler_template = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_text,
	.internalSubset = on_doctype,
	.getEntity = on_entity,
	.reference = on_reference,
	.serror = on_complaint,
};

struct reader *reader_open(const struct reader_handler *handler, void *arg)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	xmlSAXHandler sax = handler_template;

	if (!reader)
		return NULL;
	/* Complaints of conversion have no context, and would be written to stderr. */
	xmlSetStructuredErrorFunc(NULL, on_complaint);
	/* Else an instruction may name a catalog, which is put at the end of a list. */
	xmlCatalogSetDefaults(XML_CATA_ALLOW_NONE);
	reader->handler = handler;
	reader->arg = arg;
	reader->parser = xmlCreatePushParserCtxt(&sax, reader, NULL, 0, NULL);
	if (!reader->parser) {
		free(reader);
		return NULL;
	}
	/*
	 * Not HUGE, which lifts libxml2's own limits; not NOENT, DTDLOAD, DTDATTR, XINCLUDE. It
	 * would convert from an encoding that is declared: encoding_refusal() looks at that.
	 */
	xmlCtxtUseOptions(reader->parser, XML_PARSE_NONET | XML_PARSE_NOERROR |
						  XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
	return reader;
}

void reader_close(struct reader *reader)
{
	if (!reader)
		return;
	xmlFreeParserCtxt(reader->parser);
	wipe_free(reader->text, reader->text_size);
	wipe_free(reader->values, reader->values ? VALUES_SIZE : 0);
	wipe_free(reader, sizeof(*reader));
}

/* An entry of libxml2's dictionary, as it is allocated. */
#define NAME_SIZE 48

size_t reader_memory(const struct reader *reader)
{
	xmlDictPtr names = reader->parser->dict;

	return sizeof(*reader) + sizeof(*reader->parser) + reader->text_size +
	       (reader->values ? VALUES_SIZE : 0) + 2 * (READER_TAG_MAX + PIECE) +
	       xmlDictGetUsage(names) + (size_t)xmlDictSize(names) * NAME_SIZE;
}

unsigned int reader_line(const struct reader *reader)
{
	if (reader->line || !reader->parser->input)
		return reader->line;
	return reader->lines_skipped + (unsigned int)reader->parser->input->line;
}

/*
 * Not what xmlParseChunk() returns, which says nothing of undeclared prefixes,
 * nor ctxt->wellFormed, which stays 1 after an overlong text.
 */
static void check_parser(struct reader *reader)
{
	if (reader->result || (!*reader->complaint && is_harmless(reader->parser->errNo)))
		return;
	if (reader->complaint_line)
		reader->line = reader->lines_skipped + reader->complaint_line;
	refuse(reader, ERROR_MALFORMED,
	       *reader->complaint ? reader->complaint : "not well-formed XML");
}

static void begin(struct reader *reader)
{
	const char *what = encoding_refusal(reader->piece, reader->piece_length);

	reader->begun = true;
	if (what)
		refuse(reader, ERROR_MALFORMED, what);
}

static void check_names(struct reader *reader)
{
	xmlDictPtr names = reader->parser->dict;

	if (xmlDictSize(names) > READER_NAMES_MAX || xmlDictGetUsage(names) > READER_NAMES_SIZE_MAX)
		refuse(reader, ERROR_TOO_BIG, "there are too many different names");
}

static void feed_piece(struct reader *reader)
{
	size_t length = reader->piece_length;

	if (!reader->begun)
		begin(reader);
	reader->piece_length = 0;
	if (!length || reader->result)
		return;
	xmlParseChunk(reader->parser, reader->piece, (int)length, 0);
	check_parser(reader);
	reader->fed += (long)length;
	if (reader->result)
		return;
	check_names(reader);
	if (reader->fed - xmlByteConsumed(reader->parser) > READER_TAG_MAX)
		refuse(reader, ERROR_TOO_BIG, "a tag is longer than 8192 bytes");
}

static void gather(struct reader *reader, const char *bytes, size_t length)
{
	while (length && !reader->result) {
		size_t room = PIECE - reader->piece_length, count = length < room ? length : room;

		memcpy(reader->piece + reader->piece_length, bytes, count);
		reader->piece_length += count;
		bytes += count;
		length -= count;
		if (reader->piece_length == PIECE)
			feed_piece(reader);
	}
}

/* Some clients write a line feed before the XML declaration. */
static void skip_lines(struct reader *reader, const char **bytes, size_t *length)
{
	for (; *length && blank_is(*bytes, 1); --*length)
		reader->lines_skipped += *(*bytes)++ == '\n';
}

static int result(struct reader *reader, struct error *err)
{
	if (reader->result && err)
		*err = reader->error;
	return reader->result;
}

int reader_feed(struct reader *reader, const char *bytes, size_t length, struct error *err)
{
	if (memchr(bytes, '\0', length))
		refuse(reader, ERROR_MALFORMED, "a NUL byte is not allowed in XML");
	if (reader_empty(reader))
		skip_lines(reader, &bytes, &length);
	while (length && !reader->result) {
		const char *cut;
		size_t count = sections_step(&reader->sections, bytes, length, &cut);

		gather(reader, bytes, count);
		gather(reader, cut, strlen(cut));
		bytes += count;
		length -= count;
	}
	return result(reader, err);
}

int reader_finish(struct reader *reader, struct error *err)
{
	if (reader_empty(reader))
		refuse(reader, ERROR_MALFORMED, "there is no XML document");
	feed_piece(reader);
	if (!reader->result)
		xmlParseChunk(reader->parser, NULL, 0, 1);
	check_parser(reader);
	return result(reader, err);
}

bool reader_empty(const struct reader *reader)
{
	return !reader->begun && !reader->piece_length && !reader->result;
}
