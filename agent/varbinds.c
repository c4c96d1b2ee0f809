/* A set request, varbind by varbind, and what of it is no configuration. */
#include "varbinds.h"

#include "base/clock.h"
#include "base/wipe.h"
#include "rows.h"

static int compare(const struct set_row *a, const struct set_row *b)
{
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

/* As in pending.c: a tunnel comes before its sessions, which is the order of an edit. */
RB_GENERATE_INTERNAL(set_row_tree, set_row, link, compare, static __attribute__((unused)))

struct set_row *set_row_first(const struct varbinds *varbinds)
{
	return RB_MIN(set_row_tree, (struct set_row_tree *)&varbinds->rows);
}

struct set_row *set_row_next(struct set_row *row)
{
	return RB_NEXT(set_row_tree, , row);
}

struct varbinds *varbinds_new(struct mib *mib)
{
	struct varbinds *varbinds = calloc(1, sizeof(*varbinds));

	if (!varbinds)
		return NULL;
	varbinds->mib = mib;
	candidate_open(&varbinds->checked.changes, mib->store);
	RB_INIT(&varbinds->rows);
	pending_init(&varbinds->dropped);
	return varbinds;
}

void varbinds_free(struct varbinds *varbinds)
{
	struct set_row *row, *next;

	if (!varbinds)
		return;
	RB_FOREACH_SAFE (row, set_row_tree, &varbinds->rows, next) {
		RB_REMOVE(set_row_tree, &varbinds->rows, row);
		wipe_free(row->fresh, sizeof(*row->fresh));
		wipe_free(row->old, sizeof(*row->old));
		wipe_free(row, sizeof(*row));
	}
	pending_clear(&varbinds->dropped);
	edit_free(varbinds->edit);
	candidate_discard(&varbinds->checked.changes);
	free(varbinds->bindings);
	free(varbinds);
}

/* ---- one by one */

static bool note(struct varbinds *varbinds, struct set_row *row, const struct column *column)
{
	if (varbinds->count == varbinds->capacity) {
		size_t capacity = varbinds->capacity ? varbinds->capacity * 2 : 16;
		struct binding *more = reallocarray(varbinds->bindings, capacity, sizeof(*more));

		if (!more)
			return false;
		varbinds->bindings = more;
		varbinds->capacity = capacity;
	}
	varbinds->bindings[varbinds->count++] = (struct binding){row, column};
	return true;
}

static struct set_row *row_of(struct varbinds *varbinds, const struct instance *instance)
{
	struct set_row key = {.tunnel_id = instance->index.at[0],
			      .session_id = instance->index.at[1]};
	struct set_row *row = RB_FIND(set_row_tree, &varbinds->rows, &key);

	if (row)
		return row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	row->object = index_object(instance->column->table->index);
	row->tunnel_id = key.tunnel_id;
	row->session_id = key.session_id;
	row->given.object = row->draft.object = row->object;
	RB_INSERT(set_row_tree, &varbinds->rows, row);
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

static int take_lock(struct varbinds *varbinds, const struct varbind *varbind, struct error *err)
{
	if (varbinds->sets_lock)
		return varbind_refuse(SNMP_INCONSISTENT_VALUE, ERROR_BAD_ELEMENT, err,
				      "given twice in one request; allowed once");
	if (varbind->integer < 0 || varbind->integer > INT32_MAX)
		return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
				      "allowed 0..2147483647");
	varbinds->sets_lock = true;
	varbinds->lock = varbind->integer;
	return 0;
}

static int take_notify(struct varbinds *varbinds, const struct varbind *varbind, struct error *err)
{
	if (varbinds->sets_notify)
		return varbind_refuse(SNMP_INCONSISTENT_VALUE, ERROR_BAD_ELEMENT, err,
				      "given twice in one request; allowed once");
	if (varbind->integer != 1 && varbind->integer != 2)
		return varbind_refuse(SNMP_WRONG_VALUE, ERROR_INVALID_VALUE, err,
				      "allowed true(1) or false(2)");
	varbinds->sets_notify = true;
	varbinds->notify = varbind->integer == 1;
	return 0;
}

static int take_scalar(struct varbinds *varbinds, const struct column *column,
		       const struct varbind *varbind, struct error *err)
{
	int status = value_check_type(varbind, ASN_INTEGER, err);

	if (status)
		return status;
	return column->number == SCALAR_SPIN_LOCK ? take_lock(varbinds, varbind, err)
						  : take_notify(varbinds, varbind, err);
}

/* The path of a refused column, in YANG's words if it has any. */
static void point(struct error *err, const struct instance *instance)
{
	const struct column *column = instance->column;

	if (column->kind == COLUMN_SCALAR)
		error_at(err, column->number == SCALAR_SPIN_LOCK ? "l2tpv3SpinLock"
								 : "l2tpv3NotificationEnable");
	else
		error_at_entry(err, instance->index.at[0], instance->index.at[1], column->row);
}

/* ... and of what is no column: its OID. */
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

	if (fault == OID_FINE && ret->column->writable)
		return 0;
	point_at_name(err, varbind);
	if (fault == OID_NO_OBJECT || !ret->column->writable)
		return varbind_refuse(SNMP_NOT_WRITABLE, ERROR_READ_ONLY, err,
				      "there is no such column, or it is read-only");
	return varbind_refuse(
		SNMP_NO_CREATION, ERROR_MISSING_KEY, err,
		ret->column->kind == COLUMN_SCALAR
			? "there is one instance of it; allowed 0"
			: "no row can have this index; allowed the ids, each 1..4294967295");
}

