#include "engine/transaction.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/wipe.h"
#include "engine/changes.h"
#include "engine/job.h"
#include "engine/outcome.h"
#include "engine/read_all.h"
#include "engine/recall.h"
#include "engine/resume.h"
#include "engine/saved.h"
#include "engine/staging.h"
#include "engine/tentative.h"
#include "store/overlay.h"
#include "store/publish.h"

#define BLOCKED_NS   (3 * 1000000LL)
#define NO_MEMORY_NS (2 * NS_PER_S)
#define RETRY_NS     (2 * NS_PER_S) /* no event tells when a module can be loaded */
#define REPORT_NS    (10 * NS_PER_S)
#define DISK_NS      (20 * 1000000LL)
#define ROUNDS_MAX   32 /* of retries without what was refused */
#define UNITS        8  /* of a cursor between looks at the clock */

/* ---- open and close */

int transaction_open(struct engine *engine)
{
	engine->transaction = calloc(1, sizeof(*engine->transaction));
	if (!engine->transaction)
		return -ENOMEM;
	TAILQ_INIT(&engine->transaction->sharers);
	candidate_open(&engine->transaction->changes, engine->store);
	return 0;
}

/* The journal finishes what it has begun, and reads the changes until then. */
static void end_writing(struct journal *journal)
{
	struct pollfd disk = {.fd = journal_fd(journal), .events = POLLIN};
	int rc;

	journal_abort(journal);
	while ((rc = journal_step(journal, INT64_MAX, NULL)) > 0)
		if (rc == JOURNAL_WAIT)
			poll(&disk, 1, -1);
}

/* Finish it at once: the daemon is stopping. */
static void drop(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct datastore *store = engine->store;

	if (engine->o.journal && t->begun && (t->step == STEP_RECORD || t->step == STEP_REVOKE))
		end_writing(engine->o.journal);
	cursor_free(t->cursor);
	t->cursor = NULL;
	if (store->published)
		cursor_free(candidate_merge_begin(&t->changes, store));
	else if (store->attached)
		cursor_free(candidate_detach_begin(&t->changes, store));
}

void transaction_close(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	if (!t)
		return;
	drop(engine);
	if (t->request)
		request_free(t->request);
	candidate_discard(&t->changes);
	keys_free(&t->keys);
	job_close(&t->job);
	wipe_free(t, sizeof(*t));
	engine->transaction = NULL;
}

/* Each interface that comes up causes a handful of events of addresses and routes. */
static void hush(struct engine *engine, bool hushed)
{
	struct transaction *t = engine->transaction;

	if (t->hushed == hushed)
		return;
	t->hushed = hushed;
	engine->k->hush(engine->o.kernel, hushed);
	if (!hushed)
		engine->agenda.recheck = true;
}

/* With continue-on-error, report what was left out even if the rest was done. */
static void tell(struct engine *engine, int rc, const struct error *err)
{
	struct request *request = engine->transaction->request;
	const struct error *refused = request->edit ? &request->edit->refused : NULL;

	if (refused && refused->code && (rc == 0 || !err->code))
		request_tell(engine, request, error_result(refused), refused);
	else
		request_tell(engine, request, rc, err);
}

static enum step finish(struct engine *engine, int rc, const struct error *err)
{
	struct transaction *t = engine->transaction;

	t->told = true;
	if (t->request && rc == 0 && t->request->which == ENGINE_CANDIDATE &&
	    t->request->type == REQUEST_COMMIT)
		staging_clear(engine);
	staging_finish(engine);
	if (t->request)
		tentative_finish(engine, t->request, rc);
	if (t->request)
		tell(engine, rc, err);
	if (t->request)
		t->stage = rc ? ENGINE_REFUSED : ENGINE_DONE;
	return STEP_LEAVE;
}

static void open_job(struct engine *engine, const struct candidate *from,
		     const struct candidate *to, bool strict)
{
	struct transaction *t = engine->transaction;

	job_close(&t->job);
	job_open(&t->job, from, to, strict, &t->batch);
	t->batch.size = 1;
}

/* Go back to the configuration before a resumed commit, of which we have done nothing. */
static void turn_back(struct engine *engine, const struct error *err)
{
	struct transaction *t = engine->transaction;
	struct error why = *err;

	open_job(engine, &t->changes, &engine->running, false);
	t->job.undoing = true;
	t->job.error = why;
}

