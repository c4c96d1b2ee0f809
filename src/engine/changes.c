#include "engine/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/adopt.h"
#include "engine/plan.h"
#include "engine/lock.h"
#include "engine/partial.h"
#include "engine/staging.h"
#include "engine/tentative.h"
#include "model/codec.h"
#include "model/rules.h"
#include "store/acm.h"
#include "store/overlay.h"

/* The owner of a session's interface, while that is ours. */
static const struct session_entry *owner_of(struct engine *engine, unsigned int index)
{
	const struct session_entry *session =
		index ? datastore_session_by_index(engine->store, index) : NULL;

	return session && (entry_config(&session->entry) || session->entry.held) ? session : NULL;
}

/*
 * Is @name the name of a link that no configured session owns, or an alternative name of any link?
 */
static const struct kernel_link *link_taking(struct engine *engine, const char *name)
{
	const struct kernel_link *link = links_by_name(&engine->links, name);

	return link && (strcmp(link->name, name) != 0 || !owner_of(engine, link->index)) ? link
											 : NULL;
}

static bool name_taken(const char *name, void *arg)
{
	return link_taking(arg, name) != NULL;
}

static int refuse_name(const struct change *c, enum session_row row, const char *name,
		       const struct kernel_link *link, const char *cure, struct error *err)
{
	error_at_entry(err, c->tunnel_id, c->session_id, &row_sets[OBJECT_SESSION].rows[row]);
	if (strcmp(link->name, name) != 0)
		return error_set(err, ERROR_FOREIGN,
				 "%s is an alternative name of interface %s; %s, or take it from "
				 "that interface (\"ip link property del\")",
				 name, link->name, cure);
	return error_set(err, ERROR_FOREIGN,
			 "there is an interface %s that is not ours; %s, or rename or delete that "
			 "interface",
			 name, cure);
}

/* The change deletes its owner, and thus frees the name. */
static bool goes(struct engine *engine, const struct candidate *changes,
		 const struct kernel_link *link)
{
	const struct session_entry *owner = owner_of(engine, link->index);

	return owner &&
	       !candidate_session(changes, owner->entry.key.tunnel_id, owner->entry.key.session_id);
}

static int check_name(struct engine *engine, const struct candidate *changes,
		      const struct change *c, struct error *err)
{
	const char *name = c->after->session.interface_name;
	const struct kernel_link *link = name[0] ? link_taking(engine, name) : NULL;
	const struct session_entry *entry;

	if (!link || goes(engine, changes, link))
		return 0;
	entry = datastore_session(engine->store, c->tunnel_id, c->session_id);
	if (entry && entry->entry.in_kernel && link->index == entry->state.if_index &&
	    strcmp(link->name, name) == 0)
		return 0; /* adopt takes it over */
	return refuse_name(c, SESSION_INTERFACE_NAME, name, link, "choose another name", err);
}

/*
 * The same for the name of its 802.1Q link. A link over an interface of ours is that link, or is
 * deleted with it.
 */
static int check_vlan_name(struct engine *engine, const struct change *c, struct error *err)
{
	const struct session *after = &c->after->session;
	char name[IFNAME_LENGTH + 1];
	const struct kernel_link *link;

	if (!(after->present & BIT(SESSION_VLAN_ID)))
		return 0;
	rules_vlan_name(after, name);
	link = link_taking(engine, name);
	if (!link || owner_of(engine, link->parent))
		return 0;
	return refuse_name(c, SESSION_VLAN_ID, name, link,
			   "choose another vlan-id or interface-name", err);
}

/* May this user carry out what others did? */
static int check_policy(struct engine *engine, const struct candidate *changes,
			const struct change *c, void *arg, struct error *err)
{
	const struct request *request = arg;

	(void)engine;
	(void)changes;
	return policy_may_change(request->policy, c->tunnel_id, c->session_id, c->before, c->after,
				 request->type != REQUEST_COMMIT, err);
}

/* A configured name must not belong to a link that is no session's. */
static int check_names(struct engine *engine, const struct candidate *changes,
		       const struct change *c, void *arg, struct error *err)
{
	int rc;

	(void)arg;
	if (c->session_id == 0 || !c->after)
		return 0;
	rc = check_name(engine, changes, c, err);
	return rc < 0 ? rc : check_vlan_name(engine, c, err);
}

