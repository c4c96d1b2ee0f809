/*
 * Persistence: config.xml, the snapshot, and journal, what came since, in the
 * state directory; and the history, the last commits, kept in the journal too.
 *
 * A commit appends one CRC-framed record and syncs once, before the reply. The
 * snapshot is written aside by a child process, fsynced, renamed, and the
 * directory fsynced, when the journal has outgrown it; then the journal is
 * begun anew with what the snapshot holds, the records it lacks, and the history.
 * Records hold every touched entry as it was and as it became, so replaying one
 * twice does no harm. Format: commit.h (records) and frame.h (frames).
 *
 * The directory is the daemon's user's alone, for cookies are in all of it.
 *
 * What was refused stays refused. Where the disk fails so that nobody can know
 * what it holds, the outcome is told to be unknown (ERROR_OUTCOME_UNKNOWN), and
 * nothing more is taken until both files were written anew without that commit,
 * in other inodes: a failed fsync is never repeated, for the pages that it lost
 * are clean by then, and the second one would say that all is well.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdio.h>

#include "base/boot_id.h"
#include "store/candidate.h"

#define HISTORY_LENGTH      50
#define JOURNAL_WARNING_MAX 8192

struct journal;

/* Who committed, when, by which door. */
struct commit_info {
	uint64_t number;         /* 1, 2, 3 ...: the generation it made */
	struct timespec time;    /* CLOCK_REALTIME */
	char boot[BOOT_ID_SIZE]; /* of the kernel it was made on */
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

/* How the snapshot is written and read: the XML door's, handed in by main. */
struct snapshot_codec {
	/* Print the running configuration as one XML document. 0 or negative errno. */
	int (*write)(FILE *file, const struct datastore *running, void *arg);
	/* Read one; path names it in errors. The caller frees *ret_edit. */
	int (*read)(const char *path, struct edit **ret_edit, struct error *err, void *arg);
	void *arg;
};

/*
 * Open @directory (created if missing; what others may read of it is closed to
 * them), load config.xml, replay the journal, and leave @running, which was empty
 * and must outlive the journal, configured as it was at the last acknowledged
 * commit, without a pending one (below). Interface names left out of a config.xml
 * written by hand are still out: candidate_choose_names() knows of them.
 *
 * @warning: what is to be logged, a line each, or "": a torn tail that was
 * dropped, what somebody changed in config.xml since it was written, rights that
 * were taken away. A corrupt middle, an unknown format or an unreadable snapshot is
 * refused with the offset and the cure; so is a config.xml that the journal's
 * commits do not fit any more. ERROR_BUSY: another process has the directory. A
 * read-only directory is not an error here, nor is a full disk: journal_append()
 * will refuse.
 */
int journal_open(struct journal **ret, const char *directory, struct datastore *running,
		 const struct snapshot_codec *codec, char warning[JOURNAL_WARNING_MAX],
		 struct error *err);
/*
 * Fold the journal into config.xml (so that it can be edited) and close.
 * Accepts NULL. Returns 0, or a negative errno with @err when config.xml is not
 * up to date, as it is while a commit is pending (-EBUSY): all is in the journal
 * still, unless config.xml was removed.
 */
int journal_close(struct journal *journal, struct error *err);

/*
 * Make a commit durable: fills info->number, time, tunnels and sessions,
 * appends, syncs. On failure (ERROR_STORAGE: disk full, read-only, the directory
 * moved away ...) nothing is there, now or at the next start, and journal and @info
 * are as before; trying again is all it needs when the cause is gone. Only
 * ERROR_OUTCOME_UNKNOWN is as it says. An empty candidate appends nothing, but where it ends a
 * tentative state (below): then it is a commit without changes.
 * ERROR_INTERNAL while a commit is pending.
 */
int journal_append(struct journal *journal, const struct candidate *changes,
		   struct commit_info *info, struct error *err);

/*
 * The same in pieces, with the wait for the disk left to a thread:
 *
 *     rc = journal_begin(journal, changes, info, err);
 *     while (rc == JOURNAL_MORE || rc == JOURNAL_WAIT)
 *             in a later turn, of JOURNAL_WAIT when journal_fd() is readable:
 *             rc = journal_step(journal, clock_now() + 5 ms, err);
 *
 * 0: the commit is decided; @info is filled and it is pending. Negative: as
 * journal_append() would refuse, or -ECANCELED after journal_abort(). @changes and
 * @info must stay as they are until then, and one is under way at a time. A step goes on until
 * the clock reaches @until, a piece at least: 64 entries. What stands in the file meanwhile
 * is no record before its last piece. (After a failed sync, a journal of an older
 * format or a removed file a step writes both files anew, which blocks.)
 */
#define JOURNAL_MORE 1
#define JOURNAL_WAIT 2
int journal_begin(struct journal *journal, const struct candidate *changes,
		  struct commit_info *info, struct error *err);
int journal_step(struct journal *journal, int64_t until, struct error *err);
/* Readable when a step that said JOURNAL_WAIT can go on; -1: steps never say so. */
int journal_fd(const struct journal *journal);
/*
 * Take it back while it is not decided. Go on with steps until they say
 * -ECANCELED, or ERROR_OUTCOME_UNKNOWN. 0, or -EALREADY: nothing is under way, or
 * a revoke is.
 */
int journal_abort(struct journal *journal);

/*
 * The journal is written ahead: append (durable), apply to the kernel, then
 * confirm, which needs no fsync (after a power cut the kernel is empty anyway,
 * after a kill the page cache is there), and for which room was reserved. A record not confirmed
 * when the daemon starts is one whose kernel work may be half done: journal_pending() is its number
 * (0 none), and the engine carries it out or revokes it.
 */
void journal_confirm(struct journal *journal, uint64_t number);
uint64_t journal_pending(const struct journal *journal);
/*
 * The pending commit was made before the machine was last booted: its
 * confirmation may have gone with the power, so it may have been acknowledged,
 * and must be carried out whatever the kernel says.
 */
bool journal_pending_outlived_boot(const struct journal *journal);

/*
 * What the pending commit makes of @running, which is not always what it met at
 * first: config.xml may have been edited since. To be validated; it may be that
 * nothing is left to change.
 */
int journal_resume(struct journal *journal, const struct datastore *running, struct candidate *ret,
		   struct error *err);

/*
 * Take back the record appended last, durably, when the kernel refused it. On
 * failure, ERROR_OUTCOME_UNKNOWN: the next start may carry it out.
 */
int journal_revoke(struct journal *journal, uint64_t number, struct error *err);
/* The same in pieces, as journal_begin(). Who asks sees it taken back at once. */
int journal_revoke_begin(struct journal *journal, uint64_t number, struct error *err);

uint64_t journal_generation(const struct journal *journal); /* number of the last commit, 0 none */
/*
 * Is the state after the last commit, pending or not, tentative? Then @ret_baseline is the commit
 * to go back to. The history reaches back to it, however long that gets, and through any fold: so
 * at the next start, too, journal_rollback() to it can be had.
 */
bool journal_tentative(const struct journal *journal, uint64_t *ret_baseline);

/*
 * Background work: write a confirmation that could not be written; start or
 * go on with a snapshot when it is time; write both files anew if one was
 * removed or an outcome is unknown, which alone blocks for the writing. Call after appends,
 * when it is due, and when journal_watch_fd() can be read, and not between
 * journal_confirm() and candidate_publish() (publish first).
 * Does nothing while a commit is being written. @running as given to journal_open(). Returns 0,
 * or a negative errno with what is to be logged in @err: something failed
 * (retried later), or files were written anew.
 */
int journal_maintain(struct journal *journal, const struct datastore *running, struct error *err);
/* When it has something to do next, as clock_now(): past when at once, INT64_MAX never. */
int64_t journal_due_at(const struct journal *journal);
/* Can be read when one of the files may have been removed. -1: cannot be had. */
int journal_watch_fd(const struct journal *journal);
/* A snapshot is under way: the process that writes it, to be reaped by journal_maintain(); or 0. */
int journal_snapshot_pid(const struct journal *journal);

/* History, newest first: index 0 .. count-1. */
size_t journal_history(const struct journal *journal, struct commit_info ret[HISTORY_LENGTH]);
/*
 * Make @ret what leads from running back to the state after commit @number:
 * what the commits since then did, undone. (What an administrator changed in
 * config.xml between two runs was no commit and stays, elsewhere than in the
 * entries that those commits touched.) ERROR_MISSING: not kept that far.
 */
int journal_rollback(struct journal *journal, uint64_t number, const struct datastore *running,
		     struct candidate *ret, struct error *err);

/*
 * These two in pieces: begin, then step until it says other than JOURNAL_MORE.
 * @running must not change meanwhile (the commits read are those of the
 * beginning). A piece is 64 entries or 64 kB.
 */
struct journal_reading;
enum journal_read { JOURNAL_CHANGES, JOURNAL_ROLLBACK, JOURNAL_RESUME };
int journal_read_begin(struct journal_reading **ret, struct journal *journal,
		       enum journal_read what, uint64_t number, const struct datastore *running,
		       struct error *err);
int journal_read_step(struct journal_reading *reading, int64_t until, struct error *err);
/* Frees it, at any time; what was read goes to @ret, which may be NULL. Accepts NULL. */
void journal_read_end(struct journal_reading *reading, struct candidate *ret);
/*
 * JOURNAL_CHANGES: what commit @number did, for which @running does not matter.
 * Instead of the steps: JOURNAL_MORE with a change in @ret, good until the next call, or
 * with NULL there after a piece of the work before the first or after the last; 0: there is no
 * more. It is refused before the first change or not at all.
 */
int journal_read_change(struct journal_reading *reading, const struct change **ret,
			struct error *err);
/* Bytes that this takes, but for its candidate. */
size_t journal_read_memory(const struct journal_reading *reading);

/* Readable change list, one line a change: "+ tunnel 1 ...", "~ session 1/2 mtu 1400 -> 1450".
 * Secrets hidden. */
void changes_print(FILE *file, const struct candidate *changes);
void change_print(FILE *file, const struct change *change);

#endif
