/* The doors' calls, the queue of requests, and the turn of the loop. */
#include "engine/engine.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <syslog.h>

#include "engine/internal.h"

#define RETRY_FIRST_NS NS_PER_S
#define RETRY_MOST_NS (30 * NS_PER_S)
#define POLL_BLOCKED_NS (3 * 1000000LL)
#define POLL_NS (50 * 1000000LL)

int64_t engine_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
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
	struct timeval tv = { .tv_sec = ns / NS_PER_S,
			      .tv_usec = (ns % NS_PER_S + 999) / 1000 };

	evtimer_add(engine->turn, &tv);
}

void engine_schedule(struct engine *engine)
{
	if (!engine->closing)
		schedule_in(engine, 0);
}

/* ---- requests */

static struct request *new_request(struct engine *engine, enum request_type type,
				   const struct engine_who *who, engine_done_cb *done, void *arg)
{
	static struct engine_who nobody = { "daemon", "", NULL, 0 };
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		abort(); /* a page could not be had: nothing sensible can be promised */
	if (!who)
		who = &nobody;
	request->type = type;
	request->session = who->session;
	request->done = done;
	request->arg = arg;
	candidate_open(&request->candidate, engine->store);
	snprintf(request->info.door, sizeof(request->info.door), "%s", who->door);
	snprintf(request->info.user, sizeof(request->info.user), "%s", who->user);
	snprintf(request->info.comment, sizeof(request->info.comment), "%s",
		 who->comment ? who->comment : "");
	return request;
}

static unsigned int enqueue(struct engine *engine, struct request *request)
{
	if (++engine->tickets == 0)
		engine->tickets = 1;
	request->ticket = engine->tickets;
	TAILQ_INSERT_TAIL(&engine->requests, request, link);
	engine_schedule(engine);
	return request->ticket;
}

static void free_request(struct request *request)
{
	edit_free(request->edit);
	candidate_discard(&request->candidate);
	free(request);
}

static void finish_request(struct engine *engine, struct request *request, int rc,
			   const struct error *err)
{
	if (rc < 0)
		snprintf(engine->last_error, sizeof(engine->last_error), "%s%s%s", err->path,
			 err->path[0] ? ": " : "", err->text);
	if (request->done)
		request->done(rc, err, request->arg);
	free_request(request);
}

unsigned int engine_edit(struct engine *engine, struct edit *edit, const struct engine_who *who,
			 engine_done_cb *done, void *arg)
{
	struct request *request = new_request(engine, REQUEST_EDIT, who, done, arg);

	request->edit = edit;
	return enqueue(engine, request);
}

unsigned int engine_commit(struct engine *engine, struct candidate *candidate,
			   const struct engine_who *who, engine_done_cb *done, void *arg)
{
	struct request *request = new_request(engine, REQUEST_COMMIT, who, done, arg);

	candidate_move(&request->candidate, candidate);
	return enqueue(engine, request);
}

unsigned int engine_adopt(struct engine *engine, uint32_t tunnel_id, const struct engine_who *who,
			  engine_done_cb *done, void *arg)
{
	struct request *request = new_request(engine, REQUEST_ADOPT, who, done, arg);

	request->number = tunnel_id;
	return enqueue(engine, request);
}

unsigned int engine_rollback(struct engine *engine, uint64_t number, const struct engine_who *who,
			     engine_done_cb *done, void *arg)
{
	struct request *request = new_request(engine, REQUEST_ROLLBACK, who, done, arg);

	request->number = number;
	return enqueue(engine, request);
}

unsigned int engine_resync(struct engine *engine, engine_done_cb *done, void *arg)
{
	return enqueue(engine, new_request(engine, REQUEST_RESYNC, NULL, done, arg));
}

void engine_forget(struct engine *engine, unsigned int ticket)
{
	struct request *request;

	if (engine->current && engine->current->ticket == ticket)
		engine->current->done = NULL;
	TAILQ_FOREACH (request, &engine->requests, link)
		if (request->ticket == ticket)
			request->done = NULL;
}

