/* Opens the sockets in the right network namespace. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netlink/netlink.h"

#define NETNS_FOLDER "/run/netns"

static const int buses[CHANNELS] = {
	[CHANNEL_GENL] = NETLINK_GENERIC,        [CHANNEL_ROUTE] = NETLINK_ROUTE,
	[CHANNEL_GENL_DUMP] = NETLINK_GENERIC,   [CHANNEL_ROUTE_DUMP] = NETLINK_ROUTE,
	[CHANNEL_GENL_EVENTS] = NETLINK_GENERIC, [CHANNEL_ROUTE_EVENTS] = NETLINK_ROUTE,
	[CHANNEL_COUNTERS] = NETLINK_GENERIC,    [CHANNEL_GENL_PIECES] = NETLINK_GENERIC,
	[CHANNEL_ROUTE_PIECES] = NETLINK_ROUTE,  [CHANNEL_DIAG] = NETLINK_SOCK_DIAG,
};

/*
 * A socket belongs to the namespace of the thread that creates it. So another thread enters the
 * namespace and creates them, and the process never moves.
 */

struct opening {
	struct netlink *netlink;
	int (*open)(struct opening *opening); /* 0 or a negative errno */
	enum channel_use use;                 /* for open_one() */
	int rc;
	const char *step;
};

static int open_channels(struct opening *opening)
{
	struct netlink *netlink = opening->netlink;
	int on = 1;
	int rc = 0;

	opening->step = "open a netlink socket";
	for (unsigned int i = 0; i < CHANNEL_DIAG && !rc; i++)
		rc = channel_open(&netlink->channels[i], buses[i]);
	if (rc)
		return rc;
	if (channel_open(&netlink->channels[CHANNEL_DIAG], buses[CHANNEL_DIAG]))
		channel_close(&netlink->channels[CHANNEL_DIAG]);
	identity_note_instance(netlink);
	frames_open(netlink);
	/* Lets the kernel filter address dumps; without it we do. */
	(void)mnl_socket_setsockopt(netlink->channels[CHANNEL_ROUTE_DUMP].socket,
				    NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	opening->step = "listen to the kernel's events";
	return events_join(netlink);
}

static int open_one(struct opening *opening)
{
	return channel_open(&opening->netlink->channels[opening->use], buses[opening->use]);
}

static void *open_in_namespace(void *arg)
{
	struct opening *opening = arg;

	opening->step = "enter the network namespace";
	opening->rc =
		setns(opening->netlink->netns, CLONE_NEWNET) < 0 ? -errno : opening->open(opening);
	return NULL;
}

static int open_where_due(struct opening *opening)
{
	pthread_t thread;
	int rc;

	if (opening->netlink->netns < 0)
		return opening->open(opening);
	opening->step = "start a thread";
	rc = pthread_create(&thread, NULL, open_in_namespace, opening);
	if (rc)
		return -rc;
	pthread_join(thread, NULL);
	return opening->rc;
}

int netlink_open_again(struct netlink *netlink, enum channel_use use)
{
	struct opening opening = {.netlink = netlink, .open = open_one, .use = use};
	int rc;

	if (netlink->channels[use].socket)
		return 0;
	rc = open_where_due(&opening);
	if (rc)
		channel_close(&netlink->channels[use]);
	return rc;
}

static int open_namespace(const char *netns, struct error *err)
{
	char path[sizeof(NETNS_FOLDER) + 256];
	int fd;

	if (strchr(netns, '/') ||
	    snprintf(path, sizeof(path), NETNS_FOLDER "/%s", netns) >= (int)sizeof(path))
		return error_set(err, ERROR_INVALID_VALUE,
				 "\"%s\" is not the name of a network namespace", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, ERROR_KERNEL, errno,
				       "no network namespace %s, which \"ip netns add %s\" makes",
				       netns, netns);
	return fd;
}

int netlink_open_sockets(struct netlink *netlink, const char *netns, struct error *err)
{
	struct opening opening = {.netlink = netlink, .open = open_channels};
	int rc;

	if (netns) {
		netlink->netns = open_namespace(netns, err);
		if (netlink->netns < 0)
			return netlink->netns;
	}
	rc = open_where_due(&opening);
	if (rc)
		error_set_errno(err, ERROR_KERNEL, -rc, "cannot %s", opening.step);
	return rc;
}
