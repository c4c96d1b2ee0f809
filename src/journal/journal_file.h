/*
 * The journal's insides, shared by the files that make it up; each knows only
 * those below it:
 *
 *   journal.c       open, close, maintain
 *   record.c        append, confirm, revoke, in pieces
 *   load.c          config.xml and the journal into the running configuration
 *   fold.c          the journal into config.xml
 *   config_file.c   config.xml: its stamp, its place, what was changed in it
 *   reading.c       commits read back
 *   change_list.c   changes for people to read
 *   journal_file.c  the journal as a file: write, sync, cut, begin
 *   history.c       which commits it has
 *   identities.c    what is known of each object, in a file of its own
 *   directory.c     the state directory: lock, rights, names
 *   commit.c        the text of a record; frame.c its frame
 */
#ifndef JOURNAL_JOURNAL_FILE_H
#define JOURNAL_JOURNAL_FILE_H

#include <inttypes.h>
#include <limits.h>

#include "base/syncer.h"
#include "journal/commit.h"
#include "journal/frame.h"
#include "journal/journal.h"

#define CONFIG_FILE  "config.xml"
#define NEW_SUFFIX   ".new"
#define CONFIG_NEW   CONFIG_FILE NEW_SUFFIX
#define JOURNAL_FILE "journal"
#define JOURNAL_NEW  JOURNAL_FILE NEW_SUFFIX
#define MARK_MAX     (FRAME_HEADER_LENGTH + sizeof("confirm 18446744073709551615"))

struct history_entry {
	struct commit_info info;
	uint64_t offset, length; /* of the frame in the file */
	uint64_t moved; /* 1 + where it is among those that the fold under way keeps; 0 nowhere */
};

/* A directory, and the name that a file of ours has in it. */
struct file_place {
	int dirfd; /* to be closed; -1 none */
	char name[NAME_MAX + 1];
};

/* A fold: config.xml written anew, by a child or in place, and the journal begun anew. */
struct fold {
	enum {
		FOLD_NONE,
		FOLD_CHILD,   /* a child writes both */
		FOLD_SYNC,    /* what was appended meanwhile is in the new journal, being synced */
		FOLD_CONFIG,  /* config.xml is renamed, its directory being synced */
		FOLD_JOURNAL, /* so is the journal */
	} stage;
	int pid;                  /* the child, also when it has ended; 0: it was done in place */
	int fd;                   /* the new journal, from FOLD_SYNC until it is renamed; -1 none */
	bool torn;                /* what is behind its records must be cut off */
	struct file_place config; /* in FOLD_CONFIG */
	uint64_t base;            /* all commits up to this one are in the new config.xml */
	uint64_t from;            /* the journal's length then: what follows is copied */
	uint64_t end;             /* the new journal's length without that */
	uint64_t history;         /* bytes of it that are history */
	int64_t retry_at;         /* clock_now(); after a failure */
};

/* A commit being written, or taken back: record.c. */
struct writing {
	enum {
		WRITING_NOTHING,
		WRITING_FIT,      /* see that what is written will be found again */
		WRITING_COUNT,    /* tunnels and sessions */
		WRITING_PIECES,   /* of the record */
		WRITING_SYNC,     /* all is written */
		WRITING_CUT,      /* take back a whole record */
		WRITING_CUT_SYNC, /* ... which is cut off, durably soon */
	} stage;
	bool waits;   /* leave syncs to the thread */
	bool aborted; /* by who began it */
	bool revoke;  /* no record is written, the pending one is taken back */
	const struct candidate *changes;
	struct change *at; /* the next one to count or to write */
	struct commit_info info, *ret_info;
	uint64_t written; /* bytes of the frame, with its header */
	uint32_t crc;     /* of its payload */
};

struct journal {
	char *directory;
	int dirfd; /* locked */
	int fd;    /* -1: there is no file yet */
	bool writable;
	bool cut;     /* what is beyond `length` must be cut off before anything is written */
	bool doubt;   /* a sync failed: what the disk has of it, or of its name, is not certain */
	bool restamp; /* the last line of config.xml is of another time */
	bool config;  /* there is a config.xml; if not, somebody removed it */
	bool moved;   /* the directory was, and that was said */
	int watchfd;  /* inotify of the directory, -1 none */
	bool stirred; /* something in it was removed or renamed: see whether it was one of ours */

