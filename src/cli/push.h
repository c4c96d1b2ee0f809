/* push: a file into edit-config. */
#ifndef CLI_PUSH_H
#define CLI_PUSH_H

#include <stddef.h>

#include "cli/cli.h"

struct slice {
	const char *text;
	size_t length;
};

/*
 * A document taken apart: what goes between <config> and </config> of an
 * edit-config, and the attributes (namespace declarations) that its wrapper had.
 */
struct push_document {
	size_t lines; /* that end before the root, so that what is wrong is found in the file */
	struct slice attributes, content;
};

/*
 * Accepts XML in UTF-8 whose root is <l2tpv3>, or <config> or <data> around it
 * under whatever prefix. Looks no further than the root: the daemon judges the
 * rest. @ret points into @text. -EINVAL with @err.
 */
int push_parse(const char *text, size_t length, struct push_document *ret, struct error *err);

#endif
