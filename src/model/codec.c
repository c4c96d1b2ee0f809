#include "model/codec.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "model/value.h"

static int no_parse(const struct row *row, void *member, const char *text, size_t length,
		    struct error *err)
{
	(void)member, (void)text, (void)length;
	return error_set(err, ERROR_READ_ONLY, "%s is made by the daemon and cannot be set",
			 row->leaf);
}

static size_t no_print(const struct row *row, const void *member, char *ret)
{
	(void)row, (void)member;
	ret[0] = '\0';
	return 0;
}

/* clang-format off */
const struct value_verbs value_verbs[TYPES] = {
	[TYPE_BOOL]    = { bool_parse, bool_print, number_set, number_get, NULL, NULL },
	[TYPE_U16]     = { number_parse, number_print, number_set, number_get, NULL, NULL },
	[TYPE_U32]     = { number_parse, number_print, number_set, number_get, NULL, NULL },
	[TYPE_ENUM]    = { enum_parse, enum_print, number_set, number_get, NULL, NULL },
	[TYPE_COUNTER] = { number_parse, number_print, number_set, number_get, NULL, NULL },
	[TYPE_TIME]    = { no_parse, time_print, number_set, number_get, NULL, NULL },
	[TYPE_STRING]  = { string_parse, string_print, NULL, NULL, string_set, string_get },
	[TYPE_IFNAME]  = { ifname_parse, string_print, NULL, NULL, ifname_set, string_get },
	[TYPE_ADDRESS] = { address_parse, address_print, NULL, NULL, address_set, address_get },
	[TYPE_MAC]     = { mac_parse, mac_print, NULL, NULL, mac_set, mac_get },
	[TYPE_COOKIE]  = { cookie_parse, cookie_print, NULL, NULL, cookie_set, cookie_get },
	[TYPE_TEXT]    = { no_parse, no_print, NULL, NULL, NULL, NULL },
};
/* clang-format on */

static void *member_of(const struct row *row, void *object)
{
	return (char *)object + row->offset;
}

static const void *member_in(const struct row *row, const void *object)
{
	return (const char *)object + row->offset;
}

