/* What sessions that send requests by halves may hold, and for how long. */
#include "engine_bench.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "netconf/server.h"

#define BASE "urn:ietf:params:xml:ns:netconf:base:1.0"
#define HELLO                                                                                      \
	"<hello xmlns=\"" BASE "\"><capabilities><capability>urn:ietf:params:netconf:base:1.0"     \
	"</capability></capabilities></hello>" END
#define END "]]>]]>"
#define GET "<rpc xmlns=\"" BASE "\" message-id=\"1\"><get/></rpc>" END
#define EDIT                                                                                       \
	"<rpc xmlns=\"" BASE "\" message-id=\"1\"><edit-config><target><running/></target>"        \
	"<test-option>test-only</test-option><config>"                                             \
	"<l2tpv3 xmlns=\"urn:l2tpv3d:yang:linux-l2tpv3\">"
#define EDIT_END "</l2tpv3></config></edit-config></rpc>" END

static const char path[] = "build/test_netconf_limits.sock";

struct server {
	struct bench *bench;
	struct netconf_server *netconf;
	char log[1024];
	char said[1 << 16]; /* receive()'s */
};

static void take_log(int priority, const char *text, void *arg)
{
	struct server *server = arg;
	size_t length = strlen(server->log);

	if (priority == LOG_DEBUG)
		return;
	assert_int_equal(priority, LOG_NOTICE);
	snprintf(server->log + length, sizeof(server->log) - length, "%s\n", text);
}

static struct server *start_server(struct netconf_limits limits)
{
	struct server *server = calloc(1, sizeof(*server));
	struct netconf_options options = {.socket_path = path, .limits = limits, .log = take_log};
	struct error err = ERROR_INIT;

	server->bench = new_bench("6.12", NULL);
	assert_true(turn_until(server->bench, is_idle, 2000));
	options.base = server->bench->base;
	options.engine = server->bench->engine;
	options.arg = server;
	if (netconf_open(&server->netconf, &options, &err))
		fail_msg("%s", err.text);
	return server;
}

static void stop_server(struct server *server)
{
	netconf_close(server->netconf);
	free_bench(server->bench);
	free(server);
}

static void turn(struct server *server, unsigned int ms)
{
	const struct timeval delay = {.tv_usec = ms * 1000};

	event_base_loopexit(server->bench->base, &delay);
	event_base_dispatch(server->bench->base);
}

/* Send it, turning the loop while the server has to read. */
static void send_text(struct server *server, int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t sent;

	while (left) {
		sent = send(fd, text, left, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return; /* refused early: what it said is there to read */
		text += sent > 0 ? sent : 0;
		left -= sent > 0 ? (size_t)sent : 0;
		turn(server, 1);
	}
	turn(server, 20);
}

/* Wait until it has said that, on a busy machine too. */
static bool says(struct server *server, int fd, const char *wanted)
{
	size_t length = 0;

	server->said[0] = '\0';
	for (unsigned int i = 0; i < 500 && !strstr(server->said, wanted); i++) {
		ssize_t got;

		turn(server, 20);
		got = recv(fd, server->said + length, sizeof(server->said) - 1 - length,
			   MSG_DONTWAIT);
		length += got > 0 ? (size_t)got : 0;
		server->said[length] = '\0';
	}
	return strstr(server->said, wanted);
}

static int connect_client(struct server *server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	send_text(server, fd, HELLO);
	assert_true(says(server, fd, "</hello>"));
	return fd;
}

/* What it says now. */
static const char *receive(struct server *server, int fd)
{
	ssize_t got;

	turn(server, 20);
	got = recv(fd, server->said, sizeof(server->said) - 1, MSG_DONTWAIT);
	server->said[got > 0 ? got : 0] = '\0';
	return server->said;
}

/* An edit of @count tunnels, without its end. */
static char *half_edit(unsigned int count)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	fputs(EDIT, file);
	for (unsigned int i = 1; i <= count; i++)
		fprintf(file,
			"<tunnel><tunnel-id>%u</tunnel-id><peer-tunnel-id>1</peer-tunnel-id>"
			"<encapsulation>ip</encapsulation><local-address>192.0.2.1</local-address>"
			"<remote-address>192.0.2.2</remote-address></tunnel>",
			i);
	fclose(file);
	return text;
}

