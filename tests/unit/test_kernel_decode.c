/*
 * What real kernels sent is read rightly: recorded messages against the text
 * beside them. Recording: tests/data/record-nlmsg. New text: run this with
 * --print NAME, and look at every line before keeping it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/netlink/address.h"
#include "kernel/netlink/attributes.h"
#include "kernel/netlink/l2tp.h"
#include "kernel/netlink/link.h"
#include "kernel/netlink/netlink.h"
#include "model/codec.h"

#define FOLDER        "tests/data/nlmsg/"
#define RECORDING_MAX (256 * 1024)

struct recording {
	char *bytes;
	size_t length;
};

static struct recording read_file(const char *name, const char *suffix)
{
	struct recording recording = {.bytes = calloc(1, RECORDING_MAX)};
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), FOLDER "%s%s", name, suffix);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	recording.length = fread(recording.bytes, 1, RECORDING_MAX - 1, file);
	fclose(file);
	return recording;
}

/*
 * Decoding to text.
 */

static void print_rows(FILE *out, enum object object, enum part part, const void *config)
{
	const struct row_set *set = &row_sets[object];
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (row->part != part || row->wire == WIRE_NONE ||
		    (part == PART_CONFIG && !codec_present(row, config)))
			continue;
		codec_print(row, config, text);
		fprintf(out, " %s=%s", row->leaf, text);
	}
}

static void print_tunnel(FILE *out, const struct nlmsghdr *message)
{
	struct l2tp_decoder decoder;
	struct statistics statistics;
	struct tunnel tunnel;

	l2tp_decoder_init(&decoder);
	if (l2tp_decode_tunnel(&decoder, message, &tunnel, &statistics))
		return;
	fprintf(out, "tunnel");
	print_rows(out, OBJECT_TUNNEL, PART_CONFIG, &tunnel);
	print_rows(out, OBJECT_TUNNEL, PART_STATISTICS, &statistics);
	fputc('\n', out);
}

static void print_session(FILE *out, const struct nlmsghdr *message)
{
	struct l2tp_decoder decoder;
	struct statistics statistics;
	struct session session;
	uint32_t tunnel_id;

	l2tp_decoder_init(&decoder);
	if (l2tp_decode_session(&decoder, message, &tunnel_id, &session, &statistics))
		return;
	fprintf(out, "session tunnel-id=%u", tunnel_id);
	print_rows(out, OBJECT_SESSION, PART_CONFIG, &session);
	print_rows(out, OBJECT_SESSION, PART_STATISTICS, &statistics);
	fputc('\n', out);
}

static void print_event(FILE *out, const struct nlmsghdr *message)
{
	struct l2tp_ids ids;

	if (!l2tp_decode_ids(message, &ids))
		fprintf(out, "%s %u %u\n", ids.object == OBJECT_SESSION ? "session" : "tunnel",
			ids.tunnel_id, ids.session_id);
}

static void print_link(FILE *out, const struct nlmsghdr *message)
{
	struct kernel_link link;
	const uint8_t *mac = link.mac.bytes;
	int err = link_decode(message, &link);

	if (err) {
		fprintf(out, "%s\n", err == -ENOMSG ? "of another family" : "malformed");
		return;
	}
	fprintf(out,
		"%s index=%u name=%s up=%d mtu=%u mac=%02x:%02x:%02x:%02x:%02x:%02x master=%u "
		"parent=%u vlan=%u\n",
		message->nlmsg_type == RTM_DELLINK ? "gone" : "link", link.index, link.name,
		link.up, link.mtu, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], link.master,
		link.parent, link.vlan_id);
}

typedef void print_fn(FILE *out, const struct nlmsghdr *message);

/* By what its name ends in. */
static print_fn *printer_of(const char *name)
{
	static const struct {
		const char *ending;
		print_fn *print;
	} kinds[] = {
		{"tunnels", print_tunnel},   {"sessions", print_session}, {"links", print_link},
		{"link-events", print_link}, {"events", print_event},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(name) >= strlen(kinds[i].ending) &&
		    !strcmp(name + strlen(name) - strlen(kinds[i].ending), kinds[i].ending))
			return kinds[i].print;
	}
	return NULL;
}

static void print_messages(FILE *out, print_fn *print, const char *bytes, size_t length)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)bytes;
	int left = (int)length;

	message_for_each (message, left) {
		if (message->nlmsg_type >= NLMSG_MIN_TYPE)
			print(out, message);
	}
}

static char *decode_recording(const char *name)
{
	struct recording recording = read_file(name, ".nlmsg");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(printer_of(name));
	print_messages(out, printer_of(name), recording.bytes, recording.length);
	fclose(out);
	free(recording.bytes);
	return text;
}

