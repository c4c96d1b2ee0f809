/*
 * config.xml, which people read, and may edit while the daemon is down. Its last line is a stamp: a
 * comment with the number of the last commit in the file and the checksum of all lines above.
 * Editors need not keep it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "journal/journal_file.h"
#include "store/publish.h"

#define STAMP_BEGIN     "<!-- commit "
#define STAMP           STAMP_BEGIN "%" PRIu64 " checksum %08" PRIx32 " -->\n"
#define STAMP_MAX       128
#define CHANGES_TOLD    20
#define CHANGE_TEXT_MAX 240

/* ---- the stamp */

static int checksum_of(int fd, uint64_t size, uint32_t *ret)
{
	char buffer[65536];
	uint32_t crc = 0;
	ssize_t got;

	for (uint64_t at = 0; at < size; at += (uint64_t)got) {
		size_t part = size - at < sizeof(buffer) ? (size_t)(size - at) : sizeof(buffer);

		got = pread(fd, buffer, part, (off_t)at);
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		crc = frame_checksum(crc, buffer, (size_t)got);
	}
	*ret = crc;
	return 0;
}

/* Older versions wrote no checksum, and files written by hand may have no stamp. */
static int read_stamp(int fd, struct config_stamp *ret)
{
	char end[STAMP_MAX] = "", *stamp;
	uint64_t begin = ret->size < sizeof(end) ? 0 : ret->size - sizeof(end) + 1;
	size_t length = (size_t)(ret->size - begin);
	int words;

	if (pread(fd, end, length, (off_t)begin) != (ssize_t)length)
		return -EIO;
	stamp = strstr(end, STAMP_BEGIN);
	if (!stamp)
		return checksum_of(fd, ret->size, &ret->actual);
	ret->stamped = true;
	words = sscanf(stamp, STAMP_BEGIN "%" SCNu64 " checksum %8" SCNx32 " -->", &ret->number,
		       &ret->checksum);
	if (words < 1)
		ret->number = 0;
	ret->has_checksum = words == 2;
	return checksum_of(fd, begin + (uint64_t)(stamp - end), &ret->actual);
}

int config_look(const struct journal *journal, struct config_stamp *ret)
{
	int fd = openat(journal->dirfd, CONFIG_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	struct stat st;

	*ret = (struct config_stamp){0};
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EISDIR;
	ret->there = rc == 0;
	ret->size = (uint64_t)st.st_size;
	if (rc == 0)
		rc = read_stamp(fd, ret);
	close(fd);
	return rc;
}

/* ---- edits by others */

/*
 * The journal's base holds the checksum of the config.xml written with it, which reveals even an
 * edit that removed the stamp. A config.xml with another number was written at another time: check
 * it against its own stamp.
 */
bool config_was_changed(const struct config_stamp *stamp, const struct commit_record *base)
{
	if (!stamp->there)
		return false;
	if (base->has_config && (stamp->number == 0 || stamp->number == base->info.number))
		return stamp->actual != base->config;
	return stamp->has_checksum && stamp->actual != stamp->checksum;
}

bool config_stamp_is_damaged(const struct config_stamp *stamp, const struct commit_record *base)
{
	return stamp->stamped && base->has_config && stamp->actual == base->config &&
	       (!stamp->has_checksum || stamp->checksum != base->config);
}

static int fill_with_base(struct datastore *written, struct commit_record record)
{
	struct candidate candidate;
	struct change_read read = {0};
	int rc;

	candidate_open(&candidate, written);
	while ((rc = commit_format(JOURNAL_VERSION)->read_change(&record, &read, NULL)) > 0) {
		rc = change_read_put(&read, false, &candidate);
		if (rc < 0)
			break;
	}
	change_read_end(&read);
	if (rc == 0)
		rc = candidate_publish(&candidate, written);
	candidate_discard(&candidate);
	return rc;
}

/* Make @ret lead from the configuration as it was written to the one in the file. */
static int find_changes(const struct journal *journal, struct candidate *ret)
{
	struct edit *edit = NULL;
	char *path = NULL;
	int rc;

	if (asprintf(&path, "%s/%s", journal->directory, CONFIG_FILE) < 0)
		return -ENOMEM;
	rc = journal->codec.read(path, &edit, NULL, journal->codec.arg);
	if (rc == 0)
		rc = candidate_apply(ret, edit, NULL);
	edit_free(edit);
	free(path);
	return rc;
}

static void tell_change(struct journal *journal, const struct change *change)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return;
	change_print(file, change, 0);
	if (fclose(file) == 0)
		journal_warn(journal, CONFIG_FILE ": %.*s",
			     (int)(length > CHANGE_TEXT_MAX ? CHANGE_TEXT_MAX : length - 1), text);
	free(text);
}

