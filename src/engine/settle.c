/* From the outcome of a job to the datastore: what is there, what waits, and its status. */
#include "engine/internal.h"

#include <errno.h>
#include <syslog.h>

#include "model/status.h"

static void describe(const struct tunnel_entry *tunnel, const struct session_entry *session,
		     char *ret, size_t size)
{
	if (session)
		snprintf(ret, size, "session %u/%u", tunnel->entry.key.tunnel_id,
			 session->entry.key.session_id);
	else
		snprintf(ret, size, "tunnel %u", tunnel->entry.key.tunnel_id);
}

static void log_status(struct engine *engine, const struct tunnel_entry *tunnel,
		       const struct session_entry *session, const struct state *state)
{
	char what[64], why[STATUS_TEXT_MAX];
	const struct word *word = word_by_value(oper_status_words, state->oper_status);

	if (state->oper_status == OPER_UP || state->oper_status == OPER_REMOVING)
		return;
	describe(tunnel, session, what, sizeof(what));
	status_text(state, tunnel_config(tunnel) ? tunnel_config(tunnel) : &tunnel->actual,
		    session ? (session_config(session) ? session_config(session) : &session->actual)
			    : NULL,
		    why);
	engine_log(engine, state->oper_status == OPER_FAILED ? LOG_WARNING : LOG_INFO, "%s %s: %s",
		   what, word ? word->name : "?", why);
}

void settle_status(struct engine *engine, struct tunnel_entry *tunnel,
		   struct session_entry *session, enum oper_status status,
		   enum status_reason reason, int os_errno)
{
	struct state *state = session ? &session->state.common : &tunnel->state.common;
	enum oper_status old = state->oper_status;
	int64_t now = engine_now();
	struct engine_event event = {
		.type = ENGINE_STATE,
		.entry = session ? &session->entry : &tunnel->entry,
		.old_status = old,
	};

	if (old == status && state->status_reason == reason && state->status_errno == os_errno)
		return;
	datastore_set_status(engine->store, session ? &session->entry : &tunnel->entry, status,
			     reason, os_errno, now);
	log_status(engine, tunnel, session, state);
	if (old != status)
		engine_tell(engine, &event);
}

/* ---- what the status of an entry that is in the kernel follows from */

static bool is_unspecified(const struct address *address)
{
	static const uint8_t zero[sizeof(address->bytes)];

	return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

static enum status_reason address_reason(struct engine *engine, const struct address *local)
{
	if (is_unspecified(local))
		return 0;
	switch (engine->k->address_state(engine->o.kernel, local)) {
	case ADDRESS_READY:
		return 0;
	case ADDRESS_TENTATIVE:
		return REASON_ADDRESS_TENTATIVE;
	default:
		return REASON_NO_LOCAL_ADDRESS;
	}
}

void settle_path(struct engine *engine, struct tunnel_entry *tunnel)
{
	const struct tunnel *actual = &tunnel->actual;
	enum status_reason reason;
	struct tunnel want;
	int rc = want_tunnel(engine, &engine->running, tunnel->entry.key.tunnel_id, &want);

	tunnel->state.path_errno = 0;
	reason = entry_config(&tunnel->entry) && rc < 0 && rc != -ENOENT
			 ? REASON_NO_INTERFACE_ADDRESS
			 : address_reason(engine, &actual->local_address);
	if (reason == 0 && !is_unspecified(&actual->remote_address)) {
		rc = engine->k->route(engine->o.kernel, &actual->remote_address);
		reason = rc < 0 ? REASON_NO_ROUTE : 0;
		tunnel->state.path_errno = (int16_t)(rc < 0 ? -rc : 0);
	}
	tunnel->state.path_reason = (uint8_t)reason;
}

/* Otherwise than configured, for a repair would destroy what others made in it. */
static bool is_spared(struct engine *engine, const struct tunnel_entry *tunnel)
{
	return tunnel->state.common.oper_status == OPER_FAILED &&
	       tunnel->state.common.status_reason == REASON_FOREIGN_OBJECT &&
	       observe_tunnel_difference(engine, tunnel);
}

static void derive_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	enum status_reason path = tunnel->state.path_reason;

	if (is_spared(engine, tunnel))
		return;
	if (path == REASON_NO_INTERFACE_ADDRESS)
		settle_status(engine, tunnel, NULL, OPER_WAITING, path, 0);
	else if (path)
		settle_status(engine, tunnel, NULL, OPER_DOWN, path, tunnel->state.path_errno);
	else if (tunnel->state.common.transmit_failing)
		settle_status(engine, tunnel, NULL, OPER_DOWN, REASON_TRANSMIT_ERRORS, 0);
	else
		settle_status(engine, tunnel, NULL, OPER_UP,
			      tunnel->state.common.changed_behind ? REASON_CHANGED_BEHIND
								  : REASON_NONE,
			      0);
}

