#include "engine/transaction.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <syslog.h>

#include "engine/changes.h"
#include "engine/job.h"
#include "engine/outcome.h"
#include "engine/resume.h"
#include "store/publish.h"

#define BLOCKED_NS   (3 * 1000000LL)
#define NO_MEMORY_NS (2 * NS_PER_S)

/* ---- begin and end */

int transaction_open(struct engine *engine)
{
	engine->transaction = calloc(1, sizeof(*engine->transaction));
	if (!engine->transaction)
		return -ENOMEM;
	candidate_open(&engine->transaction->changes, engine->store);
	return 0;
}

void transaction_close(struct engine *engine)
{
	if (!engine->transaction)
		return;
	candidate_discard(&engine->transaction->changes);
	job_close(&engine->transaction->job);
	free(engine->transaction);
	engine->transaction = NULL;
}

/* Each interface that comes up brings a handful of addresses and routes of its own. */
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

/* Nothing is under way any more; returns the request, for who asked to be told. */
static struct request *clear(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct request *request = t->request;
	bool many = request && t->job.count > MANY;

	candidate_discard(&t->changes);
	job_close(&t->job);
	hush(engine, false);
	t->step = STEP_NONE;
	t->request = NULL;
	t->ticket = 0;
	t->resumed = t->acknowledged = false;
	if (many)
		malloc_trim(0); /* the edit and the plan of a big push go back to the system */
	return request;
}

static enum step finish(struct engine *engine, int rc, const struct error *err)
{
	struct request *request = clear(engine);

	if (request)
		request_finish(engine, request, rc, err);
	return STEP_NONE;
}

static void open_job(struct engine *engine, const struct candidate *from,
		     const struct candidate *to, bool strict)
{
	struct transaction *t = engine->transaction;

	job_close(&t->job);
	job_open(&t->job, from, to, strict, &t->batch);
	t->batch.size = 1;
}

/* Back to the configuration without a resumed commit: nothing of it was done by us. */
static enum step give_up(struct engine *engine, const struct error *err)
{
	struct transaction *t = engine->transaction;
	struct error why = *err;

	open_job(engine, &t->changes, &engine->running, false);
	t->job.undoing = true;
	t->job.error = why;
	return STEP_REVOKE;
}

static enum step fail(struct engine *engine, int rc, struct error *err)
{
	return engine->transaction->resumed ? give_up(engine, err) : finish(engine, rc, err);
}

/* ---- the steps */

/* What the killed daemon created is in the kernel already: that is no conflict. */
static int make_resumed(struct engine *engine, struct error *err)
{
	struct transaction *t = engine->transaction;
	int rc;

	if (t->acknowledged)
		return 0; /* it fits the configuration: journal_open() */
	t->changes.adopt = true;
	rc = candidate_validate(&t->changes, err);
	return rc < 0 ? rc : resume_refuse_foreign(engine, &t->changes, err);
}

static enum step make(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct error err = ERROR_INIT;
	int rc = t->resumed ? make_resumed(engine, &err)
			    : changes_make(engine, t->request, &t->changes, &err);

	if (rc < 0)
		return fail(engine, rc, &err);
	if (candidate_dirty(&t->changes))
		return STEP_PLAN;
	if (t->resumed) /* config.xml, edited by hand, has all of it */
		journal_confirm(engine->o.journal, t->request->info.number);
	return finish(engine, 0, &err);
}

static enum step plan(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct keys keys = {0};
	struct error err = ERROR_INIT;
	int rc;

	open_job(engine, &engine->running, &t->changes, !t->acknowledged);
	rc = plan_keys(&t->changes, &keys);
	if (rc < 0)
		error_set_errno(&err, ERROR_RESOURCE, ENOMEM, "no memory for the plan");
	else if (t->request->type != REQUEST_NAMES)
		rc = plan_job(engine, &t->job, &keys, &err);
	keys_free(&keys);
	return rc < 0 ? fail(engine, rc, &err) : STEP_RECORD;
}

static enum step record(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct error err = ERROR_INIT;
	int rc;

	if (!engine->o.journal || t->resumed)
		return STEP_WORK; /* nothing persists, or it is from the journal itself */
	rc = journal_append(engine->o.journal, &t->changes, &t->request->info, &err);
	if (rc == 0)
		return STEP_WORK;
	if (t->request->type != REQUEST_NAMES)
		return fail(engine, rc, &err);
	/* the next start will find them in the kernel, or choose again */
	engine_log(engine, LOG_WARNING, "the interface names chosen are not kept: %s", err.text);
	return STEP_WORK;
}

static enum step work(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	if (t->job.count >= MANY)
		hush(engine, true);
	switch (job_slice(engine, &t->job)) {
	case PROGRESS_BLOCKED:
		t->retry_at = engine_now() + BLOCKED_NS;
		return STEP_WORK;
	case PROGRESS_MORE:
		return STEP_WORK;
	case PROGRESS_DONE:
		break;
	}
	if (t->job.undoing)
		return STEP_REVOKE;
	return t->job.error.code ? STEP_UNDO : STEP_PUBLISH;
}

