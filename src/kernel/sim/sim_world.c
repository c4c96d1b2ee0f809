/* The simulated kernel's surroundings: addresses, routes, ports of other programs. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/sim/simulated.h"
#include "model/codec.h"

static unsigned int bits_of(const struct address *address)
{
	return (unsigned int)(8 * address_length(address));
}

static bool same_address(const struct address *a, const struct address *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static bool covers(const struct sim_prefix *prefix, const struct address *address)
{
	unsigned int whole = prefix->length / 8, rest = prefix->length % 8;

	if (prefix->address.family != address->family ||
	    memcmp(prefix->address.bytes, address->bytes, whole))
		return false;
	return rest == 0 ||
	       (prefix->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

static int parse_address(const char *text, struct address *ret)
{
	struct address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};

	if (inet_pton(address.family, text, address.bytes) != 1)
		return -EINVAL;
	*ret = address;
	return 0;
}

static int parse_prefix(const char *text, struct sim_prefix *ret)
{
	char address[INET6_ADDRSTRLEN] = "";
	size_t length = strcspn(text, "/");
	int rc;

	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	rc = parse_address(address, &ret->address);
	if (rc)
		return rc;
	ret->length = text[length] ? (unsigned int)strtoul(text + length + 1, NULL, 10)
				   : bits_of(&ret->address);
	return ret->length <= bits_of(&ret->address) ? 0 : -EINVAL;
}

/* Lookups. */

static struct sim_address *find_address(const struct sim *sim, const struct address *address)
{
	struct sim_address *entry;

	TAILQ_FOREACH (entry, &sim->addresses, entry) {
		if (same_address(&entry->prefix.address, address))
			return entry;
	}
	return NULL;
}

/* The VRF that a link is or belongs to; 0: none. */
static unsigned int vrf_of(struct sim *sim, unsigned int link_index)
{
	const struct sim_link *link = sim_link_by_index(sim, link_index);
	const struct sim_link *master = link ? sim_link_by_index(sim, link->link.master) : NULL;

	if (link && link->link.vrf)
		return link->link.index;
	return master && master->link.vrf ? master->link.index : 0;
}

/* The most specific route, given or of an address, outside of VRFs. */
static bool find_route(struct sim *sim, const struct address *to, struct sim_route *ret)
{
	const struct sim_address *address;
	const struct sim_route *route;
	bool found = false;

	*ret = (struct sim_route){0};
	TAILQ_FOREACH (route, &sim->routes, entry) {
		if (covers(&route->prefix, to) &&
		    (!found || route->prefix.length > ret->prefix.length)) {
			*ret = *route;
			found = true;
		}
	}
	TAILQ_FOREACH (address, &sim->addresses, entry) {
		if (covers(&address->prefix, to) && !vrf_of(sim, address->link_index) &&
		    (!found || address->prefix.length > ret->prefix.length)) {
			*ret = (struct sim_route){.prefix = address->prefix,
						  .link_index = address->link_index,
						  .source = address->prefix.address};
			found = true;
		}
	}
	return found;
}

static enum kernel_address_state state_of(const struct sim_address *address)
{
	switch (address->mark) {
	case SIM_TENTATIVE:
		return ADDRESS_TENTATIVE;
	case SIM_DUPLICATE:
		return ADDRESS_DUPLICATE;
	default:
		return ADDRESS_READY;
	}
}

enum kernel_address_state sim_address_state(struct kernel *kernel, const struct address *address,
					    unsigned int vrf)
{
	struct sim *sim = sim_of(kernel);
	const struct sim_address *entry = find_address(sim, address);

	if (!entry || (state_of(entry) == ADDRESS_READY && vrf_of(sim, entry->link_index) != vrf))
		return ADDRESS_ABSENT;
	return state_of(entry);
}

/* As in kernel.h; the kernel's own choice for an interface is the first. */
static unsigned int rank_of(const struct sim_address *address, const struct address *last,
			    const struct address *preferred)
{
	unsigned int unfit = address->mark == SIM_DEPRECATED      ? 1
			     : state_of(address) != ADDRESS_READY ? 2
								  : 0;

	return 3 * unfit + (same_address(&address->prefix.address, last)        ? 0
			    : same_address(&address->prefix.address, preferred) ? 1
										: 2);
}

