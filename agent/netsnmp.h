/*
 * net-snmp's headers, in one place: only agent/ includes them. Not every release of them is clean
 * under our warnings.
 */
#ifndef AGENT_NETSNMP_H
#define AGENT_NETSNMP_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/agent/agent_sysORTable.h>
#include <net-snmp/agent/sysORTable.h>
#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/library/snmp_transport.h>
#pragma GCC diagnostic pop

/* net-snmp/library/parse.h's number for its MIB parser hides model/table.h's type of that name. */
#undef TYPE_COUNTER

#endif
