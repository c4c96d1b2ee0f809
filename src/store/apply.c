/*
 * Edits applied to the overlay: the operations of RFC 6241 section 7.2.
 *
 * What is changed for the first time by an edit is noted before, so that the
 * edit is whole or not at all. Entries that ended as running has them leave the
 * overlay at the end only: until then they say what the edit has named.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/wipe.h"
#include "model/codec.h"
#include "model/rules.h"
#include "store/overlay.h"

struct undo {
	struct undo *next;
	uint32_t tunnel_id, session_id;
	struct change *saved; /* as it was in the overlay; NULL: it was not */
};

struct application {
	struct candidate *candidate;
	const struct edit *edit;
	struct undo *undo;
	struct error *err;
};

static const struct operation {
	bool must_exist, must_not_exist;
	bool removes;
	bool afresh; /* nothing stays of what was */
} operations[] = {
	[EDIT_NONE] = {.must_exist = true},
	[EDIT_MERGE] = {0},
	[EDIT_CREATE] = {.must_not_exist = true},
	[EDIT_REPLACE] = {.afresh = true},
	[EDIT_DELETE] = {.must_exist = true, .removes = true},
	[EDIT_REMOVE] = {.removes = true},
};

static int no_memory(struct error *err)
{
	return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "out of memory; make the edit smaller");
}

/* The undo log */

static bool undo_note(struct application *app, uint32_t tunnel_id, uint32_t session_id,
		      const struct change *change)
{
	struct undo *undo = calloc(1, sizeof(*undo));

	if (undo == NULL)
		return false;
	undo->tunnel_id = tunnel_id;
	undo->session_id = session_id;
	if (change != NULL) {
		undo->saved = malloc(sizeof(*undo->saved));
		if (undo->saved == NULL) {
			free(undo);
			return false;
		}
		*undo->saved = *change;
	}
	undo->next = app->undo;
	app->undo = undo;
	return true;
}

static void undo_free(struct application *app)
{
	struct undo *undo = app->undo;

	app->undo = undo->next;
	wipe_free(undo->saved, sizeof(*undo->saved));
	free(undo);
}

static void restore(struct candidate *candidate, const struct undo *undo)
{
	struct change *change = overlay_find(candidate, undo->tunnel_id, undo->session_id);

	if (change == NULL)
		return;
	if (undo->saved == NULL) {
		overlay_remove(candidate, change);
		return;
	}
	change->has = undo->saved->has;
	change->after = undo->saved->after;
}

static void undo_all(struct application *app)
{
	for (; app->undo != NULL; undo_free(app))
		restore(app->candidate, app->undo);
}

static void keep_all(struct application *app)
{
	struct change *change;

	for (; app->undo != NULL; undo_free(app)) {
		change = overlay_find(app->candidate, app->undo->tunnel_id, app->undo->session_id);
		if (change != NULL && change_is_nothing(change))
			overlay_remove(app->candidate, change);
	}
}

/* The change of an entry, noted for undo. NULL: no memory. */
static struct change *take(struct application *app, uint32_t tunnel_id, uint32_t session_id)
{
	struct change *change = overlay_find(app->candidate, tunnel_id, session_id);

	if (change != NULL && change->edit == app->candidate->edits)
		return change;
	if (!undo_note(app, tunnel_id, session_id, change))
		return NULL;
	if (change == NULL)
		change = overlay_touch(app->candidate, tunnel_id, session_id);
	if (change == NULL)
		return NULL;
	change->edit = app->candidate->edits;
	change->given = false;
	change->replaced = false;
	return change;
}

/* The change of an entry if this edit has touched it. */
static const struct change *touched(const struct application *app, uint32_t tunnel_id,
				    uint32_t session_id)
{
	const struct change *change = overlay_find(app->candidate, tunnel_id, session_id);

	return change != NULL && change->edit == app->candidate->edits ? change : NULL;
}

/* Removing */

static bool is_given(const struct application *app, uint32_t tunnel_id, uint32_t session_id)
{
	const struct change *change = touched(app, tunnel_id, session_id);

	return change != NULL && change->given;
}

/* All sessions of the tunnel, or those that the edit has not named. */
static int remove_sessions(struct application *app, uint32_t tunnel_id, bool even_given)
{
	uint32_t id = 0;
	struct change *change;

	while (candidate_session_from(app->candidate, tunnel_id, &id) != NULL) {
		if (even_given || !is_given(app, tunnel_id, id)) {
			change = take(app, tunnel_id, id);
			if (change == NULL)
				return no_memory(app->err);
			change_set(change, NULL);
		}
		if (id++ == ID_MAX)
			break;
	}
	return 0;
}

static int remove_tunnel(struct application *app, uint32_t tunnel_id)
{
	struct change *change = take(app, tunnel_id, 0);

	if (change == NULL)
		return no_memory(app->err);
	change_set(change, NULL);
	return remove_sessions(app, tunnel_id, true);
}

