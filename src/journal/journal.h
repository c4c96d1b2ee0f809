/*
 * Persistence in the state directory: config.xml is a snapshot, and journal has what came since.
 * The journal also keeps the history: the latest commits, by size and age.
 *
 * A commit appends one CRC-framed record and syncs once, before the reply. When the journal has
 * outgrown the snapshot, a child process writes a new one beside it; this is fsynced and renamed,
 * and the directory fsynced. Then a new journal begins with what the snapshot holds, the records it
 * lacks, and the history. Records hold every touched entry before and after, so replaying one twice
 * does no harm. Format: commit.h (records) and frame.h (frames).
 *
 * Only the daemon's user may enter the directory, for all of it holds cookies.
 *
 * What was refused stays refused. When the disk fails in a way that hides what it holds, the client
 * is told that the outcome is unknown (ERROR_OUTCOME_UNKNOWN), and no commit is accepted until both
 * files have been rewritten without that one, in new inodes. A failed fsync is never repeated: the
 * pages that it lost count as clean by then, and a second fsync would report success.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdio.h>

#include "base/boot_id.h"
#include "store/candidate.h"

#define JOURNAL_WARNING_MAX 8192

struct journal;

/* Who committed, when, through which door. */
struct commit_info {
	uint64_t number;         /* 1, 2, 3 ...: the generation that it makes */
	struct timespec time;    /* CLOCK_REALTIME */
	char boot[BOOT_ID_SIZE]; /* of the kernel at the time */
	char door[12];           /* "snmp", "netconf", "cli", "file" */
	char user[36];
	char comment[96];         /* "rollback to 17", "adopt tunnel 3", or "" */
	size_t tunnels, sessions; /* entries touched */
	/*
	 * To be undone, with all since commit @baseline, unless a later commit is not tentative
	 * (RFC 6241 section 8.4): says the caller.
	 */
	bool tentative;
	uint64_t baseline;
};

/* Writes and reads the snapshot: functions of the XML door, passed in by main. */
struct snapshot_codec {
	/* Print the running configuration as one XML document. 0 or a negative errno. */
	int (*write)(FILE *file, const struct datastore *running, void *arg);
	/* Read one; @path names it in errors. The caller frees *ret_edit. */
	int (*read)(const char *path, struct edit **ret_edit, struct error *err, void *arg);
	void *arg;
};

/*
 * Open @directory (create it if missing, and close it to others), load config.xml and replay the
 * journal. This fills @running, which must be empty and outlive the journal, with the configuration
 * as of the last acknowledged commit, without an unfinished one (below). It leaves out interface
 * names that a config.xml written by hand leaves out; candidate_choose_names() will choose them.
 *
 * @warning gets lines to log, or "": a torn tail that was dropped, what somebody edited in
 * config.xml, permissions that were removed. Refuses a journal damaged in the middle, an unknown
 * format or an unreadable snapshot, with offset and cure; and a config.xml that no longer fits the
 * journal's commits. ERROR_BUSY: another process has the directory. A read-only directory or a full
 * disk is no error here; journal_append() will refuse.
 */
int journal_open(struct journal **ret, const char *directory, struct datastore *running,
		 const struct snapshot_codec *codec, char warning[JOURNAL_WARNING_MAX],
		 struct error *err);
/*
 * Fold the journal into config.xml (so that it can be edited) and close. Accepts NULL. Returns 0,
 * or a negative errno with @err when config.xml is not up to date, such as -EBUSY while a commit is
 * unfinished: the journal then still has everything, unless config.xml was removed.
 */
int journal_close(struct journal *journal, struct error *err);

/*
 * Make a commit durable: fill in info->number, time, tunnels and sessions, append, sync. After a
 * failure (ERROR_STORAGE: disk full, read-only, directory moved away ...) the commit does not
 * exist, now or at the next start; journal and @info are as before, and once the cause is gone the
 * caller can simply retry. ERROR_OUTCOME_UNKNOWN is the exception. An empty candidate appends
 * nothing, unless it ends a tentative state (below): then it is a commit without changes.
 * ERROR_INTERNAL while a commit is unfinished.
 */
int journal_append(struct journal *journal, const struct candidate *changes,
		   struct commit_info *info, struct error *err);

/*
 * The same in pieces, while a thread waits for the disk:
 *
 *     rc = journal_begin(journal, changes, info, err);
 *     while (rc == JOURNAL_MORE || rc == JOURNAL_WAIT)
 *             in a later turn; after JOURNAL_WAIT, when journal_fd() is readable:
 *             rc = journal_step(journal, clock_now() + 5 ms, err);
 *
 * 0: the commit is decided, @info is filled in, and the commit is unfinished. Negative: as
 * journal_append() would refuse, or -ECANCELED after journal_abort(). Until then @changes and @info
 * must not change, and no other commit may begin. A step goes on until the clock reaches @until,
 * but writes at least a piece of 64 entries. What is in the file is not a record before its last
 * piece is written. (After a failed sync, with a journal of an older format, or when a file was
 * removed, a step rewrites both files, which blocks.)
 */
#define JOURNAL_MORE 1
#define JOURNAL_WAIT 2
int journal_begin(struct journal *journal, const struct candidate *changes,
		  struct commit_info *info, struct error *err);
int journal_step(struct journal *journal, int64_t until, struct error *err);
/* Readable when a step that returned JOURNAL_WAIT can go on; -1: steps never return it. */
int journal_fd(const struct journal *journal);
/*
 * Abort the commit if it is not decided. Go on with steps until they return -ECANCELED, or
 * ERROR_OUTCOME_UNKNOWN. 0, or -EALREADY: no commit is under way, or one is being revoked.
 */
