#include "transport.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "netsnmp.h"
#include "opening.h"
#include "outgoing.h"
#include "pdu.h"

#define DOMAIN_NAME  "l2tpv3d"
#define TURN_NS      (4 * NS_PER_S / 1000) /* begin no more answers in a turn after this */
#define BACKLOG_MAX  32                    /* net-snmp's own queue costs by its square */
#define PAUSE_S      35                    /* longer than net-snmp waits for a handler (30 s) */
#define REGISTERS    8                     /* Register PDUs whose answer may still come */
#define UNFINISHED_S 3                     /* a PDU that is not complete by then never will be */

struct transport {
	struct event_base *base;
	struct transport_events events;
	struct opening *opening;
	netsnmp_transport *net; /* how net-snmp knows us, while connected */
	int fd, ready_fd;       /* the stream; a descriptor that is always readable */
	struct event *readable; /* the stream is */
	short once;             /* tell of it once, if the system can: EV_ET */
	struct event *again;    /* to do the rest of what was read */
	struct event *patience, *unfinished;
	struct incoming in;
	const uint8_t *request; /* in it, and not dealt with; NULL: none */
	struct pdu_header header;
	bool half_answered;
	uint8_t answer[PDU_MAX];  /* to a request */
	uint8_t answers[PDU_MAX]; /* to be sent together */
	size_t answers_length;
	struct outgoing *out;
	uint8_t handed[PDU_MAX]; /* for net-snmp to read */
	size_t handed_length;
	unsigned int backlog;
	bool set_open; /* a set request came and may be unanswered ... */
	bool ended;    /* ... and the stream has ended */
	bool gone;     /* it has, and net-snmp may know */
	bool broken;   /* we ended it: read no more */
	bool acting;   /* a CommitSet or UndoSet, `packet`, is not answered yet */
	uint32_t packet;
	uint8_t told[PDU_RESPONSE_LENGTH]; /* what we answer net-snmp in the master's place */
	bool telling;
	unsigned int mark;    /* transport_pass_registers() */
	struct opened opened; /* the master's answer to Open */
	struct {
		uint32_t packet;
		unsigned int mark;
	} registers[REGISTERS];
	unsigned int next_register;
	unsigned int delay, skip_attempts; /* counted in net-snmp's attempts, one a second */
};

/* net-snmp's list of transports has no place for a pointer of ours. */
static struct transport *the_transport;

/* ---- what the master is told */

static void flush(struct transport *transport)
{
	if (transport->answers_length > 0)
		outgoing_put(transport->out, transport->answers, transport->answers_length);
	explicit_bzero(transport->answers, transport->answers_length); /* cookies may be in it */
	transport->answers_length = 0;
}

static void put(struct transport *transport, const void *bytes, size_t size)
{
	if (size > sizeof(transport->answers) - transport->answers_length)
		flush(transport);
	memcpy(transport->answers + transport->answers_length, bytes, size);
	transport->answers_length += size;
}

/* ---- what the master says */

/* The reading side will notice. */
static void end_stream(struct transport *transport)
{
	transport->broken = true;
	outgoing_end(transport->out);
}

/* No answer helps any more. */
static void hang_up(struct transport *transport, unsigned int type, const char *reason)
{
	transport->events.malformed(type, reason, transport->events.arg);
	end_stream(transport);
}

static void answer_error(struct transport *transport, const struct pdu_header *to,
			 enum pdu_error error)
{
	/* The master wants a variable binding to blame: take the first. */
	struct pdu_response say = {.error = (uint16_t)error, .index = error != PDU_PARSE_ERROR};
	uint8_t answer[PDU_RESPONSE_LENGTH];

	pdu_put_response(answer, to, &say);
	put(transport, answer, sizeof(answer));
}

/* Unanswered, the master would disconnect in the end. */
static void refuse_long(struct transport *transport, const struct pdu_header *header)
{
	bool is_set = header->type == PDU_TEST_SET;

	answer_error(transport, header, is_set ? PDU_RESOURCE_UNAVAILABLE : PDU_GEN_ERR);
	transport->events.oversized(is_set ? SIZE_OF_SET : SIZE_OF_GET, header->size, PDU_MAX,
				    transport->events.arg);
}

