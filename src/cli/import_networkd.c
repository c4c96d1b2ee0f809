/*
 * systemd.netdev(5), sections NetDev, L2TP and L2TPSession, and of systemd.network(5) what concerns
 * the interface of a session. Keys are compared without regard to case: the manual and the parser
 * of networkd disagree (UDPChecksum, UDPCheckSum).
 */
#include <string.h>
#include <sys/socket.h>
#include <strings.h>

#include "cli/import.h"

#define SECTION_MAX 32

struct networkd {
	struct import *import;
	bool networks; /* it is their turn, not that of .netdev files */
	char section[SECTION_MAX];
	bool others;   /* the file is not about L2TP, or its turn is not now: pass over it */
	bool l2tp;     /* its Kind is */
	size_t tunnel; /* 1 + the index of its request; 0: none */
	size_t session;
};

static struct request *at(const struct networkd *networkd, size_t number)
{
	return number ? &networkd->import->requests.items[number - 1] : NULL;
}

/* ---- values */

static const char *truth(const char *value, bool inverted)
{
	static const char *const words[] = {"1", "yes", "y", "true", "t", "on"};
	bool is = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		is |= !strcasecmp(value, words[i]);
	return is != inverted ? "on" : "off";
}

/* "ADDRESS", "auto@INTERFACE", "ADDRESS@INTERFACE" */
static void take_local(struct networkd *networkd, char *value)
{
	struct import *import = networkd->import;
	struct request *request = at(networkd, networkd->tunnel);
	char *interface = strchr(value, '@');
	bool by_name;

	if (interface)
		*interface++ = '\0';
	by_name = !strcmp(value, "auto") || !strcmp(value, "static") || !strcmp(value, "dynamic");
	if (by_name && !interface)
		import_refuse(import,
			      "Local=%s: say which address it is, or of which interface "
			      "(auto@INTERFACE)",
			      value);
	else if (interface)
		import_leaf(import, request, OBJECT_TUNNEL, TUNNEL_LOCAL_INTERFACE, "Local",
			    interface);
	if (!by_name)
		import_leaf(import, request, OBJECT_TUNNEL, TUNNEL_LOCAL_ADDRESS, "Local", value);
}

/* "down" and its like: the interface is not to be brought up. */
static void take_activation(struct networkd *networkd, const char *value)
{
	bool down = !strcmp(value, "down") || !strcmp(value, "always-down");

	if (!down && strcmp(value, "up") != 0 && strcmp(value, "always-up") != 0)
		import_refuse(networkd->import, "ActivationPolicy=%s: only up and down are known",
			      value);
	else
		import_leaf(networkd->import, at(networkd, networkd->session), OBJECT_SESSION,
			    SESSION_LINK_ENABLED, "ActivationPolicy", down ? "off" : "on");
}

/* ---- keys */

enum form { AS_IS, BOOLEAN, INVERTED };

