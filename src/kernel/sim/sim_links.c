/*
 * Links of the simulated kernel, behaving as in net/core/rtnetlink.c, net/8021q and drivers: VLANs
 * go down, come up and are deleted with the link below.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sim/simulated.h"

#define MTU_MAX     65535
#define VLAN_ID_MAX 4094

static int compare_index(const struct sim_link *a, const struct sim_link *b)
{
	return a->link.index < b->link.index ? -1 : a->link.index > b->link.index;
}

static int compare_name(const struct sim_link *a, const struct sim_link *b)
{
	return strcmp(a->link.name, b->link.name);
}

SIM_TREE(sim_links_by_index, sim_link, by_index, compare_index)
SIM_TREE(sim_links_by_name, sim_link, by_name, compare_name)

struct sim_link *sim_link_by_index(struct sim *sim, unsigned int index)
{
	const struct sim_link key = {.link = {.index = index}};

	return RB_FIND(sim_links_by_index, &sim->links_by_index, (struct sim_link *)&key);
}

static bool has_alternative(const struct sim_link *link, const char *name)
{
	for (const char *at = link->alternatives; *at; at += strlen(at) + 1)
		if (!strcmp(at, name))
			return true;
	return false;
}

/* Find a link by any of its names, as net/core/dev.c netdev_name_node_lookup(). */
struct sim_link *sim_link_by_name(struct sim *sim, const char *name)
{
	struct sim_link key = {0}, *link;

	if (strlen(name) > IFNAME_LENGTH)
		return NULL;
	memcpy(key.link.name, name, strlen(name));
	link = RB_FIND(sim_links_by_name, &sim->links_by_name, &key);
	if (link || !sim->alternatives)
		return link;
	RB_FOREACH (link, sim_links_by_index, &sim->links_by_index)
		if (has_alternative(link, name))
			return link;
	return NULL;
}

/* net/core/dev.c dev_valid_name(), and the sysctl folders "all" and "default" */
static bool valid_name(const char *name)
{
	if (!name[0] || strlen(name) > IFNAME_LENGTH || strchr(name, '%'))
		return false;
	if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "all") ||
	    !strcmp(name, "default"))
		return false;
	for (; *name; name++) {
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name))
			return false;
	}
	return true;
}

static void choose_name(struct sim *sim, char ret[IFNAME_LENGTH + 1])
{
	unsigned int n = 0;

	do {
		snprintf(ret, IFNAME_LENGTH + 1, "l2tpeth%u", n++);
	} while (sim_link_by_name(sim, ret));
}

static struct mac random_mac(struct sim *sim)
{
	struct mac mac;

	for (size_t i = 0; i < sizeof(mac.bytes); i++) {
		sim->random = sim->random * UINT64_C(6364136223846793005) + 1442695040888963407;
		mac.bytes[i] = (uint8_t)(sim->random >> 56);
	}
	mac.bytes[0] = (uint8_t)((mac.bytes[0] & 0xfc) | 0x02);
	return mac;
}

int sim_make_link(struct sim *sim, const char *name, unsigned int mtu, struct sim_link **ret)
{
	struct sim_link *link;

	if (name[0] && !valid_name(name))
		return -EINVAL;
	if (name[0] && sim_link_by_name(sim, name))
		return -EEXIST;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	if (name[0])
		memcpy(link->link.name, name, strlen(name));
	else
		choose_name(sim, link->link.name);
	link->link.index = ++sim->last_index;
	link->link.mtu = mtu;
	link->link.mac = random_mac(sim);
	link->link.carrier = true;
	LIST_INIT(&link->uppers);
	RB_INSERT(sim_links_by_index, &sim->links_by_index, link);
	RB_INSERT(sim_links_by_name, &sim->links_by_name, link);
	sim->population.links++;
	*ret = link;
	return 0;
}

