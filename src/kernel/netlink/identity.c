/*
 * Identifies the kernel instance, and the socket of a tunnel. Sources: net/ipv4/udp_diag.c
 * (udp_dump_one), net/ipv4/inet_diag.c (inet_sk_diag_fill), net/core/sock_diag.c.
 *
 * Kernel rules handled here: a request for one UDP socket is looked up like an arriving packet, so
 * its source is the peer, while the source in the answer is the socket's; a less specific socket
 * may be found in place of a missing one; sockets of l2tp_ip cannot be queried. A cookie is never
 * reused (sock_gen_cookie()).
 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "base/boot_id.h"
#include "kernel/netlink/attributes.h"
#include "kernel/netlink/netlink.h"

void identity_note_instance(struct netlink *netlink)
{
	char boot[BOOT_ID_SIZE];
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	boot_id_read(boot);
	if (getsockopt(channel_fd(&netlink->channels[CHANNEL_GENL]), SOL_SOCKET, SO_NETNS_COOKIE,
		       &cookie, &size) < 0)
		cookie = 0; /* before 5.14 */
	snprintf(netlink->instance, sizeof(netlink->instance), "%s %llu", boot,
		 (unsigned long long)cookie);
}

const char *netlink_instance(struct kernel *kernel)
{
	return netlink_of(kernel)->instance;
}

struct wanted_socket {
	struct inet_diag_sockid id; /* as in the answer */
	uint64_t cookie;
};

static int take_socket(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct inet_diag_msg *found = mnl_nlmsg_get_payload(message);
	struct wanted_socket *wanted = arg;
	uint32_t cookie[2];

	(void)netlink;
	if (!has_header(message, sizeof(*found)))
		return 0;
	memcpy(cookie, found->id.idiag_cookie, sizeof(cookie));
	if (found->id.idiag_sport == wanted->id.idiag_sport &&
	    found->id.idiag_dport == wanted->id.idiag_dport &&
	    memcmp(found->id.idiag_src, wanted->id.idiag_src, sizeof(wanted->id.idiag_src)) == 0 &&
	    memcmp(found->id.idiag_dst, wanted->id.idiag_dst, sizeof(wanted->id.idiag_dst)) == 0)
		wanted->cookie = (uint64_t)cookie[1] << 32 | cookie[0];
	return 0;
}

static void put_request(struct nlmsghdr *message, uint8_t family, const struct inet_diag_sockid *id)
{
	struct inet_diag_req_v2 *request = mnl_nlmsg_put_extra_header(message, sizeof(*request));

	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_UDP;
	request->idiag_states = UINT32_MAX;
	request->id = *id;
	memcpy(request->id.idiag_src, id->idiag_dst, sizeof(id->idiag_src));
	memcpy(request->id.idiag_dst, id->idiag_src, sizeof(id->idiag_dst));
	request->id.idiag_sport = id->idiag_dport;
	request->id.idiag_dport = id->idiag_sport;
	request->id.idiag_cookie[0] = request->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

uint64_t netlink_tunnel_socket(struct kernel *kernel, const struct tunnel *tunnel)
{
	struct netlink *netlink = netlink_of(kernel);
	struct nlmsghdr *message;
	struct wanted_socket wanted = {
		.id = {.idiag_sport = htons(tunnel->local_port),
		       .idiag_dport = htons(tunnel->remote_port)},
	};

	if (tunnel->encapsulation != ENCAPSULATION_UDP || !netlink->channels[CHANNEL_DIAG].socket)
		return 0;
	memcpy(wanted.id.idiag_src, tunnel->local_address.bytes, sizeof(wanted.id.idiag_src));
	memcpy(wanted.id.idiag_dst, tunnel->remote_address.bytes, sizeof(wanted.id.idiag_dst));
	message = route_put_header(netlink->request, SOCK_DIAG_BY_FAMILY, 0);
	put_request(message, tunnel->local_address.family, &wanted.id);
	if (exchange(netlink, CHANNEL_DIAG, message, take_socket, &wanted) < 0)
		return 0; /* no such module, or no such socket */
	return wanted.cookie;
}
