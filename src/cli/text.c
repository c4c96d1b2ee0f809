#include "cli/text.h"

#include <inttypes.h>
#include <sys/socket.h>

#include "cli/message.h"

/* What the lines of `ip l2tp show` hold; the rest is for -d. */
static const uint64_t shown[OBJECTS] = {
	[OBJECT_TUNNEL] = BIT(TUNNEL_ID) | BIT(TUNNEL_PEER_TUNNEL_ID) | BIT(TUNNEL_ENCAPSULATION) |
			  BIT(TUNNEL_LOCAL_ADDRESS) | BIT(TUNNEL_LOCAL_INTERFACE) |
			  BIT(TUNNEL_REMOTE_ADDRESS) | BIT(TUNNEL_LOCAL_PORT) |
			  BIT(TUNNEL_REMOTE_PORT) | BIT(TUNNEL_UDP_CHECKSUM) |
			  BIT(TUNNEL_UDP6_CHECKSUM_TX) | BIT(TUNNEL_UDP6_CHECKSUM_RX),
	[OBJECT_SESSION] = BIT(SESSION_ID) | BIT(SESSION_PEER_SESSION_ID) |
			   BIT(SESSION_INTERFACE_NAME) | BIT(SESSION_TX_COOKIE) |
			   BIT(SESSION_RX_COOKIE) | BIT(SESSION_SEQUENCING) |
			   BIT(SESSION_REORDER_TIMEOUT),
};

/* State that the text needs beside the configuration, by leaf. */
static const char *const state_leaves[] = {"oper-status", "status-reason", "status-text", "origin",
					   "resolved-local-address"};

uint64_t text_rows(enum object object, const struct cli_options *options)
{
	uint64_t rows = shown[object];

	for (size_t i = 0; i < sizeof(state_leaves) / sizeof(state_leaves[0]); i++) {
		const char *leaf = state_leaves[i];
		const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

		if (row)
			rows |= BIT(row_number(row));
	}
	if (options->details)
		rows |= message_rows(object, PART_STATE);
	if (options->statistics)
		rows |= message_rows(object, PART_STATISTICS) & ~message_rows(object, PART_STATE);
	return rows;
}

/* The text of a state leaf, "" when it was not sent. */
static const char *state_text(const struct record *record, const char *leaf)
{
	const struct row *row = row_by_leaf(record->entry->object, leaf, strlen(leaf));
	const char *text = row ? record->entry->text[row_number(row)] : NULL;

	return text ? text : "";
}

/* One line when the object is not simply ours and up. */
static void put_status(FILE *file, const struct record *record)
{
	const char *status = state_text(record, "oper-status");
	bool foreign = !strcmp(state_text(record, "origin"), "foreign");
	const char *reason, *text;

	if (!foreign && (!*status || !strcmp(status, "up")))
		return;
	reason = state_text(record, "status-reason");
	text = state_text(record, "status-text");
	fprintf(file, "  status: %s%s", status, foreign ? ", foreign" : "");
	if (*reason && strcmp(reason, "none") != 0)
		fprintf(file, ", %s", reason);
	fprintf(file, "%s%s\n", *text ? ": " : "", text);
}

/* Every value that has no place above. */
static void put_details(FILE *file, const struct record *record)
{
	const struct row_set *set = &row_sets[record->entry->object];
	char buffer[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];
		const char *text;

		if (row->part == PART_STATISTICS || (shown[record->entry->object] & BIT(i)))
			continue;
		text = record_text(record, row, buffer);
		if (text && *text)
			fprintf(file, "  %s %s%s%s\n", row->leaf, text, row->units ? " " : "",
				row->units ? row->units : "");
	}
}

/* The counters whose leaf begins with @prefix, under a line of headings. */
static void put_counters(FILE *file, const struct record *record, const char *prefix,
			 const char *title)
{
	const struct row_set *set = &row_sets[record->entry->object];

	for (unsigned int line = 0; line < 2; line++) {
		fprintf(file, "    %-3s", line ? "" : title);
		for (unsigned int i = 0; i < set->count; i++) {
			const struct row *row = &set->rows[i];
			const char *text = record->entry->text[i];

			if (row->type != TYPE_COUNTER || strncmp(row->leaf, prefix, 3) != 0)
				continue;
			fprintf(file, " %16s", line ? (text ? text : "-") : row->leaf + 3);
		}
		putc('\n', file);
	}
}

static void put_rest(FILE *file, const struct record *record, const struct cli_options *options)
{
	if (options->details)
		put_details(file, record);
	else
		put_status(file, record);
	if (!options->statistics)
		return;
	put_counters(file, record, "rx-", "RX:");
	put_counters(file, record, "tx-", "TX:");
}

