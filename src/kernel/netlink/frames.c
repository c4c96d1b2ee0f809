/*
 * Sends Ethernet frames through one packet socket. Sources: net/packet/af_packet.c (packet_create,
 * packet_snd), net/core/filter.c (sk_lock_filter by SO_LOCK_FILTER).
 *
 * Whoever holds a packet socket could bind it and read every frame of the namespace, without any
 * capability: so it gets a filter that lets nothing in, and that cannot be taken away again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/netlink/netlink.h"

#define FRAMES_A_CALL   64
#define ETHERNET_HEADER 14

static int lock(int fd)
{
	struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
	struct sock_fprog filter = {.len = 1, .filter = &nothing};
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

void frames_open(struct netlink *netlink)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = fd < 0 ? -errno : lock(fd);

	if (fd >= 0 && rc < 0)
		close(fd);
	netlink->frames = rc < 0 ? rc : fd;
}

static void address(const struct kernel_frame *frame, struct sockaddr_ll *ret)
{
	const uint8_t *bytes = frame->bytes;

	*ret = (struct sockaddr_ll){
		.sll_family = AF_PACKET, .sll_ifindex = (int)frame->index, .sll_halen = 6};
	memcpy(ret->sll_addr, bytes, 6);
	memcpy(&ret->sll_protocol, bytes + 12, sizeof(ret->sll_protocol));
}

/* sendmmsg() ends at a message that fails, and tells of the error when that is the first. */
static int send_some(int fd, struct mmsghdr *messages, unsigned int count)
{
	unsigned int at = 0;
	int sent = 0, rc;

	while (at < count) {
		rc = sendmmsg(fd, messages + at, count - at, MSG_DONTWAIT);
		if (rc > 0)
			sent += rc;
		at += rc > 0 ? (unsigned int)rc : 1;
	}
	return sent;
}

int netlink_send_frames(struct kernel *kernel, const struct kernel_frame *frames, size_t count)
{
	int fd = netlink_of(kernel)->frames, sent = 0;
	struct mmsghdr messages[FRAMES_A_CALL];
	struct sockaddr_ll addresses[FRAMES_A_CALL];
	struct iovec pieces[FRAMES_A_CALL];

	if (fd < 0)
		return fd;
	while (count) {
		unsigned int some = 0;

		for (; some < FRAMES_A_CALL && count; some++, frames++, count--) {
			if (frames->length < ETHERNET_HEADER)
				return -EINVAL;
			address(frames, &addresses[some]);
			pieces[some] =
				(struct iovec){(void *)(uintptr_t)frames->bytes, frames->length};
			messages[some] =
				(struct mmsghdr){.msg_hdr = {.msg_name = &addresses[some],
							     .msg_namelen = sizeof(addresses[some]),
							     .msg_iov = &pieces[some],
							     .msg_iovlen = 1}};
		}
		sent += send_some(fd, messages, some);
	}
	return sent;
}