int sim_interface_address(struct kernel *kernel, const char *interface,
			  const struct address *remote, struct address *ret)
{
	struct sim *sim = sim_of(kernel);
	const struct sim_link *link = sim_link_by_name(sim, interface);
	const struct sim_address *entry, *best = NULL;
	const struct address last = *ret;
	struct sim_route route;

	if (!link)
		return -ENODEV;
	find_route(sim, remote, &route);
	TAILQ_FOREACH (entry, &sim->addresses, entry) {
		/* addresses of lo have host scope */
		if (entry->link_index == link->link.index && strcmp(interface, "lo") != 0 &&
		    entry->prefix.address.family == remote->family &&
		    (!best ||
		     rank_of(entry, &last, &route.source) < rank_of(best, &last, &route.source)))
			best = entry;
	}
	if (!best)
		return -EADDRNOTAVAIL;
	*ret = best->prefix.address;
	return state_of(best) == ADDRESS_READY ? 0 : -EAGAIN;
}

int sim_interface_has(struct kernel *kernel, const char *interface, const struct address *address)
{
	struct sim *sim = sim_of(kernel);
	const struct sim_link *link = sim_link_by_name(sim, interface);
	const struct sim_address *entry;

	if (!link)
		return -ENODEV;
	TAILQ_FOREACH (entry, &sim->addresses, entry) {
		if (entry->link_index == link->link.index &&
		    same_address(&entry->prefix.address, address))
			return 0;
	}
	return -EADDRNOTAVAIL;
}

/* The last IPv4 address of the prefix of an interface. */
static bool is_broadcast(const struct sim *sim, const struct address *address)
{
	const struct sim_address *entry;

	TAILQ_FOREACH (entry, &sim->addresses, entry) {
		unsigned int zeros = 0;

		if (address->family != AF_INET || entry->prefix.length > 30 ||
		    !covers(&entry->prefix, address))
			continue;
		for (unsigned int bit = entry->prefix.length; bit < 32; bit++)
			zeros += !(address->bytes[bit / 8] & (0x80 >> bit % 8));
		if (zeros == 0)
			return true;
	}
	return false;
}

static bool is_local(struct sim *sim, const struct address *address)
{
	return sim_address_state(&sim->kernel, address, 0) != ADDRESS_ABSENT;
}

int sim_route(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_route *ret)
{
	const struct address *local = &tunnel->local_address, *remote = &tunnel->remote_address;
	struct sim *sim = sim_of(kernel);
	const struct sim_link *link;
	struct sim_route route;

	*ret = (struct kernel_route){0};
	if (local->family == AF_INET && !address_is_unspecified(local) && !is_local(sim, local))
		return -ENETUNREACH;
	if (is_local(sim, remote) || is_broadcast(sim, remote))
		return 0;
	if (!find_route(sim, remote, &route))
		return -ENETUNREACH;
	link = sim_link_by_index(sim, route.link_index);
	if (route.error == 0 && link)
		*ret = (struct kernel_route){.link = route.link_index, .down = !link->link.carrier};
	return route.error;
}

int sim_path(struct kernel *kernel, const struct tunnel *tunnel, struct kernel_path *ret)
{
	struct sim *sim = sim_of(kernel);
	struct sim_route route = {0};
	struct kernel_route configured;
	int rc = sim_route(kernel, tunnel, &configured);

	if (rc)
		return rc;
	find_route(sim, &tunnel->remote_address, &route);
	*ret = (struct kernel_path){.link = route.link_index, .source = route.source};
	return 0;
}

int sim_check_bind(struct sim *sim, const struct tunnel *tunnel)
{
	if (sim_address_state(&sim->kernel, &tunnel->local_address, 0) == ADDRESS_READY)
		return 0;
	/* net/l2tp/l2tp_ip.c ignores the sysctl */
	return sim->nonlocal_bind && tunnel->encapsulation == ENCAPSULATION_UDP ? 0
										: -EADDRNOTAVAIL;
}