	uint64_t unknown;     /* number of the commit whose outcome is unknown; 0 none */
	const char *restored; /* the file that was removed and is written anew: to be said */
	char *warning;        /* journal_open()'s */
	const struct commit_format *format;
	uint64_t length; /* of the file, as far as it counts; an end mark follows */
	uint64_t tail;   /* where the records begin that config.xml lacks */
	uint64_t base, generation, pending;
	char pending_boot[BOOT_ID_SIZE]; /* commit_info.boot of the one found pending */
	uint64_t unsettled; /* the one found pending, if it may not be on the disk; 0 none */
	uint64_t mark_due;  /* confirmed, but that is not in the file yet; 0 none */
	uint64_t mark_told; /* ... and that was said, of this one */
	uint64_t room;      /* the file has blocks as far as this */
	uint64_t config_size, fold_min; /* the larger one is how long the journal's tail may get */
	struct datastore *running;
	struct snapshot_codec codec;
	struct history_entry *history; /* oldest first, without a gap to generation */
	size_t history_count, history_room;
	struct syncer *syncer; /* NULL: none, all syncs are waited for in place */
	struct fold fold;
	struct writing writing;
};

/* All that return int return 0 or a negative errno unless they say otherwise. */

/* ---- directory.c */

/* Create, open, lock, close to others, and sweep. */
int directory_open(struct journal *journal, struct error *err);
/* Is it still what its path leads to? -ESTALE: no. */
int directory_place(const struct journal *journal);
/* Where config.xml is: behind a symbolic link, if it is one. */
int config_place(const struct journal *journal, struct file_place *ret);
int place_create(const struct file_place *place, const char *name, int *ret_fd); /* anew, 0600 */
void place_close(struct file_place *place);
/* Remove what a fold left half-way: now, or when its daemon died. */
void directory_sweep(struct journal *journal);
/* One line more for the log, of journal_open(). */
void journal_warn(struct journal *journal, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* ERROR_STORAGE: "cannot <what> <directory>/<name>; <consequence>; <cure>: <errno>". */
int journal_error(const struct journal *journal, struct error *err, int rc, const char *what,
		  const char *name, const char *consequence);
/* "commit 5" or "commits 5 to 7" */
void journal_print_commits(char ret[64], uint64_t first, uint64_t last);

/* ---- journal_file.c */

/* A frame being made: print the payload to `file`, then close. */
struct frame_text {
	FILE *file;
	char *data; /* after closing: the whole frame; the caller frees it */
	size_t size;
};

int frame_text_open(struct frame_text *text);
int frame_text_close(struct frame_text *text); /* -ENOMEM, -EFBIG: data is NULL */
/* An end mark, or one of doubt, put at @at where room is for MARK_MAX; its length. */
size_t mark_end(char *at, uint64_t number, bool doubt);

int file_write(int fd, const char *data, size_t size, uint64_t offset);
int file_copy(int to, uint64_t to_offset, int from, uint64_t from_offset, uint64_t length);
/* Have blocks for so many bytes more at @offset. */
int file_reserve(int fd, uint64_t offset, uint64_t size);
int file_sync(int fd, bool all); /* fsync() if @all, else fdatasync() */
/*
 * The same by the thread: begin it, or see what became of it. JOURNAL_WAIT: not ended yet, which it
 * says only if it @waits and there is a thread.
 */
int journal_sync(struct journal *journal, int fd, bool all, bool waits);

/* Has it another name, as in a backup of hard links? What is written in place would be written
 * there. */
bool journal_is_shared(const struct journal *journal);
int journal_file_open(struct journal *journal); /* leaves fd -1 when there is no file */
/* Is @fd the file of that name? -ENOENT: there is none; -ESTALE: another is. */
int journal_place(const struct journal *journal, int fd);
int journal_reopen(struct journal *journal); /* -EROFS: still not for writing */
/* Be fit for writing: what was wrong before may have passed. */
int journal_prepare(struct journal *journal);
/* The file header and a base frame, printed; the caller frees it. @checksum NULL: without running.
 */
int journal_head(const struct journal *journal, uint64_t base, const uint32_t *checksum, char **ret,
		 size_t *ret_length);
/* Have blocks for @size bytes at @offset beyond `length`, and marks; some to spare, if there are.
 */
int journal_make_room(struct journal *journal, uint64_t offset, uint64_t size);
/*
 * Have the journal end at `length`: spoil what is there and cut it off. Not synced, so that it
 * holds over a kill, and not over a power cut. On failure it is done before the next write.
 */
int journal_cut(struct journal *journal);
/* Of much that is to be cut off a piece, for that takes the kernel long: JOURNAL_MORE; 0: go on
 * with journal_cut(). */
int journal_cut_piece(struct journal *journal);
/*
 * A sync failed. Another one would prove nothing: both files must be written anew
 * before anything is acknowledged. Left in the file for the next start to know, if it can be.
 */
void journal_distrust(struct journal *journal);
/*
 * Have it on the disk as it was found at the start: commit @number, which is pending (0 none), and
 * what was cut off behind it.
 */
int journal_settle(struct journal *journal, uint64_t number);
/* Write the confirmation that is due, if any; not synced. */
int journal_mark(struct journal *journal);

/* ---- config_file.c */

struct config_stamp {
	bool there;        /* ... is a config.xml */
	bool stamped;      /* its last line begins as ours does */
	uint64_t size;     /* of the file */
	uint64_t number;   /* of the last commit in it; 0: it does not say */
	bool has_checksum; /* the stamp has one: */
	uint32_t checksum;
	uint32_t actual; /* of what is before the stamp */
};

/* Of config.xml as it is. -EISDIR: it is no regular file. */
int config_look(const struct journal *journal, struct config_stamp *ret);
/* Was it changed since it was written with the base of the journal? */
bool config_was_changed(const struct config_stamp *stamp, const struct commit_record *base);
/* Is all as it was written but the stamp, which nobody has a reason to edit? */
bool config_stamp_is_damaged(const struct config_stamp *stamp, const struct commit_record *base);
/* Say so, leaf by leaf where @base has what was in it. */
void config_tell_changes(struct journal *journal, const struct config_stamp *stamp,
			 const struct commit_record *base);
/* Write it anew beside itself, synced. */
int config_write(struct journal *journal, uint64_t number, uint32_t *ret_checksum);
/* Put it in its place; the directory is to be synced then. */
int config_rename(struct journal *journal, struct file_place *ret);
/* Was it removed since it was read or written? */
bool config_is_gone(const struct journal *journal);

/* ---- load.c, history.c, fold.c */

int journal_load(struct journal *journal, struct error *err);

bool history_reaches(const struct journal *journal, uint64_t number); /* or is empty */
/* Have room for one more. -ENOMEM. */
int history_reserve(struct journal *journal);
void history_push(struct journal *journal, const struct history_entry *entry); /* there is */
/* Must it be kept, for what came after it may be undone? */
bool history_is_pinned(const struct journal *journal, const struct history_entry *entry);
const struct history_entry *history_find(const struct journal *journal, uint64_t number);

bool fold_is_wanted(const struct journal *journal);
bool fold_due(const struct journal *journal); /* wanted, and not too soon after a failure */
int fold_start(struct journal *journal, struct error *err); /* in the background */
/* Go on with what fold_start() began, if the child has ended. 0: nothing to do now, or done. */
int fold_go_on(struct journal *journal, struct error *err);
/* Is the child's work being put in place? Nothing may be appended until it is: see fold_settle().
 */
bool fold_is_ending(const struct journal *journal);
int fold_settle(struct journal *journal, bool waits); /* JOURNAL_WAIT, or over, well or not */
void fold_abort(struct journal *journal);
/* The whole of it, in place. @err may be NULL. */
int fold_now(struct journal *journal, struct error *err);
/* Write config.xml and journal anew if one of them was removed. */
int journal_restore(struct journal *journal, struct error *err);

#endif
