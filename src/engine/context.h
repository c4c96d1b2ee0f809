/*
 * The engine's context: what its files share, and the few things that all of them do with it. The
 * ground floor: anybody in engine/ may call it, and it calls only the leaves (agenda, links). Doors
 * include engine.h only.
 *
 * docs/architecture.md draws the floors. What belongs to a single file is behind a pointer: the
 * transaction of transaction.c, the reading of counters.c.
 */
#ifndef ENGINE_CONTEXT_H
#define ENGINE_CONTEXT_H

#include <sys/queue.h>

#include "base/clock.h"
#include "engine/agenda.h"
#include "engine/engine.h"
#include "engine/links.h"

#define MANY      256             /* objects that are a lot of work, and of memory */
#define BATCH_MAX 64              /* objects in one batch of requests */
#define SLICE_NS  (6 * 1000000LL) /* a turn begins no more work after this ... */
#define BATCH_NS  (8 * 1000000LL) /* ... and an indivisible piece should take at most this */

/* How far a slice came. */
enum progress {
	PROGRESS_MORE,    /* go on in the next turn */
	PROGRESS_BLOCKED, /* go on when something being removed is gone */
	PROGRESS_DONE
};

struct request;
struct transaction;
struct reading;
struct recall;
struct keepalives;
TAILQ_HEAD(request_list, request);

struct watcher {
	engine_watch_cb *cb;
	void *arg;
};

/* The kernel's last answer about an address, good for this slice: tunnels with the same ask once.
 */
struct asked {
	int64_t slice; /* slice_ends of it */
	struct address local;
	enum kernel_address_state state;
};

/* The candidate datastore: staging.c */
struct staging {
	struct staged *staged; /* NULL: it is as running */
	struct staged *copy;   /* being made of it, to be edited */
	struct staged *spent;  /* to be freed */
	bool edited;           /* by the transaction under way */
	bool unwanted;         /* ... and to be discarded then */
	uint64_t commits;      /* published so far: is it behind? */
};

/* A confirmed commit that is pending: tentative.c */
struct tentative {
	bool pending;
	uint64_t baseline;    /* the commit to go back to */
	uint64_t serial;      /* of this one and its follow-ups: never 0 while pending */
	unsigned int session; /* that asked for it; 0: gone */
	char user[36];        /* who asked for it ... */
	unsigned int asker;   /* ... in which session, even if that has ended */
	char *persist;        /* NULL: it ends with that session */
	int64_t undo_at;      /* clock_now() */
	bool undoing;         /* that is asked for */
};

struct engine {
	struct engine_options o;
	const struct kernel_operations *k;
	struct datastore *store;
	struct candidate running; /* without changes: the running configuration, in the form that
				     plans take */
	struct links links;
	struct agenda agenda;

	struct request_list requests; /* requests.c */
	unsigned int tickets;
	struct engine_lock locks[ENGINE_DATASTORES]; /* lock.c */
	struct engine_partial *partials;             /* partial.c; the latest first */
	struct staging staging;
	struct tentative tentative;

	struct transaction *transaction; /* transaction.c */
	struct reading *reading;         /* counters.c */
	struct recall *recall;           /* recall.c */
	struct keepalives *keepalives;   /* keepalive.c */

	struct engine_totals totals;

	bool deaf;               /* leave events unread: all links are being read */
	bool connected;          /* to the l2tp family */
	bool disconnected;       /* the family went away */
	unsigned int unanswered; /* consecutive looks that the kernel did not answer */
	int64_t polled_at;       /* by a manager, engine_polled() */

	struct asked asked;       /* status.c */
	int64_t slice_ends;       /* of this turn */
	unsigned int slice_units; /* done in it */

	int64_t maintain_at;        /* the journal */
	int64_t removing_polled_at; /* what is being removed */
	bool freed_much;            /* memory, which malloc keeps */
	struct moment last_change;  /* the last commit */
	char last_error[640];

	struct event *turn, *kernel_events[2];
	int64_t heard_at, hear_at;   /* events were read; those that wait are; NEVER: none wait */
	struct event *disk;          /* has what the journal waited for; NULL: it never waits */
	struct event *journal_event; /* one of its files may be gone */
	struct watcher *watchers;
	size_t watcher_count;
	bool closing;
};

void engine_log(struct engine *engine, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void engine_tell(struct engine *engine, const struct engine_event *event);

/* Have a turn of the loop in @ns nanoseconds; not while closing. */
void engine_schedule_in(struct engine *engine, int64_t ns);
void engine_schedule(struct engine *engine); /* soon */

/*
 * The slice of a turn, one measure for all sliced work. Ask after each piece of work: may it go on,
 * or is the rest for the next turn?
 */
void engine_begin_slice(struct engine *engine);
bool engine_may_go_on(struct engine *engine);
/* @usual, or half of that while somebody polls. */
int64_t engine_share(const struct engine *engine, int64_t usual);

/* Send requests to the kernel, as submit() of kernel.h does; notices when the family is gone. */
int engine_submit(struct engine *engine, struct kernel_request *requests, size_t count);
bool engine_connect(struct engine *engine, struct error *err);

#endif
