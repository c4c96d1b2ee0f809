/*
 * Random documents, most of them well-formed: the reader, in whatever pieces it
 * gets them, takes those that libxml2 takes when it has all of one at once, and
 * reads the same in them. L2TPV3D_SEED and L2TPV3D_DOCUMENTS try others.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

#include "netconf/reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(array)  ((array)[pick(COUNT(array))])
#define DOCUMENTS    2000
#define DEPTH        6

static uint64_t seed;

static size_t pick(size_t count)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % count;
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	return getenv(name) ? strtoul(getenv(name), NULL, 10) : otherwise;
}

/* Documents. */

static const char *const comments[] = {"<!---->",           "<!--> -->",      "<!---> -->",
				       "<!-- - -->",        "<!--a-->",       "<!-- ]]> -->",
				       "<!-- ?> <?x -->",   "<!--<!-- -->",   "<!--\n\n-->",
				       "<!-- \xc3\xa9 -->", "<!--&amp;<a>-->"};
static const char *const instructions[] = {"<?x?>",       "<?x ?>",      "<?x ?\?>",
					   "<?x > -->?>", "<?x <!-- ?>", "<?x\n\xe2\x82\xac?>"};
static const char *const sections[] = {"<![CDATA[]]>",     "<![CDATA[x]]>",  "<![CDATA[]]]]>",
				       "<![CDATA[<a>&]]>", "<![CDATA[]>]]>", "<![CDATA[<!--]]>",
				       "<![CDATA[-->?>]]>"};
static const char *const texts[] = {"text", "&lt;", "&#65;", "&amp;amp;", " ",  "\n",
				    "a>b",  "]]",   "-->",   "?>",        "--", "\xf0\x9f\x98\x80"};
static const char *const faults[] = {"&",    "<!-- -- -->", "]]>",  "<?x",
				     "<!--", "\x01",        "\xff", "<a",
				     "</b>", "<![CDATA[",   "<!x>", "<?xml a?>"};
static const char *const words[] = {"x", "- ", "-> ", "? ", "> ", "]> ", "\xc3\xa9", "<", "<!--"};

static void put_many(FILE *file, const char *start, const char *end)
{
	fputs(start, file);
	for (size_t count = pick(3000); count; count--) {
		const char *word = PICK(words);

		if (start[1] != '!' || start[2] != '-' || word[1] != '!') /* "--" in a comment */
			fputs(word, file);
	}
	fputs(end, file);
}

/* What may stand between elements, and inside one too. */
static void put_other(FILE *file, bool inside)
{
	size_t what = pick(100);

	if (what < 20)
		fputs(PICK(comments), file);
	else if (what < 35)
		fputs(PICK(instructions), file);
	else if (what < 50)
		fprintf(file, "%*s", (int)pick(300), "");
	else if (what < 52)
		put_many(file, "<!--", " -->");
	else if (what < 54)
		put_many(file, "<?x ", " ?>");
	else if (what == 99 && !pick(8))
		fputs(PICK(faults), file);
	else if (inside && what < 56)
		put_many(file, "<![CDATA[", " ]]>");
	else if (inside && what < 70)
		fputs(PICK(sections), file);
	else if (inside)
		fputs(PICK(texts), file);
}

static void put_element(FILE *file, unsigned int depth)
{
	static const char *const starts[] = {"<a>", "<a b='>'>", "<a c=\"x&lt;'\" >", "<a\n>"};

	if (!pick(5)) {
		fputs("<a/>", file);
		return;
	}
	fputs(PICK(starts), file);
	for (size_t count = pick(8); count; count--) {
		if (depth < DEPTH && !pick(3))
			put_element(file, depth + 1);
		else
			put_other(file, true);
	}
	fputs(pick(4) ? "</a>" : "</a >", file);
}

static char *make_document(size_t *ret_length)
{
	char *ret = NULL;
	FILE *file = open_memstream(&ret, ret_length);

	if (!pick(3))
		fputs("<?xml version='1.0'?>", file);
	for (size_t count = pick(6); count; count--)
		put_other(file, false);
	if (pick(2))
		put_many(file, "<!-- ", " -->");
	put_element(file, 1);
	for (size_t count = pick(4); count; count--)
		put_other(file, false);
	fclose(file);
	return ret;
}

/* What is read in one: tags, and texts whole. */

struct events {
	FILE *file;
	char *text;
	size_t length, pending;
	char *held; /* of a text, to come whole */
	bool refused;
};

