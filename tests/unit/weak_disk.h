/*
 * A disk as weak as disks are, under the state directory of a test: in place of
 * the C library's calls that write, which fail when told to, and are remembered.
 * A power cut at any moment leaves, of what was not synced, some 512-byte sectors
 * and others not, in any order, torn or zero-filled, and of the names that were
 * not synced the first ones, or any. What an fsync that failed should have written
 * is there or not, and no later fsync makes it certain.
 *
 * What a child of the test writes is seen when it is done, and what it syncs is told.
 */
#ifndef TESTS_UNIT_WEAK_DISK_H
#define TESTS_UNIT_WEAK_DISK_H

#include "state_dir.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SECTOR      512
#define DISK_NAMES  8
#define DISK_SYNCS  256
#define DISK_LENGTH (1U << 20) /* of a file, at most */

/* ---- calls that fail */

static struct {
	int at, width;    /* calls number at .. at + width - 1 fail; 0: none */
	const char *call; /* of that name; NULL: of any */
	int calls;
	int with; /* errno */
} failure;

static bool fails(const char *call)
{
	if (failure.at == 0 || (failure.call && strcmp(failure.call, call) != 0))
		return false;
	failure.calls++;
	errno = failure.with;
	return failure.calls >= failure.at && failure.calls < failure.at + failure.width;
}

/* The @at-th call of that name from now on fails with @with, once. 0: none. */
UNUSED static void fail_call(const char *call, int at, int with)
{
	failure.call = call;
	failure.at = at;
	failure.width = 1;
	failure.with = with;
	failure.calls = 0;
}

/* No file may get longer than that: the disk is full. 0: it has room. */
static uint64_t disk_room;

static bool is_full(uint64_t end)
{
	errno = ENOSPC;
	return disk_room != 0 && end > disk_room;
}

/* ---- what is remembered */

enum disk_state { DISK_PENDING, DISK_SYNCED, DISK_LIMBO };

struct disk_write {
	uint64_t offset;
	size_t length;
	char *data; /* NULL: the file was cut there */
	enum disk_state state;
};

struct disk_file {
	ino_t inode;
	int fd; /* so that the inode is not used again */
	char *base;
	size_t base_length;
	struct disk_write *writes; /* over the base, in order */
	size_t count;
	struct disk_file *next;
};

struct disk_name {
	char name[32];
	struct disk_file *file; /* NULL: no file of that name */
};

struct disk_change {
	struct disk_name names[DISK_NAMES]; /* that differ since the change before */
	size_t count;
	enum disk_state state;
};

struct disk_names {
	struct disk_name at[DISK_NAMES];
	size_t count;
};

/* Told by children: what they synced, and how long it was. */
struct disk_synced {
	ino_t inode;
	off_t length;
};