/* What another session has locked must not change. @arg: the number of the session that asks. */
static int check_partial(struct engine *engine, const struct candidate *changes,
			 const struct change *c, void *arg, struct error *err)
{
	(void)changes;
	return partial_check(engine, *(const unsigned int *)arg, c, err);
}

int changes_choose_names(struct engine *engine, struct candidate *changes, struct error *err)
{
	return candidate_choose_names(changes, name_taken, engine, err);
}

/* ---- a walk over changes */

struct change_walk {
	struct cursor cursor;
	struct engine *engine;
	const struct candidate *changes;
	struct change *at; /* NULL: at the end */
	change_visit *visit;
	void *arg;
	struct error error; /* what was found last */
	struct error *err;  /* of begin */
	int refused;        /* the outcome; 0: nothing was found so far */
};

static int walk_forth(struct cursor *cursor)
{
	struct change_walk *walk = (struct change_walk *)cursor;
	struct change *change = walk->at;
	int rc;

	if (!change)
		return walk->refused;
	walk->at = change_next(walk->at);
	rc = walk->visit(walk->engine, walk->changes, change, walk->arg, &walk->error);
	if (rc >= 0)
		return 1;
	change->refused = true;
	walk->refused = walk->refused ? walk->refused : rc;
	rc = error_insert(walk->err, &walk->error);
	walk->error = (struct error)ERROR_INIT;
	return rc < 0 ? rc : 1;
}

struct cursor *changes_walk_begin(struct engine *engine, const struct candidate *changes,
				  change_visit *visit, void *arg, struct error *err)
{
	static const struct cursor_kind kind = {.forth = walk_forth};
	struct change_walk *walk = cursor_new(&kind, sizeof(*walk));

	if (!walk) {
		error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory for a commit");
		return NULL;
	}
	walk->engine = engine;
	walk->changes = changes;
	walk->at = candidate_first(changes);
	walk->visit = visit;
	walk->arg = arg;
	walk->err = err;
	return &walk->cursor;
}

/* ---- an immediate check, for a door */

int engine_check(struct engine *engine, struct edit *edit, unsigned int session,
		 struct engine_checked *ret, struct error *err)
{
	struct engine_checked checked = {.store = engine->store->changes,
					 .links = engine->links.changes};
	int rc = engine_check_lock(engine, ENGINE_RUNNING, session, err);

	candidate_open(&checked.changes, engine->store);
	if (rc == 0)
		rc = candidate_prepare(&checked.changes, edit, name_taken, engine, err);
	if (rc == 0)
		rc = cursor_run(
			changes_walk_begin(engine, &checked.changes, check_names, NULL, err));
	if (rc == 0 && partial_of_others(engine, session))
		rc = cursor_run(
			changes_walk_begin(engine, &checked.changes, check_partial, &session, err));
	if (rc == 0)
		rc = plan_check(engine, &checked.changes, err);
	if (rc == 0 && ret)
		*ret = checked;
	else
		candidate_discard(&checked.changes);
	return rc;
}

/* ---- back, from the journal */

struct way_back {
	struct cursor cursor;
	struct journal_reading *reading;
	struct candidate *ret;
	struct error *err;
};

static int way_back_forth(struct cursor *cursor)
{
	struct way_back *way = (struct way_back *)cursor;
	int rc = journal_read_step(way->reading, 0, way->err);

	return rc == JOURNAL_MORE ? 1 : rc;
}

static void way_back_close(struct cursor *cursor)
{
	struct way_back *way = (struct way_back *)cursor;

	journal_read_end(way->reading, way->ret);
}

static int begin_way_back(struct engine *engine, enum journal_read what, uint64_t number,
			  struct candidate *ret, struct cursor **ret_cursor, struct error *err)
{
	static const struct cursor_kind kind = {.forth = way_back_forth, .close = way_back_close};
	struct way_back *way;
	int rc;

