#include "engine/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/compare.h"
#include "engine/desired.h"
#include "engine/keepalive.h"
#include "engine/recall.h"
#include "model/codec.h"
#include "model/overhead.h"

void status_set(struct engine *engine, struct entry *entry, enum oper_status status,
		enum status_reason reason, int os_errno)
{
	const struct state *state = entry_state(entry);
	enum oper_status old = state->oper_status;

	if (old == status && state->status_reason == reason && state->status_errno == os_errno)
		return;
	datastore_set_status(engine->store, entry, status, reason, os_errno, clock_moment());
	recall_mark(engine, entry, false);
	engine_tell(engine,
		    &(struct engine_event){.type = old == status ? ENGINE_REASON : ENGINE_STATE,
					   .entry = entry,
					   .old_status = old});
}

/* @remark: the reason if nothing weightier is to be said, REASON_NONE or a warning. */
static void set_oper_up(struct engine *engine, struct entry *entry, enum status_reason remark)
{
	status_set(engine, entry, OPER_UP,
		   entry_state(entry)->externally_modified ? REASON_EXTERNALLY_MODIFIED : remark,
		   0);
}

/* ---- a tunnel: its path */

static void note_link(struct engine *engine, const struct tunnel *ends, unsigned int index)
{
	struct tunnel_entry *tunnel = datastore_tunnel(engine->store, ends->tunnel_id);
	const struct kernel_link *link = links_by_index(&engine->links, index);

	if (tunnel)
		snprintf(tunnel->state.path_link, sizeof(tunnel->state.path_link), "%s",
			 link ? link->name : "");
}

static enum kernel_address_state ask_address(struct engine *engine, const struct address *local)
{
	struct asked *asked = &engine->asked;

	if (asked->slice != engine->slice_ends ||
	    memcmp(&asked->local, local, sizeof(*local)) != 0) {
		asked->slice = engine->slice_ends;
		asked->state = engine->k->address_state(engine->o.kernel, local, 0);
		asked->local = *local;
	}
	return asked->state;
}

static enum status_reason look_for_address(struct engine *engine, const struct tunnel *ends,
					   int *ret_errno)
{
	const struct address *local = &ends->local_address;

	switch (ask_address(engine, local)) {
	case ADDRESS_READY:
		return 0;
	case ADDRESS_TENTATIVE:
		return REASON_ADDRESS_TENTATIVE;
	case ADDRESS_DUPLICATE:
		return REASON_ADDRESS_DUPLICATE;
	case ADDRESS_UNKNOWN:
		*ret_errno = EIO;
		return REASON_NO_LOCAL_ADDRESS;
	case ADDRESS_ABSENT:
		break;
	}
	for (size_t i = 0; i < engine->links.vrf_count; i++) {
		unsigned int vrf = engine->links.vrfs[i]->link.index;

		if (engine->k->address_state(engine->o.kernel, local, vrf) == ADDRESS_READY) {
			note_link(engine, ends, vrf);
			return REASON_ADDRESS_IN_VRF;
		}
	}
	return REASON_NO_LOCAL_ADDRESS;
}

/*
 * Does the host have the local address of @ends, and a route to the remote one? *@ret_mtu: what
 * that carries; 0: not known.
 */
static enum status_reason look_at_path(struct engine *engine, const struct tunnel *ends,
				       int *ret_errno, uint32_t *ret_mtu)
{
	enum status_reason reason = 0;
	struct kernel_route route = {0};
	const struct kernel_link *link;
	int rc;

	*ret_errno = 0;
	*ret_mtu = 0;
	if (!address_is_unspecified(&ends->local_address))
		reason = look_for_address(engine, ends, ret_errno);
	if (reason || address_is_unspecified(&ends->remote_address))
		return reason;
	rc = engine->k->route(engine->o.kernel, ends, &route);
	if (rc < 0) {
		*ret_errno = -rc;
		return REASON_NO_ROUTE;
	}
	link = links_by_index(&engine->links, route.link);
	*ret_mtu = route.mtu ? route.mtu : link ? link->mtu : 0;
	if (!route.down)
		return 0;
	note_link(engine, ends, route.link);
	return REASON_LINK_DOWN;
}

enum status_reason status_obstacle(struct engine *engine, const struct tunnel *want, int rc,
				   int *ret_errno)
{
	enum status_reason reason;
	uint32_t mtu;

	if (rc < 0 && rc != -EAGAIN) {
		*ret_errno = -rc;
		return REASON_NO_INTERFACE_ADDRESS;
	}
	reason = look_at_path(engine, want, ret_errno, &mtu);
	if (reason == REASON_LINK_DOWN)
		reason = 0; /* the kernel does not mind */
	return reason == 0 && rc < 0 ? REASON_ADDRESS_TENTATIVE : reason;
}

