#include "daemon/chronicle.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdarg.h>
#include <syslog.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "daemon/tally.h"
#include "model/codec.h"
#include "model/status.h"

#define TOPIC    "engine"
#define QUIET_MS 300  /* without a change of state end a burst, which is then logged ... */
#define BURST_MS 3000 /* ... as is one that lasts this long */
/* Keeps turns of the loop short: commits up to this size are counted, and compared leaf by leaf. */
#define COUNTED_MAX  16384
#define COMPARED_MAX 1024
#define NAMED_MAX    3 /* objects named in a commit's line */
#define LEAVES_MAX   4 /* leaves named there */

struct chronicle {
	struct engine *engine;
	struct tally *tally;
	struct event *pause;
	int64_t until;  /* clock_now() at which the current burst is logged at the latest */
	int64_t latest; /* ... and when its latest change came */
};

/* ---- commits */

enum deed { CREATED, CHANGED, DELETED, DEEDS };

/* What a commit did to objects of one kind. */
struct sum {
	size_t count;
	struct {
		uint32_t tunnel_id, session_id;
	} named[NAMED_MAX];
	uint32_t tunnel_id; /* of all the sessions ... */
	bool many_tunnels;  /* ... unless they are of several */
	uint64_t leaves;    /* that changed, as bits by row number */
};

struct line {
	char *text;
	size_t used, size;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vsnprintf(line->text + line->used, line->size - line->used, format, args);
	va_end(args);
	if (count > 0)
		line->used += (size_t)count;
	if (line->used >= line->size)
		line->used = line->size - 1;
}

static void add_up(struct sum sums[DEEDS][OBJECTS], const struct change *change, bool compare)
{
	enum object object = change->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	enum deed deed = !change->before ? CREATED : change->after ? CHANGED : DELETED;
	struct sum *sum = &sums[deed][object];

	if (sum->count < NAMED_MAX) {
		sum->named[sum->count].tunnel_id = change->tunnel_id;
		sum->named[sum->count].session_id = change->session_id;
	}
	if (sum->count++ && sum->tunnel_id != change->tunnel_id)
		sum->many_tunnels = true;
	sum->tunnel_id = change->tunnel_id;
	if (deed == CHANGED && compare)
		sum->leaves |= codec_difference(object, change->before, change->after);
}

static void put_objects(struct line *line, enum object object, const struct sum *sum)
{
	const char *name = row_sets[object].name;
	char number[COUNT_TEXT];

	if (sum->count > NAMED_MAX) {
		put(line, "%s %ss", count_text(sum->count, number), name);
		if (object == OBJECT_SESSION && !sum->many_tunnels)
			put(line, " of tunnel %" PRIu32, sum->tunnel_id);
		return;
	}
	put(line, "%s%s", name, sum->count == 1 ? "" : "s");
	for (size_t i = 0; i < sum->count; i++) {
		put(line, "%s %" PRIu32, i ? "," : "", sum->named[i].tunnel_id);
		if (object == OBJECT_SESSION)
			put(line, "/%" PRIu32, sum->named[i].session_id);
	}
}

static void put_leaves(struct line *line, enum object object, uint64_t leaves)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < row_sets[object].config_count; i++) {
		if (!(leaves & BIT(i)) || count++ >= LEAVES_MAX)
			continue;
		put(line, "%s%s", count == 1 ? " (" : ", ", row_sets[object].rows[i].leaf);
	}
	if (count > LEAVES_MAX)
		put(line, " and %u more", count - LEAVES_MAX);
	if (count)
		put(line, ")");
}

static void put_deeds(struct line *line, const struct candidate *changes)
{
	static const char *const words[DEEDS] = {"created", "changed", "deleted"};
	struct sum sums[DEEDS][OBJECTS] = {0};
	const char *before = "";

	for (struct change *at = candidate_first(changes); at; at = change_next(at))
		add_up(sums, at, changes->count <= COMPARED_MAX);
	for (unsigned int deed = 0; deed < DEEDS; deed++)
		for (unsigned int object = 0; object < OBJECTS; object++) {
			const struct sum *sum = &sums[deed][object];

			if (!sum->count)
				continue;
			put(line, "%s", before);
			put_objects(line, object, sum);
			put(line, " %s", words[deed]);
			put_leaves(line, object, sum->leaves);
			before = "; ";
		}
}

/* The AgentX master does not tell a subagent who the manager is (RFC 2741). */
static void put_who(struct line *line, const struct commit_info *info)
{
	if (info->user[0])
		put(line, "by %s (%s)", info->user, info->door);
	else if (!strcmp(info->door, "snmp"))
		put(line, "by a manager whom the AgentX master does not name (snmp)");
	else
		put(line, "by the %s", info->door);
}

