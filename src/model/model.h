/*
 * The model: what a tunnel and a session are. No functions.
 *
 * The configuration wanted and what the kernel has are of the same type, so that applying is a
 * diff. Which members are set is kept apart from their values: bit n of `present` belongs to the
 * mapping table's row n of that object (table.h), so unset, zero and default stay three things.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define DESCRIPTION_LENGTH 64 /* bytes of UTF-8, as ifAlias (RFC 2863) */
#define IFNAME_LENGTH      15 /* IFNAMSIZ - 1 */
#define COOKIE_LENGTH      8  /* RFC 3931 section 4.1: 0, 4 or 8 bytes */
#define ID_MAX             4294967295U
#define PORT_DEFAULT       1701 /* RFC 3931 section 4.1.2 */

struct cookie {
	uint8_t length; /* 0, 4 or 8 */
	uint8_t bytes[COOKIE_LENGTH];
};

struct address {
	uint8_t family;    /* AF_UNSPEC (none), AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* network order; the first 4 for AF_INET, rest zero */
};

struct mac {
	uint8_t bytes[6];
};

/* Numbers are those of the YANG module and the MIB; the kernel's are in the word lists. */
enum encapsulation { ENCAPSULATION_UDP = 1, ENCAPSULATION_IP = 2 };
enum pseudowire_type { PSEUDOWIRE_ETHERNET_VLAN = 4, PSEUDOWIRE_ETHERNET = 5, PSEUDOWIRE_PPP = 7 };
enum sublayer { SUBLAYER_NONE = 1, SUBLAYER_DEFAULT = 2 };
enum sequencing { SEQUENCING_NONE = 1, SEQUENCING_SEND, SEQUENCING_RECEIVE, SEQUENCING_BOTH };
enum dead_action { DEAD_ACTION_NONE = 1, DEAD_ACTION_LINK_DOWN = 2 };

struct tunnel {
	uint64_t present;
	uint32_t tunnel_id;
	uint32_t peer_tunnel_id;
	char description[DESCRIPTION_LENGTH + 1];
	char local_interface[IFNAME_LENGTH + 1];
	struct address local_address;
	struct address remote_address;
	uint16_t local_port; /* host order, as on the netlink wire */
	uint16_t remote_port;
	uint8_t encapsulation;
	uint8_t version; /* of L2TP, as the kernel reported it; no leaf, ours are 3 */
	bool enabled;
	bool udp_checksum;
	bool udp6_checksum_tx;
	bool udp6_checksum_rx;
};

struct session {
	uint64_t present;
	uint32_t session_id;
	uint32_t peer_session_id;
	uint32_t mtu;
	uint32_t reorder_timeout; /* milliseconds */
	uint32_t dead_interval;   /* seconds */
	uint32_t keepalive;       /* seconds, 0: none are sent */
	uint32_t pseudowire_id;
	char description[DESCRIPTION_LENGTH + 1];
	char interface_name[IFNAME_LENGTH + 1];
	char bridge[IFNAME_LENGTH + 1]; /* the interface's master: this ... */
	char vrf[IFNAME_LENGTH + 1];    /* ... or this */
	struct mac mac_address;
	struct cookie tx_cookie; /* what we send: `cookie` of ip l2tp */
	struct cookie rx_cookie; /* what we require: `peer_cookie` of ip l2tp */
	uint16_t vlan_id;
	uint8_t pseudowire_type;
	uint8_t l2_specific_sublayer;
	uint8_t sequencing;
	uint8_t dead_action;
	bool enabled;
	bool link_enabled;
	bool lns_mode;
};

enum oper_status {
	OPER_UP = 1,
	OPER_DOWN,
	OPER_WAITING,
	OPER_FAILED,
	OPER_REMOVING,
	OPER_PEER_SILENT,
	OPER_STATUSES
};