/* ---- from a request to changes */

static int check_lock(const struct engine *engine, unsigned int session, struct error *err)
{
	if (engine->lock == 0 || engine->lock == session)
		return 0;
	return error_set(err, ERROR_LOCKED,
			 "the configuration is locked by NETCONF session %u; wait for it, or end "
			 "it with kill-session", engine->lock);
}

static int adopt_session(struct engine *engine, struct candidate *changes,
			 const struct session_entry *entry)
{
	struct session config = entry->actual;
	const struct kernel_link *link = links_by_index(&engine->links, entry->state.if_index);

	config.present |= BIT(SESSION_ID);
	/* what the link has is the administrator's still; only its state is ours to keep */
	config.present &= ~(BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) | BIT(SESSION_BRIDGE));
	if (link && link->up)
		config.present &= ~BIT(SESSION_LINK_ENABLED);
	for (unsigned int i = 0; i < row_sets[OBJECT_SESSION].config_count; i++) {
		const struct row *row = &row_sets[OBJECT_SESSION].rows[i];

		if (!codec_present(row, &config))
			codec_clear(row, &config);
	}
	return candidate_put(changes, entry->tunnel->id, entry->id, &config);
}

static int adopt(struct engine *engine, uint32_t tunnel_id, struct candidate *changes,
		 struct error *err)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(engine->store, tunnel_id);
	const struct session_entry *session;
	int rc;

	changes->adopt = true;
	error_at_entry(err, tunnel_id, 0, NULL);
	if (!tunnel || !tunnel->in_kernel)
		return error_set(err, ERROR_MISSING, "there is no tunnel %u in the kernel",
				 tunnel_id);
	session = tunnel_session_from(tunnel, 0);
	rc = tunnel->configured ? 0 : candidate_put(changes, tunnel_id, 0, &tunnel->actual);
	for (; session && rc == 0; session = session_next(session))
		if (session->in_kernel && !session->configured)
			rc = adopt_session(engine, changes, session);
	if (rc < 0)
		return error_set(err, ERROR_RESOURCE, "no memory to adopt tunnel %u", tunnel_id);
	if (!candidate_dirty(changes))
		return error_set(err, ERROR_EXISTS, "tunnel %u and its sessions are ours already",
				 tunnel_id);
	err->path[0] = '\0';
	return 0;
}

bool engine_link_taken(struct engine *engine, const char *name)
{
	const struct kernel_link *link = links_by_name(&engine->links, name);
	const struct session_entry *session =
		link ? datastore_session_by_index(engine->store, link->index) : NULL;

	return link && !(session && (session->configured || session->held));
}

static bool name_taken(const char *name, void *arg)
{
	return engine_link_taken(arg, name);
}

/* A configured name must not be that of a link which is not a session's. */
static int check_names(struct engine *engine, const struct candidate *changes, struct error *err)
{
	for (struct change *c = candidate_first(changes); c; c = change_next(c)) {
		const struct session *after = &c->after.session;
		const struct session_entry *entry;

		if (c->session_id == 0 || !c->has || after->interface_name[0] == '\0' ||
		    !engine_link_taken(engine, after->interface_name))
			continue;
		entry = datastore_session(engine->store, c->tunnel_id, c->session_id);
		if (entry && entry->in_kernel) /* to be adopted, or renamed by hand */
			continue;
		error_at_entry(err, c->tunnel_id, c->session_id,
			       &row_sets[OBJECT_SESSION].rows[SESSION_INTERFACE_NAME]);
		return error_set(err, ERROR_FOREIGN,
				 "there is an interface %s that is not ours; choose another name, "
				 "or rename or delete that interface", after->interface_name);
	}
	return 0;
}

static int complete_changes(struct engine *engine, struct candidate *changes, struct error *err)
{
	int rc = candidate_choose_names(changes, name_taken, engine, err);

	if (rc == 0)
		rc = candidate_validate(changes, err);
	if (rc == 0)
		rc = check_names(engine, changes, err);
	return rc;
}

