/*
 * Requests to the kernel that go together, and how many objects make a batch: by
 * the time the one before took. A leaf, for those who carry a job out.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/context.h"

#define SLICE_NS  (8 * 1000000LL)  /* a slice starts no batch after this; 20 ms is the limit */
#define BATCH_NS  (12 * 1000000LL) /* batches are sized to take at most about this */
#define BATCH_MAX 64               /* objects in one batch */

struct item; /* plan.h */

struct batch {
	size_t size; /* objects that the next may have */
	struct item *items[BATCH_MAX];
	size_t count;
	struct kernel_request requests[2 * BATCH_MAX];
	size_t requested;
	union config want[BATCH_MAX], found[BATCH_MAX];
	const struct kernel_request *link_requests[BATCH_MAX]; /* of the items; NULL none */
};

void batch_begin(struct batch *batch);
struct kernel_request *batch_add(struct batch *batch, enum kernel_verb verb, const struct key *key);
int batch_submit(struct engine *engine, struct batch *batch);

/* Size the next by what @objects took, whatever it was that took so long. */
void batch_fit(const struct engine *engine, struct batch *batch, size_t objects, int64_t took);
/* @usual, or half of it while somebody polls. */
int64_t batch_time(const struct engine *engine, int64_t usual);

#endif
