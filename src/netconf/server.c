#include "netconf/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "netconf/events.h"
#include "netconf/places.h"
#include "netconf/rpc_table.h"
#include "netconf/search.h"
#include "netconf/session.h"

#define BACKLOG     128
#define ACCEPTS     16 /* clients accepted in one turn of the loop */
#define REFUSED_MAX 32 /* clients at a time that wait to be told why they have no place */

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
		server_log(server, LOG_WARNING, "refused a NETCONF client of %s: %s", peer.user,
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

static void keep_spare(struct netconf_server *server)
{
	server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Use the last descriptor to say that there is none. False: nobody is waiting. */
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
	const struct timeval pause = {.tv_sec = 1};
	struct netconf_server *server = arg;

	(void)what;
	for (unsigned int i = 0; i < ACCEPTS; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client >= 0) {
			welcome(server, client);
		} else if (errno == EMFILE && server->spare >= 0) {
			/* accept4() says so even if nobody is waiting */
			if (!turn_away_next(server, fd))
				return;
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			complain(server, errno);
			event_del(server->acceptor); /* else it stays readable */
			evtimer_add(server->retry, &pause);
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

static void find_modules(struct netconf_server *server)
{
	const char *path = server->options.yang_path;
	char missing[1024];

	modules_open(&server->modules, path ? path : MODULES_PATH, missing, sizeof(missing));
	if (*missing)
		server_log(
			server, LOG_NOTICE,
			"not found in %s, so NETCONF clients cannot get these YANG modules here: "
			"%s (see --yang-path)",
			server->modules.path, missing);
}

/* A daemon that was killed leaves a socket that nobody listens on. */
static int remove_stale(const struct sockaddr_un *address, struct error *err)
{
	struct stat status;
	int fd, rc;

	if (lstat(address->sun_path, &status))
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return error_set(err, ERROR_RESOURCE, "%s exists and is not a socket; remove it",
				 address->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set_errno(err, ERROR_RESOURCE, errno, "cannot make a socket");
	rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	if (rc && errno == ECONNREFUSED)
		rc = unlink(address->sun_path);
	else
		rc = 1;
	close(fd);
	if (rc)
		return error_set(err, ERROR_BUSY, "another process already serves %s",
				 address->sun_path);
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
	int rc;

	memcpy(address.sun_path, server->path, sizeof(server->path));
	rc = remove_stale(&address, err);
	if (rc)
		return rc;
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return cannot(server, "make", err);
	if (bind(server->fd, (const struct sockaddr *)&address, sizeof(address)))
		return cannot(server, "bind", err);
	server->bound = true;
	/* Nobody can connect before listen(), so no client ever sees another mode. */
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
	int rc;

	if (strlen(options->socket_path) >= sizeof(server->path))
		return error_set(err, ERROR_INVALID_LENGTH,
				 "the socket path %.40s... is longer than 107 bytes",
				 options->socket_path);
	server = calloc(1, sizeof(*server));
	if (!server)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	server->fd = -1;
	keep_spare(server);
	clock_gettime(CLOCK_REALTIME, &server->started);
	server->options = *options;
	server->rpcs = netconf_rpcs;
	TAILQ_INIT(&server->sessions);
	TAILQ_INIT(&server->searches);
	fill_limits(&server->options.limits);
	snprintf(server->path, sizeof(server->path), "%s", options->socket_path);
	server->options.socket_path = server->path;
	find_modules(server);
	rc = events_open(server, err);
	rc = rc ? rc : listen_at(server, err);
	rc = rc ? rc : add_events(server, err);
	if (rc) {
		netconf_close(server);
		return rc;
	}
	*ret = server;
	return 0;
}

void netconf_close(struct netconf_server *server)
{
	if (!server)
		return;
	while (!TAILQ_EMPTY(&server->sessions)) {
		TAILQ_FIRST(&server->sessions)->ending = "other";
		session_close(TAILQ_FIRST(&server->sessions));
	}
	searches_end(server);
	events_close(server);
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
