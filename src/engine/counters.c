#include "engine/counters.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/status.h"

#define SWEEP_AFTER  8        /* sessions read in order that make a dump worth it */
#define SKIP_MAX     256      /* sessions without counters to skip in one reading */
#define LOOK_AGE_NS  NS_PER_S /* of counters that decide the status */
#define LOOK_MOST_NS (30 * NS_PER_S)
#define WATCH_NS     (60 * NS_PER_S) /* after a change, or a question of a door */
#define TUNNELS_MAX  8
#define STEPS_MAX    4 /* datagrams, of some hundred sessions each, to read at once */

bool counters_open(struct engine *engine)
{
	engine->reading = calloc(1, sizeof(*engine->reading));
	return engine->reading;
}

void counters_close(struct engine *engine)
{
	free(engine->reading);
	engine->reading = NULL;
}

static bool is_fresh(const struct entry *entry, int64_t age, int64_t now)
{
	const struct state *state = entry_state(entry);

	return state->statistics_time && now - state->statistics_time < age;
}

/* The next session in table order, also in later tunnels, or NULL. */
static struct session_entry *following(const struct session_entry *session)
{
	struct session_entry *next = session_next(session);
	const struct tunnel_entry *tunnel = session->tunnel;

	while (!next && (tunnel = tunnel_next(tunnel)) != NULL)
		next = tunnel_session_from(tunnel, 0);
	return next;
}

/* Set what a reader in order asks for next: from @session (or NULL) on, the next with counters. */
static void expect(struct engine *engine, struct session_entry *session)
{
	for (unsigned int i = 0; session && !session->entry.in_kernel && i < SKIP_MAX; i++)
		session = following(session);
	engine->reading->next = session ? session->entry.key : (struct key){0, 0};
}

/* ---- a dump just ahead of the reader */

/*
 * Counters come from one dump of all sessions, piece by piece just ahead of a reader in order. A
 * GET costs twice as much as an entry of a dump (6.12), but a dump begins at the first session and
 * includes all. So it pays for a reader that began there, if one tunnel has most of the sessions
 * (6.12 walks all of them once per tunnel), and if dumps are ordered: before 6.12 they are not, and
 * take quadratic time.
 */
static void end_dump(struct engine *engine)
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
static void read_dump(struct engine *engine, int64_t now)
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
		end_dump(engine);
}

/* End a dump that nobody has followed for a while. */
static void sweep_expire(struct engine *engine, int64_t now)
{
	int64_t patience = engine->o.counter_age_ms * (NS_PER_S / 1000) / 2;

	if (engine->reading->sweep.running && now - engine->reading->sweep.next_read_at > patience)
		end_dump(engine);
}

/* Refresh this one by a dump if that is cheaper; false: use a GET. */
static bool sweep_reaches(struct engine *engine, const struct session_entry *session, int64_t age,
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
		read_dump(engine, now);
		if (!sweep->running || key_compare(&sweep->last, key) >= 0)
			break;
	}
	if (sweep->running && key_compare(&sweep->last, key) < 0)
		end_dump(engine); /* the reader is far ahead of the dump */
	if (!is_fresh(&session->entry, age, now))
		return false;
	last = datastore_session(engine->store, sweep->last.tunnel_id, sweep->last.session_id);
	expect(engine, last ? following(last) : NULL);
	return true;
}

/* ---- reading */

/* Each entry read in order doubles the read-ahead; a jump resets it. */
static size_t window(struct reading *reading, const struct entry *entry)
{
	if (key_compare(&reading->next, &entry->key) != 0) {
		reading->sweep.tried = false;
		reading->ahead = 1;
	} else if (reading->ahead < BATCH_MAX) {
		reading->ahead *= 2;
	}
	return reading->ahead;
}

static bool is_due(const struct entry *entry, int64_t age, int64_t now)
{
	return entry->in_kernel && !is_fresh(entry, age, now);
}

static struct kernel_request request_for(const struct entry *entry, struct statistics *ret)
{
	return (struct kernel_request){
		.verb = entry->key.session_id ? KERNEL_SESSION_GET : KERNEL_TUNNEL_GET,
		.tunnel_id = entry->key.tunnel_id,
		.session_id = entry->key.session_id,
		.ret_statistics = ret,
	};
}

/* Read this one and, for sessions, those that a reader in order asks for next. */
static void refresh(struct engine *engine, struct entry *entry, int64_t age, int64_t now)
{
	struct kernel_request requests[BATCH_MAX];
	struct statistics statistics[BATCH_MAX];
	struct entry *entries[BATCH_MAX];
	struct session_entry *session = entry_session(entry);
	size_t count = 0, most = 1;

	if (!engine->connected || !is_due(entry, age, now))
		return;
	if (session)
		most = window(engine->reading, entry);
	else
		entries[count++] = entry;
	if (most >= SWEEP_AFTER && sweep_reaches(engine, session, age, now))
		return;
	for (; session && count < most; session = following(session))
		if (is_due(&session->entry, age, now))
			entries[count++] = &session->entry;
	if (entry->key.session_id)
		expect(engine, session);
	for (size_t i = 0; i < count; i++)
		requests[i] = request_for(entries[i], &statistics[i]);
	engine_submit(engine, requests, count);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].result == 0) {
			status_count(engine, entries[i], &statistics[i], now);
		} else if (requests[i].result == -ENODEV) {
			agenda_look(&engine->agenda, &entries[i]->key);
			engine_schedule(engine);
		}
	}
}

