#include "netconf/walk.h"

#include "netconf/encode.h"
#include "netconf/lines.h"
#include "store/staged.h"

struct walk {
	struct engine *engine;
	const struct datastore *store;
	struct staged *staged;   /* the candidate, given back at the end; NULL: as running */
	struct staged_view view; /* get-config: as it was */
	bool config, lines;
	enum defaults defaults;
	union config shown; /* with them: what the view made last shows */
	struct filter filter;
	struct filter_compiler *compiler; /* NULL: the filter is good */
	const struct policy *policy;
	uint64_t statistics[OBJECTS];
	bool container_open, tunnel_open; /* start tags written */
	bool in_tunnel;                   /* at a tunnel's sessions */
	bool finished;
	uint32_t tunnel_id;  /* the next to look at, or the one we are in */
	uint32_t session_id; /* the next to look at */
	bool last_session;
	bool searching; /* nothing found yet from that id on: no end either */
	struct filter_hit tunnel_hit;
};

int walk_open(struct walk **ret, const struct walk_options *options, struct error *err)
{
	struct walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return error_set(err, ERROR_RESOURCE, "out of memory");
	walk->engine = options->engine;
	walk->store = options->store;
	walk->config = options->config;
	walk->lines = options->lines;
	walk->policy = policy_share(options->policy);
	walk->defaults = options->defaults;
	if (options->candidate)
		walk->staged = engine_candidate(walk->engine);
	if (walk->config)
		staged_view_open(&walk->view, walk->staged,
				 (struct datastore *)(uintptr_t)walk->store);
	for (unsigned int object = 0; object < OBJECTS; object++)
		walk->statistics[object] = view_rows(object, PART_STATISTICS);
	walk->compiler = filter_compiler_open(&walk->filter, options->filter);
	if (!walk->compiler) {
		walk_close(walk);
		return error_set(err, ERROR_RESOURCE, "out of memory");
	}
	*ret = walk;
	return 0;
}

int walk_prepare(struct walk *walk, struct error *err)
{
	int rc = filter_compiler_step(walk->compiler, err);

	if (rc > 0)
		return rc;
	filter_compiler_close(walk->compiler);
	walk->compiler = NULL;
	return rc;
}

size_t walk_memory(const struct walk *walk)
{
	return walk->filter.memory.size;
}

void walk_close(struct walk *walk)
{
	if (!walk)
		return;
	staged_view_close(&walk->view);
	if (walk->staged)
		engine_candidate_drop(walk->engine, walk->staged);
	policy_drop(walk->policy);
	filter_compiler_close(walk->compiler);
	filter_free(&walk->filter);
	free(walk);
}

/*
 * The entry as it is now, with fresh counters if the filter depends on the status, as that depends
 * on them.
 */
static bool show_entry(const struct walk *walk, struct entry *entry, struct view *ret)
{
	if (!entry)
		return false;
	if (walk->engine && !walk->config && walk->filter.reads_state)
		engine_refresh(walk->engine, entry);
	*ret = view_entry(entry);
	return true;
}

/* Hide what the policy does not show. False: all of it. */
static bool let_see(const struct walk *walk, struct view *view)
{
	uint32_t session_id = view->object == OBJECT_SESSION ? view->id : 0;

	view->hidden = ~policy_rows(walk->policy, RIGHT_READ, walk->tunnel_id, session_id);
	return !(view->hidden & ROW_SELF);
}

/* The entry with the lowest id from *@id on. */
static bool look_for_tunnel(struct walk *walk, uint32_t *id, struct view *ret)
{
	struct tunnel_entry *entry;

	if (walk->config) {
		const struct tunnel *tunnel = staged_tunnel_from(&walk->view, id, &walk->searching);

		if (tunnel)
			*ret = view_tunnel_config(tunnel);
		return tunnel;
	}
	entry = datastore_tunnel_from(walk->store, *id);
	if (entry)
		*id = entry->entry.key.tunnel_id;
	return show_entry(walk, entry ? &entry->entry : NULL, ret);
}

static bool find_tunnel(struct walk *walk, uint32_t *id, struct view *ret)
{
	bool found = look_for_tunnel(walk, id, ret);

	if (found)
		defaults_apply(walk->defaults, ret, &walk->shown);
	return found;
}

static bool look_for_session(struct walk *walk, uint32_t *id, struct view *ret)
{
	struct tunnel_entry *tunnel;
	struct session_entry *entry;

	if (walk->config) {
		const struct session *session =
			staged_session_from(&walk->view, walk->tunnel_id, id, &walk->searching);

		if (session)
			*ret = view_session_config(session);
		return session;
	}
	tunnel = datastore_tunnel(walk->store, walk->tunnel_id);
	entry = tunnel ? tunnel_session_from(tunnel, *id) : NULL;
	if (entry)
		*id = entry->entry.key.session_id;
	return show_entry(walk, entry ? &entry->entry : NULL, ret);
}

static bool find_session(struct walk *walk, uint32_t *id, struct view *ret)
{
	bool found = look_for_session(walk, id, ret);

	if (found)
		defaults_apply(walk->defaults, ret, &walk->shown);
	return found;
}