/* Run @check for each recording; there must be some. */
static void for_each_recording(void (*check)(const char *name))
{
	DIR *folder = opendir(FOLDER);
	struct dirent *entry;
	unsigned int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".nlmsg") != 0)
			continue;
		*dot = '\0';
		check(entry->d_name);
		count++;
	}
	closedir(folder);
	assert_true(count >= 10);
}

static void check_text(const char *name)
{
	struct recording expected = read_file(name, ".txt");
	char *decoded = decode_recording(name);

	print_message("%s\n", name);
	assert_string_equal(decoded, expected.bytes);
	free(decoded);
	free(expected.bytes);
}

static void test_recorded_messages_are_read_rightly(void **state)
{
	(void)state;
	for_each_recording(check_text);
}

/*
 * Damage. Each message is decoded from memory of exactly its size.
 */

static void decode_everything(const struct nlmsghdr *message)
{
	struct interface_address address;
	struct route route;
	struct l2tp_decoder decoder;
	struct statistics statistics;
	struct kernel_link link;
	struct tunnel tunnel;
	struct session session;
	struct l2tp_ids ids;
	uint32_t tunnel_id;

	l2tp_decoder_init(&decoder);
	l2tp_decode_tunnel(&decoder, message, &tunnel, &statistics);
	l2tp_decode_session(&decoder, message, &tunnel_id, &session, &statistics);
	l2tp_decode_ids(message, &ids);
	link_decode(message, &link);
	address_decode(message, &address);
	route_decode(message, &route);
}

static void decode_cut(const struct nlmsghdr *message, uint32_t length)
{
	struct nlmsghdr *copy = malloc(length);

	memcpy(copy, message, length);
	copy->nlmsg_len = length;
	decode_everything(copy);
	free(copy);
}

static void decode_changed(const struct nlmsghdr *message, uint32_t at, uint8_t value)
{
	struct nlmsghdr *copy = malloc(message->nlmsg_len);

	memcpy(copy, message, message->nlmsg_len);
	((uint8_t *)copy)[at] = value;
	decode_everything(copy);
	free(copy);
}

static void damage(const char *name)
{
	static const uint8_t values[] = {0, 1, 4, 0x7f, 0x80, 0xff};
	struct recording recording = read_file(name, ".nlmsg");
	const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)recording.bytes;
	int left = (int)recording.length;

	message_for_each (message, left) {
		for (uint32_t length = NLMSG_HDRLEN; length <= message->nlmsg_len; length++)
			decode_cut(message, length);
		for (uint32_t at = NLMSG_HDRLEN; at < message->nlmsg_len; at++)
			decode_changed(message, at, values[at % sizeof(values)]);
	}
	free(recording.bytes);
}

static void test_damaged_messages_do_no_harm(void **state)
{
	(void)state;
	for_each_recording(damage);
}

/*
 * Made-up messages.
 */

struct made {
	_Alignas(struct nlmsghdr) char bytes[512];
	struct nlmsghdr *message;
};

static void begin_message(struct made *made, uint8_t command)
{
	struct genlmsghdr *header;

	made->message = mnl_nlmsg_put_header(made->bytes);
	header = mnl_nlmsg_put_extra_header(made->message, sizeof(*header));
	header->cmd = command;
}

static void test_wrong_lengths_are_errors_and_unknown_attributes_none(void **state)
{
	struct l2tp_decoder decoder;
	struct session session = {.session_id = 77};
	uint32_t tunnel_id = 77;
	struct made made;

	(void)state;
	l2tp_decoder_init(&decoder);
	begin_message(&made, L2TP_CMD_SESSION_GET);
	mnl_attr_put_u32(made.message, L2TP_ATTR_CONN_ID, 1);
	mnl_attr_put_u32(made.message, L2TP_ATTR_SESSION_ID, 11);
	mnl_attr_put_u32(made.message, L2TP_ATTR_MAX + 10, 1);
	mnl_attr_put_strz(made.message, L2TP_ATTR_MAX + 11, "of a newer kernel");
	assert_int_equal(l2tp_decode_session(&decoder, made.message, &tunnel_id, &session, NULL),
			 0);
	assert_int_equal(tunnel_id, 1);
	assert_int_equal(session.session_id, 11);
	assert_true(session.present & BIT(SESSION_SEQUENCING));

	session.session_id = tunnel_id = 77;
	mnl_attr_put_u16(made.message, L2TP_ATTR_RECV_TIMEOUT, 1);
	assert_int_equal(l2tp_decode_session(&decoder, made.message, &tunnel_id, &session, NULL),
			 -EPROTO);
	assert_int_equal(session.session_id, 77);
	assert_int_equal(tunnel_id, 77);
}