static void open_events(struct events *events)
{
	*events = (struct events){.held = malloc(1 << 20)};
	events->file = open_memstream(&events->text, &events->length);
}

static void close_events(struct events *events)
{
	fclose(events->file);
	free(events->text);
	free(events->held);
}

static void put_text(struct events *events, const char *text, size_t length)
{
	if (length)
		fprintf(events->file, "text %.*s\n", (int)length, text);
}

/* libxml2 by itself. */

static void end_text(struct events *events)
{
	put_text(events, events->held, events->pending);
	events->pending = 0;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int declarations, const xmlChar **declaration, int attributes, int defaulted,
		     const xmlChar **attribute)
{
	struct events *events = arg;

	(void)prefix, (void)uri, (void)declarations, (void)declaration, (void)defaulted;
	(void)attribute;
	end_text(events);
	fprintf(events->file, "start %s %d\n", (const char *)name, attributes);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct events *events = arg;

	(void)name, (void)prefix, (void)uri;
	end_text(events);
	fprintf(events->file, "end\n");
}

static void on_text(void *arg, const xmlChar *text, int length)
{
	struct events *events = arg;

	memcpy(events->held + events->pending, text, (size_t)length);
	events->pending += (size_t)length;
}

static void on_complaint(void *arg, xmlErrorPtr complaint)
{
	if (arg && complaint->level > XML_ERR_WARNING)
		((struct events *)arg)->refused = true;
}

static bool read_at_once(const char *document, size_t length, struct events *events)
{
	static const xmlSAXHandler sax = {
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.serror = on_complaint,
	};
	size_t lines = strspn(document, " \n"); /* which some clients write first */
	xmlParserCtxtPtr parser =
		xmlCreateMemoryParserCtxt(document + lines, (int)(length - lines));

	*parser->sax = sax;
	parser->userData = events;
	xmlParseDocument(parser);
	events->refused |= !parser->wellFormed;
	xmlFreeParserCtxt(parser);
	fflush(events->file);
	return !events->refused;
}

/* The reader. */

static int start(const struct reader_element *element, void *arg, struct error *err)
{
	struct events *events = arg;

	(void)err;
	fprintf(events->file, "start %s %u\n", element->name, element->attribute_count);
	return 0;
}

static int text(const char *bytes, size_t length, void *arg, struct error *err)
{
	(void)err;
	put_text(arg, bytes, length);
	return 0;
}

static int end(void *arg, struct error *err)
{
	struct events *events = arg;

	(void)err;
	fprintf(events->file, "end\n");
	return 0;
}

static bool read_in_pieces(const char *document, size_t length, size_t piece, struct events *events,
			   struct error *err)
{
	static const struct reader_handler handler = {start, text, end};
	struct reader *reader = reader_open(&handler, events);
	int rc = 0;

	for (size_t at = 0; at < length && !rc; at += piece)
		rc = reader_feed(reader, document + at, length - at < piece ? length - at : piece,
				 err);
	rc = rc ? rc : reader_finish(reader, err);
	reader_close(reader);
	fflush(events->file);
	return !rc;
}

static void compare(unsigned long number)
{
	static const size_t pieces[] = {1 << 20, 1, 7, 1000, 4096};
	size_t length, piece = PICK(pieces);
	char *document = make_document(&length);
	struct events expected, got;
	struct error err = ERROR_INIT;
	bool well_formed, taken;

	open_events(&expected);
	open_events(&got);
	well_formed = read_at_once(document, length, &expected);
	taken = read_in_pieces(document, length, piece, &got, &err);
	if (err.code != ERROR_TOO_BIG &&
	    (taken != well_formed || (taken && strcmp(got.text, expected.text) != 0)))
		fail_msg("document %lu in pieces of %zu: %s", number, piece,
			 taken == well_formed ? "other things are read in it"
			 : taken              ? "taken, and not well-formed"
					      : err.text);
	close_events(&expected);
	close_events(&got);
	free(document);
}

static void random_documents_are_read_as_libxml2_reads_them(void **state)
{
	unsigned long count = from_environment("L2TPV3D_DOCUMENTS", DOCUMENTS);

	(void)state;
	seed = 0x9e3779b97f4a7c15U * from_environment("L2TPV3D_SEED", 1);
	for (unsigned long i = 0; i < count; i++)
		compare(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_documents_are_read_as_libxml2_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
