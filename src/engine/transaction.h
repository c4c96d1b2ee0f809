/*
 * The one piece of kernel work that is under way: a transaction, which takes all changes of a
 * request into journal, kernel and datastore, or rolls all of them back; or a repair, which nobody
 * requested. Called only by the turn.
 */
#ifndef ENGINE_TRANSACTION_H
#define ENGINE_TRANSACTION_H

#include "engine/batch.h"
#include "engine/requests.h"

/*
 * The work of a step is a cursor (base/cursor.h), of which each turn does some; or the step has
 * none. Its end chooses the next step. Until a commit is decided, which is when its record is
 * durable, it can be aborted without a trace.
 */
enum step {
	STEP_NONE,    /* nothing is under way */
	STEP_READ,    /* no transaction: read the whole kernel, which others may have changed */
	STEP_MAKE,    /* apply, choose names, validate */
	STEP_PLAN,    /* first, so that what it refuses never reaches the journal */
	STEP_ATTACH,  /* to the entries it changes, where nobody sees it yet */
	STEP_RECORD,  /* in the journal, before anything is done */
	STEP_WORK,    /* on the kernel; in a repair it follows the plan */
	STEP_UNDO,    /* reverse the job, then STEP_WORK again */
	STEP_PUBLISH, /* make it the running configuration, and write the outcome */
	STEP_UNDONE,  /* write the outcome of an undone job */
	STEP_REVOKE,  /* revoke its record in the journal */
	STEP_AGAIN,   /* from the start, without what was refused, or to do what was checked */
	STEP_CREATED, /* a resumed one failed: find and delete what it created */
	STEP_LEAVE,   /* the client has its reply: detach or merge */
	STEP_FREE_CHANGES,
	STEP_FREE_EDIT,
	STEP_FREE_JOB
};

struct transaction {
	enum step step;
	bool begun;                  /* the step has begun */
	struct cursor *cursor;       /* of the step; NULL: none */
	struct request *request;     /* NULL: a repair */
	unsigned int ticket;         /* the request's */
	struct request_list sharers; /* requests that share a reading */
	struct candidate changes;
	struct keys keys; /* of a repair, or of what a resumed commit created */
	struct job job;
	struct error error; /* of the step */
	bool resumed;       /* begun by a killed daemon: some of it may be done */
	bool acknowledged;  /* may have been: parts may wait or fail, but it is not rolled back */
	bool aborted;       /* abort it, unless decided */
	bool decided;
	bool told;           /* the client has its reply */
	size_t entries;      /* that it or its edit held, when it came to free them */
	size_t waited;       /* keys on agenda.wait before its outcome */
	bool blamed;         /* something was refused that can be left out ... */
	size_t left_out;     /* ... entries of the edit that now are ... */
	unsigned int rounds; /* ... how often */
	bool hushed;         /* events of addresses and routes are off meanwhile */
	int64_t retry_at;    /* blocked, or waiting for the disk, until then; 0: neither */
	/* for engine_progress(): */
	enum engine_stage stage; /* of the latest request */
	unsigned int session;    /* its client's */
	int64_t worked_at;       /* the present kind of kernel work began ... */
	int64_t told_at;         /* ... and was last reported */
	struct batch batch;
};

int transaction_open(struct engine *engine); /* -ENOMEM */
void transaction_close(struct engine *engine);

/* When it is due. NEVER: none is under way. */
int64_t transaction_due(const struct engine *engine);
void transaction_run(struct engine *engine); /* a slice */

/* Takes ownership of @request. */
void transaction_begin(struct engine *engine, struct request *request);
/* The client is gone: abort it unless decided. */
void transaction_abort(struct engine *engine);
/* The disk has finished what it waits for. */
void transaction_wake(struct engine *engine);
/* Is it blocked by something being removed? */
bool transaction_blocked(const struct engine *engine);
/*
 * Read everything, for @request (or NULL), of which it takes ownership, and all like it in the
 * queue.
 */
void transaction_read(struct engine *engine, struct request *request);
/* Repair what the agenda lists. */
void transaction_repair(struct engine *engine);
/* Carry out or revoke a commit that a kill left unfinished. */
int transaction_resume(struct engine *engine, struct error *err);
/* The daemon stops before its end: the next one completes it. */
void transaction_leave(struct engine *engine);

#endif
