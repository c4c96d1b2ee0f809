#include "engine/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request *request_new(struct engine *engine, enum request_type type,
			    const struct engine_who *who, engine_done_cb *done, void *arg)
{
	static const struct engine_who nobody = {.door = "daemon", .user = ""};
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	if (!who)
		who = &nobody;
	if (++engine->tickets == 0)
		engine->tickets = 1;
	request->ticket = engine->tickets;
	request->type = type;
	request->session = who->session;
	request->policy = policy_share(who->policy);
	request->done = done;
	request->arg = arg;
	candidate_open(&request->candidate, engine->store);
	candidate_open(&request->checked.changes, engine->store);
	snprintf(request->info.door, sizeof(request->info.door), "%s", who->door);
	snprintf(request->info.user, sizeof(request->info.user), "%s", who->user);
	snprintf(request->info.comment, sizeof(request->info.comment), "%s",
		 who->comment ? who->comment : "");
	return request;
}

void request_free(struct request *request)
{
	edit_free(request->edit);
	policy_drop(request->policy);
	candidate_discard(&request->candidate);
	candidate_discard(&request->checked.changes);
	free(request->partial);
	free(request->confirm.persist);
	free(request->confirm.persist_id);
	free(request);
}

void request_tell(struct engine *engine, struct request *request, int rc, const struct error *err)
{
	engine_done_cb *done = request->done;

	if (rc < 0)
		snprintf(engine->last_error, sizeof(engine->last_error), "%s%s%s", err->path,
			 err->path[0] ? ": " : "", err->text);
	request->done = NULL;
	if (done)
		done(rc, err, request->arg);
}

void request_finish(struct engine *engine, struct request *request, int rc, const struct error *err)
{
	request_tell(engine, request, rc, err);
	request_free(request);
}

/* Returns the ticket; 0 for NULL. */
static unsigned int enqueue(struct engine *engine, struct request *request)
{
	if (!request)
		return 0;
	TAILQ_INSERT_TAIL(&engine->requests, request, link);
	engine_schedule(engine);
	return request->ticket;
}

unsigned int engine_edit_checked(struct engine *engine, struct edit *edit,
				 struct engine_checked *checked, const struct engine_who *who,
				 engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_EDIT, who, done, arg);

	if (!request) {
		edit_free(edit);
		return 0;
	}
	request->edit = edit;
	edit->policy = request->policy;
	request->checked.store = checked->store;
	request->checked.links = checked->links;
	candidate_move(&request->checked.changes, &checked->changes);
	return enqueue(engine, request);
}

/* Of the datastore @which, with @edit, which may be NULL and is taken over. */
static struct request *new_for(struct engine *engine, enum request_type type,
			       enum engine_datastore which, struct edit *edit,
			       const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, type, who, done, arg);

	if (!request) {
		edit_free(edit);
		return NULL;
	}
	request->which = which;
	request->edit = edit;
	if (edit)
		edit->policy = request->policy;
	return request;
}

static unsigned int enqueue_for(struct engine *engine, enum request_type type,
				enum engine_datastore which, struct edit *edit,
				const struct engine_who *who, engine_done_cb *done, void *arg)
{
	return enqueue(engine, new_for(engine, type, which, edit, who, done, arg));
}

unsigned int engine_test(struct engine *engine, enum engine_datastore which, struct edit *edit,
			 const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = new_for(engine, REQUEST_CHECK, which, edit, who, done, arg);

	if (request)
		request->tests = true;
	return enqueue(engine, request);
}

unsigned int engine_validate(struct engine *engine, struct edit *edit, const struct engine_who *who,
			     engine_done_cb *done, void *arg)
{
	struct request *request =
		new_for(engine, REQUEST_CHECK, ENGINE_RUNNING, edit, who, done, arg);

	if (request) {
		request->tests = true;
		edit->policy = NULL;
	}
	return enqueue(engine, request);
}

unsigned int engine_stage(struct engine *engine, struct edit *edit, bool test,
			  const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = new_for(engine, test ? REQUEST_CHECK : REQUEST_EDIT,
					  ENGINE_CANDIDATE, edit, who, done, arg);

	if (request)
		request->then_edit = test;
	return enqueue(engine, request);
}

