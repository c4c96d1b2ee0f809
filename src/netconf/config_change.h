/*
 * What netconf-config-change (RFC 6470 section 2.2) says of a commit: its edits. Made from what was
 * touched alone, and bounded:
 *
 *  - a tunnel or session that is new or gone is one edit, a tunnel's sessions included;
 *  - of others, each leaf that changed is one: create, replace or delete;
 *  - of a tunnel with more than CONFIG_CHANGE_SESSIONS touched sessions only the tunnel is named,
 * as a merge;
 *  - when there would be more than CONFIG_CHANGE_EDITS edits, or more than CONFIG_CHANGE_TOUCHED
 *    entries were touched, only the container is, as a merge;
 *  - of NACM's configuration only its container is, as a merge.
 */
#ifndef NETCONF_CONFIG_CHANGE_H
#define NETCONF_CONFIG_CHANGE_H

#include "netconf/writer.h"
#include "store/candidate.h"

#define CONFIG_CHANGE_EDITS    64
#define CONFIG_CHANGE_SESSIONS 16
#define CONFIG_CHANGE_TOUCHED  16384

/* The list `edit`; its paths have the prefixes PREFIX_MODULE and PREFIX_ACM. */
void config_change_write(struct writer *writer, const struct candidate *changes);

#endif