int engine_check(struct engine *engine, const struct edit *edit, struct error *err)
{
	struct candidate changes;
	int rc;

	candidate_open(&changes, engine->store);
	rc = candidate_apply(&changes, edit, err);
	if (rc == 0)
		rc = complete_changes(engine, &changes, err);
	candidate_discard(&changes);
	return rc;
}

static int make_changes(struct engine *engine, struct request *request, struct candidate *changes,
			struct error *err)
{
	int rc = check_lock(engine, request->session, err);

	if (rc < 0)
		return rc;
	switch (request->type) {
	case REQUEST_EDIT:
		rc = candidate_apply(changes, request->edit, err);
		break;
	case REQUEST_COMMIT:
		candidate_move(changes, &request->candidate);
		rc = candidate_rebase(changes);
		break;
	case REQUEST_ADOPT:
		rc = adopt(engine, (uint32_t)request->number, changes, err);
		break;
	case REQUEST_ROLLBACK:
		rc = engine->o.journal ?
			     journal_rollback(engine->o.journal, request->number, engine->store,
					      changes, err) :
			     error_set(err, ERROR_UNSUPPORTED, "no history is kept");
		break;
	case REQUEST_RESYNC:
		break;
	}
	if (rc == 0)
		rc = complete_changes(engine, changes, err);
	return rc;
}

/* ---- transactions */

static struct job *new_job(struct engine *engine, const struct candidate *from,
			   const struct candidate *to, bool strict)
{
	struct job *job = calloc(1, sizeof(*job));

	(void)engine;
	if (!job)
		abort();
	job->from = from;
	job->to = to;
	job->strict = strict;
	return job;
}

static int record(struct engine *engine, struct request *request, struct error *err)
{
	if (!engine->o.journal || request->info.number)
		return 0; /* without persistence, or resumed from the journal itself */
	return journal_append(engine->o.journal, &engine->changes, &request->info, err);
}

static int revoke(struct engine *engine, const struct request *request, struct error *err)
{
	if (!engine->o.journal || !request->info.number)
		return 0;
	return journal_revoke(engine->o.journal, request->info.number, err);
}

static void clear_transaction(struct engine *engine)
{
	candidate_discard(&engine->changes);
	candidate_open(&engine->changes, engine->store);
	job_free(engine->job);
	engine->job = NULL;
	engine->current = NULL;
}

static void abandon(struct engine *engine, struct request *request, int rc, struct error *err)
{
	struct error ignored = ERROR_INIT;

	if (revoke(engine, request, &ignored) < 0)
		engine_log(engine, LOG_ERR, "%s", ignored.text);
	clear_transaction(engine);
	finish_request(engine, request, rc, err);
}

/* Plan before recording: what the plan refuses is not to be in the journal. */
static void begin_transaction(struct engine *engine, struct request *request)
{
	struct error err = ERROR_INIT;
	struct keys keys = { 0 };
	int rc = 0;

	engine->current = request;
	if (!request->info.number) /* else resumed: the changes are there */
		rc = make_changes(engine, request, &engine->changes, &err);
	if (rc == 0 && candidate_dirty(&engine->changes)) {
		engine->job = new_job(engine, &engine->running, &engine->changes, true);
		rc = plan_keys(&engine->changes, &keys);
		if (rc == 0)
			rc = plan_job(engine, engine->job, &keys, &err);
		if (rc == 0)
			rc = record(engine, request, &err);
	}
	keys_free(&keys);
	if (rc < 0 || !engine->job) {
		request->info.number = rc < 0 ? 0 : request->info.number;
		abandon(engine, request, rc, &err);
	}
}

