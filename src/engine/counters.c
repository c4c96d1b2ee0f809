/* Fresh counters when they are asked for, reading ahead when they are read in order. */
#include "engine/internal.h"

#include <errno.h>

#define SWEEP_AFTER 8 /* sessions read in order: less are not worth a dump */

bool counters_fresh(const struct engine *engine, const struct state *state, int64_t now)
{
	return state->statistics_time &&
	       now - state->statistics_time < engine->o.counter_age_ms * (NS_PER_S / 1000);
}

/* Errors that grow while nothing is sent: the underlay is dead, whatever the link says. */
static bool now_failing(const struct state *state, const struct statistics *statistics)
{
	uint64_t errors = statistics->tx_errors - state->statistics.tx_errors;
	uint64_t sent = statistics->tx_packets - state->statistics.tx_packets;

	if (state->statistics_time == 0)
		return false;
	return sent ? false : errors ? true : state->transmit_failing;
}

/* True when what the counters tell of the status changed. */
static bool take(struct state *state, const struct statistics *statistics, int64_t now)
{
	int64_t discontinuity = state->statistics.discontinuity_time;
	bool failing = now_failing(state, statistics), changed = failing != state->transmit_failing;

	if (statistics->rx_packets != state->statistics.rx_packets || state->heard_time == 0)
		state->heard_time = now;
	state->statistics = *statistics;
	state->statistics.discontinuity_time = discontinuity;
	state->statistics_time = now;
	state->transmit_failing = failing;
	return changed;
}

static void take_tunnel(struct engine *engine, struct tunnel_entry *tunnel,
			const struct statistics *statistics, int64_t now)
{
	if (take(&tunnel->state.common, statistics, now))
		settle_tunnel_up(engine, tunnel);
}

void counters_take_session(struct engine *engine, struct session_entry *session,
			   const struct statistics *statistics, int64_t now)
{
	struct state *state = &session->state.common;
	int64_t limit = session->configured ? session->config.dead_interval * NS_PER_S : 0;
	bool changed = take(state, statistics, now);
	bool silent = limit && now - state->heard_time > limit;

	if (!changed && silent == state->peer_silent)
		return;
	state->peer_silent = silent;
	settle_session_up(engine, session);
}

void engine_refresh_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	struct statistics statistics;
	struct kernel_request request = {
		.verb = KERNEL_TUNNEL_GET, .tunnel_id = tunnel->id, .ret_statistics = &statistics};
	int64_t now = engine_now();

	if (!tunnel->in_kernel || counters_fresh(engine, &tunnel->state.common, now))
		return;
	if (!engine->connected || engine->k->submit(engine->o.kernel, &request, 1) < 0)
		return;
	if (request.result == 0)
		take_tunnel(engine, tunnel, &statistics, now);
	else if (request.result == -ENODEV)
		keys_add(&engine->dirty, tunnel->id, 0);
	if (request.result == -ENODEV)
		engine_schedule(engine);
}

struct session_entry *counters_following(const struct session_entry *session)
{
	struct session_entry *next = session_next(session);
	const struct tunnel_entry *tunnel = session->tunnel;

	while (!next && (tunnel = tunnel_next(tunnel)) != NULL)
		next = tunnel_session_from(tunnel, 0);
	return next;
}

struct key counters_key(const struct session_entry *session)
{
	return session ? (struct key){session->tunnel->id, session->id} : (struct key){0, 0};
}

/* Reading in order doubles what is read ahead; a jump begins anew. */
static size_t window(struct engine *engine, const struct session_entry *session)
{
	bool in_order = engine->last_read.tunnel_id == session->tunnel->id &&
			engine->last_read.session_id == session->id;

	if (!in_order)
		sweep_rewind(engine);
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

	if (!session->in_kernel || counters_fresh(engine, &session->state.common, now) ||
	    !engine->connected)
		return;
	most = window(engine, session);
	if (most >= SWEEP_AFTER && sweep_reaches(engine, session, now))
		return;
	for (; session && count < most; session = counters_following(session)) {
		if (!session->in_kernel || counters_fresh(engine, &session->state.common, now))
			continue;
		requests[count] = (struct kernel_request){
			.verb = KERNEL_SESSION_GET,
			.tunnel_id = session->tunnel->id,
			.session_id = session->id,
			.ret_statistics = &statistics[count],
		};
		entries[count++] = session;
	}
	engine->last_read = counters_key(session);
	engine->k->submit(engine->o.kernel, requests, count);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].result == 0) {
			counters_take_session(engine, entries[i], &statistics[i], now);
		} else if (requests[i].result == -ENODEV) {
			keys_add(&engine->dirty, entries[i]->tunnel->id, entries[i]->id);
			engine_schedule(engine);
		}
	}
}

/* ---- looking after those nobody polls */

/* Sessions of this tunnel from the cursor on, until time is up: false then. */
static bool look_at_sessions(struct engine *engine, struct tunnel_entry *tunnel, int64_t until)
{
	bool all = tunnel->state.common.transmit_failing;
	struct session_entry *session = tunnel_session_from(tunnel, engine->look_from.session_id);

	if (!all && !tunnel->watched_sessions)
		return true;
	for (; session; session = session_next(session)) {
		engine->look_from.session_id = session->id;
		if (engine_now() > until)
			return false;
		if (all || session->state.common.transmit_failing ||
		    (session->configured && session->config.dead_interval))
			engine_refresh_session(engine, session);
	}
	return true;
}

bool counters_look(struct engine *engine)
{
	struct tunnel_entry *tunnel =
		datastore_tunnel_from(engine->store, engine->look_from.tunnel_id);
	int64_t until = engine_now() + BATCH_NS;

	for (; tunnel; tunnel = tunnel_next(tunnel)) {
		if (engine->look_from.tunnel_id != tunnel->id)
			engine->look_from = (struct key){tunnel->id, 0};
		if (engine_now() > until)
			return true;
		if (!tunnel->in_kernel)
			continue;
		if (engine->look_from.session_id == 0)
			engine_refresh_tunnel(engine, tunnel);
		if (!look_at_sessions(engine, tunnel, until))
			return true;
	}
	engine->look_from = (struct key){0, 0};
	return false;
}
