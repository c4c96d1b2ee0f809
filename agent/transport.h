/*
 * The stream to the AgentX master: a net-snmp transport of our own. net-snmp's block without limit
 * when the master does not read (snmpd stopped, its queue of connections full, both ends sending),
 * take an interrupted read for a disconnect, use a session after they freed it when a set request
 * outlives it, and silently drop a PDU that they cannot parse.
 *
 * Here nothing waits. What cannot be sent is queued, and net-snmp learns of the end of the stream
 * only when no set request waits for its answer. net-snmp itself waits for the answers to Open,
 * Register and Close, so we give it one at once: Open has been answered before net-snmp learns of
 * the connection (opening.h), and an event reports what the master answers to Register.
 *
 * Get, GetNext and GetBulk do not reach net-snmp: we have them answered (`asked`) as they come,
 * several of one read with one write. Requests are begun in the order of the stream: what follows
 * a phase of a set request waits until net-snmp has looked at that, and so sees what it did. What
 * the engine still works on may be overtaken; it is not answered yet.
 *
 * net-snmp gets the rest, whole and well-formed PDUs only (pdu.h). We answer what is malformed
 * (with parseError) or too long in its place. A phase of a set request that an impatient master
 * sends again is dropped: the answer to the first will do. Where no answer can help the session
 * ends: no AgentX header, a malformed Response, half a PDU and no more, the master's Close.
 */
#ifndef AGENT_TRANSPORT_H
#define AGENT_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"

struct event_base;
struct transport;

enum transport_size { SIZE_OF_SET, SIZE_OF_GET, SIZE_OF_ANSWER };

struct transport_events {
	/*
	 * Answer this Get, GetNext or GetBulk, a well-formed PDU: write at most PDU_MAX octets to
	 * @ret, and return how many. 0: it is @until (clock_now()); we ask @again for the same in
	 * another turn. This one began @now.
	 */
	size_t (*asked)(const uint8_t *request, size_t size, uint8_t *ret, bool again, int64_t now,
			int64_t until, void *arg);
	/* There is something for net-snmp to read: have it read now, and do what it can do. */
	void (*handed)(void *arg);
	/*
	 * The master answered a Register PDU passed under @mark; @error is RFC 2741's res.error, 0
	 * for success.
	 */
	void (*registered)(unsigned int mark, unsigned int error, void *arg);
	/* There is no connection; @os_errno says why, 0: the master accepts but does not answer. */
	void (*unreachable)(int os_errno, void *arg);
	/* Does the engine still owe a set request its answer? */
	bool (*answering)(void *arg);
	/* The master repeated a CommitSet or UndoSet that is not answered yet; we dropped it. */
	void (*repeated)(void *arg);
	/* We refused a request: it or its reply has @size octets, and net-snmp takes @max. */
	void (*oversized)(enum transport_size what, uint64_t size, unsigned int max, void *arg);
	/* A malformed PDU of this type: refused, or (@ends: why) the end of the session. */
	void (*malformed)(unsigned int type, const char *ends, void *arg);
	void *arg;
};

#define TRANSPORT_DELAY_MAX 30               /* seconds; net-snmp makes an attempt a second */
#define TRANSPORT_ADDRESS   "l2tpv3d:master" /* what net-snmp takes for the endpoint */

/* Register the transport with net-snmp: one for the whole process. NULL: no memory. */
struct transport *transport_open(struct event_base *base, const struct endpoint *endpoint,
				 const struct transport_events *events);
void transport_close(struct transport *transport); /* after snmp_shutdown(); accepts NULL */

/* What net-snmp takes for its descriptor; only we watch it. -1: not connected. */
int transport_fd(const struct transport *transport);

/*
 * Pass on the Register PDUs that net-snmp sends from now on, under this mark; 0: pass none. At each
 * connection net-snmp repeats by itself all that it ever registered. It is told that this went
 * well, and the master hears nothing of it: who registers wants to know what an answer is to.
 */
void transport_pass_registers(struct transport *transport, unsigned int mark);

/*
 * How many requests net-snmp got and has not answered yet; an end of the stream that is held back
 * counts as one. Call transport_idle() when net-snmp has nothing more to do: the rest were
 * delegated or dropped. Then, outside `handed`, transport_go_on(): others may have waited for it.
 */
unsigned int transport_backlog(const struct transport *transport);
void transport_idle(struct transport *transport);
void transport_go_on(struct transport *transport);

#endif
