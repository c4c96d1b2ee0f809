/*
 * The engine: one transaction at a time from typed edit to kernel and journal,
 * and the observed state back. All doors use only this header, datastore.h (to
 * read), edit.h and candidate.h.
 *
 * Everything runs in the event loop's one thread, kernel work in slices of at
 * most 20 ms, so doors are served between them. So is all else that grows with
 * what is asked. Readers see all of a commit or none of it.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "kernel/kernel.h"
#include "journal/journal.h"
#include "store/staged.h"

struct event_base;
struct engine;

struct engine_options {
	struct event_base *base;
	struct kernel *kernel;       /* borrowed */
	struct datastore *store;     /* borrowed; running as journal_open() left it */
	struct journal *journal;     /* borrowed; NULL: nothing persists (tests) */
	unsigned int counter_age_ms; /* counters served are at most this old; default 1000 */
	unsigned int slice_units;    /* of work in a turn, for tests; 0: by the clock */
	bool no_repair;              /* report what others changed, do not restore it */
	void (*log)(int priority, const char *text, void *arg); /* syslog priorities */
	/* Told each second that engine_open() takes, for who waits for the daemon; may be NULL. */
	void (*waits)(const char *what_for);
	void *arg;
};

/* Reads the kernel, then converges it to @store in the background. */
int engine_open(struct engine **ret, const struct engine_options *options, struct error *err);
/*
 * For the doors to tell before they close: a transaction under way is brought
 * to its end (at most 10 s); requests not begun are told -ECANCELED. Nothing is
 * done any more after it.
 */
void engine_finish(struct engine *engine);
/* Leaves everything in the kernel in place. With engine_finish(), if that is to be done yet. */
void engine_close(struct engine *engine);

const struct datastore *engine_store(const struct engine *engine);

/* The configuration datastores (RFC 6241 section 5.1). */
enum engine_datastore { ENGINE_RUNNING, ENGINE_CANDIDATE, ENGINE_DATASTORES };

const char *engine_datastore_name(enum engine_datastore which);

/* Who asks. `session` is the NETCONF session id, 0 for other doors: it may write under its own
 * lock. */
struct engine_who {
	const char *door, *user, *comment; /* copied; comment may be NULL */
	unsigned int session;
	bool no_secrets; /* refuse a rollback that would change secret leaves, a commit of what
			    others staged that would set some */
};

/*
 * Told exactly once, from the event loop, never before the call that asked
 * returned. @result 0: durable and applied (objects may be waiting, see their
 * status). Else nothing was changed and @err says what, where and why.
 */
typedef void engine_done_cb(int result, const struct error *err, void *arg);

/*
 * Commit an edit to running: apply to a private candidate, choose names,
 * validate, plan, apply to the kernel, journal, publish; or undo, whole.
 * Requests queue and are carried out in order. Takes @edit over, always.
 * Returns a ticket, by which ENGINE_COMMIT tells whose commit it is, and for
 * engine_forget(). So do all that queue; 0: no memory, and @done will not be told.
 */
unsigned int engine_edit(struct engine *engine, struct edit *edit, const struct engine_who *who,
			 engine_done_cb *done, void *arg);

/*
 * Commit a candidate: it is moved out of @candidate, which is left clean, and
 * rebased on running when its turn comes.
 */
unsigned int engine_commit(struct engine *engine, struct candidate *candidate,
			   const struct engine_who *who, engine_done_cb *done, void *arg);

/* What a check came to: good while nothing has changed that it was checked against. */
struct engine_checked {
	struct candidate changes;
	uint64_t store, links; /* counts of changes */
};

/*
 * As engine_edit() up to its plan, changing nothing (edit-config test-only, push --check).
 * On ENGINE_CANDIDATE, and with @edit NULL, as it is: what committing it would say.
 */
unsigned int engine_test(struct engine *engine, enum engine_datastore which, struct edit *edit,
			 const struct engine_who *who, engine_done_cb *done, void *arg);

/*
 * The same at once, for edits as small as a SET of that NETCONF session (0: of
 * another door). @ret, if not NULL, is for engine_edit_checked(), which then need not
 * do it again; the caller discards its changes.
 */
int engine_check(struct engine *engine, const struct edit *edit, unsigned int session,
		 struct engine_checked *ret, struct error *err);
/* As engine_edit() of the edit that was checked; takes both over. */
unsigned int engine_edit_checked(struct engine *engine, struct edit *edit,
				 struct engine_checked *checked, const struct engine_who *who,
				 engine_done_cb *done, void *arg);

/*
 * The one who asked is gone, and its callback will not be called. The request is
 * aborted while it is not decided (RFC 6241 section 7.9): a commit is decided when its
 * record is durable. What was decided is carried out.
 */
void engine_forget(struct engine *engine, unsigned int ticket);

/* A commit of what is staged as one to be confirmed (RFC 6241 section 8.4), or as such a one's
 * confirmation. */
struct engine_confirm {
	bool confirmed;         /* it is to be confirmed in time, or is undone */
	uint32_t timeout;       /* seconds; of a confirmed one */
	const char *persist;    /* NULL: it ends with the session, undone */
	const char *persist_id; /* of the one that is pending; NULL: it is this session's own */
};

/*
 * The candidate datastore (RFC 6241 section 8.3), one for all sessions: what is staged
 * there over running, of which it follows what others commit. An edit is done whole or
 * not at all; constraints over leaves and entries are looked at when it is committed, or
 * tested (RFC 7950 section 8.3.3). All of these queue, and are refused as writes are by
 * locks. A commit that fails leaves the candidate as it was.
 */
unsigned int engine_stage(struct engine *engine, struct edit *edit, const struct engine_who *who,
			  engine_done_cb *done, void *arg);