static enum step fail(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;

	if (!t->resumed)
		return finish(engine, rc, &t->error);
	engine_log(engine, LOG_WARNING, "rolling back interrupted commit %llu: %s%s%s",
		   (unsigned long long)t->request->info.number, t->error.path,
		   t->error.path[0] ? ": " : "", t->error.text);
	turn_back(engine, &t->error);
	return STEP_CREATED;
}

/*
 * For each step, begin() provides the cursor of its work, or none; a negative errno, with the
 * transaction's error, ends the step at once. end() gets the result and chooses the next step: the
 * same one to go on without a cursor.
 */

/* NULL: no memory. */
static int has_begun(struct engine *engine, struct cursor *cursor)
{
	engine->transaction->cursor = cursor;
	return cursor ? 0 : -ENOMEM;
}

/* For cursors that, without memory, do all at once. */
static int has_begun_or_done(struct engine *engine, struct cursor *cursor)
{
	engine->transaction->cursor = cursor;
	return 0;
}

/* ---- reading */

static int begin_read(struct engine *engine)
{
	engine->agenda.read_all = false;
	return has_begun(engine, read_all_begin(engine, &engine->transaction->error));
}

static enum step end_read(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;
	struct request *sharer;

	if (rc < 0)
		engine_log(engine, LOG_ERR, "%s; trying again", t->error.text);
	if (rc < 0)
		agenda_read_all(&engine->agenda, clock_now() + RETRY_NS);
	engine->agenda.recheck = true; /* addresses and routes may have changed without events */
	while ((sharer = TAILQ_FIRST(&t->sharers)) != NULL) {
		TAILQ_REMOVE(&t->sharers, sharer, link);
		request_finish(engine, sharer, rc, &t->error);
	}
	return finish(engine, rc, &t->error);
}

/* ---- the steps up to the decision */

/* Is there an edit that is not applied again? Free it then: what comes needs as much memory. */
static bool is_edit_spent(const struct request *request)
{
	return request->edit && !request->edit->continues && !request->then_edit;
}

static int begin_make(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	if (t->resumed && t->acknowledged)
		return 0; /* journal_open() has made sure that it fits */
	if (is_edit_spent(t->request))
		t->request->edit->once = true;
	return has_begun(engine,
			 t->resumed ? resume_check_begin(engine, &t->changes, &t->error)
				    : changes_begin(engine, t->request, &t->changes, &t->error));
}

/* Does the request go on without what is refused? */
static bool continues(const struct engine *engine)
{
	const struct request *request = engine->transaction->request;

	return request && request->edit && request->edit->continues;
}

/* That @err is about: of a session that only its tunnel's change makes anew, the tunnel's. */
static struct change *change_to_blame(struct engine *engine, struct error *err)
{
	const struct candidate *changes = &engine->transaction->changes;
	struct change *change = overlay_find(changes, err->tunnel_id, err->session_id);
	struct error said = *err;

	if (change || !err->session_id)
		return change;
	change = overlay_find(changes, err->tunnel_id, 0);
	if (change) {
		error_at_entry(err, err->tunnel_id, 0, NULL);
		error_set(err, said.code, "session %u cannot be made anew with it: %s",
			  said.session_id, said.text);
		err->os_errno = said.os_errno;
	}
	return change;
}

/* If the change that @err is about can be left out, note that it must. */
static bool leave_out(struct engine *engine, struct error *err)
{
	struct transaction *t = engine->transaction;
	struct change *change = continues(engine) ? change_to_blame(engine, err) : NULL;

	if (!change || error_insert(&t->request->edit->refused, err) < 0)
		return false;
	error_list_free(err);
	change->refused = true;
	t->blamed = true;
	return true;
}

static enum step end_check(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	if (!t->request->then_edit)
		return finish(engine, 0, &t->error);
	t->request->then_edit = false;
	t->request->type = REQUEST_EDIT;
	return STEP_AGAIN;
}

