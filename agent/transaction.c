/* What a set request gives, varbind by varbind, and what of it is beside the configuration. */
#include "transaction.h"

#include "base/clock.h"
#include "base/wipe.h"
#include "rows.h"

static int compare(const struct set_row *a, const struct set_row *b)
{
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

/* As in pending.c: a tunnel comes before its sessions, which is the order of an edit. */
RB_GENERATE_INTERNAL(set_row_tree, set_row, link, compare, static __attribute__((unused)))

struct set_row *set_row_first(const struct transaction *transaction)
{
	return RB_MIN(set_row_tree, (struct set_row_tree *)&transaction->rows);
}

struct set_row *set_row_next(struct set_row *row)
{
	return RB_NEXT(set_row_tree, , row);
}

struct transaction *transaction_new(struct view *view)
{
	struct transaction *transaction = calloc(1, sizeof(*transaction));

	if (!transaction)
		return NULL;
	transaction->view = view;
	candidate_open(&transaction->checked.changes, view->store);
	RB_INIT(&transaction->rows);
	pending_init(&transaction->dropped);
	return transaction;
}

void transaction_free(struct transaction *transaction)
{
	struct set_row *row, *next;

	if (!transaction)
		return;
	RB_FOREACH_SAFE (row, set_row_tree, &transaction->rows, next) {
		RB_REMOVE(set_row_tree, &transaction->rows, row);
		wipe_free(row->fresh, sizeof(*row->fresh));
		wipe_free(row->old, sizeof(*row->old));
		wipe_free(row, sizeof(*row));
	}
	pending_clear(&transaction->dropped);
	edit_free(transaction->edit);
	candidate_discard(&transaction->checked.changes);
	free(transaction->bindings);
	free(transaction);
}

/* ---- one by one */

static bool note(struct transaction *transaction, struct set_row *row, const struct column *column)
{
	if (transaction->count == transaction->capacity) {
		size_t capacity = transaction->capacity ? transaction->capacity * 2 : 16;
		struct binding *more = reallocarray(transaction->bindings, capacity, sizeof(*more));

		if (!more)
			return false;
		transaction->bindings = more;
		transaction->capacity = capacity;
	}
	transaction->bindings[transaction->count++] = (struct binding){row, *column};
	return true;
}

static struct set_row *row_of(struct transaction *transaction, const struct instance *instance)
{
	struct set_row key = {.tunnel_id = instance->index.at[0],
			      .session_id = instance->index.at[1]};
	struct set_row *row = RB_FIND(set_row_tree, &transaction->rows, &key);

	if (row)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->object = table_object(instance->column.table);
	row->tunnel_id = key.tunnel_id;
	row->session_id = key.session_id;
	row->given.object = row->draft.object = row->object;
	RB_INSERT(set_row_tree, &transaction->rows, row);
	return row;
}

static int take_storage_type(struct set_row *row, const struct varbind *varbind, struct error *err)
{
	int status = value_check_type(varbind, ASN_INTEGER, err);

	if (status)
		return status;
	if (varbind->integer != STORAGE_NON_VOLATILE)
		return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
				      "allowed nonVolatile(3): all that is configured is kept");
	row->storage = true;
	return 0;
}

static int take_row_status(struct set_row *row, const struct varbind *varbind, struct error *err)
{
	int status = value_check_type(varbind, ASN_INTEGER, err);

	if (status)
		return status;
	if (varbind->integer < SNMP_ROW_ACTIVE || varbind->integer > SNMP_ROW_DESTROY ||
	    varbind->integer == SNMP_ROW_NOTREADY)
		return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
				      "allowed active(1), notInService(2), createAndGo(4), "
				      "createAndWait(5) or destroy(6)");
	row->action = (int)varbind->integer;
	return 0;
}

static bool is_twice(const struct set_row *row, const struct column *column)
{
	switch (column->kind) {
	case COLUMN_STORAGE_TYPE:
		return row->storage;
	case COLUMN_ROW_STATUS:
		return row->action != ROWSTATUS_NONE;
	case COLUMN_ADDRESS_TYPE:
		return row->types & BIT(row_number(column->row));
	default:
		return row->columns & BIT(row_number(column->row));
	}
}

static int take_column(struct set_row *row, const struct column *column,
		       const struct varbind *varbind, struct error *err)
{
	if (is_twice(row, column))
		return varbind_refuse(SNMP_INCONSISTENT_VALUE, ERROR_BAD_ELEMENT, err,
				      "given twice in one request; allowed once");
	if (column->kind == COLUMN_STORAGE_TYPE)
		return take_storage_type(row, varbind, err);
	if (column->kind == COLUMN_ROW_STATUS)
		return take_row_status(row, varbind, err);
	if (column->kind == COLUMN_ADDRESS_TYPE)
		row->types |= BIT(row_number(column->row));
	else
		row->columns |= BIT(row_number(column->row));
	return value_take(column, varbind, &row->given, err);
}

static int take_lock(struct transaction *transaction, const struct varbind *varbind,
		     struct error *err)
{
	if (transaction->sets_lock)
		return varbind_refuse(SNMP_INCONSISTENT_VALUE, ERROR_BAD_ELEMENT, err,
				      "given twice in one request; allowed once");
	if (varbind->integer < 0 || varbind->integer > INT32_MAX)
		return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
				      "allowed 0..2147483647");
	transaction->sets_lock = true;
	transaction->lock = varbind->integer;
	return 0;
}

