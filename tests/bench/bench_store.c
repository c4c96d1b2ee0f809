/*
 * What the store costs, without kernel and doors: a commit of one leaf among N
 * sessions, step by step; loading N sessions from the journal and from
 * config.xml; and what is done by cursors, over as many sessions as are changed: the
 * longest step, and all.
 *
 * usage: bench_store [DIRECTORY]
 *
 * State goes below DIRECTORY (default /tmp), whose disk the fsync is. Figures are
 * medians in microseconds, and of the processor, but for the fsync, unless said otherwise.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/codec.h"
#include "netconf/snapshot.h"
#include "journal/journal.h"
#include "store/publish.h"

#define ROUNDS     301
#define PER_TUNNEL 1000

#define SIZES  4
#define BUDGET 256 /* units in a step of a cursor */

static const uint32_t counts[SIZES] = {10, 1000, 10000, 65000};

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The commit's fsync is timed apart. */
static double synced_us, synced_cpu_us;

int fdatasync(int fd)
{
	double begin = now_us(), cpu = cpu_us();
	int result = (int)syscall(SYS_fdatasync, fd);

	synced_us += now_us() - begin;
	synced_cpu_us += cpu_us() - cpu;
	return result;
}

enum step { APPLY, NAMES, VALIDATE, APPEND, SYNC, PUBLISH, CONFIRM, STEPS };
static const char *const step_names[STEPS] = {"apply", "names",   "validate", "append",
					      "fsync", "publish", "confirm"};

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

static long resident_kb(void)
{
	char line[256];
	long kb = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmRSS: %ld", &kb);
	if (file)
		fclose(file);
	return kb;
}

/* State */

struct bench {
	uint32_t count;
	char path[128];
	struct datastore *running;
	struct journal *journal;
	double took[STEPS][ROUNDS], own[ROUNDS], create[ROUNDS];
};

static void open_state(struct bench *bench)
{
	struct error error = ERROR_INIT;
	char warning[JOURNAL_WARNING_MAX];

	bench->running = datastore_new();
	if (journal_open(&bench->journal, bench->path, bench->running, &snapshot_codec, warning,
			 &error) != 0)
		errx(1, "%s", error.text);
}

static void leaf(struct edit_entry *entry, const char *name, const char *value)
{
	if (edit_leaf(entry, row_by_leaf(entry->object, name, strlen(name)), EDIT_MERGE, value,
		      strlen(value), NULL) != 0)
		errx(1, "%s", name);
}

static void add_tunnel(struct edit *edit, uint32_t id)
{
	struct edit_entry *entry = edit_tunnel(edit, EDIT_CREATE, id);
	char port[8];

	snprintf(port, sizeof(port), "%u", 5000 + id);
	leaf(entry, "peer-tunnel-id", "1");
	leaf(entry, "local-address", "192.0.2.1");
	leaf(entry, "remote-address", "192.0.2.2");
	leaf(entry, "local-port", port);
}

static void add_session(struct edit *edit, uint32_t id)
{
	struct edit_entry *entry = edit_session(edit, EDIT_CREATE, 1 + (id - 1) / PER_TUNNEL, id);
	char text[16];

	snprintf(text, sizeof(text), "%u", id);
	leaf(entry, "peer-session-id", text);
	leaf(entry, "description", "a customer of some length");
	leaf(entry, "mtu", "1400");
	leaf(entry, "rx-cookie", "0123456789abcdef");
	leaf(entry, "tx-cookie", "fedcba9876543210");
}

