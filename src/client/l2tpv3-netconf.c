/*
 * l2tpv3-netconf: the NETCONF subsystem of sshd. It only carries bytes between its standard input
 * and output and the daemon's socket: sshd runs it as the user who logged in, and the daemon sees
 * that uid. With --call-home it runs sshd instead, for a manager that it connects to.
 *
 * Nothing is written to standard error unless there is no daemon to talk to: as ForceCommand, sshd
 * sends it to the client beside NETCONF. As subsystem, sshd drops it: that is logged too.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/wipe.h"
#include "model/names.h"
#include "netconf/peer.h"

#define CALL_HOME_PORT "4334" /* of NETCONF over SSH (RFC 8071) */
#define SSHD           "/usr/sbin/sshd"
/* A manager that is gone without a word is noticed after some two minutes. */
#define ALIVE_AFTER 60 /* seconds */
#define ALIVE_EACH  20
#define ALIVE_TIMES 3

/* One direction, with the bytes read and not yet written. */
struct pipe {
	int from, to;
	bool ended; /* nothing more to read */
	bool shut;  /* ... and the other end knows */
	bool broken;
	size_t start, length;
	char bytes[65536];
};

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	peer_tell_source(fd, getenv("SSH_CONNECTION"));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool must_wait(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static void fill(struct pipe *pipe)
{
	ssize_t count = read(pipe->from, pipe->bytes, sizeof(pipe->bytes));

	if (count > 0) {
		pipe->start = 0;
		pipe->length = (size_t)count;
	} else if (!count || !must_wait()) {
		pipe->ended = true;
	}
}

static void drain(struct pipe *pipe)
{
	ssize_t count = write(pipe->to, pipe->bytes + pipe->start, pipe->length);

	if (count > 0) {
		pipe->start += (size_t)count;
		pipe->length -= (size_t)count;
	} else if (count < 0 && !must_wait()) {
		pipe->broken = true;
	}
}

/* Half-close: the other end may have more to send. */
static void pass_on_end(struct pipe *pipe)
{
	if (!pipe->ended || pipe->length || pipe->shut)
		return;
	pipe->shut = true;
	if (shutdown(pipe->to, SHUT_WR))
		close(pipe->to);
}

static void serve(struct pipe *pipe, const struct pollfd *from, const struct pollfd *to)
{
	if (from->revents)
		fill(pipe);
	if (to->revents && pipe->length)
		drain(pipe);
	if (to->revents & (POLLERR | POLLHUP | POLLNVAL) && !pipe->length)
		pipe->broken = true;
	pass_on_end(pipe);
}

/* Set what to poll for; poll() ignores a descriptor of -1. */
static void watch(const struct pipe *pipe, struct pollfd *from, struct pollfd *to)
{
	from->fd = pipe->length || pipe->ended ? -1 : pipe->from;
	from->events = POLLIN;
	to->fd = pipe->shut ? -1 : pipe->to;
	to->events = pipe->length ? POLLOUT : 0;
}

static void relay(int fd)
{
	static struct pipe in, out;
	struct pollfd polls[4];

	in.from = STDIN_FILENO;
	in.to = out.from = fd;
	out.to = STDOUT_FILENO;
	while (!out.shut && !out.broken) {
		watch(&in, &polls[0], &polls[1]);
		watch(&out, &polls[2], &polls[3]);
		if (in.broken)
			polls[0].fd = polls[1].fd = -1;
		if (poll(polls, 4, -1) < 0 && errno != EINTR)
			return;
		serve(&out, &polls[2], &polls[3]);
		if (!in.broken)
			serve(&in, &polls[0], &polls[1]);
	}
}

/*
 * A write that blocks would hold up the other direction. Leave a terminal alone: the shell shares
 * its open file.
 */
static void do_not_block(int fd)
{
	if (!isatty(fd))
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int no_daemon(const char *path, int os_errno)
{
	const char *cure =
		os_errno == EACCES ? "; ask for membership in the group of that socket" : "";

	fprintf(stderr, "l2tpv3-netconf: no l2tpv3d at %s: %s%s\n", path, strerror(os_errno), cure);
	openlog("l2tpv3-netconf", LOG_PID, LOG_DAEMON);
	syslog(LOG_ERR, "no l2tpv3d for user %u at %s: %s%s", getuid(), path, strerror(os_errno),
	       cure);
	return 1;
}

/* ---- call home (RFC 8071) */

/* "host", "host:port", "[address]:port", or a bare IPv6 address. False: none of them. */
static bool split_host(char *word, const char **ret_host, const char **ret_port)
{
	char *end = *word == '[' ? strchr(word, ']') : NULL, *colon = strchr(word, ':');

	*ret_host = word;
	*ret_port = CALL_HOME_PORT;
	if (*word == '[') {
		if (!end || (end[1] && end[1] != ':'))
			return false;
		*ret_host = word + 1;
		colon = end[1] ? end + 1 : NULL;
		*end = '\0';
	} else if (colon && strchr(colon + 1, ':')) {
		colon = NULL;
	}
	if (colon) {
		*colon = '\0';
		*ret_port = colon + 1;
	}
	return **ret_host && **ret_port;
}

static void keep_alive(int fd)
{
	const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, ALIVE_AFTER},
		{IPPROTO_TCP, TCP_KEEPINTVL, ALIVE_EACH},
		{IPPROTO_TCP, TCP_KEEPCNT, ALIVE_TIMES},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
}

/* To the first of the host's addresses that takes it; -1 with *ret_why. */
static int call(const char *host, const char *port, const char **ret_why)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int fd = -1, rc = getaddrinfo(host, port, &hints, &list);

	*ret_why = rc ? gai_strerror(rc) : "";
	for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0)
			break;
		*ret_why = strerror(errno);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	if (list)
		freeaddrinfo(list);
	return fd;
}

