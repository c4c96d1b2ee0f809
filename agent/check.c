/* A set request as a whole: RowStatus, consistency, and the edit it makes. */
#include "varbinds.h"

#include "model/codec.h"
#include "rows.h"

/* ---- which binding is to blame */

static size_t find_binding(const struct varbinds *varbinds, const struct set_row *row,
			   enum column_kind kind, const struct row *column)
{
	for (size_t i = 0; i < varbinds->count; i++) {
		const struct binding *binding = &varbinds->bindings[i];

		if (binding->row == row && (kind == COLUMN_NONE || binding->column->kind == kind) &&
		    (!column || binding->column->row == column))
			return i;
	}
	return varbinds->count;
}

/* The row's RowStatus if the request sets it, else its first binding. */
static size_t blame_row(const struct varbinds *varbinds, const struct set_row *row)
{
	size_t found = find_binding(varbinds, row, COLUMN_ROW_STATUS, NULL);

	if (found == varbinds->count)
		found = find_binding(varbinds, row, COLUMN_NONE, NULL);
	return found < varbinds->count ? found : 0;
}

/* The column of a leaf, or what stands for it. */
static size_t blame_leaf(const struct varbinds *varbinds, const struct set_row *row,
			 const struct row *leaf)
{
	size_t found = find_binding(varbinds, row, COLUMN_ROW, leaf);

	if (found == varbinds->count)
		found = find_binding(varbinds, row, COLUMN_ADDRESS_TYPE, leaf);
	return found < varbinds->count ? found : blame_row(varbinds, row);
}

static size_t blame(const struct varbinds *varbinds, const struct error *err)
{
	struct set_row *row;

	for (size_t i = 0; i < varbinds->count; i++) {
		const struct binding *binding = &varbinds->bindings[i];
		struct error probe = ERROR_INIT;

		row = binding->row;
		if (!row || binding->column->kind != COLUMN_ROW)
			continue;
		error_at_entry(&probe, row->tunnel_id, row->session_id, binding->column->row);
		if (!strcmp(probe.path, err->path))
			return i;
	}
	for (row = set_row_first(varbinds); row; row = set_row_next(row)) {
		struct error probe = ERROR_INIT;

		error_at_entry(&probe, row->tunnel_id, row->session_id, NULL);
		/* the entry itself or a leaf of it that was not given, but no session below it */
		if (!strncmp(probe.path, err->path, strlen(probe.path)) &&
		    !strchr(err->path + strlen(probe.path), '['))
			return blame_row(varbinds, row);
	}
	return 0;
}

int varbinds_refuse(const struct varbinds *varbinds, const struct error *err, size_t *ret_varbind)
{
	int status = (int)error_kind(err->code)->snmp;
	const struct set_row *row;

	*ret_varbind = blame(varbinds, err);
	row = varbinds->count > 0 ? varbinds->bindings[*ret_varbind].row : NULL;
	/* a pending row exists, so its name cannot be wrong (RFC 3416 section 4.2.5) */
	if (status == SNMP_INCONSISTENT_NAME && row && row->step == STEP_ENTER)
		return SNMP_INCONSISTENT_VALUE;
	return status;
}

/* ---- row by row */

/*
 * The state that the row would be in with its columns set; also makes its draft. If that is
 * notReady, @missing says why.
 */
static enum row_state look_up(const struct varbinds *varbinds, struct set_row *row,
			      struct subject *ret, struct error *missing)
{
	const struct mib *mib = varbinds->mib;
	enum index_kind kind = row->object == OBJECT_TUNNEL ? INDEX_TUNNEL : INDEX_SESSION;
	const struct index index = {.at = {row->tunnel_id, row->session_id}};
	struct pending_row probe;

	row->draft = row->given;
	if (!subject_find(mib->store, &mib->pending, kind, &index, ret))
		return ROW_MISSING;
	if (!ret->pending)
		return subject_state(ret);
	row->draft = ret->pending->draft;
	draft_overlay(&row->draft, &row->given);
	probe = *ret->pending;
	probe.draft = row->draft;
	return pending_check(&probe, missing) ? ROW_NOT_READY : ROW_READY;
}

static int keep_pending(struct varbinds *varbinds, struct set_row *row,
			const struct subject *subject, struct error *err)
{
	const struct pending *pending = &varbinds->mib->pending;

	row->fresh = pending_new(row->object, row->tunnel_id, row->session_id);
	if (!row->fresh)
		return varbind_no_memory(err);
	row->fresh->draft = row->draft;
	if (!subject->pending && pending->count + ++varbinds->fresh > PENDING_MAX)
		return varbind_refuse(SNMP_RESOURCE_UNAVAILABLE, ERROR_RESOURCE, err,
				      "too many pending rows; destroy some or make them active");
	return 0;
}

