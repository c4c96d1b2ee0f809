/*
 * The engine: takes one transaction at a time from typed edit to kernel and journal, and the
 * observed state back. Doors use only this header, datastore.h (to read), edit.h and candidate.h.
 *
 * Everything runs in the event loop's one thread. Kernel work, and all else that grows with the
 * request, is done in slices of at most 20 ms, between which doors are served. Readers see all of a
 * commit or none of it.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "kernel/kernel.h"
#include "journal/journal.h"
#include "store/policy.h"
#include "store/staged.h"

struct event_base;
struct engine;

struct engine_options {
	struct event_base *base;
	struct kernel *kernel;       /* borrowed */
	struct datastore *store;     /* borrowed; running is as journal_open() left it */
	struct journal *journal;     /* borrowed; NULL: nothing is stored (tests) */
	unsigned int counter_age_ms; /* serve counters no older than this; default 1000 */
	unsigned int slice_units;    /* units of work in a turn, for tests; 0: by the clock */
	bool no_repair;              /* report what others change, but do not restore it */
	void (*log)(int priority, const char *text, void *arg); /* syslog priorities */
	/* Called each second that engine_open() takes, for those waiting; may be NULL. */
	void (*waits)(const char *what_for);
	void *arg;
};

/* Read the kernel, then bring it in line with @store, in the background. */
int engine_open(struct engine **ret, const struct engine_options *options, struct error *err);
/*
 * Call it before the doors close: it finishes a transaction under way (in at most 10 s), and ends
 * requests not begun with -ECANCELED. Nothing is done after that.
 */
void engine_finish(struct engine *engine);
/* Leaves everything in the kernel in place. Calls engine_finish() if nobody has. */
void engine_close(struct engine *engine);

const struct datastore *engine_store(const struct engine *engine);

/* The configuration datastores (RFC 6241 section 5.1). */
enum engine_datastore { ENGINE_RUNNING, ENGINE_CANDIDATE, ENGINE_DATASTORES };

const char *engine_datastore_name(enum engine_datastore which);

/*
 * The client. `session`: the NETCONF session id, which may write under its own lock; 0 for other
 * doors.
 */
struct engine_who {
	const char *door, *user, *comment; /* copied; comment may be NULL */
	unsigned int session;
	const struct policy *policy; /* what it may do; shared; NULL: everything */
};

/*
 * Called exactly once, from the event loop, never before the call that made the request has
 * returned. @rc 0: durable and applied (objects may be waiting; see their status). Else nothing
 * was changed (unless edit->continues), and @err says what, where and why; it heads a list
 * (model/error.h) of all errors that were found.
 */
typedef void engine_done_cb(int rc, const struct error *err, void *arg);

/*
 * Commit an edit to running: apply it to a private candidate, choose names, validate, plan, record,
 * apply to the kernel, publish; or undo all of it. Requests are queued and carried out in order.
 * Always takes ownership of @edit. Returns a ticket, which identifies the request in ENGINE_COMMIT
 * and for engine_forget(), as do all calls that queue; 0: no memory, and @done will not be called.
 */
unsigned int engine_edit(struct engine *engine, struct edit *edit, const struct engine_who *who,
			 engine_done_cb *done, void *arg);

/*
 * Commit a candidate: its changes move out of @candidate, which is left clean, and are rebased on
 * running when their turn comes.
 */
unsigned int engine_commit(struct engine *engine, struct candidate *candidate,
			   const struct engine_who *who, engine_done_cb *done, void *arg);

/* The result of a check; valid until something changes that it was checked against. */
struct engine_checked {
	struct candidate changes;
	uint64_t store, links; /* counts of changes */
};

/*
 * engine_edit() up to the plan, changing nothing (edit-config test-only, push --check): rights
 * matter, but no locks, which prevent changes (RFC 6241 section 7.5).
 * On ENGINE_CANDIDATE, or with @edit NULL, what committing the candidate would return.
 */
unsigned int engine_test(struct engine *engine, enum engine_datastore which, struct edit *edit,
			 const struct engine_who *who, engine_done_cb *done, void *arg);
/*
 * The same of @edit on running as a configuration to be validated: nobody asks to write it, so
 * rights to write do not matter either.
 */
unsigned int engine_validate(struct engine *engine, struct edit *edit, const struct engine_who *who,
			     engine_done_cb *done, void *arg);

/*
 * The same immediately, for edits as small as an SNMP SET, by that NETCONF session (0: by another
 * door). @ret, if not NULL, saves engine_edit_checked() from doing it again; the caller discards
 * its changes.
 */
