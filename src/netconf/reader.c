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
 * Bytes to feed libxml2 at once: few enough to notice an overlong tag early, and enough that input
 * in many small parts costs no more than in one.
 */
#define PIECE 4096

/* Bytes of an element's attributes, with "&" as libxml2 passes it. */
#define VALUES_SIZE (2 * (READER_TAG_MAX + PIECE))

struct reader {
	xmlParserCtxtPtr parser;
	const struct reader_handler *handler;
	void *arg;
	struct error error;
	int rc;
	bool begun; /* the first piece was fed */
	long fed;
	unsigned int depth, elements, line, lines_skipped;
	unsigned int complaint_line;
	char complaint[200];                          /* the parser's first; "": none */
	unsigned int declarations;                    /* in force here */
	unsigned char declared[READER_DEPTH_MAX + 1]; /* by the open element at that depth */
	char *text;
	size_t text_length, text_size, blanks; /* blanks: at the end of the text */
	const char *plain_uri;                 /* the last that needed no place in: */
	char *values;                          /* VALUES_SIZE bytes, or NULL */
	size_t values_used;
	struct sections sections;
	size_t piece_length;
	char piece[PIECE];
};

/* libxml2's callbacks return nothing: note why, and make it stop. */
static void stop(struct reader *reader, int rc)
{
	if (reader->rc)
		return;
	reader->line = reader_line(reader);
	reader->rc = rc;
	xmlStopParser(reader->parser);
}

static void refuse(struct reader *reader, enum error_code code, const char *what)
{
	if (reader->rc)
		return;
	stop(reader, error_set(&reader->error, code, "line %u: %s", reader_line(reader), what));
}

/* After the parser's first complaint pass nothing on: check_parser() will refuse the document. */
static bool over(const struct reader *reader)
{
	return reader->rc || *reader->complaint;
}

static void flush_text(struct reader *reader)
{
	size_t length = reader->text_length;
	int rc;

	if (!length || over(reader))
		return;
	reader->text_length = 0;
	reader->blanks = 0;
	if (!reader->handler->text)
		return;
	rc = reader->handler->text(reader->text, length, reader->arg, &reader->error);
	if (rc)
		stop(reader, rc);
}

static const char *string(const xmlChar *text)
{
	return text ? (const char *)text : "";
}

/*
 * While it does not replace entities, libxml2 passes every '&' in a value as "&#38;", which a
 * value cannot otherwise have; newer ones do not in that of an xmlns. Returns the length.
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

/* Most elements are in the same namespace as the one before. */
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

/* libxml2 passes five pointers per attribute: name, prefix, URI, value, end of value. */
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

static bool within_limits(struct reader *reader, int attributes, int declarations)
{
	if (attributes + declarations > READER_ATTRIBUTES_MAX)
		refuse(reader, ERROR_TOO_BIG, "an element has more than 32 attributes");
	else if (reader->depth > READER_DEPTH_MAX)
		refuse(reader, ERROR_TOO_BIG, "elements are nested too deeply");
	else if (reader->declarations + (unsigned int)declarations > READER_DECLARATIONS_MAX)
		refuse(reader, ERROR_TOO_BIG,
		       "more than 128 namespace declarations surround an element");
	else if (reader->elements > READER_ELEMENTS_MAX)
		refuse(reader, ERROR_TOO_BIG, "the document has too many elements");
	return !reader->rc;
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
	int rc;

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
	for (int i = 0; i < declarations; i++)
		ns[i] = (struct reader_declaration){string(declaration[2 * i]),
						    read_uri(reader, declaration[2 * i + 1])};
	element.depth = reader->depth;
	element.reader = reader;
	if (reader->rc)
		return;
	rc = reader->handler->start(&element, reader->arg, &reader->error);
	if (rc)
		stop(reader, rc);
}

