#include "netconf/encode.h"

#define PREFIX_DEFAULT "wd"

static void open_tag(struct writer *writer, const char *name, unsigned int depth)
{
	write_line(writer, depth);
	write_tag(writer, "<", name);
}

static void close_tag(struct writer *writer, const char *name)
{
	write_tag(writer, "</", name);
}

void encode_begin(struct writer *writer, unsigned int depth)
{
	write_line(writer, depth);
	write_text(writer, "<" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE "\">");
}

void encode_begin_annotated(struct writer *writer, unsigned int depth)
{
	write_line(writer, depth);
	write_text(writer, "<" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE
			   "\" xmlns:" PREFIX_DEFAULT "=\"" NAMESPACE_DEFAULT "\">");
}

void encode_end(struct writer *writer, unsigned int depth)
{
	write_line(writer, depth);
	close_tag(writer, ELEMENT_CONTAINER);
}

static const struct writer_tags *tags_of(const struct row *row)
{
	static struct writer_tags made[OBJECTS][ROWS_MAX];
	struct writer_tags *tags = &made[row->object][row_number(row)];

	if (!tags->opening_length)
		writer_make_tags(tags, row->leaf);
	return tags;
}

void encode_leaf(struct writer *writer, const struct view *view, const struct row *row,
		 unsigned int depth)
{
	char text[VALUE_TEXT_MAX];
	size_t length;

	if (row->type == TYPE_COUNTER) { /* most leaves are, so spare them the text */
		if (!view->statistics || (view->hidden & BIT(row_number(row))))
			return;
		write_line(writer, depth);
		write_number_between(writer, tags_of(row), codec_get_number(row, view->statistics));
		return;
	}
	if (!view_leaf(view, row, text, &length))
		return;
	write_line(writer, depth);
	if (view->tagged & BIT(row_number(row))) {
		write_text(writer, "<");
		write_text(writer, row->leaf);
		write_text(writer, " " PREFIX_DEFAULT ":default=\"true\">");
		write_escaped(writer, text, length);
		close_tag(writer, row->leaf);
		return;
	}
	write_between(writer, tags_of(row), text, length);
}

/* Statistics come last among the rows. */
void encode_entry(struct writer *writer, const struct view *view, uint64_t rows, unsigned int depth)
{
	const struct row_set *set = &row_sets[view->object];
	bool in_statistics = false;

	open_tag(writer, set->name, depth++);
	for (rows &= BIT(set->count) - 1; rows; rows &= rows - 1) {
		const struct row *row = &set->rows[__builtin_ctzll(rows)];

		if (row->part == PART_STATISTICS && !in_statistics) {
			if (!view->statistics)
				break;
			open_tag(writer, ELEMENT_STATISTICS, depth++);
			in_statistics = true;
		}
		encode_leaf(writer, view, row, depth);
	}
	if (!in_statistics)
		return;
	write_line(writer, depth - 1);
	close_tag(writer, ELEMENT_STATISTICS);
}

void encode_entry_end(struct writer *writer, enum object object, unsigned int depth)
{
	write_line(writer, depth);
	close_tag(writer, row_sets[object].name);
}

static void encode_sessions(struct writer *writer, const struct tunnel_entry *tunnel,
			    unsigned int depth)
{
	struct session_entry *session;

	for (session = tunnel_session_from(tunnel, 0); session; session = session_next(session)) {
		const struct session *config = session_config(session);
		struct view view;

		if (!config)
			continue;
		view = view_session_config(config);
		encode_entry(writer, &view, ROWS_ALL, depth);
		encode_entry_end(writer, OBJECT_SESSION, depth);
	}
}

void encode_running(struct writer *writer, const struct datastore *running, unsigned int depth)
{
	struct tunnel_entry *tunnel;

	encode_begin(writer, depth);
	for (tunnel = datastore_tunnel_from(running, 0); tunnel; tunnel = tunnel_next(tunnel)) {
		const struct tunnel *config = tunnel_config(tunnel);
		struct view view;

		if (!config)
			continue;
		view = view_tunnel_config(config);
		encode_entry(writer, &view, ROWS_ALL, depth + 1);
		encode_sessions(writer, tunnel, depth + 2);
		encode_entry_end(writer, OBJECT_TUNNEL, depth + 1);
	}
	encode_end(writer, depth);
}