static enum step end_make(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;

	if (rc < 0 && continues(engine) && !t->error.code) {
		t->blamed = true;
		return STEP_AGAIN;
	}
	if (rc < 0)
		return fail(engine, rc);
	if (!t->resumed && t->request->type == REQUEST_ROLLBACK &&
	    t->request->which == ENGINE_CANDIDATE) {
		rc = staging_take(engine, &t->changes, &t->error);
		return rc < 0 ? fail(engine, rc) : finish(engine, 0, &t->error);
	}
	if (!t->resumed)
		tentative_fill(engine, t->request);
	if (candidate_dirty(&t->changes) || tentative_is_ended_by(engine, t->request))
		return is_edit_spent(t->request) ? STEP_FREE_EDIT : STEP_PLAN;
	if (t->request->type == REQUEST_CHECK)
		return end_check(engine);
	if (t->resumed) /* an edited config.xml has all of it already */
		journal_confirm(engine->o.journal, t->request->info.number);
	return finish(engine, 0, &t->error);
}

/* Of a commit or a repair. */
static int begin_plan(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	const struct candidate *to = t->request ? &t->changes : &engine->running;
	bool strict = t->request && !t->acknowledged;

	open_job(engine, &engine->running, to, strict);
	t->job.dry = t->request && t->request->type == REQUEST_CHECK;
	if (t->request && t->request->type == REQUEST_NAMES)
		return 0;
	return has_begun(engine, plan_begin(engine, &t->job,
					    t->request ? targets_of_changes(&t->changes)
						       : targets_of_keys(&t->keys),
					    &t->error));
}

static enum step end_plan(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;

	if (!t->request && rc < 0) {
		engine_log(engine, LOG_ERR, "%s", t->error.text);
		agenda_read_all(&engine->agenda, clock_now() + NO_MEMORY_NS);
	}
	if (!t->request)
		return STEP_WORK;
	if (rc < 0 && leave_out(engine, &t->error))
		return STEP_AGAIN;
	if (rc < 0)
		return fail(engine, rc);
	return t->request->type == REQUEST_CHECK ? end_check(engine) : STEP_ATTACH;
}

static int begin_attach(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	return has_begun(engine, candidate_attach_begin(&t->changes, engine->store, &t->error));
}

static enum step end_attach(struct engine *engine, int rc)
{
	return rc < 0 ? fail(engine, rc) : STEP_RECORD;
}

/*
 * Let the journal go on with a record. > 0: there is more; if retry_at is set, it waits for the
 * disk, which a thread does and no turn.
 */
static int write_on(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	int64_t until = engine->o.slice_units ? 0 : engine->slice_ends;
	int rc = journal_step(engine->o.journal, until, &t->error);

	if (rc != JOURNAL_WAIT)
		return rc;
	t->retry_at = clock_now() + DISK_NS; /* in case nothing wakes us */
	if (engine->disk)
		event_add(engine->disk, NULL);
	return rc;
}

static bool has_record(const struct engine *engine)
{
	return engine->o.journal &&
	       !engine->transaction->resumed; /* a resumed one comes from the journal */
}

static int begin_record(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	int rc;

	t->stage = ENGINE_RECORDING;
	rc = has_record(engine)
		     ? journal_begin(engine->o.journal, &t->changes, &t->request->info, &t->error)
		     : 0;

	return rc < 0 ? rc : 0;
}

/* At the end of this step the commit is decided: until then it can be aborted. */
static enum step end_record(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;

	if (rc == 0 && has_record(engine)) {
		if (t->aborted)
			journal_abort(engine->o.journal);
		rc = write_on(engine);
	}
	if (rc > 0)
		return STEP_RECORD;
	if (rc < 0 && (t->aborted || t->request->type != REQUEST_NAMES))
		return fail(engine, rc);
	if (rc < 0) /* the next start finds them in the kernel, or chooses again */
		engine_log(engine, LOG_WARNING, "cannot record the interface names chosen: %s",
			   t->error.text);
	t->decided = true;
	return STEP_WORK;
}

/* ---- the steps after it */

/* An object that must wait is done too, for this job. */
void engine_progress(const struct engine *engine, struct engine_progress *ret)
{
	const struct transaction *t = engine->transaction;
	const struct job *job = &t->job;

	*ret = (struct engine_progress){.stage = t->stage, .session = t->session};
	if (t->stage != ENGINE_APPLYING && t->stage != ENGINE_UNDOING)
		return;
	ret->objects = job->count;
	ret->took = clock_now() - t->worked_at;
	for (size_t i = 0; i < job->count; i++)
		ret->done += job->items[i].reason || !(job->items[i].todo & ~job->items[i].done);
}

