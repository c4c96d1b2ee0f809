#include "netconf/encode.h"

static void write_origin(struct writer *writer, enum view_origin origin)
{
	static const char *const names[] = {
		[VIEW_INTENDED] = "intended",
		[VIEW_SYSTEM] = "system",
		[VIEW_DEFAULT] = "default",
		[VIEW_UNKNOWN] = "unknown",
	};

	write_text(writer, " " PREFIX_ORIGIN ":origin=\"" PREFIX_ORIGIN ":");
	write_text(writer, names[origin]);
	write_text(writer, "\"");
}

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

void encode_begin_annotated(struct writer *writer, bool tags, bool origins)
{
	write_text(writer, "<" ELEMENT_CONTAINER " xmlns=\"" NAMESPACE_MODULE "\"");
	if (tags)
		write_text(writer, " xmlns:" PREFIX_DEFAULT "=\"" NAMESPACE_DEFAULT "\"");
	if (origins) {
		write_text(writer, " xmlns:" PREFIX_ORIGIN "=\"" NAMESPACE_ORIGIN "\"");
		write_origin(writer, VIEW_INTENDED);
	}
	write_text(writer, ">");
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

/* A start tag with the attributes of a leaf; false: it has none, and nothing is written. */
static bool start_annotated(struct writer *writer, const struct view *view, const struct row *row)
{
	const struct view_origins *origins = view->origins;
	uint64_t bit = row->part == PART_CONFIG ? BIT(row_number(row)) : 0;
	enum view_origin origin = VIEW_INTENDED;

	while (origins && origin < VIEW_ORIGINS && !(origins->rows[origin] & bit))
		origin++;
	if (origins && (origin == VIEW_ORIGINS || origin == origins->entry))
		origins = NULL;
	if (!origins && !(view->tagged & bit))
		return false;
	write_text(writer, "<");
	write_text(writer, row->leaf);
	if (view->tagged & bit)
		write_text(writer, " " PREFIX_DEFAULT ":default=\"true\"");
	if (origins)
		write_origin(writer, origin);
	write_text(writer, ">");
	return true;
}

static void write_leaf(struct writer *writer, const struct view *view, const struct row *row,
		       bool annotated, unsigned int depth)
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
	if (annotated && start_annotated(writer, view, row)) {
		write_escaped(writer, text, length);
		close_tag(writer, row->leaf);
		return;
	}
	write_between(writer, tags_of(row), text, length);
}

void encode_leaf(struct writer *writer, const struct view *view, const struct row *row,
		 unsigned int depth)
{
	write_leaf(writer, view, row, false, depth);
}

/* What it can have of the rows, at a glance: most leaves of a configuration are absent. */
static uint64_t rows_there(const struct view *view)
{
	uint64_t all = BIT(row_sets[view->object].config_count) - 1;
	uint64_t config = view->config ? *(const uint64_t *)view->config : view_key(view->object);

	return view->state || view->statistics ? config | ~all : config;
}

/* Statistics come last among the rows. */
static void write_leaves(struct writer *writer, const struct view *view, uint64_t rows,
			 bool annotated, unsigned int depth)
{
	const struct row_set *set = &row_sets[view->object];
	bool in_statistics = false;

	for (rows &= rows_there(view) & (BIT(set->count) - 1); rows; rows &= rows - 1) {
		const struct row *row = &set->rows[__builtin_ctzll(rows)];

		if (row->part == PART_STATISTICS && !in_statistics) {
			if (!view->statistics)
				break;
			open_tag(writer, ELEMENT_STATISTICS, depth++);
			in_statistics = true;
		}
		write_leaf(writer, view, row, annotated, depth);
	}
	if (!in_statistics)
		return;
	write_line(writer, depth - 1);
	close_tag(writer, ELEMENT_STATISTICS);
}

void encode_entry(struct writer *writer, const struct view *view, uint64_t rows, unsigned int depth)
{
	open_tag(writer, row_sets[view->object].name, depth);
	write_leaves(writer, view, rows, view->tagged, depth + 1);
}

void encode_entry_of_origin(struct writer *writer, const struct view *view, uint64_t rows,
			    enum view_origin inherited)
{
	write_text(writer, "<");
	write_text(writer, row_sets[view->object].name);
	if (view->origins->entry != inherited)
		write_origin(writer, view->origins->entry);
	write_text(writer, ">");
	write_leaves(writer, view, rows, true, 0);
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