enum status_reason {
	REASON_NONE = 1,
	REASON_DISABLED,
	REASON_NO_LOCAL_ADDRESS,
	REASON_ADDRESS_TENTATIVE,
	REASON_NO_ROUTE,
	REASON_NO_INTERFACE_ADDRESS,
	REASON_MODULE_MISSING,
	REASON_NO_PERMISSION,
	REASON_BEING_REMOVED,
	REASON_TUNNEL_NOT_UP,
	REASON_LINK_DOWN,
	REASON_TRANSMIT_ERRORS,
	REASON_PEER_SILENT,
	REASON_KERNEL_ERROR,
	REASON_EXTERNALLY_MODIFIED,
	REASON_ADDRESS_IN_USE,
	REASON_NO_BRIDGE,
	REASON_NO_INTERFACE,
	REASON_FOREIGN_OBJECT,
	REASON_PORT_SETTINGS,
	REASON_ADDRESS_DUPLICATE,
	REASON_ADDRESS_IN_VRF,
	REASON_NO_VRF,
	REASON_MTU_ABOVE_PATH,
	STATUS_REASONS
};

enum origin { ORIGIN_CONFIGURED = 1, ORIGIN_FOREIGN = 2 };

/* Counters as the kernel keeps them; linux-l2tpv3(5) says what each one counts. */
struct statistics {
	uint64_t tx_packets, tx_bytes, tx_errors;
	uint64_t rx_packets, rx_bytes, rx_errors;
	uint64_t rx_seq_discards, rx_oos_packets, rx_cookie_discards, rx_invalid;
	struct moment discontinuity_time; /* when they last began at 0 */
};

/*
 * State common to tunnels and sessions. Times are nanoseconds of
 * CLOCK_BOOTTIME; the doors show a moment as date-and-time, or as sysUpTime at that time.
 */
struct state {
	uint8_t oper_status;       /* enum oper_status */
	uint8_t status_reason;     /* enum status_reason */
	uint8_t origin;            /* enum origin */
	bool peer_silent;          /* for longer than dead-interval */
	bool transmit_failing;     /* at the last reading errors had grown, and nothing was sent */
	bool externally_modified;  /* others changed it, and --no-repair leaves it so */
	int16_t status_errno;      /* positive errno behind the reason, or 0 */
	uint8_t left_status;       /* the oper-status that the last daemon left; 0: none ... */
	uint8_t left_reason;       /* ... and its reason */
	struct moment last_change; /* when oper_status last changed, or was first known */
	struct statistics statistics;
	int64_t statistics_time; /* when the counters were read, 0 never */
	int64_t heard_time;      /* when rx_packets were last seen to grow */
};

struct tunnel_state {
	struct state common; /* first member: rows of both objects share its offsets */
	struct address resolved_local_address;
	struct address last_local_address;  /* that it has in the kernel, or had there last ... */
	struct address last_remote_address; /* ... towards this peer */
	uint32_t session_count;
	uint64_t socket;     /* cookie of its UDP socket; 0: unknown, not asked for, or none */
	uint8_t path_reason; /* enum status_reason: what address or route lack, 0 nothing */
	int16_t path_errno;  /* positive */
	uint32_t path_mtu;   /* of the route to the peer, in octets; 0: not known */
	char path_link[IFNAME_LENGTH + 1]; /* the VRF or the interface that the reason is about */
};

struct session_state {
	struct state common;
	uint32_t if_index;   /* 0 none */
	uint32_t kernel_mtu; /* what the kernel chose when we created it, 0 unknown */
	bool awaits_master;  /* a bridge or VRF is configured, and there is none of that name */
	bool silenced;       /* we made its interface dormant (dead-action), and not yet up again */
	int16_t port_errno;  /* why it is kept out of its bridge; positive, 0: it is not */
	uint32_t mtu;        /* of its interface, 0: not seen ... */
	struct mac mac;      /* ... and its address */
	uint16_t overhead;   /* octets; put there for a reader (entry_put_overhead()) */
};

#endif
