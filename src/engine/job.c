/*
 * Carrying out a job, a slice at a time: phase after phase, in each phase batch
 * after batch of the items that have something to do in it.
 */
#include "engine/job.h"

#include <errno.h>

#define BLOCKED_NS      (3 * NS_PER_S)   /* how long an id or name may stay taken ... */
#define BLOCKED_EACH_NS (60 * 1000000LL) /* ... and for each object still being torn down */
#define LOST_MAX        3                /* answers of one item */

bool engine_connect(struct engine *engine, struct error *err)
{
	int rc;

	if (engine->connected)
		return true;
	rc = engine->k->connect(engine->o.kernel, err);
	engine->connected = rc == 0;
	if (engine->connected && engine->reconnect) {
		engine->reconnect = false;
		engine->resync = true;
	}
	if (err)
		err->os_errno = -rc;
	return engine->connected;
}

/* The module was unloaded: the family is gone, or will have another number. */
static bool family_gone(const struct kernel_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (requests[i].verb <= KERNEL_SESSION_GET && requests[i].result == -ENOENT)
			return true;
	return false;
}

int engine_submit(struct engine *engine, struct kernel_request *requests, size_t count)
{
	int rc = engine->k->submit(engine->o.kernel, requests, count);

	if (engine->connected && family_gone(requests, count)) {
		engine->connected = false;
		engine->reconnect = engine->resync = true;
	}
	return rc;
}

/* ---- outcomes */

static enum status_reason address_reason(struct engine *engine, const struct tunnel *tunnel)
{
	enum kernel_address_state state =
		engine->k->address_state(engine->o.kernel, &tunnel->local_address);

	return state == ADDRESS_TENTATIVE ? REASON_ADDRESS_TENTATIVE : REASON_NO_LOCAL_ADDRESS;
}

enum status_reason item_reason(struct engine *engine, const struct tunnel *tunnel, int os_errno,
			       bool strict)
{
	switch (os_errno) {
	case ENETUNREACH:
	case EHOSTUNREACH:
		return REASON_NO_ROUTE;
	case EADDRNOTAVAIL:
		return tunnel ? address_reason(engine, tunnel) : REASON_NO_LOCAL_ADDRESS;
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
	case ENOENT:
		return REASON_MODULE_MISSING;
	case EPERM:
		return REASON_NO_PERMISSION;
	case EADDRINUSE:
		return strict ? 0 : REASON_ADDRESS_IN_USE;
	default:
		return 0;
	}
}

void item_wait(struct item *item, enum status_reason reason, int os_errno)
{
	item->reason = (uint8_t)reason;
	item->os_errno = (int16_t)os_errno;
}

enum outcome item_refuse(struct job *job, struct item *item, enum error_code code, int os_errno,
			 const char *text)
{
	item_wait(item, REASON_KERNEL_ERROR, os_errno);
	if (!job->strict)
		return OUTCOME_DONE;
	if (job->error.code)
		return OUTCOME_REFUSED; /* the first refusal is the one to tell */
	error_at_entry(&job->error, item->key.tunnel_id, item->key.session_id, NULL);
	error_set(&job->error, code, "%s", text);
	job->error.os_errno = os_errno;
	return OUTCOME_REFUSED;
}

enum outcome item_refuse_kernel(struct job *job, struct item *item,
				const struct kernel_request *request)
{
	char text[KERNEL_EXPLAIN_MAX];

	kernel_explain(request->verb, request->result, request->tunnel, request->session, text);
	return item_refuse(job, item,
			   request->result == -EEXIST || request->result == -EADDRINUSE
				   ? ERROR_FOREIGN
				   : ERROR_KERNEL,
			   -request->result, text);
}

bool job_patient(const struct engine *engine, const struct job *job)
{
	int64_t patience = BLOCKED_NS + (int64_t)engine->removing.count * BLOCKED_EACH_NS;

	return job->blocked_since == 0 || engine_now() - job->blocked_since < patience;
}