static void test_message_without_ids_is_refused(void **state)
{
	struct l2tp_decoder decoder;
	struct tunnel tunnel;
	struct session session;
	struct made made;

	(void)state;
	l2tp_decoder_init(&decoder);
	begin_message(&made, L2TP_CMD_TUNNEL_GET);
	assert_int_equal(l2tp_decode_tunnel(&decoder, made.message, &tunnel, NULL), -EPROTO);
	begin_message(&made, L2TP_CMD_SESSION_GET);
	mnl_attr_put_u32(made.message, L2TP_ATTR_CONN_ID, 1);
	assert_int_equal(l2tp_decode_session(&decoder, made.message, NULL, &session, NULL),
			 -EPROTO);
}

/* What is sent is what would be read, and nothing that must not be sent is. */
static void test_encoded_is_decoded(void **state)
{
	static const char *const leaves[][2] = {
		{"session-id", "11"},      {"peer-session-id", "12"}, {"interface-name", "pw11"},
		{"tx-cookie", "01234567"}, {"sequencing", "receive"}, {"reorder-timeout", "60000"},
		{"mtu", "1400"},           {"dead-interval", "30"},
	};
	struct tunnel tunnel = {.tunnel_id = 1, .present = BIT(TUNNEL_ID)};
	struct session session = {0}, found;
	struct kernel_request request = {.tunnel = &tunnel, .session = &session};
	struct l2tp_decoder decoder;
	struct made made;
	uint32_t tunnel_id;

	(void)state;
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		assert_int_equal(
			codec_parse(row_by_leaf(OBJECT_SESSION, leaves[i][0], strlen(leaves[i][0])),
				    &session, leaves[i][1], strlen(leaves[i][1]), NULL),
			0);
	codec_complete(OBJECT_SESSION, &session);
	begin_message(&made, L2TP_CMD_SESSION_CREATE);
	assert_int_equal(l2tp_put_session(made.message, sizeof(made.bytes), &request), 0);
	l2tp_decoder_init(&decoder);
	assert_int_equal(l2tp_decode_session(&decoder, made.message, &tunnel_id, &found, NULL), 0);
	assert_int_equal(tunnel_id, 1);
	for (unsigned int i = 0; i < SESSION_CONFIG_ROWS; i++) {
		const struct row *row = &row_sets[OBJECT_SESSION].rows[i];

		if (row->wire != WIRE_NONE)
			assert_true(codec_equal(row, &session, &found));
		else
			assert_false(codec_present(row, &found));
	}
	assert_int_equal(l2tp_put_session(made.message, 64, &request), -EMSGSIZE);
	request.session = NULL;
	assert_int_equal(l2tp_put_session(made.message, sizeof(made.bytes), &request), -EINVAL);
}

/* A dump whose end has these flags, from a kernel that is the other end of a socket pair. */
static int dump_ending_with(uint16_t flags)
{
	struct netlink *netlink = calloc(1, sizeof(*netlink));
	struct channel *channel = &netlink->channels[CHANNEL_ROUTE_DUMP];
	struct {
		struct nlmsghdr header;
		int result;
	} end = {.header = {.nlmsg_len = sizeof(end),
			    .nlmsg_type = NLMSG_DONE,
			    .nlmsg_flags = NLM_F_MULTI | flags,
			    .nlmsg_seq = 1,
			    .nlmsg_pid = 77}};
	int sockets[2], result;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	channel->socket = mnl_socket_fdopen(sockets[0]);
	assert_non_null(channel->socket);
	channel->portid = 77;
	assert_int_equal(send(sockets[1], &end, sizeof(end), 0), sizeof(end));
	result = exchange(netlink, CHANNEL_ROUTE_DUMP,
			  route_put_header(netlink->request, RTM_GETLINK, NLM_F_DUMP), NULL, NULL);
	channel_close(channel);
	close(sockets[1]);
	free(netlink);
	return result;
}

static void test_an_interrupted_dump_is_told(void **state)
{
	(void)state;
	assert_int_equal(dump_ending_with(0), 0);
	assert_int_equal(dump_ending_with(NLM_F_DUMP_INTR), -EINTR);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_messages_are_read_rightly),
		cmocka_unit_test(test_damaged_messages_do_no_harm),
		cmocka_unit_test(test_wrong_lengths_are_errors_and_unknown_attributes_none),
		cmocka_unit_test(test_message_without_ids_is_refused),
		cmocka_unit_test(test_encoded_is_decoded),
		cmocka_unit_test(test_an_interrupted_dump_is_told),
	};

	if (argc == 3 && !strcmp(argv[1], "--print")) {
		char *text = decode_recording(argv[2]);

		fputs(text, stdout);
		free(text);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
