/*
 * Finds out what this kernel can do, without doing it. Sources: l2tp_netlink.c (request_module
 * "net-l2tp-type-%u"), l2tp_ip.c, kmod's modules.dep(5).
 *
 * Opening a socket of protocol 115, or creating a session of a type, would tell for certain, but
 * would load the module; and once l2tp_ip is loaded, packets of protocol 115 reach sessions of UDP
 * tunnels unchecked. Looking must not change that. So we check whether the module is loaded, or
 * among the files of this kernel. That misses modprobe's blacklists, so the result of a create
 * overrides it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netlink/netlink.h"

struct module {
	enum kernel_capability capability;
	const char *name;
};

static const struct module modules[] = {
	{CAPABILITY_IP, "l2tp_ip"},
	{CAPABILITY_IP6, "l2tp_ip6"},
	{CAPABILITY_ETHERNET, "l2tp_eth"},
	{CAPABILITY_PPP, "l2tp_ppp"},
};

/* The bits of modules named in a list of module files. Lines are "path/name.ko[.xz][: ...]". */
static unsigned int find_modules(FILE *list)
{
	unsigned int found = 0;
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, list) >= 0) {
		char *end = line + strcspn(line, ":\n"), *name;

		*end = '\0';
		name = strrchr(line, '/');
		for (size_t i = 0; name && i < sizeof(modules) / sizeof(modules[0]); i++) {
			size_t length = strlen(modules[i].name);

			if (!strncmp(name + 1, modules[i].name, length) &&
			    !strncmp(name + 1 + length, ".ko", 3))
				found |= modules[i].capability;
		}
	}
	free(line);
	return found;
}

static unsigned int listed_modules(const char *release)
{
	static const char *const names[] = {"modules.dep", "modules.builtin"};
	unsigned int found = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[256];
		FILE *list;

		snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, names[i]);
		list = fopen(path, "re");
		if (!list)
			continue;
		found |= find_modules(list);
		fclose(list);
	}
	return found;
}

static unsigned int loaded_modules(void)
{
	unsigned int found = 0;

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/module/%s", modules[i].name);
		if (!access(path, F_OK))
			found |= modules[i].capability;
	}
	return found;
}

unsigned int netlink_capabilities(struct kernel *kernel)
{
	struct netlink *netlink = netlink_of(kernel);

	if (!netlink->family)
		return 0;
	if (!netlink->capabilities_known) {
		netlink->capabilities =
			CAPABILITY_UDP | loaded_modules() | listed_modules(netlink->host.release);
		netlink->capabilities_known = true;
	}
	return netlink->capabilities;
}

/* The module that a create needs beyond l2tp_core. */
static unsigned int needed(const struct kernel_request *request)
{
	if (request->verb == KERNEL_SESSION_CREATE && request->session)
		return request->session->pseudowire_type == PSEUDOWIRE_PPP ? CAPABILITY_PPP
									   : CAPABILITY_ETHERNET;
	if (request->verb == KERNEL_TUNNEL_CREATE && request->tunnel &&
	    request->tunnel->encapsulation == ENCAPSULATION_IP)
		return request->tunnel->remote_address.family == AF_INET6 ? CAPABILITY_IP6
									  : CAPABILITY_IP;
	return 0;
}

void capabilities_learn(struct netlink *netlink, const struct kernel_request *request)
{
	unsigned int capability = needed(request);

	if (!netlink->capabilities_known || !capability)
		return;
	if (request->result == -EPROTONOSUPPORT)
		netlink->capabilities &= ~capability;
	else if (!request->result)
		netlink->capabilities |= capability;
}
