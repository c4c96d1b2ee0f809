/*
 * What the hello tells of the server and netconf-state repeats (RFC 6241 section 8): first what
 * it can do, then its modules.
 */
#ifndef NETCONF_CAPABILITIES_H
#define NETCONF_CAPABILITIES_H

#include "netconf/modules.h"

#define CAPABILITY_SIZE 256

/* URIs of what it can do; ends with NULL. Add one once all of it is there. */
extern const char *const netconf_capabilities[];

/* The URI number @number; false: there are no more. */
bool capability_at(const struct modules *modules, unsigned int number, char ret[CAPABILITY_SIZE]);
/* Is urn:ietf:params:netconf:capability:NAME, of any version, among them? */
bool capability_has(const char *name);

/* Stands for what yang-library says, and differs when that does. */
#define CONTENT_ID_SIZE 17
void capability_content_id(char ret[CONTENT_ID_SIZE]);

#endif
