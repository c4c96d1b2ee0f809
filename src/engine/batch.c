#include "engine/batch.h"

#define POLLED_NS (2 * NS_PER_S) /* so long after a poll all takes half the time */

void batch_begin(struct batch *batch)
{
	batch->count = batch->requested = 0;
}

struct kernel_request *batch_add(struct batch *batch, enum kernel_verb verb, const struct key *key)
{
	struct kernel_request *request = &batch->requests[batch->requested++];

	*request = (struct kernel_request){
		.verb = verb, .tunnel_id = key->tunnel_id, .session_id = key->session_id};
	return request;
}

int batch_submit(struct engine *engine, struct batch *batch)
{
	return engine_submit(engine, batch->requests, batch->requested);
}

int64_t batch_time(const struct engine *engine, int64_t usual)
{
	bool polled = engine->polled_at && engine_now() - engine->polled_at < POLLED_NS;

	return polled ? usual / 2 : usual;
}

void batch_fit(const struct engine *engine, struct batch *batch, size_t objects, int64_t took)
{
	int64_t most = batch_time(engine, BATCH_NS);

	if (took > most)
		batch->size = (size_t)((int64_t)batch->size * most / took);
	else if (took < most / 3 && objects >= batch->size)
		batch->size *= 2;
	batch->size = batch->size < 1 ? 1 : batch->size;
	batch->size = batch->size > BATCH_MAX ? BATCH_MAX : batch->size;
}