/* Is it the master's answer to Register? net-snmp got one from us and must not see it. */
static bool answers_register(struct transport *transport, const uint8_t *bytes,
			     const struct pdu_header *header)
{
	for (unsigned int i = 0; i < REGISTERS; i++) {
		if (header->packet == 0 || transport->registers[i].packet != header->packet)
			continue;
		transport->registers[i].packet = 0;
		transport->events.registered(transport->registers[i].mark,
					     pdu_response(bytes).error, transport->events.arg);
		return true;
	}
	return false;
}

/* A well-formed PDU. True: it is for net-snmp. */
static bool accept_pdu(struct transport *transport, const uint8_t *bytes,
		       const struct pdu_header *header)
{
	bool ends_set = header->type == PDU_COMMIT_SET || header->type == PDU_UNDO_SET;

	if (transport->acting && ends_set && header->packet == transport->packet) {
		transport->events.repeated(transport->events.arg);
		return false;
	}
	if (header->type >= PDU_GET && header->type <= PDU_CLEANUP_SET)
		transport->backlog++;
	switch (header->type) {
	case PDU_CLOSE: /* net-snmp does not know it */
		end_stream(transport);
		return false;
	case PDU_COMMIT_SET:
	case PDU_UNDO_SET:
		transport->acting = true;
		transport->packet = header->packet;
		transport->set_open = true;
		break;
	case PDU_TEST_SET:
		transport->set_open = true;
		break;
	case PDU_RESPONSE:
		return !answers_register(transport, bytes, header);
	default:
		break;
	}
	return true;
}

/* Once half a PDU is there, its rest must come soon. */
static void expect_rest(struct transport *transport)
{
	const struct timeval limit = {.tv_sec = UNFINISHED_S};

	if (!incoming_unfinished(&transport->in))
		evtimer_del(transport->unfinished);
	else if (!evtimer_pending(transport->unfinished, NULL))
		evtimer_add(transport->unfinished, &limit);
}

static bool is_read(const struct pdu_header *header)
{
	return header->type >= PDU_GET && header->type <= PDU_GET_BULK;
}

/* Find the next request that we cannot refuse at once. False: no whole PDU is left. */
static bool find_request(struct transport *transport)
{
	struct pdu_header *header = &transport->header;
	const uint8_t *bytes = NULL;
	const char *why_broken = NULL;

	while (!transport->broken) {
		switch (incoming_next(&transport->in, header, &bytes, &why_broken)) {
		case INCOMING_PDU:
			transport->request = bytes;
			return true;
		case INCOMING_MALFORMED:
			answer_error(transport, header, PDU_PARSE_ERROR);
			transport->events.malformed(header->type, NULL, transport->events.arg);
			break;
		case INCOMING_LONG:
			refuse_long(transport, header);
			break;
		case INCOMING_BROKEN:
			hang_up(transport, header->type, why_broken);
			break;
		default:
			incoming_pack(&transport->in);
			expect_rest(transport);
			return false;
		}
	}
	return false;
}

/* Must net-snmp do something before we deal with this one? */
static bool must_wait(const struct transport *transport)
{
	if (is_read(&transport->header))
		return transport->backlog > 0;
	return transport->backlog > BACKLOG_MAX ||
	       transport->header.size > PDU_MAX - transport->handed_length;
}

/* False: time is up. */
static bool answer(struct transport *transport, int64_t until)
{
	size_t length = transport->events.asked(transport->request, (size_t)transport->header.size,
						transport->answer, transport->half_answered, until,
						transport->events.arg);

	transport->half_answered = length == 0;
	put(transport, transport->answer, length);
	explicit_bzero(transport->answer, length);
	return length > 0;
}

static void hand_over(struct transport *transport)
{
	memcpy(transport->handed + transport->handed_length, transport->request,
	       (size_t)transport->header.size);
	transport->handed_length += (size_t)transport->header.size;
}

enum sorted { SORTED, SORTED_UNTIL_ONE_THAT_WAITS, SORTED_UNTIL_LATER };

/* Answer what was read, or put it down for net-snmp. */
static enum sorted sort(struct transport *transport, int64_t until)
{
	for (bool first = true; transport->request || find_request(transport); first = false) {
		if (must_wait(transport))
			return SORTED_UNTIL_ONE_THAT_WAITS;
		if (!first && clock_now() > until)
			return SORTED_UNTIL_LATER;
		if (is_read(&transport->header)) {
			if (!answer(transport, until))
				return SORTED_UNTIL_LATER;
		} else if (accept_pdu(transport, transport->request, &transport->header)) {
			hand_over(transport);
		}
		transport->request = NULL;
	}
	return SORTED;
}

