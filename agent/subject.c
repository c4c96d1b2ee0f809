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

static bool is_ethernet(const struct session_entry *session)
{
	const struct session *shown = entry_shown(&session->entry);

	return !shown || shown->pseudowire_type != PSEUDOWIRE_PPP;
}

/* The session itself, or the next by id that has rows of the kind. */
static struct session_entry *of_kind(struct session_entry *session, enum index_kind kind)
{
	while (session && kind != INDEX_PSEUDOWIRE && !is_ethernet(session))
		session = datastore_id_next(session);
	return session;
}

/* Of the tables that are indexed by one number: the first session at or after @number ... */
static struct session_entry *numbered_from(const struct datastore *store, enum index_kind kind,
					   uint32_t number)
{
	if (kind == INDEX_INTERFACE)
		return datastore_index_from(store, number);
	return of_kind(datastore_id_from(store, number), kind);
}

/* ... and its number. */
static uint32_t number_of(const struct session_entry *session, enum index_kind kind)
{
	return kind == INDEX_INTERFACE ? session->state.if_index : session->entry.key.session_id;
}

static struct index index_of(const struct entry *entry, enum index_kind kind)
{
	if (kind == INDEX_TUNNEL || kind == INDEX_SESSION)
		return (struct index){.at = {entry->key.tunnel_id, entry->key.session_id}};
	return (struct index){
		.at = {number_of(entry_session(entry), kind), kind == INDEX_ETHERNET_INSTANCE}};
}

static bool find_numbered(const struct datastore *store, enum index_kind kind,
			  const struct index *index, struct subject *ret)
{
	struct session_entry *session = numbered_from(store, kind, index->at[0]);

	if (session && number_of(session, kind) != index->at[0])
		session = NULL;
	if (kind == INDEX_ETHERNET_INSTANCE && index->at[1] != 1)
		session = NULL;
	return from_session(session, ret);
}

static bool numbered_subject_from(const struct datastore *store, enum index_kind kind,
				  struct index *index, struct subject *ret)
{
	bool has_instance = kind == INDEX_ETHERNET_INSTANCE;
	struct session_entry *session;

	if (has_instance && index->at[1] > 1 && index->at[0]++ == ID_MAX)
		return false;
	session = numbered_from(store, kind, index->at[0]);
	if (!from_session(session, ret))
		return false;
	*index = index_of(&session->entry, kind);
	return true;
}

bool subject_find(const struct datastore *store, const struct pending *pending,
		  enum index_kind kind, const struct index *index, struct subject *ret)
{
	enum object object = index_object(kind);
	struct subject waiting;
	bool there;

	if (kind != INDEX_TUNNEL && kind != INDEX_SESSION)
		return find_numbered(store, kind, index, ret);
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

static bool look_up(const struct datastore *store, const struct pending *pending,
		    enum index_kind kind, struct index *index, struct subject *ret)
{
	enum object object = index_object(kind);
	struct subject waiting;
	bool there, waits;

	if (kind != INDEX_TUNNEL && kind != INDEX_SESSION)
		return numbered_subject_from(store, kind, index, ret);
	there = from_entry(object, entry_from(store, object, *index), ret);
	waits = from_pending(pending_from(pending, object, index->at[0], index->at[1]), &waiting);
	if (waits && (!there || comes_first(&waiting, ret)))
		*ret = waiting;
	else if (!there)
		return false;
	*index = (struct index){.at = {subject_tunnel_id(ret), subject_session_id(ret)}};
	return true;
}

static bool same_index(struct index a, struct index b)
{
	return a.at[0] == b.at[0] && a.at[1] == b.at[1];
}

/* The index after @index that a walk asks for. */
static bool follows(struct index index, enum index_kind kind, struct index from)
{
	unsigned int last = index_length(kind) == 2;

	return index.at[last] < ID_MAX && from.at[last] == index.at[last] + 1 &&
	       (last == 0 || from.at[0] == index.at[0]);
}

/* The row after this one, if it is easily found; NULL says nothing. */
static struct entry *entry_after(const struct entry *entry, enum index_kind kind)
{
	struct session_entry *session = entry_session(entry), *next = NULL;
	struct tunnel_entry *tunnel = entry_tunnel(entry);

	switch (kind) {
	case INDEX_TUNNEL:
		tunnel = tunnel_next(tunnel);
		return tunnel ? &tunnel->entry : NULL;
	case INDEX_SESSION:
		next = session_next(session);
		break;
	case INDEX_PSEUDOWIRE:
	case INDEX_ETHERNET:
	case INDEX_ETHERNET_INSTANCE:
		next = of_kind(datastore_id_next(session), kind);
		break;
	default:
		break;
	}
	return next ? &next->entry : NULL;
}

/* False: it is not known from last time. */
static bool is_known(const struct datastore *store, const struct pending *pending,
		     enum index_kind kind, struct index from, struct subject_last *last)
{
	struct entry *entry = last->subject.entry;

	if (!entry || last->changes != store->changes || last->kind != kind || pending->count > 0)
		return false;
	if (same_index(last->from, from))
		return true;
	entry = follows(last->at, kind, from) ? entry_after(entry, kind) : NULL;
	if (!entry)
		return false;
	last->subject.entry = entry;
	last->at = index_of(entry, kind);
	return true;
}

bool subject_from(const struct datastore *store, const struct pending *pending,
		  enum index_kind kind, struct index *index, struct subject *ret,
		  struct subject_last *last)
{
	struct index from = *index;

	if (!is_known(store, pending, kind, from, last)) {
		last->at = from;
		last->subject.entry = NULL;
		if (!look_up(store, pending, kind, &last->at, &last->subject))
			return false;
		last->changes = store->changes;
		last->kind = kind;
	}
	last->from = from;
	*index = last->at;
	*ret = last->subject;
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
		if (!shown && subject->object == OBJECT_SESSION)
			shown = session_last(entry_session(subject->entry));
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
	if (part == PART_STATE && !subject->pending)
		entry_put_overhead(subject->entry);
	/* the common part comes first in both states (model.h) */
	if (part == PART_STATE)
		return subject_common(subject);
	return &subject_common(subject)->statistics;
}
