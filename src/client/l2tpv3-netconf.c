/*
 * l2tpv3-netconf: the NETCONF subsystem of sshd. It only carries bytes between its standard input
 * and output and the daemon's socket: sshd runs it as the user who logged in, and the daemon sees
 * that uid.
 *
 * sshd sends standard error to the client inside the NETCONF channel, so nothing is written there
 * unless there is no daemon to talk to.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/wipe.h"
#include "model/names.h"
#include "netconf/peer.h"

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
	fprintf(stderr, "l2tpv3-netconf: no l2tpv3d at %s: %s%s\n", path, strerror(os_errno),
		os_errno == EACCES ? "; ask for membership in the group of that socket" : "");
	return 1;
}

static int usage(void)
{
	fputs("usage: l2tpv3-netconf [-S PATH]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *path = CONTROL_SOCKET;
	int option, fd;

	wipe_forbid_dumps();
	while ((option = getopt(argc, argv, "S:")) != -1) {
		if (option != 'S')
			return usage();
		path = optarg;
	}
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