static void remove_link(struct sim *sim, struct sim_link *link)
{
	RB_REMOVE(sim_links_by_index, &sim->links_by_index, link);
	RB_REMOVE(sim_links_by_name, &sim->links_by_name, link);
	sim->population.links--;
	free(link->alias);
	free(link);
}

void sim_drop_link(struct sim *sim, struct sim_link *link)
{
	while (!LIST_EMPTY(&link->uppers))
		sim_drop_link(sim, LIST_FIRST(&link->uppers));
	if (link->parent)
		LIST_REMOVE(link, sibling);
	if (link->link.up) {
		link->link.up = false;
		sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	}
	sim_tell_link(sim, KERNEL_EVENT_LINK_GONE, link);
	remove_link(sim, link);
}

void sim_links_close(struct sim *sim)
{
	struct sim_link *link;

	while ((link = RB_MIN(sim_links_by_index, &sim->links_by_index)))
		remove_link(sim, link);
}

/*
 * Requests.
 */

static struct sim_link *select_link(struct sim *sim, const struct kernel_link *by)
{
	return by->name[0] ? sim_link_by_name(sim, by->name) : sim_link_by_index(sim, by->index);
}

/* vlan_dev_inherit_address(): while up, a MAC that was not set follows that of the link below. */
static void inherit_mac(struct sim_link *link)
{
	if (link->parent && link->link.up && !link->own_mac)
		link->link.mac = link->parent->link.mac;
}

static int set_up(struct sim *sim, struct sim_link *link, bool up)
{
	struct sim_link *upper;

	if (link->link.up == up)
		return 0;
	if (up && link->parent && !link->parent->link.up)
		return -ENETDOWN;
	link->link.up = up;
	inherit_mac(link);
	LIST_FOREACH (upper, &link->uppers, sibling) {
		upper->link.up = up;
		inherit_mac(upper);
		sim_watch_port(upper);
		sim_tell_link(sim, KERNEL_EVENT_LINK, upper);
	}
	return 0;
}

static int set_mtu(struct sim_link *link, unsigned int mtu)
{
	struct sim_link *upper;

	if (mtu > MTU_MAX)
		return -EINVAL;
	if (link->parent && mtu > link->parent->link.mtu)
		return -ERANGE;
	link->link.mtu = mtu;
	LIST_FOREACH (upper, &link->uppers, sibling) {
		if (upper->link.mtu > mtu)
			upper->link.mtu = mtu;
	}
	return 0;
}

static int set_mac(struct sim_link *link, const struct mac *mac)
{
	static const struct mac zero;
	struct sim_link *upper;

	if (link->link.up && !link->parent)
		return -EBUSY; /* eth_prepare_mac_addr_change() */
	if (mac->bytes[0] & 1 || !memcmp(mac, &zero, sizeof(zero)))
		return -EADDRNOTAVAIL;
	link->link.mac = *mac;
	link->own_mac = true;
	LIST_FOREACH (upper, &link->uppers, sibling)
		inherit_mac(upper);
	return 0;
}

/* net/core/dev.c dev_set_alias() */
static int set_alias(struct sim_link *link, const char *alias)
{
	char *copy = alias && alias[0] ? strndup(alias, ALIAS_BYTES) : NULL;

	if (copy && strlen(copy) == ALIAS_BYTES) {
		free(copy);
		return -ERANGE;
	}
	free(link->alias);
	link->alias = copy;
	return 0;
}

static int set_master(struct sim *sim, struct sim_link *link, unsigned int master)
{
	const struct sim_link *joined = sim_link_by_index(sim, master);

	if (link->link.master == master)
		return 0;
	link->link.master = 0; /* it leaves the old one before the kernel looks for the new one */
	if (master && !joined)
		return -EINVAL;
	if (master && !joined->bridge && !joined->link.vrf)
		return -EOPNOTSUPP;
	link->link.master = master;
	if (master)
		sim_begin_port(link);
	return 0;
}