static void tell_all(struct journal *journal, const struct candidate *changes)
{
	struct change *at = candidate_first(changes);

	for (int i = 0; at && i < CHANGES_TOLD; i++, at = change_next(at))
		tell_change(journal, at);
	if (at)
		journal_warn(journal, CONFIG_FILE ": ... and %zu more",
			     changes->count - CHANGES_TOLD);
}

static int tell_differences(struct journal *journal, const struct commit_record *base)
{
	struct datastore *written = datastore_new();
	struct candidate changes;
	int rc = written ? fill_with_base(written, *base) : -ENOMEM;

	if (rc == 0) {
		candidate_open(&changes, written);
		rc = find_changes(journal, &changes);
		if (rc == 0)
			journal_warn(journal,
				     "%s/%s was changed since it was written with commit %" PRIu64
				     ": %zu tunnels and sessions differ; what it says now counts",
				     journal->directory, CONFIG_FILE, base->info.number,
				     changes.count);
		if (rc == 0)
			tell_all(journal, &changes);
		candidate_discard(&changes);
	}
	datastore_free(written);
	return rc;
}

void config_tell_changes(struct journal *journal, const struct config_stamp *stamp,
			 const struct commit_record *base)
{
	if (base->has_config && (stamp->number == 0 || stamp->number == base->info.number) &&
	    tell_differences(journal, base) == 0)
		return;
	journal_warn(
		journal,
		"%s/%s was changed since it was written with commit %" PRIu64
		": what it says now counts; what was changed cannot be listed, for the journal "
		"has no copy of it",
		journal->directory, CONFIG_FILE, stamp->number);
}

bool config_is_gone(const struct journal *journal)
{
	struct stat st;

	return journal->config && fstatat(journal->dirfd, CONFIG_FILE, &st, 0) < 0 &&
	       errno == ENOENT;
}

/* ---- rewriting */

static void new_name(const struct file_place *place, char ret[NAME_MAX + sizeof(NEW_SUFFIX)])
{
	snprintf(ret, NAME_MAX + sizeof(NEW_SUFFIX), "%s" NEW_SUFFIX, place->name);
}

static int print_config(const struct journal *journal, FILE *file, uint64_t number,
			uint32_t *ret_checksum)
{
	int rc = journal->codec.write(file, journal->running, journal->codec.arg);
	struct stat st;

	if (rc == 0 && (fflush(file) != 0 || ferror(file)))
		rc = errno != 0 ? -errno : -EIO;
	if (rc == 0 && fstat(fileno(file), &st) < 0)
		rc = -errno;
	if (rc == 0)
		rc = checksum_of(fileno(file), (uint64_t)st.st_size, ret_checksum);
	if (rc < 0)
		return rc;
	fprintf(file, STAMP, number, *ret_checksum);
	if (fflush(file) != 0 || ferror(file))
		return errno != 0 ? -errno : -EIO;
	return file_sync(fileno(file), true);
}

int config_write(struct journal *journal, uint64_t number, uint32_t *ret_checksum)
{
	char name[NAME_MAX + sizeof(NEW_SUFFIX)];
	struct file_place place;
	FILE *file = NULL;
	int fd = -1, rc = config_place(journal, &place);

	if (rc == 0) {
		new_name(&place, name);
		rc = place_create(&place, name, &fd);
	}
	place_close(&place);
	if (rc < 0)
		return rc;
	file = fdopen(fd, "w");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	fault_point("write");
	errno = 0;
	rc = print_config(journal, file, number, ret_checksum);
	if (fclose(file) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

int config_rename(struct journal *journal, struct file_place *ret)
{
	char name[NAME_MAX + sizeof(NEW_SUFFIX)];
	struct stat st;
	int rc = config_place(journal, ret), old;

	if (rc < 0)
		return rc;
	new_name(ret, name);
	if (fstatat(ret->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	/* hold it, so that it is not freed here */
	old = openat(ret->dirfd, ret->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	fault_point("rename");
	rc = renameat(ret->dirfd, name, ret->dirfd, ret->name) < 0 ? -errno : 0;
	if (old >= 0)
		syncer_close_file(journal->syncer, old);
	if (rc < 0)
		return rc;
	journal->config = true;
	journal->config_size = (uint64_t)st.st_size;
	return 0;
}
