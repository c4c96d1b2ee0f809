#include "notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "standard.h"

#define RANGE_MAX 4096 /* rows in a range: looking at them takes time */

/* What is told of one object: the newest of these replaces the others. */
static enum notice_kind subject_of(enum notice_kind kind)
{
	switch (kind) {
	case NOTICE_TUNNEL_GONE:
		return NOTICE_TUNNEL_STATE;
	case NOTICE_SESSION_GONE:
		return NOTICE_SESSION_STATE;
	default:
		return kind;
	}
}

static int compare(const struct notice *a, const struct notice *b)
{
	enum notice_kind left = subject_of(a->kind), right = subject_of(b->kind);

	if (left != right)
		return left < right ? -1 : 1;
	return entry_order(a->tunnel_id, a->session_id, b->tunnel_id, b->session_id);
}

static int compare_groups(const struct notice_group *a, const struct notice_group *b)
{
	return (a->tunnel_id > b->tunnel_id) - (a->tunnel_id < b->tunnel_id);
}

RB_GENERATE_INTERNAL(notice_tree, notice, key, compare, static __attribute__((unused)))
RB_GENERATE_INTERNAL(notice_group_tree, notice_group, key, compare_groups,
		     static __attribute__((unused)))

void notices_init(struct notices *notices, unsigned int each)
{
	*notices = (struct notices){.each = each ? each : 1};
	TAILQ_INIT(&notices->first);
	TAILQ_INIT(&notices->pseudowires);
	TAILQ_INIT(&notices->ready);
	TAILQ_INIT(&notices->waiting);
	RB_INIT(&notices->groups);
	RB_INIT(&notices->tree);
	RB_INIT(&notices->down);
}

/* ---- the sessions of a tunnel */

static struct notice_group *find_group(struct notices *notices, uint32_t tunnel_id)
{
	struct notice_group key = {.tunnel_id = tunnel_id};

	return RB_FIND(notice_group_tree, &notices->groups, &key);
}

static struct notice_group_list *list_of(struct notices *notices, const struct notice_group *group)
{
	return group->waits ? &notices->waiting : &notices->ready;
}

/* Those that wait stay in the order of their ends: it will be near the tail. */
static void move_group(struct notices *notices, struct notice_group *group, bool waits)
{
	struct notice_group *before = NULL;

	TAILQ_REMOVE(list_of(notices, group), group, order);
	group->waits = waits;
	if (waits)
		before = TAILQ_LAST(&notices->waiting, notice_group_list);
	while (before && before->until > group->until)
		before = TAILQ_PREV(before, notice_group_list, order);
	if (before)
		TAILQ_INSERT_AFTER(&notices->waiting, before, group, order);
	else if (waits)
		TAILQ_INSERT_HEAD(&notices->waiting, group, order);
	else
		TAILQ_INSERT_TAIL(&notices->ready, group, order);
}

static void free_group(struct notices *notices, struct notice_group *group)
{
	TAILQ_REMOVE(list_of(notices, group), group, order);
	RB_REMOVE(notice_group_tree, &notices->groups, group);
	free(group);
}

static struct notice_group *make_group(struct notices *notices, uint32_t tunnel_id)
{
	struct notice_group *group = find_group(notices, tunnel_id);

	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->tunnel_id = tunnel_id;
	TAILQ_INIT(&group->sessions);
	RB_INSERT(notice_group_tree, &notices->groups, group);
	TAILQ_INSERT_TAIL(&notices->ready, group, order);
	return group;
}

/* Has it told all that it may until its window ends? */
static bool is_spent(const struct notices *notices, const struct notice_group *group)
{
	return group->count == 0 || (!group->sums && group->told >= notices->each);
}

static void end_windows(struct notices *notices, int64_t now)
{
	struct notice_group *group;

	while ((group = TAILQ_FIRST(&notices->waiting)) != NULL && group->until <= now) {
		group->until = 0;
		if (group->count == 0)
			free_group(notices, group);
		else
			move_group(notices, group, false);
	}
}

/* ---- taking */

static bool is_session(enum notice_kind kind)
{
	return subject_of(kind) == NOTICE_SESSION_STATE;
}

static struct notice *take(struct notices *notices, struct notice *notice)
{
	struct notice_group *group;