static int take_notify(struct transaction *transaction, const struct varbind *varbind,
		       struct error *err)
{
	if (transaction->sets_notify)
		return varbind_refuse(SNMP_INCONSISTENT_VALUE, ERROR_BAD_ELEMENT, err,
				      "given twice in one request; allowed once");
	if (varbind->integer != 1 && varbind->integer != 2)
		return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
				      "allowed true(1) or false(2)");
	transaction->sets_notify = true;
	transaction->notify = varbind->integer == 1;
	return 0;
}

static int take_scalar(struct transaction *transaction, const struct column *column,
		       const struct varbind *varbind, struct error *err)
{
	int status = value_check_type(varbind, ASN_INTEGER, err);

	if (status)
		return status;
	return column->number == SCALAR_SPIN_LOCK ? take_lock(transaction, varbind, err)
						  : take_notify(transaction, varbind, err);
}

/* The path of a refused column, in YANG's words where it has some. */
static void point(struct error *err, const struct instance *instance)
{
	const struct column *column = &instance->column;

	if (column->kind == COLUMN_SCALAR)
		error_at(err, "l2tpv3Scalars.%u", column->number);
	else
		error_at_entry(err, instance->index.at[0], instance->index.at[1], column->row);
}

/* ... and of what is no column: the OID. */
static void point_at_name(struct error *err, const struct varbind *varbind)
{
	char text[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < varbind->name_length && used < sizeof(text); i++) {
		int count = snprintf(text + used, sizeof(text) - used, "%s%lu", i ? "." : "",
				     (unsigned long)varbind->name[i]);

		used += count > 0 ? (size_t)count : 0;
	}
	error_at(err, "%s", text);
}

static int find_column(const struct varbind *varbind, struct instance *ret, struct error *err)
{
	enum oid_fault fault = oid_to_instance(varbind->name, varbind->name_length, ret);

	point_at_name(err, varbind);
	if (fault == OID_NO_OBJECT || !ret->column.writable)
		return varbind_refuse(SNMP_NOT_WRITABLE, ERROR_READ_ONLY, err,
				      "there is no such column, or it is read-only");
	if (fault == OID_NO_INSTANCE)
		return varbind_refuse(
			SNMP_NO_CREATION, ERROR_MISSING_KEY, err,
			"no row can have this index; allowed the ids, each 1..4294967295");
	return 0;
}

int transaction_add(struct transaction *transaction, const struct varbind *varbind,
		    struct error *err)
{
	struct instance instance;
	struct set_row *row;
	int status = find_column(varbind, &instance, err);

	if (status)
		return status;
	if (instance.column.kind == COLUMN_SCALAR) {
		if (!note(transaction, NULL, &instance.column))
			return varbind_no_memory(err);
		status = take_scalar(transaction, &instance.column, varbind, err);
	} else {
		row = row_of(transaction, &instance);
		if (!row || !note(transaction, row, &instance.column))
			return varbind_no_memory(err);
		status = take_column(row, &instance.column, varbind, err);
	}
	if (status)
		point(err, &instance);
	return status;
}

struct engine_checked *transaction_checked(struct transaction *transaction)
{
	return &transaction->checked;
}

struct edit *transaction_edit(struct transaction *transaction)
{
	struct edit *edit = transaction->edit;

	if (!edit || edit->count == 0)
		return NULL;
	transaction->edit = NULL;
	return edit;
}

/* ---- beside the configuration */

static struct pending_row *waiting(const struct transaction *transaction, const struct set_row *row)
{
	return pending_find(&transaction->view->pending, row->object, row->tunnel_id,
			    row->session_id);
}

static void replace(struct transaction *transaction, const struct set_row *row,
		    struct pending_row **ret_old, struct pending_row **fresh)
{
	struct pending *pending = &transaction->view->pending;

	*ret_old = waiting(transaction, row);
	if (*ret_old)
		pending_take(pending, *ret_old);
	if (*fresh)
		pending_put(pending, *fresh);
	*fresh = NULL;
}

static bool drops_sessions(const struct set_row *row)
{
	return row->object == OBJECT_TUNNEL &&
	       (row->step == STEP_DELETE || row->step == STEP_FORGET);
}

/*
 * A configured row takes the place of a pending one, whichever way it came. A
 * tunnel comes before its sessions, which are what the request says of them.
 */
void transaction_apply(struct transaction *transaction)
{
	struct pending *pending = &transaction->view->pending;
	struct set_row *row;
	int64_t now = clock_now();

	RB_FOREACH (row, set_row_tree, &transaction->rows) {
		if (row->fresh)
			row->fresh->touched = now;
		replace(transaction, row, &row->old, &row->fresh);
		if (drops_sessions(row))
			pending_move_sessions(pending, row->tunnel_id, &transaction->dropped);
	}
}

void transaction_revert(struct transaction *transaction)
{
	struct pending *pending = &transaction->view->pending;
	struct set_row *row;
	struct pending_row *undone;

	RB_FOREACH_REVERSE(row, set_row_tree, &transaction->rows)
	{
		if (drops_sessions(row))
			pending_move_sessions(&transaction->dropped, row->tunnel_id, pending);
		replace(transaction, row, &undone, &row->old);
		wipe_free(undone, sizeof(*undone));
	}
}

void transaction_finish(struct transaction *transaction)
{
	struct view *view = transaction->view;

	if (transaction->sets_lock)
		view->spin_lock = view->spin_lock == INT32_MAX ? 0 : view->spin_lock + 1;
	if (transaction->sets_notify)
		view->notify = transaction->notify;
}
