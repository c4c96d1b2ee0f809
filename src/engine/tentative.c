#include "engine/tentative.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define RETRY_NS (10 * NS_PER_S)

static bool journal_says(const struct engine *engine, uint64_t *ret_baseline)
{
	return engine->o.journal && journal_tentative(engine->o.journal, ret_baseline);
}

static void forget(struct tentative *tentative)
{
	free(tentative->persist);
	*tentative = (struct tentative){.serial = tentative->serial + 1};
}

/* Take it from the journal: no session is left that could confirm it. */
static void take_over(struct engine *engine, uint64_t baseline)
{
	struct tentative *tentative = &engine->tentative;

	forget(tentative);
	tentative->pending = true;
	tentative->baseline = baseline;
	tentative->undo_at = clock_now();
}

void tentative_open(struct engine *engine)
{
	uint64_t baseline;

	if (!journal_says(engine, &baseline))
		return;
	take_over(engine, baseline);
	tentative_undo(engine);
}

void tentative_close(struct engine *engine)
{
	forget(&engine->tentative);
}

/* ---- what is allowed meanwhile */

static bool is_of(const struct tentative *tentative, unsigned int session)
{
	return session != 0 && session == tentative->session;
}

/* Undoing it would also undo acknowledged writes of others. */
int tentative_check_write(const struct engine *engine, unsigned int session, struct error *err)
{
	const struct tentative *tentative = &engine->tentative;

	if (!tentative->pending || is_of(tentative, session))
		return 0;
	return error_set(err, ERROR_LOCKED,
			 "a confirmed commit is pending, which would take your change with it when "
			 "it is undone; wait until it is confirmed or cancelled");
}

static bool matches(const struct tentative *tentative, const char *persist_id)
{
	return tentative->pending && tentative->persist &&
	       strcmp(tentative->persist, persist_id) == 0;
}

static int refuse_persist_id(const struct tentative *tentative, struct error *err)
{
	int rc = error_set(err, ERROR_INVALID_VALUE, "%s",
			   tentative->pending
				   ? "this is not the persist-id of the confirmed commit that is "
				     "pending"
				   : "no confirmed commit is pending");

	if (err)
		snprintf(err->info, sizeof(err->info), "persist-id");
	return error_in_operation(err, rc);
}

int tentative_check_commit(const struct engine *engine, const struct request *request,
			   struct error *err)
{
	const struct tentative *tentative = &engine->tentative;
	const char *persist_id = request->confirm.persist_id;

	if (request->confirm.copies)
		return tentative_check_write(engine, request->session, err);
	if (request->confirm.confirmed && !engine->o.journal)
		return error_set(err, ERROR_UNSUPPORTED, "there is no history to go back to");
	if (persist_id)
		return matches(tentative, persist_id) ? 0 : refuse_persist_id(tentative, err);
	if (!tentative->pending && request->type == REQUEST_UNDO)
		return error_set(err, ERROR_NOT_PENDING, "no confirmed commit is pending");
	if (!tentative->pending || (is_of(tentative, request->session) && !tentative->persist))
		return 0;
	/* whoever may do everything: else a lost id would lock out all until its time is up */
	if (tentative->persist && request->type == REQUEST_UNDO && !request->policy)
		return 0;
	if (tentative->persist)
		return error_set(err, ERROR_LOCKED,
				 "a persistent confirmed commit is pending; give its persist-id");
	return error_set(
		err, ERROR_LOCKED,
		"a confirmed commit of session %u is pending; only that session can confirm "
		"or cancel it",
		tentative->session);
}

bool engine_awaits_confirmation(const struct engine *engine, unsigned int session)
{
	return engine->tentative.pending && !engine->tentative.persist &&
	       is_of(&engine->tentative, session);
}

bool engine_pending(const struct engine *engine, struct engine_pending *ret)
{
	const struct tentative *tentative = &engine->tentative;
	int64_t left = tentative->undo_at - clock_now();

	if (!tentative->pending)
		return false;
	*ret = (struct engine_pending){
		.session = tentative->persist ? 0 : tentative->session,
		.baseline = tentative->baseline,
		.left = left > 0 ? (uint32_t)(left / NS_PER_S) : 0,
	};
	return true;
}

/* ---- from request to record */

static bool confirms(const struct request *request)
{
	return request->type == REQUEST_COMMIT && request->which == ENGINE_CANDIDATE &&
	       !request->confirm.copies;
}

bool tentative_to_undo(const struct engine *engine, const struct request *request,
		       uint64_t *ret_baseline)
{
	const struct tentative *tentative = &engine->tentative;

	*ret_baseline = tentative->baseline;
	return tentative->pending && request->number == tentative->serial;
}

bool tentative_is_ended_by(const struct engine *engine, const struct request *request)
{
	uint64_t baseline;

	return ((confirms(request) && !request->confirm.confirmed) ||
		(request->type == REQUEST_UNDO && tentative_to_undo(engine, request, &baseline))) &&
	       journal_says(engine, &baseline);
}

