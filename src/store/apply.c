/*
 * Edits applied to the overlay: the operations of RFC 6241 section 7.2.
 *
 * An edit is applied whole or not at all: before it changes an entry for the first time it notes
 * how the entry was. Entries that end as running has them leave the overlay only at the end: until
 * then they tell what the edit has named.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/codec.h"
#include "model/rules.h"
#include "store/acm.h"
#include "store/overlay.h"
#include "store/policy.h"

struct application {
	struct cursor cursor;
	struct candidate *candidate;
	struct edit *edit;
	struct change *touched;      /* by this edit, the latest first */
	const struct change *tunnel; /* touched, and asked for last; NULL: none */
	bool replaces;               /* some tunnel */
	bool from_nothing;           /* all that is there in the end is named by the edit */
	const struct phase *phase;
	struct edit_entry *entry; /* the next to apply */
	uint32_t tunnel_id;       /* the next one ... */
	bool was_last;            /* ... unless the one before had the last id */
	struct {
		uint32_t tunnel_id; /* the tunnel whose sessions are being removed; 0: none */
		uint32_t next;      /* session */
		bool even_given;    /* ... even those that the edit has named */
	} removal;
	const struct acm *acm; /* once applied: the candidate's before */
	bool acm_applied;
	struct error error; /* what was found last */
	struct error *err;  /* of begin */
	int refused;        /* what the edit will fail with; 0: nothing yet */
};

static const struct operation {
	bool must_exist, must_not_exist;
	bool removes;
	bool afresh; /* keeps nothing of what was */
} operations[] = {
	[EDIT_NONE] = {.must_exist = true},
	[EDIT_MERGE] = {0},
	[EDIT_CREATE] = {.must_not_exist = true},
	[EDIT_REPLACE] = {.afresh = true},
	[EDIT_DELETE] = {.must_exist = true, .removes = true},
	[EDIT_REMOVE] = {.removes = true},
};

/* The change of an entry, noted so that the edit can be taken back. NULL: no memory. */
static struct change *take(struct application *app, uint32_t tunnel_id, uint32_t session_id)
{
	struct candidate *candidate = app->candidate;
	struct change *change = overlay_find(candidate, tunnel_id, session_id);
	bool fresh = !change;
	const union config *now;

	if (!fresh && change->edit == candidate->edits)
		return change;
	if (fresh) {
		now = running_config(candidate->running, tunnel_id, session_id);
		change = overlay_insert(candidate, tunnel_id, session_id, now, now);
	}
	if (!change)
		return NULL;
	change->edit = candidate->edits;
	change->given = change->replaced = change->refused = false;
	change->fresh = fresh;
	change->kept = config_share(change->after);
	change->earlier = app->touched;
	app->touched = change;
	return change;
}

/* Untouch the one touched last, and return it; NULL: none. */
static struct change *let_go(struct application *app)
{
	struct change *change = app->touched;

	if (change)
		app->touched = change->earlier;
	return change;
}

/* The change of an entry if this edit has touched it. */
static const struct change *touched(const struct application *app, uint32_t tunnel_id,
				    uint32_t session_id)
{
	const struct change *change = overlay_find(app->candidate, tunnel_id, session_id);

	return change && change->edit == app->candidate->edits ? change : NULL;
}

/* The same of a tunnel, which many entries in a row ask for. */
static const struct change *touched_tunnel(struct application *app, uint32_t tunnel_id)
{
	if (!app->tunnel || app->tunnel->tunnel_id != tunnel_id)
		app->tunnel = touched(app, tunnel_id, 0);
	return app->tunnel;
}

/* Removing */

static bool is_given(const struct application *app, uint32_t tunnel_id, uint32_t session_id)
{
	const struct change *change = touched(app, tunnel_id, session_id);

	return change && change->given;
}

