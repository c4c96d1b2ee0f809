#include "engine/keepalive.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <syslog.h>
#include <unistd.h>

#include "engine/lldpdu.h"

#define TICK_NS    (20 * 1000000LL) /* what is due within the same one is sent together */
#define FRAMES_MAX 64               /* sent at once */
#define LIVES      4                /* intervals until the peer forgets us */
#define LIFE_MAX   65535            /* seconds */

/*
 * The golden ratio as a fraction of 2^32: its multiples fill a circle evenly, however many there
 * are.
 */
#define GOLDEN 2654435769U

/*
 * One for each session that sends; gone when it was due and need not send any more. The frame is
 * made when something of the session has changed: looking that up for each frame would cost more
 * than sending it.
 */
struct keepalive {
	RB_ENTRY(keepalive) by_key;
	LIST_ENTRY(keepalive) sibling; /* of the same tick */
	struct tick *tick;
	struct key key;
	uint32_t interval;         /* seconds */
	bool known;                /* the frame is as it should be */
	struct kernel_frame frame; /* owns its bytes; NULL: send none */
};
RB_HEAD(keepalive_keys, keepalive);

/* Those that are due together. */
struct tick {
	RB_ENTRY(tick) by_due;
	int64_t due; /* a multiple of TICK_NS */
	LIST_HEAD(, keepalive) members;
};
RB_HEAD(ticks, tick);

struct keepalives {
	struct keepalive_keys keys;
	struct ticks ticks;
	uint32_t place; /* in its interval, of the latest: a fraction of 2^32 */
	char host[LLDPDU_TEXT_MAX + 1];
	bool failed;
};

static int compare_key(const struct keepalive *a, const struct keepalive *b)
{
	return key_compare(&a->key, &b->key);
}

static int compare_due(const struct tick *a, const struct tick *b)
{
	return (a->due > b->due) - (a->due < b->due);
}

