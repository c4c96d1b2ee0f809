/*
 * rtnetlink messages about the ports of bridges: their settings and their VLANs. No
 * socket here.
 */
#ifndef KERNEL_NETLINK_PORT_H
#define KERNEL_NETLINK_PORT_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#define PORT_SETTINGS_MAX 32

/* What there is to set of a port, but for its VLANs; those that this kernel knows are present. */
struct port_settings {
	uint64_t present; /* bit n: of the table's n-th setting */
	uint32_t values[PORT_SETTINGS_MAX];
};

/* VLANs that are alike; of tunnels, each next VLAN has the next id. */
struct port_vlans {
	uint16_t first, last;
	uint16_t flags; /* BRIDGE_VLAN_INFO_PVID, _UNTAGGED */
	uint8_t state;  /* BR_STATE_* */
	uint8_t mcast_router;
	uint8_t neigh_suppress;
	bool tunnelled;
	uint32_t tunnel; /* its id */
	uint32_t max_groups;
};

/* From IFLA_INFO_SLAVE_DATA of a link whose IFLA_INFO_SLAVE_KIND is "bridge". */
void port_decode(const struct nlattr *data, struct port_settings *ret);
/* Those of @from that @now has otherwise. @ret_names, if there are any, names them, cut short. */
struct port_settings port_difference(const struct port_settings *from,
				     const struct port_settings *now, char *ret_names, size_t size);
/* The backup port's ifindex, or 0; and set it, which is another after a re-creation. */
uint32_t port_backup(const struct port_settings *settings);
void port_set_backup(struct port_settings *settings, uint32_t index);

/* Append to a message that has its netlink header only. 0, or -EMSGSIZE. */
int port_put(struct nlmsghdr *message, size_t size, unsigned int index,
	     const struct port_settings *settings);

typedef int port_vlans_cb(const struct port_vlans *vlans, void *arg);
/* Each of an RTM_NEWVLAN; a callback's nonzero return ends it and is returned. */
int port_decode_vlans(const struct nlmsghdr *message, port_vlans_cb *cb, void *arg);
int port_put_vlans_dump(struct nlmsghdr *message, size_t size, unsigned int index);
/* For RTM_NEWVLAN, or with @remove for RTM_DELVLAN. */
int port_put_vlans(struct nlmsghdr *message, size_t size, unsigned int index,
		   const struct port_vlans *vlans, bool remove);

#endif
