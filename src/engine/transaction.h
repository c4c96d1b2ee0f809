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
 * A step's run() does a slice of it, and returns the step to go on with in the
 * next turn: its own while there is more.
 */
enum step {
	STEP_NONE,    /* nothing is under way */
	STEP_MAKE,    /* apply, choose names, validate */
	STEP_PLAN,    /* what the plan refuses is not to be in the journal */
	STEP_RECORD,  /* in the journal, before anything is done */
	STEP_WORK,    /* on the kernel; a repair begins here */
	STEP_UNDO,    /* turn the job round, then STEP_WORK again */
	STEP_PUBLISH, /* it is the running configuration now */
	STEP_REVOKE   /* undone: take it out of the journal, tell who asked */
};

struct transaction {
	enum step step;
	struct request *request; /* NULL: a repair */
	unsigned int ticket;     /* the request's */
	struct candidate changes;
	struct job job;
	bool resumed;      /* begun by a daemon that was killed: some of it may be done */
	bool acknowledged; /* perhaps: it may wait or fail in parts, and is not taken back */
	bool hushed;       /* addresses and routes are not heard of meanwhile */
	int64_t retry_at;  /* blocked until then; 0 no */
	struct batch batch;
};

int transaction_open(struct engine *engine); /* -ENOMEM */
void transaction_close(struct engine *engine);

/* NEVER: none is under way. */
int64_t transaction_due(const struct engine *engine);
void transaction_run(struct engine *engine); /* a slice */

/* Takes @request over. */
void transaction_begin(struct engine *engine, struct request *request);
/* Work on what is to be repaired (agenda). */
void transaction_repair(struct engine *engine);
/* A commit that a kill interrupted between record and confirmation: carry it out, or revoke it. */
int transaction_resume(struct engine *engine, struct error *err);
/* The daemon stops before its end: the next one brings it there. */
void transaction_leave(struct engine *engine);

#endif
