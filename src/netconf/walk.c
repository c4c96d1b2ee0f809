#include "netconf/walk.h"

#include <limits.h>

#include "netconf/encode.h"
#include "netconf/lines.h"
#include "netconf/nmda.h"
#include "store/staged.h"

struct walk {
	struct engine *engine;
	const struct datastore *store;
	struct staged *staged;   /* the candidate, given back at the end; NULL: as running */
	struct staged_view view; /* get-config: as it was */
	bool config, lines;
	bool in_use, with_origin;
	bool narrow; /* of what the filter selects some is left out: ... */
	uint64_t left_out[OBJECTS];
	unsigned int omit_origins, max_depth;
	enum defaults defaults;
	union config shown, used; /* what the view made last shows: with defaults, in use */
	struct view_origins origins;
	enum view_origin tunnel_origin;
	unsigned int levels; /* of the tunnel to show, if all of it is selected */
	bool all_sessions;
	struct filter filter;
	struct filter_compiler *compiler; /* NULL: the filter is good */
	const struct policy *policy;
	uint64_t statistics[OBJECTS], state[OBJECTS];
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
	walk->in_use = options->in_use;
	walk->with_origin = options->with_origin;
	walk->omit_origins = options->omit_origins;
	walk->narrow = options->no_config || options->no_state || options->omit_origins;
	walk->max_depth = options->max_depth ? options->max_depth : UINT_MAX;
	if (walk->in_use && walk->defaults == DEFAULTS_EXPLICIT)
		walk->omit_origins |= BIT(VIEW_DEFAULT) & UINT_MAX;
	if (options->candidate)
		walk->staged = engine_candidate(walk->engine);
	if (walk->config)
		staged_view_open(&walk->view, walk->staged,
				 (struct datastore *)(uintptr_t)walk->store);
	for (unsigned int object = 0; object < OBJECTS; object++) {
		if (options->no_config)
			walk->left_out[object] |= view_rows(object, PART_CONFIG);
		if (options->no_state)
			walk->left_out[object] |=
				view_rows(object, PART_STATE) | view_rows(object, PART_STATISTICS);
		walk->statistics[object] = view_rows(object, PART_STATISTICS);
		walk->state[object] = view_rows(object, PART_STATE);
	}
	walk->filter.exact = options->exact;
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

/* The entry as it is now. Whether it matches may depend on its status or counters. */
static bool show_entry(struct walk *walk, struct entry *entry, struct view *ret)
{
	if (!entry)
		return false;
	if (walk->engine && !walk->config && walk->filter.reads_statistics)
		engine_refresh(walk->engine, entry);
	else if (walk->engine && !walk->config && walk->filter.reads_state)
		engine_look(walk->engine, entry);
	*ret = view_entry(entry);
	if (walk->in_use)
		nmda_show_in_use(entry, ret, &walk->origins, &walk->used);
	return true;
}

/* What is in use has its defaults already. */
static void apply_defaults(struct walk *walk, struct view *view)
{
	if (walk->in_use && walk->defaults == DEFAULTS_REPORT_ALL_TAGGED)
		view->tagged = view->origins->rows[VIEW_DEFAULT];
	if (!walk->in_use || walk->defaults == DEFAULTS_TRIM)
		defaults_apply(walk->defaults, view, &walk->shown);
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
		apply_defaults(walk, ret);
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
		apply_defaults(walk, ret);
	return found;
}

/* Refresh the counters if they are shown, or the status that depends on them. */
static void refresh(const struct walk *walk, const struct view *view, uint64_t rows)
{
	struct entry *entry;

	if (!walk->engine || walk->config || walk->filter.reads_statistics ||
	    !(rows & (walk->statistics[view->object] | walk->state[view->object])))
		return;
	entry = datastore_entry(walk->store, walk->tunnel_id,
				view->object == OBJECT_SESSION ? view->id : 0);
	if (rows & walk->statistics[view->object])
		engine_refresh(walk->engine, entry);
	else
		engine_look(walk->engine, entry);
}

/* Leaves within @levels of the entry, which is the first. */
static uint64_t rows_within(const struct walk *walk, enum object object, unsigned int levels)
{
	return levels > 2 ? ROWS_ALL : levels == 2 ? ~walk->statistics[object] : 0;
}

/* Which leaves to write of an entry of which @levels are shown if it is whole; 0: none. */
static uint64_t rows_to_write(const struct walk *walk, const struct filter_hit *hit,
			      const struct view *view, unsigned int levels)
{
	uint64_t rows =
		(hit->whole ? ROWS_ALL : hit->rows) & ~view->hidden & ~walk->left_out[view->object];

	for (enum view_origin at = 0; walk->omit_origins && at < VIEW_ORIGINS; at++)
		if (walk->omit_origins & BIT(at))
			rows &= ~(view->origins->rows[at] & view_rows(view->object, PART_CONFIG));
	if ((view->hidden & ROW_SELF) || (!(hit->whole && levels) && !hit->rows))
		return 0;
	if ((!hit->whole || walk->narrow) && !view_any(view, rows))
		return 0;
	if (hit->whole)
		rows &= rows_within(walk, view->object, levels) | hit->rows;
	return rows | view_key(view->object);
}

/* @inherited: the origin of the element around it. */
static void write_entry(const struct walk *walk, struct writer *writer, const struct view *view,
			uint64_t rows, unsigned int depth, enum view_origin inherited)
{
	struct view plain;

	if (walk->with_origin) {
		encode_entry_of_origin(writer, view, rows, inherited);
	} else if (view->origins) {
		plain = *view;
		plain.origins = NULL;
		encode_entry(writer, &plain, rows, depth);
	} else {
		(walk->lines ? lines_entry : encode_entry)(writer, view, rows, depth);
	}
}

static void open_container(struct walk *walk, struct writer *writer)
{
	bool tags = walk->defaults == DEFAULTS_REPORT_ALL_TAGGED;

	if (walk->container_open)
		return;
	walk->container_open = true;
	if (tags || walk->with_origin)
		encode_begin_annotated(writer, tags, walk->with_origin);
	else
		(walk->lines ? lines_begin : encode_begin)(writer, 0);
}

static void open_tunnel(struct walk *walk, struct writer *writer, const struct view *view,
			uint64_t rows)
{
	open_container(walk, writer);
	write_entry(walk, writer, view, rows, 1, VIEW_INTENDED);
	walk->tunnel_open = true;
}

static void enter_tunnel(struct walk *walk, struct writer *writer)
{
	const struct filter_level *level = &walk->filter.tunnels;
	struct filter_hit *hit = &walk->tunnel_hit;
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
	if (let_see(walk, &view))
		filter_match(&level, 1, &view, hit);
	else
		*hit = (struct filter_hit){.whole = false};
	walk->levels = walk->max_depth - hit->above;
	walk->all_sessions = hit->whole && walk->levels > 1;
	walk->last_session = !walk->all_sessions && !hit->count;
	walk->tunnel_origin = view.origins ? view.origins->entry : VIEW_INTENDED;
	rows = rows_to_write(walk, hit, &view, walk->levels);
	if (hit->whole && !walk->levels && !walk->narrow)
		open_container(walk, writer);
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

	if (!walk->all_sessions &&
	    !filter_next(hit->levels, hit->count, walk->session_id, &walk->session_id))
		return false;
	return find_session(walk, &walk->session_id, ret);
}

static void write_session(struct walk *walk, struct writer *writer, const struct view *view,
			  uint64_t rows)
{
	const struct view_origins origins = {.entry = walk->tunnel_origin};
	const struct view tunnel = {
		.object = OBJECT_TUNNEL,
		.id = walk->tunnel_id,
		.origins = walk->in_use ? &origins : NULL,
	};

	refresh(walk, view, rows);
	if (!walk->tunnel_open)
		open_tunnel(walk, writer, &tunnel, view_key(OBJECT_TUNNEL));
	write_entry(walk, writer, view, rows, 2, walk->tunnel_origin);
	encode_entry_end(writer, OBJECT_SESSION, 2);
}

static void visit_session(struct walk *walk, struct writer *writer)
{
	const struct filter_hit *tunnel = &walk->tunnel_hit;
	unsigned int levels = walk->all_sessions ? walk->levels - 1 : 0;
	struct filter_hit own;
	struct view view;
	uint64_t rows;

	walk->searching = false;
	if (walk->last_session || !next_session(walk, &view)) {
		if (!walk->searching)
			leave_tunnel(walk, writer);
		return;
	}
	own.whole = false;
	own.rows = 0;
	if (let_see(walk, &view))
		filter_match(tunnel->levels, tunnel->count, &view, &own);
	if (own.whole)
		levels = walk->max_depth;
	own.whole |= walk->all_sessions;
	rows = rows_to_write(walk, &own, &view, levels);
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

void walk_detach(struct walk *walk)
{
	walk->engine = NULL;
}

bool walk_broken(const struct walk *walk)
{
	return walk->view.past.broken;
}
