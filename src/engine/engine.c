/* The doors' calls, the queue of requests, and the turn of the loop. */
#include "engine/engine.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <syslog.h>

#include "engine/internal.h"

#define RETRY_FIRST_NS  NS_PER_S
#define RETRY_MOST_NS   (30 * NS_PER_S)
#define RETRY_MODULE_NS (2 * NS_PER_S)
#define FINISH_NS       (10 * NS_PER_S)  /* for a commit under way when the daemon stops ... */
#define FINISH_EACH_NS  (60 * 1000000LL) /* ... and for each object still being torn down */
#define POLL_BLOCKED_NS (3 * 1000000LL)
#define POLL_NS         (200 * 1000000LL)

int64_t engine_now(void)
{
	return clock_now();
}

void engine_log(struct engine *engine, int priority, const char *format, ...)
{
	char text[512];
	va_list ap;

	if (!engine->o.log)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	engine->o.log(priority, text, engine->o.arg);
}

void engine_tell(struct engine *engine, const struct engine_event *event)
{
	for (size_t i = 0; i < engine->watcher_count; i++)
		engine->watchers[i].cb(event, engine->watchers[i].arg);
}

static void schedule_in(struct engine *engine, int64_t ns)
{
	struct timeval tv = {.tv_sec = ns / NS_PER_S, .tv_usec = (ns % NS_PER_S + 999) / 1000};

	evtimer_add(engine->turn, &tv);
}

void engine_schedule(struct engine *engine)
{
	if (!engine->closing)
		schedule_in(engine, 0);
}

/* ---- repairs and retries */

static void tell_change(struct engine *engine, const struct key *key, const struct row *row)
{
	const char *then = engine->o.no_repair ? "it is left so" : "restoring it";

	if (key->session_id)
		engine_log(engine, LOG_WARNING,
			   "session %u/%u is in the kernel otherwise than configured: %s; %s",
			   key->tunnel_id, key->session_id, row->leaf, then);
	else
		engine_log(engine, LOG_WARNING,
			   "tunnel %u is in the kernel otherwise than configured: %s; %s",
			   key->tunnel_id, row->leaf, then);
}

/* Others changed it, or changed it back. */
static void report_key(struct engine *engine, const struct key *key)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, key->tunnel_id);
	struct session_entry *session =
		datastore_session(engine->store, key->tunnel_id, key->session_id);
	const struct row *row;
	struct state *state;
	bool before;

	if (key->session_id ? !session || !session->entry.in_kernel
			    : !tunnel || !tunnel->entry.in_kernel)
		return; /* that it vanished was told */
	row = session ? observe_session_difference(engine, session)
		      : observe_tunnel_difference(engine, tunnel);
	state = session ? &session->state.common : &tunnel->state.common;
	before = state->changed_behind;
	state->changed_behind = row && engine->o.no_repair;
	if (row && !before)
		tell_change(engine, key, row);
	if (session) /* its bridge went, perhaps: that is no difference, but is waited for */
		settle_session_up(engine, session);
	else if (!session && before != state->changed_behind)
		settle_tunnel_up(engine, tunnel);
}

/* What others changed: told of, and taken among what is to be worked on unless it is left so. */
static void report_changes(struct engine *engine)
{
	struct keys keys;

	keys_move(&keys, &engine->repair);
	keys_sort(&keys);
	for (size_t i = 0; i < keys.count; i++) {
		report_key(engine, &keys.at[i]);
		if (!engine->o.no_repair)
			keys_add(&engine->missing, keys.at[i].tunnel_id, keys.at[i].session_id);
	}
	keys_free(&keys);
}

static void begin_repair(struct engine *engine)
{
	struct keys keys;
	struct error err = ERROR_INIT;

	keys_move(&keys, &engine->missing);
	keys_sort(&keys);
	engine->job = job_new(&engine->running, &engine->running, false);
	if (plan_job(engine, engine->job, &keys, &err) < 0)
		engine_log(engine, LOG_ERR, "%s", err.text);
	settle_rest(engine, engine->job, &keys);
	keys_free(&keys);
}

static void end_repair(struct engine *engine)
{
	settle_job(engine, engine->job);
	job_free(engine->job);
	engine->job = NULL;
}