static void report_work(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	enum engine_stage stage = t->job.undoing ? ENGINE_UNDOING : ENGINE_APPLYING;

	if (!t->request)
		return;
	if (t->stage != stage)
		t->worked_at = t->told_at = clock_now();
	t->stage = stage;
	if (clock_now() < t->told_at + REPORT_NS)
		return;
	t->told_at = clock_now();
	engine_tell(engine, &(struct engine_event){.type = ENGINE_PROGRESS,
						   .commit = &t->request->info,
						   .ticket = t->ticket});
}

static enum step work(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;

	(void)rc;
	report_work(engine);
	/* not before something is done: what only waits causes no events */
	if (t->job.count >= MANY && t->job.began)
		hush(engine, true);
	switch (job_slice(engine, &t->job)) {
	case PROGRESS_BLOCKED:
		t->retry_at = clock_now() + BLOCKED_NS;
		return STEP_WORK;
	case PROGRESS_MORE:
		return STEP_WORK;
	case PROGRESS_DONE:
		break;
	}
	if (t->job.undoing)
		return STEP_UNDONE;
	return t->job.error.code ? STEP_UNDO : STEP_PUBLISH;
}

static int begin_undo(struct engine *engine)
{
	return has_begun_or_done(engine, plan_undo_begin(&engine->transaction->job));
}

static enum step end_undo(struct engine *engine, int rc)
{
	(void)engine;
	(void)rc;
	return STEP_WORK;
}

/* Everybody sees all of the commit at once; then comes the outcome of its objects. */
static int begin_publish(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	t->waited = engine->agenda.wait.count;
	if (t->request) {
		datastore_publish(engine->store);
		datastore_set_acm(engine->store, t->changes.acm);
		engine->staging.commits++;
	}
	return has_begun_or_done(engine,
				 outcome_begin(engine, &t->job,
					       t->request ? targets_of_changes(&t->changes)
							  : targets_of_keys(&t->keys),
					       t->request && t->request->type == REQUEST_NAMES));
}

static enum step end_publish(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;
	struct error err = ERROR_INIT;

	(void)rc;
	if (!t->request)
		return finish(engine, 0, &err);
	engine->last_change = clock_moment();
	agenda_stirred(&engine->agenda, engine->last_change.at);
	recall_mark_commit(engine);
	recall_write_all(engine); /* what it deleted is ours, if we end now */
	if (engine->o.journal)
		journal_confirm(engine->o.journal, t->request->info.number);
	if (engine->agenda.wait.count > t->waited)
		agenda_try_soon(&engine->agenda);
	engine_tell(engine, &(struct engine_event){.type = ENGINE_COMMIT,
						   .commit = &t->request->info,
						   .changes = &t->changes,
						   .ticket = t->ticket,
						   .session = t->request->session});
	return finish(engine, 0, &err);
}

static int begin_undone(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	return has_begun_or_done(engine,
				 outcome_begin(engine, &t->job, (struct targets){0}, false));
}

static enum step end_undone(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;

	(void)rc;
	if (!t->resumed)
		return STEP_REVOKE;
	t->error = t->job.error;
	return fail(engine, -EINVAL);
}

static int begin_revoke(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	uint64_t number = t->request->info.number;
	int rc = engine->o.journal && number
			 ? journal_revoke_begin(engine->o.journal, number, &t->error)
			 : 0;

	return rc < 0 ? rc : 0;
}

static enum step end_revoke(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;
	struct error *err = &t->job.error;

	if (rc == 0 && engine->o.journal && t->request->info.number)
		rc = write_on(engine);
	if (rc > 0)
		return STEP_REVOKE;
	if (rc == 0 && leave_out(engine, err))
		return STEP_AGAIN;
	if (rc == 0)
		return finish(engine, err->os_errno ? -err->os_errno : -EINVAL, err);
	/* if the revoke is uncertain, do not report the commit as refused */
	engine_log(engine, LOG_ERR, "%s", err->text);
	engine_log(engine, LOG_ERR, "%s", t->error.text);
	return finish(engine, -EIO, &t->error);
}

/* ---- once more */