/* Refresh the counters if they are shown; the engine looks at what they say of the status. */
static void refresh(const struct walk *walk, const struct view *view, uint64_t rows)
{
	if (walk->engine && !walk->config && !walk->filter.reads_state &&
	    (rows & walk->statistics[view->object]))
		engine_refresh(walk->engine,
			       datastore_entry(walk->store, walk->tunnel_id,
					       view->object == OBJECT_SESSION ? view->id : 0));
}

/* Which leaves to write; 0: none. */
static uint64_t rows_to_write(const struct filter_hit *hit, const struct view *view)
{
	uint64_t rows = (hit->whole ? ROWS_ALL : hit->rows) & ~view->hidden;

	if ((view->hidden & ROW_SELF) || (!hit->whole && !view_any(view, rows)))
		return 0;
	return rows | view_key(view->object);
}

static void write_entry(const struct walk *walk, struct writer *writer, const struct view *view,
			uint64_t rows, unsigned int depth)
{
	(walk->lines ? lines_entry : encode_entry)(writer, view, rows, depth);
}

static void open_tunnel(struct walk *walk, struct writer *writer, const struct view *view,
			uint64_t rows)
{
	if (!walk->container_open && walk->lines)
		lines_begin(writer, 0);
	else if (!walk->container_open)
		(walk->defaults == DEFAULTS_REPORT_ALL_TAGGED ? encode_begin_annotated
							      : encode_begin)(writer, 0);
	walk->container_open = true;
	write_entry(walk, writer, view, rows, 1);
	walk->tunnel_open = true;
}

static void enter_tunnel(struct walk *walk, struct writer *writer)
{
	const struct filter_level *level = &walk->filter.tunnels;
	struct view view;
	uint64_t rows;

	walk->searching = false;
	if (!filter_next(&level, 1, walk->tunnel_id, &walk->tunnel_id) ||
	    !find_tunnel(walk, &walk->tunnel_id, &view)) {
		walk->finished = !walk->searching;
		return;
	}
	walk->in_tunnel = true;
	walk->session_id = 0;
	walk->last_session = !let_see(walk, &view) ||
			     !filter_match(&level, 1, &view, &walk->tunnel_hit) ||
			     (!walk->tunnel_hit.whole && !walk->tunnel_hit.count);
	rows = rows_to_write(&walk->tunnel_hit, &view);
	if (!rows)
		return;
	refresh(walk, &view, rows);
	open_tunnel(walk, writer, &view, rows);
}

static void leave_tunnel(struct walk *walk, struct writer *writer)
{
	if (walk->tunnel_open)
		encode_entry_end(writer, OBJECT_TUNNEL, 1);
	walk->tunnel_open = false;
	walk->in_tunnel = false;
	walk->finished = walk->tunnel_id == ID_MAX;
	walk->tunnel_id++;
}

static bool next_session(struct walk *walk, struct view *ret)
{
	const struct filter_hit *hit = &walk->tunnel_hit;

	if (!hit->whole &&
	    !filter_next(hit->levels, hit->count, walk->session_id, &walk->session_id))
		return false;
	return find_session(walk, &walk->session_id, ret);
}

static void write_session(struct walk *walk, struct writer *writer, const struct view *view,
			  uint64_t rows)
{
	struct view tunnel = {.object = OBJECT_TUNNEL, .id = walk->tunnel_id};

	refresh(walk, view, rows);
	if (!walk->tunnel_open)
		open_tunnel(walk, writer, &tunnel, view_key(OBJECT_TUNNEL));
	write_entry(walk, writer, view, rows, 2);
	encode_entry_end(writer, OBJECT_SESSION, 2);
}

static void visit_session(struct walk *walk, struct writer *writer)
{
	static const struct filter_hit whole = {.whole = true};
	struct filter_hit own;
	const struct filter_hit *hit = &whole;
	struct view view;
	uint64_t rows;

	walk->searching = false;
	if (walk->last_session || !next_session(walk, &view)) {
		if (!walk->searching)
			leave_tunnel(walk, writer);
		return;
	}
	if (let_see(walk, &view) && !walk->tunnel_hit.whole) {
		filter_match(walk->tunnel_hit.levels, walk->tunnel_hit.count, &view, &own);
		hit = &own;
	}
	rows = rows_to_write(hit, &view);
	if (rows)
		write_session(walk, writer, &view, rows);
	walk->last_session = view.id == ID_MAX;
	walk->session_id = view.id + 1;
}

bool walk_step(struct walk *walk, struct writer *writer)
{
	if (walk->in_tunnel)
		visit_session(walk, writer);
	else if (!walk->finished)
		enter_tunnel(walk, writer);
	walk->view.past.read =
		(struct key){walk->tunnel_id, walk->in_tunnel ? walk->session_id : 0};
	if (walk->in_tunnel || !walk->finished)
		return true;
	if (walk->container_open)
		encode_end(writer, 0);
	walk->container_open = false;
	return false;
}

bool walk_broken(const struct walk *walk)
{
	return walk->view.past.broken;
}
