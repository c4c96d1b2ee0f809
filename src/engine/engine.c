/* Opens and closes, and serves the doors' calls about the engine as a whole. */
#include "engine/engine.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "engine/counters.h"
#include "engine/keepalive.h"
#include "engine/observe.h"
#include "engine/partial.h"
#include "engine/read_all.h"
#include "engine/recall.h"
#include "engine/staging.h"
#include "engine/tentative.h"
#include "engine/transaction.h"
#include "engine/turn.h"
#include "model/codec.h"
#include "model/overhead.h"

#define FINISH_NS      (10 * NS_PER_S)  /* for a commit under way when the daemon stops ... */
#define FINISH_EACH_NS (60 * 1000000LL) /* ... plus this for each object still being torn down */
#define PAUSE_NS       (3 * 1000000LL)

/* ---- open and close */

static void turn(evutil_socket_t fd, short what, void *arg)
{
	struct engine *engine = arg;

	(void)fd;
	(void)what;
	turn_once(engine);
	turn_arm(engine);
}

static void kernel_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_hear(arg);
	turn_arm(arg);
}

static void disk_ready(evutil_socket_t fd, short what, void *arg)
{
	struct engine *engine = arg;

	transaction_wake(engine);
	turn(fd, what, arg);
}

static int watch_disk(struct engine *engine)
{
	int fd = engine->o.journal ? journal_fd(engine->o.journal) : -1;

	if (fd >= 0)
		engine->disk = event_new(engine->o.base, fd, EV_READ, disk_ready, engine);
	return fd >= 0 && !engine->disk ? -ENOMEM : 0;
}

static void journal_stirred(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_keep_journal(arg);
	turn_arm(arg);
}

/* Removed files are rare: wait for events instead of looking all the time. */
static int watch_journal(struct engine *engine)
{
	int fd = engine->o.journal ? journal_watch_fd(engine->o.journal) : -1;

	if (fd < 0)
		return 0;
	engine->journal_event =
		event_new(engine->o.base, fd, EV_READ | EV_PERSIST, journal_stirred, engine);
	return engine->journal_event && event_add(engine->journal_event, NULL) == 0 ? 0 : -ENOMEM;
}

