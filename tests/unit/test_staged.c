/*
 * The candidate as it is read in steps: what is read is what the candidate was when the
 * reading began, followed running as of then, whatever is committed meanwhile.
 *
 * What should be read comes from the other way to it: candidate_rebase() of a copy, all at once.
 */
#include "store.h"

#include "store/overlay.h"
#include "store/staged.h"

#define TUNNELS  4
#define SESSIONS 50 /* of each; more than are looked at in a unit */

static unsigned int seed;

static unsigned int random_below(unsigned int limit)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16 & 0x7fff) % limit;
}

static void note_tunnel(FILE *file, const struct tunnel *tunnel)
{
	fprintf(file, "= %" PRIu32 "\n", tunnel->tunnel_id);
	snapshot_put(file, OBJECT_TUNNEL, tunnel);
}

static void note_session(FILE *file, const struct session *session)
{
	fprintf(file, "- %" PRIu32 "\n", session->session_id);
	snapshot_put(file, OBJECT_SESSION, session);
}

/* All at once, of a copy that is rebased. */
static char *expected(const struct candidate *candidate)
{
	struct candidate copy;
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	const struct tunnel *tunnel;
	const struct session *session;

	cursor_run(candidate_copy_begin(candidate, &copy, NULL));
	assert_int_equal(candidate_rebase(&copy, NULL), 0);
	for (uint32_t t = 0; (tunnel = candidate_tunnel_from(&copy, &t)) != NULL; t++) {
		note_tunnel(file, tunnel);
		for (uint32_t s = 0; (session = candidate_session_from(&copy, t, &s)) != NULL; s++)
			note_session(file, session);
	}
	fclose(file);
	candidate_discard(&copy);
	return text;
}

/* One edit of a few entries: whole tunnels come and go, and what others have is deleted. */
static struct edit *random_edit(void)
{
	struct edit *edit = edit_new();
	uint32_t t = 1 + random_below(TUNNELS);
	unsigned int kind = random_below(10);

	if (kind == 0) {
		edit_tunnel(edit, EDIT_REMOVE, t);
		return edit;
	}
	add_tunnel(edit, EDIT_MERGE, t);
	if (kind == 1)
		give(edit->first, random_below(2) ? "~description" : "description=here", NULL);
	for (uint32_t i = random_below(SESSIONS); i < SESSIONS;
	     i += 1 + random_below(kind == 2 ? 3 : SESSIONS)) {
		uint32_t s = 1000 * t + 1 + i;

		if (random_below(3) == 0)
			edit_session(edit, EDIT_REMOVE, t, s);
		else
			add(edit, EDIT_MERGE, t, s,
			    random_below(2) ? "peer-session-id=1 mtu=1300"
					    : "peer-session-id=1 description=there");
	}
	return edit;
}

struct reader {
	struct staged_view view;
	FILE *file;
	char *text, *expected;
	size_t length;
	uint32_t tunnel, session;
	bool in_tunnel, ended;
};

static void begin(struct reader *reader, struct staged *staged, struct datastore *running)
{
	*reader = (struct reader){0};
	reader->file = open_memstream(&reader->text, &reader->length);
	reader->expected = expected(&staged->changes);
	staged_view_open(&reader->view, staged, running);
}

static void read_on(struct reader *reader)
{
	const struct tunnel *tunnel = NULL;
	const struct session *session = NULL;
	bool more = false;

	if (reader->in_tunnel)
		session =
			staged_session_from(&reader->view, reader->tunnel, &reader->session, &more);
	else
		tunnel = staged_tunnel_from(&reader->view, &reader->tunnel, &more);
	if (tunnel) {
		note_tunnel(reader->file, tunnel);
		reader->in_tunnel = true;
		reader->session = 0;
	} else if (session) {
		note_session(reader->file, session);
		reader->session++;
	} else if (!more && reader->in_tunnel) {
		reader->in_tunnel = false;
		reader->tunnel++;
	} else if (!more) {
		reader->ended = true;
	}
	reader->view.past.read =
		(struct key){reader->tunnel, reader->in_tunnel ? reader->session : 0};
}

static void end(struct reader *reader)
{
	while (!reader->ended)
		read_on(reader);
	fclose(reader->file);
	assert_false(reader->view.past.broken);
	assert_string_equal(reader->text, reader->expected);
	staged_view_close(&reader->view);
	free(reader->text);
	free(reader->expected);
}

/* Others commit, before the reading begins too, so that the candidate lags behind. */
static void read_meanwhile(struct datastore *running, struct staged *staged)
{
	struct reader readers[2];

	for (unsigned int i = random_below(4); i > 0; i--)
		apply(&staged->changes, random_edit(), NULL);
	for (unsigned int i = random_below(3); i > 0; i--)
		commit(running, random_edit());
	begin(&readers[0], staged, running);
	for (unsigned int i = random_below(30); i > 0; i--)
		random_below(4) ? read_on(&readers[0]) : commit(running, random_edit());
	begin(&readers[1], staged, running);
	for (unsigned int i = random_below(60); i > 0; i--)
		random_below(4) ? read_on(&readers[random_below(2)])
				: commit(running, random_edit());
	end(&readers[0]);
	end(&readers[1]);
	if (random_below(4) == 0)
		candidate_discard(&staged->changes);
	else if (random_below(2))
		candidate_rebase(&staged->changes, NULL);
}

static void what_is_read_is_of_one_moment(void **state)
{
	(void)state;
	for (unsigned int round = 1; round < 300; round++) {
		struct datastore *running = populate(2, 3);
		struct staged staged = {0};

		seed = round;
		candidate_open(&staged.changes, running);
		for (int i = 0; i < 6; i++)
			read_meanwhile(running, &staged);
		candidate_discard(&staged.changes);
		datastore_free(running);
	}
}

/* Nothing staged: running itself. */
static void nothing_staged_reads_as_running(void **state)
{
	struct datastore *running = populate(1, 2);
	struct staged_view view = {0};
	uint32_t id = 0;
	bool more;

	(void)state;
	staged_view_open(&view, NULL, running);
	assert_ptr_equal(staged_tunnel_from(&view, &id, &more),
			 tunnel_config(datastore_tunnel(running, 1)));
	id = 0;
	assert_non_null(staged_session_from(&view, 1, &id, &more));
	assert_int_equal(id, 1);
	id = 3;
	assert_null(staged_session_from(&view, 1, &id, &more));
	assert_false(more);
	staged_view_close(&view);
	datastore_free(running);
}

/* What is deleted is passed a few at a time. */
static void many_that_are_deleted_are_passed_in_steps(void **state)
{
	struct datastore *running = populate(1, 500);
	struct staged staged = {0};
	struct staged_view view = {0};
	struct edit *edit = edit_new();
	unsigned int steps = 0;
	uint32_t id = 0;
	bool more = true;

	(void)state;
	candidate_open(&staged.changes, running);
	for (uint32_t s = 1; s <= 500; s++)
		edit_session(edit, EDIT_DELETE, 1, s);
	assert_int_equal(apply(&staged.changes, edit, NULL), 0);
	staged_view_open(&view, &staged, running);
	for (; more; steps++)
		assert_null(staged_session_from(&view, 1, &id, &more));
	assert_true(steps >= 500 / PLACES_MAX);
	staged_view_close(&view);
	candidate_discard(&staged.changes);
	datastore_free(running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_of_one_moment),
		cmocka_unit_test(nothing_staged_reads_as_running),
		cmocka_unit_test(many_that_are_deleted_are_passed_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
