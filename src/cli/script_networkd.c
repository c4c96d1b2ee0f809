/*
 * A tunnel is a .netdev file with its sessions, an interface a .network file, without which
 * networkd would not bring it up. Keys are spelled as the parser of networkd has them, which
 * differs from its manual (UDPCheckSum).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/script.h"

#define WHO    "networkd"
#define FOLDER "/etc/systemd/network/"

/* ---- files */

static void write_file(struct script *script, const char *name, const char *text, size_t length)
{
	char *path = NULL;
	FILE *file;

	if (!script->directory) {
		fprintf(script->file, "# " FOLDER "%s\n%.*s\n", name, (int)length, text);
		return;
	}
	if (asprintf(&path, "%s/%s", script->directory, name) < 0) {
		script->rc = script->rc ? script->rc : -ENOMEM;
		return;
	}
	file = fopen(path, "we");
	if (file)
		fwrite(text, 1, length, file);
	if (!file || ferror(file) | fclose(file))
		script->rc = script->rc ? script->rc : errno ? -errno : -EIO;
	else
		fprintf(script->file, "%s\n", path);
	free(path);
}

/* Write the tunnel's file, then those of its interfaces. */
void networkd_end(struct script *script)
{
	char name[40], *at, *next;

	if (script->netdev) {
		fclose(script->netdev);
		fclose(script->networks);
		snprintf(name, sizeof(name), "30-l2tp%" PRIu32 ".netdev", script->tunnel.tunnel_id);
		write_file(script, name, script->netdev_text, script->netdev_length);
		/* each ends in a NUL, as its name does */
		for (at = script->networks_text;
		     at < script->networks_text + script->networks_length;
		     at = next + strlen(next) + 1) {
			next = at + strlen(at) + 1;
			write_file(script, at, next, strlen(next));
		}
	}
	free(script->netdev_text);
	free(script->networks_text);
	script->netdev = script->networks = NULL;
	script->netdev_text = script->networks_text = NULL;
}

/* ---- words */

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

/* A line may hold all but a backslash at its end, which would join it to the next. */
static void put_description(FILE *file, const struct record *record, const char *text)
{
	size_t length = strlen(text);

	if (length && (text[length - 1] == '\\' || text[length - 1] == ' ' || text[0] == ' '))
		fprintf(stderr,
			"l2tpv3ctl: note: " WHO " takes no description that ends in a "
			"backslash or has blanks around it: %s %" PRIu32 "\n",
			row_sets[record->entry->object].name,
			record->entry->session_id ? record->entry->session_id
						  : record->entry->tunnel_id);
	else if (length)
		fprintf(file, "Description=%s\n", text);
}

static void put_leaf(FILE *file, const char *key, const struct record *record, unsigned int number)
{
	char buffer[VALUE_TEXT_MAX];
	const char *text =
		record_text(record, &row_sets[record->entry->object].rows[number], buffer);

	if (text && *text)
		fprintf(file, "%s=%s\n", key, text);
}

/* ---- entries */

static void put_local(FILE *file, const struct record *record)
{
	const struct row *row = &row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_ADDRESS];
	const char *interface = record->config.tunnel.local_interface;
	char buffer[VALUE_TEXT_MAX];
	const char *address = record_text(record, row, buffer);

	fprintf(file, "Local=%s%s%s\n", address && *address ? address : "auto",
		*interface ? "@" : "", interface);
}

