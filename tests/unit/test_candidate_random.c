/*
 * Candidates against a model that could not be simpler, an array: random edits,
 * publishing, discarding, and following what others have committed. All of it is done on copies
 * too, by cursors a unit at a time, given up here and there.
 */
#include "store.h"

static const union config *view(const struct candidate *candidate, uint32_t t, uint32_t s)
{
	return s == 0 ? (const union config *)candidate_tunnel(candidate, t)
		      : (const union config *)candidate_session(candidate, t, s);
}

#define TUNNELS  3
#define SESSIONS 4 /* of each tunnel; place 0 is the tunnel's own */
#define LEAVES   3

struct model_entry {
	bool there, given, replaced;
	int leaf[LEAVES]; /* 0 unset */
};

struct model {
	struct model_entry entry[TUNNELS][SESSIONS + 1];
};

static unsigned int seed;

static int random_below(int limit)
{
	seed = seed * 1103515245 + 12345;
	return (int)(seed >> 16 & 0x7fff) % limit;
}

static const char *leaf_name(int session, int leaf)
{
	static const char *const names[2][LEAVES] = {
		{"description", "local-port", "peer-tunnel-id"},
		{"description", "interface-name", "dead-interval"},
	};

	return names[session != 0][leaf];
}

static void value_text(int session, int leaf, int value, char ret[16])
{
	snprintf(ret, 16, session != 0 && leaf == 1 ? "x%d" : "%d", value);
}

static void model_remove_tunnel(struct model *model, int t)
{
	for (int s = 0; s <= SESSIONS; s++)
		model->entry[t][s].there = false;
}

/* One operation on one leaf; false: refused. */
static bool model_leaf(struct model_entry *entry, const struct model_entry *before, int leaf,
		       enum edit_operation operation, int value)
{
	bool there = before->there && before->leaf[leaf] != 0;

	if ((operation == EDIT_CREATE && there) || (operation == EDIT_DELETE && !there))
		return false;
	entry->leaf[leaf] = operation == EDIT_DELETE || operation == EDIT_REMOVE ? 0 : value;
	return true;
}

struct step {
	enum edit_operation operation;
	int t, s;
	enum edit_operation leaf_operation[LEAVES]; /* EDIT_NONE: leaf not given */
	int value[LEAVES];
};

static bool model_entry(struct model *model, const struct step *step, bool all_replaced)
{
	struct model_entry *entry = &model->entry[step->t][step->s], before = *entry;
	enum edit_operation operation = step->operation;

	if (entry->given)
		return false;
	entry->given = true;
	if (operation == EDIT_MERGE &&
	    (all_replaced || (step->s > 0 && model->entry[step->t][0].replaced)))
		operation = EDIT_REPLACE;
	if (operation == EDIT_CREATE && entry->there)
		return false;
	if ((operation == EDIT_NONE || operation == EDIT_DELETE) && !entry->there &&
	    !(operation == EDIT_DELETE && step->s > 0 && model->entry[step->t][0].given &&
	      !model->entry[step->t][0].there))
		return false;
	if (operation == EDIT_DELETE || operation == EDIT_REMOVE) {
		entry->there = false;
		if (step->s == 0)
			model_remove_tunnel(model, step->t);
		return true;
	}
	if (operation == EDIT_REPLACE || !entry->there)
		memset(entry->leaf, 0, sizeof(entry->leaf));
	entry->replaced = operation == EDIT_REPLACE;
	if (operation == EDIT_REPLACE && step->s > 0 && before.there &&
	    step->leaf_operation[1] == EDIT_NONE)
		entry->leaf[1] = before.leaf[1];
	entry->there = true;
	for (int i = 0; i < LEAVES; i++) {
		if (step->leaf_operation[i] != EDIT_NONE &&
		    !model_leaf(entry, &before, i, step->leaf_operation[i], step->value[i]))
			return false;
	}
	return true;
}

static void model_sweep(struct model *model, bool all)
{
	for (int t = 0; t < TUNNELS; t++) {
		struct model_entry *tunnel = &model->entry[t][0];

		if (all && !tunnel->given)
			model_remove_tunnel(model, t);
		for (int s = 1; s <= SESSIONS; s++) {
			if ((all || (tunnel->given && tunnel->replaced && tunnel->there)) &&
			    !model->entry[t][s].given)
				model->entry[t][s].there = false;
		}
	}
}

