#include "engine/outcome.h"

#include <errno.h>

#include "engine/desired.h"
#include "engine/saved.h"
#include "engine/status.h"

static bool is_wanted(struct engine *engine, const struct entry *entry)
{
	union config ignored;

	return want_entry(engine, &engine->running, &entry->key, &ignored) != -ENOENT;
}

/*
 * It is not in the kernel: it waits, has failed, or is not wanted. @item NULL: nothing was tried.
 */
static void outcome_absent(struct engine *engine, struct entry *entry, const struct item *item)
{
	enum status_reason reason = item ? item->reason : 0;
	bool failed = reason == REASON_KERNEL_ERROR || reason == REASON_FOREIGN_OBJECT;
	const struct session *session = entry->key.session_id ? entry_config(entry) : NULL;
	bool enabled = session && (!(session->present & BIT(SESSION_ENABLED)) || session->enabled);
	int ignored;

	if (reason == REASON_ADDRESS_IN_VRF) /* there was no entry to note which */
		(void)status_lack(engine, entry, &ignored);
	if (reason)
		status_set(engine, entry, failed ? OPER_FAILED : OPER_WAITING, reason,
			   item->os_errno);
	/* wanted, but not tried: a commit that was undone left it as it was */
	if (reason || is_wanted(engine, entry))
		agenda_wait(&engine->agenda, &entry->key);
	else
		status_set(engine, entry, OPER_DOWN,
			   enabled ? REASON_TUNNEL_NOT_UP : REASON_DISABLED, 0);
}

/* It was created or changed in place, and the kernel has it as in @want. */
static void outcome_done(struct engine *engine, const struct item *item, struct entry *entry,
			 union config *want)
{
	bool created = item->done & ACTION_CREATE;
	struct tunnel_entry *tunnel;
	struct session_entry *session;

	if (item->key.session_id == 0) {
		/* and not the one that local-interface has by now */
		want->tunnel.local_address = item->local;
		want->tunnel.present |= BIT(TUNNEL_LOCAL_ADDRESS);
	}
	datastore_observe_entry(engine->store, entry, want);
	if (created)
		status_begin(engine, entry);
	tunnel = entry_tunnel(entry);
	if (tunnel) {
		tunnel->state.resolved_local_address = item->local;
		tunnel->state.last_local_address = item->local;
		tunnel->state.last_remote_address = want->tunnel.remote_address;
		status_path(engine, tunnel); /* some kernels need neither a route nor the address */
		status_derive(engine, entry);
		return;
	}
	session = entry_session(entry);
	if (created)
		session->state.kernel_mtu = item->kernel_mtu;
	status_link(engine, session);
	status_renew(engine, entry);
}

static void outcome_of_item(struct engine *engine, const struct job *job, const struct item *item)
{
	struct entry *entry =
		datastore_entry(engine->store, item->key.tunnel_id, item->key.session_id);
	union config want;

	if (entry_session(entry))
		saved_end(entry_session(entry), item);
	if (!entry || !entry_config(entry))
		return;
	if ((item->done & (ACTION_CREATE | ACTION_MODIFY)) && !item->reason &&
	    want_entry(engine, job->to, &item->key, &want) != -ENOENT)
		outcome_done(engine, item, entry, &want);
	else if (entry->in_kernel ? item->reason : !entry->held)
		outcome_absent(engine, entry, item);
	else if (entry->in_kernel && entry->key.session_id)
		status_renew(engine, entry);
}

/* Its tunnel is not in the kernel, and not about to be. */
static bool lacks_tunnel(const struct session_entry *session)
{
	const struct entry *tunnel = session ? &session->tunnel->entry : NULL;

	return tunnel && !tunnel->in_kernel && !tunnel->held &&
	       entry_state(tunnel)->oper_status != OPER_REMOVING;
}

void outcome_of_entry(struct engine *engine, struct entry *entry)
{
	if (!entry_config(entry) || entry->held)
		return;
	if (entry->in_kernel)
		status_renew(engine, entry);
	else if (!is_wanted(engine, entry))
		outcome_absent(engine, entry, NULL);
	else if (lacks_tunnel(entry_session(entry))) {
		/* the kernel still had it when its tunnel could not be made again */
		status_set(engine, entry, OPER_WAITING, REASON_TUNNEL_NOT_UP, 0);
		agenda_wait(&engine->agenda, &entry->key);
	}
}

struct outcome {
	struct cursor cursor;
	struct engine *engine;
	const struct job *job;
	size_t at; /* the next item */
	struct targets rest;
	bool names;
};

static void outcome_of_target(struct outcome *outcome, const struct key *key)
{
	struct engine *engine = outcome->engine;
	struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);

	if (entry && !job_item(outcome->job, key))
		outcome_of_entry(engine, entry);
	if (outcome->names)
		agenda_repair(&engine->agenda, key);
}

static int outcome_forth(struct cursor *cursor)
{
	struct outcome *outcome = (struct outcome *)cursor;
	struct key key;

	if (outcome->at < outcome->job->count) {
		outcome_of_item(outcome->engine, outcome->job, &outcome->job->items[outcome->at++]);
		return 1;
	}
	if (!targets_next(&outcome->rest, &key))
		return 0;
	targets_pass(&outcome->rest);
	outcome_of_target(outcome, &key);
	return 1;
}

struct cursor *outcome_begin(struct engine *engine, const struct job *job, struct targets rest,
			     bool names)
{
	static const struct cursor_kind kind = {.forth = outcome_forth};
	struct outcome *outcome = cursor_new(&kind, sizeof(*outcome));
	struct outcome at_once = {.engine = engine, .job = job, .rest = rest, .names = names};

	if (!outcome) {
		while (outcome_forth(&at_once.cursor) > 0)
			;
		return NULL;
	}
	at_once.cursor = outcome->cursor;
	*outcome = at_once;
	outcome->cursor.decided = true;
	return &outcome->cursor;
}
