#include "standard.h"

#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "mib.h"
#include "model/codec.h"

#define TICKS_A_SECOND 100
#define LENGTH(array)  (sizeof(array) / sizeof((array)[0]))

/* ---- what a pseudowire is */

struct address session_peer(const struct session_entry *session)
{
	const struct tunnel *tunnel = entry_shown(&session->tunnel->entry);

	return tunnel ? tunnel->remote_address : session->tunnel->state.last_remote_address;
}

const struct session *session_shown(const struct session_entry *session)
{
	const struct session *shown = entry_shown(&session->entry);

	return shown ? shown : session_last(session);
}

enum pseudowire_type session_type(const struct session *session)
{
	return session->present & BIT(SESSION_PSEUDOWIRE_TYPE)
		       ? (enum pseudowire_type)session->pseudowire_type
		       : PSEUDOWIRE_ETHERNET;
}

/* RFC 4001: a link-local address has a zone; 0 is the default one, the kernel has no other. */
static bool is_link_local(const struct address *address)
{
	return address->family == AF_INET6 && address->bytes[0] == 0xfe &&
	       (address->bytes[1] & 0xc0) == 0x80;
}

enum inet_type peer_type(const struct address *address)
{
	if (is_link_local(address))
		return INET_IPV6Z;
	return address->family == AF_INET6  ? INET_IPV6
	       : address->family == AF_INET ? INET_IPV4
					    : INET_UNKNOWN;
}

size_t peer_bytes(const struct address *address, uint8_t ret[PEER_BYTES_MAX])
{
	static const size_t lengths[] = {
		[INET_UNKNOWN] = 0, [INET_IPV4] = 4, [INET_IPV6] = 16, [INET_IPV6Z] = 20};

	memset(ret, 0, PEER_BYTES_MAX);
	memcpy(ret, address->bytes, sizeof(address->bytes));
	return lengths[peer_type(address)];
}

void value_peer(struct value *value, const struct address *address)
{
	size_t length = peer_bytes(address, (uint8_t *)value->text);

	value_bytes(value, value->text, length);
}

static bool peer_address(struct mib *mib, const struct subject *subject, struct value *ret)
{
	const struct address peer = session_peer(entry_session(subject->entry));

	(void)mib;
	value_peer(ret, &peer);
	return true;
}

static bool peer_address_type(struct mib *mib, const struct subject *subject, struct value *ret)
{
	const struct address peer = session_peer(entry_session(subject->entry));

	(void)mib;
	value_integer(ret, peer_type(&peer));
	return true;
}

/* ---- values that no row has */

/* The Default L2-Specific Sublayer is L2TP's control word. The kernel does not report it. */
static bool has_control_word(const struct subject *subject)
{
	const struct session *session = session_shown(entry_session(subject->entry));

	return !(session->present & BIT(SESSION_L2_SPECIFIC_SUBLAYER)) ||
	       session->l2_specific_sublayer == SUBLAYER_DEFAULT;
}

static bool control_word_preference(struct mib *mib, const struct subject *subject,
				    struct value *ret)
{
	(void)mib;
	value_integer(ret, has_control_word(subject) ? 1 : 2);
	return true;
}

static bool control_word_status(struct mib *mib, const struct subject *subject, struct value *ret)
{
	enum { PRESENT = 5, NOT_PRESENT, NOT_YET_KNOWN };

	(void)mib;
	if (!entry_config(subject->entry))
		value_integer(ret, NOT_YET_KNOWN);
	else
		value_integer(ret, has_control_word(subject) ? PRESENT : NOT_PRESENT);
	return true;
}

/* The state's times belong to the object: a restart of the daemon does not move them. */
static bool up_time(struct mib *mib, const struct subject *subject, struct value *ret)
{
	const struct state *state = subject_common(subject);
	int64_t since = state->oper_status == OPER_UP ? clock_now() - state->last_change.at : 0;

	(void)mib;
	value_unsigned(ret, (unsigned long)(since / (NS_PER_S / TICKS_A_SECOND)) & UINT32_MAX);
	ret->type = ASN_TIMETICKS;
	return true;
}