	if (!notice)
		return NULL;
	if (is_session(notice->kind)) {
		group = find_group(notices, notice->tunnel_id);
		TAILQ_REMOVE(&group->sessions, notice, order);
		group->count--;
	} else {
		TAILQ_REMOVE(notice->kind >= NOTICE_PSEUDOWIRE ? &notices->pseudowires
							       : &notices->first,
			     notice, order);
	}
	RB_REMOVE(notice_tree, &notices->tree, notice);
	notices->count--;
	return notice;
}

/* The one that is queued of this object, or the first after it. */
static struct notice *queued_from(struct notices *notices, enum notice_kind kind,
				  uint32_t tunnel_id, uint32_t session_id)
{
	struct notice key = {.kind = kind, .tunnel_id = tunnel_id, .session_id = session_id};

	return RB_NFIND(notice_tree, &notices->tree, &key);
}

static struct notice *queued(struct notices *notices, enum notice_kind kind, uint32_t tunnel_id,
			     uint32_t session_id)
{
	struct notice key = {.kind = kind, .tunnel_id = tunnel_id, .session_id = session_id};

	return RB_FIND(notice_tree, &notices->tree, &key);
}

static struct notice *take_session(struct notices *notices, int64_t now, bool *ret_sum)
{
	struct notice_group *group = TAILQ_FIRST(&notices->ready);
	struct notice *notice;

	if (!group)
		return NULL;
	if (group->until == 0) {
		group->until = now + NOTICES_WINDOW_NS;
		group->told = 0;
		group->sums = group->count > notices->each;
	}
	*ret_sum = group->sums;
	notice = group->sums ? queued_from(notices, NOTICE_SESSION_STATE, group->tunnel_id, 0)
			     : TAILQ_FIRST(&group->sessions);
	group->told++;
	take(notices, notice);
	move_group(notices, group, is_spent(notices, group));
	return notice;
}

struct notice *notices_take(struct notices *notices, int64_t now, bool *ret_sum)
{
	struct notice *notice = TAILQ_FIRST(&notices->first);

	*ret_sum = false;
	end_windows(notices, now);
	notices->turn = !notices->turn;
	if (!notice && (notices->turn || TAILQ_EMPTY(&notices->ready)))
		notice = TAILQ_FIRST(&notices->pseudowires);
	return notice ? take(notices, notice) : take_session(notices, now, ret_sum);
}

int64_t notices_due_at(const struct notices *notices)
{
	const struct notice_group *group = TAILQ_FIRST(&notices->waiting);

	if (!TAILQ_EMPTY(&notices->first) || !TAILQ_EMPTY(&notices->ready) ||
	    !TAILQ_EMPTY(&notices->pseudowires))
		return 0;
	return group ? group->until : -1;
}

void notices_clear(struct notices *notices)
{
	struct notice_group *group;
	struct notice *notice;

	while ((notice = RB_ROOT(&notices->tree)) != NULL)
		free(take(notices, notice));
	while ((group = RB_ROOT(&notices->groups)) != NULL)
		free_group(notices, group);
}

void notices_free(struct notices *notices)
{
	struct notice *told;

	notices_clear(notices);
	while ((told = RB_ROOT(&notices->down)) != NULL) {
		RB_REMOVE(notice_tree, &notices->down, told);
		free(told);
	}
}

/* ---- ranges */

/* Of those that have gone: no row is left between them. */
static void take_gone(struct notices *notices, const struct datastore *store,
		      struct notice_range *range)
{
	const struct entry *row = datastore_entry_from(store, range->tunnel_id, range->first);
	uint32_t end = row && row->key.tunnel_id == range->tunnel_id ? row->key.session_id : 0;
	struct notice *notice;

	range->count = 1;
	while (range->last < ID_MAX && range->count < RANGE_MAX) {
		notice = queued_from(notices, NOTICE_SESSION_STATE, range->tunnel_id,
				     range->last + 1);
		if (!notice || notice->kind != NOTICE_SESSION_GONE ||
		    notice->tunnel_id != range->tunnel_id || (end && notice->session_id > end))
			return;
		range->last = notice->session_id;
		range->count++;
		free(take(notices, notice));
	}
}

static bool are_alike(const struct session_entry *a, const struct session_entry *b)
{
	const struct state *left = &a->state.common, *right = &b->state.common;

	return left->oper_status == right->oper_status &&
	       left->status_reason == right->status_reason;
}

/* Of rows that are alike; those that did not change may be among them. */
static void take_alike(struct notices *notices, const struct session_entry *first,
		       struct notice_range *range)
{
	const struct session_entry *row = first;
	struct notice *notice;