/* Is an MTU configured that the path does not carry? What the kernel chose is its affair. */
static bool is_above_path(const struct session_entry *session, const struct kernel_link *link)
{
	const struct session *config = session_config(session);
	uint32_t path = session->tunnel->state.path_mtu;

	return config && link && path && (config->present & BIT(SESSION_MTU)) &&
	       link->mtu + overhead_of(&session->tunnel->actual, config) > path;
}

/* The path has another MTU: packets of sessions that are up may fit no more, or again. */
static void remark_mtus(struct engine *engine, struct tunnel_entry *tunnel)
{
	struct session_entry *session = tunnel_session_from(tunnel, 0);

	for (; session; session = session_next(session)) {
		const struct state *state = &session->state.common;
		const struct kernel_link *link =
			links_by_index(&engine->links, session->state.if_index);

		if (state->oper_status == OPER_UP &&
		    is_above_path(session, link) != (state->status_reason == REASON_MTU_ABOVE_PATH))
			status_derive(engine, &session->entry);
	}
}

void status_path(struct engine *engine, struct tunnel_entry *tunnel)
{
	bool configured = entry_config(&tunnel->entry) != NULL;
	enum status_reason reason = REASON_NO_INTERFACE_ADDRESS;
	struct tunnel want;
	int rc = want_tunnel(engine, &engine->running, tunnel->entry.key.tunnel_id, &want);
	uint32_t mtu = 0, before = tunnel->state.path_mtu;
	int os_errno = 0;

	if (configured && rc == -EAGAIN)
		reason = look_at_path(engine, &want, &os_errno, &mtu);
	else if (!configured || rc == 0 || rc == -ENOENT)
		reason = look_at_path(engine, &tunnel->actual, &os_errno, &mtu);
	if (!configured && reason == REASON_ADDRESS_IN_VRF)
		reason = 0; /* its creator's socket may be bound there */
	tunnel->state.path_errno = (int16_t)os_errno;
	tunnel->state.path_reason = (uint8_t)reason;
	tunnel->state.path_mtu = mtu;
	if (mtu != before)
		remark_mtus(engine, tunnel);
}

/* It differs and is left so: a repair would destroy what others made in it. */
static bool is_spared(struct engine *engine, const struct entry *entry)
{
	const struct state *state = entry_state(entry);

	return state->oper_status == OPER_FAILED && state->status_reason == REASON_FOREIGN_OBJECT &&
	       compare_entry(engine, entry);
}

static void derive_tunnel(struct engine *engine, struct tunnel_entry *tunnel)
{
	const struct state *state = &tunnel->state.common;
	enum status_reason path = tunnel->state.path_reason;
	struct entry *entry = &tunnel->entry;

	if (is_spared(engine, entry))
		return;
	if (path == REASON_NO_INTERFACE_ADDRESS)
		status_set(engine, entry, OPER_WAITING, path, 0);
	else if (path)
		status_set(engine, entry, OPER_DOWN, path, tunnel->state.path_errno);
	else if (state->transmit_failing)
		status_set(engine, entry, OPER_DOWN, REASON_TRANSMIT_ERRORS, 0);
	else
		set_oper_up(engine, entry, REASON_NONE);
}

/* ---- a session: its interface */

static void take_link(struct engine *engine, struct session *actual, const struct kernel_link *link)
{
	const struct kernel_link *master = links_by_index(&engine->links, link->master);
	const struct row *rows = row_sets[OBJECT_SESSION].rows;
	const struct row *description = &rows[SESSION_DESCRIPTION];

	actual->mtu = link->mtu;
	actual->mac_address = link->mac;
	actual->link_enabled = link->up;
	actual->present |= BIT(SESSION_MTU) | BIT(SESSION_MAC_ADDRESS) | BIT(SESSION_LINK_ENABLED);
	codec_clear(&rows[SESSION_BRIDGE], actual);
	codec_clear(&rows[SESSION_VRF], actual);
	if (master && master->vrf)
		memcpy(actual->vrf, master->name, sizeof(actual->vrf));
	else if (master)
		memcpy(actual->bridge, master->name, sizeof(actual->bridge));
	if (master)
		actual->present |= BIT(master->vrf ? SESSION_VRF : SESSION_BRIDGE);
	codec_clear(description, actual);
	if (link->alias) /* one that is too long is no description, for instance */
		(void)codec_parse(description, actual, link->alias, strlen(link->alias), NULL);
}