static struct {
	const struct state_dir *dir; /* NULL: nothing is remembered */
	ino_t inode;                 /* the directory's */
	pid_t pid;
	pthread_t main;
	pthread_mutex_t mutex;
	void (*cut)(const char *after); /* before each call: power may be cut */
	struct disk_file *files;
	struct disk_names base, now;
	struct disk_change *changes;
	size_t change_count;
	struct {
		unsigned int count;
		struct disk_synced at[DISK_SYNCS];
	} * children;
	unsigned int children_seen;
	unsigned int random;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static double disk_luck(void)
{
	return (double)rand_r(&disk.random) / ((double)RAND_MAX + 1);
}

static size_t disk_choose(size_t count)
{
	return (size_t)(disk_luck() * (double)count);
}

/* ---- files */

static void put_write(char *data, size_t *length, const struct disk_write *write)
{
	size_t end = (size_t)write->offset + write->length;

	assert_true(end <= DISK_LENGTH);
	if (!write->data) {
		if (end < *length)
			memset(data + end, 0, *length - end);
		*length = end;
		return;
	}
	memcpy(data + write->offset, write->data, write->length);
	*length = end > *length ? end : *length;
}

static void add_write(struct disk_file *file, uint64_t offset, const char *data, size_t length)
{
	struct disk_write *write;

	file->writes = realloc(file->writes, (file->count + 1) * sizeof(*file->writes));
	write = &file->writes[file->count++];
	*write = (struct disk_write){offset, length, NULL, DISK_PENDING};
	if (!data)
		return;
	write->data = malloc(length + 1);
	memcpy(write->data, data, length);
}

/* As it is in the page cache. */
static char *file_now(const struct disk_file *file, size_t *ret_length)
{
	char *data = calloc(1, DISK_LENGTH);

	memcpy(data, file->base, file->base_length);
	*ret_length = file->base_length;
	for (size_t i = 0; i < file->count; i++)
		put_write(data, ret_length, &file->writes[i]);
	return data;
}

/* What is safe becomes the base, as far as nothing uncertain comes before it. */
static void settle_file(struct disk_file *file)
{
	char *data = calloc(1, DISK_LENGTH);
	size_t done = 0, length = file->base_length;

	memcpy(data, file->base, length);
	for (; done < file->count && file->writes[done].state == DISK_SYNCED; done++) {
		put_write(data, &length, &file->writes[done]);
		free(file->writes[done].data);
	}
	file->base = realloc(file->base, length + 1);
	memcpy(file->base, data, length);
	file->base_length = length;
	file->count -= done;
	memmove(file->writes, file->writes + done, file->count * sizeof(*file->writes));
	free(data);
}

static void sync_file(struct disk_file *file, bool done)
{
	for (size_t i = 0; i < file->count; i++)
		if (file->writes[i].state == DISK_PENDING)
			file->writes[i].state = done ? DISK_SYNCED : DISK_LIMBO;
	settle_file(file);
}

static struct disk_file *find_file(ino_t inode)
{
	struct disk_file *file = disk.files;

	while (file && file->inode != inode)
		file = file->next;
	return file;
}

static struct disk_file *file_of(int fd)
{
	struct stat st;

	return disk.dir && getpid() == disk.pid && fstat(fd, &st) == 0 ? find_file(st.st_ino)
								       : NULL;
}

/* What a child wrote in it, if it did. */
static void look_into(struct disk_file *file)
{
	char *data = calloc(1, DISK_LENGTH), *known;
	ssize_t length = pread(file->fd, data, DISK_LENGTH, 0);
	size_t known_length;

	known = file_now(file, &known_length);
	if ((size_t)length != known_length || memcmp(data, known, known_length) != 0) {
		add_write(file, 0, NULL, 0);
		add_write(file, 0, data, (size_t)length);
	}
	free(known);
	free(data);
}

/* ---- names */

/* NULL: a child took the name away meanwhile. */
static struct disk_file *see_file(int dirfd, const char *name, ino_t inode)
{
	struct disk_file *file = find_file(inode);
	int fd = file ? -1 : openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (file || fd < 0)
		return file;
	file = calloc(1, sizeof(*file));
	file->inode = inode;
	file->fd = fd;
	file->base = calloc(1, 1);
	file->next = disk.files;
	disk.files = file;
	return file;
}

static void list_names(struct disk_names *ret)
{
	DIR *list = opendir(disk.dir->path);
	struct dirent *entry;

	ret->count = 0;
	while ((entry = readdir(list)) != NULL) {
		struct disk_name *at = &ret->at[ret->count];

		if (entry->d_name[0] == '.')
			continue;
		assert_true(ret->count < DISK_NAMES);
		snprintf(at->name, sizeof(at->name), "%.31s", entry->d_name);
		at->file = see_file(dirfd(list), entry->d_name, entry->d_ino);
		ret->count += at->file != NULL;
	}
	closedir(list);
}

static struct disk_file *named(const struct disk_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->at[i].name, name) == 0)
			return names->at[i].file;
	return NULL;
}