int journal_abort(struct journal *journal);

/*
 * The journal is written ahead: append (durably), apply to the kernel, then confirm. Confirming
 * needs no fsync (after a power cut the kernel is empty anyway, and a kill leaves the page cache
 * intact), and its room is reserved. The kernel work of a record that is unfinished when the
 * daemon starts may be half done: journal_unfinished() is its number (0: none), and the engine
 * carries it out or revokes it.
 */
void journal_confirm(struct journal *journal, uint64_t number);
uint64_t journal_unfinished(const struct journal *journal);
/*
 * Was the unfinished commit made before the last boot? A power cut may have taken its
 * confirmation, so it may have been acknowledged, and must be carried out whatever the kernel says.
 */
bool journal_unfinished_outlived_boot(const struct journal *journal);

/*
 * What the unfinished commit changes in @running, which may differ from what it was made for, for
 * config.xml may have been edited since. The caller must validate it; it may be empty.
 */
int journal_resume(struct journal *journal, const struct datastore *running, struct candidate *ret,
		   struct error *err);

/*
 * Revoke the unfinished commit, durably, when the kernel has refused it. On failure,
 * ERROR_OUTCOME_UNKNOWN: the next start may carry it out.
 */
int journal_revoke(struct journal *journal, uint64_t number, struct error *err);
/* The same in pieces, as with journal_begin(). Queries treat it as revoked at once. */
int journal_revoke_begin(struct journal *journal, uint64_t number, struct error *err);

uint64_t journal_generation(const struct journal *journal); /* number of the last commit; 0: none */
/*
 * Is the state after the last commit, unfinished or not, tentative? Then @ret_baseline is the
 * commit to return to. The history reaches back to it, however long that gets and over any fold, so
 * journal_rollback() to it is possible at the next start too.
 */
bool journal_tentative(const struct journal *journal, uint64_t *ret_baseline);

/*
 * Background work: write a confirmation that could not be written before; start or continue a
 * snapshot when one is due; rewrite both files if one was removed or an outcome is unknown (only
 * this blocks). Call it after appends, when it is due, and when journal_watch_fd() is readable, but
 * not between journal_confirm() and candidate_publish() (publish first). Does nothing while a
 * commit is being written. A snapshot begins only when it is @calm: its child shares the daemon's
 * memory, and each page that the daemon writes or frees meanwhile is copied first. Returns 0, or a
 * negative errno with a text to log in @err: something failed (and will be retried), or files were
 * rewritten.
 */
int journal_maintain(struct journal *journal, bool calm, struct error *err);
/* When journal_maintain() next has work, as clock_now(): in the past: now; INT64_MAX: never. */
int64_t journal_due_at(const struct journal *journal, bool calm);
/* Readable when one of the files may have been removed. -1: not available. */
int journal_watch_fd(const struct journal *journal);
/* The process that is writing a snapshot, which journal_maintain() reaps; 0: none. */
int journal_snapshot_pid(const struct journal *journal);

/*
 * How much history to keep: @bytes of records and, if @seconds is not 0, those no older than that
 * by the wall clock when the latest commit is made. The latest commit is always kept, and what a
 * tentative one may need to be undone. Until it is called, 64 MB of any age. What is no longer kept
 * cannot be listed or gone back to from now on; the next fold takes it off the disk.
 */
void journal_keep_history(struct journal *journal, uint64_t bytes, int64_t seconds);
/*
 * The latest commits before commit @before (0: all), newest first, up to @max. Returns how many, or
 * a negative errno when the file cannot be read. Reads 1 kB for each.
 */
int journal_history(const struct journal *journal, uint64_t before, struct commit_info *ret,
		    size_t max);
/*
 * Make @ret lead from running back to the state after commit @number, by undoing the commits since.
 * (Edits of config.xml between two runs were not commits, and stay, except in entries that those
 * commits touched.) ERROR_MISSING: the history does not reach that far.
 */
int journal_rollback(struct journal *journal, uint64_t number, const struct datastore *running,
		     struct candidate *ret, struct error *err);

/*
 * These two in pieces: begin, then step while it returns JOURNAL_MORE. @running must not change
 * meanwhile. A piece is 64 entries or 64 kB.
 */
struct journal_reading;
enum journal_read { JOURNAL_CHANGES, JOURNAL_ROLLBACK, JOURNAL_RESUME };
int journal_read_begin(struct journal_reading **ret, struct journal *journal,
		       enum journal_read what, uint64_t number, const struct datastore *running,
		       struct error *err);
int journal_read_step(struct journal_reading *reading, int64_t until, struct error *err);
/* Free it, at any time, and pass what was read to @ret, which may be NULL. Accepts NULL. */
void journal_read_end(struct journal_reading *reading, struct candidate *ret);
/*
 * JOURNAL_CHANGES: what commit @number did, for which @running does not matter.
 * Instead of the steps: JOURNAL_MORE with a change in @ret, good until the next call, or
 * with NULL there after a piece of work before the first or after the last; 0: there is no
 * more. It is refused before the first change or not at all.
 */
int journal_read_change(struct journal_reading *reading, const struct change **ret,
			struct error *err);
/* Bytes that it holds, without its candidate. */
size_t journal_read_memory(const struct journal_reading *reading);

/*
 * A readable list with a line for each change: "+ tunnel 1 ...", "~ session 1/2 mtu 1400 -> 1450".
 * Secrets are hidden.
 */
void changes_print(FILE *file, const struct candidate *changes);
/* Without the leaves @hidden (bits). */
void change_print(FILE *file, const struct change *change, uint64_t hidden);

#endif