/* Each interface that comes up brings a handful of addresses and routes of its own. */
static void hush(struct engine *engine)
{
	if (engine->hushed || engine->job->count < MANY_ITEMS)
		return;
	engine->hushed = true;
	engine->k->hush(engine->o.kernel, true);
}

static void hear_again(struct engine *engine)
{
	if (!engine->hushed || engine->job)
		return;
	engine->hushed = false;
	engine->k->hush(engine->o.kernel, false);
	engine->recheck = true;
}

static void end_job(struct engine *engine)
{
	if (engine->current)
		transaction_end(engine);
	else
		end_repair(engine);
	hear_again(engine);
}

/* Nobody tells when a module can be loaded. */
static int64_t longest_delay(const struct engine *engine)
{
	return engine->connected ? RETRY_MOST_NS : RETRY_MODULE_NS;
}

static void take_waiting(struct engine *engine)
{
	int64_t most = longest_delay(engine);

	for (size_t i = 0; i < engine->waiting.count; i++)
		keys_add(&engine->missing, engine->waiting.at[i].tunnel_id,
			 engine->waiting.at[i].session_id);
	engine->waiting.count = 0;
	engine->retry_delay = engine->retry_delay * 2 > most ? most : engine->retry_delay * 2;
	engine->retry_at = engine_now() + engine->retry_delay;
}

/* Something changed around us: what waits may be possible now. */
static void retry_soon(struct engine *engine)
{
	engine->retry_delay = RETRY_FIRST_NS / 2;
	engine->retry_at = engine_now() + 20 * (NS_PER_S / 1000);
}

/* ---- the turn */

static void resync(struct engine *engine, struct request *request)
{
	struct error err = ERROR_INIT;
	int rc;

	engine->resync = false;
	rc = observe_all(engine, &err);
	if (rc < 0)
		engine_log(engine, LOG_ERR, "%s; trying again", err.text);
	if (rc < 0 || engine->reconnect) {
		engine->resync = true;
		engine->resync_at = engine_now() + RETRY_MODULE_NS;
	}
	engine->recheck = true; /* addresses and routes may have changed unheard */
	retry_soon(engine);
	if (request)
		request_finish(engine, request, rc, &err);
}

/* In its turn, so that nothing begun before is published under it. */
static void lock(struct engine *engine, struct request *request)
{
	struct error err = ERROR_INIT;
	int rc = engine_may_lock(engine, &err);

	if (request->done) {
		if (rc == 0)
			engine->lock = request->session;
		request->done(rc, &err, request->arg);
	}
	request_free(request);
}

static void next_request(struct engine *engine)
{
	struct request *request = TAILQ_FIRST(&engine->requests);

	TAILQ_REMOVE(&engine->requests, request, link);
	if (request->type == REQUEST_RESYNC)
		resync(engine, request);
	else if (request->type == REQUEST_LOCK)
		lock(engine, request);
	else
		transaction_begin(engine, request);
}

static bool is_doubted(const struct engine *engine)
{
	return engine->doubted[0].count || engine->doubted[1].count;
}

/* One piece of work; false when there was none. */
static bool one_piece(struct engine *engine)
{
	if (engine->job && engine->job->step != STEP_WORK) {
		transaction_prepare(engine);
		return true;
	}
	if (engine->job) {
		hush(engine);
		if (job_slice(engine, engine->job))
			end_job(engine);
		else if (engine->job->blocked_since)
			return false;
		return true;
	}
	if (!TAILQ_EMPTY(&engine->requests)) {
		next_request(engine);
		return true;
	}
	if (engine->resync && engine_now() >= engine->resync_at) {
		resync(engine, NULL);
		return true;
	}
	if (is_doubted(engine) && engine_now() >= engine->doubted_at) {
		observe_doubted(engine);
		return true;
	}
	if (engine->dirty.count) {
		observe_dirty(engine);
		return true;
	}
	if (engine->repair.count) {
		report_changes(engine);
		return true;
	}
	if (engine->missing.count) {
		begin_repair(engine);
		return true;
	}
	if (engine->recheck || engine->recheck_from) {
		if (engine->recheck && !engine->recheck_from)
			retry_soon(engine);
		engine->recheck = engine->recheck && engine->recheck_from;
		observe_recheck(engine);
		return true;
	}
	if (engine->waiting.count && engine_now() >= engine->retry_at) {
		take_waiting(engine);
		return true;
	}
	return false;
}