	if (!first)
		return;
	range->count = 1;
	for (unsigned int rows = 1; rows < RANGE_MAX; rows++) {
		row = session_next(row);
		if (!row || !are_alike(first, row))
			return;
		notice = queued(notices, NOTICE_SESSION_STATE, range->tunnel_id,
				row->entry.key.session_id);
		if (!notice || notice->kind != NOTICE_SESSION_STATE)
			continue;
		range->last = notice->session_id;
		range->count++;
		free(take(notices, notice));
	}
}

/* Its last session may be taken out of a group, which then has nothing to tell in this window. */
static void rest_if_empty(struct notices *notices, uint32_t tunnel_id)
{
	struct notice_group *group = find_group(notices, tunnel_id);

	if (group && !group->waits && group->count == 0)
		move_group(notices, group, true);
}

void notices_take_range(struct notices *notices, const struct datastore *store,
			const struct notice *first, struct notice_range *ret)
{
	*ret = (struct notice_range){.tunnel_id = first->tunnel_id,
				     .first = first->session_id,
				     .last = first->session_id,
				     .gone = first->kind == NOTICE_SESSION_GONE};
	if (ret->gone)
		take_gone(notices, store, ret);
	else
		take_alike(notices, datastore_session(store, ret->tunnel_id, ret->first), ret);
	rest_if_empty(notices, ret->tunnel_id);
}

/* ---- pseudowires */

static struct notice pseudowire(enum notice_kind kind, uint32_t session_id)
{
	return (struct notice){.kind = kind, .session_id = session_id};
}

struct notice *notices_take_pseudowire(struct notices *notices, uint32_t session_id)
{
	return take(notices, queued(notices, NOTICE_PSEUDOWIRE, 0, session_id));
}

unsigned int notices_due(const struct notices *notices, uint32_t session_id, long status)
{
	struct notice key = pseudowire(NOTICE_PSEUDOWIRE, session_id);
	bool down = RB_FIND(notice_tree, (struct notice_tree *)(uintptr_t)&notices->down, &key);

	if (status == PW_DOWN || status == PW_LOWER_LAYER_DOWN)
		return down ? 0 : NOTIFICATION_PW_DOWN;
	return status == PW_UP && down ? NOTIFICATION_PW_UP : 0;
}

void notices_set_down(struct notices *notices, uint32_t session_id, bool down)
{
	struct notice key = pseudowire(NOTICE_PSEUDOWIRE, session_id);
	struct notice *told = RB_FIND(notice_tree, &notices->down, &key);

	if (told && !down) {
		RB_REMOVE(notice_tree, &notices->down, told);
		free(told);
	} else if (!told && down && (told = malloc(sizeof(*told))) != NULL) {
		*told = key;
		RB_INSERT(notice_tree, &notices->down, told);
	}
}

/* ---- queueing */

/* That is the first to be told, once however many are lost. */
static void count_loss(struct notices *notices)
{
	struct notice *loss = NULL;

	notices->dropped++;
	if (!queued(notices, NOTICE_LOSS, 0, 0))
		loss = malloc(sizeof(*loss));
	if (!loss)
		return;
	*loss = (struct notice){.kind = NOTICE_LOSS};
	TAILQ_INSERT_HEAD(&notices->first, loss, order);
	RB_INSERT(notice_tree, &notices->tree, loss);
	notices->count++;
}

/* Make room: it is a session's, if there is one. */
static void drop_one(struct notices *notices)
{
	struct notice_group *group = TAILQ_FIRST(&notices->waiting);
	struct notice *notice = NULL;

	while (group && group->count == 0)
		group = TAILQ_NEXT(group, order);
	if (!group)
		group = TAILQ_FIRST(&notices->ready);
	if (group)
		notice = TAILQ_FIRST(&group->sessions);
	if (!notice)
		notice = TAILQ_FIRST(&notices->pseudowires);
	if (!notice)
		notice = TAILQ_FIRST(&notices->first);
	free(take(notices, notice));
	if (group)
		rest_if_empty(notices, group->tunnel_id);
	count_loss(notices);
}

static bool put_in_list(struct notices *notices, struct notice *notice)
{
	struct notice_group *group;

	if (!is_session(notice->kind)) {
		TAILQ_INSERT_TAIL(notice->kind >= NOTICE_PSEUDOWIRE ? &notices->pseudowires
								    : &notices->first,
				  notice, order);
		return true;
	}
	group = make_group(notices, notice->tunnel_id);
	if (!group)
		return false;
	TAILQ_INSERT_TAIL(&group->sessions, notice, order);
	group->count++;
	if (group->waits && !group->sums && !is_spent(notices, group))
		move_group(notices, group, false);
	return true;
}