int engine_check(struct engine *engine, struct edit *edit, unsigned int session,
		 struct engine_checked *ret, struct error *err);
/* engine_edit() of an edit that was checked; takes ownership of both. */
unsigned int engine_edit_checked(struct engine *engine, struct edit *edit,
				 struct engine_checked *checked, const struct engine_who *who,
				 engine_done_cb *done, void *arg);

/*
 * The client is gone, and its callback will not be called. The request is aborted unless decided
 * (RFC 6241 section 7.9): a commit is decided when its record is durable, and is then carried out.
 */
void engine_forget(struct engine *engine, unsigned int ticket);

/* The parameters of a commit of the candidate (RFC 6241 section 8.4). */
struct engine_confirm {
	bool confirmed;         /* undo it unless it is confirmed in time */
	uint32_t timeout;       /* seconds, if confirmed */
	const char *persist;    /* NULL: undo it when the session ends */
	const char *persist_id; /* confirms the pending one of any session; NULL: of this one */
	bool copies;            /* copy-config to running: it confirms nothing */
};

/*
 * The candidate datastore (RFC 6241 section 8.3), shared by all sessions: changes staged over
 * running, which follow what others commit to running. An edit applies whole or not at all;
 * constraints between leaves and entries are checked by a commit or a test (RFC 7950 section
 * 8.3.3). All these calls queue, and locks refuse them like writes. A commit that fails leaves the
 * candidate as it was.
 */
/* @test: first as by engine_test(), and not at all if that fails. */
unsigned int engine_stage(struct engine *engine, struct edit *edit, bool test,
			  const struct engine_who *who, engine_done_cb *done, void *arg);
unsigned int engine_commit_staged(struct engine *engine, const struct engine_confirm *confirm,
				  const struct engine_who *who, engine_done_cb *done, void *arg);
/*
 * Undo the pending confirmed commit. The same happens when it is not confirmed in time, when its
 * session ends and it does not persist, and at the next start. Running returns to its state before
 * the first of the consecutive confirmed commits. While one is pending, writes of others to running
 * are refused as under a lock.
 */
unsigned int engine_cancel(struct engine *engine, const char *persist_id,
			   const struct engine_who *who, engine_done_cb *done, void *arg);
unsigned int engine_discard(struct engine *engine, const struct engine_who *who,
			    engine_done_cb *done, void *arg);
/*
 * The candidate as it is now, to read in steps (store/staged.h) and to give back; NULL: it equals
 * running. Only while it is settled, that is, no edit of it is under way; engine_settle_candidate()
 * calls @done once it is.
 */
struct staged *engine_candidate(struct engine *engine);
void engine_candidate_drop(struct engine *engine, struct staged *staged); /* accepts NULL */
/* NACM's configuration in it; borrowed. */
const struct acm *engine_candidate_acm(const struct engine *engine);
bool engine_candidate_settled(const struct engine *engine);
unsigned int engine_settle_candidate(struct engine *engine, const struct engine_who *who,
				     engine_done_cb *done, void *arg);

/*
 * Take a foreign tunnel with its sessions into the configuration; no kernel write. 0: all that can
 * be, perhaps none.
 */
unsigned int engine_adopt(struct engine *engine, uint32_t tunnel_id, const struct engine_who *who,
			  engine_done_cb *done, void *arg);
/* Read the whole kernel again, and repair. */
unsigned int engine_resync(struct engine *engine, engine_done_cb *done, void *arg);
/* Back in the history. */
struct engine_way_back {
	uint64_t number; /* to the state after this commit ... */
	bool reverts;    /* ... or undo it alone, where what it did is still so (journal.h) */
	bool stages;     /* into the candidate datastore, which must equal running */
};
/* A normal transaction, and a commit unless it is staged. */
unsigned int engine_rollback(struct engine *engine, const struct engine_way_back *way,
			     const struct engine_who *who, engine_done_cb *done, void *arg);

struct engine_lock {
	unsigned int session;  /* NETCONF session that holds it; 0: none does */
	struct timespec since; /* CLOCK_REALTIME */
};

/*
 * Lock a datastore (RFC 6241 section 7.5) for who->session, after earlier requests are done. Writes
 * by others, through any door, are then refused with ERROR_LOCKED. ERROR_LOCK_DENIED with
 * err->session if it is locked. Not granted once the client is forgotten.
 */
unsigned int engine_lock(struct engine *engine, enum engine_datastore which,
			 const struct engine_who *who, engine_done_cb *done, void *arg);