static int remove_one(struct application *app, uint32_t tunnel_id, uint32_t session_id)
{
	struct change *change = take(app, tunnel_id, session_id);
	int rc;

	if (!change)
		return overlay_no_memory(&app->error);
	rc = policy_may_change(app->edit->policy, tunnel_id, session_id, change->after, NULL, false,
			       &app->error);
	if (rc != 0)
		return rc;
	change_set(change, NULL);
	return 1;
}

/*
 * Remove all sessions of the tunnel, or those that the edit has not named: one per unit from now
 * on.
 */
static void begin_removal(struct application *app, uint32_t tunnel_id, bool even_given)
{
	app->removal.tunnel_id = tunnel_id;
	app->removal.next = 0;
	app->removal.even_given = even_given;
}

static int remove_a_session(struct application *app)
{
	uint32_t tunnel_id = app->removal.tunnel_id, id = app->removal.next;
	bool more,
		found = overlay_session_within(app->candidate, tunnel_id, &id, PLACES_MAX, &more);

	app->removal.next = found ? id + 1 : id;
	if ((!found && !more) || (found && id == ID_MAX))
		app->removal.tunnel_id = 0;
	if (!found || (!app->removal.even_given && is_given(app, tunnel_id, id)))
		return 1;
	return remove_one(app, tunnel_id, id);
}

static int remove_tunnel(struct application *app, uint32_t tunnel_id)
{
	begin_removal(app, tunnel_id, true);
	return remove_one(app, tunnel_id, 0);
}

/* One entry */

static void point(struct application *app, const struct edit_entry *entry, const struct row *row)
{
	error_at_entry(&app->error, entry->tunnel_id, entry->session_id, row);
}

static bool is_foreign(const struct application *app, const struct edit_entry *entry)
{
	const struct datastore *running = app->candidate->running;
	const struct entry *tunnel = datastore_entry(running, entry->tunnel_id, 0);
	const struct entry *own = datastore_entry(running, entry->tunnel_id, entry->session_id);

	return (tunnel && entry_is_foreign(tunnel)) || (own && entry_is_foreign(own));
}

static int refuse_missing(struct application *app, const struct edit_entry *entry,
			  const struct operation *operation)
{
	const char *cure = operation->removes ? "nothing is left to delete" : "create it first";

	point(app, entry, NULL);
	if (is_foreign(app, entry))
		return error_set(&app->error, ERROR_FOREIGN,
				 "others made it in the kernel; adopt tunnel %" PRIu32 " first",
				 entry->tunnel_id);
	if (entry->object == OBJECT_TUNNEL)
		return error_set(&app->error, ERROR_MISSING, "there is no tunnel %" PRIu32 "; %s",
				 entry->tunnel_id, cure);
	return error_set(&app->error, ERROR_MISSING,
			 "there is no session %" PRIu32 " in tunnel %" PRIu32 "; %s",
			 entry->session_id, entry->tunnel_id, cure);
}

static int refuse_existing(struct application *app, const struct edit_entry *entry)
{
	point(app, entry, NULL);
	if (entry->object == OBJECT_TUNNEL)
		return error_set(&app->error, ERROR_EXISTS,
				 "tunnel %" PRIu32 " exists already; change it, or choose another",
				 entry->tunnel_id);
	return error_set(&app->error, ERROR_EXISTS,
			 "session %" PRIu32 " of tunnel %" PRIu32
			 " exists already; change it, or choose another",
			 entry->session_id, entry->tunnel_id);
}

static int check_existence(struct application *app, const struct edit_entry *entry,
			   const struct operation *operation, const struct change *change)
{
	const struct change *tunnel = touched_tunnel(app, entry->tunnel_id);

	if (operation->must_not_exist && change->after)
		return refuse_existing(app, entry);
	if (!operation->must_exist || change->after)
		return 0;
	if (operation->removes && entry->object == OBJECT_SESSION && tunnel && !tunnel->after)
		return 0; /* the edit has deleted it with its tunnel */
	return refuse_missing(app, entry, operation);
}

static int refuse_leaf(struct application *app, const struct edit_entry *entry, uint64_t leaves,
		       enum error_code code)
{
	const struct row *row = &row_sets[entry->object].rows[__builtin_ctzll(leaves)];

