/*
 * Publishing: whoever reads between two steps sees all of a commit or nothing of it,
 * whatever is observed meanwhile; what is given up, or has no memory, leaves nothing behind.
 *
 * What should be seen is a datastore made anew each time from a plain table.
 */
#include "store.h"

#include "store/past.h"

#define TUNNELS  3
#define SESSIONS 4 /* of each; place 0 is the tunnel's own */

static unsigned int seed;

static unsigned int random_below(unsigned int limit)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16 & 0x7fff) % limit;
}

/* The plain table */

struct place {
	bool configured[LAYERS]; /* LAYER_BASE: before the commit; LAYER_TOP: by it */
	union config config[LAYERS];
	bool attached; /* its change, which keeps it */
	bool in_kernel, held, up;
	union config actual;
	unsigned int index;
};

struct table {
	struct place at[TUNNELS + 1][SESSIONS + 1];
};

static struct place *place_of(struct table *table, const struct key *key)
{
	return &table->at[key->tunnel_id][key->session_id];
}

static struct key random_key(void)
{
	return (struct key){1 + random_below(TUNNELS), random_below(SESSIONS + 1)};
}

static union config random_config(const struct key *key)
{
	union config config = {0};

	if (key->session_id == 0) {
		config.tunnel.present = BIT(TUNNEL_ID) | BIT(TUNNEL_LOCAL_ADDRESS);
		config.tunnel.tunnel_id = key->tunnel_id;
		config.tunnel.local_address =
			(struct address){AF_INET, {10, 0, 0, (uint8_t)random_below(2)}};
		if (random_below(4) == 0)
			config.present &= ~BIT(TUNNEL_LOCAL_ADDRESS);
		return config;
	}
	config.session.present = BIT(SESSION_ID);
	config.session.session_id = key->session_id;
	if (random_below(4)) {
		config.present |= BIT(SESSION_INTERFACE_NAME);
		snprintf(config.session.interface_name, sizeof(config.session.interface_name),
			 "l2tpeth%u", random_below(3));
	}
	if (random_below(2)) {
		config.present |= BIT(SESSION_DEAD_INTERVAL);
		config.session.dead_interval = 1 + random_below(2);
	}
	return config;
}

/* An entry that nothing keeps is gone, and so is what was known of it. */
static void forget(struct table *table)
{
	for (uint32_t t = 1; t <= TUNNELS; t++) {
		bool kept = false;

		for (uint32_t s = SESSIONS + 1; s-- > 0;) {
			struct place *place = &table->at[t][s];
			bool keeps = place->configured[LAYER_BASE] || place->in_kernel ||
				     place->held || place->attached;

			kept = kept || keeps;
			if (s > 0 ? !keeps : !kept) {
				place->up = false;
				place->index = 0;
			}
		}
	}
}

/* What is attached now; what is so no more was merged, if it is published. */
static void follow(struct table *table, const struct candidate *candidate, bool published)
{
	for (struct change *at = candidate_first(candidate); at; at = change_next(at)) {
		struct place *place = place_of(table, &(struct key){at->tunnel_id, at->session_id});

		if (place->attached && !at->entry && published) {
			place->configured[LAYER_BASE] = place->configured[LAYER_TOP];
			place->config[LAYER_BASE] = place->config[LAYER_TOP];
		}
		place->attached = at->entry;
	}
	forget(table);
}

static void build_place(struct datastore *ds, const struct key *key, const struct place *place,
			enum layer layer)
{
	uint32_t t = key->tunnel_id, s = key->session_id;
	struct entry *entry;

	if (place->in_kernel || place->held)
		datastore_observe(ds, t, s, &place->actual);
	if (place->held)
		datastore_hold(ds, datastore_entry(ds, t, s), true);
	if (!place->in_kernel)
		datastore_observe(ds, t, s, NULL);
	if (place->configured[layer])
		datastore_configure(ds, t, s, &place->config[layer]);
	entry = datastore_entry(ds, t, s);
	if (entry && s > 0)
		datastore_set_index(ds, entry_session(entry), place->index);
}

/* A datastore as it would be with that layer alone. */
static struct datastore *build(struct table *table, enum layer layer)
{
	struct datastore *ds = datastore_new();

