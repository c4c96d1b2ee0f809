/*
 * Batches of a job's items, whatever the phase: how many go together, judged by the time that the
 * last batch took, and the result of each. For those who carry out a job: job.c, create.c,
 * interface.c. May call status, for the reason to wait.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/plan.h"

struct batch {
	size_t size; /* objects in the next batch at most */
	struct item *items[BATCH_MAX];
	size_t count;
	struct kernel_request requests[2 * BATCH_MAX];
	size_t requested;
	union config want[BATCH_MAX], found[BATCH_MAX];
	size_t used; /* so many of both hold something, cookies perhaps */
	const struct kernel_request *link_requests[BATCH_MAX]; /* of the items; NULL: none */
};

struct kernel_request *batch_add(struct batch *batch, enum kernel_verb verb, const struct key *key);

/* Choose the size of the next batch by the time that @objects took. */
void batch_fit(const struct engine *engine, struct batch *batch, size_t objects, int64_t took);

void batch_empty(struct batch *batch); /* for other items */
void batch_wipe(struct batch *batch);  /* what it held */

enum verdict { VERDICT_DONE, VERDICT_AGAIN, VERDICT_REFUSED }; /* from best to worst */

/* Every result of a batch counts, even after a refusal, for all were carried out. */
static inline enum verdict worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

/*
 * Take the next item from the cursor on that has this to do, and need not wait, into the batch.
 * NULL at the end, or when the batch is full.
 */
struct item *job_next(struct job *job, uint8_t action, bool sessions);

/* Judge each item of the batch; the cursor goes back to the first one to retry. */
typedef enum verdict item_judge(struct engine *engine, struct job *job, size_t i);
enum verdict job_judge(struct engine *engine, struct job *job, item_judge *judge);

/* Is it still worth waiting for an id or a name to become free? */
bool job_patient(const struct engine *engine, const struct job *job);

/*
 * What the surroundings still lack for creating @tunnel (NULL: a session); 0: the configuration is
 * at fault. The errno alone does not tell, so this looks at the surroundings; *@os_errno becomes
 * the errno that belongs to the reason.
 */
enum status_reason item_reason(struct engine *engine, const struct tunnel *tunnel, int *os_errno,
			       bool strict);
void item_wait(struct item *item, enum status_reason reason, int os_errno);
/* Refused: ends a transaction with this error; in a repair the item fails. */
enum verdict item_refuse(struct job *job, struct item *item, enum error_code code, int os_errno,
			 const char *text);
enum verdict item_refuse_kernel(struct job *job, struct item *item,
				const struct kernel_request *request);

/*
 * Was the answer lost (kernel.h, submit)? Then repeat the request, which will find what was done;
 * but not for ever.
 */
#define LOST_MAX 3
bool item_lost(struct item *item, enum action action, int rc);

#endif