int sim_check_connect(struct sim *sim, const struct tunnel *tunnel)
{
	struct kernel_route route;
	int rc = sim_route(&sim->kernel, tunnel, &route);

	if (sim->routeless)
		rc = 0;
	if (!rc && is_broadcast(sim, &tunnel->remote_address))
		return -EACCES;
	return rc;
}

unsigned int sim_path_mtu(struct sim *sim, const struct address *remote)
{
	const struct sim_link *link = NULL;
	struct sim_route route;

	if (find_address(sim, remote))
		link = sim_link_by_name(sim, "lo");
	else if (find_route(sim, remote, &route))
		link = sim_link_by_index(sim, route.link_index);
	return link ? link->link.mtu : 1500;
}

bool sim_port_busy(struct sim *sim, const struct address *address, uint16_t port)
{
	static const struct address any;
	const struct sim_port *entry;

	TAILQ_FOREACH (entry, &sim->ports, entry) {
		if (entry->port == port && entry->address.family == address->family &&
		    (same_address(&entry->address, address) ||
		     !memcmp(entry->address.bytes, any.bytes, sizeof(any.bytes))))
			return true;
	}
	return false;
}

/*
 * Controls.
 */

int sim_add_address(struct kernel *kernel, const char *link_name, const char *prefix,
		    bool tentative)
{
	struct sim *sim = sim_of(kernel);
	const struct sim_link *link = sim_link_by_name(sim, link_name);
	struct sim_address *entry;
	struct sim_prefix parsed;

	if (parse_prefix(prefix, &parsed))
		return -EINVAL;
	if (!link)
		return -ENODEV;
	if (find_address(sim, &parsed.address))
		return -EEXIST;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->prefix = parsed;
	entry->link_index = link->link.index;
	entry->mark = tentative ? SIM_TENTATIVE : SIM_PLAIN;
	if (parsed.address.family == AF_INET6) /* net/ipv6/addrconf.c ipv6_link_dev_addr() */
		TAILQ_INSERT_HEAD(&sim->addresses, entry, entry);
	else
		TAILQ_INSERT_TAIL(&sim->addresses, entry, entry);
	sim_tell(sim, KERNEL_EVENT_ADDRESS, 0, 0);
	sim_tell(sim, KERNEL_EVENT_ROUTE, 0, 0);
	return 0;
}

static struct sim_address *named_address(struct sim *sim, const char *prefix)
{
	struct sim_prefix parsed;

	return parse_prefix(prefix, &parsed) ? NULL : find_address(sim, &parsed.address);
}

int sim_remove_address(struct kernel *kernel, const char *prefix)
{
	struct sim *sim = sim_of(kernel);
	struct sim_address *entry = named_address(sim, prefix);

	if (!entry)
		return -ENOENT;
	TAILQ_REMOVE(&sim->addresses, entry, entry);
	free(entry);
	sim_tell(sim, KERNEL_EVENT_ADDRESS, 0, 0);
	sim_tell(sim, KERNEL_EVENT_ROUTE, 0, 0);
	return 0;
}

int sim_mark_address(struct kernel *kernel, const char *prefix, enum sim_mark mark)
{
	struct sim *sim = sim_of(kernel);
	struct sim_address *entry = named_address(sim, prefix);

	if (!entry)
		return -ENOENT;
	entry->mark = mark;
	sim_tell(sim, KERNEL_EVENT_ADDRESS, 0, 0);
	return 0;
}

static struct sim_route *named_route(const struct sim *sim, const struct sim_prefix *prefix)
{
	struct sim_route *entry;

	TAILQ_FOREACH (entry, &sim->routes, entry) {
		if (entry->prefix.length == prefix->length &&
		    same_address(&entry->prefix.address, &prefix->address))
			return entry;
	}
	return NULL;
}

int sim_add_route(struct kernel *kernel, const char *prefix, int error)
{
	struct sim *sim = sim_of(kernel);
	struct sim_route *entry;
	struct sim_prefix parsed;

	if (parse_prefix(prefix, &parsed))
		return -EINVAL;
	if (named_route(sim, &parsed))
		return -EEXIST;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->prefix = parsed;
	entry->error = error;
	TAILQ_INSERT_TAIL(&sim->routes, entry, entry);
	sim_tell(sim, KERNEL_EVENT_ROUTE, 0, 0);
	return 0;
}

