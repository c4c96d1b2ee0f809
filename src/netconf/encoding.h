/* The encoding of an XML document, as far as it matters: is it UTF-8? */
#ifndef NETCONF_ENCODING_H
#define NETCONF_ENCODING_H

#include <stddef.h>

/*
 * Returns what is wrong with the beginning of a document, in words, or NULL. UTF-16, UTF-32 and
 * EBCDIC show in the first bytes; a declaration may say UTF-8, or US-ASCII, which is a part of it,
 * in any of their spellings. Does not check whether the rest is well-formed.
 */
const char *encoding_refusal(const char *document, size_t length);

#endif