bool item_lost(struct item *item, enum action action, int result)
{
	if (result != -EIO || item->lost >= LOST_MAX)
		return false;
	item->lost++;
	item->tried |= (uint8_t)action;
	return true;
}

enum outcome job_judge(struct engine *engine, struct job *job, item_judge *judge)
{
	enum outcome all = OUTCOME_DONE;
	size_t again = job->cursor;

	for (size_t i = 0; i < job->batch->count; i++) {
		size_t place = (size_t)(job->batch->items[i] - job->items);
		enum outcome one = judge(engine, job, i);

		if (one == OUTCOME_AGAIN && place < again)
			again = place;
		all = worse(all, one);
	}
	job->cursor = again;
	return all;
}

/* ---- gathering a batch */

static bool in_phase(const struct item *item, uint8_t action, bool sessions)
{
	return (item->todo & action) && !(item->done & action) && item->reason == 0 &&
	       (item->key.session_id != 0) == sessions;
}

struct item *job_next(struct job *job, uint8_t action, bool sessions)
{
	while (job->cursor < job->count && !in_phase(&job->items[job->cursor], action, sessions))
		job->cursor++;
	return job->cursor < job->count ? &job->items[job->cursor] : NULL;
}

struct kernel_request *batch_add(struct batch *batch, enum kernel_verb verb,
				 const struct item *item)
{
	struct kernel_request *request = &batch->requests[batch->requested++];

	*request = (struct kernel_request){
		.verb = verb, .tunnel_id = item->key.tunnel_id, .session_id = item->key.session_id};
	return request;
}

/* ---- deleting */

static enum outcome finish_delete(struct engine *engine, struct job *job, size_t i)
{
	const struct kernel_request *request = &job->batch->requests[i];
	struct item *item = job->batch->items[i];

	if (item_lost(item, ACTION_DELETE, request->result))
		return OUTCOME_AGAIN;
	if (request->result < 0 && request->result != -ENODEV)
		return item_refuse_kernel(job, item, request);
	item->done |= ACTION_DELETE;
	settle_deleted(engine, &item->key);
	for (struct item *next = item + 1;
	     item->key.session_id == 0 && next < job->items + job->count &&
	     next->key.tunnel_id == item->key.tunnel_id;
	     next++)
		if (next->todo & ACTION_CASCADE) {
			next->done |= ACTION_CASCADE;
			settle_deleted(engine, &next->key);
		}
	return OUTCOME_DONE;
}

static enum outcome phase_delete(struct engine *engine, struct job *job, bool sessions)
{
	struct batch *batch = job->batch;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = job_next(job, ACTION_DELETE, sessions)) != NULL) {
		batch_add(batch, sessions ? KERNEL_SESSION_DELETE : KERNEL_TUNNEL_DELETE, item);
		batch->items[batch->count++] = item;
		job->cursor++;
	}
	engine_submit(engine, batch->requests, batch->requested);
	return job_judge(engine, job, finish_delete);
}

/* ---- changing in place */

/* The kernel fails after it is done, when it cannot notify (before 6.12.109). */
static enum outcome finish_modify(struct engine *engine, struct job *job, size_t i)
{
	const struct kernel_request *request = &job->batch->requests[i];
	struct item *item = job->batch->items[i];

	(void)engine;
	if (item_lost(item, ACTION_MODIFY, request->result))
		return OUTCOME_AGAIN;
	item->tried |= ACTION_MODIFY;
	if (request->result < 0)
		return item_refuse_kernel(job, item, request);
	item->done |= ACTION_MODIFY;
	return OUTCOME_DONE;
}

static enum outcome phase_modify(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = job_next(job, ACTION_MODIFY, true)) != NULL) {
		struct session *want = &batch->want[batch->count].session;

		job->cursor++;
		if (want_session(job->to, item->key.tunnel_id, item->key.session_id, want) < 0)
			continue;
		batch_add(batch, KERNEL_SESSION_MODIFY, item)->session = want;
		batch->items[batch->count++] = item;
	}
	engine_submit(engine, batch->requests, batch->requested);
	return job_judge(engine, job, finish_modify);
}

