#include "engine/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "engine/batch.h"
#include "engine/compare.h"
#include "engine/desired.h"
#include "engine/saved.h"
#include "model/codec.h"
#include "store/overlay.h"

/* Does the change set another local-address or local-interface? */
static bool local_changed(const struct job *job, uint32_t tunnel_id)
{
	const struct row *rows = row_sets[OBJECT_TUNNEL].rows;
	const struct tunnel *from = candidate_tunnel(job->from, tunnel_id);
	const struct tunnel *to = candidate_tunnel(job->to, tunnel_id);

	return from && to &&
	       (!codec_equal(&rows[TUNNEL_LOCAL_ADDRESS], from, to) ||
		!codec_equal(&rows[TUNNEL_LOCAL_INTERFACE], from, to));
}

static bool tunnel_differs(struct engine *engine, const struct job *job,
			   const struct tunnel_entry *entry, const struct tunnel *want)
{
	struct tunnel before;
	int rc = want_tunnel(engine, job->from, want->tunnel_id, &before);
	struct tunnel compare = *want;

	/* the kernel does not know local-interface: compare its address */
	compare.present &= ~BIT(TUNNEL_LOCAL_INTERFACE);
	if (rc == 0)
		memcpy(before.local_interface, compare.local_interface,
		       sizeof(before.local_interface));
	return codec_any_change(
		OBJECT_TUNNEL,
		compare_change(OBJECT_TUNNEL, rc == 0 ? &before : NULL, &compare, &entry->actual),
		CHANGE_RECREATE);
}

static uint8_t plan_tunnel(struct engine *engine, const struct job *job, uint32_t tunnel_id)
{
	const struct tunnel_entry *entry = datastore_tunnel(engine->store, tunnel_id);
	bool have = entry && entry->entry.in_kernel;
	struct tunnel want;
	int rc = want_tunnel(engine, job->to, tunnel_id, &want);

	if (rc == -ENOENT)
		return have ? ACTION_DELETE : 0;
	if (!have)
		return ACTION_CREATE;
	if (rc < 0 && local_changed(job, tunnel_id))
		return ACTION_DELETE | ACTION_CREATE;
	if (rc < 0) /* its interface has no address now: keep the old one until it has another */
		codec_copy(&row_sets[OBJECT_TUNNEL].rows[TUNNEL_LOCAL_ADDRESS], &want,
			   &entry->actual);
	return tunnel_differs(engine, job, entry, &want) ? ACTION_DELETE | ACTION_CREATE : 0;
}

static uint8_t link_action(struct engine *engine, const struct job *job,
			   const struct session_entry *entry, const struct session *before,
			   const struct session *want)
{
	const struct kernel_link *have = links_by_index(&engine->links, entry->state.if_index);
	const struct tunnel *tunnel = candidate_tunnel(job->to, entry->tunnel->entry.key.tunnel_id);
	struct kernel_link ignored;

	if (!have || !tunnel || want->pseudowire_type == PSEUDOWIRE_PPP)
		return 0;
	if (want_vlan(engine, want, have->index) || saved_is_owed(entry))
		return ACTION_LINK;
	return want_link(engine, default_mtu(entry, tunnel, want), before, want, have, &ignored)
		       ? ACTION_LINK
		       : 0;
}

static uint8_t change_session(struct engine *engine, const struct job *job,
			      const struct session_entry *entry, uint32_t tunnel_id,
			      const struct session *want)
{
	struct session before;
	int rc = want_session(job->from, tunnel_id, want->session_id, &before);
	const struct session *was = rc == 0 ? &before : NULL;
	union config have;
	uint64_t rows =
		compare_change(OBJECT_SESSION, was, want, entry_actual(&entry->entry, &have));
	uint8_t todo = 0;

	if (codec_any_change(OBJECT_SESSION, rows, CHANGE_RECREATE))
		return ACTION_DELETE | ACTION_CREATE;
	if (codec_any_change(OBJECT_SESSION, rows, CHANGE_MODIFY))
		todo |= ACTION_MODIFY;
	return todo | link_action(engine, job, entry, was, want);
}

