/*
 * XML lets a comment, a processing instruction and a CDATA section be as long as
 * they like, while libxml2 wants all of one in memory, and looks at a CDATA
 * section from its beginning again and again. So a long one is cut into several
 * short ones, which say the same; what is in them libxml2 looks at as ever.
 */
#ifndef NETCONF_SECTIONS_H
#define NETCONF_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define SECTION_MAX 2048 /* bytes after which one is cut */

/* Of a document as it comes. Zero it before the first byte. */
struct sections {
	unsigned int kind;       /* that we are in, 0 none */
	unsigned int candidates; /* outside: bits of kinds whose start mark may be under way ... */
	unsigned int matched;    /* ... with so many bytes of it */
	unsigned int run;        /* inside: bytes in a row that may belong to the end mark */
	size_t length;           /* since it began or was cut */
	bool blank;              /* an instruction's target is over */
};

/*
 * How many of @bytes come before @ret_cut, a text to put between them and the
 * rest, or "": what cuts, or what makes no difference.
 */
size_t sections_step(struct sections *sections, const char *bytes, size_t length,
		     const char **ret_cut);

#endif
