/*
 * Carries out a job in slices: phase by phase, and in each phase batch by batch, the items that
 * have something to do in it.
 */
#include "engine/job.h"

#include <errno.h>

#include "engine/batch.h"
#include "engine/create.h"
#include "engine/desired.h"
#include "engine/interface.h"
#include "engine/status.h"

/* ---- deleting */

static enum verdict finish_delete(struct engine *engine, struct job *job, size_t i)
{
	const struct kernel_request *request = &job->batch->requests[i];
	struct item *item = job->batch->items[i];

	if (item_lost(item, ACTION_DELETE, request->result))
		return VERDICT_AGAIN;
	if (request->result < 0 && request->result != -ENODEV)
		return item_refuse_kernel(job, item, request);
	item->done |= ACTION_DELETE;
	status_removing(engine, &item->key);
	for (struct item *next = item + 1;
	     item->key.session_id == 0 && next < job->items + job->count &&
	     next->key.tunnel_id == item->key.tunnel_id;
	     next++)
		if (next->todo & ACTION_CASCADE) {
			next->done |= ACTION_CASCADE;
			status_removing(engine, &next->key);
		}
	return VERDICT_DONE;
}

static enum verdict phase_delete(struct engine *engine, struct job *job, bool sessions)
{
	struct batch *batch = job->batch;
	struct item *item;

	while ((item = job_next(job, ACTION_DELETE, sessions)) != NULL) {
		batch_add(batch, sessions ? KERNEL_SESSION_DELETE : KERNEL_TUNNEL_DELETE,
			  &item->key);
		batch->items[batch->count++] = item;
		job->cursor++;
	}
	engine_submit(engine, batch->requests, batch->requested);
	return job_judge(engine, job, finish_delete);
}

/* ---- changing in place */

/* An error may only mean that the kernel could not notify (before 6.12.109): it may be done. */
static enum verdict finish_modify(struct engine *engine, struct job *job, size_t i)
{
	const struct kernel_request *request = &job->batch->requests[i];
	struct item *item = job->batch->items[i];

	(void)engine;
	if (item_lost(item, ACTION_MODIFY, request->result))
		return VERDICT_AGAIN;
	item->tried |= ACTION_MODIFY;
	if (request->result < 0)
		return item_refuse_kernel(job, item, request);
	item->done |= ACTION_MODIFY;
	return VERDICT_DONE;
}

static enum verdict phase_modify(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item;

	while ((item = job_next(job, ACTION_MODIFY, true)) != NULL) {
		struct session *want = &batch->want[batch->count].session;

		job->cursor++;
		if (want_session(job->to, item->key.tunnel_id, item->key.session_id, want) < 0)
			continue;
		batch_add(batch, KERNEL_SESSION_MODIFY, &item->key)->session = want;
		batch->items[batch->count++] = item;
	}
	engine_submit(engine, batch->requests, batch->requested);
	return job_judge(engine, job, finish_modify);
}

static enum verdict phase_link(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item;

	while ((item = job_next(job, ACTION_LINK, true)) != NULL) {
		job->cursor++;
		if (want_session(job->to, item->key.tunnel_id, item->key.session_id,
				 &batch->want[batch->count].session) == 0)
			batch->items[batch->count++] = item;
	}
	return interface_set(engine, job);
}

/* ---- slices */

static enum verdict run_batch(struct engine *engine, struct job *job)
{
	batch_empty(job->batch);
	switch (job->phase) {
	case PHASE_DELETE_SESSIONS:
		return phase_delete(engine, job, true);
	case PHASE_DELETE_TUNNELS:
		return phase_delete(engine, job, false);
	case PHASE_CREATE_TUNNELS:
		return create_tunnels(engine, job);
	case PHASE_CREATE_SESSIONS:
		return create_sessions(engine, job);
	case PHASE_MODIFY:
		return phase_modify(engine, job);
	case PHASE_LINK:
		return phase_link(engine, job);
	case PHASE_END:
		break;
	}
	return VERDICT_DONE;
}

/* Without the family everything waits: for the module, or for permission. */
static void wait_for_module(struct engine *engine, struct job *job)
{
	int os_errno = 0;
	enum status_reason reason = status_family(engine, &os_errno);

	for (size_t i = 0; reason && i < job->count; i++)
		item_wait(&job->items[i], reason, os_errno);
}

enum progress job_slice(struct engine *engine, struct job *job)
{
	int64_t start;
	enum verdict verdict;

	wait_for_module(engine, job);
	while (job->phase != PHASE_END) {
		start = clock_now();
		verdict = run_batch(engine, job);
		batch_fit(engine, job->batch, job->batch->count, clock_now() - start);
		if (verdict == VERDICT_REFUSED)
			return PROGRESS_DONE;
		if (verdict == VERDICT_AGAIN) {
			if (job->blocked_since == 0)
				job->blocked_since = clock_now();
			return PROGRESS_BLOCKED;
		}
		if (job->cursor >= job->count) {
			/*
			 * a delete can take a thousand times as long as other requests: begin with
			 * small batches
			 */
			job->batch->size = 1;
			job->phase++;
			job->cursor = 0;
			job->blocked_since = 0;
		}
		if (job->phase != PHASE_END && !engine_may_go_on(engine))
			return PROGRESS_MORE;
	}
	return PROGRESS_DONE;
}
