/*
 * Fuzz target: netlink messages as the kernel layer decodes them. Seeds, beside
 * the corpus: tests/data/nlmsg. (What is around decoding: fuzz_kernel.c.)
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netlink/address.h"
#include "kernel/netlink/attributes.h"
#include "kernel/netlink/l2tp.h"
#include "kernel/netlink/link.h"
#include "kernel/netlink/port.h"
#include "model/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every leaf that was read can be printed. */
static void print_all(enum object object, const void *config)
{
	const struct row_set *set = &row_sets[object];
	char text[VALUE_TEXT_MAX];

	for (unsigned int i = 0; i < set->config_count; i++) {
		if (codec_present(&set->rows[i], config))
			assert(codec_print(&set->rows[i], config, text) == strlen(text));
	}
}

static void decode_l2tp(const struct nlmsghdr *message)
{
	struct l2tp_decoder decoder;
	struct statistics statistics;
	struct tunnel tunnel;
	struct session session;
	struct l2tp_ids ids;
	uint32_t tunnel_id;

	l2tp_decoder_init(&decoder);
	if (!l2tp_decode_tunnel(&decoder, message, &tunnel, &statistics))
		print_all(OBJECT_TUNNEL, &tunnel);
	if (!l2tp_decode_session(&decoder, message, &tunnel_id, &session, &statistics)) {
		print_all(OBJECT_SESSION, &session);
		assert(!l2tp_decode_ids(message, &ids) && ids.tunnel_id == tunnel_id);
	}
}

static int check_vlans(const struct port_vlans *vlans, void *arg)
{
	(void)arg;
	assert(vlans->first && vlans->first <= vlans->last);
	return 0;
}

static void decode_route(const struct nlmsghdr *message)
{
	char names[LINK_ALTERNATIVES_BYTES];
	struct interface_address address;
	struct route route;
	struct kernel_link link;

	if (!link_decode_names(message, &link, names)) {
		assert(link.name[0] && strlen(link.name) <= IFNAME_LENGTH);
		for (const char *at = link.alternatives; at && *at; at += strlen(at) + 1)
			assert(strlen(at) <= IFNAME_LENGTH);
		assert(!link.alias || strlen(link.alias) < mnl_nlmsg_get_payload_len(message));
	}
	port_decode_vlans(message, check_vlans, NULL);
	if (!address_decode(message, &address))
		assert(address_length(&address.address));
	route_decode(message, &route);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* malloc()ed, so that the first byte beyond is noticed; aligned, as received. */
	struct nlmsghdr *messages = malloc(size ? size : 1);
	const struct nlmsghdr *message = messages;
	int left = size < INT32_MAX ? (int)size : 0;

	memcpy(messages, data, size);
	message_for_each (message, left) {
		decode_l2tp(message);
		decode_route(message);
	}
	free(messages);
	return 0;
}
