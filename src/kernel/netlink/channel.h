/*
 * A netlink socket, and receiving many answers at once.
 *
 * A kernel that answers does so within the sender's own sendmsg(): when it
 * returns, every answer is in the receive queue or was dropped for want of
 * room there. So nothing here waits.
 */
#ifndef KERNEL_NETLINK_CHANNEL_H
#define KERNEL_NETLINK_CHANNEL_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct channel {
	struct mnl_socket *socket; /* NULL: not open */
	uint32_t portid;
};

/* Largest datagram that the kernel makes for a dump (net/netlink/af_netlink.c netlink_dump). */
#define CHANNEL_DUMP_BYTES 32768

/* Receive buffer asked for: some thousand answers or events. */
#define CHANNEL_BUFFER_BYTES (4 << 20)

/*
 * Open and bind. Acknowledgements will not carry the request. Returns 0 or a
 * negative errno; the caller closes in either case.
 */
int channel_open(struct channel *channel, int bus);
void channel_close(struct channel *channel);

int channel_fd(const struct channel *channel);

/* Send one buffer of messages, executed by the kernel in order before this returns. */
int channel_send(const struct channel *channel, const void *messages, size_t length);

/*
 * Receive one datagram without waiting. Returns its length, -EAGAIN when there
 * is none, -ENOBUFS when some were lost (the rest can still be received), and
 * -EMSGSIZE for one that did not fit. Datagrams from other processes are
 * passed over.
 */
int channel_receive(const struct channel *channel, void *buffer, size_t size);

/* Room to receive several answers in one system call. */
#define INBOX_DATAGRAMS      32
#define INBOX_DATAGRAM_BYTES 8192 /* a link's answer has up to 2 kB, ours 500 bytes */

struct inbox {
	struct mmsghdr headers[INBOX_DATAGRAMS];
	struct iovec vectors[INBOX_DATAGRAMS];
	struct sockaddr_nl senders[INBOX_DATAGRAMS];
	_Alignas(struct nlmsghdr) char bytes[INBOX_DATAGRAMS][INBOX_DATAGRAM_BYTES];
};

/* As channel_receive(), several at once. Returns how many, see inbox_datagram(). */
int inbox_receive(struct inbox *inbox, const struct channel *channel);

/* The @n-th datagram; NULL when it is not the kernel's or did not fit. */
const struct nlmsghdr *inbox_datagram(const struct inbox *inbox, unsigned int n,
				      size_t *ret_length);

#endif
