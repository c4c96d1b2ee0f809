/*
 * The SNMP door: an AgentX subagent (RFC 2741) that serves LINUX-L2TPV3-MIB
 * through snmpd, from and into the engine.
 *
 * It needs no snmpd to start, connects when one appears, and again when it
 * comes back. It waits for nothing: 10 ms for the answer to Open, at an attempt to
 * connect, are the longest it stands still.
 * net-snmp keeps its state in globals: one agent a process, one thread.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "engine/engine.h"

struct agent_options {
	struct event_base *base;
	struct engine *engine; /* borrowed */
	const char *address;   /* unix:PATH, tcp:ADDRESS:PORT; NULL: AGENTX_ADDRESS */
	bool notify;           /* l2tpv3NotificationEnable to begin with */
	void (*log)(int priority, const char *text, void *arg); /* syslog priorities */
	void *arg;
};

struct agent;

/* Returns 0 also when there is no master yet. -ENOMEM, -EINVAL with @err. */
int agent_open(struct agent **ret, const struct agent_options *options, struct error *err);

/* Before engine_close(): set requests under way end as the engine says. Accepts NULL. */
void agent_close(struct agent *agent);

#endif