static void set_name(struct disk_names *names, const struct disk_name *name)
{
	size_t i = 0;

	while (i < names->count && strcmp(names->at[i].name, name->name) != 0)
		i++;
	if (name->file) {
		assert_true(i < DISK_NAMES);
		names->at[i] = *name;
		names->count += i == names->count;
	} else if (i < names->count) {
		names->at[i] = names->at[--names->count];
	}
}

static void set_names(struct disk_names *names, const struct disk_change *change)
{
	for (size_t i = 0; i < change->count; i++)
		set_name(names, &change->names[i]);
}

static void note_name(struct disk_change *change, const char *name, struct disk_file *file)
{
	struct disk_name *at = &change->names[change->count++];

	assert_true(change->count <= DISK_NAMES);
	snprintf(at->name, sizeof(at->name), "%s", name);
	at->file = file;
}

/* One change of all names that differ from what is remembered, for a rename changes two. */
static void look_at_names(void)
{
	struct disk_change change = {.state = DISK_PENDING};
	struct disk_names names;

	list_names(&names);
	for (size_t i = 0; i < names.count; i++)
		if (named(&disk.now, names.at[i].name) != names.at[i].file)
			note_name(&change, names.at[i].name, names.at[i].file);
	for (size_t i = 0; i < disk.now.count; i++)
		if (!named(&names, disk.now.at[i].name))
			note_name(&change, disk.now.at[i].name, NULL);
	disk.now = names;
	if (change.count == 0)
		return;
	disk.changes = realloc(disk.changes, (disk.change_count + 1) * sizeof(*disk.changes));
	disk.changes[disk.change_count++] = change;
}

static void sync_names(bool done)
{
	size_t settled = 0;

	for (size_t i = 0; i < disk.change_count; i++)
		if (disk.changes[i].state == DISK_PENDING)
			disk.changes[i].state = done ? DISK_SYNCED : DISK_LIMBO;
	for (; settled < disk.change_count && disk.changes[settled].state == DISK_SYNCED; settled++)
		set_names(&disk.base, &disk.changes[settled]);
	disk.change_count -= settled;
	memmove(disk.changes, disk.changes + settled, disk.change_count * sizeof(*disk.changes));
}

/* All that is not known yet: names, and what children wrote and synced. */
static void disk_look(void)
{
	unsigned int told = __atomic_load_n(&disk.children->count, __ATOMIC_ACQUIRE);

	look_at_names();
	for (size_t i = 0; i < disk.now.count; i++)
		if (strstr(disk.now.at[i].name, ".new"))
			look_into(disk.now.at[i].file);
	for (; disk.children_seen < told; disk.children_seen++) {
		const struct disk_synced *synced = &disk.children->at[disk.children_seen];
		struct disk_file *file = find_file(synced->inode);
		struct stat st;

		if (file && fstat(file->fd, &st) == 0 && st.st_size == synced->length)
			sync_file(file, true);
	}
}

/* ---- the calls */

/* Children tell of their syncs, and are not cut off: they write what is renamed later. */
static void tell_sync(int fd)
{
	unsigned int at;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return;
	at = __atomic_load_n(&disk.children->count, __ATOMIC_ACQUIRE);
	assert_true(at < DISK_SYNCS);
	disk.children->at[at] = (struct disk_synced){st.st_ino, st.st_size};
	__atomic_store_n(&disk.children->count, at + 1, __ATOMIC_RELEASE);
}

static void before(const char *call, int fd)
{
	struct stat st;

	if (disk.cut && disk.dir && getpid() == disk.pid &&
	    pthread_equal(pthread_self(), disk.main) && fstat(fd, &st) == 0 &&
	    (st.st_ino == disk.inode || find_file(st.st_ino)))
		disk.cut(call);
	pthread_mutex_lock(&disk.mutex);
}

static int after(int rc)
{
	int error = errno;

	pthread_mutex_unlock(&disk.mutex);
	errno = error;
	return rc;
}

/* A test may hold up the thread that syncs, and see which it was. */
static pthread_mutex_t sync_gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_t sync_thread;

