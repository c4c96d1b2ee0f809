#include "cli/text.h"

#include <inttypes.h>
#include <stdarg.h>

#include "cli/grid.h"
#include "cli/message.h"

#define COLUMN 16 /* bytes wide, and a space before it */

/* What `ip l2tp show` prints; the rest is for -d. */
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

/* State leaves that the text needs beside the configuration. */
static const char *const state_leaves[] = {"oper-status", "status-reason", "status-text", "origin",
					   "resolved-local-address"};

void text_enter(struct text *text, uint32_t tunnel_id, uint32_t peer_tunnel_id)
{
	snprintf(text->tunnel_id, sizeof(text->tunnel_id), "%" PRIu32, tunnel_id);
	snprintf(text->peer_tunnel_id, sizeof(text->peer_tunnel_id), "%" PRIu32, peer_tunnel_id);
}

static uint64_t counter_rows(enum object object)
{
	const struct row_set *set = &row_sets[object];
	uint64_t rows = 0;

	for (unsigned int i = 0; i < set->count; i++)
		if (set->rows[i].type == TYPE_COUNTER)
			rows |= BIT(i);
	return rows;
}

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
		rows |= message_rows(object, options->statistics ? PART_STATISTICS : PART_STATE);
	if (options->statistics)
		rows |= counter_rows(object);
	return rows;
}

/* One line, unless the object is ours and up. */
static void put_status(FILE *file, const struct record *record, bool color)
{
	const char *status = record_sent(record, "oper-status");
	bool foreign = !strcmp(record_sent(record, "origin"), "foreign");
	const char *reason, *text;

	if (!foreign && (!*status || !strcmp(status, "up")))
		return;
	reason = record_sent(record, "status-reason");
	text = record_sent(record, "status-text");
	fprintf(file, "  status: %s%s%s%s", color ? grid_color(status) : "", status,
		color ? GRID_PLAIN : "", foreign ? ", foreign" : "");
	if (*reason && strcmp(reason, "none") != 0)
		fprintf(file, ", %s", reason);
	fprintf(file, "%s%s\n", *text ? ": " : "", text);
}

static bool stands_above(const struct record *record, unsigned int number)
{
	enum object object = record->entry->object;

	/* the first lines show the address instead, once there is one */
	if (object == OBJECT_TUNNEL && number == TUNNEL_LOCAL_INTERFACE)
		return !*record_sent(record, "resolved-local-address") &&
		       !codec_present(&row_sets[object].rows[TUNNEL_LOCAL_ADDRESS],
				      &record->config);
	return shown[object] & BIT(number);
}

/* Every value that neither the first lines nor the counters show. */
static void put_details(FILE *file, const struct record *record)
{
	const struct row_set *set = &row_sets[record->entry->object];
	char buffer[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];
		const char *text;

		if (row->type == TYPE_COUNTER || stands_above(record, i))
			continue;
		text = record_text(record, row, buffer);
		if (text && *text)
			fprintf(file, "  %s %s%s%s\n", row->leaf, text, row->units ? " " : "",
				row->units ? row->units : "");
	}
}

/*
 * Write strings up to a NULL. Not printf(): with 65,000 sessions its formats would take longer than
 * all else.
 */
static void put(FILE *file, ...)
{
	char line[1024];
	size_t used = 0;
	const char *text;
	va_list list;

	va_start(list, file);
	while ((text = va_arg(list, const char *))) {
		size_t length = strlen(text);

		if (length > sizeof(line) - used) {
			fwrite_unlocked(line, 1, used, file);
			used = 0;
		}
		if (length > sizeof(line)) {
			fwrite_unlocked(text, 1, length, file);
		} else {
			memcpy(line + used, text, length);
			used += length;
		}
	}
	va_end(list);
	fwrite_unlocked(line, 1, used, file);
}

/* Right-align a value under its heading. Returns the position after it. */
static char *put_column(char *at, const char *value)
{
	size_t length = strlen(value), pad = length < COLUMN ? COLUMN - length : 0;

	memset(at, ' ', pad + 1);
	memcpy(at + pad + 1, value, length);
	return at + pad + 1 + length;
}

static void put_counters(FILE *file, const struct record *record,
			 const struct text_counters *counters)
{
	char line[TEXT_COUNTERS_MAX * (VALUE_TEXT_MAX + COLUMN) + 1], *at = line;

	for (unsigned int i = 0; i < counters->count; i++) {
		const char *value = record->entry->text[counters->rows[i]];

		at = put_column(at, value ? value : "-");
	}
	*at = '\0';
	put(file, counters->heading, "\n       ", line, "\n", NULL);
}

static void put_rest(const struct text *text, const struct record *record)
{
	const struct text_counters *counters = text->counters[record->entry->object];

	if (text->options->details)
		put_details(text->file, record);
	else
		put_status(text->file, record, text->options->color);
	if (!text->options->statistics)
		return;
	put_counters(text->file, record, &counters[TEXT_RX]);
	put_counters(text->file, record, &counters[TEXT_TX]);
}