	for (uint32_t t = 1; t <= TUNNELS; t++)
		for (uint32_t s = 0; s <= SESSIONS; s++)
			build_place(ds, &(struct key){t, s}, &table->at[t][s], layer);
	for (struct entry *e = datastore_entry_from(ds, 0, 0); e; e = entry_next(e))
		if (place_of(table, &e->key)->up)
			datastore_set_status(ds, e, OPER_UP, REASON_NONE, 0, (struct moment){0, 0});
	return ds;
}

/* All that can be read */

static void print_entry(FILE *file, const struct entry *entry)
{
	const struct state *state = entry_state(entry);
	const void *config = entry_config(entry);

	fprintf(file, "%u/%u %s%s%s %u %u", entry->key.tunnel_id, entry->key.session_id,
		config ? "configured " : "", entry->in_kernel ? "in kernel " : "",
		entry->held ? "held " : "", state->origin, state->oper_status);
	if (entry->key.session_id == 0) {
		const struct tunnel_entry *tunnel = entry_tunnel(entry);

		fprintf(file, " sessions %u %u %u watched %u", tunnel->state.session_count,
			tunnel_counts(tunnel)->sessions, tunnel_counts(tunnel)->configured,
			tunnel_counts(tunnel)->watched);
	}
	fputc('\n', file);
	if (config)
		snapshot_put(file, entry_object(entry), config);
}

static void print_walks(FILE *file, const struct datastore *ds)
{
	struct tunnel_entry *tunnel;
	struct session_entry *session;

	for (struct entry *e = datastore_entry_from(ds, 0, 0); e; e = entry_next(e))
		print_entry(file, e);
	for (uint32_t t = 0; t <= TUNNELS + 1; t++) {
		tunnel = datastore_tunnel_from(ds, t);
		fprintf(file, "from %u:", t);
		for (; tunnel; tunnel = tunnel_next(tunnel)) {
			fprintf(file, " %u", tunnel->entry.key.tunnel_id);
			for (uint32_t s = 0; s <= SESSIONS + 1; s++) {
				session = tunnel_session_from(tunnel, s);
				for (; session; session = session_next(session))
					fprintf(file, ".%u", session->entry.key.session_id);
				fputc(',', file);
			}
		}
		fputc('\n', file);
	}
}

static void print_lookups(FILE *file, const struct datastore *ds)
{
	for (uint32_t t = 1; t <= TUNNELS; t++)
		for (uint32_t s = 0; s <= SESSIONS; s++)
			fputc(datastore_entry(ds, t, s) ? 'y' : 'n', file);
	for (uint32_t s = 1; s <= SESSIONS; s++) {
		struct session_entry *at = datastore_session_by_id(ds, s);

		fprintf(file, "\nid %u:", s);
		for (; at; at = session_same_id(at))
			fprintf(file, " %u", at->tunnel->entry.key.tunnel_id);
	}
	fputs("\nfrom id:", file);
	for (struct session_entry *at = datastore_id_from(ds, 0); at;
	     at = datastore_id_from(ds, at->entry.key.session_id + 1)) {
		fprintf(file, " %u/%u", at->entry.key.session_id, at->entry.key.tunnel_id);
		assert_ptr_equal(datastore_id_next(at),
				 datastore_id_from(ds, at->entry.key.session_id + 1));
	}
	fputs("\nindexes:", file);
	for (struct session_entry *at = datastore_index_from(ds, 0); at;
	     at = datastore_index_from(ds, at->state.if_index + 1))
		fprintf(file, " %u is %u/%u", at->state.if_index, at->entry.key.tunnel_id,
			at->entry.key.session_id);
}

/* Those of one name, or endpoint, come in no order that means anything. */
static void print_names(FILE *file, const struct datastore *ds)
{
	for (unsigned int n = 0; n < 3; n++) {
		bool found[TUNNELS + 1][SESSIONS + 1] = {0};
		char name[IFNAME_LENGTH + 1];
		struct session_entry *at;

		snprintf(name, sizeof(name), "l2tpeth%u", n);
		fprintf(file, "\n%s: %d", name, datastore_session_by_name(ds, name) != NULL);
		for (at = datastore_named(ds, name); at; at = session_same_name(at)) {
			assert_false(found[at->entry.key.tunnel_id][at->entry.key.session_id]);
			found[at->entry.key.tunnel_id][at->entry.key.session_id] = true;
		}
		for (uint32_t t = 1; t <= TUNNELS; t++)
			for (uint32_t s = 1; s <= SESSIONS; s++)
				fputc(found[t][s] ? 'y' : 'n', file);
	}
}

