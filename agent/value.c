#include "value.h"

#include <string.h>

#include "model/codec.h"

#define NS_PER_TICK (INT64_C(10) * 1000 * 1000) /* TimeTicks are hundredths of a second */
#define EPOCH_SLACK (INT64_C(2) * 1000 * 1000 * 1000)

void value_integer(struct value *value, long number)
{
	value->type = ASN_INTEGER;
	value->number.integer = number;
}

void value_unsigned(struct value *value, unsigned long number)
{
	value->type = ASN_UNSIGNED;
	value->number.integer = (long)number;
}

void value_counter(struct value *value, uint64_t number)
{
	value->type = ASN_COUNTER64;
	value->number.counter.high = number >> 32;
	value->number.counter.low = number & UINT32_MAX;
}

void value_counter32(struct value *value, uint64_t number)
{
	value_unsigned(value, number & UINT32_MAX);
	value->type = ASN_COUNTER;
}

void value_bytes(struct value *value, const void *bytes, size_t length)
{
	value->type = ASN_OCTET_STR;
	value->bytes = bytes;
	value->length = length;
}

void value_string(struct value *value, const char *text)
{
	value_bytes(value, text, strlen(text));
}

const void *value_data(const struct value *value, size_t *ret_size)
{
	switch (value->type) {
	case ASN_OCTET_STR:
		*ret_size = value->length;
		return value->bytes;
	case ASN_COUNTER64:
		*ret_size = sizeof(value->number.counter);
		return &value->number.counter;
	default:
		*ret_size = sizeof(value->number.integer);
		return &value->number.integer;
	}
}

/*
 * The master's clock and ours differ by reply times only, unless one of them restarted or wrapped.
 * net-snmp counts @uptime on in 64 bits.
 */
void epoch_follow(struct epoch *epoch, int64_t now, unsigned long uptime)
{
	int64_t at = now - (int64_t)(uptime & UINT32_MAX) * NS_PER_TICK;

	if (at - epoch->at > EPOCH_SLACK || epoch->at - at > EPOCH_SLACK)
		epoch->at = at;
}

unsigned long epoch_ticks(const struct epoch *epoch, int64_t at)
{
	if (at == 0 || at <= epoch->at)
		return 0;
	return (unsigned long)((at - epoch->at) / NS_PER_TICK) & UINT32_MAX;
}

void value_time(struct value *value, const struct epoch *epoch, int64_t at)
{
	value_unsigned(value, epoch_ticks(epoch, at));
	value->type = ASN_TIMETICKS;
}

/* Where to read the row from: the configuration, the defaults, or nowhere (NULL). */
static const void *effective(const struct row *row, const struct subject *subject,
			     struct value *room)
{
	const void *config;

	if (row->part != PART_CONFIG)
		return subject_part(subject, row->part);
	config = subject_config(subject, &room->config);
	if (codec_present(row, config))
		return config;
	return row->fallback && codec_applies(row, config) ? codec_defaults(row->object) : NULL;
}

static void give_number(const struct row *row, uint64_t number, const struct epoch *epoch,
			struct value *ret)
{
	switch (row->type) {
	case TYPE_BOOL:
		value_integer(ret, number ? 1 : 2); /* TruthValue */
		break;
	case TYPE_ENUM:
		value_integer(ret, (long)number);
		break;
	case TYPE_COUNTER:
		value_counter(ret, number);
		break;
	case TYPE_TIME:
		value_time(ret, epoch, (int64_t)number);
		break;
	default:
		value_unsigned(ret, number);
		/* InterfaceIndexOrZero and its like are Integer32 */
		if (row->max == INT32_MAX)
			ret->type = ASN_INTEGER;
	}
}

static bool is_number(const struct row *row)
{
	switch (row->type) {
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_U16:
	case TYPE_U32:
	case TYPE_COUNTER:
	case TYPE_TIME:
		return true;
	default:
		return false;
	}
}

static void give_text(const struct subject *subject, struct value *ret)
{
	union config room;
	const struct tunnel *tunnel;
	const struct session *session = NULL;
	struct subject parent = {.object = OBJECT_TUNNEL};

	ret->text[0] = '\0';
	if (subject->entry) {
		parent.entry = &entry_tunnel_of(subject->entry)->entry;
		tunnel = subject_config(&parent, &room);
		if (subject->object == OBJECT_SESSION)
			session = subject_config(subject, &room);
		status_text(subject_common(subject), tunnel, session, ret->text);
	}
	value_string(ret, ret->text);
}

/* A pending row shows what was set, even if that is half an address; the rest is not there yet. */
static bool is_set_yet(const struct row *row, const struct subject *subject)
{
	return !subject->pending || !row->mandatory || draft_has(&subject->pending->draft, row);
}

static const struct address_pair *given_pair(const struct row *row, const struct subject *subject)
{
	return subject->pending ? draft_has_pair(&subject->pending->draft, row) : NULL;
}

bool value_of_row(const struct row *row, const struct subject *subject, const struct epoch *epoch,
		  struct value *ret)
{
	const struct address_pair *pair = given_pair(row, subject);
	const void *object, *bytes = "";
	size_t length = 0;

	if (pair && pair->has_bytes) {
		value_bytes(ret, pair->bytes, pair->length);
		return true;
	}
	if (!is_set_yet(row, subject))
		return false;
	if (row->type == TYPE_TEXT) {
		give_text(subject, ret);
		return true;
	}
	object = effective(row, subject, ret);
	if (is_number(row)) {
		give_number(row, object ? codec_get_number(row, object) : 0, epoch, ret);
		return true;
	}
	if (object)
		length = codec_get_bytes(row, object, &bytes);
	value_bytes(ret, bytes, length);
	return true;
}

bool value_of_address_type(const struct row *row, const struct subject *subject, struct value *ret)
{
	const struct address_pair *pair = given_pair(row, subject);
	const void *object, *bytes;
	size_t length = 0;

	if (pair && pair->has_type) {
		value_integer(ret, pair->type);
		return true;
	}
	if (!is_set_yet(row, subject))
		return false;
	object = effective(row, subject, ret);
	if (object)
		length = codec_get_bytes(row, object, &bytes);
	value_integer(ret, length == 16 ? INET_IPV6 : length ? INET_IPV4 : INET_UNKNOWN);
	return true;
}