static uint8_t plan_session(struct engine *engine, const struct job *job, uint32_t tunnel_id,
			    uint32_t session_id, uint8_t tunnel_todo)
{
	const struct session_entry *entry = datastore_session(engine->store, tunnel_id, session_id);
	bool have = entry && entry->entry.in_kernel;
	struct session want;
	bool wanted = want_session(job->to, tunnel_id, session_id, &want) == 0;

	if (have && (tunnel_todo & ACTION_DELETE))
		return wanted ? ACTION_CASCADE | ACTION_CREATE : ACTION_CASCADE;
	if (!have)
		return wanted ? ACTION_CREATE : 0;
	return wanted ? change_session(engine, job, entry, tunnel_id, &want) : ACTION_DELETE;
}

static int add_item(struct engine *engine, struct job *job, uint32_t tunnel_id, uint32_t session_id,
		    uint8_t todo)
{
	struct item *item;
	int rc = 0;

	if (todo == 0)
		return 0;
	if (job->count == job->capacity) {
		size_t capacity = job->capacity ? 2 * job->capacity : 16;
		struct item *items = reallocarray(job->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		job->items = items;
		job->capacity = capacity;
	}
	item = &job->items[job->count++];
	*item = (struct item){.key = {tunnel_id, session_id}, .todo = todo};
	if (session_id && !job->dry && (todo & (ACTION_DELETE | ACTION_CASCADE | ACTION_LINK)))
		rc = saved_take(engine, job, item);
	if (rc < 0)
		job->count--;
	return rc;
}

/* Is it a session that others made in the tunnel (and not a resumed commit)? */
static bool is_foreign(const struct job *job, const struct session_entry *session)
{
	return session->entry.in_kernel && !entry_config(&session->entry) && !session->entry.held &&
	       !candidate_session(job->from, session->entry.key.tunnel_id,
				  session->entry.key.session_id);
}

/*
 * The first foreign session of a tunnel from *@id on, looking at up to @most places. NULL: none
 * there; *@id is then beyond them, 0 at the end.
 */
static const struct session_entry *foreign_session(struct engine *engine, const struct job *job,
						   uint32_t tunnel_id, uint32_t *id, size_t most)
{
	const struct tunnel_entry *tunnel = datastore_tunnel(engine->store, tunnel_id);
	const struct session_entry *session = NULL;

	if (tunnel && tunnel_counts(tunnel)->sessions > tunnel_counts(tunnel)->configured)
		session = tunnel_session_from(tunnel, *id);
	*id = 0;
	for (; session && most--; session = session_next(session))
		if (is_foreign(job, session))
			return session;
	if (session)
		*id = session->entry.key.session_id;
	return NULL;
}

static int refuse_foreign(const struct session_entry *session, struct error *err)
{
	const struct key *key = &session->entry.key;

	error_at_entry(err, key->tunnel_id, key->session_id, NULL);
	return error_set(err, ERROR_FOREIGN,
			 "session %u was made by someone else in tunnel %u, and would be "
			 "destroyed with it; adopt the tunnel, or delete that session "
			 "where it was made",
			 key->session_id, key->tunnel_id);
}

int plan_check(struct engine *engine, const struct candidate *changes, struct error *err)
{
	const struct job job = {.from = &engine->running, .to = changes};
	const struct session_entry *session;

	for (struct change *c = candidate_first(changes); c; c = change_next(c)) {
		uint32_t id = 1;

		if (c->session_id != 0 ||
		    !(plan_tunnel(engine, &job, c->tunnel_id) & ACTION_DELETE))
			continue;
		session = foreign_session(engine, &job, c->tunnel_id, &id, SIZE_MAX);
		if (session)
			return refuse_foreign(session, err);
	}
	return 0;
}

/* ---- targets */

struct targets targets_of_changes(const struct candidate *changes)
{
	return (struct targets){.change = candidate_first(changes)};
}

struct targets targets_of_keys(const struct keys *keys)
{
	return (struct targets){.keys = keys};
}

bool targets_next(const struct targets *targets, struct key *ret)
{
	const struct change *change = targets->change;

	if (targets->keys && targets->at < targets->keys->count)
		*ret = targets->keys->at[targets->at];
	else if (change)
		*ret = (struct key){change->tunnel_id, change->session_id};
	else
		return false;
	return true;
}

void targets_pass(struct targets *targets)
{
	if (targets->keys)
		targets->at++;
	else
		targets->change = change_next(targets->change);
}

/* ---- planning, one session per unit */

struct planning {
	struct cursor cursor;
	struct engine *engine;
	struct job *job;
	struct targets targets; /* the remaining targets */
	struct error *err;
	int (*unit)(struct planning *planning);
	uint32_t tunnel_id; /* the tunnel all of whose sessions are planned, or were; 0: none */
	uint8_t todo;       /* ... what is done with it */
	uint32_t from;      /* sessions below this one are done */
	uint32_t wanted;    /* the first wanted one from there on, unless there are no more */
	bool none_wanted, wanted_known;
};

static int plan_targets(struct planning *planning);

/* A repair leaves what would lose others' settings, with all of its tunnel if that is to go. */
static int spare_unread(struct planning *planning, uint32_t session_id, int rc)
{
	struct job *job = planning->job;
	bool whole = planning->todo & (ACTION_CREATE | ACTION_DELETE);
	const struct key key = {planning->tunnel_id, session_id};
	char what[KEY_TEXT_MAX];

	while (whole && job->count &&
	       job->items[job->count - 1].key.tunnel_id == planning->tunnel_id)
		job->count--;
	planning->unit = plan_targets;
	agenda_wait(&planning->engine->agenda,
		    &(struct key){planning->tunnel_id, whole ? 0 : session_id});
	engine_log(planning->engine, LOG_WARNING,
		   "%s is not re-created, for what others set on its interface cannot be read "
		   "(%s); will retry",
		   key_text(&key, what), strerror(-rc));
	return 1;
}

static int add(struct planning *planning, uint32_t session_id, uint8_t todo)
{
	struct job *job = planning->job;
	int rc = add_item(planning->engine, job, planning->tunnel_id, session_id, todo);

	if (rc == 0)
		return 1;
	if (rc == -ENOMEM)
		return error_set_errno(planning->err, ERROR_RESOURCE, ENOMEM,
				       "no memory for the plan, which has %zu objects so far",
				       job->count);
	if (!job->strict)
		return spare_unread(planning, session_id, rc);
	error_at_entry(planning->err, planning->tunnel_id, session_id, NULL);
	return error_set_errno(planning->err, ERROR_KERNEL, -rc,
			       "cannot read what others set on the interface, which this "
			       "would re-create");
}

/* Search some places for the next wanted session, without passing any; true: found. */
static bool find_wanted(struct planning *planning)
{
	bool more = false;

	if (planning->none_wanted || (planning->wanted_known && planning->wanted >= planning->from))
		return true;
	if (planning->wanted < planning->from)
		planning->wanted = planning->from;
	planning->wanted_known = overlay_session_within(planning->job->to, planning->tunnel_id,
							&planning->wanted, PLACES_MAX, &more);
	planning->none_wanted = !planning->wanted_known && !more;
	return planning->wanted_known || planning->none_wanted;
}

/* A session of a tunnel that is created or deleted: one in the kernel, or wanted. */
static int plan_whole(struct planning *planning)
{
	const struct tunnel_entry *tunnel =
		datastore_tunnel(planning->engine->store, planning->tunnel_id);
	const struct session_entry *found;
	uint32_t id;

	if (!find_wanted(planning))
		return 1;
	found = tunnel ? tunnel_session_from(tunnel, planning->from) : NULL;
	if (!found && planning->none_wanted) {
		planning->unit = plan_targets;
		return 1;
	}
	id = found ? found->entry.key.session_id : planning->wanted;
	if (!planning->none_wanted && planning->wanted < id)
		id = planning->wanted;
	if (id == ID_MAX)
		planning->unit = plan_targets;
	planning->from = id + 1;
	return add(planning, id,
		   plan_session(planning->engine, planning->job, planning->tunnel_id, id,
				planning->todo));
}

/*
 * A repair leaves alone a tunnel in which others made sessions: re-creating it would destroy them.
 */
static void spare(struct planning *planning)
{
	struct item *item = &planning->job->items[planning->job->count - 1];

	item->todo = 0;
	item->reason = REASON_FOREIGN_OBJECT;
	planning->unit = plan_targets;
}

static int find_foreign(struct planning *planning)
{
	const struct session_entry *session = foreign_session(
		planning->engine, planning->job, planning->tunnel_id, &planning->from, PLACES_MAX);

	if (session && planning->job->strict)
		return refuse_foreign(session, planning->err);
	if (session)
		spare(planning);
	else if (planning->from == 0)
		planning->unit = plan_whole;
	if (planning->from == 0)
		planning->from = 1;
	return 1;
}

static int plan_tunnel_target(struct planning *planning, uint32_t tunnel_id)
{
	uint8_t todo = plan_tunnel(planning->engine, planning->job, tunnel_id);

	planning->tunnel_id = tunnel_id;
	planning->todo = todo;
	if (todo & (ACTION_CREATE | ACTION_DELETE)) {
		planning->unit = todo & ACTION_DELETE ? find_foreign : plan_whole;
		planning->from = planning->wanted = 1;
		planning->none_wanted = planning->wanted_known = false;
	}
	return add(planning, 0, todo);
}

static int plan_targets(struct planning *planning)
{
	struct key key;

	if (!targets_next(&planning->targets, &key))
		return 0;
	targets_pass(&planning->targets);
	if (key.session_id == 0)
		return plan_tunnel_target(planning, key.tunnel_id);
	if (key.tunnel_id == planning->tunnel_id &&
	    (planning->todo & (ACTION_CREATE | ACTION_DELETE)))
		return 1; /* planned with its tunnel */
	planning->tunnel_id = key.tunnel_id;
	planning->todo = 0;
	return add(planning, key.session_id,
		   plan_session(planning->engine, planning->job, key.tunnel_id, key.session_id, 0));
}

static int planning_forth(struct cursor *cursor)
{
	struct planning *planning = (struct planning *)cursor;

	return planning->unit(planning);
}

struct cursor *plan_begin(struct engine *engine, struct job *job, struct targets targets,
			  struct error *err)
{
	static const struct cursor_kind kind = {.forth = planning_forth};
	struct planning *planning = cursor_new(&kind, sizeof(*planning));

	if (!planning) {
		error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory for the plan");
		return NULL;
	}
	planning->engine = engine;
	planning->job = job;
	planning->targets = targets;
	planning->err = err;
	planning->unit = plan_targets;
	return &planning->cursor;
}

/* ---- undoing */

static uint8_t undo_of(uint8_t done)
{
	uint8_t todo = done & (ACTION_MODIFY | ACTION_LINK);

	if (done & ACTION_CREATE)
		todo |= ACTION_DELETE;
	if (done & (ACTION_DELETE | ACTION_CASCADE))
		todo |= ACTION_CREATE;
	return todo;
}

struct undoing {
	struct cursor cursor;
	struct job *job;
	size_t at;
	const struct item *tunnel; /* the last tunnel passed */
};

static void undo_item(struct undoing *undoing, struct item *item)
{
	const struct item *tunnel = undoing->tunnel;

	item->todo = undo_of(item->done | item->tried);
	item->done = item->tried = item->reason = item->lost = 0;
	item->os_errno = 0;
	if (item->key.session_id == 0)
		undoing->tunnel = item;
	else if (tunnel && tunnel->key.tunnel_id == item->key.tunnel_id &&
		 (tunnel->todo & ACTION_DELETE) && (item->todo & ACTION_DELETE))
		item->todo = (uint8_t)((item->todo & ~ACTION_DELETE) | ACTION_CASCADE);
}

static int undoing_forth(struct cursor *cursor)
{
	struct undoing *undoing = (struct undoing *)cursor;
	struct job *job = undoing->job;
	const struct candidate *from = job->from;

	if (undoing->at < job->count) {
		undo_item(undoing, &job->items[undoing->at++]);
		return 1;
	}
	job->from = job->to;
	job->to = from;
	job->phase = PHASE_DELETE_SESSIONS;
	job->cursor = 0;
	job->blocked_since = 0;
	job->strict = false;
	job->undoing = true;
	return 0;
}

struct cursor *plan_undo_begin(struct job *job)
{
	static const struct cursor_kind kind = {.forth = undoing_forth};
	struct undoing *undoing = cursor_new(&kind, sizeof(*undoing));
	struct undoing at_once = {.job = job};

	if (!undoing) {
		while (undoing_forth(&at_once.cursor) > 0)
			;
		return NULL;
	}
	undoing->job = job;
	undoing->cursor.decided = true;
	return &undoing->cursor;
}

/* ---- jobs */

static int compare_key(const void *left, const void *right)
{
	return key_compare(left, &((const struct item *)right)->key);
}

struct item *job_item(const struct job *job, const struct key *key)
{
	if (job->count == 0)
		return NULL;
	return bsearch(key, job->items, job->count, sizeof(*job->items), compare_key);
}

void job_open(struct job *job, const struct candidate *from, const struct candidate *to,
	      bool strict, struct batch *batch)
{
	*job = (struct job){.from = from, .to = to, .strict = strict, .batch = batch};
}

void job_close(struct job *job)
{
	free(job->items);
	*job = (struct job){0};
}
