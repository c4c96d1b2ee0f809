/* A state directory for the tests of the journal, and a daemon's worth of it. */
#ifndef TESTS_UNIT_STATE_DIR_H
#define TESTS_UNIT_STATE_DIR_H

#include "store.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal/journal_file.h"

#define LISTED 50 /* commits that a test asks for */

struct state_dir {
	char path[64];
	struct datastore *running;
	struct journal *journal;
	char warning[JOURNAL_WARNING_MAX];
	struct error err;
};

UNUSED static void dir_make(struct state_dir *dir)
{
	/* Thousands of fsyncs: in memory, if there is such a place. */
	memset(dir, 0, sizeof(*dir));
	snprintf(dir->path, sizeof(dir->path), "%s/l2tpv3d-test-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(dir->path));
}

UNUSED static void dir_empty(const struct state_dir *dir)
{
	DIR *list = opendir(dir->path);
	struct dirent *entry;

	assert_non_null(list);
	while ((entry = readdir(list)) != NULL)
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
}

UNUSED static void dir_remove(const struct state_dir *dir)
{
	dir_empty(dir);
	assert_int_equal(rmdir(dir->path), 0);
}

UNUSED static int try_open(struct state_dir *dir)
{
	int result;

	dir->running = datastore_new();
	dir->err = ERROR_INIT;
	result = journal_open(&dir->journal, dir->path, dir->running, &test_codec, dir->warning,
			      &dir->err);
	if (result != 0) {
		datastore_free(dir->running);
		dir->running = NULL;
		dir->journal = NULL;
	}
	return result;
}

UNUSED static void must_open(struct state_dir *dir)
{
	if (try_open(dir) != 0)
		fail_msg("%s", dir->err.text);
}

UNUSED static void dir_close(struct state_dir *dir)
{
	(void)journal_close(dir->journal, &dir->err);
	datastore_free(dir->running);
	dir->journal = NULL;
	dir->running = NULL;
}

/* As kill -9 leaves it: nothing is folded, and what is half done stays so. */
UNUSED static void dir_abandon(struct state_dir *dir)
{
	struct journal *journal = dir->journal;

	if (journal != NULL) {
		struct fold *fold = &journal->fold;

		if (fold->pid > 0 && fold->stage == FOLD_CHILD) {
			kill(fold->pid, SIGKILL);
			waitpid(fold->pid, NULL, 0);
		}
		if (fold->fd >= 0)
			close(fold->fd);
		place_close(&fold->config);
		fold->stage = FOLD_NONE;
		journal->writing.stage = WRITING_NOTHING;
		journal->unfinished = UINT64_MAX;
	}
	dir_close(dir);
}

/* Of commit @number; or a negative errno, with dir->err. */
UNUSED static int count_changes(struct state_dir *dir, uint64_t number)
{
	struct journal_reading *reading = NULL;
	const struct change *change;
	int count = 0;
	int rc = journal_read_begin(&reading, dir->journal, JOURNAL_CHANGES, number, dir->running,
				    &dir->err);

	while (rc == JOURNAL_MORE) {
		rc = journal_read_change(reading, &change, &dir->err);
		count += change != NULL;
	}
	journal_read_end(reading, NULL);
	return rc < 0 ? rc : count;
}

UNUSED static void file_path(const struct state_dir *dir, const char *name, char ret[128])
{
	snprintf(ret, 128, "%s/%s", dir->path, name);
}

UNUSED static uint64_t file_length(const struct state_dir *dir, const char *name)
{
	struct stat st;
	char path[128];

	file_path(dir, name, path);
	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

UNUSED static char *file_get(const struct state_dir *dir, const char *name, size_t *ret_length)
{
	char path[128], *data = malloc(1 << 20);
	FILE *file;

	file_path(dir, name, path);
	file = fopen(path, "r");
	assert_non_null(file);
	*ret_length = fread(data, 1, 1 << 20, file);
	fclose(file);
	return data;
}

UNUSED static void file_put(const struct state_dir *dir, const char *name, const char *data,
			    size_t length)
{
	char path[128];
	FILE *file;

	file_path(dir, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	fclose(file);
}

UNUSED static int truncate_file(const struct state_dir *dir, const char *name, uint64_t length)
{
	char path[128];

	file_path(dir, name, path);
	return truncate(path, (off_t)length);
}

UNUSED static bool file_there(const struct state_dir *dir, const char *name)
{
	char path[128];

	file_path(dir, name, path);
	return access(path, F_OK) == 0;
}

/* For tests that have one each, as *state. */
UNUSED static int dir_setup(void **state)
{
	static struct state_dir dir;

	dir_make(&dir);
	*state = &dir;
	return 0;
}

UNUSED static int dir_teardown(void **state)
{
	struct state_dir *dir = *state;

	if (dir->journal != NULL) /* it failed */
		dir_abandon(dir);
	dir_remove(dir);
	return 0;
}

#define dir_test(test) cmocka_unit_test_setup_teardown(test, dir_setup, dir_teardown)

/* An edit through the journal, with all the engine does. Returns what journal_append() says. */
UNUSED static int journal_commit(struct state_dir *dir, struct edit *edit, struct commit_info *info)
{
	struct commit_info plain = {.door = "test", .user = "tester"};
	struct candidate candidate;
	int result;

	if (info == NULL)
		info = &plain;
	candidate_open(&candidate, dir->running);
	assert_int_equal(apply(&candidate, edit, NULL), 0);
	assert_int_equal(candidate_choose_names(&candidate, NULL, NULL, NULL), 0);
	assert_int_equal(candidate_validate(&candidate, NULL), 0);
	dir->err = ERROR_INIT;
	result = journal_append(dir->journal, &candidate, info, &dir->err);
	if (result == 0) {
		assert_int_equal(candidate_publish(&candidate, dir->running), 0);
		journal_confirm(dir->journal, info->number);
	}
	candidate_discard(&candidate);
	return result;
}

/*
 * Commit number @n of a history that is always the same: a tunnel with two
 * sessions comes, the one before it changes, the one before that goes.
 */
UNUSED static struct edit *story(uint32_t n)
{
	struct edit *edit = edit_new();

	add_tunnel(edit, EDIT_CREATE, n);
	add_session(edit, EDIT_CREATE, n, 2 * n);
	add(edit, EDIT_CREATE, n, 2 * n + 1,
	    "peer-session-id=7 rx-cookie=0123456789abcdef description=50%");
	if (n > 1)
		add(edit, EDIT_MERGE, n - 1, 2 * (n - 1), "mtu=1300 dead-interval=30");
	if (n > 2)
		add(edit, EDIT_DELETE, n - 2, 0, "");
	return edit;
}

/* Running as it is after commit @n of the story. */
UNUSED static struct datastore *story_state(uint32_t n)
{
	struct datastore *running = datastore_new();

	for (uint32_t i = 1; i <= n; i++)
		commit(running, story(i));
	return running;
}

UNUSED static bool story_is_at(const struct datastore *running, uint32_t n)
{
	struct datastore *expected = story_state(n);
	bool same = same_config(running, expected);

	datastore_free(expected);
	return same;
}

UNUSED static void commit_story(struct state_dir *dir, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n <= to; n++)
		assert_int_equal(journal_commit(dir, story(n), NULL), 0);
}

/* A commit that needs its tunnel and does not touch it. */
UNUSED static void commit_session(struct state_dir *dir, uint32_t tunnel, uint32_t id)
{
	struct edit *edit = edit_new();

	add(edit, EDIT_MERGE, tunnel, 0, "");
	add_session(edit, EDIT_CREATE, tunnel, id);
	assert_int_equal(journal_commit(dir, edit, NULL), 0);
}

/* Append commit @n of the story and leave it unfinished. */
UNUSED static void append_only(struct state_dir *dir, uint32_t n, struct candidate *candidate)
{
	struct commit_info info = {.door = "test"};

	candidate_open(candidate, dir->running);
	assert_int_equal(apply(candidate, story(n), NULL), 0);
	assert_int_equal(candidate_choose_names(candidate, NULL, NULL, NULL), 0);
	assert_int_equal(journal_append(dir->journal, candidate, &info, NULL), 0);
	assert_int_equal(info.number, n);
	assert_int_equal(journal_unfinished(dir->journal), n);
}

#endif
