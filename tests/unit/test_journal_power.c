/*
 * The journal and the power cut. What a file holds after one is what it held at
 * its last fsync; what names a directory has, those of its last fsync or later
 * ones. Before every call that writes, the directory as it would then be is made
 * beside it and opened: nothing acknowledged may be missing.
 */
#include "state_dir.h"

#include <sys/syscall.h>

#define FILES_MAX      64
#define NAMES_MAX_HERE 8

static struct {
	bool on, exact; /* exact: nothing beyond what is acknowledged may be there either */
	pid_t pid;      /* children are on their own */
	struct state_dir *dir;
	uint32_t acknowledged;
	int cuts;
	struct durable {
		ino_t inode;
		size_t length;
		char *data;
	} files[FILES_MAX];
	struct name {
		char name[32];
		ino_t inode;
	} names[NAMES_MAX_HERE];
} disk;

static struct durable *durable_file(ino_t inode)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (disk.files[i].inode == inode || disk.files[i].inode == 0) {
			disk.files[i].inode = inode;
			return &disk.files[i];
		}
	}
	fail_msg("more files than thought of");
	return NULL;
}

static void list_names(struct name names[NAMES_MAX_HERE])
{
	DIR *list = opendir(disk.dir->path);
	struct dirent *entry;
	size_t count = 0;

	memset(names, 0, NAMES_MAX_HERE * sizeof(names[0]));
	while ((entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(names[count].name, sizeof(names[count].name), "%.31s", entry->d_name);
		names[count++].inode = entry->d_ino;
		assert_true(count < NAMES_MAX_HERE);
	}
	closedir(list);
}

/* What is in the file now will be there. */
static void note_sync(int fd)
{
	struct durable *file;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode)) {
		list_names(disk.names);
		return;
	}
	file = durable_file(st.st_ino);
	free(file->data);
	file->length = (size_t)st.st_size;
	file->data = malloc(file->length + 1);
	assert_int_equal(pread(fd, file->data, file->length, 0), st.st_size);
}

static void check_directory(const struct name names[NAMES_MAX_HERE])
{
	struct state_dir after;
	uint64_t generation, pending;

	dir_make(&after);
	for (size_t i = 0; i < NAMES_MAX_HERE && names[i].inode != 0; i++) {
		const struct durable *file = durable_file(names[i].inode);

		file_put(&after, names[i].name, file->data ? file->data : "", file->length);
	}
	must_open(&after);
	generation = journal_generation(after.journal);
	pending = journal_pending(after.journal);
	assert_true(generation == disk.acknowledged ||
		    (generation == disk.acknowledged + 1 && !disk.exact));
	assert_true(pending == 0 || pending == generation);
	assert_true(story_is_at(after.running, (uint32_t)(generation - (pending != 0))));
	dir_abandon(&after);
	dir_remove(&after);
}

static bool is_listed(const struct name names[NAMES_MAX_HERE], ino_t inode)
{
	for (size_t i = 0; i < NAMES_MAX_HERE; i++) {
		if (names[i].inode == inode)
			return true;
	}
	return false;
}

/* A file that has no name any more is gone, and its number may come again. */
static void forget_unlinked(const struct name names[NAMES_MAX_HERE])
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (is_listed(names, disk.files[i].inode) ||
		    is_listed(disk.names, disk.files[i].inode))
			continue;
		free(disk.files[i].data);
		disk.files[i].data = NULL;
		disk.files[i].length = 0;
	}
}

static void cut_power(void)
{
	struct name names[NAMES_MAX_HERE];

	if (!disk.on || getpid() != disk.pid)
		return;
	disk.on = false;
	check_directory(disk.names);
	list_names(names); /* of which the file system may have written all by itself */
	check_directory(names);
	forget_unlinked(names);
	disk.cuts++;
	disk.on = true;
}

static int synced(int fd, int result)
{
	if (disk.on && result == 0 && getpid() == disk.pid)
		note_sync(fd);
	return result;
}

int fsync(int fd)
{
	cut_power();
	return synced(fd, (int)syscall(SYS_fsync, fd));
}

int fdatasync(int fd)
{
	cut_power();
	return synced(fd, (int)syscall(SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t length)
{
	cut_power();
	return (int)syscall(SYS_ftruncate, fd, length);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	cut_power();
	return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	cut_power();
	return syscall(SYS_pwrite64, fd, data, size, offset);
}

static void append_and_revoke(struct state_dir *dir, uint32_t n)
{
	struct candidate candidate;
	struct commit_info info = {.door = "test"};

	candidate_open(&candidate, dir->running);
	assert_int_equal(apply(&candidate, story(n), NULL), 0);
	assert_int_equal(candidate_choose_names(&candidate, NULL, NULL, NULL), 0);
	assert_int_equal(journal_append(dir->journal, &candidate, &info, NULL), 0);
	assert_int_equal(journal_revoke(dir->journal, info.number, NULL), 0);
	candidate_discard(&candidate);
}

static void commit_acknowledged(struct state_dir *dir, uint32_t n)
{
	assert_int_equal(journal_commit(dir, story(n), NULL), 0);
	disk.acknowledged = n;
	cut_power();
}

static void note_child_sync(const struct state_dir *dir, const char *name)
{
	char path[128];
	int fd;

	file_path(dir, name, path);
	fd = open(path, O_RDONLY);
	note_sync(fd);
	close(fd);
}

/* A commit while the child writes; what the child has synced is on the disk. */
static void fold_around(struct state_dir *dir, uint32_t n)
{
	siginfo_t info;
	pid_t pid;

	dir->journal->fold_min = 1;
	dir->journal->config_size = 1;
	assert_int_equal(journal_maintain(dir->journal, dir->running, &dir->err), 0);
	pid = journal_snapshot_pid(dir->journal);
	assert_true(pid != 0);
	note_child_sync(dir, "journal");
	commit_acknowledged(dir, n);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	note_child_sync(dir, "config.xml.new");
	note_child_sync(dir, "journal.new");
	assert_int_equal(journal_maintain(dir->journal, dir->running, &dir->err), 0);
	assert_int_equal(dir->journal->base, n - 1);
	cut_power();
}

static void the_power_may_go_at_every_point(void **state)
{
	struct state_dir dir;
	uint32_t n = 0;

	(void)state;
	dir_make(&dir);
	must_open(&dir);
	disk.dir = &dir;
	disk.pid = getpid();
	list_names(disk.names);
	disk.on = true;
	for (int round = 0; round < 3; round++) {
		commit_acknowledged(&dir, ++n);
		append_and_revoke(&dir, n + 1);
		disk.exact = true;
		cut_power();
		disk.exact = false;
		commit_acknowledged(&dir, ++n);
		fold_around(&dir, ++n);
		commit_acknowledged(&dir, ++n);
		assert_int_equal(fold_now(dir.journal, &dir.err), 0);
		cut_power();
	}
	commit_acknowledged(&dir, ++n);
	dir_close(&dir);
	cut_power();
	disk.on = false;
	assert_true(disk.cuts > 100);
	for (size_t i = 0; i < FILES_MAX; i++)
		free(disk.files[i].data);
	dir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_power_may_go_at_every_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
