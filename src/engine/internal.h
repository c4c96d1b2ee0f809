/*
 * What the files of engine/ share. Doors include engine.h only.
 *
 *   engine.c       opening, and the turn of the loop: what is done next
 *   requests.c     what the doors ask for, in a queue
 *   changes.c      from a request to changes of the configuration, checked
 *   transaction.c  changes into journal, kernel and datastore, or taken back
 *   plan.c         what the kernel work of a job is: items from two configurations
 *   job.c          carrying a job out in slices; create.c, interface.c
 *   settle.c       writing a job's outcome into the datastore, and status
 *   observe.c      reading the kernel: dumps, events, what changed behind us
 *   removing.c     what was deleted, until it is gone
 *   counters.c     fresh counters with reading ahead, and what they tell
 *   sweep.c        ... by a dump that runs just ahead of the reader
 *   links.c        every link of the namespace; keys.c lists of ids
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include <bsd/sys/tree.h>
#include <sys/queue.h>

#include "engine/engine.h"
#include "base/clock.h"
#include "model/codec.h"
#include "model/rules.h"

#define SLICE_NS   (8 * 1000000LL)  /* a slice starts no batch after this; 20 ms is the limit */
#define BATCH_NS   (12 * 1000000LL) /* batches are sized to take at most about this */
#define POLLED_NS  (2 * NS_PER_S)   /* so long after a poll both are half of it */
#define MANY_ITEMS 256              /* of a job: big */
#define BATCH_MAX  64               /* objects in one batch */

/* ---- links.c */

struct link_entry {
	RB_ENTRY(link_entry) by_index, by_name;
	struct kernel_link link;
};
RB_HEAD(link_index_tree, link_entry);
RB_HEAD(link_name_tree, link_entry);

struct links {
	struct link_index_tree by_index;
	struct link_name_tree by_name;
};

const struct kernel_link *links_by_index(const struct links *links, unsigned int index);
const struct kernel_link *links_by_name(const struct links *links, const char *name);
/* The 802.1Q link over @parent of that VLAN, of whatever name; walks all links. */
const struct kernel_link *links_by_vlan(const struct links *links, unsigned int parent,
					uint16_t vlan_id);
int links_put(struct links *links, const struct kernel_link *link); /* insert or update; -ENOMEM */
void links_remove(struct links *links, unsigned int index);
void links_clear(struct links *links);

/* ---- key lists */

struct key {
	uint32_t tunnel_id, session_id; /* session_id 0: the tunnel */
};

/* A growing list; sorted and made unique when it is taken. */
struct keys {
	struct key *at;
	size_t count, capacity;
	bool unsorted;
};

int keys_add(struct keys *keys, uint32_t tunnel_id, uint32_t session_id); /* -ENOMEM */
void keys_sort(struct keys *keys);
int key_compare(const struct key *a, const struct key *b); /* as strcmp(), tunnels first */
void keys_move(struct keys *to, struct keys *from);
void keys_free(struct keys *keys);

/* ---- plan.c */

enum action {
	ACTION_DELETE = 1 << 0,
	ACTION_CASCADE = 1 << 1, /* goes with its tunnel */
	ACTION_CREATE = 1 << 2,
	ACTION_MODIFY = 1 << 3,
	ACTION_LINK = 1 << 4
};

/* What a re-create or a change would lose and no leaf says: put back after it, or in the undo. */
struct saved_link {
	struct kernel_link link;
	unsigned int set; /* enum kernel_link_bit */
};

struct item {
	struct key key;
	uint8_t todo, done; /* enum action */
	uint8_t tried;      /* ... that failed, or whose answer was lost, and may be done yet */
	uint8_t reason;     /* enum status_reason when it has to wait or failed; else 0 */
	int16_t os_errno;   /* positive */
	uint8_t lost;       /* answers */
	union {
		uint32_t kernel_mtu;  /* of the interface it created, before ours is set */
		struct address local; /* of the tunnel it created */
	};
	struct saved_link *saved;
};