/* A follow-up, and other writes of its session, keep the first baseline. */
void tentative_fill(const struct engine *engine, struct request *request)
{
	const struct tentative *tentative = &engine->tentative;
	struct commit_info *info = &request->info;

	if (request->type == REQUEST_UNDO)
		snprintf(info->comment, sizeof(info->comment), "%s: back to %" PRIu64,
			 request->session ? "cancelled" : "not confirmed", tentative->baseline);
	else if (tentative->pending && confirms(request) && !request->confirm.confirmed)
		snprintf(info->comment, sizeof(info->comment), "confirms all since %" PRIu64,
			 tentative->baseline);
	info->tentative = request->confirm.confirmed ||
			  (tentative->pending && !tentative_is_ended_by(engine, request));
	info->baseline = tentative->pending  ? tentative->baseline
			 : engine->o.journal ? journal_generation(engine->o.journal)
					     : 0;
}

/* ---- what became of it */

static void tell(struct engine *engine, enum engine_confirm_step step, const char *user,
		 unsigned int session)
{
	engine_tell(engine, &(struct engine_event){.type = ENGINE_CONFIRM,
						   .step = step,
						   .user = user,
						   .session = session});
}

static void begin(struct engine *engine, struct request *request)
{
	struct tentative *tentative = &engine->tentative;
	const struct request_confirm *confirm = &request->confirm;
	enum engine_confirm_step step = tentative->pending ? CONFIRM_EXTEND : CONFIRM_START;

	if (!tentative->pending)
		tentative->baseline = request->info.baseline;
	if (confirm->persist) {
		free(tentative->persist);
		tentative->persist = confirm->persist;
		request->confirm.persist = NULL;
	}
	tentative->pending = true;
	tentative->serial++;
	tentative->undoing = false;
	tentative->session = request->done ? request->session : 0; /* else it has ended */
	tentative->undo_at = clock_now() + confirm->timeout * NS_PER_S;
	if (!tentative->session && !tentative->persist)
		tentative->undo_at = 0;
	snprintf(tentative->user, sizeof(tentative->user), "%s", request->info.user);
	tentative->asker = request->session;
	engine_log(engine, LOG_NOTICE,
		   "the commit by %s must be confirmed within %" PRIu32
		   " s, or everything since commit %llu is undone",
		   request->info.user, confirm->timeout, (unsigned long long)tentative->baseline);
	engine_tell(engine, &(struct engine_event){.type = ENGINE_CONFIRM,
						   .step = step,
						   .user = request->info.user,
						   .session = request->session,
						   .timeout = confirm->timeout});
}

/* It ends by cancel-commit, with the session that asked for it, or because its time is up. */
static void tell_undone(struct engine *engine, const struct request *request)
{
	const struct tentative *tentative = &engine->tentative;

	if (request->session)
		tell(engine, CONFIRM_CANCEL, request->info.user, request->session);
	else if (tentative->asker && !tentative->session && !tentative->persist)
		tell(engine, CONFIRM_CANCEL, tentative->user, tentative->asker);
	else
		tell(engine, CONFIRM_TIMEOUT, NULL, 0);
}

static void undone(struct engine *engine, const struct request *request, int rc)
{
	struct tentative *tentative = &engine->tentative;

	if (request->number != tentative->serial)
		return;
	tentative->undoing = false;
	if (rc == 0) {
		tell_undone(engine, request);
		forget(tentative);
	} else {
		tentative->undo_at = clock_now() + RETRY_NS;
	}
}

static void complete(struct engine *engine, const struct request *request)
{
	tell(engine, CONFIRM_COMPLETE, request->info.user, request->session);
	forget(&engine->tentative);
}

void tentative_finish(struct engine *engine, struct request *request, int rc)
{
	struct tentative *tentative = &engine->tentative;
	uint64_t baseline;

	if (request->type == REQUEST_UNDO)
		undone(engine, request, rc);
	else if (rc == 0 && request->confirm.confirmed)
		begin(engine, request);
	else if (rc == 0 && confirms(request) && tentative->pending)
		complete(engine, request);
	/* the undoing was interrupted, and failed at the start */
	if (!tentative->pending && journal_says(engine, &baseline))
		take_over(engine, baseline);
}

void tentative_end_session(struct engine *engine, unsigned int session)
{
	struct tentative *tentative = &engine->tentative;

	if (!tentative->pending || !is_of(tentative, session))
		return;
	tentative->session = 0;
	if (tentative->persist)
		return;
	tentative->undo_at = 0;
	engine_schedule(engine);
}

/* ---- undoing */

int64_t tentative_due(const struct engine *engine)
{
	const struct tentative *tentative = &engine->tentative;

	return tentative->pending && !tentative->undoing ? tentative->undo_at : NEVER;
}

static void undo_done(int rc, const struct error *err, void *arg)
{
	struct engine *engine = arg;

	if (rc < 0)
		engine_log(engine, LOG_ERR,
			   "cannot undo the commit that was not confirmed: %s%s%s; will retry "
			   "in %d s",
			   err->path, err->path[0] ? ": " : "", err->text,
			   (int)(RETRY_NS / NS_PER_S));
}

void tentative_undo(struct engine *engine)
{
	struct tentative *tentative = &engine->tentative;

	tentative->undoing = request_undo(engine, tentative->serial, undo_done);
	if (tentative->undoing)
		engine_log(engine, LOG_WARNING,
			   "a commit was not confirmed: going back to the configuration of commit "
			   "%llu",
			   (unsigned long long)tentative->baseline);
	else
		tentative->undo_at = clock_now() + RETRY_NS;
}