static const struct key {
	const char *section, *name;
	enum object object;
	unsigned int row;
	enum form form;
} keys[] = {
	{"NetDev", "Description", OBJECT_TUNNEL, TUNNEL_DESCRIPTION, AS_IS},
	{"L2TP", "TunnelId", OBJECT_TUNNEL, TUNNEL_ID, AS_IS},
	{"L2TP", "PeerTunnelId", OBJECT_TUNNEL, TUNNEL_PEER_TUNNEL_ID, AS_IS},
	{"L2TP", "Remote", OBJECT_TUNNEL, TUNNEL_REMOTE_ADDRESS, AS_IS},
	{"L2TP", "EncapsulationType", OBJECT_TUNNEL, TUNNEL_ENCAPSULATION, AS_IS},
	{"L2TP", "UDPSourcePort", OBJECT_TUNNEL, TUNNEL_LOCAL_PORT, AS_IS},
	{"L2TP", "UDPDestinationPort", OBJECT_TUNNEL, TUNNEL_REMOTE_PORT, AS_IS},
	{"L2TP", "UDPChecksum", OBJECT_TUNNEL, TUNNEL_UDP_CHECKSUM, BOOLEAN},
	{"L2TP", "UDP6ZeroChecksumTx", OBJECT_TUNNEL, TUNNEL_UDP6_CHECKSUM_TX, INVERTED},
	{"L2TP", "UDP6ZeroChecksumRx", OBJECT_TUNNEL, TUNNEL_UDP6_CHECKSUM_RX, INVERTED},
	{"L2TP", "UDP6ChecksumTx", OBJECT_TUNNEL, TUNNEL_UDP6_CHECKSUM_TX, INVERTED},
	{"L2TP", "UDP6ChecksumRx", OBJECT_TUNNEL, TUNNEL_UDP6_CHECKSUM_RX, INVERTED},
	{"L2TPSession", "Name", OBJECT_SESSION, SESSION_INTERFACE_NAME, AS_IS},
	{"L2TPSession", "SessionId", OBJECT_SESSION, SESSION_ID, AS_IS},
	{"L2TPSession", "PeerSessionId", OBJECT_SESSION, SESSION_PEER_SESSION_ID, AS_IS},
	{"L2TPSession", "Layer2SpecificHeader", OBJECT_SESSION, SESSION_L2_SPECIFIC_SUBLAYER,
	 AS_IS},
	{"Link", "MTUBytes", OBJECT_SESSION, SESSION_MTU, AS_IS},
	{"Link", "MACAddress", OBJECT_SESSION, SESSION_MAC_ADDRESS, AS_IS},
	{"Network", "Bridge", OBJECT_SESSION, SESSION_BRIDGE, AS_IS},
	{"Network", "Description", OBJECT_SESSION, SESSION_DESCRIPTION, AS_IS},
};

static const struct key *find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].section, section) && !strcasecmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static void take_match(struct networkd *networkd, const char *name, const char *value)
{
	const struct requests *requests = &networkd->import->requests;
	const struct request *found =
		strcasecmp(name, "Name") ? NULL : requests_by_name(requests, value);

	if (!found)
		return;
	networkd->session = (size_t)(found - requests->items) + 1;
	networkd->others = false;
}

static void take_kind(struct networkd *networkd, const char *kind)
{
	networkd->l2tp = !strcmp(kind, "l2tp");
	networkd->others = !networkd->l2tp;
	if (networkd->others)
		import_refuse(networkd->import, "a netdev of kind %s is not L2TP", kind);
}

static void take_key(struct networkd *networkd, const char *name, char *value)
{
	const struct key *key = find_key(networkd->section, name);
	struct request *request;

	if (networkd->networks && !strcmp(networkd->section, "Match")) {
		take_match(networkd, name, value);
		return;
	}
	if (networkd->others)
		return;
	if (!strcmp(networkd->section, "NetDev") && !strcasecmp(name, "Kind")) {
		take_kind(networkd, value);
		return;
	}
	if (!strcmp(networkd->section, "NetDev") && !strcasecmp(name, "Name"))
		return; /* of the tunnel, which has none in the kernel */
	if (!strcmp(networkd->section, "L2TP") && !strcasecmp(name, "Local")) {
		take_local(networkd, value);
		return;
	}
	if (!strcmp(networkd->section, "Link") && !strcasecmp(name, "ActivationPolicy")) {
		take_activation(networkd, value);
		return;
	}
	request = key ? at(networkd,
			   key->object == OBJECT_TUNNEL ? networkd->tunnel : networkd->session)
		      : NULL;
	if (!request) {
		import_refuse(networkd->import,
			      "[%s] %s= is left to networkd: there is no leaf for it",
			      networkd->section, name);
		return;
	}
	if (key->form != AS_IS)
		value = (char *)(uintptr_t)truth(value, key->form == INVERTED);
	import_leaf(networkd->import, request, key->object, key->row, name, value);
}

/* ---- sections */

static bool lacks(const struct request *request, enum object object, unsigned int row)
{
	return !codec_present(&row_sets[object].rows[row], request_config(request, object));
}

