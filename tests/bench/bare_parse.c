/*
 * What a document costs libxml2 alone: parsed by SAX, in pieces as they come from a socket, with
 * callbacks for elements and text that do nothing.
 *
 * usage: bare_parse FILE
 *
 * Prints the milliseconds of the processor.
 */
#include <err.h>
#include <stdio.h>
#include <time.h>

#include <libxml/parser.h>

#define PIECE 4096 /* as the daemon's reader feeds it */

static void start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		  int namespace_count, const xmlChar **namespaces, int attribute_count,
		  int defaulted, const xmlChar **attributes)
{
	(void)arg, (void)name, (void)prefix, (void)uri;
	(void)namespace_count, (void)namespaces;
	(void)attribute_count, (void)defaulted, (void)attributes;
}

static void end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	(void)arg, (void)name, (void)prefix, (void)uri;
}

static void text(void *arg, const xmlChar *octets, int length)
{
	(void)arg, (void)octets, (void)length;
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	xmlSAXHandler handler = {.initialized = XML_SAX2_MAGIC,
				 .startElementNs = start,
				 .endElementNs = end,
				 .characters = text};
	xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(&handler, NULL, NULL, 0, NULL);
	FILE *file = argc == 2 ? fopen(argv[1], "re") : NULL;
	double begun = cpu_ms();
	char piece[PIECE];
	size_t length;

	if (!file || !parser)
		err(1, "bare_parse FILE");
	while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
		xmlParseChunk(parser, piece, (int)length, 0);
	xmlParseChunk(parser, NULL, 0, 1);
	if (!parser->wellFormed)
		errx(1, "%s is not well-formed", argv[1]);
	printf("%.3f\n", cpu_ms() - begun);
	fclose(file);
	xmlFreeParserCtxt(parser);
	return 0;
}