/* The route of that textual prefix. -EINVAL, -ENOENT. */
static int route_of_text(struct sim *sim, const char *prefix, struct sim_route **ret)
{
	struct sim_prefix parsed;

	if (parse_prefix(prefix, &parsed))
		return -EINVAL;
	*ret = named_route(sim, &parsed);
	return *ret ? 0 : -ENOENT;
}

int sim_set_source(struct kernel *kernel, const char *prefix, const char *source)
{
	struct sim *sim = sim_of(kernel);
	struct sim_route *entry;
	int rc = route_of_text(sim, prefix, &entry);

	if (rc)
		return rc;
	sim_tell(sim, KERNEL_EVENT_ROUTE, 0, 0);
	return parse_address(source, &entry->source);
}

void sim_allow_nonlocal_bind(struct kernel *kernel, bool allow)
{
	sim_of(kernel)->nonlocal_bind = allow;
}

void sim_need_no_route(struct kernel *kernel)
{
	sim_of(kernel)->routeless = true;
}

int sim_remove_route(struct kernel *kernel, const char *prefix)
{
	struct sim *sim = sim_of(kernel);
	struct sim_route *entry;
	int rc = route_of_text(sim, prefix, &entry);

	if (rc)
		return rc;
	TAILQ_REMOVE(&sim->routes, entry, entry);
	free(entry);
	sim_tell(sim, KERNEL_EVENT_ROUTE, 0, 0);
	return 0;
}

int sim_set_port(struct kernel *kernel, const char *address, uint16_t port, bool busy)
{
	struct sim *sim = sim_of(kernel);
	struct address parsed;
	struct sim_port *entry;

	if (parse_address(address, &parsed))
		return -EINVAL;
	TAILQ_FOREACH (entry, &sim->ports, entry) {
		if (entry->port == port && same_address(&entry->address, &parsed))
			break;
	}
	if (!busy && entry) {
		TAILQ_REMOVE(&sim->ports, entry, entry);
		free(entry);
	} else if (busy && !entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->address = parsed;
		entry->port = port;
		TAILQ_INSERT_TAIL(&sim->ports, entry, entry);
	}
	return 0;
}

int sim_world_open(struct sim *sim)
{
	static const char *const addresses[] = {"192.0.2.1/24", "198.51.100.1/24", "203.0.113.1/24",
						"10.0.0.1/8", "2001:db8::1/32"};
	struct kernel *kernel = &sim->kernel;
	int rc = 0;

	TAILQ_INIT(&sim->addresses);
	TAILQ_INIT(&sim->routes);
	TAILQ_INIT(&sim->ports);
	if (sim_add_link(kernel, "lo", false) || sim_add_link(kernel, "eth0", false))
		return -ENOMEM;
	sim_link_by_name(sim, "lo")->link.up = true;
	sim_link_by_name(sim, "eth0")->link.up = true;
	sim_link_by_name(sim, "lo")->link.mtu = 65536;
	sim_link_by_name(sim, "lo")->link.mac = (struct mac){0};
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]) && !rc; i++)
		rc = sim_add_address(kernel, "eth0", addresses[i], false);
	if (!rc)
		rc = sim_add_address(kernel, "lo", "127.0.0.1/8", false);
	if (!rc)
		rc = sim_add_address(kernel, "lo", "::1/128", false);
	if (!rc)
		rc = sim_add_route(kernel, "0.0.0.0/0", 0);
	return rc ? rc : sim_add_route(kernel, "::/0", 0);
}

void sim_world_close(struct sim *sim)
{
	struct sim_address *address;
	struct sim_route *route;
	struct sim_port *port;

	while ((address = TAILQ_FIRST(&sim->addresses))) {
		TAILQ_REMOVE(&sim->addresses, address, entry);
		free(address);
	}
	while ((route = TAILQ_FIRST(&sim->routes))) {
		TAILQ_REMOVE(&sim->routes, route, entry);
		free(route);
	}
	while ((port = TAILQ_FIRST(&sim->ports))) {
		TAILQ_REMOVE(&sim->ports, port, entry);
		free(port);
	}
}