/* Takes the edit; adds up what each step took into @took. */
static void commit(struct bench *bench, struct edit *edit, double took[STEPS])
{
	struct commit_info info = {.door = "bench", .user = "bench"};
	struct error error = ERROR_INIT;
	struct candidate candidate;
	double at[STEPS + 1];
	int bad;

	candidate_open(&candidate, bench->running);
	synced_us = synced_cpu_us = 0;
	at[APPLY] = cpu_us();
	bad = candidate_apply(&candidate, edit, &error);
	at[NAMES] = cpu_us();
	bad |= candidate_choose_names(&candidate, NULL, NULL, &error);
	at[VALIDATE] = cpu_us();
	bad |= candidate_validate(&candidate, &error);
	at[APPEND] = cpu_us();
	bad |= journal_append(bench->journal, &candidate, &info, &error);
	at[PUBLISH] = cpu_us();
	bad |= candidate_publish(&candidate, bench->running);
	at[CONFIRM] = cpu_us();
	journal_confirm(bench->journal, info.number);
	at[STEPS] = cpu_us();
	if (bad)
		errx(1, "%s: %s", error.path, error.text);
	at[SYNC] = at[PUBLISH];
	for (int i = 0; i < STEPS; i++)
		took[i] = at[i + 1] - at[i];
	took[SYNC] = synced_us;
	took[APPEND] -= synced_cpu_us;
	candidate_discard(&candidate);
	edit_free(edit);
}

static void populate(struct bench *bench, uint32_t count)
{
	struct edit *edit = edit_new();
	double took[STEPS], total = 0;
	long before = resident_kb();

	for (uint32_t id = 1; id <= count; id++) {
		if (id % PER_TUNNEL == 1)
			add_tunnel(edit, 1 + id / PER_TUNNEL);
		add_session(edit, id);
	}
	commit(bench, edit, took);
	printf("%6u sessions pushed at once:", count);
	for (int i = 0; i < STEPS; i++) {
		printf(" %s %.1f ms", step_names[i], took[i] / 1e3);
		total += took[i];
	}
	printf(", in all %.1f ms; grown by %ld kB\n", total / 1e3, resident_kb() - before);
}

/* Edits of one entry, of three kinds */

static struct edit *edit_leaf_of(uint32_t count, uint32_t round)
{
	uint32_t id = 1 + (round * 7919 % count);
	struct edit *edit = edit_new();
	struct edit_entry *entry = edit_session(edit, EDIT_MERGE, 1 + (id - 1) / PER_TUNNEL, id);
	char mtu[8];

	snprintf(mtu, sizeof(mtu), "%u", 1200 + round % 199);
	leaf(entry, "mtu", mtu);
	return edit;
}

static struct edit *edit_create(void)
{
	struct edit *edit = edit_new();

	add_tunnel(edit, 9999);
	leaf(edit_session(edit, EDIT_CREATE, 9999, 4000000000U), "peer-session-id", "1");
	return edit;
}

static struct edit *edit_delete(void)
{
	struct edit *edit = edit_new();

	edit_tunnel(edit, EDIT_DELETE, 9999);
	return edit;
}

/* What the commit took but for the disk. */
static double own_time(const double took[STEPS])
{
	double sum = -took[SYNC];

	for (int i = 0; i < STEPS; i++)
		sum += took[i];
	return sum;
}

static void one_round(struct bench *bench, uint32_t round)
{
	double took[STEPS];

	commit(bench, edit_leaf_of(bench->count, round), took);
	for (int i = 0; i < STEPS; i++)
		bench->took[i][round] = took[i];
	bench->own[round] = own_time(took);
	commit(bench, edit_create(), took);
	bench->create[round] = own_time(took);
	commit(bench, edit_delete(), took);
}

static void print_commits(struct bench *bench)
{
	printf("%6u sessions, one leaf:", bench->count);
	for (int i = 0; i < STEPS; i++)
		printf(" %s %.1f", step_names[i], median(bench->took[i], ROUNDS));
	printf("; without fsync %.1f; a tunnel and a session more %.1f\n",
	       median(bench->own, ROUNDS), median(bench->create, ROUNDS));
}

/* By cursors, BUDGET units a step */

static double longest_of_all;