enum phase {
	PHASE_DELETE_SESSIONS,
	PHASE_DELETE_TUNNELS,
	PHASE_CREATE_TUNNELS,
	PHASE_CREATE_SESSIONS,
	PHASE_MODIFY,
	PHASE_LINK,
	PHASE_END
};

struct batch; /* job.c: requests and their results */

/* A transaction's job is got ready in steps, a turn of the loop each; a repair's begins ready. */
enum step { STEP_WORK, STEP_PLAN, STEP_RECORD };

struct job {
	enum step step;
	struct batch *batch;
	const struct candidate *from, *to; /* views: the configuration before and after */
	struct item *items;                /* ordered by key */
	size_t count, capacity;
	enum phase phase;
	size_t cursor;
	bool strict; /* a refusal ends the job: a transaction */
	bool undoing;
	int64_t blocked_since; /* something is still being removed; 0 no */
	struct error error;
};

/*
 * Items for @keys (sorted), and for the sessions of tunnels that are created
 * or deleted. -ENOMEM; ERROR_FOREIGN when a tunnel to be deleted holds sessions
 * that are not ours.
 */
int plan_job(struct engine *engine, struct job *job, const struct keys *keys, struct error *err);
/* Would it refuse? ERROR_FOREIGN as above. */
int plan_check(struct engine *engine, const struct candidate *changes, struct error *err);
/* The keys of all that a candidate touches. */
int plan_keys(const struct candidate *changes, struct keys *ret);
/* Turn the job round: what was done shall be undone. */
void plan_undo(struct job *job);
struct job *job_new(const struct candidate *from, const struct candidate *to, bool strict);
void job_free(struct job *job);
struct item *job_item(struct job *job, uint32_t tunnel_id, uint32_t session_id);

/*
 * What the kernel shall have according to a view: completed, local-interface without a
 * local-address resolved, to the address that the tunnel had last while the interface has it.
 * 0, -ENOENT (not wanted, or disabled), or -EADDRNOTAVAIL/-ENODEV (wanted, and local-interface
 * gives no address, or has not the local-address).
 */
int want_tunnel(struct engine *engine, const struct candidate *view, uint32_t tunnel_id,
		struct tunnel *ret);
int want_session(const struct candidate *view, uint32_t tunnel_id, uint32_t session_id,
		 struct session *ret);

/*
 * What to set (enum kernel_link_bit, into @ret) so that the session's interface
 * @have is as @want says; @before is the leaf values until now, or NULL, for
 * what is taken back, and @mtu what `mtu` then becomes. The bridge is the 802.1Q
 * link's when there is one.
 */
unsigned int want_link(struct engine *engine, unsigned int mtu, const struct session *before,
		       const struct session *want, const struct kernel_link *have,
		       struct kernel_link *ret);
/* The MTU that the kernel would choose for @want's interface, as far as we know. */
unsigned int default_mtu(const struct session_entry *entry, const struct tunnel *tunnel,
			 const struct session *want);
/* Does the session need an 802.1Q link that is not there as it should be? */
bool want_vlan(struct engine *engine, const struct session *want, unsigned int parent);

/* ---- the engine */

enum request_type {
	REQUEST_EDIT,
	REQUEST_COMMIT,
	REQUEST_ADOPT,
	REQUEST_ROLLBACK,
	REQUEST_RESYNC,
	REQUEST_LOCK,
	REQUEST_NAMES /* interface names that config.xml left out */
};

struct request {
	TAILQ_ENTRY(request) link;
	unsigned int ticket;
	enum request_type type;
	struct edit *edit;
	struct candidate candidate;
	uint64_t number; /* tunnel to adopt, commit to roll back to */
	struct commit_info info;
	bool resumed; /* begun by a daemon that was killed: some of it may be done */
	unsigned int session;
	bool acknowledged; /* perhaps: it may wait or fail in parts, and is not taken back */
	engine_done_cb *done;
	void *arg;
};
TAILQ_HEAD(request_list, request);

struct watcher {
	engine_watch_cb *cb;
	void *arg;
};

struct request *request_new(struct engine *engine, enum request_type type,
			    const struct engine_who *who, engine_done_cb *done, void *arg);