/* Collect the counters whose leaf begins with @prefix; the rest of the leaf is the heading. */
static void begin_counters(struct text_counters *counters, enum object object, const char *prefix,
			   const char *title)
{
	const struct row_set *set = &row_sets[object];
	size_t size = sizeof(counters->heading);
	size_t used = (size_t)snprintf(counters->heading, size, "    %-3s", title);

	counters->count = 0;
	for (unsigned int i = 0; i < set->count && counters->count < TEXT_COUNTERS_MAX; i++) {
		const struct row *row = &set->rows[i];

		if (row->type != TYPE_COUNTER || strncmp(row->leaf, prefix, 3) != 0)
			continue;
		counters->rows[counters->count++] = i;
		used += (size_t)snprintf(counters->heading + used, size - used, " %*s", COLUMN,
					 row->leaf + 3);
	}
}

void text_begin(struct text *text, FILE *file, const struct cli_options *options)
{
	text->file = file;
	text->options = options;
	for (unsigned int object = 0; object < OBJECTS; object++) {
		struct text_counters *counters = text->counters[object];

		begin_counters(&counters[TEXT_RX], object, "rx-", "RX:");
		begin_counters(&counters[TEXT_TX], object, "tx-", "TX:");
	}
}

/* Only its first words and its status. */
static void put_remnant(const struct text *text, const struct record *record)
{
	const struct client_entry *entry = record->entry;
	FILE *file = text->file;

	if (!text->options->details)
		return;
	if (entry->object == OBJECT_SESSION)
		fprintf(file, "Session %" PRIu32 " in tunnel %" PRIu32 "\n", entry->session_id,
			entry->tunnel_id);
	else
		fprintf(file, "Tunnel %" PRIu32 "\n", entry->tunnel_id);
	put_status(file, record, text->options->color);
}

static const char *local_text(const struct record *record, char buffer[VALUE_TEXT_MAX])
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	const char *resolved = record_sent(record, "resolved-local-address");
	const char *text;

	if (*resolved)
		return resolved;
	text = record_text(record, &rows[TUNNEL_LOCAL_ADDRESS], buffer);
	if (!text)
		text = record_text(record, &rows[TUNNEL_LOCAL_INTERFACE], buffer);
	return text ? text : "-";
}

static const char *checksum_text(const struct tunnel *tunnel, const char *remote)
{
	if (!strchr(remote, ':'))
		return tunnel->udp_checksum ? "enabled" : "disabled";
	if (tunnel->udp6_checksum_tx)
		return tunnel->udp6_checksum_rx ? "enabled" : "tx";
	return tunnel->udp6_checksum_rx ? "rx" : "disabled";
}

/* The text as sent: objects made by others may have values that we would refuse. */
static const char *tunnel_text(const struct record *record, enum tunnel_row number,
			       char buffer[VALUE_TEXT_MAX])
{
	const char *text = record_text(record, &row_sets[OBJECT_TUNNEL].rows[number], buffer);

	return text ? text : "-";
}

static void put_udp(FILE *file, const struct record *record, const char *remote)
{
	char local_port[VALUE_TEXT_MAX], remote_port[VALUE_TEXT_MAX];

	fprintf(file, "  UDP source / dest ports: %s/%s\n",
		tunnel_text(record, TUNNEL_LOCAL_PORT, local_port),
		tunnel_text(record, TUNNEL_REMOTE_PORT, remote_port));
	fprintf(file, "  UDP checksum: %s\n", checksum_text(&record->config.tunnel, remote));
}

void text_tunnel(const struct text *text, const struct record *record)
{
	const struct tunnel *tunnel = &record->config.tunnel;
	FILE *file = text->file;
	char local[VALUE_TEXT_MAX], buffer[VALUE_TEXT_MAX];
	const char *remote = tunnel_text(record, TUNNEL_REMOTE_ADDRESS, buffer);
	bool udp = tunnel->encapsulation == ENCAPSULATION_UDP;

	if (record_is_remnant(record)) {
		put_remnant(text, record);
		return;
	}
	fprintf(file, "Tunnel %" PRIu32 ", encap %s\n", tunnel->tunnel_id, udp ? "UDP" : "IP");
	fprintf(file, "  From %s to %s\n", local_text(record, local), remote);
	fprintf(file, "  Peer tunnel %" PRIu32 "\n", tunnel->peer_tunnel_id);
	if (udp)
		put_udp(file, record, remote);
	put_rest(text, record);
}

static void put_cookie(FILE *file, const struct record *record, enum session_row number,
		       const char *title)
{
	char buffer[VALUE_TEXT_MAX];
	const char *text = record_text(record, &row_sets[OBJECT_SESSION].rows[number], buffer);

	if (text && *text)
		fprintf(file, "  %s %s", title, text);
}

/* `ip l2tp` ends this line even if there are no options to print on it. */
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

void text_session(const struct text *text, const struct record *record)
{
	const char *const *values = record->entry->text;
	const char *name = values[SESSION_INTERFACE_NAME];
	FILE *file = text->file;

	if (record_is_remnant(record)) {
		put_remnant(text, record);
		return;
	}
	put(file, "Session ", values[SESSION_ID], " in tunnel ", text->tunnel_id,
	    "\n  Peer session ", values[SESSION_PEER_SESSION_ID], ", tunnel ", text->peer_tunnel_id,
	    "\n", NULL);
	if (name && *name)
		put(file, "  interface name: ", name, "\n", NULL);
	put(file, "  offset 0, peer offset 0\n", NULL);
	put_options(file, record);
	put_rest(text, record);
}
