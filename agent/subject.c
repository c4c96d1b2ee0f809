#include "subject.h"

#include "model/codec.h"

/* What a row that is not in the configuration shows. */
static const struct tunnel_state idle_tunnel = {
	.common = {.oper_status = OPER_DOWN,
		   .status_reason = REASON_DISABLED,
		   .origin = ORIGIN_CONFIGURED},
};
static const struct session_state idle_session = {
	.common = {.oper_status = OPER_DOWN,
		   .status_reason = REASON_DISABLED,
		   .origin = ORIGIN_CONFIGURED},
};
static const union config nothing;

static bool from_session(const struct session_entry *session, struct subject *ret)
{
	*ret = (struct subject){.object = OBJECT_SESSION,
				.session = (struct session_entry *)session};
	if (session)
		ret->tunnel = session->tunnel;
	return session != NULL;
}

static bool from_tunnel(const struct tunnel_entry *tunnel, struct subject *ret)
{
	*ret = (struct subject){.object = OBJECT_TUNNEL, .tunnel = (struct tunnel_entry *)tunnel};
	return tunnel != NULL;
}

static bool from_pending(const struct pending_row *row, struct subject *ret)
{
	if (!row)
		return false;
	*ret = (struct subject){.object = row->draft.object, .pending = row};
	return true;
}

bool subject_find(const struct datastore *store, const struct pending *pending,
		  enum mib_table table, const struct index *index, struct subject *ret)
{
	enum object object = table_object(table);
	struct subject waiting;
	bool there;

	if (table == MIB_INTERFACE)
		return from_session(datastore_session_by_index(store, index->at[0]), ret);
	there = object == OBJECT_TUNNEL
			? from_tunnel(datastore_tunnel(store, index->at[0]), ret)
			: from_session(datastore_session(store, index->at[0], index->at[1]), ret);
	if (there && subject_state(ret) != ROW_MISSING)
		return true;
	if (!from_pending(pending_find(pending, object, index->at[0], index->at[1]), &waiting))
		return there;
	*ret = waiting;
	return true;
}

static struct session_entry *session_from(const struct datastore *store, struct index from)
{
	struct tunnel_entry *tunnel = datastore_tunnel_from(store, from.at[0]);

	for (; tunnel; tunnel = tunnel_next(tunnel)) {
		struct session_entry *session =
			tunnel_session_from(tunnel, tunnel->id == from.at[0] ? from.at[1] : 0);

		if (session)
			return session;
	}
	return NULL;
}

/* Is the row that waits before the one that is there, or in its place, as that is being removed? */
static bool comes_first(const struct subject *waiting, const struct subject *there)
{
	uint32_t a = subject_tunnel_id(waiting), b = subject_tunnel_id(there);

	if (a == b) {
		a = subject_session_id(waiting);
		b = subject_session_id(there);
	}
	return a < b || (a == b && subject_state(there) == ROW_MISSING);
}

bool subject_from(const struct datastore *store, const struct pending *pending,
		  enum mib_table table, struct index *index, struct subject *ret)
{
	enum object object = table_object(table);
	struct subject waiting;
	bool there, waits;

	if (table == MIB_INTERFACE) {
		if (!from_session(datastore_index_from(store, index->at[0]), ret))
			return false;
		index->at[0] = ret->session->state.if_index;
		return true;
	}
	there = object == OBJECT_TUNNEL
			? from_tunnel(datastore_tunnel_from(store, index->at[0]), ret)
			: from_session(session_from(store, *index), ret);
	waits = from_pending(pending_from(pending, object, index->at[0], index->at[1]), &waiting);
	if (waits && (!there || comes_first(&waiting, ret)))
		*ret = waiting;
	else if (!there)
		return false;
	*index = (struct index){{subject_tunnel_id(ret), subject_session_id(ret)}};
	return true;
}

uint32_t subject_tunnel_id(const struct subject *subject)
{
	return subject->pending ? subject->pending->tunnel_id : subject->tunnel->id;
}

uint32_t subject_session_id(const struct subject *subject)
{
	if (subject->object == OBJECT_TUNNEL)
		return 0;
	return subject->pending ? subject->pending->session_id : subject->session->id;
}

static bool is_configured(const struct subject *subject)
{
	return subject->session ? subject->session->configured : subject->tunnel->configured;
}

static bool is_enabled(const struct subject *subject)
{
	if (subject->session)
		return !(subject->session->config.present & BIT(SESSION_ENABLED)) ||
		       subject->session->config.enabled;
	return !(subject->tunnel->config.present & BIT(TUNNEL_ENABLED)) ||
	       subject->tunnel->config.enabled;
}

enum row_state subject_state(const struct subject *subject)
{
	if (subject->pending)
		return pending_check(subject->pending, NULL) ? ROW_NOT_READY : ROW_READY;
	if (is_configured(subject))
		return is_enabled(subject) ? ROW_ACTIVE : ROW_DISABLED;
	return subject_common(subject)->origin == ORIGIN_FOREIGN ? ROW_FOREIGN : ROW_MISSING;
}

static const void *entry_config(const struct subject *subject)
{
	const struct session_entry *session = subject->session;
	const struct tunnel_entry *tunnel = subject->tunnel;

	if (session)
		return session->configured  ? (const void *)&session->config
		       : session->in_kernel ? (const void *)&session->actual
					    : &nothing;
	return tunnel->configured  ? (const void *)&tunnel->config
	       : tunnel->in_kernel ? (const void *)&tunnel->actual
				   : &nothing;
}

const void *subject_config(const struct subject *subject, union config *room)
{
	if (!subject->pending)
		return entry_config(subject);
	pending_config(subject->pending, room);
	return room;
}

const struct state *subject_common(const struct subject *subject)
{
	if (subject->pending)
		return subject->object == OBJECT_TUNNEL ? &idle_tunnel.common
							: &idle_session.common;
	return subject->session ? &subject->session->state.common : &subject->tunnel->state.common;
}

const void *subject_part(const struct subject *subject, enum part part)
{
	/* the common part comes first in both states (model.h) */
	if (part == PART_STATE)
		return subject_common(subject);
	return &subject_common(subject)->statistics;
}
