/* What the daemon does, in order of urgency. To know the engine, read the table below. */
#include "engine/turn.h"

#include <event2/event.h>
#include <malloc.h>
#include <syslog.h>

#include "engine/counters.h"
#include "engine/keepalive.h"
#include "engine/lock.h"
#include "engine/observe.h"
#include "engine/recall.h"
#include "engine/removal.h"
#include "engine/report.h"
#include "engine/staging.h"
#include "engine/tentative.h"
#include "engine/transaction.h"

#define REMOVING_NS (200 * 1000000LL)
#define BLOCKED_NS  (3 * 1000000LL)
#define JOURNAL_NS  NS_PER_S
#define HEAR_NS     (5 * 1000000LL)

static int64_t now_if(bool something)
{
	return something ? 0 : NEVER;
}

/* ---- events */

/*
 * Thousands of interfaces that appear or go are an event each, and waking up costs more than
 * handling one. So an event that comes soon after another waits for more.
 */
void turn_hear(struct engine *engine)
{
	int64_t now = clock_now();

	if (now - engine->heard_at < HEAR_NS) {
		for (size_t i = 0; i < 2 && engine->kernel_events[i]; i++)
			event_del(engine->kernel_events[i]);
		engine->hear_at = engine->heard_at + HEAR_NS;
		return;
	}
	observe_drain(engine);
	engine->heard_at = now;
}

static int64_t hear_due(const struct engine *engine)
{
	return engine->hear_at;
}

static void hear_what_waits(struct engine *engine)
{
	observe_drain(engine);
	engine->heard_at = clock_now();
	engine->hear_at = NEVER;
	for (size_t i = 0; i < 2 && engine->kernel_events[i]; i++)
		if (event_add(engine->kernel_events[i], NULL) < 0)
			engine->hear_at = engine->heard_at + HEAR_NS; /* try again then */
}

/* ---- the journal */

/* A transaction and what it leaves behind write or free much of the memory that a child shares. */
static bool is_calm(const struct engine *engine)
{
	return transaction_due(engine) == NEVER && staging_due(engine) == NEVER;
}

static int64_t journal_due(const struct engine *engine)
{
	int64_t due = engine->o.journal && !engine->closing
			      ? journal_due_at(engine->o.journal, is_calm(engine))
			      : NEVER;

	return due < engine->maintain_at ? engine->maintain_at : due;
}

void turn_keep_journal(struct engine *engine)
{
	struct error err = ERROR_INIT;

	engine->maintain_at = clock_now() + JOURNAL_NS;
	if (journal_maintain(engine->o.journal, is_calm(engine), &err) < 0)
		engine_log(engine, LOG_WARNING, "%s", err.text);
}

/* ---- memory */

/* A big change needed it for a while: malloc keeps it for more of the same. */
static int64_t memory_due(const struct engine *engine)
{
	return now_if(engine->freed_much && is_calm(engine) && !engine->agenda.removing.count);
}

static void give_memory_back(struct engine *engine)
{
	engine->freed_much = false;
	malloc_trim(0);
}

/* ---- what is being removed */

static int64_t removal_due(const struct engine *engine)
{
	bool blocked = transaction_blocked(engine);

	if (engine->agenda.removing.count == 0)
		return NEVER;
	return engine->removing_polled_at + (blocked ? BLOCKED_NS : REMOVING_NS);
}

static void poll_removal(struct engine *engine)
{
	observe_drain(engine);
	while (removal_poll(engine))
		if (!engine_may_go_on(engine))
			return;
	engine->removing_polled_at = clock_now();
}

/* ---- requests */

static int64_t request_due(const struct engine *engine)
{
	return now_if(!TAILQ_EMPTY(&engine->requests));
}

static void begin_request(struct engine *engine)
{
	struct request *request = TAILQ_FIRST(&engine->requests);

	TAILQ_REMOVE(&engine->requests, request, link);
	if (request->type == REQUEST_RESYNC)
		transaction_read(engine, request);
	else if (request->type == REQUEST_LOCK)
		lock_take(engine, request);
	else if (request->type == REQUEST_SETTLE)
		request_finish(engine, request, 0, &(struct error){0});
	else {
		transaction_begin(engine, request);
		transaction_run(engine);
	}
}

