/*
 * The journal and the power cut, on a disk as weak as disks are: weak_disk.h. A
 * mixed run, of which every call that writes is a moment when the power may go:
 * what was acknowledged is there then, the commit under way whole or not at all,
 * and what was refused is not, though calls fail, fsync() among them.
 *
 * L2TPV3D_CUTS=n: so many power cuts instead of the sample; L2TPV3D_SEED=n: the first seed.
 */
#include "weak_disk.h"

#include <poll.h>
#include <sys/inotify.h>

#define SAMPLE  1500
#define ACTIONS 60 /* of a run */
#define TRIES   1  /* power cuts at each moment */

/* Nobody removes files here, and a watch that is closed takes the kernel 30 ms, thousands of times.
 */
int inotify_init1(int flags)
{
	(void)flags;
	errno = EMFILE;
	return -1;
}

static struct {
	struct state_dir dir;
	unsigned int seed, random, cuts, commits, refused, unknown, folds;
	char *acknowledged; /* the configuration, as text */
	uint64_t number;    /* of the commit that made it */
	uint64_t base;      /* of the journal, when looked at last */
	char *flight;       /* as it will be when the commit under way is; NULL: there is none */
	uint32_t next;      /* id that was not used yet */
} run;

static unsigned int choose(unsigned int count)
{
	return (unsigned int)rand_r(&run.random) % count;
}

/* ---- what is there */

static char *text_of(const struct candidate *view)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	const struct tunnel *tunnel;
	const struct session *session;

	for (uint32_t t = 0; (tunnel = candidate_tunnel_from(view, &t)) != NULL; t++) {
		fprintf(file, "= %" PRIu32 "\n", t);
		snapshot_put(file, OBJECT_TUNNEL, tunnel);
		for (uint32_t s = 0; (session = candidate_session_from(view, t, &s)); s++) {
			fprintf(file, "= %" PRIu32 " %" PRIu32 "\n", t, s);
			snapshot_put(file, OBJECT_SESSION, session);
		}
	}
	fclose(file);
	return text;
}

/* With the unfinished commit carried out, as after a power cut. */
static char *text_of_all(struct state_dir *dir)
{
	struct candidate view;
	char *text;

	candidate_open(&view, dir->running);
	if (journal_unfinished(dir->journal))
		assert_int_equal(journal_resume(dir->journal, dir->running, &view, NULL), 0);
	text = text_of(&view);
	candidate_discard(&view);
	return text;
}

static void set_text(char **to, char *text)
{
	free(*to);
	*to = text;
}

static void look_after(struct state_dir *after, const char *what, const char *call)
{
	int failing = failure.at;
	uint64_t generation;
	bool old, new;
	char *text;

	failure.at = 0;
	if (try_open(after) != 0)
		fail_msg("%s before %s, seed %u: %s", what, call, run.seed, after->err.text);
	generation = journal_generation(after->journal);
	text = text_of_all(after);
	old = strcmp(text, run.acknowledged) == 0 && generation == run.number;
	new = run.flight &&strcmp(text, run.flight) == 0 && generation == run.number + 1;
	if (!old && !new)
		fail_msg("%s before %s, seed %u, cut %u: commit %" PRIu64
			 " was acknowledged%s; found "
			 "%" PRIu64 "%s in %s, %s%s",
			 what, call, run.seed, run.cuts, run.number,
			 run.flight ? ", one more under way" : "", generation,
			 journal_unfinished(after->journal) ? " unfinished" : "", after->path,
			 after->warning, strcmp(text, run.acknowledged) == 0 ? " (its state)" : "");
	free(text);
	dir_abandon(after);
	dir_remove(after);
	failure.at = failing;
}

static void cut_power(const char *call)
{
	for (int i = 0; i < TRIES; i++) {
		struct state_dir after;

		dir_make(&after);
		disk_after_cut(&after);
		run.cuts++;
		look_after(&after, "a power cut", call);
	}
}

static void kill_daemon(const char *call)
{
	struct state_dir after;

	dir_make(&after);
	disk_after_kill(&run.dir, &after);
	look_after(&after, "a kill", call);
}

/* ---- what is done */

static struct edit *any_edit(void)
{
	static const unsigned int sizes[] = {1, 3, 20, 300};
	struct edit *edit = edit_new();
	uint32_t tunnel = 1 + choose(3);
	struct edit_entry *entry;