void settle_tunnel_up(struct engine *engine, struct tunnel_entry *tunnel)
{
	enum oper_status old = tunnel->state.common.oper_status;
	struct session_entry *session;

	derive_tunnel(engine, tunnel);
	if (tunnel->state.common.oper_status == old)
		return;
	for (session = tunnel_session_from(tunnel, 0); session; session = session_next(session))
		if (session->entry.in_kernel)
			settle_session_up(engine, session);
}

/* Noted among what waits, for the next link that appears may be it. */
static bool lacks_bridge(struct engine *engine, struct session_entry *session)
{
	const struct session *config = session_config(session);
	bool lacks = config && (config->present & BIT(SESSION_BRIDGE)) &&
		     !links_by_name(&engine->links, config->bridge);

	if (lacks && !session->state.awaits_bridge)
		keys_add(&engine->waiting, session->tunnel->entry.key.tunnel_id,
			 session->entry.key.session_id);
	session->state.awaits_bridge = lacks;
	return lacks;
}

static bool lacks_interface(const struct session_entry *session, const struct kernel_link *link)
{
	const struct session *config = session_config(session);

	return config && !link && config->pseudowire_type != PSEUDOWIRE_PPP;
}

static void derive_session(struct engine *engine, struct session_entry *session)
{
	struct tunnel_entry *tunnel = session->tunnel;
	const struct state *state = &session->state.common;
	const struct kernel_link *link = links_by_index(&engine->links, session->state.if_index);
	bool unbridged = lacks_bridge(engine, session);

	if (tunnel->state.common.oper_status != OPER_UP)
		settle_status(engine, tunnel, session, OPER_DOWN, REASON_TUNNEL_NOT_UP, 0);
	else if (lacks_interface(session, link))
		settle_status(engine, tunnel, session, OPER_DOWN, REASON_NO_INTERFACE, 0);
	else if (link && !link->up)
		settle_status(engine, tunnel, session, OPER_DOWN, REASON_LINK_DOWN, 0);
	else if (state->transmit_failing)
		settle_status(engine, tunnel, session, OPER_DOWN, REASON_TRANSMIT_ERRORS, 0);
	else if (unbridged)
		settle_status(engine, tunnel, session, OPER_WAITING, REASON_NO_BRIDGE, 0);
	else if (state->peer_silent)
		settle_status(engine, tunnel, session, OPER_PEER_SILENT, REASON_PEER_SILENT, 0);
	else
		settle_status(engine, tunnel, session, OPER_UP,
			      state->changed_behind ? REASON_CHANGED_BEHIND : REASON_NONE, 0);
}

void settle_session_up(struct engine *engine, struct session_entry *session)
{
	struct state *state = &session->state.common;

	if (!session_config(session) || !session_config(session)->dead_interval)
		state->peer_silent = false;
	derive_session(engine, session);
}

/* ---- what is no longer in the kernel */

void settle_tunnel_gone(struct engine *engine, struct tunnel_entry *tunnel)
{
	tunnel->state.resolved_local_address = (struct address){0};
	tunnel->state.path_reason = 0;
	counters_begin(&tunnel->state.common);
	datastore_observe(engine->store, tunnel->entry.key.tunnel_id, 0, NULL);
}

void settle_session_gone(struct engine *engine, struct session_entry *session)
{
	session->state.kernel_mtu = 0;
	counters_begin(&session->state.common);
	datastore_observe(engine->store, session->tunnel->entry.key.tunnel_id,
			  session->entry.key.session_id, NULL);
}

void settle_deleted(struct engine *engine, const struct key *key)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, key->tunnel_id);
	struct session_entry *session;

	if (!tunnel)
		return;
	if (key->session_id == 0) {
		datastore_hold(engine->store, &tunnel->entry, true);
		settle_tunnel_gone(engine, tunnel);
		settle_status(engine, tunnel, NULL, OPER_REMOVING, REASON_BEING_REMOVED, 0);
	} else {
		session = datastore_session(engine->store, key->tunnel_id, key->session_id);
		if (!session)
			return;
		datastore_hold(engine->store, &session->entry, true);
		settle_session_gone(engine, session);
		settle_status(engine, tunnel, session, OPER_REMOVING, REASON_BEING_REMOVED, 0);
	}
	keys_add(&engine->removing, key->tunnel_id, key->session_id);
}

static bool is_wanted(struct engine *engine, const struct key *key)
{
	union config ignored;

	if (key->session_id)
		return want_session(&engine->running, key->tunnel_id, key->session_id,
				    &ignored.session) == 0;
	return want_tunnel(engine, &engine->running, key->tunnel_id, &ignored.tunnel) != -ENOENT;
}

/* An object that is not there: it waits, failed, or is not wanted now. */
static void settle_absent(struct engine *engine, struct tunnel_entry *tunnel,
			  struct session_entry *session, const struct item *item)
{
	const struct key key = {tunnel->entry.key.tunnel_id,
				session ? session->entry.key.session_id : 0};
	enum status_reason reason = item ? item->reason : 0;
	const struct session *config;
	bool failed = reason == REASON_KERNEL_ERROR || reason == REASON_FOREIGN_OBJECT;