static int set_name(struct sim *sim, struct sim_link *link, const char *name)
{
	if (!valid_name(name))
		return -EINVAL;
	if (sim_link_by_name(sim, name))
		return -EEXIST;
	RB_REMOVE(sim_links_by_name, &sim->links_by_name, link);
	memset(link->link.name, 0, sizeof(link->link.name));
	memcpy(link->link.name, name, strlen(name));
	RB_INSERT(sim_links_by_name, &sim->links_by_name, link);
	return 0;
}

static int apply(struct sim *sim, struct sim_link *link, const struct kernel_request *request)
{
	const struct kernel_link *wanted = &request->link;
	int rc = 0;

	/* as in 6.1; later net/core/dev.c dev_change_name() accepts links that are up */
	if (request->link_set & LINK_NAME)
		rc = link->link.up ? -EBUSY : set_name(sim, link, wanted->name);
	if (!rc && request->link_set & LINK_MAC)
		rc = set_mac(link, &wanted->mac);
	if (!rc && request->link_set & LINK_MTU)
		rc = set_mtu(link, wanted->mtu);
	if (!rc && request->link_set & LINK_ALIAS)
		rc = set_alias(link, wanted->alias);
	if (!rc && request->link_set & LINK_DORMANT)
		link->link.dormant = wanted->dormant;
	if (!rc && request->link_set & LINK_MASTER)
		rc = set_master(sim, link, wanted->master);
	if (!rc && request->link_set & LINK_UP)
		rc = set_up(sim, link, wanted->up);
	return rc;
}

int sim_do_link_set(struct sim *sim, struct kernel_request *request)
{
	struct sim_link *link = request->link_set & LINK_NAME
					? sim_link_by_index(sim, request->link.index)
					: select_link(sim, &request->link);
	int rc;

	if (!link)
		return -ENODEV;
	rc = apply(sim, link, request);
	sim_watch_port(link);
	sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	return rc;
}

int sim_do_link_get(struct sim *sim, struct kernel_request *request)
{
	const struct sim_link *link = request->link.index
					      ? sim_link_by_index(sim, request->link.index)
					      : sim_link_by_name(sim, request->link.name);

	if (!link)
		return -ENODEV;
	request->link = link->link;
	return 0;
}

static bool vlan_taken(const struct sim_link *parent, uint16_t vlan_id)
{
	const struct sim_link *upper;

	LIST_FOREACH (upper, &parent->uppers, sibling) {
		if (upper->link.vlan_id == vlan_id)
			return true;
	}
	return false;
}

int sim_do_vlan_create(struct sim *sim, struct kernel_request *request)
{
	struct sim_link *parent = sim_link_by_index(sim, request->link.parent);
	struct sim_link *link;
	int rc;

	if (!request->link.name[0])
		return -EINVAL;
	if (sim_link_by_name(sim, request->link.name))
		return -EEXIST;
	if (request->link.vlan_id > VLAN_ID_MAX)
		return -ERANGE;
	if (!parent)
		return -ENODEV;
	if (vlan_taken(parent, request->link.vlan_id))
		return -EEXIST;
	rc = sim_make_link(sim, request->link.name, parent->link.mtu, &link);
	if (rc)
		return rc;
	link->parent = parent;
	LIST_INSERT_HEAD(&parent->uppers, link, sibling);
	link->link.parent = parent->link.index;
	link->link.vlan_id = request->link.vlan_id;
	link->link.kind = true;
	link->link.mac = parent->link.mac;
	rc = apply(sim, link, request);
	sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	return rc;
}

int sim_do_link_delete(struct sim *sim, struct kernel_request *request)
{
	struct sim_link *link = select_link(sim, &request->link);

	if (!link)
		return -ENODEV;
	if (!link->link.vlan_id && !link->bridge)
		return -EOPNOTSUPP;
	sim_drop_link(sim, link);
	return 0;
}

