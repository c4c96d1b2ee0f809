#include "netconf/peer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* "\0l2tpv3-netconf PID ADDRESS": an abstract address, one per process. */
#define PREFIX "l2tpv3-netconf "

static bool is_zone(const char *text)
{
	if (!*text)
		return false;
	while (isgraph((unsigned char)*text))
		text++;
	return !*text;
}

/* Show people nothing but an IP address: a line feed in it would make a row of the list of clients.
 */
static bool is_address(const char *text)
{
	struct in6_addr ignored;
	char address[INET6_ADDRSTRLEN], *zone;

	snprintf(address, sizeof(address), "%s", text);
	zone = strchr(address, '%'); /* of a link-local address */
	if (zone && !is_zone(zone + 1))
		return false;
	if (zone)
		*zone = '\0';
	return inet_pton(AF_INET, address, &ignored) == 1 ||
	       inet_pton(AF_INET6, address, &ignored) == 1;
}

bool peer_tell_source(int fd, const char *ssh_connection)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t length = ssh_connection ? strcspn(ssh_connection, " ") : 0;
	int used;

	if (!length || length >= INET6_ADDRSTRLEN)
		return false;
	used = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, PREFIX "%ld %.*s",
			(long)getpid(), (int)length, ssh_connection);
	return !bind(fd, (const struct sockaddr *)&name,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)used));
}

static void read_source(int fd, char ret[INET6_ADDRSTRLEN])
{
	union {
		struct sockaddr_un name;
		char bytes[sizeof(struct sockaddr_un) + 1]; /* the name need not end with NUL */
	} address = {{0}};
	socklen_t length = sizeof(address.name);
	const char *text = address.name.sun_path + 1;
	const char *source;

	ret[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&address.name, &length) ||
	    address.name.sun_path[0] || strncmp(text, PREFIX, sizeof(PREFIX) - 1) != 0)
		return;
	source = strchr(text + sizeof(PREFIX) - 1, ' ');
	if (source && strlen(source + 1) < INET6_ADDRSTRLEN && is_address(source + 1))
		snprintf(ret, INET6_ADDRSTRLEN, "%s", source + 1);
}

static void name_user(struct peer *peer)
{
	struct passwd entry, *found = NULL;
	char buffer[1024];

	if (!getpwuid_r(peer->uid, &entry, buffer, sizeof(buffer), &found) && found)
		snprintf(peer->user, sizeof(peer->user), "%s", found->pw_name);
	else
		snprintf(peer->user, sizeof(peer->user), "uid %u", peer->uid);
}

int peer_read(int fd, struct peer *ret)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length))
		return -errno;
	ret->uid = credentials.uid;
	ret->gid = credentials.gid;
	ret->pid = credentials.pid;
	name_user(ret);
	read_source(fd, ret->source);
	return 0;
}

bool peer_privileged(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}