/* Unless the stream has ended, or there is enough to do. (Also when the master does not read: it
 * may be waiting for us to do so.) */
static void watch(struct transport *transport)
{
	if (transport->fd < 0)
		return;
	if (transport->ended || transport->gone || transport->request ||
	    transport->backlog > BACKLOG_MAX)
		event_del(transport->readable);
	else
		event_add(transport->readable, NULL);
}

/* Do with what was read all that can be done in this turn. */
static void work(struct transport *transport)
{
	static const struct timeval at_once;
	int64_t until = clock_now() + TURN_NS;
	enum sorted sorted;

	do {
		sorted = sort(transport, until);
		flush(transport);
		if (transport->handed_length > 0)
			transport->events.handed(transport->events.arg);
	} while (transport->fd >= 0 && sorted == SORTED_UNTIL_ONE_THAT_WAITS &&
		 !must_wait(transport));
	if (transport->fd >= 0 && sorted == SORTED_UNTIL_LATER)
		event_add(transport->again, &at_once);
	watch(transport);
}

/* Half a PDU is left and nobody sends the rest: its length lies. */
static void on_unfinished(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval limit = {.tv_sec = UNFINISHED_S};
	struct transport *transport = arg;
	int unread = 0;

	(void)fd, (void)what;
	if (ioctl(transport->fd, FIONREAD, &unread) == 0 && unread > 0)
		evtimer_add(transport->unfinished, &limit); /* it is there, and we do not read it */
	else
		hang_up(transport, 0, "never ends");
}

/* The stream has ended: net-snmp learns of it when no set request is open. */
static void end(struct transport *transport)
{
	const struct timeval pause = {.tv_sec = PAUSE_S};

	if (transport->set_open && !transport->ended) {
		transport->ended = true;
		evtimer_add(transport->patience, &pause);
		transport->events.handed(transport->events.arg); /* it may be done with all */
	}
	if (!transport->set_open && transport->fd >= 0) {
		transport->gone = true;
		transport->events.handed(transport->events.arg);
	}
	watch(transport);
}

/* False: the stream has ended. */
static bool read_more(struct transport *transport, size_t room)
{
	struct incoming *in = &transport->in;
	ssize_t count = 0;

	if (!transport->broken)
		count = recv(transport->fd, in->bytes + in->have, room, MSG_DONTWAIT);
	if (count > 0)
		in->have += (size_t)count;
	return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

/*
 * We are told once of what has come, which is cheaper: be told again if there may be more. What
 * comes while we do not watch we are told when we watch again.
 */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct transport *transport = arg;
	size_t before = transport->in.have, room = sizeof(transport->in.bytes) - before;

	(void)fd;
	if (!read_more(transport, room)) {
		end(transport);
		return;
	}
	if (what & EV_CLOSED || transport->in.have - before == room)
		event_active(transport->readable, what, 0);
	work(transport);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	work(arg);
}

/* ---- net-snmp reads */

static int receive(netsnmp_transport *t, void *bytes, int size, void **opaque, int *opaque_length)
{
	struct transport *transport = the_transport;
	size_t length = transport->handed_length;

	*opaque = NULL;
	*opaque_length = 0;
	if (transport->telling) {
		memcpy(bytes, transport->told, sizeof(transport->told));
		transport->telling = false;
		t->sock = transport->fd;
		return sizeof(transport->told);
	}
	/* net-snmp asks for 65,536 octets as long as it gets whole PDUs */
	if (transport->gone || length > (size_t)size)
		return -1;
	if (length == 0)
		t->flags |= NETSNMP_TRANSPORT_FLAG_EMPTY_PKT;
	memcpy(bytes, transport->handed, length);
	explicit_bzero(transport->handed, length);
	transport->handed_length = 0;
	return (int)length;
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct transport *transport = arg;

	(void)fd, (void)what;
	transport->set_open = false;
	transport_go_on(transport);
}

/* ---- net-snmp sends */

/*
 * Answer in the master's place: net-snmp blocks until it has this answer, and then everybody would
 * wait. The time is the master's: net-snmp sets our sysUpTime by it.
 */
