/*
 * Configuration files: the whole running configuration as one XML document,
 * indented for people. Written by the journal as its snapshot, read back by
 * it, by l2tpv3d -n and by whoever wants to keep a copy.
 *
 * Accepted when reading is what unwrap.h says.
 */
#ifndef NETCONF_SNAPSHOT_H
#define NETCONF_SNAPSHOT_H

#include "journal/journal.h"

/* For the journal. Its functions want no @arg. */
extern const struct snapshot_codec snapshot_codec;

int snapshot_write(FILE *file, const struct datastore *running, void *arg);

/*
 * The file as an edit that makes the whole configuration exactly so. Errors
 * begin with "path:line: " and name the cure. The caller frees *ret_edit.
 */
int snapshot_read(const char *path, struct edit **ret_edit, struct error *err, void *arg);

#endif