/* Is it the network below that fails, the tunnel's or further down? */
static bool is_below(enum status_reason reason)
{
	switch (reason) {
	case REASON_NO_LOCAL_ADDRESS:
	case REASON_ADDRESS_TENTATIVE:
	case REASON_ADDRESS_DUPLICATE:
	case REASON_ADDRESS_IN_VRF:
	case REASON_NO_INTERFACE_ADDRESS:
	case REASON_NO_ROUTE:
	case REASON_TUNNEL_NOT_UP:
		return true;
	default:
		return false;
	}
}

static long oper_status_of(const struct state *state)
{
	if (is_below((enum status_reason)state->status_reason))
		return PW_LOWER_LAYER_DOWN;
	switch ((enum oper_status)state->oper_status) {
	case OPER_UP:
		return PW_UP;
	case OPER_WAITING:
		return PW_DORMANT;
	case OPER_FAILED:
	case OPER_REMOVING:
		return PW_NOT_PRESENT;
	default:
		return PW_DOWN;
	}
}

static bool oper_status(struct mib *mib, const struct subject *subject, struct value *ret)
{
	(void)mib;
	value_integer(ret, oper_status_of(subject_common(subject)));
	return true;
}

/* BITS PwStatus; bit 0 is the most significant (RFC 2578 section 7.1.4). */
static bool local_status(struct mib *mib, const struct subject *subject, struct value *ret)
{
	enum { NOT_FORWARDING = 0x80, PSN_RX_FAULT = 0x10, PSN_TX_FAULT = 0x08 };
	const struct state *state = subject_common(subject);
	int bits = NOT_FORWARDING;

	(void)mib;
	if (state->oper_status == OPER_UP)
		bits = 0;
	else if (state->status_reason == REASON_PEER_SILENT)
		bits = PSN_RX_FAULT; /* we still send */
	else if (state->status_reason == REASON_TRANSMIT_ERRORS)
		bits = PSN_TX_FAULT;
	ret->text[0] = (char)bits;
	value_bytes(ret, ret->text, 1);
	return true;
}

static bool total_errors(struct mib *mib, const struct subject *subject, struct value *ret)
{
	struct engine_totals totals = {0};

	(void)subject;
	if (mib->engine)
		engine_totals(mib->engine, &totals);
	value_counter32(ret, totals.session_errors);
	return true;
}

static bool notif_enable(struct mib *mib, const struct subject *subject, struct value *ret)
{
	(void)subject;
	value_integer(ret, mib->notify_pseudowires ? 1 : 2);
	return true;
}

static bool notif_rate(struct mib *mib, const struct subject *subject, struct value *ret)
{
	(void)subject;
	value_unsigned(ret, mib->notify_rate);
	return true;
}

/* ---- Ethernet: Linux tags the frames of an ethernet-vlan session by a link over its interface */

static bool is_tagged(const struct subject *subject)
{
	const struct session *session = session_shown(entry_session(subject->entry));

	return session->pseudowire_type == PSEUDOWIRE_ETHERNET_VLAN;
}

static bool vlan(struct mib *mib, const struct subject *subject, struct value *ret)
{
	enum { ANY = 4095 };

	(void)mib;
	value_integer(ret, is_tagged(subject)
				   ? session_shown(entry_session(subject->entry))->vlan_id
				   : ANY);
	return true;
}

static bool vlan_mode(struct mib *mib, const struct subject *subject, struct value *ret)
{
	enum { PORT_BASED = 1, ADD_VLAN = 4 };

	(void)mib;
	value_integer(ret, is_tagged(subject) ? ADD_VLAN : PORT_BASED);
	return true;
}

/* ---- the regions */

enum { PW_SCALARS, PW_TABLE, PW_ID_MAPPING, PW_PEER_MAPPING };
enum { ENET_TABLE, ENET_STATS };

static const oid pw_root[] = {1, 3, 6, 1, 2, 1, 10, 246};
static const oid pw_enet_root[] = {1, 3, 6, 1, 2, 1, 180};