static void publish(struct engine *engine, struct request *request)
{
	struct keys keys = { 0 };
	struct error err = ERROR_INIT;

	if (candidate_publish(&engine->changes, engine->store) < 0)
		engine_log(engine, LOG_CRIT, "no memory to publish commit %llu",
			   (unsigned long long)request->info.number);
	settle_job(engine, engine->job);
	if (plan_keys(&engine->changes, &keys) == 0)
		settle_keys(engine, &keys);
	keys_free(&keys);
	if (engine->o.journal)
		journal_confirm(engine->o.journal, request->info.number);
	engine->last_change = engine_now();
	engine_tell(engine, &(struct engine_event){ .type = ENGINE_COMMIT,
						    .commit = &request->info,
						    .changes = &engine->changes });
	if (engine->o.journal && journal_maintain(engine->o.journal, engine->store, &err) < 0)
		engine_log(engine, LOG_WARNING, "%s", err.text);
}

static void end_transaction(struct engine *engine)
{
	struct request *request = engine->current;
	struct job *job = engine->job;

	if (job->error.code && !job->undoing) {
		plan_undo(job);
		engine_schedule(engine);
		return;
	}
	if (job->undoing) {
		struct error err = job->error;

		settle_job(engine, job);
		abandon(engine, request, err.os_errno ? -err.os_errno : -EINVAL, &err);
		return;
	}
	publish(engine, request);
	clear_transaction(engine);
	finish_request(engine, request, 0, &(struct error){ 0 });
}

/* ---- repairs and retries */

static void begin_repair(struct engine *engine)
{
	struct keys keys;
	struct error err = ERROR_INIT;

	keys_move(&keys, &engine->repair);
	keys_sort(&keys);
	engine->job = new_job(engine, &engine->running, &engine->running, false);
	if (plan_job(engine, engine->job, &keys, &err) < 0)
		engine_log(engine, LOG_ERR, "%s", err.text);
	settle_keys(engine, &keys);
	keys_free(&keys);
}

static void end_repair(struct engine *engine)
{
	settle_job(engine, engine->job);
	job_free(engine->job);
	engine->job = NULL;
}

static void end_job(struct engine *engine)
{
	if (engine->current)
		end_transaction(engine);
	else
		end_repair(engine);
}

static void take_waiting(struct engine *engine)
{
	for (size_t i = 0; i < engine->waiting.count; i++)
		keys_add(&engine->repair, engine->waiting.at[i].tunnel_id,
			 engine->waiting.at[i].session_id);
	engine->waiting.count = 0;
	engine->retry_delay = engine->retry_delay * 2 > RETRY_MOST_NS ? RETRY_MOST_NS :
									 engine->retry_delay * 2;
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
	int rc = observe_all(engine, &err);

	if (rc < 0)
		engine_log(engine, LOG_ERR, "%s", err.text);
	retry_soon(engine);
	if (request)
		finish_request(engine, request, rc, &err);
}

static void next_request(struct engine *engine)
{
	struct request *request = TAILQ_FIRST(&engine->requests);

	TAILQ_REMOVE(&engine->requests, request, link);
	if (request->type == REQUEST_RESYNC)
		resync(engine, request);
	else
		begin_transaction(engine, request);
}