static enum outcome phase_link(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item = NULL;

	while (batch->count < engine->batch && (item = job_next(job, ACTION_LINK, true)) != NULL) {
		job->cursor++;
		if (want_session(job->to, item->key.tunnel_id, item->key.session_id,
				 &batch->want[batch->count].session) == 0)
			batch->items[batch->count++] = item;
	}
	return job_set_links(engine, job);
}

/* ---- slices */

static enum outcome run_batch(struct engine *engine, struct job *job)
{
	job->batch->count = job->batch->requested = 0;
	switch (job->phase) {
	case PHASE_DELETE_SESSIONS:
		return phase_delete(engine, job, true);
	case PHASE_DELETE_TUNNELS:
		return phase_delete(engine, job, false);
	case PHASE_CREATE_TUNNELS:
		return job_create_tunnels(engine, job);
	case PHASE_CREATE_SESSIONS:
		return job_create_sessions(engine, job);
	case PHASE_MODIFY:
		return phase_modify(engine, job);
	case PHASE_LINK:
		return phase_link(engine, job);
	case PHASE_END:
		break;
	}
	return OUTCOME_DONE;
}

/* No family, no work: everything that should be created waits for the module. */
static void wait_for_module(struct engine *engine, struct job *job)
{
	struct error err = ERROR_INIT;
	enum status_reason reason;

	if (engine_connect(engine, &err))
		return;
	reason = err.os_errno == EPERM ? REASON_NO_PERMISSION : REASON_MODULE_MISSING;
	for (size_t i = 0; i < job->count; i++)
		item_wait(&job->items[i], reason, err.os_errno);
}

/* A delete can take a thousand times what another request takes: feel the way in each phase. */
static void next_phase(struct engine *engine, struct job *job)
{
	engine->batch = 1;
	job->phase++;
	job->cursor = 0;
	job->blocked_since = 0;
}

/* @usual, or half of it while somebody polls. */
static int64_t not_longer_than(const struct engine *engine, int64_t usual)
{
	bool polled = engine->polled_at && engine_now() - engine->polled_at < POLLED_NS;

	return polled ? usual / 2 : usual;
}

/* The next batch, by what this one took, whatever it was that took so long. */
static void size_batch(struct engine *engine, size_t objects, int64_t took)
{
	int64_t most = not_longer_than(engine, BATCH_NS);

	if (took > most)
		engine->batch = (size_t)((int64_t)engine->batch * most / took);
	else if (took < most / 3 && objects >= engine->batch)
		engine->batch *= 2;
	engine->batch = engine->batch < 1 ? 1 : engine->batch;
	engine->batch = engine->batch > BATCH_MAX ? BATCH_MAX : engine->batch;
}

static enum outcome sized_batch(struct engine *engine, struct job *job)
{
	int64_t begin = engine_now();
	enum outcome outcome = run_batch(engine, job);

	size_batch(engine, job->batch->count, engine_now() - begin);
	return outcome;
}

bool job_slice(struct engine *engine, struct job *job)
{
	int64_t begin = engine_now();

	if (!job->batch) {
		job->batch = calloc(1, sizeof(*job->batch));
		engine->batch = 1;
	}
	if (!job->batch) {
		error_set(&job->error, ERROR_RESOURCE, "no memory for kernel requests");
		return true;
	}
	wait_for_module(engine, job);
	while (job->phase != PHASE_END) {
		switch (sized_batch(engine, job)) {
		case OUTCOME_REFUSED:
			return true;
		case OUTCOME_AGAIN:
			if (job->blocked_since == 0)
				job->blocked_since = engine_now();
			return false;
		case OUTCOME_DONE:
			break;
		}
		if (job->cursor >= job->count)
			next_phase(engine, job);
		if (engine_now() - begin > not_longer_than(engine, SLICE_NS))
			return job->phase == PHASE_END;
	}
	return true;
}