	if (datastore_tunnel(run.dir.running, tunnel) && choose(4) == 0) {
		add(edit, EDIT_DELETE, tunnel, 0, "");
		return edit;
	}
	add_tunnel(edit, EDIT_MERGE, tunnel);
	for (unsigned int i = sizes[choose(4)]; i > 0; i--) {
		entry = add(edit, EDIT_MERGE, tunnel, ++run.next, "peer-session-id=7 mtu=1400");
		assert_non_null(entry);
	}
	return edit;
}

static void any_changes(struct candidate *ret)
{
	uint64_t generation = journal_generation(run.dir.journal);
	uint64_t to = generation - choose(3);

	if (choose(5) == 0 && generation > 3 &&
	    journal_rollback(run.dir.journal, to, run.dir.running, ret, NULL) == 0)
		return;
	candidate_open(ret, run.dir.running);
	assert_int_equal(apply(ret, any_edit(), NULL), 0);
	assert_int_equal(candidate_choose_names(ret, NULL, NULL, NULL), 0);
	assert_int_equal(candidate_validate(ret, NULL), 0);
}

/* To its end, in pieces; given up at the step @abort_at; left there at @kill_at: -EINTR. */
static int write_in_pieces(struct candidate *changes, struct commit_info *info, int abort_at,
			   int kill_at)
{
	struct journal *journal = run.dir.journal;
	int rc = journal_begin(journal, changes, info, &run.dir.err);
	struct pollfd done = {journal_fd(journal), POLLIN, 0};

	for (int step = 0; rc == JOURNAL_MORE || rc == JOURNAL_WAIT; step++) {
		if (step == kill_at)
			return -EINTR;
		if (step == abort_at)
			assert_int_equal(journal_abort(journal), 0);
		if (rc == JOURNAL_WAIT)
			poll(&done, 1, -1);
		rc = journal_step(journal, 0, &run.dir.err);
		assert_false(rc == 0 && abort_at >= 0 && step >= abort_at);
	}
	return rc;
}

static int write_commit(struct candidate *changes, struct commit_info *info)
{
	switch (choose(6)) {
	case 0:
	case 1:
		return write_in_pieces(changes, info, -1, -1);
	case 2:
		return write_in_pieces(changes, info, (int)choose(12), -1);
	case 3:
		return write_in_pieces(changes, info, -1, (int)choose(12));
	default:
		return journal_append(run.dir.journal, changes, info, &run.dir.err);
	}
}

/*
 * What is found then is what counts from now on, power cuts or not. Only that a
 * sync has failed must have been left in the file: where nothing could be written
 * any more, the file system is not one to go on with without a reboot.
 */
static void restart(bool by_kill)
{
	struct journal *journal = run.dir.journal;
	struct candidate changes;
	uint64_t unfinished;
	char *text;

	while (journal->doubt && journal->cut && journal_cut(journal) < 0)
		;
	if (by_kill)
		dir_abandon(&run.dir);
	else
		dir_close(&run.dir);
	must_open(&run.dir);
	unfinished = journal_unfinished(run.dir.journal);
	if (unfinished) {
		assert_int_equal(journal_resume(run.dir.journal, run.dir.running, &changes, NULL),
				 0);
		assert_int_equal(candidate_publish(&changes, run.dir.running), 0);
		candidate_discard(&changes);
		journal_confirm(run.dir.journal, unfinished);
	}
	text = text_of_all(&run.dir);
	assert_true(strcmp(text, run.acknowledged) == 0 ||
		    (run.flight && strcmp(text, run.flight) == 0));
	if (unfinished > run.number) {
		set_text(&run.flight, strdup(text));
		while (run.dir.journal->doubt) /* the disk failed at that very moment */
			(void)fold_now(run.dir.journal, NULL);
	}
	set_text(&run.flight, NULL);
	set_text(&run.acknowledged, text);
	run.number = journal_generation(run.dir.journal);
	cut_power("a restart");
}

/* It was refused: it is not there, and will not come. Unknown: as it says. */
static void check_refusal(int rc)
{
	if (run.dir.err.code == ERROR_OUTCOME_UNKNOWN) {
		run.unknown++;
		return;
	}
	assert_true(rc == -ECANCELED || run.dir.err.code == ERROR_STORAGE);
	run.refused++;
	set_text(&run.flight, NULL);
	kill_daemon("a refusal");
	cut_power("a refusal");
}