void chronicle_commit(const struct commit_info *info, const struct candidate *changes,
		      char ret[COMMIT_LINE])
{
	struct line line = {ret, 0, COMMIT_LINE};
	char tunnels[COUNT_TEXT], sessions[COUNT_TEXT];

	put(&line, "commit %" PRIu64 " ", info->number);
	put_who(&line, info);
	put(&line, ": ");
	if (changes->count == 0)
		put(&line, "nothing changed");
	else if (changes->count <= COUNTED_MAX)
		put_deeds(&line, changes);
	else
		put(&line, "%s tunnels and %s sessions touched", count_text(info->tunnels, tunnels),
		    count_text(info->sessions, sessions));
	if (info->comment[0])
		put(&line, " [%s]", info->comment);
}

/* For debugging: what changed, without secrets. */
static void debug_changes(const struct candidate *changes)
{
	char *text = NULL, *save = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return;
	changes_print(file, changes);
	if (!fclose(file))
		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			log_callback(LOG_DEBUG, line, (void *)(uintptr_t)TOPIC);
	free(text);
}

static void on_commit(const struct engine_event *event)
{
	char line[COMMIT_LINE];

	chronicle_commit(event->commit, event->changes, line);
	log_text(LOG_INFO, "%s", line);
	if (log_wants(TOPIC) && event->changes->count <= COMPARED_MAX)
		debug_changes(event->changes);
}

void chronicle_progress(const struct commit_info *info, const struct engine_progress *progress,
			char ret[COMMIT_LINE])
{
	uint64_t ms = (uint64_t)progress->took / (NS_PER_S / 1000), rest;
	struct line line = {ret, 0, COMMIT_LINE};
	char done[COUNT_TEXT], objects[COUNT_TEXT], rate[COUNT_TEXT];

	put(&line, "%scommit %" PRIu64 " ", progress->stage == ENGINE_UNDOING ? "undoing " : "",
	    info->number);
	put_who(&line, info);
	put(&line, ": %s of %s objects done", count_text(progress->done, done),
	    count_text(progress->objects, objects));
	if (!progress->done || !ms)
		return;
	rest = progress->objects - progress->done;
	put(&line, ", %s a second, about %" PRIu64 " s left",
	    count_text(progress->done * 1000 / ms, rate), rest * ms / progress->done / 1000);
}

static void on_progress(const struct chronicle *chronicle, const struct commit_info *info)
{
	struct engine_progress progress;
	char line[COMMIT_LINE];

	engine_progress(chronicle->engine, &progress);
	chronicle_progress(info, &progress, line);
	log_text(LOG_INFO, "%s", line);
}

/* ---- states */

static const char *word(const struct word *words, unsigned int value)
{
	const struct word *found = word_by_value(words, value);

	return found ? found->name : "?";
}

static int priority_of(const struct state *state)
{
	switch (state->oper_status) {
	case OPER_FAILED:
	case OPER_PEER_SILENT:
		return LOG_WARNING;
	case OPER_DOWN:
		return state->status_reason == REASON_DISABLED ? LOG_INFO : LOG_WARNING;
	case OPER_WAITING:
		return LOG_NOTICE;
	default:
		return LOG_INFO;
	}
}

/* Wake up when the burst ends, if nothing comes until then. False: it has ended. */
static bool wait_for_end(struct chronicle *chronicle, int64_t now)
{
	int64_t quiet = chronicle->latest + QUIET_MS * (NS_PER_S / 1000);
	int64_t left = (quiet < chronicle->until ? quiet : chronicle->until) - now;
	struct timeval pause = {.tv_sec = left / NS_PER_S, .tv_usec = left % NS_PER_S / 1000};

	if (left > 0)
		evtimer_add(chronicle->pause, &pause);
	return left > 0;
}

/* A change of state has come, one of thousands perhaps: so the timer is left as it is. */
static void wait_for_more(struct chronicle *chronicle)
{
	int64_t now = clock_now();

	chronicle->latest = now;
	if (evtimer_pending(chronicle->pause, NULL))
		return;
	chronicle->until = now + BURST_MS * (NS_PER_S / 1000);
	wait_for_end(chronicle, now);
}

static void print_why(const struct entry *entry, char ret[STATUS_TEXT_MAX])
{
	static const union config nothing;
	const void *tunnel = entry_shown(&entry_tunnel_of(entry)->entry);
	const void *session = entry->key.session_id ? entry_shown(entry) : NULL;

	if (entry->key.session_id && !session)
		session = &nothing;
	status_text(entry_state(entry), tunnel ? tunnel : (const void *)&nothing, session, ret);
}

