/* Where the AgentX master listens, and a socket on its way there. */
#ifndef AGENT_ENDPOINT_H
#define AGENT_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "model/error.h"

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

/*
 * As snmpd.conf's agentXSocket: "unix:PATH", "PATH" from a slash on,
 * "tcp:ADDRESS[:PORT]", "tcp6:[ADDRESS][:PORT]" (port 705, RFC 2741 section
 * 8.1.1). An address is numeric or "localhost": looking up names would block.
 * -EINVAL with @err.
 */
int endpoint_parse(const char *text, struct endpoint *ret, struct error *err);

/*
 * A nonblocking socket, or a negative errno: -EAGAIN when the master's queue of
 * connections is full. Does not wait: *ret_connected is false while TCP is still
 * at it, which ends with the socket writable and SO_ERROR telling how.
 */
int endpoint_connect(const struct endpoint *endpoint, bool *ret_connected);

#endif