/* Without a word of the outcome before nothing is taken. */
static void wait_for_certainty(void)
{
	struct journal *journal = run.dir.journal;

	while (journal->unknown) {
		journal->fold.retry_at = 0;
		(void)journal_maintain(journal, true, &run.dir.err);
	}
	set_text(&run.flight, NULL);
	cut_power("certainty");
}

static void commit_any(bool refused_by_kernel)
{
	struct commit_info info = {.door = "test"};
	struct candidate changes;
	uint64_t number = run.dir.journal->unknown;
	char *text;
	int rc;

	any_changes(&changes);
	text = text_of(&changes);
	if (strcmp(text, run.acknowledged) == 0) {
		free(text);
		candidate_discard(&changes);
		return;
	}
	if (number) {
		assert_int_equal(journal_append(run.dir.journal, &changes, &info, &run.dir.err),
				 -EIO);
		assert_non_null(strstr(run.dir.err.text, "whose outcome is unknown"));
		wait_for_certainty();
	}
	set_text(&run.flight, text);
	run.dir.err = ERROR_INIT;
	rc = write_commit(&changes, &info);
	if (rc == 0 && refused_by_kernel) {
		rc = journal_revoke(run.dir.journal, info.number, &run.dir.err);
		rc = rc == 0 ? -ECANCELED : rc;
	}
	if (rc == 0) {
		assert_int_equal(candidate_publish(&changes, run.dir.running), 0);
		journal_confirm(run.dir.journal, info.number);
		set_text(&run.acknowledged, run.flight);
		run.flight = NULL;
		run.number = info.number;
		run.commits++;
		cut_power("an acknowledgement");
	} else if (rc == -EINTR) {
		restart(true);
	} else {
		check_refusal(rc);
	}
	candidate_discard(&changes);
}

/* Some steps of a fold, or none; a child that works is waited for, so that a seed tells all. */
static void maintain(void)
{
	struct journal *journal = run.dir.journal;
	struct pollfd done = {journal_fd(journal), POLLIN, 0};
	siginfo_t ended;

	journal->fold_min = journal->config_size = choose(3) ? 1 << 20 : 1;
	for (unsigned int steps = choose(4); steps > 0; steps--) {
		if (journal->fold.stage == FOLD_CHILD) {
			kill(journal->fold.pid, SIGCONT);
			assert_int_equal(
				waitid(P_PID, (id_t)journal->fold.pid, &ended, WEXITED | WNOWAIT),
				0);
		} else if (journal->syncer && syncer_busy(journal->syncer)) {
			poll(&done, 1, -1);
		}
		(void)journal_maintain(journal, true, &run.dir.err);
	}
}

/* Of the next calls one or some, as a disk that has a bad place, or is full for a while. */
static void let_calls_fail(void)
{
	static const int errors[] = {EIO, EIO, ENOSPC, EROFS}, widths[] = {1, 2, 4, 8, 30};

	failure.calls = 0;
	failure.call = NULL;
	failure.at = 1 + (int)choose(12);
	failure.width = widths[choose(5)];
	failure.with = errors[choose(4)];
}

static void act(bool with_failures)
{
	run.folds += run.dir.journal->base != run.base;
	run.base = run.dir.journal->base;
	if (with_failures && choose(3) == 0)
		let_calls_fail();
	switch (choose(10)) {
	case 0:
		restart(true);
		break;
	case 1:
		restart(false);
		break;
	case 2:
		(void)fold_now(run.dir.journal, NULL);
		break;
	case 3:
		commit_any(true);
		break;
	default:
		commit_any(false);
		maintain();
	}
}

static void run_once(unsigned int seed, bool with_failures)
{
	run.seed = run.random = seed;
	run.number = 0;
	dir_make(&run.dir);
	must_open(&run.dir);
	set_text(&run.acknowledged, text_of_all(&run.dir));
	disk_begin(&run.dir, seed, cut_power);
	for (int i = 0; i < ACTIONS; i++)
		act(with_failures);
	failure.at = 0;
	disk_end();
	dir_abandon(&run.dir);
	dir_remove(&run.dir);
	set_text(&run.acknowledged, NULL);
	set_text(&run.flight, NULL);
}