static int64_t served_age(const struct engine *engine)
{
	return engine->o.counter_age_ms * (NS_PER_S / 1000);
}

void counters_wanted(struct engine *engine, int64_t now)
{
	struct reading *reading = engine->reading;

	reading->asked_at = now;
	if (reading->look_at_all_at != NEVER)
		return;
	reading->look_at_all_at = reading->asked_at + LOOK_MOST_NS;
	if (reading->look_at == NEVER)
		reading->look_at = reading->look_at_all_at;
	engine_schedule(engine);
}

/* Sending fails, or does not, in a tunnel as a whole. */
static void look_at_tunnel(struct engine *engine, const struct entry *entry, int64_t now)
{
	counters_wanted(engine, now);
	refresh(engine, &entry_tunnel_of(entry)->entry, LOOK_MOST_NS, now);
}

void engine_look(struct engine *engine, const struct entry *entry)
{
	look_at_tunnel(engine, entry, clock_now());
}

void engine_refresh(struct engine *engine, struct entry *entry)
{
	int64_t now = clock_now(); /* once: this is called for each entry of a walk */

	look_at_tunnel(engine, entry, now);
	refresh(engine, entry, served_age(engine), now);
}

/* ---- watching those that nobody polls */

static int64_t look_age(const struct engine *engine)
{
	return served_age(engine) < LOOK_AGE_NS ? served_age(engine) : LOOK_AGE_NS;
}

/* Look at sessions of this tunnel from the cursor on. False: time is up. */
static bool look_at_sessions(struct engine *engine, struct tunnel_entry *tunnel, int64_t until)
{
	bool all = tunnel->state.common.transmit_failing;
	struct key *from = &engine->reading->look_from;
	struct session_entry *session = tunnel_session_from(tunnel, from->session_id);

	if (!all && !tunnel_counts(tunnel)->watched)
		return true;
	for (; session; session = session_next(session)) {
		from->session_id = session->entry.key.session_id;
		if (clock_now() > until)
			return false;
		if (all || session->state.common.transmit_failing ||
		    (session_config(session) && session_config(session)->dead_interval))
			refresh(engine, &session->entry, look_age(engine), clock_now());
	}
	return true;
}

/* False: time is up, and there is more. */
static bool look(struct engine *engine)
{
	struct key *from = &engine->reading->look_from;
	struct tunnel_entry *tunnel = datastore_tunnel_from(engine->store, from->tunnel_id);
	struct reading *reading = engine->reading;
	int64_t until = clock_now() + BATCH_NS;

	for (; tunnel; tunnel = tunnel_next(tunnel)) {
		bool close =
			tunnel_counts(tunnel)->watched || tunnel->state.common.transmit_failing;

		if (from->tunnel_id != tunnel->entry.key.tunnel_id)
			*from = tunnel->entry.key;
		if (clock_now() > until)
			return false;
		reading->close = reading->close || close;
		if (!tunnel->entry.in_kernel || (!close && !reading->all))
			continue;
		if (from->session_id == 0)
			refresh(engine, &tunnel->entry, look_age(engine), clock_now());
		if (!look_at_sessions(engine, tunnel, until))
			return false;
	}
	*from = (struct key){0, 0};
	return true;
}

static int64_t next_look_at_all(const struct engine *engine, int64_t now)
{
	int64_t calm = now - engine->agenda.stirred_at;

	if (calm > WATCH_NS && now - engine->reading->asked_at > WATCH_NS)
		return NEVER;
	calm = calm < NS_PER_S ? NS_PER_S : calm;
	return now + (calm > LOOK_MOST_NS ? LOOK_MOST_NS : calm);
}

void counters_look(struct engine *engine)
{
	struct reading *reading = engine->reading;
	int64_t now = clock_now();

	sweep_expire(engine, now);
	if (reading->look_from.tunnel_id == 0) {
		reading->close = false;
		reading->all =
			now >= reading->look_at_all_at || engine->agenda.stirred_first != NEVER;
		if (reading->all)
			engine->agenda.stirred_first = NEVER;
	}
	reading->look_at = 0;
	if (!look(engine))
		return;
	now = clock_now();
	if (reading->all)
		reading->look_at_all_at = next_look_at_all(engine, now);
	reading->look_at = reading->close ? now + NS_PER_S : reading->look_at_all_at;
}

int64_t counters_due(const struct engine *engine)
{
	const struct reading *reading = engine->reading;
	int64_t stirred = engine->agenda.stirred_first;

	if (!engine->store->tunnels_in_kernel && !engine->reading->sweep.running)
		return NEVER;
	if (stirred != NEVER && reading->look_at > stirred + NS_PER_S)
		return stirred + NS_PER_S;
	return reading->look_at;
}