	if (!engine->o.journal)
		return error_set(err, ERROR_UNSUPPORTED, "no history is kept");
	way = cursor_new(&kind, sizeof(*way));
	if (!way)
		return error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory for a commit");
	rc = journal_read_begin(&way->reading, engine->o.journal, what, number, engine->store, err);
	if (rc < 0) {
		free(way);
		return rc;
	}
	way->ret = ret;
	way->err = err;
	*ret_cursor = &way->cursor;
	return 0;
}

/* ---- from a request, in slices */

/* Does the check still hold? */
static bool take_checked(const struct engine *engine, struct engine_checked *checked,
			 struct candidate *changes)
{
	if (!candidate_dirty(&checked->changes) || checked->store != engine->store->changes ||
	    checked->links != engine->links.changes)
		return false;
	candidate_move(changes, &checked->changes);
	return true;
}

struct making {
	struct sequence sequence;
	struct engine *engine;
	struct request *request;
	struct candidate *changes;
	struct error *err;
	bool done; /* already checked and still valid, or nothing to check */
};

static int begun(struct cursor *cursor, struct cursor **ret)
{
	*ret = cursor;
	return cursor ? 0 : -ENOMEM;
}

/* No other session may hold the lock of what the request writes, or would write. */
static int check_locks(const struct making *making)
{
	const struct request *request = making->request;
	bool candidate = request->which == ENGINE_CANDIDATE;
	int rc = 0;

	if (request->type == REQUEST_NAMES || (request->type == REQUEST_UNDO && request->number))
		return 0; /* the daemon's own */
	if (request->tests)
		return 0;
	if (request->type == REQUEST_UNDO)
		return tentative_check_commit(making->engine, request, making->err);
	if (!candidate)
		return engine_check_lock(making->engine, ENGINE_RUNNING, request->session,
					 making->err);
	if (request->type != REQUEST_CHECK || request->edit)
		rc = lock_check(making->engine, ENGINE_CANDIDATE, request->session, making->err);
	if (rc == 0 && request->type == REQUEST_COMMIT)
		rc = lock_check(making->engine, ENGINE_RUNNING, request->session, making->err);
	if (rc == 0 && request->type == REQUEST_COMMIT)
		rc = tentative_check_commit(making->engine, request, making->err);
	return rc;
}

/* With continue-on-error, what is refused is listed in the edit and does not end the request. */
static struct error *refusals(const struct making *making)
{
	struct edit *edit = making->request->edit;

	return edit && edit->continues ? &edit->refused : making->err;
}

/* Go back to the baseline of the confirmed commit. */
static int begin_undo(struct making *making, struct cursor **ret)
{
	struct request *request = making->request;
	uint64_t baseline;

	if (request->number == 0)
		request->number = making->engine->tentative.serial;
	if (!tentative_to_undo(making->engine, request, &baseline))
		return 0;
	return begin_way_back(making->engine, JOURNAL_ROLLBACK, baseline, making->changes, ret,
			      making->err);
}

static int begin_rollback(struct making *making, struct cursor **ret)
{
	struct request *request = making->request;

	if (request->which == ENGINE_CANDIDATE && staging_dirty(making->engine))
		return error_set(making->err, ERROR_BUSY,
				 "the candidate has changes that are not committed: commit or "
				 "discard them first");
	return begin_way_back(making->engine, request->reverts ? JOURNAL_REVERT : JOURNAL_ROLLBACK,
			      request->number, making->changes, ret, making->err);
}

/* Change the candidate datastore, or copy it into the changes of a commit. */
static int begin_staged(struct making *making, struct cursor **ret)
{
	struct engine *engine = making->engine;
	struct request *request = making->request;

	making->done = request->type == REQUEST_EDIT || request->type == REQUEST_DISCARD;
	if (request->type == REQUEST_DISCARD)
		staging_clear(engine);
	if (request->type == REQUEST_EDIT)
		return begun(staging_edit_begin(engine, request->edit, refusals(making)), ret);
	if (making->done || !engine->staging.staged)
		return 0;
	return begun(candidate_copy_begin(&engine->staging.staged->changes, making->changes,
					  making->err),
		     ret);
}

