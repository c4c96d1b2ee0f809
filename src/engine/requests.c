/* What the doors ask for, in a queue. */
#include "engine/internal.h"

struct request *request_new(struct engine *engine, enum request_type type,
			    const struct engine_who *who, engine_done_cb *done, void *arg)
{
	static struct engine_who nobody = {"daemon", "", NULL, 0};
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		abort(); /* a page could not be had: nothing sensible can be promised */
	if (!who)
		who = &nobody;
	request->type = type;
	request->session = who->session;
	request->done = done;
	request->arg = arg;
	candidate_open(&request->candidate, engine->store);
	snprintf(request->info.door, sizeof(request->info.door), "%s", who->door);
	snprintf(request->info.user, sizeof(request->info.user), "%s", who->user);
	snprintf(request->info.comment, sizeof(request->info.comment), "%s",
		 who->comment ? who->comment : "");
	return request;
}

static unsigned int enqueue(struct engine *engine, struct request *request)
{
	if (++engine->tickets == 0)
		engine->tickets = 1;
	request->ticket = engine->tickets;
	TAILQ_INSERT_TAIL(&engine->requests, request, link);
	engine_schedule(engine);
	return request->ticket;
}

void request_free(struct request *request)
{
	edit_free(request->edit);
	candidate_discard(&request->candidate);
	free(request);
}

void request_finish(struct engine *engine, struct request *request, int rc, const struct error *err)
{
	if (rc < 0)
		snprintf(engine->last_error, sizeof(engine->last_error), "%s%s%s", err->path,
			 err->path[0] ? ": " : "", err->text);
	if (request->done)
		request->done(rc, err, request->arg);
	request_free(request);
}

unsigned int engine_edit(struct engine *engine, struct edit *edit, const struct engine_who *who,
			 engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_EDIT, who, done, arg);

	request->edit = edit;
	return enqueue(engine, request);
}

unsigned int engine_commit(struct engine *engine, struct candidate *candidate,
			   const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_COMMIT, who, done, arg);

	candidate_move(&request->candidate, candidate);
	return enqueue(engine, request);
}

unsigned int engine_adopt(struct engine *engine, uint32_t tunnel_id, const struct engine_who *who,
			  engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_ADOPT, who, done, arg);

	request->number = tunnel_id;
	return enqueue(engine, request);
}

unsigned int engine_rollback(struct engine *engine, uint64_t number, const struct engine_who *who,
			     engine_done_cb *done, void *arg)
{
	struct request *request = request_new(engine, REQUEST_ROLLBACK, who, done, arg);

	request->number = number;
	return enqueue(engine, request);
}

unsigned int engine_resync(struct engine *engine, engine_done_cb *done, void *arg)
{
	return enqueue(engine, request_new(engine, REQUEST_RESYNC, NULL, done, arg));
}

unsigned int engine_lock(struct engine *engine, const struct engine_who *who, engine_done_cb *done,
			 void *arg)
{
	return enqueue(engine, request_new(engine, REQUEST_LOCK, who, done, arg));
}

void request_names(struct engine *engine)
{
	const struct engine_who who = {"daemon", "", "interface names chosen", 0};

	enqueue(engine, request_new(engine, REQUEST_NAMES, &who, NULL, NULL));
}

void engine_forget(struct engine *engine, unsigned int ticket)
{
	struct request *request;

	if (engine->current && engine->current->ticket == ticket)
		engine->current->done = NULL;
	TAILQ_FOREACH (request, &engine->requests, link)
		if (request->ticket == ticket)
			request->done = NULL;
}