void request_free(struct request *request);
/* Have the interface names chosen that are left out of what is configured. */
void request_names(struct engine *engine);
/* Tell the one who asked, and free it. */
void request_finish(struct engine *engine, struct request *request, int rc,
		    const struct error *err);

struct sweep {
	bool running;
	bool tried;                     /* in this reading in order */
	bool useless;                   /* this kernel's dumps are in no order */
	struct key last;                /* that the dump gave */
	const struct session_entry *at; /* the same, in a step; NULL: there is none */
	int64_t read_at;                /* when the kernel read what the step under way gives */
	int64_t next_read_at;
};

struct engine {
	struct engine_options o;
	const struct kernel_operations *k;
	struct datastore *store;
	struct candidate running; /* an empty overlay: the view of what is configured */
	struct links links;

	struct request_list requests;
	struct request *current;  /* the transaction under way */
	struct candidate changes; /* ... and what it changes */
	struct job *job;          /* its kernel work, or a repair's */
	unsigned int tickets;
	unsigned int lock; /* NETCONF session that holds running, 0 none */

	struct keys dirty;      /* look at them again: events, surprises */
	struct keys doubted[2]; /* ... and once more later, what was deleted may linger */
	int64_t doubted_at;     /* when those of [0] are due, and [1] becomes [0] */
	struct keys repair;     /* others changed them, not as they should be */
	struct keys missing;    /* not there yet, or what they are made from changed */
	struct keys waiting;    /* cannot be yet */
	struct keys removing;   /* deleted, not yet gone */
	unsigned int lost;      /* times in a row that no answer came about dirty ones */
	bool resync;            /* read everything again ... */
	int64_t resync_at;      /* ... not before this, for reading failed */
	bool recheck;           /* addresses or routes changed */
	uint32_t recheck_from;  /* tunnels below are rechecked; 0: no recheck under way */
	bool connected;
	bool reconnect;       /* it was, and the family went away */
	bool hushed;          /* addresses and routes are not heard of during a big job */
	struct key look_from; /* counters_look(): where it goes on */
	int64_t look_at;

	size_t batch; /* objects in a batch, adapted to BATCH_NS */
	int64_t retry_at, retry_delay;
	int64_t maintain_at, poll_at;
	int64_t last_change;
	char last_error[640];

	struct event *turn, *kernel_events[2];
	struct watcher *watchers;
	size_t watcher_count;

	struct key last_read; /* counters.c: to notice reading in order */
	size_t read_ahead;
	struct sweep sweep;
	int64_t polled_at;
	bool closing;
};

