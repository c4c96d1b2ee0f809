#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"
#include "model/codec.h"
#include "journal/journal_file.h"
#include "store/overlay.h"

/* Number of the newest commit kept; 0 none. */
static uint64_t history_newest(const struct journal *journal)
{
	size_t count = journal->history_count;

	return count > 0 ? journal->history[count - 1].info.number : 0;
}

bool history_reaches(const struct journal *journal, uint64_t number)
{
	return journal->history_count == 0 || history_newest(journal) == number;
}

/* What is older than a gap leads nowhere. */
void history_push(struct journal *journal, const struct history_entry *entry)
{
	if (!history_reaches(journal, entry->info.number - 1))
		journal->history_count = 0;
	if (journal->history_count == HISTORY_LENGTH) {
		memmove(&journal->history[0], &journal->history[1],
			(HISTORY_LENGTH - 1) * sizeof(journal->history[0]));
		journal->history_count--;
	}
	journal->history[journal->history_count++] = *entry;
}

size_t journal_history(const struct journal *journal, struct commit_info ret[HISTORY_LENGTH])
{
	for (size_t i = 0; i < journal->history_count; i++)
		ret[i] = journal->history[journal->history_count - 1 - i].info;
	return journal->history_count;
}

static const struct history_entry *history_find(const struct journal *journal, uint64_t number)
{
	for (size_t i = 0; i < journal->history_count; i++) {
		if (journal->history[i].info.number == number)
			return &journal->history[i];
	}
	return NULL;
}

static int refuse_unkept(const struct journal *journal, uint64_t number, struct error *err)
{
	if (journal->history_count == 0)
		return error_set(err, ERROR_MISSING, "there is no commit in the history yet");
	return error_set(err, ERROR_MISSING,
			 "commit %" PRIu64 " is not in the history, which holds %" PRIu64
			 " to %" PRIu64,
			 number, journal->history[0].info.number,
			 journal->history[journal->history_count - 1].info.number);
}

static int parse_frame(const struct commit_format *format, const char *data, size_t length,
		       int (*each)(const struct change *change, void *arg), void *arg,
		       struct error *err)
{
	struct commit_record record;
	struct frame frame;

	if (!frame_read(data, length, &frame) ||
	    format->read(frame.payload, frame.length, &record) != 0)
		return -EPROTO;
	return format->read_changes(&record, each, arg, err);
}

static int read_commit(const struct journal *journal, const struct history_entry *entry,
		       int (*each)(const struct change *change, void *arg), void *arg,
		       struct error *err)
{
	char *data = malloc(entry->length);
	ssize_t got =
		data != NULL ? pread(journal->fd, data, entry->length, (off_t)entry->offset) : -1;
	int result = -ENOMEM;

	if (data != NULL)
		result = got == (ssize_t)entry->length
				 ? parse_frame(journal->format, data, entry->length, each, arg, err)
				 : -EIO;
	wipe_free(data, entry->length);
	if (result != 0 && (err == NULL || err->code == ERROR_NONE))
		error_set_errno(err, ERROR_STORAGE, -result,
				"cannot read commit %" PRIu64 " from %s/%s", entry->info.number,
				journal->directory, JOURNAL_FILE);
	return result;
}

static int insert_change(const struct change *change, void *arg)
{
	return overlay_insert_values(arg, change) != NULL ? 0 : -ENOMEM;
}

int journal_changes(struct journal *journal, uint64_t number, const struct datastore *running,
		    struct candidate *ret, struct error *err)
{
	const struct history_entry *entry = history_find(journal, number);
	struct candidate changes;
	int result;

	if (entry == NULL)
		return refuse_unkept(journal, number, err);
	candidate_open(&changes, running);
	result = read_commit(journal, entry, insert_change, &changes, err);
	if (result != 0)
		candidate_discard(&changes);
	else
		candidate_move(ret, &changes);
	return result;
}

static int put_again(const struct change *change, void *arg)
{
	return candidate_put(arg, change->tunnel_id, change->session_id, change->after);
}

