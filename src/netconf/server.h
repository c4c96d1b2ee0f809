/*
 * The NETCONF server: a unix socket in the daemon's event loop, and its sessions, which work
 * through the engine. RFC 6241, RFC 6242.
 *
 * Nothing blocks and nothing grows without bound: a session parses input as it arrives, makes
 * output as the client reads, and reads no further while a request is carried out. A client's
 * identity is that of the process at the other end (SO_PEERCRED): sshd's subsystem runs as the
 * user who logged in.
 */
#ifndef NETCONF_SERVER_H
#define NETCONF_SERVER_H

#include <limits.h>

#include "engine/engine.h"

struct netconf_server;

#define NETCONF_NEVER UINT_MAX /* for a timeout */

/* 0 means the default. */
struct netconf_limits {
	unsigned int sessions; /* at once; default 128 */
	unsigned int kept;     /* how many are kept for root and the daemon's user; default 8 */
	unsigned int user_sessions; /* of any other uid; default 32 */
	unsigned int spare_after;   /* seconds of rest after which one may be ended when places run
				       out (places.h); default 10 */
	unsigned int hello_timeout; /* seconds until the client's hello; default 10 */
	unsigned int idle_timeout;  /* seconds without a request; default 1800 */
	unsigned int lock_timeout;  /* the same for one that holds the lock; default 300 */
	unsigned int
		stall_timeout; /* seconds in which a client reads none of its reply; default 300 */
	unsigned int lag_timeout;   /* seconds in which notifications wait for subscribers that lag;
				       default 5 */
	unsigned int input_timeout; /* seconds without input amid a request; default 60 */
	size_t message_size;        /* bytes of a request; default 64 MB */
	size_t memory; /* bytes that all requests hold beyond 256 kB each; default 256 MB */
	size_t output; /* bytes of a reply held in memory; default 256 kB */
};

enum netconf_snmp { NETCONF_SNMP_OFF, NETCONF_SNMP_WAITING, NETCONF_SNMP_CONNECTED };

struct netconf_options {
	struct event_base *base;
	struct engine *engine;   /* borrowed; closed after netconf_close() */
	const char *socket_path; /* copied; made with mode 0660 */
	const char *yang_path;   /* borrowed; folders of YANG modules; NULL: MODULES_PATH */
	/* The state of the SNMP door, for those who ask ours; may be NULL. */
	enum netconf_snmp (*snmp)(void *arg);
	void *snmp_arg;
	struct netconf_limits limits;
	/* Tells the operator, with syslog priorities; may be NULL. */
	void (*log)(int priority, const char *text, void *arg);
	void *arg;
};

/* Removes a stale socket; refuses one that somebody listens on. */
int netconf_open(struct netconf_server **ret, const struct netconf_options *options,
		 struct error *err);
/* Ends all sessions and removes the socket. Accepts NULL. */
void netconf_close(struct netconf_server *server);

unsigned int netconf_session_count(const struct netconf_server *server);

#endif
