#include "netconf/config_change.h"

#include "model/codec.h"
#include "model/entry.h"

struct edit_item {
	uint32_t tunnel_id, session_id;
	const struct row *row; /* NULL: the entry */
	const char *operation;
};

struct edit_list {
	struct edit_item items[CONFIG_CHANGE_EDITS];
	size_t count; /* more than there is room for: too many */
};

static void add(struct edit_list *list, const struct change *change, uint32_t session_id,
		const struct row *row, const char *operation)
{
	if (list->count < CONFIG_CHANGE_EDITS)
		list->items[list->count] = (struct edit_item){
			.tunnel_id = change->tunnel_id,
			.session_id = session_id,
			.row = row,
			.operation = operation,
		};
	list->count++;
}

static void add_leaves(struct edit_list *list, const struct change *change)
{
	enum object object = change->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	uint64_t rows = codec_difference(object, change->before, change->after);

	for (; rows; rows &= rows - 1) {
		const struct row *row = &row_sets[object].rows[__builtin_ctzll(rows)];
		const char *operation = !codec_present(row, change->before)  ? "create"
					: !codec_present(row, change->after) ? "delete"
									     : "replace";

		add(list, change, change->session_id, row, operation);
	}
}

static void add_change(struct edit_list *list, const struct change *change)
{
	if (change->before && change->after)
		add_leaves(list, change);
	else
		add(list, change, change->session_id, NULL, change->after ? "create" : "delete");
}

/* All of one tunnel, from @at on. Returns the first change of the next one. */
static struct change *add_tunnel(struct edit_list *list, struct change *at)
{
	bool whole = !at->session_id && (!at->before || !at->after);
	struct change *end = at;
	size_t sessions = 0;

	for (; end && end->tunnel_id == at->tunnel_id; end = change_next(end))
		sessions += end->session_id != 0;
	if (whole)
		add_change(list, at);
	else if (sessions > CONFIG_CHANGE_SESSIONS)
		add(list, at, 0, NULL, "merge");
	for (; !whole && sessions <= CONFIG_CHANGE_SESSIONS && at != end; at = change_next(at))
		add_change(list, at);
	return end;
}

static void write_edit(struct writer *writer, const char *path, const char *prefix,
		       const char *operation)
{
	write_text(writer, "<edit><target>");
	write_path(writer, path, prefix);
	write_text(writer, "</target><operation>");
	write_text(writer, operation);
	write_text(writer, "</operation></edit>");
}

static void write_items(struct writer *writer, const struct edit_list *list)
{
	struct error place;

	for (size_t i = 0; i < list->count; i++) {
		const struct edit_item *item = &list->items[i];

		place = ERROR_INIT;
		error_at_entry(&place, item->tunnel_id, item->session_id, item->row);
		write_edit(writer, place.path, PREFIX_MODULE, item->operation);
	}
}

void config_change_write(struct writer *writer, const struct candidate *changes)
{
	struct edit_list list = {.count = 0};
	struct change *at = candidate_first(changes);

	if (changes->count > CONFIG_CHANGE_TOUCHED)
		list.count = SIZE_MAX;
	while (at && list.count <= CONFIG_CHANGE_EDITS)
		at = add_tunnel(&list, at);
	if (list.count > CONFIG_CHANGE_EDITS)
		write_edit(writer, "/" ELEMENT_CONTAINER, PREFIX_MODULE, "merge");
	else
		write_items(writer, &list);
	if (changes->acm)
		write_edit(writer, "/nacm", PREFIX_ACM, "merge");
}
