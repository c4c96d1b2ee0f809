#include "netconf/view.h"

#include "model/status.h"

struct view view_entry(const struct entry *entry)
{
	entry_put_overhead(entry);
	return (struct view){
		.object = entry_object(entry),
		.id = entry->key.session_id ? entry->key.session_id : entry->key.tunnel_id,
		.config = entry_shown(entry),
		.state = entry_state(entry), /* the first member of both (model.h) */
		.statistics = entry->in_kernel ? &entry_state(entry)->statistics : NULL,
		.tunnel = entry_shown(&entry_tunnel_of(entry)->entry),
		.session = entry->key.session_id ? entry_shown(entry) : NULL,
	};
}

struct view view_tunnel_config(const struct tunnel *config)
{
	return (struct view){
		.object = OBJECT_TUNNEL,
		.id = config->tunnel_id,
		.config = config,
	};
}

struct view view_session_config(const struct session *config)
{
	return (struct view){
		.object = OBJECT_SESSION,
		.id = config->session_id,
		.config = config,
	};
}

static bool status_leaf(const struct view *view, char ret[VALUE_TEXT_MAX], size_t *ret_length)
{
	_Static_assert(STATUS_TEXT_MAX <= VALUE_TEXT_MAX, "a status text fits");
	static const struct tunnel no_tunnel;
	static const struct session no_session;
	const struct session *session = view->session;

	if (!session && view->object == OBJECT_SESSION)
		session = &no_session;
	*ret_length =
		status_text(view->state, view->tunnel ? view->tunnel : &no_tunnel, session, ret);
	return true;
}

bool view_leaf(const struct view *view, const struct row *row, char ret[VALUE_TEXT_MAX],
	       size_t *ret_length)
{
	const void *object = row->part == PART_CONFIG  ? view->config
			     : row->part == PART_STATE ? view->state
						       : view->statistics;

	if (view->hidden & BIT(row_number(row)))
		return false;
	if (!object && row->access == ACCESS_KEY)
		*ret_length = (size_t)snprintf(ret, VALUE_TEXT_MAX, "%u", view->id);
	if (!object)
		return row->access == ACCESS_KEY;
	if (row->type == TYPE_TEXT)
		return status_leaf(view, ret, ret_length);
	if (!codec_present(row, object))
		return false;
	*ret_length = codec_print(row, object, ret);
	return true;
}

bool view_any(const struct view *view, uint64_t rows)
{
	const struct row_set *set = &row_sets[view->object];
	char text[VALUE_TEXT_MAX];
	size_t length;

	for (unsigned int i = 0; i < set->count; i++)
		if ((rows & BIT(i)) && view_leaf(view, &set->rows[i], text, &length))
			return true;
	return false;
}

uint64_t view_rows(enum object object, enum part part)
{
	const struct row_set *set = &row_sets[object];
	uint64_t rows = 0;

	for (unsigned int i = 0; i < set->count; i++)
		if (set->rows[i].part == part)
			rows |= BIT(i);
	return rows;
}

uint64_t view_key(enum object object)
{
	return BIT(row_number(row_sets[object].key));
}
