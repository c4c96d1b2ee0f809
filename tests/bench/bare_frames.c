/*
 * What the kernel alone costs: as many frames as the daemon sends as keepalives, as long and in
 * batches as large, and nothing else.
 *
 * usage: bare_frames PREFIX FRAMES
 *
 * Sends FRAMES frames in turn on all interfaces whose name begins with PREFIX, and prints the
 * nanoseconds of CPU that one took.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH  64 /* FRAMES_MAX of src/engine/keepalive.c */
#define LENGTH 60 /* a keepalive of an interface with a short name */
#define LLDP   0x88cc
#define USAGE  "usage: bare_frames PREFIX FRAMES"

static const uint8_t nearest_bridge[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e};

static size_t find_links(const char *prefix, unsigned int **ret)
{
	struct if_nameindex *all = if_nameindex();
	size_t count = 0, found = 0;

	while (all && all[count].if_index)
		count++;
	*ret = calloc(count + 1, sizeof(**ret));
	if (!all || !*ret)
		err(1, "interfaces");
	for (size_t i = 0; i < count; i++)
		if (strncmp(all[i].if_name, prefix, strlen(prefix)) == 0)
			(*ret)[found++] = all[i].if_index;
	if_freenameindex(all);
	return found;
}

static void send_batch(int fd, const unsigned int *links, size_t count, size_t *at)
{
	static uint8_t bytes[LENGTH] = {0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 1, 0x88, 0xcc};
	struct iovec piece = {bytes, sizeof(bytes)};
	struct sockaddr_ll addresses[BATCH];
	struct mmsghdr messages[BATCH];

	for (size_t i = 0; i < BATCH; i++) {
		addresses[i] = (struct sockaddr_ll){.sll_family = AF_PACKET,
						    .sll_protocol = htons(LLDP),
						    .sll_ifindex = (int)links[(*at)++ % count],
						    .sll_halen = 6};
		memcpy(addresses[i].sll_addr, nearest_bridge, sizeof(nearest_bridge));
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &addresses[i],
							   .msg_namelen = sizeof(addresses[i]),
							   .msg_iov = &piece,
							   .msg_iovlen = 1}};
	}
	if (sendmmsg(fd, messages, BATCH, MSG_DONTWAIT) != BATCH)
		err(1, "sendmmsg");
}

static int64_t cpu_ns(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return cpu.tv_sec * INT64_C(1000000000) + cpu.tv_nsec;
}

int main(int argc, char **argv)
{
	size_t frames = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, at = 0, count;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	unsigned int *links;
	int64_t begun;

	if (!frames)
		errx(2, USAGE);
	if (fd < 0)
		err(1, "packet socket");
	count = find_links(argv[1], &links);
	if (!count)
		errx(1, "no interface begins with %s", argv[1]);
	begun = cpu_ns();
	while (at < frames)
		send_batch(fd, links, count, &at);
	printf("%lld\n", (long long)((cpu_ns() - begun) / (int64_t)at));
	free(links);
	return 0;
}
