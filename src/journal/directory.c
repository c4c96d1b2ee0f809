#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "journal/journal_file.h"

#define DIRECTORY_MODE 0700
#define FILE_MODE      0600
#define OTHERS         077
#define LOCK_TRIES     50
#define LOCK_PAUSE_NS  10000000
#define LINKS_MAX      40
#define OLD_LOCK_FILE  "lock" /* of versions that locked a file, which anybody could remove */

/* ---- messages */

void journal_warn(struct journal *journal, const char *format, ...)
{
	char *warning = journal->warning;
	size_t length = strlen(warning);
	va_list arguments;

	if (length > 0)
		length += (size_t)snprintf(warning + length, JOURNAL_WARNING_MAX - length, "\n");
	if (length >= JOURNAL_WARNING_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(warning + length, JOURNAL_WARNING_MAX - length, format, arguments);
	va_end(arguments);
}

static const char *cure_for(int os_errno)
{
	switch (os_errno) {
	case ENOSPC:
	case EDQUOT:
		return "free some space there";
	case EROFS:
		return "make the file system writable again";
	case EACCES:
	case EPERM:
		return "check owner and mode";
	case ENOENT:
		return "put back what is missing";
	case ELOOP:
	case EISDIR:
	case ENOTDIR:
		return "correct the symbolic link";
	case EFBIG:
		return "raise the limit on file sizes";
	case ENOMEM:
		return "free some memory";
	case ESTALE:
		return "restart the daemon to continue from what is there now";
	default:
		return "check the disk";
	}
}

int journal_error(const struct journal *journal, struct error *err, int rc, const char *what,
		  const char *name, const char *consequence)
{
	return error_set_errno(err, ERROR_STORAGE, -rc, "cannot %s %s/%s; %s; %s", what,
			       journal->directory, name, consequence, cure_for(-rc));
}

void journal_print_commits(char ret[64], uint64_t first, uint64_t last)
{
	if (first == last)
		snprintf(ret, 64, "commit %" PRIu64, first);
	else
		snprintf(ret, 64, "commits %" PRIu64 " to %" PRIu64, first, last);
}

/* ---- creating, durably */

/* Without its entry in the parent, a power cut would lose the directory and all that is in it. */
static int sync_parent(int fd)
{
	int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = parent >= 0 ? fsync(parent) : syncfs(fd);
	rc = rc < 0 && errno != EINVAL && errno != EROFS ? -errno : 0;
	if (parent >= 0)
		close(parent);
	return rc;
}

static int directory_create(struct journal *journal)
{
	bool made = mkdir(journal->directory, DIRECTORY_MODE) == 0;

	if (!made && errno != EEXIST)
		return -errno;
	journal->dirfd = open(journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (journal->dirfd < 0)
		return -errno;
	return made ? sync_parent(journal->dirfd) : 0;
}

/* ---- one daemon */

/*
 * A second daemon would undo the work of the first. The lock is on the directory itself, so
 * removing files cannot break it. Children inherit it, and the child of a fold outlives a killed
 * daemon by a moment.
 */
static int lock_directory(const struct journal *journal)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int tries = 0; flock(journal->dirfd, LOCK_EX | LOCK_NB) < 0; tries++) {
		if (errno != EWOULDBLOCK || tries == LOCK_TRIES)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Parses "1: FLOCK ADVISORY WRITE 4711 08:02:131075 0 EOF"; returns 0 if there is no such lock. */
static int lock_holder(int fd)
{
	FILE *file = fopen("/proc/locks", "re");
	struct stat st = {0};
	unsigned int major_number, minor_number;
	unsigned long inode;
	char line[128];
	int pid, found = 0;

	fstat(fd, &st);
	while (file && !found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &major_number,
			   &minor_number, &inode) == 4 &&
		    inode == st.st_ino && makedev(major_number, minor_number) == st.st_dev)
			found = pid;
	if (file)
		fclose(file);
	return found;
}

static int refuse_locked(const struct journal *journal, int pid, struct error *err)
{
	char process[32] = "another process";

	if (pid > 0)
		snprintf(process, sizeof(process), "process %d", pid);
	return error_set(err, ERROR_BUSY,
			 "%s uses the state directory %s; stop that daemon, or give this "
			 "one a directory of its own",
			 process, journal->directory);
}

/* The daemon of that lock may still run. */
static int leave_old_lock(const struct journal *journal, struct error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd =
		openat(journal->dirfd, OLD_LOCK_FILE, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool held;

	if (fd < 0)
		return 0;
	held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	if (held)
		return refuse_locked(journal, lock.l_pid, err);
	unlinkat(journal->dirfd, OLD_LOCK_FILE, 0);
	return 0;
}

int directory_place(const struct journal *journal)
{
	struct stat ours, named;

	if (stat(journal->directory, &named) < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ESTALE : -errno;
	if (fstat(journal->dirfd, &ours) < 0)
		return -errno;
	return ours.st_dev == named.st_dev && ours.st_ino == named.st_ino ? 0 : -ESTALE;
}

/* ---- for the daemon's user alone */

/* Do not close /tmp or /var/lib to others, given by mistake. */
static bool is_shared(const struct journal *journal, mode_t mode)
{
	int fd = openat(journal->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	bool shared = mode & S_ISVTX;
	struct dirent *entry;
	struct stat st;

	while (list && !shared && (entry = readdir(list)) != NULL)
		shared = entry->d_name[0] != '.' && strcmp(entry->d_name, "lost+found") != 0 &&
			 fstatat(journal->dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 S_ISDIR(st.st_mode);
	if (list)
		closedir(list);
	else if (fd >= 0)
		close(fd);
	return shared;
}

static void close_directory(struct journal *journal)
{
	const char *why;
	struct stat st;

	if (fstat(journal->dirfd, &st) < 0 || !(st.st_mode & OTHERS))
		return;
	if (is_shared(journal, st.st_mode))
		why = "others have files there: give the daemon a directory of its own";
	else if (fchmod(journal->dirfd, DIRECTORY_MODE) < 0)
		why = strerror(errno);
	else
		why = NULL;
	if (why)
		journal_warn(journal, "%s is open to others (mode %04o), and will hold cookies: %s",
			     journal->directory, st.st_mode & 07777, why);
	else
		journal_warn(journal,
			     "%s was open to others (mode %04o), and holds cookies: only the "
			     "daemon's user can enter it now (0700)",
			     journal->directory, st.st_mode & 07777);
}

static void close_file(struct journal *journal, int dirfd, const char *name, const char *said)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & OTHERS) &&
	    fchmod(fd, FILE_MODE) == 0)
		journal_warn(journal,
			     "%s/%s was open to others (mode %04o), and holds cookies: only the "
			     "daemon's user can read it now (0600)",
			     journal->directory, said, st.st_mode & 07777);
	close(fd);
}

/*
 * Ignore errors, as on a read-only disk: the directory above is closed, or its warning was given.
 */
static void close_to_others(struct journal *journal)
{
	struct file_place config;

	close_directory(journal);
	close_file(journal, journal->dirfd, JOURNAL_FILE, JOURNAL_FILE);
	if (config_place(journal, &config) == 0)
		close_file(journal, config.dirfd, config.name, CONFIG_FILE);
	place_close(&config);
}

int directory_open(struct journal *journal, struct error *err)
{
	int rc = directory_create(journal);

	if (rc < 0)
		return error_set_errno(err, ERROR_STORAGE, -rc,
				       "cannot open the state directory %s", journal->directory);
	rc = lock_directory(journal);
	if (rc == -EWOULDBLOCK)
		return refuse_locked(journal, lock_holder(journal->dirfd), err);
	if (rc < 0)
		return error_set_errno(err, ERROR_STORAGE, -rc,
				       "cannot lock the state directory %s, which another daemon "
				       "may be using; give this one a directory on another disk",
				       journal->directory);
	rc = leave_old_lock(journal, err);
	if (rc < 0)
		return rc;
	close_to_others(journal);
	directory_sweep(journal);
	return 0;
}

/* ---- names */

void place_close(struct file_place *place)
{
	if (place->dirfd >= 0)
		close(place->dirfd);
	place->dirfd = -1;
}

/* Follow one link: @target is relative to the place. */
static int place_follow(struct file_place *place, char *target)
{
	char *slash = strrchr(target, '/');
	char *name = slash ? slash + 1 : target;
	int fd = place->dirfd;

	if (*name == '\0' || strlen(name) + sizeof(NEW_SUFFIX) > sizeof(place->name))
		return *name == '\0' ? -EISDIR : -ENAMETOOLONG;
	memcpy(place->name, name, strlen(name) + 1);
	if (!slash)
		return 0;
	*name = '\0'; /* keep the slash, so that "/" works too */
	place->dirfd = openat(fd, target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(fd);
	return place->dirfd < 0 ? -errno : 0;
}

int config_place(const struct journal *journal, struct file_place *ret)
{
	struct file_place place = {openat(journal->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				   CONFIG_FILE};
	int rc = place.dirfd < 0 ? -errno : 0;

	*ret = (struct file_place){.dirfd = -1};
	for (int links = 0; rc == 0; links++) {
		char target[PATH_MAX];
		ssize_t length = readlinkat(place.dirfd, place.name, target, sizeof(target) - 1);

		if (length < 0 && (errno == EINVAL || errno == ENOENT)) {
			*ret = place;
			return 0;
		}
		rc = length < 0 ? -errno : links == LINKS_MAX ? -ELOOP : 0;
		if (rc < 0)
			break;
		target[length] = '\0';
		rc = place_follow(&place, target);
	}
	place_close(&place);
	return rc;
}

/* Never follow a symbolic link or open an existing file. */
int place_create(const struct file_place *place, const char *name, int *ret_fd)
{
	int fd;

	unlinkat(place->dirfd, name, 0);
	fd = openat(place->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    FILE_MODE);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

void directory_sweep(struct journal *journal)
{
	char name[NAME_MAX + sizeof(NEW_SUFFIX)];
	struct file_place config;

	unlinkat(journal->dirfd, JOURNAL_NEW, 0);
	if (config_place(journal, &config) == 0) {
		snprintf(name, sizeof(name), "%s" NEW_SUFFIX, config.name);
		unlinkat(config.dirfd, name, 0);
	}
	place_close(&config);
}
