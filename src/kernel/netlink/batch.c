/*
 * Requests in batches: packed into one buffer, sent with one system call,
 * answers taken with few. Sources: net/netlink/af_netlink.c (netlink_rcv_skb),
 * net/l2tp/l2tp_netlink.c (l2tp_nl_session_get).
 *
 * Order: the kernel executes what it is sent before sendmsg() returns, so
 * sending in order is enough, over both sockets; answers can wait.
 *
 * Foreign rules kept here: from 6.11 on SESSION_GET, MODIFY and DELETE look at
 * the session id alone and so reach another tunnel's session. Every GET answer
 * is compared with the tunnel asked for, and a GET goes before each MODIFY and
 * DELETE (the guards). A create may have succeeded in spite of its error, see
 * kernel.h.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/netlink/attributes.h"
#include "kernel/netlink/link.h"
#include "kernel/netlink/netlink.h"
#include "base/fault.h"

/* result of a request that has none yet; no kernel gives it */
#define NO_RESULT 1

typedef int put_fn(struct nlmsghdr *message, size_t size, const struct kernel_request *request);
typedef int take_fn(const struct netlink *netlink, const struct nlmsghdr *message,
		    struct kernel_request *request);

static int take_tunnel(const struct netlink *netlink, const struct nlmsghdr *message,
		       struct kernel_request *request)
{
	return l2tp_decode_tunnel(&netlink->decoder, message, request->ret_tunnel,
				  request->ret_statistics);
}

static int check_tunnel_id(const struct nlmsghdr *message, const struct kernel_request *request)
{
	struct l2tp_ids ids;
	int err = l2tp_decode_ids(message, &ids);

	if (err)
		return err;
	return ids.tunnel_id == l2tp_tunnel_id(request) ? 0 : -ENODEV;
}

static int take_session(const struct netlink *netlink, const struct nlmsghdr *message,
			struct kernel_request *request)
{
	int err = check_tunnel_id(message, request);

	if (err)
		return err;
	return l2tp_decode_session(&netlink->decoder, message, NULL, request->ret_session,
				   request->ret_statistics);
}

static int take_link(const struct netlink *netlink, const struct nlmsghdr *message,
		     struct kernel_request *request)
{
	(void)netlink;
	return link_decode(message, &request->link);
}

struct verb {
	enum channel_use use;
	uint16_t type; /* L2TP_CMD_* or RTM_* */
	uint16_t flags;
	bool guarded;
	put_fn *put;
	take_fn *take; /* NULL: a write, which is acknowledged */
};

/* clang-format off */
static const struct verb verbs[] = {
	[KERNEL_TUNNEL_CREATE]	= { CHANNEL_GENL, L2TP_CMD_TUNNEL_CREATE, NLM_F_ACK, false,
				    l2tp_put_tunnel, NULL },
	[KERNEL_TUNNEL_DELETE]	= { CHANNEL_GENL, L2TP_CMD_TUNNEL_DELETE, NLM_F_ACK, false,
				    l2tp_put_tunnel_id, NULL },
	[KERNEL_TUNNEL_GET]	= { CHANNEL_GENL, L2TP_CMD_TUNNEL_GET, 0, false,
				    l2tp_put_tunnel_id, take_tunnel },
	[KERNEL_SESSION_CREATE]	= { CHANNEL_GENL, L2TP_CMD_SESSION_CREATE, NLM_F_ACK, false,
				    l2tp_put_session, NULL },
	[KERNEL_SESSION_MODIFY]	= { CHANNEL_GENL, L2TP_CMD_SESSION_MODIFY, NLM_F_ACK, true,
				    l2tp_put_session_change, NULL },
	[KERNEL_SESSION_DELETE]	= { CHANNEL_GENL, L2TP_CMD_SESSION_DELETE, NLM_F_ACK, true,
				    l2tp_put_session_id, NULL },
	[KERNEL_SESSION_GET]	= { CHANNEL_GENL, L2TP_CMD_SESSION_GET, 0, false,
				    l2tp_put_session_id, take_session },
	[KERNEL_LINK_SET]	= { CHANNEL_ROUTE, RTM_SETLINK, NLM_F_ACK, false,
				    link_put_set, NULL },
	[KERNEL_LINK_GET]	= { CHANNEL_ROUTE, RTM_GETLINK, 0, false,
				    link_put_get, take_link },
	[KERNEL_VLAN_CREATE]	= { CHANNEL_ROUTE, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
				    false, link_put_vlan, NULL },
	[KERNEL_LINK_DELETE]	= { CHANNEL_ROUTE, RTM_DELLINK, NLM_F_ACK, false,
				    link_put_delete, NULL },
};
/* clang-format on */

