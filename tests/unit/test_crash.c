/*
 * The daemon dies at any point of its work; the kernel, which is the simulated
 * one in this process, lives on. What a new daemon makes of it is whole, old or
 * new, and nothing acknowledged is lost.
 */
#include "engine/compare.h"
#include "engine_bench.h"

#include <dirent.h>
#include <signal.h>
#include <sys/inotify.h>

#include "far_kernel.h"
#include "journal/identities.h"
#include "journal/journal_file.h"

/* Nobody removes files here, and a watch that is closed takes the kernel 30 ms, hundreds of times
 * over. */
int inotify_init1(int flags)
{
	(void)flags;
	errno = EMFILE;
	return -1;
}

/* ---- idle, as soon as it can be */

/* The engine looks five times a second whether what it removed is gone: here, at each tick. */
static void look_now(struct bench *bench)
{
	bench->engine->removing_polled_at = 0;
	engine_schedule(bench->engine);
}

static bool is_quiet(struct bench *bench)
{
	look_now(bench);
	return is_idle(bench);
}

/* ---- the daemon, another process */

#define COMMITS 2

static struct edit *story_edit(unsigned int n)
{
	struct edit *edit;

	if (n == 1)
		return mixed_edit();
	edit = edit_new();
	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 1003, "mtu=1222");
	edit_session(edit, EDIT_DELETE, 1, 1020);
	session(edit, EDIT_MERGE, 1, 1027, "peer-session-id=27");
	return edit;
}

static struct edit *one_session(void)
{
	struct edit *edit = edit_new();

	tunnel(edit, EDIT_MERGE, 1, "");
	session(edit, EDIT_MERGE, 1, 1050, "peer-session-id=50");
	return edit;
}

