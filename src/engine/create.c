/* Creates tunnels and sessions, and reads them back. */
#include "engine/create.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/compare.h"
#include "engine/desired.h"
#include "engine/interface.h"
#include "engine/status.h"

static enum verdict judge_create(struct engine *engine, struct job *job, struct item *item,
				 const struct kernel_request *request)
{
	int os_errno = -request->result;
	enum status_reason reason;

	if (os_errno == EEXIST || (os_errno == ENODEV && job->strict) ||
	    (os_errno == EADDRINUSE && engine->agenda.removing.count)) {
		if (job_patient(engine, job))
			return VERDICT_AGAIN;
	}
	if (os_errno == ENODEV) {
		agenda_look_twice(&engine->agenda, &(struct key){item->key.tunnel_id, 0});
		item_wait(item, REASON_TUNNEL_NOT_UP, os_errno);
		return VERDICT_DONE;
	}
	reason = item_reason(engine, request->tunnel, &os_errno, job->strict);
	if (os_errno == EEXIST && !job->strict) /* it may already be as wanted: look */
		agenda_look(&engine->agenda, &item->key);
	if (reason == 0)
		return item_refuse_kernel(job, item, request);
	item_wait(item, reason, os_errno);
	return VERDICT_DONE;
}

/* The kernel acknowledges attributes that it ignores: compare what it reports. */
static enum verdict judge_read_back(struct job *job, size_t i, enum object object)
{
	const struct batch *batch = job->batch;
	int rc = batch->requests[2 * i + 1].result;
	const struct row *row;
	char text[160];

	if (rc < 0) {
		snprintf(text, sizeof(text), "the kernel accepted it but does not report it (%s)",
			 strerror(-rc));
		return item_refuse(job, batch->items[i], ERROR_KERNEL, -rc, text);
	}
	row = compare_kernel(object, &batch->want[i], &batch->found[i], true);
	if (!row)
		return VERDICT_DONE;
	snprintf(text, sizeof(text), "the kernel created it without its %s", row->leaf);
	return item_refuse(job, batch->items[i], ERROR_KERNEL, EPROTO, text);
}

static bool is_held(const struct engine *engine, const struct key *key)
{
	const struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);

	return entry && entry->held;
}

/*
 * The create failed, but the object exists as wanted: the kernel could not notify (before
 * 6.12.109), or the answer to an earlier try was lost.
 */
static bool came_about(const struct engine *engine, const struct job *job, size_t i,
		       enum object object)
{
	const struct batch *batch = job->batch;
	const struct item *item = batch->items[i];

	if (batch->requests[2 * i].result == -EEXIST && !item->lost)
		return false; /* somebody else's, or a predecessor that is not gone yet */
	return batch->requests[2 * i + 1].result == 0 && !is_held(engine, &item->key) &&
	       !compare_kernel(object, &batch->want[i], &batch->found[i], true);
}

static enum verdict finish_created(struct engine *engine, struct job *job, size_t i,
				   enum object object)
{
	struct batch *batch = job->batch;
	struct item *item = batch->items[i];
	const struct kernel_request *create = &batch->requests[2 * i], *get = create + 1;

	if (item_lost(item, ACTION_CREATE, create->result == 0 ? get->result : create->result))
		return VERDICT_AGAIN;
	if (create->result < 0 && !came_about(engine, job, i, object))
		return judge_create(engine, job, item, create);
	item->done |= ACTION_CREATE;
	job->blocked_since = 0;
	return judge_read_back(job, i, object);
}

static enum verdict finish_tunnel(struct engine *engine, struct job *job, size_t i)
{
	/* local-interface may have another address before the outcome is written */
	job->batch->items[i]->local = job->batch->want[i].tunnel.local_address;
	return finish_created(engine, job, i, OBJECT_TUNNEL);
}

static enum verdict finish_session(struct engine *engine, struct job *job, size_t i)
{
	return finish_created(engine, job, i, OBJECT_SESSION);
}

/* Create and read back. */
static void add_tunnel(struct engine *engine, struct job *job, struct item *item)
{
	struct batch *batch = job->batch;
	struct tunnel *want = &batch->want[batch->count].tunnel;
	int rc = want_tunnel(engine, job->to, item->key.tunnel_id, want), os_errno;
	enum status_reason reason;

	if (rc < 0) {
		reason = status_obstacle(engine, want, rc, &os_errno);
		item_wait(item, reason, os_errno);
		return;
	}
	batch_add(batch, KERNEL_TUNNEL_CREATE, &item->key)->tunnel = want;
	batch_add(batch, KERNEL_TUNNEL_GET, &item->key)->ret_tunnel =
		&batch->found[batch->count].tunnel;
	batch->items[batch->count++] = item;
}

enum verdict create_tunnels(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	struct item *item;

	while ((item = job_next(job, ACTION_CREATE, false)) != NULL) {
		if (is_held(engine, &item->key) && job_patient(engine, job))
			break;
		add_tunnel(engine, job, item);
		job->cursor++;
	}
	if (batch->count == 0)
		return item ? VERDICT_AGAIN : VERDICT_DONE;
	engine_submit(engine, batch->requests, batch->requested);
	return job_judge(engine, job, finish_tunnel);
}

/* ---- creating sessions */

static bool tunnel_there(struct engine *engine, struct job *job, uint32_t tunnel_id)
{
	const struct item *item = job_item(job, &(struct key){tunnel_id, 0});
	const struct tunnel_entry *entry;

	if (item && (item->todo & ACTION_CREATE))
		return (item->done & ACTION_CREATE) && item->reason == 0;
	entry = datastore_tunnel(engine->store, tunnel_id);
	return entry && entry->entry.in_kernel;
}

/* Is the id or the name of the session still being torn down? */
static bool session_blocked(const struct engine *engine, const struct item *item,
			    const struct session *want)
{
	const struct session_entry *entry;
	const struct kernel_link *link;

	if (is_held(engine, &item->key))
		return true;
	if (!(want->present & BIT(SESSION_INTERFACE_NAME)) || !engine->agenda.removing.count)
		return false;
	link = links_by_name(&engine->links, want->interface_name);
	entry = link ? datastore_session_by_index(engine->store, link->index) : NULL;
	return entry && entry->entry.held;
}

/* Create and read back. False: something blocks this one and all after it. */
static bool add_session(struct engine *engine, struct job *job, struct item *item)
{
	struct batch *batch = job->batch;
	struct session *want = &batch->want[batch->count].session;

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
	batch_add(batch, KERNEL_SESSION_CREATE, &item->key)->session = want;
	batch_add(batch, KERNEL_SESSION_GET, &item->key)->ret_session =
		&batch->found[batch->count].session;
	batch->items[batch->count++] = item;
	return true;
}

enum verdict create_sessions(struct engine *engine, struct job *job)
{
	struct batch *batch = job->batch;
	enum verdict verdict, links;
	struct item *item;

	while ((item = job_next(job, ACTION_CREATE, true)) != NULL) {
		if (!add_session(engine, job, item))
			break;
		job->cursor++;
	}
	if (batch->count == 0)
		return item ? VERDICT_AGAIN : VERDICT_DONE;
	engine_submit(engine, batch->requests, batch->requested);
	verdict = job_judge(engine, job, finish_session);
	if (verdict == VERDICT_REFUSED)
		return verdict;
	links = interface_set(engine, job);
	return worse(verdict, links);
}
