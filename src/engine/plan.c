#include "engine/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/batch.h"
#include "engine/compare.h"
#include "engine/desired.h"
#include "model/codec.h"

/* Does the change choose another local-address or local-interface? */
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

	/* the kernel knows no local-interface: compare the address that it gave */
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
	if (rc < 0) /* its interface has no address now: keep the old one until there is another */
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
	if (want_vlan(engine, want, have->index))
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
	uint64_t rows = compare_change(OBJECT_SESSION, was, want, &entry->actual);
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

/* Save what a re-creation or a change of the interface would lose, and no leaf says. */
static int save_link(struct engine *engine, struct job *job, struct item *item)
{
	const struct session_entry *entry =
		datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);
	const struct kernel_link *link =
		entry ? links_by_index(&engine->links, entry->state.if_index) : NULL;
	struct session before;

	if (!link || !entry->entry.in_kernel || !entry->tunnel->entry.in_kernel ||
	    want_session(job->from, item->key.tunnel_id, item->key.session_id, &before) != 0)
		return 0;
	item->saved = calloc(1, sizeof(*item->saved));
	if (!item->saved)
		return -ENOMEM;
	item->saved->link = *link;
	item->saved->set = LINK_MAC;
	if (link->mtu != default_mtu(entry, &entry->tunnel->actual, &entry->actual) &&
	    !(before.present & BIT(SESSION_MTU)))
		item->saved->set |= LINK_MTU;
	if (link->master && !(before.present & BIT(SESSION_BRIDGE)))
		item->saved->set |= LINK_MASTER;
	return 0;
}

static int add_item(struct engine *engine, struct job *job, uint32_t tunnel_id, uint32_t session_id,
		    uint8_t todo)
{
	struct item *item;

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
	if (session_id && (todo & (ACTION_DELETE | ACTION_CASCADE | ACTION_LINK)))
		return save_link(engine, job, item);
	return 0;
}

/* A walk over a tunnel's sessions, those in the kernel and those wanted, in order. */
struct sessions {
	const struct tunnel_entry *entry; /* NULL: none in the kernel */
	const struct candidate *config;
	uint32_t tunnel_id;
	uint32_t id;     /* the one we are at */
	uint32_t wanted; /* the first wanted from there on, if any */
	bool any_wanted;
};

static void find_wanted(struct sessions *sessions)
{
	sessions->any_wanted = candidate_session_from(sessions->config, sessions->tunnel_id,
						      &sessions->wanted) != NULL;
}

/* Go to the first from @id on; false: none. Searches for a wanted one only when the last is passed.
 */
static bool next_session(struct sessions *sessions, uint32_t id)
{
	const struct session_entry *found =
		sessions->entry ? tunnel_session_from(sessions->entry, id) : NULL;

	if (sessions->any_wanted && sessions->wanted < id) {
		sessions->wanted = id;
		find_wanted(sessions);
	}
	if (!found && !sessions->any_wanted)
		return false;
	sessions->id =
		!found || (sessions->any_wanted && sessions->wanted < found->entry.key.session_id)
			? sessions->wanted
			: found->entry.key.session_id;
	return true;
}

/* A session that others made in the tunnel (a resumed commit made none of them); NULL: none. */
static const struct session_entry *foreign_session(const struct job *job,
						   const struct tunnel_entry *entry)
{
	const struct session_entry *session = entry ? tunnel_session_from(entry, 0) : NULL;

	while (session &&
	       (!session->entry.in_kernel || entry_config(&session->entry) || session->entry.held ||
		candidate_session(job->from, entry->entry.key.tunnel_id,
				  session->entry.key.session_id)))
		session = session_next(session);
	return session;
}

static int refuse_foreign(const struct job *job, const struct tunnel_entry *entry,
			  struct error *err)
{
	const struct session_entry *session = foreign_session(job, entry);

	if (session) {
		error_at_entry(err, entry->entry.key.tunnel_id, session->entry.key.session_id,
			       NULL);
		return error_set(err, ERROR_FOREIGN,
				 "session %u was made by someone else in tunnel %u, and would be "
				 "destroyed with it; adopt the tunnel, or delete that session "
				 "where it was made",
				 session->entry.key.session_id, entry->entry.key.tunnel_id);
	}
	return 0;
}

int plan_check(struct engine *engine, const struct candidate *changes, struct error *err)
{
	const struct job job = {.from = &engine->running, .to = changes};
	int rc = 0;

	for (struct change *c = candidate_first(changes); c && rc == 0; c = change_next(c))
		if (c->session_id == 0 && (plan_tunnel(engine, &job, c->tunnel_id) & ACTION_DELETE))
			rc = refuse_foreign(&job, datastore_tunnel(engine->store, c->tunnel_id),
					    err);
	return rc;
}

