#include "endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define AGENTX_PORT "705"
#define SILENCE_MS  30000 /* a TCP peer that acknowledges nothing for so long is gone */

static const char *after_prefix(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

static int refuse(const char *text, struct error *err)
{
	return error_set(err, ERROR_INVALID_VALUE,
			 "given \"%s\" as the AgentX address; allowed unix:PATH, tcp:ADDRESS:PORT "
			 "or tcp6:[ADDRESS]:PORT, with numeric addresses",
			 text);
}

static int parse_path(const char *text, const char *path, struct endpoint *ret, struct error *err)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&ret->address;

	if (!path[0] || strlen(path) >= sizeof(address->sun_path))
		return refuse(text, err);
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, strlen(path));
	ret->length = sizeof(*address);
	return 0;
}

/* Cut "HOST:PORT", "[HOST]:PORT", or either without a port, in two: the host stays in @host. */
static const char *cut_port(char *host)
{
	char *end = host[0] == '[' ? strchr(host, ']') : NULL;
	char *colon = strchr(end ? end : host, ':');

	if (end) {
		*end = '\0';
		memmove(host, host + 1, strlen(host + 1) + 1);
	}
	if (!colon)
		return AGENTX_PORT;
	*colon = '\0';
	return colon + 1;
}

static int parse_tcp(const char *text, const char *rest, int family, struct endpoint *ret,
		     struct error *err)
{
	const struct addrinfo hints = {.ai_family = family,
				       .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	char host[128];
	const char *port;

	if (strlen(rest) >= sizeof(host))
		return refuse(text, err);
	memcpy(host, rest, strlen(rest) + 1);
	port = cut_port(host);
	if (getaddrinfo(strcmp(host, "localhost") ? host
			: family == AF_INET       ? "127.0.0.1"
						  : "::1",
			port, &hints, &found))
		return refuse(text, err);
	memcpy(&ret->address, found->ai_addr, found->ai_addrlen);
	ret->length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int endpoint_parse(const char *text, struct endpoint *ret, struct error *err)
{
	const char *rest;

	memset(ret, 0, sizeof(*ret));
	rest = text[0] == '/' ? text : after_prefix(text, "unix:");
	if (rest)
		return parse_path(text, rest, ret, err);
	rest = after_prefix(text, "tcp:");
	if (rest)
		return parse_tcp(text, rest, AF_INET, ret, err);
	rest = after_prefix(text, "tcp6:");
	if (rest)
		return parse_tcp(text, rest, AF_INET6, ret, err);
	return refuse(text, err);
}

static void tune_tcp(int fd)
{
	const int on = 1, silence = SILENCE_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof(silence));
}

int endpoint_connect(const struct endpoint *endpoint, bool *ret_connected)
{
	int family = endpoint->address.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int os_errno = 0;

	if (fd < 0)
		return -errno;
	if (family != AF_UNIX)
		tune_tcp(fd);
	if (connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->length))
		os_errno = errno;
	*ret_connected = !os_errno;
	if (!os_errno || os_errno == EINPROGRESS)
		return fd;
	close(fd);
	return -os_errno;
}