static void send_edit(struct server *server, int fd, unsigned int count, const char *end)
{
	char *half = half_edit(count);

	send_text(server, fd, half);
	send_text(server, fd, end);
	free(half);
}

static void a_request_that_does_not_go_on_ends_the_session(void **state)
{
	struct server *server = start_server((struct netconf_limits){.input_timeout = 1});
	int half = connect_client(server), slow = connect_client(server);
	int idle = connect_client(server), fresh = connect_client(server);

	(void)state;
	send_text(server, half, "<rpc");
	send_text(server, idle, GET "\n");
	assert_true(says(server, idle, "</rpc-reply>"));
	for (size_t i = 0; i < sizeof(GET) - 1; i += 10) {
		char piece[11];

		snprintf(piece, sizeof(piece), "%.10s", &GET[i]);
		send_text(server, slow, piece);
		turn(server, 300);
	}
	assert_true(says(server, slow, "</rpc-reply>"));
	assert_int_equal(netconf_session_count(server->netconf), 3);
	assert_non_null(strstr(server->log, "the rest of its request does not arrive"));
	assert_null(strchr(strchr(server->log, '\n') + 1, '\n'));
	send_text(server, idle, GET);
	assert_true(says(server, idle, "</rpc-reply>"));
	send_text(server, fresh, GET);
	assert_true(says(server, fresh, "</rpc-reply>"));
	close(half), close(slow), close(idle), close(fresh);
	stop_server(server);
}

static void halves_of_requests_hold_so_much_memory_together(void **state)
{
	struct server *server = start_server((struct netconf_limits){.memory = 512U << 10});
	int one = connect_client(server), other = connect_client(server);
	int third = connect_client(server);

	(void)state;
	send_edit(server, one, 3000, "");
	assert_string_equal(receive(server, one), "");
	send_edit(server, other, 3000, EDIT_END);
	assert_true(says(server, other, "<error-tag>resource-denied</error-tag>"));
	turn(server, 20);
	assert_int_equal(netconf_session_count(server->netconf), 2);
	send_edit(server, third, 500, EDIT_END); /* small ones go on */
	assert_true(says(server, third, "<ok/>"));
	close(one);
	turn(server, 20);
	send_edit(server, third, 3000, EDIT_END);
	assert_true(says(server, third, "<ok/>"));
	send_edit(server, third, 3000, EDIT_END);
	assert_true(says(server, third, "<ok/>"));
	close(other), close(third);
	stop_server(server);
}

#define SESSIONS 20000

/* A tunnel with so many sessions, committed. */
static void configure(struct server *server, int fd)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	fputs("<rpc xmlns=\"" BASE "\" message-id=\"1\"><edit-config><target><running/></target>"
	      "<config><l2tpv3 xmlns=\"urn:l2tpv3d:yang:linux-l2tpv3\"><tunnel><tunnel-id>1"
	      "</tunnel-id><peer-tunnel-id>1</peer-tunnel-id><encapsulation>ip</encapsulation>"
	      "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>",
	      file);
	for (unsigned int i = 1; i <= SESSIONS; i++)
		fprintf(file,
			"<session><session-id>%u</session-id><peer-session-id>%u</peer-session-id>"
			"</session>",
			i, i);
	fputs("</tunnel></l2tpv3></config></edit-config></rpc>" END, file);
	fclose(file);
	send_text(server, fd, text);
	free(text);
	for (unsigned int i = 0; i < 2000 && !strstr(receive(server, fd), "<ok/>"); i++)
		;
	assert_non_null(strstr(server->said, "<ok/>"));
}

#define FILTER(leaves)                                                                             \
	"<rpc xmlns=\"" BASE "\" message-id=\"1\"><get><filter>"                                   \
	"<l2tpv3 xmlns=\"urn:l2tpv3d:yang:linux-l2tpv3\"><tunnel>" leaves                          \
	"</tunnel></l2tpv3></filter></get></rpc>" END

