/*
 * Configuration files: the whole running configuration as one XML document, indented for people.
 * The journal writes it as its snapshot and reads it back; so does l2tpv3d -n, and whoever keeps a
 * copy.
 *
 * Reading accepts what unwrap.h says.
 */
#ifndef NETCONF_SNAPSHOT_H
#define NETCONF_SNAPSHOT_H

#include "journal/journal.h"

/* For the journal. Its functions need no @arg. */
extern const struct snapshot_codec snapshot_codec;

int snapshot_write(FILE *file, const struct datastore *running, void *arg);

/*
 * Read the file as an edit that makes the whole configuration exactly like it. Errors begin with
 * "path:line: " and name the cure. The caller frees *ret_edit.
 */
int snapshot_read(const char *path, struct edit **ret_edit, struct error *err, void *arg);

#endif
