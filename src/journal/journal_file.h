/*
 * The journal's insides, shared by its files; each knows only those below it:
 *
 *	  journal.c       open, close, maintain
 *	  record.c        append, confirm, revoke, in pieces
 *	  load.c          config.xml and the journal into the running configuration
 *	  fold.c          the journal into config.xml
 *	  config_file.c   config.xml: its stamp, its place, edits by others
 *	  reading.c       reading commits back
 *	  change_list.c   printing changes
 *	  journal_file.c  the journal as a file: write, sync, cut, begin
 *	  history.c       which commits it has
 *	  identities.c    identities of objects, in a file of its own
 *	  directory.c     the state directory: lock, permissions, names
 *	  commit.c        the text of a record; frame.c its frame
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

/* A commit of the history. Who made it, and why, is read from its record when somebody asks. */
struct history_entry {
	uint64_t number;
	uint64_t offset, length; /* of the frame in the file */
	uint64_t moved;    /* 1 + its offset among those that the current fold keeps; 0: dropped */
	int64_t seconds;   /* CLOCK_REALTIME */
	uint64_t baseline; /* of a tentative one; UINT64_MAX: it is not */
};

/* A directory, and the name of one of our files in it. */
struct file_place {
	int dirfd; /* the holder closes it; -1: none */
	char name[NAME_MAX + 1];
};

/* A fold: rewrites config.xml, by a child or in place, and begins a new journal. */
struct fold {
	enum {
		FOLD_NONE,
		FOLD_CHILD, /* a child writes both */
		FOLD_SYNC,  /* the new journal, with what was appended meanwhile, is being synced */
		FOLD_CONFIG,  /* config.xml is renamed, and its directory is being synced */
		FOLD_JOURNAL, /* the same for the journal */
	} stage;
	int pid;   /* the child, even if it has ended; 0: done in place */
	int fd;    /* the new journal, from FOLD_SYNC until it is renamed; -1: none */
	bool torn; /* bytes behind its records must be cut off */
	struct file_place config; /* in FOLD_CONFIG */
	uint64_t base;            /* all commits up to this one are in the new config.xml */
	uint64_t from;            /* the journal's length at the fork: what follows is copied */
	uint64_t end;             /* the new journal's length without the copy */
	uint64_t history;         /* bytes of it that hold history */
	int64_t retry_at;         /* clock_now(); after a failure */
};

/* A commit being written or revoked: record.c. */
struct writing {
	enum {
		WRITING_NOTHING,
		WRITING_FIT,      /* make sure that the next start will find what is written */
		WRITING_COUNT,    /* count tunnels and sessions */
		WRITING_PIECES,   /* write the record */
		WRITING_SYNC,     /* wait for the sync */
		WRITING_CUT,      /* cut a complete record off */
		WRITING_CUT_SYNC, /* ... and wait for the sync */
	} stage;
	bool waits;   /* leave syncs to the thread */
	bool aborted; /* on request */
	bool revoke;  /* writes no record, but revokes the unfinished one */
	const struct candidate *changes;
	struct change *at; /* the next change to count or write */
	struct commit_info info, *ret_info;
	uint64_t written; /* bytes of the frame so far, with its header */
	uint32_t crc;     /* of the payload so far */
};

struct journal {
	char *directory;
	int dirfd; /* locked */
	int fd;    /* -1: no file yet */
	bool writable;
	bool cut;     /* what is beyond `length` must be cut off before anything is written */
	bool doubt;   /* a sync failed: the disk may not have the file, or its name */
	bool restamp; /* the stamp of config.xml is not of its contents */
	bool config;  /* there is a config.xml; if not, somebody has removed it */
	bool moved;   /* the directory was moved, and that is reported */
	int watchfd;  /* inotify of the directory; -1: none */
	bool stirred; /* something in it was removed or renamed: check our files */