static bool model_apply(struct model *model, enum edit_operation operation,
			const struct step *steps, int count)
{
	struct model saved = *model;

	for (int t = 0; t < TUNNELS; t++) {
		for (int s = 0; s <= SESSIONS; s++)
			model->entry[t][s].given = model->entry[t][s].replaced = false;
	}
	for (int i = 0; i < count; i++) {
		if (!model_entry(model, &steps[i], operation == EDIT_REPLACE)) {
			*model = saved;
			return false;
		}
	}
	model_sweep(model, operation == EDIT_REPLACE);
	return true;
}

static void random_step(struct step *step)
{
	static const enum edit_operation often[] = {EDIT_MERGE,  EDIT_MERGE,  EDIT_MERGE,
						    EDIT_CREATE, EDIT_REMOVE, EDIT_REPLACE,
						    EDIT_NONE,   EDIT_DELETE};
	static const enum edit_operation leaf[] = {EDIT_NONE,   EDIT_NONE,   EDIT_NONE,
						   EDIT_MERGE,  EDIT_MERGE,  EDIT_MERGE,
						   EDIT_REMOVE, EDIT_CREATE, EDIT_DELETE};

	*step = (struct step){often[random_below(8)],
			      random_below(TUNNELS),
			      random_below(SESSIONS + 1),
			      {0},
			      {0}};
	for (int i = 0; i < LEAVES; i++) {
		step->leaf_operation[i] = leaf[random_below(9)];
		step->value[i] = 1 + random_below(3);
	}
}

static void step_to_edit(struct edit *edit, const struct step *step)
{
	struct edit_entry *entry =
		step->s == 0 ? edit_tunnel(edit, step->operation, (uint32_t)step->t + 1)
			     : edit_session(edit, step->operation, (uint32_t)step->t + 1,
					    (uint32_t)step->s);

	for (int i = 0; i < LEAVES; i++) {
		const char *name = leaf_name(step->s, i);
		char text[16];

		value_text(step->s, i, step->value[i], text);
		if (step->leaf_operation[i] != EDIT_NONE)
			assert_int_equal(
				edit_leaf(entry, row_by_leaf(entry->object, name, strlen(name)),
					  step->leaf_operation[i], text, strlen(text), NULL),
				0);
	}
}

static void compare_entry(const struct candidate *candidate, const struct model *model, int t,
			  int s)
{
	const struct model_entry *entry = &model->entry[t][s];
	const union config *config = view(candidate, (uint32_t)t + 1, (uint32_t)s);
	char expected[16], text[VALUE_TEXT_MAX];

	assert_int_equal(config != NULL, entry->there);
	for (int i = 0; config != NULL && i < LEAVES; i++) {
		const char *name = leaf_name(s, i);
		const struct row *row =
			row_by_leaf(s == 0 ? OBJECT_TUNNEL : OBJECT_SESSION, name, strlen(name));

		assert_int_equal(codec_present(row, config), entry->leaf[i] != 0);
		if (entry->leaf[i] == 0)
			continue;
		value_text(s, i, entry->leaf[i], expected);
		codec_print(row, config, text);
		assert_string_equal(text, expected);
	}
}

/* By look-up, and by walking, which has to find the same. */
static void compare(const struct candidate *candidate, const struct model *model)
{
	uint32_t id = 0;

	for (int t = 0; t < TUNNELS; t++) {
		uint32_t session = 0;

		for (int s = 0; s <= SESSIONS; s++)
			compare_entry(candidate, model, t, s);
		if (model->entry[t][0].there) {
			assert_non_null(candidate_tunnel_from(candidate, &id));
			assert_int_equal(id++, t + 1);
		}
		for (int s = 1; s <= SESSIONS; s++) {
			if (!model->entry[t][s].there)
				continue;
			assert_non_null(
				candidate_session_from(candidate, (uint32_t)t + 1, &session));
			assert_int_equal(session++, s);
		}
		assert_null(candidate_session_from(candidate, (uint32_t)t + 1, &session));
	}
	assert_null(candidate_tunnel_from(candidate, &id));
}

/* Every change says what running has, and something else than it. */
static void check_changes(const struct candidate *candidate)
{
	size_t count = 0;

	for (struct change *at = candidate_first(candidate); at; at = change_next(at), count++) {
		enum object object = at->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;

		assert_true(at->before || at->after);
		if (at->before && at->after)
			assert_true(codec_difference(object, at->before, at->after) != 0);
	}
	assert_int_equal(count, candidate->count);
}

/* Sessions without their tunnel, which validation refuses: no matter of this test. */
static void drop_orphans(struct candidate *candidate, struct model *model)
{
	for (int t = 0; t < TUNNELS; t++) {
		for (int s = 1; s <= SESSIONS; s++) {
			if (model->entry[t][0].there)
				continue;
			model->entry[t][s].there = false;
			candidate_put(candidate, (uint32_t)t + 1, (uint32_t)s, NULL);
		}
	}
}

