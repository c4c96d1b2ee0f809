#include "engine/read_all.h"

#include <errno.h>

#include "engine/observe.h"
#include "engine/recall.h"

#define DUMPS_MAX 5              /* of links, if interrupted ... */
#define AGAIN_NS  (2 * NS_PER_S) /* ... then retry after a while */

#define CHECKED_A_UNIT 16

static int on_link(const struct kernel_link *link, void *arg)
{
	return links_put(arg, link) ? 0 : -ENOMEM;
}

struct reading_all {
	struct cursor cursor;
	struct engine *engine;
	struct error *err;
	int (*unit)(struct reading_all *all);
	bool begun;         /* the current dump has begun */
	unsigned int tries; /* dumps of links */
	struct links links; /* the new ones; later the old ones */
	unsigned int index; /* the next link to look at */
	struct key key;     /* ... or entry */
	bool forgot;
	int result;
};

/* A dump_piece() of kernel.h. */
static int dump_on(struct reading_all *all, enum kernel_dump what,
		   const struct kernel_visitor *visitor)
{
	int rc = all->engine->k->dump_piece(all->engine->o.kernel, what, !all->begun, visitor);

	all->begun = rc > 0;
	return rc;
}

static int free_old_links(struct reading_all *all);
static int forget_lost_indexes(struct reading_all *all);

/* Links come and go all the time: add what this dump shows. */
static int add_links(struct reading_all *all)
{
	const struct kernel_visitor visitor = {.link = on_link, .arg = &all->engine->links};
	int rc = dump_on(all, DUMP_LINKS, &visitor);

	if (rc < 0 && rc != -EINTR)
		return rc;
	if (rc <= 0)
		all->unit = forget_lost_indexes;
	return 1;
}

/* Replace all links; old ones not seen are gone. If this fails the old ones stay. */
static int read_links(struct reading_all *all)
{
	struct engine *engine = all->engine;
	const struct kernel_visitor visitor = {.link = on_link, .arg = &all->links};
	struct links old;
	int rc;

	if (!all->begun) {
		links_clear(&all->links);
		all->tries++;
	}
	rc = dump_on(all, DUMP_LINKS, &visitor);
	if (rc == -EINTR && all->tries < DUMPS_MAX)
		return 1;
	if (rc == -EINTR) {
		all->unit = add_links;
		agenda_read_all(&engine->agenda, clock_now() + AGAIN_NS);
		return 1;
	}
	if (rc != 0)
		return rc;
	old = engine->links;
	all->links.changes += old.changes;
	engine->links = all->links;
	all->links = old;
	all->unit = free_old_links;
	return 1;
}

static int free_old_links(struct reading_all *all)
{
	if (!links_remove_one(&all->links))
		all->unit = forget_lost_indexes;
	return 1;
}

static int read_tunnels(struct reading_all *all);
static int check_entries(struct reading_all *all);

/* Find sessions whose interface went, or was replaced, without an event. */
static int forget_lost_indexes(struct reading_all *all)
{
	struct engine *engine = all->engine;
	struct session_entry *session = datastore_index_from(engine->store, all->index);
	unsigned int index = session ? session->state.if_index : 0;

	if (session) {
		if (!links_by_index(&engine->links, index))
			observe_link_gone(engine, index);
		all->index = index + 1;
		return 1;
	}
	engine->deaf = false;
	all->unit = engine_connect(engine, all->err) ? read_tunnels : check_entries;
	return 1;
}

static int on_tunnel(const struct tunnel *tunnel, const struct statistics *statistics, void *arg)
{
	struct entry *entry =
		observe_found(arg, &(struct key){tunnel->tunnel_id, 0}, tunnel, statistics);

	if (entry)
		entry->seen = true;
	return 0;
}

static int on_session(uint32_t tunnel_id, const struct session *session,
		      const struct statistics *statistics, void *arg)
{
	struct entry *entry = observe_found(arg, &(struct key){tunnel_id, session->session_id},
					    session, statistics);

	if (entry)
		entry->seen = true;
	return 0;
}