/* Says what is missing. */
static bool is_complete(const struct networkd *networkd, const struct request *request)
{
	enum object object = request->wants[OBJECT_TUNNEL] ? OBJECT_TUNNEL : OBJECT_SESSION;
	bool local = object == OBJECT_SESSION ||
		     !lacks(request, OBJECT_TUNNEL, TUNNEL_LOCAL_ADDRESS) ||
		     !lacks(request, OBJECT_TUNNEL, TUNNEL_LOCAL_INTERFACE);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].object == object && import_needs(object, keys[i].row) &&
		    lacks(request, object, keys[i].row)) {
			import_refuse(networkd->import, "the [%s] before has no %s",
				      keys[i].section, keys[i].name);
			return false;
		}
	if (!local)
		import_refuse(networkd->import, "the [L2TP] before has no address and no interface "
						"in Local");
	return local;
}

/* Over IPv6 networkd goes without, unless told otherwise. */
static const unsigned int zero_checksums[] = {TUNNEL_UDP6_CHECKSUM_TX, TUNNEL_UDP6_CHECKSUM_RX};

static void begin_tunnel(struct networkd *networkd)
{
	struct request *request = import_request(networkd->import, true, false);

	if (!request)
		return;
	networkd->tunnel = networkd->import->requests.count;
	for (size_t i = 0; i < 2; i++)
		codec_parse(&row_sets[OBJECT_TUNNEL].rows[zero_checksums[i]], &request->tunnel,
			    "false", strlen("false"), NULL);
}

/* A .netdev ends: its sessions belong to its tunnel. */
static void end_netdev(struct networkd *networkd)
{
	struct request *tunnel = at(networkd, networkd->tunnel);
	struct requests *requests = &networkd->import->requests;
	size_t kept = networkd->tunnel;

	if (!tunnel)
		return;
	if (!networkd->l2tp || !is_complete(networkd, tunnel)) {
		requests->count = networkd->tunnel - 1;
		networkd->tunnel = networkd->session = 0;
		return;
	}
	if (tunnel->tunnel.remote_address.family != AF_INET6 ||
	    tunnel->tunnel.encapsulation == ENCAPSULATION_IP)
		for (size_t i = 0; i < 2; i++)
			codec_clear(&row_sets[OBJECT_TUNNEL].rows[zero_checksums[i]],
				    &tunnel->tunnel);
	for (size_t i = kept; i < requests->count; i++) {
		if (!is_complete(networkd, &requests->items[i]))
			continue;
		codec_set_number(row_sets[OBJECT_TUNNEL].key, &requests->items[i].tunnel,
				 tunnel->tunnel.tunnel_id, NULL);
		requests->items[kept++] = requests->items[i];
	}
	requests->count = kept;
	networkd->tunnel = networkd->session = 0;
}

static void begin_section(struct networkd *networkd, const char *name)
{
	struct import *import = networkd->import;
	bool netdev = !strcmp(name, "NetDev");

	snprintf(networkd->section, sizeof(networkd->section), "%s", name);
	if (netdev || !strcmp(name, "Match")) {
		end_netdev(networkd);
		networkd->others = !netdev || networkd->networks;
		networkd->l2tp = false;
		networkd->session = 0;
		if (!networkd->others)
			begin_tunnel(networkd);
	}
	if (!networkd->others && !strcmp(name, "L2TPSession") &&
	    import_request(import, false, true))
		networkd->session = import->requests.count;
}

/* ---- lines */

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text;
}

static void take_line(struct networkd *networkd, char *line)
{
	char *equals = strchr(line, '='), *end;

	if (!*line || *line == '#' || *line == ';')
		return;
	end = *line == '[' ? strchr(line, ']') : NULL;
	if (end) {
		*end = '\0';
		begin_section(networkd, line + 1);
	} else if (equals && *networkd->section) {
		*equals = '\0';
		take_key(networkd, trim(line), trim(equals + 1));
	} else if (!networkd->networks) {
		import_refuse(networkd->import, "this is no line of a .netdev or .network file");
	}
}

void import_networkd(struct import *import, char *text, bool networks)
{
	struct networkd networkd = {.import = import, .networks = networks, .others = true};
	char *next;

	import->number = 0;
	for (char *line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		import->number++;
		take_line(&networkd, trim(line));
	}
	end_netdev(&networkd);
}