/* @arguments: room for two, and those for sshd. Returns only if it fails. */
static int call_home(char *word, char **arguments)
{
	static char program[] = SSHD, on_socket[] = "-i";
	const char *host, *port, *why;
	int fd;

	if (!split_host(word, &host, &port)) {
		fputs("l2tpv3-netconf: --call-home takes HOST, HOST:PORT or [ADDRESS]:PORT\n",
		      stderr);
		return 2;
	}
	fd = call(host, port, &why);
	if (fd < 0) {
		fprintf(stderr, "l2tpv3-netconf: no manager listens at %s port %s: %s\n", host,
			port, why);
		return 1;
	}
	keep_alive(fd);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	arguments[0] = program;
	arguments[1] = on_socket;
	execv(program, arguments);
	fprintf(stderr, "l2tpv3-netconf: cannot run " SSHD ": %s\n", strerror(errno));
	return 1;
}

static int usage(void)
{
	fputs("usage: l2tpv3-netconf [-S PATH]\n"
	      "       l2tpv3-netconf --call-home HOST[:PORT] [-- OPTIONS OF SSHD]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"call-home", required_argument, NULL, 'c'},
						{NULL, 0, NULL, 0}};
	const char *path = CONTROL_SOCKET;
	char *home = NULL;
	int option, fd;

	wipe_forbid_dumps();
	while ((option = getopt_long(argc, argv, "S:", options, NULL)) != -1) {
		if (option == 'S')
			path = optarg;
		else if (option == 'c')
			home = optarg;
		else
			return usage();
	}
	if (home)
		return call_home(home, argv + optind - 2);
	if (optind < argc)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	fd = connect_to(path);
	if (fd < 0)
		return no_daemon(path, errno);
	do_not_block(fd);
	do_not_block(STDIN_FILENO);
	do_not_block(STDOUT_FILENO);
	relay(fd);
	return 0;
}