static void tell(struct transport *transport, const struct pdu_header *header)
{
	struct pdu_header to = *header;
	int64_t passed = (clock_now() - transport->opened.at) / (NS_PER_S / 100);
	struct pdu_response say = {.up_time =
					   transport->opened.response.up_time + (uint32_t)passed};

	to.session = transport->opened.header.session;
	pdu_put_response(transport->told, &to, &say);
	transport->telling = true;
	transport->net->sock = transport->ready_fd;
}

static void note_register(struct transport *transport, uint32_t packet)
{
	unsigned int place = transport->next_register++ % REGISTERS;

	transport->registers[place].packet = packet;
	transport->registers[place].mark = transport->mark;
}

static void sent(struct transport *transport, const struct pdu_header *header)
{
	switch (header->type) {
	case PDU_RESPONSE:
		transport->backlog -= transport->backlog > 0;
		transport->acting = transport->acting && header->packet != transport->packet;
		break;
	case PDU_REGISTER:
		if (transport->mark)
			note_register(transport, header->packet);
		/* fall through */
	case PDU_OPEN:
	case PDU_CLOSE:
	case PDU_UNREGISTER:
	case PDU_PING:
	case PDU_ADD_AGENT_CAPS:
	case PDU_REMOVE_AGENT_CAPS:
		tell(transport, header);
		break;
	default: /* net-snmp does not wait for Notify's answer */
		break;
	}
}

/* The session is open already when net-snmp says Open; and we never ping (agent.c). */
static bool is_for_master(const struct transport *transport, const struct pdu_header *header)
{
	return header->type == PDU_REGISTER ? transport->mark
					    : header->type != PDU_OPEN && header->type != PDU_PING;
}

static int transmit(netsnmp_transport *t, const void *bytes, int size, void **opaque,
		    int *opaque_length)
{
	struct transport *transport = the_transport;
	struct pdu_header header;

	(void)opaque, (void)opaque_length;
	if (t->sock < 0 || size < PDU_HEADER_LENGTH)
		return size;
	header = pdu_header(bytes);
	if (size > PDU_MAX && header.type == PDU_RESPONSE) {
		/* the master's net-snmp would silently drop it, wait for it, and disconnect */
		answer_error(transport, &header, PDU_TOO_BIG);
		transport->events.oversized(SIZE_OF_ANSWER, (size_t)size, PDU_MAX,
					    transport->events.arg);
	} else if (is_for_master(transport, &header)) {
		flush(transport);
		outgoing_put(transport->out, bytes, (size_t)size);
	}
	flush(transport);
	sent(transport, &header);
	return size;
}

/* ---- connections */

/* No answer at all: try less often each time. */
static void on_failed(int os_errno, void *arg)
{
	struct transport *transport = arg;
	unsigned int delay = transport->delay ? 2 * transport->delay : 1;

	if (os_errno == 0 || os_errno == ETIMEDOUT) {
		transport->delay = delay < TRANSPORT_DELAY_MAX ? delay : TRANSPORT_DELAY_MAX;
		transport->skip_attempts = transport->delay - 1;
	} else {
		transport->delay = 0;
	}
	transport->events.unreachable(os_errno, transport->events.arg);
}

static void forget_stream(struct transport *transport)
{
	event_del(transport->readable);
	event_del(transport->again);
	event_del(transport->patience);
	event_del(transport->unfinished);
	outgoing_attach(transport->out, -1);
	incoming_clear(&transport->in);
	transport->request = NULL;
	explicit_bzero(transport->answers, transport->answers_length);
	explicit_bzero(transport->handed, transport->handed_length);
	transport->answers_length = transport->handed_length = 0;
	transport->backlog = 0;
	transport->set_open = transport->ended = transport->gone = transport->acting = false;
	transport->broken = transport->telling = transport->half_answered = false;
	memset(transport->registers, 0, sizeof(transport->registers));
}

static int disconnect(netsnmp_transport *t)
{
	struct transport *transport = the_transport;

	if (t->sock < 0)
		return -1;
	forget_stream(transport);
	close(transport->fd);
	t->sock = transport->fd = -1;
	transport->net = NULL;
	return 0;
}

static const oid domain_oid[] = {0, 0}; /* nobody looks it up */

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
	return t;
}

