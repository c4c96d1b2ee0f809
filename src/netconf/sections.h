/*
 * XML sets no limit to a comment, a processing instruction or a CDATA section, but libxml2 wants
 * all of it in memory, and looks at a CDATA section from its beginning again and again. So cut a
 * long one into several short ones, which mean the same; libxml2 still checks what is in them.
 */
#ifndef NETCONF_SECTIONS_H
#define NETCONF_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define SECTION_MAX 2048 /* bytes after which one is cut */

/* The state for one document. Zero it before the first byte. */
struct sections {
	unsigned int kind; /* that we are in; 0: none */
	unsigned int
		candidates;   /* outside: bits of the kinds whose start mark may have begun ... */
	unsigned int matched; /* ... with this many bytes of it */
	unsigned int run;     /* inside: successive bytes that may belong to the end mark */
	size_t length;        /* bytes since it began or was cut */
	bool blank;           /* an instruction's target has ended */
};

/*
 * Returns how many of @bytes come before @ret_cut, a text to put between them and the rest: "", or
 * what cuts.
 */
size_t sections_step(struct sections *sections, const char *bytes, size_t length,
		     const char **ret_cut);

#endif
