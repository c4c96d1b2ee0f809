#include "journal/identities.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal_file.h"

#define RUN       64 /* records in one call */
#define WORD      64 /* bits */
#define SLOTS_MAX (1U << 24)
#define OTHERS    077

static const char magic[16] = "l2tpv3d-ids 1\n";

struct header {
	char magic[16];
	char instance[80];
	struct identity_of_all all;
	uint32_t pad;
	uint32_t crc;
};

_Static_assert(sizeof(struct header) == 128 && sizeof(struct identity) == 96,
	       "no gaps in the file");

/* A record that was found. */
struct left {
	struct identity identity;
	uint32_t slot;
	bool taken;
};

/* Slots count from 1. A free one has session_id for the next free one. */
struct identities {
	const struct journal *journal;
	struct header header;
	int fd; /* -1: none */
	struct key *slots;
	uint64_t *marks; /* bits */
	uint32_t count, capacity, free;
	size_t marked; /* including the header */
	bool header_mark;
	uint32_t scan; /* where the search for marks continues */
	struct left *left;
	size_t left_count;
};

static bool is_free(const struct key *key)
{
	return key->tunnel_id == 0;
}

static off_t offset_of(uint32_t slot)
{
	return (off_t)(sizeof(struct header) + (slot - 1) * sizeof(struct identity));
}

static uint32_t checksum(const struct identity *identity)
{
	const char *bytes = (const char *)identity;

	return frame_checksum(0, bytes + sizeof(identity->crc),
			      sizeof(*identity) - sizeof(identity->crc));
}

/* ---- slots */

static bool grow(struct identities *ids, uint32_t capacity)
{
	size_t words = capacity / WORD, old = ids->capacity / WORD;
	struct key *slots = reallocarray(ids->slots, capacity, sizeof(*slots));
	uint64_t *marks;

	if (!slots)
		return false;
	ids->slots = slots;
	marks = reallocarray(ids->marks, words, sizeof(*marks));
	if (!marks)
		return false;
	memset(marks + old, 0, (words - old) * sizeof(*marks));
	ids->marks = marks;
	ids->capacity = capacity;
	return true;
}

static struct key *slot_at(const struct identities *ids, uint32_t slot)
{
	return &ids->slots[slot - 1];
}

static bool has_mark(const struct identities *ids, uint32_t slot)
{
	return ids->marks[(slot - 1) / WORD] >> ((slot - 1) % WORD) & 1;
}

static void put_mark(struct identities *ids, uint32_t slot, bool mark)
{
	if (has_mark(ids, slot) == mark)
		return;
	ids->marks[(slot - 1) / WORD] ^= UINT64_C(1) << ((slot - 1) % WORD);
	ids->marked += mark ? 1 : (size_t)-1;
}

static uint32_t new_slot(struct identities *ids)
{
	uint32_t slot = ids->free;

	if (slot) {
		ids->free = slot_at(ids, slot)->session_id;
		return slot;
	}
	if (ids->count == ids->capacity &&
	    (ids->count >= SLOTS_MAX || !grow(ids, ids->capacity ? 2 * ids->capacity : 4 * WORD)))
		return 0;
	return ++ids->count;
}

static void free_slot(struct identities *ids, uint32_t slot)
{
	*slot_at(ids, slot) = (struct key){0, ids->free};
	ids->free = slot;
}

bool identities_mark(struct identities *ids, uint32_t *slot, const struct key *key)
{
	if (*slot == 0) {
		*slot = new_slot(ids);
		if (*slot == 0)
			return false;
		*slot_at(ids, *slot) = *key;
	}
	put_mark(ids, *slot, true);
	return true;
}

void identities_release(struct identities *ids, uint32_t slot)
{
	free_slot(ids, slot);
	put_mark(ids, slot, true);
}

const struct identity_of_all *identities_of_all(const struct identities *ids)
{
	return &ids->header.all;
}

struct identity_of_all *identities_change_all(struct identities *ids)
{
	ids->marked += !ids->header_mark;
	ids->header_mark = true;
	return &ids->header.all;
}

size_t identities_marked(const struct identities *ids)
{
	return ids->marked;
}

/* ---- what the last daemon left */

static int compare_left(const void *a, const void *b)
{
	return key_compare(&((const struct left *)a)->identity.key,
			   &((const struct left *)b)->identity.key);
}