/* Plan all sessions of a tunnel that is created or deleted. */
static int plan_whole(struct engine *engine, struct job *job, uint32_t tunnel_id, uint8_t todo,
		      struct error *err)
{
	struct sessions sessions = {
		.entry = datastore_tunnel(engine->store, tunnel_id),
		.config = job->to,
		.tunnel_id = tunnel_id,
		.wanted = 1,
	};
	uint32_t from = 1;
	int rc = 0;

	if ((todo & ACTION_DELETE) && job->strict)
		rc = refuse_foreign(job, sessions.entry, err);
	find_wanted(&sessions);
	while (rc == 0 && next_session(&sessions, from)) {
		rc = add_item(engine, job, tunnel_id, sessions.id,
			      plan_session(engine, job, tunnel_id, sessions.id, todo));
		if (sessions.id == ID_MAX)
			break;
		from = sessions.id + 1;
	}
	return rc;
}

/* A repair spares a tunnel in which others made sessions: re-creating it would destroy them. */
static bool spare_foreign(struct engine *engine, struct job *job, uint32_t tunnel_id, uint8_t todo)
{
	struct item *item;

	if (job->strict || !(todo & ACTION_DELETE) ||
	    !foreign_session(job, datastore_tunnel(engine->store, tunnel_id)))
		return false;
	item = &job->items[job->count - 1];
	item->todo = 0;
	item->reason = REASON_FOREIGN_OBJECT;
	return true;
}

int plan_job(struct engine *engine, struct job *job, const struct keys *keys, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < keys->count && rc == 0;) {
		uint32_t tunnel_id = keys->at[i].tunnel_id;
		uint8_t todo = 0;

		if (keys->at[i].session_id == 0) {
			todo = plan_tunnel(engine, job, tunnel_id);
			rc = add_item(engine, job, tunnel_id, 0, todo);
			i++;
		}
		if (rc == 0 && (todo & (ACTION_CREATE | ACTION_DELETE))) {
			if (!spare_foreign(engine, job, tunnel_id, todo))
				rc = plan_whole(engine, job, tunnel_id, todo, err);
			while (i < keys->count && keys->at[i].tunnel_id == tunnel_id)
				i++;
			continue;
		}
		for (; rc == 0 && i < keys->count && keys->at[i].tunnel_id == tunnel_id; i++)
			rc = add_item(
				engine, job, tunnel_id, keys->at[i].session_id,
				plan_session(engine, job, tunnel_id, keys->at[i].session_id, 0));
	}
	if (rc == -ENOMEM)
		error_set(err, ERROR_RESOURCE, "no memory for the plan of %zu objects",
			  keys->count);
	return rc;
}

int plan_keys(const struct candidate *changes, struct keys *ret)
{
	for (struct change *c = candidate_first(changes); c; c = change_next(c))
		if (!keys_add(ret, &(struct key){c->tunnel_id, c->session_id}))
			return -ENOMEM;
	return 0;
}

static uint8_t undo_of(uint8_t done)
{
	uint8_t todo = done & (ACTION_MODIFY | ACTION_LINK);

	if (done & ACTION_CREATE)
		todo |= ACTION_DELETE;
	if (done & (ACTION_DELETE | ACTION_CASCADE))
		todo |= ACTION_CREATE;
	return todo;
}

void plan_undo(struct job *job)
{
	const struct candidate *from = job->from;
	const struct item *tunnel = NULL;

	for (size_t i = 0; i < job->count; i++) {
		struct item *item = &job->items[i];

		item->todo = undo_of(item->done | item->tried);
		item->done = item->tried = item->reason = item->lost = 0;
		item->os_errno = 0;
		if (item->key.session_id == 0)
			tunnel = item;
		else if (tunnel && tunnel->key.tunnel_id == item->key.tunnel_id &&
			 (tunnel->todo & ACTION_DELETE) && (item->todo & ACTION_DELETE))
			item->todo = (uint8_t)((item->todo & ~ACTION_DELETE) | ACTION_CASCADE);
	}
	job->from = job->to;
	job->to = from;
	job->phase = PHASE_DELETE_SESSIONS;
	job->cursor = 0;
	job->blocked_since = 0;
	job->strict = false;
	job->undoing = true;
}

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
	for (size_t i = 0; i < job->count; i++)
		free(job->items[i].saved);
	free(job->items);
	if (job->batch) { /* cookies were in it */
		explicit_bzero(job->batch->want, sizeof(job->batch->want));
		explicit_bzero(job->batch->found, sizeof(job->batch->found));
	}
	*job = (struct job){0};
}