static enum edit_operation operation_of(enum row_step step)
{
	switch (step) {
	case STEP_CREATE:
	case STEP_ENTER:
		return EDIT_CREATE;
	case STEP_DELETE:
		return EDIT_REMOVE;
	default:
		return EDIT_NONE;
	}
}

/* @base: the row as configured, or all zero. */
static int configure(struct varbinds *varbinds, struct set_row *row, const void *base,
		     size_t *ret_varbind, struct error *err)
{
	bool is_tunnel = row->object == OBJECT_TUNNEL;
	enum edit_operation operation = operation_of(row->step);
	const struct row *leaf = NULL;
	struct edit_entry *entry;

	if (row->step != STEP_DELETE && draft_resolve(&row->draft, base, &leaf, err)) {
		error_at_entry(err, row->tunnel_id, row->session_id, leaf);
		*ret_varbind = blame_leaf(varbinds, row, leaf);
		return (int)error_kind(err->code)->snmp;
	}
	if (row->step == STEP_ENABLE || row->step == STEP_DISABLE) {
		leaf = &row_sets[row->object]
				.rows[is_tunnel ? (int)TUNNEL_ENABLED : (int)SESSION_ENABLED];
		codec_set_number(leaf, &row->draft.values, row->step == STEP_ENABLE, NULL);
	}
	entry = is_tunnel
			? edit_tunnel(varbinds->edit, operation, row->tunnel_id)
			: edit_session(varbinds->edit, operation, row->tunnel_id, row->session_id);
	if (!entry)
		return varbind_no_memory(err);
	if (row->step == STEP_DELETE)
		return 0;
	draft_apply(&row->draft, edit_values(entry));
	entry->cleared = (uint32_t)row->draft.cleared;
	return 0;
}

static int check_row(struct varbinds *varbinds, struct set_row *row, size_t *ret_varbind,
		     struct error *err)
{
	static const union config nothing;
	struct subject subject = {0};
	struct error missing = ERROR_INIT;
	enum row_state state = look_up(varbinds, row, &subject, &missing);
	union config room;
	int status;

	*ret_varbind = blame_row(varbinds, row);
	error_at_entry(err, row->tunnel_id, row->session_id, NULL);
	status = rowstatus_step(state, row->action, &row->step, &missing, err);
	if (status)
		return status;
	if (row->action == SNMP_ROW_DESTROY && (row->columns || row->types || row->storage))
		return varbind_refuse(SNMP_INCONSISTENT_VALUE, ERROR_MUST, err,
				      "given columns of a row that the request destroys");
	switch (row->step) {
	case STEP_NOTHING:
	case STEP_FORGET:
		return 0;
	case STEP_WAIT:
		return keep_pending(varbinds, row, &subject, err);
	case STEP_CREATE:
	case STEP_ENTER:
		return configure(varbinds, row, &nothing, ret_varbind, err);
	default:
		return configure(varbinds, row, subject_config(&subject, &room), ret_varbind, err);
	}
}

/* As the engine will check it; tests without an engine check what the store can. */
static int check_edit(struct varbinds *varbinds, struct error *err)
{
	const struct mib *mib = varbinds->mib;
	struct candidate *changes = &varbinds->checked.changes;

	if (mib->engine)
		return engine_check(mib->engine, varbinds->edit, 0, &varbinds->checked, err);
	return candidate_prepare(changes, varbinds->edit, NULL, NULL, err);
}

static int check_locks(const struct varbinds *varbinds, size_t *ret_varbind, struct error *err)
{
	const struct mib *mib = varbinds->mib;

	*ret_varbind = 0;
	if (mib->engine && engine_check_lock(mib->engine, ENGINE_RUNNING, 0, err))
		return (int)error_kind(err->code)->snmp;
	if (!varbinds->sets_lock || varbinds->lock == mib->spin_lock)
		return 0;
	while (varbinds->bindings[*ret_varbind].row ||
	       varbinds->bindings[*ret_varbind].column->number != SCALAR_SPIN_LOCK)
		++*ret_varbind;
	error_set(err, ERROR_MUST, "given %ld; allowed its current value, %ld", varbinds->lock,
		  mib->spin_lock);
	error_at(err, "l2tpv3SpinLock");
	return SNMP_INCONSISTENT_VALUE;
}

int varbinds_check(struct varbinds *varbinds, size_t *ret_varbind, struct error *err)
{
	struct set_row *row;
	int status = check_locks(varbinds, ret_varbind, err);

	if (status)
		return status;
	varbinds->edit = edit_new();
	if (!varbinds->edit)
		return varbind_no_memory(err);
	for (row = set_row_first(varbinds); row; row = set_row_next(row)) {
		status = check_row(varbinds, row, ret_varbind, err);
		if (status)
			return status;
	}
	*err = ERROR_INIT;
	if (varbinds->edit->count == 0 || !check_edit(varbinds, err))
		return 0;
	return varbinds_refuse(varbinds, err, ret_varbind);
}
