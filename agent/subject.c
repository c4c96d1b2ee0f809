#include "subject.h"

#include "model/codec.h"

/* The state that a pending row shows. */
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

static bool from_entry(enum object object, const struct entry *entry, struct subject *ret)
{
	*ret = (struct subject){.object = object, .entry = (struct entry *)entry};
	return entry != NULL;
}

static bool from_session(const struct session_entry *session, struct subject *ret)
{
	return from_entry(OBJECT_SESSION, session ? &session->entry : NULL, ret);
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
	there = from_entry(
		object,
		datastore_entry(store, index->at[0], object == OBJECT_TUNNEL ? 0 : index->at[1]),
		ret);
	if (there && subject_state(ret) != ROW_MISSING)
		return true;
	if (!from_pending(pending_find(pending, object, index->at[0], index->at[1]), &waiting))
		return there;
	*ret = waiting;
	return true;
}

/* The first entry of its kind at or after the index. */
static struct entry *entry_from(const struct datastore *store, enum object object,
				struct index from)
{
	struct tunnel_entry *tunnel;
	struct entry *entry;

	if (object == OBJECT_TUNNEL) {
		tunnel = datastore_tunnel_from(store, from.at[0]);
		return tunnel ? &tunnel->entry : NULL;
	}
	entry = datastore_entry_from(store, from.at[0], from.at[1]);
	while (entry && entry->key.session_id == 0)
		entry = entry_next(entry);
	return entry;
}

/*
 * Does the pending row come before the one that is there, or replace it because it is being
 * removed?
 */
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
		index->at[0] = entry_session(ret->entry)->state.if_index;
		return true;
	}
	there = from_entry(object, entry_from(store, object, *index), ret);
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
	return subject->pending ? subject->pending->tunnel_id : subject->entry->key.tunnel_id;
}

uint32_t subject_session_id(const struct subject *subject)
{
	return subject->pending ? subject->pending->session_id : subject->entry->key.session_id;
}

static bool is_enabled(const struct subject *subject)
{
	const struct row_set *set = &row_sets[subject->object];
	const struct row *row = &set->rows[subject->object == OBJECT_TUNNEL ? (int)TUNNEL_ENABLED
									    : (int)SESSION_ENABLED];
	const void *config = entry_config(subject->entry);

	return !codec_present(row, config) || codec_get_number(row, config);
}

enum row_state subject_state(const struct subject *subject)
{
	if (subject->pending)
		return pending_check(subject->pending, NULL) ? ROW_NOT_READY : ROW_READY;
	if (entry_config(subject->entry))
		return is_enabled(subject) ? ROW_ACTIVE : ROW_DISABLED;
	return subject_common(subject)->origin == ORIGIN_FOREIGN ? ROW_FOREIGN : ROW_MISSING;
}

const void *subject_config(const struct subject *subject, union config *room)
{
	const void *shown;

	if (!subject->pending) {
		shown = entry_shown(subject->entry);
		return shown ? shown : &nothing;
	}
	pending_config(subject->pending, room);
	return room;
}

const struct state *subject_common(const struct subject *subject)
{
	if (subject->pending)
		return subject->object == OBJECT_TUNNEL ? &idle_tunnel.common
							: &idle_session.common;
	return entry_state(subject->entry);
}

const void *subject_part(const struct subject *subject, enum part part)
{
	/* the common part comes first in both states (model.h) */
	if (part == PART_STATE)
		return subject_common(subject);
	return &subject_common(subject)->statistics;
}