static struct left *left_from(const struct identities *ids, const struct key *key)
{
	size_t from = 0, to = ids->left_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (key_compare(&ids->left[middle].identity.key, key) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < ids->left_count ? &ids->left[from] : NULL;
}

const struct identity *identities_from(const struct identities *ids, const struct key *key)
{
	const struct left *left = left_from(ids, key);

	return left ? &left->identity : NULL;
}

uint32_t identities_take(struct identities *ids, const struct key *key)
{
	struct left *left = left_from(ids, key);

	if (!left || left->taken || key_compare(&left->identity.key, key) != 0)
		return 0;
	left->taken = true;
	return left->slot;
}

void identities_forget_rest(struct identities *ids)
{
	for (size_t i = 0; i < ids->left_count; i++)
		if (!ids->left[i].taken)
			identities_release(ids, ids->left[i].slot);
	free(ids->left);
	ids->left = NULL;
	ids->left_count = 0;
}

/* ---- reading */

static void forget(struct identities *ids)
{
	free(ids->left);
	ids->left = NULL;
	ids->left_count = ids->count = ids->free = 0;
}

static bool is_sound(const struct identity *identity)
{
	return !is_free(&identity->key) && identity->crc == checksum(identity);
}

static bool is_empty(const struct identity *identity)
{
	static const struct identity empty;

	return memcmp(identity, &empty, sizeof(empty)) == 0;
}

/* Returns how many are damaged. Free ones are all zeros. */
static size_t take_records(struct identities *ids, const struct identity *records, uint32_t count)
{
	size_t damaged = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct identity *record = &records[i];

		ids->count++;
		if (is_sound(record)) {
			*slot_at(ids, ids->count) = record->key;
			ids->left[ids->left_count++] = (struct left){*record, ids->count, false};
			continue;
		}
		damaged += !is_empty(record);
		free_slot(ids, ids->count);
	}
	return damaged;
}

static int read_records(struct identities *ids, uint32_t count, size_t *ret_damaged)
{
	struct identity records[RUN];

	ids->left = calloc(count ? count : 1, sizeof(*ids->left));
	if (!ids->left || !grow(ids, (count / WORD + 1) * WORD))
		return -ENOMEM;
	while (ids->count < count) {
		uint32_t some = count - ids->count < RUN ? count - ids->count : RUN;
		ssize_t length =
			pread(ids->fd, records, some * sizeof(*records), offset_of(ids->count + 1));

		if (length < (ssize_t)sizeof(*records))
			return length < 0 ? -errno : -EIO;
		*ret_damaged +=
			take_records(ids, records, (uint32_t)((size_t)length / sizeof(*records)));
	}
	qsort(ids->left, ids->left_count, sizeof(*ids->left), compare_left);
	return 0;
}

/* -ENOENT: no file; -ESTALE: of another boot or namespace; -EPROTO: damaged. */
static int read_header(struct identities *ids, off_t size)
{
	static const struct header empty;
	struct header header = {0};
	ssize_t length = pread(ids->fd, &header, sizeof(header), 0);

	if (length < 0)
		return -errno;
	if (size == 0 || memcmp(&header, &empty, sizeof(header)) == 0)
		return -ENOENT;
	if (memcmp(header.magic, magic, sizeof(magic)) != 0 ||
	    header.crc != frame_checksum(0, &header, offsetof(struct header, crc)))
		return -EPROTO;
	if (memcmp(header.instance, ids->header.instance, sizeof(header.instance)) != 0)
		return -ESTALE;
	ids->header.all = header.all;
	return 0;
}

