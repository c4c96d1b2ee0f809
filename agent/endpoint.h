/* Where the AgentX master listens, and connecting to it. */
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
 * Parse what snmpd.conf's agentXSocket takes: "unix:PATH", "/PATH", "tcp:ADDRESS[:PORT]",
 * "tcp6:[ADDRESS][:PORT]" (port 705, RFC 2741 section 8.1.1). An address is numeric or
 * "localhost", for name lookups block. -EINVAL with @err.
 */
int endpoint_parse(const char *text, struct endpoint *ret, struct error *err);

/*
 * Returns a nonblocking socket, or a negative errno: -EAGAIN when the master's queue of
 * connections is full. Does not wait: *ret_connected is false while TCP is still connecting; then
 * the socket becomes writable and SO_ERROR says how that ended.
 */
int endpoint_connect(const struct endpoint *endpoint, bool *ret_connected);

#endif
