/*
 * What the kernel alone costs: the requests that the daemon sends for a tunnel
 * and its named sessions, in the same batches, and nothing else. No document
 * is read, nothing is checked, compared, journaled or remembered.
 *
 * usage: bare_loop LOCAL REMOTE COUNT PREFIX
 *
 * Makes tunnel 1 over UDP between two IPv4 addresses, sessions 1 to COUNT in it
 * with interfaces PREFIX1 to PREFIXCOUNT, sets those up, and prints the
 * milliseconds from the first request to the last answer.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/l2tp.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <time.h>

#define TUNNEL 1
#define PORT   1701
#define BATCH  64    /* sessions, as BATCH_MAX of src/engine/batch.h */
#define BUFFER 65536 /* 128 requests are about 14 kB */
#define RCVBUF (4 << 20)
#define USAGE  "usage: bare_loop LOCAL REMOTE COUNT PREFIX"

struct loop {
	struct mnl_socket *genl, *route;
	uint16_t family;
	uint32_t sequence;
	unsigned int expected; /* answers */
	size_t length;
	_Alignas(struct nlmsghdr) char out[BUFFER], in[BUFFER];
};

static struct mnl_socket *open_socket(int bus)
{
	struct mnl_socket *socket = mnl_socket_open(bus);
	int bytes = RCVBUF, on = 1;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink socket");
	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) < 0)
		err(1, "SO_RCVBUFFORCE");
	if (mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on)) < 0)
		err(1, "NETLINK_CAP_ACK");
	return socket;
}

static void send_all(struct loop *loop, struct mnl_socket *socket)
{
	if (mnl_socket_sendto(socket, loop->out, loop->length) < 0)
		err(1, "send");
	loop->length = 0;
}

static void take_answer(struct loop *loop, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type == NLMSG_ERROR && error->error) {
		errno = -error->error;
		err(1, "request %" PRIu32, message->nlmsg_seq);
	}
	loop->expected--;
}

static void take_answers(struct loop *loop, struct mnl_socket *socket)
{
	while (loop->expected) {
		ssize_t got = mnl_socket_recvfrom(socket, loop->in, sizeof(loop->in));
		const struct nlmsghdr *message = (const void *)loop->in;
		int left = (int)got;

		if (got < 0)
			err(1, "receive");
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			take_answer(loop, message);
	}
}

static struct nlmsghdr *begin(struct loop *loop, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(loop->out + loop->length);

	message->nlmsg_type = type;
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = ++loop->sequence;
	return message;
}

static struct nlmsghdr *begin_genl(struct loop *loop, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *message = begin(loop, loop->family, flags);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->cmd = command;
	header->version = L2TP_GENL_VERSION;
	return message;
}

static void end(struct loop *loop, const struct nlmsghdr *message)
{
	loop->length += message->nlmsg_len;
	loop->expected++;
}

static int take_family(const struct nlattr *attribute, void *arg)
{
	struct loop *loop = arg;

	if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
		loop->family = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static void find_family(struct loop *loop)
{
	struct nlmsghdr *message = begin(loop, GENL_ID_CTRL, 0);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->cmd = CTRL_CMD_GETFAMILY;
	header->version = 1;
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, L2TP_GENL_NAME);
	end(loop, message);
	send_all(loop, loop->genl);
	take_answers(loop, loop->genl);
	mnl_attr_parse((const void *)loop->in, sizeof(*header), take_family, loop);
}

static uint32_t address(const char *text)
{
	struct in_addr ret;

	if (inet_pton(AF_INET, text, &ret) != 1)
		errx(2, "%s is not an IPv4 address", text);
	return ret.s_addr;
}