/* ERROR_LOCK_DENIED, if engine_lock() would return it now. */
int engine_may_lock(const struct engine *engine, enum engine_datastore which, unsigned int session,
		    struct error *err);
int engine_unlock(struct engine *engine, enum engine_datastore which, unsigned int session,
		  struct error *err);
/* ERROR_LOCKED, if writes of @session (0: of another door) would be refused with it now. */
int engine_check_lock(const struct engine *engine, enum engine_datastore which,
		      unsigned int session, struct error *err);
/*
 * Partial locks of running (RFC 5717). They bind every door, and each change is checked, not the
 * request: a commit, a rollback or an adopt too is refused if it would change a part that another
 * session has locked.
 */
struct engine_part {
	uint32_t tunnel_id, session_id; /* 0, 0: all of running; session_id 0: a tunnel */
	uint64_t leaves; /* only these, by BIT(row); 0: all of it, with all that is in it */
};

#define ENGINE_PARTS_MAX 4096U /* of all locks together */

struct engine_partial {
	struct engine_partial *next;
	unsigned int id, session;
	struct timespec since; /* CLOCK_REALTIME */
	const char *selects;   /* as given, for who shows them, in the door's own form */
	size_t count;
	struct engine_part parts[]; /* in order, at most one of each entry, once it is taken */
};

/* Room for @count parts, with a copy of @selects. NULL: no memory. To free(). */
struct engine_partial *engine_partial_new(size_t count, const char *selects, size_t length);
/*
 * Lock those parts that exist, after earlier requests are done; takes ownership of @partial. The
 * ticket is the id of the lock. ERROR_NO_MATCHES: none exists.
 */
unsigned int engine_lock_parts(struct engine *engine, struct engine_partial *partial,
			       const struct engine_who *who, engine_done_cb *done, void *arg);
int engine_unlock_parts(struct engine *engine, unsigned int id, unsigned int session,
			struct error *err);
const struct engine_partial *engine_partials(const struct engine *engine); /* NULL: none */

const struct engine_lock *engine_lock_of(const struct engine *engine,
					 enum engine_datastore which);     /* NULL: not locked */
bool engine_holds_lock(const struct engine *engine, unsigned int session); /* any */
/* A confirmed commit of that session is tentative, and will be undone when the session ends. */
bool engine_awaits_confirmation(const struct engine *engine, unsigned int session);
/* The confirmed commit that is pending. */
struct engine_pending {
	unsigned int session; /* that may confirm it; 0: any that has the persist-id */
	uint64_t baseline;    /* the commit to go back to */
	uint32_t left;        /* seconds */
};
bool engine_pending(const struct engine *engine, struct engine_pending *ret); /* false: none */
/* The session has ended: release what it held. */
void engine_end_session(struct engine *engine, unsigned int session);

/*
 * Somebody is polling, and would wait for work of others: for a while use shorter slices, which
 * costs that work a percent. Counters are looked at meanwhile, for the manager may ask how many
 * are up.
 */
void engine_polled(struct engine *engine, int64_t now);

/*
 * Make sure that the counters of this entry are no older than counter_age_ms, or ask the kernel
 * now. Detects entries being read in order and reads ahead: with pipelined GETs, or with one dump
 * where that is cheaper (counters.c). The entry stays valid.
 */
void engine_refresh(struct engine *engine, struct entry *entry);
/*
 * The status of this entry is asked for: make sure that the tunnel's counters, on which it depends,
 * are no older than half a minute. engine_refresh() does it too.
 */
void engine_look(struct engine *engine, const struct entry *entry);

/*
 * The counters of all tunnels, and the errors of sessions (sent and received), since the engine
 * opened, as far as they were read. They never fall: what an object counted stays when it goes or
 * is made anew. While somebody asks, tunnels are read at least every 30 s, sessions when asked for.
 */
struct engine_totals {
	struct statistics tunnels; /* their discontinuity-time is when the engine opened */
	uint64_t session_errors;
};
void engine_totals(struct engine *engine, struct engine_totals *ret);

/* What the engine can say of an entry beyond its state, now. */
struct engine_explanation {
	int path_error;                 /* negative errno: no way to the peer; 0: these are valid */
	struct address source, gateway; /* AF_UNSPEC: none */
	char link[IFNAME_LENGTH + 1];   /* that packets leave by; "": none, or several */
	uint32_t path_mtu;              /* 0: not known */
	uint32_t overhead;              /* octets, of a session; 0: a tunnel */
	int64_t heard_for; /* seconds since rx-packets were seen to grow; < 0: not known */
};
/* Asks the kernel. @entry's counters are no older than counter_age_ms afterwards. */
void engine_explain(struct engine *engine, struct entry *entry, struct engine_explanation *ret);

