#include "model/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "model/codec.h"

#define SUBJECT_MAX 80 /* octets, so that there is room for what comes after it */

/* What to name between the two halves of a sentence. */
enum subject {
	SUBJECT_NONE,
	SUBJECT_LOCAL,      /* local-address, or the one of local-interface in use */
	SUBJECT_LOCAL_PORT, /* ... and the port, for UDP */
	SUBJECT_LOCAL_VRF,  /* ... and the VRF that it is in */
	SUBJECT_WAY,        /* the remote address and the interface to it */
	SUBJECT_REMOTE,
	SUBJECT_LOCAL_INTERFACE, /* and the address that it shall have */
	SUBJECT_LINK,
	SUBJECT_MASTER, /* bridge or vrf */
	SUBJECT_MODULE,
	SUBJECT_DEAD_INTERVAL
};

struct sentence {
	const char *before;
	enum subject subject;
	const char *after; /* the errno, if any, comes before this */
};

/* clang-format off */
static const struct sentence sentences[] = {
	[REASON_NONE] = { "", SUBJECT_NONE, "" },
	[REASON_DISABLED] = { "enabled is false", SUBJECT_NONE, "; set it to true to create it" },
	[REASON_NO_LOCAL_ADDRESS] = { "this host does not have the local address ", SUBJECT_LOCAL,
		"; retried when it appears" },
	[REASON_ADDRESS_TENTATIVE] = { "duplicate address detection still runs for ", SUBJECT_LOCAL,
		"; retried when it ends" },
	[REASON_NO_ROUTE] = { "no route to ", SUBJECT_REMOTE, "; retried when a route appears" },
	[REASON_NO_INTERFACE_ADDRESS] = { "no ", SUBJECT_LOCAL_INTERFACE,
		"; retried when one appears" },
	[REASON_MODULE_MISSING] = { "the kernel has no ", SUBJECT_MODULE,
		"; load the module, it is retried by itself" },
	[REASON_NO_PERMISSION] = { "the daemon lacks CAP_NET_ADMIN", SUBJECT_NONE,
		"; start it with that capability" },
	[REASON_BEING_REMOVED] = { "deleted, but the kernel has not let go of it", SUBJECT_NONE,
		"; its id and interface name are free when it has" },
	[REASON_TUNNEL_NOT_UP] = { "its tunnel is not up", SUBJECT_NONE,
		"; see the tunnel's status" },
	[REASON_LINK_DOWN] = { "the interface ", SUBJECT_LINK,
		" is down; set it up, or link-enabled to true" },
	[REASON_TRANSMIT_ERRORS] = { "packets to ", SUBJECT_REMOTE,
		" fail on this host; check the route, the local address and the link below" },
	[REASON_PEER_SILENT] = { "nothing came from the peer for ", SUBJECT_DEAD_INTERVAL,
		"; check the peer, the path, and that ids and cookies agree" },
	[REASON_KERNEL_ERROR] = { "the kernel refused it", SUBJECT_NONE, "" },
	[REASON_EXTERNALLY_MODIFIED] = { "somebody else changed or removed it in the kernel",
		SUBJECT_NONE, "; restored at once, but with --no-repair when enabled goes false and true" },
	[REASON_ADDRESS_IN_USE] = { "another socket holds ", SUBJECT_LOCAL_PORT,
		"; two tunnels cannot share it" },
	[REASON_NO_BRIDGE] = { "there is no bridge ", SUBJECT_MASTER,
		"; joined when it appears" },
	[REASON_NO_INTERFACE] = { "its interface ", SUBJECT_LINK,
		" is not in this network namespace; move or rename it back" },
	[REASON_FOREIGN_OBJECT] = { "what others made in this tunnel would be destroyed by re-creating it",
		SUBJECT_NONE, "; adopt the tunnel, or remove that" },
	[REASON_PORT_SETTINGS] = { "kept out of its bridge: what others had set on the port cannot be put back",
		SUBJECT_NONE, "; the log names it, and the daemon retries" },
	[REASON_ADDRESS_DUPLICATE] = { "another host has the local address ", SUBJECT_LOCAL,
		": duplicate address detection failed; remove it there, then add it here again" },
	[REASON_ADDRESS_IN_VRF] = { "the local address ", SUBJECT_LOCAL_VRF,
		", where a static tunnel cannot be bound; retried when it is outside" },
	[REASON_MTU_ABOVE_PATH] = { "packets as large as mtu do not fit the way to ", SUBJECT_REMOTE,
		" and go in fragments; lower mtu, \"l2tpv3ctl explain\" says to what" },
	[REASON_NO_VRF] = { "there is no VRF ", SUBJECT_MASTER,
		"; joined when it appears" },
};

