/*
 * Netlink sockets. Sources: net/netlink/af_netlink.c.
 *
 * Each answer is a datagram, and recv() returns one per call, hence recvmmsg(). max_recvmsg_len
 * only grows: a socket that once offered 32 kB gets dump datagrams of up to 32 kB, so dumps are
 * always received into that much.
 */
#include "kernel/netlink/channel.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

static void enlarge_buffer(int fd)
{
	const int bytes = CHANNEL_BUFFER_BYTES;

	/*
	 * The first needs CAP_NET_ADMIN, the second is limited to net.core.rmem_max: both may fail.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int channel_open(struct channel *channel, int bus)
{
	int on = 1;

	channel->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!channel->socket)
		return -errno;
	if (mnl_socket_bind(channel->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	channel->portid = mnl_socket_get_portid(channel->socket);
	enlarge_buffer(channel_fd(channel));
	if (mnl_socket_setsockopt(channel->socket, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

void channel_close(struct channel *channel)
{
	if (channel->socket)
		mnl_socket_close(channel->socket);
	channel->socket = NULL;
}

int channel_fd(const struct channel *channel)
{
	return mnl_socket_get_fd(channel->socket);
}

int channel_send(const struct channel *channel, const void *messages, size_t length)
{
	ssize_t sent;

	do {
		sent = mnl_socket_sendto(channel->socket, messages, length);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int channel_receive(const struct channel *channel, void *buffer, size_t size)
{
	struct sockaddr_nl sender = {.nl_family = AF_NETLINK};
	struct iovec vector = {.iov_base = buffer, .iov_len = size};
	struct msghdr header = {.msg_name = &sender, .msg_iov = &vector, .msg_iovlen = 1};
	ssize_t length;

	do {
		header.msg_namelen = sizeof(sender);
		length = recvmsg(channel_fd(channel), &header, MSG_DONTWAIT);
	} while ((length < 0 && errno == EINTR) || (length >= 0 && sender.nl_pid != 0));
	if (length < 0)
		return -errno;
	return header.msg_flags & MSG_TRUNC ? -EMSGSIZE : (int)length;
}

static void inbox_reset(struct inbox *inbox)
{
	for (unsigned int i = 0; i < INBOX_DATAGRAMS; i++) {
		inbox->vectors[i] = (struct iovec){.iov_base = inbox->bytes[i],
						   .iov_len = INBOX_DATAGRAM_BYTES};
		inbox->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &inbox->senders[i],
			.msg_namelen = sizeof(inbox->senders[i]),
			.msg_iov = &inbox->vectors[i],
			.msg_iovlen = 1,
		};
	}
}

int inbox_receive(struct inbox *inbox, const struct channel *channel)
{
	int count;

	inbox_reset(inbox);
	do {
		count = recvmmsg(channel_fd(channel), inbox->headers, INBOX_DATAGRAMS, MSG_DONTWAIT,
				 NULL);
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

const struct nlmsghdr *inbox_datagram(const struct inbox *inbox, unsigned int n, size_t *ret_length)
{
	if (inbox->senders[n].nl_pid != 0)
		return NULL;
	if (inbox->headers[n].msg_hdr.msg_flags & MSG_TRUNC)
		return NULL;
	*ret_length = inbox->headers[n].msg_len;
	return (const struct nlmsghdr *)inbox->bytes[n];
}