static int synced(const char *call, int fd, long number)
{
	struct disk_file *file;
	struct stat st;
	int rc;

	pthread_mutex_lock(&sync_gate);
	sync_thread = pthread_self();
	pthread_mutex_unlock(&sync_gate);
	before(call, fd);
	if (disk.dir && getpid() == disk.pid)
		disk_look(); /* what stdio wrote, too */
	rc = fails(call) ? -1 : (int)syscall(number, fd);
	if (disk.dir && getpid() != disk.pid) {
		if (rc == 0)
			tell_sync(fd);
		return after(rc);
	}
	file = file_of(fd);
	if (file)
		sync_file(file, rc == 0);
	else if (disk.dir && fstat(fd, &st) == 0 && st.st_ino == disk.inode)
		sync_names(rc == 0);
	return after(rc);
}

int fsync(int fd)
{
	return synced("fsync", fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return synced("fdatasync", fd, SYS_fdatasync);
}

int ftruncate(int fd, off_t length)
{
	struct disk_file *file;
	int rc;

	before("ftruncate", fd);
	rc = fails("ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, length);
	file = file_of(fd);
	if (file && rc == 0)
		add_write(file, (uint64_t)length, NULL, 0);
	return after(rc);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	bool ours;
	struct stat st;
	int rc;

	before("renameat", to_dir);
	ours = disk.dir && getpid() == disk.pid && fstat(to_dir, &st) == 0 &&
	       st.st_ino == disk.inode;
	if (ours)
		disk_look();
	rc = fails("renameat") ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
	if (ours)
		disk_look();
	return after(rc);
}

/* A child of the remembered directory's daemon stops at once: SIGCONT lets it work. */
pid_t fork(void)
{
	pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
	bool held = disk.dir && getpid() == disk.pid;
	pid_t pid = real();

	if (held && pid == 0)
		raise(SIGSTOP);
	if (held && pid > 0)
		waitpid(pid, NULL, WUNTRACED);
	return pid;
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	before("fallocate", fd);
	return after(fails("fallocate") || is_full((uint64_t)(offset + length))
			     ? -1
			     : (int)syscall(SYS_fallocate, fd, mode, offset, length));
}

/* What is refused was written in part, as on a full disk. */
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	struct disk_file *file;
	bool failed;
	int error;
	ssize_t done;

	before("pwrite", fd);
	failed = fails("pwrite") || is_full((uint64_t)offset + size);
	error = errno;
	file = file_of(fd);
	if (!file && disk.dir && getpid() == disk.pid) { /* just made */
		disk_look();
		file = file_of(fd);
	}
	done = syscall(SYS_pwrite64, fd, data, failed ? size / 2 : size, offset);
	if (file && done > 0)
		add_write(file, (uint64_t)offset, data, (size_t)done);
	errno = failed ? error : errno;
	return after(0) + (failed ? -1 : done);
}

/* ---- its life */

UNUSED static void disk_begin(const struct state_dir *dir, unsigned int seed,
			      void (*cut)(const char *after))
{
	struct stat st;

	assert_int_equal(stat(dir->path, &st), 0);
	disk.children = mmap(NULL, sizeof(*disk.children), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(disk.children, MAP_FAILED);
	disk.inode = st.st_ino;
	disk.pid = getpid();
	disk.main = pthread_self();
	disk.random = seed;
	disk.cut = cut;
	disk.dir = dir;
}

/* The thread that syncs may still be at it. */
UNUSED static void disk_end(void)
{
	struct disk_file *next;

	pthread_mutex_lock(&disk.mutex);
	disk.dir = NULL;
	disk.cut = NULL;
	for (struct disk_file *file = disk.files; file; file = next) {
		next = file->next;
		for (size_t i = 0; i < file->count; i++)
			free(file->writes[i].data);
		close(file->fd);
		free(file->writes);
		free(file->base);
		free(file);
	}
	disk.files = NULL;
	free(disk.changes);
	disk.changes = NULL;
	disk.change_count = disk.base.count = disk.now.count = disk.children_seen = 0;
	munmap(disk.children, sizeof(*disk.children));
	pthread_mutex_unlock(&disk.mutex);
}

/* ---- the power goes */

/*
 * Each sector of a write that was not synced comes to the disk with that likelihood. One written
 * with what it has already cannot be torn.
 */
static void keep_sectors(char *data, const struct disk_write *write, double kept)
{
	size_t length;

	for (size_t done = 0; done < write->length; done += length) {
		uint64_t offset = write->offset + done;

		length = SECTOR - offset % SECTOR;
		length = length < write->length - done ? length : write->length - done;
		if (disk_luck() >= kept || memcmp(data + offset, write->data + done, length) == 0)
			continue;
		memcpy(data + offset, write->data + done, length);
		if (disk_luck() >= 0.02)
			continue;
		for (size_t torn = disk_choose(length); torn < length; torn++)
			data[offset + torn] = (char)rand_r(&disk.random);
	}
}

/* The caller frees it. */
static char *file_after_cut(const struct disk_file *file, size_t *ret_length)
{
	static const double likely[] = {0.1, 0.5, 0.9};
	double luck = disk_luck(), kept = likely[disk_choose(3)];
	char *data;
	size_t *sizes, count = 0;

	if (luck < 0.15) /* all of it came through */
		return file_now(file, ret_length);
	data = calloc(1, DISK_LENGTH);
	sizes = calloc(file->count + 1, sizeof(*sizes));
	memcpy(data, file->base, file->base_length);
	*ret_length = sizes[count++] = file->base_length;
	for (size_t i = 0; i < file->count; i++) {
		const struct disk_write *write = &file->writes[i];
		size_t end = (size_t)write->offset + write->length;

		if (write->state == DISK_SYNCED) {
			put_write(data, ret_length, write);
			sizes[0] = *ret_length;
			count = 1;
		} else if (luck < 0.3) { /* nothing of it */
			continue;
		} else if (!write->data) {
			if (disk_luck() < 0.5)
				memset(data + end, 0, DISK_LENGTH - end);
			sizes[count++] = end;
		} else {
			keep_sectors(data, write, kept);
			sizes[count] = end > sizes[count - 1] ? end : sizes[count - 1];
			count++;
		}
	}
	*ret_length = luck < 0.9 ? sizes[disk_choose(count)] : sizes[count - 1];
	free(sizes);
	return data;
}

static struct disk_names names_after_cut(void)
{
	double luck = disk_luck();
	size_t first = disk_choose(disk.change_count + 1);
	struct disk_names names = disk.base;

	for (size_t i = 0; i < disk.change_count; i++) {
		bool kept = luck < 0.2 ? true : luck < 0.5 ? disk_luck() < 0.5 : i < first;

		if (kept || disk.changes[i].state == DISK_SYNCED)
			set_names(&names, &disk.changes[i]);
	}
	return names;
}

/* What a power cut now leaves, in another directory. */
UNUSED static void disk_after_cut(const struct state_dir *ret)
{
	struct disk_names names;

	pthread_mutex_lock(&disk.mutex);
	disk_look();
	names = names_after_cut();
	for (size_t i = 0; i < names.count; i++) {
		size_t length;
		char *data = file_after_cut(names.at[i].file, &length);

		file_put(ret, names.at[i].name, data, length);
		free(data);
	}
	pthread_mutex_unlock(&disk.mutex);
}

/* What a kill now leaves: the page cache stays. */
UNUSED static void disk_after_kill(const struct state_dir *dir, const struct state_dir *ret)
{
	static const char *const names[] = {"config.xml", "journal"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length;
		char *data;

		if (!file_there(dir, names[i]))
			continue;
		data = file_get(dir, names[i], &length);
		file_put(ret, names[i], data, length);
		free(data);
	}
}

#endif