void status_link(struct engine *engine, struct session_entry *session)
{
	const struct kernel_link *link;
	struct session actual;
	union config room;

	if (!session->entry.in_kernel)
		return;
	actual = *(const struct session *)entry_actual(&session->entry, &room);
	link = links_of_session(&engine->links, session->state.if_index, actual.interface_name);
	if (link && actual.interface_name[0]) {
		if (session->state.if_index != link->index) {
			datastore_set_index(engine->store, session, link->index);
			recall_mark(engine, &session->entry, true);
		}
		take_link(engine, &actual, link);
		if (!datastore_observe_link(session, &actual))
			agenda_forgot(&engine->agenda);
	}
	status_derive(engine, &session->entry);
}

/* The reason to wait: it has no master as configured; 0: it has, or needs none. */
static enum status_reason master_lack(const struct engine *engine,
				      const struct session_entry *session)
{
	const struct session *config = session_config(session);

	if (!config || !has_master(config) || find_master(engine, config))
		return 0;
	return config->present & BIT(SESSION_VRF) ? REASON_NO_VRF : REASON_NO_BRIDGE;
}

/* Queue it: the next new link may be the master. */
static enum status_reason await_master(struct engine *engine, struct session_entry *session)
{
	enum status_reason lack = master_lack(engine, session);

	if (lack && !session->state.awaits_master)
		session->state.awaits_master = agenda_sleep(&engine->agenda, &session->entry.key);
	if (!lack)
		session->state.awaits_master = false;
	return lack;
}

static void derive_session(struct engine *engine, struct session_entry *session)
{
	const struct state *state = &session->state.common;
	const struct session *config = session_config(session);
	const struct kernel_link *link = links_by_index(&engine->links, session->state.if_index);
	enum status_reason masterless = await_master(engine, session);
	struct entry *entry = &session->entry;

	if (session->tunnel->state.common.oper_status != OPER_UP)
		status_set(engine, entry, OPER_DOWN, REASON_TUNNEL_NOT_UP, 0);
	else if (config && !link && config->pseudowire_type != PSEUDOWIRE_PPP)
		status_set(engine, entry, OPER_DOWN, REASON_NO_INTERFACE, 0);
	else if (link && !link->up)
		status_set(engine, entry, OPER_DOWN, REASON_LINK_DOWN, 0);
	else if (state->transmit_failing)
		status_set(engine, entry, OPER_DOWN, REASON_TRANSMIT_ERRORS, 0);
	else if (masterless)
		status_set(engine, entry, OPER_WAITING, masterless, 0);
	else if (session->state.port_errno)
		status_set(engine, entry, OPER_FAILED, REASON_PORT_SETTINGS,
			   session->state.port_errno);
	else if (state->peer_silent)
		status_set(engine, entry, OPER_PEER_SILENT, REASON_PEER_SILENT, 0);
	else
		set_oper_up(engine, entry,
			    is_above_path(session, link) ? REASON_MTU_ABOVE_PATH : REASON_NONE);
}

/* ---- either */

enum status_reason status_family(struct engine *engine, int *ret_errno)
{
	struct error err = ERROR_INIT;

	if (engine_connect(engine, &err))
		return 0;
	*ret_errno = err.os_errno;
	return err.os_errno == EPERM ? REASON_NO_PERMISSION : REASON_MODULE_MISSING;
}

enum status_reason status_lack(struct engine *engine, const struct entry *entry, int *ret_errno)
{
	const struct session_entry *session = entry_session(entry);
	enum status_reason reason;
	struct tunnel want;
	int rc;

	*ret_errno = 0;
	if (session)
		return master_lack(engine, session);
	reason = status_family(engine, ret_errno);
	if (reason)
		return reason;
	rc = want_tunnel(engine, &engine->running, entry->key.tunnel_id, &want);
	return rc == -ENOENT ? 0 : status_obstacle(engine, &want, rc, ret_errno);
}

/* Its interface is to go down, or up again: that is a repair, for it takes a request. */
static void act_on_silence(struct engine *engine, const struct session_entry *session)
{
	const struct session *config = session_config(session);

	if (!config || want_dormant(session, config) == session->state.silenced)
		return;
	agenda_repair(&engine->agenda, &session->entry.key);
	engine_schedule(engine);
}

void status_derive(struct engine *engine, struct entry *entry)
{
	struct session_entry *session = entry_session(entry);
	struct state *state = entry_state(entry);
	enum oper_status old = state->oper_status;

	if (session) {
		if (!session_config(session) || !session_config(session)->dead_interval)
			state->peer_silent = false;
		derive_session(engine, session);
		act_on_silence(engine, session);
		keepalive_follow(engine, session);
		return;
	}
	derive_tunnel(engine, entry_tunnel(entry));
	if (state->oper_status == old)
		return;
	session = tunnel_session_from(entry_tunnel(entry), 0);
	for (; session; session = session_next(session))
		if (session->entry.in_kernel)
			status_derive(engine, &session->entry);
}