/*
 * Sending.
 */

static int send_outbox(struct netlink *netlink)
{
	struct batch *batch = &netlink->batch;
	size_t length = batch->length;

	batch->length = 0;
	if (length == 0)
		return 0;
	fault_point("netlink");
	return channel_send(&netlink->channels[batch->use], batch->outbox, length);
}

static int make_room(struct netlink *netlink, enum channel_use use)
{
	struct batch *batch = &netlink->batch;
	int err = 0;

	if (batch->use != use || batch->length + MESSAGE_BYTES > sizeof(batch->outbox))
		err = send_outbox(netlink);
	batch->use = use;
	return err;
}

static struct nlmsghdr *put_header(struct netlink *netlink, const struct verb *verb)
{
	struct batch *batch = &netlink->batch;
	void *at = batch->outbox + batch->length;

	if (verb->use == CHANNEL_GENL)
		return genl_put_header(netlink, at, (uint8_t)verb->type, verb->flags);
	return route_put_header(at, verb->type, verb->flags);
}

/* A request that cannot be put has its result at once. Returns errors of the socket only. */
static int put_request(struct netlink *netlink, struct kernel_request *request, bool guard)
{
	const struct verb *verb = &verbs[guard ? KERNEL_SESSION_GET : request->verb];
	struct batch *batch = &netlink->batch;
	struct nlmsghdr *message;
	int err;

	if (verb->use == CHANNEL_GENL && !netlink->family) {
		request->result = -ENOENT;
		return 0;
	}
	err = make_room(netlink, verb->use);
	if (err)
		return err;
	message = put_header(netlink, verb);
	err = verb->put(message, MESSAGE_BYTES, request);
	if (err) {
		request->result = err;
		return 0;
	}
	message->nlmsg_seq = ++netlink->sequence;
	batch->pending[batch->count++] = (struct pending){.request = request, .guard = guard};
	batch->length += message->nlmsg_len;
	netlink->writes += !verb->take;
	return 0;
}

/*
 * Receiving.
 */

static void settle(struct netlink *netlink, struct pending *pending, const struct nlmsghdr *message)
{
	struct kernel_request *request = pending->request;
	int result;

	if (message->nlmsg_type == NLMSG_ERROR)
		result = message_code(message);
	else if (pending->guard)
		result = check_tunnel_id(message, request);
	else if (verbs[request->verb].take)
		result = verbs[request->verb].take(netlink, message, request);
	else
		return; /* not an acknowledgement: never sent to a requester that does not listen */
	pending->answered = true;
	if (!pending->guard || result)
		request->result = result;
}

static void take_datagram(struct netlink *netlink, const struct nlmsghdr *message, size_t length)
{
	struct batch *batch = &netlink->batch;
	int left = (int)length;

	message_for_each (message, left) {
		uint32_t place = message->nlmsg_seq - batch->first_sequence;

		if (place < batch->count && !batch->pending[place].answered)
			settle(netlink, &batch->pending[place], message);
	}
}

/* Take all the answers there are. 0, or -ENOBUFS when some were lost. */
static int take_answers(struct netlink *netlink, const struct channel *channel)
{
	struct inbox *inbox = &netlink->batch.inbox;
	int lost = 0;
	int count;

	do {
		count = inbox_receive(inbox, channel);
		for (int i = 0; i < count; i++) {
			size_t length;
			const struct nlmsghdr *datagram =
				inbox_datagram(inbox, (unsigned int)i, &length);

			if (datagram)
				take_datagram(netlink, datagram, length);
		}
		if (count == -ENOBUFS)
			lost = -ENOBUFS;
	} while (count == INBOX_DATAGRAMS || count == -ENOBUFS);
	return count < 0 && count != -EAGAIN ? count : lost;
}