/* To its end: what the whole took, and the longest step. */
static int drive(struct cursor *cursor, const char *what)
{
	double all = 0, longest = 0;
	size_t steps = 0;
	int rc = 1;

	while (rc > 0) {
		double begin = cpu_us(), took;

		rc = cursor_step(cursor, BUDGET);
		took = cpu_us() - begin;
		all += took;
		longest = took > longest ? took : longest;
		steps++;
	}
	cursor_free(cursor);
	longest_of_all = longest > longest_of_all ? longest : longest_of_all;
	printf("  %-28s %8.1f ms in %5zu steps, the longest %6.0f us\n", what, all / 1e3, steps,
	       longest);
	return rc;
}

static void must(int rc, const struct error *error)
{
	if (rc != 0)
		errx(1, "%s: %s", error->path, error->text);
}

/* The whole way into running, and the way back into @back. */
static void drive_commit(struct datastore *running, struct candidate *candidate,
			 struct candidate *back)
{
	struct error error = ERROR_INIT;

	must(drive(candidate_choose_names_begin(candidate, NULL, NULL, &error), "choose names"),
	     &error);
	must(drive(candidate_validate_begin(candidate, &error), "validate"), &error);
	must(drive(candidate_attach_begin(candidate, running, &error), "attach"), &error);
	datastore_publish(running);
	must(drive(candidate_merge_begin(candidate, running), "merge"), &error);
	must(drive(candidate_invert_begin(candidate, back, &error), "invert"), &error);
	must(drive(candidate_discard_begin(candidate), "discard"), &error);
}

static struct edit *edit_all(uint32_t count, const char *name, const char *value)
{
	struct edit *edit = edit_new();

	for (uint32_t id = 1; id <= count; id++)
		leaf(edit_session(edit, EDIT_MERGE, 1 + (id - 1) / PER_TUNNEL, id), name, value);
	return edit;
}

static struct edit *edit_create_all(uint32_t count)
{
	struct edit *edit = edit_new();

	for (uint32_t id = 1; id <= count; id++) {
		if (id % PER_TUNNEL == 1)
			add_tunnel(edit, 1 + id / PER_TUNNEL);
		add_session(edit, id);
	}
	return edit;
}

static void drive_edit(struct datastore *running, struct edit *edit, struct candidate *back)
{
	struct error error = ERROR_INIT;
	struct candidate candidate;

	candidate_open(&candidate, running);
	must(drive(candidate_apply_begin(&candidate, edit, &error), "apply"), &error);
	must(drive(edit_free_begin(edit), "free the edit"), &error);
	drive_commit(running, &candidate, back);
}

static void drive_refused(struct datastore *running, uint32_t count)
{
	struct edit *edit = edit_all(count, "mtu", "1300");
	struct error error = ERROR_INIT;
	struct candidate candidate;

	edit_session(edit, EDIT_DELETE, 9999, 1);
	candidate_open(&candidate, running);
	if (drive(candidate_apply_begin(&candidate, edit, &error), "apply, and take it back") !=
	    -ENOENT)
		errx(1, "an edit of what is not there was not refused");
	edit_free(edit);
}

static void drive_abandoned(struct datastore *running, uint32_t count)
{
	struct edit *edit = edit_all(count, "mtu", "1301");
	struct error error = ERROR_INIT;
	struct candidate candidate;
	struct cursor *cursor;

	candidate_open(&candidate, running);
	must(candidate_apply(&candidate, edit, &error), &error);
	cursor = candidate_attach_begin(&candidate, running, &error);
	cursor_step(cursor, count - 1);
	cursor_abandon(cursor);
	drive(cursor, "attach, abandoned at the end");
	candidate_discard(&candidate);
	edit_free(edit);
}

static void drive_rebased(struct datastore *running, struct candidate *theirs, uint32_t count)
{
	struct edit *edit = edit_all(count, "description", "ours");
	struct error error = ERROR_INIT;
	struct candidate mine, back;

	candidate_open(&mine, running);
	must(candidate_apply(&mine, edit, &error), &error);
	edit_free(edit);
	must(candidate_publish(theirs, running), &error);
	must(drive(candidate_rebase_begin(&mine, &error), "rebase"), &error);
	drive_commit(running, &mine, &back);
	candidate_discard(&back);
}

