/*
 * The kernel interface over netlink: opening, connecting, closing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netlink/netlink.h"

#define NETNS_FOLDER "/run/netns"

static const int buses[CHANNELS] = {
	[CHANNEL_GENL] = NETLINK_GENERIC,        [CHANNEL_ROUTE] = NETLINK_ROUTE,
	[CHANNEL_GENL_DUMP] = NETLINK_GENERIC,   [CHANNEL_ROUTE_DUMP] = NETLINK_ROUTE,
	[CHANNEL_GENL_EVENTS] = NETLINK_GENERIC, [CHANNEL_ROUTE_EVENTS] = NETLINK_ROUTE,
	[CHANNEL_COUNTERS] = NETLINK_GENERIC,    [CHANNEL_GENL_PIECES] = NETLINK_GENERIC,
	[CHANNEL_ROUTE_PIECES] = NETLINK_ROUTE,
};

/*
 * Opening. Sockets belong to the namespace that their thread is in when it
 * makes them, so a thread of its own makes them and the process never moves.
 */

struct opening {
	struct netlink *netlink;
	int (*open)(struct opening *opening); /* 0 or a negative errno */
	enum channel_use use;                 /* the one to open, where it is only one */
	int result;
	const char *step;
};

static int open_channels(struct opening *opening)
{
	struct netlink *netlink = opening->netlink;
	int on = 1;
	int err = 0;

	opening->step = "open a netlink socket";
	for (unsigned int i = 0; i < CHANNELS && !err; i++)
		err = channel_open(&netlink->channels[i], buses[i]);
	if (err)
		return err;
	/* Lets the kernel filter an address dump; without it we do. */
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
	opening->result =
		setns(opening->netlink->netns, CLONE_NEWNET) < 0 ? -errno : opening->open(opening);
	return NULL;
}

static int open_where_due(struct opening *opening)
{
	pthread_t thread;
	int err;

	if (opening->netlink->netns < 0)
		return opening->open(opening);
	opening->step = "start a thread";
	err = pthread_create(&thread, NULL, open_in_namespace, opening);
	if (err)
		return -err;
	pthread_join(thread, NULL);
	return opening->result;
}

int netlink_open_again(struct netlink *netlink, enum channel_use use)
{
	struct opening opening = {.netlink = netlink, .open = open_one, .use = use};
	int err;

	if (netlink->channels[use].socket)
		return 0;
	err = open_where_due(&opening);
	if (err)
		channel_close(&netlink->channels[use]);
	return err;
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

static int open_sockets(struct netlink *netlink, const char *netns, struct error *err)
{
	struct opening opening = {.netlink = netlink, .open = open_channels};
	int result;

	if (netns) {
		netlink->netns = open_namespace(netns, err);
		if (netlink->netns < 0)
			return netlink->netns;
	}
	result = open_where_due(&opening);
	if (result)
		error_set_errno(err, ERROR_KERNEL, -result, "cannot %s", opening.step);
	return result;
}

static void netlink_close(struct kernel *kernel)
{
	struct netlink *netlink = netlink_of(kernel);

	for (unsigned int i = 0; i < CHANNELS; i++)
		channel_close(&netlink->channels[i]);
	if (netlink->netns >= 0)
		close(netlink->netns);
	free(netlink);
}

/*
 * Connecting.
 */

static int refuse(struct netlink *netlink, struct error *err, int result)
{
	netlink->family = 0;
	if (result == -ENOENT)
		error_set_errno(err, ERROR_KERNEL, ENOENT,
				"the kernel has no L2TP: its module l2tp_netlink is not there; "
				"try \"modprobe l2tp_netlink\" (Fedora and RHEL have it in "
				"kernel-modules-extra and on a blacklist in /etc/modprobe.d)");
	else if (result == -EPERM)
		error_set_errno(err, ERROR_KERNEL, EPERM,
				"not permitted to use the kernel's L2TP: CAP_NET_ADMIN is needed, "
				"for reading too");
	else
		error_set_errno(err, ERROR_KERNEL, -result,
				"cannot connect to the kernel's l2tp netlink family");
	return result;
}

static int netlink_connect(struct kernel *kernel, struct error *err)
{
	struct netlink *netlink = netlink_of(kernel);
	uint16_t family = netlink->family;
	int result = genl_resolve(netlink);

	if (!result)
		result = genl_probe(netlink);
	if (!result)
		result = events_join_l2tp(netlink);
	if (result)
		return refuse(netlink, err, result);
	if (family != netlink->family)
		netlink->capabilities_known = false;
	return 0;
}

static const char *netlink_release(struct kernel *kernel)
{
	return netlink_of(kernel)->host.release;
}

static uint64_t netlink_writes(struct kernel *kernel)
{
	return netlink_of(kernel)->writes;
}

static const struct kernel_operations operations = {
	.name = "netlink",
	.close = netlink_close,
	.connect = netlink_connect,
	.submit = netlink_submit,
	.keep = netlink_keep,
	.put_back = netlink_put_back,
	.dump_tunnels = netlink_dump_tunnels,
	.dump_sessions = netlink_dump_sessions,
	.dump_links = netlink_dump_links,
	.dump_piece = netlink_dump_piece,
	.leave_dump = netlink_leave_dump,
	.read_counters = netlink_read_counters,
	.leave_counters = netlink_leave_counters,
	.address_state = netlink_address_state,
	.interface_address = netlink_interface_address,
	.interface_has = netlink_interface_has,
	.route = netlink_route,
	.event_fds = netlink_event_fds,
	.hush = netlink_hush,
	.read_events = netlink_read_events,
	.capabilities = netlink_capabilities,
	.release = netlink_release,
	.writes = netlink_writes,
};

int kernel_open_netlink(struct kernel **ret, const char *netns, struct error *err)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));
	int result;

	if (!netlink)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "out of memory");
	netlink->kernel.ops = &operations;
	netlink->netns = -1;
	netlink->counters = (struct answer){.use = CHANNEL_COUNTERS, .ended = true};
	netlink->pieces = (struct answer){.use = CHANNEL_GENL_PIECES, .ended = true};
	uname(&netlink->host);
	l2tp_decoder_init(&netlink->decoder);
	result = open_sockets(netlink, netns, err);
	if (result) {
		netlink_close(&netlink->kernel);
		return result;
	}
	*ret = &netlink->kernel;
	return 0;
}