const char *reader_namespace(const struct reader *reader, const char *prefix, size_t length)
{
	const xmlParserCtxt *parser = reader->parser;

	for (int i = parser->nsNr - 2; i >= 0; i -= 2) /* the innermost first */
		if (parser->nsTab[i] && strlen((const char *)parser->nsTab[i]) == length &&
		    !memcmp(parser->nsTab[i], prefix, length))
			return (const char *)parser->nsTab[i + 1];
	return NULL;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *reader = arg;
	int rc;

	(void)name, (void)prefix, (void)uri;
	flush_text(reader);
	if (over(reader))
		return;
	reader->declarations -= reader->declared[reader->depth--];
	rc = reader->handler->end(reader->arg, &reader->error);
	if (rc)
		stop(reader, rc);
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

static void on_text(void *arg, const xmlChar *bytes, int count)
{
	struct reader *reader = arg;
	const char *text = (const char *)bytes;
	size_t length = (size_t)count, blanks = 0, need;

	if (!length || over(reader)) /* libxml2 passes empty texts, too */
		return;
	while (blanks < length && blank_is(text + length - blanks - 1, 1))
		blanks++;
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

/* libxml2 calls it for all entities but the five predefined ones. */
static xmlEntityPtr on_entity(void *arg, const xmlChar *name)
{
	(void)name;
	refuse(arg, ERROR_MALFORMED, "only the five predefined entities are allowed");
	return NULL;
}

/* A namespace name that is not a URI is still well-formed; libxml2 takes it as it is. */
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
	.serror = on_complaint,
};

struct reader *reader_open(const struct reader_handler *handler, void *arg)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	xmlSAXHandler sax = handler_template;

	if (!reader)
		return NULL;
	/* Complaints about conversion have no context and would go to stderr. */
	xmlSetStructuredErrorFunc(NULL, on_complaint);
	/* Else an instruction may name a catalog, and libxml2 appends it to a list. */
	xmlCatalogSetDefaults(XML_CATA_ALLOW_NONE);
	reader->handler = handler;
	reader->arg = arg;
	reader->parser = xmlCreatePushParserCtxt(&sax, reader, NULL, 0, NULL);
	if (!reader->parser) {
		free(reader);
		return NULL;
	}
	/*
	 * Not HUGE, which lifts libxml2's own limits; not NOENT, DTDLOAD, DTDATTR, XINCLUDE.
	 * IGNORE_ENC: libxml2 would convert from a declared encoding; encoding_refusal() checks
	 * that.
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

/* Bytes that libxml2 allocates for an entry of its dictionary. */
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
 * Go neither by what xmlParseChunk() returns, which ignores undeclared prefixes, nor by
 * ctxt->wellFormed, which stays 1 after an overlong text.
 */
static void check_parser(struct reader *reader)
{
	if (reader->rc || (!*reader->complaint && is_harmless(reader->parser->errNo)))
		return;
	if (reader->complaint_line)
		reader->line = reader->lines_skipped + reader->complaint_line;
	refuse(reader, ERROR_MALFORMED,
	       *reader->complaint ? reader->complaint : "not well-formed XML");
}

static void feed_piece(struct reader *reader, const char *piece, size_t length)
{
	xmlDictPtr names = reader->parser->dict;
	const char *what = reader->begun ? NULL : encoding_refusal(piece, length);

	reader->begun = true;
	if (what)
		refuse(reader, ERROR_MALFORMED, what);
	reader->piece_length = 0;
	if (!length || reader->rc)
		return;
	xmlParseChunk(reader->parser, piece, (int)length, 0);
	check_parser(reader);
	reader->fed += (long)length;
	if (reader->rc)
		return;
	if (xmlDictSize(names) > READER_NAMES_MAX || xmlDictGetUsage(names) > READER_NAMES_SIZE_MAX)
		refuse(reader, ERROR_TOO_BIG, "the document has too many different names");
	if (reader->fed - xmlByteConsumed(reader->parser) > READER_TAG_MAX)
		refuse(reader, ERROR_TOO_BIG, "a tag is longer than 8192 bytes");
}

static void gather(struct reader *reader, const char *bytes, size_t length)
{
	while (length && !reader->rc) {
		size_t room = PIECE - reader->piece_length, count = length < room ? length : room;

		if (count == PIECE) {
			feed_piece(reader, bytes, PIECE);
		} else {
			memcpy(reader->piece + reader->piece_length, bytes, count);
			reader->piece_length += count;
			if (reader->piece_length == PIECE)
				feed_piece(reader, reader->piece, PIECE);
		}
		bytes += count;
		length -= count;
	}
}

static int refusal(struct reader *reader, struct error *err)
{
	if (reader->rc && err)
		*err = reader->error;
	return reader->rc;
}

int reader_feed(struct reader *reader, const char *bytes, size_t length, struct error *err)
{
	if (memchr(bytes, '\0', length))
		refuse(reader, ERROR_MALFORMED, "a NUL byte is not allowed in XML");
	/* some clients write a line feed before the XML declaration */
	for (; reader_empty(reader) && length && blank_is(bytes, 1); length--)
		reader->lines_skipped += *bytes++ == '\n';
	while (length && !reader->rc) {
		const char *cut;
		size_t count = sections_step(&reader->sections, bytes, length, &cut);

		gather(reader, bytes, count);
		gather(reader, cut, strlen(cut));
		bytes += count;
		length -= count;
	}
	return refusal(reader, err);
}

int reader_finish(struct reader *reader, struct error *err)
{
	if (reader_empty(reader))
		refuse(reader, ERROR_MALFORMED, "there is no XML document");
	feed_piece(reader, reader->piece, reader->piece_length);
	if (!reader->rc)
		xmlParseChunk(reader->parser, NULL, 0, 1);
	check_parser(reader);
	return refusal(reader, err);
}

bool reader_empty(const struct reader *reader)
{
	return !reader->begun && !reader->piece_length && !reader->rc;
}