/* The master answered: hand the session to net-snmp. */
static netsnmp_transport *take_over(struct transport *transport)
{
	struct opened opened = opening_take(transport->opening);
	netsnmp_transport *t = outgoing_attach(transport->out, opened.fd) ? wrap(opened.fd) : NULL;

	if (!t) {
		outgoing_attach(transport->out, -1);
		close(opened.fd);
		return NULL;
	}
	transport->opened = opened;
	transport->fd = opened.fd;
	transport->net = t;
	transport->delay = 0;
	event_assign(transport->readable, transport->base, opened.fd,
		     EV_READ | EV_PERSIST | transport->once, on_readable, transport);
	watch(transport);
	return t;
}

/* net-snmp tries to connect, once a second while it has no session. */
static netsnmp_transport *create(netsnmp_tdomain_spec *spec)
{
	struct transport *transport = the_transport;
	int rc;

	if (!transport || (spec->flags & NETSNMP_TSPEC_LOCAL) || transport->fd >= 0)
		return NULL;
	if (transport->skip_attempts > 0) {
		transport->skip_attempts--;
		return NULL;
	}
	rc = opening_begin(transport->opening);
	if (rc)
		on_failed(-rc, transport);
	if (opening_state(transport->opening) != OPENING_DONE)
		return NULL;
	return take_over(transport);
}

static netsnmp_tdomain domain = {
	.name = domain_oid,
	.name_length = OID_LENGTH(domain_oid),
	.f_create_from_tspec = create,
};

/* snmp_shutdown() unregisters the domain and frees its list of prefixes. */
static bool register_domain(void)
{
	domain.prefix = calloc(2, sizeof(*domain.prefix));
	if (!domain.prefix)
		return false;
	domain.prefix[0] = DOMAIN_NAME;
	netsnmp_tdomain_register(&domain);
	return true;
}

static short flags_to_be_told_once(const struct event_base *base)
{
	const int needed = EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE;

	return (event_base_get_features(base) & needed) == needed ? EV_ET | EV_CLOSED : 0;
}

static bool prepare(struct transport *transport)
{
	transport->once = flags_to_be_told_once(transport->base);
	transport->ready_fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	transport->out = outgoing_new(transport->base);
	transport->readable = event_new(transport->base, -1, EV_READ, on_readable, transport);
	transport->again = evtimer_new(transport->base, on_again, transport);
	transport->patience = evtimer_new(transport->base, on_patience, transport);
	transport->unfinished = evtimer_new(transport->base, on_unfinished, transport);
	return transport->ready_fd >= 0 && transport->opening && transport->out &&
	       transport->readable && transport->again && transport->patience &&
	       transport->unfinished && register_domain();
}

struct transport *transport_open(struct event_base *base, const struct endpoint *endpoint,
				 const struct transport_events *events)
{
	struct transport *transport = calloc(1, sizeof(*transport));

	if (!transport)
		return NULL;
	transport->base = base;
	transport->events = *events;
	transport->fd = -1;
	transport->opening = opening_new(base, endpoint, on_failed, transport);
	if (!prepare(transport)) {
		transport_close(transport);
		return NULL;
	}
	the_transport = transport;
	return transport;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void transport_close(struct transport *transport)
{
	if (!transport)
		return;
	if (the_transport == transport)
		the_transport = NULL;
	opening_free(transport->opening);
	if (transport->ready_fd >= 0)
		close(transport->ready_fd);
	outgoing_free(transport->out);
	free_event(transport->readable);
	free_event(transport->again);
	free_event(transport->patience);
	free_event(transport->unfinished);
	free(transport);
}

int transport_fd(const struct transport *transport)
{
	return transport->fd;
}

void transport_pass_registers(struct transport *transport, unsigned int mark)
{
	transport->mark = mark;
}

unsigned int transport_backlog(const struct transport *transport)
{
	return transport->backlog + transport->ended;
}

void transport_idle(struct transport *transport)
{
	transport->backlog = 0;
	if (!transport->events.answering(transport->events.arg))
		transport->set_open = transport->acting = false;
}

void transport_go_on(struct transport *transport)
{
	if (transport->fd < 0)
		return;
	if (transport->ended && !transport->set_open)
		end(transport);
	else if (transport->request && !evtimer_pending(transport->again, NULL))
		work(transport);
	else
		watch(transport);
}
