/* Fresh counters when they are asked for, reading ahead when they are read in order. */
#include "engine/internal.h"

#include <errno.h>

static bool fresh(const struct engine *engine, const struct state *state, int64_t now)
{
	return state->statistics_time &&
	       now - state->statistics_time < engine->o.counter_age_ms * (NS_PER_S / 1000);
}

static void take(struct state *state, const struct statistics *statistics, int64_t now)
{
	int64_t discontinuity = state->statistics.discontinuity_time;

	state->statistics = *statistics;
	state->statistics.discontinuity_time = discontinuity;
	state->statistics_time = now;
}

void engine_refresh_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	struct statistics statistics;
	struct kernel_request request = { .verb = KERNEL_TUNNEL_GET,
					  .tunnel_id = tunnel->id,
					  .ret_statistics = &statistics };
	int64_t now = engine_now();

	if (!tunnel->in_kernel || fresh(engine, &tunnel->state.common, now))
		return;
	if (!engine->connected || engine->k->submit(engine->o.kernel, &request, 1) < 0)
		return;
	if (request.result == 0)
		take(&tunnel->state.common, &statistics, now);
	else if (request.result == -ENODEV)
		keys_add(&engine->dirty, tunnel->id, 0);
	if (request.result == -ENODEV)
		engine_schedule(engine);
}

/* The next session in the order of the tables, into the next tunnel too. */
static struct session_entry *following(struct session_entry *session)
{
	struct session_entry *next = session_next(session);
	struct tunnel_entry *tunnel = session->tunnel;

	while (!next && (tunnel = tunnel_next(tunnel)) != NULL)
		next = tunnel_session_from(tunnel, 0);
	return next;
}

/* Reading in order doubles what is read ahead; a jump begins anew. */
static size_t window(struct engine *engine, const struct session_entry *session)
{
	bool in_order = engine->last_read.tunnel_id == session->tunnel->id &&
			engine->last_read.session_id == session->id;

	if (!in_order)
		engine->read_ahead = 1;
	else if (engine->read_ahead < BATCH_MAX)
		engine->read_ahead *= 2;
	return engine->read_ahead;
}

void engine_refresh_session(struct engine *engine, struct session_entry *session)
{
	struct kernel_request requests[BATCH_MAX];
	struct statistics statistics[BATCH_MAX];
	struct session_entry *entries[BATCH_MAX];
	int64_t now = engine_now();
	size_t count = 0, most;

	if (!session->in_kernel || fresh(engine, &session->state.common, now) ||
	    !engine->connected)
		return;
	most = window(engine, session);
	for (; session && count < most; session = following(session)) {
		if (!session->in_kernel || fresh(engine, &session->state.common, now))
			continue;
		requests[count] = (struct kernel_request){
			.verb = KERNEL_SESSION_GET,
			.tunnel_id = session->tunnel->id,
			.session_id = session->id,
			.ret_statistics = &statistics[count],
		};
		entries[count++] = session;
	}
	engine->last_read = session ? (struct key){ session->tunnel->id, session->id } :
				      (struct key){ 0, 0 };
	engine->k->submit(engine->o.kernel, requests, count);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].result == 0) {
			take(&entries[i]->state.common, &statistics[i], now);
		} else if (requests[i].result == -ENODEV) {
			keys_add(&engine->dirty, entries[i]->tunnel->id, entries[i]->id);
			engine_schedule(engine);
		}
	}
}