	point(app, entry, row);
	if (code == ERROR_EXISTS)
		return error_set(&app->error, code,
				 "%s is already set; use merge or replace to change it", row->leaf);
	return error_set(&app->error, code, "%s is not set; use remove if it may be absent",
			 row->leaf);
}

static int check_leaves(struct application *app, const struct edit_entry *entry,
			const struct change *change)
{
	uint64_t there = change->after ? change->after->present : 0;

	if (entry->must_exist & ~there)
		return refuse_leaf(app, entry, entry->must_exist & ~there, ERROR_MISSING);
	if (entry->must_not_exist & there)
		return refuse_leaf(app, entry, entry->must_not_exist & there, ERROR_EXISTS);
	return 0;
}

static void put_leaves(const struct edit_entry *entry, union config *config)
{
	const struct row *rows = row_sets[entry->object].rows;

	for (uint64_t left = entry->values->present; left != 0; left &= left - 1)
		codec_copy(&rows[__builtin_ctzll(left)], config, entry->values);
	for (uint64_t left = entry->cleared; left != 0; left &= left - 1)
		codec_clear(&rows[__builtin_ctzll(left)], config);
}

/*
 * What a replace leaves out and yet keeps: the interface's name, which we most likely chose, and
 * leaves that its author cannot see.
 */
static uint64_t outlives_replace(const struct edit *edit, const struct edit_entry *entry)
{
	uint64_t readable =
		policy_rows(edit->policy, RIGHT_READ, entry->tunnel_id, entry->session_id);

	return ~readable | (entry->object == OBJECT_SESSION ? BIT(SESSION_INTERFACE_NAME) : 0);
}

static void keep_leaves(const struct edit *edit, const struct edit_entry *entry,
			const union config *before, union config *after)
{
	const struct row *rows = row_sets[entry->object].rows;
	uint64_t left =
		before->present & ~after->present & ~entry->cleared & outlives_replace(edit, entry);

	for (; left != 0; left &= left - 1) {
		const struct row *row = &rows[__builtin_ctzll(left)];

		if (codec_applies(row, after))
			codec_copy(row, after, before);
	}
}

static int put_entry(struct edit *edit, struct edit_entry *entry, bool afresh,
		     struct change *change)
{
	union config before, after = {0};

	if (!change->after) { /* all that it will have is given */
		change_put(change, edit_share_values(edit, entry));
		return 0;
	}
	before = *change->after;
	if (!afresh)
		after = before;
	put_leaves(entry, &after);
	if (afresh)
		keep_leaves(edit, entry, &before, &after);
	else if (entry->object == OBJECT_TUNNEL)
		rules_drop_tunnel(entry->values->present, &after.tunnel);
	else
		rules_drop_session(entry->values->present, &after.session);
	if (codec_difference(entry->object, &before, &after) == 0)
		return 0; /* it is so already, as most of what is pushed again */
	return change_set(change, &after);
}

/* Comes before all checks that would reveal what exists. */
static int check_policy(struct application *app, const struct edit_entry *entry,
			const struct operation *operation, const struct change *change)
{
	const struct policy_edit what = {
		.creates = operation->must_not_exist,
		.removes = operation->removes,
		.none = entry->operation == EDIT_NONE,
		.afresh = operation->afresh,
		.kept = outlives_replace(app->edit, entry),
	};

	return policy_may_edit(app->edit->policy, entry, &what, change->after, &app->error);
}

/* What is merged into something that is being replaced is replaced itself. */
static const struct operation *operation_on(struct application *app, const struct edit_entry *entry)
{
	const struct change *tunnel =
		entry->object == OBJECT_SESSION ? touched_tunnel(app, entry->tunnel_id) : NULL;
	bool replaced = app->edit->operation == EDIT_REPLACE || (tunnel && tunnel->replaced);

	return &operations[entry->operation == EDIT_MERGE && replaced ? EDIT_REPLACE
								      : entry->operation];
}

