/*
 * Any bytes from a master: every request is handed to net-snmp as a whole PDU
 * that net-snmp can parse, or is answered here, or the session ends. What the
 * stream holds is told by an independent look at its headers. The input is parts
 * as they arrive: two bytes of length (the first's top bit: net-snmp answers what
 * it was handed; the next: an answer takes two turns), then so many bytes.
 */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "netsnmp.h"
#include "pdu.h"
#include "transport.h"

#define AGENTX_VERSION_1 0xc1
#define PARTS_MAX        64

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Exported by libnetsnmpagent, in no header of it. */
int agentx_parse(netsnmp_session *session, netsnmp_pdu *pdu, u_char *data, size_t length);

static struct event_base *base;
static struct transport *transport;
static int listener = -1, master = -1;

/* What came out for what went in. */
static struct {
	unsigned int asked, handed, dropped, refused_long, refused_malformed;
	bool ended;
} seen;

/* How things go now. */
static bool answers, is_slow, half_answered;
static netsnmp_transport *net;

static void on_registered(unsigned int mark, unsigned int error, void *arg)
{
	(void)mark, (void)error, (void)arg;
	seen.dropped++;
}

static void on_unreachable(int os_errno, void *arg)
{
	(void)os_errno, (void)arg;
	abort(); /* the master is here */
}

static size_t on_asked(const uint8_t *request, size_t size, uint8_t *ret, bool again, int64_t now,
		       int64_t until, void *arg)
{
	struct pdu_header header = pdu_header(request);

	(void)now, (void)until, (void)arg;
	assert(pdu_check(request, size) && header.size == size);
	assert(header.type >= PDU_GET && header.type <= PDU_GET_BULK);
	assert(again == half_answered);
	half_answered = is_slow && !again;
	if (half_answered)
		return 0;
	seen.asked++;
	memset(ret, 0, PDU_MAX);
	pdu_put_response(ret, &header, &(struct pdu_response){.error = 0});
	return PDU_RESPONSE_LENGTH;
}

static bool is_answering(void *arg)
{
	(void)arg;
	return false;
}

static void on_repeated(void *arg)
{
	(void)arg;
	seen.dropped++;
}

static void on_oversized(enum transport_size what, uint64_t size, unsigned int max, void *arg)
{
	(void)size, (void)arg;
	assert(max == PDU_MAX);
	seen.refused_long += what != SIZE_OF_ANSWER;
}

static void on_malformed(unsigned int type, const char *ends, void *arg)
{
	(void)type, (void)arg;
	seen.ended = seen.ended || ends;
	seen.refused_malformed += !ends;
}

/* net-snmp has to understand what it is handed: otherwise it drops it, and nobody is told. */
static void take(uint8_t *bytes, size_t length)
{
	static netsnmp_session session = {.version = AGENTX_VERSION_1};

	while (length > 0) {
		struct pdu_header header;
		netsnmp_pdu *pdu = calloc(1, sizeof(*pdu));
		uint8_t answer[PDU_RESPONSE_LENGTH];

		assert(pdu && length >= PDU_HEADER_LENGTH);
		header = pdu_header(bytes);
		assert(header.size <= length);
		assert(header.type < PDU_GET || header.type > PDU_GET_BULK);
		assert(agentx_parse(&session, pdu, bytes, (size_t)header.size) == SNMP_ERR_NOERROR);
		snmp_free_pdu(pdu);
		seen.handed++;
		if (answers && header.type != PDU_RESPONSE) {
			pdu_put_response(answer, &header, &(struct pdu_response){.error = 0});
			net->f_send(net, answer, sizeof(answer), NULL, NULL);
		}
		bytes += header.size;
		length -= (size_t)header.size;
	}
}

static void on_handed(void *arg)
{
	static uint8_t bytes[PDU_MAX];
	void *opaque;
	int opaque_length, count;

	(void)arg;
	count = net->f_recv(net, bytes, sizeof(bytes), &opaque, &opaque_length);
	net->flags &= ~(unsigned int)NETSNMP_TRANSPORT_FLAG_EMPTY_PKT;
	if (count > 0)
		take(bytes, (size_t)count);
	seen.ended = seen.ended || count < 0;
	transport_idle(transport); /* as the loop does, when net-snmp has nothing more to do */
}