static void take_state(struct chronicle *chronicle, const struct entry *entry)
{
	const struct state *state = entry_state(entry);
	const struct tally_change change = {
		.tunnel_id = entry->key.tunnel_id,
		.session_id = entry->key.session_id,
		.became = word(oper_status_words, state->oper_status),
		.reason = state->status_reason == REASON_NONE
				  ? ""
				  : word(status_reason_words, state->status_reason),
		.priority = priority_of(state),
	};
	char why[STATUS_TEXT_MAX], *text;

	if (state->oper_status == OPER_REMOVING)
		return; /* the commit that deleted it is logged */
	text = tally_add(chronicle->tally, &change);
	if (text) {
		print_why(entry, why);
		snprintf(text, TALLY_TEXT, "%s", why);
	}
	wait_for_more(chronicle);
}

static void take_foreign(struct chronicle *chronicle, const struct entry *entry)
{
	const struct tally_change change = {
		.tunnel_id = entry->key.tunnel_id,
		.session_id = entry->key.session_id,
		.became = "appeared",
		.reason = "made by others",
		.priority = LOG_NOTICE,
	};

	tally_add(chronicle->tally, &change);
	wait_for_more(chronicle);
}

static void debug_state(const struct engine_event *event)
{
	const struct state *state = entry_state(event->entry);
	const struct key *key = &event->entry->key;
	char text[128], name[24] = "";

	if (key->session_id)
		snprintf(name, sizeof(name), "/%" PRIu32, key->session_id);
	snprintf(text, sizeof(text), "%s %" PRIu32 "%s: %s to %s, %s",
		 key->session_id ? "session" : "tunnel", key->tunnel_id, name,
		 event->old_status ? word(oper_status_words, event->old_status) : "new",
		 word(oper_status_words, state->oper_status),
		 word(status_reason_words, state->status_reason));
	log_callback(LOG_DEBUG, text, (void *)(uintptr_t)TOPIC);
}

static void on_event(const struct engine_event *event, void *arg)
{
	struct chronicle *chronicle = arg;

	switch (event->type) {
	case ENGINE_STATE:
	case ENGINE_REASON:
		if (log_wants(TOPIC))
			debug_state(event);
		take_state(chronicle, event->entry);
		break;
	case ENGINE_FOREIGN:
		take_foreign(chronicle, event->entry);
		break;
	case ENGINE_COMMIT:
		on_commit(event);
		break;
	case ENGINE_PROGRESS:
		on_progress(chronicle, event->commit);
		break;
	case ENGINE_GONE:  /* as with OPER_REMOVING */
	case ENGINE_DRIFT: /* the engine logs these where they happen */
	case ENGINE_CONFIRM:
		break;
	}
}

static void on_pause(evutil_socket_t fd, short what, void *arg)
{
	struct chronicle *chronicle = arg;

	(void)fd, (void)what;
	if (!wait_for_end(chronicle, clock_now()))
		tally_flush(chronicle->tally);
}

static void take_line(int priority, const char *text, void *arg)
{
	(void)arg;
	log_text(priority, "%s", text);
}

/* Log what the engine found when it opened. */
static void take_stock(struct chronicle *chronicle)
{
	const struct datastore *store = engine_store(chronicle->engine);
	const struct entry *entry = datastore_entry_from(store, 0, 0);

	for (; entry; entry = entry_next(entry)) {
		const struct state *state = entry_state(entry);
		bool came_up = state->left_status && state->left_status != OPER_UP;

		if (state->oper_status && (state->oper_status != OPER_UP || came_up))
			take_state(chronicle, entry);
	}
}

int chronicle_open(struct chronicle **ret, struct event_base *base, struct engine *engine,
		   struct error *err)
{
	struct chronicle *chronicle = calloc(1, sizeof(*chronicle));

	if (chronicle) {
		chronicle->engine = engine;
		chronicle->tally = tally_new(take_line, NULL);
		chronicle->pause = evtimer_new(base, on_pause, chronicle);
	}
	if (!chronicle || !chronicle->tally || !chronicle->pause ||
	    engine_watch(engine, on_event, chronicle)) {
		chronicle_close(chronicle);
		return error_set(err, ERROR_RESOURCE, "no memory to watch the engine");
	}
	take_stock(chronicle);
	*ret = chronicle;
	return 0;
}

void chronicle_close(struct chronicle *chronicle)
{
	if (!chronicle)
		return;
	engine_unwatch(chronicle->engine, chronicle);
	if (chronicle->tally)
		tally_flush(chronicle->tally);
	tally_free(chronicle->tally);
	if (chronicle->pause)
		event_free(chronicle->pause);
	free(chronicle);
}