static unsigned int number_from(const char *variable, unsigned int otherwise)
{
	const char *text = getenv(variable);

	return text ? (unsigned int)strtoul(text, NULL, 10) : otherwise;
}

static void run_all(bool with_failures)
{
	unsigned int seed = number_from("L2TPV3D_SEED", 1);
	unsigned int end = run.cuts + number_from("L2TPV3D_CUTS", SAMPLE) / 2;

	run.commits = run.refused = run.unknown = run.folds = 0;
	while (run.cuts < end)
		run_once(seed++, with_failures);
	print_message(
		"%u power cuts in all: 0 lost, 0 came back; %u commits, %u refused, %u with an "
		"unknown outcome, %u folds\n",
		run.cuts, run.commits, run.refused, run.unknown, run.folds);
	assert_true(run.commits > 0 && run.refused > 0 && run.folds > 0);
	assert_int_equal(run.unknown > 0, with_failures);
}

static void the_power_may_go_at_any_moment(void **state)
{
	(void)state;
	run_all(false);
}

static void so_it_may_when_the_disk_fails(void **state)
{
	(void)state;
	run_all(true);
}

/* ---- what chance would seldom find */

/* A run at whose beginning are two commits; from now on the power may go. */
static void begin_at_two(void)
{
	dir_make(&run.dir);
	must_open(&run.dir);
	disk_begin(&run.dir, 1, NULL);
	commit_story(&run.dir, 1, 2);
	set_text(&run.acknowledged, text_of_all(&run.dir));
	run.number = 2;
}

static void end_run(void)
{
	failure.at = 0;
	disk_end();
	dir_abandon(&run.dir);
	dir_remove(&run.dir);
	set_text(&run.acknowledged, NULL);
	set_text(&run.flight, NULL);
}

static void cut_often(const char *when)
{
	for (int i = 0; i < 50; i++)
		cut_power(when);
}

static ino_t journal_inode(void)
{
	struct stat st;

	assert_int_equal(fstat(run.dir.journal->fd, &st), 0);
	return st.st_ino;
}

/* EIO: the pages are clean by then. Where there was no room they are none that count. */
static void an_fsync_that_failed_is_not_repeated(void **state)
{
	static const int errors[] = {EIO, ENOSPC};

	(void)state;
	for (int i = 0; i < 2; i++) {
		ino_t before;

		begin_at_two();
		before = journal_inode();
		fail_call("fdatasync", 1, errors[i]);
		assert_int_equal(journal_commit(&run.dir, story(3), NULL), -errors[i]);
		fail_call(NULL, 0, 0);
		assert_non_null(strstr(run.dir.err.text, "nothing was changed"));
		assert_int_equal(journal_inode() == before, errors[i] == ENOSPC);
		cut_often("a refusal");
		commit_story(&run.dir, 3, 3);
		end_run();
	}
}

static void append_third(void)
{
	struct candidate candidate;

	append_only(&run.dir, 3, &candidate);
	set_text(&run.flight, text_of(&candidate));
	candidate_discard(&candidate);
}

/* As the engine does with it at the start. */
static void carry_out(void)
{
	struct candidate changes;

	assert_int_equal(journal_unfinished(run.dir.journal), 3);
	assert_int_equal(journal_resume(run.dir.journal, run.dir.running, &changes, NULL), 0);
	assert_int_equal(candidate_publish(&changes, run.dir.running), 0);
	candidate_discard(&changes);
	journal_confirm(run.dir.journal, 3);
}

static void now_it_counts(void)
{
	set_text(&run.acknowledged, run.flight);
	run.flight = NULL;
	run.number = 3;
}

/* Killed when the sync had failed, and before that could be left in the file. */
static void die_after_failed_sync(void)
{
	struct commit_info info = {.door = "test"};
	struct candidate changes;
	int rc;

	candidate_open(&changes, run.dir.running);
	assert_int_equal(apply(&changes, story(3), NULL), 0);
	assert_int_equal(candidate_choose_names(&changes, NULL, NULL, NULL), 0);
	set_text(&run.flight, text_of(&changes));
	rc = journal_begin(run.dir.journal, &changes, &info, NULL);
	fail_call("fdatasync", 1, EIO);
	while (rc == JOURNAL_MORE)
		rc = journal_step(run.dir.journal, 0, NULL);
	assert_int_equal(rc, JOURNAL_WAIT);
	poll(&(struct pollfd){journal_fd(run.dir.journal), POLLIN, 0}, 1, -1);
	candidate_discard(&changes);
	dir_abandon(&run.dir);
	fail_call(NULL, 0, 0);
}

