/*
 * Reads counters with one dump of all sessions, piece by piece just ahead of a reader in order. A
 * GET costs twice as much as an entry of a dump (6.12), but a dump begins at the first session and
 * includes all. So it pays for a reader that began there, if one tunnel has most of the sessions
 * (6.12 walks all of them once per tunnel), and if dumps are ordered: before 6.12 they are not, and
 * take quadratic time.
 */
#include "engine/sweep.h"

#include "engine/status.h"

#define TUNNELS_MAX 8
#define STEPS_MAX   4 /* datagrams, of some hundred sessions each, to read at once */

static void leave(struct engine *engine)
{
	if (engine->reading->sweep.running)
		engine->k->leave_counters(engine->o.kernel);
	engine->reading->sweep.running = false;
}

static bool worth_it(const struct engine *engine, const struct tunnel_entry *tunnel)
{
	return datastore_counts(engine->store)->tunnel_count <= TUNNELS_MAX &&
	       tunnel_counts(tunnel)->configured * 2 >=
		       datastore_counts(engine->store)->session_count;
}

/* Usually it follows the last one. */
static struct session_entry *find_session(const struct engine *engine, uint32_t tunnel_id,
					  uint32_t session_id)
{
	const struct session_entry *at = engine->reading->sweep.at;
	struct session_entry *next = at ? session_next(at) : NULL;

	if (next && next->entry.key.session_id == session_id &&
	    next->tunnel->entry.key.tunnel_id == tunnel_id)
		return next;
	return datastore_session(engine->store, tunnel_id, session_id);
}

static void on_counters(uint32_t tunnel_id, uint32_t session_id,
			const struct statistics *statistics, void *arg)
{
	struct engine *engine = arg;
	struct sweep *sweep = &engine->reading->sweep;
	struct session_entry *session = find_session(engine, tunnel_id, session_id);
	struct key key = {tunnel_id, session_id};

	sweep->at = session;
	if (key_compare(&key, &sweep->last) <= 0)
		sweep->useless = true;
	sweep->last = key;
	if (session && session->entry.in_kernel)
		status_count(engine, &session->entry, statistics, sweep->read_at);
}

/* The kernel read what this gives when the last step ended. */
static void step(struct engine *engine, int64_t now)
{
	struct sweep *sweep = &engine->reading->sweep;
	bool begin = !sweep->running;

	if (begin) {
		sweep->last = (struct key){0, 0};
		sweep->next_read_at = now;
	}
	sweep->read_at = sweep->next_read_at;
	sweep->next_read_at = now;
	sweep->at = NULL; /* the entry may be gone by the next step */
	sweep->running = engine->k->read_counters(engine->o.kernel, begin, on_counters, engine) > 0;
	if (sweep->useless)
		leave(engine);
}

bool sweep_reaches(struct engine *engine, const struct session_entry *session, int64_t age,
		   int64_t now)
{
	struct sweep *sweep = &engine->reading->sweep;
	const struct key *key = &session->entry.key;
	struct session_entry *last;

	sweep_expire(engine, now);
	if (!sweep->running &&
	    (sweep->useless || sweep->tried || !worth_it(engine, session->tunnel)))
		return false;
	sweep->tried = true;
	for (unsigned int i = 0; i < STEPS_MAX; i++) {
		step(engine, now);
		if (!sweep->running || key_compare(&sweep->last, key) >= 0)
			break;
	}
	if (sweep->running && key_compare(&sweep->last, key) < 0)
		leave(engine); /* the reader is far ahead of the dump */
	if (!counters_fresh(&session->entry, age, now))
		return false;
	last = datastore_session(engine->store, sweep->last.tunnel_id, sweep->last.session_id);
	counters_expect(engine, last ? counters_following(last) : NULL);
	return true;
}

void sweep_expire(struct engine *engine, int64_t now)
{
	int64_t patience = engine->o.counter_age_ms * (NS_PER_S / 1000) / 2;

	if (engine->reading->sweep.running && now - engine->reading->sweep.next_read_at > patience)
		leave(engine);
}
