/* The log of what the engine does, on standard error. */
#include "engine_bench.h"

#include <fcntl.h>
#include <unistd.h>

#include "daemon/chronicle.h"
#include "daemon/log.h"
#include "engine/context.h"

static int spare, ends[2];

/* From now on standard error goes into a pipe ... */
static void capture(void)
{
	assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	fflush(stderr);
	spare = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
}

/* ... and this is what came. */
static const char *captured(char ret[4096])
{
	ssize_t got;

	fflush(stderr);
	dup2(spare, STDERR_FILENO);
	got = read(ends[0], ret, 4095);
	ret[got > 0 ? got : 0] = '\0';
	close(spare), close(ends[0]), close(ends[1]);
	return ret;
}

static void make_tunnel(struct bench *bench)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1,
	       "peer-tunnel-id=2 local-address=192.0.2.1 remote-address=8.8.8.8");
	session(edit, EDIT_MERGE, 1, 5, "peer-session-id=6");
	assert_int_equal(commit(bench, edit), 0);
}

static bool is_down(struct bench *bench)
{
	const struct session_entry *entry = datastore_session(bench->store, 1, 5);

	return entry->state.common.oper_status == OPER_DOWN;
}

static void what_is_not_up_when_it_begins_is_told(void **state)
{
	struct bench *bench = new_bench("6.12", NULL);
	struct chronicle *chronicle = NULL;
	struct error err = ERROR_INIT;
	char said[4096];

	(void)state;
	make_tunnel(bench);
	assert_int_equal(sim_remove_route(bench->kernel, "0.0.0.0/0"), 0);
	assert_true(turn_until(bench, is_down, 2000));
	capture();
	assert_int_equal(chronicle_open(&chronicle, bench->base, bench->engine, &err), 0);
	chronicle_close(chronicle);
	captured(said);
	assert_non_null(strstr(said, "l2tpv3d: warning: tunnel 1 down: no route to 8.8.8.8"));
	assert_non_null(strstr(said, "l2tpv3d: warning: session 1/5 down: its tunnel is not up"));
	free_bench(bench);
}

static void what_was_told_is_not_told_again(void **state)
{
	struct bench *bench = new_bench("6.12", NULL);
	struct chronicle *chronicle = NULL;
	struct error err = ERROR_INIT;
	char said[4096];

	(void)state;
	capture();
	assert_int_equal(chronicle_open(&chronicle, bench->base, bench->engine, &err), 0);
	make_tunnel(bench);
	assert_true(turn_until(bench, is_idle, 2000));
	chronicle_close(chronicle);
	captured(said);
	assert_non_null(strstr(said, "tunnel 1 created; session 1/5 created"));
	assert_non_null(strstr(said, "tunnel 1 up\n"));
	assert_non_null(strstr(said, "session 1/5 up\n"));
	capture();
	assert_int_equal(chronicle_open(&chronicle, bench->base, bench->engine, &err), 0);
	chronicle_close(chronicle);
	assert_string_equal(captured(said), "");
	free_bench(bench);
}

static void set_leaf(enum object object, void *config, const char *leaf, const char *text)
{
	const struct row *row = row_by_leaf(object, leaf, strlen(leaf));

	assert_int_equal(codec_parse(row, config, text, strlen(text), NULL), 0);
}

static bool is_there(struct bench *bench)
{
	return datastore_tunnel(bench->store, 9);
}

static void what_others_made_is_told(void **state)
{
	struct bench *bench = new_bench("6.12", NULL);
	struct chronicle *chronicle = NULL;
	struct error err = ERROR_INIT;
	struct kernel_request request = {.verb = KERNEL_TUNNEL_CREATE, .tunnel_id = 9};
	struct tunnel theirs = {.tunnel_id = 9};
	char said[4096];

	(void)state;
	capture();
	assert_int_equal(chronicle_open(&chronicle, bench->base, bench->engine, &err), 0);
	set_leaf(OBJECT_TUNNEL, &theirs, "peer-tunnel-id", "9");
	set_leaf(OBJECT_TUNNEL, &theirs, "local-address", "192.0.2.1");
	set_leaf(OBJECT_TUNNEL, &theirs, "remote-address", "192.0.2.9");
	codec_complete(OBJECT_TUNNEL, &theirs);
	request.tunnel = &theirs;
	assert_int_equal(sim_foreign(bench->kernel, &request), 0);
	assert_true(turn_until(bench, is_there, 2000));
	chronicle_close(chronicle);
	captured(said);
	assert_non_null(strstr(said, "tunnel 9 appeared: made by others"));
	free_bench(bench);
}

static void names_that_others_chose_begin_no_line(void **state)
{
	char said[4096];

	(void)state;
	capture();
	log_text(LOG_NOTICE, "the interface a\n<0>b\033[31m\177c is there");
	assert_string_equal(captured(said), "l2tpv3d: the interface a?<0>b?[31m?c is there\n");
}

static void how_far_a_commit_is(void **state)
{
	static const struct commit_info info = {.number = 12, .door = "netconf", .user = "alice"};
	struct engine_progress progress = {
		.stage = ENGINE_APPLYING, .objects = 5001, .took = 10 * NS_PER_S};
	char said[COMMIT_LINE];

	(void)state;
	chronicle_progress(&info, &progress, said);
	assert_string_equal(said, "commit 12 by alice (netconf): 0 of 5,001 objects done");
	progress.done = 1200;
	progress.stage = ENGINE_UNDOING;
	chronicle_progress(&info, &progress, said);
	assert_string_equal(said, "undoing commit 12 by alice (netconf): 1,200 of 5,001 objects "
				  "done, 120 a second, about 31 s left");
}

static void a_commit_that_takes_long_is_told_of(void **state)
{
	static const struct commit_info info = {.number = 12, .door = "netconf", .user = "alice"};
	struct bench *bench = new_bench("6.12", NULL);
	struct chronicle *chronicle = NULL;
	struct error err = ERROR_INIT;
	char said[4096];

	(void)state;
	capture();
	assert_int_equal(chronicle_open(&chronicle, bench->base, bench->engine, &err), 0);
	engine_tell(bench->engine,
		    &(struct engine_event){.type = ENGINE_PROGRESS, .commit = &info});
	chronicle_close(chronicle);
	assert_non_null(strstr(captured(said), "commit 12 by alice (netconf): 0 of "));
	free_bench(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_up_when_it_begins_is_told),
		cmocka_unit_test(what_was_told_is_not_told_again),
		cmocka_unit_test(what_others_made_is_told),
		cmocka_unit_test(names_that_others_chose_begin_no_line),
		cmocka_unit_test(how_far_a_commit_is),
		cmocka_unit_test(a_commit_that_takes_long_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