static bool unanswered(const struct batch *batch, enum channel_use use)
{
	for (unsigned int i = 0; i < batch->count; i++) {
		const struct pending *pending = &batch->pending[i];
		enum channel_use its =
			pending->guard ? CHANNEL_GENL : verbs[pending->request->verb].use;

		if (!pending->answered && its == use)
			return true;
	}
	return false;
}

/*
 * Batches.
 */

static void begin(struct netlink *netlink)
{
	struct batch *batch = &netlink->batch;

	batch->count = 0;
	batch->length = 0;
	batch->first_sequence = netlink->sequence + 1;
}

/* Send what is left and take the answers. */
static int finish(struct netlink *netlink)
{
	static const enum channel_use uses[] = {CHANNEL_GENL, CHANNEL_ROUTE};
	int err = send_outbox(netlink);

	for (unsigned int i = 0; i < 2; i++) {
		if (unanswered(&netlink->batch, uses[i])) {
			int lost = take_answers(netlink, &netlink->channels[uses[i]]);

			err = err ? err : lost;
		}
	}
	return err;
}

/* Ask once more, one by one, for what was read and got lost on the way back. */
static int repeat_reads(struct netlink *netlink)
{
	struct batch *batch = &netlink->batch;
	struct pending lost[BATCH_MESSAGES];
	unsigned int count = 0;

	for (unsigned int i = 0; i < batch->count; i++) {
		const struct pending *pending = &batch->pending[i];

		if (!pending->answered && (pending->guard || verbs[pending->request->verb].take))
			lost[count++] = *pending;
	}
	for (unsigned int i = 0; i < count; i++) {
		int err;

		begin(netlink);
		err = put_request(netlink, lost[i].request, lost[i].guard);
		err = err ? err : finish(netlink);
		if (!err && batch->count && !batch->pending[0].answered)
			err = -EIO;
		if (err)
			return err;
	}
	return 0;
}

static int send_guards(struct netlink *netlink, struct kernel_request *requests, size_t count)
{
	int err = 0;

	begin(netlink);
	for (size_t i = 0; i < count && !err; i++) {
		if (verbs[requests[i].verb].guarded)
			err = put_request(netlink, &requests[i], true);
	}
	err = err ? err : finish(netlink);
	return err == -ENOBUFS ? repeat_reads(netlink) : err;
}

static int send_requests(struct netlink *netlink, struct kernel_request *requests, size_t count)
{
	int err = 0;

	begin(netlink);
	for (size_t i = 0; i < count && !err; i++) {
		if (requests[i].result == NO_RESULT)
			err = put_request(netlink, &requests[i], false);
	}
	err = err ? err : finish(netlink);
	if (err == -ENOBUFS)
		err = repeat_reads(netlink);
	return err;
}

/*
 * How many requests go together. A guard must not run ahead of a create that
 * it would see, so a guarded request after one begins another batch.
 */
static size_t batch_length(const struct kernel_request *requests, size_t count)
{
	bool created = false;
	size_t i;

	for (i = 0; i < count && i < BATCH_MESSAGES; i++) {
		if (created && verbs[requests[i].verb].guarded)
			break;
		created = created || requests[i].verb == KERNEL_SESSION_CREATE;
	}
	return i;
}

/* Requests that were sent and never answered, or never sent. */
static int give_up(struct kernel_request *requests, size_t count)
{
	size_t lost = 0;

	for (size_t i = 0; i < count; i++) {
		if (requests[i].result == NO_RESULT) {
			requests[i].result = -EIO;
			lost++;
		}
	}
	return lost ? -EIO : 0;
}

static void learn(struct netlink *netlink, const struct kernel_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		capabilities_learn(netlink, &requests[i]);
}

int netlink_submit(struct kernel *kernel, struct kernel_request *requests, size_t count)
{
	struct netlink *netlink = netlink_of(kernel);
	int err = 0;

	for (size_t i = 0; i < count; i++)
		requests[i].result = NO_RESULT;
	for (size_t done = 0; done < count && !err;) {
		size_t length = batch_length(requests + done, count - done);

		err = send_guards(netlink, requests + done, length);
		if (!err)
			err = send_requests(netlink, requests + done, length);
		learn(netlink, requests + done, length);
		done += length;
	}
	if (give_up(requests, count) && !err)
		err = -EIO;
	return err;
}
