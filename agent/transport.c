#include "transport.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsnmp.h"

#define DOMAIN_NAME  "l2tpv3d"
#define QUEUE_MAX    (4U << 20) /* bytes waiting for a master that does not read */
#define BACKLOG_MAX  32         /* net-snmp's own queue costs by its square */
#define PAUSE_S      35         /* longer than net-snmp waits for a handler (30 s) */
#define REGISTERS    8          /* Register PDUs whose answer may still come */
#define HEADER       20         /* RFC 2741 section 6.1 */
#define HEAD         28         /* ... with sysUpTime, error and index of a Response */
#define PDU_MAX      65536      /* net-snmp drops what is longer (agentx_parse), without a word */
#define FLAG_NETWORK 0x10       /* network byte order */
#define LAST_READS   100        /* for the answer to our Close PDU */

enum pdu_type {
	PDU_REGISTER = 3,
	PDU_GET = 5,
	PDU_TEST_SET = 8,
	PDU_COMMIT_SET = 9,
	PDU_UNDO_SET = 10,
	PDU_CLEANUP_SET = 11,
	PDU_RESPONSE = 18
};

enum pdu_error { PDU_TOO_BIG = 1, PDU_GEN_ERR = 5, PDU_RESOURCE_UNAVAILABLE = 13 };

struct transport {
	struct event_base *base;
	struct endpoint endpoint;
	struct transport_events events;
	int fd;
	struct evbuffer *queue;
	struct event *writable, *patience;
	uint8_t head[HEAD]; /* the beginning of a PDU, until it tells which */
	size_t have;
	uint64_t rest; /* bytes of the PDU being received that are still to come */
	bool dropped;  /* it is not handed on to net-snmp */
	unsigned int backlog;
	bool set_open; /* a set request came, and may not be answered yet ... */
	bool ended;    /* ... and the stream is at its end */
	bool acting;   /* a CommitSet or UndoSet is not answered yet: packet */
	uint32_t packet;
	bool leaving;
	unsigned int last_reads;
	uint32_t registers[REGISTERS];
	unsigned int next_register;
	bool heard;               /* the master has answered something */
	unsigned int delay, skip; /* in attempts of net-snmp, which makes one a second */
};

/* net-snmp's list of transports has no place for a pointer of ours. */
static struct transport *the_transport;

