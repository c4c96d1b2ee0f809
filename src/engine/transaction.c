/* A request's way into kernel, journal and datastore: whole, or taken back. */
#include "engine/internal.h"

#include <errno.h>
#include <malloc.h>
#include <syslog.h>

static int record(struct engine *engine, struct request *request, struct error *err)
{
	int rc;

	if (!engine->o.journal || request->info.number)
		return 0; /* without persistence, or resumed from the journal itself */
	rc = journal_append(engine->o.journal, &engine->changes, &request->info, err);
	if (rc == 0 || request->type != REQUEST_NAMES)
		return rc;
	/* the next start will find them in the kernel, or choose again */
	engine_log(engine, LOG_WARNING, "the interface names chosen are not kept: %s", err->text);
	return 0;
}

static int revoke(struct engine *engine, const struct request *request, struct error *err)
{
	if (!engine->o.journal || !request->info.number)
		return 0;
	return journal_revoke(engine->o.journal, request->info.number, err);
}

static void clear_transaction(struct engine *engine)
{
	bool many = engine->job && engine->job->count > MANY_ITEMS;

	candidate_discard(&engine->changes);
	candidate_open(&engine->changes, engine->store);
	job_free(engine->job);
	engine->job = NULL;
	engine->current = NULL;
	if (many)
		malloc_trim(0); /* the edit and the plan of a big push go back to the system */
}

/* What cannot be taken back from the journal for certain is not told as refused. */
static void abandon(struct engine *engine, struct request *request, int rc, struct error *err)
{
	struct error unknown = ERROR_INIT;

	if (revoke(engine, request, &unknown) < 0) {
		engine_log(engine, LOG_ERR, "%s", err->text);
		engine_log(engine, LOG_ERR, "%s", unknown.text);
		rc = -EIO;
		*err = unknown;
	}
	clear_transaction(engine);
	request_finish(engine, request, rc, err);
}

/* ---- a commit that a killed daemon began */

static bool same_tunnel(struct engine *engine, uint32_t tunnel_id, const struct tunnel *actual)
{
	struct tunnel want;
	int rc = want_tunnel(engine, &engine->changes, tunnel_id, &want);

	if (rc < 0) /* local-interface has no address now: it may have had one */
		return rc != -ENOENT;
	return observe_same(OBJECT_TUNNEL, &want, actual);
}

static bool same_session(const struct candidate *view, uint32_t tunnel_id, uint32_t session_id,
			 const struct session *actual)
{
	const struct session *config = candidate_session(view, tunnel_id, session_id);
	struct session want;

	if (config && !candidate_tunnel(view, tunnel_id)) { /* which config.xml has lost since */
		want = *config;
		codec_complete(OBJECT_SESSION, &want);
		return want.enabled && observe_same(OBJECT_SESSION, &want, actual);
	}
	return want_session(view, tunnel_id, session_id, &want) == 0 &&
	       observe_same(OBJECT_SESSION, &want, actual);
}

/* Is what the commit creates in the kernel, and as it would create it? */
static bool is_created(struct engine *engine, const struct change *c, bool *ret_same)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(engine->store, c->tunnel_id);
	const struct session_entry *session =
		datastore_session(engine->store, c->tunnel_id, c->session_id);

	if (c->had ||
	    (c->session_id ? !session || !session->in_kernel : !tunnel || !tunnel->in_kernel))
		return false;
	*ret_same = c->session_id ? same_session(&engine->changes, c->tunnel_id, c->session_id,
						 &session->actual)
				  : same_tunnel(engine, c->tunnel_id, &tunnel->actual);
	return true;
}

/* While no daemon was there others may have taken the ids. */
static int refuse_foreign(struct engine *engine, struct error *err)
{
	bool same;

	for (struct change *c = candidate_first(&engine->changes); c; c = change_next(c)) {
		if (!is_created(engine, c, &same) || same)
			continue;
		error_at_entry(err, c->tunnel_id, c->session_id, NULL);
		return error_set(err, ERROR_FOREIGN,
				 "the commit was interrupted, and someone else took the id since");
	}
	return 0;
}

/* Back to the configuration without it: nothing of it is done by us. */
static void give_up(struct engine *engine, const struct error *err)
{
	job_free(engine->job);
	engine->job = job_new(&engine->changes, &engine->running, false);
	engine->job->undoing = true;
	engine->job->error = *err;
}

/* What the killed daemon created goes; the rest is repaired. False: nothing to do. */
static bool sweep(struct engine *engine, struct request *request)
{
	struct keys keys = {0};
	struct error err = engine->job->error, ignored = ERROR_INIT;
	bool same;

	if (!request->resumed)
		return false;
	request->resumed = false;
	engine_log(engine, LOG_WARNING, "commit %llu, which was interrupted, is taken back: %s%s%s",
		   (unsigned long long)request->info.number, err.path, err.path[0] ? ": " : "",
		   err.text);
	for (struct change *c = candidate_first(&engine->changes); c; c = change_next(c))
		if (is_created(engine, c, &same) && same)
			keys_add(&keys, c->tunnel_id, c->session_id);
	give_up(engine, &err);
	plan_job(engine, engine->job, &keys, &ignored);
	keys_free(&keys);
	engine_schedule(engine);
	return true;
}