static bool has_folded(struct bench *bench)
{
	struct error err = ERROR_INIT;

	if (journal_maintain(bench->journal, true, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	return journal_snapshot_pid(bench->journal) == 0;
}

/*
 * "session": one session more. "commit": the first commit of the story. "refused": the same, but
 * the kernel refuses it half-way. "fold": both; config.xml is due to be written after each.
 * "restart": none, only what a daemon does when it starts. "cancelled": the first commit of the
 * story as one that is to be confirmed, and is cancelled. All end with a clean
 * stop, and those that commit with objects still on their way out of the kernel.
 */
static int commit_and_cancel(struct bench *bench, struct edit *edit)
{
	static const struct engine_confirm confirm = {
		.confirmed = true, .timeout = 600, .persist = "token"};
	int rc;

	bench->done = false;
	engine_stage(bench->engine, edit, false, &tester, on_done, bench);
	turn_until(bench, is_done, 20000);
	bench->done = false;
	engine_commit_staged(bench->engine, &confirm, &tester, on_done, bench);
	turn_until(bench, is_done, 20000);
	rc = bench->result;
	bench->done = false;
	engine_cancel(bench->engine, "token", &tester, on_done, bench);
	turn_until(bench, is_done, 20000);
	return rc < 0 ? rc : bench->result;
}

static int live(const char *event_fds, const char *story, const char *directory)
{
	struct bench bench = {.directory = directory};
	struct far_shared *shared;
	bool fold = strcmp(story, "fold") == 0, restart = strcmp(story, "restart") == 0;
	bool cancelled = strcmp(story, "cancelled") == 0;
	unsigned int commits = fold ? COMMITS : !restart && !cancelled;
	int expected = strcmp(story, "refused") == 0 ? -ENOMEM : 0;
	bool failed;
	struct edit *edit;

	bench.kernel = far_open((unsigned int)strtoul(event_fds, NULL, 10));
	shared = far_shared(bench.kernel);
	start_bench(&bench);
	if (fold)
		bench.journal->fold_min = 1;
	for (unsigned int n = 1; n <= commits; n++) {
		edit = strcmp(story, "session") == 0 ? one_session() : story_edit(n);
		if (commit(&bench, edit) != expected)
			return 3;
		shared->acknowledged = expected == 0 ? n : 0;
	}
	if (cancelled && commit_and_cancel(&bench, story_edit(1)) < 0)
		return 7;
	if (restart && !turn_until(&bench, is_quiet, 10000))
		return 4;
	if (fold && !turn_until(&bench, has_folded, 10000))
		return 5;
	failed = fold && bench.journal->base == 1; /* the child that was to fold is dead */
	stop_bench(&bench);
	bench.kernel->ops->close(bench.kernel);
	return failed ? 6 : 0;
}

/* ---- what is to be found */

struct outcome_text {
	char *config, *kernel;
};

struct story {
	const char *profile;
	char directory[64];
	struct bench *bench;
	struct outcome_text after[COMMITS + 1]; /* after so many commits */
	bool undone;                            /* nothing of it is to stay */
};

static char *config_text(const struct datastore *store)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_int_equal(snapshot_write(file, store, NULL), 0);
	fclose(file);
	return text;
}

static struct outcome_text look(struct bench *bench)
{
	assert_true(turn_until(bench, is_quiet, 10000));
	return (struct outcome_text){config_text(bench->store), kernel_text(bench->kernel, false)};
}

static void forget(struct outcome_text *text)
{
	free(text->config);
	free(text->kernel);
}

static void empty(const char *directory)
{
	DIR *list = opendir(directory);
	struct dirent *entry;

	assert_non_null(list);
	while ((entry = readdir(list)) != NULL)
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
}

static void surround(struct kernel *kernel)
{
	assert_int_equal(sim_add_link(kernel, "br0", true), 0);
	sim_set_delays(kernel, 2, 50);
}

/* A kernel and a state directory as before the story, and no daemon. */
static void begin(struct story *story)
{
	empty(story->directory);
	story->bench = new_bench(story->profile, story->directory);
	surround(story->bench->kernel);
	assert_int_equal(commit(story->bench, baseline()), 0);
	assert_true(turn_until(story->bench, is_quiet, 5000));
}

static void end(struct story *story)
{
	free_bench(story->bench);
	story->bench = NULL;
}

static void make_directory(struct story *story)
{
	snprintf(story->directory, sizeof(story->directory), "%s/l2tpv3d-crash-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(story->directory));
}

static struct story new_story(const char *profile)
{
	struct story story = {.profile = profile};

	make_directory(&story);
	begin(&story);
	story.after[0] = look(story.bench);
	for (unsigned int n = 1; n <= COMMITS; n++) {
		assert_int_equal(commit(story.bench, story_edit(n)), 0);
		story.after[n] = look(story.bench);
	}
	end(&story);
	return story;
}

static void free_story(struct story *story)
{
	for (unsigned int n = 0; n <= COMMITS; n++)
		forget(&story->after[n]);
	empty(story->directory);
	assert_int_equal(rmdir(story->directory), 0);
}

/* ---- what is found */

static void nothing_is_left_over(const struct bench *bench)
{
	const struct datastore *store = bench->store;
	const struct datastore_counts *counts = datastore_counts(store);

	assert_int_equal(counts->tunnel_count, counts->configured_tunnels);
	assert_int_equal(counts->session_count, counts->configured_sessions);
	for (const struct entry *e = datastore_entry_from(store, 0, 0); e; e = entry_next(e)) {
		assert_false(e->held);
		assert_null(compare_entry(bench->engine, e));
	}
}

/* What a daemon has deleted is ours until it is gone, whenever that died. */
static void nothing_is_foreign(const struct bench *bench)
{
	if (bench->engine->transaction
		    ->request) /* what an interrupted commit has created seems so */
		return;
	for (const struct entry *e = datastore_entry_from(bench->store, 0, 0); e; e = entry_next(e))
		if (entry_is_foreign(e))
			fail_msg("%u/%u is foreign", e->key.tunnel_id, e->key.session_id);
}

static void no_other_files(const char *directory)
{
	static const char *const known[] = {".", "..", CONFIG_FILE, JOURNAL_FILE, IDENTITIES_FILE};
	DIR *list = opendir(directory);
	struct dirent *entry;

	assert_non_null(list);
	while ((entry = readdir(list)) != NULL) {
		bool found = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			found = found || strcmp(entry->d_name, known[i]) == 0;
		if (!found)
			fail_msg("%s/%s is left over", directory, entry->d_name);
	}
	closedir(list);
}

static bool is_as(struct bench *bench, const struct outcome_text *should)
{
	const struct datastore_counts *counts = datastore_counts(bench->store);
	char *kernel = kernel_text(bench->kernel, false);
	bool same = strcmp(kernel, should->kernel) == 0;

	free(kernel);
	return same && is_idle(bench) && counts->tunnel_count == counts->configured_tunnels &&
	       counts->session_count == counts->configured_sessions;
}

/* What the killed daemon left on its way out of the kernel is gone after a while, and missed. */
static void wait_for_kernel(struct bench *bench, const struct outcome_text *should)
{
	int64_t end = clock_now() + 5 * NS_PER_S;

	while (!is_as(bench, should) && clock_now() < end) {
		turn_until(bench, never, 1);
		look_now(bench);
	}
}

/* Returns how many commits it has. */
static unsigned int is_whole(struct story *story, unsigned int acknowledged)
{
	struct bench *bench = story->bench;
	struct outcome_text is = look(bench);
	unsigned int n = acknowledged;
	uint64_t baseline;

	if (n < COMMITS && !story->undone && strcmp(is.config, story->after[n].config) != 0)
		n++;
	wait_for_kernel(bench, &story->after[n]);
	forget(&is);
	is = look(bench);
	assert_string_equal(is.config, story->after[n].config);
	assert_true(same_text(is.kernel, story->after[n].kernel));
	if (!story->undone)
		assert_int_equal(journal_generation(bench->journal), 1 + n);
	assert_false(journal_tentative(bench->journal, &baseline));
	assert_int_equal(journal_unfinished(bench->journal), 0);
	nothing_is_left_over(bench);
	forget(&is);
	return n;
}

/* A new daemon finds it whole, and one more finds nothing to do. */
static unsigned int recover(struct story *story, unsigned int acknowledged)
{
	struct bench *bench = story->bench;
	unsigned int n;
	uint64_t writes;

	start_bench(bench);
	nothing_is_foreign(bench);
	n = is_whole(story, acknowledged);
	no_other_files(story->directory);
	stop_bench(bench);
	writes = bench->kernel->ops->writes(bench->kernel);
	start_bench(bench);
	assert_int_equal(is_whole(story, n), n);
	assert_int_equal(bench->kernel->ops->writes(bench->kernel), writes);
	return n;
}

static void goes_on(struct story *story)
{
	assert_int_equal(commit(story->bench, baseline()), 0);
	assert_true(turn_until(story->bench, is_quiet, 5000));
}

/* The daemon stops being, the kernel stays. */
static struct far_life die(struct story *story, const char *what, const char *die_at)
{
	struct far_life life;

	if (story->bench->engine)
		stop_bench(story->bench);
	life = far_live(story->bench->kernel, die_at, what, story->directory);
	if (!life.died && life.status != 0 && life.status != 6)
		fail_msg("%s at %s: status %d", what, die_at, life.status);
	return life;
}

/* ---- tests */

struct tally {
	unsigned int points, old, new;
};

static void count(struct tally *tally, unsigned int commits)
{
	tally->points++;
	tally->old += commits == 0;
	tally->new += commits != 0;
}

static void tell(const struct tally *tally, const char *profile, const char *what)
{
	print_message("%s, %s: died at %u points, then %u times old and %u times new\n", profile,
		      what, tally->points, tally->old, tally->new);
}

/* Returns false when it did not come to that point, nor a child of it. */
static bool die_once(struct story *story, const char *what, unsigned int n,
		     struct far_life *ret_life)
{
	char die_at[16];

	snprintf(die_at, sizeof(die_at), "%u", n);
	if (getenv("VERBOSE"))
		fprintf(stderr, "==== %s: %s dies at %s\n", story->profile, what, die_at);
	*ret_life = die(story, what, die_at);
	return ret_life->died || ret_life->status != 0;
}

/* Several processes at once have a part of the points each: a life is more waiting than work. */
#define PARTS 4

/* Points @first, @first + PARTS and so on, until there are no more. */
typedef struct tally part(struct story *story, unsigned int first, const void *arg);

_Noreturn static void run_part(struct story *story, part *run, unsigned int first, const void *arg,
			       struct tally *ret)
{
	setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure must not go on with the next test here */
	make_directory(story);
	*ret = run(story, first, arg);
	free_story(story);
	exit(0); /* with a look for leaks */
}

static struct tally in_parts(const char *profile, part *run, const void *arg)
{
	struct story story = new_story(profile);
	struct tally *tallies = mmap(NULL, PARTS * sizeof(*tallies), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct tally sum = {0};
	pid_t pids[PARTS];
	int status, failed = 0;

	assert_ptr_not_equal(tallies, MAP_FAILED);
	fflush(NULL);
	for (unsigned int i = 0; i < PARTS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			run_part(&story, run, 1 + i, arg, &tallies[i]);
	}
	for (unsigned int i = 0; i < PARTS; i++) {
		failed += waitpid(pids[i], &status, 0) != pids[i] || status != 0;
		sum.points += tallies[i].points;
		sum.old += tallies[i].old;
		sum.new += tallies[i].new;
	}
	munmap(tallies, PARTS * sizeof(*tallies));
	free_story(&story);
	assert_int_equal(failed, 0);
	return sum;
}

static struct tally die_at_points(struct story *story, unsigned int first, const void *what)
{
	struct tally tally = {0};
	struct far_life life;
	bool died = true;

	for (unsigned int n = first; died; n += PARTS) {
		begin(story);
		if (strcmp(what, "refused") == 0)
			sim_fail(story->bench->kernel, KERNEL_SESSION_CREATE, 12, SIM_REFUSE,
				 -ENOMEM);
		died = die_once(story, what, n, &life);
		count(&tally, recover(story, life.acknowledged));
		if (tally.points % 4 == 0)
			goes_on(story);
		end(story);
	}
	return tally;
}

static struct tally die_at_every_point(const char *profile, const char *what)
{
	struct tally tally = in_parts(profile, die_at_points, what);

	tell(&tally, profile, what);
	return tally;
}

/* Dead once, it dies again in undoing it at @again, if that is not 0. */
static struct tally die_cancelled(struct story *story, unsigned int first, const void *again)
{
	struct tally tally = {0};
	struct far_life life, next;
	bool died = true;

	story->undone = true;
	for (unsigned int n = first; died; n += *(const unsigned int *)again ? 4 * PARTS : PARTS) {
		begin(story);
		died = die_once(story, "cancelled", n, &life);
		if (*(const unsigned int *)again)
			die_once(story, "restart", *(const unsigned int *)again, &next);
		count(&tally, recover(story, 0));
		if (tally.points % 4 == 0)
			goes_on(story);
		end(story);
	}
	return tally;
}

/* Before it, amid it, while it is pending, and while it is undone. */
static void of_one_that_is_not_confirmed_nothing_stays(void **state)
{
	(void)state;
	for (unsigned int again = 0; again <= 30; again += 30) {
		struct tally tally = in_parts("6.12", die_cancelled, &again);

		tell(&tally, "6.12", "cancelled");
		assert_true(tally.points > 60);
	}
}

static void a_commit_is_whole_wherever_it_dies(void **state)
{
	(void)state;
	assert_true(die_at_every_point("6.12", "commit").points > 60);
	assert_true(die_at_every_point("6.1", "commit").points > 60);
}

static void so_is_one_that_is_being_taken_back(void **state)
{
	(void)state;
	assert_true(die_at_every_point("6.12", "refused").points > 60);
	assert_true(die_at_every_point("6.1", "refused").points > 60);
}

static void so_are_two_while_config_xml_is_written(void **state)
{
	(void)state;
	assert_true(die_at_every_point("6.12", "fold").points > 80);
}

/* Dead in the middle of a commit, at point @at, the daemon dies again at any point of its recovery.
 */
static struct tally die_again(struct story *story, unsigned int first, const void *at)
{
	struct tally tally = {0};
	struct far_life life, next;
	bool died = true;

	for (unsigned int n = first; died; n += PARTS) {
		begin(story);
		assert_true(die_once(story, "commit", *(const unsigned int *)at, &life));
		died = die_once(story, "restart", n, &next);
		count(&tally, recover(story, life.acknowledged));
		end(story);
	}
	return tally;
}

static void so_is_one_that_dies_again_in_its_recovery(void **state)
{
	(void)state;
	for (unsigned int at = 30; at <= 60; at += 30) {
		struct tally tally = in_parts("6.12", die_again, &at);

		tell(&tally, "6.12", "recovery");
		assert_true(tally.points > 10);
	}
}

/* The machine goes down with the daemon: the kernel has nothing when it comes back. */
static struct tally cut_power(struct story *story, unsigned int first, const void *arg)
{
	struct tally tally = {0};
	struct far_life life;
	bool died = true;

	(void)arg;
	for (unsigned int n = 3 * first - 2; died; n += 3 * PARTS) {
		struct kernel *before;
		struct error err;

		begin(story);
		died = die_once(story, "commit", n, &life);
		before = story->bench->kernel;
		assert_int_equal(kernel_open_sim(&story->bench->kernel, "6.12", &err), 0);
		surround(story->bench->kernel);
		before->ops->close(before);
		count(&tally, recover(story, life.acknowledged));
		end(story);
	}
	return tally;
}

static void so_it_is_after_a_power_cut(void **state)
{
	struct tally tally = in_parts("6.12", cut_power, NULL);

	(void)state;
	tell(&tally, "6.12", "power cut");
}

static void write_config(const char *directory, const char *content)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, CONFIG_FILE);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "<l2tpv3 xmlns='urn:l2tpv3d:yang:linux-l2tpv3'>%s</l2tpv3>", content);
	fclose(file);
}

