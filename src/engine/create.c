/* Creating tunnels and sessions, and reading back what was made of them. */
#include "engine/job.h"

#include <errno.h>

static enum outcome judge_create(struct engine *engine, struct job *job, struct item *item,
				 const struct kernel_request *request)
{
	int os_errno = -request->result;
	enum status_reason reason;

	if (os_errno == EEXIST || os_errno == ENODEV ||
	    (os_errno == EADDRINUSE && engine->removing.count)) {
		if (job_patient(engine, job))
			return OUTCOME_AGAIN;
		if (os_errno == ENODEV) {
			item_wait(item, REASON_TUNNEL_NOT_UP, os_errno);
			return OUTCOME_DONE;
		}
	}
	reason = item_reason(engine, request->tunnel, os_errno, job->strict);
	if (reason == 0)
		return item_refuse_kernel(job, item, request);
	item_wait(item, reason, os_errno);
	return OUTCOME_DONE;
}

/* The kernel answers 0 to what it ignores: compare what came back. */
static enum outcome judge_read_back(struct job *job, struct item *item, enum object object,
				    const struct kernel_request *get, const void *want,
				    const void *found)
{
	const struct row_set *set = &row_sets[object];
	char text[160];

	if (get->result < 0) {
		snprintf(text, sizeof(text), "the kernel took it, and does not show it (%s)",
			 strerror(-get->result));
		return item_refuse(job, item, ERROR_KERNEL, -get->result, text);
	}
	for (unsigned int i = 0; i < set->config_count; i++) {
		const struct row *row = &set->rows[i];

		if (row->wire == WIRE_NONE || codec_same_in_kernel(row, want, found))
			continue;
		snprintf(text, sizeof(text), "the kernel took it, but not its %s", row->leaf);
		return item_refuse(job, item, ERROR_KERNEL, EPROTO, text);
	}
	return OUTCOME_DONE;
}

/* Add create and read-back; false: it is settled that the item waits. */
static bool request_tunnel(struct engine *engine, struct job *job, struct item *item)
{
	struct batch *batch = job->batch;
	struct tunnel *want = &batch->want[batch->count].tunnel;
	int rc = want_tunnel(engine, job->to, item->key.tunnel_id, want);
	struct kernel_request *request;

	if (rc < 0) {
		item_wait(item, REASON_NO_INTERFACE_ADDRESS, -rc);
		return false;
	}
	request = batch_add(batch, KERNEL_TUNNEL_CREATE, item);
	request->tunnel = want;
	request = batch_add(batch, KERNEL_TUNNEL_GET, item);
	request->ret_tunnel = &batch->found[batch->count].tunnel;
	batch->items[batch->count++] = item;
	return true;
}

static bool tunnel_blocked(const struct engine *engine, const struct item *item)
{
	const struct tunnel_entry *entry = datastore_tunnel(engine->store, item->key.tunnel_id);
	return entry && entry->held;
}

static enum outcome finish_created(struct engine *engine, struct job *job, size_t i,
				   enum object object)
{
	struct batch *batch = job->batch;
	struct item *item = batch->items[i];

	if (batch->requests[2 * i].result < 0)
		return judge_create(engine, job, item, &batch->requests[2 * i]);
	item->done |= ACTION_CREATE;
	job->blocked_since = 0;
	return judge_read_back(job, item, object, &batch->requests[2 * i + 1], &batch->want[i],
			       &batch->found[i]);
}

/* The cursor goes back to the first item that must be tried again. */
static enum outcome finish_batch(struct engine *engine, struct job *job, enum object object)
{
	enum outcome all = OUTCOME_DONE;
	size_t again = job->cursor;

	for (size_t i = 0; i < job->batch->count; i++) {
		size_t place = (size_t)(job->batch->items[i] - job->items);
		enum outcome one = finish_created(engine, job, i, object);

		if (one == OUTCOME_AGAIN && place < again)
			again = place;
		all = worse(all, one);
	}
	job->cursor = again;
	return all;
}

enum outcome job_create_tunnels(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = job_next(job, ACTION_CREATE, false)) != NULL) {
		if (tunnel_blocked(engine, item) && job_patient(engine, job))
			break;
		request_tunnel(engine, job, item);
		job->cursor++;
	}
	if (batch->count == 0)
		return item ? OUTCOME_AGAIN : OUTCOME_DONE;
	engine_submit(engine, batch->requests, batch->requested, batch->count);
	return finish_batch(engine, job, OBJECT_TUNNEL);
}

/* ---- creating sessions */

static bool tunnel_there(struct engine *engine, struct job *job, uint32_t tunnel_id)
{
	const struct item *item = job_item(job, tunnel_id, 0);
	const struct tunnel_entry *entry;

	if (item && (item->todo & ACTION_CREATE))
		return (item->done & ACTION_CREATE) && item->reason == 0;
	entry = datastore_tunnel(engine->store, tunnel_id);
	return entry && entry->in_kernel;
}

/* Is the id or the name of the session still being torn down? */
static bool session_blocked(const struct engine *engine, const struct item *item,
			    const struct session *want)
{
	const struct session_entry *entry =
		datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);
	const struct kernel_link *link;

	if (entry && entry->held)
		return true;
	if (!(want->present & BIT(SESSION_INTERFACE_NAME)))
		return false;
	link = links_by_name(&engine->links, want->interface_name);
	entry = link ? datastore_session_by_index(engine->store, link->index) : NULL;
	return entry && entry->held;
}

static void request_session(struct job *job, struct item *item)
{
	struct batch *batch = job->batch;
	struct kernel_request *request;

	request = batch_add(batch, KERNEL_SESSION_CREATE, item);
	request->session = &batch->want[batch->count].session;
	request = batch_add(batch, KERNEL_SESSION_GET, item);
	request->ret_session = &batch->found[batch->count].session;
	batch->items[batch->count++] = item;
}

/* false: stop gathering, something blocks. */
static bool gather_session(struct engine *engine, struct job *job, struct item *item)
{
	struct session *want = &job->batch->want[job->batch->count].session;

	if (want_session(job->to, item->key.tunnel_id, item->key.session_id, want) < 0) {
		item->todo &= (uint8_t)~ACTION_CREATE;
		return true;
	}
	if (!tunnel_there(engine, job, item->key.tunnel_id)) {
		item_wait(item, REASON_TUNNEL_NOT_UP, 0);
		return true;
	}
	if (session_blocked(engine, item, want) && job_patient(engine, job))
		return false;
	request_session(job, item);
	return true;
}

enum outcome job_create_sessions(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	enum outcome outcome, links;
	struct item *item = NULL;

	while (batch->count < engine->batch &&
	       (item = job_next(job, ACTION_CREATE, true)) != NULL) {
		if (!gather_session(engine, job, item))
			break;
		job->cursor++;
	}
	if (batch->count == 0)
		return item ? OUTCOME_AGAIN : OUTCOME_DONE;
	engine_submit(engine, batch->requests, batch->requested, batch->count);
	outcome = finish_batch(engine, job, OBJECT_SESSION);
	if (outcome == OUTCOME_REFUSED)
		return outcome;
	links = job_set_links(engine, job, ACTION_CREATE);
	return worse(outcome, links);
}
