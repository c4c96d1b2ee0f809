#include "engine/batch.h"

#include <errno.h>

#include "engine/status.h"

#define BLOCKED_NS (3 * NS_PER_S) /* wait this long for an id or a name to become free ... */
#define BLOCKED_EACH_NS                                                                            \
	(60 * 1000000LL) /* ... plus this for each object still being torn down                    \
			  */

/* ---- a batch */

struct kernel_request *batch_add(struct batch *batch, enum kernel_verb verb, const struct key *key)
{
	struct kernel_request *request = &batch->requests[batch->requested++];

	*request = (struct kernel_request){
		.verb = verb, .tunnel_id = key->tunnel_id, .session_id = key->session_id};
	return request;
}

void batch_fit(const struct engine *engine, struct batch *batch, size_t objects, int64_t took)
{
	int64_t most = engine_share(engine, BATCH_NS);

	if (took > most)
		batch->size = (size_t)((int64_t)batch->size * most / took);
	else if (took < most / 3 && objects >= batch->size)
		batch->size *= 2;
	batch->size = batch->size < 1 ? 1 : batch->size;
	batch->size = batch->size > BATCH_MAX ? BATCH_MAX : batch->size;
}

void batch_empty(struct batch *batch)
{
	batch->count = batch->requested = 0;
	batch->used = batch->used < batch->size ? batch->size : batch->used;
}

void batch_wipe(struct batch *batch)
{
	explicit_bzero(batch->want, batch->used * sizeof(batch->want[0]));
	explicit_bzero(batch->found, batch->used * sizeof(batch->found[0]));
	batch->used = 0;
}

/* ---- its items */

enum status_reason item_reason(struct engine *engine, const struct tunnel *tunnel, int *os_errno,
			       bool strict)
{
	enum status_reason reason;
	int found;

	switch (*os_errno) {
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
	case ENOENT:
		return REASON_MODULE_MISSING;
	case EPERM:
		return REASON_NO_PERMISSION;
	case EADDRINUSE:
		return strict ? 0 : REASON_ADDRESS_IN_USE;
	}
	engine->asked.slice = 0; /* what was told before it was refused is no longer true */
	reason = tunnel ? status_obstacle(engine, tunnel, 0, &found) : 0;
	if (reason) {
		*os_errno = found;
		return reason;
	}
	/* it may exist by now, and is retried soon */
	if (*os_errno == EADDRNOTAVAIL)
		return REASON_NO_LOCAL_ADDRESS;
	/* by a rule that no look-up shows; over IPv4 the peer may be a broadcast address */
	if (*os_errno == EACCES && tunnel && tunnel->remote_address.family == AF_INET6)
		return REASON_NO_ROUTE;
	return *os_errno == ENETUNREACH || *os_errno == EHOSTUNREACH ? REASON_NO_ROUTE : 0;
}

void item_wait(struct item *item, enum status_reason reason, int os_errno)
{
	item->reason = (uint8_t)reason;
	item->os_errno = (int16_t)os_errno;
}

enum verdict item_refuse(struct job *job, struct item *item, enum error_code code, int os_errno,
			 const char *text)
{
	item_wait(item, REASON_KERNEL_ERROR, os_errno);
	if (!job->strict)
		return VERDICT_DONE;
	if (job->error.code)
		return VERDICT_REFUSED; /* report the first refusal */
	error_at_entry(&job->error, item->key.tunnel_id, item->key.session_id, NULL);
	error_set(&job->error, code, "%s", text);
	job->error.os_errno = os_errno;
	return VERDICT_REFUSED;
}

enum verdict item_refuse_kernel(struct job *job, struct item *item,
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
	int64_t patience = BLOCKED_NS + (int64_t)engine->agenda.removing.count * BLOCKED_EACH_NS;

	return job->blocked_since == 0 || clock_now() - job->blocked_since < patience;
}

bool item_lost(struct item *item, enum action action, int rc)
{
	if (rc != -EIO || item->lost >= LOST_MAX)
		return false;
	item->lost++;
	item->tried |= (uint8_t)action;
	return true;
}

enum verdict job_judge(struct engine *engine, struct job *job, item_judge *judge)
{
	enum verdict all = VERDICT_DONE;
	size_t again = job->cursor;

	for (size_t i = 0; i < job->batch->count; i++) {
		size_t place = (size_t)(job->batch->items[i] - job->items);
		enum verdict one = judge(engine, job, i);

		if (one == VERDICT_AGAIN && place < again)
			again = place;
		all = worse(all, one);
		job->began = job->began || job->batch->items[i]->done;
	}
	job->cursor = again;
	return all;
}

struct item *job_next(struct job *job, uint8_t action, bool sessions)
{
	struct item *item;

	for (; job->batch->count < job->batch->size && job->cursor < job->count; job->cursor++) {
		item = &job->items[job->cursor];
		if ((item->todo & action) && !(item->done & action) && item->reason == 0 &&
		    (item->key.session_id != 0) == sessions)
			return item;
	}
	return NULL;
}
