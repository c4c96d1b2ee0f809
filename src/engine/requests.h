/*
 * What the doors ask for, in a queue (engine.h has the calls). May call the
 * context only; called by the turn, and by the transaction for its own.
 */
#ifndef ENGINE_REQUESTS_H
#define ENGINE_REQUESTS_H

#include "engine/context.h"

enum request_type {
	REQUEST_EDIT,
	REQUEST_CHECK, /* an edit that is only checked */
	REQUEST_COMMIT,
	REQUEST_DISCARD, /* what is staged */
	REQUEST_UNDO,    /* a confirmed commit that is not confirmed, or cancelled */
	REQUEST_SETTLE,  /* none is under way when it has its turn */
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
	struct engine_checked checked; /* the edit's; or nothing */
	uint64_t number; /* tunnel to adopt, commit to roll back to, serial to undo (0: any) */
	struct request_confirm {
		bool confirmed;
		uint32_t timeout;           /* seconds */
		char *persist, *persist_id; /* NULL: not given */
	} confirm;                          /* of a commit of what is staged, or of its undoing */
	enum engine_datastore which;        /* to lock, edit, check; whose content to commit */
	struct commit_info info;
	unsigned int session;
	bool no_secrets; /* it may change none */
	bool forgotten;  /* who asked is gone: what is not decided yet is not done */
	engine_done_cb *done;
	void *arg;
};

/* NULL: no memory. @who NULL: the daemon itself */
struct request *request_new(struct engine *engine, enum request_type type,
			    const struct engine_who *who, engine_done_cb *done, void *arg);
void request_free(struct request *request);
/* Have the interface names chosen that are left out of what is configured. */
bool request_names(struct engine *engine); /* false: no memory */
/* Undo that confirmed commit; @done has the engine. False: no memory. */
bool request_undo(struct engine *engine, uint64_t serial, engine_done_cb *done);
/* Tell the one who asked, once. */
void request_tell(struct engine *engine, struct request *request, int rc, const struct error *err);
/* ... and free it. */
void request_finish(struct engine *engine, struct request *request, int rc,
		    const struct error *err);

#endif
