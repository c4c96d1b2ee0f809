/*
 * Set requests and OIDs from any bytes, without a master: what is accepted is
 * carried out on a small datastore, any OID has a successor that is greater and
 * can be got, and no row is half of anything.
 */
#include "model/codec.h"
#include "varbinds.h"
#include "store/publish.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

struct input {
	const unsigned char *data;
	size_t size;
};

static unsigned int take(struct input *input)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return *input->data++;
}

static const void *take_bytes(struct input *input, size_t *length)
{
	const void *bytes = input->data;

	if (*length > input->size)
		*length = input->size;
	input->data += *length;
	input->size -= *length;
	return *length ? bytes : "";
}

/* Mostly few ids, so that rows meet; some at the edges. */
static oid take_id(struct input *input)
{
	static const oid ids[] = {1, 2, 3, 4, 0, 2147483648UL, 4294967295UL, 4294967296UL};

	return ids[take(input) % 8];
}

static size_t take_name(struct input *input, oid name[MAX_OID_LEN])
{
	const struct column *column = column_first();
	unsigned int shape, kind;
	size_t length;

	for (unsigned int n = take(input); n > 0 && column_next(column); n--)
		column = column_next(column);
	shape = take(input);
	kind = column->table->index;
	length = column->length;
	memcpy(name, column->name, length * sizeof(oid));
	for (unsigned int i = 0; i < index_length(kind); i++)
		name[length++] = kind == INDEX_SCALAR ? 0 : take_id(input);
	if (shape == 1)
		name[length++] = take(input);
	if (shape == 2)
		length -= take(input) % 4;
	if (shape == 3)
		name[take(input) % length] = take(input);
	return length;
}

static void check_next(struct mib *mib, struct input *input)
{
	oid name[MAX_OID_LEN], next[MAX_OID_LEN];
	size_t length = take_name(input, name), next_length = 0;
	struct value value, again;

	mib_get(mib, name, length, INT64_MAX, &value);
	for (unsigned int i = 0; i < 20; i++) {
		if (!mib_next(mib, name, length, next, &next_length, &value))
			return;
		CHECK(snmp_oid_compare(name, length, next, next_length) < 0);
		CHECK(mib_get(mib, next, next_length, INT64_MAX, &again) == OID_FINE);
		CHECK(again.type == value.type);
		memcpy(name, next, next_length * sizeof(oid));
		length = next_length;
	}
}

static int add(struct varbinds *varbinds, struct input *input, struct error *err)
{
	static const unsigned char types[] = {ASN_INTEGER, ASN_UNSIGNED, ASN_OCTET_STR, ASN_NULL};
	oid name[MAX_OID_LEN];
	struct varbind varbind = {.name = name, .name_length = take_name(input, name)};

	varbind.type = types[take(input) % 4];
	varbind.length = take(input) % 80;
	if (varbind.type == ASN_OCTET_STR) {
		varbind.bytes = take_bytes(input, &varbind.length);
		return varbinds_add(varbinds, &varbind, err);
	}
	varbind.bytes = "";
	varbind.integer = (long)take_id(input) + (long)(signed char)take(input);
	return varbinds_add(varbinds, &varbind, err);
}

static void carry_out(struct mib *mib, struct datastore *store, struct edit *edit)
{
	struct candidate candidate;

	(void)mib;
	candidate_open(&candidate, store);
	CHECK(candidate_apply(&candidate, edit, NULL) == 0);
	CHECK(candidate_choose_names(&candidate, NULL, NULL, NULL) == 0);
	CHECK(candidate_validate(&candidate, NULL) == 0);
	CHECK(candidate_publish(&candidate, store) == 0);
	candidate_discard(&candidate);
}

static void set(struct mib *mib, struct datastore *store, struct input *input)
{
	struct varbinds *varbinds = varbinds_new(mib);
	unsigned int count = 1 + take(input) % 12;
	struct error err = ERROR_INIT;
	struct edit *edit;
	size_t blamed = 0;
	int status = 0;

	CHECK(varbinds);
	for (unsigned int i = 0; i < count && !status; i++)
		status = add(varbinds, input, &err);
	if (!status) {
		status = varbinds_check(varbinds, &blamed, &err);
		CHECK(blamed < count);
	}
	CHECK(!status || err.text[0]);
	if (!status) {
		edit = varbinds_edit(varbinds);
		if (edit)
			carry_out(mib, store, edit);
		edit_free(edit);
		varbinds_apply(varbinds);
		if (take(input) % 4 == 0)
			varbinds_revert(varbinds);
		else
			varbinds_finish(varbinds);
	}
	varbinds_free(varbinds);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct input input = {data, size};
	struct datastore *store = datastore_new();
	struct mib mib = {0};

	CHECK(store);
	mib_init(&mib, NULL, store);
	while (input.size > 0) {
		if (take(&input) % 4 == 0)
			check_next(&mib, &input);
		else
			set(&mib, store, &input);
	}
	mib_clear(&mib);
	datastore_free(store);
	return 0;
}