static void open_listener(void)
{
	static char path[] = "/tmp/l2tpv3d-fuzz-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct transport_events events = {
		.asked = on_asked,
		.handed = on_handed,
		.registered = on_registered,
		.unreachable = on_unreachable,
		.answering = is_answering,
		.repeated = on_repeated,
		.oversized = on_oversized,
		.malformed = on_malformed,
	};
	struct endpoint endpoint;
	char text[64];

	assert(mkdtemp(path));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/master", path);
	snprintf(text, sizeof(text), "unix:%s", address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	assert(listen(listener, 5) == 0);
	assert(endpoint_parse(text, &endpoint, NULL) == 0);
	base = event_base_new();
	transport = transport_open(base, &endpoint, &events);
	assert(base && transport);
	snmp_disable_log();
}

/* In place of libc's: opening.c waits for the answer to Open, which comes from here. */
int poll(struct pollfd *fds, nfds_t count, int milliseconds)
{
	uint8_t open[PDU_OPEN_MAX], answer[PDU_RESPONSE_LENGTH];
	const struct pdu_response say = {.up_time = 100};
	struct pdu_header header;

	(void)milliseconds;
	if (master >= 0)
		return 0;
	master = accept(listener, NULL, NULL);
	assert(master >= 0 && recv(master, open, sizeof(open), 0) > PDU_HEADER_LENGTH);
	header = pdu_header(open);
	header.session = 1;
	pdu_put_response(answer, &header, &say);
	assert(send(master, answer, sizeof(answer), 0) == sizeof(answer));
	fds[0].revents = POLLIN;
	return (int)count;
}

/* How many PDUs the whole input holds; *ret_ends: one after which nobody can go on. */
static unsigned int count_pdus(const uint8_t *bytes, size_t length, bool *ret_ends)
{
	unsigned int count = 0;

	*ret_ends = false;
	while (length >= PDU_HEADER_LENGTH) {
		struct pdu_header header = pdu_header(bytes);

		if (bytes[0] != 1) {
			*ret_ends = true;
			break;
		}
		if (header.size > length && header.size <= PDU_MAX)
			break;
		count++; /* a long one is refused by its header */
		if (header.size > length)
			break;
		bytes += header.size;
		length -= (size_t)header.size;
	}
	return count;
}

/* Is there something to read, or half an answer? */
static bool has_more(void)
{
	int unread = 0;

	return !seen.ended &&
	       (half_answered || (ioctl(net->sock, FIONREAD, &unread) == 0 && unread > 0));
}

static unsigned int count_answers(void)
{
	static uint8_t bytes[1 << 20];
	ssize_t length = recv(master, bytes, sizeof(bytes), MSG_DONTWAIT);
	unsigned int count = 0;

	for (ssize_t at = 0; at < length; at += (ssize_t)pdu_header(bytes + at).size) {
		assert(pdu_header(bytes + at).type == PDU_RESPONSE);
		count++;
	}
	return count;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	uint8_t *whole = malloc(size + 1);
	size_t length = 0;
	unsigned int pdus, refused;
	bool ends;

	if (!transport)
		open_listener();
	memset(&seen, 0, sizeof(seen));
	half_answered = false;
	net = netsnmp_transport_open_client("agentx", TRANSPORT_ADDRESS);
	assert(whole && net && master >= 0);
	for (unsigned int i = 0; size > 2 && !seen.ended && i < PARTS_MAX; i++) {
		size_t part = (size_t)(data[0] & 0x3f) << 8 | data[1];

		answers = data[0] & 0x80;
		is_slow = data[0] & 0x40;
		data += 2, size -= 2;
		part = part < size ? part : size;
		memcpy(whole + length, data, part);
		length += part;
		assert(send(master, data, part, MSG_NOSIGNAL) == (ssize_t)part);
		data += part, size -= part;
		while (event_base_loop(base, EVLOOP_NONBLOCK) == 0 && has_more())
			;
	}
	pdus = count_pdus(whole, length, &ends);
	refused = seen.refused_long + seen.refused_malformed;
	if (!seen.ended) {
		assert(!ends && !half_answered);
		assert(seen.asked + seen.handed + seen.dropped + refused == pdus);
		assert(count_answers() >= seen.asked + refused);
	}
	net->f_close(net);
	free(net);
	close(master);
	master = -1;
	free(whole);
	return 0;
}
