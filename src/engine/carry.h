/*
 * What carrying a job out has in common, whatever its phase (job.c, create.c,
 * interface.c, which alone call it): finding the next item, and judging what
 * became of each.
 */
#ifndef ENGINE_CARRY_H
#define ENGINE_CARRY_H

#include "engine/plan.h"

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_REFUSED }; /* from good to bad */

/* Of a batch every result counts, also those behind a refusal: they were carried out. */
static inline enum outcome worse(enum outcome a, enum outcome b)
{
	return a > b ? a : b;
}

/*
 * The next item from the cursor on that has this to do, and nothing to wait for, into the batch's
 * next place; NULL at the end, or when the batch is full.
 */
struct item *job_next(struct job *job, uint8_t action, bool sessions);

/* Judge each item of the batch; the cursor goes back to the first that is to be tried again. */
typedef enum outcome item_judge(struct engine *engine, struct job *job, size_t i);
enum outcome job_judge(struct engine *engine, struct job *job, item_judge *judge);

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

#endif
