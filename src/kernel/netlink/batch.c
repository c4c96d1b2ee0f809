/*
 * Requests in batches: packed into one buffer, sent with one system call, answers received with
 * few. Sources: net/netlink/af_netlink.c (netlink_rcv_skb), net/l2tp/l2tp_netlink.c
 * (l2tp_nl_session_get).
 *
 * Order: the kernel executes messages before sendmsg() returns, so it is enough to send in order,
 * over both sockets; answers can wait.
 *
 * Kernel rules handled here: from 6.11 on SESSION_GET, MODIFY and DELETE look only at the session
 * id, and so can reach another tunnel's session. Every answer to a GET is checked for the right
 * tunnel, and a GET goes before each MODIFY and DELETE (the guards). A create may have succeeded in
 * spite of its error: see kernel.h.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/netlink/attributes.h"
#include "kernel/netlink/link.h"
#include "kernel/netlink/netlink.h"
#include "base/fault.h"

/* the result until there is one; the kernel never returns it */
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
	int rc = l2tp_decode_ids(message, &ids);

	if (rc)
		return rc;
	return ids.tunnel_id == l2tp_tunnel_id(request) ? 0 : -ENODEV;
}

static int take_session(const struct netlink *netlink, const struct nlmsghdr *message,
			struct kernel_request *request)
{
	int rc = check_tunnel_id(message, request);

	if (rc)
		return rc;
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
	take_fn *take; /* NULL: a write, answered by an acknowledgement */
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
	int rc = 0;

	if (batch->use != use || batch->length + MESSAGE_BYTES > sizeof(batch->outbox))
		rc = send_outbox(netlink);
	batch->use = use;
	return rc;
}

static struct nlmsghdr *put_header(struct netlink *netlink, const struct verb *verb)
{
	struct batch *batch = &netlink->batch;
	void *at = batch->outbox + batch->length;

	if (verb->use == CHANNEL_GENL)
		return genl_put_header(netlink, at, (uint8_t)verb->type, verb->flags);
	return route_put_header(at, verb->type, verb->flags);
}

/*
 * Put a request into the outbox. One that cannot be encoded gets its result at once; returns only
 * errors of the socket.
 */
static int put_request(struct netlink *netlink, struct kernel_request *request, bool guard)
{
	const struct verb *verb = &verbs[guard ? KERNEL_SESSION_GET : request->verb];
	struct batch *batch = &netlink->batch;
	struct nlmsghdr *message;
	int rc;

	if (verb->use == CHANNEL_GENL && !netlink->family) {
		request->result = -ENOENT;
		return 0;
	}
	rc = make_room(netlink, verb->use);
	if (rc)
		return rc;
	message = put_header(netlink, verb);
	rc = verb->put(message, MESSAGE_BYTES, request);
	if (rc) {
		request->result = rc;
		return 0;
	}
	message->nlmsg_seq = ++netlink->sequence;
	batch->awaited[batch->count++] = (struct awaited){.request = request, .guard = guard};
	batch->length += message->nlmsg_len;
	netlink->writes += !verb->take;
	return 0;
}

/*
 * Receiving.
 */

static void take_answer(struct netlink *netlink, struct awaited *awaited,
			const struct nlmsghdr *message)
{
	struct kernel_request *request = awaited->request;
	int rc;

	if (message->nlmsg_type == NLMSG_ERROR)
		rc = message_code(message);
	else if (awaited->guard)
		rc = check_tunnel_id(message, request);
	else if (verbs[request->verb].take)
		rc = verbs[request->verb].take(netlink, message, request);
	else
		return; /* neither an answer nor an acknowledgement */
	awaited->answered = true;
	if (!awaited->guard || rc)
		request->result = rc;
}

static void take_datagram(struct netlink *netlink, const struct nlmsghdr *message, size_t length)
{
	struct batch *batch = &netlink->batch;
	int left = (int)length;

	message_for_each (message, left) {
		uint32_t place = message->nlmsg_seq - batch->first_sequence;

		if (place < batch->count && !batch->awaited[place].answered)
			take_answer(netlink, &batch->awaited[place], message);
	}
}

/* Receive all answers. 0, or -ENOBUFS when some were lost. */
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
		const struct awaited *awaited = &batch->awaited[i];
		enum channel_use its =
			awaited->guard ? CHANNEL_GENL : verbs[awaited->request->verb].use;

		if (!awaited->answered && its == use)
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

/* Send the rest and receive the answers. */
static int finish(struct netlink *netlink)
{
	static const enum channel_use uses[] = {CHANNEL_GENL, CHANNEL_ROUTE};
	int rc = send_outbox(netlink);

	for (unsigned int i = 0; i < 2; i++) {
		if (unanswered(&netlink->batch, uses[i])) {
			int lost = take_answers(netlink, &netlink->channels[uses[i]]);

			rc = rc ? rc : lost;
		}
	}
	return rc;
}

/* Repeat, one by one, the reads whose answers were lost. */
static int repeat_reads(struct netlink *netlink)
{
	struct batch *batch = &netlink->batch;
	struct awaited lost[BATCH_MESSAGES];
	unsigned int count = 0;

	for (unsigned int i = 0; i < batch->count; i++) {
		const struct awaited *awaited = &batch->awaited[i];

		if (!awaited->answered && (awaited->guard || verbs[awaited->request->verb].take))
			lost[count++] = *awaited;
	}
	for (unsigned int i = 0; i < count; i++) {
		int rc;

		begin(netlink);
		rc = put_request(netlink, lost[i].request, lost[i].guard);
		rc = rc ? rc : finish(netlink);
		if (!rc && batch->count && !batch->awaited[0].answered)
			rc = -EIO;
		if (rc)
			return rc;
	}
	return 0;
}

static int send_guards(struct netlink *netlink, struct kernel_request *requests, size_t count)
{
	int rc = 0;

	begin(netlink);
	for (size_t i = 0; i < count && !rc; i++) {
		if (verbs[requests[i].verb].guarded)
			rc = put_request(netlink, &requests[i], true);
	}
	rc = rc ? rc : finish(netlink);
	return rc == -ENOBUFS ? repeat_reads(netlink) : rc;
}

static int send_requests(struct netlink *netlink, struct kernel_request *requests, size_t count)
{
	int rc = 0;

	begin(netlink);
	for (size_t i = 0; i < count && !rc; i++) {
		if (requests[i].result == NO_RESULT)
			rc = put_request(netlink, &requests[i], false);
	}
	rc = rc ? rc : finish(netlink);
	if (rc == -ENOBUFS)
		rc = repeat_reads(netlink);
	return rc;
}

/*
 * How many requests can go together. Guards go first, but one must see the creates before it: so a
 * guarded request after a create begins another batch.
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

/* Give -EIO to requests that were not answered, or not sent. */
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

int netlink_submit(struct kernel *kernel, struct kernel_request *requests, size_t count)
{
	struct netlink *netlink = netlink_of(kernel);
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		requests[i].result = NO_RESULT;
	for (size_t done = 0; done < count && !rc;) {
		size_t length = batch_length(requests + done, count - done);

		rc = send_guards(netlink, requests + done, length);
		if (!rc)
			rc = send_requests(netlink, requests + done, length);
		for (size_t end = done + length; done < end; done++)
			capabilities_learn(netlink, &requests[done]);
	}
	if (give_up(requests, count) && !rc)
		rc = -EIO;
	return rc;
}