struct again {
	struct sequence sequence;
	struct engine *engine;
};

struct marking {
	struct cursor cursor;
	struct engine *engine;
	struct edit_entry *at; /* NULL: at the end */
};

static int mark_next(struct cursor *cursor)
{
	struct marking *marking = (struct marking *)cursor;
	struct transaction *t = marking->engine->transaction;
	struct edit_entry *at = marking->at;
	const struct change *change =
		at ? overlay_find(&t->changes, at->tunnel_id, at->session_id) : NULL;

	if (!at)
		return 0;
	if (change && change->refused && !at->refused)
		t->left_out++;
	at->refused |= change && change->refused;
	marking->at = at->next;
	return 1;
}

/* Mark the entries of the edit that must be left out. */
static int begin_marking(struct sequence *sequence, struct cursor **ret)
{
	static const struct cursor_kind kind = {.forth = mark_next};
	struct engine *engine = ((struct again *)sequence)->engine;
	struct marking *marking = cursor_new(&kind, sizeof(*marking));

	*ret = &marking->cursor;
	if (!marking)
		return -ENOMEM;
	marking->engine = engine;
	marking->at = engine->transaction->request->edit->first;
	return 0;
}

static int drop_saved(struct sequence *sequence, struct cursor **ret)
{
	struct engine *engine = ((struct again *)sequence)->engine;
	struct transaction *t = engine->transaction;

	*ret = t->decided ? NULL : saved_drop_begin(engine, &t->job);
	return 0;
}

static int detach(struct sequence *sequence, struct cursor **ret)
{
	struct engine *engine = ((struct again *)sequence)->engine;

	*ret = engine->store->attached
		       ? candidate_detach_begin(&engine->transaction->changes, engine->store)
		       : NULL;
	return 0;
}

static int discard(struct sequence *sequence, struct cursor **ret)
{
	*ret = candidate_discard_begin(&((struct again *)sequence)->engine->transaction->changes);
	return 0;
}

static int begin_again(struct engine *engine)
{
	static sequence_part *const parts[] = {begin_marking, drop_saved, detach, discard, NULL};
	struct again *again = sequence_new(parts, sizeof(*again));

	engine->transaction->left_out = 0;
	if (!again)
		return -ENOMEM;
	again->engine = engine;
	return has_begun(engine, &again->sequence.cursor);
}

static enum step end_again(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;
	struct error gave_up = ERROR_INIT;
	bool goes_on = rc == 0 && (!t->blamed || (t->left_out && t->rounds++ < ROUNDS_MAX));

	job_close(&t->job);
	t->decided = t->blamed = false;
	t->request->info.number = 0;
	if (goes_on)
		return STEP_MAKE;
	if (rc < 0)
		error_set_errno(&t->error, ERROR_RESOURCE, ENOMEM, "no memory for a commit");
	error_set(&gave_up, ERROR_MORE,
		  "nothing was applied: it depends too much on what is refused; send it in parts");
	error_append(&t->request->edit->refused, &gave_up);
	return finish(engine, -EINVAL, &t->error);
}

/* Once: delete what the killed daemon created; a repair does the rest. */
struct creation {
	struct sequence sequence;
	struct engine *engine;
};

static int find_created(struct sequence *sequence, struct cursor **ret)
{
	struct engine *engine = ((struct creation *)sequence)->engine;
	struct transaction *t = engine->transaction;

	*ret = resume_created_begin(engine, &t->changes, &t->keys, &t->error);
	return *ret ? 0 : -ENOMEM;
}

static int plan_created(struct sequence *sequence, struct cursor **ret)
{
	struct engine *engine = ((struct creation *)sequence)->engine;
	struct transaction *t = engine->transaction;

	*ret = plan_begin(engine, &t->job, targets_of_keys(&t->keys), &t->error);
	return *ret ? 0 : -ENOMEM;
}

static int begin_created(struct engine *engine)
{
	static sequence_part *const parts[] = {find_created, plan_created, NULL};
	struct creation *creation = sequence_new(parts, sizeof(*creation));

	engine->transaction->resumed = false;
	if (!creation)
		return -ENOMEM;
	creation->engine = engine;
	return has_begun(engine, &creation->sequence.cursor);
}

