/*
 * Entries in lines: what the daemon sends l2tpv3ctl in place of leaf elements, of which a reply to
 * `show` may have millions. A <tunnel> or <session> then has one text: the values of its leaves in
 * the order of the mapping table, each followed by "|", and then, as hexadecimal bits, which rows
 * they are. In a value, a backslash escapes a backslash and a "|".
 *
 * Only programs with the same mapping table use it: the capability with which l2tpv3ctl asks for
 * it has the table's fingerprint. NETCONF clients never see it.
 */
#ifndef NETCONF_LINES_H
#define NETCONF_LINES_H

#include "netconf/view.h"
#include "netconf/writer.h"

#define NAMESPACE_LINES      "urn:l2tpv3d:lines"
#define LINES_CAPABILITY_MAX 48

/* NAMESPACE_LINES with the fingerprint. */
void lines_capability(char ret[LINES_CAPABILITY_MAX]);

/* The counterparts of encode_begin() and encode_entry(), in lines. */
void lines_begin(struct writer *writer, unsigned int depth);
void lines_entry(struct writer *writer, const struct view *view, uint64_t rows, unsigned int depth);

/*
 * Split @text, in place, into values by row number: pointers into it. Those that it does not have
 * stay as they are. False: not such a text.
 */
bool lines_split(enum object object, char *text, const char **ret);

#endif