static bool copy_text(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

static unsigned int enqueue_confirm(struct engine *engine, enum request_type type,
				    const struct engine_confirm *confirm,
				    const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, type, who, done, arg);

	if (!request)
		return 0;
	request->which = ENGINE_CANDIDATE;
	request->confirm.confirmed = confirm->confirmed;
	request->confirm.copies = confirm->copies;
	request->confirm.timeout = confirm->timeout;
	if (!copy_text(confirm->persist, &request->confirm.persist) ||
	    !copy_text(confirm->persist_id, &request->confirm.persist_id)) {
		request_free(request);
		return 0;
	}
	return enqueue(engine, request);
}

unsigned int engine_commit_staged(struct engine *engine, const struct engine_confirm *confirm,
				  const struct engine_who *who, engine_done_cb *done, void *arg)
{
	return enqueue_confirm(engine, REQUEST_COMMIT, confirm, who, done, arg);
}

unsigned int engine_cancel(struct engine *engine, const char *persist_id,
			   const struct engine_who *who, engine_done_cb *done, void *arg)
{
	const struct engine_confirm confirm = {.persist_id = persist_id};

	return enqueue_confirm(engine, REQUEST_UNDO, &confirm, who, done, arg);
}

unsigned int engine_discard(struct engine *engine, const struct engine_who *who,
			    engine_done_cb *done, void *arg)
{
	return enqueue_for(engine, REQUEST_DISCARD, ENGINE_CANDIDATE, NULL, who, done, arg);
}

unsigned int engine_settle_candidate(struct engine *engine, const struct engine_who *who,
				     engine_done_cb *done, void *arg)
{
	return enqueue_for(engine, REQUEST_SETTLE, ENGINE_CANDIDATE, NULL, who, done, arg);
}

unsigned int engine_edit(struct engine *engine, struct edit *edit, const struct engine_who *who,
			 engine_done_cb *done, void *arg)
{
	struct engine_checked unchecked = {.changes.running = engine->store};

	return engine_edit_checked(engine, edit, &unchecked, who, done, arg);
}

unsigned int engine_commit(struct engine *engine, struct candidate *candidate,
			   const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_COMMIT, who, done, arg);

	if (request)
		candidate_move(&request->candidate, candidate);
	return enqueue(engine, request);
}

static unsigned int enqueue_number(struct engine *engine, enum request_type type, uint64_t number,
				   const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, type, who, done, arg);

	if (request)
		request->number = number;
	return enqueue(engine, request);
}

unsigned int engine_adopt(struct engine *engine, uint32_t tunnel_id, const struct engine_who *who,
			  engine_done_cb *done, void *arg)
{
	return enqueue_number(engine, REQUEST_ADOPT, tunnel_id, who, done, arg);
}

unsigned int engine_rollback(struct engine *engine, const struct engine_way_back *way,
			     const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_ROLLBACK, who, done, arg);

	if (request) {
		request->number = way->number;
		request->reverts = way->reverts;
		request->which = way->stages ? ENGINE_CANDIDATE : ENGINE_RUNNING;
	}
	return enqueue(engine, request);
}

unsigned int engine_resync(struct engine *engine, engine_done_cb *done, void *arg)
{
	return enqueue_number(engine, REQUEST_RESYNC, 0, NULL, done, arg);
}

unsigned int engine_lock(struct engine *engine, enum engine_datastore which,
			 const struct engine_who *who, engine_done_cb *done, void *arg)
{
	return enqueue_for(engine, REQUEST_LOCK, which, NULL, who, done, arg);
}

unsigned int engine_lock_parts(struct engine *engine, struct engine_partial *partial,
			       const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_LOCK, who, done, arg);

	if (request)
		request->partial = partial;
	else
		free(partial);
	return enqueue(engine, request);
}

bool request_undo(struct engine *engine, uint64_t serial, engine_done_cb *done)
{
	struct request *request = request_new(engine, REQUEST_UNDO, NULL, done, engine);

	if (!request)
		return false;
	request->number = serial;
	TAILQ_INSERT_HEAD(&engine->requests, request, link);
	engine_schedule(engine);
	return true;
}

bool request_names(struct engine *engine)
{
	const struct engine_who who = {
		.door = "daemon", .user = "", .comment = "interface names chosen"};

	return enqueue_number(engine, REQUEST_NAMES, 0, &who, NULL, NULL) != 0;
}
