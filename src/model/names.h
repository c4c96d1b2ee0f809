/* Names that several of our parts, or our peers, must spell alike. */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#define STATE_DIRECTORY "/var/lib/l2tpv3d"
#define CONTROL_SOCKET  "/run/l2tpv3d/netconf.sock"
#define AGENTX_ADDRESS  "unix:/var/agentx/master" /* what snmpd listens on by default */

/* NETCONF (RFC 6241) and the YANG module; see yang/. */
#define NAMESPACE_BASE   "urn:ietf:params:xml:ns:netconf:base:1.0"
#define NAMESPACE_MODULE "urn:l2tpv3d:yang:linux-l2tpv3"
#define MODULE_NAME      "linux-l2tpv3"
#define MODULE_REVISION  "2026-11-22"
/* RFC 6022, and our own leaves in it. */
#define NAMESPACE_MONITORING "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
#define NAMESPACE_CLIENTS    "urn:l2tpv3d:yang:linux-l2tpv3-netconf"
#define CLIENTS_NAME         "linux-l2tpv3-netconf"
#define CLIENTS_REVISION     "2026-11-22"
/* RFC 5717. */
#define NAMESPACE_PARTIAL_LOCK "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
/* RFC 8525, RFC 8342. */
#define NAMESPACE_YANG_LIBRARY "urn:ietf:params:xml:ns:yang:ietf-yang-library"
#define YANG_LIBRARY_REVISION  "2019-01-04"
#define NAMESPACE_ORIGIN       "urn:ietf:params:xml:ns:yang:ietf-origin"
#define NAMESPACE_NMDA         "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda" /* RFC 8526 */
#define NAMESPACE_DATASTORES   "urn:ietf:params:xml:ns:yang:ietf-datastores"
/* RFC 5277: create-subscription and the envelope; /netconf/streams. RFC 6470. */
#define NAMESPACE_NOTIFICATION   "urn:ietf:params:xml:ns:netconf:notification:1.0"
#define NAMESPACE_STREAMS        "urn:ietf:params:xml:ns:netmod:notification"
#define NAMESPACE_NETCONF_EVENTS "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
/* RFC 6243: the module, and the attribute that tags a default. */
#define NAMESPACE_WITH_DEFAULTS "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
#define NAMESPACE_DEFAULT       "urn:ietf:params:xml:ns:netconf:default:1.0"
/* RFC 7950's attributes and errors, RFC 8341. */
#define NAMESPACE_YANG "urn:ietf:params:xml:ns:yang:1"
#define NAMESPACE_ACM  "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
/* The prefixes that their modules define. */
#define PREFIX_MODULE      "l2tp"
#define PREFIX_ACM         "acm"
#define PREFIX_DEFAULT     "wd"
#define PREFIX_ORIGIN      "or"
#define ELEMENT_CONTAINER  "l2tpv3"
#define ELEMENT_STATISTICS "statistics"

#endif