int64_t engine_now(void); /* nanoseconds of CLOCK_BOOTTIME */
void engine_log(struct engine *engine, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void engine_tell(struct engine *engine, const struct engine_event *event);
void engine_schedule(struct engine *engine); /* a turn of the loop soon */

/* ---- changes.c: fill @changes by what the request says; refuses as a commit would. */
int changes_make(struct engine *engine, struct request *request, struct candidate *changes,
		 struct error *err);

/* Names for the sessions that have none: those their interfaces have, or new ones. */
int changes_choose_names(struct engine *engine, struct candidate *changes, struct error *err);

/* ---- transaction.c */
void transaction_begin(struct engine *engine, struct request *request);
/* The next step before the work: plan, record. */
void transaction_prepare(struct engine *engine);
/* Its job is at its end: publish, or undo, or tell that it is undone. */
void transaction_end(struct engine *engine);
/* A commit that a kill interrupted between record and confirmation: carry it out, or revoke it. */
int transaction_resume(struct engine *engine, struct error *err);

/* ---- job.c: one slice of the job; true when it is at its end. */
bool job_slice(struct engine *engine, struct job *job);
/* The requests to the kernel, and notice when its family is gone. As submit() of kernel.h. */
int engine_submit(struct engine *engine, struct kernel_request *requests, size_t count);
bool engine_connect(struct engine *engine, struct error *err);

/* ---- settle.c */
/* The kernel took the delete: the entry is held until it is seen to be gone. */
void settle_deleted(struct engine *engine, const struct key *key);
/* The job is done and @job->to is published: what was created is there, the rest waits. */
void settle_job(struct engine *engine, const struct job *job);
/* Those of the keys that @job (NULL: none) has no item for, because nothing was to be done. */
void settle_rest(struct engine *engine, struct job *job, const struct keys *keys);
void settle_status(struct engine *engine, struct tunnel_entry *tunnel,
		   struct session_entry *session, enum oper_status status,
		   enum status_reason reason, int os_errno);
/* Ask the kernel whether the tunnel has its local address and a route. */
void settle_path(struct engine *engine, struct tunnel_entry *tunnel);
/* Derive the status of an entry that is in the kernel; with a tunnel's, its sessions'. */
void settle_tunnel_up(struct engine *engine, struct tunnel_entry *tunnel);
void settle_session_up(struct engine *engine, struct session_entry *session);
/* It is not in the kernel any more. The entry goes too, unless it is configured or held. */
void settle_tunnel_gone(struct engine *engine, struct tunnel_entry *tunnel);
void settle_session_gone(struct engine *engine, struct session_entry *session);

/* ---- removing.c: ask which deleted ones are gone; true if more remain. */
bool observe_removing(struct engine *engine);

/* ---- counters.c */
/* The kernel's object is new, or gone: counters at 0, a discontinuity. */
void counters_begin(struct state *state);
/* What the counters say, as they were at @now. */
void counters_take_tunnel(struct engine *engine, struct tunnel_entry *tunnel,
			  const struct statistics *statistics, int64_t now);
void counters_take_session(struct engine *engine, struct session_entry *session,
			   const struct statistics *statistics, int64_t now);
bool counters_fresh(const struct state *state, int64_t age, int64_t now);
/* The next session in the order of the tables, into the next tunnel too, or NULL. */
struct session_entry *counters_following(const struct session_entry *session);
/* The first from @session (or NULL) on that has counters; not looking far. */
struct session_entry *counters_readable(struct session_entry *session);
struct key counters_key(const struct session_entry *session); /* zeros for NULL */
/*
 * See what the counters tell of the status where nobody polls: dead-interval,
 * errors that grow. A slice of it; true while there is more.
 */
bool counters_look(struct engine *engine);

/* ---- sweep.c: counters by a dump that runs just ahead of who reads sessions in order. */
/* Make this one fresh if such a dump is the cheaper way; false: ask for it by GET. */
bool sweep_reaches(struct engine *engine, const struct session_entry *session, int64_t age,
		   int64_t now);
/* The reader jumped: what comes is another reading in order. */
void sweep_rewind(struct engine *engine);
/* Leave a dump that nobody followed for a while. */
void sweep_expire(struct engine *engine, int64_t now);

/* ---- observe.c */
int observe_all(struct engine *engine, struct error *err);
void observe_event(const struct kernel_event *event, void *arg);
bool observe_dirty(struct engine *engine); /* look at some dirty keys; true if more remain */
/* Look at it soon, and once more half a second later: deletes take time. */
void observe_doubt(struct engine *engine, uint32_t tunnel_id, uint32_t session_id);
void observe_doubted(struct engine *engine); /* those that are due become dirty */
void observe_drain(struct engine *engine);   /* take in pending events now */
/* Some more of the recheck; under way while recheck_from is not 0. */
void observe_recheck(struct engine *engine);
void observe_link_gone(struct engine *engine, unsigned int index);
/* The session's interface became known or changed. */
void observe_link_of(struct engine *engine, struct session_entry *session);
/* Does the kernel have what is wanted, as far as it tells? */
bool observe_same(enum object object, const void *want, const void *actual);
/* The leaf in which what the kernel has is not what is configured; NULL: none. */
const struct row *observe_tunnel_difference(struct engine *engine,
					    const struct tunnel_entry *tunnel);
const struct row *observe_session_difference(struct engine *engine,
					     const struct session_entry *session);
/* The session's interface: by the index of its entry (may be NULL), or by name. NULL: unknown. */
const struct kernel_link *observe_find_link(struct engine *engine,
					    const struct session_entry *entry, const char *name);

#endif