static void print_endpoints(FILE *file, const struct datastore *ds)
{
	for (uint8_t n = 0; n < 2; n++) {
		struct address address = {AF_INET, {10, 0, 0, n}};
		bool found[TUNNELS + 1] = {0};
		struct tunnel_entry *at = datastore_bound(ds, &address, PORT_DEFAULT);

		fprintf(file, "\nendpoint %u: ", n);
		for (; at; at = tunnel_same_endpoint(at)) {
			assert_false(found[at->entry.key.tunnel_id]);
			found[at->entry.key.tunnel_id] = true;
		}
		for (uint32_t t = 1; t <= TUNNELS; t++)
			fputc(found[t] ? 'y' : 'n', file);
	}
}

static void print_states(FILE *file, const struct datastore_counts *counts)
{
	const uint32_t *number = &counts->by_status[0][0][0][0];

	for (size_t i = 0; i < sizeof(counts->by_status) / sizeof(*number); i++)
		if (number[i])
			fprintf(file, "state %zu: %u\n", i, number[i]);
}

static char *print_all(const struct datastore *ds)
{
	const struct datastore_counts *counts = datastore_counts(ds);
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	print_walks(file, ds);
	print_lookups(file, ds);
	print_names(file, ds);
	print_endpoints(file, ds);
	fprintf(file, "\n%zu %zu, configured %zu %zu, nameless %zu\n", counts->tunnel_count,
		counts->session_count, counts->configured_tunnels, counts->configured_sessions,
		counts->nameless);
	print_states(file, counts);
	fclose(file);
	return text;
}

/* The first line in which they differ. */
static void assert_same_text(const char *is, const char *should)
{
	while (strcspn(is, "\n") == strcspn(should, "\n") && *is != '\0' &&
	       strncmp(is, should, strcspn(is, "\n")) == 0) {
		is += strcspn(is, "\n") + 1;
		should += strcspn(should, "\n") + 1;
	}
	if (*is != '\0' || *should != '\0')
		fail_msg("is \"%.*s\", should be \"%.*s\"", (int)strcspn(is, "\n"), is,
			 (int)strcspn(should, "\n"), should);
}

static void assert_reads(const struct datastore *ds, struct table *table, enum layer layer)
{
	struct datastore *should = build(table, layer);
	char *is = print_all(ds), *wanted = print_all(should);

	assert_same_text(is, wanted);
	free(is);
	free(wanted);
	datastore_free(should);
}

/* Nothing of a layer is left, and the numbers in use are those in use. */
static void assert_at_rest(const struct datastore *ds, struct table *table)
{
	static const struct name_pool none;
	struct datastore *should = build(table, LAYER_BASE);

	assert_int_equal(ds->attached, 0);
	assert_false(ds->published);
	assert_memory_equal(&ds->counts[LAYER_BASE], &ds->counts[LAYER_TOP], sizeof(ds->counts[0]));
	assert_true(RB_EMPTY(&ds->only[LAYER_BASE]) && RB_EMPTY(&ds->only[LAYER_TOP]));
	assert_true(RB_EMPTY(&ds->top_names) && RB_EMPTY(&ds->top_endpoints));
	for (uint32_t n = 0; n < 4; n++)
		assert_int_equal(name_pool_next(&ds->pool, &none, n),
				 name_pool_next(&should->pool, &none, n));
	datastore_free(should);
}

/* What the kernel and the engine do meanwhile, to what is seen. */
static void observe_something(struct datastore *ds, struct table *table)
{
	struct key key = random_key();
	struct place *place = place_of(table, &key);
	struct entry *entry = datastore_entry(ds, key.tunnel_id, key.session_id);

	switch (random_below(5)) {
	case 0:
		place->in_kernel = true;
		place->actual = random_config(&key);
		datastore_observe(ds, key.tunnel_id, key.session_id, &place->actual);
		break;
	case 1:
		place->in_kernel = false;
		datastore_observe(ds, key.tunnel_id, key.session_id, NULL);
		break;
	case 2:
		if (!entry)
			break;
		place->held = !place->held;
		datastore_hold(ds, entry, place->held);
		break;
	case 3:
		if (!entry || key.session_id == 0)
			break;
		place->index = place->index ? 0 : key.tunnel_id * 10 + key.session_id;
		datastore_set_index(ds, entry_session(entry), place->index);
		break;
	default:
		if (!entry)
			break;
		place->up = !place->up;
		datastore_set_status(ds, entry, place->up ? OPER_UP : OPER_DOWN, REASON_NONE, 0,
				     (struct moment){0, 0});
		break;
	}
	forget(table);
}

