#include "engine/keepalive.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

/* One for each session that sends; gone when it was due and need not send any more. */
struct keepalive {
	RB_ENTRY(keepalive) by_key, by_due;
	struct key key;
	uint32_t interval; /* seconds */
	int64_t due;       /* a multiple of TICK_NS */
};
RB_HEAD(keepalive_keys, keepalive);
RB_HEAD(keepalive_dues, keepalive);

struct keepalives {
	struct keepalive_keys keys;
	struct keepalive_dues dues;
	uint32_t place; /* in its interval, of the latest: a fraction of 2^32 */
	bool failed;
};

static int compare_key(const struct keepalive *a, const struct keepalive *b)
{
	return key_compare(&a->key, &b->key);
}

static int compare_due(const struct keepalive *a, const struct keepalive *b)
{
	return a->due == b->due ? compare_key(a, b) : a->due < b->due ? -1 : 1;
}

RB_GENERATE_INTERNAL(keepalive_keys, keepalive, by_key, compare_key, __attribute__((unused)) static)
RB_GENERATE_INTERNAL(keepalive_dues, keepalive, by_due, compare_due, __attribute__((unused)) static)

int keepalive_open(struct engine *engine)
{
	engine->keepalives = calloc(1, sizeof(*engine->keepalives));
	return engine->keepalives ? 0 : -ENOMEM;
}

static void drop(struct keepalives *all, struct keepalive *one)
{
	RB_REMOVE(keepalive_keys, &all->keys, one);
	RB_REMOVE(keepalive_dues, &all->dues, one);
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

static void schedule(struct keepalives *all, struct keepalive *one, int64_t now)
{
	int64_t interval = one->interval * NS_PER_S, place;

	all->place += GOLDEN;
	place = (int64_t)(((uint64_t)interval / TICK_NS * all->place) >> 32) * TICK_NS;
	one->due = next_at(now, interval, place);
	RB_INSERT(keepalive_dues, &all->dues, one);
}

void keepalive_follow(struct engine *engine, const struct session_entry *session)
{
	const struct session *config = session_config(session);
	struct keepalives *all = engine->keepalives;
	struct keepalive like = {.key = session->entry.key}, *one;

	if (!config || !config->keepalive || !session->entry.in_kernel)
		return;
	one = RB_FIND(keepalive_keys, &all->keys, &like);
	if (one && one->interval == config->keepalive)
		return;
	if (one) {
		RB_REMOVE(keepalive_dues, &all->dues, one);
	} else {
		one = malloc(sizeof(*one));
		if (!one) {
			agenda_forgot(&engine->agenda);
			return;
		}
		one->key = session->entry.key;
		RB_INSERT(keepalive_keys, &all->keys, one);
	}
	one->interval = config->keepalive;
	schedule(all, one, clock_now());
	engine_schedule(engine);
}

int64_t keepalive_due(const struct engine *engine)
{
	const struct keepalive *first = RB_MIN(keepalive_dues, &engine->keepalives->dues);

	return first ? first->due : NEVER;
}

/* ---- sending */

struct burst {
	char host[LLDPDU_TEXT_MAX + 1];
	size_t count;
	struct kernel_frame frames[FRAMES_MAX];
	uint8_t bytes[FRAMES_MAX][LLDPDU_MAX];
};

/* Who waits does not do what the session is for, so the peer must not count on it. */
static bool is_able(const struct session_entry *session, const struct kernel_link *link)
{
	enum oper_status status = session->state.common.oper_status;

	return link && link->up && status != OPER_WAITING && status != OPER_REMOVING;
}

static void add_frame(struct engine *engine, struct burst *burst,
		      const struct session_entry *session)
{
	const struct kernel_link *link = links_by_index(&engine->links, session->state.if_index);
	const struct session *config = session_config(session);
	uint64_t life = (uint64_t)config->keepalive * LIVES;
	struct lldpdu lldpdu;

	if (!is_able(session, link))
		return;
	lldpdu = (struct lldpdu){.source = link->mac,
				 .vlan_id = config->vlan_id,
				 .host = burst->host,
				 .port = link->name,
				 .description = config->description,
				 .time_to_live = (uint16_t)(life < LIFE_MAX ? life : LIFE_MAX)};
	burst->frames[burst->count] =
		(struct kernel_frame){.index = link->index,
				      .bytes = burst->bytes[burst->count],
				      .length = lldpdu_build(&lldpdu, burst->bytes[burst->count])};
	burst->count++;
}

/* Add what is due, up to a burst; false: that is all of it. */
static bool gather(struct engine *engine, struct burst *burst, int64_t now)
{
	struct keepalives *all = engine->keepalives;
	const struct session_entry *session;
	const struct session *config;

	for (unsigned int i = 0; i < FRAMES_MAX; i++) {
		struct keepalive *one = RB_MIN(keepalive_dues, &all->dues);

		if (!one || one->due > now)
			return false;
		session = datastore_session(engine->store, one->key.tunnel_id, one->key.session_id);
		config = session ? session_config(session) : NULL;
		if (!config || !config->keepalive || !session->entry.in_kernel) {
			drop(all, one);
			continue;
		}
		add_frame(engine, burst, session);
		RB_REMOVE(keepalive_dues, &all->dues, one);
		one->due = next_at(now, one->interval * NS_PER_S,
				   one->due % (one->interval * NS_PER_S));
		RB_INSERT(keepalive_dues, &all->dues, one);
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

void keepalive_send(struct engine *engine)
{
	struct burst burst = {.count = 0};
	bool more = true;

	if (gethostname(burst.host, sizeof(burst.host) - 1) < 0 || !burst.host[0])
		memcpy(burst.host, "l2tpv3d", sizeof("l2tpv3d"));
	while (more) {
		burst.count = 0;
		more = gather(engine, &burst, clock_now());
		send_all(engine, &burst);
		more = more && engine_may_go_on(engine);
	}
}
