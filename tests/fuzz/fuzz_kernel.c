/*
 * The whole netlink layer with a kernel that answers any bytes: connecting,
 * dumps, batches, counters in steps, addresses, routes, events. The input is
 * datagrams as they are taken: two bytes of length, then so many bytes; with the
 * first's top bit they answer what was asked, as to sequence number and port,
 * otherwise they are as they are. At one of no length, and without any more of
 * them, the kernel is silent, and what was asked until then stays unanswered.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "kernel/netlink/attributes.h"
#include "model/codec.h"

#define ASKED_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	const uint8_t *data;
	size_t size;
	struct asked {
		uint32_t sequence, portid;
	} asked[ASKED_MAX];
	unsigned int count, next;
} input;

/* ---- in place of the kernel, and of libmnl's sockets, whose closing costs more than all the rest
 */

struct mnl_socket {
	unsigned int portid;
};

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	static unsigned int portids;
	struct mnl_socket *socket = calloc(1, sizeof(*socket));

	(void)bus, (void)flags;
	assert(socket);
	socket->portid = ++portids;
	return socket;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	free(nl);
	return 0;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	(void)nl, (void)groups, (void)pid;
	return 0;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *data, socklen_t length)
{
	(void)nl, (void)type, (void)data, (void)length;
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return -1;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *nl)
{
	return nl->portid;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size)
{
	const struct nlmsghdr *message = req;
	int left = (int)size;

	message_for_each (message, left) {
		if (input.count < ASKED_MAX)
			input.asked[input.count++] =
				(struct asked){message->nlmsg_seq, mnl_socket_get_portid(nl)};
	}
	assert(left == 0); /* what we send is whole */
	return (ssize_t)size;
}

static void answer_what_was_asked(void *datagram, size_t length)
{
	struct nlmsghdr *message = datagram;
	int left = (int)length;

	for (; message_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		const struct asked *asked = &input.asked[input.next];

		if (input.next == input.count)
			break;
		message->nlmsg_seq = asked->sequence;
		message->nlmsg_pid = asked->portid;
		/* One of a dump: more answers to the same come. */
		input.next +=
			!(message->nlmsg_flags & NLM_F_MULTI) || message->nlmsg_type == NLMSG_DONE;
	}
}

ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
	struct iovec *vector = &header->msg_iov[0];
	size_t length;
	bool fits;

	(void)fd, (void)flags;
	if (input.size < 2) {
		errno = EAGAIN;
		return -1;
	}
	length = (size_t)(input.data[0] & 0x7f) << 8 | input.data[1];
	fits = input.data[0] & 0x80;
	input.data += 2, input.size -= 2;
	if (length == 0) {
		input.next = input.count; /* that will not be answered any more */
		errno = EAGAIN;
		return -1;
	}
	length = length < input.size ? length : input.size;
	header->msg_flags = length > vector->iov_len ? MSG_TRUNC : 0;
	memcpy(vector->iov_base, input.data, length < vector->iov_len ? length : vector->iov_len);
	input.data += length, input.size -= length;
	length = length < vector->iov_len ? length : vector->iov_len;
	if (fits)
		answer_what_was_asked(vector->iov_base, length);
	return (ssize_t)length;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *wait)
{
	unsigned int i;

	(void)wait;
	for (i = 0; i < count; i++) {
		ssize_t length = recvmsg(fd, &messages[i].msg_hdr, flags);

		if (length < 0)
			return i ? (int)i : -1;
		messages[i].msg_len = (unsigned int)length;
	}
	return (int)i;
}

/* ---- what is read can be printed, and is within its bounds */

static void print_all(enum object object, const void *config)
{
	const struct row_set *set = &row_sets[object];
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++)
		if (codec_present(&set->rows[i], config))
			assert(codec_print(&set->rows[i], config, text) == strlen(text));
}

static void check_link(const struct kernel_link *link)
{
	assert(strnlen(link->name, sizeof(link->name)) < sizeof(link->name));
}

static int on_tunnel(const struct tunnel *tunnel, const struct statistics *statistics, void *arg)
{
	(void)statistics, (void)arg;
	print_all(OBJECT_TUNNEL, tunnel);
	return 0;
}

static int on_session(uint32_t tunnel_id, const struct session *session,
		      const struct statistics *statistics, void *arg)
{
	(void)tunnel_id, (void)statistics, (void)arg;
	print_all(OBJECT_SESSION, session);
	return 0;
}

static int on_link(const struct kernel_link *link, void *arg)
{
	(void)arg;
	check_link(link);
	return 0;
}

static void on_counters(uint32_t tunnel_id, uint32_t session_id,
			const struct statistics *statistics, void *arg)
{
	(void)tunnel_id, (void)session_id, (void)statistics, (void)arg;
}

