#include "mib.h"

#include <sys/random.h>

#include "base/clock.h"
#include "model/codec.h"
#include "scalars.h"
#include "standard.h"

void mib_init(struct mib *mib, struct engine *engine, const struct datastore *store)
{
	uint32_t seed = 0;

	mib->engine = engine;
	mib->store = store;
	mib->epoch.at = engine ? engine_epoch(engine) : 0;
	pending_init(&mib->pending);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		mib->spin_lock = (long)(seed & INT32_MAX);
}

void mib_clear(struct mib *mib)
{
	pending_clear(&mib->pending);
	mappings_expire(&mib->mappings, INT64_MAX);
}

void mib_follow_epoch(struct mib *mib, int64_t now, unsigned long uptime)
{
	epoch_follow(&mib->epoch, now, uptime);
	if (mib->engine)
		engine_keep_epoch(mib->engine, mib->epoch.at);
}

/* Get counters and status that are fresh enough. */
static void refresh(struct mib *mib, const struct column *column, const struct subject *subject)
{
	if (!mib->engine || !subject->entry)
		return;
	if (column->row->part == PART_STATISTICS)
		engine_refresh(mib->engine, subject->entry);
	else if (column->row->part == PART_STATE)
		engine_look(mib->engine, subject->entry);
}

/* A row that is being removed is notReady: no configuration has it. */
static long row_status(const struct subject *subject)
{
	static const long states[] = {
		[ROW_MISSING] = SNMP_ROW_NOTREADY,   [ROW_NOT_READY] = SNMP_ROW_NOTREADY,
		[ROW_READY] = SNMP_ROW_NOTINSERVICE, [ROW_DISABLED] = SNMP_ROW_NOTINSERVICE,
		[ROW_ACTIVE] = SNMP_ROW_ACTIVE,      [ROW_FOREIGN] = SNMP_ROW_ACTIVE,
	};

	return states[subject_state(subject)];
}

static long storage_type(const struct subject *subject)
{
	enum row_state state = subject_state(subject);

	if (subject->pending)
		return STORAGE_VOLATILE;
	return state == ROW_FOREIGN || state == ROW_MISSING ? STORAGE_READ_ONLY
							    : STORAGE_NON_VOLATILE;
}

static void give_constant(const struct standard_column *standard, struct value *ret)
{
	if (standard->type == ASN_OCTET_STR)
		value_bytes(ret, standard->octets, standard->length);
	else
		value_integer(ret, standard->constant);
	ret->type = standard->type;
}

/* @subject: NULL for a scalar. */
static bool give(struct mib *mib, const struct column *column, const struct subject *subject,
		 struct value *ret)
{
	switch (column->kind) {
	case COLUMN_SCALAR:
		scalar_value(mib, column->number, ret);
		return true;
	case COLUMN_CONSTANT:
		give_constant(column->standard, ret);
		return true;
	case COLUMN_FUNCTION:
		return column->standard->function(mib, subject, ret);
	case COLUMN_ROW:
		refresh(mib, column, subject);
		return value_of_row(column->row, subject, &mib->epoch, ret);
	case COLUMN_ADDRESS_TYPE:
		return value_of_address_type(column->row, subject, ret);
	case COLUMN_STORAGE_TYPE:
		value_integer(ret, storage_type(subject));
		return true;
	case COLUMN_ROW_STATUS:
		value_integer(ret, row_status(subject));
		return true;
	case COLUMN_TUNNEL_ID:
		value_unsigned(ret, subject_tunnel_id(subject));
		return true;
	case COLUMN_SESSION_ID:
		value_unsigned(ret, subject_session_id(subject));
		return true;
	default:
		return false;
	}
}

bool mib_value(struct mib *mib, const struct instance *instance, struct value *ret)
{
	const struct column *column = instance->column;
	enum index_kind kind = column->table->index;
	struct subject subject;

	if (kind == INDEX_SCALAR)
		return give(mib, column, NULL, ret);
	return subject_find(mib->store, &mib->pending, kind, &instance->index, &subject) &&
	       give(mib, column, &subject, ret);
}

/* The one column of a mapping: the session id of the row, or of the first one at or after it. */
static enum search give_mapped(struct mib *mib, struct instance *at, bool exact, int64_t until,
			       struct value *ret)
{
	enum index_kind kind = at->column->table->index;
	uint32_t session_id = 0;
	enum search rc = exact ? mapping_find(&mib->mappings, mib->store, kind, &at->index, until,
					      &session_id)
			       : mapping_from(&mib->mappings, mib->store, kind, &at->index, until,
					      &session_id);

	value_unsigned(ret, session_id);
	return rc;
}

enum oid_fault mib_get(struct mib *mib, const oid *name, size_t length, int64_t until,
		       struct value *ret)
{
	struct instance instance;
	enum oid_fault fault = oid_to_instance(name, length, &instance);
	enum search found;

	if (fault != OID_FINE)
		return fault;
	if (!is_mapping(instance.column->table->index))
		return mib_value(mib, &instance, ret) ? OID_FINE : OID_NO_INSTANCE;
	found = give_mapped(mib, &instance, true, until, ret);
	return found == SEARCH_FOUND   ? OID_FINE
	       : found == SEARCH_LATER ? OID_LATER
				       : OID_NO_INSTANCE;
}

/* The index after @index; false after the last of 32 bits. */
static bool step(enum index_kind kind, struct index *index)
{
	unsigned int last = index_length(kind) == 2; /* mappings have steps of their own */

	if (index->at[last] < UINT32_MAX) {
		index->at[last]++;
		return true;
	}
	if (last == 0 || index->at[0] == UINT32_MAX)
		return false;
	index->at[0]++;
	index->at[1] = 0;
	return true;
}

/* The first row at or after the instance that has the column. */
static enum search first_in_column(struct mib *mib, struct instance *at, int64_t until,
				   struct value *ret)
{
	const struct column *column = at->column;
	enum index_kind kind = column->table->index;
	struct subject subject;

	if (kind == INDEX_SCALAR)
		return give(mib, column, NULL, ret) ? SEARCH_FOUND : SEARCH_NONE;
	if (is_mapping(kind))
		return give_mapped(mib, at, false, until, ret);
	while (subject_from(mib->store, &mib->pending, kind, &at->index, &subject, &mib->last)) {
		if (give(mib, column, &subject, ret))
			return SEARCH_FOUND;
		if (!step(kind, &at->index))
			return SEARCH_NONE;
		if (clock_now() > until)
			return SEARCH_LATER;
	}
	return SEARCH_NONE;
}

enum search mib_search(struct mib *mib, struct instance *at, const oid *end, size_t end_length,
		       int64_t until, struct value *ret)
{
	enum search found = first_in_column(mib, at, until, ret);

	while (found == SEARCH_NONE) {
		at->column = column_next(at->column);
		at->index = (struct index){0};
		if (!at->column ||
		    (end_length > 0 &&
		     snmp_oid_compare(at->column->name, at->column->length, end, end_length) >= 0))
			return SEARCH_NONE;
		if (clock_now() > until)
			return SEARCH_LATER;
		found = first_in_column(mib, at, until, ret);
	}
	return found;
}

bool mib_next(struct mib *mib, const oid *name, size_t length, oid ret_name[MAX_OID_LEN],
	      size_t *ret_length, struct value *ret)
{
	struct instance at;

	if (!oid_to_start(name, length, &at) ||
	    mib_search(mib, &at, NULL, 0, INT64_MAX, ret) != SEARCH_FOUND)
		return false;
	*ret_length = oid_of_instance(&at, ret_name);
	return true;
}
