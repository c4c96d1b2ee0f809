/* Below AgentX: where the master is, and what is sent to one that does not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "endpoint.h"
#include "outgoing.h"
#include "pdu.h"

/* ---- addresses */

/* The address as text: of a socket's path, or with its port behind "#". "": it is refused. */
static const char *parsed(const char *text)
{
	static char ret[256];
	struct endpoint endpoint;
	struct error err = ERROR_INIT;
	const void *address = &endpoint.address;
	const struct sockaddr_in *v4 = address;
	const struct sockaddr_in6 *v6 = address;
	char host[INET6_ADDRSTRLEN];

	if (endpoint_parse(text, &endpoint, &err)) {
		assert_non_null(strstr(err.text, "allowed unix:PATH"));
		return "";
	}
	switch (endpoint.address.ss_family) {
	case AF_UNIX:
		snprintf(ret, sizeof(ret), "%s", ((const struct sockaddr_un *)address)->sun_path);
		break;
	case AF_INET:
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(ret, sizeof(ret), "%s#%u", host, ntohs(v4->sin_port));
		break;
	default:
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(ret, sizeof(ret), "%s#%u", host, ntohs(v6->sin6_port));
	}
	return ret;
}

static void an_address_is_a_path_or_numeric(void **state)
{
	static const struct {
		const char *text, *is;
	} cases[] = {
		{"unix:/var/agentx/master", "/var/agentx/master"},
		{"/var/agentx/master", "/var/agentx/master"},
		{"tcp:192.0.2.1:1705", "192.0.2.1#1705"},
		{"tcp:192.0.2.1", "192.0.2.1#705"}, /* RFC 2741 section 8.1.1 */
		{"tcp:localhost:1", "127.0.0.1#1"},
		{"tcp6:[2001:db8::1]:1705", "2001:db8::1#1705"},
		{"tcp6:[2001:db8::1]", "2001:db8::1#705"},
		{"tcp6:localhost", "::1#705"},
		{"unix:", ""},
		{"tcp:master.example:705", ""},
		{"tcp:2001:db8::1", ""},
		{"udp:192.0.2.1:705", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(parsed(cases[i].text), cases[i].is);
}

/* ---- what is sent */

struct bench {
	struct event_base *base;
	struct outgoing *out;
	int ours, master;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	bench->ours = fds[0];
	bench->master = fds[1];
	bench->base = event_base_new();
	bench->out = outgoing_new(bench->base);
	assert_true(outgoing_attach(bench->out, bench->ours));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	outgoing_free(bench->out);
	event_base_free(bench->base);
	close(bench->ours);
	close(bench->master);
	free(bench);
	return 0;
}

/* Send 64 kB, each octet with @mark. */
static void put(struct bench *bench, int mark)
{
	char bytes[65536];

	memset(bytes, mark, sizeof(bytes));
	outgoing_put(bench->out, bytes, sizeof(bytes));
}

/* What there is to read now, in units of 64 kB; *ret_ended: and then the end. */
static unsigned int read_all(struct bench *bench, bool *ret_ended)
{
	static char bytes[65536];
	size_t total = 0;
	ssize_t count;

	do {
		event_base_loop(bench->base, EVLOOP_NONBLOCK);
		count = read(bench->master, bytes, sizeof(bytes));
		for (ssize_t i = 0; i < count; i++)
			assert_int_equal((unsigned char)bytes[i], (total + (size_t)i) / 65536);
		total += count > 0 ? (size_t)count : 0;
	} while (count > 0);
	*ret_ended = count == 0;
	assert_int_equal(*ret_ended ? 0 : total % 65536, 0);
	return (unsigned int)(total / 65536);
}

static void what_a_master_reads_late_comes_in_order(void **state)
{
	bool ended;

	for (int i = 0; i < 60; i++) /* less than 4 MB */
		put(*state, i);
	assert_int_equal(read_all(*state, &ended), 60);
	assert_false(ended);
}

static void the_connection_ends_before_the_queue_grows_without_bound(void **state)
{
	bool ended;

	for (int i = 0; i < 100; i++)
		put(*state, i);
	assert_in_range(read_all(*state, &ended), 0, 10); /* what the socket has */
	assert_true(ended);
}

/* ---- what is received */

/* How many octets of it have the mark of a secret. */
static size_t marked(const struct incoming *in)
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(in->bytes); i++)
		count += in->bytes[i] == 'X';
	return count;
}

/* A TestSet of a string with marks, and how much of the next PDU of the same. */
static void receive(struct incoming *in, size_t more)
{
	static const uint8_t set[] = {
		1, 8, 0x10, 0, 0,   0,   0,   1,   0,   0,   0,   2,
		0, 0, 0,    3, 0,   0,   0,   24,                    /* header */
		0, 4, 0,    0, 1,   0,   0,   0,   0,   0,   0,   1, /* type, name */
		0, 0, 0,    8, 'X', 'X', 'X', 'X', 'X', 'X', 'X', 'X',
	};

	memcpy(in->bytes, set, sizeof(set));
	memcpy(in->bytes + sizeof(set), set, more);
	in->have = sizeof(set) + more;
}

static void what_is_done_with_does_not_stay_in_memory(void **state)
{
	static struct incoming in;
	struct pdu_header header;
	const uint8_t *bytes;
	const char *why;

	(void)state;
	receive(&in, 40); /* four of eight marks */
	assert_int_equal(incoming_next(&in, &header, &bytes, &why), INCOMING_PDU);
	assert_int_equal(incoming_next(&in, &header, &bytes, &why), INCOMING_NONE);
	assert_int_equal(marked(&in), 12);
	incoming_pack(&in);
	assert_true(incoming_unfinished(&in));
	assert_int_equal(marked(&in), 4);
	incoming_clear(&in);
	assert_int_equal(marked(&in), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_a_path_or_numeric),
		cmocka_unit_test_setup_teardown(what_a_master_reads_late_comes_in_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			the_connection_ends_before_the_queue_grows_without_bound, setup, teardown),
		cmocka_unit_test(what_is_done_with_does_not_stay_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
