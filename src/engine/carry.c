#include "engine/carry.h"

#include <errno.h>

#include "engine/status.h"

#define BLOCKED_NS      (3 * NS_PER_S)   /* how long an id or name may stay taken ... */
#define BLOCKED_EACH_NS (60 * 1000000LL) /* ... and for each object still being torn down */
#define LOST_MAX        3                /* answers of one item */

enum status_reason item_reason(struct engine *engine, const struct tunnel *tunnel, int os_errno,
			       bool strict)
{
	enum status_reason reason;

	switch (os_errno) {
	case ENETUNREACH:
	case EHOSTUNREACH:
		return REASON_NO_ROUTE;
	case EADDRNOTAVAIL:
		/* ready by now, or still absent: the address is what it waits for */
		reason = tunnel ? status_address(engine, &tunnel->local_address) : 0;
		return reason ? reason : REASON_NO_LOCAL_ADDRESS;
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
	int64_t patience = BLOCKED_NS + (int64_t)engine->agenda.removing.count * BLOCKED_EACH_NS;

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

static bool in_phase(const struct item *item, uint8_t action, bool sessions)
{
	return (item->todo & action) && !(item->done & action) && item->reason == 0 &&
	       (item->key.session_id != 0) == sessions;
}

struct item *job_next(struct job *job, uint8_t action, bool sessions)
{
	if (job->batch->count >= job->batch->size)
		return NULL;
	while (job->cursor < job->count && !in_phase(&job->items[job->cursor], action, sessions))
		job->cursor++;
	return job->cursor < job->count ? &job->items[job->cursor] : NULL;
}