static void queue(struct notices *notices, const struct notice *what)
{
	struct notice *notice = queued(notices, what->kind, what->tunnel_id, what->session_id);

	if (notice) {
		notice->missed = notice->missed && notices->catching_up;
		notice->kind = what->kind;
		memcpy(&notice->drift, &what->drift,
		       sizeof(*what) - offsetof(struct notice, drift));
		return;
	}
	if (notices->count >= NOTICES_MAX)
		drop_one(notices);
	notice = malloc(sizeof(*notice));
	if (notice) {
		*notice = *what;
		notice->missed = notices->catching_up;
		if (put_in_list(notices, notice)) {
			RB_INSERT(notice_tree, &notices->tree, notice);
			notices->count++;
			return;
		}
	}
	free(notice);
	count_loss(notices);
}

static void queue_commit(struct notices *notices, const struct engine_event *event)
{
	const struct notice what = {.kind = NOTICE_COMMIT};
	struct notice_commit *commit = &notices->commit;

	if (event->changes->count == 0)
		return;
	if (!queued(notices, NOTICE_COMMIT, 0, 0))
		*commit = (struct notice_commit){0};
	commit->generation = event->commit->number;
	commit->tunnels += event->commit->tunnels;
	commit->sessions += event->commit->sessions;
	snprintf(commit->door, sizeof(commit->door), "%s", event->commit->door);
	snprintf(commit->user, sizeof(commit->user), "%s", event->commit->user);
	queue(notices, &what);
}

/* Of a session that is a row of pwTable no more; another may still have its id. */
static void queue_deleted(struct notices *notices, const struct session_entry *session)
{
	const struct session *last = session_last(session);
	struct notice what = pseudowire(NOTICE_PSEUDOWIRE_DELETED, session->entry.key.session_id);

	if (datastore_session_by_id(session->tunnel->store, what.session_id))
		return;
	what.deleted.pseudowire_id = last->pseudowire_id;
	what.deleted.type = (uint8_t)session_type(last);
	what.deleted.peer = session_peer(session);
	queue(notices, &what);
}

static struct notice notice_of(enum notice_kind of_tunnel, enum notice_kind of_session,
			       const struct entry *entry)
{
	return (struct notice){.kind = entry->key.session_id ? of_session : of_tunnel,
			       .tunnel_id = entry->key.tunnel_id,
			       .session_id = entry->key.session_id};
}

static void add_ours(struct notices *notices, const struct engine_event *event)
{
	const struct entry *entry = event->entry;
	struct notice what;

	switch (event->type) {
	case ENGINE_STATE:
		what = notice_of(NOTICE_TUNNEL_STATE, NOTICE_SESSION_STATE, entry);
		break;
	case ENGINE_GONE:
		what = notice_of(NOTICE_TUNNEL_GONE, NOTICE_SESSION_GONE, entry);
		if (what.session_id)
			memcpy(what.name, session_last(entry_session(entry))->interface_name,
			       sizeof(what.name));
		break;
	case ENGINE_FOREIGN:
		what = notice_of(NOTICE_FOREIGN, NOTICE_FOREIGN, entry);
		what.session_id = 0;
		break;
	case ENGINE_DRIFT:
		what = notice_of(NOTICE_TUNNEL_DRIFT, NOTICE_SESSION_DRIFT, entry);
		what.drift.row = event->row;
		what.drift.kind = event->drift;
		what.drift.restores = event->restores;
		break;
	case ENGINE_COMMIT:
		queue_commit(notices, event);
		return;
	default:
		return;
	}
	queue(notices, &what);
}

void notices_add(struct notices *notices, unsigned int sets, const struct engine_event *event)
{
	const struct session_entry *session = entry_session(event->entry);
	struct notice what;

	if (sets & NOTICES_OURS)
		add_ours(notices, event);
	if (!(sets & NOTICES_PSEUDOWIRES) || !session)
		return;
	if (event->type == ENGINE_STATE) {
		what = pseudowire(NOTICE_PSEUDOWIRE, session->entry.key.session_id);
		queue(notices, &what);
	} else if (event->type == ENGINE_GONE) {
		queue_deleted(notices, session);
	}
}
