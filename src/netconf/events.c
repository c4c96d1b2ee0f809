#include "netconf/events.h"

#include <errno.h>
#include <event2/event.h>
#include <bsd/sys/tree.h>
#include <stddef.h>
#include <syslog.h>

#include "base/clock.h"
#include "netconf/ration.h"
#include "netconf/reader.h"
#include "netconf/subscription.h"
#include "netconf/subtree.h"
#include "netconf/xpath_tree.h"

#define REST_MS  20   /* in which an object may come to rest before it is reported */
#define SHARE_MS 20   /* after which subscribers and the disk get what has come since */
#define SOME     64   /* objects told about in one turn */
#define LAG_MAX  1024 /* records that a subscriber may be behind before objects wait */

/* An object to be told about. */
struct untold {
	TAILQ_ENTRY(untold) order;
	RB_ENTRY(untold) place;
	struct object_event event;
};

TAILQ_HEAD(untold_list, untold);
RB_HEAD(untold_tree, untold);

struct events {
	struct netconf_server *server;
	struct event_log *log;
	struct untold_tree tree;
	struct untold_list lists[OBJECTS]; /* oldest first */
	size_t count;
	int64_t began; /* clock_now() when the first of them came */
	uint64_t lost; /* for lack of memory, and not told yet */
	struct ration ration;
	uint64_t unrationed; /* notifications beyond it, and not told yet */
	struct event *tell;  /* the untold ones */
	struct event *share; /* what was appended: with subscribers and the disk */
	bool complained;     /* the disk failed, and has not worked since */
	struct tree parsed;  /* the content of record number ... */
	uint64_t parsed_number;
	struct xpath_tree *document; /* the same of record number ... */
	uint64_t document_number;
	struct event_record *scratch; /* events_state()'s and events_prune()'s */
	struct writer writer;         /* never flushed: every notification fits */
};

static int compare(const struct untold *a, const struct untold *b)
{
	if (a->event.what != b->event.what)
		return a->event.what < b->event.what ? -1 : 1;
	return key_compare(&a->event.key, &b->event.key);
}

RB_GENERATE_INTERNAL(untold_tree, untold, place, compare, static __attribute__((unused)))

static int does_not_fit(const char *bytes, size_t length, void *arg)
{
	(void)bytes, (void)length, (void)arg;
	return -EMSGSIZE;
}

static int64_t wall(void)
{
	return clock_read(CLOCK_REALTIME);
}

static void schedule(struct event *timer, int milliseconds)
{
	const struct timeval delay = {.tv_usec = milliseconds * 1000};

	if (!evtimer_pending(timer, NULL))
		evtimer_add(timer, &delay);
}

/* ---- into the log */

static struct writer *begin(struct events *events)
{
	writer_init(&events->writer, does_not_fit, events);
	return &events->writer;
}

static void append(struct events *events, int64_t time)
{
	const struct writer *writer = &events->writer;

	if (writer->rc || event_log_append(events->log, time, writer->buffer, writer->used))
		events->lost++;
	schedule(events->share, SHARE_MS);
}

static void tell_lost(struct events *events)
{
	uint64_t lost = events->lost;
	int64_t now = wall();

	if (!lost)
		return;
	events->lost = 0;
	notification_write_missed(begin(events), now, lost, now);
	append(events, now);
	events->lost = events->lost ? lost + 1 : 0;
}

static void write_to_disk(struct events *events)
{
	struct error err = ERROR_INIT;
	int rc = event_log_write(events->log, &err);

	if (rc && !events->complained)
		server_log(events->server, LOG_WARNING, "%s", err.text);
	events->complained = rc;
}

static void on_share(evutil_socket_t fd, short what, void *arg)
{
	struct events *events = arg;
	struct netconf_session *session;

	(void)fd, (void)what;
	tell_lost(events);
	write_to_disk(events);
	TAILQ_FOREACH (session, &events->server->sessions, link)
		if (session->subscription)
			shares_add_notifications(&events->server->shares, session);
}

/* ---- objects */

static struct untold *take(struct events *events)
{
	enum object object =
		TAILQ_EMPTY(&events->lists[OBJECT_TUNNEL]) ? OBJECT_SESSION : OBJECT_TUNNEL;
	struct untold *untold = TAILQ_FIRST(&events->lists[object]);

