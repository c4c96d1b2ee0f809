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
#include "kernel/netlink/port.h"
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

static int ignore_vlans(const struct port_vlans *vlans, void *arg)
{
	(void)arg;
	assert_true(vlans->first && vlans->first <= vlans->last);
	return 0;
}

static void a_route_has_its_gateway_and_its_mtu(void **state)
{
	char buffer[256] = "";
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	const uint8_t gateway[] = {192, 0, 2, 1};
	struct nlattr *metrics;
	struct route route;

	(void)state;
	message->nlmsg_type = RTM_NEWROUTE;
	header->rtm_family = AF_INET;
	mnl_attr_put(message, RTA_GATEWAY, sizeof(gateway), gateway);
	metrics = mnl_attr_nest_start(message, RTA_METRICS);
	mnl_attr_put_u32(message, RTAX_HOPLIMIT, 9);
	mnl_attr_put_u32(message, RTAX_MTU, 1280);
	mnl_attr_nest_end(message, metrics);
	assert_int_equal(route_decode(message, &route), 0);
	assert_int_equal(route.mtu, 1280);
	assert_int_equal(route.gateway.family, AF_INET);
	assert_memory_equal(route.gateway.bytes, gateway, sizeof(gateway));
}

static void decode_everything(const struct nlmsghdr *message)
{
	char names[LINK_ALTERNATIVES_BYTES];
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
	link_decode_names(message, &link, names);
	port_decode_vlans(message, ignore_vlans, NULL);
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

/*
 * Ports of bridges: what is put is read as it was.
 */

#define ROOM 1024

static struct nlmsghdr *new_message(uint16_t type)
{
	struct nlmsghdr *message = calloc(1, ROOM);

	assert_non_null(message);
	message->nlmsg_len = NLMSG_HDRLEN;
	message->nlmsg_type = type;
	return message;
}

static int take_vlans(const struct port_vlans *vlans, void *arg)
{
	*(struct port_vlans *)arg = *vlans;
	return 1;
}

static void test_vlans_are_read_as_they_were_put(void **state)
{
	static const struct port_vlans all[] = {
		{.first = 1, .last = 1, .flags = 6, .state = 3, .mcast_router = 1},
		{.first = 20, .last = 29, .state = 4, .mcast_router = 2, .max_groups = 9},
		{.first = 300,
		 .last = 303,
		 .flags = 4,
		 .state = 3,
		 .mcast_router = 1,
		 .tunnelled = true,
		 .tunnel = 7000,
		 .neigh_suppress = 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct nlmsghdr *message = new_message(RTM_NEWVLAN);
		struct port_vlans read = {0};

		assert_int_equal(port_put_vlans(message, ROOM, 5, &all[i], false), 0);
		assert_int_equal(port_decode_vlans(message, take_vlans, &read), 1);
		assert_memory_equal(&read, &all[i], sizeof(read));
		free(message);
		message = new_message(RTM_NEWVLAN);
		assert_int_equal(port_put_vlans(message, NLMSG_HDRLEN + 16, 5, &all[i], false),
				 -EMSGSIZE);
		free(message);
	}
}

static void test_settings_of_a_port_are_read_as_they_were_put(void **state)
{
	struct nlmsghdr *message = new_message(RTM_SETLINK);
	struct port_settings all = {0}, read, difference;
	char names[80];

	(void)state;
	for (unsigned int i = 0; i < PORT_SETTINGS_MAX; i++) {
		all.values[i] = 1 + i;
		all.present |= UINT64_C(1) << i;
	}
	assert_int_equal(port_put(message, ROOM, 5, &all), 0);
	port_decode(mnl_nlmsg_get_payload_offset(message, sizeof(struct ifinfomsg)), &read);
	assert_true(read.present > UINT64_C(1) << 20);
	all.present = read.present;
	assert_int_equal(port_difference(&all, &read, names, sizeof(names)).present, 0);
	read.values[0]++;
	read.present &= ~UINT64_C(2);
	difference = port_difference(&all, &read, names, sizeof(names));
	assert_int_equal(difference.present, 3);
	assert_string_equal(names, "cost, priority");
	port_set_backup(&read, 77);
	assert_int_equal(port_backup(&read), 77);
	port_set_backup(&read, 0);
	assert_int_equal(port_backup(&read), 0);
	free(message);
}

static void test_a_link_tells_its_alternative_names(void **state)
{
	static const char expected[] = "one\0two\0";
	struct nlmsghdr *message = new_message(RTM_NEWLINK);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	char names[LINK_ALTERNATIVES_BYTES];
	struct kernel_link link;
	struct nlattr *nest;

	(void)state;
	header->ifi_index = 5;
	mnl_attr_put_strz(message, IFLA_IFNAME, "eth5");
	assert_int_equal(link_decode_names(message, &link, names), 0);
	assert_null(link.alternatives);
	nest = mnl_attr_nest_start(message, IFLA_PROP_LIST);
	mnl_attr_put_strz(message, IFLA_ALT_IFNAME, "one");
	mnl_attr_put_strz(message, IFLA_ALT_IFNAME, "longer-than-an-interface-name");
	mnl_attr_put_strz(message, IFLA_ALT_IFNAME, "two");
	mnl_attr_nest_end(message, nest);
	assert_int_equal(link_decode_names(message, &link, names), 0);
	assert_memory_equal(link.alternatives, expected, sizeof(expected));
	assert_null(link.alias);
	mnl_attr_put(message, IFLA_IFALIAS, 4, "Bern"); /* without its end it is not read */
	assert_int_equal(link_decode_names(message, &link, names), 0);
	assert_null(link.alias);
	mnl_attr_put_strz(message, IFLA_IFALIAS, "Bern");
	assert_int_equal(link_decode_names(message, &link, names), 0);
	assert_string_equal(link.alias, "Bern");
	free(message);
}

static struct kernel_link decoded(uint8_t mode, uint8_t state)
{
	struct nlmsghdr *message = new_message(RTM_NEWLINK);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	struct kernel_link link;

	header->ifi_index = 5;
	mnl_attr_put_strz(message, IFLA_IFNAME, "eth5");
	mnl_attr_put_u8(message, IFLA_OPERSTATE, state);
	mnl_attr_put_u8(message, IFLA_LINKMODE, mode);
	assert_int_equal(link_decode(message, &link), 0);
	free(message);
	return link;
}

/* Numbers of linux/if.h: modes 0 default, 1 dormant; states 0 unknown, 2 down, 5 dormant, 6 up. */
static void test_a_link_is_dormant_by_mode_and_state(void **state)
{
	(void)state;
	assert_true(decoded(1, 5).dormant);
	assert_true(decoded(1, 2).dormant); /* when it is up again */
	assert_false(decoded(1, 6).dormant);
	assert_false(decoded(1, 0).dormant);
	assert_false(decoded(0, 5).dormant);
}

static void test_settings_of_a_link_are_put_as_others_do(void **state)
{
	/* clang-format off */
	static const uint8_t expected[] = {
		8, 0, 20, 0, 'B', 'e', 'r', 'n', /* IFLA_IFALIAS, without an end */
		5, 0, 16, 0, 5, 0, 0, 0,         /* IFLA_OPERSTATE dormant */
		5, 0, 17, 0, 1, 0, 0, 0,         /* IFLA_LINKMODE dormant */
	};
	static const uint8_t cleared[] = {
		4, 0, 20, 0,
		5, 0, 16, 0, 6, 0, 0, 0,
		5, 0, 17, 0, 0, 0, 0, 0,
	};
	/* clang-format on */
	struct kernel_request request = {.link = {.index = 5, .alias = "Bern", .dormant = true},
					 .link_set = LINK_ALIAS | LINK_DORMANT};
	struct nlmsghdr *message = new_message(RTM_SETLINK);
	const char *attributes = (const char *)mnl_nlmsg_get_payload(message);

	(void)state;
	assert_int_equal(link_put_set(message, ROOM, &request), 0);
	assert_memory_equal(attributes + sizeof(struct ifinfomsg), expected, sizeof(expected));
	assert_int_equal(mnl_nlmsg_get_payload_len(message),
			 sizeof(struct ifinfomsg) + sizeof(expected));
	free(message);
	message = new_message(RTM_SETLINK);
	request.link.alias = NULL;
	request.link.dormant = false;
	assert_int_equal(link_put_set(message, ROOM, &request), 0);
	attributes = (const char *)mnl_nlmsg_get_payload(message);
	assert_memory_equal(attributes + sizeof(struct ifinfomsg), cleared, sizeof(cleared));
	free(message);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_has_its_gateway_and_its_mtu),
		cmocka_unit_test(test_recorded_messages_are_read_rightly),
		cmocka_unit_test(test_damaged_messages_do_no_harm),
		cmocka_unit_test(test_wrong_lengths_are_errors_and_unknown_attributes_none),
		cmocka_unit_test(test_message_without_ids_is_refused),
		cmocka_unit_test(test_encoded_is_decoded),
		cmocka_unit_test(test_an_interrupted_dump_is_told),
		cmocka_unit_test(test_vlans_are_read_as_they_were_put),
		cmocka_unit_test(test_settings_of_a_port_are_read_as_they_were_put),
		cmocka_unit_test(test_a_link_tells_its_alternative_names),
		cmocka_unit_test(test_a_link_is_dormant_by_mode_and_state),
		cmocka_unit_test(test_settings_of_a_link_are_put_as_others_do),
	};

	if (argc == 3 && !strcmp(argv[1], "--print")) {
		char *text = decode_recording(argv[2]);

		fputs(text, stdout);
		free(text);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
