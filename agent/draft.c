#include "draft.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "model/codec.h"

/* Which of the object's writable addresses this is. */
static unsigned int pair_number(const struct row *row)
{
	const struct row *first = row_sets[row->object].rows;
	unsigned int number = 0;

	for (; first < row; first++)
		number += first->type == TYPE_ADDRESS && first->access == ACCESS_WRITE;
	return number;
}

const struct address_pair *draft_has_pair(const struct draft *draft, const struct row *row)
{
	unsigned int number;

	if (row->type != TYPE_ADDRESS || row->part != PART_CONFIG)
		return NULL;
	number = pair_number(row);
	return number < DRAFT_PAIRS ? &draft->pairs[number] : NULL;
}

struct address_pair *draft_pair(struct draft *draft, const struct row *row)
{
	return (struct address_pair *)draft_has_pair(draft, row);
}

bool draft_has(const struct draft *draft, const struct row *row)
{
	const struct address_pair *pair = draft_has_pair(draft, row);

	if (pair)
		return pair->has_type && pair->has_bytes && pair->length;
	return codec_present(row, &draft->values);
}

static void overlay_pair(struct address_pair *pair, const struct address_pair *over)
{
	if (over->has_type) {
		pair->has_type = true;
		pair->type = over->type;
	}
	if (over->has_bytes) {
		pair->has_bytes = true;
		pair->length = over->length;
		memcpy(pair->bytes, over->bytes, sizeof(pair->bytes));
	}
}

static void overlay_row(struct draft *draft, const struct draft *over, const struct row *row)
{
	uint64_t bit = BIT(row_number(row));

	if (codec_present(row, &over->values)) {
		codec_copy(row, &draft->values, &over->values);
		draft->cleared &= ~bit;
	} else if (over->cleared & bit) {
		codec_clear(row, &draft->values);
		draft->cleared |= bit;
	}
}

void draft_overlay(struct draft *draft, const struct draft *over)
{
	const struct row_set *set = &row_sets[draft->object];

	for (unsigned int i = 0; i < set->config_count; i++)
		overlay_row(draft, over, &set->rows[i]);
	for (unsigned int i = 0; i < DRAFT_PAIRS; i++)
		overlay_pair(&draft->pairs[i], &over->pairs[i]);
}

static void clear_leaf(struct draft *draft, const struct row *row)
{
	codec_clear(row, &draft->values);
	draft->cleared |= BIT(row_number(row));
}

/* What the request does not give stays as configured. */
static void complete_pair(struct address_pair *pair, const struct row *row, const void *base)
{
	const void *bytes;
	size_t length = codec_get_bytes(row, base, &bytes);

	if (!pair->has_type)
		pair->type = length == 16 ? INET_IPV6 : length ? INET_IPV4 : INET_UNKNOWN;
	if (!pair->has_bytes) {
		pair->length = (uint8_t)length;
		memcpy(pair->bytes, bytes, length);
	}
}

static int resolve_pair(struct draft *draft, const struct row *row, const void *base, bool strict,
			struct error *err)
{
	static const uint8_t lengths[] = {[INET_UNKNOWN] = 0, [INET_IPV4] = 4, [INET_IPV6] = 16};
	struct address_pair pair = *draft_has_pair(draft, row);

	if (!pair.has_type && !pair.has_bytes)
		return 0;
	complete_pair(&pair, row, base);
	if (pair.length != lengths[pair.type]) {
		clear_leaf(draft, row);
		return !strict ? 0
			       : error_set(err, ERROR_MUST,
					   "given an address of %u octets with type %u; allowed "
					   "none with unknown(0), 4 with ipv4(1), 16 with ipv6(2) "
					   "(RFC 4001 section 3)",
					   pair.length, pair.type);
	}
	if (pair.length == 0) {
		clear_leaf(draft, row);
		return 0;
	}
	return codec_set_bytes(row, &draft->values, pair.bytes, pair.length, err);
}

static int resolve_pairs(struct draft *draft, const void *base, const struct row **ret_row,
			 struct error *err)
{
	const struct row_set *set = &row_sets[draft->object];
	int rc;

	for (unsigned int i = 0; i < set->config_count; i++) {
		if (!draft_has_pair(draft, &set->rows[i]))
			continue;
		rc = resolve_pair(draft, &set->rows[i], base, ret_row != NULL, err);
		if (rc && ret_row) {
			*ret_row = &set->rows[i];
			return rc;
		}
	}
	return 0;
}

/* A column reads zero while it does not apply, and takes a zero then. */
static int resolve_conditional(struct draft *draft, const struct row *row, const void *merged,
			       struct error *err)
{
	bool applies = codec_applies(row, merged);
	const void *bytes;

	if (!applies && codec_present(row, &draft->values) &&
	    codec_get_number(row, &draft->values) == 0 &&
	    codec_get_bytes(row, &draft->values, &bytes) == 0)
		clear_leaf(draft, row);
	if ((draft->cleared & BIT(row_number(row))) && applies && row->fallback && row->min > 0)
		return error_set(err, ERROR_MUST,
				 "given 0; allowed %u..%u: 0 stands for a value that does not "
				 "apply (%s)",
				 row->min, row->max, codec_condition(row));
	return 0;
}

static int resolve_conditions(struct draft *draft, const void *base, const struct row **ret_row,
			      struct error *err)
{
	const struct row_set *set = &row_sets[draft->object];
	union config merged;
	int rc;

	memcpy(&merged, base,
	       draft->object == OBJECT_TUNNEL ? sizeof(merged.tunnel) : sizeof(merged.session));
	draft_apply(draft, &merged);
	for (unsigned int i = 0; i < set->config_count; i++) {
		if (set->rows[i].when == WHEN_ALWAYS)
			continue;
		rc = resolve_conditional(draft, &set->rows[i], &merged, err);
		if (rc && ret_row) {
			*ret_row = &set->rows[i];
			return rc;
		}
	}
	return 0;
}

int draft_resolve(struct draft *draft, const void *base, const struct row **ret_row,
		  struct error *err)
{
	int rc = resolve_pairs(draft, base, ret_row, err);

	if (rc)
		return rc;
	return resolve_conditions(draft, base, ret_row, err);
}

void draft_apply(const struct draft *draft, void *config)
{
	const struct row_set *set = &row_sets[draft->object];

	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (codec_present(row, &draft->values))
			codec_copy(row, config, &draft->values);
		else if (draft->cleared & BIT(i))
			codec_clear(row, config);
	}
}
