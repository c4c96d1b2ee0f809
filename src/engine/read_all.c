#include "engine/read_all.h"

#include <errno.h>

#include "engine/observe.h"

#define DUMPS_MAX 5              /* of links, interrupted ... */
#define AGAIN_NS  (2 * NS_PER_S) /* ... then once more after a while */

static int on_link(const struct kernel_link *link, void *arg)
{
	return links_put(arg, link) ? 0 : -ENOMEM;
}

/* All links anew; what is left of the old ones is gone. The old stay when it fails. */
static int read_links(struct engine *engine)
{
	struct links links = LINKS_EMPTY;
	int rc = -EINTR;

	for (unsigned int i = 0; rc == -EINTR && i < DUMPS_MAX; i++) {
		links_clear(&links);
		rc = engine->k->dump_links(engine->o.kernel, on_link, &links);
	}
	if (rc == 0) {
		links_clear(&engine->links);
		links.changes += engine->links.changes;
		engine->links = links;
		return 0;
	}
	links_clear(&links);
	if (rc != -EINTR)
		return rc;
	/* links come and go all the time: add what is seen to what is known */
	rc = engine->k->dump_links(engine->o.kernel, on_link, &engine->links);
	agenda_read_all(&engine->agenda, engine_now() + AGAIN_NS);
	return rc == -EINTR ? 0 : rc;
}

/* Sessions whose interface went unheard, or became another. */
static void forget_lost_indexes(struct engine *engine)
{
	struct session_entry *session = datastore_index_from(engine->store, 1), *next;

	for (; session; session = next) {
		next = datastore_index_from(engine->store, session->state.if_index + 1);
		if (!links_by_index(&engine->links, session->state.if_index))
			observe_link_gone(engine, session->state.if_index);
	}
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
 * A dump proves nothing by what it lacks (up to 6.11): ask for what it did not
 * show. What is configured and not there, repair; but not what others removed
 * under --no-repair.
 */
static void check_unseen(struct engine *engine, struct entry *entry)
{
	struct agenda *agenda = &engine->agenda;
	bool left_so =
		engine->o.no_repair && entry_state(entry)->status_reason == REASON_CHANGED_BEHIND;

	if (!entry->seen && entry->in_kernel)
		agenda_look(agenda, &entry->key);
	else if (entry_config(entry) && !entry->in_kernel && !entry->held && !left_so)
		agenda_repair(agenda, &entry->key);
	entry->seen = false;
}

static int read_objects(struct engine *engine, struct error *err)
{
	int rc = engine->k->dump_tunnels(engine->o.kernel, on_tunnel, engine);

	if (rc == 0)
		rc = engine->k->dump_sessions(engine->o.kernel, on_session, engine);
	return rc < 0 ? error_set_errno(err, ERROR_KERNEL, -rc, "cannot list tunnels and sessions")
		      : 0;
}

int read_all(struct engine *engine, struct error *err)
{
	struct agenda *agenda = &engine->agenda;
	int rc = read_links(engine);
	bool forgot;

	if (rc < 0)
		return error_set_errno(err, ERROR_KERNEL, -rc, "cannot list interfaces");
	forget_lost_indexes(engine);
	if (engine_connect(engine, err))
		rc = read_objects(engine, err);
	forgot = agenda->forgot;
	agenda->forgot = false;
	for (struct entry *entry = datastore_entry_from(engine->store, 0, 0); entry;
	     entry = entry_next(entry)) {
		check_unseen(engine, entry); /* after half a dump, too */
		if (forgot && entry->held)
			agenda_removing(agenda, &entry->key);
	}
	return rc;
}
