/* The kernel interface over netlink: connects, closes, and lists its operations. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netlink/netlink.h"

static void netlink_close(struct kernel *kernel)
{
	struct netlink *netlink = netlink_of(kernel);

	for (unsigned int i = 0; i < CHANNELS; i++)
		channel_close(&netlink->channels[i]);
	if (netlink->frames >= 0)
		close(netlink->frames);
	if (netlink->netns >= 0)
		close(netlink->netns);
	free(netlink);
}

/*
 * Connecting.
 */

static int refuse(struct netlink *netlink, struct error *err, int rc)
{
	netlink->family = 0;
	if (rc == -ENOENT)
		error_set_errno(err, ERROR_KERNEL, ENOENT,
				"the kernel has no L2TP: its module l2tp_netlink is not there; "
				"try \"modprobe l2tp_netlink\" (Fedora and RHEL have it in "
				"kernel-modules-extra and on a blacklist in /etc/modprobe.d)");
	else if (rc == -EPERM)
		error_set_errno(err, ERROR_KERNEL, EPERM,
				"not permitted to use the kernel's L2TP: CAP_NET_ADMIN is needed, "
				"even for reading");
	else
		error_set_errno(err, ERROR_KERNEL, -rc,
				"cannot connect to the kernel's l2tp netlink family");
	return rc;
}

static int netlink_connect(struct kernel *kernel, struct error *err)
{
	struct netlink *netlink = netlink_of(kernel);
	uint16_t family = netlink->family;
	int rc = genl_resolve(netlink);

	if (!rc)
		rc = genl_probe(netlink);
	if (!rc)
		rc = events_join_l2tp(netlink);
	if (rc)
		return refuse(netlink, err, rc);
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
	.send_frames = netlink_send_frames,
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
	.path = netlink_path,
	.event_fds = netlink_event_fds,
	.hush = netlink_hush,
	.read_events = netlink_read_events,
	.capabilities = netlink_capabilities,
	.instance = netlink_instance,
	.tunnel_socket = netlink_tunnel_socket,
	.release = netlink_release,
	.writes = netlink_writes,
};

int kernel_open_netlink(struct kernel **ret, const char *netns, struct error *err)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));
	int rc;

	if (!netlink)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "out of memory");
	netlink->kernel.ops = &operations;
	netlink->netns = -1;
	netlink->frames = -ENOTCONN;
	netlink->counters = (struct answer){.use = CHANNEL_COUNTERS, .ended = true};
	netlink->pieces = (struct answer){.use = CHANNEL_GENL_PIECES, .ended = true};
	uname(&netlink->host);
	l2tp_decoder_init(&netlink->decoder);
	rc = netlink_open_sockets(netlink, netns, err);
	if (rc) {
		netlink_close(&netlink->kernel);
		return rc;
	}
	*ret = &netlink->kernel;
	return 0;
}