void status_renew(struct engine *engine, struct entry *entry)
{
	struct session_entry *session = entry_session(entry);

	entry_state(entry)->externally_modified = false;
	if (session)
		session->state.awaits_master = false;
	else
		status_path(engine, entry_tunnel(entry));
	status_derive(engine, entry);
}

/* ---- counters */

void status_begin(struct engine *engine, struct entry *entry)
{
	struct state *state = entry_state(entry);

	state->statistics = (struct statistics){.discontinuity_time = clock_moment()};
	state->statistics_time = 0;
	state->heard_time = state->statistics.discontinuity_time.at;
	state->peer_silent = state->transmit_failing = false;
	if (entry_tunnel(entry) && !entry->held)
		entry_tunnel(entry)->state.socket = 0;
	if (entry_session(entry))
		entry_session(entry)->state.silenced = false;
	recall_mark(engine, entry, true);
}

/* Errors grow while nothing is sent: the underlay is dead, whatever the link's state. */
static bool is_failing(const struct state *state, const struct statistics *statistics)
{
	uint64_t errors = statistics->tx_errors - state->statistics.tx_errors;
	uint64_t sent = statistics->tx_packets - state->statistics.tx_packets;

	if (state->statistics_time == 0 || sent)
		return false;
	return errors ? true : state->transmit_failing;
}

static bool is_silent(const struct session_entry *session, int64_t now)
{
	const struct session *config = session_config(session);
	int64_t limit = config ? config->dead_interval * NS_PER_S : 0;

	return limit && now - session->state.common.heard_time > limit;
}

/* A counter that went back began at 0 again. */
static uint64_t growth(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : now;
}

static void add_to_totals(struct engine_totals *totals, enum object object,
			  const struct statistics *before, const struct statistics *now)
{
	const struct row_set *set = &row_sets[OBJECT_TUNNEL];

	if (object == OBJECT_SESSION) {
		totals->session_errors += growth(before->tx_errors, now->tx_errors) +
					  growth(before->rx_errors, now->rx_errors);
		return;
	}
	for (unsigned int i = 0; i < set->count; i++) {
		const struct row *row = &set->rows[i];

		if (row->type == TYPE_COUNTER)
			*(uint64_t *)(void *)((char *)&totals->tunnels + row->offset) +=
				growth(codec_get_number(row, before), codec_get_number(row, now));
	}
}

void status_count(struct engine *engine, struct entry *entry, const struct statistics *statistics,
		  int64_t now)
{
	struct state *state = entry_state(entry);
	struct moment discontinuity = state->statistics.discontinuity_time;
	bool failing = is_failing(state, statistics), silent;

	if (statistics->rx_packets != state->statistics.rx_packets || state->heard_time == 0)
		state->heard_time = now;
	add_to_totals(&engine->totals, entry_object(entry), &state->statistics, statistics);
	state->statistics = *statistics;
	state->statistics.discontinuity_time = discontinuity;
	state->statistics_time = now;
	silent = entry->key.session_id && is_silent(entry_session(entry), now);
	if (failing == state->transmit_failing && silent == state->peer_silent)
		return;
	state->transmit_failing = failing;
	state->peer_silent = silent;
	recall_mark(engine, entry, false);
	status_derive(engine, entry);
}

/* ---- no longer in the kernel */

void status_gone(struct engine *engine, struct entry *entry)
{
	struct tunnel_entry *tunnel = entry_tunnel(entry);

	if (tunnel) {
		tunnel->state.resolved_local_address = (struct address){0};
		tunnel->state.path_reason = 0;
		tunnel->state.path_mtu = 0;
	} else {
		entry_session(entry)->state.kernel_mtu = 0;
		entry_session(entry)->state.port_errno = 0;
		keepalive_follow(engine, entry_session(entry));
	}
	status_begin(engine, entry);
	datastore_observe(engine->store, entry->key.tunnel_id, entry->key.session_id, NULL);
}

void status_removing(struct engine *engine, const struct key *key)
{
	struct entry *entry = datastore_entry(engine->store, key->tunnel_id, key->session_id);

	if (!entry)
		return;
	datastore_hold(engine->store, entry, true);
	status_gone(engine, entry);
	status_set(engine, entry, OPER_REMOVING, REASON_BEING_REMOVED, 0);
	agenda_removing(&engine->agenda, key);
}
