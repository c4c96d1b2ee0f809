/*
 * A netlink socket, which can receive many answers at once.
 *
 * The kernel answers within the sender's sendmsg(): when that returns, every answer is in the
 * receive queue, or was dropped because the queue was full. So nothing here waits.
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

/* The largest datagram of a dump (net/netlink/af_netlink.c netlink_dump). */
#define CHANNEL_DUMP_BYTES 32768

/* The receive buffer to request: room for some thousand answers or events. */
#define CHANNEL_BUFFER_BYTES (4 << 20)

/*
 * Open and bind. Acknowledgements will not echo the request. Returns 0 or a negative errno; the
 * caller closes in either case.
 */
int channel_open(struct channel *channel, int bus);
void channel_close(struct channel *channel);

int channel_fd(const struct channel *channel);

/* Send a buffer of messages. The kernel executes them in order before this returns. */
int channel_send(const struct channel *channel, const void *messages, size_t length);

/*
 * Receive one datagram without waiting. Returns its length; -EAGAIN when there is none, -ENOBUFS
 * when some were lost (the rest can still be received), -EMSGSIZE when one did not fit. Ignores
 * datagrams from other processes.
 */
int channel_receive(const struct channel *channel, void *buffer, size_t size);

/* Room for several answers in one system call. */
#define INBOX_DATAGRAMS 32
#define INBOX_DATAGRAM_BYTES                                                                       \
	8192 /* an answer about a link has up to 2 kB, one about l2tp 500 bytes */

struct inbox {
	struct mmsghdr headers[INBOX_DATAGRAMS];
	struct iovec vectors[INBOX_DATAGRAMS];
	struct sockaddr_nl senders[INBOX_DATAGRAMS];
	_Alignas(struct nlmsghdr) char bytes[INBOX_DATAGRAMS][INBOX_DATAGRAM_BYTES];
};

/* channel_receive() for several at once. Returns how many; see inbox_datagram(). */
int inbox_receive(struct inbox *inbox, const struct channel *channel);

/* The @n-th datagram; NULL when it is not from the kernel or did not fit. */
const struct nlmsghdr *inbox_datagram(const struct inbox *inbox, unsigned int n,
				      size_t *ret_length);

#endif
