/* rtnetlink messages about ports of bridges: their settings and VLANs. No sockets here. */
#ifndef KERNEL_NETLINK_PORT_H
#define KERNEL_NETLINK_PORT_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#define PORT_SETTINGS_MAX 32

/* The settings of a port, without VLANs; those that this kernel knows are present. */
struct port_settings {
	uint64_t present; /* bit n: of the table's n-th setting */
	uint32_t values[PORT_SETTINGS_MAX];
};

/* A range of VLANs that are alike, but for tunnel ids, which count up with the VLAN. */
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

/* Decode IFLA_INFO_SLAVE_DATA of a link whose IFLA_INFO_SLAVE_KIND is "bridge". */
void port_decode(const struct nlattr *data, struct port_settings *ret);
/* The settings in @from that differ in @now. If there are any, @ret_names names them, cut short. */
struct port_settings port_difference(const struct port_settings *from,
				     const struct port_settings *now, char *ret_names, size_t size);
/* The backup port's ifindex, or 0. Set it: a re-created port has another index. */
uint32_t port_backup(const struct port_settings *settings);
void port_set_backup(struct port_settings *settings, uint32_t index);

/* Append to a message that has only its netlink header. 0 or -EMSGSIZE. */
int port_put(struct nlmsghdr *message, size_t size, unsigned int index,
	     const struct port_settings *settings);

typedef int port_vlans_cb(const struct port_vlans *vlans, void *arg);
/* Pass each VLAN of an RTM_NEWVLAN to @cb; its nonzero return ends this and is returned. */
int port_decode_vlans(const struct nlmsghdr *message, port_vlans_cb *cb, void *arg);
void port_put_vlans_dump(struct nlmsghdr *message, unsigned int index);
/* For RTM_NEWVLAN or, with @remove, RTM_DELVLAN. */
int port_put_vlans(struct nlmsghdr *message, size_t size, unsigned int index,
		   const struct port_vlans *vlans, bool remove);

#endif