	if (!untold)
		return NULL;
	TAILQ_REMOVE(&events->lists[object], untold, order);
	RB_REMOVE(untold_tree, &events->tree, untold);
	events->count--;
	return untold;
}

/*
 * Is a subscriber that takes notifications too far behind? (Is there a subscriber at all?) One
 * whose reply is under way, or that is about to end, takes none, however long that lasts: others do
 * not wait for it. They do not wait for long for one that is slow, as some filters are.
 */
static bool must_wait(const struct events *events, bool *ret_subscribed)
{
	const struct netconf_session *session;
	uint64_t next = event_log_next(events->log);
	int64_t patience = events->server->options.limits.lag_timeout * NS_PER_S;
	bool lags = false;

	*ret_subscribed = false;
	TAILQ_FOREACH (session, &events->server->sessions, link) {
		if (!session->subscription)
			continue;
		*ret_subscribed = true;
		lags |= session_takes_notifications(session) &&
			next - session->subscription->next > LAG_MAX;
	}
	return lags && clock_now() - events->began < patience;
}

static bool tell_one(struct events *events)
{
	struct untold *untold = take(events);

	if (!untold)
		return false;
	notification_write_object(begin(events), &untold->event,
				  engine_store(events->server->options.engine));
	append(events, untold->event.time);
	free(untold);
	return true;
}

static void on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct events *events = arg;
	bool subscribed;

	(void)fd, (void)what;
	if (must_wait(events, &subscribed)) {
		schedule(events->tell, SHARE_MS);
		return;
	}
	/* the log would not keep them, and nobody reads it yet */
	for (int i = 0; i < SOME * SOME && !subscribed && events->count > EVENT_LOG_RECORDS; i++)
		free(take(events));
	for (int i = 0; i < SOME && tell_one(events); i++)
		;
	if (events->count)
		schedule(events->tell, 0);
}

static void put(struct events *events, const struct object_event *event)
{
	struct untold wanted = {.event = *event};
	struct untold *untold = RB_FIND(untold_tree, &events->tree, &wanted);

	if (untold) {
		wanted.event.old_status = untold->event.old_status;
		untold->event = wanted.event;
		return;
	}
	untold = malloc(sizeof(*untold));
	if (!untold) {
		events->lost++;
		schedule(events->share, SHARE_MS);
		return;
	}
	untold->event = *event;
	TAILQ_INSERT_TAIL(&events->lists[event->key.session_id ? OBJECT_SESSION : OBJECT_TUNNEL],
			  untold, order);
	RB_INSERT(untold_tree, &events->tree, untold);
	if (!events->count++)
		events->began = clock_now();
	schedule(events->tell, REST_MS);
}

/* Only the reason has changed: report it if the state is to be reported anyway. */
static void renew_reason(struct events *events, const struct entry *entry)
{
	struct untold wanted = {.event = {.what = HAPPENING_STATE, .key = entry->key}};
	struct untold *untold = RB_FIND(untold_tree, &events->tree, &wanted);

	if (untold)
		untold->event.reason = entry_state(entry)->status_reason;
}

static void take_object(struct events *events, enum happening what,
			const struct engine_event *event)
{
	const struct state *state = entry_state(event->entry);
	const struct object_event object = {
		.what = what,
		.key = event->entry->key,
		.time = wall(),
		.old_status = event->old_status,
		.oper_status = state->oper_status,
		.reason = state->status_reason,
		.drift = event->drift,
		.row = event->row,
		.restores = event->restores,
	};

	put(events, &object);
}

/* ---- commits and sessions */

static const struct netconf_session *find_session(const struct events *events, unsigned int id)
{
	const struct netconf_session *session;

	TAILQ_FOREACH (session, &events->server->sessions, link)
		if (session->id == id)
			break;
	return session;
}

/* SNMP's master may not tell who the manager is: then the door stands for the user. */
static struct actor actor_of(const struct events *events, unsigned int id, const char *user,
			     const char *door)
{
	const struct netconf_session *session = id ? find_session(events, id) : NULL;

	return (struct actor){
		.user = user && *user ? user : door,
		.id = id,
		.source = session ? session->peer.source : "",
	};
}

