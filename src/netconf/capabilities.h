/* The server's capabilities (RFC 6241 section 8): add one once all of it is there. */
#ifndef NETCONF_CAPABILITIES_H
#define NETCONF_CAPABILITIES_H

extern const char *const netconf_capabilities[]; /* URIs; ends with NULL */

#endif