/* One piece of work; false when there was none. */
static bool one_piece(struct engine *engine)
{
	if (engine->job) {
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
	if (engine->resync) {
		resync(engine, NULL);
		return true;
	}
	if (engine->dirty.count) {
		observe_dirty(engine);
		return true;
	}
	if (engine->repair.count && !engine->o.no_repair) {
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
		looking = counters_look(engine);
		engine->look_at = engine_now() + (looking ? 0 : NS_PER_S);
	}
	if (worked || looking)
		schedule_in(engine, 0);
	else if (engine->job)
		schedule_in(engine, POLL_BLOCKED_NS);
	else if (engine->removing.count)
		schedule_in(engine, POLL_NS);
	else if (engine->waiting.count && engine->retry_at - engine_now() < NS_PER_S)
		schedule_in(engine, engine->retry_at > engine_now() ?
					    engine->retry_at - engine_now() : 0);
	else if (engine->waiting.count || engine->store->tunnel_count ||
		 (engine->o.journal && journal_snapshot_pid(engine->o.journal)))
		schedule_in(engine, NS_PER_S);
}

static void kernel_ready(evutil_socket_t fd, short what, void *arg)
{
	struct engine *engine = arg;

	(void)fd;
	(void)what;
	observe_drain(engine);
	if (engine->dirty.count || engine->repair.count || engine->recheck || engine->resync ||
	    engine->retry_at <= engine_now())
		engine_schedule(engine);
}

/* ---- open and close */

/* A commit that a kill interrupted between record and confirmation: carry it out, or revoke it. */
static int resume_pending(struct engine *engine, struct error *err)
{
	uint64_t number = engine->o.journal ? journal_pending(engine->o.journal) : 0;
	struct request *request;
	int rc;

	if (number == 0)
		return 0;
	request = new_request(engine, REQUEST_COMMIT, NULL, NULL, NULL);
	request->info.number = number;
	rc = journal_changes(engine->o.journal, number, engine->store, &engine->changes, err);
	if (rc < 0) {
		free_request(request);
		return rc;
	}
	engine_log(engine, LOG_NOTICE, "carrying out commit %llu, which was interrupted",
		   (unsigned long long)number);
	if (candidate_dirty(&engine->changes))
		begin_transaction(engine, request);
	else
		abandon(engine, request, 0, err);
	return 0;
}

static int watch_kernel(struct engine *engine)
{
	int fds[2];
	unsigned int count = engine->k->event_fds(engine->o.kernel, fds);

	for (unsigned int i = 0; i < count; i++) {
		engine->kernel_events[i] = event_new(engine->o.base, fds[i],
						     EV_READ | EV_PERSIST, kernel_ready, engine);
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
		rc = resume_pending(engine, err);
	if (rc < 0) {
		engine_close(engine);
		return rc;
	}
	engine_schedule(engine);
	*ret = engine;
	return 0;
}

static void cancel_requests(struct engine *engine)
{
	struct error err = ERROR_INIT;
	struct request *request;

	error_set_errno(&err, ERROR_BUSY, ECANCELED, "the daemon is stopping");
	if (engine->current)
		finish_request(engine, engine->current, -ECANCELED, &err);
	engine->current = NULL;
	while ((request = TAILQ_FIRST(&engine->requests)) != NULL) {
		TAILQ_REMOVE(&engine->requests, request, link);
		finish_request(engine, request, -ECANCELED, &err);
	}
}

void engine_close(struct engine *engine)
{
	if (!engine)
		return;
	engine->closing = true;
	cancel_requests(engine);
	for (size_t i = 0; i < 2; i++)
		if (engine->kernel_events[i])
			event_free(engine->kernel_events[i]);
	if (engine->turn)
		event_free(engine->turn);
	job_free(engine->job);
	candidate_discard(&engine->changes);
	links_clear(&engine->links);
	keys_free(&engine->dirty);
	keys_free(&engine->repair);
	keys_free(&engine->waiting);
	keys_free(&engine->removing);
	free(engine->watchers);
	free(engine);
}

/* ---- the rest of the doors' calls */

const struct datastore *engine_store(const struct engine *engine)
{
	return engine->store;
}

struct journal *engine_journal(struct engine *engine)
{
	return engine->o.journal;
}

int engine_lock(struct engine *engine, unsigned int session, struct error *err)
{
	if (engine->lock) {
		error_set(err, ERROR_LOCK_DENIED, "session %u holds the lock", engine->lock);
		if (err)
			err->session = engine->lock;
		return -EBUSY;
	}
	engine->lock = session;
	return 0;
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
	struct watcher *watchers = reallocarray(engine->watchers, engine->watcher_count + 1,
						sizeof(*watchers));

	if (!watchers)
		return -ENOMEM;
	engine->watchers = watchers;
	watchers[engine->watcher_count++] = (struct watcher){ cb, arg };
	return 0;
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