/* One who reads running as it was when he began, however long that takes. */
struct reader {
	struct past past; /* zeroed: he does not read */
	char *should;     /* all there was to read then, of which some may have been read */
};

static void print_past_entry(FILE *file, const struct key *key, const void *config)
{
	fprintf(file, "%u/%u\n", key->tunnel_id, key->session_id);
	snapshot_put(file, key->session_id ? OBJECT_SESSION : OBJECT_TUNNEL, config);
}

static char *print_past(const struct past *past, const struct key *from)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	for (struct key key = {from->tunnel_id, 0}; key.tunnel_id <= TUNNELS; key.tunnel_id++) {
		const struct tunnel *tunnel;
		const struct session *session;
		uint32_t id = key.tunnel_id;

		tunnel = past_tunnel_from(past, &id);
		if (tunnel && id == key.tunnel_id && key_compare(&key, from) >= 0)
			print_past_entry(file, &key, tunnel);
		id = key.tunnel_id == from->tunnel_id ? from->session_id : 0;
		for (; (session = past_session_from(past, key.tunnel_id, &id)); id++)
			print_past_entry(file, &(struct key){key.tunnel_id, id}, session);
	}
	fclose(file);
	return text;
}

/* What there is to read from there on, in what there was at the beginning. */
static const char *rest_of(const char *text, const struct key *from)
{
	struct key at;

	for (; *text != '\0'; text = strchr(text, '\n') + 1)
		if (sscanf(text, "%u/%u\n", &at.tunnel_id, &at.session_id) == 2 &&
		    key_compare(&at, from) >= 0)
			break;
	return text;
}

static void read_on(struct reader *reader, struct datastore *ds)
{
	char *is;

	if (!reader->should && random_below(4) == 0) {
		past_open(&reader->past, ds);
		reader->should = print_past(&reader->past, &reader->past.read);
	}
	if (!reader->should)
		return;
	is = print_past(&reader->past, &reader->past.read);
	assert_same_text(is, rest_of(reader->should, &reader->past.read));
	free(is);
	assert_false(reader->past.broken);
	if (random_below(8) == 0)
		reader->past.read = (struct key){reader->past.read.tunnel_id + 1, 0};
	else if (random_below(8) == 0)
		reader->past.read.session_id++;
	if (reader->past.read.tunnel_id > TUNNELS) {
		past_close(&reader->past);
		free(reader->should);
		reader->should = NULL;
	}
}

#define READERS 3

static struct reader readers[READERS];

static void look_around(struct datastore *ds, struct table *table, enum layer layer)
{
	assert_reads(ds, table, layer);
	for (int i = 0; i < READERS; i++)
		read_on(&readers[i], ds);
	while (random_below(3) == 0) {
		observe_something(ds, table);
		assert_reads(ds, table, layer);
	}
}

/* Random changes, into the top layer of the table too. */
static void change_some(struct candidate *candidate, struct table *table)
{
	for (uint32_t t = 1; t <= TUNNELS; t++) {
		for (uint32_t s = 0; s <= SESSIONS; s++) {
			struct place *place = &table->at[t][s];

			place->configured[LAYER_TOP] = place->configured[LAYER_BASE];
			place->config[LAYER_TOP] = place->config[LAYER_BASE];
		}
	}
	for (unsigned int left = 1 + random_below(8); left > 0; left--) {
		struct key key = random_key();
		struct place *place = place_of(table, &key);
		bool gone = random_below(3) == 0;

		place->configured[LAYER_TOP] = !gone;
		place->config[LAYER_TOP] = gone ? (union config){0} : random_config(&key);
		candidate_put(candidate, key.tunnel_id, key.session_id,
			      gone ? NULL : &place->config[LAYER_TOP]);
	}
}

static int go_on(struct cursor *cursor, struct table *table, const struct candidate *candidate,
		 enum layer layer, unsigned int give_up)
{
	struct datastore *ds = (struct datastore *)(uintptr_t)candidate->running;
	int rc;