static struct actor actor_in(const struct netconf_session *session)
{
	return (struct actor){session->peer.user, session->id, session->peer.source};
}

static void take_commit(struct events *events, const struct engine_event *event)
{
	const struct commit_info *commit = event->commit;
	const char *door = strcmp(commit->door, "daemon") != 0 ? commit->door : NULL;
	const struct actor actor = actor_of(events, event->session, commit->user, door);
	int64_t now = wall();

	if (!candidate_dirty(event->changes))
		return; /* it confirms, and changes nothing (RFC 6470 section 2.2) */
	notification_write_commit(begin(events), now, event, &actor);
	append(events, now);
}

static void take_confirm(struct events *events, const struct engine_event *event)
{
	const struct actor actor = actor_of(events, event->session, event->user, NULL);
	int64_t now = wall();

	notification_write_confirm(begin(events), now, event, &actor);
	append(events, now);
}

static void on_event(const struct engine_event *event, void *arg)
{
	struct events *events = arg;

	switch (event->type) {
	case ENGINE_STATE:
		take_object(events, HAPPENING_STATE, event);
		break;
	case ENGINE_REASON:
		renew_reason(events, event->entry);
		break;
	case ENGINE_FOREIGN:
		take_object(events, HAPPENING_FOREIGN, event);
		break;
	case ENGINE_DRIFT:
		take_object(events, HAPPENING_DRIFT, event);
		break;
	case ENGINE_COMMIT:
		take_commit(events, event);
		break;
	case ENGINE_GONE:
	case ENGINE_PROGRESS:
		break;
	case ENGINE_CONFIRM:
		take_confirm(events, event);
		break;
	}
}

/* The shell is a client of the same socket, but no NETCONF session in the sense of RFC 6470. */
static bool is_shell(const struct netconf_session *session)
{
	return strcmp(session->door, "cli") == 0;
}

/*
 * What was beyond the ration is counted by the next one within it: to tell at once would fill the
 * log too.
 */
static bool may_tell(const struct netconf_session *session)
{
	struct events *events = session->server->events;

	if (!ration_take(&events->ration, session->peer.uid, clock_now()))
		return false;
	events->lost += events->unrationed;
	events->unrationed = 0;
	return true;
}

void events_session_start(struct netconf_session *session)
{
	struct events *events = session->server->events;
	const struct actor actor = actor_in(session);
	int64_t now = wall();

	if (is_shell(session) || session->refusal)
		return;
	session->announced = may_tell(session);
	if (!session->announced) {
		events->unrationed++;
		return;
	}
	notification_write_start(begin(events), now, &actor);
	append(events, now);
}

void events_session_end(struct netconf_session *session)
{
	struct events *events = session->server->events;
	const struct actor actor = actor_in(session);
	int64_t now = wall();

	if (is_shell(session) || session->refusal || (!session->greeted && !session->ending))
		return;
	if (session->greeted ? !session->announced : !may_tell(session)) {
		events->unrationed++;
		return;
	}
	notification_write_end(begin(events), now, &actor,
			       session->ending ? session->ending : "dropped", session->killer);
	append(events, now);
}

/* ---- for subscriptions */

/* What follows eventTime; NULL: the record is damaged. */
static const char *content_of(const struct event_record *record)
{
	static const char end[] = "</eventTime>";
	const char *at = strstr(record->text, end);

	return at ? at + sizeof(end) - 1 : NULL;
}

/* Make a record, in no log, of what was written. NULL: no memory, or it does not fit. */
static const struct event_record *keep_scratch(struct events *events, int64_t time)
{
	const struct writer *writer = &events->writer;
	struct event_record *record =
		writer->rc ? NULL : realloc(events->scratch, sizeof(*record) + writer->used + 1);

	if (!record)
		return NULL;
	events->scratch = record;
	*record = (struct event_record){.time = time, .length = writer->used};
	memcpy(record->text, writer->buffer, writer->used);
	record->text[writer->used] = '\0';
	return record;
}

const struct event_record *events_state(struct events *events, const struct entry *entry)
{
	const struct state *state = entry_state(entry);
	const struct object_event event = {
		.what = HAPPENING_STATE,
		.key = entry->key,
		.time = state->last_change.wall,
		.oper_status = state->oper_status,
		.reason = state->status_reason,
	};

	notification_write_object(begin(events), &event,
				  engine_store(events->server->options.engine));
	return keep_scratch(events, event.time);
}