/* ---- a transaction */

/* What the killed daemon created is in the kernel already: that is no conflict. */
static int remake(struct engine *engine, const struct request *request, struct error *err)
{
	int rc;

	if (request->acknowledged)
		return 0; /* it fits the configuration: journal_open() */
	engine->changes.adopt = true;
	rc = candidate_validate(&engine->changes, err);
	return rc < 0 ? rc : refuse_foreign(engine, err);
}

static int make(struct engine *engine, struct request *request, struct error *err)
{
	return request->resumed ? remake(engine, request, err)
				: changes_make(engine, request, &engine->changes, err);
}

static int plan(struct engine *engine, const struct request *request, struct error *err)
{
	struct keys keys = {0};
	int rc = plan_keys(&engine->changes, &keys);

	if (rc == 0 && request->type != REQUEST_NAMES)
		rc = plan_job(engine, engine->job, &keys, err);
	keys_free(&keys);
	return rc;
}

static void fail(struct engine *engine, struct request *request, int rc, struct error *err)
{
	if (request->resumed) {
		give_up(engine, err);
		return;
	}
	request->info.number = 0;
	abandon(engine, request, rc, err);
}

/* A resumed one comes here when config.xml, edited by hand, has all of it. */
static void finish_unchanged(struct engine *engine, struct request *request)
{
	if (request->resumed)
		journal_confirm(engine->o.journal, request->info.number);
	clear_transaction(engine);
	request_finish(engine, request, 0, &(struct error){0});
}

void transaction_begin(struct engine *engine, struct request *request)
{
	struct error err = ERROR_INIT;
	int rc;

	engine->current = request;
	rc = make(engine, request, &err);
	if (rc < 0) {
		fail(engine, request, rc, &err);
	} else if (!candidate_dirty(&engine->changes)) {
		finish_unchanged(engine, request);
	} else {
		engine->job = job_new(&engine->running, &engine->changes, !request->acknowledged);
		engine->job->step = STEP_PLAN;
	}
}

/* Plan before recording: what the plan refuses is not to be in the journal. */
void transaction_prepare(struct engine *engine)
{
	struct request *request = engine->current;
	struct job *job = engine->job;
	struct error err = ERROR_INIT;
	int rc;

	if (job->step == STEP_PLAN) {
		job->step = STEP_RECORD;
		rc = plan(engine, request, &err);
	} else {
		job->step = STEP_WORK;
		rc = record(engine, request, &err);
	}
	if (rc < 0)
		fail(engine, request, rc, &err);
}

static void publish(struct engine *engine, struct request *request)
{
	struct keys keys = {0};
	struct error err = ERROR_INIT;

	if (candidate_publish(&engine->changes, engine->store) < 0)
		engine_log(engine, LOG_CRIT, "no memory to publish commit %llu",
			   (unsigned long long)request->info.number);
	settle_job(engine, engine->job);
	if (plan_keys(&engine->changes, &keys) == 0)
		settle_rest(engine, engine->job, &keys);
	/* what cannot be created now is no reason to have no names */
	for (size_t i = 0; i < keys.count && request->type == REQUEST_NAMES; i++)
		keys_add(&engine->missing, keys.at[i].tunnel_id, keys.at[i].session_id);
	keys_free(&keys);
	if (engine->o.journal)
		journal_confirm(engine->o.journal, request->info.number);
	engine->last_change = engine_now();
	engine_tell(engine, &(struct engine_event){.type = ENGINE_COMMIT,
						   .commit = &request->info,
						   .changes = &engine->changes});
	if (engine->o.journal && journal_maintain(engine->o.journal, engine->store, &err) < 0)
		engine_log(engine, LOG_WARNING, "%s", err.text);
}

void transaction_end(struct engine *engine)
{
	struct request *request = engine->current;
	struct job *job = engine->job;

	if (job->error.code && !job->undoing) {
		plan_undo(job);
		engine_schedule(engine);
		return;
	}
	if (job->undoing) {
		struct error err = job->error;

		settle_job(engine, job);
		if (sweep(engine, request))
			return;
		abandon(engine, request, err.os_errno ? -err.os_errno : -EINVAL, &err);
		return;
	}
	publish(engine, request);
	clear_transaction(engine);
	request_finish(engine, request, 0, &(struct error){0});
}

/* A commit that a kill interrupted between record and confirmation: carry it out, or revoke it. */
int transaction_resume(struct engine *engine, struct error *err)
{
	uint64_t number = engine->o.journal ? journal_pending(engine->o.journal) : 0;
	struct request *request;
	int rc;

	if (number == 0)
		return 0;
	request = request_new(engine, REQUEST_COMMIT, NULL, NULL, NULL);
	request->info.number = number;
	request->resumed = true;
	request->acknowledged = journal_pending_outlived_boot(engine->o.journal);
	rc = journal_resume(engine->o.journal, engine->store, &engine->changes, err);
	if (rc == 0)
		rc = changes_choose_names(engine, &engine->changes, err);
	if (rc < 0) {
		request_free(request);
		return rc;
	}
	engine_log(engine, LOG_NOTICE, "carrying out commit %llu, which was interrupted",
		   (unsigned long long)number);
	transaction_begin(engine, request);
	return 0;
}