/* What config.xml is after an edit, and what it then holds. */
static const struct edited {
	const char *content;
	size_t tunnels, sessions;
	const char *says; /* of the commit that is pending; NULL: it is carried out */
} edited[] = {
	{"", 0, 0, "its tunnel 1 is not configured"},
	{"<tunnel><tunnel-id>9</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>"
	 "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
	 "<session><session-id>1050</session-id><peer-session-id>1</peer-session-id>"
	 "<interface-name>edited</interface-name></session>"
	 "</tunnel>",
	 1, 1, "its tunnel 1 is not configured"},
	{"<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>"
	 "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
	 "<encapsulation>ip</encapsulation></tunnel>"
	 "<tunnel><tunnel-id>2</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>"
	 "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
	 "<encapsulation>ip</encapsulation>"
	 "<session><session-id>1050</session-id><peer-session-id>1</peer-session-id>"
	 "<interface-name>edited</interface-name></session>"
	 "</tunnel>",
	 2, 1, "session-id 1050 is in use in tunnel 2"},
	{"<tunnel><tunnel-id>1</tunnel-id><peer-tunnel-id>2</peer-tunnel-id>"
	 "<local-address>192.0.2.1</local-address><remote-address>192.0.2.2</remote-address>"
	 "<encapsulation>ip</encapsulation></tunnel>",
	 1, 1, NULL},
};