/* An event, for notifications. Pointers are valid only during the call. */
enum engine_event_type {
	ENGINE_STATE,  /* oper-status changed */
	ENGINE_REASON, /* only the reason changed, not oper-status */
	ENGINE_FOREIGN,
	ENGINE_GONE,  /* the entry goes: no reader finds it any more (session_last()) */
	ENGINE_DRIFT, /* others changed in the kernel what is configured, or changed it back */
	ENGINE_COMMIT,
	ENGINE_PROGRESS, /* a commit goes on; every 10 s */
	ENGINE_CONFIRM   /* a confirmed commit began, or came to its end (RFC 6241 section 8.4) */
};
enum engine_drift { DRIFT_DIFFERS, DRIFT_GONE, DRIFT_ENDED };
enum engine_confirm_step {
	CONFIRM_START,
	CONFIRM_EXTEND,
	CONFIRM_CANCEL, /* by cancel-commit, or with its session */
	CONFIRM_TIMEOUT,
	CONFIRM_COMPLETE
};
struct engine_event {
	enum engine_event_type type;
	const struct entry *entry; /* tunnel or session; NULL for those about a commit */
	enum oper_status old_status;
	const struct commit_info *commit; /* ENGINE_COMMIT, ENGINE_PROGRESS */
	const struct candidate *changes;  /* ENGINE_COMMIT: what was committed ... */
	unsigned int ticket;              /* ... and by which request */
	unsigned int session; /* ENGINE_COMMIT, ENGINE_CONFIRM: the NETCONF session; 0: none */
	enum engine_drift drift;
	const struct row *row; /* DRIFT_DIFFERS: the first leaf that does */
	bool restores;         /* and the engine restores what differs, or is gone */
	enum engine_confirm_step step;
	const char *user; /* ENGINE_CONFIRM, whose; NULL with CONFIRM_TIMEOUT */
	uint32_t timeout; /* CONFIRM_START, CONFIRM_EXTEND: seconds */
};
typedef void engine_watch_cb(const struct engine_event *event, void *arg);
/* Returns 0 or -ENOMEM. Callbacks must not call back into the engine. */
int engine_watch(struct engine *engine, engine_watch_cb *cb, void *arg);
void engine_unwatch(struct engine *engine, void *arg); /* all with this @arg */
/*
 * Tell @cb of what came about while no daemon ran, or before anybody could watch this one: an
 * ENGINE_STATE of each object whose oper-status is not the one that the last daemon left.
 */
void engine_tell_missed(struct engine *engine, engine_watch_cb *cb, void *arg);

struct engine_info {
	uint64_t generation;       /* number of the last commit */
	struct moment last_change; /* the last commit since the machine was booted; at 0 none */
	unsigned int capabilities; /* enum kernel_capability */
	const char *release;
	const char *last_error; /* text of the last refused or failed commit, "" none */
	bool busy;              /* a transaction is under way */
	bool undoing;           /* a commit that was not confirmed is being undone */
	size_t queued;
};
void engine_info(const struct engine *engine, struct engine_info *ret);

/* How far the latest request for a change or a check is, whatever its door. */
enum engine_stage {
	ENGINE_NOTHING, /* none was made yet */
	ENGINE_CHECKING,
	ENGINE_RECORDING, /* up to here its client can abort it (engine_forget()) */
	ENGINE_APPLYING,
	ENGINE_UNDOING, /* it was refused */
	ENGINE_DONE,
	ENGINE_REFUSED, /* or aborted */
	ENGINE_STAGES
};
struct engine_progress {
	enum engine_stage stage;
	unsigned int session; /* as in engine_who */
	size_t objects, done; /* of those that it changes in the kernel */
	int64_t took;         /* nanoseconds, for what is done */
};
void engine_progress(const struct engine *engine, struct engine_progress *ret);

/*
 * The last stored CLOCK_BOOTTIME at which the SNMP master's sysUpTime was 0; 0: unknown. A
 * restarted daemon measures it again, some hundredths off, and TimeStamps must not move by that.
 */
int64_t engine_epoch(const struct engine *engine);
void engine_keep_epoch(struct engine *engine, int64_t epoch);

/* The history in the journal (journal.h); -ENOTSUP without a journal. */
struct journal *engine_journal(struct engine *engine);

#endif
