/*
 * The stream to the AgentX master: a net-snmp transport of our own, because
 * net-snmp's block without limit where the master does not read (snmpd stopped,
 * its queue of connections full, both ends sending), take an interrupted read
 * for a disconnect, let a set request that is being answered outlive its
 * session, which then is used after it was freed, and drop a PDU that they cannot
 * parse without a word.
 *
 * Here nothing waits. What cannot be sent is queued, and the end of the stream is
 * told to net-snmp only when no set request waits for its answer. net-snmp itself
 * waits for the answers to Open, Register and Close: it is told them at once. Open
 * has been answered before it learns of the connection (opening.h); what the master
 * says to Register is told of by an event.
 *
 * net-snmp is handed whole, well-formed PDUs (pdu.h). Every other request is
 * answered in its place: malformed, with parseError; too long for net-snmp, or its
 * answer too long for the master's; a phase of a set request that an impatient
 * master sends again is dropped, for the answer to the first will do. Where no
 * answer can help, the session ends: no header of AgentX, a Response that cannot be
 * read, half a PDU and no more, the master's Close.
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
	/* The master answered a Register PDU; @error is RFC 2741's res.error, 0 for success. */
	void (*registered)(unsigned int error, void *arg);
	/* No connection is to be had; @os_errno says why, 0: it is accepted but not answered. */
	void (*unreachable)(int os_errno, void *arg);
	/* transport_paused() may have changed, outside of any call of net-snmp. */
	void (*resumed)(void *arg);
	/* Is there a set request that the engine works at, to be answered later? */
	bool (*answering)(void *arg);
	/* The master sent a CommitSet or UndoSet again that is not answered yet: it was dropped. */
	void (*repeated)(void *arg);
	/* A request was refused, for it or its answer has @size octets; net-snmp takes @max. */
	void (*oversized)(enum transport_size what, uint64_t size, unsigned int max, void *arg);
	/* A PDU that is none, of this type: refused, or @ends the session, for the reason given. */
	void (*malformed)(unsigned int type, const char *ends, void *arg);
	void *arg;
};

#define TRANSPORT_DELAY_MAX 30               /* seconds; net-snmp makes an attempt a second */
#define TRANSPORT_ADDRESS   "l2tpv3d:master" /* what to tell net-snmp instead of the endpoint */

/*
 * Make the transport known to net-snmp, which has one for the whole process.
 * NULL: no memory.
 */
struct transport *transport_open(struct event_base *base, const struct endpoint *endpoint,
				 const struct transport_events *events);
void transport_close(struct transport *transport); /* after snmp_shutdown(); accepts NULL */

int transport_fd(const struct transport *transport); /* -1: not connected */

/*
 * How many requests were read and not answered yet; an end of the stream that
 * is held back counts too. What reads them counts on the rest to be delegated,
 * or dropped, when net-snmp has nothing more to do; it says so by
 * transport_settle().
 */
unsigned int transport_backlog(const struct transport *transport);
void transport_settle(struct transport *transport);

/*
 * Is the descriptor to be left alone now? It is at its end and that must wait,
 * or there is enough to do. (Not because the master does not read: it may not
 * be able to before we do.)
 */
bool transport_paused(const struct transport *transport);

#endif