static void put_tunnel(struct script *script, const struct record *record)
{
	static const uint64_t known = BIT(TUNNEL_ID) | BIT(TUNNEL_DESCRIPTION) |
				      BIT(TUNNEL_PEER_TUNNEL_ID) | BIT(TUNNEL_ENCAPSULATION) |
				      BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_LOCAL_INTERFACE) |
				      BIT(TUNNEL_REMOTE_ADDRESS) | BIT(TUNNEL_LOCAL_PORT) |
				      BIT(TUNNEL_REMOTE_PORT) | BIT(TUNNEL_UDP_CHECKSUM) |
				      BIT(TUNNEL_UDP6_CHECKSUM_TX) | BIT(TUNNEL_UDP6_CHECKSUM_RX);
	const struct tunnel *tunnel = &record->config.tunnel;
	FILE *file = open_memstream(&script->netdev_text, &script->netdev_length);

	script->networks = open_memstream(&script->networks_text, &script->networks_length);
	script->netdev = file;
	if (!file || !script->networks) {
		script->rc = -ENOMEM;
		script->left_out = true;
		return;
	}
	script_unknown(WHO, record, known);
	fprintf(file, "[NetDev]\nName=l2tp%" PRIu32 "\nKind=l2tp\n", tunnel->tunnel_id);
	put_description(file, record, tunnel->description);
	fputs("\n[L2TP]\n", file);
	put_leaf(file, "TunnelId", record, TUNNEL_ID);
	put_leaf(file, "PeerTunnelId", record, TUNNEL_PEER_TUNNEL_ID);
	put_local(file, record);
	put_leaf(file, "Remote", record, TUNNEL_REMOTE_ADDRESS);
	put_leaf(file, "EncapsulationType", record, TUNNEL_ENCAPSULATION);
	if (tunnel->encapsulation == ENCAPSULATION_IP)
		return;
	put_leaf(file, "UDPSourcePort", record, TUNNEL_LOCAL_PORT);
	put_leaf(file, "UDPDestinationPort", record, TUNNEL_REMOTE_PORT);
	if (tunnel->remote_address.family == AF_INET6)
		fprintf(file, "UDP6CheckSumTx=%s\nUDP6CheckSumRx=%s\n",
			yes(!tunnel->udp6_checksum_tx), yes(!tunnel->udp6_checksum_rx));
	else
		fprintf(file, "UDPCheckSum=%s\n", yes(tunnel->udp_checksum));
}

static void put_interface(struct script *script, const struct record *record)
{
	const struct session *session = &record->config.session;
	FILE *file = script->networks;
	bool link = session->mtu || (session->present & BIT(SESSION_MAC_ADDRESS));

	fprintf(file, "30-%s.network%c[Match]\nName=%s\n", session->interface_name, '\0',
		session->interface_name);
	if (link || !session->link_enabled)
		fputs("\n[Link]\n", file);
	put_leaf(file, "MTUBytes", record, SESSION_MTU);
	put_leaf(file, "MACAddress", record, SESSION_MAC_ADDRESS);
	if (!session->link_enabled)
		fputs("ActivationPolicy=down\n", file);
	fputs("\n[Network]\n", file);
	put_description(file, record, session->description);
	put_leaf(file, "Bridge", record, SESSION_BRIDGE);
	putc('\0', file);
}

static void put_session(struct script *script, const struct record *record)
{
	static const uint64_t known =
		BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID) | BIT(SESSION_INTERFACE_NAME) |
		BIT(SESSION_L2_SPECIFIC_SUBLAYER) | BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) |
		BIT(SESSION_BRIDGE) | BIT(SESSION_LINK_ENABLED) | BIT(SESSION_DESCRIPTION);

	script_unknown(WHO, record, known);
	fputs("\n[L2TPSession]\n", script->netdev);
	put_leaf(script->netdev, "Name", record, SESSION_INTERFACE_NAME);
	put_leaf(script->netdev, "SessionId", record, SESSION_ID);
	put_leaf(script->netdev, "PeerSessionId", record, SESSION_PEER_SESSION_ID);
	put_leaf(script->netdev, "Layer2SpecificHeader", record, SESSION_L2_SPECIFIC_SUBLAYER);
	put_interface(script, record);
}

void networkd_entry(struct script *script, const struct record *record)
{
	const struct session *session = &record->config.session;

	if (record->entry->object == OBJECT_TUNNEL) {
		networkd_end(script);
		script->tunnel = record->config.tunnel;
		script->left_out = !record->config.tunnel.enabled;
		if (script->left_out)
			script_leave_out(WHO, record, "has nothing that is disabled");
		else
			put_tunnel(script, record);
	} else if (script->left_out) {
		script_leave_out(WHO, record, "lacks its tunnel");
	} else if (!session->enabled) {
		script_leave_out(WHO, record, "has nothing that is disabled");
	} else if (session->pseudowire_type != PSEUDOWIRE_ETHERNET) {
		script_leave_out(WHO, record, "makes Ethernet pseudowires only");
	} else {
		put_session(script, record);
	}
}