const struct event_record *events_prune(struct events *events, const struct event_record *record,
					events_hides_cb *hides, void *arg)
{
	static const struct subtree_list none = {.name = NULL};
	const struct node *content = events_tree(events, record);
	const char *from = content ? content_of(record) : NULL;
	struct tree tree = {0};
	struct node *copy = from ? tree_copy(&tree, NULL, content) : NULL;
	struct node **link = copy ? &copy->first : NULL;

	while (link && *link) {
		if (hides(*link, arg))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	if (copy) {
		write_bytes(begin(events), record->text, (size_t)(from - record->text));
		subtree_write(&events->writer, NULL, copy, &none, 0);
	}
	tree_free(&tree);
	return copy ? keep_scratch(events, record->time) : NULL;
}

/* Is @kept, of record @number, of this one? Records without a number are never kept. */
static bool is_kept(const void *kept, uint64_t number, const struct event_record *record)
{
	return kept && record->number && record->number == number;
}

const struct node *events_tree(struct events *events, const struct event_record *record)
{
	static const char head[] = "<notification>", tail[] = "</notification>";
	struct tree_builder builder = {&events->parsed, NULL, SIZE_MAX};
	struct error err = ERROR_INIT;
	struct reader *reader;
	int rc;

	if (is_kept(events->parsed.root, events->parsed_number, record))
		return events->parsed.root->last;
	tree_free(&events->parsed);
	reader = reader_open(&tree_builder_handler, &builder);
	rc = reader ? reader_feed(reader, head, sizeof(head) - 1, &err) : -ENOMEM;
	rc = rc ? rc : reader_feed(reader, record->text, record->length, &err);
	rc = rc ? rc : reader_feed(reader, tail, sizeof(tail) - 1, &err);
	rc = rc ? rc : reader_finish(reader, &err);
	reader_close(reader);
	if (rc)
		tree_free(&events->parsed);
	events->parsed_number = record->number;
	return rc ? NULL : events->parsed.root->last;
}

const struct xpath_tree *events_document(struct events *events, const struct event_record *record)
{
	const char *from = content_of(record);
	struct xpath_tree *document;

	if (is_kept(events->document, events->document_number, record))
		return events->document;
	xpath_tree_close(events->document);
	document = from ? xpath_tree_open() : NULL;
	if (document &&
	    (xpath_tree_feed(from, (size_t)(record->text + record->length - from), document) ||
	     xpath_tree_finish(document))) {
		xpath_tree_close(document);
		document = NULL;
	}
	events->document = document;
	events->document_number = record->number;
	return document;
}

/* ---- life */

const struct event_log *events_log(const struct events *events)
{
	return events->log;
}

int events_open(struct netconf_server *server, struct error *err)
{
	struct events *events = calloc(1, sizeof(*events));
	char warning[JOURNAL_WARNING_MAX];

	server->events = events;
	if (!events)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	events->server = server;
	RB_INIT(&events->tree);
	TAILQ_INIT(&events->lists[OBJECT_TUNNEL]);
	TAILQ_INIT(&events->lists[OBJECT_SESSION]);
	events->tell = evtimer_new(server->options.base, on_tell, events);
	events->share = evtimer_new(server->options.base, on_share, events);
	if (!events->tell || !events->share ||
	    event_log_open(&events->log, engine_journal(server->options.engine), warning) ||
	    engine_watch(server->options.engine, on_event, events))
		return error_set(err, ERROR_RESOURCE, "out of memory");
	if (*warning)
		server_log(server, LOG_WARNING, "%s", warning);
	engine_tell_missed(server->options.engine, on_event, events);
	return 0;
}

void events_close(struct netconf_server *server)
{
	struct events *events = server->events;

	if (!events)
		return;
	engine_unwatch(server->options.engine, events);
	while (tell_one(events))
		;
	if (events->log)
		write_to_disk(events);
	event_log_close(events->log);
	tree_free(&events->parsed);
	xpath_tree_close(events->document);
	free(events->scratch);
	if (events->tell)
		event_free(events->tell);
	if (events->share)
		event_free(events->share);
	free(events);
	server->events = NULL;
}