int sim_links_piece(struct sim *sim, struct sim_dump *dump, size_t most, kernel_link_cb *cb,
		    void *arg)
{
	struct sim_link key = {.link.index = dump->index};
	struct sim_link *link = NULL;
	int rc = 0;

	if (dump->skip == 0)
		dump->skip = sim->interrupted_dumps ? 2 : 1;
	sim_catch_up(sim);
	while (!rc && (link = RB_NFIND(sim_links_by_index, &sim->links_by_index, &key)) && most--) {
		const struct kernel_link copy = sim_link_seen(link);

		key.link.index = dump->index = copy.index + dump->skip; /* @cb may change links */
		rc = cb(&copy, arg);
	}
	if (rc || link)
		return rc ? rc : 1;
	if (dump->skip == 1)
		return 0;
	sim->interrupted_dumps--;
	return -EINTR;
}

int sim_dump_links(struct kernel *kernel, kernel_link_cb *cb, void *arg)
{
	struct sim_dump dump = {.what = DUMP_LINKS};

	return sim_links_piece(sim_of(kernel), &dump, SIZE_MAX, cb, arg);
}

/*
 * Controls.
 */

const char *sim_alias(const struct kernel *kernel, const char *name)
{
	const struct sim_link *link = sim_link_by_name(sim_of(kernel), name);

	return link && link->alias ? link->alias : "";
}

int sim_add_link(struct kernel *kernel, const char *name, bool bridge)
{
	struct sim *sim = sim_of(kernel);
	struct sim_link *link;
	int rc = sim_make_link(sim, name, 1500, &link);

	if (rc)
		return rc;
	link->bridge = bridge;
	link->link.kind = true;
	sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	return 0;
}

int sim_add_vrf(struct kernel *kernel, const char *name)
{
	struct sim_link *link;
	int rc = sim_add_link(kernel, name, false);

	if (rc)
		return rc;
	link = sim_link_by_name(sim_of(kernel), name);
	link->link.vrf = true;
	sim_tell_link(sim_of(kernel), KERNEL_EVENT_LINK, link);
	return 0;
}

int sim_set_carrier(struct kernel *kernel, const char *name, bool carrier)
{
	struct sim *sim = sim_of(kernel);
	struct sim_link *link = sim_link_by_name(sim, name);

	if (!link)
		return -ENODEV;
	link->link.carrier = carrier;
	sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	return 0;
}

static void leave_master(struct sim *sim, unsigned int master)
{
	struct sim_link *link;

	RB_FOREACH (link, sim_links_by_index, &sim->links_by_index) {
		if (link->link.master == master) {
			link->link.master = 0;
			sim_tell_link(sim, KERNEL_EVENT_LINK, link);
		}
	}
}

int sim_remove_link(struct kernel *kernel, const char *name)
{
	struct sim *sim = sim_of(kernel);
	struct sim_link *link = sim_link_by_name(sim, name);

	if (!link)
		return -ENODEV;
	if (link->bridge || link->link.vrf)
		leave_master(sim, link->link.index);
	sim_drop_link(sim, link);
	return 0;
}

int sim_rename_link(struct kernel *kernel, const char *from, const char *to)
{
	struct sim *sim = sim_of(kernel);
	struct sim_link *link = sim_link_by_name(sim, from);
	int rc = link ? set_name(sim, link, to) : -ENODEV;

	if (!rc)
		sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	return rc;
}

int sim_add_alternative(struct kernel *kernel, const char *name, const char *alternative)
{
	struct sim *sim = sim_of(kernel);
	struct sim_link *link = sim_link_by_name(sim, name);
	char *at;

	if (!link)
		return -ENODEV;
	if (sim_link_by_name(sim, alternative))
		return -EEXIST;
	at = link->alternatives;
	while (*at)
		at += strlen(at) + 1;
	if (!valid_name(alternative) ||
	    at + strlen(alternative) + 2 > link->alternatives + sizeof(link->alternatives))
		return -EINVAL;
	memcpy(at, alternative, strlen(alternative) + 1);
	sim->alternatives = true;
	sim_tell_link(sim, KERNEL_EVENT_LINK, link);
	return 0;
}