static void on_event(const struct kernel_event *event, void *arg)
{
	(void)arg;
	check_link(&event->link);
}

/* ---- what is asked */

static void submit(struct kernel *kernel)
{
	static struct tunnel tunnel, found_tunnel;
	static struct session session, found_session;
	struct statistics statistics;
	struct kernel_request requests[] = {
		{.verb = KERNEL_TUNNEL_CREATE, .tunnel = &tunnel},
		{.verb = KERNEL_TUNNEL_GET,
		 .tunnel_id = 1,
		 .ret_tunnel = &found_tunnel,
		 .ret_statistics = &statistics},
		{.verb = KERNEL_SESSION_CREATE,
		 .tunnel_id = 1,
		 .tunnel = &tunnel,
		 .session = &session},
		{.verb = KERNEL_SESSION_GET,
		 .tunnel_id = 1,
		 .session_id = 11,
		 .ret_session = &found_session},
		{.verb = KERNEL_LINK_GET, .link = {.name = "pw11"}},
		{.verb = KERNEL_LINK_SET,
		 .link = {.name = "pw11", .mtu = 1400, .up = true},
		 .link_set = LINK_MTU | LINK_UP | LINK_MAC | LINK_MASTER},
		{.verb = KERNEL_VLAN_CREATE, .link = {.name = "pw11.5", .vlan_id = 5, .parent = 3}},
		{.verb = KERNEL_LINK_DELETE, .link = {.index = 4}},
		{.verb = KERNEL_SESSION_MODIFY,
		 .tunnel_id = 1,
		 .tunnel = &tunnel,
		 .session = &session},
		{.verb = KERNEL_SESSION_DELETE, .tunnel_id = 1, .session_id = 11},
		{.verb = KERNEL_TUNNEL_DELETE, .tunnel_id = 1},
	};

	memset(&tunnel, 0, sizeof(tunnel));
	memset(&session, 0, sizeof(session));
	tunnel.present = BIT(TUNNEL_ID) | BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_REMOTE_ADDRESS);
	tunnel.tunnel_id = 1;
	tunnel.local_address = (struct address){AF_INET, {10, 0, 0, 1}};
	tunnel.remote_address = (struct address){AF_INET, {10, 0, 0, 2}};
	session.present = BIT(SESSION_ID);
	session.session_id = 11;
	snprintf(session.interface_name, sizeof(session.interface_name), "pw11");
	kernel->ops->submit(kernel, requests, sizeof(requests) / sizeof(requests[0]));
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		check_link(&requests[i].link);
	print_all(OBJECT_TUNNEL, &found_tunnel);
	print_all(OBJECT_SESSION, &found_session);
}

static void ask_all(struct kernel *kernel)
{
	const struct address remote = {AF_INET, {10, 0, 0, 2}}, remote6 = {AF_INET6, {0xfd}};
	const struct tunnel over_udp = {.local_address = remote,
					.remote_address = remote,
					.encapsulation = ENCAPSULATION_UDP};
	const struct tunnel over_ip = {.remote_address = remote6,
				       .encapsulation = ENCAPSULATION_IP};
	struct address found = {0};
	struct error err = ERROR_INIT;
	struct kernel_route route;
	int more, fds[2];

	assert(kernel->ops->event_fds(kernel, fds) <= 2);
	assert(kernel->ops->connect(kernel, &err) == 0 || err.text[0]);
	kernel->ops->dump_tunnels(kernel, on_tunnel, NULL);
	kernel->ops->dump_sessions(kernel, on_session, NULL);
	kernel->ops->dump_links(kernel, on_link, NULL);
	submit(kernel);
	more = kernel->ops->read_counters(kernel, true, on_counters, NULL);
	for (unsigned int i = 0; i < 4 && more == 1; i++)
		more = kernel->ops->read_counters(kernel, false, on_counters, NULL);
	kernel->ops->leave_counters(kernel);
	kernel->ops->route(kernel, &over_udp, &route);
	kernel->ops->route(kernel, &over_ip, &route);
	kernel->ops->address_state(kernel, &remote, 0);
	kernel->ops->address_state(kernel, &remote6, 1);
	kernel->ops->interface_address(kernel, "lo", &remote, &found);
	kernel->ops->interface_address(kernel, "lo", &remote6, &found);
	kernel->ops->hush(kernel, true);
	kernel->ops->hush(kernel, false);
	kernel->ops->read_events(kernel, on_event, NULL);
	kernel->ops->capabilities(kernel);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel *kernel;

	input.data = data;
	input.size = size;
	input.count = input.next = 0;
	assert(kernel_open_netlink(&kernel, NULL, NULL) == 0);
	while (input.size >= 2) {
		size_t before = input.size;

		ask_all(kernel);
		if (input.size == before)
			break;
	}
	kernel->ops->close(kernel);
	return 0;
}
