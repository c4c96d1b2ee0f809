/* What job.c, create.c and interface.c share: batches of requests and their outcomes. */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include "engine/internal.h"

struct batch {
	struct item *items[BATCH_MAX];
	size_t count;
	struct kernel_request requests[2 * BATCH_MAX];
	size_t requested;
	union config want[BATCH_MAX], found[BATCH_MAX];
	const struct kernel_request *link_requests[BATCH_MAX]; /* of the items; NULL none */
};

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_REFUSED }; /* from good to bad */

/* Of a batch every result counts, also those behind a refusal: they were carried out. */
static inline enum outcome worse(enum outcome a, enum outcome b)
{
	return a > b ? a : b;
}

/* The next item from the cursor on that has this to do, and nothing to wait for; NULL at the end.
 */
struct item *job_next(struct job *job, uint8_t action, bool sessions);
struct kernel_request *batch_add(struct batch *batch, enum kernel_verb verb,
				 const struct item *item);

/* Is it still worth waiting for an id or a name to become free? */
bool job_patient(const struct engine *engine, const struct job *job);

/* What the surroundings lack and may yet provide, by errno; 0: the configuration is at fault. */
enum status_reason item_reason(struct engine *engine, const struct tunnel *tunnel, int os_errno,
			       bool strict);
void item_wait(struct item *item, enum status_reason reason, int os_errno);
/* Refused: a transaction ends with this error, a repair leaves the item failed. */
enum outcome item_refuse(struct job *job, struct item *item, enum error_code code, int os_errno,
			 const char *text);
enum outcome item_refuse_kernel(struct job *job, struct item *item,
				const struct kernel_request *request);

/*
 * Was the answer lost (kernel.h, submit)? Then the request is to be made once
 * more: it finds done what was done. Not without end.
 */
bool item_lost(struct item *item, enum action action, int result);

/* Judge each item of the batch; the cursor goes back to the first that is to be tried again. */
typedef enum outcome item_judge(struct engine *engine, struct job *job, size_t i);
enum outcome job_judge(struct engine *engine, struct job *job, item_judge *judge);

/* create.c: one batch of the phase */
enum outcome job_create_tunnels(struct engine *engine, struct job *job);
enum outcome job_create_sessions(struct engine *engine, struct job *job);

/*
 * interface.c: set up the interfaces of the sessions in the batch that were
 * just created, or are to have theirs changed.
 */
enum outcome job_set_links(struct engine *engine, struct job *job);

#endif