/* REASON_LINK_DOWN of a tunnel */
static const struct sentence way_down = { "the way to ", SUBJECT_WAY,
	", which is down or has no carrier; retried when it is up" };

/* REASON_PEER_SILENT with a dead-action */
static const struct sentence link_taken_down = { "nothing came from the peer for ",
	SUBJECT_DEAD_INTERVAL, ", so the interface is down until something does; check the peer, "
	"the path, and that ids and cookies agree" };

/* What an errno of REASON_NO_ROUTE means. */
static const struct {
	int error;
	const char *cause;
} no_routes[] = {
	{ EINVAL, "a blackhole route or rule" },
	{ EACCES, "a prohibit route or rule" },
	{ EHOSTUNREACH, "an unreachable route" },
};
/* clang-format on */

static const struct row *tunnel_row(enum tunnel_row row)
{
	return &row_sets[OBJECT_TUNNEL].rows[row];
}

static const char *module_name(const struct state *state, const struct tunnel *tunnel,
			       const struct session *session)
{
	if (state->status_errno == ENOENT)
		return "l2tp_netlink";
	if (session)
		return session->pseudowire_type == PSEUDOWIRE_PPP ? "l2tp_ppp" : "l2tp_eth";
	if (codec_applies(tunnel_row(TUNNEL_LOCAL_PORT), tunnel))
		return "l2tp_core";
	return tunnel->remote_address.family == AF_INET6 ? "l2tp_ip6" : "l2tp_ip";
}

/* local-address, or else what local-interface stands for. */
static void print_local(const struct tunnel *tunnel, char ret[VALUE_TEXT_MAX])
{
	bool fixed = tunnel->local_address.family != AF_UNSPEC;
	const struct row *row = tunnel_row(fixed ? TUNNEL_LOCAL_ADDRESS : TUNNEL_LOCAL_INTERFACE);
	char text[VALUE_TEXT_MAX];

	codec_print(row, tunnel, text);
	snprintf(ret, VALUE_TEXT_MAX, "%s%.64s", fixed ? "" : "of ", text);
}

static void print_local_port(const struct tunnel *tunnel, char ret[VALUE_TEXT_MAX])
{
	char local[VALUE_TEXT_MAX];
	unsigned int port = tunnel->local_port ? tunnel->local_port : PORT_DEFAULT;

	print_local(tunnel, local);
	if (codec_applies(tunnel_row(TUNNEL_LOCAL_PORT), tunnel))
		snprintf(ret, VALUE_TEXT_MAX, "%.64s port %u", local, port);
	else
		snprintf(ret, VALUE_TEXT_MAX, "%.64s with this tunnel-id", local);
}

/* The common part is the first member of the tunnel's state. */
static const char *path_link(const struct state *state)
{
	return ((const struct tunnel_state *)(const void *)state)->path_link;
}

/* Which address local-interface lacks. */
static void print_local_interface(const struct tunnel *tunnel, char ret[VALUE_TEXT_MAX])
{
	char address[VALUE_TEXT_MAX];

	codec_print(tunnel_row(TUNNEL_LOCAL_ADDRESS), tunnel, address);
	if (tunnel->local_address.family != AF_UNSPEC)
		snprintf(ret, VALUE_TEXT_MAX, "address %.64s on %s", address,
			 tunnel->local_interface);
	else
		snprintf(ret, VALUE_TEXT_MAX,
			 "usable address of the family of remote-address on %s",
			 tunnel->local_interface);
}