	do {
		look_around(ds, table, layer);
		if (give_up-- == 0)
			cursor_abandon(cursor);
		rc = cursor_step(cursor, 1);
		follow(table, candidate, layer == LAYER_TOP);
	} while (rc > 0);
	cursor_free(cursor);
	return rc;
}

/* A commit, or one that comes to nothing, looked at after each unit. */
static void commit_in_sight(struct datastore *ds, struct table *table)
{
	unsigned int give_up = random_below(4) ? UINT32_MAX : random_below(8);
	struct candidate candidate;
	struct cursor *cursor;
	int rc;

	candidate_open(&candidate, ds);
	change_some(&candidate, table);
	cursor = candidate_attach_begin(&candidate, ds, NULL);
	rc = go_on(cursor, table, &candidate, LAYER_BASE, give_up);
	if (rc == 0 && random_below(4)) {
		look_around(ds, table, LAYER_BASE);
		datastore_publish(ds);
		cursor = candidate_merge_begin(&candidate, ds);
		rc = go_on(cursor, table, &candidate, LAYER_TOP, give_up);
	} else if (rc == 0) {
		cursor = candidate_detach_begin(&candidate, ds);
		rc = go_on(cursor, table, &candidate, LAYER_BASE, give_up);
	}
	assert_true(rc == 0 || rc == -ECANCELED);
	candidate_discard(&candidate);
	assert_reads(ds, table, LAYER_BASE);
	assert_at_rest(ds, table);
}

static void readers_see_all_of_a_commit_or_nothing(void **state)
{
	(void)state;
	for (unsigned int first = 1; first < 120; first++) {
		struct datastore *ds = datastore_new();
		struct table table = {0};

		seed = first;
		for (int round = 0; round < 12; round++)
			commit_in_sight(ds, &table);
		for (int i = 0; i < READERS; i++) {
			past_close(&readers[i].past);
			free(readers[i].should);
			readers[i].should = NULL;
		}
		datastore_free(ds);
	}
}

/* Without memory */

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *at, size_t size);

static unsigned int fail_at; /* the n-th allocation from now on; 0: none */

static bool fails(void)
{
	return fail_at > 0 && --fail_at == 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *at, size_t size)
{
	return fails() ? NULL : __real_realloc(at, size);
}

/* The n-th allocation of @work fails, for every n: it says so, and works the next time. */
static void fail_each(int (*work)(void *arg, struct error *err), void (*check)(void *arg),
		      void *arg)
{
	struct error err;
	unsigned int n = 0;
	int rc;

	do {
		err = ERROR_INIT;
		fail_at = ++n;
		rc = work(arg, &err);
		if (fail_at == 0) {
			assert_int_equal(rc, -ENOMEM);
			assert_int_equal(err.code, ERROR_RESOURCE);
			check(arg);
		}
	} while (fail_at == 0);
	fail_at = 0;
	assert_int_equal(rc, 0);
	assert_true(n > 1);
}

struct scene {
	struct datastore *running;
	struct candidate candidate, other;
	struct edit *edit;
	char *before; /* all there was to read */
	size_t changes;
};

static void open_scene(struct scene *scene)
{
	struct edit *edit = edit_new();

	scene->running = populate(2, 3);
	candidate_open(&scene->candidate, scene->running);
	scene->edit = edit_new();
	add_tunnel(scene->edit, EDIT_CREATE, 9);
	for (uint32_t id = 10; id < 15; id++)
		add_session(scene->edit, EDIT_CREATE, 9, id);
	edit_tunnel(scene->edit, EDIT_DELETE, 2);
	add(edit, EDIT_MERGE, 1, 1, "description=before");
	assert_int_equal(apply(&scene->candidate, edit, NULL), 0);
	scene->changes = scene->candidate.count;
	scene->before = print_all(scene->running);
}

static void close_scene(struct scene *scene)
{
	candidate_discard(&scene->candidate);
	edit_free(scene->edit);
	free(scene->before);
	datastore_free(scene->running);
}

static void is_as_before(void *arg)
{
	struct scene *scene = arg;
	unsigned int saved = fail_at;
	char *now;

	fail_at = 0;
	now = print_all(scene->running);
	assert_same_text(now, scene->before);
	free(now);
	assert_int_equal(scene->running->attached, 0);
	assert_int_equal(scene->candidate.count, scene->changes);
	fail_at = saved;
}