static int watch_kernel(struct engine *engine)
{
	int fds[2];
	unsigned int count = engine->k->event_fds(engine->o.kernel, fds);

	engine->hear_at = NEVER;
	for (unsigned int i = 0; i < count; i++) {
		engine->kernel_events[i] = event_new(engine->o.base, fds[i], EV_READ | EV_PERSIST,
						     kernel_ready, engine);
		if (!engine->kernel_events[i] || event_add(engine->kernel_events[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void on_dropped(const struct entry *entry, bool seen, void *arg)
{
	struct engine *engine = arg;

	recall_release(engine, entry);
	if (seen)
		engine_tell(engine, &(struct engine_event){.type = ENGINE_GONE, .entry = entry});
}

/* All of it before the doors open: what they show is true. */
static int read_kernel(struct engine *engine, struct error *err)
{
	struct cursor *cursor = read_all_begin(engine, err);
	int64_t told = clock_now();
	int rc = cursor ? 1 : -ENOMEM;

	while (rc > 0) {
		rc = cursor_step(cursor, 1);
		if (!engine->o.waits || clock_now() - told < NS_PER_S)
			continue;
		engine->o.waits("reading the kernel's tunnels and sessions");
		told = clock_now();
	}
	cursor_free(cursor);
	return rc;
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
	agenda_init(&engine->agenda);
	TAILQ_INIT(&engine->requests);
	candidate_open(&engine->running, engine->store);
	engine->turn = evtimer_new(options->base, turn, engine);
	rc = engine->turn && counters_open(engine) ? transaction_open(engine) : -ENOMEM;
	if (rc == 0)
		rc = keepalive_open(engine);
	if (rc == 0)
		rc = recall_open(engine);
	engine->store->dropped = on_dropped;
	engine->store->dropped_arg = engine;
	if (rc == 0)
		rc = watch_kernel(engine);
	if (rc == 0)
		rc = watch_disk(engine);
	if (rc == 0)
		rc = watch_journal(engine);
	if (rc < 0)
		error_set(err, ERROR_RESOURCE, "no memory");
	if (rc == 0)
		rc = read_kernel(engine, err);
	engine->totals = (struct engine_totals){.since = clock_moment()}; /* not what was before */
	if (rc == 0)
		rc = transaction_resume(engine, err);
	if (rc == 0)
		tentative_open(engine); /* before names are chosen, which it would undo too */
	if (rc == 0 && datastore_counts(engine->store)->nameless && !request_names(engine))
		rc = error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory");
	if (rc < 0) {
		engine_close(engine);
		return rc;
	}
	engine_schedule(engine);
	*ret = engine;
	return 0;
}

/*
 * Finish what has begun, for half of it may be in the kernel. If time runs out, the next daemon
 * completes it.
 */
static void finish_transaction(struct engine *engine)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int64_t end = clock_now() + FINISH_NS;
	const struct keys *removing = &engine->agenda.removing;

	while (engine->transaction->request &&
	       clock_now() < end + (int64_t)removing->count * FINISH_EACH_NS)
		if (!turn_once(engine))
			nanosleep(&pause, NULL);
	transaction_leave(engine);
}

static void cancel_requests(struct engine *engine)
{
	struct error err = ERROR_INIT;
	struct request *request;

	error_set(&err, ERROR_STOPPING, "the daemon is stopping; nothing was changed");
	while ((request = TAILQ_FIRST(&engine->requests)) != NULL) {
		TAILQ_REMOVE(&engine->requests, request, link);
		request_finish(engine, request, -ECANCELED, &err);
	}
}

void engine_finish(struct engine *engine)
{
	engine->closing = true;
	if (engine->transaction)
		finish_transaction(engine);
	cancel_requests(engine);
	for (size_t i = 0; i < 2; i++) {
		if (engine->kernel_events[i])
			event_free(engine->kernel_events[i]);
		engine->kernel_events[i] = NULL;
	}
	if (engine->journal_event)
		event_free(engine->journal_event);
	engine->journal_event = NULL;
	if (engine->turn)
		event_free(engine->turn);
	if (engine->disk)
		event_free(engine->disk);
	engine->turn = engine->disk = NULL;
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	engine_finish(engine);
	transaction_close(engine);
	staging_close(engine);
	partial_close(engine);
	tentative_close(engine);
	engine->store->dropped = NULL;
	recall_close(engine);
	keepalive_close(engine);
	counters_close(engine);
	links_clear(&engine->links);
	agenda_free(&engine->agenda);
	free(engine->watchers);
	free(engine);
}

/* ---- other calls of the doors */

void engine_polled(struct engine *engine)
{
	engine->polled_at = clock_now();
	counters_wanted(engine);
}

const struct datastore *engine_store(const struct engine *engine)
{
	return engine->store;
}

void engine_totals(const struct engine *engine, struct engine_totals *ret)
{
	*ret = engine->totals;
}

struct journal *engine_journal(struct engine *engine)
{
	return engine->o.journal;
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

void engine_forget(struct engine *engine, unsigned int ticket)
{
	struct request *request = engine->transaction->request;

	if (request && request->ticket == ticket) {
		request->done = NULL;
		transaction_abort(engine);
	}
	TAILQ_FOREACH (request, &engine->transaction->sharers, link)
		if (request->ticket == ticket)
			request->done = NULL;
	TAILQ_FOREACH (request, &engine->requests, link)
		if (request->ticket == ticket) {
			request->done = NULL;
			request->forgotten = true;
		}
}

void engine_info(const struct engine *engine, struct engine_info *ret)
{
	const struct request *request;

	*ret = (struct engine_info){
		.generation = engine->o.journal ? journal_generation(engine->o.journal) : 0,
		.last_change = engine->last_change,
		.capabilities = engine->k->capabilities(engine->o.kernel),
		.release = engine->k->release(engine->o.kernel),
		.last_error = engine->last_error,
		.busy = engine->transaction->request && !engine->transaction->told,
		.undoing = engine->tentative.undoing,
	};
	TAILQ_FOREACH (request, &engine->requests, link)
		ret->queued++;
}

static void explain_path(struct engine *engine, const struct tunnel *ends,
			 struct engine_explanation *ret)
{
	struct kernel_path path = {0};
	const struct kernel_link *link;

	ret->path_error = engine->k->path(engine->o.kernel, ends, &path);
	if (ret->path_error)
		return;
	link = links_by_index(&engine->links, path.link);
	ret->source = path.source;
	ret->gateway = path.gateway;
	ret->path_mtu = path.mtu ? path.mtu : link ? link->mtu : 0;
	snprintf(ret->link, sizeof(ret->link), "%s", link ? link->name : "");
}

void engine_explain(struct engine *engine, struct entry *entry, struct engine_explanation *ret)
{
	const struct tunnel_entry *tunnel = entry_tunnel_of(entry);
	const struct state *state = entry_state(entry);
	const struct tunnel *shown = entry_shown(&tunnel->entry);
	const struct session *session = entry->key.session_id ? entry_shown(entry) : NULL;
	union config ends = {0};

	*ret = (struct engine_explanation){.path_error = -ENOENT, .heard_for = -1};
	engine_refresh(engine, entry);
	if (state->heard_time && entry->in_kernel)
		ret->heard_for = (clock_now() - state->heard_time) / NS_PER_S;
	if (!shown)
		return;
	ends.tunnel = *shown;
	codec_complete(OBJECT_TUNNEL, &ends);
	if (tunnel->state.resolved_local_address.family)
		ends.tunnel.local_address = tunnel->state.resolved_local_address;
	explain_path(engine, &ends.tunnel, ret);
	if (session)
		ret->overhead = overhead_of(&ends.tunnel, session);
}