static bool same_entry(const struct model_entry *a, const struct model_entry *b)
{
	return a->there == b->there &&
	       (!a->there || memcmp(a->leaf, b->leaf, sizeof(a->leaf)) == 0);
}

/* What becomes of @mine, made from @base, when running is @theirs now. */
static void model_rebase_entry(struct model_entry *mine, const struct model_entry *base,
			       const struct model_entry *theirs)
{
	if (same_entry(mine, base)) {
		*mine = *theirs;
		return;
	}
	if (!mine->there || !theirs->there)
		return;
	for (int i = 0; i < LEAVES; i++) {
		if (mine->leaf[i] == (base->there ? base->leaf[i] : 0))
			mine->leaf[i] = theirs->leaf[i];
	}
}

static void model_rebase(struct model *mine, const struct model *base, const struct model *theirs)
{
	for (int t = 0; t < TUNNELS; t++) {
		for (int s = 0; s <= SESSIONS; s++)
			model_rebase_entry(&mine->entry[t][s], &base->entry[t][s],
					   &theirs->entry[t][s]);
	}
}

/* The same by a cursor */

static void copy(const struct candidate *candidate, struct candidate *ret)
{
	assert_int_equal(cursor_run(candidate_copy_begin(candidate, ret, NULL)), 0);
}

/* A unit at a time; given up when that many are done. */
static int by_units(struct cursor *cursor, int give_up)
{
	int rc;

	assert_non_null(cursor);
	do {
		if (give_up-- == 0)
			cursor_abandon(cursor);
		rc = cursor_step(cursor, 1);
	} while (rc > 0);
	assert_int_equal(cursor_step(cursor, 1), rc);
	cursor_free(cursor);
	return rc;
}

static bool same_config_of(enum object object, const union config *a, const union config *b)
{
	return a && b ? codec_difference(object, a, b) == 0 : a == b;
}

static void assert_same(const struct candidate *a, const struct candidate *b)
{
	struct change *in_a = candidate_first(a), *in_b = candidate_first(b);

	assert_int_equal(a->count, b->count);
	for (; in_a && in_b; in_a = change_next(in_a), in_b = change_next(in_b)) {
		enum object object = in_a->session_id ? OBJECT_SESSION : OBJECT_TUNNEL;

		assert_int_equal(in_a->tunnel_id, in_b->tunnel_id);
		assert_int_equal(in_a->session_id, in_b->session_id);
		assert_true(same_config_of(object, in_a->before, in_b->before));
		assert_true(same_config_of(object, in_a->after, in_b->after));
	}
	assert_true(!in_a && !in_b);
}

static void assert_same_error(const struct error *a, const struct error *b)
{
	assert_int_equal(a->code, b->code);
	assert_string_equal(a->path, b->path);
	assert_string_equal(a->text, b->text);
}

static bool is_taken(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, "l2tpeth1") == 0 || strcmp(name, "l2tpeth2") == 0;
}

/* Names and validation, of which the model knows nothing: on copies. */
static void prepare_by_units(const struct candidate *candidate)
{
	struct error err = ERROR_INIT, err_by_units = ERROR_INIT;
	struct candidate whole, units, given_up;
	int rc, rc_by_units;

	copy(candidate, &whole);
	copy(candidate, &units);
	copy(candidate, &given_up);
	assert_int_equal(candidate_choose_names(&whole, is_taken, NULL, &err), 0);
	assert_int_equal(
		by_units(candidate_choose_names_begin(&units, is_taken, NULL, &err_by_units), -1),
		0);
	assert_same(&whole, &units);
	by_units(candidate_choose_names_begin(&given_up, is_taken, NULL, NULL), random_below(20));
	assert_int_equal(candidate_choose_names(&given_up, is_taken, NULL, &err), 0);
	assert_same(&whole, &given_up);
	rc = candidate_validate(&whole, &err);
	rc_by_units = by_units(candidate_validate_begin(&units, &err_by_units), -1);
	assert_int_equal(rc, rc_by_units);
	assert_same_error(&err, &err_by_units);
	by_units(candidate_validate_begin(&given_up, NULL), random_below(20));
	candidate_discard(&whole);
	candidate_discard(&given_up);
	cursor_free(candidate_discard_begin(&units));
	assert_false(candidate_dirty(&units));
}

