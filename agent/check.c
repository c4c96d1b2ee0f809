/* A set request as a whole: RowStatus, consistency, and the edit it makes. */
#include "transaction.h"

#include "model/codec.h"
#include "rows.h"

/* ---- whom to blame */

static size_t find_binding(const struct transaction *transaction, const struct set_row *row,
			   enum column_kind kind, const struct row *column)
{
	for (size_t i = 0; i < transaction->count; i++) {
		const struct binding *binding = &transaction->bindings[i];

		if (binding->row == row && (kind == COLUMN_NONE || binding->column.kind == kind) &&
		    (!column || binding->column.row == column))
			return i;
	}
	return transaction->count;
}

/* RowStatus where it is given, else whatever comes first of the row. */
static size_t blame_row(const struct transaction *transaction, const struct set_row *row)
{
	size_t found = find_binding(transaction, row, COLUMN_ROW_STATUS, NULL);

	if (found == transaction->count)
		found = find_binding(transaction, row, COLUMN_NONE, NULL);
	return found < transaction->count ? found : 0;
}

/* The column of a leaf, or what stands for it. */
static size_t blame_leaf(const struct transaction *transaction, const struct set_row *row,
			 const struct row *leaf)
{
	size_t found = find_binding(transaction, row, COLUMN_ROW, leaf);

	if (found == transaction->count)
		found = find_binding(transaction, row, COLUMN_ADDRESS_TYPE, leaf);
	return found < transaction->count ? found : blame_row(transaction, row);
}

static bool has_path(const struct set_row *row, const struct row *leaf, const char *path)
{
	struct error probe = ERROR_INIT;

	error_at_entry(&probe, row->tunnel_id, row->session_id, leaf);
	return !strcmp(probe.path, path);
}

static size_t blame(const struct transaction *transaction, const struct error *err)
{
	struct set_row *row;

	for (size_t i = 0; i < transaction->count; i++) {
		const struct binding *binding = &transaction->bindings[i];

		if (binding->row && binding->column.kind == COLUMN_ROW &&
		    has_path(binding->row, binding->column.row, err->path))
			return i;
	}
	for (row = set_row_first(transaction); row; row = set_row_next(row)) {
		struct error probe = ERROR_INIT;

		error_at_entry(&probe, row->tunnel_id, row->session_id, NULL);
		/* the entry itself, or a leaf of it that was not given; not a session below */
		if (!strncmp(probe.path, err->path, strlen(probe.path)) &&
		    !strchr(err->path + strlen(probe.path), '['))
			return blame_row(transaction, row);
	}
	return 0;
}

int transaction_refuse(const struct transaction *transaction, const struct error *err,
		       size_t *ret_varbind)
{
	int status = (int)error_kind(err->code)->snmp;
	const struct set_row *row;

	*ret_varbind = blame(transaction, err);
	row = transaction->count > 0 ? transaction->bindings[*ret_varbind].row : NULL;
	/* a pending row is there: its name cannot be what is wrong (RFC 3416 section 4.2.5) */
	if (status == SNMP_INCONSISTENT_NAME && row && row->step == STEP_ENTER)
		return SNMP_INCONSISTENT_VALUE;
	return status;
}

/* ---- row by row */

/*
 * The state the row would be in with its columns set, and the draft to go on
 * with. If it is notReady, @missing says why.
 */
static enum row_state look_up(const struct transaction *transaction, struct set_row *row,
			      struct subject *ret, struct error *missing)
{
	const struct view *view = transaction->view;
	enum mib_table table = row->object == OBJECT_TUNNEL ? MIB_TUNNEL : MIB_SESSION;
	const struct index index = {{row->tunnel_id, row->session_id}};
	struct pending_row probe;

	row->draft = row->given;
	if (!subject_find(view->store, &view->pending, table, &index, ret))
		return ROW_MISSING;
	if (!ret->pending)
		return subject_state(ret);
	row->draft = ret->pending->draft;
	draft_overlay(&row->draft, &row->given);
	probe = *ret->pending;
	probe.draft = row->draft;
	return pending_check(&probe, missing) ? ROW_NOT_READY : ROW_READY;
}

static int keep_pending(struct transaction *transaction, struct set_row *row,
			const struct subject *subject, struct error *err)
{
	const struct pending *pending = &transaction->view->pending;

	row->fresh = pending_new(row->object, row->tunnel_id, row->session_id);
	if (!row->fresh)
		return varbind_no_memory(err);
	row->fresh->draft = row->draft;
	if (!subject->pending && pending->count + ++transaction->fresh > PENDING_MAX)
		return varbind_refuse(SNMP_RESOURCE_UNAVAILABLE, ERROR_RESOURCE, err,
				      "too many rows wait to be made active; destroy some");
	return 0;
}