RB_GENERATE_INTERNAL(keepalive_keys, keepalive, by_key, compare_key, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(ticks, tick, by_due, compare_due, __attribute__((unused)) static)

int keepalive_open(struct engine *engine)
{
	engine->keepalives = calloc(1, sizeof(*engine->keepalives));
	return engine->keepalives ? 0 : -ENOMEM;
}

static void leave_tick(struct keepalives *all, struct keepalive *one)
{
	struct tick *tick = one->tick;

	if (!tick)
		return;
	LIST_REMOVE(one, sibling);
	one->tick = NULL;
	if (!LIST_EMPTY(&tick->members))
		return;
	RB_REMOVE(ticks, &all->ticks, tick);
	free(tick);
}

/* False: no memory. */
static bool join_tick(struct keepalives *all, struct keepalive *one, int64_t due)
{
	const struct tick like = {.due = due};
	struct tick *tick = RB_FIND(ticks, &all->ticks, (struct tick *)&like);

	if (!tick) {
		tick = malloc(sizeof(*tick));
		if (!tick)
			return false;
		tick->due = due;
		LIST_INIT(&tick->members);
		RB_INSERT(ticks, &all->ticks, tick);
	}
	one->tick = tick;
	LIST_INSERT_HEAD(&tick->members, one, sibling);
	return true;
}

static void drop_frame(struct keepalive *one)
{
	free((void *)(uintptr_t)one->frame.bytes);
	one->frame.bytes = NULL;
}

static void drop(struct keepalives *all, struct keepalive *one)
{
	RB_REMOVE(keepalive_keys, &all->keys, one);
	leave_tick(all, one);
	drop_frame(one);
	free(one);
}

void keepalive_close(struct engine *engine)
{
	struct keepalives *all = engine->keepalives;

	while (all && !RB_EMPTY(&all->keys))
		drop(all, RB_ROOT(&all->keys));
	free(all);
	engine->keepalives = NULL;
}

/* ---- when */

/* The first moment after @now that is so far into the interval, counted from the clock's 0. */
static int64_t next_at(int64_t now, int64_t interval, int64_t place)
{
	int64_t at = now - now % interval + place;

	return at > now ? at : at + interval;
}

static bool schedule(struct keepalives *all, struct keepalive *one)
{
	int64_t interval = one->interval * NS_PER_S, place;

	all->place += GOLDEN;
	place = (int64_t)(((uint64_t)interval / TICK_NS * all->place) >> 32) * TICK_NS;
	leave_tick(all, one);
	return join_tick(all, one, next_at(clock_now(), interval, place));
}

static struct keepalive *add(struct keepalives *all, const struct key *key)
{
	struct keepalive *one = calloc(1, sizeof(*one));

	if (!one)
		return NULL;
	one->key = *key;
	RB_INSERT(keepalive_keys, &all->keys, one);
	return one;
}

void keepalive_follow(struct engine *engine, const struct session_entry *session)
{
	const struct session *config = session_config(session);
	struct keepalives *all = engine->keepalives;
	const struct keepalive like = {.key = session->entry.key};
	struct keepalive *one =
		RB_FIND(keepalive_keys, &all->keys, (struct keepalive *)(uintptr_t)&like);

	if (one)
		one->known = false;
	if (!config || !config->keepalive || !session->entry.in_kernel)
		return;
	if (!one)
		one = add(all, &session->entry.key);
	if (one && one->interval == config->keepalive)
		return;
	if (one)
		one->interval = config->keepalive;
	if (one && schedule(all, one)) {
		engine_schedule(engine);
		return;
	}
	if (one)
		drop(all, one);
	agenda_forgot(&engine->agenda);
}

int64_t keepalive_due(const struct engine *engine)
{
	const struct tick *first = RB_MIN(ticks, &engine->keepalives->ticks);

	return first ? first->due : NEVER;
}

/* ---- what */

/* Who waits does not do what the session is for, so the peer must not count on it. */
static bool is_able(const struct session_entry *session, const struct kernel_link *link)
{
	enum oper_status status = session->state.common.oper_status;

	return link && link->up && status != OPER_WAITING && status != OPER_REMOVING;
}

/* False: no memory. */
static bool make_frame(const struct keepalives *all, struct keepalive *one,
		       const struct session *config, const struct kernel_link *link)
{
	uint64_t life = (uint64_t)config->keepalive * LIVES;
	const struct lldpdu lldpdu = {.source = link->mac,
				      .vlan_id = config->vlan_id,
				      .host = all->host,
				      .port = link->name,
				      .description = config->description,
				      .time_to_live =
					      (uint16_t)(life < LIFE_MAX ? life : LIFE_MAX)};
	uint8_t bytes[LLDPDU_MAX];

	one->frame.index = link->index;
	one->frame.length = lldpdu_build(&lldpdu, bytes);
	one->frame.bytes = malloc(one->frame.length);
	if (!one->frame.bytes)
		return false;
	memcpy((void *)(uintptr_t)one->frame.bytes, bytes, one->frame.length);
	return true;
}

/* False: it need not send any more. */
static bool learn(struct engine *engine, struct keepalive *one)
{
	const struct session_entry *session =
		datastore_session(engine->store, one->key.tunnel_id, one->key.session_id);
	const struct session *config = session ? session_config(session) : NULL;
	const struct kernel_link *link;

	if (!config || !config->keepalive || !session->entry.in_kernel)
		return false;
	link = links_by_index(&engine->links, session->state.if_index);
	drop_frame(one);
	one->known = !is_able(session, link) || make_frame(engine->keepalives, one, config, link);
	return true;
}

/* ---- sending */

struct burst {
	size_t count;
	struct kernel_frame frames[FRAMES_MAX];
};

/* Add what is due, up to a burst; false: that is all of it. */
static bool gather(struct engine *engine, struct burst *burst, int64_t now)
{
	struct keepalives *all = engine->keepalives;

	burst->count = 0;
	for (unsigned int i = 0; i < FRAMES_MAX; i++) {
		struct tick *tick = RB_MIN(ticks, &all->ticks);
		struct keepalive *one;
		int64_t interval, due;

		if (!tick || tick->due > now)
			return false;
		one = LIST_FIRST(&tick->members);
		if (!one->known && !learn(engine, one)) {
			drop(all, one);
			continue;
		}
		if (one->frame.bytes)
			burst->frames[burst->count++] = one->frame;
		interval = one->interval * NS_PER_S;
		due = next_at(now, interval, tick->due % interval);
		leave_tick(all, one);
		if (!join_tick(all, one, due)) {
			agenda_forgot(&engine->agenda); /* which finds it again */
			burst->count -= one->frame.bytes != NULL;
			drop(all, one);
		}
	}
	return true;
}

static void send_all(struct engine *engine, const struct burst *burst)
{
	int rc = burst->count
			 ? engine->k->send_frames(engine->o.kernel, burst->frames, burst->count)
			 : 0;

	if (rc < 0 && !engine->keepalives->failed)
		engine_log(engine, LOG_WARNING,
			   "keepalives cannot be sent, for there is no packet socket (%s); start "
			   "the daemon with CAP_NET_RAW, which it gives up when it has one",
			   strerror(-rc));
	engine->keepalives->failed = rc < 0;
}

/* The name of this host is in every frame. */
static void know_host(struct keepalives *all)
{
	struct keepalive *one;
	char host[sizeof(all->host)] = "";

	(void)gethostname(host, sizeof(host) - 1); /* cut if it is longer */
	if (!host[0])
		memcpy(host, "l2tpv3d", sizeof("l2tpv3d"));
	if (strcmp(host, all->host) == 0)
		return;
	memcpy(all->host, host, sizeof(host));
	RB_FOREACH (one, keepalive_keys, &all->keys)
		one->known = false;
}

void keepalive_send(struct engine *engine)
{
	struct burst burst;
	bool more = true;

	know_host(engine->keepalives);
	while (more) {
		more = gather(engine, &burst, clock_now());
		send_all(engine, &burst);
		more = more && engine_may_go_on(engine);
	}
}