/* Apply the edit three times, as they all have to come out alike, but for the one given up. */
static int apply_all(struct candidate *candidate, struct edit *edit)
{
	struct error err = ERROR_INIT, err_by_units = ERROR_INIT, ignored = ERROR_INIT;
	struct candidate before, units, given_up;
	int rc, rc_given_up;

	copy(candidate, &before);
	copy(candidate, &units);
	copy(candidate, &given_up);
	rc = candidate_apply(candidate, edit, &err);
	assert_int_equal(by_units(candidate_apply_begin(&units, edit, &err_by_units), -1), rc);
	assert_same_error(&err, &err_by_units);
	assert_same(candidate, &units);
	if (rc != 0)
		assert_same(candidate, &before);
	rc_given_up = by_units(candidate_apply_begin(&given_up, edit, &ignored), random_below(30));
	assert_true(rc_given_up == -ECANCELED || rc_given_up == rc);
	assert_same(rc_given_up == 0 ? candidate : &before, &given_up);
	candidate_discard(&before);
	candidate_discard(&units);
	candidate_discard(&given_up);
	return rc;
}

/* A random edit of the candidate and of the model, which agree on it. */
static bool edit_both(struct candidate *candidate, struct model *model)
{
	struct edit *edit = edit_new();
	struct step steps[8];
	int count = 1 + random_below(random_below(3) ? 2 : 8);
	bool expected;

	edit->operation = random_below(12) ? EDIT_MERGE : EDIT_REPLACE;
	for (int i = 0; i < count; i++) {
		random_step(&steps[i]);
		step_to_edit(edit, &steps[i]);
	}
	expected = model_apply(model, edit->operation, steps, count);
	assert_int_equal(apply_all(candidate, edit) == 0, expected);
	assert_int_equal(by_units(edit_free_begin(edit), random_below(4)), 0);
	drop_orphans(candidate, model);
	compare(candidate, model);
	check_changes(candidate);
	prepare_by_units(candidate);
	return expected;
}

static void rebase_all(struct candidate *candidate)
{
	struct candidate units, given_up;

	copy(candidate, &units);
	copy(candidate, &given_up);
	assert_int_equal(candidate_rebase(candidate, NULL), 0);
	assert_int_equal(by_units(candidate_rebase_begin(&units, NULL), -1), 0);
	assert_same(candidate, &units);
	by_units(candidate_rebase_begin(&given_up, NULL), random_below(10));
	assert_int_equal(candidate_rebase(&given_up, NULL), 0);
	assert_same(candidate, &given_up);
	candidate_discard(&units);
	candidate_discard(&given_up);
}

/* There and back, and a copy that was given up. */
static void invert_all(const struct candidate *candidate)
{
	struct candidate back, again, given_up;

	assert_int_equal(by_units(candidate_invert_begin(candidate, &back, NULL), -1), 0);
	assert_int_equal(by_units(candidate_invert_begin(&back, &again, NULL), -1), 0);
	assert_same(candidate, &again);
	if (by_units(candidate_copy_begin(candidate, &given_up, NULL), random_below(8)) != 0)
		assert_false(candidate_dirty(&given_up));
	candidate_discard(&back);
	candidate_discard(&again);
	candidate_discard(&given_up);
}

/* Somebody else's commit. */
static void edit_running(struct datastore *running, struct model *published)
{
	struct candidate candidate;

	candidate_open(&candidate, running);
	edit_both(&candidate, published);
	assert_int_equal(candidate_publish(&candidate, running), 0);
	candidate_discard(&candidate);
}

static int one_round(struct datastore *running, struct candidate *candidate, struct model *model,
		     struct model *published)
{
	struct model base = *published;
	bool accepted = edit_both(candidate, model);

	invert_all(candidate);
	switch (random_below(8)) {
	case 0:
		assert_int_equal(candidate_publish(candidate, running), 0);
		candidate_discard(candidate);
		*published = *model;
		break;
	case 1:
		candidate_discard(candidate);
		*model = *published;
		break;
	case 2:
		edit_running(running, published);
		rebase_all(candidate);
		model_rebase(model, &base, published);
		drop_orphans(candidate, model);
		check_changes(candidate);
		break;
	default:
		break;
	}
	compare(candidate, model);
	return accepted;
}

static void random_edits_agree_with_a_simple_model(void **state)
{
	int accepted = 0;

	(void)state;
	for (unsigned int first = 1; first < 80; first++) {
		struct datastore *running = datastore_new();
		struct model model = {0}, published = {0};
		struct candidate candidate;

		seed = first;
		candidate_open(&candidate, running);
		for (int round = 0; round < 200; round++)
			accepted += one_round(running, &candidate, &model, &published);
		candidate_discard(&candidate);
		datastore_free(running);
	}
	assert_true(accepted > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_edits_agree_with_a_simple_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