static void create_tunnel(struct loop *loop, const char *local, const char *remote)
{
	struct nlmsghdr *message = begin_genl(loop, L2TP_CMD_TUNNEL_CREATE, NLM_F_ACK);

	mnl_attr_put_u32(message, L2TP_ATTR_CONN_ID, TUNNEL);
	mnl_attr_put_u8(message, L2TP_ATTR_PROTO_VERSION, 3);
	mnl_attr_put_u32(message, L2TP_ATTR_PEER_CONN_ID, TUNNEL);
	mnl_attr_put_u16(message, L2TP_ATTR_ENCAP_TYPE, L2TP_ENCAPTYPE_UDP);
	mnl_attr_put_u32(message, L2TP_ATTR_IP_SADDR, address(local));
	mnl_attr_put_u32(message, L2TP_ATTR_IP_DADDR, address(remote));
	mnl_attr_put_u16(message, L2TP_ATTR_UDP_SPORT, PORT);
	mnl_attr_put_u16(message, L2TP_ATTR_UDP_DPORT, PORT);
	end(loop, message);
	message = begin_genl(loop, L2TP_CMD_TUNNEL_GET, 0);
	mnl_attr_put_u32(message, L2TP_ATTR_CONN_ID, TUNNEL);
	end(loop, message);
	send_all(loop, loop->genl);
	take_answers(loop, loop->genl);
}

static void interface_name(char ret[IFNAMSIZ], const char *prefix, uint32_t id)
{
	snprintf(ret, IFNAMSIZ, "%s%" PRIu32, prefix, id);
}

static void put_session(struct loop *loop, uint32_t id, const char *prefix)
{
	struct nlmsghdr *message = begin_genl(loop, L2TP_CMD_SESSION_CREATE, NLM_F_ACK);
	char name[IFNAMSIZ];

	interface_name(name, prefix, id);
	mnl_attr_put_u32(message, L2TP_ATTR_CONN_ID, TUNNEL);
	mnl_attr_put_u32(message, L2TP_ATTR_SESSION_ID, id);
	mnl_attr_put_u32(message, L2TP_ATTR_PEER_SESSION_ID, id);
	mnl_attr_put_u16(message, L2TP_ATTR_PW_TYPE, L2TP_PWTYPE_ETH);
	mnl_attr_put_strz(message, L2TP_ATTR_IFNAME, name);
	mnl_attr_put_u8(message, L2TP_ATTR_L2SPEC_TYPE, L2TP_L2SPECTYPE_DEFAULT);
	mnl_attr_put_u8(message, L2TP_ATTR_SEND_SEQ, 0);
	mnl_attr_put_u8(message, L2TP_ATTR_RECV_SEQ, 0);
	mnl_attr_put_u64(message, L2TP_ATTR_RECV_TIMEOUT, 0);
	mnl_attr_put_u8(message, L2TP_ATTR_LNS_MODE, 0);
	end(loop, message);
	message = begin_genl(loop, L2TP_CMD_SESSION_GET, 0);
	mnl_attr_put_u32(message, L2TP_ATTR_CONN_ID, TUNNEL);
	mnl_attr_put_u32(message, L2TP_ATTR_SESSION_ID, id);
	end(loop, message);
}

static void put_link_up(struct loop *loop, uint32_t id, const char *prefix)
{
	struct nlmsghdr *message = begin(loop, RTM_SETLINK, NLM_F_ACK);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	char name[IFNAMSIZ];

	interface_name(name, prefix, id);
	header->ifi_change = header->ifi_flags = IFF_UP;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	end(loop, message);
}

static void create_sessions(struct loop *loop, uint32_t count, const char *prefix)
{
	for (uint32_t first = 1; first <= count; first += BATCH) {
		uint32_t last = count - first < BATCH ? count : first + BATCH - 1;

		for (uint32_t id = first; id <= last; id++)
			put_session(loop, id, prefix);
		send_all(loop, loop->genl);
		take_answers(loop, loop->genl);
		for (uint32_t id = first; id <= last; id++)
			put_link_up(loop, id, prefix);
		send_all(loop, loop->route);
		take_answers(loop, loop->route);
	}
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	static struct loop loop;
	unsigned long count;
	double begun;

	if (argc != 5 || (count = strtoul(argv[3], NULL, 10)) == 0 || count > 1000000)
		errx(2, USAGE);
	loop.genl = open_socket(NETLINK_GENERIC);
	loop.route = open_socket(NETLINK_ROUTE);
	find_family(&loop);
	begun = milliseconds();
	create_tunnel(&loop, argv[1], argv[2]);
	create_sessions(&loop, (uint32_t)count, argv[4]);
	printf("%.3f\n", milliseconds() - begun);
	mnl_socket_close(loop.genl);
	mnl_socket_close(loop.route);
	return 0;
}