static int read_file(struct identities *ids, size_t *ret_damaged)
{
	struct stat st;
	off_t count;
	int rc;

	if (fstat(ids->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		return -EPROTO;
	if ((st.st_mode & OTHERS) && fchmod(ids->fd, 0600) < 0)
		return -errno;
	rc = read_header(ids, st.st_size);
	if (rc < 0)
		return rc;
	count = (st.st_size - (off_t)sizeof(struct header)) / (off_t)sizeof(struct identity);
	return count > SLOTS_MAX ? -EPROTO : read_records(ids, (uint32_t)count, ret_damaged);
}

/* An unreadable file stays, and is replaced by the first write. */
static void load(struct identities *ids, char *warning)
{
	const struct journal *journal = ids->journal;
	size_t damaged = 0;
	int rc;

	ids->fd = openat(journal->dirfd, IDENTITIES_FILE,
			 O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (ids->fd < 0 && (errno == EROFS || errno == EACCES))
		ids->fd = openat(journal->dirfd, IDENTITIES_FILE,
				 O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	rc = ids->fd < 0 ? -errno : read_file(ids, &damaged);
	if (rc < 0) {
		forget(ids);
		if (ids->fd >= 0)
			close(ids->fd);
		ids->fd = -1;
	}
	if (rc < 0 && rc != -ENOENT && rc != -ESTALE)
		snprintf(warning, JOURNAL_WARNING_MAX,
			 "%s/%s is damaged or cannot be read (%s): last-change and "
			 "discontinuity-time of all objects begin now",
			 journal->directory, IDENTITIES_FILE, strerror(-rc));
	else if (damaged)
		snprintf(warning, JOURNAL_WARNING_MAX,
			 "%s/%s: %zu of %u records are damaged: last-change and "
			 "discontinuity-time of as many objects begin now",
			 journal->directory, IDENTITIES_FILE, damaged, ids->count);
}

int identities_open(struct identities **ret, const struct journal *journal, const char *instance,
		    char warning[JOURNAL_WARNING_MAX])
{
	struct identities *ids = calloc(1, sizeof(*ids));

	warning[0] = '\0';
	if (!ids)
		return -ENOMEM;
	ids->journal = journal;
	memcpy(ids->header.magic, magic, sizeof(magic));
	snprintf(ids->header.instance, sizeof(ids->header.instance), "%s", instance);
	load(ids, warning);
	*ret = ids;
	return 0;
}

void identities_close(struct identities *ids)
{
	if (!ids)
		return;
	if (ids->fd >= 0)
		close(ids->fd);
	free(ids->slots);
	free(ids->marks);
	free(ids->left);
	free(ids);
}

/* ---- writing */

static int write_header(struct identities *ids, int fd)
{
	int rc;

	ids->header.crc = frame_checksum(0, &ids->header, offsetof(struct header, crc));
	rc = file_write(fd, (const char *)&ids->header, sizeof(ids->header), 0);
	if (rc < 0)
		return rc;
	ids->marked -= ids->header_mark;
	ids->header_mark = false;
	return 0;
}

/* Never follow a symbolic link, or write to a file that somebody else may have made. */
static int begin_file(struct identities *ids)
{
	const struct file_place place = {.dirfd = ids->journal->dirfd};
	int fd, rc = place_create(&place, IDENTITIES_FILE, &fd);

	if (rc == 0)
		rc = write_header(ids, fd);
	if (rc < 0)
		return rc;
	if (ids->fd >= 0)
		close(ids->fd);
	ids->fd = fd;
	for (uint32_t slot = 1; slot <= ids->count; slot++)
		put_mark(ids, slot, !is_free(slot_at(ids, slot)));
	return 0;
}

static bool is_there(const struct identities *ids)
{
	struct stat st;

	return ids->fd >= 0 && fstat(ids->fd, &st) == 0 && st.st_nlink > 0 &&
	       (fcntl(ids->fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

/* The file exists. */
static uint32_t next_marked(const struct identities *ids)
{
	uint32_t slot = ids->scan;

	do
		slot = slot >= ids->count ? 1 : slot + 1;
	while (!has_mark(ids, slot));
	return slot;
}

static void make_record(const struct key *key, struct identity *ret, identity_cb *fill, void *arg)
{
	memset(ret, 0, sizeof(*ret));
	if (is_free(key) || !fill(key, ret, arg)) {
		memset(ret, 0, sizeof(*ret));
		return;
	}
	ret->key = *key;
	ret->crc = checksum(ret);
}

static int write_run(struct identities *ids, identity_cb *fill, void *arg)
{
	struct identity records[RUN];
	uint32_t first = next_marked(ids), count = 0;
	int rc;

	while (count < RUN && first + count <= ids->count && has_mark(ids, first + count)) {
		make_record(slot_at(ids, first + count), &records[count], fill, arg);
		count++;
	}
	rc = file_write(ids->fd, (const char *)records, count * sizeof(*records),
			(uint64_t)offset_of(first));
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < count; i++)
		put_mark(ids, first + i, false);
	ids->scan = first + count - 1;
	return (int)count;
}

int identities_write(struct identities *ids, identity_cb *fill, void *arg, struct error *err)
{
	int rc = is_there(ids) ? 0 : begin_file(ids);

	if (rc == 0 && ids->header_mark)
		rc = write_header(ids, ids->fd);
	if (rc == 0 && ids->marked)
		rc = write_run(ids, fill, arg);
	if (rc < 0)
		journal_error(ids->journal, err, rc, "write", IDENTITIES_FILE,
			      "last-change and discontinuity-time move with the next restart");
	return rc;
}
