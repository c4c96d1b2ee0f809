/* The encoding of an XML document, as far as it has to be known: is it UTF-8? */
#ifndef NETCONF_ENCODING_H
#define NETCONF_ENCODING_H

#include <stddef.h>

/*
 * What is wrong with the beginning of a document, in words, or NULL. UTF-16,
 * UTF-32 and EBCDIC show in the first bytes; a declaration may say UTF-8, or
 * US-ASCII, which UTF-8 holds, in any of their spellings. Whether the rest is
 * well-formed is not looked at.
 */
const char *encoding_refusal(const char *document, size_t length);

#endif