/*
 * Ten clients search all sessions, which takes each of them several turns of the
 * loop; who comes after them and asks for little is answered before any of them.
 */
static void a_small_request_is_not_behind_large_ones(void **state)
{
	static const char large[] = FILTER("<session><description>nobody</description></session>");
	static const char small[] = FILTER("<tunnel-id>1</tunnel-id><peer-tunnel-id/>");
	struct server *server = start_server((struct netconf_limits){0});
	int clients[10], one = connect_client(server);
	unsigned int turns = 0;

	(void)state;
	configure(server, one);
	for (unsigned int i = 0; i < 10; i++)
		clients[i] = connect_client(server);
	for (unsigned int i = 0; i < 10; i++)
		assert_true(send(clients[i], large, sizeof(large) - 1, MSG_NOSIGNAL) > 0);
	event_base_loop(server->bench->base, EVLOOP_ONCE);
	assert_true(send(one, small, sizeof(small) - 1, MSG_NOSIGNAL) > 0);
	do {
		event_base_loop(server->bench->base, EVLOOP_ONCE);
		turns++;
	} while (recv(one, server->said, 1, MSG_PEEK | MSG_DONTWAIT) < 0);
	assert_in_range(turns, 1, 5);
	for (unsigned int i = 0; i < 10; i++)
		assert_true(recv(clients[i], server->said, 1, MSG_PEEK | MSG_DONTWAIT) < 0);
	for (unsigned int i = 0; i < 10; i++) {
		for (turns = 0; turns < 100 && !*receive(server, clients[i]); turns++)
			;
		assert_non_null(strstr(server->said, "<data></data>"));
		close(clients[i]);
	}
	close(one);
	stop_server(server);
}

/* What a request holds of the parser, of its filter, and no more once it is answered. */
static void a_filter_counts_while_it_is_used(void **state)
{
	struct server *server = start_server((struct netconf_limits){.memory = 256U << 10});
	int one = connect_client(server);
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	(void)state;
	fputs("<rpc xmlns=\"" BASE "\" message-id=\"1\"><get><filter>"
	      "<l2tpv3 xmlns=\"urn:l2tpv3d:yang:linux-l2tpv3\"><tunnel><tunnel-id>1</tunnel-id>",
	      file);
	for (unsigned int i = 1; i <= 2000; i++)
		fprintf(file, "<session><session-id>%u</session-id></session>", i);
	fputs("</tunnel></l2tpv3></filter></get></rpc>" END, file);
	fclose(file);
	send_text(server, one, text);
	assert_true(says(server, one, "<error-tag>resource-denied</error-tag>"));
	assert_int_equal(netconf_session_count(server->netconf), 1);
	send_text(server, one, GET);
	assert_true(says(server, one, "</data>"));
	free(text);
	close(one);
	stop_server(server);
}

/* The names that libxml2 keeps are memory, too. */
static void a_parser_counts_while_it_reads(void **state)
{
	struct server *server = start_server((struct netconf_limits){.memory = 1});
	int one = connect_client(server), other = connect_client(server);
	char *names = NULL, *plain = NULL;
	size_t length;
	FILE *file = open_memstream(&names, &length);

	(void)state;
	fputs("<rpc xmlns=\"" BASE "\" message-id=\"1\"><get><filter>", file);
	for (unsigned int i = 0; i < 2000; i++)
		fprintf(file, "<e%06u/>", i);
	fclose(file);
	plain = strdup(names);
	for (char *at = strstr(plain, "<e"); at; at = strstr(at + 1, "<e"))
		memset(at + 2, '0', 6);
	send_text(server, one, plain);
	assert_string_equal(receive(server, one), "");
	send_text(server, other, names);
	assert_true(says(server, other, "<error-tag>resource-denied</error-tag>"));
	free(names);
	free(plain);
	close(one), close(other);
	stop_server(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_that_does_not_go_on_ends_the_session),
		cmocka_unit_test(halves_of_requests_hold_so_much_memory_together),
		cmocka_unit_test(a_small_request_is_not_behind_large_ones),
		cmocka_unit_test(a_filter_counts_while_it_is_used),
		cmocka_unit_test(a_parser_counts_while_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