/* A pending commit meets a config.xml edited by hand. Returns whether there was one. */
static bool meet(struct story *story, const struct edited *config)
{
	struct bench *bench = story->bench;
	struct session actual;
	bool pending;

	write_config(story->directory, config->content);
	bench->base = event_base_new();
	open_state(bench);
	pending = journal_unfinished(bench->journal) != 0;
	open_engine(bench);
	assert_true(turn_until(bench, is_quiet, 5000));
	assert_int_equal(journal_unfinished(bench->journal), 0);
	assert_int_equal(datastore_counts(bench->store)->configured_tunnels, config->tunnels);
	if (pending && config->says) {
		assert_int_equal(journal_generation(bench->journal), 1);
		assert_non_null(strstr(bench->log, "rolling back interrupted commit 2"));
		assert_non_null(strstr(bench->log, config->says));
		assert_int_equal(ask_kernel(bench, 1, 1050, &actual), -ENODEV);
	} else if (pending) {
		assert_int_equal(journal_generation(bench->journal), 2);
	}
	if (pending)
		assert_int_equal(datastore_counts(bench->store)->configured_sessions,
				 config->sessions);
	stop_bench(bench);
	start_bench(bench); /* and the next one as well */
	assert_int_equal(datastore_counts(bench->store)->configured_tunnels, config->tunnels);
	return pending;
}