	uint64_t unknown;     /* number of the commit whose outcome is unknown; 0: none */
	const char *restored; /* a removed file that was rewritten: to be reported */
	char *warning;        /* journal_open()'s */
	const struct commit_format *format;
	uint64_t length; /* of the valid part of the file; an end mark follows */
	uint64_t tail;   /* offset of the records that config.xml lacks */
	uint64_t base, generation, unfinished;
	char unfinished_boot[BOOT_ID_SIZE]; /* commit_info.boot of the unfinished one that was
						found */
	uint64_t maybe_lost; /* the unfinished one that was found, if the disk may lack it; 0: none
			      */
	uint64_t mark_due;   /* confirmed, but the mark is not written yet; 0: none */
	uint64_t mark_told;  /* the one whose missing mark was reported */
	uint64_t room;       /* the file has blocks up to this offset */
	uint64_t config_size, fold_min; /* the tail may grow to the larger of these */
	struct datastore *running;
	struct snapshot_codec codec;
	struct history_entry *history;       /* oldest first, without gaps up to generation ... */
	struct history_entry *history_block; /* ... somewhere in this, which has room for so many */
	size_t history_count, history_room;
	uint64_t history_bytes;  /* of the records of all of them */
	uint64_t history_max;    /* bytes to keep */
	int64_t history_max_age; /* seconds; 0: any */
	struct syncer *syncer;   /* NULL: all syncs block */
	struct fold fold;
	struct writing writing;
};

/* Functions that return int return 0 or a negative errno, unless they say otherwise. */

/* ---- directory.c */

/* Create, open, lock, close to others, and remove leftovers. */
int directory_open(struct journal *journal, struct error *err);
/* Does the path still lead to the directory? -ESTALE: no. */
int directory_place(const struct journal *journal);
/* Where config.xml is: follows symbolic links. */
int config_place(const struct journal *journal, struct file_place *ret);
int place_create(const struct file_place *place, const char *name,
		 int *ret_fd); /* replaces an old one; mode 0600 */