/* Was its key refused, or its tunnel's? */
static bool has_no_key(const struct edit_entry *entry)
{
	return !entry->tunnel_id || (entry->object == OBJECT_SESSION && !entry->session_id);
}

static int apply_entry(struct application *app, struct edit_entry *entry)
{
	const struct operation *operation = operation_on(app, entry);
	struct change *change;
	int rc;

	if (has_no_key(entry))
		return 1;
	change = take(app, entry->tunnel_id, entry->session_id);
	if (!change)
		return overlay_no_memory(&app->error);
	if (change->given && !app->edit->commands) {
		point(app, entry, NULL);
		return error_set(&app->error, ERROR_BAD_ELEMENT,
				 "given twice in one edit; allowed once");
	}
	change->given = true;
	change->refused = entry->refused;
	if (entry->refused)
		return 1;
	rc = check_policy(app, entry, operation, change);
	if (rc == 0)
		rc = check_existence(app, entry, operation, change);
	if (rc == 0 && !operation->removes)
		rc = check_leaves(app, entry, change);
	if (rc != 0)
		return rc;
	change->replaced = operation->afresh;
	app->replaces |= operation->afresh && entry->object == OBJECT_TUNNEL;
	if (operation->removes)
		return entry->object == OBJECT_TUNNEL
			       ? remove_tunnel(app, entry->tunnel_id)
			       : remove_one(app, entry->tunnel_id, entry->session_id);
	if (put_entry(app->edit, entry, operation->afresh, change) != 0)
		return overlay_no_memory(&app->error);
	return 1;
}

/*
 * The whole edit, in phases: a unit returns 1 while there is more of the phase, 0 when it is over,
 * or a negative errno. Sessions that are being removed come before anything else.
 */

static int refuse_container(struct application *app)
{
	error_at(&app->error, "/l2tpv3");
	if (app->edit->operation == EDIT_CREATE)
		return error_set(&app->error, ERROR_EXISTS,
				 "a configuration exists already; use merge or replace");
	return error_set(&app->error, ERROR_MISSING,
			 "there is no configuration to delete; use remove if there may be none");
}

/* If the container must exist, or must not: does it? */
static int look_for_any(struct application *app)
{
	enum edit_operation operation = app->edit->operation;
	const struct tunnel *found;
	bool more;

	if (operation != EDIT_CREATE && operation != EDIT_DELETE)
		return 0;
	found = overlay_tunnel_within(app->candidate, &app->tunnel_id, PLACES_MAX, &more);
	if (more)
		return 1;
	app->tunnel_id = 0;
	return (found != NULL) == operations[operation].must_exist ? 0 : refuse_container(app);
}

static int apply_next(struct application *app)
{
	struct edit_entry *entry = app->entry;
	int rc;

	if (!entry)
		app->entry = app->edit->first; /* once more in the next phase */
	if (!entry || operations[app->edit->operation].removes)
		return app->edit->continues ? 0 : app->refused;
	app->entry = entry->next;
	rc = apply_entry(app, entry);
	if (app->edit->once)
		edit_drop_values(app->edit, entry);
	return rc;
}

/* Remove the sessions that a replaced tunnel has beyond the edit. */
static int remove_rest_of_next(struct application *app)
{
	const struct edit_entry *entry = app->entry;
	const struct change *change;

	if (!entry || !app->replaces || app->from_nothing)
		return 0;
	app->entry = entry->next;
	change = entry->object == OBJECT_TUNNEL ? touched_tunnel(app, entry->tunnel_id) : NULL;
	if (change && change->replaced && change->after)
		begin_removal(app, entry->tunnel_id, false);
	return 1;
}

