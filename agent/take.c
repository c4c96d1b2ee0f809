/* The writing half of value.h: puts a varbind into a draft. */
#include "value.h"

#include <string.h>

#include "model/codec.h"

int varbind_refuse(enum error_snmp status, enum error_code code, struct error *err,
		   const char *text)
{
	error_set(err, code, "%s", text);
	return (int)status;
}

int varbind_no_memory(struct error *err)
{
	return varbind_refuse(SNMP_RESOURCE_UNAVAILABLE, ERROR_RESOURCE, err,
			      "no memory; set fewer columns at once");
}

static const char *type_name(unsigned char type)
{
	switch (type) {
	case ASN_INTEGER:
		return "INTEGER";
	case ASN_UNSIGNED:
		return "Unsigned32";
	default:
		return "OCTET STRING";
	}
}

int value_check_type(const struct varbind *varbind, unsigned char type, struct error *err)
{
	if (varbind->type == type)
		return 0;
	error_set(err, ERROR_INVALID_TYPE, "given ASN.1 type 0x%02x; allowed %s (0x%02x)",
		  varbind->type, type_name(type), type);
	return SNMP_WRONG_TYPE;
}

/* Does 0 mean "none" here, though the column's range has no 0? */
static bool is_none(const struct row *row, long number)
{
	return number == 0 &&
	       (codec_zero_is_absent(row) || (row->when != WHEN_ALWAYS && row->min > 0));
}

static void clear(const struct row *row, struct draft *draft)
{
	codec_clear(row, &draft->values);
	draft->cleared |= BIT(row_number(row));
}

static int refused(struct error *err, enum error_snmp fallback)
{
	return err && err->code != ERROR_NONE ? (int)error_kind(err->code)->snmp : (int)fallback;
}

static int take_number(const struct row *row, const struct varbind *varbind, struct draft *draft,
		       struct error *err)
{
	bool is_integer = row->type == TYPE_BOOL || row->type == TYPE_ENUM || row->max == INT32_MAX;
	int status = value_check_type(varbind, is_integer ? ASN_INTEGER : ASN_UNSIGNED, err);
	uint64_t number = (uint32_t)varbind->integer;

	if (status)
		return status;
	if (row->type == TYPE_BOOL) {
		if (number != 1 && number != 2)
			return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
					      "allowed true(1) or false(2)");
		number = number == 1;
	} else if (is_none(row, varbind->integer)) {
		clear(row, draft);
		return 0;
	}
	if (codec_set_number(row, &draft->values, number, err))
		return refused(err, SNMP_WRONG_VALUE);
	draft->cleared &= ~BIT(row_number(row));
	return 0;
}

static int take_bytes(const struct row *row, const struct varbind *varbind, struct draft *draft,
		      struct error *err)
{
	struct address_pair *pair = draft_pair(draft, row);
	union config scratch;
	int status = value_check_type(varbind, ASN_OCTET_STR, err);

	if (status)
		return status;
	/* the codec knows the limits of the other types */
	if (row->type == TYPE_ADDRESS && varbind->length != 0 && varbind->length != 4 &&
	    varbind->length != 16) {
		error_set(err, ERROR_INVALID_LENGTH, "given %zu octets; allowed 0, 4 or 16",
			  varbind->length);
		return SNMP_WRONG_LENGTH;
	}
	memset(&scratch, 0, sizeof(scratch));
	if (varbind->length > 0 || (!pair && !codec_zero_is_absent(row))) {
		if (codec_set_bytes(row, &scratch, varbind->bytes, varbind->length, err))
			return refused(err, SNMP_WRONG_VALUE);
	}
	if (pair) {
		pair->has_bytes = true;
		pair->length = (uint8_t)varbind->length;
		memset(pair->bytes, 0, sizeof(pair->bytes));
		memcpy(pair->bytes, varbind->bytes, varbind->length);
	} else if (varbind->length == 0 && codec_zero_is_absent(row)) {
		clear(row, draft);
	} else {
		codec_copy(row, &draft->values, &scratch);
		draft->cleared &= ~BIT(row_number(row));
	}
	return 0;
}

static int take_address_type(const struct row *row, const struct varbind *varbind,
			     struct draft *draft, struct error *err)
{
	struct address_pair *pair = draft_pair(draft, row);
	int status = value_check_type(varbind, ASN_INTEGER, err);

	if (status)
		return status;
	if (varbind->integer < INET_UNKNOWN || varbind->integer > INET_IPV6)
		return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
				      "allowed unknown(0), ipv4(1) or ipv6(2)");
	pair->has_type = true;
	pair->type = (uint8_t)varbind->integer;
	return 0;
}

int value_take(const struct column *column, const struct varbind *varbind, struct draft *draft,
	       struct error *err)
{
	const struct row *row = column->row;

	if (column->kind == COLUMN_ADDRESS_TYPE)
		return take_address_type(row, varbind, draft, err);
	switch (row->type) {
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_U16:
	case TYPE_U32:
		return take_number(row, varbind, draft, err);
	default:
		return take_bytes(row, varbind, draft, err);
	}
}
