#include "netconf/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "netconf/places.h"
#include "netconf/session.h"

#define BACKLOG     128
#define ACCEPTS     16 /* clients taken in a turn of the loop */
#define REFUSED_MAX 32 /* that wait at a time to be told so */

static const struct netconf_limits defaults = {
	.sessions = 128,
	.kept = 8,
	.user_sessions = 32,
	.spare_after = 10,
	.hello_timeout = 10,
	.idle_timeout = 1800,
	.lock_timeout = 300,
	.stall_timeout = 300,
	.input_timeout = 60,
	.message_size = 64U << 20,
	.memory = 256U << 20,
	.output = 256U << 10,
};

static void fill_limits(struct netconf_limits *limits)
{
#define FILL(member) (limits->member = limits->member ? limits->member : defaults.member)
	FILL(sessions);
	FILL(kept);
	FILL(user_sessions);
	FILL(spare_after);
	FILL(hello_timeout);
	FILL(idle_timeout);
	FILL(lock_timeout);
	FILL(stall_timeout);
	FILL(input_timeout);
	FILL(message_size);
	FILL(memory);
	FILL(output);
#undef FILL
}

static void welcome(struct netconf_server *server, int fd)
{
	enum refusal refusal;
	struct peer peer;

	server->complained = false;
	if (peer_read(fd, &peer)) {
		close(fd);
		return;
	}
	refusal = places_admit(server, peer.uid);
	if (refusal) {
		struct error err = ERROR_INIT;

		refusal_explain(&server->options.limits, refusal, peer.user, &err);
		server_log(server, LOG_WARNING, "NETCONF client of %s refused: %s", peer.user,
			   err.text);
	}
	if (refusal && server->refused >= REFUSED_MAX)
		places_turn_away(server, fd, refusal, &peer);
	else
		session_open(server, fd, &peer, refusal);
}

static void complain(struct netconf_server *server, int os_errno)
{
	if (!server->complained)
		server_log(server, LOG_WARNING, "cannot accept NETCONF clients: %s",
			   strerror(os_errno));
	server->complained = true;
}

/* The listening socket would stay readable, so look away a while. */
static void look_away(struct netconf_server *server)
{
	const struct timeval second = {.tv_sec = 1};

	event_del(server->acceptor);
	evtimer_add(server->retry, &second);
}

static void keep_spare(struct netconf_server *server)
{
	server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The last descriptor is there to say that there is none. False: nobody waits. */
static bool turn_away_next(struct netconf_server *server, int listener)
{
	struct peer peer;
	int client;

	close(server->spare);
	client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client >= 0 && !peer_read(client, &peer))
		places_turn_away(server, client, REFUSAL_NO_DESCRIPTORS, &peer);
	else if (client >= 0)
		close(client);
	keep_spare(server);
	if (client >= 0)
		complain(server, EMFILE);
	return client >= 0;
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct netconf_server *server = arg;

	(void)what;
	for (unsigned int i = 0; i < ACCEPTS; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client >= 0) {
			welcome(server, client);
		} else if (errno == EMFILE && server->spare >= 0) {
			/* which comes before it is seen whether anybody waits */
			if (!turn_away_next(server, fd))
				return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			complain(server, errno);
			look_away(server);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct netconf_server *server = arg;

	(void)fd, (void)what;
	if (server->spare < 0)
		keep_spare(server);
	event_add(server->acceptor, NULL);
}

/* A socket that nobody listens on was left by a daemon that was killed. */
static int remove_stale(const struct sockaddr_un *address, struct error *err)
{
	struct stat status;
	int fd, result;

	if (lstat(address->sun_path, &status))
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return error_set(err, ERROR_RESOURCE, "%s is there and is no socket; remove it",
				 address->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set_errno(err, ERROR_RESOURCE, errno, "cannot make a socket");
	result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	if (result && errno == ECONNREFUSED)
		result = unlink(address->sun_path);
	else
		result = 1;
	close(fd);
	if (result)
		return error_set(err, ERROR_BUSY, "somebody serves %s already", address->sun_path);
	return 0;
}

static int cannot(struct netconf_server *server, const char *what, struct error *err)
{
	return error_set_errno(err, ERROR_RESOURCE, errno, "cannot %s the NETCONF socket %s", what,
			       server->path);
}

static int listen_at(struct netconf_server *server, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int result;

	memcpy(address.sun_path, server->path, sizeof(server->path));
	result = remove_stale(&address, err);
	if (result)
		return result;
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return cannot(server, "make", err);
	if (bind(server->fd, (const struct sockaddr *)&address, sizeof(address)))
		return cannot(server, "bind", err);
	server->bound = true;
	/* Before listen() nobody can connect, so there is no moment of another mode. */
	if (chmod(server->path, 0660))
		return cannot(server, "protect", err);
	if (listen(server->fd, BACKLOG))
		return cannot(server, "listen at", err);
	return 0;
}

static int add_events(struct netconf_server *server, struct error *err)
{
	struct event_base *base = server->options.base;

	server->acceptor = event_new(base, server->fd, EV_READ | EV_PERSIST, on_accept, server);
	server->retry = evtimer_new(base, on_retry, server);
	if (shares_open(&server->shares, base, session_go_on) || !server->acceptor ||
	    !server->retry || event_add(server->acceptor, NULL))
		return error_set(err, ERROR_RESOURCE, "out of memory");
	return 0;
}

int netconf_open(struct netconf_server **ret, const struct netconf_options *options,
		 struct error *err)
{
	struct netconf_server *server;
	int result;

	if (strlen(options->socket_path) >= sizeof(server->path))
		return error_set(err, ERROR_INVALID_LENGTH,
				 "the socket path %.40s... is longer than 107",
				 options->socket_path);
	server = calloc(1, sizeof(*server));
	if (!server)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	server->fd = -1;
	keep_spare(server);
	clock_gettime(CLOCK_REALTIME, &server->started);
	server->options = *options;
	TAILQ_INIT(&server->sessions);
	fill_limits(&server->options.limits);
	snprintf(server->path, sizeof(server->path), "%s", options->socket_path);
	server->options.socket_path = server->path;
	result = listen_at(server, err);
	result = result ? result : add_events(server, err);
	if (result) {
		netconf_close(server);
		return result;
	}
	*ret = server;
	return 0;
}

void netconf_close(struct netconf_server *server)
{
	if (!server)
		return;
	while (!TAILQ_EMPTY(&server->sessions))
		session_close(TAILQ_FIRST(&server->sessions));
	shares_close(&server->shares);
	if (server->acceptor)
		event_free(server->acceptor);
	if (server->retry)
		event_free(server->retry);
	if (server->fd >= 0)
		close(server->fd);
	if (server->spare >= 0)
		close(server->spare);
	if (server->bound)
		unlink(server->path);
	free(server);
}

unsigned int netconf_session_count(const struct netconf_server *server)
{
	return server->count;
}