static void print_phase(const char *what, uint32_t count)
{
	printf("%s, %u sessions; resident %ld kB:\n", what, count, resident_kb());
}

static void drive_all(uint32_t count)
{
	struct datastore *running = datastore_new();
	struct edit *edit = edit_new();
	struct candidate back;

	print_phase("create all", count);
	drive_edit(running, edit_create_all(count), &back);
	candidate_discard(&back);
	malloc_trim(0);
	print_phase("mtu of all", count);
	drive_edit(running, edit_all(count, "mtu", "1450"), &back);
	print_phase("an edit whose last entry is wrong", count);
	drive_refused(running, count);
	print_phase("given up", count);
	drive_abandoned(running, count);
	print_phase("description of all, rebased on the mtu of all by somebody else", count);
	drive_rebased(running, &back, count);
	candidate_discard(&back);
	malloc_trim(0);
	print_phase("delete all", count);
	edit->operation = EDIT_DELETE;
	drive_edit(running, edit, &back);
	candidate_discard(&back);
	malloc_trim(0);
	print_phase("then", 0);
	datastore_free(running);
	printf("longest step over %u changes: %.0f us\n", count, longest_of_all);
}

/* Loading, in a process of its own for the sake of its size */

static void load(const struct bench *bench, const char *from, bool fold)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "bench_store", "--load", bench->path, from,
		      fold ? "fold" : "", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static int load_here(char *argv[])
{
	static struct bench bench;
	double begin = now_us(), loaded, cpu;
	struct timespec used;

	snprintf(bench.path, sizeof(bench.path), "%s", argv[2]);
	open_state(&bench);
	loaded = now_us();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	cpu = (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
	printf("%6zu sessions loaded from %s: %.1f ms (%.1f of the processor); resident %ld kB\n",
	       datastore_counts(bench.running)->configured_sessions, argv[3],
	       (loaded - begin) / 1e3, cpu, resident_kb());
	if (argv[4][0] != '\0')
		(void)journal_close(bench.journal, NULL);
	return 0;
}

static void remove_state(const struct bench *bench)
{
	static const char *const names[] = {"config.xml", "journal"};
	int fd = open(bench->path, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(fd, names[i], 0);
	close(fd);
	rmdir(bench->path);
}

/*
 * All sizes in turn, round by round, so that what else the machine does falls on
 * all alike. In a child: the journals' locks go with it, and loading can begin.
 */
static void measure(struct bench benches[SIZES])
{
	for (size_t i = 0; i < SIZES; i++) {
		open_state(&benches[i]);
		populate(&benches[i], benches[i].count);
	}
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < SIZES; i++)
			one_round(&benches[i], round);
	}
	for (size_t i = 0; i < SIZES; i++)
		print_commits(&benches[i]);
	printf("one leaf without fsync, %u sessions against %u: %.1f / %.1f = %.2f\n",
	       benches[SIZES - 1].count, benches[0].count, benches[SIZES - 1].own[ROUNDS / 2],
	       benches[0].own[ROUNDS / 2],
	       benches[SIZES - 1].own[ROUNDS / 2] / benches[0].own[ROUNDS / 2]);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	static struct bench benches[SIZES];
	static const uint32_t changes[] = {65000, 200000};
	pid_t pid;
	int status = 1;

	if (argc == 5 && strcmp(argv[1], "--load") == 0)
		return load_here(argv);
	for (size_t i = 0; i < SIZES; i++) {
		benches[i].count = counts[i];
		snprintf(benches[i].path, sizeof(benches[i].path), "%s/bench-store-XXXXXX",
			 argc > 1 ? argv[1] : "/tmp");
		if (!mkdtemp(benches[i].path))
			err(1, "%s", benches[i].path);
	}
	pid = fork();
	if (pid == 0) {
		measure(benches);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	for (size_t i = 0; i < SIZES; i++) {
		load(&benches[i], "the journal", true);
		load(&benches[i], "config.xml", false);
		remove_state(&benches[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			drive_all(changes[i]);
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, &status, 0);
	}
	return status != 0;
}
