/*
 * Entries to XML, row by row of the mapping table: for get, get-config, the
 * snapshot and notifications. Elements are written without a prefix; the
 * container declares the module's namespace as the default one.
 */
#ifndef NETCONF_ENCODE_H
#define NETCONF_ENCODE_H

#include "model/names.h"
#include "netconf/view.h"
#include "netconf/writer.h"

/* The container around all; @depth is its own, for indentation. */
void encode_begin(struct writer *writer, unsigned int depth);
void encode_end(struct writer *writer, unsigned int depth);

/* Start tag of an entry and its leaves, those of @rows; sessions and the end tag follow. */
void encode_entry(struct writer *writer, const struct view *view, uint64_t rows,
		  unsigned int depth);
void encode_entry_end(struct writer *writer, enum object object, unsigned int depth);

/* One leaf; nothing when the entry does not have it. */
void encode_leaf(struct writer *writer, const struct view *view, const struct row *row,
		 unsigned int depth);

/*
 * A whole running configuration in one go, container and all; for files. For
 * clients who read slowly there is walk.h.
 */
void encode_running(struct writer *writer, const struct datastore *running, unsigned int depth);

#endif