/* clang-format off */
#define TABLE(arc, kind) { .at = { 1, arc, 1 }, .at_length = 3, .index = kind }

static const struct table pw_tables[] = {
	[PW_SCALARS] = { .at = { 1 }, .at_length = 1 },
	[PW_TABLE] = TABLE(2, INDEX_PSEUDOWIRE),
	[PW_ID_MAPPING] = TABLE(7, INDEX_ID_MAPPING),
	[PW_PEER_MAPPING] = TABLE(8, INDEX_PEER_MAPPING),
};

static const struct table pw_enet_tables[] = {
	[ENET_TABLE] = TABLE(1, INDEX_ETHERNET_INSTANCE),
	[ENET_STATS] = TABLE(2, INDEX_ETHERNET),
};

const struct region pw_region = {
	"PW-STD-MIB", pw_root, LENGTH(pw_root), pw_tables, LENGTH(pw_tables),
};
const struct region pw_enet_region = {
	"PW-ENET-STD-MIB", pw_enet_root, LENGTH(pw_enet_root),
	pw_enet_tables, LENGTH(pw_enet_tables),
};

/* ---- the columns */

#define PW(table_, column) .region = &pw_region, .table = PW_##table_, .number = column
#define ENET(table_, column) .region = &pw_enet_region, .table = ENET_##table_, .number = column
#define ROW(leaf_) .kind = COLUMN_ROW, .leaf = leaf_
#define LIKE(kind_) .kind = COLUMN_##kind_
#define FUNCTION(name) .kind = COLUMN_FUNCTION, .function = name
#define INTEGER(n) .kind = COLUMN_CONSTANT, .type = ASN_INTEGER, .constant = n
#define UNSIGNED(n) .kind = COLUMN_CONSTANT, .type = ASN_UNSIGNED, .constant = n
#define OCTETS(text) .kind = COLUMN_CONSTANT, .type = ASN_OCTET_STR, .octets = text, \
	.length = sizeof(text) - 1