/* Only its first words and its status. */
static void put_remnant(FILE *file, const struct record *record, const struct cli_options *options)
{
	const struct client_entry *entry = record->entry;

	if (!options->details)
		return;
	if (entry->object == OBJECT_SESSION)
		fprintf(file, "Session %" PRIu32 " in tunnel %" PRIu32 "\n", entry->session_id,
			entry->tunnel_id);
	else
		fprintf(file, "Tunnel %" PRIu32 "\n", entry->tunnel_id);
	put_status(file, record);
}

static const char *local_text(const struct record *record, char buffer[VALUE_TEXT_MAX])
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	const char *resolved = state_text(record, "resolved-local-address");
	const char *text;

	if (*resolved)
		return resolved;
	text = record_text(record, &rows[TUNNEL_LOCAL_ADDRESS], buffer);
	if (!text)
		text = record_text(record, &rows[TUNNEL_LOCAL_INTERFACE], buffer);
	return text ? text : "-";
}

static const char *checksum_text(const struct tunnel *tunnel)
{
	if (tunnel->remote_address.family != AF_INET6)
		return tunnel->udp_checksum ? "enabled" : "disabled";
	if (tunnel->udp6_checksum_tx)
		return tunnel->udp6_checksum_rx ? "enabled" : "tx";
	return tunnel->udp6_checksum_rx ? "rx" : "disabled";
}

void text_tunnel(FILE *file, const struct record *record, const struct cli_options *options)
{
	const struct tunnel *tunnel = &record->config.tunnel;
	bool udp = tunnel->encapsulation == ENCAPSULATION_UDP;
	char local[VALUE_TEXT_MAX], remote[VALUE_TEXT_MAX];

	if (record_is_remnant(record)) {
		put_remnant(file, record, options);
		return;
	}
	codec_print(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_REMOTE_ADDRESS], tunnel, remote);
	fprintf(file, "Tunnel %" PRIu32 ", encap %s\n", tunnel->tunnel_id, udp ? "UDP" : "IP");
	fprintf(file, "  From %s to %s\n", local_text(record, local), remote);
	fprintf(file, "  Peer tunnel %" PRIu32 "\n", tunnel->peer_tunnel_id);
	if (udp) {
		fprintf(file, "  UDP source / dest ports: %u/%u\n", tunnel->local_port,
			tunnel->remote_port);
		fprintf(file, "  UDP checksum: %s\n", checksum_text(tunnel));
	}
	put_rest(file, record, options);
}

static void put_cookie(FILE *file, const struct record *record, enum session_row number,
		       const char *title)
{
	char buffer[VALUE_TEXT_MAX];
	const char *text = record_text(record, &row_sets[OBJECT_SESSION].rows[number], buffer);

	if (text && *text)
		fprintf(file, "  %s %s", title, text);
}

/* `ip l2tp` begins each line with the options it has and always ends it: the line may be empty. */
static void put_options(FILE *file, const struct record *record)
{
	const struct session *session = &record->config.session;
	bool send = session->sequencing == SEQUENCING_SEND;
	bool receive = session->sequencing == SEQUENCING_RECEIVE;
	bool both = session->sequencing == SEQUENCING_BOTH;

	put_cookie(file, record, SESSION_TX_COOKIE, "cookie");
	put_cookie(file, record, SESSION_RX_COOKIE, "peer cookie");
	if (session->reorder_timeout)
		fprintf(file, "  reorder timeout: %" PRIu32, session->reorder_timeout);
	if (send || receive || both)
		fprintf(file, "\n  sequence numbering:%s%s", send || both ? " send" : "",
			receive || both ? " recv" : "");
	putc('\n', file);
}

void text_session(FILE *file, const struct record *record, uint32_t peer_tunnel_id,
		  const struct cli_options *options)
{
	const struct session *session = &record->config.session;

	if (record_is_remnant(record)) {
		put_remnant(file, record, options);
		return;
	}
	fprintf(file, "Session %" PRIu32 " in tunnel %" PRIu32 "\n", session->session_id,
		record->entry->tunnel_id);
	fprintf(file, "  Peer session %" PRIu32 ", tunnel %" PRIu32 "\n", session->peer_session_id,
		peer_tunnel_id);
	if (session->interface_name[0])
		fprintf(file, "  interface name: %s\n", session->interface_name);
	fputs("  offset 0, peer offset 0\n", file);
	put_options(file, record);
	put_rest(file, record, options);
}