static void print_subject(enum subject subject, const struct state *state,
			  const struct tunnel *tunnel, const struct session *session,
			  char ret[VALUE_TEXT_MAX])
{
	char local[VALUE_TEXT_MAX];

	ret[0] = '\0';
	switch (subject) {
	case SUBJECT_LOCAL:
		print_local(tunnel, ret);
		break;
	case SUBJECT_LOCAL_PORT:
		print_local_port(tunnel, ret);
		break;
	case SUBJECT_LOCAL_VRF:
		print_local(tunnel, local);
		snprintf(ret, VALUE_TEXT_MAX, "%.64s is in VRF %s", local, path_link(state));
		break;
	case SUBJECT_WAY:
		codec_print(tunnel_row(TUNNEL_REMOTE_ADDRESS), tunnel, local);
		snprintf(ret, VALUE_TEXT_MAX, "%.64s is %s", local, path_link(state));
		break;
	case SUBJECT_REMOTE:
		codec_print(tunnel_row(TUNNEL_REMOTE_ADDRESS), tunnel, ret);
		break;
	case SUBJECT_LOCAL_INTERFACE:
		print_local_interface(tunnel, ret);
		break;
	case SUBJECT_LINK:
		snprintf(ret, VALUE_TEXT_MAX, "%s", session ? session->interface_name : "");
		break;
	case SUBJECT_MASTER:
		snprintf(ret, VALUE_TEXT_MAX, "%s",
			 !session          ? ""
			 : session->vrf[0] ? session->vrf
					   : session->bridge);
		break;
	case SUBJECT_MODULE:
		snprintf(ret, VALUE_TEXT_MAX, "%s", module_name(state, tunnel, session));
		break;
	case SUBJECT_DEAD_INTERVAL:
		snprintf(ret, VALUE_TEXT_MAX, "%" PRIu32 " s",
			 session ? session->dead_interval : 0);
		break;
	case SUBJECT_NONE:
		break;
	}
}

static const struct sentence *sentence_of(const struct state *state, const struct session *session)
{
	const struct sentence *sentence = &sentences[REASON_NONE];

	if (state->status_reason < sizeof(sentences) / sizeof(sentences[0]) &&
	    sentences[state->status_reason].before)
		sentence = &sentences[state->status_reason];
	if (state->status_reason == REASON_PEER_SILENT && session &&
	    session->dead_action == DEAD_ACTION_LINK_DOWN)
		return &link_taken_down;
	return state->status_reason == REASON_LINK_DOWN && !session ? &way_down : sentence;
}

static const char *cause_of(const struct state *state)
{
	for (size_t i = 0; i < sizeof(no_routes) / sizeof(no_routes[0]); i++)
		if (state->status_reason == REASON_NO_ROUTE &&
		    state->status_errno == no_routes[i].error)
			return no_routes[i].cause;
	return strerror(state->status_errno);
}

/* As far as there is room. By hand, for each removed session has such a text in a notification. */
static void add(char ret[STATUS_TEXT_MAX], size_t *used, const char *text)
{
	size_t length = strnlen(text, STATUS_TEXT_MAX - 1 - *used);

	memcpy(ret + *used, text, length);
	*used += length;
	ret[*used] = '\0';
}

size_t status_text(const struct state *state, const struct tunnel *tunnel,
		   const struct session *session, char ret[STATUS_TEXT_MAX])
{
	const struct sentence *sentence = sentence_of(state, session);
	char subject[VALUE_TEXT_MAX], cause[80] = "";
	size_t used = 0;

	if (state->status_reason == REASON_NONE) {
		ret[0] = '\0';
		return 0;
	}
	print_subject(sentence->subject, state, tunnel, session, subject);
	if (state->status_errno > 0 && sentence != &sentences[REASON_NONE])
		snprintf(cause, sizeof(cause), " (%s)", cause_of(state));
	subject[SUBJECT_MAX] = '\0';
	add(ret, &used, sentence->before);
	add(ret, &used, subject);
	add(ret, &used, cause);
	add(ret, &used, sentence->after);
	return used;
}