int varbinds_add(struct varbinds *varbinds, const struct varbind *varbind, struct error *err)
{
	struct instance instance;
	struct set_row *row;
	int status = find_column(varbind, &instance, err);

	if (status)
		return status;
	if (instance.column->kind == COLUMN_SCALAR) {
		status = note(varbinds, NULL, instance.column)
				 ? take_scalar(varbinds, instance.column, varbind, err)
				 : varbind_no_memory(err);
	} else {
		row = row_of(varbinds, &instance);
		status = row && note(varbinds, row, instance.column)
				 ? take_column(row, instance.column, varbind, err)
				 : varbind_no_memory(err);
	}
	if (status)
		point(err, &instance);
	return status;
}

struct engine_checked *varbinds_checked(struct varbinds *varbinds)
{
	return &varbinds->checked;
}

struct edit *varbinds_edit(struct varbinds *varbinds)
{
	struct edit *edit = varbinds->edit;

	if (!edit || edit->count == 0)
		return NULL;
	varbinds->edit = NULL;
	return edit;
}

/* ---- pending rows and scalars */

static void replace(struct varbinds *varbinds, const struct set_row *row,
		    struct pending_row **ret_old, struct pending_row **fresh)
{
	struct pending *pending = &varbinds->mib->pending;

	*ret_old = pending_find(pending, row->object, row->tunnel_id, row->session_id);
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
 * A configured row replaces a pending one, however it was made. A tunnel comes before its
 * sessions, so what the request says of a session has the last word.
 */
void varbinds_apply(struct varbinds *varbinds)
{
	struct pending *pending = &varbinds->mib->pending;
	struct set_row *row;
	int64_t now = clock_now();

	RB_FOREACH (row, set_row_tree, &varbinds->rows) {
		if (row->fresh)
			row->fresh->touched = now;
		replace(varbinds, row, &row->old, &row->fresh);
		if (drops_sessions(row))
			pending_move_sessions(pending, row->tunnel_id, &varbinds->dropped);
	}
}

void varbinds_revert(struct varbinds *varbinds)
{
	struct pending *pending = &varbinds->mib->pending;
	struct set_row *row;
	struct pending_row *undone;

	RB_FOREACH_REVERSE(row, set_row_tree, &varbinds->rows)
	{
		if (drops_sessions(row))
			pending_move_sessions(&varbinds->dropped, row->tunnel_id, pending);
		replace(varbinds, row, &undone, &row->old);
		wipe_free(undone, sizeof(*undone));
	}
}

void varbinds_finish(struct varbinds *varbinds)
{
	struct mib *mib = varbinds->mib;

	if (varbinds->sets_lock)
		mib->spin_lock = mib->spin_lock == INT32_MAX ? 0 : mib->spin_lock + 1;
	if (varbinds->sets_notify)
		mib->notify = varbinds->notify;
}
