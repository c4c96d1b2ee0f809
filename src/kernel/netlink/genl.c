/*
 * The l2tp family, single exchanges and dumps. Sources: net/netlink/genetlink.c,
 * net/netlink/af_netlink.c (netlink_dump), net/l2tp/l2tp_netlink.c.
 *
 * Kernel rules handled here: CTRL_CMD_GETFAMILY loads l2tp_netlink by itself; family and group
 * numbers change when the module is loaded again; every l2tp command, even a read, needs
 * CAP_NET_ADMIN, which is checked before the attributes; a dump's error may be in its NLMSG_DONE; a
 * dump of links or addresses may miss some when others come or go meanwhile (6.1 continues by
 * position, not by index), and then sets NLM_F_DUMP_INTR.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel/netlink/attributes.h"
#include "kernel/netlink/netlink.h"

struct nlmsghdr *genl_put_header(const struct netlink *netlink, void *buffer, uint8_t command,
				 uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = netlink->family;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	header->cmd = command;
	header->version = L2TP_GENL_VERSION;
	return message;
}

struct nlmsghdr *route_put_header(void *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	return message;
}

/*
 * Exchanges.
 */

static void take_message(struct netlink *netlink, const struct nlmsghdr *message,
			 struct answer *answer)
{
	int rc;

	if (message->nlmsg_seq != answer->sequence ||
	    message->nlmsg_pid != netlink->channels[answer->use].portid)
		return; /* left from an earlier exchange */
	answer->interrupted = answer->interrupted || (message->nlmsg_flags & NLM_F_DUMP_INTR);
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		rc = message_code(message);
		answer->ended = true;
	} else {
		rc = answer->cb && !answer->result ? answer->cb(netlink, message, answer->arg) : 0;
		answer->ended = !(message->nlmsg_flags & NLM_F_MULTI);
	}
	if (!answer->result)
		answer->result = rc;
}

static void take_datagram(struct netlink *netlink, const char *bytes, int length,
			  struct answer *answer)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;

	message_for_each (message, length) {
		if (!answer->ended)
			take_message(netlink, message, answer);
	}
}

int answer_begin(struct netlink *netlink, struct answer *answer, struct nlmsghdr *message)
{
	answer->sequence = ++netlink->sequence;
	answer->ended = false;
	answer->interrupted = false;
	answer->result = 0;
	message->nlmsg_seq = answer->sequence;
	return channel_send(&netlink->channels[answer->use], message, message->nlmsg_len);
}

int answer_step(struct netlink *netlink, struct answer *answer)
{
	/* Buffers of its own, for the handler may begin another exchange. */
	_Alignas(struct nlmsghdr) char datagram[2 * CHANNEL_DUMP_BYTES];
	int length = channel_receive(&netlink->channels[answer->use], datagram, sizeof(datagram));

	if (length < 0)
		return length == -EAGAIN ? -ENOBUFS : length;
	take_datagram(netlink, datagram, length, answer);
	return 0;
}

int exchange(struct netlink *netlink, enum channel_use use, struct nlmsghdr *message,
	     message_cb *cb, void *arg)
{
	struct answer answer = {.use = use, .cb = cb, .arg = arg};
	int rc = answer_begin(netlink, &answer, message);

	while (!rc && !answer.ended)
		rc = answer_step(netlink, &answer);
	rc = answer.ended ? answer.result : rc;
	return !rc && answer.interrupted ? -EINTR : rc;
}

/*
 * The family.
 */

static uint32_t find_group(const struct nlattr *groups)
{
	const struct nlattr *group, *attribute;

	attribute_for_each_nested (group, groups) {
		const char *name = "";
		uint32_t id = 0;

		attribute_for_each_nested (attribute, group) {
			uint16_t type = attribute_type(attribute);

			if (type == CTRL_ATTR_MCAST_GRP_ID &&
			    mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
				id = mnl_attr_get_u32(attribute);
			else if (type == CTRL_ATTR_MCAST_GRP_NAME &&
				 mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
				name = mnl_attr_get_str(attribute);
		}
		if (!strcmp(name, L2TP_GENL_MCGROUP))
			return id;
	}
	return 0;
}

static int take_family(struct netlink *netlink, const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attribute;

	(void)arg;
	attribute_for_each (attribute, message, GENL_HDRLEN) {
		uint16_t type = attribute_type(attribute);

		if (type == CTRL_ATTR_FAMILY_ID && mnl_attr_validate(attribute, MNL_TYPE_U16) >= 0)
			netlink->family = mnl_attr_get_u16(attribute);
		else if (type == CTRL_ATTR_MCAST_GROUPS)
			netlink->group = find_group(attribute);
	}
	return netlink->family && netlink->group ? 0 : -EPROTO;
}

int genl_resolve(struct netlink *netlink)
{
	struct nlmsghdr *message =
		genl_put_header(netlink, netlink->request, CTRL_CMD_GETFAMILY, 0);

	message->nlmsg_type = GENL_ID_CTRL;
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, L2TP_GENL_NAME);
	netlink->family = 0;
	netlink->group = 0;
	return exchange(netlink, CHANNEL_GENL, message, take_family, NULL);
}

int genl_probe(struct netlink *netlink)
{
	struct nlmsghdr *message =
		genl_put_header(netlink, netlink->request, L2TP_CMD_TUNNEL_GET, NLM_F_ACK);
	int rc = exchange(netlink, CHANNEL_GENL, message, NULL, NULL);

	/* The request names no tunnel, so with permission the answer is -EINVAL. */
	return rc == -EINVAL ? 0 : rc;
}
