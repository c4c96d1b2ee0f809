/*
 * An edit with continue-on-error (RFC 6241 section 7.2) of which the kernel itself refuses
 * something: that is left out and named, all else is configured, in the kernel, and after a
 * restart.
 */
#include "engine_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/overlay.h"

static char directory[64];

static int setup(void **state)
{
	snprintf(directory, sizeof(directory), "%s/l2tpv3d-continue-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(directory));
	*state = new_bench("6.12", directory);
	return 0;
}

static int teardown(void **state)
{
	struct dirent *entry;
	DIR *list;

	free_bench(*state);
	list = opendir(directory);
	assert_non_null(list);
	while ((entry = readdir(list)) != NULL)
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	return rmdir(directory);
}

/* The entries that the last edit's errors name. */
static struct named {
	uint32_t tunnel_id, session_id;
} named[32];
static size_t named_count;

static void on_edited(int result, const struct error *err, void *arg)
{
	struct bench *bench = arg;

	bench->done = true;
	bench->result = result;
	named_count = 0;
	for (; result < 0 && err && named_count < 32; err = err->next) {
		assert_string_not_equal(err->text, "");
		named[named_count++] = (struct named){err->tunnel_id, err->session_id};
	}
}

static bool is_named(uint32_t tunnel_id, uint32_t session_id)
{
	for (size_t i = 0; i < named_count; i++)
		if (named[i].tunnel_id == tunnel_id && named[i].session_id == session_id)
			return true;
	return false;
}

static int commit_what_can_be(struct bench *bench, struct edit *edit)
{
	edit->continues = edit->refused.collects = true; /* as the decoder does */
	bench->done = false;
	engine_edit(bench->engine, edit, &tester, on_edited, bench);
	assert_true(turn_until(bench, is_done, 20000));
	assert_true(turn_until(bench, is_idle, 5000));
	return bench->result;
}

static bool is_configured(struct bench *bench, uint32_t tunnel_id, uint32_t session_id)
{
	return running_config(bench->store, tunnel_id, session_id);
}

static void restart(struct bench *bench)
{
	char *before = kernel_text(bench->kernel, true), *after;
	struct datastore_counts counts = *datastore_counts(bench->store);

	stop_bench(bench);
	start_bench(bench);
	assert_true(turn_until(bench, is_idle, 5000));
	after = kernel_text(bench->kernel, true);
	assert_string_equal(after, before);
	assert_int_equal(datastore_counts(bench->store)->configured_sessions,
			 counts.configured_sessions);
	free(before);
	free(after);
}

static void one_session_is_left_out(void **state)
{
	struct bench *bench = *state;

	sim_fail(bench->kernel, KERNEL_SESSION_CREATE, 15, SIM_REFUSE, -EINVAL);
	assert_true(commit_what_can_be(bench, tunnel_with_sessions(1, 20)) < 0);
	assert_int_equal(named_count, 1);
	for (uint32_t id = 1001; id <= 1020; id++)
		assert_int_equal(is_configured(bench, 1, id), !is_named(1, id));
	restart(bench);
	assert_int_equal(commit_what_can_be(bench, tunnel_with_sessions(1, 20)), 0);
	assert_int_equal(datastore_counts(bench->store)->configured_sessions, 20);
}

/* Each time it begins again without what was refused so far. */
static void several_are_left_out_one_after_the_other(void **state)
{
	struct bench *bench = *state;
	struct edit *edit = tunnel_with_sessions(1, 20);

	add_tunnel(edit, 2, 2);
	sim_fail(bench->kernel, KERNEL_SESSION_CREATE, 3, SIM_REFUSE, -EINVAL);
	sim_fail(bench->kernel, KERNEL_SESSION_CREATE, 20, SIM_REFUSE, -ENOMEM);
	assert_true(commit_what_can_be(bench, edit) < 0);
	assert_int_equal(sim_failures_waiting(bench->kernel), 0);
	assert_int_equal(named_count, 2);
	for (uint32_t id = 1001; id <= 1020; id++)
		assert_int_equal(is_configured(bench, 1, id), !is_named(1, id));
	restart(bench);
}

/* ---- every call of a commit of all kinds of work */

static struct bench *new_baseline(void)
{
	struct bench *bench = new_bench("6.12", NULL);

	sim_add_link(bench->kernel, "br0", true);
	sim_set_delays(bench->kernel, 2, 50); /* hundreds of commits */
	assert_int_equal(commit(bench, baseline()), 0);
	return bench;
}

/* Names are chosen, and so do not count. */
static bool is_as_in(struct bench *bench, struct bench *other, uint32_t tunnel_id,
		     uint32_t session_id)
{
	enum object object = session_id ? OBJECT_SESSION : OBJECT_TUNNEL;
	const union config *one = running_config(bench->store, tunnel_id, session_id),
			   *two = running_config(other->store, tunnel_id, session_id);
	uint64_t names = session_id ? BIT(SESSION_INTERFACE_NAME) : 0;

	return one && two ? !(codec_difference(object, one, two) & ~names) : one == two;
}

static void check_entry(struct bench *bench, struct bench *before, struct bench *wanted,
			uint32_t tunnel_id, uint32_t session_id)
{
	bool refused = is_named(tunnel_id, session_id) || is_named(tunnel_id, 0);

	if (!is_as_in(bench, wanted, tunnel_id, session_id) &&
	    !(refused && is_as_in(bench, before, tunnel_id, session_id)))
		fail_msg("tunnel %u session %u is neither as wanted nor named and as before",
			 tunnel_id, session_id);
	if (is_named(tunnel_id, session_id) && !is_as_in(bench, before, tunnel_id, session_id))
		fail_msg("tunnel %u session %u is named, and changed", tunnel_id, session_id);
}

/* False when the commit made fewer such calls. */
static bool refuse_one(struct bench *bench, struct bench *before, struct bench *wanted,
		       enum kernel_verb verb, unsigned int n)
{
	bool failed;

	sim_fail(bench->kernel, (int)verb, n, SIM_REFUSE, -EINVAL);
	commit_what_can_be(bench, mixed_edit());
	failed = sim_failures_waiting(bench->kernel) == 0;
	if (getenv("VERBOSE"))
		fprintf(stderr, "verb %d, call %u: %d, %zu named\n", (int)verb, n, bench->result,
			named_count);
	assert_int_equal(bench->result<0, named_count> 0);
	for (uint32_t tunnel_id = 1; tunnel_id <= 6; tunnel_id++) {
		check_entry(bench, before, wanted, tunnel_id, 0);
		for (uint32_t i = 0; i < 6 * 30; i++)
			check_entry(bench, before, wanted, tunnel_id, 1000 * (1 + i / 30) + i % 30);
	}
	if (failed) {
		assert_int_equal(commit(bench, baseline()), 0);
		assert_true(turn_until(bench, is_idle, 5000));
	}
	return failed;
}

static void whatever_the_kernel_refuses_is_named_and_as_before(void **state)
{
	static const enum kernel_verb verbs[] = {KERNEL_TUNNEL_CREATE, KERNEL_SESSION_CREATE,
						 KERNEL_SESSION_MODIFY, KERNEL_LINK_SET,
						 KERNEL_VLAN_CREATE};
	struct bench *bench = new_baseline(), *before = new_baseline(), *wanted = new_baseline();
	unsigned int refused = 0;

	(void)state;
	assert_int_equal(commit(wanted, mixed_edit()), 0);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		unsigned int n = 1;

		while (refuse_one(bench, before, wanted, verbs[i], n))
			n++;
		refused += n - 1;
		free_bench(bench); /* a failure has yet to come in it */
		bench = new_baseline();
	}
	assert_true(refused > 30);
	free_bench(bench);
	free_bench(before);
	free_bench(wanted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_session_is_left_out),
		TEST(several_are_left_out_one_after_the_other),
		cmocka_unit_test(whatever_the_kernel_refuses_is_named_and_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