static void poll_removing(struct engine *engine)
{
	int64_t now = engine_now();
	bool blocked = engine->job && engine->job->blocked_since;

	if (engine->removing.count == 0 || now < engine->poll_at)
		return;
	observe_drain(engine);
	observe_removing(engine);
	engine->poll_at = engine_now() + (blocked ? POLL_BLOCKED_NS : POLL_NS);
}

static void maintain(struct engine *engine)
{
	struct error err = ERROR_INIT;
	int64_t now = engine_now();

	if (!engine->o.journal || now < engine->maintain_at)
		return;
	engine->maintain_at = now + NS_PER_S;
	if (journal_maintain(engine->o.journal, engine->store, &err) < 0)
		engine_log(engine, LOG_WARNING, "%s", err.text);
}

static void sooner(int64_t *delay, int64_t other)
{
	*delay = other < *delay ? other : *delay;
}

/* Nothing to do now: when is there? */
static void schedule_idle(struct engine *engine)
{
	int64_t delay = INT64_MAX, now = engine_now();

	if (engine->job) { /* which is blocked; all else comes after it */
		schedule_in(engine, POLL_BLOCKED_NS);
		return;
	}
	if (engine->removing.count)
		sooner(&delay, POLL_NS);
	if (engine->waiting.count)
		sooner(&delay, engine->retry_at - now);
	if (is_doubted(engine))
		sooner(&delay, engine->doubted_at - now);
	if (engine->resync)
		sooner(&delay, engine->resync_at - now);
	if (datastore_counts(engine->store)->tunnel_count ||
	    (engine->o.journal && journal_snapshot_pid(engine->o.journal)))
		sooner(&delay, NS_PER_S);
	if (delay != INT64_MAX)
		schedule_in(engine, delay > 0 ? delay : 0);
}

static void turn(evutil_socket_t fd, short what, void *arg)
{
	struct engine *engine = arg;
	bool worked, looking = false;

	(void)fd;
	(void)what;
	poll_removing(engine);
	worked = one_piece(engine);
	maintain(engine);
	if (!worked && !engine->job && engine_now() >= engine->look_at) {
		sweep_expire(engine, engine_now());
		looking = counters_look(engine);
		engine->look_at = engine_now() + (looking ? 0 : NS_PER_S);
	}
	if (worked || looking)
		schedule_in(engine, 0);
	else
		schedule_idle(engine);
}

static void kernel_ready(evutil_socket_t fd, short what, void *arg)
{
	struct engine *engine = arg;

	(void)fd;
	(void)what;
	observe_drain(engine);
	if (engine->dirty.count || engine->repair.count || engine->missing.count ||
	    engine->recheck || engine->resync || engine->retry_at <= engine_now())
		engine_schedule(engine);
}

/* ---- open and close */