/*
 * Entries missing from a dump prove nothing (up to 6.11): ask for them. Repair what is configured
 * and missing; but not what others removed under --no-repair.
 */
static void check_unseen(struct engine *engine, struct entry *entry)
{
	struct agenda *agenda = &engine->agenda;
	bool left_so = engine->o.no_repair &&
		       entry_state(entry)->status_reason == REASON_EXTERNALLY_MODIFIED;

	if (!entry->seen && entry->in_kernel)
		agenda_look(agenda, &entry->key);
	else if (entry_config(entry) && !entry->in_kernel && !entry->held && !left_so)
		agenda_repair(agenda, &entry->key);
	if (!entry->in_kernel && !entry->held)
		recall_absent(engine, entry);
	entry->seen = false;
}

static int go_on(struct reading_all *all, int rc, int (*next)(struct reading_all *all))
{
	if (rc < 0)
		all->result = error_set_errno(all->err, ERROR_KERNEL, -rc,
					      "cannot list tunnels and sessions");
	if (rc <= 0)
		all->unit = rc < 0 ? check_entries : next;
	return 1;
}

static int read_sessions(struct reading_all *all)
{
	const struct kernel_visitor visitor = {.session = on_session, .arg = all->engine};

	return go_on(all, dump_on(all, DUMP_SESSIONS, &visitor), check_entries);
}

static int read_tunnels(struct reading_all *all)
{
	const struct kernel_visitor visitor = {.tunnel = on_tunnel, .arg = all->engine};

	return go_on(all, dump_on(all, DUMP_TUNNELS, &visitor), read_sessions);
}

/* Also after half a dump. */
static int check_entries(struct reading_all *all)
{
	struct engine *engine = all->engine;
	struct agenda *agenda = &engine->agenda;
	struct entry *entry =
		datastore_entry_from(engine->store, all->key.tunnel_id, all->key.session_id);

	if (all->key.tunnel_id == 0) {
		all->forgot = agenda->forgot;
		agenda->forgot = false;
	}
	for (unsigned int i = 0; entry && i < CHECKED_A_UNIT; i++, entry = entry_next(entry)) {
		check_unseen(engine, entry);
		if (all->forgot && entry->held)
			agenda_removing(agenda, &entry->key);
		if (all->forgot && !entry->slot)
			recall_mark(engine, entry, true);
	}
	if (!entry && all->result == 0 && engine->connected) {
		observe_lingering(engine);
		recall_end_start(engine);
	}
	if (!entry)
		return all->result;
	all->key = entry->key;
	return 1;
}

static int reading_forth(struct cursor *cursor)
{
	struct reading_all *all = (struct reading_all *)cursor;
	int rc;

	if (all->unit != read_links && all->unit != add_links)
		return all->unit(all);
	rc = all->unit(all);
	return rc < 0 ? error_set_errno(all->err, ERROR_KERNEL, -rc, "cannot list interfaces") : rc;
}

static void reading_close(struct cursor *cursor)
{
	struct reading_all *all = (struct reading_all *)cursor;

	if (all->begun)
		all->engine->k->leave_dump(all->engine->o.kernel);
	all->engine->deaf = false;
	links_clear(&all->links);
}

struct cursor *read_all_begin(struct engine *engine, struct error *err)
{
	static const struct cursor_kind kind = {.forth = reading_forth, .close = reading_close};
	struct reading_all *all = cursor_new(&kind, sizeof(*all));

	if (!all) {
		error_set_errno(err, ERROR_RESOURCE, ENOMEM, "no memory to read the kernel");
		return NULL;
	}
	all->engine = engine;
	all->err = err;
	all->unit = read_links;
	all->index = 1;
	all->links = LINKS_EMPTY;
	engine->deaf = true;
	return &all->cursor;
}