/* What a replaced container has beyond the edit. */
static int remove_rest(struct application *app, bool everything)
{
	uint32_t id = 0;
	int result = 0;

	while (result == 0 && candidate_tunnel_from(app->candidate, &id) != NULL) {
		if (everything || !is_given(app, id, 0))
			result = remove_tunnel(app, id);
		else
			result = remove_sessions(app, id, false);
		if (id++ == ID_MAX)
			break;
	}
	return result;
}

static int remove_rest_of_tunnels(struct application *app)
{
	const struct edit_entry *entry;
	const struct change *change;
	int result = 0;

	for (entry = app->edit->first; entry != NULL && result == 0; entry = entry->next) {
		if (entry->object != OBJECT_TUNNEL)
			continue;
		change = touched(app, entry->tunnel_id, 0);
		if (change != NULL && change->replaced && change->has)
			result = remove_sessions(app, entry->tunnel_id, false);
	}
	return result;
}

/* One entry */

static void point(const struct application *app, const struct edit_entry *entry,
		  const struct row *row)
{
	error_at_entry(app->err, entry->tunnel_id, entry->session_id, row);
}

static bool is_foreign(const struct application *app, const struct edit_entry *entry)
{
	const struct datastore *running = app->candidate->running;
	const struct entry *tunnel = datastore_entry(running, entry->tunnel_id, 0);
	const struct entry *own = datastore_entry(running, entry->tunnel_id, entry->session_id);

	return (tunnel && entry_is_foreign(tunnel)) || (own && entry_is_foreign(own));
}

static int refuse_missing(const struct application *app, const struct edit_entry *entry,
			  const struct operation *operation)
{
	const char *cure = operation->removes ? "nothing is left to delete" : "create it first";

	point(app, entry, NULL);
	if (is_foreign(app, entry))
		return error_set(app->err, ERROR_FOREIGN,
				 "made in the kernel by others; adopt tunnel %" PRIu32 " first",
				 entry->tunnel_id);
	if (entry->object == OBJECT_TUNNEL)
		return error_set(app->err, ERROR_MISSING, "there is no tunnel %" PRIu32 "; %s",
				 entry->tunnel_id, cure);
	return error_set(app->err, ERROR_MISSING,
			 "there is no session %" PRIu32 " in tunnel %" PRIu32 "; %s",
			 entry->session_id, entry->tunnel_id, cure);
}

static int refuse_existing(const struct application *app, const struct edit_entry *entry)
{
	point(app, entry, NULL);
	if (entry->object == OBJECT_TUNNEL)
		return error_set(app->err, ERROR_EXISTS,
				 "tunnel %" PRIu32 " exists already; change it, or choose another",
				 entry->tunnel_id);
	return error_set(app->err, ERROR_EXISTS,
			 "session %" PRIu32 " of tunnel %" PRIu32
			 " exists already; change it, or choose another",
			 entry->session_id, entry->tunnel_id);
}

static int check_existence(const struct application *app, const struct edit_entry *entry,
			   const struct operation *operation, const struct change *change)
{
	const struct change *tunnel = touched(app, entry->tunnel_id, 0);

	if (operation->must_not_exist && change->has)
		return refuse_existing(app, entry);
	if (!operation->must_exist || change->has)
		return 0;
	if (operation->removes && entry->object == OBJECT_SESSION && tunnel != NULL && !tunnel->has)
		return 0; /* named below a tunnel that this edit deletes: gone with it */
	return refuse_missing(app, entry, operation);
}

static int refuse_leaf(const struct application *app, const struct edit_entry *entry,
		       uint64_t leaves, enum error_code code)
{
	const struct row *row = &row_sets[entry->object].rows[__builtin_ctzll(leaves)];

	point(app, entry, row);
	if (code == ERROR_EXISTS)
		return error_set(app->err, code,
				 "%s is set already; to change it use merge or replace", row->leaf);
	return error_set(app->err, code, "%s is not set; to be sure it is not, use remove",
			 row->leaf);
}

static int check_leaves(const struct application *app, const struct edit_entry *entry,
			const struct change *change)
{
	uint64_t there = change->has ? change->after.present : 0;

	if (entry->must_exist & ~there)
		return refuse_leaf(app, entry, entry->must_exist & ~there, ERROR_MISSING);
	if (entry->must_not_exist & there)
		return refuse_leaf(app, entry, entry->must_not_exist & there, ERROR_EXISTS);
	return 0;
}

static void put_leaves(const struct edit_entry *entry, union config *config)
{
	const struct row *rows = row_sets[entry->object].rows;

	for (uint64_t left = entry->values.present; left != 0; left &= left - 1)
		codec_copy(&rows[__builtin_ctzll(left)], config, &entry->values);
	for (uint64_t left = entry->cleared; left != 0; left &= left - 1)
		codec_clear(&rows[__builtin_ctzll(left)], config);
}

