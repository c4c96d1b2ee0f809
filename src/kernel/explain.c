/*
 * Kernel errors in words: what was refused, the likely cause, the cure. Sources:
 * net/l2tp/l2tp_netlink.c, l2tp_core.c, l2tp_ip.c, l2tp_ip6.c, net/core/rtnetlink.c. The l2tp
 * family returns only the number.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "model/codec.h"

enum condition { ANY, ON_UDP, ON_IP4, ON_IP6, ON_PPP };

struct explanation {
	enum kernel_verb verb;
	int error;
	enum condition condition;
	const char *text; /* {leaf} stands for that leaf of the session or tunnel */
};

/* The first match counts: a verb's own texts come before ANY. */
/* clang-format off */
static const struct explanation explanations[] = {
	{ KERNEL_TUNNEL_CREATE, EEXIST, ANY,
	  "tunnel-id {tunnel-id} is in use in this network namespace, or a tunnel that had it is "
	  "still being removed; choose another or try again" },
	{ KERNEL_TUNNEL_CREATE, EADDRNOTAVAIL, ANY,
	  "local-address {local-address} is not an address of this host, or has not passed "
	  "duplicate address detection yet" },
	{ KERNEL_TUNNEL_CREATE, ENETUNREACH, ANY,
	  "no route to remote-address {remote-address}; the kernel needs one to create a tunnel" },
	{ KERNEL_TUNNEL_CREATE, EHOSTUNREACH, ANY,
	  "remote-address {remote-address} is unreachable by a route of that type" },
	{ KERNEL_TUNNEL_CREATE, EACCES, ANY,
	  "remote-address {remote-address} is a broadcast address" },
	{ KERNEL_TUNNEL_CREATE, EADDRINUSE, ON_UDP,
	  "UDP port {local-port} of {local-address} is in use by another tunnel or program; each "
	  "tunnel over UDP needs its own local-address and local-port" },
	{ KERNEL_TUNNEL_CREATE, EADDRINUSE, ANY,
	  "another program has an L2TP socket with tunnel-id {tunnel-id} on {local-address}" },
	{ KERNEL_TUNNEL_CREATE, EPROTONOSUPPORT, ON_IP4,
	  "the kernel has no L2TP over IP: try \"modprobe l2tp_ip\" (Fedora and RHEL have it in "
	  "kernel-modules-extra and blacklist it; Linux 6.1 and 6.2 cannot load it by themselves)" },
	{ KERNEL_TUNNEL_CREATE, EPROTONOSUPPORT, ON_IP6,
	  "the kernel has no L2TP over IPv6: try \"modprobe l2tp_ip6\" (Fedora and RHEL have it in "
	  "kernel-modules-extra and blacklist it; Linux 6.1 and 6.2 cannot load it by themselves)" },
	{ KERNEL_TUNNEL_CREATE, EAFNOSUPPORT, ANY,
	  "this host has no such IP version; is IPv6 disabled (ipv6.disable)?" },
	{ KERNEL_TUNNEL_CREATE, EINVAL, ANY,
	  "the kernel refused the tunnel's attributes; are local-address {local-address} and "
	  "remote-address {remote-address} of one IP version, and usable?" },
	{ KERNEL_SESSION_CREATE, EEXIST, ANY,
	  "session-id {session-id} or interface name \"{interface-name}\" is in use in this network "
	  "namespace (the kernel does not say which), or is still being removed; choose another "
	  "or try again" },
	{ KERNEL_SESSION_CREATE, ENODEV, ANY,
	  "tunnel {tunnel-id} is not in the kernel, or is being removed" },
	{ KERNEL_SESSION_CREATE, EPROTONOSUPPORT, ON_PPP,
	  "the kernel has no PPP pseudowires: try \"modprobe l2tp_ppp\" (Fedora and RHEL have it in "
	  "kernel-modules-extra and blacklist it), or tunnel {tunnel-id} is not L2TPv3" },
	{ KERNEL_SESSION_CREATE, EPROTONOSUPPORT, ANY,
	  "the kernel has no Ethernet pseudowires: try \"modprobe l2tp_eth\" (Fedora and RHEL have "
	  "it in kernel-modules-extra and blacklist it), or tunnel {tunnel-id} is not L2TPv3" },
	{ KERNEL_SESSION_CREATE, EINVAL, ANY,
	  "the kernel refused the session's attributes; is interface name \"{interface-name}\" "
	  "allowed?" },
	{ KERNEL_SESSION_MODIFY, ENODEV, ANY,
	  "session {session-id} of tunnel {tunnel-id} is not in the kernel" },
	{ KERNEL_SESSION_DELETE, ENODEV, ANY,
	  "session {session-id} of tunnel {tunnel-id} is not in the kernel" },
	{ KERNEL_SESSION_GET, ENODEV, ANY,
	  "session {session-id} of tunnel {tunnel-id} is not in the kernel" },
	{ KERNEL_TUNNEL_DELETE, ENODEV, ANY, "tunnel {tunnel-id} is not in the kernel" },
	{ KERNEL_TUNNEL_GET, ENODEV, ANY, "tunnel {tunnel-id} is not in the kernel" },
	{ KERNEL_LINK_SET, ENODEV, ANY,
	  "interface \"{interface-name}\" is not there, or the bridge or VRF that it joins is not" },
	{ KERNEL_LINK_SET, EOPNOTSUPP, ANY, "\"{bridge}\" is not a bridge" },
	{ KERNEL_LINK_SET, EBUSY, ANY,
	  "interface \"{interface-name}\" is up, and its mac-address can be set only while it is "
	  "down; or it is already a port of something else" },
	{ KERNEL_LINK_SET, EINVAL, ANY,
	  "interface \"{interface-name}\" does not take these settings (mtu, mac-address, bridge, vrf)" },
	{ KERNEL_LINK_SET, EADDRNOTAVAIL, ANY, "{mac-address} is not a MAC address to have" },
	{ KERNEL_VLAN_CREATE, EEXIST, ANY,
	  "vlan-id {vlan-id} is on \"{interface-name}\" already, or an interface has the name" },
	{ KERNEL_VLAN_CREATE, EOPNOTSUPP, ANY,
	  "the kernel has no 802.1Q: try \"modprobe 8021q\"" },
	{ KERNEL_VLAN_CREATE, ENODEV, ANY, "interface \"{interface-name}\" is not there" },
	{ KERNEL_LINK_DELETE, EOPNOTSUPP, ANY,
	  "an L2TP interface goes with its session and cannot be deleted as a link" },
};

