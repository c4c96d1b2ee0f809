/*
 * The journal's insides, shared by the files that make it up:
 *
 *   journal.c       open, close, append, confirm, revoke
 *   journal_file.c  the directory and its files: lock, create, write, cut, rename
 *   load.c          config.xml and the journal into the running configuration
 *   fold.c          the journal into config.xml
 *   history.c       commits read back
 *   commit.c        the text of a record; frame.c its frame
 */
#ifndef JOURNAL_JOURNAL_FILE_H
#define JOURNAL_JOURNAL_FILE_H

#include <inttypes.h>

#include "journal/commit.h"
#include "journal/frame.h"
#include "journal/journal.h"

#define CONFIG_FILE  "config.xml"
#define CONFIG_STAMP "<!-- commit %" SCNu64 " -->" /* the last commit in it, at its end */
#define CONFIG_NEW   "config.xml.new"
#define JOURNAL_FILE "journal"
#define JOURNAL_NEW  "journal.new"
#define LOCK_FILE    "lock"
#define CONFIG_MODE  0640
#define JOURNAL_MODE                                                                               \
	0600 /* cookies are in it; config.xml's group is the administrator's choice                \
	      */

struct history_entry {
	struct commit_info info;
	uint64_t offset, length; /* of the frame in the file */
	uint64_t moved;          /* where the fold under way has put it; 0 nowhere */
};

/* A fold: config.xml written anew by a child, and the journal begun anew. */
struct fold {
	int pid;
	uint64_t base; /* all commits up to this one are in the new config.xml */
	uint64_t from; /* the journal's length then: what follows is copied when it is done */
	uint64_t end;  /* the new journal's length without that */
	char *head;    /* the new journal's first line and base mark */
	size_t head_length;
	int64_t retry_at; /* clock_now(); after a failure */
};

struct journal {
	char *directory;
	int dirfd, lockfd;
	int fd; /* -1: there is no file yet */
	bool writable;
	bool cut;      /* what is beyond `length` must be cut off before anything is written */
	bool unsynced; /* the directory must be fsynced before anything is acknowledged */
	bool restamp;  /* config.xml must be written before: its last line is of another time */
	bool config;   /* there is a config.xml; if not, somebody removed it */
	int watchfd;   /* inotify of the directory, -1 none */
	bool stirred;  /* something in it was removed or renamed: see whether it was one of ours */

	const char *restored; /* the file that was removed and is written anew: to be said */
	const struct commit_format *format;
	uint64_t length; /* of the file, as far as it counts */
	uint64_t tail;   /* where the records begin that config.xml lacks */
	uint64_t base, generation, pending;
	char pending_boot[40];          /* commit_info.boot of the one found pending */
	uint64_t mark_due;              /* confirmed, but that is not in the file yet; 0 none */
	uint64_t mark_told;             /* ... and that was said, of this one */
	uint64_t room;                  /* the file has blocks as far as this */
	uint64_t config_size, fold_min; /* the larger one is how long the journal's tail may get */
	struct datastore *running;
	struct snapshot_codec codec;
	struct history_entry
		history[HISTORY_LENGTH]; /* oldest first, without a gap to generation */
	size_t history_count;
	struct fold fold;
};

/* A frame being made: print the payload to `file`, then close. */
struct frame_text {
	FILE *file;
	char *data; /* after closing: the whole frame; the caller frees it */
	size_t size;
};

int frame_text_open(struct frame_text *text);
int frame_text_close(struct frame_text *text); /* -ENOMEM, -EFBIG: data is NULL */

/* All of these return 0 or a negative errno. */
int directory_open(struct journal *journal, struct error *err);
int journal_lock(struct journal *journal);      /* unless it is; -EAGAIN: another process has it */
int journal_file_open(struct journal *journal); /* leaves fd -1 when there is no file */
/* Is @fd the file of that name? -ENOENT: there is none; -ESTALE: another is. */
int journal_place(const struct journal *journal, int fd);
int journal_file_create(struct journal *journal, const char *name, mode_t mode, int *ret_fd);
int journal_file_rename(struct journal *journal, const char *from, const char *to);
void journal_file_unlink(struct journal *journal, const char *name);
int file_write(int fd, const char *data, size_t size, uint64_t offset);
int file_copy(int to, uint64_t to_offset, int from, uint64_t from_offset, uint64_t length);
int file_sync(int fd);
/* Have blocks for a confirmation at @offset. */
int file_reserve_mark(int fd, uint64_t offset);

/* The journal's first line and base mark, which the caller frees. */
int journal_head(uint64_t base, char **ret, size_t *ret_length);

/* Append a frame; on failure the journal is as before. With room for a mark after it if @sync. */
int journal_write(struct journal *journal, const struct frame_text *text, bool sync);
/* Make the journal end at @length, durably. */
int journal_cut(struct journal *journal, uint64_t length);

/* Write the confirmation that is due, if any; not synced. */
int journal_mark(struct journal *journal);

/* "commit 5" or "commits 5 to 7" */
void journal_print_commits(char ret[64], uint64_t first, uint64_t last);
/* ERROR_STORAGE: "cannot <what> <directory>/<name>; <consequence>; <cure>: <errno>". */
int journal_error(const struct journal *journal, struct error *err, int result, const char *what,
		  const char *name, const char *consequence);

int journal_load(struct journal *journal, char warning[JOURNAL_WARNING_MAX], struct error *err);

bool history_reaches(const struct journal *journal, uint64_t number); /* or is empty */
void history_push(struct journal *journal, const struct history_entry *entry);

bool fold_due(const struct journal *journal);
void fold_watch(struct journal *journal); /* hear of files that are removed */
void fold_abort(struct journal *journal);
/* Remove what a fold left half-way: now, or when its daemon died. */
void fold_sweep(struct journal *journal);
/* Was config.xml removed since it was read or written? */
bool config_is_gone(const struct journal *journal);
/* Write config.xml and journal anew if one of them was removed. */
int journal_restore(struct journal *journal, struct error *err);
int fold_now(struct journal *journal, struct error *err);

#endif
