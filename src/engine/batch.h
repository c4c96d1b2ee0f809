/*
 * Batches of a job's items, whatever its phase: which go together, by the time
 * that the batch before took, and what became of each. For those who carry a job
 * out: job.c, create.c, interface.c. May call status, for the reason to wait.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/plan.h"

struct batch {
	size_t size; /* objects that the next may have */
	struct item *items[BATCH_MAX];
	size_t count;
	struct kernel_request requests[2 * BATCH_MAX];
	size_t requested;
	union config want[BATCH_MAX], found[BATCH_MAX];
	const struct kernel_request *link_requests[BATCH_MAX]; /* of the items; NULL none */
};

struct kernel_request *batch_add(struct batch *batch, enum kernel_verb verb, const struct key *key);
int batch_submit(struct engine *engine, struct batch *batch);

/* Size the next by what @objects took, whatever it was that took so long. */
void batch_fit(const struct engine *engine, struct batch *batch, size_t objects, int64_t took);

enum verdict { VERDICT_DONE, VERDICT_AGAIN, VERDICT_REFUSED }; /* from good to bad */

/* Of a batch every result counts, also those behind a refusal: they were carried out. */
static inline enum verdict worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

/*
 * The next item from the cursor on that has this to do, and nothing to wait for, into the batch's
 * next place; NULL at the end, or when the batch is full.
 */
struct item *job_next(struct job *job, uint8_t action, bool sessions);

/* Judge each item of the batch; the cursor goes back to the first that is to be tried again. */
typedef enum verdict item_judge(struct engine *engine, struct job *job, size_t i);
enum verdict job_judge(struct engine *engine, struct job *job, item_judge *judge);

/* Is it still worth waiting for an id or a name to become free? */
bool job_patient(const struct engine *engine, const struct job *job);

/*
 * What the surroundings lack and may yet provide, for @tunnel (NULL: a session) to be
 * created; 0: the configuration is at fault. Looks at them, as the errno alone does
 * not tell: *@os_errno becomes what belongs to the reason.
 */
enum status_reason item_reason(struct engine *engine, const struct tunnel *tunnel, int *os_errno,
			       bool strict);
void item_wait(struct item *item, enum status_reason reason, int os_errno);
/* Refused: a transaction ends with this error, a repair leaves the item failed. */
enum verdict item_refuse(struct job *job, struct item *item, enum error_code code, int os_errno,
			 const char *text);
enum verdict item_refuse_kernel(struct job *job, struct item *item,
				const struct kernel_request *request);

/*
 * Was the answer lost (kernel.h, submit)? Then the request is to be made once
 * more: it finds done what was done. Not without end.
 */
#define LOST_MAX 3
bool item_lost(struct item *item, enum action action, int result);

#endif