/* Its points are those where a commit was pending. */
static struct tally meet_at_points(struct story *story, unsigned int first, const void *config)
{
	struct tally tally = {0};
	struct far_life life;
	bool died = true;
	char die_at[32];

	for (unsigned int n = first; died; n += PARTS) {
		begin(story);
		snprintf(die_at, sizeof(die_at), "netlink:%u", n);
		life = die(story, "session", die_at);
		died = life.died;
		if (died && life.acknowledged == 0)
			tally.points += meet(story, config);
		end(story);
	}
	return tally;
}

static void a_pending_commit_is_checked_against_what_it_meets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edited) / sizeof(*edited); i++)
		assert_true(in_parts("6.12", meet_at_points, &edited[i]).points > 0);
}

/* Of several, a pattern as an argument chooses. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_is_whole_wherever_it_dies),
		cmocka_unit_test(so_is_one_that_is_being_taken_back),
		cmocka_unit_test(of_one_that_is_not_confirmed_nothing_stays),
		cmocka_unit_test(so_are_two_while_config_xml_is_written),
		cmocka_unit_test(so_is_one_that_dies_again_in_its_recovery),
		cmocka_unit_test(so_it_is_after_a_power_cut),
		cmocka_unit_test(a_pending_commit_is_checked_against_what_it_meets),
	};

	if (argc == 4)
		return live(argv[1], argv[2], argv[3]);
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