unsigned int engine_commit_staged(struct engine *engine, const struct engine_confirm *confirm,
				  const struct engine_who *who, engine_done_cb *done, void *arg);
/*
 * Undo the confirmed commit that is pending, as happens when it is not confirmed in time, when
 * its session ends and it does not persist, and at the next start. Running becomes what it was
 * before the first of those that follow each other. Until then others write to running as
 * little as under a lock.
 */
unsigned int engine_cancel(struct engine *engine, const char *persist_id,
			   const struct engine_who *who, engine_done_cb *done, void *arg);
unsigned int engine_discard(struct engine *engine, const struct engine_who *who,
			    engine_done_cb *done, void *arg);
/*
 * As it is, to be read in steps (store/staged.h) and given back; NULL: as running. Only
 * while it is settled: no edit of it is under way. Else it is when @done is told.
 */
struct staged *engine_candidate(struct engine *engine);
void engine_candidate_drop(struct engine *engine, struct staged *staged); /* accepts NULL */
bool engine_candidate_settled(const struct engine *engine);
unsigned int engine_settle_candidate(struct engine *engine, const struct engine_who *who,
				     engine_done_cb *done, void *arg);

/* Take a foreign tunnel with its sessions into the configuration; no kernel write. */
unsigned int engine_adopt(struct engine *engine, uint32_t tunnel_id, const struct engine_who *who,
			  engine_done_cb *done, void *arg);
/* Read the kernel again, all of it, and repair. */
unsigned int engine_resync(struct engine *engine, engine_done_cb *done, void *arg);
/* Go back to the state after commit @number, as a normal transaction. */
unsigned int engine_rollback(struct engine *engine, uint64_t number, const struct engine_who *who,
			     engine_done_cb *done, void *arg);

struct engine_lock {
	unsigned int session;  /* NETCONF session that holds it; 0: none does */
	struct timespec since; /* CLOCK_REALTIME */
};

/*
 * Lock a datastore (RFC 6241 section 7.5) for who->session, when what others asked
 * for before is done. Writes by others, through any door, are then refused with
 * ERROR_LOCKED. ERROR_LOCK_DENIED with err->session when held. Not granted to who is
 * forgotten.
 */
unsigned int engine_lock(struct engine *engine, enum engine_datastore which,
			 const struct engine_who *who, engine_done_cb *done, void *arg);
/* ERROR_LOCK_DENIED, as engine_lock() would say now. */
int engine_may_lock(const struct engine *engine, enum engine_datastore which, unsigned int session,
		    struct error *err);
int engine_unlock(struct engine *engine, enum engine_datastore which, unsigned int session,
		  struct error *err);
/* ERROR_LOCKED, as writes of @session (0: of another door) are refused now. */
int engine_check_lock(const struct engine *engine, enum engine_datastore which,
		      unsigned int session, struct error *err);
const struct engine_lock *engine_lock_of(const struct engine *engine,
					 enum engine_datastore which);     /* NULL: not locked */
bool engine_holds_lock(const struct engine *engine, unsigned int session); /* any */
/* A confirmed commit of that session is pending, and is undone when it ends. */
bool engine_awaits_confirmation(const struct engine *engine, unsigned int session);
/* The session has ended, and with it what it held. */
void engine_end_session(struct engine *engine, unsigned int session);

/*
 * Somebody polls, and would wait for what others have the engine do: for a while
 * that goes in shorter slices, which costs it a percent.
 */
void engine_polled(struct engine *engine);

/*
 * Have the counters of this entry not older than counter_age_ms: ask the kernel
 * now, unless they are. Reading entries in order is noticed and served by reading
 * ahead: pipelined GETs, or one dump where that is the cheaper way (sweep.c). The
 * entry stays valid.
 */
void engine_refresh(struct engine *engine, struct entry *entry);

/* What happened, for notifications. Pointers are valid during the call only. */
enum engine_event_type {
	ENGINE_STATE,  /* oper-status changed */
	ENGINE_REASON, /* oper-status stays, its reason changed */
	ENGINE_FOREIGN,
	ENGINE_COMMIT
};
struct engine_event {
	enum engine_event_type type;
	const struct entry *entry; /* tunnel or session; ENGINE_COMMIT: NULL */
	enum oper_status old_status;
	const struct commit_info *commit;
	const struct candidate *changes; /* ENGINE_COMMIT: what was committed ... */
	unsigned int ticket;             /* ... and of whose request */
};
typedef void engine_watch_cb(const struct engine_event *event, void *arg);
/* Returns 0 or -ENOMEM. Callbacks must not call back into the engine. */
int engine_watch(struct engine *engine, engine_watch_cb *cb, void *arg);
void engine_unwatch(struct engine *engine, void *arg); /* all of this @arg */

struct engine_info {
	uint64_t generation;       /* number of the last commit */
	struct moment last_change; /* the last commit since the machine was booted; at 0 none */
	unsigned int capabilities; /* enum kernel_capability */
	const char *release;
	const char *last_error; /* text of the last refused or failed commit, "" none */
	bool busy;              /* a transaction is going on */
	bool undoing;           /* a commit that was not confirmed is being undone */
	size_t queued;
};
void engine_info(const struct engine *engine, struct engine_info *ret);

/*
 * When the SNMP master's sysUpTime was 0, on CLOCK_BOOTTIME, as it was kept last; 0 unknown. A
 * restart works it out anew, some hundredths off, and TimeStamps are not to move by that.
 */
int64_t engine_epoch(const struct engine *engine);
void engine_keep_epoch(struct engine *engine, int64_t epoch);

/* History, through the journal (journal.h); -ENOTSUP without one. */
struct journal *engine_journal(struct engine *engine);

#endif