static enum step undo(struct engine *engine)
{
	plan_undo(&engine->transaction->job);
	return STEP_WORK;
}

static enum step publish(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct keys keys = {0};
	struct error err = ERROR_INIT;

	if (!t->request) {
		outcome_of_job(engine, &t->job);
		return finish(engine, 0, &err);
	}
	if (candidate_publish(&t->changes, engine->store) < 0)
		engine_log(engine, LOG_CRIT, "no memory to publish commit %llu",
			   (unsigned long long)t->request->info.number);
	outcome_of_job(engine, &t->job);
	if (plan_keys(&t->changes, &keys) < 0) /* then all are looked at, a little later */
		agenda_read_all(&engine->agenda, engine_now() + NO_MEMORY_NS);
	outcome_of_rest(engine, &t->job, &keys);
	/* what cannot be created now is no reason to have no names */
	for (size_t i = 0; i < keys.count && t->request->type == REQUEST_NAMES; i++)
		agenda_repair(&engine->agenda, &keys.at[i]);
	keys_free(&keys);
	if (engine->o.journal)
		journal_confirm(engine->o.journal, t->request->info.number);
	engine->last_change = engine_now();
	engine_tell(engine, &(struct engine_event){.type = ENGINE_COMMIT,
						   .commit = &t->request->info,
						   .changes = &t->changes,
						   .ticket = t->ticket});
	if (engine->o.journal && journal_maintain(engine->o.journal, engine->store, &err) < 0)
		engine_log(engine, LOG_WARNING, "%s", err.text);
	return finish(engine, 0, &err);
}

/* Once: delete what the killed daemon created of it; a repair does the rest. */
static enum step take_back_resumed(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct error err = t->job.error, ignored = ERROR_INIT;
	struct keys keys = {0};
	int rc;

	t->resumed = false;
	engine_log(engine, LOG_WARNING, "commit %llu, which was interrupted, is taken back: %s%s%s",
		   (unsigned long long)t->request->info.number, err.path, err.path[0] ? ": " : "",
		   err.text);
	rc = resume_created(engine, &t->changes, &keys);
	give_up(engine, &err);
	if (rc == 0)
		rc = plan_job(engine, &t->job, &keys, &ignored);
	if (rc < 0)
		engine_log(engine, LOG_ERR,
			   "no memory to take all of it back: the rest is foreign");
	keys_free(&keys);
	return STEP_WORK;
}

static enum step revoke(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct error err, ignored = ERROR_INIT;
	uint64_t number = t->request->info.number;

	outcome_of_job(engine, &t->job);
	if (t->resumed)
		return take_back_resumed(engine);
	if (engine->o.journal && number && journal_revoke(engine->o.journal, number, &ignored) < 0)
		engine_log(engine, LOG_ERR, "%s", ignored.text);
	err = t->job.error;
	return finish(engine, err.os_errno ? -err.os_errno : -EINVAL, &err);
}

static enum step (*const steps[])(struct engine *engine) = {
	[STEP_MAKE] = make, [STEP_PLAN] = plan,       [STEP_RECORD] = record, [STEP_WORK] = work,
	[STEP_UNDO] = undo, [STEP_PUBLISH] = publish, [STEP_REVOKE] = revoke,
};

int64_t transaction_due(const struct engine *engine)
{
	const struct transaction *t = engine->transaction;

	return t->step == STEP_NONE ? NEVER : t->retry_at;
}

void transaction_run(struct engine *engine)
{
	struct transaction *t = engine->transaction;

	t->retry_at = 0;
	t->step = steps[t->step](engine);
}

/* ---- what begins one */

void transaction_begin(struct engine *engine, struct request *request)
{
	struct transaction *t = engine->transaction;

	t->request = request;
	t->ticket = request->ticket;
	t->step = STEP_MAKE;
}

void transaction_repair(struct engine *engine)
{
	struct transaction *t = engine->transaction;
	struct keys keys = keys_take(&engine->agenda.repair);
	struct error err = ERROR_INIT;

	open_job(engine, &engine->running, &engine->running, false);
	if (plan_job(engine, &t->job, &keys, &err) < 0) {
		engine_log(engine, LOG_ERR, "%s", err.text);
		agenda_read_all(&engine->agenda, engine_now() + NO_MEMORY_NS);
	}
	outcome_of_rest(engine, &t->job, &keys);
	keys_free(&keys);
	t->step = STEP_WORK;
}

int transaction_resume(struct engine *engine, struct error *err)
{
	struct transaction *t = engine->transaction;
	uint64_t number = engine->o.journal ? journal_pending(engine->o.journal) : 0;
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
	t->resumed = true;
	t->acknowledged = journal_pending_outlived_boot(engine->o.journal);
	engine_log(engine, LOG_NOTICE, "carrying out commit %llu, which was interrupted",
		   (unsigned long long)number);
	transaction_begin(engine, request);
	return 0;
}

void transaction_leave(struct engine *engine)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERROR_STOPPING,
		  "the daemon is stopping; the next one brings the commit to its end, or takes it "
		  "back");
	if (engine->transaction->request)
		finish(engine, -ECANCELED, &err);
}