static const struct {
	int error;
	const char *text;
} common[] = {
	{ EPERM, "CAP_NET_ADMIN is needed in this network namespace" },
	{ ENOENT, "the kernel has no L2TP, or it was unloaded: try \"modprobe l2tp_netlink\"" },
	{ EIO, "the kernel's reply was lost" },
	{ ENOMEM, "the kernel has no memory for it" },
	{ ENOBUFS, "the kernel has no memory for it" },
};
/* clang-format on */

static bool on_ip(const struct tunnel *tunnel, uint8_t family)
{
	return tunnel && tunnel->encapsulation == ENCAPSULATION_IP &&
	       tunnel->remote_address.family == family;
}

static bool fits(enum condition condition, const struct tunnel *tunnel,
		 const struct session *session)
{
	switch (condition) {
	case ANY:
		return true;
	case ON_UDP:
		return tunnel && tunnel->encapsulation == ENCAPSULATION_UDP;
	case ON_IP4:
		return on_ip(tunnel, AF_INET);
	case ON_IP6:
		return on_ip(tunnel, AF_INET6);
	case ON_PPP:
		return session && session->pseudowire_type == PSEUDOWIRE_PPP;
	}
	return false;
}

static const char *find_text(enum kernel_verb verb, int error, const struct tunnel *tunnel,
			     const struct session *session)
{
	for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++) {
		if (explanations[i].verb == verb && explanations[i].error == error &&
		    fits(explanations[i].condition, tunnel, session))
			return explanations[i].text;
	}
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
		if (common[i].error == error)
			return common[i].text;
	}
	return "the kernel refused it";
}

/* The value of the leaf named in "{leaf}..."; "?" when its object was not given. */
static void print_leaf(const char *name, size_t length, const struct tunnel *tunnel,
		       const struct session *session, char ret[VALUE_TEXT_MAX])
{
	const struct row *row = row_by_leaf(OBJECT_SESSION, name, length);
	const void *object = session;

	if (!row) {
		row = row_by_leaf(OBJECT_TUNNEL, name, length);
		object = tunnel;
	}
	snprintf(ret, VALUE_TEXT_MAX, "?");
	if (row && object)
		codec_print(row, object, ret);
}

int kernel_explain(enum kernel_verb verb, int error, const struct tunnel *tunnel,
		   const struct session *session, char ret[KERNEL_EXPLAIN_MAX])
{
	const char *text = find_text(verb, -error, tunnel, session);
	size_t length = 0;

	while (*text && length < KERNEL_EXPLAIN_MAX - 1) {
		char value[VALUE_TEXT_MAX];
		size_t run = strcspn(text, "{");

		length += (size_t)snprintf(ret + length, KERNEL_EXPLAIN_MAX - length, "%.*s",
					   (int)run, text);
		text += run;
		if (*text == '\0' || length >= KERNEL_EXPLAIN_MAX - 1)
			break;
		run = strcspn(++text, "}");
		print_leaf(text, run, tunnel, session, value);
		length += (size_t)snprintf(ret + length, KERNEL_EXPLAIN_MAX - length, "%s", value);
		text += run + 1;
	}
	if (length < KERNEL_EXPLAIN_MAX)
		length += (size_t)snprintf(ret + length, KERNEL_EXPLAIN_MAX - length, " (%s)",
					   strerror(-error));
	return (int)(length < KERNEL_EXPLAIN_MAX ? length : KERNEL_EXPLAIN_MAX - 1);
}