int journal_resume(struct journal *journal, const struct datastore *running, struct candidate *ret,
		   struct error *err)
{
	const struct history_entry *entry = history_find(journal, journal->pending);
	struct candidate again;
	int result;

	if (entry == NULL)
		return refuse_unkept(journal, journal->pending, err);
	candidate_open(&again, running);
	result = read_commit(journal, entry, put_again, &again, err);
	if (result != 0)
		candidate_discard(&again);
	else
		candidate_move(ret, &again);
	return result;
}

static int put_back(const struct change *change, void *arg)
{
	return candidate_put(arg, change->tunnel_id, change->session_id, change->before);
}

static int undo_commits(struct journal *journal, uint64_t number, struct candidate *candidate,
			struct error *err)
{
	int result = 0;

	for (size_t i = journal->history_count; i > 0 && result == 0; i--) {
		if (journal->history[i - 1].info.number > number)
			result = read_commit(journal, &journal->history[i - 1], put_back, candidate,
					     err);
	}
	return result;
}

/* To undo a commit is to go back to the one before. */
static int refuse_rollback(const struct journal *journal, uint64_t number, uint64_t oldest,
			   struct error *err)
{
	char why[64] = "";

	if (journal->generation == 0)
		return refuse_unkept(journal, number, err);
	if (number < oldest)
		snprintf(why, sizeof(why), "; the record of commit %" PRIu64 " is not kept",
			 oldest);
	return error_set(err, ERROR_MISSING,
			 "commit %" PRIu64 " cannot be gone back to, only %" PRIu64 " to %" PRIu64
			 "%s",
			 number, oldest, journal->generation, why);
}

int journal_rollback(struct journal *journal, uint64_t number, const struct datastore *running,
		     struct candidate *ret, struct error *err)
{
	uint64_t oldest = journal->generation - journal->history_count;
	struct candidate way_back;
	int result;

	if (number > journal->generation || number < oldest)
		return refuse_rollback(journal, number, oldest, err);
	candidate_open(&way_back, running);
	result = undo_commits(journal, number, &way_back, err);
	if (result != 0)
		candidate_discard(&way_back);
	else
		candidate_move(ret, &way_back);
	return result;
}

/* The readable change list */

static void print_quoted(FILE *file, const char *text)
{
	putc('"', file);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', file);
		putc(*text, file);
	}
	putc('"', file);
}

static void print_value(FILE *file, const struct row *row, const union config *config)
{
	char text[VALUE_TEXT_MAX];

	if (!codec_present(row, config)) {
		fputs("(unset)", file);
	} else if (row->secret) {
		fputs("(hidden)", file);
	} else {
		codec_print(row, config, text);
		if (row->type == TYPE_STRING)
			print_quoted(file, text);
		else
			fputs(text, file);
	}
}

static void print_leaves(FILE *file, const struct change *change, uint64_t leaves)
{
	const struct row *rows = row_sets[change_object(change)].rows;
	const char *separator = " ";

	for (; leaves != 0; leaves &= leaves - 1, separator = ", ") {
		const struct row *row = &rows[__builtin_ctzll(leaves)];

		fprintf(file, "%s%s ", separator, row->leaf);
		if (change->before) {
			print_value(file, row, change->before);
			fputs(" -> ", file);
		}
		print_value(file, row, change->after);
	}
}

static void print_change(FILE *file, const struct change *change)
{
	const struct row_set *set = &row_sets[change_object(change)];
	uint64_t leaves = 0;

	if (change->after)
		leaves = change->after->present;
	if (change->before && change->after)
		leaves = codec_difference(change_object(change), change->before, change->after);
	fprintf(file, "%c %s %" PRIu32,
		!change->before  ? '+'
		: !change->after ? '-'
				 : '~',
		set->name, change->tunnel_id);
	if (change->session_id != 0)
		fprintf(file, "/%" PRIu32, change->session_id);
	if (change->after)
		print_leaves(file, change, leaves & ~BIT(row_number(set->key)));
	putc('\n', file);
}

void changes_print(FILE *file, const struct candidate *changes)
{
	for (struct change *at = candidate_first(changes); at != NULL; at = change_next(at))
		print_change(file, at);
}
