/*
 * Which commits the journal has: their offsets, not their contents. The oldest go as new ones come;
 * then `history` moves up in its block, which is tidied when it is full.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/journal_file.h"

#define ROOM_MIN  64
#define INFO_READ 1024 /* the first line of a record is shorter */

/* The newest commit kept; NULL: none. */
static const struct history_entry *newest(const struct journal *journal)
{
	size_t count = journal->history_count;

	return count > 0 ? &journal->history[count - 1] : NULL;
}

bool history_reaches(const struct journal *journal, uint64_t number)
{
	const struct history_entry *last = newest(journal);

	return !last || last->number == number;
}

bool journal_tentative(const struct journal *journal, uint64_t *ret_baseline)
{
	const struct history_entry *last = newest(journal);

	if (!last || last->number != journal->generation || last->baseline == UINT64_MAX)
		return false;
	*ret_baseline = last->baseline;
	return true;
}

/* Must it be kept, because later commits may be undone? */
static bool is_pinned(const struct journal *journal, const struct history_entry *entry)
{
	const struct history_entry *last = newest(journal);

	return last->baseline != UINT64_MAX && entry->number > last->baseline;
}

/* Tidy up if that frees half of the block, so that it is seldom done. */
int history_reserve(struct journal *journal)
{
	size_t gone = (size_t)(journal->history - journal->history_block);
	size_t room = journal->history_room ? 2 * journal->history_room : ROOM_MIN;
	struct history_entry *block;

	if (gone + journal->history_count < journal->history_room)
		return 0;
	if (gone >= journal->history_count && gone > 0) {
		memcpy(journal->history_block, journal->history,
		       journal->history_count * sizeof(*journal->history));
		journal->history = journal->history_block;
		return 0;
	}
	block = reallocarray(journal->history_block, room, sizeof(*block));
	if (!block)
		return -ENOMEM;
	journal->history_block = block;
	journal->history = block + gone;
	journal->history_room = room;
	return 0;
}

/* Commits older than a gap cannot be rolled back to. */
void history_push(struct journal *journal, const struct commit_info *info, uint64_t offset,
		  uint64_t length)
{
	if (!history_reaches(journal, info->number - 1))
		history_forget(journal);
	journal->history[journal->history_count++] = (struct history_entry){
		.number = info->number,
		.offset = offset,
		.length = length,
		.seconds = info->time.tv_sec,
		.baseline = info->tentative ? info->baseline : UINT64_MAX,
	};
	journal->history_bytes += length;
}

void history_pop(struct journal *journal)
{
	journal->history_bytes -= journal->history[--journal->history_count].length;
}

void history_forget(struct journal *journal)
{
	journal->history_count = 0;
	journal->history_bytes = 0;
}

static bool is_old(const struct journal *journal, const struct history_entry *entry)
{
	return journal->history_bytes > journal->history_max ||
	       (journal->history_max_age &&
		newest(journal)->seconds - entry->seconds > journal->history_max_age);
}

void history_prune(struct journal *journal)
{
	while (journal->history_count > 1 && is_old(journal, &journal->history[0]) &&
	       !is_pinned(journal, &journal->history[0])) {
		journal->history_bytes -= journal->history[0].length;
		journal->history++;
		journal->history_count--;
	}
}

void journal_keep_history(struct journal *journal, uint64_t bytes, int64_t seconds)
{
	journal->history_max = bytes;
	journal->history_max_age = seconds;
	history_prune(journal);
}

/* Its checksum is left alone, for a record may be large: the start has verified it. */
static int read_info(const struct journal *journal, const struct history_entry *entry,
		     struct commit_info *ret)
{
	char start[INFO_READ];
	size_t length = (size_t)entry->length - FRAME_HEADER_LENGTH;
	struct commit_record record;
	const char *end;
	ssize_t got = pread(journal->fd, start, length < sizeof(start) ? length : sizeof(start),
			    (off_t)(entry->offset + FRAME_HEADER_LENGTH));

	if (got <= 0)
		return got < 0 ? -errno : -EIO;
	end = memchr(start, '\n', (size_t)got);
	if (!end || journal->format->read(start, (size_t)(end + 1 - start), &record) != 0 ||
	    record.info.number != entry->number)
		return -EIO;
	*ret = record.info;
	return 0;
}

int journal_history(const struct journal *journal, uint64_t before, struct commit_info *ret,
		    size_t max)
{
	const struct history_entry *next = history_find(journal, before);
	size_t at = journal->history_count, count = 0;
	int rc = 0;

	if (next)
		at = (size_t)(next - journal->history);
	else if (before && at > 0 && before < journal->history[0].number)
		at = 0;
	while (at > 0 && count < max && rc == 0)
		rc = read_info(journal, &journal->history[--at], &ret[count++]);
	return rc < 0 ? rc : (int)count;
}

const struct history_entry *history_find(const struct journal *journal, uint64_t number)
{
	if (journal->history_count == 0 || number < journal->history[0].number ||
	    number > newest(journal)->number)
		return NULL;
	return &journal->history[number - journal->history[0].number];
}
