/*
 * Address and route messages. Sources: net/ipv4/devinet.c, net/ipv4/route.c (inet_rtm_getroute),
 * net/ipv6/addrconf.c (inet6_rtm_getaddr), net/ipv6/route.c (inet6_rtm_getroute).
 *
 * Kernel rules handled here: on a point-to-point link IFA_ADDRESS is the peer's address, and
 * IFA_LOCAL ours; flags beyond 8 bits are in IFA_FLAGS; an optimistic address is tentative, but
 * usable.
 */
#include "kernel/netlink/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/netlink/attributes.h"
#include "model/codec.h"

static int decode_bytes(const struct nlattr *attribute, struct address *address)
{
	size_t length = address_length(address);

	if (attribute_length(attribute) != length)
		return -EPROTO;
	memcpy(address->bytes, attribute_bytes(attribute), length);
	return 0;
}

static int decode_u32(const struct nlattr *attribute, uint32_t *ret)
{
	if (attribute_length(attribute) != sizeof(*ret))
		return -EPROTO;
	*ret = mnl_attr_get_u32(attribute);
	return 0;
}

int address_decode(const struct nlmsghdr *message, struct interface_address *ret)
{
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct interface_address address = {0};
	const struct nlattr *attribute;
	bool local = false;
	int rc = 0;

	if (!has_header(message, sizeof(*header)))
		return -EPROTO;
	address.address.family = header->ifa_family;
	address.index = header->ifa_index;
	address.flags = header->ifa_flags;
	address.scope = header->ifa_scope;
	if (address_length(&address.address) == 0)
		return -ENOMSG;
	attribute_for_each (attribute, message, sizeof(*header)) {
		uint16_t type = attribute_type(attribute);

		if (type == IFA_FLAGS)
			rc = decode_u32(attribute, &address.flags);
		else if (type == IFA_LOCAL || (type == IFA_ADDRESS && !local))
			rc = decode_bytes(attribute, &address.address);
		if (rc)
			return rc;
		local = local || type == IFA_LOCAL;
	}
	*ret = address;
	return 0;
}

enum kernel_address_state address_state_of(const struct interface_address *address)
{
	const uint32_t flags = address->flags;

	if (flags & IFA_F_DADFAILED)
		return ADDRESS_DUPLICATE;
	if (flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC))
		return ADDRESS_TENTATIVE;
	return ADDRESS_READY;
}

enum address_fitness address_fitness(const struct interface_address *address)
{
	/* IFA_F_TEMPORARY (RFC 8981) and IFA_F_SECONDARY (IPv4) are the same bit. */
	const uint32_t passing = address->address.family == AF_INET6
					 ? IFA_F_TEMPORARY | IFA_F_DEPRECATED
					 : IFA_F_DEPRECATED;

	if (address->scope != RT_SCOPE_UNIVERSE)
		return ADDRESS_UNFIT;
	if (address_state_of(address) != ADDRESS_READY)
		return ADDRESS_UNUSABLE;
	return address->flags & passing ? ADDRESS_PASSING : ADDRESS_FIT;
}

static int decode_metrics(const struct nlattr *nest, uint32_t *ret_mtu)
{
	const struct nlattr *attribute;

	attribute_for_each_nested (attribute, nest) {
		if (attribute_type(attribute) == RTAX_MTU)
			return decode_u32(attribute, ret_mtu);
	}
	return 0;
}

int route_decode(const struct nlmsghdr *message, struct route *ret)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attribute;
	struct route route = {0};
	int rc = 0;

	if (!has_header(message, sizeof(*header)))
		return -EPROTO;
	route.type = header->rtm_type;
	route.flags = header->rtm_flags;
	attribute_for_each (attribute, message, sizeof(*header)) {
		uint16_t type = attribute_type(attribute);

		if (type == RTA_OIF) {
			rc = decode_u32(attribute, &route.link);
		} else if (type == RTA_PREFSRC) {
			route.source.family = header->rtm_family;
			rc = decode_bytes(attribute, &route.source);
		} else if (type == RTA_GATEWAY) {
			route.gateway.family = header->rtm_family;
			rc = decode_bytes(attribute, &route.gateway);
		} else if (type == RTA_METRICS) {
			rc = decode_metrics(attribute, &route.mtu);
		}
		if (rc)
			return rc;
	}
	*ret = route;
	return 0;
}

static int put_address(struct nlmsghdr *message, size_t size, uint16_t type,
		       const struct address *address)
{
	size_t length = address_length(address);

	if (length == 0)
		return -EAFNOSUPPORT;
	return mnl_attr_put_check(message, size, type, length, address->bytes) ? 0 : -EMSGSIZE;
}

int address_put_dump(struct nlmsghdr *message, size_t size, uint8_t family, unsigned int index)
{
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	(void)size;
	header->ifa_family = family;
	header->ifa_index = index;
	return 0;
}

int address_put_get6(struct nlmsghdr *message, size_t size, const struct address *address)
{
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->ifa_family = AF_INET6;
	return put_address(message, size, IFA_LOCAL, address);
}

static bool put_ports(struct nlmsghdr *message, size_t size, const struct tunnel *tunnel)
{
	return mnl_attr_put_u8_check(message, size, RTA_IP_PROTO, IPPROTO_UDP) &&
	       mnl_attr_put_u16_check(message, size, RTA_SPORT, htons(tunnel->local_port)) &&
	       mnl_attr_put_u16_check(message, size, RTA_DPORT, htons(tunnel->remote_port));
}

int route_put_get(struct nlmsghdr *message, size_t size, const struct route_question *question)
{
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	int rc;

	header->rtm_family = question->to->family;
	header->rtm_dst_len = (unsigned char)(8 * address_length(question->to));
	header->rtm_flags = question->as_configured ? RTM_F_FIB_MATCH : 0;
	rc = put_address(message, size, RTA_DST, question->to);
	if (!rc && question->from) {
		header->rtm_src_len = (unsigned char)(8 * address_length(question->from));
		rc = put_address(message, size, RTA_SRC, question->from);
	}
	if (!rc && question->link &&
	    !mnl_attr_put_u32_check(message, size, RTA_OIF, question->link))
		rc = -EMSGSIZE;
	if (!rc && question->ports && !put_ports(message, size, question->ports))
		rc = -EMSGSIZE;
	return rc;
}
