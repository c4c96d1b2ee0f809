/*
 * Entries in lines: what the daemon and l2tpv3ctl speak with each other in the
 * place of leaf elements, of which a reply to `show` may have millions. A
 * <tunnel> or <session> then has one text: the values of its leaves in the order
 * of the mapping table, "|" after each, and which rows they are as hexadecimal
 * bits. A backslash stands before a backslash and a "|" in a value.
 *
 * Only between programs of the same mapping table: its fingerprint is in the
 * capability with which l2tpv3ctl asks for it. NETCONF clients never see it.
 */
#ifndef NETCONF_LINES_H
#define NETCONF_LINES_H

#include "netconf/view.h"
#include "netconf/writer.h"

#define NAMESPACE_LINES      "urn:l2tpv3d:lines"
#define LINES_CAPABILITY_MAX 48

/* NAMESPACE_LINES with the fingerprint. */
void lines_capability(char ret[LINES_CAPABILITY_MAX]);

/* What encode_begin() and encode_entry() write, with lines. */
void lines_begin(struct writer *writer, unsigned int depth);
void lines_entry(struct writer *writer, const struct view *view, uint64_t rows, unsigned int depth);

/*
 * Split a text, which is changed, into values by row number, pointers into it;
 * those that are not in it stay as they are. False: it is none of ours.
 */
bool lines_split(enum object object, char *text, const char **ret);

#endif