void place_close(struct file_place *place);
/* Remove what an incomplete fold left, now or in a daemon that died. */
void directory_sweep(struct journal *journal);
/* Add a line to journal_open()'s @warning. */
void journal_warn(struct journal *journal, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* ERROR_STORAGE: "cannot <what> <directory>/<name>; <consequence>; <cure>: <errno>". */
int journal_error(const struct journal *journal, struct error *err, int rc, const char *what,
		  const char *name, const char *consequence);
/* "commit 5" or "commits 5 to 7" */
void journal_print_commits(char ret[64], uint64_t first, uint64_t last);

/* ---- journal_file.c */

/* Makes a frame: print the payload to `file`, then close. */
struct frame_text {
	FILE *file;
	char *data; /* after closing: the frame; the caller frees it */
	size_t size;
};

int frame_text_open(struct frame_text *text);
int frame_text_close(struct frame_text *text); /* -ENOMEM, -EFBIG: data is NULL */
/* Write an end mark, or one of doubt, to @at, which has room for MARK_MAX. Returns its length. */
size_t mark_end(char *at, uint64_t number, bool doubt);

int file_write(int fd, const char *data, size_t size, uint64_t offset);
int file_copy(int to, uint64_t to_offset, int from, uint64_t from_offset, uint64_t length);
/* Allocate blocks for @size bytes at @offset. */
int file_reserve(int fd, uint64_t offset, uint64_t size);
int file_sync(int fd, bool all); /* fsync() if @all, else fdatasync() */
/*
 * The same by the thread: begin a sync, or collect its result. JOURNAL_WAIT: not ended yet, only if
 * @waits and there is a thread.
 */
int journal_sync(struct journal *journal, int fd, bool all, bool waits);

/*
 * Has the file another name, as in a backup of hard links? Writing in place would change that too.
 */
bool journal_is_shared(const struct journal *journal);
int journal_file_open(struct journal *journal); /* without a file leaves fd -1 */
/* Is @fd the file of that name? -ENOENT: there is none; -ESTALE: it is another file. */
int journal_place(const struct journal *journal, int fd);
int journal_reopen(struct journal *journal); /* for writing; -EROFS: still read-only */
/* Prepare for writing: an earlier failure may be over. */
int journal_prepare(struct journal *journal);
/* Print the file header and a base frame; the caller frees it. @checksum NULL: without running. */
int journal_head(const struct journal *journal, uint64_t base, const uint32_t *checksum, char **ret,
		 size_t *ret_length);
/*
 * Allocate blocks for @size bytes at @offset beyond `length`, and for marks; and some to spare, if
 * possible.
 */
int journal_make_room(struct journal *journal, uint64_t offset, uint64_t size);
/*
 * End the journal at `length`: overwrite what follows with an end mark and cut it off. Not synced:
 * this survives a kill, but not a power cut. After a failure it is done before the next write.
 */
int journal_cut(struct journal *journal);
/*
 * Cut off a piece if much is to be cut, which takes the kernel long. JOURNAL_MORE: there is more;
 * 0: call journal_cut().
 */
int journal_cut_piece(struct journal *journal);
/*
 * A sync failed. Another one would prove nothing: both files must be rewritten before anything is
 * acknowledged. Leaves a mark in the file for the next start, if possible.
 */
void journal_distrust(struct journal *journal);
/*
 * Make durable what was found at the start: the end of the journal, and the unfinished commit
 * @number (0: none).
 */
int journal_make_durable(struct journal *journal, uint64_t number);
/* Write the confirmation that is due, if any; does not sync. */
int journal_mark(struct journal *journal);

/* ---- config_file.c */

struct config_stamp {
	bool there;        /* config.xml exists */
	bool stamped;      /* its last line begins like a stamp */
	uint64_t size;     /* of the file */
	uint64_t number;   /* of the last commit in it; 0: unknown */
	bool has_checksum; /* the stamp has this: */
	uint32_t checksum;
	uint32_t actual; /* of all before the stamp */
};

/* Read it. -EISDIR: not a regular file. */
int config_look(const struct journal *journal, struct config_stamp *ret);
/* Was it edited since it was written with the base of the journal? */
bool config_was_changed(const struct config_stamp *stamp, const struct commit_record *base);
/* Is only the stamp changed, which nobody has a reason to edit? */
bool config_stamp_is_damaged(const struct config_stamp *stamp, const struct commit_record *base);
/* Report the edit, leaf by leaf where @base has the contents as written. */
void config_tell_changes(struct journal *journal, const struct config_stamp *stamp,
			 const struct commit_record *base);
/* Write a new one beside it, synced. */
int config_write(struct journal *journal, uint64_t number, uint32_t *ret_checksum);
/* Rename it into place; the caller then syncs the directory. */
int config_rename(struct journal *journal, struct file_place *ret);
/* Was it removed since we read or wrote it? */
bool config_is_gone(const struct journal *journal);

/* ---- load.c, history.c, fold.c */

int journal_load(struct journal *journal, struct error *err);

bool history_reaches(const struct journal *journal, uint64_t number); /* or the history is empty */
/* Make room for one more. 0 or -ENOMEM. */
int history_reserve(struct journal *journal);
/* A commit at @offset; there is room. */
void history_push(struct journal *journal, const struct commit_info *info, uint64_t offset,
		  uint64_t length);
void history_pop(struct journal *journal);    /* forget the newest one */
void history_forget(struct journal *journal); /* forget all */
void history_prune(struct journal *journal);  /* forget what is not to be kept */
const struct history_entry *history_find(const struct journal *journal, uint64_t number);

bool fold_is_wanted(const struct journal *journal);
bool fold_due(const struct journal *journal); /* wanted, and not soon after a failure */
int fold_start(struct journal *journal, struct error *err); /* in the background */
/* Continue what fold_start() began, if the child has ended. 0: done, or nothing to do now. */
int fold_go_on(struct journal *journal, struct error *err);
/*
 * Is the child's work being put in place? Until it is, nothing may be appended: see
 * fold_complete().
 */
bool fold_is_ending(const struct journal *journal);
/* Finish that. JOURNAL_WAIT: not over yet. */
int fold_complete(struct journal *journal, bool waits);
void fold_abort(struct journal *journal);
/* Do all of it, in this process. @err may be NULL. */
int fold_now(struct journal *journal, struct error *err);
/* Rewrite config.xml and the journal if one of them was removed. */
int journal_restore(struct journal *journal, struct error *err);

#endif
