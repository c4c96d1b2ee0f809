/*
 * The SNMP door: an AgentX subagent (RFC 2741) that serves LINUX-L2TPV3-MIB
 * through snmpd, from and into the engine.
 *
 * It starts without snmpd, connects when one appears, and again when it comes back. It never
 * blocks for longer than 10 ms, which it gives a master to answer Open. net-snmp keeps its state
 * in globals: one agent per process, one thread.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "engine/engine.h"

struct agent_options {
	struct event_base *base;
	struct engine *engine;    /* borrowed */
	const char *address;      /* unix:PATH, tcp:ADDRESS:PORT; NULL: AGENTX_ADDRESS */
	const char *context;      /* SNMP's, borrowed; "" or NULL: the default one */
	bool notify;              /* l2tpv3NotificationEnable at the start */
	bool notify_pseudowires;  /* pwUpDownNotifEnable and pwDeletedNotifEnable, for good */
	unsigned int notify_rate; /* notifications a second at most; 0: NOTIFY_RATE */
	unsigned int notify_each; /* of a tunnel's sessions in a second; 0: NOTIFY_EACH */
	void (*log)(int priority, const char *text, void *arg); /* syslog priorities */
	void *arg;
};

#define NOTIFY_RATE 200
#define NOTIFY_EACH 20

struct agent;

/* Returns 0 also when there is no master yet. -ENOMEM, -EINVAL with @err. */
int agent_open(struct agent **ret, const struct agent_options *options, struct error *err);

/* Is it connected to the master, and registered there? */
bool agent_is_registered(const struct agent *agent);

/* Call before engine_close(): the engine decides set requests under way. Accepts NULL. */
void agent_close(struct agent *agent);

#endif