static int work_apply(void *arg, struct error *err)
{
	struct scene *scene = arg;

	return candidate_apply(&scene->candidate, scene->edit, err);
}

static int work_validate(void *arg, struct error *err)
{
	struct scene *scene = arg;

	return candidate_validate(&scene->candidate, err);
}

static int work_names(void *arg, struct error *err)
{
	struct scene *scene = arg;

	return candidate_choose_names(&scene->candidate, NULL, NULL, err);
}

static int work_copy(void *arg, struct error *err)
{
	struct scene *scene = arg;
	int rc = candidate_invert(&scene->candidate, &scene->other, err);

	if (rc == 0)
		candidate_discard(&scene->other);
	return rc;
}

static int work_attach(void *arg, struct error *err)
{
	struct scene *scene = arg;

	return cursor_run(candidate_attach_begin(&scene->candidate, scene->running, err));
}

static void without_memory_all_is_as_before(void **state)
{
	struct scene scene;
	struct past past;

	(void)state;
	open_scene(&scene);
	fail_each(work_apply, is_as_before, &scene);
	scene.changes = scene.candidate.count;
	fail_each(work_names, is_as_before, &scene);
	fail_each(work_validate, is_as_before, &scene);
	fail_each(work_copy, is_as_before, &scene);
	fail_each(work_attach, is_as_before, &scene);
	fail_at = 1;
	assert_null(candidate_detach_begin(&scene.candidate, scene.running));
	is_as_before(&scene);
	assert_int_equal(work_attach(&scene, NULL), 0);
	past_open(&past, scene.running);
	datastore_publish(scene.running);
	fail_at = 1;
	assert_null(candidate_merge_begin(&scene.candidate, scene.running));
	assert_false(scene.running->published);
	assert_false(past.broken);
	past_close(&past);
	assert_non_null(datastore_session(scene.running, 9, 14));
	assert_null(datastore_tunnel(scene.running, 2));
	fail_at = 1;
	assert_null(candidate_discard_begin(&scene.candidate));
	assert_false(candidate_dirty(&scene.candidate));
	fail_at = 1;
	assert_null(edit_free_begin(scene.edit));
	scene.edit = NULL;
	fail_at = 0;
	close_scene(&scene);
}

/* The commit does not suffer from it; who reads is told. */
static void who_reads_the_past_is_told_when_there_is_no_memory_for_it(void **state)
{
	struct scene scene;
	struct past past;

	(void)state;
	open_scene(&scene);
	assert_int_equal(work_attach(&scene, NULL), 0);
	past_open(&past, scene.running);
	datastore_publish(scene.running);
	fail_at = 2; /* behind the cursor's own */
	cursor_free(candidate_merge_begin(&scene.candidate, scene.running));
	fail_at = 0;
	assert_true(past.broken);
	assert_false(scene.running->published);
	assert_string_equal(session_config(datastore_session(scene.running, 1, 1))->description,
			    "before");
	past_close(&past);
	close_scene(&scene);
}

/* A cursor that is freed before its end does the rest at once, as if it were given up. */
static void what_is_freed_halfway_leaves_nothing(void **state)
{
	struct scene scene;
	struct cursor *cursor;

	(void)state;
	open_scene(&scene);
	for (size_t units = 0; units < 12; units++) {
		cursor = candidate_apply_begin(&scene.candidate, scene.edit, NULL);
		cursor_step(cursor, units);
		cursor_free(cursor);
		is_as_before(&scene);
	}
	assert_int_equal(candidate_apply(&scene.candidate, scene.edit, NULL), 0);
	scene.changes = scene.candidate.count;
	for (size_t units = 0; units < scene.changes; units++) {
		cursor = candidate_attach_begin(&scene.candidate, scene.running, NULL);
		cursor_step(cursor, units);
		cursor_free(cursor);
		is_as_before(&scene);
	}
	assert_int_equal(work_attach(&scene, NULL), 0);
	datastore_publish(scene.running);
	cursor_free(candidate_merge_begin(&scene.candidate, scene.running));
	assert_int_equal(scene.running->attached, 0);
	assert_non_null(datastore_session(scene.running, 9, 14));
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_all_of_a_commit_or_nothing),
		cmocka_unit_test(without_memory_all_is_as_before),
		cmocka_unit_test(who_reads_the_past_is_told_when_there_is_no_memory_for_it),
		cmocka_unit_test(what_is_freed_halfway_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