static enum step end_created(struct engine *engine, int rc)
{
	if (rc < 0)
		engine_log(engine, LOG_ERR,
			   "no memory to undo all of the commit: the rest is foreign");
	return STEP_WORK;
}

/* ---- the end, for which nobody waits */

static int begin_leave(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	if (engine->store->published)
		return has_begun_or_done(engine, candidate_merge_begin(&t->changes, engine->store));
	if (engine->store->attached == 0)
		return 0;
	return has_begun_or_done(engine, candidate_detach_begin(&t->changes, engine->store));
}

static enum step end_leave(struct engine *engine, int rc)
{
	(void)engine;
	(void)rc;
	return STEP_FREE_CHANGES;
}

static int begin_free_changes(struct engine *engine)
{
	engine->freed_much |= engine->transaction->changes.count >= MANY;
	return has_begun_or_done(engine, candidate_discard_begin(&engine->transaction->changes));
}

static enum step end_free_changes(struct engine *engine, int rc)
{
	(void)rc;
	return engine->transaction->request ? STEP_FREE_EDIT : STEP_FREE_JOB;
}

static int begin_free_edit(struct engine *engine)
{
	struct request *request = engine->transaction->request;
	struct edit *edit = request->edit;

	request->edit = NULL;
	engine->freed_much |= edit && edit->count >= MANY;
	return edit ? has_begun_or_done(engine, edit_free_begin(edit))
		    : has_begun_or_done(engine, candidate_discard_begin(&request->candidate));
}

static enum step end_free_edit(struct engine *engine, int rc)
{
	(void)rc;
	return engine->transaction->told ? STEP_FREE_JOB : STEP_PLAN;
}

static int begin_free_job(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	return t->decided ? 0 : has_begun_or_done(engine, saved_drop_begin(engine, &t->job));
}

/* Nothing is under way now. */
static enum step end_free_job(struct engine *engine, int rc)
{
	struct transaction *t = engine->transaction;

	(void)rc;
	job_close(&t->job);
	batch_wipe(&t->batch);
	hush(engine, false);
	if (t->request)
		request_free(t->request);
	keys_free(&t->keys);
	t->request = NULL;
	t->ticket = 0;
	error_list_free(&t->error);
	t->error.collects = false;
	t->rounds = 0;
	t->resumed = t->acknowledged = t->aborted = t->decided = t->told = false;
	return STEP_NONE;
}

/* ---- the table */

static const struct step_row {
	int (*begin)(struct engine *engine); /* NULL: no cursor */
	enum step (*end)(struct engine *engine, int rc);
} steps[] = {
	[STEP_READ] = {begin_read, end_read},
	[STEP_MAKE] = {begin_make, end_make},
	[STEP_PLAN] = {begin_plan, end_plan},
	[STEP_ATTACH] = {begin_attach, end_attach},
	[STEP_RECORD] = {begin_record, end_record},
	[STEP_WORK] = {NULL, work},
	[STEP_UNDO] = {begin_undo, end_undo},
	[STEP_PUBLISH] = {begin_publish, end_publish},
	[STEP_UNDONE] = {begin_undone, end_undone},
	[STEP_REVOKE] = {begin_revoke, end_revoke},
	[STEP_AGAIN] = {begin_again, end_again},
	[STEP_CREATED] = {begin_created, end_created},
	[STEP_LEAVE] = {begin_leave, end_leave},
	[STEP_FREE_CHANGES] = {begin_free_changes, end_free_changes},
	[STEP_FREE_EDIT] = {begin_free_edit, end_free_edit},
	[STEP_FREE_JOB] = {begin_free_job, end_free_job},
};

int64_t transaction_due(const struct engine *engine)
{
	const struct transaction *t = engine->transaction;

	return t->step == STEP_NONE ? NEVER : t->retry_at;
}

void transaction_wake(struct engine *engine)
{
	if (engine->transaction->step == STEP_RECORD || engine->transaction->step == STEP_REVOKE)
		engine->transaction->retry_at = 0;
}

bool transaction_blocked(const struct engine *engine)
{
	const struct transaction *t = engine->transaction;

	return t->step == STEP_WORK && t->retry_at != 0;
}