/* Remove what a replaced container has beyond the edit; everything, if it is removed. */
static int remove_rest(struct application *app)
{
	bool everything = operations[app->edit->operation].removes, more;
	const struct change *tunnel;
	uint32_t id = app->tunnel_id;

	if (app->was_last || app->from_nothing ||
	    (!everything && app->edit->operation != EDIT_REPLACE))
		return 0;
	if (!overlay_tunnel_within(app->candidate, &id, PLACES_MAX, &more)) {
		app->tunnel_id = id;
		return more;
	}
	app->was_last = id == ID_MAX;
	app->tunnel_id = id + 1;
	if (everything || !is_given(app, id, 0))
		return remove_tunnel(app, id);
	tunnel = touched_tunnel(app, id);
	if (!tunnel->refused && !tunnel->replaced) /* else it is left as it is, or done already */
		begin_removal(app, id, false);
	return 1;
}

/* NACM's configuration, at once: it is small. */
static int apply_acm(struct application *app)
{
	struct candidate *candidate = app->candidate;
	const struct acm *acm;
	int rc;

	if (!app->edit->acm)
		return 0;
	rc = acm_apply(candidate_acm(candidate), app->edit->acm, app->edit->policy, &acm,
		       &app->error);
	if (rc != 0)
		return rc;
	app->acm = acm_share(candidate->acm);
	app->acm_applied = true;
	candidate_put_acm(candidate, acm);
	acm_drop(acm);
	return 0;
}

/* Drop entries from the overlay that are as running has them. */
static int keep_next(struct application *app)
{
	struct change *change = let_go(app);

	app->cursor.decided = true;
	if (app->acm_applied)
		acm_drop(app->acm);
	app->acm_applied = false;
	if (!change)
		return 0;
	config_drop(change->kept);
	if (change_is_nothing(change))
		overlay_remove(app->candidate, change);
	return 1;
}

static const struct phase {
	int (*unit)(struct application *app);
} phases[] = {{look_for_any}, {apply_next}, {remove_rest_of_next},
	      {remove_rest},  {apply_acm},  {keep_next}};

/* An entry is refused: look for what else is wrong, if the caller wants to know. */
static int refuse(struct application *app, bool removing, int rc)
{
	int stop = error_append(app->err, &app->error);

	app->refused = app->refused ? app->refused : rc;
	app->error = (struct error)ERROR_INIT;
	return stop || removing || app->phase->unit != apply_next ? rc : 1;
}

static int application_forth(struct cursor *cursor)
{
	struct application *app = (struct application *)cursor;
	bool removing = app->removal.tunnel_id != 0;
	int rc = removing ? remove_a_session(app) : app->phase->unit(app);

	if (rc < 0 && app->error.code)
		return refuse(app, removing, rc);
	return rc == 0 && ++app->phase < phases + sizeof(phases) / sizeof(phases[0]) ? 1 : rc;
}

static int application_back(struct cursor *cursor)
{
	struct application *app = (struct application *)cursor;
	struct change *change = let_go(app);

	if (app->acm_applied) {
		candidate_put_acm(app->candidate,
				  app->acm ? app->acm : app->candidate->running->acm);
		acm_drop(app->acm);
		app->acm_applied = false;
	}
	if (!change)
		return 0;
	config_drop(change->after);
	change->after = change->kept;
	if (change->fresh)
		overlay_remove(app->candidate, change);
	return 1;
}

struct cursor *candidate_apply_begin(struct candidate *candidate, struct edit *edit,
				     struct error *err)
{
	static const struct cursor_kind kind = {.forth = application_forth,
						.back = application_back};
	const struct datastore_counts *counts = datastore_counts(candidate->running);
	struct application *app = cursor_new(&kind, sizeof(*app));

	if (!app) {
		overlay_no_memory(err);
		return NULL;
	}
	app->candidate = candidate;
	app->edit = edit;
	app->entry = edit->first;
	app->phase = phases;
	app->err = err;
	app->from_nothing = RB_EMPTY(&candidate->changes) &&
			    counts->configured_tunnels + counts->configured_sessions == 0;
	candidate->edits++;
	return &app->cursor;
}

int candidate_apply(struct candidate *candidate, struct edit *edit, struct error *err)
{
	return cursor_run(candidate_apply_begin(candidate, edit, err));
}
