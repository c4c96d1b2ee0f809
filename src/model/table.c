#include "model/table.h"

#include <linux/l2tp.h>

/* The C type of each member type, so that the compiler refuses a row that names another. */
typedef bool c_BOOL;
typedef uint16_t c_U16;
typedef uint32_t c_U32;
typedef uint8_t c_ENUM;
typedef char c_STRING[DESCRIPTION_LENGTH + 1];
typedef char c_IFNAME[IFNAME_LENGTH + 1];
typedef struct address c_ADDRESS;
typedef struct mac c_MAC;
typedef struct cookie c_COOKIE;
typedef uint64_t c_COUNTER;
typedef struct moment c_TIME;

/* clang-format off */
#define CHECKED_SIZE(in, member, ctype) sizeof(struct { \
	_Static_assert(__builtin_types_compatible_p(__typeof__(((in *)0)->member), ctype), \
		       #member " is not of the row's type"); \
	char bytes[sizeof(ctype)]; })
#define MEMBER(in, member, KIND) \
	.type = TYPE_##KIND, .offset = offsetof(in, member), \
	.size = CHECKED_SIZE(in, member, c_##KIND)

#define TUNNEL(member, KIND) \
	.object = OBJECT_TUNNEL, .part = PART_CONFIG, MEMBER(struct tunnel, member, KIND)
#define SESSION(member, KIND) \
	.object = OBJECT_SESSION, .part = PART_CONFIG, MEMBER(struct session, member, KIND)
#define STATE(what, in, member, KIND) \
	.object = OBJECT_##what, .part = PART_STATE, .access = ACCESS_READ, \
	.mib_table = MIB_##what, MEMBER(struct in, member, KIND)
#define STATISTIC(what, member, KIND) \
	.object = OBJECT_##what, .part = PART_STATISTICS, .access = ACCESS_READ, \
	.mib_table = MIB_##what##_STATS, MEMBER(struct statistics, member, KIND)

_Static_assert(offsetof(struct tunnel, present) == 0, "codec.c finds the presence bits first");
_Static_assert(offsetof(struct session, present) == 0, "codec.c finds the presence bits first");
_Static_assert(offsetof(struct tunnel_state, common) == 0, "shared rows use its offsets");
_Static_assert(offsetof(struct session_state, common) == 0, "shared rows use its offsets");
_Static_assert(TUNNEL_CONFIG_ROWS <= 64 && SESSION_CONFIG_ROWS <= 64, "a presence bit a row");

#define ID_LIMITS .min = 1, .max = ID_MAX, \
	.why = "0 marks a control message (RFC 3931 section 4.1)"
#define IFNAME_LIMITS .min = 1, .max = IFNAME_LENGTH, \
	.why = "rules of the kernel's interface names (net/core/dev.c dev_valid_name)"
#define PORT_LIMITS .min = 1, .max = 65535, \
	.why = "the kernel takes 0 as any port, which no peer could know (RFC 3931 section 4.1.2)"

static const struct word encapsulation_words[] = {
	{ "udp", ENCAPSULATION_UDP, L2TP_ENCAPTYPE_UDP, NULL },
	{ "ip", ENCAPSULATION_IP, L2TP_ENCAPTYPE_IP, NULL },
	{ 0 }
};

/*
 * Linux has no Ethernet VLAN driver (l2tp_eth registers L2TP_PWTYPE_ETH alone):
 * ethernet-vlan is an Ethernet session plus an 802.1Q link on its interface.
 */
static const struct word pseudowire_words[] = {
	{ "ethernet-vlan", PSEUDOWIRE_ETHERNET_VLAN, L2TP_PWTYPE_ETH, "vlan|eth-vlan" },
	{ "ethernet", PSEUDOWIRE_ETHERNET, L2TP_PWTYPE_ETH, "eth" },
	{ "ppp", PSEUDOWIRE_PPP, L2TP_PWTYPE_PPP, NULL },
	{ 0 }
};

static const struct word sublayer_words[] = {
	{ "none", SUBLAYER_NONE, L2TP_L2SPECTYPE_NONE, NULL },
	{ "default", SUBLAYER_DEFAULT, L2TP_L2SPECTYPE_DEFAULT, NULL },
	{ 0 }
};

/* `wire` is unused: WIRE_SEQUENCE is two flags. */
static const struct word sequencing_words[] = {
	{ "none", SEQUENCING_NONE, 0, NULL },
	{ "send", SEQUENCING_SEND, 0, NULL },
	{ "receive", SEQUENCING_RECEIVE, 0, "recv" },
	{ "both", SEQUENCING_BOTH, 0, NULL },
	{ 0 }
};

static const struct word dead_action_words[] = {
	{ "none", DEAD_ACTION_NONE, 0, NULL },
	{ "link-down", DEAD_ACTION_LINK_DOWN, 0, NULL },
	{ 0 }
};

const struct word oper_status_words[] = {
	{ "up", OPER_UP, 0, NULL },
	{ "down", OPER_DOWN, 0, NULL },
	{ "waiting", OPER_WAITING, 0, NULL },
	{ "failed", OPER_FAILED, 0, NULL },
	{ "removing", OPER_REMOVING, 0, NULL },
	{ "peer-silent", OPER_PEER_SILENT, 0, NULL },
	{ 0 }
};

const struct word status_reason_words[] = {
	{ "none", REASON_NONE, 0, NULL },
	{ "disabled", REASON_DISABLED, 0, NULL },
	{ "no-local-address", REASON_NO_LOCAL_ADDRESS, 0, NULL },
	{ "address-tentative", REASON_ADDRESS_TENTATIVE, 0, NULL },
	{ "no-route", REASON_NO_ROUTE, 0, NULL },
	{ "no-interface-address", REASON_NO_INTERFACE_ADDRESS, 0, NULL },
	{ "module-missing", REASON_MODULE_MISSING, 0, NULL },
	{ "no-permission", REASON_NO_PERMISSION, 0, NULL },
	{ "being-removed", REASON_BEING_REMOVED, 0, NULL },
	{ "tunnel-not-up", REASON_TUNNEL_NOT_UP, 0, NULL },
	{ "link-down", REASON_LINK_DOWN, 0, NULL },
	{ "transmit-errors", REASON_TRANSMIT_ERRORS, 0, NULL },
	{ "peer-silent", REASON_PEER_SILENT, 0, NULL },
	{ "kernel-error", REASON_KERNEL_ERROR, 0, NULL },
	{ "externally-modified", REASON_EXTERNALLY_MODIFIED, 0, NULL },
	{ "address-in-use", REASON_ADDRESS_IN_USE, 0, NULL },
	{ "no-bridge", REASON_NO_BRIDGE, 0, NULL },
	{ "no-interface", REASON_NO_INTERFACE, 0, NULL },
	{ "foreign-object", REASON_FOREIGN_OBJECT, 0, NULL },
	{ "port-settings", REASON_PORT_SETTINGS, 0, NULL },
	{ "address-duplicate", REASON_ADDRESS_DUPLICATE, 0, NULL },
	{ "address-in-vrf", REASON_ADDRESS_IN_VRF, 0, NULL },
	{ "no-vrf", REASON_NO_VRF, 0, NULL },
	{ "mtu-above-path", REASON_MTU_ABOVE_PATH, 0, NULL },
	{ 0 }
};

const struct word origin_words[] = {
	{ "configured", ORIGIN_CONFIGURED, 0, NULL },
	{ "foreign", ORIGIN_FOREIGN, 0, NULL },
	{ 0 }
};

/*
 * Rows common to tunnels and sessions: of that MIB table and, for state, after that column.
 */
#define STATUS_ROWS(what, in, column) \
	{ .leaf = "oper-status", .mib = "OperStatus", .mib_column = (column) + 1, \
	  STATE(what, in, common.oper_status, ENUM), .words = oper_status_words, \
	  .doc = "The operational status of the object" }, \
	{ .leaf = "status-reason", .mib = "StatusReason", .mib_column = (column) + 2, \
	  STATE(what, in, common.status_reason, ENUM), .words = status_reason_words, \
	  .doc = "Why the oper-status is what it is" }, \
	{ .leaf = "status-text", .mib = "StatusText", .mib_column = (column) + 3, \
	  .object = OBJECT_##what, .part = PART_STATE, .access = ACCESS_READ, \
	  .mib_table = MIB_##what, .type = TYPE_TEXT, \
	  .doc = "The reason in words: what was tried, and what the kernel said" }, \
	{ .leaf = "origin", .mib = "Origin", .mib_column = (column) + 4, \
	  STATE(what, in, common.origin, ENUM), .words = origin_words, \
	  .doc = "Who made the object" }

#define LAST_CHANGE_ROW(what, in) \
	{ .leaf = "last-change", .mib = "LastChange", .mib_column = 21, \
	  STATE(what, in, common.last_change, TIME), .min = 1, \
	  .doc = "When oper-status last changed; at the earliest when the machine was booted" }

#define COUNTER_ROW(what, name, descriptor, column, member_, attribute, unit, text) \
	{ .leaf = name, .mib = descriptor, .mib_column = column, \
	  STATISTIC(what, member_, COUNTER), .wire = WIRE_U64, .genl = attribute, \
	  .units = unit, .doc = text }

/* net/l2tp/l2tp_core.c; rx-errors includes the discards, so they must not be added up. */
#define STATISTICS_ROWS(what) \
	COUNTER_ROW(what, "tx-packets", "TxPackets", 1, tx_packets, L2TP_ATTR_TX_PACKETS, \
		    "packets", "Packets sent"), \
	COUNTER_ROW(what, "tx-bytes", "TxBytes", 2, tx_bytes, L2TP_ATTR_TX_BYTES, \
		    "octets", "Octets sent, L2TP header and payload"), \
	COUNTER_ROW(what, "tx-errors", "TxErrors", 3, tx_errors, L2TP_ATTR_TX_ERRORS, \
		    "packets", "Packets that could not be sent"), \
	COUNTER_ROW(what, "rx-packets", "RxPackets", 4, rx_packets, L2TP_ATTR_RX_PACKETS, \
		    "packets", "Packets received that passed the cookie and sequence checks"), \
	COUNTER_ROW(what, "rx-bytes", "RxBytes", 5, rx_bytes, L2TP_ATTR_RX_BYTES, \
		    "octets", "Octets in rx-packets, L2TP header and payload"), \
	COUNTER_ROW(what, "rx-errors", "RxErrors", 6, rx_errors, L2TP_ATTR_RX_ERRORS, \
		    "packets", "Packets discarded for whatever reason, those below included"), \
	COUNTER_ROW(what, "rx-seq-discards", "RxSeqDiscards", 7, rx_seq_discards, \
		    L2TP_ATTR_RX_SEQ_DISCARDS, \
		    "packets", "Packets discarded for their sequence number"), \
	COUNTER_ROW(what, "rx-oos-packets", "RxOosPackets", 8, rx_oos_packets, \
		    L2TP_ATTR_RX_OOS_PACKETS, \
		    "packets", "Packets received out of sequence and put back in order"), \
	COUNTER_ROW(what, "rx-cookie-discards", "RxCookieDiscards", 9, rx_cookie_discards, \
		    L2TP_ATTR_RX_COOKIE_DISCARDS, \
		    "packets", "Packets discarded because their cookie is not rx-cookie"), \
	COUNTER_ROW(what, "rx-invalid", "RxInvalid", 10, rx_invalid, L2TP_ATTR_RX_INVALID, \
		    "packets", "Packets discarded as malformed or of another L2TP version"), \
	{ .leaf = "discontinuity-time", .mib = "DiscontinuityTime", .mib_column = 11, \
	  STATISTIC(what, discontinuity_time, TIME), .min = 1, \
	  .doc = "When the counters last restarted at 0" }

static const struct row tunnel_rows[] = {
	[TUNNEL_ID] = {
		.leaf = "tunnel-id", .cli = "tunnel_id|tid", .ip = IP_ANYWHERE,
		.mib = "Id", .mib_table = MIB_TUNNEL, .mib_column = 1,
		TUNNEL(tunnel_id, U32), ID_LIMITS,
		.access = ACCESS_KEY, .change = CHANGE_NEVER,
		.wire = WIRE_U32, .genl = L2TP_ATTR_CONN_ID,
		.doc = "Our identifier of the tunnel, unique in the network namespace "
		       "(RFC 3931 section 5.4.3)",
	},
	[TUNNEL_DESCRIPTION] = {
		.leaf = "description", .cli = "description",
		.mib = "Description", .mib_table = MIB_TUNNEL, .mib_column = 2,
		TUNNEL(description, STRING), .max = DESCRIPTION_LENGTH,
		.access = ACCESS_WRITE, .change = CHANGE_LOCAL, .source = SOURCE_RECORD,
		.doc = "Free text for people",
	},
	[TUNNEL_ENABLED] = {
		.leaf = "enabled", .cli = "enabled",
		TUNNEL(enabled, BOOL), .fallback = "true",
		.access = ACCESS_WRITE, .change = CHANGE_EXIST, .source = SOURCE_RECORD,
		.doc = "false takes the tunnel and its sessions out of the kernel and keeps their "
		       "configuration (in SNMP: RowStatus notInService)",
	},
	[TUNNEL_PEER_TUNNEL_ID] = {
		.leaf = "peer-tunnel-id", .cli = "peer_tunnel_id|ptid", .ip = IP_ANYWHERE,
		.mib = "PeerTunnelId", .mib_table = MIB_TUNNEL, .mib_column = 3,
		TUNNEL(peer_tunnel_id, U32), ID_LIMITS, .mandatory = true,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_U32, .genl = L2TP_ATTR_PEER_CONN_ID,
		.doc = "The peer's identifier of the tunnel (RFC 3931 section 5.4.3)",
	},
	[TUNNEL_ENCAPSULATION] = {
		.leaf = "encapsulation", .cli = "encap", .ip = IP_ANYWHERE,
		.mib = "Encapsulation", .mib_table = MIB_TUNNEL, .mib_column = 4,
		TUNNEL(encapsulation, ENUM), .words = encapsulation_words, .fallback = "udp",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_U16, .genl = L2TP_ATTR_ENCAP_TYPE,
		.why = "L2TPv3 runs over UDP or directly over IP (RFC 3931 section 4.1)",
		.doc = "What carries the L2TP packets (RFC 3931 sections 4.1.1 and 4.1.2)",
	},
	[TUNNEL_LOCAL_ADDRESS] = {
		.leaf = "local-address", .cli = "local|src_addr", .ip = IP_ANYWHERE,
		.mib = "LocalAddress", .mib_table = MIB_TUNNEL, .mib_column = 6,
		TUNNEL(local_address, ADDRESS), .min = 4, .max = 16,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_ADDRESS, .genl = L2TP_ATTR_IP_SADDR, .genl_pair = L2TP_ATTR_IP6_SADDR,
		.doc = "The source address; with local-interface beside it, that interface must "
		       "have it; one of the two is needed",
	},
	[TUNNEL_LOCAL_INTERFACE] = {
		.leaf = "local-interface", .cli = "dev|interface", .ip = IP_OF_OBJECT,
		.mib = "LocalInterface", .mib_table = MIB_TUNNEL, .mib_column = 7,
		TUNNEL(local_interface, IFNAME), IFNAME_LIMITS,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .source = SOURCE_RECORD,
		.doc = "The interface whose address is the source: local-address if that is given, "
		       "else the one that the route to remote-address prefers, as long as the "
		       "interface has it",
	},
	[TUNNEL_REMOTE_ADDRESS] = {
		.leaf = "remote-address", .cli = "remote|dst_addr", .ip = IP_ANYWHERE,
		.mib = "RemoteAddress", .mib_table = MIB_TUNNEL, .mib_column = 9,
		TUNNEL(remote_address, ADDRESS), .min = 4, .max = 16, .mandatory = true,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_ADDRESS, .genl = L2TP_ATTR_IP_DADDR, .genl_pair = L2TP_ATTR_IP6_DADDR,
		.doc = "The peer's address, of the family of the local one",
	},
	[TUNNEL_LOCAL_PORT] = {
		.leaf = "local-port", .cli = "udp_sport", .ip = IP_ANYWHERE,
		.mib = "LocalPort", .mib_table = MIB_TUNNEL, .mib_column = 10,
		TUNNEL(local_port, U16), PORT_LIMITS, .fallback = "1701",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .when = WHEN_UDP,
		.wire = WIRE_U16, .genl = L2TP_ATTR_UDP_SPORT,
		.doc = "The UDP port to send from and receive on (RFC 3931 section 4.1.2.2)",
	},
	[TUNNEL_REMOTE_PORT] = {
		.leaf = "remote-port", .cli = "udp_dport", .ip = IP_ANYWHERE,
		.mib = "RemotePort", .mib_table = MIB_TUNNEL, .mib_column = 11,
		TUNNEL(remote_port, U16), PORT_LIMITS, .fallback = "1701",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .when = WHEN_UDP,
		.wire = WIRE_U16, .genl = L2TP_ATTR_UDP_DPORT,
		.doc = "The peer's UDP port; from any other nothing is received "
		       "(RFC 3931 section 4.1.2.2)",
	},
	/* Create looks at its presence, not its value (l2tp_nl_cmd_tunnel_create). */
	[TUNNEL_UDP_CHECKSUM] = {
		.leaf = "udp-checksum", .cli = "udp_csum", .ip = IP_ANYWHERE,
		.mib = "UdpChecksum", .mib_table = MIB_TUNNEL, .mib_column = 12,
		TUNNEL(udp_checksum, BOOL), .fallback = "false",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .when = WHEN_UDP4,
		.wire = WIRE_FLAG, .genl = L2TP_ATTR_UDP_CSUM,
		.doc = "Whether packets sent over IPv4 carry a UDP checksum "
		       "(RFC 3931 section 4.1.2.3)",
	},
	[TUNNEL_UDP6_CHECKSUM_TX] = {
		.leaf = "udp6-checksum-tx", .cli = "udp6_csum_tx", .ip = IP_ANYWHERE,
		.mib = "Udp6ChecksumTx", .mib_table = MIB_TUNNEL, .mib_column = 13,
		TUNNEL(udp6_checksum_tx, BOOL), .fallback = "true",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .when = WHEN_UDP6,
		.wire = WIRE_FLAG_INVERTED, .genl = L2TP_ATTR_UDP_ZERO_CSUM6_TX,
		.doc = "Whether packets sent over IPv6 carry a UDP checksum (RFC 6936)",
	},
	[TUNNEL_UDP6_CHECKSUM_RX] = {
		.leaf = "udp6-checksum-rx", .cli = "udp6_csum_rx", .ip = IP_ANYWHERE,
		.mib = "Udp6ChecksumRx", .mib_table = MIB_TUNNEL, .mib_column = 14,
		TUNNEL(udp6_checksum_rx, BOOL), .fallback = "true",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .when = WHEN_UDP6,
		.wire = WIRE_FLAG_INVERTED, .genl = L2TP_ATTR_UDP_ZERO_CSUM6_RX,
		.doc = "Whether packets received over IPv6 must carry a UDP checksum (RFC 6936)",
	},
	STATUS_ROWS(TUNNEL, tunnel_state, 14),
	{
		.leaf = "resolved-local-address",
		.mib = "ResolvedLocalAddress", .mib_column = 20,
		STATE(TUNNEL, tunnel_state, resolved_local_address, ADDRESS),
		.min = 4, .max = 16,
		.doc = "The source address in use",
	},
	LAST_CHANGE_ROW(TUNNEL, tunnel_state),
	{
		.leaf = "session-count",
		.mib = "SessionCount", .mib_column = 22,
		STATE(TUNNEL, tunnel_state, session_count, U32), .max = ID_MAX,
		.units = "sessions",
		.doc = "The number of the tunnel's sessions",
	},
	STATISTICS_ROWS(TUNNEL),
};

static const struct row session_rows[] = {
	[SESSION_ID] = {
		.leaf = "session-id", .cli = "session_id|l2tp_session_id|sid", .ip = IP_ANYWHERE,
		.mib = "Id", .mib_table = MIB_SESSION, .mib_column = 1,
		SESSION(session_id, U32), ID_LIMITS,
		.access = ACCESS_KEY, .change = CHANGE_NEVER,
		.wire = WIRE_U32, .genl = L2TP_ATTR_SESSION_ID,
		.doc = "Our identifier of the session, unique in the network namespace "
		       "(RFC 3931 section 4.1)",
	},
	[SESSION_DESCRIPTION] = {
		.leaf = "description", .cli = "description",
		.mib = "Description", .mib_table = MIB_SESSION, .mib_column = 2,
		SESSION(description, STRING), .max = DESCRIPTION_LENGTH,
		.access = ACCESS_WRITE, .change = CHANGE_LINK,
		.doc = "Free text for people, and the alias of the session's interface (RFC 2863 "
		       "ifAlias)",
	},
	[SESSION_ENABLED] = {
		.leaf = "enabled", .cli = "enabled",
		SESSION(enabled, BOOL), .fallback = "true",
		.access = ACCESS_WRITE, .change = CHANGE_EXIST, .source = SOURCE_RECORD,
		.doc = "false takes the session out of the kernel and keeps its configuration "
		       "(in SNMP: RowStatus notInService)",
	},
	[SESSION_PEER_SESSION_ID] = {
		.leaf = "peer-session-id", .cli = "peer_session_id|peer_l2tp_session_id|psid", .ip = IP_ANYWHERE,
		.mib = "PeerSessionId", .mib_table = MIB_SESSION, .mib_column = 3,
		SESSION(peer_session_id, U32), ID_LIMITS, .mandatory = true,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_U32, .genl = L2TP_ATTR_PEER_SESSION_ID,
		.doc = "The peer's identifier of the session, put in the packets we send "
		       "(RFC 3931 section 4.1)",
	},
	[SESSION_PSEUDOWIRE_TYPE] = {
		.leaf = "pseudowire-type", .cli = "pw_type", .ip = IP_OF_OBJECT,
		.mib = "PseudowireType", .mib_table = MIB_SESSION, .mib_column = 4,
		SESSION(pseudowire_type, ENUM),
		.words = pseudowire_words, .fallback = "ethernet",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_U16, .genl = L2TP_ATTR_PW_TYPE,
		.why = "Linux has drivers for Ethernet and PPP only (net/l2tp/l2tp_eth.c, l2tp_ppp.c)",
		.doc = "What the session carries (RFC 3931 section 5.4.4, RFC 4719)",
	},
	[SESSION_VLAN_ID] = {
		.leaf = "vlan-id", .cli = "vlan_id", .ip = IP_OF_OBJECT,
		.mib = "VlanId", .mib_table = MIB_SESSION, .mib_column = 5,
		SESSION(vlan_id, U16), .min = 1, .max = 4094,
		.why = "0 and 4095 are reserved (IEEE Std 802.1Q, VLAN Identifier)",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .when = WHEN_VLAN,
		.doc = "The 802.1Q VLAN of the frames on the pseudowire: that of a VLAN link over "
		       "the session's interface (RFC 4719 section 2.2)",
	},
	[SESSION_INTERFACE_NAME] = {
		.leaf = "interface-name", .cli = "name|interface|dev", .ip = IP_ANYWHERE,
		.mib = "InterfaceName", .mib_table = MIB_SESSION, .mib_column = 6,
		SESSION(interface_name, IFNAME), IFNAME_LIMITS,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .when = WHEN_INTERFACE,
		.wire = WIRE_STRING, .genl = L2TP_ATTR_IFNAME,
		.doc = "The name of the session's network interface; chosen when absent; a session "
		       "that is left without one keeps the one it has",
	},
	[SESSION_MTU] = {
		.leaf = "mtu", .cli = "mtu",
		.mib = "Mtu", .mib_table = MIB_SESSION, .mib_column = 7,
		SESSION(mtu, U32), .min = 68, .max = 65535, .units = "octets",
		.why = "below 68 the kernel removes the interface's IPv4 addresses "
		       "(RFC 791 section 3.2, net/ipv4/devinet.c)",
		.access = ACCESS_WRITE, .change = CHANGE_LINK, .when = WHEN_INTERFACE,
		.doc = "The interface's MTU; the kernel's choice at creation when absent",
	},
	[SESSION_MAC_ADDRESS] = {
		.leaf = "mac-address", .cli = "mac_address",
		.mib = "MacAddress", .mib_table = MIB_SESSION, .mib_column = 8,
		SESSION(mac_address, MAC), .min = 6, .max = 6,
		.access = ACCESS_WRITE, .change = CHANGE_LINK, .when = WHEN_INTERFACE,
		.doc = "The interface's MAC address; random when absent",
	},
	[SESSION_BRIDGE] = {
		.leaf = "bridge", .cli = "bridge",
		.mib = "Bridge", .mib_table = MIB_SESSION, .mib_column = 9,
		SESSION(bridge, IFNAME), IFNAME_LIMITS,
		.access = ACCESS_WRITE, .change = CHANGE_LINK, .when = WHEN_INTERFACE,
		.doc = "The bridge that the interface is made a port of; not with a vrf",
	},
	[SESSION_VRF] = {
		.leaf = "vrf", .cli = "vrf",
		.mib = "Vrf", .mib_table = MIB_SESSION, .mib_column = 28,
		SESSION(vrf, IFNAME), IFNAME_LIMITS,
		.access = ACCESS_WRITE, .change = CHANGE_LINK, .when = WHEN_INTERFACE,
		.doc = "The VRF that the interface is put into; not with a bridge",
	},
	[SESSION_LINK_ENABLED] = {
		.leaf = "link-enabled", .cli = "link_enabled",
		.mib = "LinkEnabled", .mib_table = MIB_SESSION, .mib_column = 10,
		SESSION(link_enabled, BOOL), .fallback = "true",
		.access = ACCESS_WRITE, .change = CHANGE_LINK, .when = WHEN_INTERFACE,
		.doc = "Whether the interface is set up or down",
	},
	[SESSION_L2_SPECIFIC_SUBLAYER] = {
		.leaf = "l2-specific-sublayer", .cli = "l2spec_type", .ip = IP_ANYWHERE,
		.mib = "L2SpecificSublayer", .mib_table = MIB_SESSION, .mib_column = 11,
		SESSION(l2_specific_sublayer, ENUM),
		.words = sublayer_words, .fallback = "default",
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE, .source = SOURCE_RECORD,
		.wire = WIRE_U8, .genl = L2TP_ATTR_L2SPEC_TYPE,
		.why = "the kernel has no other sublayer (net/l2tp/l2tp_netlink.c)",
		.doc = "What stands between the session header and the frame; both ends must agree "
		       "(RFC 3931 section 4.6)",
	},
	[SESSION_TX_COOKIE] = {
		.leaf = "tx-cookie", .cli = "cookie", .ip = IP_ANYWHERE,
		.mib = "TxCookie", .mib_table = MIB_COOKIE, .mib_column = 1,
		SESSION(tx_cookie, COOKIE), .max = COOKIE_LENGTH, .secret = true,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_BYTES, .genl = L2TP_ATTR_COOKIE,
		.why = "RFC 3931 section 4.1",
		.doc = "The cookie in the packets we send: the peer's rx-cookie, `cookie` of ip l2tp "
		       "(RFC 3931 section 4.1)",
	},
	[SESSION_RX_COOKIE] = {
		.leaf = "rx-cookie", .cli = "peer_cookie", .ip = IP_ANYWHERE,
		.mib = "RxCookie", .mib_table = MIB_COOKIE, .mib_column = 2,
		SESSION(rx_cookie, COOKIE), .max = COOKIE_LENGTH, .secret = true,
		.access = ACCESS_WRITE, .change = CHANGE_RECREATE,
		.wire = WIRE_BYTES, .genl = L2TP_ATTR_PEER_COOKIE,
		.why = "RFC 3931 section 4.1",
		.doc = "The cookie required in the packets we receive: our assigned cookie, "
		       "`peer_cookie` of ip l2tp (RFC 3931 sections 5.4.4 and 8.2)",
	},
	[SESSION_SEQUENCING] = {
		.leaf = "sequencing", .cli = "seq", .ip = IP_ANYWHERE,
		.mib = "Sequencing", .mib_table = MIB_SESSION, .mib_column = 12,
		SESSION(sequencing, ENUM), .words = sequencing_words, .fallback = "none",
		.access = ACCESS_WRITE, .change = CHANGE_MODIFY, .source = SOURCE_DRIFT,
		.wire = WIRE_SEQUENCE, .genl = L2TP_ATTR_SEND_SEQ, .genl_pair = L2TP_ATTR_RECV_SEQ,
		.why = "RFC 3931 section 4.6.1",
		.doc = "Use of sequence numbers in data packets (RFC 3931 section 4.6.1)",
	},
	[SESSION_REORDER_TIMEOUT] = {
		.leaf = "reorder-timeout", .cli = "reorder_timeout",
		.mib = "ReorderTimeout", .mib_table = MIB_SESSION, .mib_column = 13,
		SESSION(reorder_timeout, U32), .max = 60000, .units = "milliseconds",
		.fallback = "0",
		.why = "a missing packet stalls the session this long (net/l2tp/l2tp_core.c)",
		.access = ACCESS_WRITE, .change = CHANGE_MODIFY,
		.wire = WIRE_U64, .genl = L2TP_ATTR_RECV_TIMEOUT,
		.doc = "How long packets that arrive early wait for the missing ones; 0: not at all "
		       "(RFC 3931 section 4.6.1)",
	},
	[SESSION_LNS_MODE] = {
		.leaf = "lns-mode", .cli = "lns_mode",
		.mib = "LnsMode", .mib_table = MIB_SESSION, .mib_column = 14,
		SESSION(lns_mode, BOOL), .fallback = "false",
		.access = ACCESS_WRITE, .change = CHANGE_MODIFY,
		.wire = WIRE_U8, .genl = L2TP_ATTR_LNS_MODE,
		.doc = "Whether we decide on sending sequence numbers, or follow the peer "
		       "(RFC 3931 section 1.3)",
	},
	[SESSION_DEAD_INTERVAL] = {
		.leaf = "dead-interval", .cli = "dead_interval",
		.mib = "DeadInterval", .mib_table = MIB_SESSION, .mib_column = 15,
		SESSION(dead_interval, U32), .min = 1, .max = 86400, .units = "seconds",
		.access = ACCESS_WRITE, .change = CHANGE_LOCAL, .source = SOURCE_RECORD,
		.why = "a second to a day",
		.doc = "Silence of the peer after which oper-status becomes peer-silent; "
		       "never when absent",
	},
	[SESSION_DEAD_ACTION] = {
		.leaf = "dead-action", .cli = "dead_action",
		.mib = "DeadAction", .mib_table = MIB_SESSION, .mib_column = 25,
		SESSION(dead_action, ENUM), .words = dead_action_words, .fallback = "none",
		.access = ACCESS_WRITE, .change = CHANGE_LINK, .source = SOURCE_RECORD,
		.when = WHEN_INTERFACE,
		.doc = "What becomes of the interface while the session is peer-silent: nothing, or "
		       "operationally down (RFC 2863 ifOperStatus)",
	},
	[SESSION_KEEPALIVE] = {
		.leaf = "keepalive", .cli = "keepalive",
		.mib = "Keepalive", .mib_table = MIB_SESSION, .mib_column = 26,
		SESSION(keepalive, U32), .max = 86400, .units = "seconds", .fallback = "0",
		.access = ACCESS_WRITE, .change = CHANGE_LOCAL, .source = SOURCE_RECORD,
		.when = WHEN_INTERFACE,
		.why = "up to a day",
		.doc = "How often to send an LLDP frame on the interface, for the peer's "
		       "dead-interval to count; 0: never (IEEE Std 802.1AB)",
	},
	[SESSION_PSEUDOWIRE_ID] = {
		.leaf = "pseudowire-id", .cli = "pseudowire_id",
		.mib = "PseudowireId", .mib_table = MIB_SESSION, .mib_column = 24,
		SESSION(pseudowire_id, U32), .min = 1, .max = ID_MAX,
		.access = ACCESS_WRITE, .change = CHANGE_LOCAL, .source = SOURCE_RECORD,
		.why = "0 stands for none (RFC 5601 pwID)",
		.doc = "What managers call the pseudowire at both ends: the same there, and pwID in "
		       "PW-STD-MIB (RFC 5601)",
	},
	STATUS_ROWS(SESSION, session_state, 15),
	{
		.leaf = "if-index",
		.mib = "IfIndex", .mib_column = 20,
		STATE(SESSION, session_state, if_index, U32), .min = 1, .max = INT32_MAX,
		.doc = "The index of the session's network interface (RFC 2863 ifIndex)",
	},
	{
		.leaf = "overhead",
		.mib = "Overhead", .mib_column = 27,
		STATE(SESSION, session_state, overhead, U16), .min = 1, .max = 65535,
		.units = "octets",
		.doc = "What encapsulation adds to a packet: IP, UDP, L2TP, the inner Ethernet "
		       "header and its VLAN tag; the MTU can be that of the path less this "
		       "(RFC 3931 section 4.1.4)",
	},
	LAST_CHANGE_ROW(SESSION, session_state),
	STATISTICS_ROWS(SESSION),
};

const struct row_set row_sets[OBJECTS] = {
	[OBJECT_TUNNEL] = {
		.name = "tunnel", .mib_prefix = "l2tpv3Tunnel", .rows = tunnel_rows,
		.count = sizeof(tunnel_rows) / sizeof(tunnel_rows[0]),
		.config_count = TUNNEL_CONFIG_ROWS, .key = &tunnel_rows[TUNNEL_ID],
	},
	[OBJECT_SESSION] = {
		.name = "session", .mib_prefix = "l2tpv3Session", .rows = session_rows,
		.count = sizeof(session_rows) / sizeof(session_rows[0]),
		.config_count = SESSION_CONFIG_ROWS, .key = &session_rows[SESSION_ID],
	},
};

const struct ignored_attribute ignored_attributes[] = {
	{ L2TP_ATTR_OFFSET, "no kernel since 4.16 honours it, and it was broken before" },
	{ L2TP_ATTR_DATA_SEQ, "never did anything" },
	{ L2TP_ATTR_L2SPEC_LEN, "follows from L2SPEC_TYPE since 4.16" },
	{ L2TP_ATTR_PROTO_VERSION, "always 3; the kernel takes any value and mishandles it" },
	{ L2TP_ATTR_VLAN_ID, "ignored since 4.19; vlan-id is an 802.1Q link" },
	{ L2TP_ATTR_DEBUG, "ignored since 5.10" },
	{ L2TP_ATTR_USING_IPSEC, "reported only, and only for a socket with its own policy" },
	{ L2TP_ATTR_FD, "managed tunnels: they would die with the daemon" },
	{ L2TP_ATTR_MTU, "ignored since 4.19; mtu is set through rtnetlink" },
	{ L2TP_ATTR_MRU, "ignored since 4.19" },
	{ L2TP_ATTR_STATS, "nested: the rows of PART_STATISTICS" },
	{ L2TP_ATTR_PAD, "padding" },
	{ 0, NULL }
};

const struct ignored_keyword ignored_keywords[] = {
	{ "offset|peer_offset", "0", "no kernel since 4.16 honours it; 0 is accepted" },
	{ "data_size", "0", "no kernel since 4.16 honours it; 0 is accepted" },
	{ "l2spec_len", NULL, "no kernel since 4.16 honours it; the length follows from l2spec_type" },
	{ NULL, NULL, NULL }
};
/* clang-format on */