static uint32_t field(const uint8_t *head, size_t offset)
{
	const uint8_t *at = head + offset;

	if (head[2] & FLAG_NETWORK)
		return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static uint32_t packet_of(const uint8_t *head)
{
	return field(head, 12);
}

static unsigned int error_of(const uint8_t *head)
{
	const uint8_t *at = head + HEADER + 4;

	return head[2] & FLAG_NETWORK ? (unsigned int)at[0] << 8 | at[1]
				      : (unsigned int)at[1] << 8 | at[0];
}

/* A master that stopped reading: end the connection, and let the read side find out. */
static void give_up(struct transport *transport)
{
	evbuffer_drain(transport->queue, evbuffer_get_length(transport->queue));
	event_del(transport->writable);
	if (transport->fd >= 0)
		shutdown(transport->fd, SHUT_RDWR);
}

static void flush(struct transport *transport)
{
	while (evbuffer_get_length(transport->queue) > 0) {
		if (evbuffer_write(transport->queue, transport->fd) > 0)
			continue;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			give_up(transport);
		break;
	}
	if (evbuffer_get_length(transport->queue) > 0)
		event_add(transport->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	flush(arg);
}

/* Always takes everything: what came too late to be sent, nobody waits for. */
static void put(struct transport *transport, const void *bytes, size_t size)
{
	ssize_t count = 0;

	if (evbuffer_get_length(transport->queue) == 0)
		count = send(transport->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (count < 0)
		count = errno == EAGAIN || errno == EINTR ? 0 : (ssize_t)size;
	if ((size_t)count == size)
		return;
	if (evbuffer_get_length(transport->queue) > QUEUE_MAX ||
	    evbuffer_add(transport->queue, (const char *)bytes + count, size - (size_t)count))
		give_up(transport);
	else
		flush(transport);
}

static void answered(struct transport *transport, const uint8_t *head)
{
	uint32_t packet = packet_of(head);

	for (unsigned int i = 0; i < REGISTERS; i++) {
		if (packet == 0 || transport->registers[i] != packet)
			continue;
		transport->registers[i] = 0;
		transport->events.registered(error_of(head), transport->events.arg);
	}
}

static void received(struct transport *transport, const uint8_t *head)
{
	if (head[1] >= PDU_GET && head[1] <= PDU_CLEANUP_SET)
		transport->backlog++;
	switch (head[1]) {
	case PDU_COMMIT_SET:
	case PDU_UNDO_SET:
		transport->acting = true;
		transport->packet = packet_of(head);
		transport->set_open = true;
		break;
	case PDU_TEST_SET:
		transport->set_open = true;
		break;
	case PDU_RESPONSE:
		transport->heard = true;
		transport->delay = 0;
		if (field(head, 16) >= HEAD - HEADER)
			answered(transport, head);
		break;
	default:
		break;
	}
}

/* In net-snmp's place. @head is a request's, or that of the answer which would have been sent. */
static void answer_error(struct transport *transport, const uint8_t *head, enum pdu_error error)
{
	bool network = head[2] & FLAG_NETWORK;
	uint8_t answer[HEAD] = {head[0], PDU_RESPONSE, head[2] & FLAG_NETWORK};

	memcpy(answer + 4, head + 4, 12); /* session, transaction, packet */
	answer[network ? 19 : 16] = HEAD - HEADER;
	answer[network ? 25 : 24] = (uint8_t)error;
	answer[network ? 27 : 26] = 1; /* the first variable binding: the master wants one */
	put(transport, answer, sizeof(answer));
}

/* The master would wait for an answer in vain, and then disconnect. */
static void refuse(struct transport *transport, const uint8_t *head)
{
	bool is_set = head[1] == PDU_TEST_SET;

	if (head[1] < PDU_GET || head[1] >= PDU_CLEANUP_SET)
		return;
	answer_error(transport, head, is_set ? PDU_RESOURCE_UNAVAILABLE : PDU_GEN_ERR);
	transport->events.oversized(is_set ? SIZE_OF_SET : SIZE_OF_GET,
				    HEADER + (uint64_t)field(head, 16), PDU_MAX,
				    transport->events.arg);
}

/* The first is not answered yet: that answer will do for this one. */
static bool is_repeated(const struct transport *transport, const uint8_t *head)
{
	return transport->acting && (head[1] == PDU_COMMIT_SET || head[1] == PDU_UNDO_SET) &&
	       packet_of(head) == transport->packet;
}

static bool is_head(const uint8_t *bytes, size_t length)
{
	return length >= HEAD || (length >= HEADER && length - HEADER >= field(bytes, 16));
}

/* False: not enough of it is there, and is kept. */
static bool begin_pdu(struct transport *transport, const uint8_t *bytes, size_t length)
{
	if (!is_head(bytes, length)) {
		memcpy(transport->head, bytes, length);
		transport->have = length;
		return false;
	}
	transport->rest = HEADER + (uint64_t)field(bytes, 16);
	transport->dropped = true;
	if (transport->rest > PDU_MAX) {
		refuse(transport, bytes);
	} else if (is_repeated(transport, bytes)) {
		transport->events.repeated(transport->events.arg);
	} else {
		transport->dropped = false;
		received(transport, bytes);
	}
	return true;
}

/*
 * Follow the PDUs in what was read, however the stream cuts them. Returns how
 * much is left for net-snmp, moved together.
 */
static size_t follow(struct transport *transport, uint8_t *bytes, size_t length)
{
	size_t at = 0, left = 0;

	transport->have = 0;
	while (at < length) {
		size_t part = length - at;

		if (transport->rest == 0 && !begin_pdu(transport, bytes + at, part))
			break;
		if (transport->rest < part)
			part = (size_t)transport->rest;
		if (!transport->dropped) {
			memmove(bytes + left, bytes + at, part);
			left += part;
		}
		at += part;
		transport->rest -= part;
	}
	return left;
}

static int nothing_yet(netsnmp_transport *t)
{
	t->flags |= NETSNMP_TRANSPORT_FLAG_EMPTY_PKT;
	return 0;
}

static void pause_for_answer(struct transport *transport)
{
	const struct timeval limit = {.tv_sec = PAUSE_S};

	transport->ended = true;
	evtimer_add(transport->patience, &limit);
}

/* Behind the head that is kept, if there is one. */
static ssize_t read_more(struct transport *transport, int fd, uint8_t *bytes, size_t size)
{
	size_t have = transport->have;
	ssize_t count = recv(fd, bytes + have, size - have, MSG_DONTWAIT);

	if (count <= 0)
		return count;
	memcpy(bytes, transport->head, have);
	return (ssize_t)have + count;
}

static bool is_over(struct transport *transport)
{
	return transport->leaving && transport->last_reads++ >= LAST_READS;
}

static int receive(netsnmp_transport *t, void *bytes, int size, void **opaque, int *opaque_length)
{
	struct transport *transport = the_transport;
	ssize_t count;
	size_t left;

	*opaque = NULL;
	*opaque_length = 0;
	if (is_over(transport))
		return -1;
	count = read_more(transport, t->sock, bytes, (size_t)size);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return nothing_yet(t);
	if (count > 0) {
		left = follow(transport, bytes, (size_t)count);
		return left > 0 ? (int)left : nothing_yet(t);
	}
	if (transport->set_open && !transport->leaving) {
		pause_for_answer(transport);
		return nothing_yet(t);
	}
	return -1;
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct transport *transport = arg;

	(void)fd, (void)what;
	transport->set_open = false;
	transport->events.resumed(transport->events.arg);
}

static void sent(struct transport *transport, const uint8_t *head, size_t size)
{
	if (size < HEADER)
		return;
	if (head[1] == PDU_REGISTER)
		transport->registers[transport->next_register++ % REGISTERS] = packet_of(head);
	if (head[1] == PDU_RESPONSE) {
		transport->backlog -= transport->backlog > 0;
		transport->acting = transport->acting && packet_of(head) != transport->packet;
	}
}

static bool is_long_answer(const uint8_t *head, size_t size)
{
	return size > PDU_MAX && head[1] == PDU_RESPONSE;
}

/* The master's net-snmp would drop it without a word, wait for it, and then disconnect. */
static void refuse_answer(struct transport *transport, const uint8_t *head, size_t size)
{
	answer_error(transport, head, PDU_TOO_BIG);
	transport->events.oversized(SIZE_OF_ANSWER, size, PDU_MAX, transport->events.arg);
}

static int transmit(netsnmp_transport *t, const void *bytes, int size, void **opaque,
		    int *opaque_length)
{
	struct transport *transport = the_transport;

	(void)opaque, (void)opaque_length;
	if (t->sock < 0)
		return size;
	if (is_long_answer(bytes, (size_t)size))
		refuse_answer(transport, bytes, (size_t)size);
	else
		put(transport, bytes, (size_t)size);
	sent(transport, bytes, (size_t)size);
	return size;
}

/* The loop stood still in vain: not soon again, and less often each time. */
static void back_off(struct transport *transport)
{
	unsigned int delay = transport->delay ? 2 * transport->delay : 1;

	transport->delay = delay < TRANSPORT_DELAY_MAX ? delay : TRANSPORT_DELAY_MAX;
	transport->skip = transport->delay - 1;
}

static int disconnect(netsnmp_transport *t)
{
	struct transport *transport = the_transport;

	if (t->sock < 0)
		return -1;
	event_del(transport->writable);
	event_del(transport->patience);
	evbuffer_drain(transport->queue, evbuffer_get_length(transport->queue));
	close(t->sock);
	t->sock = transport->fd = -1;
	transport->have = 0;
	transport->rest = 0;
	transport->backlog = 0;
	transport->set_open = transport->ended = transport->acting = false;
	for (unsigned int i = 0; i < REGISTERS; i++)
		transport->registers[i] = 0;
	if (!transport->heard) {
		back_off(transport);
		transport->events.unreachable(0, transport->events.arg);
	}
	return 0;
}

static char *format_address(netsnmp_transport *t, const void *data, int length)
{
	(void)t, (void)data, (void)length;
	return strdup("AgentX master");
}

static const oid domain_oid[] = {0, 0}; /* nobody looks for it by this */

static netsnmp_transport *wrap(int fd)
{
	netsnmp_transport *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->domain = domain_oid;
	t->domain_length = OID_LENGTH(domain_oid);
	t->sock = fd;
	t->flags = NETSNMP_TRANSPORT_FLAG_STREAM;
	t->msgMaxSize = SNMP_MAX_PACKET_LEN;
	t->f_recv = receive;
	t->f_send = transmit;
	t->f_close = disconnect;
	t->f_fmtaddr = format_address;
	return t;
}

static bool attach(struct transport *transport, int fd)
{
	return event_assign(transport->writable, transport->base, fd, EV_WRITE, on_writable,
			    transport) == 0;
}

static int connect_now(struct transport *transport)
{
	int fd = endpoint_connect(&transport->endpoint);

	if (fd >= 0)
		return fd;
	if (fd == -ETIMEDOUT)
		back_off(transport);
	else
		transport->delay = 0;
	transport->events.unreachable(-fd, transport->events.arg);
	return fd;
}

static netsnmp_transport *create(netsnmp_tdomain_spec *spec)
{
	struct transport *transport = the_transport;
	netsnmp_transport *t;
	int fd;

	if (!transport || (spec->flags & NETSNMP_TSPEC_LOCAL) || transport->fd >= 0)
		return NULL;
	if (transport->skip > 0) {
		transport->skip--;
		return NULL;
	}
	fd = connect_now(transport);
	if (fd < 0)
		return NULL;
	transport->heard = false;
	t = attach(transport, fd) ? wrap(fd) : NULL;
	if (t)
		transport->fd = fd;
	else
		close(fd);
	return t;
}

static netsnmp_tdomain domain = {
	.name = domain_oid,
	.name_length = OID_LENGTH(domain_oid),
	.f_create_from_tspec = create,
};

/* snmp_shutdown() forgets the domain, and frees its list of prefixes. */
static bool register_domain(void)
{
	domain.prefix = calloc(2, sizeof(*domain.prefix));
	if (!domain.prefix)
		return false;
	domain.prefix[0] = DOMAIN_NAME;
	netsnmp_tdomain_register(&domain);
	return true;
}

static bool prepare(struct transport *transport)
{
	transport->queue = evbuffer_new();
	transport->writable = event_new(transport->base, -1, EV_WRITE, on_writable, transport);
	transport->patience = evtimer_new(transport->base, on_patience, transport);
	return transport->queue && transport->writable && transport->patience && register_domain();
}

struct transport *transport_open(struct event_base *base, const struct endpoint *endpoint,
				 const struct transport_events *events)
{
	struct transport *transport = calloc(1, sizeof(*transport));

	if (!transport)
		return NULL;
	transport->base = base;
	transport->endpoint = *endpoint;
	transport->events = *events;
	transport->fd = -1;
	if (!prepare(transport)) {
		transport_close(transport);
		return NULL;
	}
	the_transport = transport;
	return transport;
}

void transport_close(struct transport *transport)
{
	if (!transport)
		return;
	if (the_transport == transport)
		the_transport = NULL;
	if (transport->queue)
		evbuffer_free(transport->queue);
	if (transport->writable)
		event_free(transport->writable);
	if (transport->patience)
		event_free(transport->patience);
	free(transport);
}

int transport_fd(const struct transport *transport)
{
	return transport->fd;
}

unsigned int transport_backlog(const struct transport *transport)
{
	return transport->backlog + transport->ended;
}

void transport_settle(struct transport *transport)
{
	transport->backlog = 0;
	if (!transport->events.answering(transport->events.arg))
		transport->set_open = transport->acting = false;
}

void transport_leave(struct transport *transport)
{
	transport->leaving = true;
}

bool transport_paused(const struct transport *transport)
{
	return transport &&
	       ((transport->ended && transport->set_open) || transport->backlog > BACKLOG_MAX);
}
