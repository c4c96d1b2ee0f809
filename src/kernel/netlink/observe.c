/*
 * Reading: dumps.
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "kernel/netlink/link.h"
#include "kernel/netlink/netlink.h"

/* Dumps. They skip entries that cannot be decoded. */

static int give_tunnel(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct kernel_visitor *dump = arg;
	struct statistics statistics;
	struct tunnel tunnel;

	if (l2tp_decode_tunnel(&netlink->decoder, message, &tunnel, &statistics))
		return 0;
	return dump->tunnel(&tunnel, &statistics, dump->arg);
}

static int give_session(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct kernel_visitor *dump = arg;
	struct statistics statistics;
	struct session session;
	uint32_t tunnel_id;

	if (l2tp_decode_session(&netlink->decoder, message, &tunnel_id, &session, &statistics))
		return 0;
	return dump->session(tunnel_id, &session, &statistics, dump->arg);
}

static int give_link(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct kernel_visitor *dump = arg;
	char names[LINK_ALTERNATIVES_BYTES];
	struct kernel_link link;

	(void)netlink;
	return link_decode_names(message, &link, names) ? 0 : dump->link(&link, dump->arg);
}

static int dump_genl(struct netlink *netlink, uint8_t command, message_cb *cb,
		     struct kernel_visitor *dump)
{
	struct nlmsghdr *message;

	if (!netlink->family)
		return -ENOENT;
	message = genl_put_header(netlink, netlink->request, command, NLM_F_DUMP);
	return exchange(netlink, CHANNEL_GENL_DUMP, message, cb, dump);
}

int netlink_dump_tunnels(struct kernel *kernel, kernel_tunnel_cb *cb, void *arg)
{
	struct kernel_visitor dump = {.tunnel = cb, .arg = arg};

	return dump_genl(netlink_of(kernel), L2TP_CMD_TUNNEL_GET, give_tunnel, &dump);
}

int netlink_dump_sessions(struct kernel *kernel, kernel_session_cb *cb, void *arg)
{
	struct kernel_visitor dump = {.session = cb, .arg = arg};

	return dump_genl(netlink_of(kernel), L2TP_CMD_SESSION_GET, give_session, &dump);
}

int netlink_dump_links(struct kernel *kernel, kernel_link_cb *cb, void *arg)
{
	struct netlink *netlink = netlink_of(kernel);
	struct kernel_visitor dump = {.link = cb, .arg = arg};
	struct nlmsghdr *message = route_put_header(netlink->request, RTM_GETLINK, NLM_F_DUMP);
	int rc = link_put_dump(message, MESSAGE_BYTES);

	return rc ? rc : exchange(netlink, CHANNEL_ROUTE_DUMP, message, give_link, &dump);
}

/*
 * Dumps in pieces of one datagram. The kernel makes the next datagram of a dump when one is
 * received, and begins no other dump on the socket before the end: a dump that ends early takes its
 * socket with it.
 */

static int begin_pieces(struct netlink *netlink, enum kernel_dump what)
{
	enum channel_use use = what == DUMP_LINKS ? CHANNEL_ROUTE_PIECES : CHANNEL_GENL_PIECES;
	struct nlmsghdr *message;
	int rc;

	netlink_leave_dump(&netlink->kernel);
	if (what != DUMP_LINKS && !netlink->family)
		return -ENOENT;
	netlink->pieces = (struct answer){.use = use, .ended = true};
	rc = netlink_open_again(netlink, use);
	if (rc)
		return rc;
	if (what == DUMP_LINKS) {
		message = route_put_header(netlink->request, RTM_GETLINK, NLM_F_DUMP);
		rc = link_put_dump(message, MESSAGE_BYTES);
	} else {
		message = genl_put_header(netlink, netlink->request,
					  what == DUMP_TUNNELS ? L2TP_CMD_TUNNEL_GET
							       : L2TP_CMD_SESSION_GET,
					  NLM_F_DUMP);
	}
	return rc ? rc : answer_begin(netlink, &netlink->pieces, message);
}

int netlink_dump_piece(struct kernel *kernel, enum kernel_dump what, bool begin,
		       const struct kernel_visitor *visitor)
{
	static message_cb *const give[] = {
		[DUMP_LINKS] = give_link,
		[DUMP_TUNNELS] = give_tunnel,
		[DUMP_SESSIONS] = give_session,
	};
	struct netlink *netlink = netlink_of(kernel);
	struct kernel_visitor dump = *visitor;
	struct answer *answer = &netlink->pieces;
	int rc = begin ? begin_pieces(netlink, what) : 0;

	answer->cb = give[what];
	answer->arg = &dump;
	if (!rc && !answer->ended)
		rc = answer_step(netlink, answer);
	if (rc) {
		netlink_leave_dump(kernel);
		return rc;
	}
	if (!answer->ended)
		return 1;
	return !answer->result && answer->interrupted ? -EINTR : answer->result;
}

void netlink_leave_dump(struct kernel *kernel)
{
	struct netlink *netlink = netlink_of(kernel);

	if (!netlink->pieces.ended)
		channel_close(&netlink->channels[netlink->pieces.use]);
	netlink->pieces.ended = true;
}

/* Counters, in the same way. */

struct counters_reader {
	kernel_counters_cb *cb;
	void *arg;
};

static int give_counters(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct counters_reader *reader = arg;
	struct statistics statistics;
	struct l2tp_ids ids;

	if (!l2tp_decode_counters(&netlink->decoder, message, &ids, &statistics) &&
	    ids.object == OBJECT_SESSION)
		reader->cb(ids.tunnel_id, ids.session_id, &statistics, reader->arg);
	return 0;
}

static int begin_counters(struct netlink *netlink)
{
	int rc;

	netlink_leave_counters(&netlink->kernel);
	if (!netlink->family)
		return -ENOENT;
	rc = netlink_open_again(netlink, CHANNEL_COUNTERS);
	if (rc)
		return rc;
	return answer_begin(
		netlink, &netlink->counters,
		genl_put_header(netlink, netlink->request, L2TP_CMD_SESSION_GET, NLM_F_DUMP));
}

int netlink_read_counters(struct kernel *kernel, bool begin, kernel_counters_cb *cb, void *arg)
{
	struct netlink *netlink = netlink_of(kernel);
	struct counters_reader reader = {cb, arg};
	struct answer *answer = &netlink->counters;
	int rc = begin ? begin_counters(netlink) : 0;

	if (!rc && answer->ended)
		return 0;
	answer->cb = give_counters;
	answer->arg = &reader;
	rc = rc ? rc : answer_step(netlink, answer);
	if (rc) {
		netlink_leave_counters(kernel);
		return rc;
	}
	return answer->ended ? answer->result : 1;
}

void netlink_leave_counters(struct kernel *kernel)
{
	struct netlink *netlink = netlink_of(kernel);

	if (!netlink->counters.ended)
		channel_close(&netlink->channels[CHANNEL_COUNTERS]);
	netlink->counters.ended = true;
}