static void one_found_unfinished_is_made_safe(void **state)
{
	(void)state;
	begin_at_two();
	die_after_failed_sync();
	must_open(&run.dir);
	carry_out();
	now_it_counts();
	cut_often("the unfinished commit counts");
	end_run();
}

/* The start cannot make it safe: its confirmation waits, and a config.xml with it too. */
static void one_that_cannot_be_made_safe_does_no_harm(void **state)
{
	(void)state;
	for (int at = 1; at <= 2; at++) { /* the fsync of the directory, of the journal */
		begin_at_two();
		die_after_failed_sync();
		fail_call("fsync", at, EIO);
		must_open(&run.dir);
		fail_call(NULL, 0, 0);
		assert_true(run.dir.journal->doubt);
		carry_out();
		cut_often("it is in doubt");
		disk.cut = cut_often;
		run.dir.journal->fold.retry_at = 0;
		(void)journal_maintain(run.dir.journal, true, &run.dir.err);
		disk.cut = NULL;
		assert_false(run.dir.journal->doubt);
		now_it_counts();
		cut_often("it is made safe");
		end_run();
	}
}

/* A new journal in place, but perhaps not on the disk; with a commit unfinished there, if
 * @unfinished. */
static void fold_into_doubt(bool unfinished)
{
	struct journal *journal = run.dir.journal;

	journal->fold_min = journal->config_size = 1;
	assert_int_equal(journal_maintain(journal, true, &run.dir.err), 0);
	if (unfinished)
		append_third();
	kill(journal->fold.pid, SIGCONT);
	waitid(P_PID, (id_t)journal->fold.pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	fail_call("fsync", 3, EIO); /* of the directory, after the journal was renamed */
	while (journal->fold.stage != FOLD_NONE)
		(void)journal_maintain(journal, true, &run.dir.err);
	fail_call(NULL, 0, 0);
	assert_int_equal(journal->base, 2);
	assert_true(journal->doubt);
}

/* The journal before has it too. */
static void one_revoked_in_doubt_does_not_come_back(void **state)
{
	(void)state;
	begin_at_two();
	fold_into_doubt(true);
	assert_int_equal(journal_revoke(run.dir.journal, 3, NULL), 0);
	assert_false(run.dir.journal->doubt);
	set_text(&run.flight, NULL);
	cut_often("it was revoked");
	end_run();
}

/* By the daemon that saw the sync fail, or by the next one. */
static void what_is_acknowledged_after_doubt_is_safe(void **state)
{
	(void)state;
	for (int killed = 0; killed < 2; killed++) {
		begin_at_two();
		fold_into_doubt(false);
		cut_often("doubt");
		if (killed) {
			dir_abandon(&run.dir);
			must_open(&run.dir);
			cut_often("doubt found at the start");
		}
		commit_story(&run.dir, 3, 3);
		set_text(&run.acknowledged, text_of_all(&run.dir));
		run.number = 3;
		cut_often("a commit after doubt");
		end_run();
	}
}

/* Nobody has to commit for that. */
static void doubt_ends_by_itself(void **state)
{
	(void)state;
	begin_at_two();
	run.dir.journal->cut = true;
	fail_call("fdatasync", 1, EIO);
	assert_true(journal_commit(&run.dir, story(3), NULL) < 0);
	fail_call(NULL, 0, 0);
	run.dir.journal->doubt = true;
	assert_int_equal(journal_maintain(run.dir.journal, true, &run.dir.err), 0);
	assert_false(run.dir.journal->doubt);
	end_run();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_fsync_that_failed_is_not_repeated),
		cmocka_unit_test(one_found_unfinished_is_made_safe),
		cmocka_unit_test(one_that_cannot_be_made_safe_does_no_harm),
		cmocka_unit_test(one_revoked_in_doubt_does_not_come_back),
		cmocka_unit_test(what_is_acknowledged_after_doubt_is_safe),
		cmocka_unit_test(doubt_ends_by_itself),
		cmocka_unit_test(the_power_may_go_at_any_moment),
		cmocka_unit_test(so_it_may_when_the_disk_fails),
	};

	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
