/*
 * Writes entries as XML, row by row of the mapping table: for get, get-config, the snapshot and
 * notifications. Elements have no prefix; the container declares the module's namespace as the
 * default.
 */
#ifndef NETCONF_ENCODE_H
#define NETCONF_ENCODE_H

#include "model/names.h"
#include "netconf/view.h"
#include "netconf/writer.h"

/* The container around everything; @depth is its own, for indentation. */
void encode_begin(struct writer *writer, unsigned int depth);
/* The same with the namespaces of attributes: the tags of defaults, the origins. */
void encode_begin_annotated(struct writer *writer, bool tags, bool origins);
void encode_end(struct writer *writer, unsigned int depth);

/* The start tag of an entry and its leaves in @rows; sessions and the end tag follow. */
void encode_entry(struct writer *writer, const struct view *view, uint64_t rows,
		  unsigned int depth);
/* The same for which the element around it is of @inherited origin: says that of others. */
void encode_entry_of_origin(struct writer *writer, const struct view *view, uint64_t rows,
			    enum view_origin inherited);
void encode_entry_end(struct writer *writer, enum object object, unsigned int depth);

/* One leaf; writes nothing if the entry does not have it. */
void encode_leaf(struct writer *writer, const struct view *view, const struct row *row,
		 unsigned int depth);

/*
 * The whole running configuration at once, container and all: for files. Clients, who read slowly,
 * get it through walk.h.
 */
void encode_running(struct writer *writer, const struct datastore *running, unsigned int depth);

#endif