static struct edit_entry *add_entry(struct transaction *transaction, const struct set_row *row,
				    enum edit_operation operation)
{
	return row->object == OBJECT_TUNNEL
		       ? edit_tunnel(transaction->edit, operation, row->tunnel_id)
		       : edit_session(transaction->edit, operation, row->tunnel_id,
				      row->session_id);
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

static void enable(struct set_row *row, bool enabled)
{
	const struct row *leaf =
		&row_sets[row->object].rows[row->object == OBJECT_TUNNEL ? (int)TUNNEL_ENABLED
									 : (int)SESSION_ENABLED];

	codec_set_number(leaf, &row->draft.values, enabled, NULL);
}

/* @base: the row as it is configured, or all zero. */
static int configure(struct transaction *transaction, struct set_row *row, const void *base,
		     size_t *ret_varbind, struct error *err)
{
	const struct row *leaf = NULL;
	struct edit_entry *entry;

	if (row->step != STEP_DELETE && draft_resolve(&row->draft, base, &leaf, err)) {
		error_at_entry(err, row->tunnel_id, row->session_id, leaf);
		*ret_varbind = blame_leaf(transaction, row, leaf);
		return (int)error_kind(err->code)->snmp;
	}
	if (row->step == STEP_ENABLE || row->step == STEP_DISABLE)
		enable(row, row->step == STEP_ENABLE);
	entry = add_entry(transaction, row, operation_of(row->step));
	if (!entry)
		return varbind_no_memory(err);
	if (row->step == STEP_DELETE)
		return 0;
	draft_apply(&row->draft, edit_values(entry));
	entry->cleared = row->draft.cleared;
	return 0;
}

static bool gives_columns(const struct set_row *row)
{
	return row->columns || row->types || row->storage;
}

static int check_row(struct transaction *transaction, struct set_row *row, size_t *ret_varbind,
		     struct error *err)
{
	static const union config nothing;
	struct subject subject = {0};
	struct error missing = ERROR_INIT;
	enum row_state state = look_up(transaction, row, &subject, &missing);
	union config room;
	int status;

	*ret_varbind = blame_row(transaction, row);
	error_at_entry(err, row->tunnel_id, row->session_id, NULL);
	status = rowstatus_step(state, row->action, &row->step, &missing, err);
	if (status)
		return status;
	if (row->action == SNMP_ROW_DESTROY && gives_columns(row))
		return varbind_refuse(SNMP_INCONSISTENT_VALUE, ERROR_MUST, err,
				      "given columns of a row that is to be destroyed");
	switch (row->step) {
	case STEP_NOTHING:
	case STEP_FORGET:
		return 0;
	case STEP_WAIT:
		return keep_pending(transaction, row, &subject, err);
	case STEP_CREATE:
	case STEP_ENTER:
		return configure(transaction, row, &nothing, ret_varbind, err);
	default:
		return configure(transaction, row, subject_config(&subject, &room), ret_varbind,
				 err);
	}
}

/* As the engine will: without one, in tests, as far as the store goes. */
static int check_edit(struct transaction *transaction, struct error *err)
{
	const struct view *view = transaction->view;
	struct candidate *changes = &transaction->checked.changes;

	if (view->engine)
		return engine_check(view->engine, transaction->edit, 0, &transaction->checked, err);
	return candidate_prepare(changes, transaction->edit, NULL, NULL, err);
}

static int check_locks(const struct transaction *transaction, size_t *ret_varbind,
		       struct error *err)
{
	const struct view *view = transaction->view;

	*ret_varbind = 0;
	if (view->engine && engine_check_lock(view->engine, ENGINE_RUNNING, 0, err))
		return (int)error_kind(err->code)->snmp;
	if (!transaction->sets_lock || transaction->lock == view->spin_lock)
		return 0;
	while (transaction->bindings[*ret_varbind].row ||
	       transaction->bindings[*ret_varbind].column.number != SCALAR_SPIN_LOCK)
		++*ret_varbind;
	error_set(err, ERROR_MUST, "given %ld; allowed the value it has, %ld", transaction->lock,
		  view->spin_lock);
	error_at(err, "l2tpv3SpinLock");
	return SNMP_INCONSISTENT_VALUE;
}

int transaction_check(struct transaction *transaction, size_t *ret_varbind, struct error *err)
{
	struct set_row *row;
	int status = check_locks(transaction, ret_varbind, err);

	if (status)
		return status;
	transaction->edit = edit_new();
	if (!transaction->edit)
		return varbind_no_memory(err);
	for (row = set_row_first(transaction); row; row = set_row_next(row)) {
		status = check_row(transaction, row, ret_varbind, err);
		if (status)
			return status;
	}
	*err = ERROR_INIT;
	if (transaction->edit->count == 0 || !check_edit(transaction, err))
		return 0;
	return transaction_refuse(transaction, err, ret_varbind);
}