/* A name left out of a replace is most likely one that we chose; a secret was not seen. */
static bool outlives_replace(const struct edit *edit, const struct row *row)
{
	return row == &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME] ||
	       (row->secret && edit->keep_secrets);
}

static void keep_leaves(const struct edit *edit, const struct edit_entry *entry,
			const union config *before, union config *after)
{
	const struct row *rows = row_sets[entry->object].rows;
	uint64_t left = before->present & ~after->present & ~entry->cleared;

	for (; left != 0; left &= left - 1) {
		const struct row *row = &rows[__builtin_ctzll(left)];

		if (outlives_replace(edit, row) && codec_applies(row, after))
			codec_copy(row, after, before);
	}
}

static void drop_leaves(const struct edit_entry *entry, union config *after)
{
	if (entry->object == OBJECT_TUNNEL)
		rules_drop_tunnel(entry->values.present, &after->tunnel);
	else
		rules_drop_session(entry->values.present, &after->session);
}

static void put_entry(const struct edit *edit, const struct edit_entry *entry, bool afresh,
		      struct change *change)
{
	union config before = {0}, after = {0};

	if (change->has)
		before = change->after;
	if (!afresh)
		after = before;
	put_leaves(entry, &after);
	if (afresh)
		keep_leaves(edit, entry, &before, &after);
	else
		drop_leaves(entry, &after);
	change_set(change, &after);
}

/* Merged into what is replaced, and so is not there, is replaced itself. */
static const struct operation *operation_on(const struct application *app,
					    const struct edit_entry *entry)
{
	const struct change *tunnel =
		entry->object == OBJECT_SESSION ? touched(app, entry->tunnel_id, 0) : NULL;
	bool replaced =
		app->edit->operation == EDIT_REPLACE || (tunnel != NULL && tunnel->replaced);

	return &operations[entry->operation == EDIT_MERGE && replaced ? EDIT_REPLACE
								      : entry->operation];
}

static int refuse_twice(const struct application *app, const struct edit_entry *entry)
{
	point(app, entry, NULL);
	return error_set(app->err, ERROR_BAD_ELEMENT, "given twice in one edit; allowed once");
}

static int apply_entry(struct application *app, const struct edit_entry *entry)
{
	const struct operation *operation = operation_on(app, entry);
	struct change *change = take(app, entry->tunnel_id, entry->session_id);
	int result;

	if (change == NULL)
		return no_memory(app->err);
	if (change->given && !app->edit->batch)
		return refuse_twice(app, entry);
	change->given = true;
	result = check_existence(app, entry, operation, change);
	if (result == 0 && !operation->removes)
		result = check_leaves(app, entry, change);
	if (result != 0)
		return result;
	change->replaced = operation->afresh;
	if (!operation->removes)
		put_entry(app->edit, entry, operation->afresh, change);
	else if (entry->object == OBJECT_TUNNEL)
		return remove_tunnel(app, entry->tunnel_id);
	else
		change_set(change, NULL);
	return 0;
}

/* The whole edit */

static int apply_entries(struct application *app)
{
	const struct edit_entry *entry;
	int result = 0;

	for (entry = app->edit->first; entry != NULL && result == 0; entry = entry->next)
		result = apply_entry(app, entry);
	if (result == 0)
		result = remove_rest_of_tunnels(app);
	if (result == 0 && app->edit->operation == EDIT_REPLACE)
		result = remove_rest(app, false);
	return result;
}

static int apply_removal(struct application *app)
{
	uint32_t id = 0;

	if (app->edit->operation == EDIT_DELETE &&
	    candidate_tunnel_from(app->candidate, &id) == NULL) {
		error_at(app->err, "/l2tpv3");
		return error_set(app->err, ERROR_MISSING,
				 "there is nothing configured to delete; to be sure use remove");
	}
	return remove_rest(app, true);
}

static int refuse_container(const struct application *app)
{
	error_at(app->err, "/l2tpv3");
	return error_set(app->err, ERROR_EXISTS,
			 "there is a configuration already; use merge or replace");
}

int candidate_apply(struct candidate *candidate, const struct edit *edit, struct error *err)
{
	struct application app = {candidate, edit, NULL, err};
	uint32_t id = 0;
	int result;

	candidate->edits++;
	if (operations[edit->operation].removes)
		result = apply_removal(&app);
	else if (edit->operation == EDIT_CREATE && candidate_tunnel_from(candidate, &id) != NULL)
		result = refuse_container(&app);
	else
		result = apply_entries(&app);
	if (result != 0)
		undo_all(&app);
	else
		keep_all(&app);
	return result;
}