/* > 0: the step has more to do. */
static int go_on(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	size_t units = engine->o.slice_units || t->step == STEP_READ ? 1 : UNITS;
	int rc = 0;

	if (!t->begun && steps[t->step].begin)
		rc = steps[t->step].begin(engine);
	t->begun = true;
	if (!t->cursor)
		return rc;
	if (t->aborted && t->step < STEP_RECORD)
		cursor_abandon(t->cursor);
	do
		rc = cursor_step(t->cursor, units);
	while (rc > 0 && engine_may_go_on(engine));
	if (rc > 0)
		return rc;
	cursor_free(t->cursor);
	t->cursor = NULL;
	return rc;
}

/* The client is gone. */
static enum step give_up(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	error_set_errno(&t->error, ERROR_BUSY, ECANCELED,
			"aborted: the session that requested it has ended");
	return finish(engine, -ECANCELED, &t->error);
}

void transaction_run(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	enum step next;
	int rc;

	t->retry_at = 0;
	do {
		bool aborted = t->aborted && !t->told && t->step <= STEP_RECORD;

		rc = aborted && !t->begun ? -ECANCELED : go_on(engine);
		if (rc > 0)
			return;
		/* the journal itself aborts a record */
		next = aborted && !(t->begun && t->step == STEP_RECORD)
			       ? give_up(engine)
			       : steps[t->step].end(engine, rc);
		t->begun = t->begun && next == t->step;
		t->step = next;
	} while (t->step != STEP_NONE && !t->retry_at && engine_may_go_on(engine));
}

/* ---- beginning and aborting */

void transaction_begin(struct engine *engine, struct request *request)
{
	struct transaction *t = engine->transaction;

	t->request = request;
	t->ticket = request->ticket;
	t->aborted = request->forgotten;
	t->error.collects = request->done;
	t->stage = ENGINE_CHECKING;
	t->session = request->session;
	t->acknowledged |= request->type == REQUEST_UNDO; /* better in parts than not at all */
	t->step = STEP_MAKE;
}

void transaction_abort(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	t->aborted = !t->decided && !t->told;
	engine_schedule(engine);
}

void transaction_read(struct engine *engine, struct request *request)
{
	struct transaction *t = engine->transaction;
	struct request *other, *next;

	for (other = TAILQ_FIRST(&engine->requests); other && request; other = next) {
		next = TAILQ_NEXT(other, link);
		if (other->type != REQUEST_RESYNC)
			continue;
		TAILQ_REMOVE(&engine->requests, other, link);
		TAILQ_INSERT_TAIL(&t->sharers, other, link);
	}
	t->request = request;
	t->ticket = request ? request->ticket : 0;
	t->decided = true;
	t->step = STEP_READ;
	transaction_run(engine);
}

void transaction_repair(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	t->keys = keys_take(&engine->agenda.repair);
	t->decided = true;
	t->step = STEP_PLAN;
	transaction_run(engine);
}

int transaction_resume(struct engine *engine, struct error *err)
{
	struct transaction *t = engine->transaction;
	uint64_t number = engine->o.journal ? journal_unfinished(engine->o.journal) : 0;
	struct request *request;
	int rc;

	if (number == 0)
		return 0;
	rc = journal_resume(engine->o.journal, engine->store, &t->changes, err);
	if (rc == 0)
		rc = changes_choose_names(engine, &t->changes, err);
	if (rc < 0)
		return rc;
	request = request_new(engine, REQUEST_COMMIT, NULL, NULL, NULL);
	if (!request)
		return error_set(err, ERROR_RESOURCE, "no memory");
	request->info.number = number;
	t->resumed = t->decided = true;
	t->acknowledged = journal_unfinished_outlived_boot(engine->o.journal);
	engine_log(engine, LOG_NOTICE, "completing interrupted commit %llu",
		   (unsigned long long)number);
	transaction_begin(engine, request);
	return 0;
}

void transaction_leave(struct engine *engine)
{
	struct error err = ERROR_INIT;
	struct request *sharer;

	error_set(&err, ERROR_STOPPING,
		  "the daemon is stopping; the next one completes the commit or rolls it back");
	while ((sharer = TAILQ_FIRST(&engine->transaction->sharers)) != NULL) {
		TAILQ_REMOVE(&engine->transaction->sharers, sharer, link);
		request_finish(engine, sharer, -ECANCELED, &err);
	}
	if (engine->transaction->request)
		finish(engine, -ECANCELED, &err);
}