/* ---- the agenda */

static int64_t read_all_due(const struct engine *engine)
{
	return engine->agenda.read_all ? engine->agenda.read_all_at : NEVER;
}

static void read_again(struct engine *engine)
{
	transaction_read(engine, NULL);
}

static int64_t later_due(const struct engine *engine)
{
	return agenda_later_due(&engine->agenda);
}

static void look_at_later(struct engine *engine)
{
	agenda_later_to_look(&engine->agenda);
}

static int64_t look_due(const struct engine *engine)
{
	return now_if(engine->agenda.look.count);
}

static int64_t changed_due(const struct engine *engine)
{
	return now_if(engine->agenda.changed.count);
}

static int64_t repair_due(const struct engine *engine)
{
	return now_if(engine->agenda.repair.count);
}

static int64_t recheck_due(const struct engine *engine)
{
	return now_if(engine->agenda.recheck || engine->agenda.recheck_from);
}

static int64_t try_due(const struct engine *engine)
{
	return agenda_try_due(&engine->agenda);
}

/* ---- the table */

/*
 * Each turn runs a slice of the first duty that is due. due() returns a time, which may be past, or
 * NEVER. While a transaction is under way, duties marked `between` do not run.
 */
static const struct duty {
	const char *name;
	bool between;
	int64_t (*due)(const struct engine *engine);
	void (*run)(struct engine *engine);
} duties[] = {
	{"hear the kernel", false, hear_due, hear_what_waits},
	{"send keepalives", false, keepalive_due, keepalive_send},
	{"give memory back", true, memory_due, give_memory_back},
	{"keep the journal", false, journal_due, turn_keep_journal},
	{"write identities down", false, recall_due, recall_write},
	{"release what is gone", false, removal_due, poll_removal},
	{"go on with the transaction", false, transaction_due, transaction_run},
	{"undo what was not confirmed", true, tentative_due, tentative_undo},
	{"begin a request", true, request_due, begin_request},
	{"free what was staged", false, staging_due, staging_free_some},
	{"read everything", true, read_all_due, read_again},
	{"look again", true, later_due, look_at_later},
	{"look", true, look_due, observe_some},
	{"report what others changed", true, changed_due, report_changed},
	{"repair", true, repair_due, transaction_repair},
	{"recheck addresses and routes", true, recheck_due, observe_recheck},
	{"retry what waits", true, try_due, observe_waiting},
	{"look at counters", true, counters_due, counters_look},
};

/* The first that is due, or NULL; @ret_next: when the next of the others is. */
static const struct duty *first_due(const struct engine *engine, int64_t now, int64_t *ret_next)
{
	bool busy = transaction_due(engine) != NEVER;

	*ret_next = NEVER;
	for (size_t i = 0; i < sizeof(duties) / sizeof(duties[0]); i++) {
		int64_t due = busy && duties[i].between ? NEVER : duties[i].due(engine);

		if (due <= now)
			return &duties[i];
		*ret_next = due < *ret_next ? due : *ret_next;
	}
	return NULL;
}

/* Hear waiting events before anything else is done: they may change what is due. */
bool turn_once(struct engine *engine)
{
	int64_t next, now = clock_now();
	const struct duty *duty = first_due(engine, now, &next);

	if (duty && engine->hear_at != NEVER && engine->hear_at > now) {
		observe_drain(engine);
		duty = first_due(engine, now, &next);
	}
	engine_begin_slice(engine);
	if (duty)
		duty->run(engine);
	return duty;
}

void turn_arm(struct engine *engine)
{
	int64_t now = clock_now(), next;

	if (first_due(engine, now, &next))
		engine_schedule(engine);
	else if (next != NEVER)
		engine_schedule_in(engine, next - now);
}
