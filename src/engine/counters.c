/* Fresh counters when they are asked for, reading ahead when they are read in order. */
#include "engine/internal.h"

#include <errno.h>

#define SWEEP_AFTER 8        /* sessions read in order: less are not worth a dump */
#define SKIP_MAX    256      /* sessions without counters, in one reading */
#define LOOK_AGE_NS NS_PER_S /* of counters that tell of the status */

bool counters_fresh(const struct state *state, int64_t age, int64_t now)
{
	return state->statistics_time && now - state->statistics_time < age;
}

void counters_begin(struct state *state)
{
	state->statistics = (struct statistics){.discontinuity_time = engine_now()};
	state->statistics_time = 0;
	state->heard_time = engine_now();
	state->peer_silent = state->transmit_failing = false;
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

void counters_take_tunnel(struct engine *engine, struct tunnel_entry *tunnel,
			  const struct statistics *statistics, int64_t now)
{
	if (take(&tunnel->state.common, statistics, now))
		settle_tunnel_up(engine, tunnel);
}

void counters_take_session(struct engine *engine, struct session_entry *session,
			   const struct statistics *statistics, int64_t now)
{
	struct state *state = &session->state.common;
	const struct session *config = session_config(session);
	int64_t limit = config ? config->dead_interval * NS_PER_S : 0;
	bool changed = take(state, statistics, now);
	bool silent = limit && now - state->heard_time > limit;

	if (!changed && silent == state->peer_silent)
		return;
	state->peer_silent = silent;
	settle_session_up(engine, session);
}

static int64_t served_age(const struct engine *engine)
{
	return engine->o.counter_age_ms * (NS_PER_S / 1000);
}

static void refresh_tunnel(struct engine *engine, struct tunnel_entry *tunnel, int64_t age)
{
	struct statistics statistics;
	struct kernel_request request = {.verb = KERNEL_TUNNEL_GET,
					 .tunnel_id = tunnel->entry.key.tunnel_id,
					 .ret_statistics = &statistics};
	int64_t now = engine_now();

	if (!tunnel->entry.in_kernel || counters_fresh(&tunnel->state.common, age, now))
		return;
	if (!engine->connected || engine_submit(engine, &request, 1) < 0)
		return;
	if (request.result == 0)
		counters_take_tunnel(engine, tunnel, &statistics, now);
	else if (request.result == -ENODEV)
		keys_add(&engine->dirty, tunnel->entry.key.tunnel_id, 0);
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

struct session_entry *counters_readable(struct session_entry *session)
{
	for (unsigned int i = 0; session && !session->entry.in_kernel && i < SKIP_MAX; i++)
		session = counters_following(session);
	return session;
}

struct key counters_key(const struct session_entry *session)
{
	return session ? (struct key){session->tunnel->entry.key.tunnel_id,
				      session->entry.key.session_id}
		       : (struct key){0, 0};
}

/* Reading in order doubles what is read ahead; a jump begins anew. */
static size_t window(struct engine *engine, const struct session_entry *session)
{
	bool in_order = engine->last_read.tunnel_id == session->tunnel->entry.key.tunnel_id &&
			engine->last_read.session_id == session->entry.key.session_id;

	if (!in_order)
		sweep_rewind(engine);
	if (!in_order)
		engine->read_ahead = 1;
	else if (engine->read_ahead < BATCH_MAX)
		engine->read_ahead *= 2;
	return engine->read_ahead;
}

static void refresh_session(struct engine *engine, struct session_entry *session, int64_t age)
{
	struct kernel_request requests[BATCH_MAX];
	struct statistics statistics[BATCH_MAX];
	struct session_entry *entries[BATCH_MAX];
	int64_t now = engine_now();
	size_t count = 0, most;

	if (!session->entry.in_kernel || counters_fresh(&session->state.common, age, now) ||
	    !engine->connected)
		return;
	most = window(engine, session);
	if (most >= SWEEP_AFTER && sweep_reaches(engine, session, age, now))
		return;
	for (; session && count < most; session = counters_following(session)) {
		if (!session->entry.in_kernel || counters_fresh(&session->state.common, age, now))
			continue;
		requests[count] = (struct kernel_request){
			.verb = KERNEL_SESSION_GET,
			.tunnel_id = session->tunnel->entry.key.tunnel_id,
			.session_id = session->entry.key.session_id,
			.ret_statistics = &statistics[count],
		};
		entries[count++] = session;
	}
	engine->last_read = counters_key(counters_readable(session));
	engine_submit(engine, requests, count);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].result == 0) {
			counters_take_session(engine, entries[i], &statistics[i], now);
		} else if (requests[i].result == -ENODEV) {
			keys_add(&engine->dirty, entries[i]->tunnel->entry.key.tunnel_id,
				 entries[i]->entry.key.session_id);
			engine_schedule(engine);
		}
	}
}

void engine_refresh(struct engine *engine, struct entry *entry)
{
	if (entry->key.session_id)
		refresh_session(engine, entry_session(entry), served_age(engine));
	else
		refresh_tunnel(engine, entry_tunnel(entry), served_age(engine));
}

/* ---- looking after those nobody polls */

static int64_t look_age(const struct engine *engine)
{
	return served_age(engine) < LOOK_AGE_NS ? served_age(engine) : LOOK_AGE_NS;
}

/* Sessions of this tunnel from the cursor on, until time is up: false then. */
static bool look_at_sessions(struct engine *engine, struct tunnel_entry *tunnel, int64_t until)
{
	bool all = tunnel->state.common.transmit_failing;
	struct session_entry *session = tunnel_session_from(tunnel, engine->look_from.session_id);

	if (!all && !tunnel_counts(tunnel)->watched)
		return true;
	for (; session; session = session_next(session)) {
		engine->look_from.session_id = session->entry.key.session_id;
		if (engine_now() > until)
			return false;
		if (all || session->state.common.transmit_failing ||
		    (session_config(session) && session_config(session)->dead_interval))
			refresh_session(engine, session, look_age(engine));
	}
	return true;
}

bool counters_look(struct engine *engine)
{
	struct tunnel_entry *tunnel =
		datastore_tunnel_from(engine->store, engine->look_from.tunnel_id);
	int64_t until = engine_now() + BATCH_NS;

	for (; tunnel; tunnel = tunnel_next(tunnel)) {
		if (engine->look_from.tunnel_id != tunnel->entry.key.tunnel_id)
			engine->look_from = (struct key){tunnel->entry.key.tunnel_id, 0};
		if (engine_now() > until)
			return true;
		if (!tunnel->entry.in_kernel)
			continue;
		if (engine->look_from.session_id == 0)
			refresh_tunnel(engine, tunnel, look_age(engine));
		if (!look_at_sessions(engine, tunnel, until))
			return true;
	}
	engine->look_from = (struct key){0, 0};
	return false;
}