static int watch_kernel(struct engine *engine)
{
	int fds[2];
	unsigned int count = engine->k->event_fds(engine->o.kernel, fds);

	for (unsigned int i = 0; i < count; i++) {
		engine->kernel_events[i] = event_new(engine->o.base, fds[i], EV_READ | EV_PERSIST,
						     kernel_ready, engine);
		if (!engine->kernel_events[i] || event_add(engine->kernel_events[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

int engine_open(struct engine **ret, const struct engine_options *options, struct error *err)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	int rc;

	if (!engine)
		return error_set(err, ERROR_RESOURCE, "no memory");
	engine->o = *options;
	if (engine->o.counter_age_ms == 0)
		engine->o.counter_age_ms = 1000;
	engine->k = options->kernel->ops;
	engine->store = options->store;
	engine->batch = 8;
	engine->retry_delay = RETRY_FIRST_NS / 2;
	RB_INIT(&engine->links.by_index);
	RB_INIT(&engine->links.by_name);
	TAILQ_INIT(&engine->requests);
	candidate_open(&engine->running, engine->store);
	candidate_open(&engine->changes, engine->store);
	engine->turn = evtimer_new(options->base, turn, engine);
	rc = engine->turn ? watch_kernel(engine) : -ENOMEM;
	if (rc < 0)
		error_set(err, ERROR_RESOURCE, "no memory");
	if (rc == 0)
		rc = observe_all(engine, err);
	if (rc == 0)
		rc = transaction_resume(engine, err);
	if (rc < 0) {
		engine_close(engine);
		return rc;
	}
	if (datastore_counts(engine->store)->nameless)
		request_names(engine);
	engine_schedule(engine);
	*ret = engine;
	return 0;
}

/*
 * What was begun is brought to its end, for half of it is in the kernel. What
 * is not at its end in time the next daemon carries out.
 */
static void finish_current(struct engine *engine)
{
	const struct timespec pause = {.tv_nsec = POLL_BLOCKED_NS};
	int64_t end = engine_now() + FINISH_NS;

	while (engine->current &&
	       engine_now() < end + (int64_t)engine->removing.count * FINISH_EACH_NS) {
		poll_removing(engine);
		if (!one_piece(engine))
			nanosleep(&pause, NULL);
	}
}

static void cancel_requests(struct engine *engine)
{
	struct error err = ERROR_INIT;
	struct request *request;

	error_set_errno(&err, ERROR_BUSY, ECANCELED, "the daemon is stopping");
	if (engine->current) {
		struct error later = ERROR_INIT;

		error_set_errno(
			&later, ERROR_BUSY, ECANCELED,
			"the daemon is stopping; the next one brings the commit to its end, "
			"or takes it back");
		request_finish(engine, engine->current, -ECANCELED, &later);
	}
	engine->current = NULL;
	while ((request = TAILQ_FIRST(&engine->requests)) != NULL) {
		TAILQ_REMOVE(&engine->requests, request, link);
		request_finish(engine, request, -ECANCELED, &err);
	}
}

void engine_finish(struct engine *engine)
{
	engine->closing = true;
	finish_current(engine);
	cancel_requests(engine);
	for (size_t i = 0; i < 2; i++) {
		if (engine->kernel_events[i])
			event_free(engine->kernel_events[i]);
		engine->kernel_events[i] = NULL;
	}
	if (engine->turn)
		event_free(engine->turn);
	engine->turn = NULL;
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	engine_finish(engine);
	job_free(engine->job);
	candidate_discard(&engine->changes);
	links_clear(&engine->links);
	keys_free(&engine->dirty);
	keys_free(&engine->doubted[0]);
	keys_free(&engine->doubted[1]);
	keys_free(&engine->repair);
	keys_free(&engine->missing);
	keys_free(&engine->waiting);
	keys_free(&engine->removing);
	free(engine->watchers);
	free(engine);
}

/* ---- the rest of the doors' calls */

void engine_polled(struct engine *engine)
{
	engine->polled_at = engine_now();
}

const struct datastore *engine_store(const struct engine *engine)
{
	return engine->store;
}

struct journal *engine_journal(struct engine *engine)
{
	return engine->o.journal;
}

int engine_may_lock(const struct engine *engine, struct error *err)
{
	if (!engine->lock)
		return 0;
	error_set(err, ERROR_LOCK_DENIED, "session %u holds the lock", engine->lock);
	if (err)
		err->session = engine->lock;
	return -EBUSY;
}

int engine_unlock(struct engine *engine, unsigned int session, struct error *err)
{
	if (engine->lock != session || session == 0)
		return error_set(err, ERROR_INTERNAL, "this session does not hold the lock");
	engine->lock = 0;
	return 0;
}

int engine_watch(struct engine *engine, engine_watch_cb *cb, void *arg)
{
	struct watcher *watchers =
		reallocarray(engine->watchers, engine->watcher_count + 1, sizeof(*watchers));

	if (!watchers)
		return -ENOMEM;
	engine->watchers = watchers;
	watchers[engine->watcher_count++] = (struct watcher){cb, arg};
	return 0;
}

void engine_unwatch(struct engine *engine, void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < engine->watcher_count; i++)
		if (engine->watchers[i].arg != arg)
			engine->watchers[kept++] = engine->watchers[i];
	engine->watcher_count = kept;
}

static size_t queue_length(const struct engine *engine)
{
	const struct request *request;
	size_t count = 0;

	TAILQ_FOREACH (request, &engine->requests, link)
		count++;
	return count;
}

void engine_info(const struct engine *engine, struct engine_info *ret)
{
	*ret = (struct engine_info){
		.generation = engine->o.journal ? journal_generation(engine->o.journal) : 0,
		.last_change = engine->last_change,
		.capabilities = engine->k->capabilities(engine->o.kernel),
		.release = engine->k->release(engine->o.kernel),
		.last_error = engine->last_error,
		.busy = engine->current != NULL,
		.queued = queue_length(engine),
	};
}