	if (reason) {
		settle_status(engine, tunnel, session, failed ? OPER_FAILED : OPER_WAITING, reason,
			      item->os_errno);
		keys_add(&engine->waiting, tunnel->entry.key.tunnel_id, key.session_id);
		return;
	}
	if (is_wanted(engine, &key)) { /* a commit that was taken back left it as it was */
		keys_add(&engine->waiting, tunnel->entry.key.tunnel_id, key.session_id);
		return;
	}
	config = session ? session_config(session) : NULL;
	if (config && (!(config->present & BIT(SESSION_ENABLED)) || config->enabled))
		settle_status(engine, tunnel, session, OPER_DOWN, REASON_TUNNEL_NOT_UP, 0);
	else
		settle_status(engine, tunnel, session, OPER_DOWN, REASON_DISABLED, 0);
}

static void settle_tunnel(struct engine *engine, const struct job *job, const struct item *item)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, item->key.tunnel_id);
	struct tunnel want;

	if (!tunnel || !entry_config(&tunnel->entry))
		return;
	tunnel->state.common.origin = ORIGIN_CONFIGURED;
	if (!(item->done & ACTION_CREATE) || item->reason ||
	    want_tunnel(engine, job->to, item->key.tunnel_id, &want) == -ENOENT) {
		if (tunnel->entry.in_kernel ? item->reason : !tunnel->entry.held)
			settle_absent(engine, tunnel, NULL, item);
		return;
	}
	want.local_address = item->local; /* and not what local-interface has by now */
	want.present |= BIT(TUNNEL_LOCAL_ADDRESS);
	tunnel = entry_tunnel(datastore_observe(engine->store, item->key.tunnel_id, 0, &want));
	if (!tunnel)
		return;
	counters_begin(&tunnel->state.common);
	tunnel->state.path_reason = 0; /* the kernel has bound and connected its socket */
	tunnel->state.resolved_local_address = want.local_address;
	tunnel->state.last_local_address = want.local_address;
	settle_tunnel_up(engine, tunnel);
}

/* It is as configured now, or looked at anew. */
static void settle_session_again(struct engine *engine, struct session_entry *session)
{
	session->state.awaits_bridge = false;
	session->state.common.changed_behind = false;
	settle_session_up(engine, session);
}

static void settle_session(struct engine *engine, const struct job *job, const struct item *item)
{
	struct session_entry *session =
		datastore_session(engine->store, item->key.tunnel_id, item->key.session_id);
	bool changed = (item->done & (ACTION_CREATE | ACTION_MODIFY)) && !item->reason;
	struct session want;

	if (!session || !entry_config(&session->entry))
		return;
	session->state.common.origin = ORIGIN_CONFIGURED;
	if (!changed ||
	    want_session(job->to, item->key.tunnel_id, item->key.session_id, &want) < 0) {
		if (session->entry.in_kernel ? item->reason : !session->entry.held)
			settle_absent(engine, session->tunnel, session, item);
		else if (session->entry.in_kernel)
			settle_session_again(engine, session);
		return;
	}
	session = entry_session(
		datastore_observe(engine->store, item->key.tunnel_id, item->key.session_id, &want));
	if (!session)
		return;
	if (item->done & ACTION_CREATE) {
		counters_begin(&session->state.common);
		session->state.kernel_mtu = item->kernel_mtu;
	}
	observe_link_of(engine, session);
	settle_session_again(engine, session);
}

void settle_job(struct engine *engine, const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->items[i].key.session_id == 0)
			settle_tunnel(engine, job, &job->items[i]);
		else
			settle_session(engine, job, &job->items[i]);
	}
}

static void settle_tunnel_again(struct engine *engine, struct tunnel_entry *tunnel)
{
	tunnel->state.common.changed_behind = false;
	settle_path(engine, tunnel);
	settle_tunnel_up(engine, tunnel);
}

static void settle_key(struct engine *engine, const struct key *key)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, key->tunnel_id);
	struct session_entry *session =
		datastore_session(engine->store, key->tunnel_id, key->session_id);
	struct state *state;

	if (!tunnel || (key->session_id && !session))
		return;
	state = session ? &session->state.common : &tunnel->state.common;
	if (!(session ? entry_config(&session->entry) : entry_config(&tunnel->entry)))
		return;
	state->origin = ORIGIN_CONFIGURED;
	if (session ? session->entry.held : tunnel->entry.held)
		return;
	if (session && session->entry.in_kernel)
		settle_session_again(engine, session);
	else if (!session && tunnel->entry.in_kernel)
		settle_tunnel_again(engine, tunnel);
	else if (!is_wanted(engine, key))
		settle_absent(engine, tunnel, session, NULL);
}

void settle_rest(struct engine *engine, struct job *job, const struct keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		if (!job || !job_item(job, keys->at[i].tunnel_id, keys->at[i].session_id))
			settle_key(engine, &keys->at[i]);
}
