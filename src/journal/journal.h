/*
 * Persistence: config.xml, the snapshot, and journal, what came since, in the
 * state directory; and the history, the last commits, kept in the journal too.
 *
 * A commit appends one CRC-framed record and fsyncs once, before the reply. The
 * snapshot is written aside by a child process, fsynced, renamed, and the
 * directory fsynced, when the journal has outgrown it; then the journal is
 * begun anew with the records the snapshot lacks and the history. Records hold
 * every touched entry as it was and as it became, so replaying one twice does
 * no harm. Format: commit.h (records) and frame.h (frames).
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdio.h>

#include "store/candidate.h"

#define HISTORY_LENGTH      50
#define JOURNAL_WARNING_MAX 1024

struct journal;

/* Who committed, when, by which door. */
struct commit_info {
	uint64_t number;      /* 1, 2, 3 ...: the generation it made */
	struct timespec time; /* CLOCK_REALTIME */
	char boot[40];        /* boot_id of the kernel it was made on, see random(4) */
	char door[12];        /* "snmp", "netconf", "cli", "file" */
	char user[36];
	char comment[96];         /* "rollback to 17", "adopt tunnel 3", or "" */
	size_t tunnels, sessions; /* entries touched */
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
 * Open @directory (created 0750 if missing), load config.xml, replay the
 * journal, and leave @running, which was empty and must outlive the journal,
 * configured as it was at the last acknowledged commit, without a pending one
 * (below). Interface names left out of a config.xml written by hand are still
 * out: candidate_choose_names() knows of them. A torn tail is dropped: the text
 * of @warning then says so (else ""). A corrupt middle, an unknown format or an
 * unreadable snapshot is refused with the offset and the cure; so is a config.xml
 * that the journal's commits do not fit any more. ERROR_BUSY: another
 * process has the directory. A read-only directory is not an error here, nor is
 * a full disk: journal_append() will refuse, also if another process has it by then.
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
 * appends, fsyncs. On failure (ERROR_STORAGE: disk full, read-only ...) nothing
 * is there and journal and @info are as before; trying again is all it needs
 * when the cause is gone. An empty candidate appends nothing. ERROR_INTERNAL
 * while a commit is pending.
 */
int journal_append(struct journal *journal, const struct candidate *changes,
		   struct commit_info *info, struct error *err);

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

/* Take back the record appended last, durably, when the kernel refused it. */
int journal_revoke(struct journal *journal, uint64_t number, struct error *err);

uint64_t journal_generation(const struct journal *journal); /* number of the last commit, 0 none */

/*
 * Background work: write a confirmation that could not be written; start or
 * finish a snapshot when it is time; write both files anew if one was removed,
 * which alone blocks for the writing. Call after appends, when it is due, and when
 * journal_watch_fd() can be read, and
 * not between journal_confirm() and candidate_publish() (publish first).
 * @running as given to journal_open(). Returns 0, or a negative errno with what
 * is to be logged in @err: something failed (retried later), or a removed
 * file was written anew.
 */
int journal_maintain(struct journal *journal, const struct datastore *running, struct error *err);
/* When it has something to do next, as clock_now(): past when at once, INT64_MAX never. */
int64_t journal_due_at(const struct journal *journal);
/* Can be read when one of the files may have been removed. -1: cannot be had. */
int journal_watch_fd(const struct journal *journal);
int journal_snapshot_pid(const struct journal *journal); /* child to reap, or 0 */

/* History, newest first: index 0 .. count-1. */
size_t journal_history(const struct journal *journal, struct commit_info ret[HISTORY_LENGTH]);
/* The changes of commit @number as a candidate over @running. -ENOENT: not kept any more. */
int journal_changes(struct journal *journal, uint64_t number, const struct datastore *running,
		    struct candidate *ret, struct error *err);
/*
 * Make @ret what leads from running back to the state after commit @number:
 * what the commits since then did, undone. (What an administrator changed in
 * config.xml between two runs was no commit and stays, elsewhere than in the
 * entries that those commits touched.) ERROR_MISSING: not kept that far.
 */
int journal_rollback(struct journal *journal, uint64_t number, const struct datastore *running,
		     struct candidate *ret, struct error *err);

/* Readable change list, one line a change: "+ tunnel 1 ...", "~ session 1/2 mtu 1400 -> 1450".
 * Secrets hidden. */
void changes_print(FILE *file, const struct candidate *changes);

#endif