/* The presence bits come first in both configurations (table.c asserts it). */
static void mark(const struct row *row, void *object, bool present)
{
	uint64_t *bits = object;

	if (row->part != PART_CONFIG)
		return;
	if (present)
		*bits |= BIT(row_number(row));
	else
		*bits &= ~BIT(row_number(row));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* XML Schema collapses white space around numbers and words; pretty printers rely on that. */
const char *codec_trim(const struct row *row, const char *text, size_t *length)
{
	if (row->type == TYPE_STRING || row->type == TYPE_IFNAME)
		return text;
	for (; *length && is_blank(*text); --*length)
		text++;
	while (*length && is_blank(text[*length - 1]))
		--*length;
	return text;
}

int codec_parse(const struct row *row, void *object, const char *text, size_t length,
		struct error *err)
{
	int rc;

	text = codec_trim(row, text, &length);
	rc = value_verbs[row->type].parse(row, member_of(row, object), length ? text : "", length,
					  err);
	if (!rc)
		mark(row, object, true);
	return rc;
}

size_t codec_print(const struct row *row, const void *object, char ret[VALUE_TEXT_MAX])
{
	return value_verbs[row->type].print(row, member_in(row, object), ret);
}

int codec_set_number(const struct row *row, void *object, uint64_t value, struct error *err)
{
	const struct value_verbs *verbs = &value_verbs[row->type];
	int rc;

	if (!verbs->set_number)
		return error_set(err, ERROR_INVALID_TYPE, "given a number; %s is not one",
				 row->leaf);
	rc = verbs->set_number(row, member_of(row, object), value, err);
	if (!rc)
		mark(row, object, true);
	return rc;
}

uint64_t codec_get_number(const struct row *row, const void *object)
{
	const struct value_verbs *verbs = &value_verbs[row->type];

	return verbs->get_number ? verbs->get_number(row, member_in(row, object)) : 0;
}

int codec_set_bytes(const struct row *row, void *object, const void *bytes, size_t length,
		    struct error *err)
{
	const struct value_verbs *verbs = &value_verbs[row->type];
	int rc;

	if (!verbs->set_bytes)
		return error_set(err, ERROR_INVALID_TYPE, "given octets; %s is a number",
				 row->leaf);
	rc = verbs->set_bytes(row, member_of(row, object), length ? bytes : "", length, err);
	if (!rc)
		mark(row, object, true);
	return rc;
}

size_t codec_get_bytes(const struct row *row, const void *object, const void **ret_bytes)
{
	const struct value_verbs *verbs = &value_verbs[row->type];

	*ret_bytes = "";
	return verbs->get_bytes ? verbs->get_bytes(member_in(row, object), ret_bytes) : 0;
}

bool codec_equal(const struct row *row, const void *a, const void *b)
{
	const void *bytes_a = NULL, *bytes_b = NULL;
	size_t length;

	if (!value_verbs[row->type].get_bytes)
		return codec_get_number(row, a) == codec_get_number(row, b);
	length = codec_get_bytes(row, a, &bytes_a);
	return length == codec_get_bytes(row, b, &bytes_b) && !memcmp(bytes_a, bytes_b, length);
}

void codec_copy(const struct row *row, void *to, const void *from)
{
	memcpy(member_of(row, to), member_in(row, from), row->size);
	mark(row, to, codec_present(row, from));
}

void codec_clear(const struct row *row, void *object)
{
	memset(member_of(row, object), 0, row->size);
	mark(row, object, false);
}

static bool state_is_there(const struct row *row, const void *state)
{
	const void *bytes;

	switch (row->type) {
	case TYPE_ENUM:
		return word_by_value(row->words, (unsigned int)codec_get_number(row, state));
	case TYPE_ADDRESS:
		return codec_get_bytes(row, state, &bytes) > 0;
	default:
		return !row->min || codec_get_number(row, state) >= row->min;
	}
}

bool codec_present(const struct row *row, const void *object)
{
	if (row->part != PART_CONFIG)
		return state_is_there(row, object);
	return *(const uint64_t *)object & BIT(row_number(row));
}

bool codec_zero_is_absent(const struct row *row)
{
	if (row->access != ACCESS_WRITE || row->mandatory || row->fallback)
		return false;
	return !value_verbs[row->type].set_number || row->min > 0;
}

static bool runs_over_udp(const struct tunnel *tunnel)
{
	return !(tunnel->present & BIT(TUNNEL_ENCAPSULATION)) ||
	       tunnel->encapsulation == ENCAPSULATION_UDP;
}

static bool is_pseudowire(const struct session *session, enum pseudowire_type type)
{
	return (session->present & BIT(SESSION_PSEUDOWIRE_TYPE)) &&
	       session->pseudowire_type == type;
}

bool codec_applies(const struct row *row, const void *config)
{
	const struct tunnel *tunnel = config;

	switch (row->when) {
	case WHEN_UDP:
		return runs_over_udp(tunnel);
	case WHEN_UDP4:
		return runs_over_udp(tunnel) && tunnel->remote_address.family != AF_INET6;
	case WHEN_UDP6:
		return runs_over_udp(tunnel) && tunnel->remote_address.family == AF_INET6;
	case WHEN_VLAN:
		return is_pseudowire(config, PSEUDOWIRE_ETHERNET_VLAN);
	case WHEN_INTERFACE:
		return !is_pseudowire(config, PSEUDOWIRE_PPP);
	default:
		return true;
	}
}

const char *codec_condition(const struct row *row)
{
	static const char *const conditions[] = {
		[WHEN_ALWAYS] = "",
		[WHEN_UDP] = "only when encapsulation is udp",
		[WHEN_UDP4] = "only when encapsulation is udp and remote-address is IPv4",
		[WHEN_UDP6] = "only when encapsulation is udp and remote-address is IPv6",
		[WHEN_VLAN] = "only when pseudowire-type is ethernet-vlan",
		[WHEN_INTERFACE] = "only when pseudowire-type is not ppp",
	};

	return conditions[row->when];
}

/* Parsed once: every session of a commit is completed. */
const void *codec_defaults(enum object object)
{
	static union {
		struct tunnel tunnel;
		struct session session;
	} defaults[OBJECTS];
	static bool made[OBJECTS];
	const struct row_set *set = &row_sets[object];

	for (unsigned int i = 0; i < set->config_count && !made[object]; i++) {
		const char *fallback = set->rows[i].fallback;

		if (fallback)
			codec_parse(&set->rows[i], &defaults[object], fallback, strlen(fallback),
				    NULL);
	}
	made[object] = true;
	return &defaults[object];
}

/* Most defaults are one byte, and every session of a commit is completed several times. */
static void copy_member(const struct row *row, void *to, const void *from)
{
	if (row->size == 1)
		*(char *)member_of(row, to) = *(const char *)member_in(row, from);
	else
		memcpy(member_of(row, to), member_in(row, from), row->size);
}

void codec_complete(enum object object, void *config)
{
	const struct row_set *set = &row_sets[object];
	const void *defaults = codec_defaults(object);
	uint64_t absent = *(const uint64_t *)defaults & ~*(const uint64_t *)config;

	for (; absent; absent &= absent - 1) {
		const struct row *row = &set->rows[__builtin_ctzll(absent)];

		if (!codec_applies(row, config))
			continue;
		copy_member(row, config, defaults);
		*(uint64_t *)config |= BIT(row_number(row));
	}
}

uint64_t codec_difference(enum object object, const void *a, const void *b)
{
	const struct row_set *set = &row_sets[object];
	uint64_t in_a = *(const uint64_t *)a, in_b = *(const uint64_t *)b;
	uint64_t rows = in_a ^ in_b;

	for (uint64_t both = in_a & in_b; both; both &= both - 1) {
		const struct row *row = &set->rows[__builtin_ctzll(both)];

		if (!codec_equal(row, a, b))
			rows |= BIT(row_number(row));
	}
	return rows;
}

bool codec_any_change(enum object object, uint64_t rows, enum cost change)
{
	const struct row_set *set = &row_sets[object];

	for (rows &= BIT(set->config_count) - 1; rows; rows &= rows - 1)
		if (set->rows[__builtin_ctzll(rows)].change == change)
			return true;
	return false;
}