const struct standard_column standard_columns[] = {
	{ PW(SCALARS, 1), UNSIGNED(0) },          /* pwIndexNext: rows are not made here */
	{ PW(TABLE, 2), ROW("pseudowire-type") }, /* pwType: the numbers are IANA's */
	{ PW(TABLE, 3), INTEGER(1) },          /* pwOwner manual */
	{ PW(TABLE, 4), INTEGER(2) },          /* pwPsnType l2tp */
	{ PW(TABLE, 5), INTEGER(0) },          /* pwSetUpPriority */
	{ PW(TABLE, 6), INTEGER(0) },          /* pwHoldingPriority */
	{ PW(TABLE, 8), FUNCTION(peer_address_type) },
	{ PW(TABLE, 9), FUNCTION(peer_address) },
	{ PW(TABLE, 10), UNSIGNED(0) },        /* pwAttachedPwIndex */
	{ PW(TABLE, 11), ROW("if-index") },    /* pwIfIndex */
	{ PW(TABLE, 12), ROW("pseudowire-id") }, /* pwID */
	{ PW(TABLE, 13), UNSIGNED(0) },        /* pwLocalGroupID */
	{ PW(TABLE, 14), OCTETS("") },         /* pwGroupAttachmentID */
	{ PW(TABLE, 15), OCTETS("") },         /* pwLocalAttachmentID */
	{ PW(TABLE, 16), OCTETS("") },         /* pwRemoteAttachmentID */
	{ PW(TABLE, 17), FUNCTION(control_word_preference) },
	{ PW(TABLE, 18), UNSIGNED(0) },        /* pwLocalIfMtu: it would be signaled */
	{ PW(TABLE, 19), INTEGER(2) },         /* pwLocalIfString false */
	{ PW(TABLE, 20), OCTETS("\0") },       /* pwLocalCapabAdvert */
	{ PW(TABLE, 21), UNSIGNED(0) },        /* pwRemoteGroupID */
	{ PW(TABLE, 22), FUNCTION(control_word_status) },
	{ PW(TABLE, 23), UNSIGNED(0) },        /* pwRemoteIfMtu */
	{ PW(TABLE, 24), OCTETS("") },         /* pwRemoteIfString */
	{ PW(TABLE, 25), OCTETS("\0") },       /* pwRemoteCapabilities */
	{ PW(TABLE, 26), UNSIGNED(0) },        /* pwFragmentCfgSize */
	{ PW(TABLE, 27), OCTETS("\x80") },     /* pwRmtFragCapability noFrag */
	{ PW(TABLE, 28), INTEGER(1) },         /* pwFcsRetentionCfg disable */
	{ PW(TABLE, 29), OCTETS("\x10") },     /* pwFcsRetentionStatus disabled */
	{ PW(TABLE, 30), ROW("peer-session-id") }, /* pwOutboundLabel */
	{ PW(TABLE, 31), LIKE(SESSION_ID) },   /* pwInboundLabel */
	{ PW(TABLE, 32), ROW("interface-name") }, /* pwName: Observium's key into IF-MIB */
	{ PW(TABLE, 33), ROW("description") }, /* pwDescr */
	{ PW(TABLE, 34), ROW("discontinuity-time") }, /* pwCreateTime: in the kernel */
	{ PW(TABLE, 35), FUNCTION(up_time) },
	{ PW(TABLE, 36), ROW("last-change") }, /* pwLastChange */
	{ PW(TABLE, 37), ROW("enabled") },     /* pwAdminStatus: up(1) or down(2), as TruthValue */
	{ PW(TABLE, PW_COLUMN_OPER_STATUS), FUNCTION(oper_status) },
	{ PW(TABLE, 39), FUNCTION(local_status) },
	{ PW(TABLE, 40), INTEGER(1) },         /* pwRemoteStatusCapable notApplicable */
	{ PW(TABLE, 41), OCTETS("\0") },       /* pwRemoteStatus */
	{ PW(TABLE, 44), LIKE(ROW_STATUS) },
	{ PW(TABLE, 45), LIKE(STORAGE_TYPE) },
	{ PW(TABLE, 46), INTEGER(2) },         /* pwOamEnable false */
	{ PW(TABLE, 47), UNSIGNED(0) },        /* pwGenAGIType */
	{ PW(TABLE, 48), UNSIGNED(0) },        /* pwGenLocalAIIType */
	{ PW(TABLE, 49), UNSIGNED(0) },        /* pwGenRemoteAIIType */
	{ PW(ID_MAPPING, 5), LIKE(SESSION_ID) },   /* pwIndexMappingPwIndex */
	{ PW(PEER_MAPPING, 5), LIKE(SESSION_ID) }, /* pwPeerMappingPwIndex */
	{ PW(SCALARS, 6), FUNCTION(total_errors) },
	{ PW(SCALARS, 9), FUNCTION(notif_enable) },
	{ PW(SCALARS, 10), FUNCTION(notif_enable) },
	{ PW(SCALARS, 11), FUNCTION(notif_rate) },

	{ ENET(TABLE, 2), FUNCTION(vlan) },
	{ ENET(TABLE, 3), FUNCTION(vlan_mode) },
	{ ENET(TABLE, 4), INTEGER(4095) },     /* pwEnetPortVlan: all that the port has */
	{ ENET(TABLE, 5), INTEGER(0) },        /* pwEnetPortIfIndex: the bridge's affair */
	{ ENET(TABLE, 6), ROW("if-index") },   /* pwEnetPwIfIndex */
	{ ENET(TABLE, 7), LIKE(ROW_STATUS) },
	{ ENET(TABLE, 8), LIKE(STORAGE_TYPE) },
	{ ENET(STATS, 1), UNSIGNED(0) },       /* pwEnetStatsIllegalVlan: nobody counts them */
	{ ENET(STATS, 2), UNSIGNED(0) },       /* pwEnetStatsIllegalLength */
};
/* clang-format on */

const size_t standard_column_count = LENGTH(standard_columns);