static int begin_source(struct sequence *sequence, struct cursor **ret)
{
	struct making *making = (struct making *)sequence;
	struct engine *engine = making->engine;
	struct request *request = making->request;
	struct candidate *changes = making->changes;
	int rc = check_locks(making);

	if (rc < 0)
		return rc;
	if (request->type == REQUEST_UNDO)
		return begin_undo(making, ret);
	if (request->type == REQUEST_ROLLBACK)
		return begin_rollback(making, ret);
	if (request->which == ENGINE_CANDIDATE)
		return begin_staged(making, ret);
	switch (request->type) {
	case REQUEST_COMMIT:
		candidate_move(changes, &request->candidate);
		break;
	case REQUEST_ADOPT:
		return begun(adopt_begin(engine, (uint32_t)request->number, request->policy,
					 changes, making->err),
			     ret);
	case REQUEST_EDIT:
	case REQUEST_CHECK:
		making->done = take_checked(engine, &request->checked, changes);
		break; /* else the edit is applied next */
	case REQUEST_NAMES:
	case REQUEST_RESYNC:
	case REQUEST_LOCK:
	case REQUEST_DISCARD:
	case REQUEST_UNDO:
	case REQUEST_ROLLBACK:
	case REQUEST_SETTLE:
		break;
	}
	return 0;
}

/* Follow what others committed since the changes were made. */
static int begin_rebase(struct sequence *sequence, struct cursor **ret)
{
	struct making *making = (struct making *)sequence;
	const struct request *request = making->request;

	if (making->done || (request->type != REQUEST_COMMIT && request->which != ENGINE_CANDIDATE))
		return 0;
	return begun(candidate_rebase_begin(making->changes, making->err), ret);
}

/*
 * An edit is judged as it is applied; here, whoever carries out what others made, by a commit, a
 * rollback or adopt.
 */
static int begin_policy(struct sequence *sequence, struct cursor **ret)
{
	struct making *making = (struct making *)sequence;
	struct request *request = making->request;
	bool by_others = request->type == REQUEST_ROLLBACK || request->type == REQUEST_ADOPT ||
			 (request->type == REQUEST_COMMIT && request->which == ENGINE_CANDIDATE);

	if (!request->policy || !by_others)
		return 0;
	if (making->changes->acm && acm_check(making->changes->acm_before, making->changes->acm,
					      request->policy, making->err) < 0)
		return -EACCES;
	return begun(changes_walk_begin(making->engine, making->changes, check_policy, request,
					making->err),
		     ret);
}

static int begin_prepare(struct sequence *sequence, struct cursor **ret)
{
	struct making *making = (struct making *)sequence;

	if (making->done)
		return 0;
	return begun(candidate_prepare_begin(making->changes, making->request->edit, name_taken,
					     making->engine, refusals(making)),
		     ret);
}

static int begin_names(struct sequence *sequence, struct cursor **ret)
{
	struct making *making = (struct making *)sequence;

	if (making->done)
		return 0;
	return begun(changes_walk_begin(making->engine, making->changes, check_names, NULL,
					refusals(making)),
		     ret);
}

/* Not of the candidate datastore, and not of what the daemon itself does. */
static int begin_partial(struct sequence *sequence, struct cursor **ret)
{
	struct making *making = (struct making *)sequence;
	struct request *request = making->request;
	bool staging = request->which == ENGINE_CANDIDATE && request->type != REQUEST_COMMIT &&
		       request->type != REQUEST_CHECK;

	if (staging || request->tests || request->type == REQUEST_NAMES ||
	    request->type == REQUEST_UNDO || !partial_of_others(making->engine, request->session))
		return 0;
	return begun(changes_walk_begin(making->engine, making->changes, check_partial,
					&request->session, refusals(making)),
		     ret);
}

struct cursor *changes_begin(struct engine *engine, struct request *request,
			     struct candidate *changes, struct error *err)
{
	static sequence_part *const parts[] = {begin_source,  begin_rebase, begin_policy,
					       begin_prepare, begin_names,  begin_partial,
					       NULL};
	struct making *making = sequence_new(parts, sizeof(*making));

	if (!making) {
		error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory for a commit");
		return NULL;
	}
	making->engine = engine;
	making->request = request;
	making->changes = changes;
	making->err = err;
	return &making->sequence.cursor;
}
