/*
 * The one piece of work on the kernel that is under way: a transaction, which
 * takes a request's changes into journal, kernel and datastore, whole, or takes
 * them back; or a repair, which nobody asked for. Called by the turn only.
 */
#ifndef ENGINE_TRANSACTION_H
#define ENGINE_TRANSACTION_H

#include "engine/batch.h"
#include "engine/requests.h"

/*
 * A step's work is a cursor (base/cursor.h), some of which is done in each turn, or it
 * goes on by itself. Its end says which step is next. Until a commit is decided, that
 * is until its record is durable, all of it can be aborted, and leaves nothing.
 */
enum step {
	STEP_NONE,    /* nothing is under way */
	STEP_READ,    /* no transaction: all of the kernel, which others may have changed */
	STEP_MAKE,    /* apply, choose names, validate */
	STEP_PLAN,    /* what the plan refuses is not to be in the journal */
	STEP_ATTACH,  /* to what it changes, where nobody sees it yet */
	STEP_RECORD,  /* in the journal, before anything is done */
	STEP_WORK,    /* on the kernel; a repair has it after its plan */
	STEP_UNDO,    /* turn the job round, then STEP_WORK again */
	STEP_PUBLISH, /* it is the running configuration now; what is so of the kernel is seen */
	STEP_UNDONE,  /* what became of its objects */
	STEP_REVOKE,  /* take it out of the journal */
	STEP_CREATED, /* a resumed one cannot be: find what it created, and delete that */
	STEP_LEAVE,   /* who asked was told: off what it is attached to, or merged */
	STEP_FREE_CHANGES,
	STEP_FREE_EDIT,
	STEP_FREE_JOB
};

struct transaction {
	enum step step;
	bool begun;                  /* the step is */
	struct cursor *cursor;       /* its; NULL: it has none */
	struct request *request;     /* NULL: a repair */
	unsigned int ticket;         /* the request's */
	struct request_list sharers; /* of a reading */
	struct candidate changes;
	struct keys keys; /* of a repair, or what a resumed commit created */
	struct job job;
	struct error error; /* of the step */
	bool resumed;       /* begun by a daemon that was killed: some of it may be done */
	bool acknowledged;  /* perhaps: it may wait or fail in parts, and is not taken back */
	bool aborted;       /* to be, as long as it is not decided */
	bool decided;
	bool told;        /* who asked was */
	size_t waited;    /* so many things did before what became of it was known */
	bool hushed;      /* addresses and routes are not heard of meanwhile */
	int64_t retry_at; /* blocked until then, or waits for the disk; 0 no */
	struct batch batch;
};

int transaction_open(struct engine *engine); /* -ENOMEM */
void transaction_close(struct engine *engine);

/* NEVER: none is under way. */
int64_t transaction_due(const struct engine *engine);
void transaction_run(struct engine *engine); /* a slice */

/* Takes @request over. */
void transaction_begin(struct engine *engine, struct request *request);
/* Who asked for it is gone: abort it, if it is not decided. */
void transaction_abort(struct engine *engine);
/* The disk has what it waits for. */
void transaction_wake(struct engine *engine);
/* It waits for what is being removed. */
bool transaction_blocked(const struct engine *engine);
/* Read everything; for @request, which it takes over, and all like it in the queue, or NULL. */
void transaction_read(struct engine *engine, struct request *request);
/* Work on what is to be repaired (agenda). */
void transaction_repair(struct engine *engine);
/* A commit that a kill interrupted between record and confirmation: carry it out, or revoke it. */
int transaction_resume(struct engine *engine, struct error *err);
/* The daemon stops before its end: the next one brings it there. */
void transaction_leave(struct engine *engine);

#endif
